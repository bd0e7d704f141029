"""Memory of training: what autograd keeps, gradients, optimizer state, and the peak of one step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..formula import formula, prod
from ..graph import Graph
from ..ops import REGISTRY, Op, Shape
from ..ops.actions import BYTES, Setting
from .memory import weight_bytes
from .storages import Moment, Storage, Storages
from .walk import Memo, asked, known_shapes, layers_with_shapes

#: Tensors of the size of the parameters that an optimizer keeps.
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adam": 2, "adamw": 2}

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


class Backward(NamedTuple):
    """The multiply-adds of the backward pass through one layer, for one image."""

    inputs: int
    weights: int
    wanted: tuple[bool, ...] = ()  # which inputs want a gradient


def backward_work(graph: Graph) -> list[Backward | None]:
    """The work of the backward pass, by node; None for what is not known.

    An input wants a gradient if something before it is trained: the first layer works out none for its input.
    """
    wants: list[bool] = [False] * graph.input_count
    work: list[Backward | None] = [Backward(0, 0)] * graph.input_count
    gradients = Memo(_gradients)
    for _, layer, shapes in layers_with_shapes(graph):
        wanted = tuple([wants[i] for i in layer.inputs])
        if shapes is None or layer.op is None or layer.shape is None or layer.type not in REGISTRY:
            # Unknown; and what a spec declares of a layer says nothing of its backward pass.
            wants.append(True)
            work.append(None)
            continue
        values, trained = gradients(layer.op, layer.shape, shapes, wanted)
        wants.append(trained or any(wanted))
        work.append(values)
    return work


def _gradients(op: Op, out: Shape, *more: Any) -> tuple[Backward, bool]:
    """The work of the backward pass through a layer, and whether something of it is trained."""
    *shapes, wanted = more
    inputs, weights = (
        0 if gradient is None else int(gradient.value) for gradient in op.gradients(wanted, out, *shapes)
    )
    return Backward(inputs, weights, wanted), bool(_owned(op, out, *shapes)[0])


class TrainingStep(NamedTuple):
    """The memory of one training step, in bytes: loss, backward pass and update by an optimizer.

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

    @property
    def saved(self) -> int:
        """All that autograd keeps."""
        return sum(self.kept)

    @property
    def peak(self) -> int:
        """Everything together at the worst moment."""
        return self.weights + self.inputs + self.optimizer + self.activations


def kept_storages(storages: Storages) -> dict[int, int]:
    """The storages that autograd keeps, and the moment that is the first to keep each."""
    found: dict[int, int] = {}
    for now, moment in enumerate(storages.moments):
        for storage in moment.keeps:
            found.setdefault(storage, now)
    return found


def kept_by_node(graph: Graph, setting: Setting) -> list[list[Storage]]:
    """The storages that autograd keeps, by the node that is the first to keep them."""
    storages = Storages(graph, setting._replace(training=True))
    found: list[list[Storage]] = [[] for _ in graph.nodes]
    for storage, now in kept_storages(storages).items():
        found[storages.moments[now].node].append(storages.all[storage])
    return found


def step(graph: Graph, setting: Setting, optimizer: str = "sgd") -> TrainingStep:
    """One training step, walked through forwards and backwards.

    The loss is cross entropy where the network has one vector as output, and a mean of squared errors otherwise.

    >>> from cnncalc.language.model import load
    >>> found = step(load("alexnet"), Setting(batch=4), "adam")
    >>> found.saved, found.optimizer == 2 * found.gradients
    (14964736, True)
    """
    storages = Storages(graph, setting._replace(training=True))
    kept = kept_storages(storages)
    by_node = [0] * len(graph.nodes)
    for storage, now in kept.items():
        by_node[storages.moments[now].node] += storages.all[storage].bytes
    width = BYTES[setting.dtype]
    owned = [each for each in asked(graph, _owned) if each is not None]
    parameters, buffers = sum(each[0] for each in owned), sum(each[1] for each in owned)
    largest = max((each[2] for each in owned), default=0) * width
    weights = int(weight_bytes(parameters + buffers, width))
    trained = int(gradient_bytes(parameters, width))
    walk = _Walk(storages, kept)
    walk.run()
    inputs = sum(each.bytes for each in storages.all[: storages.given])
    state = int(optimizer_bytes(OPTIMIZERS[optimizer], parameters, width))
    one, all_at_once = TEMPORARIES.get(optimizer, (0, 0))
    update = trained + (one * largest if setting.device == "cpu" else all_at_once * trained)
    if update > walk.most:
        return TrainingStep(weights, inputs, trained, state, tuple(by_node), update, optimizer, "update")
    return TrainingStep(weights, inputs, trained, state, tuple(by_node), walk.most, walk.layer, walk.phase)


def watched_activations(graph: Graph, setting: Setting) -> int:
    """The most that a step has alive besides weights, optimizer state and input, as a watcher of operations sees it.

    Watched, autograd adds gradients in new tensors and not in place, which may take more.
    """
    storages = Storages(graph, setting._replace(training=True))
    walk = _Walk(storages, kept_storages(storages), watched=True)
    walk.run()
    return walk.most


def _owned(op: Op, out: Shape, *shapes: Shape) -> tuple[int, int, int]:
    """How many values of a layer are trained, how many are buffers, and how many the largest trained tensor has."""
    trained = buffers = 0
    for count in op.counts(*shapes):
        if count.role == "buffers":
            buffers += int(count.step.value)
        else:
            trained += int(count.step.value)
    sizes = [int(prod(parameter.shape)) for parameter in op.parameters(*shapes) if parameter.role in ("weight", "bias")]
    return trained, buffers, max(sizes, default=0)


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


