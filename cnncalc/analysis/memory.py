"""Memory: weights, all activations, and the peak of activations during inference."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..formula import formula, prod
from ..graph import Graph, Layer

BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}


@formula(
    "memory of a tensor",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="Stanford CS231n, Convolutional Networks, computational considerations",
)
def tensor_bytes(B: Any, O: Any, b: Any) -> Any:
    return B * prod(O) * b


@formula(
    "memory of the weights",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="parameters and running statistics are stored in the same type",
)
def weight_bytes(E: Any, b: Any) -> Any:
    return E * b


class Tensor(NamedTuple):
    """A storage that is alive at the peak: the layer that made it, and its size."""

    name: str
    bytes: int


class Peak(NamedTuple):
    """The most that activations take at one moment of inference: how much, while which layer runs, and what is alive.

    `extra_bytes` is what PyTorch allocates beside the outputs while that layer runs (a max pool's int64 indices).
    The input belongs to the caller and is not counted.
    """

    bytes: int
    layer: str
    alive: tuple[Tensor, ...]
    extra_bytes: int


def peak(graph: Graph, batch: int, dtype: str, inplace: bool = False) -> Peak:
    """The peak of activations by liveness: a tensor is freed after the last layer that needs it.

    Views (Flatten, Dropout at test time, …) and layers that work in place share the storage of their input;
    `inplace` treats every layer that can work in place as if it did. Unknown shapes count nothing.

    >>> from cnncalc.spec.model import load
    >>> found = peak(load("vgg16"), batch=4, dtype="float32", inplace=True)
    >>> found.bytes, found.layer
    (102760448, 'features.2')
    """
    nodes, width = graph.nodes, BYTES[dtype]
    storage = list(range(len(nodes)))
    for index, layer in enumerate(nodes):
        if len(layer.inputs) == 1 and _shares(layer, inplace):
            storage[index] = storage[layer.inputs[0]]
    last = list(range(len(nodes)))
    for index, layer in enumerate(nodes):
        for source in layer.inputs:
            last[storage[source]] = index
        last[storage[index]] = max(last[storage[index]], index)
    for index in graph.outputs:
        last[storage[index]] = len(nodes)
    ends: dict[int, list[int]] = {}
    for index in range(graph.input_count, len(nodes)):
        if storage[index] == index:
            ends.setdefault(last[index], []).append(index)
    size = [0 if i < graph.input_count else _bytes(layer, batch, width) for i, layer in enumerate(nodes)]

    live = most = at = extra_at = 0
    for index in range(graph.input_count, len(nodes)):
        layer = nodes[index]
        if storage[index] == index:
            live += size[index]
        extra = batch * layer.op.extra_bytes(layer.shape) if layer.op is not None and layer.shape is not None else 0
        if live + extra > most:
            most, at, extra_at = live + extra, index, extra
        live -= sum(size[each] for each in ends.get(index, ()))
    alive = tuple(
        Tensor(nodes[i].name, size[i])
        for i in range(graph.input_count, at + 1)
        if storage[i] == i and i <= at <= last[i] and size[i]
    )
    return Peak(most, nodes[at].name if nodes and most else "", alive, extra_at)


def _shares(layer: Layer, inplace: bool) -> bool:
    op = layer.op
    return op is not None and (op.view or op.in_place() or (inplace and hasattr(op, "inplace")))


def _bytes(layer: Layer, batch: int, width: int) -> int:
    return 0 if layer.shape is None else int(tensor_bytes(batch, layer.shape, width))
