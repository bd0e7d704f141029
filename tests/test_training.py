"""Memory and work of training against what PyTorch does: storages by autograd's hooks, peaks by watching every operation."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import specs
from exported import written
from zoo import ZOO

from cnncalc import SpecError, analyse, load
from cnncalc.analysis.memory import inference, peak
from cnncalc.analysis.training import step, watched_activations
from cnncalc.answers.budget import fitting_batch
from cnncalc.cli.options import memory_size
from cnncalc.errors import Source
from cnncalc.graph import Graph
from cnncalc.ops import REGISTRY
from cnncalc.ops.actions import Setting

torch = pytest.importorskip("torch", reason="PyTorch is the referee: pip install 'cnncalc[torch]'")

from cnncalc.pytorch.build import build  # noqa: E402
from cnncalc.pytorch.storages import Kept, TensorMemory, own_tensors  # noqa: E402
from cnncalc.pytorch.subject import loss_of, random_targets  # noqa: E402
from cnncalc.pytorch.verify import Comparison, verify  # noqa: E402

REFUSALS = (ValueError, RuntimeError, IndexError, NotImplementedError, AssertionError)


def batch_norm_shapes(x: Any, w: Any, b: Any, mean: Any, var: Any, training: bool, momentum: float, eps: float) -> Any:
    """What batch normalisation makes: the output, and statistics of each channel, none where they are running ones."""
    count = x.shape[1] if training else 0
    return torch.empty_like(x), x.new_empty(count), x.new_empty(count)


@pytest.fixture(scope="module", autouse=True)
def quick_batch_norm() -> Iterator[None]:
    """On the meta device PyTorch works batch normalisation out in Python, which takes ten times as long as all the rest."""
    library = torch.library.Library("aten", "IMPL", "Meta")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that a kernel is replaced
        library.impl("native_batch_norm", batch_norm_shapes)
    yield
    library._destroy()


@pytest.mark.parametrize("training", [True, False])
def test_the_quick_batch_norm_makes_what_pytorch_makes(training: bool) -> None:
    given = torch.randn(3, 5, 4, 4), torch.ones(5), torch.zeros(5), torch.zeros(5), torch.ones(5)
    real = torch.ops.aten.native_batch_norm(*given, training, 0.1, 1e-5)
    quick = torch.ops.aten.native_batch_norm(*(each.to("meta") for each in given), training, 0.1, 1e-5)
    assert [(each.shape, each.dtype) for each in quick] == [(each.shape, each.dtype) for each in real]


def built(graph: Graph, batch: int, device: str) -> tuple[Any, list[Any]]:
    """The network, ready to be trained, and inputs for it."""
    net = build(graph, device=device).train()
    return net, [torch.rand(batch, *(each.shape or ()), device=device) for each in graph.inputs]


def kept_bytes(net: Any, inputs: list[Any]) -> int:
    """Bytes that autograd keeps of a training pass, as it happens."""
    return trained(net, inputs)[0]


def trained(net: Any, inputs: list[Any]) -> tuple[int, list[tuple[int, ...]]]:
    """The same, and the shapes of what comes out, without the batch."""
    with Kept(own_tensors(net)) as kept:
        out = net(*inputs)
    return int(kept.total), [tuple(each.shape[1:]) for each in (out if isinstance(out, tuple) else (out,))]


def kept_and_peak(graph: Graph, batch: int, device: str = "cpu") -> tuple[int, int]:
    """What autograd keeps of a training pass, and the peak of an inference pass, in bytes, as they happen."""
    net, inputs = built(graph, batch, device)
    kept = kept_bytes(net, inputs)
    net.eval()
    with torch.no_grad(), TensorMemory([*inputs, *own_tensors(net)]) as watched:
        net(*inputs)
    return kept, watched.peak


@pytest.mark.parametrize("name", ZOO)
def test_every_network_of_the_zoo_gives_its_shapes_and_keeps_what_is_predicted_to_the_byte(name: str) -> None:
    """And what is exported has the same keys, in the same order."""
    graph = load(name)
    saved = step(graph, Setting(3)).saved
    net, inputs = built(graph, 3, "meta")
    with torch.device("meta"):
        theirs = written(graph)()
    assert [(key, each.shape) for key, each in theirs.state_dict().items()] == [
        (key, each.shape) for key, each in net.state_dict().items()
    ]
    kept, shapes = trained(net, inputs)
    assert shapes == [graph.nodes[i].shape for i in graph.outputs]
    if saved != kept:  # shuffling a single group copies there, as no processor does; attention has its own kernel
        net, inputs = built(graph, 1, "meta")
        inputs = [torch.rand(each.shape) for each in inputs]
        assert step(graph, Setting(1)).saved == kept_bytes(net.to_empty(device="cpu"), inputs)


@pytest.mark.parametrize(("name", "kept", "most"), [
    ("alexnet", 15.0, 5.3), ("vgg16", 293.4, 102.8), ("resnet18", 88.8, 25.7), ("resnet50", 343.9, None), ("mobilenet_v2", 313.0, None),
    ("densenet121", 521.8, None), ("googlenet", 192.7, 25.7),
])  # fmt: skip
def test_published_measurements_in_megabytes(name: str, kept: float, most: float | None) -> None:
    """Read with saved_tensors_hooks on torch 2.13 at batch 4; the peaks of networks whose modules hold tensors longer are left out."""
    report = analyse(name, batch=4)
    assert round(report.totals.saved_for_backward_bytes / 1e6, 1) == kept
    assert most is None or round(report.totals.peak_inference_bytes / 1e6, 1) == most


@pytest.mark.parametrize(
    "name", ["lenet", "lenet_1998", "mlp", "resnet20", "googlenet_aux", "mobilenet_v2_035", "densenet121"]
)
def test_peak_of_inference_to_the_byte(name: str) -> None:
    graph = load(name)
    assert peak(inference(graph, Setting(1))).bytes == kept_and_peak(graph, 1)[1]


def layer_specs(name: str) -> Iterator[tuple[Graph, int]]:
    rng = random.Random(name)
    for _ in range(120):
        shape = specs.shape_for(rng, REGISTRY[name])
        arguments = specs.arguments(rng, name, shape)
        if "inplace" in {each.name for each in REGISTRY[name].arguments()} and rng.random() < 0.5:
            arguments["inplace"] = True
        before = rng.choice(["PReLU", "Tanh", "Identity"])  # with a gradient at its input, and without
        text = f"input: {list(shape)}\nlayers: [{before}, {{{name}: {specs.flow(arguments)}}}]\n"
        try:
            yield load(Source("layer.yaml", text)), rng.choice([1, 2, 3])
        except SpecError:
            continue


def wrong_figures(graph: Graph, batch: int) -> list[Comparison] | None:
    """Shapes, parameters, buffers, FLOPs, what is kept and the peak, where they differ; None where PyTorch refuses."""
    torch.manual_seed(0)
    inputs = [torch.randn(batch, *(each.shape or ())) for each in graph.inputs]
    try:
        found = verify(analyse(graph, batch=batch), build(graph), inputs)
    except REFUSALS:  # a size that the processor does not take
        return None
    return [each for each in (*found.comparisons, *found.totals) if not each.agrees]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", specs.ALONE)
def test_every_figure_of_every_layer_type(name: str) -> None:
    compared = 0
    for graph, batch in layer_specs(name):
        wrong = wrong_figures(graph, batch)
        if wrong is not None:
            assert not wrong, (graph.source.text, batch)
            compared += 1
        if compared == 25:
            break
    assert compared >= 8


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(8))
def test_every_figure_of_random_networks(part: int) -> None:
    compared = 0
    for seed in range(40):
        rng = random.Random(10_000 * part + seed)
        graph = load(Source("random.yaml", specs.spec(rng)))
        # What lies otherwise in memory than it is counted is copied now and then; strides are not followed. And a
        # transposed convolution of volumes gives back a larger storage than its result needs.
        if {layer.type for layer in graph.layers} & {"Permute", "Slice", "ConvTranspose3d"}:
            continue
        wrong = wrong_figures(graph, rng.choice([1, 2]))
        if wrong is not None:
            assert not wrong, graph.source.text
            compared += 1
    assert compared >= 20


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize(
    "name",
    [
        "lenet",
        "lenet_1998",
        "alexnet",
        "vgg11_bn",
        "resnet18",
        "resnext50_32x4d",
        "mobilenet_v2",
        "densenet121",
        "shufflenet_v2_x1_0",
        "efficientnet_b0",
        "ghostnet_100",
    ],
)
def test_the_walk_through_a_step(name: str, batch: int) -> None:
    """Watching makes autograd add gradients in new tensors instead of in place: the walk knows both, to the byte."""
    graph = load(name)
    net = build(graph, device="meta").train()
    inputs = [torch.empty(batch, *(each.shape or ()), device="meta") for each in graph.inputs]
    targets = random_targets(graph, batch, torch.float32, "meta")
    with TensorMemory([*inputs, *targets, *own_tensors(net)]) as watched:
        loss = loss_of(net(*inputs), targets)
        loss.backward()
    assert watched_activations(graph, Setting(batch)) == watched.peak
    assert 0.95 * watched.peak <= step(graph, Setting(batch)).activations <= watched.peak


@pytest.mark.parametrize(
    "name", ["espcn", "fsrcnn", "srcnn_915", "googlenet_aux", "resnet20", "lenet_1998", "m5", "dcgan_generator"]
)
def test_the_walk_through_a_step_on_a_processor(name: str) -> None:
    """A mean of squared errors holds the memory of its squares, which the meta device does not show."""
    graph = load(name)
    net = build(graph).train()
    inputs = [torch.randn(2, *(each.shape or ())) for each in graph.inputs]
    targets = random_targets(graph, 2, torch.float32, "cpu")
    loss_of(net(*inputs), targets).backward()
    net.zero_grad(set_to_none=True)
    with TensorMemory([*inputs, *targets, *own_tensors(net)]) as watched:
        loss_of(net(*inputs), targets).backward()
    assert watched_activations(graph, Setting(2)) == watched.peak


@pytest.mark.parametrize("name", ["lenet", "resnet18", "googlenet", "unet", "vgg11"])
def test_work_of_the_backward_pass_equals_the_flop_counter(name: str) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    graph = load(name)
    net = build(graph, device="meta").train()
    inputs = [torch.empty(2, *(each.shape or ()), device="meta") for each in graph.inputs]
    targets = random_targets(graph, 2, torch.float32, "meta")
    with FlopCounterMode(display=False) as counter:
        loss = loss_of(net(*inputs), targets)
        forward = counter.get_total_flops()
        loss.backward()
    totals = analyse(graph, batch=2).totals
    assert (forward, counter.get_total_flops() - forward) == (2 * totals.macs, 2 * totals.backward_macs)


def test_grouped_convolutions_where_the_counter_is_wrong() -> None:
    """A convolution's backward pass is twice its forward pass, less the input gradient of the first layer; PyTorch counts 20 times."""
    totals = analyse("mobilenet_v2").totals
    first = analyse("mobilenet_v2")["features.0.0"].macs
    assert totals.backward_macs == 2 * totals.macs - (first or 0)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("budget", ["100MB", "1GiB", "16GiB"])
