"""All that is known of a network, worked out as it is asked for: what it costs, makes, moves, keeps and sees."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from .. import analysis
from ..analysis import cost, memory
from ..analysis.axes import channel_axes
from ..analysis.dtypes import dtypes
from ..analysis.regime import ALONE, Regime
from ..errors import Problem, did_you_mean, usage_error
from ..formula import Step, integer
from ..graph import Graph
from ..ops import Shape
from ..ops.actions import Setting, Store
from ..ops.workspace import Workspace
from ..quantities import Shaped
from .parts import Part, Row, Totals
from .sums import ALL, UNKNOWN, Sums

if TYPE_CHECKING:
    from ..analysis.quantized import Fate
    from ..analysis.receptive_field import ReceptiveField, State
    from ..analysis.step_walk import Event
    from ..analysis.storages import Storage, Storages
    from ..analysis.training import Backward, TrainingStep


class Facts:
    """The layers of a network as rows, its parts, its totals, and what each node is known to do.

    `facts["layer1.0.conv1"]` is a `Row`.
    """

    def __init__(self, graph: Graph, setting: Setting, optimizer: str = "sgd", regime: Regime = ALONE) -> None:
        self.graph, self.setting, self.optimizer, self.regime = graph, setting, optimizer, regime
        self.batch, self.dtype, self.inplace = setting.batch, setting.dtype, setting.inplace
        self.costs = cost.costs(graph)
        self._parts: dict[str, Part] = {}
        self._fields: dict[int, ReceptiveField | None] = {}

    def __getitem__(self, name: str) -> Row:
        row = self._by_name.get(name)
        if row is None:
            hint = did_you_mean(name, self._by_name) or f"a group is report.part({name!r})" * (
                name in self.graph.groups
            )
            raise KeyError(f"there is no layer {name!r}" + (f"; {hint}" if hint else ""))
        return row

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The layers, in order of work."""
        batch, nodes, types = self.batch, self.graph.nodes, self.dtypes
        rows: list[Row] = []
        stored = self.stored
        worked_out: dict[tuple[int, Shape, str, int | None], Sums] = {}  # layers that cost the same share their figures
        for index in range(self.graph.input_count, len(nodes)):
            shape, own = nodes[index].shape, self.costs[index]
            if own is None or shape is None:
                rows.append(Row(self, index, UNKNOWN))
                continue
            key = id(own), shape, types[index], stored[index]
            sums = worked_out.get(key)
            if sums is None:
                size = integer(memory.tensor_bytes(batch, shape, memory.BYTES[types[index]]))
                macs = None if own.macs is None else integer(cost.batch_work(batch, own.macs))
                other = None if own.other is None else integer(cost.batch_work(batch, own.other))
                sums = Sums(own.weights, own.biases, own.buffers, macs, other, own.connections, size, stored[index])
                worked_out[key] = sums
            rows.append(Row(self, index, sums))
        return rows

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

    def kind(self, row: Row) -> Hashable:
        """Layers of one kind store, do and move the same, forwards and backwards, wherever they stand."""
        return id(row.figures), self.traffic[row.node], id(self.backward[row.node])

    @property
    def title(self) -> str:
        """The name of the network, with the variant."""
        graph = self.graph
        return f"{graph.name} ({graph.variant})" if graph.variant and graph.variant != graph.name else graph.name

    @property
    def warnings(self) -> Sequence[Problem]:
        return self.graph.warnings

    @cached_property
    def _by_name(self) -> dict[str, Row]:
        return {row.name: row for row in self.rows}

    def rows_of(self, name: str) -> Sequence[Row]:
        """The rows of a layer or of a group, none where there is neither."""
        first, stop = self._spans.get(name, (0, 0))
        return self.rows[first:stop]

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """The rows of each group: those whose names begin with its path stand together."""
        spans: dict[str, tuple[int, int]] = {}
        for index, row in enumerate(self.rows):
            path = row.name
            while path:
                spans[path] = (spans.get(path, (index, 0))[0], index + 1)
                path = path.rpartition(".")[0]
        return spans

    @cached_property
    def whole(self) -> Part:
        """All layers, as a part."""
        part = Part(self, self.rows, "", whole=True)
        if self.graph.errors:
            part.sums = part.sums._replace(partial=ALL)
        return part

    @cached_property
    def totals(self) -> Totals:
        return Totals(self)

    @cached_property
    def storages(self) -> Storages:
        """What the layers make and read in inference."""
        return memory.inference(self.graph, self.setting)

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
        first = self.graph.input_count
        return sum(self.rows[node - first].macs or 0 for node in self.training.recomputed)

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

    def part(self, name: str) -> Part:
        """A group, by its path, or a layer: what it adds up to; raises KeyError.

        >>> from cnncalc import analyse
        >>> analyse("resnet50").part("layer1").figures.params
        215808
        """
        if name not in self._parts:
            rows = self.rows_of(name) if name in self.graph.groups else (self[name],)
            self._parts[name] = Part(self, rows, name)
        return self._parts[name]
