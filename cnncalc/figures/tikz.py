"""TikZ, for those who set the figure in the font of their paper, or draw on in it."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import usage_error
from ..markup import latex
from .pdf import POINTS, in_points
from .scene import Box, Item, Path, Scene, Text
from .svg import number


def tikz(scene: Scene, width: str = "") -> bytes:
    r"""A picture as a document of its own; what stands between `\begin{tikzpicture}` and its end can be taken out."""
    if scene.images:
        raise usage_error("TikZ holds no picture", "-o figure.pdf, or .svg")
    return ("\n".join(_lines(scene, width)) + "\n").encode("utf-8")


def _lines(scene: Scene, width: str) -> Iterator[str]:
    scale = in_points(width) / scene.width if width else POINTS
    colours = _colours(scene)
    yield f"% {latex(scene.title)}: {latex(scene.description)}"
    yield r"\documentclass[border=2pt]{standalone}"
    yield r"\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}\usepackage{tikz}"
    yield r"\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}  % letters of any size"
    for colour, name in colours.items():
        yield rf"\definecolor{{{name}}}{{HTML}}{{{colour[1:].upper()}}}"
    yield r"\begin{document}"
    nodes = "every node/.style={inner sep=0pt, outer sep=0pt}"
    yield rf"\begin{{tikzpicture}}[x={scale:.4f}bp, y=-{scale:.4f}bp, {nodes}]"
    for item in scene.items:
        yield "  " + _item(item, colours, scale)
    yield r"\end{tikzpicture}"
    yield r"\end{document}"


def _colours(scene: Scene) -> dict[str, str]:
    """The colours of a picture, each with a name of its own."""
    found: dict[str, None] = {}
    for item in scene.items:
        found |= dict.fromkeys([item.fill] if isinstance(item, Text) else [item.fill, item.stroke])
    return {colour: f"cnn{_letters(i)}" for i, colour in enumerate(each for each in found if each != "none")}


def _letters(number_: int) -> str:
    return chr(97 + number_ // 26) + chr(97 + number_ % 26)


def _item(item: Item, colours: dict[str, str], scale: float) -> str:
    if isinstance(item, Text):
        size, anchor = item.size * scale, {"start": "base west", "middle": "base", "end": "base east"}[item.anchor]
        font = rf"\fontsize{{{number(size)}}}{{{number(size * 1.2)}}}\selectfont\sffamily" + (
            r"\bfseries" if item.bold else ""
        )
        node = f"anchor={anchor}, text={colours[item.fill]}{', rotate=90' * item.turned}, font={{{font}}}"
        return rf"\node[{node}] at ({number(item.x)}, {number(item.y)}) {{{latex(item.text)}}};"
    style = [f"fill={colours[item.fill]}"] if item.fill != "none" else []
    if item.stroke != "none":
        style += [f"draw={colours[item.stroke]}", f"line width={item.line * scale:.2f}bp"]
    if item.dash:
        style.append("dashed")
    if item.radius:
        radius = min(item.radius, item.width / 2, item.height / 2) if isinstance(item, Box) else item.radius
        style.append(f"rounded corners={radius * scale:.2f}bp")
    if isinstance(item, Box):
        x0, y0, x1, y1 = map(number, item.bounds)
        way = f"({x0}, {y0}) rectangle ({x1}, {y1})"
    else:
        way = _way(item)
    return rf"\path[{', '.join(style)}] {way};"


def _way(path: Path) -> str:
    return " -- ".join(f"({number(x)}, {number(y)})" for x, y in path.points) + (
        " -- cycle" if path.fill != "none" else ""
    )
