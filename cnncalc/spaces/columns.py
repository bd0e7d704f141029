"""What a column of a sweep is: a figure of the network, or of a part of it, and what it is worked out from."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..errors import did_you_mean, usage_error
from ..formula import smallest
from ..graph import Graph
from ..quantities import decimal, number
from ..record import Record
from ..report import Report
from ..report.figures import BY_NAME, OF_LAYERS, OF_NETWORK
from ..table import AtLeast

_OF_SHAPE = re.compile(r"shape\[(\d{1,3})\]|rank")


class Figured(Record):
    """A column: its name, the part that it is of (the network where none is named), and the figure or size."""

    name: str
    part: str = ""
    figure: str = ""  # its key; or empty, and it is
    axis: int | None = None  # the size of an axis, or the number of axes

    @property
    def is_ratio(self) -> bool:
        """Whether it is the quotient of two whole numbers."""
        return bool(self.figure and BY_NAME[self.figure].quotient)

    @property
    def show(self) -> Callable[[Any], str]:
        """How its values are shown."""
        return decimal if self.is_ratio else number

    def numbers(self, report: Report) -> tuple[Any, ...]:
        """The whole numbers that it is made of: one, or of a quotient two; raises `SpecError` where they are not known.

        >>> from cnncalc import analyse
        >>> [figured(name, analyse("lenet").graph).numbers(analyse("lenet")) for name in ("macs", "C1.shape[0]")]
        [(416520,), (6,)]
        """
        part = report.part(self.part) if self.part else report.whole
        if not self.figure:
            shape = part.output_shape
            if shape is None:
                raise self._unknown(report)
            if self.axis is None:
                return (len(shape),)
            return (shape[self.axis] if self.axis < len(shape) else 0,)
        quotient = BY_NAME[self.figure].quotient
        found = tuple(part.value(key) for key in quotient or (self.figure,))
        found = tuple(smallest(list(each)) if isinstance(each, tuple) and each else each for each in found)
        if not all(isinstance(each, int) and not isinstance(each, (bool, AtLeast)) for each in found):
            raise self._unknown(report)
        if quotient and not found[1]:
            raise self._unknown(report)
        return found

    def _unknown(self, report: Report) -> Exception:
        return usage_error(f"{self.name} is no number that is known of {report.graph.source.name}", "another figure")


def figured(name: str, graph: Graph) -> Figured:
    """A column by its name, as `macs`, `stem.params`, `stages.3.shape[0]`; raises `SpecError`.

    What is told along the axes of a picture, as a receptive field, is here its smallest side.
    """
    figure = BY_NAME.get(name)
    if figure is not None and figure.of_network and figure.key != "shape":
        return Figured(next(total for total, each in OF_NETWORK.items() if each is figure), "", figure.key)
    part, dot, last = name.rpartition(".")
    if not dot and (_OF_SHAPE.fullmatch(name) or name == "shape"):
        hint = "shape[0] of the network is written output.shape[0], by the name of its last layer"
        raise usage_error(f"{name} is of no part", hint)
    if not dot:
        known = [total for total, each in OF_NETWORK.items() if each.key != "shape"]
        hint = did_you_mean(name, known) or f"figures are {', '.join(known)}; of a part, as stem.macs"
        raise usage_error(f"there is no figure {name} of a network", hint)
    parts = [*graph.groups, *(layer.name for layer in graph.nodes)]
    if part not in parts:
        raise usage_error(f"there is no part {part} of {graph.name}", did_you_mean(part, parts))
    shaped = _OF_SHAPE.fullmatch(last)
    if shaped:
        return Figured(name, part, "", int(shaped[1]) if shaped[1] else None)
    figure = OF_LAYERS.get(last) or BY_NAME.get(last)
    if figure is None or not figure.of_layers:
        hint = did_you_mean(last, OF_LAYERS) or f"figures are {', '.join(OF_LAYERS)}; shape[0], rank"
        raise usage_error(f"there is no figure {last} of a part", hint)
    return Figured(f"{part}.{figure.key}", part, figure.key)
