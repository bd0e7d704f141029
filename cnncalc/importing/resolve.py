"""Expressions in the place of the vectors of a template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .naming import Names
from .statements import Statement
from .unify import Vector, put, vectors


def resolve(names: Names, template: list[Statement]) -> None:
    """Put expressions in the place of all vectors of a template: numbers first, then conditions."""
    found = list(vectors(template))
    for statement, where, vector in found:
        if where not in ("=when",):
            put(statement, where, Expressed(names.value(vector)))
    for statement, where, vector in found:
        if where == "=when":
            out, shown = leaving(template, statement, vector)
            put(statement, where, Expressed(names.condition(vector, out, shown)))


class Expressed(str):
    """An expression that stands in the place of a vector."""


def leaving(
    template: Sequence[Statement], optional: Statement, vector: Vector
) -> tuple[Sequence[Any] | None, str | None]:
    """The channels that a conditional branch must give, of each use, and the expression for them."""
    merge = merge_around(template, optional)
    if merge is None:
        return None, None
    main = next(
        (branch for branch in merge.branches if isinstance(branch, list) and branch and optional not in branch), None
    )
    last = last_width(main or [])
    if last is None:
        return None, None
    return last.values_of(len(vector.values)), last.shown


class Width:
    """The channels of a layer's output: the vector that they were, and the expression that they are."""

    def __init__(self, value: Any, vector: Vector | None) -> None:
        self.value, self.vector = value, vector

    @property
    def shown(self) -> str:
        return str(self.value)

    def values_of(self, count: int) -> list[Any]:
        return list(self.vector.values) if self.vector else [self.value] * count


def last_width(statements: Sequence[Statement]) -> Width | None:
    """The channels that a chain of layers ends with."""
    for statement in reversed(statements):
        for name in ("out_channels", "width", "planes"):
            if name in statement.arguments and statement.kind == "layer":
                value = statement.arguments[name]
                return Width(value, statement.was.get(name))
        if statement.body or statement.branches:
            for inner in reversed(list(statement.inner())):
                found = last_width(inner)
                if found is not None:
                    return found
    return None


def merge_around(template: Sequence[Statement], optional: Statement) -> Statement | None:
    """The merge of which a statement is a branch, or alone in one."""
    for statement in template:
        for branch in statement.branches:
            if id(branch) == id(optional) or (isinstance(branch, list) and len(branch) == 1 and branch[0] is optional):
                return statement
        for inner in statement.inner():
            if not isinstance(inner, Statement):
                found = merge_around(inner, optional)
                if found is not None:
                    return found
    return None
