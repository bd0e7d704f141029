"""PyTorch as referee: shapes, parameters and FLOPs of random layers and random networks of all types."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
import reference
import specs

from cnncalc import load
from cnncalc.errors import Misfit, Source
from cnncalc.ops import REGISTRY, Op, value_of

LAYER_TYPES = specs.ALONE
REFUSALS = (ValueError, RuntimeError, IndexError, NotImplementedError, AssertionError, TypeError, ArithmeticError)


def ours(op: Op, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The output shape, or None where the layer does not fit."""
    try:
        op.check(shape)
        return tuple(value_of(size) for size in op.output(shape))
    except Misfit:
        return None


def theirs(op: Op, shape: tuple[int, ...], device: str = "meta") -> tuple[int, ...] | None:
    """The same, as PyTorch sees it."""
    try:
        return reference.output_shape(reference.module(op, shape), shape, device=device)
    except REFUSALS:
        return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LAYER_TYPES)
def test_layers_of_every_type(name: str) -> None:
    rng, fitting = random.Random(name), 0
    for _ in range(60):
        shape = specs.shape_for(rng, REGISTRY[name])
        arguments = specs.arguments(rng, name, shape)
        try:
            op = REGISTRY[name](**arguments)
        except Misfit:
            continue
        found, expected = ours(op, shape), theirs(op, shape)
        if found != expected:  # the meta device checks less, and now and then more, than a device that computes
            expected = theirs(op, shape, device="cpu")
        assert found == expected, (shape, arguments)
        if found is not None:
            fitting += 1
            check_parameters(op, shape)
    assert fitting >= 10


def check_parameters(op: Op, shape: tuple[int, ...]) -> None:
    made = reference.module(op, shape)
    counted: Counter[str] = Counter()
    for count in op.counts(shape):
        counted[count.role] += count.step.value
    trained, buffers = reference.parameter_counts(made)
    assert (counted["weights"] + counted["biases"], counted["buffers"]) == (trained, buffers)
    declared = op.parameters(shape)
    assert sum(math.prod(each.shape) for each in declared if each.role in ("weight", "bias")) == trained
    assert sum(math.prod(each.shape) for each in declared if each.role == "buffer") == buffers
    if hasattr(reference.nn, op.type()) and op.type() != "MultiheadAttention":
        assert {each.name: each.shape for each in declared} == {
            name: tuple(tensor.shape) for name, tensor in made.state_dict().items()
        }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(8))
def test_random_networks(part: int) -> None:
    rng, compared, layers = random.Random(part), 0, 0
    for _ in range(60):
        text = specs.spec(rng)
        graph = load(Source("random.yaml", text))
        expected = reference.run(graph)
        for layer in graph.layers:
            assert layer.op is not None and layer.shape is not None
            shapes = tuple(shape for shape in graph.shapes_into(layer) if shape is not None)
            roles: Counter[str] = Counter()
            for count in layer.op.counts(*shapes):
                roles[count.role] += count.step.value
            found = (layer.shape, roles["weights"] + roles["biases"], roles["buffers"])
            assert found == expected[layer.name], f"{layer.name} in\n{text}"
        compared, layers = compared + 1, layers + len(graph.layers)
    assert compared >= 50 and layers >= 250, "too few layers fit to say anything"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name", ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "Linear"]
)
def test_flops_equal_the_flop_counter(name: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    rng, compared = random.Random(name), 0
    while compared < 15:
        shape = specs.shape_for(rng, REGISTRY[name])
        try:
            op = REGISTRY[name](**specs.arguments(rng, name, shape))
        except Misfit:
            continue
        out = ours(op, shape)
        if out is None or (name == "Linear" and len(shape) > 1):
            continue
        made = reference.module(op, shape)
        with FlopCounterMode(display=False) as counter:
            made(reference.torch.ones(1, *shape, device="meta"))
        macs = op.work(out, shape).macs
        assert macs is not None and 2 * macs.value == counter.get_total_flops(), (shape, op)
        compared += 1


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "spec",
    ["lenet", "alexnet", "vgg11", "resnet18", "resnext50_32x4d", "densenet121", "googlenet", "mobilenet_v2", "unet"],
)
def test_zoo_runs_in_pytorch(spec: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    from cnncalc import analyse

    report = analyse(spec)
    with FlopCounterMode(display=False) as counter:
        found = reference.run(report.graph)
    for row in report:
        assert found[row.name] == (row.output_shape, row.params, row.buffers)
    assert counter.get_total_flops() == 2 * 2 * report.totals.macs, "the reference runs two images"
