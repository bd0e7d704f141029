"""Memory: weights, all activations, and the peak of activations during inference."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..formula import formula, prod
from ..graph import Graph
from ..ops.actions import BYTES, Setting
from .storages import Storages

__all__ = ["BYTES", "Peak", "Tensor", "peak", "tensor_bytes", "weight_bytes"]


@formula(
    "memory of a tensor",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="Stanford CS231n, Convolutional Networks, computational considerations",
)
def tensor_bytes(B: Any, Y: Any, b: Any) -> Any:
    return B * prod(Y) * b


@formula(
    "memory of the weights",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="parameters and running statistics are stored in the same type",
    means={"E": "parameters and buffers"},
)
def weight_bytes(E: Any, b: Any) -> Any:
    return E * b


class Tensor(NamedTuple):
    """A storage that is alive at the peak: the layer that made it, and its size."""

    name: str
    bytes: int


class Peak(NamedTuple):
    """The most that activations take at one moment of inference: how much, while which layer runs, and what is alive.

    `extra_bytes` is what PyTorch allocates beside the outputs while that layer runs: a max pool's int64 indices, a
    padded copy, what lies between the operations of a layer that takes several.
    The input belongs to the caller and is not counted.
    """

    bytes: int
    layer: str
    alive: tuple[Tensor, ...]
    extra_bytes: int


def peak(graph: Graph, setting: Setting) -> Peak:
    """The peak of activations by liveness: a tensor is freed after the last layer that needs it.

    Views (Flatten, Dropout at test time, …) and layers that work in place share the storage of their input;
    `setting.inplace` treats every layer that can work in place as if it did. Unknown shapes count nothing.

    >>> from cnncalc.language.model import load
    >>> found = peak(load("vgg16"), Setting(batch=4, inplace=True))
    >>> found.bytes, found.layer
    (102760448, 'features.2')
    """
    storages = Storages(graph, setting._replace(training=False))
    ends: dict[int, list[int]] = {}
    for index in range(storages.given, len(storages.all)):
        ends.setdefault(storages.last[index], []).append(index)
    live = most = at = 0
    for now, moment in enumerate(storages.moments):
        live += sum(storages.all[storage].bytes for storage in moment.makes)
        if live > most:
            most, at = live, now
        live -= sum(storages.all[each].bytes for each in ends.get(now, ()))
    if not most:
        return Peak(0, "", (), 0)
    made = [i for moment in storages.moments[: at + 1] for i in moment.makes]
    alive = [i for i in made if storages.last[i] >= at and storages.all[i].bytes]
    outputs = tuple(Tensor(storages.name(i), storages.all[i].bytes) for i in alive if storages.all[i].own == "y")
    beside = sum(storages.all[i].bytes for i in alive if storages.all[i].own != "y")
    return Peak(most, graph.nodes[storages.moments[at].node].name, outputs, beside)
