"""What may be said of how a figure looks."""

from __future__ import annotations

from ..record import Record
from .colours import DARK, LIGHT, Theme


class Options(Record):
    """How deep boxes are, what they are coloured by, whether it is night, the width on paper; a budget, a layer."""

    depth: int | None = None
    heat: str = ""
    dark: bool = False
    width: str = ""
    budget: int = 0
    layer: str = ""

    @property
    def theme(self) -> Theme:
        """The colours."""
        return DARK if self.dark else LIGHT