def test_the_largest_batch_fits_and_one_more_does_not(training: bool, budget: str) -> None:
    report, size = analyse("resnet18", optimizer="adam"), memory_size(budget)
    fits = fitting_batch(report, size, "peak_training_bytes" if training else "inference_bytes")

    def needed(batch: int) -> int:
        found = analyse("resnet18", batch=batch, optimizer="adam")
        if training:
            return found.totals.peak_training_bytes
        return found.totals.inference_bytes

    if fits:
        assert needed(fits) <= size < needed(fits + 1)
    else:
        assert needed(1) > size


def test_masks_and_statistics_on_a_gpu() -> None:
    text = Source("drop.yaml", "input: [8, 4, 4]\nlayers: [PReLU, BatchNorm2d, Dropout]\n")
    bytes_of = {
        (dtype, device): analyse(text, batch=2, dtype=dtype, device=device).totals.saved_for_backward_bytes
        for dtype in ("float32", "float16")
        for device in ("cpu", "cuda")
    }
    values = 2 * 8 * 16
    # input of PReLU and of BatchNorm, the mask, two statistics a channel
    assert bytes_of["float32", "cpu"] == 3 * 4 * values + 2 * 8 * 4
    assert bytes_of["float32", "cuda"] == 2 * 4 * values + values + 2 * 8 * 4
    assert bytes_of["float16", "cpu"] == 3 * 2 * values + 2 * 8 * 2
    assert bytes_of["float16", "cuda"] == 2 * 2 * values + values + 2 * 8 * 4


