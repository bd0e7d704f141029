"""Lines of Keras source: layers that are applied, and expressions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..generated import literal
from ..record import Record


class Inexpressible(Exception):
    """What Keras has no layer for: why, in words."""


class Statement(Record):
    """One line: `write` makes it of the inputs' variables and a name; `name` is the one that it wishes for.

    Of a layer, `constructor` is what makes it, without the name and the last parenthesis.
    """

    write: Callable[[Sequence[str], str], str]
    name: str = ""
    constructor: str = ""

    def made(self, name: str) -> str:
        """The layer alone, before it is applied."""
        comma = "" if self.constructor.endswith("(") else ", "
        return f"{self.constructor}{comma}name={literal(name)})"


def layer(text: str, name: str) -> Statement:
    """A step that applies a layer: `text` is its constructor without the last parenthesis."""
    made = Statement(lambda inputs, name: "", name, text)
    return made._replace(write=lambda inputs, name: f"{made.made(name)}({listed(inputs)})")


def expression(text: str) -> Statement:
    """A step that is an expression in the first input, x."""
    return Statement(lambda inputs, name: text.replace("{x}", inputs[0]))


def listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def tuple_text(values: Sequence[int]) -> str:
    return f"({values[0]},)" if len(values) == 1 else f"({', '.join(map(str, values))})"


def short(values: Any) -> str:
    """One number for all axes where they are equal."""
    if isinstance(values, tuple) and len(values) > 1 and any(value != values[0] for value in values):
        return tuple_text(values)
    return str(values[0] if isinstance(values, tuple) else values)
