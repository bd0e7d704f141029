"""A report: all that is known of a network, as tables, figures, plain data and explanations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ..analysis import memory
from ..analysis.regime import OPTIMIZERS, Regime
from ..errors import Source, did_you_mean, usage_error
from ..explanation import Derivation, Explanation
from ..graph import Graph
from ..language.model import load
from ..ops.actions import Setting
from ..printable import printable
from ..quantities import number
from ..table import AtLeast, known
from .document import document
from .layer_table import Choice, layers_table
from .network import Network
from .parts import asked
from .registry import FIGURES

#: Draws reports: it stands above them, so that they know no more of it than its name.
DRAWER = "cnncalc.figures.notebook"


class Report(Network):
    """Everything that is known of a network. `report["layer1.0.conv1"]` is a `Row`."""

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
        return layers_table(self, ("layer", "type", "output", "params", "macs"), Choice(fit=60))._repr_html_()

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
