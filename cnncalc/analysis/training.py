"""Memory of training: what autograd keeps, gradients, optimizer state, and the peak of one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..formula import formula, integer, largest, prod
from ..graph import Graph
from ..ops import Op, Shape
from ..ops.actions import BYTES, Setting
from ..record import Record
from .checkpoints import kept_storages, regions
from .memory import weight_bytes
from .regime import ALONE, OPTIMIZERS, Regime
from .step_walk import Event, Walk, owned_by
from .storages import Storage, Storages
from .walk import Memo, asked, layers_with_shapes

#: Tensors that an optimizer makes and drops while it updates: of the size of the largest parameter on the processor,
#: which takes one parameter after the other; of the size of all of them on a GPU, which takes all at once.
TEMPORARIES = {"adagrad": (1, 1), "rmsprop": (1, 1), "adam": (2, 1), "adamw": (2, 1)}

#: A budget that no batch reaches is a mistake.
LARGEST_BATCH = 1 << 30


@formula(
    "memory of the gradients",
    chapter="training",
    symbol="bytes",
    unit="bytes",
    source="PyTorch documentation, torch.Tensor.grad: one value for each parameter, in its type",
    means={"E": "parameters"},
)
def gradient_bytes(E: Any, b: Any) -> Any:
    return E * b


@formula(
    "memory of the optimizer's state",
    chapter="training",
    symbol="bytes",
    unit="bytes",
    source="Kingma & Ba (2014), Adam, algorithm 1: two moments; Sutskever et al. (2013): one for momentum",
    means={"E": "parameters"},
)
def optimizer_bytes(s: Any, E: Any, b: Any) -> Any:
    return s * E * b


@formula(
    "bytes that each process sends",
    chapter="training",
    symbol="bytes",
    unit="bytes",
    source="Patarasuk & Yuan (2009), Bandwidth optimal all-reduce algorithms for clusters of workstations: a ring",
    means={"n": "processes", "G": "bytes of the gradients"},
)
def exchanged_bytes(n: Any, G: Any) -> Any:
    """Each sends, and receives, n − 1 parts of n, once to add them up and once to hand the sums round."""
    return 2 * (n - 1) * G // n


#: DistributedDataParallel's buckets: the first one small, so that the exchange begins early; bytes.
FIRST_BUCKET, BUCKET = 1 << 20, 25 << 20


def buckets(graph: Graph, setting: Setting) -> list[int]:
    """The bytes of DistributedDataParallel's buckets, filled in the order in which gradients come: backwards."""
    found, filling = list[int](), 0
    for node, layer, shapes in reversed(list(layers_with_shapes(graph))):
        if shapes is None or layer.op is None or node in setting.frozen or layer.shares >= 0:
            continue
        parameters = layer.op.parameters(*shapes)
        for parameter in reversed(parameters) if layer.op.bias_first else parameters:
            if parameter.role in ("weight", "bias"):
                filling += integer(prod(parameter.shape)) * BYTES[setting.dtype]
                if filling >= (BUCKET if found else FIRST_BUCKET):
                    found.append(filling)
                    filling = 0
    return [*found, filling] if filling else found


class Backward(Record):
    """The multiply-adds of the backward pass through one layer, for one image."""

    inputs: int
    weights: int
    wanted: tuple[bool, ...] = ()  # which inputs want a gradient


def backward_work(graph: Graph, frozen: frozenset[int] = frozenset()) -> list[Backward | None]:
    """The work of the backward pass, by node; None for what is not known.

    An input wants a gradient if something before it is trained: the first layer works out none for its input, and
    neither does a layer behind parts that are all frozen.
    """
    wants: list[bool] = [False] * graph.input_count
    work: list[Backward | None] = [Backward(0, 0)] * graph.input_count
    gradients = Memo(_gradients)
    for index, layer, shapes in layers_with_shapes(graph):
        wanted = tuple([wants[i] for i in layer.inputs])
        if shapes is None or layer.op is None or layer.shape is None or layer.is_declared:
            # Unknown; and what a spec declares of a layer says nothing of its backward pass.
            wants.append(True)
            work.append(None)
            continue
        values, trained = gradients(layer.op, layer.shape, shapes, wanted)
        trains = trained and index not in frozen
        wants.append(trains or any(wanted))
        work.append(values if trains or not trained else values._replace(weights=0))
    return work


def _gradients(op: Op, out: Shape, *more: Any) -> tuple[Backward, bool]:
    """The work of the backward pass through a layer, and whether something of it is trained."""
    *shapes, wanted = more
    inputs, weights = (
        0 if gradient is None else integer(gradient.value) for gradient in op.gradients(wanted, out, *shapes)
    )
    return Backward(inputs, weights, wanted), bool(owned_by(op, out, *shapes)[0])


