"""What quantizing to int8 makes of a network, held against PyTorch's own: types, weights and the peak, to the byte."""

from __future__ import annotations

import json
import random
import warnings
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.report import Report

torch = pytest.importorskip("torch", reason="quantizing is PyTorch's: pip install 'cnncalc[torch]'")
quantization = pytest.importorskip("torch.ao.quantization.quantize_fx", reason="this PyTorch has no FX quantization")

from torch.ao.quantization import HistogramObserver, get_default_qconfig_mapping  # noqa: E402

from cnncalc.pytorch.build import build  # noqa: E402
from cnncalc.pytorch.storages import TensorMemory, own_tensors  # noqa: E402

INPUTS = {"unet": [1, 188, 188], "resnet20": [3, 32, 32], "lenet": [1, 32, 32], "inception_v3": [3, 75, 75]}
NETWORKS = [
    "lenet", "alexnet", "resnet20", "unet", "squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5",
    "mnasnet0_5", "convnext_tiny",
]  # fmt: skip

pytestmark = [
    pytest.mark.skipif(
        "x86" not in torch.backends.quantized.supported_engines, reason="the configuration that is followed is for x86"
    ),
    pytest.mark.filterwarnings("ignore"),  # PyTorch says, once a process, that it will move its quantizing elsewhere
]


@pytest.fixture(autouse=True)
def _any_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch tries a thousand ranges for the best scale of each tensor; one takes as many bytes as another."""
    monkeypatch.setattr(
        HistogramObserver, "_non_linear_param_search", lambda observer: (observer.min_val, observer.max_val)
    )


PLACES = """
input: [3, 8, 8]
layers:
  - pre: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
  - pool: {MaxPool2d: {kernel_size: 2}}
  - deep: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
  - {MaxUnpool2d: {kernel_size: 2}, from: [deep, pool]}
  - post: {Conv2d: {out_channels: 2, kernel_size: 1}}
