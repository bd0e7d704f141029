"""The peak of activations against a count that keeps no books: at each moment, everything still needed."""

from __future__ import annotations

import math
import random

import pytest

from cnncalc import analyse, load, view
from cnncalc.analysis.memory import inference, peak
from cnncalc.errors import Source
from cnncalc.graph import Graph
from cnncalc.language.locate import zoo_names
from cnncalc.ops.actions import Setting


def slow_peak(graph: Graph, batch: int, width: int, inplace: bool) -> int:
    """At every layer, the storages that this layer or a later one reads, or that are a result."""

    def root(index: int) -> int:
        layer = graph.nodes[index]
        shares = layer.op is not None and (
            layer.op.view
            or "Drop" in layer.type
            or getattr(layer.op, "inplace", False)
            or (inplace and hasattr(layer.op, "inplace"))
        )
        return root(layer.inputs[0]) if shares and len(layer.inputs) == 1 else index

    most = 0
    for now in range(graph.input_count, len(graph.nodes)):
        needed = {root(i) for later in graph.nodes[now:] for i in later.inputs} | {root(i) for i in graph.outputs}
        alive = {i for i in needed if graph.input_count <= i <= now} | ({root(now)} - set(range(graph.input_count)))
        total = sum(math.prod(graph.nodes[i].shape or ()) for i in alive) * batch * width
        op, shape = graph.nodes[now].op, graph.nodes[now].shape or ()
        indices = op is not None and ("MaxPool" in op.type())
        most = max(most, total + (8 * batch * math.prod(shape) if indices else 0))
    return most


@pytest.mark.parametrize("inplace", [False, True])
@pytest.mark.parametrize(
    "spec", ["lenet", "alexnet", "vgg11", "resnet18", "resnet50", "googlenet_aux", "unet", "mobilenet_v2"]
)
def test_the_zoo(spec: str, inplace: bool) -> None:
    report = analyse(spec, batch=3, dtype="float16", inplace=inplace)
    assert report.totals.peak.bytes == slow_peak(report.graph, 3, 2, inplace)


def test_random_graphs() -> None:
    rng = random.Random(0)
    for _ in range(100):
        lines = ["input: [4, 8, 8]", "layers:"]
        names = ["input"]
        for number in range(rng.randint(2, 12)):
            name = f"n{number}"
            kind = rng.choice(
                [
                    "ReLU: {inplace: true}",
                    "ReLU: {}",
                    "Identity: {}",
                    "BatchNorm2d: {}",
                    "Dropout: {}",
                    "add",
                    "MaxPool2d",
                ]
            )
            if kind == "add":
                lines.append(f"  {name}: {{add: [{rng.choice(names)}, {rng.choice(names)}]}}")
            elif kind == "MaxPool2d":
                lines.append(
                    f"  {name}: {{MaxPool2d: {{kernel_size: 3, stride: 1, padding: 1}}, from: {rng.choice(names)}}}"
                )
            else:
                lines.append(f"  {name}: {{{kind}, from: {rng.choice(names)}}}")
            names.append(name)
        lines.append(f"outputs: [{names[-1]}, {rng.choice(names[1:])}]")
        graph = analyse(Source("random.yaml", "\n".join(lines))).graph
        for inplace in (False, True):
            assert peak(inference(graph, Setting(2, inplace=inplace))).bytes == slow_peak(graph, 2, 4, inplace), (
                "\n".join(lines)
            )


@pytest.mark.parametrize("spec", [name for name in zoo_names() if "1202" not in name])
def test_sums(spec: str) -> None:
    report = analyse(spec, batch=2, dtype="float64")
    totals = report.totals
    assert totals.activation_bytes == sum(math.prod(row.output_shape or ()) for row in report) * 2 * 8
    assert totals.weight_bytes == (totals.params + totals.buffers) * 8
    assert sum(each.bytes for each in totals.peak.alive) + totals.peak.extra_bytes == totals.peak.bytes
    assert totals.peak.bytes <= totals.activation_bytes + totals.peak.extra_bytes


def test_what_depends_on_a_layer_that_is_not_known_is_said_to_be_unknown() -> None:
    graph = load(
        Source("net.yaml", "input: [1, 8, 8]\nlayers: [{Strange: {a: 1}}, {Conv2d: {out_channels: 2, kernel_size: 3}}]")
    )
    shown = str(view(analyse(graph), "memory --train"))
    assert "not known" in shown
