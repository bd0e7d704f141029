"""What a unit sees: the receptive fields of layers on the input, nested, for the unit in the middle of each map."""

from __future__ import annotations

from math import prod

from ...errors import did_you_mean, usage_error
from ...pictures import covering
from ...quantities import axes, readable
from ...report import Report
from ...report.parts import Row
from ..font import shortened
from ..options import Options
from ..scene import Box, Image, Item, Scene, Text

#: Sizes of text; what is left around the picture; the side of the drawing; fields at most; how much each must grow.
SIZE, SMALL, MARGIN, SIDE, MOST, GROWTH = 10.0, 9.0, 16.0, 330.0, 7, 1.5


def draw(report: Report, options: Options) -> Scene:
    """Squares of what one unit of each chosen layer sees; raises `SpecError` where no layer sees a part of a map."""
    rows = chosen(report, options.layer)
    theme = options.theme
    high, wide = report.graph.inputs[0].shape[1:]  # type: ignore[index]
    boxes = [seen(report, row) for row in rows]
    top = min(0.0, *(box[0] for box in boxes))
    left = min(0.0, *(box[1] for box in boxes))
    bottom = max(high, *(box[0] + box[2] for box in boxes))
    right = max(wide, *(box[1] + box[3] for box in boxes))
    scale = SIDE / max(bottom - top, right - left)
    x0, y0 = MARGIN - left * scale, MARGIN + 40 - top * scale
    graph = report.graph
    title = f"{graph.name}{f' ({graph.variant})' if graph.variant else ''}: what a unit sees"
    images = _behind(options.picture, x0, y0, wide * scale, high * scale)
    ground = "none" if images else theme.fills["conv"]
    items: list[Item] = [
        Text(MARGIN, MARGIN + 12, shortened(title, 14, 640), 14, theme.text, bold=True),
        Box(x0, y0, wide * scale, high * scale, ground, theme.frame, 1, data={"input": f"{high}×{wide}"}),
    ]
    for number, (row, (y, x, tall, broad)) in reversed([*enumerate(zip(rows, boxes, strict=True))]):
        data = {"field": row.name, "top": y, "left": x, "height": tall, "width": broad}
        colour = theme.marks[number % 8]
        size = max(broad * scale, 1.5), max(tall * scale, 1.5)
        items.append(Box(x0 + x * scale, y0 + y * scale, *size, "none", colour, 2, data=data, title=row.name))
    across = x0 + right * scale + 26
    for number, (row, (_, _, tall, broad)) in enumerate(zip(rows, boxes, strict=True)):
        y = MARGIN + 52 + 30 * number
        field = row.receptive_field
        assert field is not None
        share = min(1.0, tall * broad / (high * wide))
        items.append(Box(across, y - 8, 10, 10, "none", theme.marks[number % 8], 2, data={"legend": row.name}))
        items.append(Text(across + 16, y, shortened(row.name, SIZE, 230), SIZE, theme.text, data={"legend": row.name}))
        said = f"sees {axes(field.size)}, a step is {axes(field.stride)}, {100 * share:.3g} % of the input"
        items.append(Text(across + 16, y + 13, said, SMALL, theme.faint, data={"legend": row.name}))
    lowest = max(item.bounds[3] for item in items)
    beyond = any(y < 0 or x < 0 or y + a > high or x + b > wide for y, x, a, b in boxes)
    note = f"input {readable(report.graph.inputs[0].shape)}, the unit in the middle of each map"
    note += "; what lies outside of the input falls on padding" if beyond else ""
    items.append(Text(MARGIN, lowest + 20, note, SMALL, theme.faint))
    described = ", ".join(f"{row.name} sees {axes(row.receptive_field.size)}" for row in rows if row.receptive_field)
    right = max(item.bounds[2] for item in items)
    return Scene(right + MARGIN, lowest + 28 + MARGIN, tuple(items), title, described, theme.ground,
                 {"model": graph.name, "figure": "field", "fields": len(rows)}, images)  # fmt: skip


def _behind(path: str, x: float, y: float, width: float, height: float) -> tuple[Image, ...]:
    """A picture of the user's where the input is drawn, its middle, two dots to a pixel."""
    if not path:
        return ()
    columns, rows = max(1, round(2 * width)), max(1, round(2 * height))
    return (Image(x, y, width, height, columns, rows, covering(path, rows, columns)),)


def chosen(report: Report, layer: str) -> list[Row]:
    """The layers whose fields are drawn: each sees much more than the one before; or one that is named."""
    graph = report.graph
    flat = len(graph.inputs) != 1 or len(graph.inputs[0].shape or ()) != 3
    there = [] if flat else [row for row in report.rows if _sees_a_part(row)]
    if not there:
        hint = "a network with one input of channels, height and width has some"
        raise usage_error(f"{graph.name} has no window that moves over a map", hint)
    if layer:
        named = [row for row in there if row.name == layer]
        if not named:
            hint = did_you_mean(layer, [row.name for row in there]) or f"as {there[0].name}"
            raise usage_error(f"{layer} is no layer whose units see a part of the input", hint)
        return named
    found: list[Row] = []
    for row in there:
        if not found or _area(row) >= GROWTH**2 * _area(found[-1]):
            found.append(row)
    last = max(there, key=lambda row: (_area(row), -row.node))
    found = found if found[-1] is last else [*found, last]
    return found if len(found) <= MOST else [found[round(i * (len(found) - 1) / (MOST - 1))] for i in range(MOST)]


def _sees_a_part(row: Row) -> bool:
    field = row.receptive_field
    return (
        field is not None and len(field.size) == 2 and len(row.output_shape or ()) == 3 and field.kind != "whole input"
    )


def _area(row: Row) -> float:
    field = row.receptive_field
    return float(prod(field.size)) if field is not None else 0.0


def seen(report: Report, row: Row) -> tuple[float, float, float, float]:
    """What the middle unit of a layer's map sees: top and left, height and width, in pixels of the input."""
    field, shape = row.receptive_field, row.output_shape
    assert field is not None and shape is not None
    per_axis = zip(shape[1:], field.stride, field.padding, strict=True)
    first = [float((size // 2) * stride - padding) for size, stride, padding in per_axis]
    return first[0], first[1], float(field.size[0]), float(field.size[1])
