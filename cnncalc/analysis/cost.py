"""Parameters and work of each layer."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..formula import Step, formula
from ..graph import Graph, Layer
from ..ops import Op, Shape


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


class Cost(NamedTuple):
    """What one layer has and does for one image; `other` is the work that is no multiply-add."""

    weights: int
    biases: int
    buffers: int
    macs: int
    other: int
    connections: int

    @property
    def params(self) -> int:
        return self.weights + self.biases

    @property
    def flops(self) -> int:
        value: int = macs_to_flops(self.macs) + self.other
        return value


def costs(graph: Graph) -> list[Cost | None]:
    """The cost of each node; None for what is not known, zero for the inputs."""
    nothing = Cost(0, 0, 0, 0, 0, 0)
    known: dict[tuple[int, tuple[Shape, ...]], Cost] = {}
    found: list[Cost | None] = [nothing] * graph.input_count
    for layer in graph.layers:
        shapes = known_shapes(graph, layer)
        if shapes is None or layer.op is None or layer.shape is None:
            found.append(None)
            continue
        key = (id(layer.op), shapes)
        if key not in known:
            known[key] = cost_of(layer.op, layer.shape, *shapes)
        found.append(known[key])
    return found


def known_shapes(graph: Graph, layer: Layer) -> tuple[Shape, ...] | None:
    """The shapes that enter a layer, or None where one is not known."""
    nodes = graph.nodes
    shapes = [nodes[i].shape for i in layer.inputs]
    return None if None in shapes or not shapes else tuple(shapes)  # type: ignore[arg-type]


def cost_of(op: Op, output: Shape, *shapes: Shape) -> Cost:
    """The cost of one layer that makes an output of these shapes; raises `Misfit` where they do not fit."""
    roles, work = {"weights": 0, "biases": 0, "buffers": 0}, op.work(output, *shapes)
    for count in op.counts(*shapes):
        roles[count.role] += count.step.value
    return Cost(**roles, macs=_value(work.macs), other=_value(work.other), connections=_value(work.connections))


def _value(step: Step | None) -> int:
    return 0 if step is None else int(step.value)
