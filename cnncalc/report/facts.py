"""What is known of the nodes of a network, worked out as it is asked for: cost, memory, training, what they see."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from .. import analysis
from ..analysis import cost, memory
from ..analysis.axes import channel_axes
from ..analysis.dtypes import dtypes
from ..analysis.regime import ALONE, Regime
from ..errors import Problem, usage_error
from ..formula import Step, integer
from ..graph import Graph
from ..ops import Shape
from ..ops.actions import Setting, Store
from ..ops.workspace import Workspace
from ..quantities import Shaped
from .sums import UNKNOWN, Sums

if TYPE_CHECKING:
    from ..analysis.quantized import Fate
    from ..analysis.receptive_field import ReceptiveField, State
    from ..analysis.step_walk import Event
    from ..analysis.storages import Storage, Storages
    from ..analysis.training import Backward, TrainingStep


class Facts:
    """What is known of each node of a network, by its place in the graph, and of a step through all of them."""

    def __init__(self, graph: Graph, setting: Setting, optimizer: str = "sgd", regime: Regime = ALONE) -> None:
        self.graph, self.setting, self.optimizer, self.regime = graph, setting, optimizer, regime
        self.batch, self.dtype, self.inplace = setting.batch, setting.dtype, setting.inplace
        self.costs = cost.costs(graph)
        self._fields: dict[int, ReceptiveField | None] = {}

    @cached_property
    def sums(self) -> list[Sums]:
        """What each node has, does and stores; layers that cost the same share it."""
        batch, types, stored = self.batch, self.dtypes, self.stored
        found = [UNKNOWN] * self.graph.input_count
        worked_out: dict[tuple[int, Shape, str, int | None], Sums] = {}
        for index in range(self.graph.input_count, len(self.graph.nodes)):
            shape, own = self.graph.nodes[index].shape, self.costs[index]
            if own is None or shape is None:
                found.append(UNKNOWN)
                continue
            key = id(own), shape, types[index], stored[index]
            sums = worked_out.get(key)
            if sums is None:
                size = integer(memory.tensor_bytes(batch, shape, memory.BYTES[types[index]]))
                macs = None if own.macs is None else integer(cost.batch_work(batch, own.macs))
                other = None if own.other is None else integer(cost.batch_work(batch, own.other))
                sums = Sums(own.weights, own.biases, own.buffers, macs, other, own.connections, size, stored[index])
                worked_out[key] = sums
            found.append(sums)
        return found

    def kind(self, node: int) -> Hashable:
        """Layers of one kind store, do and move the same, forwards and backwards, wherever they stand."""
        return id(self.sums[node]), self.traffic[node], id(self.backward[node])

    @cached_property
    def dtypes(self) -> list[str]:
        """The type of each node's output, which autocast and quantizing may change."""
        return dtypes(self.graph, self.setting)

    @cached_property
    def fates(self) -> list[Fate]:
        """What becomes of each node where the network is quantized; none where it is not."""
        return analysis.quantized.fates(self.graph) if self.setting.int8 else []

    @cached_property
    def quantized(self) -> list[Step | None]:
        """The work behind what the parameters of each node take where the network is quantized."""
        return analysis.quantized.stored(self.graph, self.fates)

    @cached_property
    def stored(self) -> list[int | None]:
        """The bytes of each node's parameters and buffers."""
        if self.setting.int8:
            return [None if step is None else integer(step.value) for step in self.quantized]
        width = memory.BYTES[self.dtype]
        return [
            None if own is None or own.params is None or own.buffers is None else (own.params + own.buffers) * width
            for own in self.costs
        ]

    @property
    def title(self) -> str:
        """The name of the network, with the variant."""
        graph = self.graph
        return f"{graph.name} ({graph.variant})" if graph.variant and graph.variant != graph.name else graph.name

    @property
    def warnings(self) -> Sequence[Problem]:
        return self.graph.warnings

    @cached_property
    def storages(self) -> Storages:
        """What the layers make and read in inference."""
        return memory.inference(self.graph, self.setting)

    @cached_property
    def peak(self) -> memory.Peak:
        """The most that activations take at one moment of inference."""
        return memory.peak(self.storages)

    @cached_property
    def peak_bytes(self) -> int:
        """The same in bytes, without where it is."""
        return memory.peak_bytes(self.storages)

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """What libraries allocate inside each node's operation in inference."""
        return memory.workspaces(self.graph, self.setting)

    @property
    def given_bytes(self) -> int:
        """What the inputs take."""
        return sum(Store(node.shape or ()).bytes(self.setting) for node in self.graph.inputs)

    @cached_property
    def training(self) -> TrainingStep:
        """The memory of one training step; raises `SpecError` for a dtype that cannot be trained."""
        if not self.trainable:
            raise usage_error("int8 cannot be trained: it has no gradients", "use a floating-point dtype")
        return analysis.training.step(self.graph, self.setting, self.optimizer, self.regime)

    @property
    def recomputed_macs(self) -> int | None:
        """The multiply-adds of what checkpoints run again in a step; None for a dtype that cannot be trained."""
        if not self.trainable:
            return None
        return sum(self.sums[node].macs or 0 for node in self.training.recomputed)

    @property
    def trainable(self) -> bool:
        """Whether there are gradients: integers have none."""
        return self.dtype != "int8" and not self.setting.int8

    @cached_property
    def traffic(self) -> list[int | None]:
        """The bytes that each node at least reads and writes."""
        return analysis.traffic.traffic(self.graph, self.costs, self.setting)

    @cached_property
    def channel_axes(self) -> list[int]:
        """Which axis of each node's output are the channels: 0, unless a Permute has moved them."""
        return channel_axes(self.graph)

    def shaped(self, node: int) -> Shape | None:
        """The output of a node, with the axis of its channels where that is not the first."""
        shape, axis = self.graph.nodes[node].shape, self.channel_axes[node]
        return Shaped(shape, axis) if shape is not None and axis else shape

    @cached_property
    def backward(self) -> list[Backward | None]:
        """The work of the backward pass, by node, for one image."""
        return analysis.training.backward_work(self.graph, self.setting.frozen)

    @cached_property
    def moments(self) -> list[Event]:
        """The moments of a training step, with what is alive at each; raises `SpecError` as `training` does."""
        found: list[Event] = []
        self.training  # noqa: B018  # says what cannot be trained
        analysis.training.step(self.graph, self.setting, self.optimizer, self.regime, found)
        return found

    @cached_property
    def kept(self) -> list[list[Storage]]:
        """What autograd keeps, by the node that is the first to keep it."""
        return analysis.training.kept_by_node(self.graph, self.setting, self.regime)

    @cached_property
    def states(self) -> list[State | None]:
        """The receptive field of each node, as the analysis keeps it."""
        return analysis.receptive_field.fields(self.graph)

    def field(self, node: int) -> ReceptiveField | None:
        """The receptive field of a node, as it is reported."""
        if node not in self._fields:
            layer, state = self.graph.nodes[node], self.states[node]
            self._fields[node] = analysis.receptive_field.receptive_field(self.graph, layer, state)
        return self._fields[node]
