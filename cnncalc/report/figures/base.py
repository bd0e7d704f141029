"""How the value of a figure is had: from the sums of a part, added up from layers, or of the network alone."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ...table import EMPTY, AtLeast
from ..registry import Figure, Value

if TYPE_CHECKING:
    from ..parts import Part, Row

__all__ = ["Figure", "Value", "added_up", "of_layer", "of_network", "summed"]


class summed:
    """The value of a figure that is one of the `Sums` of a part, or follows from several by `of`."""

    alike = True

    def __init__(self, *names: str, of: Callable[[Any], Any] | None = None) -> None:
        self.names, self.get = names, of or attrgetter(names[0])

    def __call__(self, part: Part) -> Any:
        sums = part.sums
        total = self.get(sums)
        return AtLeast(total) if sums.partial and total is not None and sums.is_partial(*self.names) else total


def added_up(of_row: Callable[[Row], int | None]) -> Value:
    """The value of a figure that is worked out for each layer when it is asked for, and added up."""

    def value(part: Part) -> Any:
        if part.row is not None:
            return of_row(part.row)
        values = [of_row(row) for row in part.rows]
        there = [each for each in values if each is not None]
        if values and not there:
            return None
        return sum(there) if len(there) == len(values) else AtLeast(sum(there))

    return value


def of_layer(get: Callable[[Row], Any]) -> Value:
    """The value of a figure that only a single layer has."""
    return lambda part: EMPTY if part.row is None else get(part.row)


def of_network(get: Callable[[Part], Any], *names: str) -> Value:
    """The value of a figure that only the network has, from all of it; without `names` of its sums it is not all."""

    def value(whole: Part) -> Any:
        total = get(whole)
        complete = whole.understood if not names else not whole.sums.is_partial(*names)
        return total if complete or total is None else AtLeast(total)

    return value
