"""The receptive field against the truth: which inputs have a gradient at which outputs."""

from __future__ import annotations

import random

import pytest
import reference
import specs

from cnncalc import analyse, load
from cnncalc.errors import Source
from cnncalc.report import Report

torch = reference.torch

# Layers through which every dependency shows as a gradient; a max pool's windows are an average pool's.
TYPES = ["Conv1d", "Conv1d", "Conv1d", "ConvTranspose1d", "AvgPool1d", "AdaptiveAvgPool1d", "Upsample", "Upsample", "ZeroPad1d", "Slice",
         "Identity", "GroupNorm", "BatchNorm1d"]  # fmt: skip


def entry(rng: random.Random, name: str, shape: tuple[int, ...]) -> str:
    arguments = specs.arguments(rng, name, shape)
    if name == "Slice":
        arguments["dim"] = 2
    if name == "Conv1d":
        arguments.pop("padding_mode", None)
    layer = f"{{{name}: {specs.flow(arguments)}}}"
    chance = rng.random()
    if chance < 0.25:
        other = (
            f"{{Conv1d: {{out_channels: {rng.randint(1, 3)}, kernel_size: {rng.choice([1, 3, 5])}, padding: same}}}}"
        )
        return f"  - concat:\n      - [{layer}]\n      - [{other}, {layer}]\n"
    return f"  - {layer}\n"


def network(rng: random.Random) -> str:
    text, shape = f"input: [{rng.choice([1, 2])}, {rng.randint(8, 40)}]\nlayers:\n", (2, 20)
    for _ in range(12):
        try:
            longer = text + entry(rng, rng.choice(TYPES), shape)
            graph = load(Source("random.yaml", longer))
        except Exception:
            continue
        if len(graph.layers) <= 7 and (graph.nodes[-1].shape or (0, 0))[1] < 200:
            text, shape = longer, graph.nodes[-1].shape or ()
    return text


def dependencies(report: Report) -> dict[str, list[list[int]]]:
    """For each layer and output position, the input positions that it depends on."""
    torch.manual_seed(0)
    graph = report.graph
    x = torch.randn(2, *(graph.inputs[0].shape or ()), dtype=torch.float64, requires_grad=True)
    tensors, found = [x], {}
    for layer in graph.layers:
        assert layer.op is not None
        inputs = [tensors[i] for i in layer.inputs]
        made = (
            reference.module(layer.op, *(tuple(each.shape[1:]) for each in inputs))
            .eval()
            .to_empty(device="cpu")
            .double()
        )
        for tensor in [*made.parameters(), *made.buffers()]:
            tensor.data = torch.rand_like(tensor, dtype=torch.float64) + 0.5
        tensors.append(made(*inputs))
        rows = []
        weights = torch.randn(tensors[-1].shape[:2], dtype=torch.float64)
        for position in range(tensors[-1].shape[2]):
            (gradient,) = torch.autograd.grad((tensors[-1][:, :, position] * weights).sum(), x, retain_graph=True)
            rows.append((gradient.abs().sum((0, 1)) > 1e-13).nonzero().flatten().tolist())
        found[layer.name] = rows
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(6))
def test_windows_hold_every_dependency_and_exact_ones_nothing_else(part: int) -> None:
    rng, tight, kinds = random.Random(part), 0, set()
    for _ in range(25):
        report = analyse(Source("random.yaml", network(rng)))
        text = report.graph.source.text
        size = (report.graph.inputs[0].shape or ())[1]
        # Where a map is cut and padded again, zeros stand in place of pixels also well inside the input.
        cut = any(word in text for word in ("Slice", "ConvTranspose", "[-", ", -", ": -"))
        for name, rows in dependencies(report).items():
            field = report[name].receptive_field
            assert field is not None
            kinds.add(field.kind)
            for position, seen in enumerate(rows):
                start = position * field.stride[0] - field.padding[0]
                end = start + field.size[0] - 1
                if field.kind == "whole input":
                    continue
                if seen:
                    # With a fractional stride the window begins between two pixels; `size` is how many it can hold.
                    holds = start <= seen[0] and seen[-1] < start + field.size[0] and seen[-1] - seen[0] < field.size[0]
                    assert holds, (name, position, seen, field, text)
                    assert seen[-1] - seen[0] < field.unit[0] <= field.size[0], (name, position, seen, field, text)
                if (
                    seen and not cut and field.kind == "exact" and start >= 0 and end < size
                ):  # one value, normalised, is constant
                    assert (seen[0], seen[-1]) == (start, end), (name, position, seen, field, text)
                    tight += 1
    assert tight > 50 and kinds == {"exact", "union", "whole input"}


@pytest.mark.parametrize(
    ("layers", "kind", "size"),
    [
        ("[{Conv2d: {out_channels: 4, kernel_size: 3}}, {Conv2d: {out_channels: 4, kernel_size: 3}}]", "exact", (5, 5)),
        ("[{Conv2d: {out_channels: 4, kernel_size: [1, 3], dilation: 2}}]", "exact", (1, 5)),
        ("[{MaxPool2d: {kernel_size: 2}}, {Conv2d: {out_channels: 4, kernel_size: 3}}]", "exact", (6, 6)),
        ("[{AdaptiveAvgPool2d: {output_size: 1}}]", "whole input", (32, 32)),
        ("[{GroupNorm: {num_groups: 1}}]", "whole input", (32, 32)),
        ("[BatchNorm2d]", "exact", (1, 1)),
        ("[{Mean: {dim: [2, 3]}}]", "whole input", (32, 32)),
        ("[{add: [[{Conv2d: {out_channels: 3, kernel_size: 3, padding: 1}}], []]}]", "exact", (3, 3)),
        ("[{concat: [[{ZeroPad2d: {padding: [2, -2, 0, 0]}}], []]}]", "union", (1, 3)),
        ("[{multiply: [[{AdaptiveAvgPool2d: {output_size: 1}}], []]}]", "whole input", (32, 32)),
        ("[{Permute: {dims: [0, 2, 3, 1]}}, {Permute: {dims: [0, 3, 1, 2]}}, {Conv2d: {out_channels: 1, kernel_size: [3, 5]}}]", "exact", (3, 5)),
        ("[{Upsample: {scale_factor: 2}}, {Conv2d: {out_channels: 4, kernel_size: 3}}]", "union", (2, 2)),
        ("[{Upsample: {scale_factor: 2}}, {Conv2d: {out_channels: 4, kernel_size: 5}}]", "union", (3, 3)),
    ],
)  # fmt: skip
def test_kinds(layers: str, kind: str, size: tuple[int, int]) -> None:
    report = analyse(Source("net.yaml", f"input: [3, 32, 32]\nlayers: {layers}\n"))
    field = report.rows[-1].receptive_field
    assert field is not None and (field.kind, field.size) == (kind, size)


def test_a_single_unit_behind_an_enlarged_map_sees_less_than_the_union() -> None:
    layers = "[{Conv2d: {out_channels: 5, kernel_size: 3, stride: 2}}, {Upsample: {scale_factor: 2}}, {Conv2d: {out_channels: 5, kernel_size: 3}}]"
    report = analyse(Source("net.yaml", f"input: [3, 28, 20]\nlayers: {layers}\n"))
    fields = [row.receptive_field for row in report]
    assert [(each.size, each.unit) for each in fields if each] == [((3, 3), (3, 3)), ((4, 4), (3, 3)), ((6, 6), (6, 6))]
    assert "a single unit sees 3 at most" in report["1"].explain("rf").lines[0].remark
