"""What can be turned: the numbers of a spec's `args` and of its input, with the places where they are written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from ...language.reader import Mapping, Node, Scalar, Sequence
from ...language.spec import Spec
from ...record import Record

#: Knobs at most, and items of a list that have one each.
MOST, ITEMS = 24, 8


class Knob(Record):
    """A number, from where to where it is turned, and the places in the text (line, column, length) that say it."""

    name: str
    value: Any
    low: float
    high: float
    step: float
    places: list[tuple[int, int, int]]


def knobs(spec: Spec, space: Any = None) -> list[Knob]:
    """The knobs of a spec, its variant's own settings before those of the family; what `space` states is their range.

    >>> from cnncalc.language.spec import open_spec
    >>> [(knob.name, knob.value, knob.low, knob.high) for knob in knobs(open_spec("resnet50"))][-1]
    ('input: size', 224, 32, 448)
    """
    own = _settings(spec.root.get("variants"), spec.variant)
    found: list[Knob] = []
    args = spec.root.get("args")
    for name, _, node in args.items() if isinstance(args, Mapping) else ():
        found += _of(name, own.get(name, node))
    stated = _stated(space)
    return [
        knob._replace(**stated.get(knob.name.replace("input: size", "input"), {}))
        for knob in (*found[:MOST], *_of_input(spec.root.get("input")))
    ]


def _stated(space: Any) -> dict[str, dict[str, Any]]:
    """From where to where the spec itself has a knob turned, where that is in steps of one size."""
    found = {}
    for axis in space.axes if space else ():
        for place, knob in enumerate(axis.knobs):
            values = sorted({value[place] for value in axis.values if type(value[place]) in (int, float)})
            steps = {round(b - a, 9) for a, b in pairwise(values)}
            if len(steps) == 1:
                found[knob.name] = {"low": values[0], "high": values[-1], "step": steps.pop()}
    return found


def _settings(variants: Node | None, variant: str) -> dict[str, Node]:
    chosen = variants.get(variant) if isinstance(variants, Mapping) and variant else None
    return {name: node for name, _, node in chosen.items()} if isinstance(chosen, Mapping) else {}


def _of(name: str, node: Node) -> Iterator[Knob]:
    """One for a number, one for each item of a short list of them."""
    if isinstance(node, Scalar) and isinstance(node.value, (int, float)):
        yield _knob(name, [node])
    elif isinstance(node, Sequence) and len(node.items) <= ITEMS:
        for i, item in enumerate(node.items):
            if isinstance(item, Scalar) and isinstance(item.value, (int, float)):
                yield _knob(f"{name}[{i}]", [item])


def _of_input(node: Node | None) -> Iterator[Knob]:
    """The sizes of the input; height and width are turned together where they are the same."""
    inputs = {"input": node} if isinstance(node, Sequence) else {}
    if isinstance(node, Mapping):
        inputs = {name: each for name, _, each in node.items() if isinstance(each, Sequence)}
    for name, shape in inputs.items():
        sides = [each for each in shape.items if isinstance(each, Scalar) and type(each.value) is int]
        if len(sides) != len(shape.items) or len(sides) not in (2, 3):
            continue
        if len(sides) == 3 and sides[1].value == sides[2].value:
            yield _knob(f"{name}: size", sides[1:])
        else:
            words = ("height", "width") if len(sides) == 3 else ("length",)
            for word, side in zip(words, sides[1:], strict=True):
                yield _knob(f"{name}: {word}", [side])


def _knob(name: str, nodes: list[Scalar]) -> Knob:
    value = nodes[0].value
    low, high, step = _range(value, name.rpartition(": ")[2] != name)
    places = [(node.place.line, node.place.column, len(node.text)) for node in nodes]
    return Knob(name, value, low, high, step, places)


def _range(value: Any, is_side: bool) -> tuple[float, float, float]:
    """From where to where a number is turned, and by how much: as its own divisors have it."""
    if isinstance(value, bool):
        return 0, 1, 1
    if isinstance(value, float):
        step = 0.05 if 0.1 <= abs(value) <= 10 else max(abs(value) / 20, 0.001)
        return (min(0.0, 2 * value), max(2 * value, step), step)
    steps = (32, 16, 8, 4) if is_side else (64, 32, 16, 8)
    step = next((each for each in steps if value % each == 0 and value >= 2 * each), 1)
    least = min(value, step if value > 0 else 0)
    return least, max(2 * value, 4 * step), step
