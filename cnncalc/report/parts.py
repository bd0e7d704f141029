"""Parts of a network: a layer, some layers, or all. Every figure of the registry can be asked of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ..analysis.memory import Peak
from ..errors import did_you_mean, usage_error
from ..explanation import Derivation, Explanation
from ..graph import Layer
from ..ops import Op, Shape
from ..ops.actions import Action
from ..ops.workspace import Workspace
from ..quantities import readable
from ..record import Record
from ..table import EMPTY, known
from .facts import Facts
from .registry import BY_NAME, FIGURES, OF_NETWORK, known_questions
from .sums import Sums, added

if TYPE_CHECKING:
    from ..analysis.receptive_field import ReceptiveField


class Part:
    """Some layers of a report: one, a group, copies of a block, or all. It is what a figure is asked of."""

    def __init__(self, report: Facts, rows: Sequence[Row], name: str, whole: bool = False) -> None:
        self.report, self.rows, self.name, self.whole = report, rows, name, whole
        #: The row, where it is a single layer.
        self.row = rows[0] if len(rows) == 1 and not whole else None
        self._values: dict[str, Any] = {}
        if self.row is not None:
            self.__dict__["sums"] = self.row.figures

    def __repr__(self) -> str:
        return f"<Part {self.name}: {len(self.rows)} layers, {self.value('params')} parameters>"

    @cached_property
    def sums(self) -> Sums:
        """What its layers add up to."""
        return added(row.figures for row in self.rows)

    @property
    def figures(self) -> Sums:
        """The same, as it is called of a row."""
        return self.sums

    @property
    def complete(self) -> bool:
        """Whether all of its sums are known."""
        return not self.sums.partial and None not in self.sums

    @property
    def understood(self) -> bool:
        """Whether all of the network is known, and all of this part's sums."""
        graph = self.report.graph
        return not self.sums.partial and graph.complete and not graph.errors

    @property
    def last(self) -> Row | None:
        """The layer whose output is that of the part; of the network, its first output's."""
        if self.row is not None:
            return self.row
        graph = self.report.graph
        if self.whole:
            outputs = [i for i in graph.outputs if i >= graph.input_count]
            return self._row(outputs[0]) if outputs else None
        group = graph.groups.get(self.name)
        if group is None or group.output < graph.input_count:
            return self.rows[-1] if self.rows else None
        return self._row(group.output)

    def _row(self, node: int) -> Row:
        return Row(self.report, node, self.report.sums[node])

    @property
    def output_shape(self) -> Shape | None:
        """Channels first, without the batch."""
        if self.row is not None:
            return self.report.shaped(self.row.node)
        group = self.report.graph.groups.get(self.name)
        if group is not None and not self.whole:
            return self.report.shaped(group.output)
        return self.report.shaped(self.last.node) if self.last else None

    def value(self, name: str) -> Any:
        """A figure by its name: None where it is not known, `AtLeast` where a part of it is not."""
        if name not in self._values:
            self._values[name] = BY_NAME[name].of(self)
        return self._values[name]


