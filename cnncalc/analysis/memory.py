"""Memory: weights, all activations, and the peak of activations during inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..formula import formula, integer, largest, prod
from ..graph import Graph
from ..ops.actions import BYTES, Setting
from ..ops.workspace import Workspace
from ..record import Record
from .walk import Memo, known_shapes

if TYPE_CHECKING:
    from .storages import Storages

__all__ = ["BYTES", "Peak", "Tensor", "inference", "peak", "peak_bytes", "tensor_bytes", "weight_bytes"]


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


class Tensor(Record):
    """A storage that is alive at the peak: the layer that made it, and its size."""

    name: str
    bytes: int


class Peak(Record):
    """The most that activations take at one moment of inference: how much, while which layer runs, and what is alive.

    `extra_bytes` is what PyTorch allocates beside the outputs while that layer runs: a max pool's int64 indices, a
    padded copy, what lies between the operations of a layer that takes several.
    The input belongs to the caller and is not counted. `allocated` is what the device's allocator gives out at most,
    with the copies that libraries make inside an operation: at least and at most so much, the latter at the layer `at`.
    """

    bytes: int
    layer: str
    alive: tuple[Tensor, ...]
    extra_bytes: int
    allocated: tuple[int, int] = (0, 0)
    at: str = ""


_NOTHING = Workspace()

#: What cuBLAS keeps for itself at most, of PyTorch's allocator: 32 MiB from Hopper on, 8 MiB before.
CUBLAS = 32 << 20


def workspaces(graph: Graph, setting: Setting) -> list[Workspace]:
    """What libraries allocate inside each node's operation, beside its output.

    A layer behind a Slice may have its input copied first. Behind a Permute tensors may lie as N×H×W×C, and nothing is
    copied, or all.
    """
    if setting.int8:
        return [_NOTHING] * len(graph.nodes)  # of int8 operations it is not known
    ask = Memo(lambda op, out, *shapes: op.workspace(setting, out, *shapes))
    found = [_NOTHING] * graph.input_count
    moved = [""] * graph.input_count
    for layer in graph.layers:
        shapes = known_shapes(graph, layer)
        before = {moved[i] for i in layer.inputs} - {""}
        if shapes is None or layer.op is None or layer.shape is None:
            found.append(_NOTHING)
            moved.append("Permute" if "Permute" in before else "")
            continue
        beside = ask(layer.op, layer.shape, shapes)
        if before and beside.high:
            dense = sum(integer(tensor_bytes(setting.batch, shape, BYTES[setting.dtype])) for shape in shapes)
            low = 0 if "Permute" in before else beside.low
            beside = beside._replace(low=low, high=2 * beside.high + dense)
        found.append(beside)
        own = layer.type if layer.type in ("Permute", "Slice") else ""
        moved.append(own or ("Permute" if "Permute" in before else "Slice" if before and layer.op.view else ""))
    return found


def alive(storages: Storages) -> Iterator[int]:
    """The bytes of activations that are there at each moment of inference; the inputs are not among them."""
    ends: dict[int, list[int]] = {}
    for index in range(storages.given, len(storages.all)):
        ends.setdefault(storages.last[index], []).append(index)
    live = 0
    for now, moment in enumerate(storages.moments):
        live += sum(storages.all[storage].bytes for storage in moment.makes)
        yield live
        live -= sum(storages.all[each].bytes for each in ends.get(now, ()))


def inference(graph: Graph, setting: Setting) -> Storages:
    """The forward pass without a backward pass behind it, of which the functions below tell the peak."""
    from .storages import Storages

    return Storages(graph, setting._replace(training=False))


def peak_bytes(storages: Storages) -> int:
    """The most that activations take at one moment, in bytes: what `peak` finds, without the layer that it is at."""
    return integer(largest([0, *alive(storages)]))


def peak(storages: Storages) -> Peak:
    """The peak of activations by liveness: a tensor is freed after the last layer that needs it.

    Views (Flatten, Dropout at test time, …) and layers that work in place share the storage of their input;
    `setting.inplace` treats every layer that can work in place as if it did. Unknown shapes count nothing.

    >>> from cnncalc.language.model import load
    >>> found = peak(inference(load("vgg16"), Setting(batch=4, inplace=True)))
    >>> found.bytes, found.layer, found.allocated[0]
    (102760448, 'features.2', 154271744)
    """
    graph = storages.graph
    inside = workspaces(graph, storages.setting)
    library = CUBLAS if storages.setting.device == "cuda" else 0
    most = at = low = high = full = 0
    for now, (moment, live) in enumerate(zip(storages.moments, alive(storages), strict=True)):
        if live > most:
            most, at = live, now
        beside = inside[moment.node] if storages.of_node[moment.node] in moment.makes else _NOTHING
        low = max(low, live + beside.low)
        if live + beside.high > high:
            high, full = live + beside.high, moment.node
    if not most:
        return Peak(0, "", (), 0)
    made = [i for moment in storages.moments[: at + 1] for i in moment.makes]
    there = [i for i in made if storages.last[i] >= at and storages.all[i].bytes]
    outputs = tuple(Tensor(storages.name(i), storages.all[i].bytes) for i in there if storages.all[i].own == "y")
    extra = sum(storages.all[i].bytes for i in there if storages.all[i].own != "y")
    name = graph.nodes[storages.moments[at].node].name
    return Peak(most, name, outputs, extra, (low, high + library), graph.nodes[full].name)
