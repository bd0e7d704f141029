"""What feeds what: the network as a spine of boxes, copies folded, and each block opened once beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph import Graph
from ...quantities import readable, si
from ...record import Record
from ...report import Report
from ...report.parts import Part
from ...table import known
from ..arranging import GAP_ABOVE, MARGIN, PAGE, PAGES, TALLEST, badness, packed
from ..bundles import bundled
from ..colours import KINDS, blended
from ..font import shortened, width, wrapped
from ..layout import CLOSE, GAP, Line, Placed, Sized, placed
from ..letters import Letters
from ..options import Options
from ..pieces import FEW, MOST_BOXES, SINK, SOURCE, Piece, Structure, outermost
from ..scene import BOLDER, Box, Item, Point, Scene, Text, arrow
from ..wording import Asked

#: Blocks that are opened beside the network, at most.
MOST_BLOCKS = 6
#: Sizes of text, and what is left around it in a box.
SIZE, SMALL, PADDING = 10.0, 9.0, 7.0
#: How tall columns are tried; boxes beyond which fewer heights are.
MANY, HEIGHTS_OF_MANY = 80, (0.0, 2000.0)
HEIGHTS = (0.0, 240.0, 300.0, 380.0, 480.0, 600.0, 760.0, 960.0, 1250.0)
#: How wide a line in a box may be, in the network and in an opened block; what is longer is broken.
WIDTHS = ((150.0, 110.0), (110.0, 80.0), (80.0, 60.0), (60.0, 50.0))


class Arranged(Record):
    """The network and the opened blocks, with the upper left corners of these, and how large all is."""

    main: Placed
    drawn: list[tuple[Opened, Placed]]
    corners: list[Point]
    width: float
    height: float


class Opened(Record):
    """A block that is drawn once: its letter, its name with its arguments, and its boxes."""

    letter: str
    title: str
    pieces: list[Piece]
    form: Any


def draw(report: Report, options: Options) -> Scene:
    """The picture of a report's network."""
    return _Picture(report, options).scene()


