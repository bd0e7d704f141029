"""What is stored: weights, outputs, and the peak of inference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...analysis import memory as analysis
from ...explanation import Derivation
from ...quantities import number
from .base import Figure, of_network, summed

if TYPE_CHECKING:
    from ..parts import Row
    from ..report import Report


def _output_steps(row: Row) -> Iterator[Derivation]:
    width = analysis.BYTES[row.report.dtype]
    yield Derivation("output", analysis.tensor_bytes.step(B=row.report.batch, Y=row.layer.shape or (), b=width))


def _peak_steps(report: Report) -> Iterator[Derivation]:
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


def _stored(report: Report) -> int:
    sums = report.whole.sums
    return int(analysis.weight_bytes((sums.params or 0) + (sums.buffers or 0), analysis.BYTES[report.dtype]))


weight_bytes = Figure(
    "weight_bytes",
    "weights",
    "bytes",
    "parameters and buffers, as they are stored",
    of_network(_stored, "weights", "biases", "buffers"),
    chapter="memory",
    scope="network",
)
peak_inference_bytes = Figure(
    "peak_inference_bytes",
    "peak",
    "bytes",
    "the most that activations take at one moment of inference, without the input and the weights",
    of_network(lambda report: report.totals.peak.bytes),
    chapter="memory",
    scope="network",
    derive_total=_peak_steps,
    question="memory",
    watched="peak of activations, bytes",
)
