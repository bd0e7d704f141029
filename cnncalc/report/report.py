"""The answer as plain data: one row a layer, totals, and the conventions that they follow."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import analysis
from ..analysis import cost, memory
from ..analysis.axes import channel_axes
from ..analysis.dtypes import dtypes
from ..analysis.regime import ALONE, OPTIMIZERS, Regime
from ..errors import Problem, Source, did_you_mean, usage_error
from ..explanation import Derivation, Explanation
from ..formula import Step, integer
from ..graph import Graph
from ..language.model import load
from ..ops import Shape
from ..ops.actions import Setting, Store
from ..ops.workspace import Workspace
from ..printable import printable
from ..quantities import Shaped, number
from ..table import AtLeast, known
from .figures import FIGURES
from .parts import Part, Row, Totals, asked
from .sums import ALL, UNKNOWN, Sums

if TYPE_CHECKING:
    from ..analysis.quantized import Fate
    from ..analysis.receptive_field import ReceptiveField, State
    from ..analysis.step_walk import Event
    from ..analysis.storages import Storage, Storages
    from ..analysis.training import Backward, TrainingStep


#: Draws reports: it stands above them, so that they know no more of it than its name.
DRAWER = "cnncalc.figures.notebook"


class Report:
    """Everything that is known of a network. `report["layer1.0.conv1"]` is a `Row`."""

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

    def __repr__(self) -> str:
        totals, title = self.totals, printable(self.title)
        return f"<Report of {title}: {len(self.rows)} layers, {totals.params:,} parameters, {totals.macs:,} MACs>"

    def figure(self, name: str = "graph", **options: Any) -> Any:
        """A picture of the network: graph, blocks, cost, memory, field or conv; a notebook shows it, `save` writes it.

        `options` are `depth`, `heat` (a figure of layers, as macs), `dark`, `budget` and `layer`. Raises `SpecError`.
        """
        return import_module(DRAWER).figure(self, name, **options)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The figure and the table, as a notebook shows them."""
        return {"text/plain": repr(self), "text/html": f"{self.figure()._repr_svg_()}\n{self._repr_html_()}"}

    def _repr_html_(self) -> str:
        from .layer_table import Choice, layers_table

        return layers_table(self, ("layer", "type", "output", "params", "macs"), Choice(fit=60))._repr_html_()

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

        >>> analyse("resnet50").part("layer1").figures.params
        215808
        """
        if name not in self._parts:
            rows = self.rows_of(name) if name in self.graph.groups else (self[name],)
            self._parts[name] = Part(self, rows, name)
        return self._parts[name]

    def explain(self, question: str = "") -> Explanation | None:
        """The work behind the totals; None where there is none."""
        wanted = asked(question)
        lines: list[Derivation] = []
        for figure in FIGURES.values():
            if figure.question in wanted and figure.summed:
                lines += _sum(self, figure.key)
            if figure.question in wanted and figure.derive_total and self.rows:
                lines += figure.derive_total(self)
        if not lines:
            return None
        count = len(self.rows)
        return Explanation(f"{self.title}: " + (f"all {count} layers" if count != 1 else "its layer"), tuple(lines))

    def to_dict(self) -> dict[str, Any]:
        """The whole report as plain data: what `--format json` prints."""
        from .document import document

        return document(self)


def _sum(report: Report, key: str) -> Iterator[Derivation]:
    """The sum over the layers, written out where it is short."""
    figure, total = FIGURES[key], report.totals.value(key)
    at_least = "≥ " * isinstance(total, AtLeast)
    parts = [value for value in (known(figure.of(row.part)) for row in report.rows) if value]
    if len(parts) == 1:
        text = f"{at_least}{number(known(total))}, all in one layer"
    elif parts:
        few = " + ".join(number(part) for part in parts[:12])
        terms = few if len(parts) <= 12 else f"the sum of {len(parts)} layers"
        text = f"{terms} = {at_least}{number(known(total))}"
    else:
        return
    yield Derivation(figure.summed, text=text, total=known(total))


def analyse(
    spec: str | Path | Source | Graph,
    *,
    args: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | Sequence[int] | None = None,
    batch: int = 1,
    dtype: str = "float32",
    inplace: bool = False,
    optimizer: str = "sgd",
    device: str = "cpu",
    channels_last: bool = False,
    freeze: Sequence[str] = (),
    accumulate: int = 1,
    ddp: int = 1,
    checkpoint: Sequence[str] = (),
    amp: str = "",
    int8: bool = False,
) -> Report:
    """All figures of a network: a path, a name in the zoo, a `Source`, or a graph that is loaded already.

    `amp` is the narrow type of autocast ("bfloat16" or "float16"), with float32 for all else. With `int8` its memory is
    that of inference once PyTorch has quantized it after training.
    `device` ("cpu" or "cuda") and `channels_last` matter to memory; `optimizer`, `freeze` (layers and groups that are
    not trained), `accumulate` (batches before an update), `ddp` (processes) and `checkpoint` (layers and groups that
    are run again in place of being kept) to training only. Raises `SpecError` for
    a spec that is wrong, and for a batch, dtype, optimizer, device or part that makes no sense.

    >>> r = analyse("lenet")
    >>> r.totals.params, r.totals.macs, r["C3"].output_shape
    (61706, 416520, (16, 10, 10))
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= 10**9:
        raise usage_error(f"batch is {batch}; it must be a whole number from 1 to 10^9")
    for what, value, choices in (
        ("dtype", dtype, memory.BYTES),
        ("optimizer", optimizer, OPTIMIZERS),
        ("device", device, ("cpu", "cuda")),
    ):
        if not isinstance(value, str) or value not in choices:
            hint = did_you_mean(str(value), choices) or f"use one of {', '.join(choices)}"
            raise usage_error(f"there is no {what} {value}", hint)
    if amp not in ("", "bfloat16", "float16"):
        raise usage_error(f"there is no autocast to {amp}", "amp is bfloat16 or float16")
    if amp and dtype != "float32":
        raise usage_error(f"autocast starts from float32, not from {dtype}", "leave --dtype out")
    if int8 and (amp or dtype != "float32" or device != "cpu" or channels_last):
        raise usage_error(
            "int8 starts from float32, on a processor", "leave --dtype, --device, --amp and --channels-last out"
        )
    for what, count in (("accumulate", accumulate), ("ddp", ddp)):
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 10**6:
            raise usage_error(f"{what} is {count}; it must be a whole number from 1 to 10^6")
    graph = spec if isinstance(spec, Graph) else load(spec, args=args, inputs=inputs)
    if int8 and any(layer.shares >= 0 for layer in graph.layers):
        raise usage_error("it is not followed how PyTorch quantizes a layer that is used again", "leave --int8 out")
    named = {graph.owner(node) for name in freeze for node in graph.nodes_of(name)}
    frozen = frozenset(node for node in range(len(graph.nodes)) if named and graph.owner(node) in named)
    setting = Setting(
        batch, dtype, inplace, device=device, channels_last=channels_last, frozen=frozen, amp=amp, int8=int8
    )
    parts = tuple(tuple(graph.nodes_of(name)) for name in checkpoint)
    for name, part in zip(checkpoint, parts, strict=True):
        for node in part:
            layer = graph.nodes[node]
            if layer.op and layer.op.works_in_place(Setting(inplace=inplace)) and not {*layer.inputs} & {*part}:
                raise usage_error(
                    f"{layer.name} works in place on what enters {name}: PyTorch could not run it again",
                    "let the part begin before it, or write inplace: false",
                )
    if len({node for part in parts for node in part}) < sum(map(len, parts)):
        raise usage_error(f"parts overlap: {', '.join(checkpoint)}", "name each layer once, by itself or in a group")
    return Report(graph, setting, optimizer, Regime(accumulate, ddp, parts))
