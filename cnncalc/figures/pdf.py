"""PDF of one page, as large as the figure, its font within it and its texts texts: what journals ask for."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ..printable import printable
from .font import FILE, font
from .scene import BOLDER, Box, Image, Item, Path, Point, Scene, Text
from .svg import number

#: Points of a page, of which an inch has 72, for a pixel, of which it has 96.
POINTS = 0.75
#: How far the middle points of a curve lie from its ends, so that it is nearly a quarter of a circle.
CURVE = 0.5523


def pdf(scene: Scene, width: str = "") -> bytes:
    """A picture as PDF; `width` is that of the page, as `170mm`."""
    scale = in_points(width) / scene.width if width else POINTS
    used: dict[int, str] = {}
    content = "\n".join(_content(scene, scale, used)).encode("ascii")
    page = f"[0 0 {number(scene.width * scale)} {number(scene.height * scale)}]"
    data = FILE.read_bytes()
    widths = " ".join(f"{glyph} [{font().advances[glyph]}]" for glyph in sorted(used))
    name = "/DejaVuSans"
    bodies: list[str | bytes] = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox {page} /Contents 4 0 R /Resources << /Font << /F 5 0 R >>"
        f"{_named(scene)} >> >>",
        _stream(content),
        f"<< /Type /Font /Subtype /Type0 /BaseFont {name} /Encoding /Identity-H /DescendantFonts [6 0 R] "
        "/ToUnicode 8 0 R >>",
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont {name} /FontDescriptor 7 0 R /DW 600 /W [{widths}] "
        "/CIDToGIDMap /Identity /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>",
        f"<< /Type /FontDescriptor /FontName {name} /Flags 4 /FontBBox [-1021 -463 1793 1232] /ItalicAngle 0 "
        "/Ascent 928 /Descent -236 /CapHeight 729 /StemV 80 /FontFile2 9 0 R >>",
        _stream(_unicode(used).encode("ascii")),
        _stream(data, f"/Length1 {len(data)}"),
        _information(scene),
        *map(_dots, scene.images),
    ]
    objects = [each if isinstance(each, bytes) else each.encode("ascii") for each in bodies]
    made = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for i, body in enumerate(objects, 1):
        places.append(len(made))
        made += f"{i} 0 obj\n".encode("ascii") + body + b"\nendobj\n"
    start = len(made)
    made += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode("ascii")
    made += b"".join(f"{place:010} 00000 n \n".encode("ascii") for place in places)
    made += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 10 0 R >>\nstartxref\n{start}\n%%EOF\n".encode(
        "ascii"
    )
    return bytes(made)


def _named(scene: Scene) -> str:
    """What the pictures of dots are called on the page; their objects come behind all others."""
    names = " ".join(f"/I{i} {11 + i} 0 R" for i in range(len(scene.images)))
    return f" /XObject << {names} >>" if names else ""


def _dots(image: Image) -> bytes:
    size = f"/Width {image.columns} /Height {image.rows}"
    return _stream(image.pixels, f"/Type /XObject /Subtype /Image {size} /ColorSpace /DeviceRGB /BitsPerComponent 8")


def in_points(width: str) -> float:
    """A length on paper, as 170mm, in points.

    >>> round(in_points("170mm")), in_points("4in")
    (482, 288.0)
    """
    factors = {"mm": 72 / 25.4, "cm": 72 / 2.54, "in": 72.0, "pt": 1.0, "px": POINTS}
    return float(width[:-2]) * factors[width[-2:]]


def _stream(data: bytes, more: str = "") -> bytes:
    packed = zlib.compress(data, 9)
    return (
        f"<< /Length {len(packed)} /Filter /FlateDecode {more} >>\nstream\n".encode("ascii") + packed + b"\nendstream"
    )


def _information(scene: Scene) -> bytes:
    title = "FEFF" + printable(scene.title).encode("utf-16-be").hex().upper()
    return f"<< /Title <{title}> /Producer (cnncalc) >>".encode("ascii")


def _unicode(used: dict[int, str]) -> str:
    """The table by which a text is found and copied again: the characters of the glyphs."""
    pairs = [
        f"<{glyph:04X}> <{character.encode('utf-16-be').hex().upper()}>" for glyph, character in sorted(used.items())
    ]
    parts = [pairs[i : i + 100] for i in range(0, len(pairs), 100)]
    tables = "\n".join("\n".join([f"{len(part)} beginbfchar", *part, "endbfchar"]) for part in parts)
    return (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{tables}\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
    )


def _content(scene: Scene, scale: float, used: dict[int, str]) -> Iterator[str]:
    """The operators of a page, whose y goes up."""
    yield f"{scale:.6f} 0 0 {-scale:.6f} 0 {scene.height * scale:.4f} cm"
    yield from _painted(_corners(0, 0, scene.width, scene.height, 0), scene.background, "none", 0, "")
    for i, image in enumerate(scene.images):
        low = image.y + image.height  # an image's own y goes up
        yield f"q {number(image.width)} 0 0 {number(-image.height)} {number(image.x)} {number(low)} cm /I{i} Do Q"
    for item in scene.items:
        yield from _item(item, used)


def _item(item: Item, used: dict[int, str]) -> Iterator[str]:
    if isinstance(item, Text):
        yield _text(item, used)
    elif isinstance(item, Box):
        yield from _painted(
            _corners(item.x, item.y, item.width, item.height, item.radius), item.fill, item.stroke, item.line, item.dash
        )
    else:
        yield from _painted(_way(item), item.fill, item.stroke, item.line, item.dash)


def _painted(way: str, fill: str, stroke: str, line: float, dash: str) -> Iterator[str]:
    if fill == "none" and stroke == "none":
        return
    colours = (f"{_colour(fill)} rg " if fill != "none" else "") + (
        f"{_colour(stroke)} RG {number(line)} w " if stroke != "none" else ""
    )
    operator = "B" if "none" not in (fill, stroke) else "f" if stroke == "none" else "S"
    yield f"{colours}[{dash}] 0 d {way} {operator}"


def _corners(x: float, y: float, wide: float, high: float, radius: float) -> str:
    """A rectangle, its corners rounded."""
    r = min(radius, wide / 2, high / 2)
    if not r:
        return f"{number(x)} {number(y)} {number(wide)} {number(high)} re"
    k, right, bottom = r * (1 - CURVE), x + wide, y + high
    return " ".join([
        f"{_p(x + r, y)} m {_p(right - r, y)} l {_p(right - k, y)} {_p(right, y + k)} {_p(right, y + r)} c",
        f"{_p(right, bottom - r)} l {_p(right, bottom - k)} {_p(right - k, bottom)} {_p(right - r, bottom)} c",
        f"{_p(x + r, bottom)} l {_p(x + k, bottom)} {_p(x, bottom - k)} {_p(x, bottom - r)} c",
        f"{_p(x, y + r)} l {_p(x, y + k)} {_p(x + k, y)} {_p(x + r, y)} c h",
    ])  # fmt: skip


def _way(path: Path) -> str:
    """A line through points, its bends rounded by curves."""
    first, *rest = path.points
    parts = [f"{_p(*first)} m"]
    for i, point in enumerate(rest):
        if i + 1 == len(rest) or not path.radius:
            parts.append(f"{_p(*point)} l")
            continue
        a, b = _towards(point, path.points[i], path.radius), _towards(point, rest[i + 1], path.radius)
        near = [
            (start[0] + (point[0] - start[0]) * 2 / 3, start[1] + (point[1] - start[1]) * 2 / 3) for start in (a, b)
        ]
        parts.append(f"{_p(*a)} l {_p(*near[0])} {_p(*near[1])} {_p(*b)} c")
    return " ".join(parts) + (" h" if path.fill != "none" else "")


def _towards(point: Point, other: Point, radius: float) -> Point:
    dx, dy = other[0] - point[0], other[1] - point[1]
    length = (dx * dx + dy * dy) ** 0.5
    share = min(radius, length / 2) / length if length else 0.0
    return point[0] + dx * share, point[1] + dy * share


def _text(item: Text, used: dict[int, str]) -> str:
    made = font()
    glyphs = []
    for character in printable(item.text):
        glyph = made.glyphs.get(ord(character), made.glyphs[ord("□")])
        used.setdefault(glyph, character if ord(character) in made.glyphs else "□")
        glyphs.append(f"{glyph:04X}")
    back = {"start": 0.0, "middle": 0.5, "end": 1.0}[item.anchor] * item.width / (BOLDER if item.bold else 1)
    # The page is upside down, so letters are turned over; those that read from below are turned a quarter besides.
    turn = (0, -1, -1, 0) if item.turned else (1, 0, 0, -1)
    x, y = (item.x, item.y + back) if item.turned else (item.x - back, item.y)
    colour = _colour(item.fill)
    drawn = f"{colour} RG {number(item.size / 30)} w 2 Tr" if item.bold else "0 Tr"
    matrix = " ".join(str(each) for each in turn)
    return f"BT {colour} rg {drawn} /F {number(item.size)} Tf {matrix} {_p(x, y)} Tm <{''.join(glyphs)}> Tj ET"


def _colour(colour: str) -> str:
    return " ".join(f"{int(colour[i : i + 2], 16) / 255:.3f}" for i in (1, 3, 5))


def _p(x: float, y: float) -> str:
    return f"{x:.2f} {y:.2f}"
