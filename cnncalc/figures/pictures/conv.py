"""How a window moves: the arithmetic of a convolution or pool, forwards or transposed, as a filmstrip and in motion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from ...errors import did_you_mean, usage_error
from ...formula import Step
from ...ops.conv import conv_output
from ...ops.conv_transpose import transposed_output
from ...record import Record
from ...report import Report
from ..options import Options
from ..scene import Box, Item, Path, Scene, Text

#: Sizes of text and of what is left around the picture; cells of a side, and frames of the strip, at most.
SIZE, SMALL, MARGIN, MOST, FRAMES = 10.0, 9.0, 16.0, 34, 6
#: What can be given, with what stands where nothing is.
LETTERS = {"N": None, "F": None, "S": 1, "P": 0, "D": 1, "A": 0, "kind": "conv"}
KINDS = ("conv", "transposed", "pool")
Pair = tuple[int, int]


class Window(Record):
    """A window on a map, by rows and columns: sizes N and F, stride, padding, dilation, what is added behind."""

    N: Pair
    F: Pair
    S: Pair
    P: Pair
    D: Pair
    A: Pair
    kind: str
    note: str = ""

    @property
    def extent(self) -> Pair:
        """How far the window reaches, with its holes."""
        return tuple(d * (f - 1) + 1 for f, d in zip(self.F, self.D, strict=True))  # type: ignore[return-value]

    def steps(self) -> tuple[Step, Step]:
        """The output's size by the formula, for rows and columns."""
        made = []
        for axis in (0, 1):
            letters = {name: getattr(self, name)[axis] for name in "NFSPD"}
            formula = transposed_output if self.kind == "transposed" else conv_output
            made.append(formula.step(**letters, **({"A": self.A[axis]} if self.kind == "transposed" else {})))
        return made[0], made[1]

    @property
    def output(self) -> Pair:
        rows, columns = self.steps()
        return int(rows.value), int(columns.value)


