"""The largest batch that fits into so much memory."""

from __future__ import annotations

from ..analysis.memory import peak
from ..analysis.training import largest_batch, step
from ..ops.actions import Store
from ..report import Report


def fitting_batch(report: Report, budget: int, training: bool) -> int:
    """The largest batch of a network within a budget of bytes, for training or inference; 0 if not one image fits.

    >>> from cnncalc import analyse
    >>> fitting_batch(analyse("resnet50", optimizer="adam"), 16 * 2**30, training=True)
    194
    """
    graph, setting = report.graph, report.setting
    given = sum(Store(node.shape or ()).bytes(setting._replace(batch=1)) for node in graph.inputs)

    def needed(batch: int) -> int:
        asked = setting._replace(batch=batch)
        if training:
            return step(graph, asked, report.optimizer).peak
        return int(report.totals.weight_bytes) + batch * given + peak(graph, asked).bytes

    return largest_batch(needed, budget)
