"""Figures from Python: as a notebook shows them, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import did_you_mean, usage_error
from ..files import write_file
from ..report import Report
from .files import form_of, written
from .options import Options
from .pictures import PICTURES, USUAL, picture
from .scene import Scene


class Figure:
    """A picture of a network, which a notebook shows and `save` writes, as .svg, .pdf, .png, .html or .tex.

    >>> from cnncalc import analyse
    >>> analyse("lenet").figure("graph")
    <Figure: LeNet-5, 276×337>
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def __repr__(self) -> str:
        return f"<Figure: {self.scene.title}, {self.scene.width:.0f}×{self.scene.height:.0f}>"

    def _repr_svg_(self) -> str:
        return written(self.scene, ".svg").decode("utf-8")

    def save(self, file: str | Path, width: str = "") -> None:
        """Write it to a file whose ending tells the form, `width` wide on paper; raises `SpecError`."""
        write_file(Path(file), written(self.scene, form_of(str(file)), width))


def figure(report: Report, name: str = USUAL, **options: Any) -> Figure:
    """A picture of a report, by its name; `options` are those of `Options`. Raises `SpecError`."""
    if name not in PICTURES:
        raise usage_error(
            f"there is no picture {name}", did_you_mean(name, PICTURES) or f"there are {', '.join(PICTURES)}"
        )
    return Figure(picture(report, name, Options(**options)))
