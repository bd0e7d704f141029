"""The lecture's claims, each worked out with numbers that can be changed, and checked. They need NumPy."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from ...errors import did_you_mean, usage_error
from ...figures.options import Options
from ...figures.scene import Scene
from ...record import Record

#: From where to where the numbers of the lessons may be changed: what is said holds there, and in a few seconds.
LIMITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "perceptron": {"points": (20, 500), "gamma": (0.05, 0.5)},
    "xor": {"hidden": (3, 100), "rate": (1, 5), "steps": (3000, 50_000)},
    "backpropagation": {"layers": (1, 10), "width": (1, 20)},
    "margin": {"points": (4, 500), "gamma": (0.05, 0.8)},
    "mnist": {"width": (10, 100)},
    "fully-connected": {"size": (1, 128), "channels": (1, 64), "filters": (1, 256), "kernel": (1, 31)},
    "convolution": {"size": (1, 128), "channels": (1, 64), "filters": (1, 256), "kernel": (1, 31)},
    "relu": {"depth": (10, 200), "shift": (-4, -1)},
    "three-for-one": {"channels": (1, 4096)},
    "dropout": {"p": (0.05, 0.95), "draws": (1000, 1_000_000)},
    "batch-norm": {"batch": (32, 10_000), "momentum": (0.02, 0.9), "eps": (1e-12, 0.001)},
    "residual": {"depth": (2, 100), "width": (8, 256), "scale": (0.1, 1)},
    "scaling": {"phi": (1, 5)},
    "complexity": {"columns": (24, 200), "rows": (4, 60)},
}
#: The largest seed of random numbers.
MOST_SEEDS = 2**32 - 1


#: What only stands in a formula; a name has none of them.
_OPERATORS = "·+/*^√Σ²‖⌊∂"


class Sheet:
    """What a lesson writes down: sentences, work, pictures, and checks that hold or fail."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.failed: list[str] = []
        self.checked = 0
        self.drawing: Callable[[Options], Scene] | None = None

    def say(self, text: str = "") -> None:
        self.lines.append(text)

    def work(self, formula: str, numbers: str = "", result: Any = None) -> None:
        """A formula, the numbers in it, the result; or what it is called and what it gives, which no = stands between.

        >>> sheet = Sheet()
        >>> sheet.work("N·N·D", "32·32·3", "3,072 inputs"); sheet.work("W ← W − η·∂E/∂W", "", "E falls")
        >>> sheet.lines
        ['  N·N·D = 32·32·3 = 3,072 inputs', '  W ← W − η·∂E/∂W: E falls']
        """
        parts = [str(part) for part in (numbers, result) if part not in ("", None)]
        equal = any(sign in formula for sign in _OPERATORS) and not parts[0][0].isalpha()
        self.lines.append(f"  {formula}{' = ' if equal else ': '}{' = '.join(parts)}")

    def picture(self, text: str) -> None:
        self.lines += [f"    {line}" for line in text.split("\n")]

    def draw(self, drawing: Callable[[Options], Scene]) -> None:
        """The figure that goes with the lesson, drawn where somebody wants to see it."""
        self.drawing = drawing

    def check(self, what: str, holds: bool) -> None:
        """Something that must be so."""
        self.checked += 1
        self.lines.append(f"  {'✓' if holds else '✗'} {what}")
        if not holds:
            self.failed.append(what)

    @property
    def passes(self) -> bool:
        return self.checked > 0 and not self.failed


class Lesson(Record):
    """A claim of the lecture, and the function that works it out."""

    name: str
    claim: str
    teach: Callable[..., None]

    @property
    def knobs(self) -> dict[str, Any]:
        """The numbers that may be changed, with their defaults."""
        found = inspect.signature(self.teach).parameters.values()
        return {each.name: each.default for each in found if each.default is not inspect.Parameter.empty}

    def run(self, settings: Mapping[str, Any] | None = None, **others: Any) -> Sheet:
        """The lesson, worked out; raises `SpecError` for a number that it does not have or cannot use."""
        sheet, given = Sheet(), {**(settings or {}), **others}
        for name, value in given.items():
            if name not in self.knobs:
                hint = did_you_mean(name, self.knobs) or f"it has {', '.join(self.knobs) or 'none'}"
                raise usage_error(f"the lesson {self.name} has no number {name}", hint)
            self._refuse(name, value)
        try:
            self.teach(sheet, **given)
        except (ValueError, ZeroDivisionError, IndexError, OverflowError) as error:
            raise usage_error(f"the lesson {self.name} cannot be worked out with these numbers: {error}") from None
        return sheet

    def _refuse(self, name: str, value: Any) -> None:
        """Raise `SpecError` for a number that the lesson cannot use."""
        default = self.knobs[name]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise usage_error(f"{name} is {value}; it must be a number", f"as in --set {name}={default}")
        low, high = (0, MOST_SEEDS) if name == "seed" else LIMITS[self.name][name]
        whole = isinstance(default, int)
        if not low <= value <= high or (whole and not isinstance(value, int)):
            kind = "a whole number" if whole else "a number"
            raise usage_error(
                f"{name} is {value}; it must be {kind} from {low:,} to {high:,}", f"it is {default} by itself"
            )


#: The lessons in the order of the lecture, and where each stands.
ORDER = {
    "perceptron": "learning", "xor": "learning", "backpropagation": "learning", "margin": "learning",
    "mnist": "history",
    "fully-connected": "building", "convolution": "building", "relu": "building", "pooling": "building",
    "networks": "history",
    "three-for-one": "building", "dropout": "training", "batch-norm": "training", "residual": "training",
    "scaling": "scaling", "complexity": "history",
}  # fmt: skip


def lesson(name: str) -> Lesson:
    """A lesson by its name; raises `SpecError`.

    >>> lesson("pooling").run().passes
    True
    """
    if name not in ORDER:
        raise usage_error(f"there is no lesson {name}", did_you_mean(name, ORDER) or f"lessons are {', '.join(ORDER)}")
    try:
        module = import_module(f"{__name__}.{ORDER[name]}")
    except ImportError as error:
        if error.name != "numpy":
            raise
        raise usage_error("lessons need NumPy, which is not installed", "pip install 'cnncalc[teach]'") from None
    teach = getattr(module, name.replace("-", "_"))
    return Lesson(name, _claim(teach.__doc__), teach)


def listed() -> list[tuple[str, str]]:
    """The lessons and what each claims, in the order of the lecture; also where they cannot be worked out.

    >>> [claim for name, claim in listed() if name == "pooling"]
    ["Max pooling, 2×2 with stride 2, keeps the largest of each window: the lecture's 4×4 becomes [[6, 8], [3, 4]]."]
    """
    claims: dict[str, str] = {}
    for module in sorted({*ORDER.values()}):
        tree = ast.parse((Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                claims[node.name.replace("_", "-")] = _claim(ast.get_docstring(node))
    return [(name, claims[name]) for name in ORDER]


def _claim(document: str | None) -> str:
    return " ".join((document or "").split("\n\n")[0].split())


def lessons() -> list[Lesson]:
    """All lessons, in the order of the lecture."""
    return [lesson(name) for name in ORDER]
