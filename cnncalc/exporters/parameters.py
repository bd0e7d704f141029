"""What differs between the instances of a class, as its parameters, and all values as expressions in them."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from typing import Any

from ..names import TAKEN, is_word
from ..record import Record
from .common import RESERVED
from .conditions import condition, is_flag
from .outline import Hole

#: The value at a place that an instance does not have.
MISSING: Any = object()


class Text(Record):
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


class Flag(Record):
    """Whether each instance has an optional part, and what a parameter that says so would be called."""

    name: str
    there: tuple[bool, ...]


class Parameters:
    """The parameters of a class whose instances have `values` at the places of a form.

    `arguments` are those of the block in each instance, `channels` what goes into it, `flags` the optional parts.
    `conditions` says of each of these, in the parameters, when it is there.

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
        channels: Sequence[int] = (),
        flags: Sequence[Flag] = (),
        taken: Sequence[str] = (),
    ) -> None:
        self.taken = {*taken, *RESERVED, *TAKEN, "layers"}  # the list that a class makes of its parts
        self.columns = [tuple(row[i] for row in values) for i in range(len(holes))] if values else []
        self.names: dict[str, tuple[Any, ...]] = {}
        self.expressions: list[Any] = []
        self.conditions: list[str] = []
        self.of_flags: set[str] = set()
        given = given_to(arguments)
        for hole, column in zip(holes, self.columns, strict=False):
            if hole.name == "in_channels" and channels and all(map(_equal, column, channels)):
                column = tuple(channels)  # known where the part that takes them is left out, too
            there = [value for value in column if value is not MISSING]
            if all(_equal(value, there[0]) for value in there):
                self.expressions.append(there[0] if there else None)
            else:
                self.expressions.append(self._known(hole, column) or self._new(hole.name, column, given))
        for flag in flags:
            self.conditions.append(self._condition(flag, given, tuple(channels)))

    @property
    def signature(self) -> tuple[str, ...]:
        """The names of the parameters, those that have a default last."""
        return tuple(sorted(self.names, key=lambda name: self.default(name) is not MISSING))

    def default(self, name: str) -> Any:
        """What a parameter is where nothing is said; missing where something must be."""
        if name in self.of_flags:
            return True
        return None if any(value is MISSING for value in self.names[name]) else MISSING

    @property
    def declared(self) -> list[str]:
        """The signature as it is written."""
        defaults = [(name, self.default(name)) for name in self.signature]
        return [name if default is MISSING else f"{name}={default!r}" for name, default in defaults]

    def row(self, number: int) -> list[Any]:
        """The values of the parameters for an instance, in the order of the signature."""
        return [self.names[name][number] for name in self.signature]

    def expression(self, place: int) -> Any:
        """What stands at a place: a value, or a `Text`."""
        return self.expressions[place] if self.expressions else None

    def passed(self, values: Sequence[Any]) -> list[str]:
        """The arguments for an instance with such values: numbers first, what is easily confused by name."""
        found: list[str] = []
        for name, value in zip(self.signature, values, strict=True):
            default = self.default(name)
            if value is MISSING or (default is not MISSING and value is default):
                continue
            first = not found and not isinstance(value, bool) and name == self.signature[0]
            found.append(written(value) if first else f"{name}={written(value)}")
        return found

    def _known(self, hole: Hole, column: tuple[Any, ...]) -> Text | None:
        """The column as a parameter that is there already, or a multiple of one."""
        for name, other in self.names.items():
            met = any(a is not MISSING and b is not MISSING for a, b in zip(column, other, strict=True))
            if met and all(_equal(a, b) for a, b in zip(column, other, strict=True)):
                self.names[name] = tuple(b if a is MISSING else a for a, b in zip(column, other, strict=True))
                return Text(name)
        if all(type(value) is bool for value in column):
            for name, other in self.names.items():
                if all(type(value) is bool for value in other) and _negated(other) == column:
                    return Text(name, before="not ")
        for name, other in self.names.items():
            both = [(a, b) for a, b in zip(column, other, strict=True) if a is not MISSING]
            if not all(type(value) is int for pair in both for value in pair):
                continue
            if hole.name == "padding" and name.startswith("kernel_size") and all(x == y // 2 for x, y in both):
                return Text(name, after=" // 2")
            if not all(value > 0 for pair in both for value in pair):
                continue
            a, b = both[0]
            if a % b == 0 and all(x == y * (a // b) for x, y in both):
                return Text(name, before=f"{a // b} * ")
            if b % a == 0 and all(y == x * (b // a) for x, y in both):
                return Text(name, after=f" // {b // a}")
        return None

    def _new(self, wish: str, column: tuple[Any, ...], given: Mapping[str, tuple[Any, ...]]) -> Text:
        flags = {name: tuple(map(bool, values)) for name, values in given.items() if is_flag(values)}
        for name, values in flags.items():
            if _negated(values) == column and all(type(value) is bool for value in column):
                own = self._free(name)
                self.names[own] = values
                return Text(own, before="not ")
        same = [
            name
            for name, values in {**given, **flags}.items()
            if all(_equal(a, b) for a, b in zip(values, column, strict=True))
        ]
        wish = next((name for name in same if name not in self.names), wish or "value")
        wish = {"in_features": "in_features", "num_features": "channels", "num_channels": "channels"}.get(wish, wish)
        name = self._free(wish)
        self.names[name] = column
        return Text(name)

    def _free(self, wish: str) -> str:
        wish = wish.lstrip("_") or "value"  # what begins with _ belongs to nn.Module
        wish = wish if is_word(wish) else "value"
        name, number = wish, 2
        while name in self.names or name in self.taken or keyword.iskeyword(name):
            name, number = f"{wish}{number}", number + 1
        return name

    def _condition(self, flag: Flag, given: Mapping[str, tuple[Any, ...]], channels: tuple[int, ...]) -> str:
        """When an optional part is there: in terms of what the block is given, or by a parameter of its own."""
        found = condition(flag.there, {"in_channels": channels, **given})
        if found is None:
            name = self._free(flag.name)
            self.names[name] = flag.there
            self.of_flags.add(name)
            return name
        says = len(found.names) == 1 and found.text.split()[-1] == found.names[0]
        own = {}
        for name in found.names:
            column = channels if name == "in_channels" else given[name]
            own[name] = self._variable(name, tuple(map(bool, column)) if says else column)
        return " ".join(own.get(word, word) for word in found.text.split())

    def _variable(self, name: str, column: tuple[Any, ...]) -> str:
        """The parameter that has the values of a column, a new one where there is none."""
        for other, values in self.names.items():
            if all(type(a) is type(b) and a == b for a, b in zip(values, column, strict=True)):
                return other
        for other, values in self.names.items():
            if other.startswith(name) and all(_equal(a, b) for a, b in zip(values, column, strict=True)):
                self.names[other] = column
                return other
        own = self._free(name)
        self.names[own] = column
        return own


def given_to(arguments: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """The arguments of a block in all its instances, by name."""
    return {
        name: tuple(argument.get(name) for argument in arguments)
        for name in (arguments[0] if arguments else ())
        if name.isidentifier() and not keyword.iskeyword(name)
    }


def _negated(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(not value for value in values)


def _equal(a: Any, b: Any) -> bool:
    return a is MISSING or b is MISSING or (type(a) is type(b) and bool(a == b))


def written(value: Any) -> str:
    """A value as Python source."""
    if isinstance(value, Text):
        return value.text
    return "None" if value is MISSING else repr(value)
