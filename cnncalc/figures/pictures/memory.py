"""When memory is full: the bytes that are alive at each moment of a training step, by kind, with peak and budget."""

from __future__ import annotations

from collections.abc import Sequence

from ...analysis.step_walk import Event
from ...quantities import mib
from ...report import Report
from ..font import shortened
from ..options import Options
from ..scene import BOLDER, Box, Item, Path, Point, Scene, Text

#: Sizes of text, of what is left around the picture, and of the field of the curve.
SIZE, SMALL, MARGIN, LEFT, WIDE, HIGH = 10.0, 9.0, 16.0, 76.0, 600.0, 250.0
#: What is stacked, from below: a name, and the place of its colour.
KINDS = (
    ("weights and buffers", 0),
    ("optimizer state", 4),
    ("input", 7),
    ("gradients of weights", 1),
    ("activations and their gradients", 2),
)


def draw(report: Report, options: Options) -> Scene:
    """The bytes of a step as areas on top of one another; raises `SpecError` where the network cannot be trained."""
    theme, step, moments = options.theme, report.training, report.moments
    series = [
        [step.weights] * len(moments),
        [step.optimizer] * len(moments),
        [step.inputs + step.buckets] * len(moments),
        [moment.gradients for moment in moments],
        [moment.live - moment.gradients for moment in moments],
    ]
    top_of = max(step.peak, options.budget)
    ticks = _ticks(top_of)
    scale = HIGH / max(ticks[-1], top_of)
    left, top = MARGIN + LEFT, MARGIN + 74.0
    bottom = top + HIGH
    title = (
        f"{report.graph.name}{f' ({report.graph.variant})' if report.graph.variant else ''}: memory of a training step"
    )
    setting = f"batch {report.batch}, {report.dtype}, {report.optimizer}"
    items: list[Item] = [
        Text(MARGIN, MARGIN + 12, shortened(title, 14, 640), 14, theme.text, bold=True),
        Text(MARGIN, MARGIN + 29, setting, SIZE, theme.faint),
    ]
    for tick in ticks:
        y = bottom - tick * scale
        items.append(Path(((left, y), (left + WIDE, y)), stroke=theme.panel, line=1))
        items.append(Text(left - 6, y + 3.5, _size(tick), SMALL, theme.faint, "end", data={"tick": tick}))
    across = WIDE / max(1, len(moments))
    below = [0] * len(moments)
    for (name, colour), values in zip(KINDS, series, strict=True):
        above = [a + b for a, b in zip(below, values, strict=True)]
        if any(values):
            area = _steps(above, left, bottom, across, scale) + _steps(below, left, bottom, across, scale)[::-1]
            data = {"kind": name, "peak": values[_highest(moments)]}
            items.append(Path(area, fill=theme.marks[colour], data=data, title=name))
        below = above
    items += _phases([moment.phase for moment in moments], left, bottom, across, options)
    peak = _highest(moments)
    x, y = left + (peak + 0.5) * across, bottom - below[peak] * scale
    items.append(Box(x - 3.5, y - 3.5, 7, 7, theme.skip, theme.ground, 1, 3.5, data={"peak": below[peak]}))
    said = f"peak {mib(step.peak)}: {step.layer or 'update'}, {step.phase}"
    anchor, room = ("end", x - left - 4) if x > left + WIDE / 2 else ("start", left + WIDE - x)
    items.append(
        Text(
            x,
            y - 8,
            shortened(said, SIZE, room / BOLDER),
            SIZE,
            theme.text,
            anchor,
            bold=True,
            data={"says": step.peak},
        )
    )
    if options.budget:
        y = bottom - options.budget * scale
        items.append(
            Path(
                ((left, y), (left + WIDE, y)), stroke=theme.skip, line=1.4, dash="6 4", data={"budget": options.budget}
            )
        )
        items.append(Text(left + WIDE + 6, y + 3.5, f"budget {mib(options.budget)}", SMALL, theme.text))
    there = [kind for kind, values in zip(KINDS, series, strict=True) if any(values)]
    for place, (name, colour) in enumerate(there):
        x, y = left + (place % 3) * 205, bottom + 42 + 16 * (place // 3)
        items.append(Box(x, y, 10, 10, theme.marks[colour], theme.frame, 0.8, 2))
        items.append(Text(x + 15, y + 8.5, name, SMALL, theme.text))
    right = max(item.bounds[2] for item in items)
    described = f"{len(moments)} moments of a step; {said}"
    return Scene(right + MARGIN, bottom + 42 + 32 + MARGIN, tuple(items), title, described, theme.ground,
                 {"model": report.graph.name, "figure": "memory", "moments": len(moments)})  # fmt: skip


def _size(tick: int) -> str:
    return f"{tick >> 20} MiB" if tick >> 20 << 20 == tick else mib(tick)


def _highest(moments: Sequence[Event]) -> int:
    return max(range(len(moments)), key=lambda i: moments[i].live)


def _steps(values: list[int], left: float, bottom: float, across: float, scale: float) -> tuple[Point, ...]:
    """The upper edge of an area in steps; points on a straight line are left out."""
    points: list[Point] = []
    for i, value in enumerate(values):
        if i and value == values[i - 1]:
            points[-1] = (left + (i + 1) * across, points[-1][1])
            continue
        y = bottom - value * scale
        points += [(left + i * across, y), (left + (i + 1) * across, y)]
    return tuple(points)


def _phases(phases: list[str], left: float, bottom: float, across: float, options: Options) -> list[Item]:
    """The phases below the curve, in the order of a step."""
    items: list[Item] = []
    theme, free = options.theme, left
    starts = [i for i, phase in enumerate(phases) if not i or phase != phases[i - 1]]
    for start, end in zip(starts, [*starts[1:], len(phases)], strict=True):
        if phases[start] == "recomputation":
            continue
        x, wide = left + start * across, (end - start) * across
        items.append(Path(((x, bottom), (x, bottom + 6)), stroke=theme.line, line=1))
        text = Text(max(x + 3, free), bottom + 16, phases[start], SMALL, theme.text, data={"phase": phases[start]})
        if text.width <= wide or phases[start] in ("update",) or wide > 30:
            items.append(text)
            free = text.bounds[2] + 6
    items.append(Path(((left, bottom), (left + WIDE, bottom)), stroke=theme.line, line=1.2))
    return items


def _ticks(most: int) -> list[int]:
    """Round numbers of MiB from 0 to at least the most."""
    unit = 1 << 20
    step = unit
    while step * 5 < most:
        for factor in (2, 2.5, 2):
            step = int(step * factor)
            if step * 5 >= most:
                break
    while most < step * 2 and step > 1 << 14:
        step //= 2
    return [i * step for i in range(most // step + 2)]
