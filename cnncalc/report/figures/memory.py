"""What is stored: weights, outputs, and the peak of inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ...analysis import memory as analysis
from ...explanation import Derivation
from ...formula import integer
from ...quantities import number
from .base import Figure, of_layer, of_network, summed

if TYPE_CHECKING:
    from ..network import Network
    from ..parts import Part, Row


def _output_steps(row: Row) -> Iterator[Derivation]:
    width = analysis.BYTES[row.report.dtypes[row.node]]
    yield Derivation("output", analysis.tensor_bytes.step(B=row.report.batch, Y=row.layer.shape or (), b=width))


def _peak_steps(report: Network) -> Iterator[Derivation]:
    peak, at_least = report.totals.peak, "" if report.totals.complete else "≥ "
    alive = " + ".join(f"{tensor.name} {number(tensor.bytes)}" for tensor in peak.alive[:8])
    alive += " + …" * (len(peak.alive) > 8) + f" + {number(peak.extra_bytes)} beside them" * bool(peak.extra_bytes)
    text = f"{alive} = {at_least}{number(peak.bytes)}, while {peak.layer} runs"
    yield Derivation("peak of activations, bytes", text=text, total=peak.bytes)


output_bytes = Figure(
    "output_bytes",
    "bytes",
    "bytes",
    "the outputs of all layers together, views too",
    summed("output_bytes"),
    chapter="memory",
    column="bytes",
    total="activation_bytes",
    question="memory",
    derive=_output_steps,
    summed="bytes of all activations",
    mebibytes="mib",
    shared="bytes_share",
)


def _stored(whole: Part) -> int:
    sums, report = whole.sums, whole.report
    if report.setting.int8:
        return sums.weight_bytes or 0
    return integer(analysis.weight_bytes((sums.params or 0) + (sums.buffers or 0), analysis.BYTES[report.dtype]))


class _Weights(summed):
    """What parameters and buffers take: of the network also what is known of layers of which not all is."""

    def __call__(self, part: Part) -> Any:
        return of_network(_stored, "weights", "biases", "buffers")(part) if part.whole else super().__call__(part)


def _weight_steps(row: Row) -> Iterator[Derivation]:
    report = row.report
    if report.setting.int8 and (step := report.quantized[row.node]) is not None:
        if row.figures.params or row.figures.buffers:
            yield Derivation("weights, bytes", step)
        yield Derivation("computed in", text=row.computed_in)


weight_bytes = Figure(
    "weight_bytes",
    "weights",
    "bytes",
    "parameters and buffers, as they are stored",
    _Weights("weight_bytes"),
    chapter="memory",
    question="memory",
    derive=_weight_steps,
)


def _computed_in(row: Row) -> str:
    fates = row.report.fates
    if fates and fates[row.node].kind == "part":
        scope, _, name = (host := row.report.graph.nodes[fates[row.node].of].name).rpartition(".")
        return f"in {name if row.name.rpartition('.')[0] == scope else host}"  # as a spec names what is near
    return row.report.dtypes[row.node]


computed_in = Figure(
    "computed_in",
    "computed in",
    "",
    "the type of its output, or the layer that it is a part of once a network is quantized",
    of_layer(_computed_in),
    chapter="memory",
    scope="layers",
    show=str,
    additive=False,
    document=False,
)
peak_inference_bytes = Figure(
    "peak_inference_bytes",
    "activations",
    "bytes",
    "the most that activations take at one moment of inference, without the input and the weights",
    of_network(lambda whole: whole.report.peak_bytes),
    chapter="memory",
    scope="network",
    derive_total=_peak_steps,
    question="memory",
    watched="peak of activations, bytes",
)


def _needed(whole: Part) -> int:
    return _stored(whole) + whole.report.given_bytes + whole.report.peak_bytes


def _needed_steps(report: Network) -> Iterator[Derivation]:
    weights, given, peak = _stored(report.whole), report.given_bytes, report.totals.peak.bytes
    at_least = "" if report.totals.complete else "≥ "
    total = _needed(report.whole)
    text = f"weights {number(weights)} + input {number(given)} + peak {number(peak)} = {at_least}{number(total)}"
    yield Derivation("inference, bytes", text=text, total=total)


inference_bytes = Figure(
    "inference_bytes",
    "inference",
    "bytes",
    "what inference takes at its worst moment: weights, buffers, input and the peak of activations",
    of_network(_needed),
    chapter="memory",
    scope="network",
    derive_total=_needed_steps,
    question="memory",
)


def _allocated(whole: Part) -> int | None:
    report = whole.report
    if report.setting.int8:  # what libraries allocate inside an int8 operation is not known
        return None
    return _stored(whole) + report.given_bytes + report.peak.allocated[1]


def _allocated_steps(report: Network) -> Iterator[Derivation]:
    if report.setting.int8:
        return
    low, high = report.totals.peak.allocated
    fixed = _stored(report.whole) + report.given_bytes
    text = f"weights and input {number(fixed)} + {_between(low, high)}, the most at {report.totals.peak.at}"
    yield Derivation("allocated, bytes", text=text, total=fixed + high)


def _between(low: int, high: int) -> str:
    return f"{number(low)} to {number(high)}" if low < high else number(low)


def _workspace_steps(row: Row) -> Iterator[Derivation]:
    beside = row.workspace
    for label, step in beside.steps:
        yield Derivation(label, step, remark=step.formula.remark)
    if beside.high:
        text = f"{_between(beside.low, beside.high)} bytes beside the output while it runs, and given back"
        yield Derivation("inside", text=text, total=beside.high)


allocated_bytes = Figure(
    "allocated_bytes",
    "allocated",
    "bytes",
    "what inference allocates at most, with the copies that libraries make inside an operation",
    of_network(_allocated),
    chapter="memory",
    scope="network",
    derive=_workspace_steps,
    derive_total=_allocated_steps,
    question="memory",
)
