"""The best of many candidates, in bounded memory: those that come first, and those that no other beats."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np

from ..errors import did_you_mean, usage_error
from .evaluate import Array
from .sweep import Rows

#: Candidates on a Pareto front at most.
MOST_FRONT = 100_000


def goals(text: str, names: Sequence[str]) -> list[tuple[str, int]]:
    """What is to be small, or with a minus large: `params, macs, -input`; raises `SpecError`.

    >>> goals("params, -input", ["params", "macs", "input"])
    [('params', 1), ('input', -1)]
    """
    found = []
    for part in text.split(","):
        word = part.strip()
        name = word.removeprefix("-").strip()
        if name not in names:
            hint = did_you_mean(name, names) or f"names are {', '.join(names)}"
            raise usage_error(f"there is no {name or 'name'} here", hint)
        found.append((name, -1 if word.startswith("-") else 1))
    return found


def joined(parts: Sequence[Rows]) -> Rows:
    """Several rows as one."""
    first = parts[0]
    return Rows(
        np.concatenate([part.index for part in parts]),
        {name: np.concatenate([part.knobs[name] for part in parts]) for name in first.knobs},
        {name: np.concatenate([part.figures[name] for part in parts]) for name in first.figures},
    )


def matrix(rows: Rows, wanted: Sequence[tuple[str, int]]) -> Array:
    """What is to be small, a column each."""
    values = {**rows.knobs, **rows.figures}
    return np.stack([sign * np.asarray(values[name]) for name, sign in wanted], axis=1)


class First:
    """The candidates that come first by a column, equal ones in the order of the space."""

    def __init__(self, wanted: Sequence[tuple[str, int]], most: int) -> None:
        self.wanted, self.most = wanted, most
        self.rows: Rows | None = None

    def take(self, rows: Rows) -> None:
        """Look at some more."""
        if not len(rows):
            return
        if not self.wanted and self.rows is not None and len(self.rows) == self.most:
            return
        both = rows if self.rows is None else joined([self.rows, rows])
        if not self.wanted:
            self.rows = both.some(np.arange(min(self.most, len(both))))
            return
        keys = matrix(both, self.wanted)
        order = np.lexsort((both.index, *keys.T[::-1]))
        self.rows = both.some(order[: self.most])


class Front:
    """The candidates that no other beats in all that is wanted; of those that are alike in it, the first."""

    def __init__(self, wanted: Sequence[tuple[str, int]]) -> None:
        self.wanted = wanted
        self.rows: Rows | None = None

    def take(self, rows: Rows) -> None:
        """Look at some more; raises `SpecError` where there are too many that nothing beats."""
        if not len(rows):
            return
        if self.rows is not None:
            rows = rows.some(~beaten(matrix(rows, self.wanted), matrix(self.rows, self.wanted)))
        both = rows if self.rows is None else joined([self.rows, rows])
        self.rows = both.some(np.sort(unbeaten(matrix(both, self.wanted))))
        if len(self.rows) > MOST_FRONT:
            raise usage_error(f"more than {MOST_FRONT:,} candidates that no other beats", "fewer goals, or a condition")


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