def draw(report: Report, options: Options) -> Scene:
    """The arithmetic of a layer, the first that has a window where none is named; raises `SpecError`."""
    layers = {layer.name: layer for layer in report.graph.layers if hasattr(layer.op, "kernel_size")}
    shapes = {name: report.graph.nodes[layer.inputs[0]].shape or () for name, layer in layers.items()}
    two = {name: layer for name, layer in layers.items() if len(shapes[name]) == 3}
    plain = [name for name, layer in two.items() if _is_even(getattr(layer.op, "padding", 0))]
    small = [name for name in plain if 2 * max(_pair(getattr(two[name].op, "padding", 0))) < MOST // 2]
    name = options.layer or next(iter([*small, *plain]), "")
    if name not in two:
        hint = did_you_mean(name, two) or (f"as {', '.join(plain[:4])}" if plain else "a network with Conv2d has some")
        raise usage_error(f"{name or report.graph.name} has no window that moves over a map", hint)
    layer = two[name]
    op, shape = layer.op, shapes[name]
    kind = "transposed" if "Transpose" in layer.type else "pool" if "Pool" in layer.type else "conv"
    if name not in plain:
        raise usage_error(f"{name}: a padding that differs by side is not drawn", "--given draws one by its numbers")
    size, stride = _pair(getattr(op, "kernel_size", 1)), getattr(op, "stride", None)
    padding, dilation = _pair(getattr(op, "padding", 0)), _pair(getattr(op, "dilation", 1))
    added = _pair(getattr(op, "output_padding", 0))
    stepped = size if stride is None else _pair(stride)
    window = Window((shape[1], shape[2]), size, stepped, padding, dilation, added, kind)
    return scene(smaller(window), options, f"{name} of {report.graph.name}")


def given(letters: Mapping[str, Any]) -> Window:
    """A window by its letters; raises `SpecError` for what cannot be.

    >>> given({"N": 7, "F": 3, "S": 2, "P": 1}).output
    (4, 4)
    """
    unknown = next((name for name in letters if name not in LETTERS), None)
    if unknown is not None:
        hint = did_you_mean(unknown, LETTERS) or "N=7, F=3, S=2, P=1, D=1, or kind=transposed"
        raise usage_error(f"--given {unknown}: there is no such letter", hint)
    values = {**LETTERS, **letters}
    if values["kind"] not in KINDS:
        raise usage_error(f"--given kind={values['kind']}: there is no such kind", f"{', '.join(KINDS)}")
    for name, least in (("N", 1), ("F", 1), ("S", 1), ("P", 0), ("D", 1), ("A", 0)):
        value = values[name]
        if type(value) is not int or not least <= value <= 1000:
            raise usage_error(f"--given {name}={value}: a whole number from {least} on is wanted", "N=7, F=3, S=2, P=1")
    N, F, S, P, D, A = (_pair(values[name]) for name in "NFSPDA")
    window = Window(N, F, S, P, D, A, values["kind"])
    if min(window.output) < 1:
        raise usage_error(
            f"a window of {window.extent[0]} does not fit {values['N']} with padding {values['P']}",
            "a smaller F, or more padding",
        )
    if max(window.N) + 2 * max(window.P) > MOST or max(window.output) > 2 * MOST:
        raise usage_error(f"more than {MOST} cells on a side are not drawn", "a smaller N shows the same")
    return window


def smaller(window: Window) -> Window:
    """The same window on a map that can be drawn, with as much left over at its end."""
    sizes, reach = [], window.extent
    for axis in (0, 1):
        size, stride, padding = window.N[axis], window.S[axis], window.P[axis]
        if window.kind == "transposed":
            sizes.append(min(size, 4))
            continue
        left = (size + 2 * padding - reach[axis]) % stride
        alike = [n for n in range(1, min(size, MOST) + 1) if (n + 2 * padding - reach[axis]) % stride == left]
        moves = (2 * stride, stride, 0)  # two steps of the window, if they can be drawn
        wanted = (
            [n for n in alike if n + 2 * padding >= reach[axis] + more and n + 2 * padding <= MOST] for more in moves
        )
        fits = next(filter(None, wanted), [])
        sizes.append(fits[0] if fits else size)
    made = (sizes[0], sizes[1])
    if max(made) + 2 * max(window.P) > MOST:
        message = f"a window of {_times(reach)} with padding {_times(window.P)} is too large to be drawn"
        raise usage_error(message, f"{MOST} cells on a side are")
    if made == window.N:
        return window
    note = f"drawn for {made[0]}×{made[1]} in place of {window.N[0]}×{window.N[1]}; as much is left over at the end"
    return window._replace(N=made, note=note)


def scene(window: Window, options: Options, name: str = "") -> Scene:
    """A window as it moves, as many frames of it as tell its way, and its formula with the numbers."""
    theme, strip = options.theme, frames(window)
    title = ": ".join(each for each in (name, said(window)) if each)
    rows, columns = window.steps()
    same = rows.line == columns.line
    lines = [f"O = {rows.line}" if same else f"rows: {rows.line}; columns: {columns.line}"]
    lines += [window.note] if window.note else []
    items: list[Item] = [Text(MARGIN, MARGIN + 12, title, 14, theme.text, bold=True)]
    items += [Text(MARGIN, MARGIN + 32 + 15 * i, line, SIZE, theme.faint) for i, line in enumerate(lines)]
    top = MARGIN + 44 + 15 * len(lines)
    across, down = size_of(window)
    per_row = max(1, int(780 // (across + 26)))
    moving = every(window)
    for place, position in enumerate([moving, *([each] for each in strip)]):
        x = MARGIN + (place % per_row) * (across + 26)
        y = top + (place // per_row) * (down + 40)
        items += frame(window, position, x, y, options, place)
        label = "in motion" if not place else f"row {position[0][0] + 1}, column {position[0][1] + 1}"
        items.append(Text(x, y + down + 14, label, SMALL, theme.faint, data={"frame": place}))
    deep = top + (len(strip) // per_row + 1) * (down + 40)
    legend = told(window, unread(window))
    items += [Text(MARGIN, deep + 6 + 14 * i, line, SMALL, theme.text) for i, line in enumerate(legend)]
    right = max(item.bounds[2] for item in items)
    bottom = deep + 6 + 14 * len(legend) + MARGIN
    return Scene(right + MARGIN, bottom, tuple(items), title, " ".join(legend), theme.ground,
                 {"model": "window", "figure": "conv", "unread": len(unread(window))})  # fmt: skip


def said(window: Window) -> str:
    """A window in words: "3×3 convolution, stride 2, padding 1: 7×7 → 4×4"."""
    names = {"conv": "convolution", "transposed": "transposed convolution", "pool": "pool"}
    parts = [f"{_times(window.F)} {names[window.kind]}"]
    for word, pair, usual in (
        ("stride", window.S, 1),
        ("padding", window.P, 0),
        ("dilation", window.D, 1),
        ("output padding", window.A, 0),
    ):
        parts += [f"{word} {_times(pair) if pair[0] != pair[1] else pair[0]}"] if pair != (usual, usual) else []
    return f"{', '.join(parts)}: {_times(window.N)} → {_times(window.output)}"


def told(window: Window, never: set[Pair]) -> list[str]:
    """What the colours mean."""
    if window.kind == "transposed":
        lines = [
            "a value of the input (left) is spread over a window of the output (right); overlapping windows add up"
        ]
        lines += ["dashed: the border that padding cuts off"] if any(window.P) else []
        return lines + ([f"hatched: {len(never)} places that no window reaches"] if never else [])
    lines = ["the window on the input (left) gives one value of the output (right)"]
    lines += ["dashed: padding"] if any(window.P) else []
    return lines + ([f"hatched: {len(never)} places that are never read"] if never else [])


def grid(window: Window) -> tuple[Pair, Pair]:
    """The cells of the map that the window moves over, padding included, and of the other map."""
    if window.kind == "transposed":
        full = tuple(o + 2 * p for o, p in zip(window.output, window.P, strict=True))
        return (full[0], full[1]), window.N
    full = tuple(n + 2 * p for n, p in zip(window.N, window.P, strict=True))
    return (full[0], full[1]), window.output


def covered(window: Window, position: Pair) -> list[Pair]:
    """The cells that a window covers at a place, of the map that it moves over."""
    return [
        (position[0] * window.S[0] + i * window.D[0], position[1] * window.S[1] + j * window.D[1])
        for i, j in product(range(window.F[0]), range(window.F[1]))
    ]


def unread(window: Window) -> set[Pair]:
    """The cells that no window covers; of padding and of the border that is cut off, none are told."""
    full, other = grid(window)
    read = {cell for position in product(*map(range, other)) for cell in covered(window, (position[0], position[1]))}
    inner = product(*(range(p, size - p) for size, p in zip(full, window.P, strict=True)))
    return {(row, column) for row, column in inner if (row, column) not in read}


def every(window: Window) -> list[Pair]:
    """The places of a window in turn, at most two rows of them and the last."""
    _, other = grid(window)
    places = list(product(range(other[0]), range(other[1])))
    return [(a, b) for a, b in (places if len(places) <= 40 else [*places[: 2 * other[1]], places[-1]])]


def frames(window: Window) -> list[Pair]:
    """The places that a strip shows: along the first row, the next row, and the last."""
    _, (rows, columns) = grid(window)
    wanted = [*((0, j) for j in range(min(columns, FRAMES - 2))), (min(1, rows - 1), 0), (rows - 1, columns - 1)]
    return [each for i, each in enumerate(wanted) if each not in wanted[:i]]


def side(window: Window) -> float:
    """The side of a cell: large maps have small ones."""
    most = max(map(max, grid(window)))
    return 13.0 if most <= 18 else 234.0 / most


def size_of(window: Window) -> tuple[float, float]:
    full, other = grid(window)
    return side(window) * (full[1] + other[1] + 2), side(window) * max(full[0], other[0])


def frame(window: Window, positions: Sequence[Pair], x: float, y: float, options: Options, place: int) -> list[Item]:
    """Both maps, with the window at a place, or moving through several."""
    theme, (full, other), cell = options.theme, grid(window), side(window)
    left_is_full = window.kind != "transposed"
    first = full if left_is_full else other
    origin = {
        "full": x if left_is_full else x + cell * (first[1] + 2),
        "other": x + cell * (first[1] + 2) if left_is_full else x,
    }
    items: list[Item] = []
    never = unread(window)
    for row, column in product(range(full[0]), range(full[1])):
        border = not (window.P[0] <= row < full[0] - window.P[0] and window.P[1] <= column < full[1] - window.P[1])
        fill = theme.ground if border else theme.fills["conv" if left_is_full else "linear"]
        data = {"cell": f"{row},{column}", "frame": place, "padding": border}
        items.append(
            Box(
                origin["full"] + cell * column,
                y + cell * row,
                cell,
                cell,
                fill,
                theme.frame,
                0.6,
                dash="2 2" if border else "",
                data=data,
            )
        )
        if (row, column) in never:
            items += hatched(origin["full"] + cell * column, y + cell * row, cell, theme.frame)
    for row, column in product(range(other[0]), range(other[1])):
        fill = theme.fills["linear" if left_is_full else "conv"]
        items.append(Box(origin["other"] + cell * column, y + cell * row, cell, cell, fill, theme.frame, 0.6))
    steps = [covered(window, position) for position in positions]
    for i in range(len(steps[0])):
        places = tuple((origin["full"] + cell * cells[i][1], y + cell * cells[i][0]) for cells in steps)
        moves = places if len(places) > 1 else ()
        items.append(Box(*places[0], cell, cell, theme.heat[1], theme.frame, 0.9, data={"window": place}, moves=moves))
    places = tuple((origin["other"] + cell * b, y + cell * a) for a, b in positions)
    items.append(Box(*places[0], cell, cell, theme.heat[1], theme.frame, 0.9, moves=places if len(places) > 1 else ()))
    return items


def hatched(x: float, y: float, cell: float, colour: str) -> list[Item]:
    """Slanted lines over a cell."""
    half = cell / 2
    return [
        Path(((x, y + half), (x + half, y)), stroke=colour, line=0.7, data={"hatch": True}),
        Path(((x, y + cell), (x + cell, y)), stroke=colour, line=0.7),
        Path(((x + half, y + cell), (x + cell, y + half)), stroke=colour, line=0.7),
    ]


def _pair(value: Any) -> Pair:
    sides = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    return (int(sides[0]), int(sides[-1]))


def _is_even(padding: Any) -> bool:
    """Whether a padding is a number of cells, the same on opposite sides."""
    return not isinstance(padding, str) and not (isinstance(padding, (tuple, list)) and len(padding) == 4)


def _times(pair: Pair) -> str:
    return f"{pair[0]}×{pair[1]}"
