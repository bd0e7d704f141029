"""A training step, walked through in PyTorch's order, with what is alive at each moment."""

from __future__ import annotations

from collections.abc import Sequence

from ..formula import integer, largest, prod
from ..ops import Op, Shape
from ..ops.actions import BYTES
from ..record import Record
from .checkpoints import Region
from .footprint import Moment
from .storages import Storages


def owned_by(op: Op, out: Shape, *shapes: Shape) -> tuple[int, int, int]:
    """How many values of a layer are trained, how many are buffers, and how many the largest trained tensor has."""
    trained = buffers = 0
    for count in op.counts(*shapes):
        if count.role == "buffers":
            buffers += integer(count.step.value)
        else:
            trained += integer(count.step.value)
    sizes = [
        integer(prod(parameter.shape)) for parameter in op.parameters(*shapes) if parameter.role in ("weight", "bias")
    ]
    return trained, buffers, largest([0, *sizes])


class Event(Record):
    """A moment of a step: node, phase, the bytes that are alive, and those of them that are gradients of weights.

    What is alive are activations and their gradients, and gradients of weights; weights, optimizer state and input,
    which are there all the time, are not among them.
    """

    node: int
    phase: str
    live: int
    gradients: int


class _Gradient:
    """The storage of a gradient, and how many hold it."""

    def __init__(self, size: int, holders: int = 0) -> None:
        self.size, self.holders = size, holders


class Walk:
    """Goes through a step in PyTorch's order and notes the most that is alive.

    `owned` is what `owned_by` says of each node. Where it is `watched`, gradients are added in new tensors, as autograd
    does when somebody watches its operations. `gradients` are the bytes of those that are there from batches before,
    and to which those of this one are added. Where there is a list of `events`, each moment is added to it.
    """

    def __init__(
        self,
        storages: Storages,
        kept: dict[int, int],
        owned: Sequence[tuple[int, int, int] | None],
        parts: Sequence[Region] = (),
        watched: bool = False,
        gradients: int = 0,
        events: list[Event] | None = None,
    ) -> None:
        self.storages, self.graph, self.kept, self.watched = storages, storages.graph, kept, watched
        self.live = self.before = self.of_weights = gradients
        self.lives = [gradients]  # what is alive at each moment
        self._at = int(gradients)
        self.events = events
        self.layer = self.phase = ""
        self.gradients: dict[int, _Gradient] = {}  # by value
        self.owned = owned
        self.trained: set[int] = set()  # nodes whose parameters were passed backwards
        self.begun: set[int] = set()  # those of them, shared ones once, whose parameters have their gradients
        self.released: dict[int, int] = {}  # moment → bytes that its backward pass is the last to need
        for storage, now in kept.items():
            self.release(storage, now)
        self.parts = {now: part for part in parts for now in range(part.first, part.last + 1)}
        self.recomputed: set[int] = set()  # parts that were run again, by their first moment

    def release(self, storage: int, now: int) -> None:
        """The backward pass of a moment is the last to need a storage."""
        if storage >= self.storages.given:
            self.released[now] = self.released.get(now, 0) + self.storages.all[storage].bytes

    def run(self) -> None:
        self.forward()
        self.loss()
        for now in range(len(self.storages.moments) - 1, -1, -1):
            moment = self.storages.moments[now]
            if moment.result in self.gradients:
                part = self.parts.get(now)
                if part and moment.keeps and part.first not in self.recomputed:
                    self.recompute(part)
                self.backward(now, moment, self.gradients.pop(moment.result))

    def note(self, node: int, phase: str) -> None:
        if self.events is not None:
            self.events.append(Event(node, phase, self.live, self.of_weights))
        self.lives.append(self.live)
        if int(self.live) > self._at:
            self._at, self.layer, self.phase = int(self.live), self.graph.nodes[node].name, phase

    @property
    def most(self) -> int:
        """The most that is alive at a moment, in bytes."""
        return integer(largest(self.lives))

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
        # Under autocast the loss is worked out in float32, of copies where the results are narrow.
        wide = [size * one // BYTES[storages.dtypes[i]] for size, i in zip(sizes, outputs, strict=True)]
        copied = sum(big for big, size in zip(wide, sizes, strict=True) if big != size)
        if len(outputs) == 1 and len(nodes[last].shape or ()) == 1:
            (size,) = wide
            self.live += copied + size + 2 * one  # the log-probabilities, the loss and its gradient
            self.note(last, "loss")
            self.live += size - self.results - copied  # their gradient
            self.live += size
            self.note(last, "loss")
            self.live -= 2 * size
        else:
            self.live += copied + sum(wide)
            self.note(last, "loss")
            self.live += one - sum(wide) if len(wide) > 1 else 0
            self.live += one + sum(wide)
            self.note(last, "loss")
            self.live -= self.results
            self.live -= copied
        if copied:
            self.live += sum(sizes)
            self.note(last, "loss")
            self.live -= sum(wide)
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

    def widen(self, node: int, own: int) -> None:
        """The gradients of parameters in autocast's type become those of the parameters, one after the other."""
        owned = self.owned[node]
        assert owned is not None
        largest = owned[2] * BYTES[self.storages.setting.dtype]
        for size in (largest, own - largest):
            self.live += size
            self.note(node, "backward")
            self.live -= size // 2

    def recompute(self, part: Region) -> None:
        """The forward pass of a part once more, with storages of its own."""
        self.recomputed.add(part.first)
        storages, ends = self.storages, dict[int, int]()
        for now in part.again:
            for storage in storages.moments[now].makes:
                if storage in part.kept:
                    self.release(storage, part.kept[storage])
                else:
                    last = min(storages.last[storage], part.again.stop - 1)
                    ends[last] = ends.get(last, 0) + storages.all[storage].bytes
        for now in part.again:
            moment = storages.moments[now]
            self.live += sum(storages.all[storage].bytes for storage in moment.makes)
            self.note(moment.node, "recomputation")
            self.live -= ends.get(now, 0)

    def backward(self, now: int, moment: Moment, gradient: _Gradient) -> None:
        op, values, owned = self.graph.nodes[moment.node].op, self.storages.values, self.owned[moment.node]
        own, largest, owner = 0, 0, self.graph.owner(moment.node)
        if moment.trained and moment.node not in self.trained and owned is not None:
            self.trained.add(moment.node)
            width = BYTES[self.storages.setting.dtype] // (2 if moment.narrow else 1)
            own, largest = owned[0] * width, owned[2] * width
            self.live += own
            self.of_weights += own
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
        if owner in self.begun and own:  # added to those of a later use of the same weights
            if self.watched:
                added = own - largest if op and op.bias_first else 0  # and let go already
                self.live += largest - added
                self.note(moment.node, "backward")
                self.live -= largest - added
            self.live -= own
            self.of_weights -= own
        elif own:
            self.begun.add(owner)
        if own and owner == moment.node:  # all uses were passed
            own *= 2 if moment.narrow else 1
            if moment.narrow:
                self.widen(moment.node, own)
                self.of_weights += own // 2
            if self.before:  # they are added to those that are there, in place
                self.live -= own
                self.of_weights -= own
