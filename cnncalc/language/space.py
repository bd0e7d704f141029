"""The space of a family: `space` names knobs, the values that each takes, and which of them go together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import lcm
from typing import Any

from ..errors import Misfit, did_you_mean
from ..record import Record
from .conditions import Condition
from .reader import Mapping as Table
from .reader import Node, Scalar
from .reader import Sequence as Items
from .workspace import UNKNOWN, Names, Workspace

#: Values of one axis, axes, and conditions at most.
MOST_VALUES, MOST_AXES, MOST_CONDITIONS = 100_000, 40, 100
EXAMPLE = "space: {width: {from: 16, to: 128, by: 8}, input: [160, 224]}"
_NAME = re.compile(r"([^\W\d]\w*)(?:\[(\d{1,3})\])?")
_ENDS = ("from", "to", "by")


class Knob(Record):
    """What is turned: an argument of the spec, an item of one that is a list, or the input's size."""

    name: str
    argument: str
    item: int | None

    def turns(self, other: Knob) -> bool:
        """Whether it turns what another one turns."""
        return self.argument == other.argument and (self.item == other.item or self.item is None or other.item is None)


class Axis(Record):
    """One knob, or several that move together, and their values, a tuple with one of each knob."""

    knobs: tuple[Knob, ...]
    values: tuple[tuple[Any, ...], ...]

    @property
    def name(self) -> str:
        return ",".join(knob.name for knob in self.knobs)


class Stated(Record):
    """What a spec states: its axes, and conditions between their knobs."""

    axes: tuple[Axis, ...] = ()
    where: tuple[str, ...] = ()


def knob(name: str, args: Mapping[str, Any], shape: Sequence[int]) -> Knob:
    """A knob by its name, of a network with these arguments and this input; raises `Misfit`.

    >>> knob("depths[1]", {"depths": [3, 4]}, (3, 224, 224)).item
    1
    """
    found = _NAME.fullmatch(name)
    known = [*args, "input"]
    if found is None or found[1] not in known:
        hint = did_you_mean(name.partition("[")[0], known) or f"knobs are {', '.join(known)}"
        raise Misfit(f"{name} is no knob", hint)
    argument, item = found[1], int(found[2]) if found[2] else None
    if item is not None:
        before = list(shape) if argument == "input" else args[argument]
        if not isinstance(before, list) or item >= len(before):
            size = f"it has {len(before)} items" if isinstance(before, list) else "it is no list"
            raise Misfit(f"{name} is no item of {argument}", size)
    return Knob(name, argument, item)


def axis(name: str, values: Iterable[Any], args: Mapping[str, Any], shape: Sequence[int]) -> Axis:
    """An axis by the names of its knobs, as `width` or `width, depth`, and by its values; raises `Misfit`.

    >>> axis("w, d", [[16, 1], [32, 2]], {"w": 8, "d": 1}, ()).values
    ((16, 1), (32, 2))
    """
    knobs = tuple(knob(each.strip(), args, shape) for each in name.split(","))
    for i, one in enumerate(knobs):
        if any(one.turns(other) for other in knobs[:i]):
            raise Misfit(f"{one.name} is turned twice", "each knob once")
    found: list[tuple[Any, ...]] = []
    seen: set[int | str] = set()
    sizes = [one for one in knobs if one.argument == "input"]
    for value in values:
        if len(found) >= MOST_VALUES:
            raise Misfit(f"{name} has more than {MOST_VALUES:,} values", "a larger step")
        if len(knobs) > 1 and (not isinstance(value, (list, tuple)) or len(value) != len(knobs)):
            raise Misfit(f"{name} move together, and {value} is no value of each", f"{name}: [[1, 2], [3, 4]]")
        found.append(tuple(value) if len(knobs) > 1 else (value,))
        mark = value if type(value) is int else repr(found[-1])
        if mark in seen:
            raise Misfit(f"{name} has the value {value} twice", "each once")
        seen.add(mark)
        for each, one in zip(found[-1], knobs, strict=True) if sizes else ():
            if one in sizes and (type(each) is not int or each < 1):
                raise Misfit(f"{one.name}: a size is a whole number from 1 on, not {each}", "input: [160, 224]")
    if not found:
        raise Misfit(f"{name} has no values", "a list, or from, to and by")
    return Axis(knobs, tuple(found))


