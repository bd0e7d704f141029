"""The pictures, one a file: each draws a report as a scene. A new file here is a new picture of every command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...report import Report
    from ..options import Options
    from ..scene import Scene

#: What they are called, the one first that is drawn where none is named.
USUAL = "graph"
PICTURES = tuple(
    sorted(
        (each.stem for each in Path(__file__).parent.glob("*.py") if each.stem != "__init__"),
        key=lambda name: (name != USUAL, name),
    )
)


def picture(report: Report, name: str, options: Options) -> Scene:
    """A picture of a report; raises `SpecError` where the network cannot have it."""
    scene: Scene = import_module(f".{name}", __name__).draw(report, options)
    return scene


def about(name: str) -> str:
    """What a picture shows, in a line."""
    return str(import_module(f".{name}", __name__).__doc__).partition("\n")[0].rstrip(".")
