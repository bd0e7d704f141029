"""A picture as data: boxes, lines and texts with places and colours, which each form of file writes in its own way.

Lengths are pixels of a page, 96 to the inch; x goes right and y goes down. A box has its upper left corner, a text the
place on its base line where its `anchor` stands. `data` says what a shape stands for, so that a picture can be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..record import Record
from .font import ASCENT, DESCENT, width

Point = tuple[float, float]
#: How much wider bold letters are.
BOLDER = 1.17
NOTHING: Mapping[str, Any] = MappingProxyType({})


class Box(Record):
    """A rectangle: its upper left corner, its size, its colours, and the radius of its corners.

    Where it `moves`, these are the corners that it has in turn, for as long each; what stands still shows the first.
    """

    x: float
    y: float
    width: float
    height: float
    fill: str = "none"
    stroke: str = "none"
    line: float = 1.0
    radius: float = 0.0
    dash: str = ""
    data: Mapping[str, Any] = NOTHING
    title: str = ""
    moves: tuple[Point, ...] = ()

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        return self.x, self.y, self.x + self.width, self.y + self.height


class Path(Record):
    """A line through points, closed where it has a filling; `radius` rounds its bends."""

    points: tuple[Point, ...]
    stroke: str = "none"
    fill: str = "none"
    line: float = 1.0
    radius: float = 0.0
    dash: str = ""
    data: Mapping[str, Any] = NOTHING
    title: str = ""

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        return min(xs), min(ys), max(xs), max(ys)


class Text(Record):
    """A line of text: where it stands on its base line, its size and colour; `turned` reads from below."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: str = "start"  # or "middle", or "end"
    bold: bool = False
    turned: bool = False
    data: Mapping[str, Any] = NOTHING

    @property
    def width(self) -> float:
        return width(self.text, self.size) * (BOLDER if self.bold else 1)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        wide = self.width
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * wide
        if self.turned:
            return (self.x - ASCENT * self.size, self.y - wide + before,
                    self.x + DESCENT * self.size, self.y + before)  # fmt: skip
        left = self.x - before
        return left, self.y - ASCENT * self.size, left + wide, self.y + DESCENT * self.size


class Image(Record):
    """A picture of dots behind all else: its place, its columns and rows, and their red, green and blue bytes."""

    x: float
    y: float
    width: float
    height: float
    columns: int
    rows: int
    pixels: bytes


Item = Box | Path | Text


class Scene(Record):
    """A whole picture: its size, what is in it from back to front, its title, and what it shows in a sentence."""

    width: float
    height: float
    items: tuple[Item, ...]
    title: str
    description: str
    background: str = "#ffffff"
    data: Mapping[str, Any] = NOTHING
    images: tuple[Image, ...] = ()

    def boxes(self, **data: Any) -> Iterator[Box]:
        """The boxes that stand for something, as `part="conv1"`."""
        for item in self.items:
            if isinstance(item, Box) and all(item.data.get(key) == value for key, value in data.items()):
                yield item


def arrow(
    points: tuple[Point, ...],
    colour: str,
    line: float = 1.2,
    radius: float = 6,
    data: Mapping[str, Any] = NOTHING,
    dash: str = "",
) -> list[Item]:
    """A line with a head at its end, which is a polygon of its own: no marker has to be found by its name."""
    (x0, y0), (x1, y1) = points[-2:]
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-9)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    long, half = 1.6 * (3.2 + line), 0.6 * (3.2 + line)
    x, y = x1 - dx * long, y1 - dy * long
    head = ((x1, y1), (x - dy * half, y + dx * half), (x + dy * half, y - dx * half))
    return [
        Path((*points[:-1], (x, y)), stroke=colour, line=line, radius=radius, data=data, dash=dash),
        Path(head, fill=colour, data={"head": True}),
    ]
