"""The README and the pages are true: commands print what is shown, specs load, sessions run, links lead somewhere."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from commands import cnncalc as command_line

import cnncalc
from cnncalc.errors import Source
from cnncalc.ops import MERGES, REGISTRY, Op

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
CONSOLE = re.compile(r"```console\n\$ (.*)\n((?:.*\n)*?)```\n")
#: A spec or a program that a page's commands use: its first line is the name of its file.
FILE = re.compile(r"```(?:yaml|python)\n# ([\w.]+\.(?:yaml|py))\n(.*?)```", re.DOTALL)


def printed(command: str, folder: Path) -> str:
    """What a command line of a page prints, warnings and errors included."""
    words = shlex.split(command)
    cache = str(folder / "cache")
    if words[0] == "cnncalc" and not re.search(r"[|<>;&]", command) and words[1] != "run":
        done = command_line(*words[1:], cwd=folder, XDG_CACHE_HOME=cache)
        return done.stdout + done.stderr
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONUTF8": "1", "XDG_CACHE_HOME": cache}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=environment, check=False
    ).stdout  # fmt: skip


def with_files(page: Path, folder: Path) -> Path:
    """A folder with the specs of a page."""
    for name, text in FILE.findall(page.read_text("utf-8")):
        (folder / name).write_text(text, "utf-8")
    return folder


#: Where the commands of a page are run that have a folder in common.
FOLDERS: dict[Path, Path] = {}
EXAMPLES = [(page, *found) for page in PAGES for found in CONSOLE.findall(page.read_text("utf-8"))]


def test_the_pages_can_be_brought_up_to_date(tmp_path: Path) -> None:
    if os.environ.get("CNNCALC_UPDATE_DOCS"):
        for page in PAGES:
            folder = with_files(page, tmp_path)
            text = CONSOLE.sub(
                lambda found, folder=folder: f"```console\n$ {found[1]}\n{printed(found[1], folder)}```\n", page.read_text("utf-8")
            )  # fmt: skip
            page.write_text(text, "utf-8")
    assert len(EXAMPLES) >= 25


@pytest.mark.parametrize(
    ("page", "command", "shown"), EXAMPLES, ids=[f"{page.stem}: {command[:40]}" for page, command, _ in EXAMPLES]
)
def test_commands_print_what_is_shown(
    page: Path, command: str, shown: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if command.startswith("cnncalc run") or page.stem == "import":
        pytest.importorskip("torch", reason="run needs PyTorch: pip install 'cnncalc[torch]'")
    # What a model was found to be is kept, and looked up by the page's other commands.
    folder = FOLDERS.get(page) if page.stem == "import" else None
    folder = FOLDERS[page] = folder or with_files(page, tmp_path_factory.mktemp("page"))
    assert printed(command, folder) == shown


@pytest.mark.parametrize("page", [README, ROOT / "docs" / "library.md"], ids=lambda page: page.stem)
def test_the_library_sessions(page: Path) -> None:
    found = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert found.attempted >= 3 and found.failed == 0


def test_the_example_spec() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    report = cnncalc.analyse(Source("README.md", text))
    assert not report.warnings and report["fc"].params == 170
    assert cnncalc.load(Source("README.md", text), args={"depth": 1}).layers[-1].name == "fc"


def test_the_readme_is_short() -> None:
    assert len(README.read_text("utf-8").split("\n")) <= 150


def commands() -> list[str]:
    from typer.main import get_command

    from cnncalc.cli import application

    return sorted(get_command(application()).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented_in_a_group_with_examples(command: str) -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert f"cnncalc {command}" in text or f"`{command}`" in text
    done = command_line(command, "--help")
    assert done.returncode == 0
    if command != "worksheet":  # which has commands of its own
        assert done.stdout.count(f"$ cnncalc {command}") + done.stdout.count(f"| cnncalc {command}") >= 2, done.stdout


def test_the_list_of_commands_by_file_is_true() -> None:
    from typer.main import get_command

    from cnncalc.cli import FILES, application
    from cnncalc.cli.commands import COMMANDS

    names = [name for names in FILES.values() for name in names]
    assert names == list(dict.fromkeys(each.parent or each.name for each in COMMANDS)) or set(names) == set(commands())
    for file, own in FILES.items():
        assert {
            each.parent or each.name for each in COMMANDS if each.function.__module__ == f"cnncalc.cli.{file}"
        } == set(own)
    assert list(get_command(application(["shapes", "lenet"])).commands) == ["shapes"]  # type: ignore[attr-defined]


def test_the_networks_are_as_many_as_it_says() -> None:
    (said,) = re.findall(r"It knows (\d+) published networks", (ROOT / "README.md").read_text("utf-8"))
    assert cnncalc.zoo().notes[0] == f"{said} networks"


def test_what_torch_lacks_is_listed() -> None:
    own = {
        name for name, cls in REGISTRY.items()
        if name not in MERGES and (cls.torch_module is not None or cls.call is not Op.call)
    }  # fmt: skip
    (listed,) = re.findall(
        r"Layers that torch.nn has no module for: (.*?)\.\n", (ROOT / "docs" / "language.md").read_text("utf-8")
    )
    assert set(re.findall(r"`(\w+)`", listed)) == own


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


def test_the_pages_make_a_site(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="mkdocs makes the site: pip install 'cnncalc[dev]'")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "tutorial" / "index.html").exists()
