"""Spaces for the tests: of each family of the zoo, its knobs with values around its own."""

from __future__ import annotations

from typing import Any

from cnncalc.language.model import load

#: What is kept small, or the numbers of a space would fit no processor's.
MOST_OF_AN_AXIS = 7


def around(value: Any) -> list[Any]:
    """Some values near one; none for what is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return []
    if isinstance(value, float):
        return sorted({round(value * share, 3) for share in (0.5, 0.75, 1.0, 1.25, 1.5)})
    if value <= 8:
        return list(range(1, value + 3))[:MOST_OF_AN_AXIS]
    return sorted({max(1, value * share // 8) for share in (4, 6, 7, 8, 9, 10, 12)})


def knobs(name: str) -> dict[str, list[Any]]:
    """The knobs of a network with some values of each: those of its args, of their items, and of its input."""
    graph = load(name)
    found: dict[str, list[Any]] = {}
    for key, value in graph.args.items():
        if isinstance(value, list):
            found |= {f"{key}[{i}]": around(each) for i, each in enumerate(value[:4])}
        else:
            found[key] = around(value)
    shape = graph.inputs[0].shape or ()
    if len(graph.inputs) == 1 and len(shape) == 3 and shape[1] == shape[2]:
        found["input"] = sorted({max(1, shape[1] + step) for step in (-64, -32, -7, 0, 1, 32)})
    return {key: values for key, values in found.items() if len(values) > 1}
