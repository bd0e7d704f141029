"""What may be said of how a figure looks."""

from __future__ import annotations

from ..record import Record
from .colours import DARK, LIGHT, Theme


class Options(Record):
    """How deep boxes are, what they are coloured by, whether it is night, and how wide the figure is on a page."""

    depth: int | None = None
    heat: str = ""
    dark: bool = False
    width: str = ""

    @property
    def theme(self) -> Theme:
        """The colours."""
        return DARK if self.dark else LIGHT
