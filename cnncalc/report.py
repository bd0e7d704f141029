"""The answer as plain data: one row a layer, totals, and the conventions that they follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .analysis import cost, memory, receptive_field
from .analysis import training as step
from .analysis.receptive_field import ReceptiveField
from .errors import Problem, Source, did_you_mean, wrong_call
from .graph import Graph, Layer
from .ops import Shape
from .ops.actions import Setting
from .printable import printable
from .spec.model import load
from .totals import UNKNOWN, Figures, Totals, added

if TYPE_CHECKING:
    from .analysis.explain import Explanation
    from .analysis.storages import Storage

CONVENTION = (
    "one MAC is one multiply-add of a convolution, linear or matrix product, biases not counted; "
    "FLOPs = 2·MACs + the work of all other layers, one for each comparison, addition, multiplication, division, "
    "root, exponential or logarithm; BatchNorm with running statistics"
)


class Row(NamedTuple):
    """One layer of a report."""

    report: Report
    node: int  # the place of the layer among the nodes of the graph
    figures: Figures

    @property
    def layer(self) -> Layer:
        return self.report.graph.nodes[self.node]

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the layers and inputs that it takes."""
        return tuple(self.report.graph.nodes[i].name for i in self.layer.inputs)

    @property
    def input_shapes(self) -> tuple[Shape | None, ...]:
        """Channels first, without the batch."""
        return self.report.graph.shapes_into(self.layer)

    def __repr__(self) -> str:
        return f"<{self.name} ({self.type}): {self.output_shape}, {self.params} parameters, {self.macs} MACs>"

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def type(self) -> str:
        return self.layer.type

    @property
    def line(self) -> int | None:
        """The line of the spec that it was written in."""
        return self.layer.place.line if self.layer.place else None

    @property
    def output_shape(self) -> Shape | None:
        """Channels first, without the batch."""
        return self.layer.shape

    @property
    def params(self) -> int | None:
        return self.figures.params

    @property
    def buffers(self) -> int | None:
        return self.figures.buffers

    @property
    def macs(self) -> int | None:
        return self.figures.macs

    @property
    def flops(self) -> int | None:
        return self.figures.flops

    @property
    def output_bytes(self) -> int | None:
        return self.figures.output_bytes

    @property
    def saved_bytes(self) -> int | None:
        """What autograd keeps for the backward pass, for the whole batch; what an earlier layer keeps counts there."""
        if self.figures is UNKNOWN or self.report.backward[self.node] is None:
            return None
        return self.report.training.kept[self.node]

    @property
    def input_gradient_macs(self) -> int | None:
        """Multiply-adds of the gradient of the input, for the whole batch."""
        found = self.report.backward[self.node]
        return None if found is None else int(cost.batch_work(self.report.batch, found.inputs))

    @property
    def weight_gradient_macs(self) -> int | None:
        """Multiply-adds of the gradient of the weights, for the whole batch."""
        found = self.report.backward[self.node]
        return None if found is None else int(cost.batch_work(self.report.batch, found.weights))

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """What a unit sees of the input; None without spatial axes, or where it is not known."""
        return self.report.fields[self.node]

    def explain(self, question: str = "") -> Explanation:
        """The work behind the figures: all of them, or those of one question ("shape", "params", "macs", …).

        >>> print(analyse("lenet")["C1"].explain("params"))
        C1 (Conv2d): 32×32×1 → 28×28×6
        <BLANKLINE>
          weights      = ∏F·(C/G)·K
                       = 5·5·(1/1)·6
                       = 150 parameters
          biases       = K
                       = 6 parameters
          parameters   = 150 + 6 = 156
        """
        from .analysis.explain import explain_row

        return explain_row(self, question)


class Part(NamedTuple):
    """A group of layers and what they add up to."""

    name: str
    output_shape: Shape | None
    figures: Figures
    complete: bool


