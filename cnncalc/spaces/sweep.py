"""Go through a space, chunk by chunk: every figure of every candidate, by the regions in which they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from random import Random
from typing import Any

import numpy as np

from ..errors import usage_error
from ..language.space import known_names
from ..record import Record
from .columns import figured
from .condition import Condition
from .evaluate import Array, Chunk
from .region import Region, checked
from .space import Space, split

#: Candidates that are worked out at once: what fits a processor's cache.
CHUNK = 1 << 15
#: Regions that are kept, those that were of use last: a space of many structures has more than memory.
MOST_REGIONS = 256
#: Candidates of a region that are compared with the calculator before it is used, beside the one it was learnt from.
CHECKS = 2


class Rows(Record):
    """Some candidates that are networks: their numbers in the space, their knobs and their figures, as arrays."""

    index: Array
    knobs: dict[str, Array]
    figures: dict[str, Array]

    def __len__(self) -> int:
        return len(self.index)

    def some(self, mask: Array) -> Rows:
        """Those for which a mask holds, or at these places."""
        return Rows(
            self.index[mask],
            {name: each[mask] for name, each in self.knobs.items()},
            {name: each[mask] for name, each in self.figures.items()},
        )

    @property
    def columns(self) -> dict[str, Array]:
        """All of it by the names of the columns."""
        return {"candidate": self.index, **self.knobs, **self.figures}

    def to_pandas(self) -> Any:
        """As a table of pandas; raises `SpecError` where it is not installed."""
        return _installed("pandas").DataFrame(
            {name: list(each) if each.dtype == object else each for name, each in self.columns.items()}
        )

    def to_arrow(self) -> Any:
        """As a table of Arrow; raises `SpecError` where pyarrow is not installed."""
        return _installed("pyarrow").table(
            {name: each.tolist() if each.dtype == object else each for name, each in self.columns.items()}
        )


class Sweep:
    """A way through a space. `rejected` counts what was no network, by reason; `regions` is what was learnt."""

    def __init__(self, space: Space, columns: Sequence[str] = (), batch: int = 1, seed: int = 0) -> None:
        self.space, self.batch = space, batch
        self.figured = [figured(column, space.base) for column in columns]
        self.columns = [column.name for column in self.figured]
        self.regions: list[Region] = []
        self.rejected: Counter[str] = Counter()
        self.first_rejected: dict[str, int] = {}
        self.rng = Random(seed)
        self.knobs = [np.array(knob.values) if knob.is_number else _objects(knob.values) for knob in space.knobs]
        self.where = [
            Condition(text, [*space.names, *known_names(space.axes, space.base.args, space.shape)])
            for text in space.where
        ]

    def __iter__(self) -> Iterator[Rows]:
        return self.over(range(self.space.size))

    def over(self, candidates: range | Array) -> Iterator[Rows]:
        """The candidates of these numbers, chunk by chunk."""
        for start, stop in split(len(candidates), CHUNK):
            yield self.rows_of(candidates[start:stop])

    def rows_of(self, candidates: range | Array) -> Rows:
        """The candidates with these numbers that are networks, however the numbers are given."""
        if isinstance(candidates, range):
            candidates = np.arange(candidates.start, candidates.stop, candidates.step, dtype=np.int64)
        return self.rows(candidates)

    def rows(self, index: Array) -> Rows:
        """The candidates with these numbers that are networks."""
        whole = self.chunk(index)
        kinds = {column.name: np.float64 if column.is_ratio else np.int64 for column in self.figured}
        figures = {name: np.zeros(len(index), dtype=kind) for name, kind in kinds.items()}
        good = np.zeros(len(index), dtype=np.bool_)
        left = self.wanted(whole, index)
        tried, used = list(self.regions), list[Region]()
        while len(left):
            chunk = whole if len(left) == len(index) else Chunk([digit[left] for digit in whole.digits])
            region = tried.pop(0) if tried else self.learnt([int(digit[0]) for digit in chunk.digits], chunk)
            mask = region.holds(chunk)
            if not mask.any():
                continue
            places, inside = (left, chunk) if mask.all() else (left[mask], chunk.some(mask))
            self.compare(region, inside)
            used += [] if region.alone else [region]
            if region.reason:
                self.rejected[region.reason] += len(places)
                self.first_rejected.setdefault(region.reason, int(index[places[0]]))
            else:
                good[places] = True
                for name in self.columns:
                    figures[name][places] = region.values(name, inside)
            left = left[~mask]
        self.regions = [*used, *(region for region in self.regions if region not in used)][:MOST_REGIONS]
        rows = Rows(index, {}, figures)
        rows = rows if good.all() else rows.some(good)
        chunk = whole if good.all() else whole.some(good)
        return rows._replace(knobs={name: self.knob(i, chunk) for i, name in enumerate(self.space.names)})

    def wanted(self, whole: Chunk, index: Array) -> Array:
        """The places of those that meet the conditions of the space between its knobs; the others are counted."""
        left = np.arange(len(index))
        for condition in self.where:
            chunk = whole if len(left) == len(index) else whole.some(left)
            knobs = {name: self.value_of(name, chunk) for name in condition.used}
            mask = np.broadcast_to(condition.holds(knobs), len(left))
            if not mask.all():
                reason = f"the space wants {condition.text}"
                self.rejected[reason] += int(len(left) - mask.sum())
                self.first_rejected.setdefault(reason, int(index[left[~mask][0]]))
                left = left[mask]
        return left

    def value_of(self, name: str, chunk: Chunk) -> Any:
        """The values of a knob that is turned, or the value of one that is not."""
        names = self.space.names
        return self.knob(names.index(name), chunk) if name in names else self.space.own(name)

    def compare(self, region: Region, candidates: Chunk) -> None:
        """Compare a region with the calculator once more, now and then; raises `SpecError` where they differ."""
        region.asked += 1
        seldom = region.asked & (region.asked - 1) == 0  # at 2, 4, 8 … parts
        if region.asked > 1 and seldom and not checked(region, candidates, self.rng):
            raise usage_error(
                "the formulas of this space are not those of its candidates", "a mistake of ours: report it"
            )

    def knob(self, number: int, chunk: Chunk) -> Array:
        """The values of a knob."""
        return self.knobs[number][chunk.digits[number]]

    def chunk(self, index: Array) -> Chunk:
        """The candidates with these numbers, by their digits."""
        digits: list[Array] = []
        for size in reversed(self.space.sizes):
            index, digit = np.divmod(index, size)
            digits.append(digit)
        places = digits[::-1]
        return Chunk([places[knob.axis] for knob in self.space.knobs])

    def learnt(self, digits: Sequence[int], chunk: Chunk) -> Region:
        """The region of a candidate, compared with the calculator at that and at another of its candidates."""
        region = Region(self.space, digits, self.figured, self.batch)
        if not region.alone:
            mask = region.holds(chunk)
            some = chunk.some(mask)
            checks = (checked(region, some, self.rng) for _ in range(CHECKS))
            if not mask[0] or not region.agrees(digits) or not all(checks):
                region.narrow(digits)
        return region


def _installed(package: str) -> Any:
    try:
        return import_module(package)
    except ImportError:
        raise usage_error(f"{package} is not installed", f"pip install {package}") from None


def _objects(values: Sequence[Any]) -> Array:
    found = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        found[place] = value
    return found
