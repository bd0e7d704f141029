"""The built module: a plain PyTorch network, with published names, that does all that PyTorch modules do."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import random
from pathlib import Path
from typing import Any

import pytest
import specs

from cnncalc import SpecError, load
from cnncalc.errors import Source
from cnncalc.ops import REGISTRY

torch = pytest.importorskip("torch", reason="PyTorch builds the specs: pip install 'cnncalc[torch]'")

from cnncalc.pytorch.build import build  # noqa: E402
from cnncalc.pytorch.fold import folded, pairs  # noqa: E402

RESIDUAL = Source("residual.yaml", """
input: [3, 16, 16]
layers:
  stem: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1, bias: false}}
  bn: BatchNorm2d
  sum:
    add:
      - conv: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}}
        scale: {LayerScale: {init_value: 0.5}}
        drop: {StochasticDepth: {p: 0.2}}
      - []
  relu: {ReLU: {inplace: true}}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  fc: {Linear: {out_features: 5}}
""")  # fmt: skip


@pytest.fixture
def net() -> Any:
    torch.manual_seed(0)
    return build(RESIDUAL)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", specs.ALONE)
def test_every_layer_type_builds(name: str) -> None:
    rng, built = random.Random(name), 0
    while built < 3:
        shape = specs.shape_for(rng, REGISTRY[name])
        text = f"input: {list(shape)}\nlayers: [{{{name}: {specs.flow(specs.arguments(rng, name, shape))}}}]\n"
        try:
            graph = load(Source("layer.yaml", text))
        except SpecError:
            continue
        assert tuple(build(graph).eval()(torch.randn(2, *shape)).shape[1:]) == graph.nodes[-1].shape
        built += 1


def test_the_forward_is_plain_python(net: Any) -> None:
    assert "self.conv(relu)" not in net.code
    assert "    stem = self.stem(x);  x = None\n" in net.code, "what is needed no more is let go"
    assert list(dict(net.named_modules())) == ["", "stem", "bn", "conv", "drop", "relu", "pool", "flatten", "fc"]
    assert tuple(net.scale.shape) == (8, 1, 1), "a layer scale is a bare parameter, as torchvision has it"


def test_it_trains(net: Any) -> None:
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    y = torch.arange(20) % 5
    x = torch.randn(20, 3, 16, 16) + y.view(-1, 1, 1, 1)
    losses = []
    for _ in range(80):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_it_is_copied_pickled_and_saved(net: Any) -> None:
    net.eval()
    x = torch.randn(2, 3, 16, 16)
    expected = net(x)
    file = io.BytesIO()
    torch.save(net, file)
    file.seek(0)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), torch.load(file, weights_only=False)):
        assert torch.equal(other.eval()(x), expected) and list(other.state_dict()) == list(net.state_dict())


@pytest.mark.filterwarnings("ignore")
def test_compile_export_autocast_layout_and_dtype(net: Any) -> None:
    net.eval()
    x = torch.randn(2, 3, 16, 16)
    expected = net(x)
    assert torch.allclose(torch.compile(net, backend="aot_eager")(x), expected, atol=1e-5)
    assert torch.allclose(torch.export.export(net, (x,)).module()(x), expected, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert net(x).dtype == torch.bfloat16
    last = copy.deepcopy(net).to(memory_format=torch.channels_last)
    assert torch.allclose(last(x.to(memory_format=torch.channels_last)), expected, atol=1e-5)
    assert copy.deepcopy(net).double()(x.double()).dtype == torch.float64


def test_several_inputs_and_outputs() -> None:
    text = "input: {image: [3, 8, 8], depth: [1, 8, 8]}\nlayers:\n  a: {Conv2d: {out_channels: 4, kernel_size: 1}, from: image}\n  b: {concat: [a, depth]}\noutputs: [b, a]\n"
    first, second = build(Source("two.yaml", text))(torch.ones(1, 3, 8, 8), torch.ones(1, 1, 8, 8))
    assert (first.shape[1], second.shape[1]) == (5, 4)


def test_folding_batch_normalisation_changes_nothing(net: Any) -> None:
    graph = load(RESIDUAL)
    net(torch.randn(32, 3, 16, 16))  # running statistics that are not the initial ones
    net.eval()
    new, made = folded(graph, net)
    x = torch.randn(2, 3, 16, 16)
    assert len(pairs(graph)) == 1 and "bn" not in made.code
    assert torch.allclose(made(x), net(x), atol=1e-5)
    assert new.nodes[2].type == "Identity" and graph.nodes[2].type == "BatchNorm2d", "the graph itself stays as it was"


@pytest.mark.parametrize(("text", "message"), [
    ("input: [3]\nlayers: [{forward: ReLU}]", "no layer of a PyTorch module may be called forward, which is something else: nn.Module.forward"),
    ("input: [3]\nlayers: [{block: {type: {Linear: {out_features: 2}}}}]", "no layer of a PyTorch module may be called type"),
    ("input: [3]\nlayers: [{class: ReLU}]", "no layer of a PyTorch module may be called class, which is a word of Python"),
    ("input: [3]\ntypes: {Deform: {shape: same}}\nlayers: [Deform]", "Deform is declared in the spec, and PyTorch has no such layer"),
    ("input: [3]\nlayers: [Relv, Foo]", "there is no layer type or block Relv"),
])  # fmt: skip
def test_what_cannot_be_built_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(SpecError) as refused:
        build(Source("net.yaml", text))
    assert message in str(refused.value)


def torchvision() -> Any:
    """torchvision beside a processor build of PyTorch: two operators are missing, which no classifier needs."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        with contextlib.suppress(RuntimeError):  # it is there
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return pytest.importorskip(
        "torchvision", reason="torchvision is the reference: pip install --no-deps torchvision==0.28.0"
    )


