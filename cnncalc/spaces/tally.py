"""What is counted on the way through a space: candidates, networks, reasons why some are none, and histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..quantities import si
from ..record import Record
from .evaluate import Array

#: Bins of a histogram between a power of two and the next, and characters of one on the screen.
BINS, WIDE = 8, 24
_BARS = "▁▂▃▄▅▆▇█"


class Histogram(Record):
    """How many values there are of each size: `counts` by the number of the bin, with the least and the greatest value.

    A bin is an eighth of the way from a power of two to the next, so that histograms of parts add up to that of all.
    """

    least: Any
    most: Any
    counts: Mapping[int, int]

    @classmethod
    def of(cls, values: Array) -> Histogram | None:
        """The histogram of some numbers from 0 on; None of none.

        >>> Histogram.of(np.array([3, 1024, 1025, 1400]))
        Histogram(least=3, most=1400, counts={20: 1, 88: 2, 90: 1})
        """
        if not len(values) or values.min() < 0:
            return None
        bins = _bins(values)
        first = int(bins.min())
        counts = np.bincount(bins - first)
        found = {first + place: int(counts[place]) for place in np.flatnonzero(counts).tolist()}
        return cls(values.min().item(), values.max().item(), found)

    def with_(self, other: Histogram | None) -> Histogram:
        """Those of both."""
        if other is None:
            return self
        counts = Counter(self.counts)
        counts.update(other.counts)
        return Histogram(min(self.least, other.least), max(self.most, other.most), dict(sorted(counts.items())))

    def edges(self) -> list[tuple[float, float, int]]:
        """Each bin that has any: from which number, up to which, how many."""
        return [(*_edges(number), count) for number, count in sorted(self.counts.items())]

    @property
    def bars(self) -> str:
        """As a line of characters from the least value to the greatest."""
        low, high = float(self.least), float(self.most)
        if high <= low:
            return _BARS[-1]
        sums = [0.0] * WIDE
        for start, stop, count in self.edges():
            start, stop = max(start, low), min(stop, high)
            first, last = ((edge - low) / (high - low) * WIDE for edge in (start, stop))
            places = range(min(int(first), WIDE - 1), min(max(int(np.ceil(last)), int(first) + 1), WIDE))
            for place in places:
                covered = min(last, place + 1) - max(first, place)
                sums[place] += count * (covered / (last - first) if last > first else 1 / len(places))
        top = max(sums)
        return "".join(_BARS[min(7, int(8 * each / top))] if each else " " for each in sums)


#: The bin of 0, before those of all doubles.
_ZERO = -10_000


def _bins(values: Array) -> Array:
    mantissa, exponent = np.frexp(values.astype(np.float64))
    inner = np.floor((2 * mantissa - 1) * BINS).astype(np.int64)
    return np.where(mantissa > 0, BINS * exponent.astype(np.int64) + inner, _ZERO)


def _edges(number: int) -> tuple[float, float]:
    if number == _ZERO:
        return 0.0, 0.0
    exponent, inner = divmod(number, BINS)
    size = 2.0 ** (exponent - 1)
    return size * (1 + inner / BINS), size * (1 + (inner + 1) / BINS)


class Tally:
    """The counts of some candidates; those of several parts add up."""

    def __init__(self, seen: int = 0, networks: int = 0, kept: int = 0) -> None:
        self.seen, self.networks, self.kept = seen, networks, kept
        self.rejected: Counter[str] = Counter()
        self.first: dict[str, int] = {}  # of each reason, the first candidate
        self.histograms: dict[str, Histogram] = {}

    def add(self, other: Tally) -> None:
        """Those of a later part."""
        self.seen += other.seen
        self.networks += other.networks
        self.kept += other.kept
        self.rejected.update(other.rejected)
        for reason, index in other.first.items():
            self.first[reason] = min(index, self.first.get(reason, index))
        for name, histogram in other.histograms.items():
            self.histograms[name] = histogram.with_(self.histograms.get(name))

    def look(self, columns: Mapping[str, Array]) -> None:
        """Take the values of columns that are numbers."""
        for name, values in columns.items():
            number = values.dtype != object and values.dtype != np.bool_ and name != "candidate"
            found = Histogram.of(values) if number else None
            if found is not None:
                self.histograms[name] = found.with_(self.histograms.get(name))

    def document(self) -> dict[str, Any]:
        """As plain data."""
        reasons = sorted(self.rejected.items(), key=lambda each: (-each[1], each[0]))
        return {
            "seen": self.seen,
            "networks": self.networks,
            "rows": self.kept,
            "rejected": {reason: {"count": count, "first": self.first[reason]} for reason, count in reasons},
            "histograms": {
                name: {"least": each.least, "most": each.most, "bins": [[*edge] for edge in each.edges()]}
                for name, each in sorted(self.histograms.items())
            },
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Tally:
        """From plain data; raises `KeyError`, `TypeError` or `ValueError` for what is none."""
        made = cls(int(document["seen"]), int(document["networks"]), int(document["rows"]))
        for reason, said in document["rejected"].items():
            made.rejected[str(reason)], made.first[str(reason)] = int(said["count"]), int(said["first"])
        for name, said in document["histograms"].items():
            lows = np.array([float(low) for low, _, _ in said["bins"]])
            counts = dict(zip(_bins(lows).tolist(), (int(count) for _, _, count in said["bins"]), strict=True))
            made.histograms[str(name)] = Histogram(said["least"], said["most"], counts)
        return made

    def lines(self, columns: Sequence[str]) -> list[str]:
        """The histograms of some columns, as people see them."""
        shown = [(name, self.histograms[name]) for name in columns if name in self.histograms]
        shown = [(name, each) for name, each in shown if each.least != each.most]
        wide = max((len(name) for name, _ in shown), default=0)
        return [f"{name:{wide}}  {_short(each.least)} {each.bars} {_short(each.most)}" for name, each in shown]


def _short(value: Any) -> str:
    return si(value) if isinstance(value, int) else f"{value:.3g}"
