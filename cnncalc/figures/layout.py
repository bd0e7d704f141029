"""Places for boxes and lines: series go down, parallels stand side by side, and skips run beside them.

Where a graph is made of series and parallels, no two boxes can overlap and no lines cross, by construction. Any other
graph is a column in order of work, with lines in lanes beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..record import Record
from .scene import Point
from .series import Parallel, Series, series_of

#: Between two boxes, around branches, between branches, and between lanes.
GAP, BUS, APART, LANE = 26.0, 12.0, 18.0, 12.0
#: Between two boxes of a figure that would be too tall.
CLOSE = 17.0
#: Branches that are many, and what is left between these.
MANY, APART_IF_MANY = 8, 14.0


class Sized(Record):
    """A box to be placed: its size, and how wide the text is that stands beside the line into it."""

    width: float
    height: float
    label: float = 0.0


class Line(Record):
    """A line from one box to another; `skip` where nothing is done on the way."""

    start: int
    end: int
    points: tuple[Point, ...]
    skip: bool = False


class Placed(Record):
    """Boxes by number with their upper left corners, the lines between them, and the size of all."""

    corners: dict[int, Point]
    lines: list[Line]
    width: float
    height: float
    is_series: bool


class _Measure(Record):
    left: float
    right: float
    height: float
    offsets: tuple[float, ...] = ()


#: An end of a line that still leads somewhere: the box that it comes from, its points, and whether it is a skip's lane.
_End = tuple[int, tuple[Point, ...], bool]


class _Layout:
    def __init__(self, sizes: Sequence[Sized], gap: float) -> None:
        self.sizes, self.gap = sizes, gap
        self.corners: dict[int, Point] = {}
        self.lines: list[Line] = []
        self.measures: dict[int, _Measure] = {}
        self.around: dict[int, float] = {}  # half of the widest box before or behind a parallel

    # How large things are

    def measure(self, series: Series) -> _Measure:
        left = right = height = 0.0
        for i, each in enumerate(series):
            if isinstance(each, Parallel):
                beside = [
                    near for near in (series[i - 1] if i else None, *series[i + 1 : i + 2]) if isinstance(near, int)
                ]
                self.around.setdefault(id(each), max((self.sizes[near].width / 2 for near in beside), default=0.0))
                inner = self.parallel(each)
                left, right, height = max(left, inner.left), max(right, inner.right), height + inner.height
            else:
                size = self.sizes[each]
                left = max(left, size.width / 2)
                right = max(right, size.width / 2, size.label + 6)
                height += size.height + (0 if i and isinstance(series[i - 1], Parallel) else self.gap)
        return _Measure(left, right, height)

    def parallel(self, parallel: Parallel) -> _Measure:
        found = self.measures.get(id(parallel))
        if found is None:
            found = self.measures[id(parallel)] = self._parallel(parallel)
        return found

    def _parallel(self, parallel: Parallel) -> _Measure:
        """Full branches side by side, around the middle or around the one that does most; empty ones to the right."""
        branches = [self.measure(branch) for branch in parallel.branches]
        full = [i for i, branch in enumerate(parallel.branches) if branch]
        sizes = [_count(parallel.branches[i]) for i in full]
        if sizes and 2 * max(sizes) > sum(sizes):  # what does most goes straight on, and the others beside it
            full.sort(key=lambda i: -_count(parallel.branches[i]))
        offsets = [0.0] * len(branches)
        apart = APART if len(full) < MANY else APART_IF_MANY
        if full:
            x = 0.0
            for place, i in enumerate(full):
                if place:
                    x += branches[full[place - 1]].right + apart + branches[i].left
                offsets[i] = x
            sizes = [_count(parallel.branches[i]) for i in full]
            leads = len(full) == 1 or sizes[0] > sum(sizes[1:])
            middle = offsets[full[0]] if leads else (offsets[full[0]] + offsets[full[-1]]) / 2
            for i in full:
                offsets[i] -= middle
        left = max((branches[i].left - offsets[i] for i in full), default=0.0)
        right = max((branches[i].right + offsets[i] for i in full), default=0.0)
        if len(full) < len(branches):
            right = max(right, self.around.get(id(parallel), 0.0))
        for i, branch in enumerate(parallel.branches):
            if not branch:
                right += LANE
                offsets[i] = right
        height = 2 * BUS + max(branches[i].height for i in full) + BUS if full else 2 * BUS
        return _Measure(max(left, 0.0), right + 2, height, tuple(offsets))

    # Where things are

    def draw(self, series: Series, x: float, y: float, ends: list[_End]) -> tuple[float, list[_End]]:
        """Place a series from (x, y) on; gives where it stops, and the ends that lead on from there."""
        for i, each in enumerate(series):
            if isinstance(each, Parallel):
                y, ends = self.branches(each, x, y, ends)
                continue
            size = self.sizes[each]
            if not (i and isinstance(series[i - 1], Parallel)):
                y += self.gap
            self.corners[each] = (x - size.width / 2, y)
            for open_end in ends:
                self.lead(open_end, each, x, y)
            y += size.height
            ends = [(each, ((x, y),), False)]
        return y, ends

    def lead(self, open_end: _End, end: int, x: float, y: float) -> None:
        """End a line at a box: from above, or where it comes down a lane, from the side."""
        (start, points, skips), size = open_end, self.sizes[end]
        if start < 0:
            return
        if skips:
            (lane, _) = points[-1]
            side = x + size.width / 2
            self.lines.append(
                Line(start, end, (*points, (lane, y + size.height / 2 - 3), (side, y + size.height / 2 - 3)), True)
            )
        else:
            self.lines.append(Line(start, end, _straight((*points, (x, y)))))

    def branches(self, parallel: Parallel, x: float, y: float, ends: list[_End]) -> tuple[float, list[_End]]:
        measure = self.parallel(parallel)
        bottom = y + measure.height
        found: list[_End] = []
        for branch, offset in zip(parallel.branches, measure.offsets, strict=True):
            for start, points, skips in ends:
                if not branch:
                    found.append((start, self.lane((start, points, skips), x, y, x + offset), True))
                    continue
                if skips:  # a lane that ends where branches begin comes back to the middle first
                    points = (*points, (points[-1][0], y), (x, y))
                way = (*points, (x, y + BUS), (x + offset, y + BUS))
                _, inner = self.draw(branch, x + offset, y + BUS, [(start, way, False)])
                for other, behind, lane in inner:
                    if lane:
                        behind = (*behind, (behind[-1][0], bottom - 1.5 * BUS), (x + offset, bottom - 1.5 * BUS))
                    found.append((other, (*behind, (x + offset, bottom - BUS), (x, bottom - BUS)), False))
        return bottom, found

    def lane(self, open_end: _End, x: float, y: float, lane: float) -> tuple[Point, ...]:
        """A skip's way to its lane: from the side of its box, or from where lines part."""
        start, points, skips = open_end
        if start >= 0 and len(points) == 1 and not skips:
            left, top = self.corners[start]
            size = self.sizes[start]
            height = top + size.height / 2 + 3
            return (left + size.width, height), (lane, height)
        return (*points, (x, y + BUS / 2), (lane, y + BUS / 2))