PUBLISHED = json.loads((Path(__file__).parent / "data" / "torchvision.json").read_text())
#: The largest are held to torchvision by their keys and shapes alone.
REFERENCE = [each["name"] for each in PUBLISHED if each["num_params"] < 31e6] + [
    "r3d_18",
    "r2plus1d_18",
    "deeplabv3_resnet50",
]
WITHOUT_HEADS = {"aux_logits": False, "transform_input": False, "init_weights": False}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REFERENCE)
def test_outputs_equal_torchvision_with_the_same_weights(name: str) -> None:
    models = torchvision().models
    torch.manual_seed(0)
    options = (
        WITHOUT_HEADS if name in ("googlenet", "inception_v3") else {"aux_loss": True} if "deeplab" in name else {}
    )
    options |= {"weights_backbone": None} if "deeplab" in name else {}
    theirs = models.get_model(name, weights=None, **options).eval()
    graph = load(name)
    ours = build(graph).eval()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(1, *(graph.inputs[0].shape or ()))
    with torch.inference_mode():
        expected, found = theirs(x), ours(x)
    for one, other in zip(expected.values(), found, strict=True) if isinstance(expected, dict) else [(expected, found)]:
        assert torch.allclose(one, other, atol=1e-4 * float(one.abs().max()), rtol=1e-4)


def test_names_that_python_uses_itself() -> None:
    text = "input: {self: [3, 8, 8]}\nlayers:\n  fc: {Conv2d: {out_channels: 4, kernel_size: 3}}\n"
    assert build(Source("in.yaml", text))(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 6, 6)
    text = "input: [3, 8, 8]\nlayers:\n  self: {Conv2d: {out_channels: 4, kernel_size: 3}}\n  fc: {Conv2d: {out_channels: 4, kernel_size: 3}}\n"
    net = build(Source("self.yaml", text))
    assert net(torch.zeros(1, 3, 8, 8)).shape == (1, 4, 4, 4) and "self.weight" in net.state_dict()
