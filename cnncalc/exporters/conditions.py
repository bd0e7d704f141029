"""What `when` said of a part that some uses of a block go without, found again from the values of their arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from ..record import Record

#: Variables that are compared with one another: their pairs of pairs are tried.
MOST_COMPARED = 10


class Condition(Record):
    """An expression, and the names in it."""

    text: str
    names: tuple[str, ...]


def condition(column: tuple[bool, ...], variables: Mapping[str, tuple[Any, ...]]) -> Condition | None:
    """The simplest condition on variables that holds where a column says so; None where there is none.

    A flag of the block comes first, then comparisons. Of two uses only flags are believed: too much fits two.

    >>> condition((True, False, True), {"se": (1, 0, 1), "stride": (1, 2, 1)})
    Condition(text='se', names=('se',))
    >>> condition((False, False, True, True), {"s": (2, 1, 1, 1), "c": (8, 16, 16, 8), "out": (8, 8, 16, 8)})
    Condition(text='s == 1 and c == out', names=('s', 'c', 'out'))
    """
    columns = {name: values for name, values in variables.items() if _plain(values)}
    for name in [name for name, values in columns.items() if is_flag(values)]:
        values = tuple(map(bool, columns.pop(name)))
        if values == column:
            return Condition(name, (name,))
        if tuple(not value for value in values) == column:
            return Condition(f"not {name}", (name,))
    if len({(said, *row) for said, *row in zip(column, *columns.values(), strict=True)}) < 3:
        return None
    compared = list(_compared(dict(list(columns.items())[:MOST_COMPARED])))
    for found, holds in compared:
        if holds == column:
            return found
    for (a, one), (b, other) in combinations(compared, 2):
        if " != " in a.text or " != " in b.text or {*a.names} & {*b.names}:
            continue
        if tuple(x and y for x, y in zip(one, other, strict=True)) == column:
            return Condition(f"{a.text} and {b.text}", (*a.names, *b.names))
        if tuple(not (x and y) for x, y in zip(one, other, strict=True)) == column:
            either = f"{a.text} or {b.text}".replace(" == ", " != ")
            return Condition(either, (*a.names, *b.names))
    return None


def is_flag(values: tuple[Any, ...]) -> bool:
    """Whether values say yes and no."""
    return all(type(value) in (int, bool) for value in values) and {*values} == {0, 1}


def _plain(values: tuple[Any, ...]) -> bool:
    return all(type(value) in (int, bool) for value in values) and len({*values}) > 1


def _compared(columns: Mapping[str, tuple[Any, ...]]) -> Iterator[tuple[Condition, tuple[bool, ...]]]:
    """Comparisons of a variable with 1, and of two variables, with where they hold."""
    for sign in ("==", "!="):
        for name, values in columns.items():
            if 1 in values:
                yield Condition(f"{name} {sign} 1", (name,)), tuple((value == 1) == (sign == "==") for value in values)
        for (a, one), (b, other) in combinations(columns.items(), 2):
            holds = tuple((x == y) == (sign == "==") for x, y in zip(one, other, strict=True))
            if len({*holds}) == 2:
                yield Condition(f"{a} {sign} {b}", (a, b)), holds