def _count(series: Series) -> int:
    return sum(1 if isinstance(each, int) else sum(map(_count, each.branches)) for each in series)


def _straight(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The points without those that lie on the line between their neighbours, or are twice there."""
    kept: list[Point] = []
    for point in points:
        if kept and abs(point[0] - kept[-1][0]) < 0.01 and abs(point[1] - kept[-1][1]) < 0.01:
            continue
        while len(kept) > 1 and (
            (abs(kept[-2][0] - kept[-1][0]) < 0.01 and abs(kept[-1][0] - point[0]) < 0.01)
            or (abs(kept[-2][1] - kept[-1][1]) < 0.01 and abs(kept[-1][1] - point[1]) < 0.01)
        ):  # fmt: skip
            kept.pop()
        kept.append(point)
    return tuple(kept)


def placed(
    sizes: Sequence[Sized],
    inputs: Sequence[Sequence[int]],
    source: int,
    sink: int,
    tallest: float = 0.0,
    gap: float = GAP,
) -> Placed:
    """Places for boxes by what they take. Source and sink are no boxes. A series may break into columns of a height."""
    edges = [(start, end) for end, taken in enumerate(inputs) for start in taken]
    series = series_of(len(sizes), edges, source, sink)
    if series is None:
        return _column(sizes, inputs, source, sink, gap)
    columns = _columns(sizes, series, tallest, gap)
    layout = _Layout(sizes, gap)
    left = height = 0.0
    ends: list[_End] = [(-1, ((0.0, 0.0),), False)]
    for place, column in enumerate(columns):
        measure = layout.measure(column)
        x = left + measure.left
        if place:
            ends = [(start, (*points, (points[-1][0], points[-1][1] + gap / 2), (left - LANE, points[-1][1] + gap / 2),
                             (left - LANE, gap / 3), (x, gap / 3)), False) for start, points, _ in ends]  # fmt: skip
        bottom, ends = layout.draw(column, x, 0.0, ends)
        height = max(height, bottom)
        left = x + measure.right + 2 * LANE
    extra = gap / 2 + 2 if len(columns) > 1 else 0
    return Placed(layout.corners, layout.lines, left - 2 * LANE, height + extra, True)


def _columns(sizes: Sequence[Sized], series: Series, tallest: float, gap: float) -> list[Series]:
    """A series in columns that are about as tall as each other, and not taller than wanted where that can be."""
    layout = _Layout(sizes, gap)
    total = layout.measure(series).height
    if not tallest or total <= tallest:
        return [series]
    wanted = total / -(-total // tallest)
    columns: list[list[Any]] = [[]]
    height = 0.0
    for i, each in enumerate(series):
        step = layout.measure((each,)).height
        breaks = not isinstance(each, Parallel) and not (i and isinstance(series[i - 1], Parallel))
        follows = i + 1 < len(series) and isinstance(series[i + 1], Parallel)
        reach = step + (layout.measure((series[i + 1],)).height if follows else 0)
        if columns[-1] and breaks and height + reach / 2 > wanted:
            columns.append([])
            height = 0.0
        columns[-1].append(each)
        height += step
    heights = [layout.measure(tuple(column)).height for column in columns]
    while len(columns) > 1 and heights[-1] + heights[-2] < 1.25 * max(heights):
        columns[-2:] = [columns[-2] + columns[-1]]
        heights[-2:] = [heights[-2] + heights[-1]]
    return [tuple(column) for column in columns]


def _column(sizes: Sequence[Sized], inputs: Sequence[Sequence[int]], source: int, sink: int, gap: float) -> Placed:
    """Boxes below each other in order of work; a line to another than the next runs in a lane of its own."""
    order = [number for number in range(len(sizes)) if number not in (source, sink)]
    row = {number: i for i, number in enumerate(order)}
    left = max((sizes[number].width / 2 for number in order), default=0.0)
    corners: dict[int, Point] = {}
    y = 0.0
    for number in order:
        y += gap
        corners[number] = (left - sizes[number].width / 2, y)
        y += sizes[number].height
    lines: list[Line] = []
    far = [(start, end) for end in order for start in inputs[end] if start != source and row[end] != row[start] + 1]
    edge = left + max((max(sizes[n].width / 2, sizes[n].label + 6) for n in order), default=0.0)
    ends: list[int] = []  # the last row of each lane
    for start, end in sorted(far, key=lambda each: row[each[1]] - row[each[0]]):
        lane = next((i for i, taken in enumerate(ends) if taken <= row[start]), len(ends))
        if lane == len(ends):
            ends.append(0)
        ends[lane] = row[end]
        x = edge + LANE * (lane + 1)
        a, b = corners[start], corners[end]
        top, bottom = a[1] + sizes[start].height / 2 + 3, b[1] + sizes[end].height / 2 - 3
        lines.append(
            Line(
                start,
                end,
                ((a[0] + sizes[start].width, top), (x, top), (x, bottom), (b[0] + sizes[end].width, bottom)),
                True,
            )
        )
    for end in order:
        for start in inputs[end]:
            if start != source and row[end] == row[start] + 1:
                lines.append(
                    Line(start, end, ((left, corners[start][1] + sizes[start].height), (left, corners[end][1])))
                )
    return Placed(corners, lines, edge + LANE * (len(ends) + 1), y, False)
