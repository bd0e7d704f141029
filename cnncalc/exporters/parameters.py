"""What differs between the instances of a class, as its parameters, and all values as expressions in them."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..names import TAKEN, is_word
from .common import RESERVED
from .outline import Hole

#: The value at a place that an instance does not have.
MISSING: Any = object()


class Text(NamedTuple):
    """An expression: the name of a parameter, or a multiple of one, between `before` and `after` it."""

    name: str
    before: str = ""
    after: str = ""

    @property
    def text(self) -> str:
        return f"{self.before}{self.name}{self.after}"

    def of(self, owner: str) -> Text:
        """The same, with the parameter as an attribute."""
        return Text(f"{owner}.{self.name}", self.before, self.after)

    def __str__(self) -> str:
        return self.text


class Parameters:
    """The parameters of a class whose instances have `values` at the places of a form.

    >>> holes = [Hole("in_channels", 64), Hole("out_channels", 16), Hole("kernel_size", 3), Hole("num_features", 16)]
    >>> found = Parameters(holes, [[64, 16, 3, 16], [128, 32, 3, 32], [256, 48, 3, 48]])
    >>> found.signature, [str(found.expression(i)) for i in range(4)]
    (('in_channels', 'out_channels'), ['in_channels', 'out_channels', '3', 'out_channels'])
    """

    def __init__(
        self,
        holes: Sequence[Hole],
        values: Sequence[Sequence[Any]],
        arguments: Sequence[Mapping[str, Any]] = (),
        taken: Sequence[str] = (),
    ) -> None:
        self.taken = {*taken, *RESERVED, *TAKEN}
        self.columns = [tuple(row[i] for row in values) for i in range(len(holes))] if values else []
        self.names: dict[str, tuple[Any, ...]] = {}
        self.places: dict[str, list[int]] = {}  # the places at which each parameter stands as it is
        self.expressions: list[Any] = []
        given = {
            name: tuple(argument.get(name) for argument in arguments)
            for name in (arguments[0] if arguments else ())
            if name.isidentifier() and not keyword.iskeyword(name)
        }
        for place, (hole, column) in enumerate(zip(holes, self.columns, strict=False)):
            there = [value for value in column if value is not MISSING]
            if all(_equal(value, there[0]) for value in there):
                self.expressions.append(there[0])
            else:
                self.expressions.append(self._known(column, place) or self._new(hole, column, given, place))

    @property
    def signature(self) -> tuple[str, ...]:
        """The names of the parameters."""
        return tuple(self.names)

    def expression(self, place: int) -> Any:
        """What stands at a place: a value, or a `Text`."""
        return self.expressions[place] if self.expressions else None

    def passed(self, values: Sequence[Any]) -> list[str]:
        """The arguments for an instance with such values: numbers first, what is easily confused by name."""
        found = [
            next((values[place] for place in places if values[place] is not MISSING), MISSING)
            for places in self.places.values()
        ]
        return [
            written(value) if i == 0 else f"{name}={written(value)}"
            for i, (name, value) in enumerate(zip(self.names, found, strict=True))
        ]

    def _known(self, column: tuple[Any, ...], place: int) -> Text | None:
        """The column as a parameter that is there already, or a multiple of one."""
        for name, other in self.names.items():
            if all(_equal(a, b) for a, b in zip(column, other, strict=True)):
                self.names[name] = tuple(b if a is MISSING else a for a, b in zip(column, other, strict=True))
                self.places[name].append(place)
                return Text(name)
        for name, other in self.names.items():
            both = [(a, b) for a, b in zip(column, other, strict=True) if a is not MISSING]
            if not both or not all(type(value) is int and value > 0 for pair in both for value in pair):
                continue
            a, b = both[0]
            if a % b == 0 and all(x == y * (a // b) for x, y in both):
                return Text(name, before=f"{a // b} * ")
            if b % a == 0 and all(y == x * (b // a) for x, y in both):
                return Text(name, after=f" // {b // a}")
        return None

    def _new(self, hole: Hole, column: tuple[Any, ...], given: Mapping[str, tuple[Any, ...]], place: int) -> Text:
        same = [
            name for name, values in given.items() if all(_equal(a, b) for a, b in zip(values, column, strict=True))
        ]
        wish = next((name for name in same if name not in self.names), hole.name or "value")
        wish = {"in_features": "in_features", "num_features": "channels", "num_channels": "channels"}.get(wish, wish)
        wish = wish.lstrip("_") or "value"  # what begins with _ belongs to nn.Module
        wish = wish if is_word(wish) else "value"
        name, number = wish, 2
        while name in self.names or name in self.taken or keyword.iskeyword(name):
            name, number = f"{wish}{number}", number + 1
        self.names[name] = column
        self.places[name] = [place]
        return Text(name)


def _equal(a: Any, b: Any) -> bool:
    return a is MISSING or b is MISSING or (type(a) is type(b) and bool(a == b))


def written(value: Any) -> str:
    """A value as Python source."""
    if isinstance(value, Text):
        return value.text
    return "None" if value is MISSING else repr(value)
