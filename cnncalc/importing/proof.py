"""Whether a spec is the network that it was written for: expanded, it equals the flat network layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..graph import Graph
from ..ops import MERGES, REGISTRY
from .flat import Flat

#: Merges whose first two branches may stand in either order.
COMMUTES = frozenset({"add", "multiply", "maximum"})


def in_any_order(branches: Sequence[Any]) -> list[Any]:
    """Branches in an order that does not tell the first two apart: of more, a sum rounds otherwise in another order.

    >>> in_any_order(["b", "a", "d", "c"])
    ['a', 'b', 'd', 'c']
    """
    return [*sorted(branches[:2]), *branches[2:]]


def differences(flat: Flat, graph: Graph) -> Iterator[tuple[str, str]]:
    """The layers in which a graph is not the flat network: each path, and what differs."""
    made = {layer.name: layer for layer in graph.nodes}
    for number, node in enumerate(flat.nodes):
        layer = made.pop(node.name, None)
        if layer is None:
            yield node.name, "is missing"
            continue
        if layer.shape != node.shape:
            yield node.name, f"gives {layer.shape}, not {node.shape}"
        if number < flat.input_count:
            continue
        taken = [graph.nodes[i].name for i in layer.inputs]
        wanted = [flat.nodes[i].name for i in node.inputs]
        if node.type in COMMUTES:
            taken, wanted = in_any_order(taken), in_any_order(wanted)
        if taken != wanted:
            yield node.name, f"takes {', '.join(taken)}, not {', '.join(wanted)}"
        if node.figures is not None:
            continue
        if node.shares >= 0 and node.type not in MERGES:
            if layer.shares < 0 or graph.nodes[layer.shares].name != flat.nodes[node.shares].name:
                yield node.name, f"does not share the weights of {flat.nodes[node.shares].name}"
        elif layer.type != node.type or layer.op != REGISTRY[node.type](**node.arguments):
            yield node.name, f"is {layer.op}"
    for name in made:
        yield name, "is one too many"
    results = [graph.nodes[i].name for i in graph.outputs]
    if results != [flat.nodes[i].name for i in flat.outputs]:
        yield results[0] if results else "", "comes out"
