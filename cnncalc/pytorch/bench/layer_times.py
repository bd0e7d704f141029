"""The time of each layer: clocks between the statements of the generated forward, and no waiting inside."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from torch import fx

from .devices import Device, Marks
from .statistics import median

if TYPE_CHECKING:
    from ..subject import Subject


def timed(subject: Subject, seconds: float) -> dict[str, Any]:
    """Median seconds of each layer, of the whole pass with the clocks, and of the pass without them.

    With and without take turns, so that a machine that drifts does not look like the price of the clocks.
    """
    names, marks, net = instrumented(subject.net, subject.device)
    device, plain = subject.device, subject.net
    parts: list[list[float]] = []
    whole: list[float] = []
    without: list[float] = []
    with subject.context(), subject.autocast():
        for _ in range(3):
            net(*subject.inputs)
            plain(*subject.inputs)
        device.synchronize()
        end = time.perf_counter() + seconds
        while len(parts) < 8 or time.perf_counter() < end:
            begin = time.perf_counter()
            net(*subject.inputs)
            device.synchronize()
            whole.append(time.perf_counter() - begin)
            parts.append(marks.seconds())
            begin = time.perf_counter()
            plain(*subject.inputs)
            device.synchronize()
            without.append(time.perf_counter() - begin)
    medians = [median([sample[i] for sample in parts]) for i in range(len(names))]
    return {
        "layers": dict(zip(names, medians, strict=True)),
        "calls": len(parts),
        "whole_s": median(whole),
        "without_s": median(without),
    }


def instrumented(net: fx.GraphModule, device: Device) -> tuple[list[str], Marks, fx.GraphModule]:
    """A copy of a network whose forward notes the time before each layer, and at the end."""
    graph = fx.Graph()
    values: dict[fx.Node, fx.Node] = {}
    graph.output(graph.graph_copy(net.graph, values))  # type: ignore[arg-type]
    originals = {copied: original for original, copied in values.items()}
    firsts: list[tuple[str, fx.Node]] = []
    for node in graph.nodes:
        name = originals[node].meta.get("layer") if node in originals else None
        if name and (not firsts or firsts[-1][0] != name):
            firsts.append((name, node))
    marks = device.marks(len(firsts) + 1)
    last = next(node for node in reversed(graph.nodes) if node.op == "output")
    for number, (mark, node) in enumerate(zip(marks.functions(), [*(n for _, n in firsts), last], strict=True)):
        with graph.inserting_before(node):
            graph.call_function(_named(mark, f"mark_{number}"))
    return [name for name, _ in firsts], marks, fx.GraphModule(net, graph)


def _named(mark: Any, name: str) -> Any:
    """A function under a name that the generated code can call it by."""

    def noted() -> None:
        mark()

    noted.__name__ = noted.__qualname__ = name
    noted.__module__ = "cnncalc_marks"
    return noted