class _Picture:
    def __init__(self, report: Report, options: Options) -> None:
        self.report, self.options, self.theme = report, options, options.theme
        self.net: Graph = report.graph
        self.structure = Structure(self.net)
        self.letters = Letters(self.net)
        self.total = max(1, self.worth(range(self.net.input_count, len(self.net.nodes))))
        self.widest, self.group = WIDTHS[0], ""
        self.items: list[Item] = []
        self.opened: list[Opened] = []

    # What is drawn

    def open_blocks(self, spine: Sequence[Piece]) -> None:
        """The blocks of the spine, and those within them, each once, the most used first."""
        todo, letters = [spine], iter("ABCDEF")
        while todo and len(self.opened) < MOST_BLOCKS:
            counts: dict[Any, int] = {}
            first: dict[Any, Piece] = {}
            for piece in todo.pop(0):
                form = self.form(piece)
                if form is not None:
                    counts[form] = counts.get(form, 0) + piece.copies
                    first.setdefault(form, piece)
            known = {each.form for each in self.opened}
            chosen = sorted((form for form in counts if form not in known), key=lambda form: -counts[form])
            chosen = chosen[: MOST_BLOCKS - len(self.opened)]
            for form in (form for form in first if form in chosen):
                made = self.block(next(letters), first[form], form)
                self.opened.append(made)
                todo.append(made.pieces)

    def form(self, piece: Piece) -> Any:
        """What a box is opened as: the same block of the same form, or what is repeated, once; None where it is not."""
        if piece.unit is not None:
            return piece.unit.block, self.structure.form(piece.unit.name)
        if piece.inside:
            return "repeat", tuple((tuple(each.texts), each.shape) for each in piece.inside)
        return ("group", piece.path) if piece.kind == "block" and piece.path == self.group else None

    def smallest(self, spine: Sequence[Piece]) -> str:
        """Of the folded groups that are no blocks, the one with least in it, which stands for the others."""
        groups = [piece for piece in spine if piece.kind == "block" and piece.unit is None and not piece.inside]
        groups = [piece for piece in groups if piece.path in self.structure.spans]
        groups = [piece for piece in groups if len(self.unfolded(piece.path)) - 2 <= 2 * FEW]
        return min(groups, key=lambda piece: len(piece.nodes)).path if groups else ""

    def unfolded(self, path: str, asked: dict[int, Asked] | None = None) -> list[Piece]:
        """The boxes in a group, with the blocks in it folded where they would be many."""
        span = self.structure.spans[path]
        inside = frozenset(each for each in self.structure.units if each.startswith(f"{path}."))
        pieces = self.structure.pieces(frozenset(), span, asked)
        for height in range(1, max((self.structure.heights[each] for each in inside), default=0) + 1):
            if len(pieces) - 2 <= FEW:
                break
            some = {each for each in inside if self.structure.heights[each] <= height}
            found = self.structure.pieces(outermost(some), span, asked)
            pieces = found if len(found) < len(pieces) else pieces
        return pieces

    def block(self, letter: str, piece: Piece, form: Any) -> Opened:
        """A block's boxes, its arguments as its own letters."""
        unit = piece.unit
        if unit is None:
            return Opened(letter, piece.texts[0], piece.inside or self.unfolded(piece.path), form)
        span = self.structure.spans[unit.name]
        spans, nodes = self.structure.spans, self.net.nodes
        uses = [each for each in self.structure.units.values()
                if each.block == unit.block and self.structure.form(each.name) == form[1]]  # fmt: skip
        asked = {}
        for node in span:
            alike = [(each, nodes[spans[each.name].start + node - span.start]) for each in uses]
            asked[node] = self.letters.asked(nodes[node], unit.name, alike)
        pieces = self.unfolded(unit.name, asked)
        given = [name for name in self.letters.given(unit.block) if name in unit.arguments]
        title = f"{unit.block}({', '.join(given[:4])}{', …' * (len(given) > 4)})" if given else unit.block
        return Opened(letter, title, pieces, form)

    def worth(self, nodes: Sequence[int]) -> int:
        """What nodes cost, by what the picture is heated by."""
        value = self.part(nodes).value(self.options.heat or "macs")
        return int(known(value) or 0)

    def part(self, nodes: Sequence[int]) -> Part:
        """Some nodes of the report, of which any figure can be asked."""
        rows = [self.report.rows[node - self.net.input_count] for node in nodes if node >= self.net.input_count]
        return Part(self.report, rows, "a box")

    # How it looks

    def lines(self, piece: Piece, opened: bool = False) -> list[str]:
        """What stands in a box, of the network or of an opened block."""
        widest = self.widest[opened]
        if piece.kind == "input":
            return piece.texts if piece.path == "" or len(self.net.inputs) > 1 else ["input"]
        if piece.kind == "block":
            letter = self.letter(piece)
            head = f"{letter} · {piece.texts[0]}" if letter else piece.texts[0]
            more = (
                self.structure.varied(piece, self.letters.given(piece.unit.block))
                if piece.unit is not None
                else f"{len(piece.nodes)} layers"
            )
            made = [head, more] if more else [head]
        else:
            first, *rest = piece.texts
            behind = " + ".join(rest)
            whole = f"{first} · {behind}" if rest else first
            made = [whole] if width(whole, SIZE) <= widest or not rest else [first, behind]
        if piece.copies > 1:
            made[0] += f"  ×{piece.copies}"
        broken = [part for line in made for part in wrapped(line, SIZE, max(1.1 * widest, 70))]
        return [shortened(line, SIZE, 1.4 * widest) for line in broken[:4]]

    def letter(self, piece: Piece) -> str:
        form = self.form(piece)
        return next((each.letter for each in self.opened if each.form == form), "") if form is not None else ""

    def sized(self, pieces: Sequence[Piece], shapes: bool) -> list[Sized]:
        found = []
        for piece in pieces:
            lines = self.lines(piece, not shapes)
            across = max(width(line, SIZE) for line in lines) + 2 * PADDING
            label = max((width(self.label(pieces, each, piece), SMALL) for each in piece.inputs), default=0.0)
            found.append(Sized(max(across, 34.0), len(lines) * 13 + 8, label if shapes else 0.0))
        return found

    def label(self, pieces: Sequence[Piece], start: int, end: Piece) -> str:
        """The shape on a line, where it is not the one that stood there before."""
        shape = pieces[start].shape
        before = [pieces[each].shape for each in pieces[start].inputs]
        return "" if shape is None or shape in before else readable(shape)

    def draw(self, pieces: Sequence[Piece], at: Placed, left: float, top: float, figure: str) -> None:
        """Put boxes and lines on the page; `figure` is the letter of a block, or empty for the network."""
        theme = self.theme
        sizes = self.sized(pieces, not figure)
        for line in at.lines:
            points = tuple((x + left, y + top) for x, y in line.points)
            skip = line.skip
            data: dict[str, Any] = {"from": line.start - 2, "to": line.end - 2, "figure": figure or "network"}
            if not figure:
                data["shape"] = " ".join(self.tensors(pieces[line.start], pieces[line.end]))
            self.items += arrow(points, theme.skip if skip else theme.line, 1.6 if skip else 1.1, 6, data)
        for number, piece in enumerate(pieces):
            if number not in at.corners:
                continue
            x, y = at.corners[number]
            x, y, size, lines = x + left, y + top, sizes[number], self.lines(piece, bool(figure))
            share = self.worth(piece.nodes) / self.total if piece.nodes else 0.0
            fill = theme.fills[piece.kind]
            if self.options.heat and piece.kind not in ("input",):
                fill = blended(theme, share)
            data = {
                "part": piece.path or piece.texts[0],
                "kind": piece.kind,
                "figure": figure or "network",
            }
            if piece.nodes and not figure:
                data |= {"number": number - 2, "copies": piece.copies, "nodes": _ranges(piece.nodes)}
                if self.options.heat:
                    data["share"] = f"{100 * share:.2f}"
            else:
                data |= {"number": number - 2, "copies": piece.copies}
            radius = size.height / 2 if piece.kind in ("input", "merge") else 4
            for copy in (2, 1) if piece.copies > 1 else ():
                self.items.append(
                    Box(
                        x + 2.5 * copy,
                        y + 2.5 * copy,
                        size.width,
                        size.height,
                        fill,
                        theme.frame,
                        0.8,
                        radius,
                        data={"behind": True},
                    )
                )
            title = self.title(piece, share)
            self.items.append(
                Box(x, y, size.width, size.height, fill, theme.frame, 1.0, radius, data=data, title=title)
            )
            for i, text in enumerate(lines):
                self.items.append(
                    Text(x + size.width / 2, y + 14 + 13 * i, text, SIZE, theme.text, "middle", data={"in": number - 2})
                )
        if not figure:
            self.shapes(pieces, at, left, top)

    def tensors(self, start: Piece, end: Piece) -> list[str]:
        """The shapes of what goes from one box to another, channels first."""
        inside, nodes = set(start.nodes), self.net.nodes
        taken = dict.fromkeys(each for node in end.nodes for each in nodes[node].inputs if each in inside)
        return list(dict.fromkeys("×".join(map(str, nodes[node].shape or ("?",))) for node in taken))

    def shapes(self, pieces: Sequence[Piece], at: Placed, left: float, top: float) -> None:
        """Shapes beside the lines that lead straight down into a box."""
        done = set[int]()
        for line in at.lines:
            text = self.label(pieces, line.start, pieces[line.end])
            (x0, y0), (x1, y1) = line.points[-2:]
            beside = [each for each in at.lines if each.start == line.start and not is_straight(each)]
            straight = is_straight(line) or len(beside) == sum(each.start == line.start for each in at.lines)
            joins = sum(each.end == line.end for each in at.lines) > 1
            if (
                not text
                or line.start in done
                or line.skip
                or abs(x0 - x1) > 0.1
                or joins
                or not straight
                or y1 - y0 < CLOSE - 1
            ):
                continue
            done.add(line.start)
            self.items.append(
                Text(left + x1 + 6, top + y1 - 6, text, SMALL, self.theme.faint, data={"of": line.start - 2})
            )

    def title(self, piece: Piece, share: float) -> str:
        parts = [piece.path] if piece.path else []
        if piece.nodes and piece.kind != "input":
            part = self.part(piece.nodes)
            params, macs = known(part.value("params")), known(part.value("macs"))
            parts += [
                f"{si(params)} parameters" if params is not None else "",
                f"{si(macs)}MAC" if macs is not None else "",
            ]
        return " · ".join(each for each in parts if each)

    def scene(self) -> Scene:
        spine = self.structure.spine(self.options.depth)
        if self.options.depth is None and len(spine) - 2 > MOST_BOXES:
            spine = bundled(self.structure, spine)
        self.group = self.smallest(spine)
        self.open_blocks(spine)
        best = self.best(spine)
        while best.width / best.height < TALLEST and len(self.opened) > 1:  # fewer blocks rather than a strip of paper
            self.opened.pop()
            best = self.best(spine)
        for narrower in WIDTHS[1:]:  # narrower boxes rather than letters that are too small
            if best.width + 2 * MARGIN <= PAGE:
                break
            self.widest = narrower
            best = self.best(spine)
        plain = self.net.variant.replace("_", "").lower()
        title = self.net.name + (
            f" ({self.net.variant})" if plain and plain != self.net.name.replace("-", "").lower() else ""
        )
        top = MARGIN + 36.0
        self.items.append(Text(MARGIN, MARGIN + 12, shortened(title, 14, 600), 14, self.theme.text, bold=True))
        self.draw(spine, best.main, MARGIN, top - GAP_ABOVE, "")
        for (each, at), (x, y) in zip(best.drawn, best.corners, strict=True):
            self.inset(each, at, MARGIN + x, top + y)
        right = max([MARGIN + best.width, *(item.bounds[2] for item in self.items)])
        bottom = self.legend(spine, top + best.height + 14, right)
        right = max(right, *(item.bounds[2] for item in self.items))
        series = str(best.main.is_series).lower()
        data = {"model": self.net.name, "figure": "graph", "boxes": len(spine) - 2, "series": series}
        return Scene(
            right + MARGIN, bottom + MARGIN, tuple(self.items), title, self.described(spine),
            self.theme.ground, data,
        )  # fmt: skip

    def best(self, spine: Sequence[Piece]) -> Arranged:
        """The arrangement that is most like a page, of several heights and widths, and with boxes closer together."""
        blocks = [(each, self.sized(each.pieces, False)) for each in self.opened]
        sizes, inputs = self.sized(spine, True), [piece.inputs for piece in spine]
        best: Arranged | None = None
        for gap in (GAP, CLOSE):
            if best is not None and best.width / best.height > TALLEST:
                break
            drawn = [(each, placed(own, [p.inputs for p in each.pieces], SOURCE, SINK, 0, gap)) for each, own in blocks]
            for tallest in HEIGHTS if len(spine) < MANY else HEIGHTS_OF_MANY:
                main = placed(sizes, inputs, SOURCE, SINK, tallest, gap)
                frames = [self.inset_size(each, at) for each, at in drawn]
                tried = [Arranged(main, drawn, *packed(main, frames, page)) for page in (PAGES if drawn else (PAGE,))]
                best = min([*tried, *([best] if best else [])], key=lambda each: badness(each.width, each.height))
        assert best is not None
        return best

    def inset_size(self, each: Opened, at: Placed) -> tuple[float, float]:
        head = width(self.heading(each, at), SIZE) * BOLDER
        return max(at.width + 2 * PADDING + 6, head + 2 * PADDING), at.height + 12

    def heading(self, each: Opened, at: Placed) -> str:
        return shortened(f"{each.letter} = {each.title}", SIZE, max(at.width / BOLDER, 190))

    def inset(self, each: Opened, at: Placed, x: float, y: float) -> None:
        """A block with its frame and heading."""
        wide, high = self.inset_size(each, at)
        theme = self.theme
        self.items.append(Box(x, y, wide, high, theme.panel, theme.line, 0.8, 6, "3 3", {"inset": each.letter}))
        head = self.heading(each, at)
        self.items.append(Text(x + PADDING, y + 15, head, SIZE, theme.text, bold=True, data={"heading": each.letter}))
        self.draw(each.pieces, at, x + (wide - at.width) / 2, y, each.letter)

    def legend(self, spine: Sequence[Piece], top: float, right: float) -> float:
        """The kinds of boxes that there are, with their colours."""
        if self.options.heat:
            return top
        kinds = {piece.kind for pieces in (spine, *(each.pieces for each in self.opened)) for piece in pieces[2:]}
        x, y = MARGIN, top + 4
        for kind, name in KINDS.items():
            if kind not in kinds or kind == "input":
                continue
            wide = 16 + width(name, SMALL) + 12
            if x + wide > max(right, 200) and x > MARGIN:
                x, y = MARGIN, y + 15
            self.items.append(
                Box(x, y, 10, 10, self.theme.fills[kind], self.theme.frame, 0.8, 2, data={"legend": kind})
            )
            self.items.append(Text(x + 15, y + 8.5, name, SMALL, self.theme.faint, data={"legend": kind}))
            x += wide
        return y + 12

    def described(self, spine: Sequence[Piece]) -> str:
        """The picture in a sentence, for those who do not see it."""
        boxes = [f"{self.lines(piece)[0]}" for piece in spine[2:] if piece.kind not in ("input", "merge")]
        shown = ", ".join(boxes[:12]) + (" …" if len(boxes) > 12 else "")
        return f"{len(self.net.layers)} layers in {len(spine) - 2} boxes: {shown}"


def is_straight(line: Line) -> bool:
    return abs(line.points[0][0] - line.points[-1][0]) < 0.1


def _ranges(nodes: Sequence[int]) -> str:
    """Numbers as ranges: 3-7 9."""
    parts: list[list[int]] = []
    for node in nodes:
        if parts and parts[-1][1] == node - 1:
            parts[-1][1] = node
        else:
            parts.append([node, node])
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)
