"""The rules of the house: what loads when, what the linters say, what the wheel holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cnncalc.language.locate import variant_names, zoo_files
from cnncalc.language.model import open_spec
from cnncalc.ops import FAMILIES, REGISTRY

ROOT = Path(__file__).parent.parent


def run(*command: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize("code", [
    "import cnncalc; cnncalc.analyse('resnet152').totals.peak; cnncalc.formulas()",
    "import sys; sys.argv = ['cnncalc', 'shapes', 'resnet152']; from cnncalc.cli import app; app(standalone_mode=False)",
    "import sys; sys.argv = ['cnncalc', 'explain', 'lenet']; from cnncalc.cli import app; app(standalone_mode=False)",
    "import sys; sys.argv = ['cnncalc', 'check', 'lenet']; from cnncalc.cli import app; app(standalone_mode=False)",
])  # fmt: skip
def test_the_static_path_loads_nothing_heavy(code: str) -> None:
    heavy = "{'torch', 'numpy', 'pydantic', 'matplotlib', 'sympy', 'jsonschema', 'rich.table'}"
    done = run(sys.executable, "-c", f"{code}; import sys; print('HEAVY', sorted({heavy} & set(sys.modules)))")
    assert done.stdout.rstrip().endswith("HEAVY []"), done.stdout[-200:] + done.stderr


def test_only_two_folders_may_import_torch_or_numpy() -> None:
    for path in (ROOT / "cnncalc").rglob("*.py"):
        if "pytorch" not in path.parts and "lessons" not in path.parts:
            assert not re.search(r"^\s*(import|from) (torch|numpy)\b", path.read_text("utf-8"), re.MULTILINE), path


@pytest.mark.parametrize(
    "command", [("ruff", "check", "."), ("ruff", "format", "--check", "."), ("mypy",)], ids=" ".join
)
def test_the_linters_are_content(command: tuple[str, ...]) -> None:
    done = run(sys.executable, "-m", *command)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_holds_the_zoo_and_works_from_anywhere(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path))
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    held = {path.name for path in (tmp_path / "site" / "cnncalc" / "architectures").glob("*.yaml")}
    assert held == {path.name for path in zoo_files()}
    code = "import cnncalc; print(cnncalc.__file__, cnncalc.analyse('lenet.yaml').totals.params)"
    found = run(sys.executable, "-c", code, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")).stdout
    assert str(tmp_path) in found and found.rstrip().endswith("61706")


def test_the_zoo_is_found_without_reading_all_of_it() -> None:
    seen: dict[str, str] = {}
    for path in zoo_files():
        names = variant_names(path.read_text("utf-8"))
        assert names == open_spec(str(path)).variants, "the short way to the variants sees them all"
        for name in (path.stem, *names):
            assert seen.get(name, path.stem) == path.stem, f"{name} stands in two files"
            seen[name] = path.stem


def test_every_layer_type_has_a_family_a_docstring_and_an_example() -> None:
    modules = {module.__name__ for module in FAMILIES.values()}
    for name, cls in REGISTRY.items():
        assert cls.__module__ in modules and cls.__doc__ and cls.example.startswith(name)


def test_files_stay_short() -> None:
    long = [path for path in (ROOT / "cnncalc").rglob("*.py") if len(path.read_text("utf-8").splitlines()) > 420]
    assert long == []


def test_nothing_global_is_changed() -> None:
    import signal
    import warnings

    before = (signal.getsignal(signal.SIGINT), list(warnings.filters), sys.getrecursionlimit())
    import cnncalc

    cnncalc.analyse("resnet18").totals.peak  # noqa: B018
    assert before == (signal.getsignal(signal.SIGINT), list(warnings.filters), sys.getrecursionlimit())
