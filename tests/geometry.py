"""What is wrong with a figure: boxes and texts that overlap, lines that end nowhere or run through boxes, shapes outside of the page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from cnncalc.figures.scene import Box, Path, Scene, Text

Bounds = tuple[float, float, float, float]
#: Pixels by which shapes may touch, or a line may miss a border.
NEAR = 0.6


def overlap(a: Bounds, b: Bounds, by: float = NEAR) -> bool:
    return a[0] < b[2] - by and b[0] < a[2] - by and a[1] < b[3] - by and b[1] < a[3] - by


def inside(a: Bounds, b: Bounds) -> bool:
    return a[0] >= b[0] - NEAR and a[1] >= b[1] - NEAR and a[2] <= b[2] + NEAR and a[3] <= b[3] + NEAR


def colliding(items: list[tuple[Bounds, str]]) -> Iterator[tuple[str, str]]:
    """The pairs that overlap, found from left to right."""
    alive: list[tuple[Bounds, str]] = []
    for bounds, name in sorted(items):
        alive = [each for each in alive if each[0][2] > bounds[0] + NEAR]
        yield from ((name, other) for box, other in alive if overlap(bounds, box))
        alive.append((bounds, name))


def faults(scene: Scene) -> list[str]:
    """What is wrong with the places of a figure's shapes, in words."""
    found: list[str] = []
    page = (0.0, 0.0, scene.width, scene.height)
    boxes = [item for item in scene.items if isinstance(item, Box) and "part" in item.data]
    texts = [item for item in scene.items if isinstance(item, Text)]
    lines = [item for item in scene.items if isinstance(item, Path) and "from" in item.data]
    for item in scene.items:
        if not inside(item.bounds, page):
            found.append(f"{item.data or item} stands outside of the page")
    for a, b in colliding([(box.bounds, str(box.data["part"])) for box in boxes]):
        found.append(f"boxes {a} and {b} overlap")
    for a, b in colliding([(text.bounds, text.text) for text in texts]):
        found.append(f"texts {a!r} and {b!r} overlap")
    bounds = [box.bounds for box in boxes]
    for text in texts:
        place = text.bounds
        home = [each for each in bounds if overlap(place, each)]
        if len(home) > 1 or (home and not inside(place, home[0])):
            found.append(f"text {text.text!r} leaves its box")
        if "in" in text.data and not home:
            found.append(f"text {text.text!r} has no box")
    placed = {(box.data["figure"], box.data["number"]): box for box in boxes}
    rows = by_row([(box.bounds, box) for box in boxes])
    for line in lines:
        found += line_faults(line, placed, rows)
    found += struck(lines, texts)
    if scene.data.get("series") == "true":
        found += crossings([line for line in lines if line.data["figure"] == "network"])
    return found


#: The height of a strip of the page, by which what is near is found.
STRIP = 64


def strips(bounds: Bounds) -> range:
    return range(int(bounds[1] // STRIP), int(bounds[3] // STRIP) + 1)


def by_row(items: list[tuple[Bounds, Box]]) -> dict[int, list[Box]]:
    found: dict[int, list[Box]] = {}
    for bounds, box in items:
        for strip in strips(bounds):
            found.setdefault(strip, []).append(box)
    return found


def line_faults(line: Path, placed: dict[tuple[object, object], Box], rows: dict[int, list[Box]]) -> Iterator[str]:
    """Whether a line begins and ends on the borders of its boxes, and runs through no other."""
    name = f"the line from {line.data['from']} to {line.data['to']} of {line.data['figure']}"
    for which, point in (("from", line.points[0]), ("to", line.points[-1])):
        box = placed.get((line.data["figure"], line.data[which]))
        if box is None:
            yield f"{name} has no box {which}"
            continue
        slack = NEAR if which == "from" else 9.0  # its head is a shape of its own
        if not on_border(point, box.bounds, slack):
            yield f"{name} does not meet the border of {box.data['part']}"
    through = set[str]()
    for a, b in pairwise(line.points):
        wide = (min(a[0], b[0]) - 0.05, min(a[1], b[1]) - 0.05, max(a[0], b[0]) + 0.05, max(a[1], b[1]) + 0.05)
        near = (box for strip in strips(wide) for box in rows.get(strip, ()))
        through |= {str(box.data["part"]) for box in near if overlap(wide, box.bounds, 1.0)}
    yield from (f"{name} runs through {part}" for part in sorted(through))


def struck(lines: list[Path], texts: list[Text]) -> Iterator[str]:
    """Texts that a line runs through."""
    rows: dict[int, list[Text]] = {}
    for text in texts:
        for strip in strips(text.bounds):
            rows.setdefault(strip, []).append(text)
    for line in lines:
        for a, b in pairwise(line.points):
            wide = (min(a[0], b[0]) - 0.05, min(a[1], b[1]) - 0.05, max(a[0], b[0]) + 0.05, max(a[1], b[1]) + 0.05)
            near = {id(text): text for strip in strips(wide) for text in rows.get(strip, ())}
            yield from (
                f"a line runs through {text.text!r}" for text in near.values() if overlap(wide, text.bounds, 1.5)
            )


def on_border(point: tuple[float, float], box: Bounds, slack: float) -> bool:
    x, y = point
    across = box[0] - slack <= x <= box[2] + slack
    along = box[1] - slack <= y <= box[3] + slack
    near = min(abs(x - box[0]), abs(x - box[2])) <= slack or min(abs(y - box[1]), abs(y - box[3])) <= slack
    return across and along and near


def crossings(lines: list[Path]) -> Iterator[str]:
    """Lines that cross: one goes across where another goes down, and neither ends there."""
    upright: dict[int, list[tuple[float, float, float, int]]] = {}
    level = []
    for number, line in enumerate(lines):
        for a, b in pairwise(line.points):
            if abs(a[1] - b[1]) < 0.05:
                level.append((a[1], min(a[0], b[0]), max(a[0], b[0]), number))
                continue
            top, bottom = min(a[1], b[1]), max(a[1], b[1])
            for strip in strips((0, top, 0, bottom)):
                upright.setdefault(strip, []).append((a[0], top, bottom, number))
    for y, left, right, one in level:
        for x, top, bottom, other in upright.get(int(y // STRIP), ()):
            if one != other and left + NEAR < x < right - NEAR and top + NEAR < y < bottom - NEAR:
                yield f"the lines {dict(lines[one].data)} and {dict(lines[other].data)} cross"
