"""Go through a space, chunk by chunk: every figure of every candidate, by the regions in which they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np

from ..errors import did_you_mean, usage_error
from ..record import Record
from ..report.figures import BY_NAME, OF_NETWORK
from .evaluate import Array, Chunk
from .region import Region, checked
from .space import Space, split

#: Candidates that are worked out at once: what fits a processor's cache.
CHUNK = 1 << 15
#: Regions that are kept, those that were of use last: a space of many structures has more than memory.
MOST_REGIONS = 256


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


class Sweep:
    """A way through a space. `rejected` counts what was no network, by reason; `regions` is what was learnt."""

    def __init__(self, space: Space, columns: Sequence[str] = (), batch: int = 1, seed: int = 0) -> None:
        self.space, self.batch = space, batch
        self.columns = list(columns)
        self.regions: list[Region] = []
        self.rejected: Counter[str] = Counter()
        self.first_rejected: dict[str, int] = {}
        self.rng = Random(seed)
        self.knobs = [np.array(axis.values) if axis.is_number else axis.values for axis in space.axes]

    def __iter__(self) -> Iterator[Rows]:
        return self.over(range(self.space.size))

    def over(self, candidates: range | Array) -> Iterator[Rows]:
        """The candidates of these numbers, chunk by chunk."""
        for start, stop in split(len(candidates), CHUNK):
            part = candidates[start:stop]
            if isinstance(part, range):
                part = np.arange(part.start, part.stop, part.step, dtype=np.int64)
            yield self.rows(part)

    def rows(self, index: Array) -> Rows:
        """The candidates with these numbers that are networks."""
        whole = self.chunk(index)
        figures = {name: np.zeros(len(index), dtype=np.int64) for name in self.columns}
        good = np.zeros(len(index), dtype=np.bool_)
        left = np.arange(len(index))
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
        return rows._replace(knobs={axis.name: self.knob(i, chunk) for i, axis in enumerate(self.space.axes)})

    def compare(self, region: Region, candidates: Chunk) -> None:
        """Compare a region with the calculator once more, now and then; raises `SpecError` where they differ."""
        region.asked += 1
        seldom = region.asked & (region.asked - 1) == 0  # at 2, 4, 8 … parts
        if region.asked > 1 and seldom and not checked(region, candidates, self.rng):
            raise usage_error(
                "the formulas of this space are not those of its candidates", "a mistake of ours: report it"
            )

    def knob(self, number: int, chunk: Chunk) -> Array:
        """The values of an axis."""
        values, digits = self.knobs[number], chunk.digits[number]
        if isinstance(values, np.ndarray):
            return values[digits]
        found = np.empty(len(digits), dtype=object)
        found[:] = [values[digit] for digit in digits]
        return found

    def chunk(self, index: Array) -> Chunk:
        """The candidates with these numbers, by their digits."""
        digits: list[Array] = []
        for size in reversed(self.space.sizes):
            index, digit = np.divmod(index, size)
            digits.append(digit)
        return Chunk(digits[::-1])

    def learnt(self, digits: Sequence[int], chunk: Chunk) -> Region:
        """The region of a candidate, compared with the calculator at that and at another of its candidates."""
        region = Region(self.space, digits, self.columns, self.batch)
        if not region.alone:
            mask = region.holds(chunk)
            if not mask[0] or not region.agrees(digits) or not checked(region, chunk.some(mask), self.rng):
                region.narrow(digits)
        return region


def named(column: str) -> str:
    """A figure of networks by one of its names; raises `SpecError`."""
    figure = BY_NAME.get(column)
    if figure is None or not figure.of_network:
        hint = did_you_mean(column, OF_NETWORK) or f"figures are {', '.join(OF_NETWORK)}"
        raise usage_error(f"there is no figure {column} of a network", hint)
    return next(total for total, each in OF_NETWORK.items() if each is figure)