"""


def quantized(report: Report) -> tuple[Any, list[Any]]:
    """The network as PyTorch quantizes it after training, and what goes in."""
    torch.manual_seed(0)
    inputs = [torch.randn(report.batch, *node.shape or ()) for node in report.graph.inputs]
    net = build(report.graph).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prepared = quantization.prepare_fx(net, get_default_qconfig_mapping("x86"), tuple(inputs))
        prepared(*inputs)
        return quantization.convert_fx(prepared), inputs


def weight_bytes(module: Any) -> int | None:
    """What the weights of a quantized module take, scales and zero points included; None where they stay in float."""
    weight = getattr(module, "weight", None)
    weight, bias = (weight(), module.bias()) if callable(weight) else (weight, None)
    if weight is None or not weight.is_quantized:
        return None
    each = weight.qscheme() != torch.per_tensor_affine
    scale, zero = (weight.q_per_channel_scales(), weight.q_per_channel_zero_points()) if each else (None, None)
    beside = scale.nbytes + zero.nbytes if each else 8 + 8  # of a single one, double and int64_t
    return weight.numel() + beside + (0 if bias is None else bias.nbytes)


def compare(report: Report) -> int:
    """Hold a report against PyTorch; returns how many layers were compared."""
    net, inputs = quantized(report)
    modules, types, compared = dict(net.named_modules()), dict[str, Any](), 0
    for name, module in modules.items():
        module.register_forward_hook(lambda _, __, out, name=name: types.setdefault(name, out))
    with torch.no_grad():
        net(*inputs)
    for row in report.rows:
        if row.name not in types or not isinstance(types[row.name], torch.Tensor):
            continue  # a function, or a part of another layer
        compared += 1
        dtype = "int8" if types[row.name].is_quantized else "float32"
        assert row.computed_in == dtype, (row, types[row.name].dtype)
        own = weight_bytes(modules[row.name])
        if own is not None:
            assert row.weight_bytes == own, row
        elif row.params:
            assert (
                row.computed_in != "int8"
                or row.type in ("BatchNorm2d", "BatchNorm3d", "LayerNorm")
                or (row.type.startswith("InstanceNorm"))
            ), row
    gone = [row for row in report.rows if row.computed_in.startswith("in ")]
    assert all(row.weight_bytes == 0 for row in gone)
    types.clear()
    for module in modules.values():
        module._forward_hooks.clear()
    with torch.no_grad(), warnings.catch_warnings(), TensorMemory([*inputs, *own_tensors(net)]) as watched:
        warnings.simplefilter("ignore")
        net(*inputs)
    assert watched.peak == report.totals.peak_inference_bytes
    return compared


@pytest.mark.parametrize("name", NETWORKS)
def test_the_zoo_to_the_byte(name: str) -> None:
    report = analyse(name, inputs=INPUTS.get(name, [3, 64, 64]), batch=2, int8=True)
    assert compare(report) > len(report.rows) / 8


LAYERS = (
    "{Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}}", "{Conv2d: {out_channels: 8, kernel_size: 1, bias: false}}",
    "{ConvTranspose2d: {out_channels: 8, kernel_size: 1}}", "BatchNorm2d", "ReLU", "{ReLU: {inplace: true}}",
    "{ReLU6: {inplace: true}}", "Hardtanh", "LeakyReLU", "PReLU", "{ELU: {inplace: true}}", "Sigmoid", "Tanh", "Hardsigmoid",
    "{Hardswish: {inplace: true}}", "GELU", "{SiLU: {inplace: true}}", "Mish", "Softplus", "{Softmax: {dim: 1}}",
    "InstanceNorm2d", "{GroupNorm: {num_groups: 2}}", "{LayerNorm: {normalized_shape: [8, 8, 8]}}", "Dropout", "Dropout2d",
    "{StochasticDepth: {p: 0.1}}", "Identity", "{ChannelShuffle: {groups: 2}}",
    "{MaxPool2d: {kernel_size: 3, stride: 1, padding: 1}}", "{AvgPool2d: {kernel_size: 3, stride: 1, padding: 1}}",
    "{AdaptiveAvgPool2d: {output_size: 8}}", "{AdaptiveMaxPool2d: {output_size: 8}}", "{ZeroPad2d: {padding: 0}}",
)  # fmt: skip


def network(rng: random.Random) -> str:
    """Layers in a row, some of which take what came before instead, and sums of any two; nothing is in vain."""
    lines, names, ends = ["input: [8, 8, 8]", "layers:"], ["input"], dict[str, None]()
    for number in range(rng.randint(4, 14)):
        if number > 1 and rng.random() < 0.25:
            merge, pair = rng.choice(["add", "multiply", "add"]), rng.sample(names, 2)
            lines.append(f"  - n{number}: {{{merge}: [{', '.join(pair)}]}}")
            taken = pair
        else:
            taken = [rng.choice(names) if rng.random() < 0.3 else names[-1]]
            other = f", from: {taken[0]}" * (taken[0] != names[-1])
            layer = rng.choice(LAYERS).strip("{}") if other else rng.choice(LAYERS)
            if other:
                layer = f"{{{layer if ':' in layer else layer + ': {}'}{'}' * layer.count('{')}{other}}}"
            lines.append(f"  - n{number}: {layer}")
        names.append(f"n{number}")
        ends = {name: None for name in (*ends, names[-1]) if name not in taken}
    lines.append(f"outputs: [{', '.join({**ends, rng.choice(names[1:]): None})}]")
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(8))
def test_random_networks_to_the_byte(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(8):
        text = network(rng)
        report = analyse(Source("net.yaml", text), batch=rng.randint(1, 3), int8=True)
        try:
            compare(report)
        except AssertionError as difference:
            raise AssertionError(f"{difference}\n{text}") from difference


@pytest.mark.parametrize("layers", [
    "[{Conv1d: {out_channels: 6, kernel_size: 3}}, BatchNorm1d, ReLU, {MaxPool1d: {kernel_size: 2}}]",
    "[{ConvTranspose1d: {out_channels: 6, kernel_size: 3}}, InstanceNorm1d, {AvgPool1d: {kernel_size: 2}}]",
    "[Flatten, {Linear: {out_features: 9, bias: false}}, BatchNorm1d, ReLU, {Linear: {out_features: 3}}, BatchNorm1d]",
])  # fmt: skip
def test_sequences(layers: str) -> None:
    compare(analyse(Source("net.yaml", f"input: [4, 32]\nlayers: {layers}"), batch=2, int8=True))


@pytest.mark.parametrize("layers", [
    "[{Conv3d: {out_channels: 6, kernel_size: 3}}, BatchNorm3d, ReLU, {MaxPool3d: {kernel_size: 2}}]",
    "[{ConvTranspose3d: {out_channels: 6, kernel_size: 3}}, BatchNorm3d, ReLU, {AvgPool3d: {kernel_size: 2}}]",
])  # fmt: skip
def test_volumes(layers: str) -> None:
    compare(analyse(Source("net.yaml", f"input: [4, 8, 8, 8]\nlayers: {layers}"), batch=2, int8=True))


def test_the_work_is_shown() -> None:
    report = analyse("resnet18", int8=True)
    assert "64·7·7·3" not in str(report["conv1"].explain("memory"))
    assert "E + 16·s + 4·E_b" in str(report["conv1"].explain("memory"))
    assert report["conv1"].weight_bytes == 9408 + 16 * 64 + 4 * 64 == 10_688
    assert report["bn1"].computed_in == "in conv1" and report["flatten"].computed_in == "float32"
    assert report.totals.weight_bytes == sum(row.weight_bytes for row in report.rows)
    assert report.totals.allocated_bytes is None, "what libraries allocate inside is not known"
    assert report["conv1"].moved_bytes == 3 * 224 * 224 + 64 * 112 * 112 + 10_688
    with pytest.raises(SpecError, match="int8 cannot be trained"):
        _ = report.training


def test_a_pool_whose_places_are_noted_stays_in_float() -> None:
    """PyTorch's own quantizing stops at it: its observers take no pairs."""
    report = analyse(Source("net.yaml", PLACES), int8=True)
    assert [row.computed_in for row in report] == ["int8", "float32", "int8", "float32", "int8"]
    assert "what becomes of MaxPool2d is not followed" in cnncalc("memory", "segnet", "--int8", "--depth", "1").stdout
    with pytest.raises(AttributeError, match="tuple"):
        quantized(report)