@pytest.mark.parametrize(
    "name", ["lenet_1998", "resnet18", "convnext_tiny", "shufflenet_v2_x0_5", "googlenet_2014_aux"]
)
def test_what_is_kept_is_explained_tensor_by_tensor(name: str) -> None:
    report = analyse(name, batch=3)
    for row in report:
        lines = [line for line in row.explain("training").lines if line.label == "kept"]
        assert sum(line.value for line in lines if line.step) == row.saved_bytes, row.name
        assert all("which its backward pass needs" in line.remark for line in lines if line.step)
    (line,) = [line for line in analyse("lenet")["C1"].explain("training").lines if line.label == "kept"]
    assert line.value == 32 * 32 * 4 and "the network's input" in line.remark


def test_a_type_without_gradients() -> None:
    report = analyse("lenet", dtype="int8")
    document = json.loads(json.dumps(report.to_dict()))
    assert document["totals"]["peak_training_bytes"] is None and document["totals"]["peak_inference_bytes"] > 0
    with pytest.raises(SpecError, match="int8 cannot be trained"):
        report.training  # noqa: B018


@pytest.mark.parametrize(
    ("optimizer", "tensors"), [("sgd", 0), ("momentum", 1), ("adam", 2), ("adamw", 2), ("rmsprop", 1), ("adagrad", 1)]
)
def test_optimizers_keep_what_pytorch_keeps(optimizer: str, tensors: int) -> None:
    from cnncalc.pytorch.subject import optimizer_for

    net = build("lenet")
    made = optimizer_for(optimizer, net)
    net(torch.randn(2, 1, 32, 32)).sum().backward()
    made.step()
    state = [each for values in made.state.values() for each in values.values() if torch.is_tensor(each) and each.dim()]
    totals = analyse("lenet", optimizer=optimizer).totals
    assert totals.optimizer_bytes == 4 * sum(each.numel() for each in state) == tensors * totals.gradient_bytes


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad"])
@pytest.mark.parametrize("name", ["lenet", "mlp", "resnet20"])
def test_the_peak_of_a_whole_step_with_its_update(name: str, optimizer: str) -> None:
    from cnncalc.pytorch.subject import optimizer_for

    graph = load(name)
    net = build(graph).train()
    made = optimizer_for(optimizer, net)
    inputs = [torch.rand(4, *(each.shape or ())) for each in graph.inputs]
    targets = random_targets(graph, 4, torch.float32, "cpu")

    def whole_step() -> None:
        made.zero_grad(set_to_none=True)
        loss_of(net(*inputs), targets).backward()
        made.step()

    whole_step()
    made.zero_grad(set_to_none=True)
    state = [each for values in made.state.values() for each in values.values() if torch.is_tensor(each)]
    with TensorMemory([*inputs, *targets, *own_tensors(net), *state]) as watched:
        whole_step()
    found = analyse(graph, batch=4, optimizer=optimizer).training
    assert 0.97 * watched.peak <= found.activations <= watched.peak


def test_what_does_not_fit_is_a_failed_check() -> None:
    import subprocess
    import sys
    from pathlib import Path

    program = str(Path(sys.executable).parent / "cnncalc")
    for budget, code in (("1KiB", 1), ("16gib", 0), ("16", 2)):
        done = subprocess.run(
            [program, "memory", "lenet", "--budget", budget], capture_output=True, text=True, check=False
        )
        assert done.returncode == code, budget