class TrainingStep(Record):
    """The memory of one training step, in bytes: loss, backward pass and update by an optimizer.

    `gradients` and `optimizer` are those of what is trained, `buckets` copies of the gradients that processes exchange.
    `recomputed` are the nodes whose forward pass is done again.
    `kept` is what autograd keeps for the backward pass, by node; a storage that several layers keep counts for the
    first one. `activations` is the most that the walk through the step had alive besides weights, optimizer state and
    input: what is kept, outputs, gradients of activations and of parameters; or gradients and what the optimizer makes
    while it updates, where that is more. It is reached in `phase` at `layer`.
    """

    weights: int
    inputs: int
    gradients: int
    optimizer: int
    kept: tuple[int, ...]
    activations: int
    layer: str
    phase: str
    buckets: int = 0
    recomputed: tuple[int, ...] = ()

    @property
    def saved(self) -> int:
        """All that autograd keeps."""
        return sum(self.kept)

    @property
    def peak(self) -> int:
        """Everything together at the worst moment."""
        return self.weights + self.inputs + self.optimizer + self.buckets + self.activations


def kept_by_node(graph: Graph, setting: Setting, regime: Regime = ALONE) -> list[list[Storage]]:
    """The storages that autograd keeps, by the node that is the first to keep them."""
    storages = Storages(graph, setting._replace(training=True))
    found: list[list[Storage]] = [[] for _ in graph.nodes]
    for storage, now in kept_storages(storages, regions(storages, regime.checkpointed)).items():
        found[storages.moments[now].node].append(storages.all[storage])
    return found


def step(
    graph: Graph,
    setting: Setting,
    optimizer: str = "sgd",
    regime: Regime = ALONE,
    events: list[Event] | None = None,
) -> TrainingStep:
    """One training step, walked through forwards and backwards; its moments are added to `events`.

    The loss is cross entropy where the network has one vector as output, and a mean of squared errors otherwise.

    >>> from cnncalc.language.model import load
    >>> found = step(load("alexnet"), Setting(batch=4), "adam")
    >>> found.saved, found.optimizer == 2 * found.gradients
    (14964736, True)
    """
    storages = Storages(graph, setting._replace(training=True))
    parts = regions(storages, regime.checkpointed)
    kept = kept_storages(storages, parts)
    by_node = [0] * len(graph.nodes)
    for storage, now in kept.items():
        by_node[storages.moments[now].node] += storages.all[storage].bytes
    width = BYTES[setting.dtype]
    owned = asked(graph, owned_by)
    once = [
        (each, node not in setting.frozen)
        for node, each in enumerate(owned)
        if each is not None and graph.nodes[node].shares < 0
    ]
    stored, parameters = sum(each[0] + each[1] for each, _ in once), sum(each[0] for each, trains in once if trains)
    widest = largest([0, *(each[2] for each, trains in once if trains)]) * width
    weights = integer(weight_bytes(stored, width))
    trained = integer(gradient_bytes(parameters, width))
    walk = Walk(storages, kept, owned, parts, gradients=trained if regime.accumulate > 1 else 0, events=events)
    walk.run()
    inputs = sum(each.bytes for each in storages.all[: storages.given])
    state = integer(optimizer_bytes(OPTIMIZERS[optimizer], parameters, width))
    buckets = trained if regime.processes > 1 else 0
    again = tuple(dict.fromkeys(storages.moments[now].node for part in parts for now in part.again))
    one, all_at_once = TEMPORARIES.get(optimizer, (0, 0))
    update = trained + (one * widest if setting.device == "cpu" else all_at_once * trained)
    if events is not None:
        events.append(Event(len(graph.nodes) - 1, "update", update, trained))
    before = walk.most
    where = (optimizer, "update") if int(update) > int(before) else (walk.layer, walk.phase)
    return TrainingStep(
        weights, inputs, trained, state, tuple(by_node), largest(before, update), *where, buckets, again
    )


def watched_activations(graph: Graph, setting: Setting, regime: Regime = ALONE) -> int:
    """The most that a step has alive besides weights, optimizer state and input, as a watcher of operations sees it.

    Watched, autograd adds gradients in new tensors and not in place, which may take more.
    """
    storages = Storages(graph, setting._replace(training=True))
    there = step(graph, setting).gradients if regime.accumulate > 1 else 0
    parts = regions(storages, regime.checkpointed)
    owned = asked(graph, owned_by)
    walk = Walk(storages, kept_storages(storages, parts), owned, parts, watched=True, gradients=there)
    walk.run()
    return walk.most


def largest_batch(needed: Callable[[int], int], budget: int) -> int:
    """The largest batch whose memory, as `needed` tells it, stays within a budget; 0 if not even one image does.

    >>> largest_batch(lambda batch: 100 + 7 * batch, 1000)
    128
    """
    low, high = needed(1), needed(2)
    if low > budget or high > budget:
        return int(low <= budget)
    fits, slope = 2, high - low
    # Each tensor grows in proportion: where the next image costs more than the second did, fewer fit.
    fails = min(fits + (budget - high) // slope + 1, LARGEST_BATCH) if slope > 0 else 2 * fits
    while fails <= LARGEST_BATCH and (above := needed(fails)) <= budget:
        fits, high, fails = fails, above, 2 * fails
    if fails > LARGEST_BATCH:
        return fits
    turn = 0
    while fails - fits > 1:  # by the straight line between the two, and now and then in the middle
        turn += 1
        share = (budget - high) / (above - high) if turn % 3 else 0.5
        middle = min(max(fits + int(share * (fails - fits)), fits + 1), fails - 1)
        value = needed(middle)
        fits, high, fails, above = (middle, value, fails, above) if value <= budget else (fits, high, middle, value)
    return fits
