"""What may be said of how a figure looks."""

from __future__ import annotations

from ..record import Record
from .colours import DARK, LIGHT, Theme

#: What parts are coloured by, as people say it, and the figure that is.
HEATS = {"params": "params", "macs": "macs", "memory": "output_bytes"}


class Options(Record):
    """How deep boxes are, what colours them, whether it is night, the width on paper; a budget, a layer, a picture."""

    depth: int | None = None
    heat: str = ""
    dark: bool = False
    width: str = ""
    budget: int = 0
    layer: str = ""
    picture: str = ""

    @property
    def theme(self) -> Theme:
        """The colours."""
        return DARK if self.dark else LIGHT
