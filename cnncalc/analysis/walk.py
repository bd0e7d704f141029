"""One walk through a graph: are the shapes known, and was this operation asked with these shapes before?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from ..graph import Graph, Layer
from ..ops import Op, Shape

T = TypeVar("T")


def known_shapes(graph: Graph, layer: Layer) -> tuple[Shape, ...] | None:
    """The shapes that enter a layer; None where one of them, its operation or its output is not known."""
    nodes = graph.nodes
    shapes = tuple([nodes[i].shape for i in layer.inputs])
    if layer.op is None or layer.shape is None or None in shapes or not shapes:
        return None
    return shapes  # type: ignore[return-value]


class Memo:
    """What was found for an operation with shapes; blocks repeat them, and none is worked out twice.

    The operation stands by its identity, which is fast; the graph keeps it alive.
    """

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work, self.answers = work, {}  # type: ignore[var-annotated]

    def __call__(self, op: Op, out: Shape, shapes: tuple[Shape, ...], *more: Any) -> Any:
        key = (id(op), shapes, *more)
        answers = self.answers
        if key not in answers:
            answers[key] = self.work(op, out, *shapes, *more)
        return answers[key]


def layers_with_shapes(graph: Graph) -> Iterator[tuple[int, Layer, tuple[Shape, ...] | None]]:
    """The layers in order of work, each with its place among the nodes and the shapes that enter it, if known."""
    for index, layer in enumerate(graph.layers, graph.input_count):
        yield index, layer, known_shapes(graph, layer)


def asked(graph: Graph, work: Callable[..., T]) -> list[T | None]:
    """What `work(op, out, *shapes)` says of each node; None for the inputs, and where something is not known."""
    memo = Memo(work)
    found: list[T | None] = [None] * graph.input_count
    for _, layer, shapes in layers_with_shapes(graph):
        found.append(None if shapes is None else memo(layer.op, layer.shape, shapes))  # type: ignore[arg-type]
    return found
