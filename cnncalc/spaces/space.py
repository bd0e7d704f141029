"""A space: a spec, the knobs that are turned, and their values. A candidate is a number, which makes it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

from ..errors import Misfit, SpecError, usage_error
from ..graph import Graph
from ..language import expressions
from ..language.model import graph_of
from ..language.reader import Mapping as Table
from ..language.space import MOST_AXES, Axis, Knob, Stated, knob, overlaps, spread
from ..language.space import axis as read
from ..language.spec import Spec, open_spec
from ..record import Record


class Turned(Record):
    """A knob of a space: on which axis it is, and its value at each place of it."""

    name: str
    knob: Knob
    axis: int
    values: tuple[Any, ...]

    @property
    def is_number(self) -> bool:
        """Whether its values are all whole numbers, or all fractions: what formulas are made of."""
        kinds = {type(value) for value in self.values}
        return kinds in ({int}, {float})


class Space:
    """All settings of a spec: the product of its axes, the last one turning fastest.

    The axes are those that the spec states in `space`, each with other values where `over` gives them, and those that
    `over` adds, or with `alone` these only; a name with commas, as `width,depth`, is of knobs that move together.

    >>> space = Space("resnet18", {"width_per_group": range(32, 129, 32), "input": [160, 224]})
    >>> space.size, space.setting(3)
    (8, {'width_per_group': 64, 'input': 224})
    """

    def __init__(self, spec: str | Spec, over: Mapping[str, Iterable[Any]], alone: bool = False) -> None:
        self.stated = spec if isinstance(spec, Spec) else open_spec(spec)
        self.base = graph_of(self.stated)
        # What a spec says of its space is read once, and not for each candidate.
        root = self.stated.root
        self.spec = self.stated._replace(
            root=Table({key: each for key, each in root.pairs.items() if key != "space"}, root.place)
        )
        several = len(self.base.inputs) != 1
        self.shape = () if several else self.base.inputs[0].shape or ()
        own: Stated = self.base.space or Stated()
        self.axes = self._with(() if alone else own.axes, over)
        if not self.axes:
            raise usage_error("nothing is turned", "--over 'width=16:128:8', or `space` in the spec")
        if len(self.axes) > MOST_AXES:
            raise usage_error(f"more than {MOST_AXES} axes", "fewer knobs at once")
        self.knobs = [
            Turned(knob.name, knob, number, tuple(value[place] for value in axis.values))
            for number, axis in enumerate(self.axes)
            for place, knob in enumerate(axis.knobs)
        ]
        self.names = [knob.name for knob in self.knobs]
        self.where = own.where
        self.sizes = [len(axis.values) for axis in self.axes]
        self.size = prod(self.sizes)
        if self.size >= 2**63:
            raise usage_error(f"the space has {self.size:.3g} candidates", "at most 9·10^18")

    def _with(self, stated: Sequence[Axis], over: Mapping[str, Iterable[Any]]) -> list[Axis]:
        """The axes of the spec, those of `over` in place of what turns the same, and those that it adds."""
        asked = []
        for name, values in over.items():
            try:
                asked.append(read(name, values, self.base.args, self.shape))
            except Misfit as misfit:
                raise usage_error(f"{self.stated.file}: {misfit.cause}", misfit.hint) from None
        twice = overlaps(asked)
        if twice:
            raise usage_error(f"{twice} is turned twice", "one axis for each knob")
        found: list[Axis] = []
        for axis in stated:
            same = [each for each in asked if overlaps([axis, each])]
            if not same:
                found.append(axis)
                continue
            alone = [
                knob.name for knob in axis.knobs if not any(knob.turns(one) for each in same for one in each.knobs)
            ]
            if alone:
                hint = f"--over '{axis.name}=[…],[…]' gives the values of each"
                raise usage_error(f"{same[0].name} moves together with {', '.join(alone)} in this space", hint)
            found += [each for each in same if each not in found]
        return [*found, *(each for each in asked if each not in found)]

    def own(self, name: str) -> Any:
        """What a knob is by itself."""
        one = knob(name, self.base.args, self.shape)
        if one.argument == "input":
            value: Any = (self.shape or (0, 0))[min(1, len(self.shape) - 1) if one.item is None else one.item]
        else:
            value = self.base.args[one.argument]
            value = value if one.item is None else value[one.item]
        return value

    def digits(self, index: int) -> list[int]:
        """Which value of each knob a candidate has."""
        found = []
        for size in reversed(self.sizes):
            index, digit = divmod(index, size)
            found.append(digit)
        places = found[::-1]
        return [places[knob.axis] for knob in self.knobs]

    def values(self, index: int) -> list[Any]:
        """The values of a candidate, knob by knob."""
        return [knob.values[digit] for knob, digit in zip(self.knobs, self.digits(index), strict=True)]

    def setting(self, index: int) -> dict[str, Any]:
        """A candidate by the names of its knobs; raises `SpecError` for one that there is not."""
        if not 0 <= index < self.size:
            raise usage_error(f"there is no candidate {index}", f"they are numbered from 0 to {self.size - 1:,}")
        return dict(zip(self.names, self.values(index), strict=True))

    def graph(self, values: Sequence[Any]) -> Graph:
        """The network with these values of the axes; raises `SpecError` where there is none."""
        args: dict[str, Any] = {}
        shape: list[Any] | None = None
        for turned, value in zip(self.knobs, values, strict=True):
            argument, item = turned.knob.argument, turned.knob.item
            if argument == "input":
                shape = list(self.shape) if shape is None else shape
                if item is None:
                    shape[1:] = [value] * (len(shape) - 1)
                else:
                    shape[item] = value
            elif item is None:
                args[argument] = value
            else:
                items = args.setdefault(argument, list(self.base.args[argument]))
                items[item] = value
        return graph_of(self.spec, args, {"": shape} if shape is not None else {})


def own_value(spec: str | Spec, name: str) -> int:
    """The value that a knob has by itself; raises `SpecError` where it is no whole number."""
    value = Space(spec, {name: [1]}, alone=True).own(name)
    if type(value) is not int or value < 1:
        raise usage_error(f"{name} is {value}, and no whole number that a formula could hold", "another knob")
    return value


def read_axis(text: str) -> tuple[str, Sequence[Any]]:
    """An axis as it is typed: `width=16:128:8`, both ends in it, or `width=16,32,64`; raises `SpecError`.

    >>> read_axis("width=16:32:8"), read_axis("depths[2]=2,4"), read_axis("scale=0.5,1.0")
    (('width', [16, 24, 32]), ('depths[2]', [2, 4]), ('scale', [0.5, 1.0]))
    """
    name, equals, said = text.partition("=")
    if not equals or not said.strip():
        raise usage_error(f"--over {text} names no values", "--over 'width=16:128:8', or width=16,32,64")
    name = ",".join(part.strip() for part in name.split(","))
    return name, _range(name, said) if ":" in said and "[" not in said else _list(name, said)


def read_axes(texts: Iterable[str]) -> dict[str, Sequence[Any]]:
    """Several axes as they are typed, by the names of their knobs; raises `SpecError`."""
    found: dict[str, Sequence[Any]] = {}
    for text in texts:
        name, values = read_axis(text)
        if name in found:
            raise usage_error(f"{name} is turned twice", "one --over for each knob")
        found[name] = values
    return found


def _range(name: str, said: str) -> Sequence[Any]:
    parts = said.split(":")
    try:
        ends = [float(part) if "." in part else int(part) for part in parts]
    except ValueError:
        raise usage_error(f"--over {name}={said}: a range has numbers", "from:to, or from:to:by") from None
    if len(ends) not in (2, 3):
        raise usage_error(f"--over {name}={said} is no range", "from:to, or from:to:by")
    try:
        return spread(*ends)
    except Misfit as misfit:
        raise usage_error(f"--over {name}={said}: {misfit.cause}", misfit.hint) from None


def _list(name: str, said: str) -> Sequence[Any]:
    try:
        found = expressions.evaluate(f"[{said}]", {})
    except (Misfit, SpecError) as error:
        raise usage_error(f"--over {name}={said} is no list of values: {error}", "width=16,32,64") from None
    return list(found)


def split(size: int, chunk: int) -> Iterator[tuple[int, int]]:
    """Where parts of so many candidates begin and end.

    >>> list(split(5, 2))
    [(0, 2), (2, 4), (4, 5)]
    """
    for start in range(0, size, chunk):
        yield start, min(size, start + chunk)