class _Gradient:
    """The storage of a gradient, and how many hold it."""

    def __init__(self, size: int, holders: int = 0) -> None:
        self.size, self.holders = size, holders


class _Walk:
    """Goes through a step in PyTorch's order and notes the most that is alive.

    Where it is `watched`, gradients are added in new tensors, as autograd does when somebody watches its operations.
    """

    def __init__(self, storages: Storages, kept: dict[int, int], watched: bool = False) -> None:
        self.storages, self.graph, self.kept, self.watched = storages, storages.graph, kept, watched
        self.live = self.most = 0
        self.layer = self.phase = ""
        self.gradients: dict[int, _Gradient] = {}  # by value
        self.owned = Memo(_owned)
        self.trained: set[int] = set()  # nodes whose parameters have their gradients
        self.released: dict[int, int] = {}  # moment → bytes that its backward pass is the last to need
        for storage, now in kept.items():
            if storage >= storages.given:
                self.released[now] = self.released.get(now, 0) + storages.all[storage].bytes

    def run(self) -> None:
        self.forward()
        self.loss()
        for now in range(len(self.storages.moments) - 1, -1, -1):
            moment = self.storages.moments[now]
            if moment.result in self.gradients:
                self.backward(now, moment, self.gradients.pop(moment.result))

    def note(self, node: int, phase: str) -> None:
        if self.live > self.most:
            self.most, self.layer, self.phase = self.live, self.graph.nodes[node].name, phase

    def forward(self) -> None:
        ends: dict[int, int] = {}
        for storage in range(self.storages.given, len(self.storages.all)):
            if storage not in self.kept:
                last = self.storages.last[storage]
                ends[last] = ends.get(last, 0) + self.storages.all[storage].bytes
        for now, moment in enumerate(self.storages.moments):
            self.live += sum(self.storages.all[storage].bytes for storage in moment.makes)
            self.note(moment.node, "forward")
            self.live -= ends.get(now, 0)
        self.results = ends.get(len(self.storages.moments), 0)  # those that nothing keeps

    def loss(self) -> None:
        """Cross entropy keeps log-probabilities in place of the result; a squared error keeps the result.

        The loss, and the 1 that is its own gradient, stay until the step is done. A mean of squared errors is written
        over the squares, and holds their memory; a sum of several means is a number.
        """
        storages, nodes = self.storages, self.graph.nodes
        outputs = [i for i in self.graph.outputs if storages.wants_gradient[i] and nodes[i].shape is not None]
        if not outputs:
            return
        one, last = BYTES[storages.setting.dtype], outputs[-1]
        values = [storages.value_of_node[i] for i in outputs]
        sizes = [storages.values[value] for value in values]
        if len(outputs) == 1 and len(nodes[last].shape or ()) == 1:
            (size,) = sizes
            self.live += size + 2 * one  # the log-probabilities, the loss and its gradient
            self.note(last, "loss")
            self.live += size - self.results  # their gradient
            self.live += size
            self.note(last, "loss")
            self.live -= 2 * size
        else:
            self.live += sum(sizes)
            self.note(last, "loss")
            self.live += one - sum(sizes) if len(sizes) > 1 else 0
            self.live += one + sum(sizes)
            self.note(last, "loss")
            self.live -= self.results
        for value, size in zip(values, sizes, strict=True):
            self.take(last, value, _Gradient(size, holders=1))

    def take(self, node: int, value: int, gradient: _Gradient) -> None:
        """A gradient arrives at a value; a second one is added to the first, in place unless that is shared."""
        present = self.gradients.get(value)
        if present is None:
            self.gradients[value] = gradient
            return
        added = present.holders > 1 or self.watched
        if added:
            self.gradients[value] = _Gradient(self.storages.values[value], holders=1)
            self.live += self.gradients[value].size
        self.note(node, "backward")
        if added:
            self.let_go(present)
        self.let_go(gradient)

    def let_go(self, gradient: _Gradient) -> None:
        gradient.holders -= 1
        if gradient.holders == 0:
            self.live -= gradient.size

    def backward(self, now: int, moment: Moment, gradient: _Gradient) -> None:
        layer, values = self.graph.nodes[moment.node], self.storages.values
        shapes = known_shapes(self.graph, layer)
        if moment.trained and moment.node not in self.trained and shapes is not None and layer.op and layer.shape:
            self.trained.add(moment.node)
            self.live += self.owned(layer.op, layer.shape, shapes)[0] * BYTES[self.storages.setting.dtype]
        passes = moment.passes
        made = [(source, gradient if passes else _Gradient(values[source])) for source in moment.sources]
        self.live += 0 if passes else sum(each.size for _, each in made)
        for _, each in made:
            each.holders += 1
        smaller = moment.trained or any(values[source] < values[moment.result] for source in moment.sources)
        products = values[moment.result] if moment.product and smaller else 0  # multiplied out, then summed up
        self.live += products
        self.note(moment.node, "backward")
        self.live -= products
        # What came in, and what was kept for it, is let go before the results are handed on.
        self.let_go(gradient)
        self.live -= self.released.get(now, 0)
        for source, each in made:
            self.take(moment.node, source, each)