def test_the_command() -> None:
    done = cnncalc("memory", "efficientnet", "--int8", "--depth", "1")
    assert done.returncode == 0, done.stderr
    assert "quantized to int8" in done.stdout and "stays in float32: 49 × SiLU, Flatten" in done.stdout
    assert "times as much; peak of activations" in done.stdout
    document = json.loads(cnncalc("memory", "resnet18", "--int8", "--format", "json").stdout)
    assert document["regime"]["int8"] and document["totals"]["allocated_bytes"] is None
    by_name = {layer["name"]: layer for layer in document["layers"]}
    assert by_name["bn1"]["part_of"] == "conv1" and by_name["flatten"]["dtype"] == "float32"
    assert sum(layer["weight_bytes"] for layer in document["layers"]) == document["totals"]["weight_bytes"]


@pytest.mark.parametrize(("name", "before", "after"), [
    ("mobilenet_v2", "9.19", "1.44"), ("efficientnet", "9.19", "5.74"), ("convnext_tiny", "10.34", "9.47"),
])  # fmt: skip
def test_what_is_gained_is_what_the_docs_say(name: str, before: str, after: str) -> None:
    peaks = [analyse(name, int8=int8).totals.peak_inference_bytes / 2**20 for int8 in (False, True)]
    assert [f"{peak:.2f}" for peak in peaks] == [before, after]


def test_a_layer_that_is_not_followed_is_named() -> None:
    done = cnncalc("memory", "convnext_tiny", "--int8")
    assert "what becomes of LayerScale is not followed" in done.stdout
    text = "input: [3, 8, 8]\nlayers: [{Conv2d: {out_channels: 4, kernel_size: 3, padding: same}}]"
    assert analyse(Source("net.yaml", text), int8=True).rows[0].computed_in == "float32"


@pytest.mark.parametrize("more", ["--train", "--amp", "--device cpu", "--channels-last", "--dtype float16"])
def test_what_does_not_go_with_it(more: str) -> None:
    done = cnncalc("memory", "lenet", "--int8", *more.split())
    assert done.returncode == 2 and "--int8 is inference on a processor, from float32" in done.stderr


def test_a_graph_with_unknown_layers_stays_unknown() -> None:
    graph = load(Source("net.yaml", "input: [3, 8, 8]\nlayers: [Nothing, ReLU]"))
    assert analyse(graph, int8=True).rows[0].weight_bytes is None
