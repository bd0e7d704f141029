"""Which network: a dot for each by two figures, names that do not overlap, and the line of those that none beats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import ceil, cos, floor, log10, pi, sin
from typing import Any

from ..record import Record
from .colours import Theme
from .font import shortened, width, wrapped
from .options import Options
from .scene import Box, Item, Path, Point, Scene, Text

#: Sizes of text; what is left around the picture and for the numbers of the axis; the field of the dots; a dot.
SIZE, SMALL, MARGIN, LEFT, WIDE, HIGH, DOT = 10.0, 9.0, 16.0, 70.0, 560.0, 380.0, 4.0
#: How much more the largest is than the smallest where an axis goes by powers of ten.
WIDELY = 20
#: Families that are told apart; the others are alike.
FAMILIES = 16
SHAPES = ("circle", "square", "triangle", "diamond")


class Dot(Record):
    """A network: its name, its family, its two figures, and a third that is its area, if there is one."""

    name: str
    family: str
    x: float
    y: float
    area: float = 0.0


class Axis(Record):
    """A figure along an axis: its title, how a value is written, and whether more (1) or less (−1) of it is better.

    It goes by powers of ten where `log` says so, and where the values reach far.
    """

    title: str
    show: Callable[[Any], str]
    better: int = 0
    log: bool = False


class Limit(Record):
    """A line over a chart: its name, which stands along it, and its points, in the units of the axes."""

    name: str
    points: tuple[Point, ...]


class _Scale:
    """Where values lie between two ends, straight or by powers of ten, with round numbers for the axis."""

    def __init__(self, values: Sequence[float], start: float, end: float, log: bool = False) -> None:
        low, high = min(values), max(values)
        self.log = low > 0 and (log or high > WIDELY * low)
        self.start, self.end = start, end
        if self.log:
            self.ticks = [
                10.0**power * m for power in range(floor(log10(low)), ceil(log10(high)) + 1) for m in (1, 2, 5)
            ]
            first = max((tick for tick in self.ticks if tick <= low), default=low)
            last = min((tick for tick in self.ticks if tick >= high), default=high)
        else:
            step = _round((high - low) / 5 or abs(high) / 5 or 1.0)
            first, last = floor(low / step) * step, ceil(high / step) * step
            last = last if last > first else first + step
            self.ticks = [first + i * step for i in range(round((last - first) / step) + 1)]
        self.low, self.high = first, last if last > first else first * 10
        self.ticks = [tick for tick in self.ticks if self.low * 0.999 <= tick <= self.high * 1.001]
        if self.log and len(self.ticks) > 8:
            self.ticks = [tick for tick in self.ticks if abs(log10(tick) - round(log10(tick))) < 1e-6]

    def __call__(self, value: float) -> float:
        low, high, at = (
            (log10(each) for each in (self.low, self.high, value)) if self.log else (self.low, self.high, value)
        )
        return self.start + (self.end - self.start) * (at - low) / (high - low)


def _round(value: float) -> float:
    power = 10.0 ** floor(log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value * 0.999)


def chart(
    dots: Sequence[Dot], x: Axis, y: Axis, title: str, options: Options, limits: Sequence[Limit] = (), note: str = ""
) -> Scene:
    """Dots by two figures, under `limits`; each name where there is room for it, and left out where there is none.

    Below it stands the `note`, or how many networks there are.
    """
    theme = options.theme
    left, top = MARGIN + LEFT, MARGIN + 44.0
    right, bottom = left + WIDE, top + HIGH
    corners = [point for each in limits for point in each.points]
    across, up = (
        _Scale([dot.x for dot in dots] + [a for a, _ in corners], left + 14, right - 14, x.log),
        _Scale([dot.y for dot in dots] + [b for _, b in corners], bottom - 14, top + 14, y.log),
    )
    items: list[Item] = [Text(MARGIN, MARGIN + 12, shortened(title, 14, 620), 14, theme.text, bold=True)]
    items += _axes(across, up, x, y, left, top, theme)
    looks = _looks(dots, theme)
    best = front(dots, x, y)
    if best:
        line = tuple((across(dot.x), up(dot.y)) for dot in best)
        items.append(Path(line, stroke=theme.faint, line=1.2, dash="4 3", data={"front": len(best)}))
    for each in limits:
        items += _limit(each, tuple((across(a), up(b)) for a, b in each.points), theme)
    places = {id(dot): (across(dot.x), up(dot.y)) for dot in dots}
    radii = _radii(dots)
    for dot in sorted(dots, key=lambda each: -radii[id(each)]):
        colour, shape = looks.get(dot.family, (theme.faint, "circle"))
        data = {"name": dot.name, "x": dot.x, "y": dot.y, "family": dot.family}
        said = f"{dot.name}: {x.title} {x.show(dot.x)}, {y.title} {y.show(dot.y)}"
        items.append(_mark(*places[id(dot)], shape, colour, theme, data, said, radii[id(dot)]))
    chosen = [*best, *(dot for dot in dots if dot not in best)]
    written = [item.bounds for item in items if isinstance(item, Text)]
    written += [place for item in items if "limit" in item.data and isinstance(item, Path) for place in _along(item)]
    field = (left + 2, top, right - 2, bottom)
    items += _names(chosen, places, radii, field, {id(dot) for dot in best}, written, theme)
    items += _legend(dots, looks, left, bottom + 44, theme)
    if not note:
        note = f"{len(dots)} networks" + (f"; dashed: the {len(best)} that no other beats in both" if best else "")
    lowest = max(item.bounds[3] for item in items)
    for i, words in enumerate(wrapped(note, SMALL, WIDE)):
        items.append(Text(left, lowest + 16 + 13 * i, words, SMALL, theme.faint))
    described = f"{note}: {x.title} from left to right, {y.title} upwards"
    wide = max(item.bounds[2] for item in items)
    lowest = max(item.bounds[3] for item in items)
    return Scene(wide + MARGIN, lowest + MARGIN, tuple(items), title, described, theme.ground,
                 {"model": "chart", "figure": "chart", "dots": len(dots)})  # fmt: skip


def _limit(limit: Limit, points: tuple[Point, ...], theme: Theme) -> list[Item]:
    """A line, and its name above the middle of its last piece, or to the left of it where the line rises."""
    (x, y), (far, high) = points[-2:]
    anchor, aside = ("middle", 0.0) if high == y else ("end", 8.0)
    data = {"limit": limit.name}
    name = Text((x + far) / 2 - aside, (y + high) / 2 - 5, limit.name, SMALL, theme.text, anchor, data=data)
    return [Path(points, stroke=theme.line, line=1.4, data=data), name]


def _along(line: Path) -> Iterator[tuple[float, float, float, float]]:
    """Small places along a line, where no name may stand."""
    for (x, y), (far, high) in pairwise(line.points):
        steps = ceil(max(abs(far - x), abs(high - y)) / 4)
        for i in range(steps + 1):
            a, b = x + (far - x) * i / steps, y + (high - y) * i / steps
            yield a - 2, b - 2, a + 2, b + 2


def _radii(dots: Sequence[Dot]) -> dict[int, float]:
    """How large each dot is: all alike, or with an area in proportion, and a little more so that none is lost."""
    largest = max((dot.area for dot in dots), default=0.0)
    if not largest:
        return {id(dot): DOT for dot in dots}
    # Of the field, a tenth at most is covered.
    reach = min(16.0, (WIDE * HIGH / 10 / pi / sum(dot.area / largest for dot in dots)) ** 0.5)
    return {id(dot): 2.0 + reach * (dot.area / largest) ** 0.5 for dot in dots}


def front(dots: Sequence[Dot], x: Axis, y: Axis) -> list[Dot]:
    """The dots that no other equals in one figure and beats in the other, by x: the Pareto front.

    >>> low, high = Axis("cost", str, -1), Axis("accuracy", str, 1)
    >>> [dot.name for dot in front([Dot("a", "", 1, 60), Dot("b", "", 2, 55), Dot("c", "", 3, 70)], low, high)]
    ['a', 'c']
    """
    if not x.better or not y.better:
        return []
    found: list[Dot] = []
    for dot in sorted(dots, key=lambda each: (-x.better * each.x, -y.better * each.y, each.name)):
        if not found or y.better * dot.y > y.better * found[-1].y:
            found.append(dot)
    return sorted(found, key=lambda each: each.x)


def _axes(across: _Scale, up: _Scale, x: Axis, y: Axis, left: float, top: float, theme: Theme) -> list[Item]:
    right, bottom = left + WIDE, top + HIGH
    items: list[Item] = []
    free = 0.0
    for tick in across.ticks:
        place, text = across(tick), x.show(tick)
        items.append(Path(((place, top), (place, bottom)), stroke=theme.panel))
        if place - width(text, SMALL) / 2 > free:
            items.append(Text(place, bottom + 14, text, SMALL, theme.faint, "middle", data={"tick": "x"}))
            free = place + width(text, SMALL) / 2 + 6
    for tick in up.ticks:
        place = up(tick)
        items.append(Path(((left, place), (right, place)), stroke=theme.panel))
        items.append(Text(left - 6, place + 3, y.show(tick), SMALL, theme.faint, "end", data={"tick": "y"}))
    items.append(Path(((left, top), (left, bottom), (right, bottom)), stroke=theme.line, line=1.2))
    items.append(Text((left + right) / 2, bottom + 30, x.title, SIZE, theme.text, "middle"))
    items.append(Text(MARGIN + 8, (top + bottom) / 2, y.title, SIZE, theme.text, "middle", turned=True))
    return items


def _looks(dots: Sequence[Dot], theme: Theme) -> dict[str, tuple[str, str]]:
    """A colour and a shape for each family that has several networks, the largest first."""
    counts: dict[str, int] = {}
    for dot in dots:
        counts[dot.family] = counts.get(dot.family, 0) + 1
    several = sorted((name for name in counts if counts[name] > 1), key=lambda name: (-counts[name], name))[:FAMILIES]
    return {name: (theme.marks[i % 8], SHAPES[(i // 8 + i) % 4]) for i, name in enumerate(several)}


def _mark(
    x: float, y: float, shape: str, colour: str, theme: Theme, data: dict[str, Any], title: str = "", size: float = DOT
) -> Item:
    if shape in ("circle", "square"):
        radius = size if shape == "circle" else 0.0
        side = 2 * size if shape == "circle" else 1.8 * size
        return Box(x - side / 2, y - side / 2, side, side, colour, theme.ground, 0.8, radius, data=data, title=title)
    turn, corners = (-pi / 2, 3) if shape == "triangle" else (0.0, 4)
    turns = [turn + 2 * pi * i / corners for i in range(corners)]
    points = tuple((x + 1.25 * size * cos(each), y + 1.25 * size * sin(each)) for each in turns)
    return Path(points, fill=colour, stroke=theme.ground, line=0.8, data=data, title=title)


def _names(
    dots: Sequence[Dot],
    places: dict[int, Point],
    radii: dict[int, float],
    field: tuple[float, float, float, float],
    bold: set[int],
    written: Sequence[tuple[float, float, float, float]],
    theme: Theme,
) -> list[Item]:
    """Names beside their dots: to the right, to the left, above or below, where nothing else stands."""
    taken = list(written)
    for number, (x, y) in places.items():
        reach = 1.25 * radii[number] + 1
        taken.append((x - reach, y - reach, x + reach, y + reach))
    items: list[Item] = []
    for dot in dots:
        (x, y), far, heavy = places[id(dot)], 1.25 * radii[id(dot)] + 2, id(dot) in bold
        sides = (("start", far, 3), ("end", -far, 3), ("middle", 0, -far - 1), ("middle", 0, far + 7),
                 ("start", far - 1, -far + 1), ("start", far - 1, far + 5))  # fmt: skip
        for anchor, dx, dy in sides:
            name = shortened(dot.name, SMALL, 130)
            text = Text(x + dx, y + dy, name, SMALL, theme.text, anchor, heavy, data={"label": dot.name})
            a = text.bounds
            if a[0] < field[0] or a[1] < field[1] or a[2] > field[2] or a[3] > field[3]:
                continue
            if any(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for b in taken):
                continue
            taken.append(a)
            items.append(text)
            break
    return items


def _legend(
    dots: Sequence[Dot], looks: dict[str, tuple[str, str]], left: float, top: float, theme: Theme
) -> list[Item]:
    items: list[Item] = []
    x, y = left, top
    for family, (colour, shape) in looks.items():
        name = shortened(family, SMALL, 180)
        wide = 14 + width(name, SMALL) + 14
        if x + wide > left + WIDE:
            x, y = left, y + 15
        items.append(_mark(x + 4, y, shape, colour, theme, {"legend": family}))
        items.append(Text(x + 13, y + 3, name, SMALL, theme.faint, data={"legend": family}))
        x += wide
    return items
