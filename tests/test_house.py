"""The rules of the house: what loads when, what the linters say, what the wheel holds."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from cnncalc import load
from cnncalc.errors import Source
from cnncalc.formula import prod
from cnncalc.language.locate import variant_names, zoo_files
from cnncalc.language.schema import example_input, example_layers
from cnncalc.language.spec import open_spec
from cnncalc.ops import FAMILIES, REGISTRY, Op
from cnncalc.ops.counting import OPERATIONS

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
    "import sys; sys.argv = ['cnncalc', 'shapes', 'resnet152']; from cnncalc.cli import application as a; a(sys.argv[1:])(standalone_mode=False)",
    "import sys; sys.argv = ['cnncalc', 'explain', 'lenet']; from cnncalc.cli import application as a; a(sys.argv[1:])(standalone_mode=False)",
    "import sys; sys.argv = ['cnncalc', 'check', 'lenet']; from cnncalc.cli import application as a; a(sys.argv[1:])(standalone_mode=False)",
])  # fmt: skip
def test_the_static_path_loads_nothing_heavy(code: str) -> None:
    heavy = "{'http.server', 'torch', 'numpy', 'pydantic', 'matplotlib', 'sympy', 'jsonschema', 'rich.table'}"
    done = run(sys.executable, "-c", f"{code}; import sys; print('HEAVY', sorted({heavy} & set(sys.modules)))")
    assert done.stdout.rstrip().endswith("HEAVY []"), done.stdout[-200:] + done.stderr


def test_only_some_folders_may_import_torch_or_numpy() -> None:
    for path in (ROOT / "cnncalc").rglob("*.py"):
        # The model of somebody else is captured in a process of its own, which imports PyTorch and nothing of cnncalc.
        if not {"pytorch", "lessons", "capture", "spaces"} & set(path.parts):
            # What torch.nn lacks is declared beside the layer type, in a function that only PyTorch's side calls.
            text = re.sub(
                r" *def \w*torch_module\(\).*?\n {4,8}return \w+\n", "", path.read_text("utf-8"), flags=re.DOTALL
            )
            assert not re.search(r"^\s*(import|from) (torch|numpy)\b", text, re.MULTILINE), path


#: The house, from the ground up: what stands in a line may use its own line's files and all above it.
ORDER = (
    "record permission printable errors quantities names files generated pictures",
    "notation formula table markup",
    "explanation",
    "ops",
    "graph",
    "language",
    "analysis",
    "report",
    "answers",
    "formats",
    "figures",
    "spaces",
    "pytorch",
    "importing",
    "exporters",
    "teach",
    "page",
    "cli",
)
#: The package's own head brings everything together; `answers` and `teach` take escapes and rows of a format.
HEAD = ("__init__", "__main__")


def test_imports_point_one_way() -> None:
    rank = {name: number for number, names in enumerate(ORDER) for name in names.split()}
    package = ROOT / "cnncalc"
    for path in package.rglob("*.py"):
        parts = path.relative_to(package).with_suffix("").parts
        if parts[0] in HEAD:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                where = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
                where = [part for part in where if part]
                used = [where[0]] if where else [each.name for each in node.names if each.name in rank]
                for room in used:
                    assert rank[room] <= rank[parts[0]], f"{'/'.join(parts)} imports {room}, which stands above it"


def test_nothing_is_imported_in_a_circle() -> None:
    """Files import each other in one direction, a function and a type checker no other than the rest."""
    package = ROOT / "cnncalc"
    uses: dict[str, set[str]] = {}
    for path in package.rglob("*.py"):
        parts = list(path.relative_to(package).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        uses[name] = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = [*parts[: len(parts) - node.level], *(node.module or "").split(".")]
                target = ".".join(part for part in base if part)
                uses[name] |= {target, *(f"{target}.{each.name}".lstrip(".") for each in node.names)}
    seen: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " → ".join((*path[path.index(name) :], name))
        if name not in seen:
            for other in sorted(uses[name] & uses.keys() - {name, name.rpartition(".")[0], ""}):
                visit(other, (*path, name))
            seen[name] = 1

    for name in uses:
        if name not in HEAD and name:
            visit(name, ())


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
    modules = {module.__name__ for files in FAMILIES.values() for module in files}
    for name, cls in REGISTRY.items():
        assert cls.__module__ in modules and cls.__doc__ and cls.example.startswith(name)


def overrides(cls: type[Op], *names: str) -> bool:
    """Whether a layer type, or a base of it, answers one of these itself."""
    return any(getattr(cls, name) is not getattr(Op, name) for name in names)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_layer_type_says_what_it_costs_and_what_it_keeps(name: str) -> None:
    cls = REGISTRY[name]
    assert cls.operations is not None or overrides(cls, "each", "work"), (
        f"{name} does not say what it costs: operations"
    )
    assert cls.keeps is not None or cls.view or overrides(cls, "actions"), f"{name} does not say what it keeps: keeps"
    assert set(cls.operations or ()) <= OPERATIONS.keys(), "an operation that the convention does not name"


def test_a_layer_type_that_says_nothing_of_itself_is_refused() -> None:
    class Silent(Op, name="_Silent"):
        """A layer type whose author forgot."""

    assert Silent.operations is None and Silent.keeps is None
    assert not overrides(Silent, "each", "work", "actions")


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_every_parameter_has_the_step_that_counts_it(name: str) -> None:
    graph = load(
        Source(
            "net.yaml",
            "\n".join([f"input: {list(example_input(REGISTRY[name]))}", "layers:", *example_layers(REGISTRY[name])]),
        )
    )
    layer = graph.nodes[-1]
    assert layer.op is not None
    shapes = tuple(shape for shape in graph.shapes_into(layer) if shape is not None)
    counted: dict[int, int] = {}
    steps = {}
    for each in layer.op.parameters(*shapes):
        if each.role != "counter":
            assert each.step is not None, f"{each.name} has no step"
            steps[id(each.step)] = each.step
            counted[id(each.step)] = counted.get(id(each.step), 0) + prod(each.shape)
    assert all(steps[key].value == size for key, size in counted.items())


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
