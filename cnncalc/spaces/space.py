"""A space: a spec, the knobs that are turned, and their values. A candidate is a number, which makes it again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

from ..errors import Misfit, SpecError, did_you_mean, usage_error
from ..graph import Graph
from ..language import expressions
from ..language.spec import Spec, open_spec
from ..record import Record

#: Values of one axis, and axes, at most.
MOST_VALUES, MOST_AXES = 100_000, 40
_NAME = re.compile(r"([^\W\d]\w*)(?:\[(\d{1,3})\])?")


class Axis(Record):
    """A knob: an argument of the spec, an item of one that is a list, or the input's size; and its values."""

    name: str
    argument: str
    item: int | None
    values: tuple[Any, ...]

    @property
    def is_number(self) -> bool:
        """Whether its values are all whole numbers, or all fractions: what formulas are made of."""
        kinds = {type(value) for value in self.values}
        return kinds in ({int}, {float})


class Space:
    """All settings of a spec: the product of its axes, the last one turning fastest.

    >>> space = Space("resnet18", {"width_per_group": range(32, 129, 32), "input": [160, 224]})
    >>> space.size, space.setting(3)
    (8, {'width_per_group': 64, 'input': 224})
    """

    def __init__(self, spec: str | Spec, over: Mapping[str, Sequence[Any]]) -> None:
        self.spec = spec if isinstance(spec, Spec) else open_spec(spec)
        self.base = self.spec.graph()
        self.axes = [self._axis(name, values) for name, values in over.items()]
        if not self.axes:
            raise usage_error("nothing is turned", "--over 'width=16:128:8'")
        if len(self.axes) > MOST_AXES:
            raise usage_error(f"more than {MOST_AXES} axes", "fewer knobs at once")
        seen: set[tuple[str, int | None]] = set()
        for axis in self.axes:
            if (axis.argument, axis.item) in seen or (axis.argument, None) in seen:
                raise usage_error(f"{axis.name} is turned twice", "one axis for each knob")
            seen.add((axis.argument, axis.item))
        self.sizes = [len(axis.values) for axis in self.axes]
        self.size = prod(self.sizes)
        if self.size >= 2**63:
            raise usage_error(f"the space has {self.size:.3g} candidates", "at most 9·10^18")

    def _axis(self, name: str, values: Sequence[Any]) -> Axis:
        found = _NAME.fullmatch(name)
        args = self.base.args
        known = [*args, "input"]
        if found is None or found[1] not in known:
            hint = did_you_mean(name.partition("[")[0], known) or f"knobs are {', '.join(known)}"
            raise usage_error(f"{name} is no knob of {self.spec.file}", hint)
        argument, item = found[1], int(found[2]) if found[2] else None
        if item is not None:
            before = list(self.base.inputs[0].shape or ()) if argument == "input" else args[argument]
            if not isinstance(before, list) or item >= len(before):
                size = f"it has {len(before)} items" if isinstance(before, list) else "it is no list"
                raise usage_error(f"{name} is no item of {argument}", size)
        values = tuple(values)
        if not values:
            raise usage_error(f"{name} has no values", f"--over '{name}=16:128:8', or a list with commas")
        if len(values) > MOST_VALUES:
            raise usage_error(f"{name} has more than {MOST_VALUES:,} values", "a larger step")
        if len({repr(value) for value in values}) < len(values):
            raise usage_error(f"{name} has a value twice", "each once")
        if argument == "input" and any(type(value) is not int or value < 1 for value in values):
            raise usage_error(f"{name}: a size is a whole number from 1 on", "--over input=128:320:32")
        return Axis(name, argument, item, values)

    def digits(self, index: int) -> list[int]:
        """Which value of each axis a candidate has."""
        found = []
        for size in reversed(self.sizes):
            index, digit = divmod(index, size)
            found.append(digit)
        return found[::-1]

    def values(self, index: int) -> list[Any]:
        """The values of a candidate, axis by axis."""
        return [axis.values[digit] for axis, digit in zip(self.axes, self.digits(index), strict=True)]

    def setting(self, index: int) -> dict[str, Any]:
        """A candidate by the names of its axes; raises `SpecError` for one that there is not."""
        if not 0 <= index < self.size:
            raise usage_error(f"there is no candidate {index}", f"they are numbered from 0 to {self.size - 1:,}")
        return dict(zip((axis.name for axis in self.axes), self.values(index), strict=True))

    def graph(self, values: Sequence[Any]) -> Graph:
        """The network with these values of the axes; raises `SpecError` where there is none."""
        args: dict[str, Any] = {}
        shape: list[Any] | None = None
        for axis, value in zip(self.axes, values, strict=True):
            if axis.argument == "input":
                shape = list(self.base.inputs[0].shape or ()) if shape is None else shape
                if axis.item is None:
                    shape[1:] = [value] * (len(shape) - 1)
                else:
                    shape[axis.item] = value
            elif axis.item is None:
                args[axis.argument] = value
            else:
                items = args.setdefault(axis.argument, list(self.base.args[axis.argument]))
                items[axis.item] = value
        return self.spec.graph(args, {"": shape} if shape is not None else {})


def own_value(space: Space) -> int:
    """The value that a knob has by itself; raises `SpecError` where it is no whole number."""
    (axis,) = space.axes
    if axis.argument == "input":
        value: Any = (space.base.inputs[0].shape or (0, 0))[1 if axis.item is None else axis.item]
    else:
        value = space.base.args[axis.argument]
        value = value if axis.item is None else value[axis.item]
    if type(value) is not int or value < 1:
        raise usage_error(f"{axis.name} is {value}, and no whole number that a formula could hold", "another knob")
    return value


def read_axis(text: str) -> tuple[str, Sequence[Any]]:
    """An axis as it is typed: `width=16:128:8`, both ends in it, or `width=16,32,64`; raises `SpecError`.

    >>> read_axis("width=16:32:8"), read_axis("depths[2]=2,4"), read_axis("scale=0.5,1.0")
    (('width', [16, 24, 32]), ('depths[2]', [2, 4]), ('scale', [0.5, 1.0]))
    """
    name, equals, said = text.partition("=")
    if not equals or not said.strip():
        raise usage_error(f"--over {text} names no values", "--over 'width=16:128:8', or width=16,32,64")
    return name.strip(), _range(name, said) if ":" in said and "[" not in said else _list(name, said)


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
        whole = [int(part) for part in parts]
    except ValueError:
        raise usage_error(f"--over {name}={said}: a range has whole numbers", "from:to, or from:to:by") from None
    if len(whole) not in (2, 3) or (len(whole) == 3 and whole[2] <= 0) or whole[1] < whole[0]:
        raise usage_error(f"--over {name}={said} is no range", "from:to:by, from the least to the most, by at least 1")
    low, high, step = (*whole, 1)[:3]
    if (high - low) // step >= MOST_VALUES:
        raise usage_error(f"{name} has more than {MOST_VALUES:,} values", "a larger step")
    return list(range(low, high + 1, step))


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
