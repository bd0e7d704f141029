"""The names of the tensors that a network keeps, as in PyTorch's `state_dict`."""

from __future__ import annotations

from ..graph import Graph
from ..ops import Shape


def keys_of(graph: Graph) -> dict[str, Shape]:
    """The shapes of parameters and buffers by their names, counters left out.

    >>> from cnncalc.language.model import load
    >>> list(keys_of(load("lenet")).items())[:2]
    [('C1.weight', (6, 1, 5, 5)), ('C1.bias', (6,))]
    """
    found: dict[str, Shape] = {}
    for layer in graph.layers:
        shapes = [shape for shape in graph.shapes_into(layer) if shape is not None]
        if layer.op is None or layer.shares >= 0 or layer.is_declared or not shapes:
            continue
        for parameter in layer.op.parameters(*shapes):
            if parameter.role != "counter":
                found[f"{layer.name}.{parameter.name}" if parameter.name else layer.name] = parameter.shape
    return found
