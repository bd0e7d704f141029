"""What happens to the map: tensors as boxes, high as their map, wide as their channels; levels go down by stride."""

from __future__ import annotations

from itertools import pairwise
from math import log2, prod
from typing import Any

from ...ops import Shape
from ...record import Record
from ...report import Report
from ..font import shortened, width
from ..options import Options
from ..pieces import SINK, SOURCE, Piece, Structure
from ..scene import Box, Item, Path, Point, Scene, Text, arrow

#: Sizes of text; what is left around the picture and between boxes; the height of the largest map.
SIZE, SMALL, MARGIN, GAP, HIGHEST = 10.0, 9.0, 16.0, 27.0, 150.0
#: Tensors beyond which equal ones in a row stand once.
MANY = 14
#: Kinds of pieces that only pass on what another tensor holds.
PASSING = frozenset({"crop", "flatten", "identity", "slice"})


class Tensor(Record):
    """A box: the pieces behind it, its shape, its level, and what is done to get there."""

    pieces: tuple[int, ...]
    shape: Shape
    level: int
    done: str
    kind: str


def draw(report: Report, options: Options) -> Scene:
    """The picture of a report's tensors."""
    return _Picture(report, options).scene()


class _Picture:
    def __init__(self, report: Report, options: Options) -> None:
        self.report, self.options, self.theme = report, options, options.theme
        self.net = report.graph
        self.pieces = Structure(self.net).spine(options.depth)
        self.items: list[Item] = []
        self.home: dict[int, int] = {}  # the tensor of each piece

    def tensors(self) -> list[Tensor]:
        """The tensors that differ from those before, in order of work."""
        found: list[Tensor] = []
        many = len(self.pieces) - 2 > MANY
        for number, piece in enumerate(self.pieces):
            if number in (SOURCE, SINK) or piece.shape is None or not piece.shape:
                continue
            source = self.home.get(piece.inputs[0]) if piece.inputs else None
            before = found[source] if source is not None else None
            alone = len(piece.inputs) == 1 and source == len(found) - 1
            passes = piece.texts[0] in PASSING or piece.texts[0].startswith("dropout")
            same = before is not None and before.shape == piece.shape and before.done == self.said(piece)
            if before is not None and alone and piece.kind != "input" and (passes or (many and same)):
                self.home[number] = source or 0
                found[source or 0] = before._replace(pieces=(*before.pieces, number))
                continue
            if before is not None and passes:
                self.home[number] = source or 0
                continue
            self.home[number] = len(found)
            level = self.level(piece) if len(piece.shape) > 1 or before is None else before.level
            found.append(Tensor((number,), piece.shape, level, self.said(piece), piece.kind))
        rises = any(b.level < a.level for a, b in pairwise(found))
        return found if rises else [each._replace(level=0) for each in found]

    def level(self, piece: Piece) -> int:
        """How often the map was halved: the stride of its units against the input, as a power of two."""
        if piece.kind == "input" or piece.shape is None or len(piece.shape) < 2:
            return 0
        field = self.report.field(piece.nodes[-1])
        strides = [float(stride) for stride in field.stride if stride] if field is not None else []
        return max(0, round(log2(max(1.0, min(strides))))) if strides else 0

    @staticmethod
    def said(piece: Piece) -> str:
        return "" if piece.kind == "input" else piece.texts[0]

    # How large boxes are

    def sides(self, tensors: list[Tensor]) -> list[tuple[float, float]]:
        """Width by channels and height by map, by its root where maps differ by more than sixteen."""
        maps = [max(each.shape[1:]) for each in tensors if len(each.shape) > 1]
        largest, smallest = max(maps, default=1), min(maps, default=1)
        power = 1.0 if largest <= 16 * smallest else 0.5
        found = []
        for each in tensors:
            if len(each.shape) > 1:
                high = HIGHEST * (max(each.shape[1:]) / largest) ** power
                found.append((8 + 3.2 * log2(each.shape[0] + 1), max(high, 10.0)))
            else:
                found.append((10.0, min(HIGHEST, 14 + 9 * log2(prod(each.shape) + 1))))
        return found

    # The whole

    def scene(self) -> Scene:
        tensors = self.tensors()
        sides = self.sides(tensors)
        rows = self.rows(tensors, sides)
        x, places = MARGIN + 24.0, []
        for each, (wide, high) in zip(tensors, sides, strict=True):
            label = width(self.channels(each), SMALL)
            x += max(0.0, (label - wide) / 2)
            places.append(Box(x, rows[each.level] - high / 2, wide, high))
            x += max(wide, (wide + label) / 2) + GAP
        for i, (each, box) in enumerate(zip(tensors, places, strict=True)):
            self.box(i, each, box)
        self.lines(tensors, places)
        title = self.net.name + (f" ({self.net.variant})" if self.net.variant else "")
        self.items.insert(0, Text(MARGIN, MARGIN + 12, shortened(title, 14, 600), 14, self.theme.text, bold=True))
        lowest, highest = (pick(item.bounds[i] for item in self.items[1:]) for pick, i in ((max, 3), (min, 1)))
        down = MARGIN + 34 - highest
        moved = [self.items[0], *(shifted(item, down) for item in self.items[1:])]
        right = max(item.bounds[2] for item in moved)
        steps = ", ".join(f"{each.done or 'input'} {self.below(each)}×{each.shape[0]}" for each in tensors[:14])
        return Scene(
            right + MARGIN, lowest + down + MARGIN, tuple(moved), title, f"{len(tensors)} tensors: {steps}",
            self.theme.ground, {"model": self.net.name, "figure": "blocks", "tensors": len(tensors)},
        )  # fmt: skip

    def rows(self, tensors: list[Tensor], sides: list[tuple[float, float]]) -> dict[int, float]:
        """The middle of each level, each below the one before."""
        found, y = {}, 0.0
        for level in sorted({each.level for each in tensors}):
            high = max(side[1] for each, side in zip(tensors, sides, strict=True) if each.level == level)
            found[level] = y + high / 2
            y += high + 44
        return found

    def channels(self, each: Tensor) -> str:
        return str(each.shape[0]) if len(each.shape) > 1 else str(prod(each.shape))

    def below(self, each: Tensor) -> str:
        return "×".join(map(str, each.shape[1:])) or "1"

    def box(self, number: int, each: Tensor, box: Box) -> None:
        theme = self.theme
        data: dict[str, Any] = {"part": self.pieces[each.pieces[0]].path, "figure": "network", "number": number,
                                "shape": "×".join(map(str, each.shape)), "level": each.level}  # fmt: skip
        fill = theme.fills[each.kind if each.kind != "merge" else "other"]
        self.items.append(box._replace(fill=fill, stroke=theme.frame, data=data, title=str(data["part"])))
        middle = box.x + box.width / 2
        copies = sum(self.pieces[i].copies for i in each.pieces if self.pieces[i].texts[0] == each.done)
        bottom = box.y + box.height
        self.items.append(
            Text(middle, bottom + 11, self.channels(each), SMALL, theme.text, "middle", data={"of": number})
        )
        if len(each.shape) > 1:
            size = self.below(each)
            inside = width(size, SMALL) < box.height - 6 and box.width > SMALL * 1.3
            if inside:
                place = (middle + 3, box.y + box.height / 2)
                self.items.append(Text(*place, size, SMALL, theme.text, "middle", turned=True, data={"in": number}))
            else:
                place = (middle + 3, bottom + 17)
                self.items.append(Text(*place, size, SMALL, theme.faint, "end", turned=True, data={"of": number}))
        if each.done:
            done = each.done + (f" ×{copies}" if copies > 1 else "")
            beside = min(box.x, middle - width(self.channels(each), SMALL) / 2)
            place = (beside - 5, box.y + box.height / 2 + 6)
            done = shortened(done, SMALL, HIGHEST)
            self.items.append(Text(*place, done, SMALL, theme.faint, "end", turned=True, data={"done": number}))

    def lines(self, tensors: list[Tensor], places: list[Box]) -> None:
        """Arrows from tensor to tensor; what skips some goes over them, or straight across where nothing is between."""
        done = set[tuple[int, int]]()
        lanes: list[tuple[float, float, float]] = []  # of skips: where they begin and end, and how high they run
        for number, piece in enumerate(self.pieces):
            end = self.home.get(number)
            for start in (self.home.get(each) for each in piece.inputs):
                if end is None or number == SINK or start is None or start == end or (start, end) in done:
                    continue
                done.add((start, end))
                a, b = places[start], places[end]
                shape = "×".join(map(str, tensors[start].shape))
                data = {"from": start, "to": end, "figure": "network", "shape": shape}
                if end == start + 1:
                    self.items += arrow(_across(a, b), self.theme.line, 1.1, 4, data)
                    continue
                lane = min(box.y for box in places[start : end + 1]) - 12
                xa, xb = a.x + a.width / 2, b.x + b.width / 2
                while any(x0 < xb and xa < x1 and abs(y - lane) < 6 for x0, x1, y in lanes):
                    lane -= 7
                lanes.append((xa, xb, lane))
                self.items += arrow(((xa, a.y), (xa, lane), (xb, lane), (xb, b.y)), self.theme.skip, 1.4, 6, data)


def _across(a: Box, b: Box) -> tuple[Point, ...]:
    """From the right side of a box to the left side of the next, which may be higher up or further down."""
    ya, yb, turn = a.y + a.height / 2, b.y + b.height / 2, a.x + a.width + 7
    if abs(ya - yb) < 0.1:
        return (a.x + a.width, ya), (b.x, yb)
    return (a.x + a.width, ya), (turn, ya), (turn, yb), (b.x, yb)


def shifted(item: Item, down: float) -> Item:
    """A shape further down."""
    if isinstance(item, Path):
        return item._replace(points=tuple((x, y + down) for x, y in item.points))
    return item._replace(y=item.y + down)
