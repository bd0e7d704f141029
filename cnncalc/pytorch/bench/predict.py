"""What the calculator says of a configuration before it is run."""

from __future__ import annotations

from ...analysis.autocast import not_followed
from ...graph import Graph
from ...ops.actions import Setting
from ...record import Record
from ...report import Report
from .plan import Configuration


class Prediction(Record):
    """For the whole batch: work, the bytes that must at least be moved, and the peak of memory.

    `flops` are two for each multiply-add, a training step's backward pass included. `exact` is False where it
    is not followed what autocast copies into another type. `allocated_bytes` is what the device's allocator
    gives out in inference, libraries' copies included: at least and at most so much.
    """

    params: int
    macs: int
    flops: int
    traffic_bytes: int
    peak_bytes: int
    activation_bytes: int
    exact: bool
    allocated_bytes: tuple[int, int] | None = None


def report_of(graph: Graph, config: Configuration, kind: str) -> Report:
    """The analysis of a network as it will be run."""
    amp = "bfloat16" if config.dtype == "amp" else ""  # float16, which older GPUs take, is as wide
    dtype = "float32" if amp else config.dtype
    device = "cpu" if kind == "cpu" else "cuda"
    setting = Setting(config.batch, dtype, device=device, channels_last=config.channels_last, amp=amp)
    return Report(graph, setting, config.optimizer)


def predict(graph: Graph, config: Configuration, kind: str) -> Prediction:
    """Work and memory of a configuration."""
    report = report_of(graph, config, kind)
    totals = report.totals
    macs = totals.macs + (totals.backward_macs if config.train else 0)
    if config.train:
        peak, activations = totals.peak_training_bytes, totals.training_activation_bytes
    else:
        peak, activations = totals.inference_bytes, totals.peak_inference_bytes
    # Backwards, gradients of the same sizes are read and written twice.
    traffic = (totals.moved_bytes or 0) * (3 if config.train else 1)
    fixed = totals.inference_bytes - totals.peak_inference_bytes
    low, high = totals.peak.allocated
    band = None if config.train or config.compile else (fixed + low, fixed + high)
    exact = config.dtype != "amp" or (kind == "cpu" and not not_followed(graph))
    return Prediction(totals.params, macs, 2 * macs, traffic, peak, activations, exact, band)


class Roofline(Record):
    """Where the limit lies: the work for each byte, against what the machine does for each byte it moves.

    Williams, Waterman & Patterson (2009), Roofline: an insightful visual performance model.
    """

    intensity: float
    ridge: float
    least_s: float  # the time below which it cannot go

    @property
    def bound(self) -> str:
        return "compute" if self.intensity >= self.ridge else "memory"


def roofline(flops: float, traffic: float, peak_flops: float, bandwidth: float) -> Roofline:
    """The roofline of so much work and traffic on a machine.

    >>> roofline(2e9, 1e6, 1e12, 1e11).bound, roofline(2e6, 1e6, 1e12, 1e11).bound
    ('compute', 'memory')
    """
    ridge = peak_flops / bandwidth
    return Roofline(flops / traffic if traffic else float("inf"), ridge, max(flops / peak_flops, traffic / bandwidth))
