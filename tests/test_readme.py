"""The README is true: its commands print what it shows, its example loads, its library session runs."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import cnncalc
from cnncalc.errors import Source

README = Path(__file__).parent.parent / "README.md"
CONSOLE = re.compile(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n")


def printed(command: str) -> str:
    """What a command line of the README prints, warnings and errors included."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONUTF8": "1"}
    done = subprocess.run(
        ["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=environment, check=False
    )  # fmt: skip
    return done.stdout


def test_the_readme_can_be_brought_up_to_date() -> None:
    if os.environ.get("CNNCALC_UPDATE_README"):
        text = CONSOLE.sub(
            lambda found: f"```console\n$ {found[1]}\n{printed(found[1])}```\n", README.read_text("utf-8")
        )
        README.write_text(text, "utf-8")
    assert len(CONSOLE.findall(README.read_text("utf-8"))) >= 6


@pytest.mark.parametrize(("command", "shown"), CONSOLE.findall(README.read_text("utf-8")), ids=lambda text: text[:40])
def test_commands_print_what_is_shown(command: str, shown: str) -> None:
    if command.startswith("cnncalc run"):
        pytest.importorskip("torch", reason="run needs PyTorch: pip install 'cnncalc[torch]'")
    assert printed(command) == shown


def test_the_library_session() -> None:
    found = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert found.attempted > 8 and found.failed == 0


def test_the_example_spec() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    report = cnncalc.analyse(Source("README.md", text))
    assert not report.warnings and report["fc"].params == 170
    assert cnncalc.load(Source("README.md", text), args={"depth": 1}).layers[-1].name == "fc"


def test_every_command_is_mentioned() -> None:
    from typer.main import get_command

    from cnncalc.cli import app

    readme = README.read_text("utf-8")
    for command in get_command(app).commands:  # type: ignore[attr-defined]
        if command not in ("flops", "receptive-field", "schema"):
            assert f"cnncalc {command}" in readme or f"`{command}`" in readme, command
