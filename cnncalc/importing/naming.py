"""What the vectors of a template are called: expressions of what is known already, or arguments of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ..language.model import usable
from .unify import MISSING, Vector, opposite

#: What an argument is called where the program has no name for it.
CALLED = {
    "out_channels": "width",
    "out_features": "features",
    "kernel_size": "kernel",
    "repeat": "depth",
    "num_groups": "groups",
    "output_size": "size",
    "p": "drop",
    "when": "wide",
    "from": "other",
}
#: Names of attributes that say nothing.
EMPTY = re.compile(r"_.*|training|\d.*|.*(version|idx|index|id)")


class Argument:
    """An argument of a block, or a column of a repeat: its name, its value for each use, its kind, and its default.

    `first` is the argument of a layer, by both names, that it was made for.
    """

    def __init__(
        self, name: str, values: Sequence[Any], kind: str, first: tuple[str, str], default: Any = None
    ) -> None:
        self.name, self.values, self.kind, self.first, self.default = name, list(values), kind, first, default
        self.has_default = default is not None
        self.related = False  # whether others are worked out from it

    def value(self, place: int) -> Any:
        return self.values[place]


class Names:
    """Turns the vectors of a template into expressions over arguments."""

    def __init__(
        self, attributes: Sequence[Mapping[str, Any]], enters: Sequence[int], taken: set[str], columns: bool
    ) -> None:
        self.attributes, self.enters, self.taken = attributes, list(enters), set(taken)
        self.inner: Sequence[Mapping[tuple[str, str], Any]] = ()  # of the modules below, by path and attribute
        self.arguments: list[Argument] = []
        self.columns = columns  # whether `in_channels` means nothing here
        self.own = 0  # arguments that bear a name of the program's

    # -- numbers -----------------------------------------------------------------------------------------------------

    def value(self, vector: Vector) -> Any:
        """The expression that a vector becomes."""
        within = self._within_layer(vector)
        if within is not None:
            return within
        for argument in self.arguments:
            if argument.kind == vector.kind and agree(argument.values, vector.values):
                self._fill(argument, vector)
                return argument.name
        for argument in self.arguments:  # the same layer in alternatives, of which each use has one
            if argument.first == vector.of and argument.kind == vector.kind and exclude(argument.values, vector.values):
                self._fill(argument, vector)
                return argument.name
        if vector.kind == "channels":
            related = self._related(vector)
            if related is not None:
                return related
        return self._new(vector).name

    def _within_layer(self, vector: Vector) -> str | None:
        """A relation to the layer's own channels or kernel: a depthwise convolution, a padding of half the kernel."""
        statement = vector.statement
        if statement is None or len(set(map(repr, vector.known))) < 2:
            return None
        if vector.key in ("groups", "out_channels") and "groups" in statement.arguments:
            groups = statement.arguments["groups"]
            depthwise = groups == "in_channels" or (isinstance(groups, Vector) and agree(groups.values, vector.enters))
            if depthwise and agree(vector.values, vector.enters):
                return "in_channels"
        kernel = statement.arguments.get("kernel_size")
        sizes = statement.was.get("kernel_size", kernel)
        if vector.key == "padding" and isinstance(sizes, Vector):
            both = list(zip(vector.values, sizes.values, strict=True))
            if all(p is MISSING or (isinstance(p, int) and isinstance(k, int) and p == k // 2) for p, k in both):
                return f"{kernel if isinstance(kernel, str) else self.value(sizes)} // 2"
        return None

    def _related(self, vector: Vector) -> str | None:
        """A multiple or fraction of an argument that counts channels, or of those that enter the layer."""
        if len(set(vector.known)) < 2 or not all(isinstance(value, int) for value in vector.known):
            return None
        for argument in self.arguments:
            if argument.kind == "channels":
                factor, divisor = ratio(vector.values, argument.values), ratio(argument.values, vector.values)
                argument.related |= bool(factor or divisor)
                if factor:
                    return f"{factor} * {argument.name}"
                if divisor:
                    return f"{argument.name} // {divisor}"
                if vector.key in ("start", "stop"):  # parts of the channels: three eighths of them, say
                    share = fraction(vector.values, argument.values)
                    if share is not None:
                        argument.related = True
                        return f"{share.numerator} * {argument.name} // {share.denominator}"
        if vector.statement is None or not all(isinstance(each, int) for each in vector.enters if each is not MISSING):
            return None
        if agree(vector.values, vector.enters):
            return "in_channels"
        factor, divisor = ratio(vector.values, vector.enters), ratio(vector.enters, vector.values)
        return f"{factor} * in_channels" if factor else f"in_channels // {divisor}" if divisor else None

    def _fill(self, argument: Argument, vector: Vector) -> None:
        for place, value in enumerate(vector.values):
            if argument.values[place] is MISSING:
                argument.values[place] = value

    def _new(self, vector: Vector) -> Argument:
        name, own = self._named(vector)
        argument = Argument(name, vector.values, vector.kind, vector.of)
        self.own += own
        self.arguments.append(argument)
        self.taken.add(name)
        return argument

    def _named(self, vector: Vector) -> tuple[str, bool]:
        """A name for a vector, and whether it is the program's own."""
        wanted = "when" if vector.key == "when" else vector.key
        found = [name for name in self._candidates() if self._holds(self.attributes, name, vector)]
        if not found:
            found = [key[1] for key in self._inner() if self._holds(self.inner, key, vector)]
        found.sort(key=lambda name: (name != wanted, wanted not in name and name not in wanted, len(name), name))
        for name in found:
            if name not in self.taken:
                return name, True
        base = CALLED.get(wanted, wanted)
        if vector.key == "when":
            name = vector.statement.name if vector.statement is not None else ""
            base = f"with_{name}" if usable(f"with_{name}") and name else "residual" if not name else "wide"
        number = 1
        while (name := base if number == 1 else f"{base}{number}") in self.taken or not usable(name):
            number += 1
        return name, False

    def _candidates(self) -> list[str]:
        if not self.attributes or not self.attributes[0]:
            return []
        return [name for name in self.attributes[0] if usable(name) and not EMPTY.fullmatch(name)]

    def _inner(self) -> list[tuple[str, str]]:
        """The names of what the modules within the modules keep."""
        return [key for key in self.inner[0] if usable(key[1]) and not EMPTY.fullmatch(key[1])] if self.inner else []

    @staticmethod
    def _holds(kept: Sequence[Mapping[Any, Any]], name: Any, vector: Vector) -> bool:
        """Whether an attribute of the modules has these values."""
        switch = vector.key == "when" or all(isinstance(value, bool) for value in vector.known)
        for attributes, value in zip(kept, vector.values, strict=True):
            if value is MISSING:
                continue
            held = attributes.get(name, MISSING)
            held = held[0] if isinstance(held, list) and held and all(each == held[0] for each in held) else held
            if held is MISSING or held is None or isinstance(held, bool) != switch or held != value:
                return False
        return True

    # -- conditions --------------------------------------------------------------------------------------------------

    def condition(self, vector: Vector, out: Sequence[Any] | None, out_shown: str | None) -> Any:
        """The condition that a vector of true and false becomes."""
        tests: list[tuple[str, list[bool], Argument | None]] = []
        for argument in self.arguments:
            if argument.related and MISSING in argument.values:
                continue  # what is put in its place would be a value of others
            numbers = [each for each in argument.values if each is not MISSING]
            plain = all(isinstance(each, int) and not isinstance(each, bool) for each in numbers)
            if plain and argument.kind in ("stride", "channels", "kernel_size", "repeat"):
                none = absent(argument)
                differs = [each is not MISSING and each != none for each in argument.values]
                tests.append((f"{argument.name} != {none}", differs, argument))
        if out is not None and out_shown and vector.enters and all(isinstance(each, int) for each in vector.enters):
            differs = [a != b for a, b in zip(vector.enters, out, strict=True)]
            tests.append((f"in_channels != {out_shown}", differs, None))
        # What is known of all uses comes first.
        tests.sort(key=lambda test: test[2] is not None and MISSING in test[2].values)
        single = [(text, truth, [argument]) for text, truth, argument in tests]
        double = [(f"{first} or {second}", [a or b for a, b in zip(one, other, strict=True)], [mine, yours])
                  for i, (first, one, mine) in enumerate(tests) for second, other, yours in tests[i + 1 :]]  # fmt: skip
        for text, truth, used in [*single, *double]:
            negated = [not each for each in truth]
            if agree(vector.values, truth) or agree(vector.values, negated):
                for each in used:
                    if each is not None:
                        none = absent(each)
                        each.values = [none if value is MISSING else value for value in each.values]
                if agree(vector.values, truth):
                    return text
                return text.replace("!=", "==").replace(" or ", " and ")
        for argument in self.arguments:
            if argument.kind == "when" and agree(vector.values, argument.values):
                self._fill(argument, vector)
                return argument.name
            if argument.kind == "when" and agree(vector.values, opposite(argument.values)):
                return f"not {argument.name}"
        contrary = Vector("when", opposite(vector.values), vector.statement, vector.enters)
        if self._named(contrary)[1] and not self._named(vector)[1]:  # the program has a name for the contrary
            return f"not {self._new(contrary).name}"
        return self._new(vector).name


def absent(argument: Argument) -> int:
    """The value that stands for a layer which is not there: no channels, but a stride, a kernel or a group of one."""
    counts = argument.kind == "channels" and argument.first[1] != "groups"
    return 0 if counts and not {MISSING, 0}.isdisjoint(argument.values) else 1


def agree(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether two vectors are equal where both have a value, and both have one somewhere."""
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a is not MISSING and b is not MISSING]
    return bool(pairs) and all(a == b and isinstance(a, bool) == isinstance(b, bool) for a, b in pairs)


def exclude(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether two vectors have no value at the same place."""
    return all(a is MISSING or b is MISSING for a, b in zip(left, right, strict=True))


def fraction(left: Sequence[Any], right: Sequence[Any]) -> Fraction | None:
    """The share that one vector always is of the other, in sixty-fourths or larger; None where there is none."""
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a is not MISSING and b is not MISSING]
    if len({b for _, b in pairs}) < 2 or not all(isinstance(a, int) and isinstance(b, int) and b for a, b in pairs):
        return None
    share = Fraction(*pairs[0])
    return share if share.denominator <= 64 and all(a == share * b for a, b in pairs) else None


def ratio(left: Sequence[Any], right: Sequence[Any]) -> int:
    """The whole number, above 1, by which one vector is always the other; 0 where there is none."""
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a is not MISSING and b is not MISSING]
    if len({b for _, b in pairs}) < 2 or not all(isinstance(a, int) and isinstance(b, int) and b for a, b in pairs):
        return 0
    factor = pairs[0][0] // pairs[0][1]
    return factor if factor > 1 and all(a == factor * b for a, b in pairs) else 0
