"""PNG, by resvg, with the figures' own font and no other."""

from __future__ import annotations

from typing import Any

from ..errors import usage_error
from .font import FILE
from .pdf import in_points
from .scene import Scene
from .svg import svg

#: Pixels for one of the figure's, so that it is sharp on paper: 300 to the inch where a width is said.
ZOOM, DOTS = 2.0, 300


def resvg() -> Any:
    """The package that paints; raises `SpecError` where it is not installed."""
    try:
        import resvg_py
    except ImportError:
        raise usage_error(
            "PNG needs resvg, which is not installed", "pip install 'cnncalc[png]', or -o figure.svg"
        ) from None
    return resvg_py


def png(scene: Scene, width: str = "") -> bytes:
    """A picture as PNG; raises `SpecError` where resvg is not installed."""
    zoom = in_points(width) / 72 * DOTS / scene.width if width else ZOOM
    data = resvg().svg_to_bytes(
        svg_string=svg(scene).decode("utf-8"),
        zoom=zoom,
        font_files=[str(FILE)],
        skip_system_fonts=True,
        font_family="DejaVu Sans",
        sans_serif_family="DejaVu Sans",
    )
    return bytes(data)
