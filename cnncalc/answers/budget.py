"""The largest batch that fits into so much memory."""

from __future__ import annotations

from ..analysis.memory import inference, peak
from ..analysis.training import largest_batch, step
from ..report import Report

#: The figures that a budget may be for.
BOUNDS = ("inference_bytes", "allocated_bytes", "peak_training_bytes")


def fitting_batch(report: Report, budget: int, bound: str) -> int:
    """The largest batch of which a figure, one of `BOUNDS`, stays within a budget of bytes; 0 if not one image fits.

    >>> from cnncalc import analyse
    >>> fitting_batch(analyse("resnet50", optimizer="adam"), 16 * 2**30, "peak_training_bytes")
    194
    """
    graph, setting, given = report.graph, report.setting, report.given_bytes // report.batch

    def needed(batch: int) -> int:
        asked = setting._replace(batch=batch)
        if bound == "peak_training_bytes":
            return step(graph, asked, report.optimizer).peak
        most = peak(inference(graph, asked))
        activations = most.allocated[1] if bound == "allocated_bytes" else most.bytes
        return int(report.totals.weight_bytes) + batch * given + activations

    return largest_batch(needed, budget)