def spread(low: Any, high: Any, by: Any = 1) -> list[Any]:
    """From one number to another, both in it, by steps; fractions as they are written. Raises `Misfit`.

    >>> spread(16, 32, 8), spread(0.5, 0.8, 0.1)
    ([16, 24, 32], [0.5, 0.6, 0.7, 0.8])
    """
    if not all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in (low, high, by)):
        raise Misfit("the ends of a range are numbers", "{from: 16, to: 128, by: 8}")
    try:
        first, last, step = (Fraction(repr(each)) for each in (low, high, by))
    except ValueError:
        raise Misfit("the ends of a range are finite", "{from: 16, to: 128, by: 8}") from None
    if step <= 0 or last < first:
        raise Misfit(f"from {low} to {high} by {by} is no range", "from the least to the most, by more than 0")
    count = (last - first) // step + 1
    if count > MOST_VALUES:
        raise Misfit(f"a range of more than {MOST_VALUES:,} values", "a larger step")
    if all(type(each) is int for each in (low, high, by)):
        return list(range(low, high + 1, by))
    below = lcm(first.denominator, step.denominator)
    begin, more = int(first * below), int(step * below)
    return [(begin + i * more) / below for i in range(count)]  # the nearest number to each fraction


def overlaps(axes: Iterable[Axis]) -> str:
    """The name of a knob that is turned twice, if any is."""
    seen: list[Knob] = []
    for each in axes:
        for one in each.knobs:
            if any(one.turns(other) for other in seen):
                return one.name
        seen += each.knobs
    return ""


def stated_space(space: Workspace, node: Node | None, args: Mapping[str, Any], shape: Sequence[int]) -> Stated:
    """What `space` says; what is wrong in it is noted at its place."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return Stated()
    if not isinstance(node, Table):
        space.problem("space", "space wants knobs with their values", node.place, EXAMPLE)
        return Stated()
    axes, names = [], Names(dict(args))
    for name, key, values in node.items():
        if name != "where":
            try:
                found = _values(space, values, names)
                if found is not UNKNOWN:
                    axes.append(axis(name, found, args, shape))
                    if overlaps(axes):
                        raise Misfit(f"{overlaps(axes)} is turned twice", "each knob once")
            except Misfit as misfit:
                space.problem("space", misfit.cause, key.place, misfit.hint)
    if len(axes) > MOST_AXES:
        space.problem("space", f"more than {MOST_AXES} axes", node.place, "knobs that move together are one axis")
    return Stated(tuple(axes), tuple(_conditions(space, node.get("where"), known_names(axes, args, shape))))


def known_names(axes: Iterable[Axis], args: Mapping[str, Any], shape: Sequence[int]) -> list[str]:
    """The names that conditions between knobs may use: knobs that are turned, and those that stay what they are."""
    names = [one.name for each in axes for one in each.knobs]
    for name, value in args.items():
        names += [name, *(f"{name}[{i}]" for i in range(len(value)))] if isinstance(value, list) else [name]
    names += ["input", *(f"input[{i}]" for i in range(len(shape)))]
    return list(dict.fromkeys(names))


def _values(space: Workspace, node: Node, names: Names) -> Any:
    if isinstance(node, Table):
        strange = [key for key in node.pairs if key not in _ENDS]
        if strange:
            raise Misfit(f"a range has no {strange[0]}", did_you_mean(strange[0], _ENDS) or "{from: 1, to: 9, by: 2}")
        for end in ("from", "to"):
            if end not in node.pairs:
                raise Misfit(f"a range without {end} has no end", "{from: 16, to: 128, by: 8}")
        ends = {key: space.value(each, None, names) for key, _, each in node.items()}
        if any(value is UNKNOWN for value in ends.values()):
            return UNKNOWN
        space.budget.hold(1)
        found = spread(ends["from"], ends["to"], ends.get("by", 1))
        space.budget.hold(len(found))
        return found
    value = space.value(node, None, names, words=True)
    if value is not UNKNOWN and not isinstance(value, list):
        raise Misfit("the values of a knob are a list, or a range", EXAMPLE)
    return value


def _conditions(space: Workspace, node: Node | None, names: list[str]) -> list[str]:
    if node is None:
        return []
    found = []
    items = node.items if isinstance(node, Items) else [node]
    for item in items[: MOST_CONDITIONS + 1]:
        if not isinstance(item, Scalar) or not isinstance(item.value, str):
            space.problem("space", "where wants conditions", item.place, "where: [width % groups == 0]")
            continue
        space.budget.spend(10 * len(item.text))
        try:
            found.append(Condition(item.text, names).text)
        except Misfit as misfit:
            space.problem("space", misfit.cause, item.place, misfit.hint)
    if len(items) > MOST_CONDITIONS:
        space.problem("space", f"more than {MOST_CONDITIONS} conditions", node.place)
    return found
