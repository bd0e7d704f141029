"""The best of many candidates, in bounded memory: those that come first, and those that no other beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from ..errors import usage_error
from .evaluate import Array
from .sweep import Rows

#: Candidates on a Pareto front at most.
MOST_FRONT = 100_000
#: Candidates that are told apart at most.
MOST_UNIQUE = 2_000_000


def goals(text: str, resolve: Callable[[str], str]) -> list[tuple[str, int]]:
    """What is to be small, or with a minus large: `params, macs, -input`; raises what `resolve` raises.

    >>> goals("params, -input", str)
    [('params', 1), ('input', -1)]
    """
    found = []
    for part in text.split(","):
        word = part.strip()
        found.append((resolve(word.removeprefix("-").strip()), -1 if word.startswith("-") else 1))
    return found


def said(wanted: Sequence[tuple[str, int]]) -> str:
    """Goals as they are typed."""
    return ", ".join("-" * (sign < 0) + name for name, sign in wanted)


def joined(parts: Sequence[Rows]) -> Rows:
    """Several rows as one."""
    first = parts[0]
    return Rows(
        np.concatenate([part.index for part in parts]),
        {name: np.concatenate([part.knobs[name] for part in parts]) for name in first.knobs},
        {name: np.concatenate([part.figures[name] for part in parts]) for name in first.figures},
    )


def _columns(rows: Rows, names: Sequence[str]) -> list[Array]:
    """Columns by their names; raises `SpecError` for one that there is not."""
    values = {**rows.knobs, **rows.figures}
    missing = [name for name in names if name not in values]
    if missing:
        raise usage_error(f"there is no column {missing[0]}", f"columns are {', '.join(filter(None, values))}")
    return [values[name] for name in names]


def matrix(rows: Rows, wanted: Sequence[tuple[str, int]]) -> Array:
    """What is to be small, a column each; raises `SpecError` where there is no telling which of two is smaller."""
    columns = [np.asarray(each) for each in _columns(rows, [name for name, _ in wanted])]
    for (name, _), column in zip(wanted, columns, strict=True):
        if column.dtype == object or column.dtype == np.bool_:
            raise usage_error(f"{name} is no number, and none of its values is the smaller one", "a figure, or a knob")
    if len({column.dtype for column in columns}) > 1 and any(
        np.abs(column).max(initial=0) >= 2**53 for column in columns
    ):
        raise usage_error("whole numbers beyond 2^53 cannot be compared beside fractions", "other goals")
    return np.stack([sign * column for (_, sign), column in zip(wanted, columns, strict=True)], axis=1)


class First:
    """The candidates that come first by a column, equal ones in the order of the space; of those alike, the first."""

    def __init__(self, wanted: Sequence[tuple[str, int]], most: int, alike: Sequence[str] = ()) -> None:
        self.wanted, self.most, self.alike = wanted, most, alike
        self.rows: Rows | None = None

    def take(self, rows: Rows) -> None:
        """Look at some more."""
        if not len(rows):
            return
        if not self.wanted and self.rows is not None and len(self.rows) == self.most:
            return
        both = rows if self.rows is None else joined([self.rows, rows])
        if self.wanted:
            both = both.some(np.lexsort((both.index, *matrix(both, self.wanted).T[::-1])))
        if self.alike:
            both = Unique(self.alike).take(both)
        self.rows = both.some(slice(self.most))


class Front:
    """The candidates that no other beats in all that is wanted; of those that are alike in it, the first."""

    def __init__(self, wanted: Sequence[tuple[str, int]], alike: Sequence[str] = ()) -> None:
        self.wanted, self.alike = wanted, alike
        self.found: Rows | None = None

    def take(self, rows: Rows) -> None:
        """Look at some more; raises `SpecError` where there are too many that nothing beats."""
        if not len(rows):
            return
        if self.found is not None:
            rows = rows.some(~beaten(matrix(rows, self.wanted), matrix(self.found, self.wanted)))
        both = rows if self.found is None else joined([self.found, rows])
        self.found = both.some(np.sort(unbeaten(matrix(both, self.wanted))))
        if len(self.found) > MOST_FRONT:
            raise usage_error(f"more than {MOST_FRONT:,} candidates that no other beats", "fewer goals, or a condition")

    @property
    def rows(self) -> Rows | None:
        """Them, in the order of the space."""
        return self.found if self.found is None or not self.alike else Unique(self.alike).take(self.found)


class Unique:
    """Of candidates that are alike in some columns, the first."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = list(names)
        self.seen: set[tuple[Any, ...]] = set()

    def take(self, rows: Rows) -> Rows:
        """Those that are like none before; raises `SpecError` where too many are to be remembered."""
        kept = []
        columns = (each.tolist() for each in _columns(rows, self.names))
        for place, key in enumerate(zip(*columns, strict=True)):
            known = tuple(repr(each) if isinstance(each, list) else each for each in key)
            if known not in self.seen:
                self.seen.add(known)
                kept.append(place)
        if len(self.seen) > MOST_UNIQUE:
            raise usage_error(
                f"more than {MOST_UNIQUE:,} candidates that differ in {', '.join(self.names)}", "a condition"
            )
        return rows.some(np.array(kept, dtype=np.int64))


class Cloud:
    """Candidates as they can be seen: those that no other beats, and so many of the others, drawn by chance."""

    def __init__(self, wanted: Sequence[tuple[str, int]], rng: Random, most: int = 600) -> None:
        self.front, self.rng, self.most = Front(wanted), rng, most
        self.others: Rows | None = None
        self.keys = np.empty(0)

    def take(self, rows: Rows) -> None:
        """Look at some more."""
        if not len(rows):
            return
        self.front.take(rows)
        # Each has a number drawn by chance; those with the least stay.
        keys = np.random.RandomState(self.rng.randrange(2**32)).random_sample(len(rows))
        both = rows if self.others is None else joined([self.others, rows])
        keys = np.concatenate([self.keys, keys])
        kept = np.argsort(keys)[: self.most]
        self.others, self.keys = both.some(kept), keys[kept]

    @property
    def rows(self) -> Rows | None:
        """What is seen, in the order of the space."""
        if self.front.rows is None or self.others is None:
            return None
        both = joined([self.front.rows, self.others])
        _, first = np.unique(both.index, return_index=True)
        return both.some(first)


def beaten(points: Array, by: Array, most: int = 64) -> Array:
    """Which points are surely beaten, or equalled, by some of others: a quick look that finds most of them.

    >>> beaten(np.array([[2, 2], [0, 5]]), np.array([[1, 1]])).tolist()
    [True, False]
    """
    found = np.zeros(len(points), dtype=np.bool_)
    step = max(1, len(by) // most)
    for other in by[::step]:
        found |= np.all(points >= other, axis=1)
    return found


def unbeaten(points: Array) -> Array:
    """The places of the points that no other beats; of equal ones, the first.

    >>> unbeaten(np.array([[1, 4], [2, 2], [2, 3], [2, 2]])).tolist()
    [0, 1]
    """
    order = np.lexsort(points.T[::-1])
    points, places = points[order], order
    kept: list[int] = []
    while len(points):
        kept.append(int(places[0]))
        # What is left must be less than the first in something; the first is less than all in the first goal.
        better = np.any(points < points[0], axis=1)
        points, places = points[better], places[better]
    return np.array(kept, dtype=np.int64)
