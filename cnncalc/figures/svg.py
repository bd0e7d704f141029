"""SVG, of attributes alone: no style, no script, no identifier, so that two of them stand on one page."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from ..printable import printable
from .font import FAMILY
from .scene import Box, Image, Item, Path, Scene, Text


def svg(scene: Scene, width: str = "") -> bytes:
    """A picture as SVG; `width` is that of the page, as `170mm`, else its pixels."""
    return ("\n".join(lines(scene, width)) + "\n").encode("utf-8")


def lines(scene: Scene, width: str = "", data: bool = True) -> Iterator[str]:
    """The lines of a picture, as it stands in a file or in a page; `data` False leaves out what shapes stand for."""
    size = f'width="{width}"' if width else f'width="{number(scene.width)}" height="{number(scene.height)}"'
    view = f"0 0 {number(scene.width)} {number(scene.height)}"
    label = escaped(f"{scene.title}. {scene.description}")
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="{view}" role="img" aria-label="{label}" '
        f'font-family="{FAMILY}"{_data(scene.data)}>'
    )
    yield f"<title>{escaped(scene.title)}</title>"
    yield f"<desc>{escaped(scene.description)}</desc>"
    yield f'<rect width="{number(scene.width)}" height="{number(scene.height)}" fill="{scene.background}"/>'
    yield from map(_image, scene.images)
    yield from map(_item, scene.items if data else (item._replace(data={}) for item in scene.items))
    yield "</svg>"


def _image(image: Image) -> str:
    """A picture of dots, within the file."""
    sides = zip(("x", "y", "width", "height"), image[:4], strict=True)
    place = " ".join(f'{name}="{number(value)}"' for name, value in sides)
    data = b64encode(dots(image)).decode("ascii")
    return f'<image {place} preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'


def dots(image: Image) -> bytes:
    """A picture of dots as PNG, whose rows stand as they are, without a filter."""
    size = 3 * image.columns
    rows = b"".join(b"\0" + image.pixels[i * size : (i + 1) * size] for i in range(image.rows))
    head = struct.pack(">IIBBBBB", image.columns, image.rows, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )


def _item(item: Item) -> str:
    if isinstance(item, Text):
        return _text(item)
    title = f"<title>{escaped(item.title)}</title>" if item.title else ""
    title += _moving(item) if isinstance(item, Box) and item.moves else ""
    if isinstance(item, Box):
        sides = zip(("x", "y", "width", "height", "rx"), (*item[:4], item.radius), strict=True)
        tag, place = "rect", " ".join(f'{name}="{number(value)}"' for name, value in sides if value or name != "rx")
    else:
        tag, place = "path", f'd="{outline(item)}"'
    head = f'<{tag} {place} fill="{item.fill}"{_stroke(item)}{_data(item.data)}'
    return f"{head}>{title}</{tag}>" if title else f"{head}/>"


#: Seconds that what moves stays in each place.
STAY = 0.7


def _moving(item: Box) -> str:
    """A box that goes from place to place, over and over."""
    seconds = number(STAY * len(item.moves))
    return "".join(
        f'<animate attributeName="{axis}" calcMode="discrete" dur="{seconds}s" repeatCount="indefinite" '
        f'values="{";".join(number(point[i]) for point in item.moves)}"/>'
        for i, axis in enumerate("xy")
    )


def _stroke(item: Box | Path) -> str:
    if item.stroke == "none":
        return ""
    dash = f' stroke-dasharray="{item.dash}"' if item.dash else ""
    return f' stroke="{item.stroke}" stroke-width="{number(item.line)}"{dash}'


def _text(item: Text) -> str:
    anchor = f' text-anchor="{item.anchor}"' if item.anchor != "start" else ""
    bold = ' font-weight="bold"' if item.bold else ""
    turn = f' transform="rotate(-90 {number(item.x)} {number(item.y)})"' if item.turned else ""
    return (
        f'<text x="{number(item.x)}" y="{number(item.y)}" font-size="{number(item.size)}" fill="{item.fill}"'
        f"{anchor}{bold}{turn}{_data(item.data)}>{escaped(item.text)}</text>"
    )


def outline(path: Path) -> str:
    """The line of a path, with its bends rounded by curves."""
    first, *rest = path.points
    parts = [f"M{_point(first)}"]
    for i, point in enumerate(rest):
        following = rest[i + 1] if i + 1 < len(rest) else None
        if following is None or not path.radius:
            parts.append(f"L{_point(point)}")
            continue
        before = path.points[i]
        parts.append(f"L{_point(_towards(point, before, path.radius))}")
        parts.append(f"Q{_point(point)} {_point(_towards(point, following, path.radius))}")
    return "".join(parts) + ("Z" if path.fill != "none" else "")


def _towards(point: tuple[float, float], other: tuple[float, float], radius: float) -> tuple[float, float]:
    """A place on the way to another, so far away and at most half of it."""
    dx, dy = other[0] - point[0], other[1] - point[1]
    length = (dx * dx + dy * dy) ** 0.5
    share = min(radius, length / 2) / length if length else 0
    return point[0] + dx * share, point[1] + dy * share


def _point(point: tuple[float, float]) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _data(data: Mapping[str, Any]) -> str:
    return "".join(f' data-{key}="{escaped(str(value))}"' for key, value in data.items())


def number(value: float) -> str:
    """A length to a tenth of a pixel, the same on every machine."""
    text = f"{value:.1f}"
    return text.removesuffix(".0").replace("-0", "0") if text in ("-0.0", "0.0") else text.removesuffix(".0")


def escaped(text: str) -> str:
    """A text as it may stand in an element or in an attribute."""
    text = printable(text)
    for sign, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot"), ("'", "#39")):
        text = text.replace(sign, f"&{name};")
    return text