class Report:
    """Everything that is known of a network. `report["layer1.0.conv1"]` is a `Row`."""

    def __init__(self, graph: Graph, setting: Setting, optimizer: str = "sgd") -> None:
        self.graph, self.setting, self.optimizer = graph, setting, optimizer
        self.batch, self.dtype, self.inplace = setting.batch, setting.dtype, setting.inplace
        self.rows: Sequence[Row] = ()
        self._parts: dict[str, Part] = {}

    def __getitem__(self, name: str) -> Row:
        found = self._by_name.get(name)
        if found is None:
            hint = did_you_mean(name, self._by_name) or f"a group is report.part({name!r})" * (
                name in self.graph.groups
            )
            raise KeyError(f"there is no layer {name!r}" + (f"; {hint}" if hint else ""))
        return found

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        totals, title = self.totals, printable(self.title)
        return f"<Report of {title}: {len(self.rows)} layers, {totals.params:,} parameters, {totals.macs:,} MACs>"

    def _repr_html_(self) -> str:
        from .render.html import report_html

        return report_html(self)

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
    def totals(self) -> Totals:
        return Totals(self)

    @cached_property
    def training(self) -> step.Step:
        """The memory of one training step; raises `SpecError` for a dtype that cannot be trained."""
        if not self.trainable:
            raise wrong_call(f"{self.dtype} cannot be trained: it has no gradients", "use a floating-point dtype")
        return step.step(self.graph, self.setting, self.optimizer)

    @property
    def trainable(self) -> bool:
        """Whether the dtype has gradients."""
        return self.dtype != "int8"

    @cached_property
    def backward(self) -> list[step.Backward | None]:
        """The work of the backward pass, by node, for one image."""
        return step.backward_work(self.graph)

    @cached_property
    def kept(self) -> list[list[Storage]]:
        """What autograd keeps, by the node that is the first to keep it."""
        return step.kept_by_node(self.graph, self.setting)

    @cached_property
    def states(self) -> list[receptive_field.State | None]:
        """The receptive field of each node, as the analysis keeps it."""
        return receptive_field.fields(self.graph)

    @cached_property
    def fields(self) -> list[ReceptiveField | None]:
        """The receptive field of each node, as it is reported."""
        pairs = zip(self.graph.nodes, self.states, strict=True)
        return [receptive_field.receptive_field(self.graph, layer, state) for layer, state in pairs]

    def part(self, name: str) -> Part:
        """A group, by its path, or a layer: what it adds up to; raises KeyError.

        >>> analyse("resnet50").part("layer1").figures.params
        215808
        """
        if name not in self._parts:
            self._parts[name] = self._part(name)
        return self._parts[name]

    def _part(self, name: str) -> Part:
        if name not in self.graph.groups:
            row = self[name]
            return Part(name, row.output_shape, row.figures, row.figures is not UNKNOWN)
        figures, complete = added([row.figures for row in self.rows_of(name)])
        return Part(name, self.graph.nodes[self.graph.groups[name].output].shape, figures, complete)

    def to_dict(self) -> dict[str, Any]:
        """The whole report as plain data: what `--format json` prints."""
        from .render.json import document

        return document(self)


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
) -> Report:
    """All figures of a network: a path, a name in the zoo, a `Source`, or a graph that is loaded already.

    `optimizer` and `device` ("cpu" or "cuda") matter to the memory of training only. Raises `SpecError` for a spec that
    is wrong, and for a batch, dtype, optimizer or device that makes no sense.

    >>> r = analyse("lenet")
    >>> r.totals.params, r.totals.macs, r["C3"].output_shape
    (61706, 416520, (16, 10, 10))
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or not 1 <= batch <= 10**9:
        raise wrong_call(f"batch is {batch}; it must be a whole number from 1 to 10^9")
    for what, value, known in (
        ("dtype", dtype, memory.BYTES),
        ("optimizer", optimizer, step.OPTIMIZERS),
        ("device", device, ("cpu", "cuda")),
    ):
        if not isinstance(value, str) or value not in known:
            hint = did_you_mean(str(value), known) or f"use one of {', '.join(known)}"
            raise wrong_call(f"there is no {what} {value}", hint)
    graph = spec if isinstance(spec, Graph) else load(spec, args=args, inputs=inputs)
    report = Report(graph, Setting(batch, dtype, inplace, device=device), optimizer)
    width, nodes, found = memory.BYTES[dtype], graph.nodes, cost.costs(graph)
    rows: list[Row] = []
    for index in range(graph.input_count, len(nodes)):
        shape, own = nodes[index].shape, found[index]
        figures = UNKNOWN
        if own is not None and shape is not None:
            size = int(memory.tensor_bytes(batch, shape, width))
            macs, other = cost.batch_work(batch, own.macs), cost.batch_work(batch, own.other)
            figures = Figures(own.weights, own.biases, own.buffers, macs, other, own.connections, size)
        rows.append(Row(report, index, figures))
    report.rows = rows
    return report
