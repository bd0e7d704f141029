"""What may honestly be said of a list of times."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from ...record import Record

#: How many samples a percentile needs, by MLPerf's early-stopping rule.
NEEDED = {90: 64, 95: 130, 99: 662}


class Summary(Record):
    """Times in seconds: the median with its 95 % interval, the minimum, the spread, and percentiles that have support.

    `spread` is the distance of the quartiles, as a share of the median.
    """

    calls: int
    median: float
    low: float
    high: float
    minimum: float
    spread: float
    percentiles: dict[int, float]

    @property
    def precision(self) -> float:
        """Half the width of the interval, as a share of the median."""
        return (self.high - self.low) / 2 / self.median if self.median else math.inf


def summary(samples: Sequence[float]) -> Summary:
    """The summary of one or more samples.

    >>> found = summary([float(i) for i in range(1, 101)])
    >>> found.median, found.low, found.high, found.percentiles
    (50.5, 40.0, 61.0, {90: 90.0})
    """
    ordered = sorted(samples)
    n = len(ordered)
    low, high = median_ranks(n)
    quartiles = ordered[max(0, math.ceil(0.25 * n) - 1)], ordered[max(0, math.ceil(0.75 * n) - 1)]
    middle = median(ordered)
    percentiles = {p: ordered[math.ceil(p / 100 * n) - 1] for p, needed in NEEDED.items() if n >= needed}
    spread = (quartiles[1] - quartiles[0]) / middle if middle else 0.0
    return Summary(n, middle, ordered[low - 1], ordered[high - 1], ordered[0], spread, percentiles)


def median(samples: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(samples)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


@lru_cache(maxsize=4096)
def median_ranks(n: int) -> tuple[int, int]:
    """The ranks, from 1, between which the true median lies with 95 %, whatever the distribution.

    The number of samples below the median is binomial with p = 1/2 (David & Nagaraja (2003), Order statistics,
    section 7.1). Below six samples there is no such interval: the extremes are all that can be said.

    >>> median_ranks(5), median_ranks(10), median_ranks(100), median_ranks(10_000)
    ((1, 5), (2, 9), (40, 61), (4902, 5099))
    """
    if n < 6:
        return 1, n
    if n > 1000:  # the normal distribution is as good
        rank = max(1, math.floor(n / 2 - 1.96 * math.sqrt(n) / 2))
        return rank, n + 1 - rank
    tail, rank = 0, 0
    while True:
        tail += math.comb(n, rank)
        if 2 * tail > 0.05 * 2**n:
            return max(1, rank), n + 1 - max(1, rank)
        rank += 1


def is_steady(times: Sequence[float], window: int = 10, within: float = 0.02) -> bool:
    """Whether the last two windows agree: the medians of ten calls and of the ten before, within 2 %.

    >>> is_steady([1.0] * 20), is_steady([2.0] * 10 + [1.0] * 10), is_steady([1.0] * 19)
    (True, False, False)
    """
    if len(times) < 2 * window:
        return False
    before, after = median(times[-2 * window : -window]), median(times[-window:])
    return abs(after - before) <= within * before


#: No difference is claimed below this.
RESOLUTION = 0.01
#: The same program runs differently fast in each process, for reasons that none of them can see: where its memory lies,
#: on which cores it started. That all of so many processes are slower than all of as many others is chance in one of
#: C(2n, n) cases: 1 of 70 for four.
PROCESSES = 4
#: What the median of a single process may be off by, either way: a factor.
SINGLE = 2.0


class Ratio(Record):
    """How two lists of times compare: the ratio of the medians, and a 95 % interval for it."""

    ratio: float
    low: float
    high: float

    @property
    def is_shown(self) -> bool:
        """Whether the interval leaves out 1 and the ratio is 1 % off: otherwise no difference is shown."""
        return not self.low <= 1 <= self.high and abs(self.ratio - 1) >= RESOLUTION

    @property
    def smallest(self) -> float:
        """The smallest slowdown that two such lists could have shown, as a share.

        >>> round(Ratio(1.0, 0.9, 1.1).smallest, 3), Ratio(1.0, 1.0, 1.0).smallest == RESOLUTION
        (0.111, True)
        """
        return max(RESOLUTION, self.ratio / self.low - 1)

    def beside(self, changes: Sequence[float]) -> Ratio:
        """The same where a known piece of work changed by these ratios: what that may explain is not shown.

        >>> Ratio(1.1, 1.08, 1.12).beside([1.1]).is_shown, Ratio(1.1, 1.08, 1.12).beside([1.02, 0.99]).is_shown
        (False, True)
        """
        return Ratio(self.ratio, self.low / max(1.0, *changes, 1.0), self.high / min(1.0, *changes, 1.0))


def between(before: Sequence[Sequence[float]], after: Sequence[Sequence[float]]) -> Ratio:
    """How two programs compare whose times were taken in several processes each: those of one process stand together.

    The interval reaches from the fastest process of one to the slowest of the other; where there are too few processes
    to rely on, it is wider by what one of them may be off by.

    >>> slow, fast = [[1.1] * 64] * 4, [[1.0] * 64] * 4
    >>> between(fast, slow).is_shown, between(fast[:1], slow[:1]).is_shown, between(fast[:1], [[3.0] * 64]).is_shown
    (True, False, True)
    """
    a, b = [summary(each) for each in before], [summary(each) for each in after]
    doubt = SINGLE if min(len(a), len(b)) < PROCESSES else 1.0
    middle = median([each.median for each in b]) / median([each.median for each in a])
    low = min(each.low for each in b) / max(each.high for each in a)
    return Ratio(middle, low / doubt, max(each.high for each in b) / min(each.low for each in a) * doubt)
