"""Parameters and work of each layer."""

from __future__ import annotations

from typing import Any

from ..formula import Step, formula, integer
from ..graph import Graph
from ..ops import Op, Shape
from ..record import Record
from .walk import asked


@formula(
    "FLOPs of a layer of multiply-adds",
    chapter="multiply-adds",
    symbol="FLOPs",
    unit="FLOP",
    source="convention: one MAC is one multiplication and one addition; biases are not counted",
)
def macs_to_flops(MACs: Any) -> Any:
    return 2 * MACs


@formula(
    "work of a batch",
    chapter="multiply-adds",
    symbol="for the batch",
    unit="operations",
    source="every image passes through the same layers",
)
def batch_work(B: Any, FLOPs: Any) -> Any:
    """The same holds for the MACs alone."""
    return B * FLOPs


class Cost(Record):
    """What one layer has and does for one image; `other` is the work that is no multiply-add. None is not known."""

    weights: int | None
    biases: int | None
    buffers: int | None
    macs: int | None
    other: int | None
    connections: int | None

    @property
    def params(self) -> int | None:
        return None if self.weights is None or self.biases is None else self.weights + self.biases


NOTHING = Cost(0, 0, 0, 0, 0, 0)


def costs(graph: Graph) -> list[Cost | None]:
    """The cost of each node; None for what is not known, nothing for the inputs. What is shared is had once."""
    found = asked(graph, cost_of)
    for node, layer in enumerate(graph.nodes):
        cost = found[node]
        if layer.shares >= 0 and cost is not None:
            found[node] = cost._replace(weights=0, biases=0, buffers=0)
    return [NOTHING] * graph.input_count + found[graph.input_count :]


def cost_of(op: Op, output: Shape, *shapes: Shape) -> Cost:
    """The cost of one layer that makes an output of these shapes; raises `Misfit` where they do not fit."""
    work, found = op.work(output, *shapes), {"weights": 0, "biases": 0, "buffers": 0}
    for count in op.counts(*shapes):
        found[count.role] += count.step.value
    cost = Cost(**found, macs=_value(work.macs), other=_value(work.other), connections=_value(work.connections))
    return cost._replace(**dict.fromkeys(op.unknown())) if op.unknown() else cost


def _value(step: Step | None) -> int:
    return 0 if step is None else integer(step.value)
