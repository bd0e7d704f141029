"""Conditions on candidates, over figures and knobs: `params <= 5M and peak_inference_bytes <= 8MiB`."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import did_you_mean, usage_error
from ..quantities import rounded, size_in_bytes
from .evaluate import Array

#: Characters of a condition.
MOST = 1_000
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)\s*(KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB|k|K|M|G|B|T)\b")
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide, ast.Mod: np.remainder,
}  # fmt: skip


class Condition:
    """A condition that is read once and asked of many candidates; raises `SpecError` for what is none.

    Numbers are compared exactly; arithmetic between them is in doubles.

    >>> Condition("width <= 2k and width % 16 == 0", ["width"]).holds({"width": np.array([8, 16, 4096])}).tolist()
    [False, True, False]
    """

    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.text, self.names = text, list(names)
        if len(text) > MOST:
            raise usage_error(f"--where has {len(text):,} characters; at most {MOST:,}", "a shorter condition")
        # An item of a list is a name of its own here: depths[2].
        self.plain = {re.sub(r"[\[\]]", "__", name): name for name in self.names}
        said = re.sub(r"([A-Za-z_]\w*)\[(\d+)\]", r"\1__\2__", _SIZE.sub(_worked_out, text))
        try:
            self.tree = ast.parse(said.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise self._wrong("is no condition") from None
        self._check(self.tree)
        if not isinstance(self.tree, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            raise self._wrong("compares nothing")

    def _wrong(self, what: str, hint: str = "") -> Exception:
        return usage_error(f"--where {self.text[:80]}: {what}", hint or "as in 'params <= 5M and macs <= 600M'")

    def _check(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if node.id not in self.plain:
                hint = did_you_mean(node.id, self.plain) or f"names are {', '.join(self.names)}"
                raise self._wrong(f"there is no {node.id}", hint)
            return
        known = (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp)
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if not number and not isinstance(node, known):
            raise self._wrong(f"{ast.unparse(node)[:40]} may not stand here")
        if isinstance(node, ast.BinOp) and type(node.op) not in _ARITHMETIC:
            raise self._wrong("arithmetic is + - * / // %")
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, (ast.Not, ast.USub)):
            raise self._wrong("~ may not stand here")
        if isinstance(node, ast.Compare) and any(type(op) not in _COMPARISONS for op in node.ops):
            raise self._wrong("compare with == != < <= > >=")
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._check(child)

    @property
    def used(self) -> list[str]:
        """The names that it asks for."""
        found = (node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))
        return list(dict.fromkeys(self.plain[name] for name in found))

    def holds(self, values: Mapping[str, Array]) -> Array:
        """For which candidates it holds, by the values of its names."""
        with np.errstate(all="ignore"):
            return np.asarray(self._value(self.tree, values), dtype=np.bool_)

    def distance(self, values: Mapping[str, Array]) -> Array:
        """How far candidates are from meeting it: what its comparisons miss, as shares of what they ask for."""
        size = len(next(iter(values.values())))
        missed = np.zeros(size)
        with np.errstate(all="ignore"):
            for node in ast.walk(self.tree):
                if isinstance(node, ast.Compare):
                    left = self._value(node.left, values)
                    for op, each in zip(node.ops, node.comparators, strict=True):
                        right = self._value(each, values)
                        gap = np.abs(np.asarray(left, dtype=np.float64) - right) / np.maximum(np.abs(right), 1)
                        missed = missed + np.where(_COMPARISONS[type(op)](left, right), 0.0, gap)
                        left = right
        return missed

    def _value(self, node: ast.expr, values: Mapping[str, Array]) -> Any:
        if isinstance(node, ast.Name):
            return values[self.plain[node.id]]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.BinOp):
            left, right = (np.asarray(self._value(each, values), dtype=np.float64) for each in (node.left, node.right))
            return _ARITHMETIC[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            value = self._value(node.operand, values)
            return np.logical_not(value) if isinstance(node.op, ast.Not) else -value
        if isinstance(node, ast.BoolOp):
            function = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            return function.reduce([self._value(each, values) for each in node.values])
        assert isinstance(node, ast.Compare)
        found, left = [], self._value(node.left, values)
        for op, each in zip(node.ops, node.comparators, strict=True):
            right = self._value(each, values)
            found.append(_COMPARISONS[type(op)](left, right))
            left = right
        return np.logical_and.reduce(found)


def _worked_out(found: re.Match[str]) -> str:
    """A number with a unit, as 5M or 100MiB."""
    size = size_in_bytes(found[0]) if found[2].endswith("B") and found[2] != "B" else None
    if size is None:
        count = rounded(found[0])
        size = None if count is None else int(count.value)
    return found[0] if size is None else str(size)
