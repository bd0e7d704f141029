"""Conditions asked of many candidates at once: `params <= 5M and peak_inference_bytes <= 8MiB`."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from ..errors import Misfit, usage_error
from ..language import conditions
from .evaluate import Array

_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide, ast.Mod: np.remainder,
}  # fmt: skip


class Condition(conditions.Condition):
    """A condition that is read once and asked of many candidates; raises `SpecError` for what is none.

    Numbers are compared exactly; arithmetic between them is in doubles.

    >>> Condition("width <= 2k and width % 16 == 0", ["width"]).holds({"width": np.array([8, 16, 4096])}).tolist()
    [False, True, False]
    """

    def __init__(self, text: str, names: Iterable[str], parts: bool = False) -> None:
        try:
            super().__init__(text, names, parts)
        except Misfit as misfit:
            raise usage_error(f"--where {text[:80]}: {misfit.cause}", misfit.hint) from None

    def holds(self, values: Mapping[str, Any]) -> Array:
        """For which candidates it holds, by the values of its names; raises `SpecError` where these are no numbers."""
        try:
            with np.errstate(all="ignore"):
                return np.asarray(self._value(self.tree, values), dtype=np.bool_)
        except (TypeError, ValueError):
            raise usage_error(
                f"--where {self.text[:80]}: it compares what cannot be compared", "numbers with < and >, others with =="
            ) from None

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
                        missed = missed + np.where(_compared(op, left, right), 0.0, _gap(left, right))
                        left = right
        return missed

    def _value(self, node: ast.expr, values: Mapping[str, Any]) -> Any:
        if isinstance(node, ast.Name):
            return values[self.plain[node.id]]
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.List):
            return [self._value(each, values) for each in node.elts]
        if isinstance(node, ast.BinOp):
            left, right = (np.asarray(self._value(each, values), dtype=np.float64) for each in (node.left, node.right))
            return _ARITHMETIC[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            value = self._value(node.operand, values)
            return np.logical_not(value) if isinstance(node.op, ast.Not) else -value
        if isinstance(node, ast.BoolOp):
            function = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            found: Any = self._value(node.values[0], values)
            for each in node.values[1:]:
                found = function(found, self._value(each, values))
            return found
        assert isinstance(node, ast.Compare)
        met: Any = True
        left = self._value(node.left, values)
        for op, each in zip(node.ops, node.comparators, strict=True):
            right = self._value(each, values)
            met = np.logical_and(met, _compared(op, left, right))
            left = right
        return met


def _compared(op: ast.cmpop, left: Any, right: Any) -> Any:
    compare = _COMPARISONS[type(op)]
    if isinstance(left, np.ndarray) and left.dtype == object:
        return np.array([compare(each, right) for each in left], dtype=np.bool_)
    if isinstance(right, np.ndarray) and right.dtype == object:
        return _compared(op, right, left)  # only == and != are asked of what is no number
    return compare(left, right)


def _gap(left: Any, right: Any) -> Any:
    """How far two sides are apart, as a share of the right one; 1 for what is no number."""
    try:
        far = np.asarray(right, dtype=np.float64)
        return np.abs(np.asarray(left, dtype=np.float64) - far) / np.maximum(np.abs(far), 1)
    except (TypeError, ValueError):
        return 1.0
