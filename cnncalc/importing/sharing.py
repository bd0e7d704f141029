"""Tensors that several layers hold, and not as one layer that runs again: each is counted once."""

from __future__ import annotations

from math import prod
from typing import Any

from .program import Call, Reading, work_of
from .values import BIASED, FIXED, FROZEN, POWER, SCALED, SHIFTED, Pending

#: Types that may turn out to be a part of a layer, with what they hold.
PARTS = frozenset((SCALED, FIXED, SHIFTED, BIASED, POWER, *FROZEN.values()))


def counted_once(reading: Reading, ties: bool) -> list[Pending]:
    """The layers that were read, with each tensor in the figures of one of them: the first that is understood.

    Where `ties` are meant, and no mere saving of an exporter's, a layer that holds what another does, under other
    arguments or beside tensors of its own, is declared: the language has no such layer.
    """
    layers = list(reading.pending)
    owners: dict[str, int] = {}
    for number, each in enumerate(layers):
        if each.figures is None:
            for name in reading.holds[number][1]:
                owners.setdefault(name, number)
    for number, each in enumerate(layers):
        node, names = reading.holds[number]
        others = {owners.get(name, number) for name in names} - {number}
        if others and each.figures is None and ties and not _is_again(reading, number, others):
            first = min(others)
            tied = [name for name in names if owners[name] != number]
            note = f"{each.type}: holds {', '.join(tied)} of {layers[first].owner.lstrip('=') or 'another layer'}, too"
            figures = {"shape": list(each.shape), **_counts(reading, [name for name in names if name not in tied])}
            work = work_of(Call(reading, node))
            figures |= {"inputs": len(each.inputs)} if len(each.inputs) != 1 else {}
            figures |= {"macs": work} if work is not None else {}
            layers[number] = each._replace(
                type=f"Tied{each.type}", arguments={}, owner="", figures={**figures, "note": note}
            )
        elif others and each.figures is not None and each.type not in PARTS:
            own = [name for name in names if name not in owners]
            layers[number] = each._replace(figures={**each.figures, **_counts(reading, own)})
        if each.figures is not None:
            for name in names:
                owners.setdefault(name, number)
    return layers


def _is_again(reading: Reading, number: int, others: set[int]) -> bool:
    """Whether a layer is another one that runs again, or comes of the same operation."""
    first = min(others)
    one, other = reading.pending[first], reading.pending[number]
    node, names = reading.holds[first]
    same = (one.type, one.arguments) == (other.type, other.arguments) and names == reading.holds[number][1]
    return node is reading.holds[number][0] or (same and len(others) == 1)


def _counts(reading: Reading, names: list[str]) -> dict[str, Any]:
    found = {"params": 0, "buffers": 0}
    for name in names:
        tensor = reading.tensors[name]
        found["params" if tensor["kind"] == "parameter" else "buffers"] += prod(tensor["shape"])
    return found