class Row(Record):
    """One layer of a report. Every figure of a layer is an attribute: `row.params`, `row.macs`, `row.intensity` …

    >>> from cnncalc import analyse
    >>> analyse("lenet")["C1"].params
    156
    """

    report: Facts
    node: int  # the place of the layer among the nodes of the graph
    figures: Sums

    def __getattr__(self, name: str) -> Any:
        figure = BY_NAME.get(name)
        if figure is None or not figure.of_layers:
            raise AttributeError(f"a layer has no figure {name!r}")
        value = figure.of(self.part)
        return None if value == EMPTY else value

    def __repr__(self) -> str:
        return f"<{self.name} ({self.type}): {self.output_shape}, {self.params} parameters, {self.macs} MACs>"

    @property
    def layer(self) -> Layer:
        return self.report.graph.nodes[self.node]

    @property
    def part(self) -> Part:
        """The layer alone, as a part of the network."""
        return Part(self.report, (self,), self.name)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the layers and inputs that it takes."""
        return tuple([self.report.graph.nodes[i].name for i in self.layer.inputs])

    @property
    def input_shapes(self) -> tuple[Shape | None, ...]:
        """Channels first, without the batch."""
        return tuple([self.report.shaped(i) for i in self.layer.inputs])

    @property
    def name(self) -> str:
        return self.layer.name

    @property
    def type(self) -> str:
        return self.layer.type

    @property
    def shares(self) -> str:
        """The layer whose weights it has, where it is one that is used again; otherwise an empty string."""
        return "" if self.layer.shares < 0 else self.report.graph.nodes[self.layer.shares].name

    @property
    def line(self) -> int | None:
        """The line of the spec that it was written in."""
        return self.layer.place.line if self.layer.place else None

    @property
    def output_shape(self) -> Shape | None:
        """Channels first, without the batch."""
        return self.report.shaped(self.node)

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """What a unit sees of the input; None without spatial axes, or where it is not known."""
        return self.report.field(self.node)

    @property
    def workspace(self) -> Workspace:
        """What libraries allocate inside it in inference, beside its output."""
        return self.report.workspaces[self.node]

    def known(self) -> tuple[Op, tuple[Shape, ...]]:
        """Its operation and the shapes that enter; raises `LookupError` where something is not known."""
        shapes = tuple(shape for shape in self.input_shapes if shape is not None)
        op = self.layer.op
        if op is None or self.layer.shape is None or not shapes or len(shapes) < len(self.layer.inputs):
            raise LookupError(self.name)
        return op, shapes

    @property
    def actions(self) -> tuple[Action, ...]:
        """What it does to memory in training, operation by operation; none where it is not known."""
        try:
            op, shapes = self.known()
        except LookupError:
            return ()
        return op.actions(self.report.setting._replace(training=True), self.layer.shape or (), *shapes)

    def explain(self, question: str = "") -> Explanation:
        """The work behind the figures: all of them, or those of one question ("shape", "params", "macs", …).

        >>> from cnncalc import analyse
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
        wanted = asked(question)
        entering = " and ".join(map(readable, self.input_shapes))
        title = f"{self.name} ({self.type}): {entering} → {readable(self.output_shape)}"
        return Explanation(title, tuple(self._derivations(wanted)), self.layer.note, self.name)

    def _derivations(self, wanted: Sequence[str]) -> Iterator[Derivation]:
        try:
            self.known()
        except LookupError:
            if "shape" in wanted:
                yield Derivation("unknown", text="what depends on a layer that is not known is not known either")
            return
        # FLOPs are worked out from the MACs, which are therefore shown with them.
        for figure in FIGURES.values():
            if figure.derive and (figure.question in wanted or (figure.key == "macs" and "flops" in wanted)):
                yield from figure.derive(self)


class Totals:
    """What the network adds up to. Every figure of a network is an attribute: `totals.params`, `totals.intensity` …

    Where a part is not known, an attribute is what is known of it: at least so much. `complete` tells whether that is
    so of any of them, and `value` of each.
    """

    def __init__(self, whole: Part) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        figure = BY_NAME.get(name)
        if figure is None or not figure.of_network or name.startswith("_"):
            raise AttributeError(f"a network has no figure {name!r}")
        return known(self._whole.value(figure.key))

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *OF_NETWORK]

    def __repr__(self) -> str:
        return f"<Totals: {self.text('params')}, {self.text('macs')}, depth {self.depth}>"

    @property
    def figures(self) -> Sums:
        """What all layers add up to."""
        return self._whole.sums

    def value(self, name: str) -> Any:
        """A figure by its name: None where it is not known, `AtLeast` where a part of it is not."""
        return self._whole.value(name)

    def text(self, name: str) -> str:
        """A figure with its unit, as people read it: ≥ where a part of it is not known."""
        return BY_NAME[name].text(self.value(name))

    @property
    def complete(self) -> bool:
        """Whether all of it is known."""
        return self._whole.understood

    @property
    def peak(self) -> Peak:
        """The most that activations take at one moment."""
        return self._whole.report.peak


_ALIASES = {
    "shapes": "shape",
    "parameters": "params",
    "work": "flops",
    "rf": "receptive-field",
    "receptive_field": "receptive-field",
}


def asked(questions: str) -> tuple[str, ...]:
    """The questions in a list with commas, all where it is empty; raises `SpecError` for one that is not known."""
    wanted = tuple(_ALIASES.get(word.strip(), word.strip()) for word in questions.split(",") if word.strip())
    there = known_questions()
    for question in wanted:
        if question not in there:
            hint = did_you_mean(question, there) or f"ask {', '.join(there)}"
            raise usage_error(f"there is no question {question}", hint)
    return wanted or known_questions(trained=False)
