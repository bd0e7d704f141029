"""Networks from elsewhere: as people write them, from files, from the zoo's own exports; and what strangers try."""

from __future__ import annotations

import ast
import contextlib
import inspect
import json
import random
import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import forked
import pytest
import specs
import user_models
import yaml
from commands import cnncalc

from cnncalc import analyse, load
from cnncalc.errors import Source, SpecError
from cnncalc.exporters.export import export
from cnncalc.importing import cache, loops
from cnncalc.importing.again import MOST_LOOKED_AT, Again
from cnncalc.importing.capture import common, exported, model
from cnncalc.importing.darknet import read as read_darknet
from cnncalc.importing.flat import Flat, Module, Node
from cnncalc.importing.keys import keys_of
from cnncalc.importing.proof import differences
from cnncalc.importing.pt2 import MAX_JSON, program_of
from cnncalc.importing.spec import imported
from cnncalc.importing.statements import Statement
from cnncalc.importing.structure import structured
from cnncalc.importing.target import Options, Outcome, bring_in, parsed
from cnncalc.importing.torch_program import flat_of
from cnncalc.importing.writing import written
from cnncalc.language.locate import locate
from cnncalc.ops import REGISTRY

torch = pytest.importorskip("torch")

FILE = Path(user_models.__file__)
#: What ends the process, or wants the network: it is only tried in a process of its own.
APART = ("Fetches", "Leaves")


def request(name: str, inputs: dict[str, Any], path: Path = FILE, **more: Any) -> dict[str, Any]:
    """What the process of a model is asked."""
    asked = {
        "target": f"{path}:{name}",
        "kind": "file",
        "path": str(path),
        "folder": str(path.parent),
        "name": name,
        "settings": {},
        "train": False,
        "weights": "",
        "inputs": {key: {"shape": list(shape), "dtype": "float32"} for key, shape in inputs.items()},
    }
    return {**asked, **more}


def captured(asked: dict[str, Any]) -> dict[str, Any]:
    """What a model computes, found in this process."""
    model.MADE.clear()
    common.GIVEN.clear()
    program: dict[str, Any] = model.captured(asked)["program"]
    return json.loads(json.dumps(program))  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("name", [name for name in user_models.MODELS if name not in APART])
def test_models_as_people_write_them(name: str) -> None:
    expected = user_models.MODELS[name]
    asked = request(name, expected["example"])
    for key, dtype in expected.get("dtypes", {}).items():
        asked["inputs"][key]["dtype"] = dtype
    if "says" in expected:
        with pytest.raises(Exception) as caught:
            flat_of(captured(asked))
        error = caught.value
        said = f"{type(error).__name__}: {error} {getattr(error, 'hint', '')}"
        assert expected["says"] in said
        if "line" in expected:
            where = str(error).split(": ")[0] if isinstance(error, SpecError) else getattr(error, "where", "")
            where = where or common.frame_of(error)
            number = int(where.rpartition(":")[2])
            assert expected["line"] in FILE.read_text("utf-8").splitlines()[number - 1]
        return
    program = captured(asked)
    found = imported(flat_of(program))
    for line in expected.get("spec", ()):
        assert line in found.text, found.text
    for word in expected.get("absent", ()):
        assert word not in found.text
    report = analyse(found.graph)
    if "params" in expected:
        assert report.totals.params == expected["params"]
    declared = sum(node.figures is not None for node in found.flat.layers)
    assert expected.get("declared", 0) in (None, declared)
    notes = " ".join(found.notes)
    assert all(word in notes for word in expected.get("notes", ())) and bool(notes) == ("notes" in expected)
    checks = beside(asked, found.text)
    if "unbuilt" not in checks and not checks["strange"]:
        assert checks["same"] or checks["apart"] < expected.get("apart", 0), checks
        assert checks["flops"] == 2 * report.totals.macs


def beside(asked: dict[str, Any], text: str) -> dict[str, Any]:
    """What running the model and its spec shows."""
    from cnncalc.importing.capture.beside import verified

    package = str(Path(common.__file__).parents[3])
    return verified(asked, {"spec": text, "package": package})


def test_the_source_of_a_class_is_what_inspect_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By reading a file once, where it stands within others, behind decorators, and in a function."""
    text = "def same(kind): return kind\n\nclass A:\n    @same\n    @same\n    class B:\n        x = 1\n\ndef make():\n    class B:\n        y = 2\n    return B\n"
    (tmp_path / "nested.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    nested = import_module("nested")
    named = [each for each in vars(user_models).values() if inspect.isclass(each) and each.__module__ == "user_models"]
    assert len(named) > 50
    for kind in (nested.A, nested.A.B, nested.make(), *named):
        assert exported.digest(kind) == sha256(inspect.getsource(kind).strip().encode()).hexdigest(), kind
    assert exported.digest(torch.nn.Conv2d) == exported.digest(int) == exported.digest(type("Made", (), {})) == ""


def test_what_pytorch_refuses_to_build_is_said() -> None:
    from cnncalc.cli.import_ import said

    asked = request("WordOfPython", {"": (3, 8, 8)})
    found = imported(flat_of(captured(asked)))
    outcome = Outcome(found, beside(asked, found.text), parsed(f"{FILE}:WordOfPython"))
    (verified,) = [line for line in said(outcome, analyse(found.graph), None) if line.startswith("verified")]
    assert (
        "outputs were not compared, since PyTorch refuses: no layer of a PyTorch module may be called from" in verified
    )


@pytest.mark.parametrize(("name", "says"), [("Fetches", "something from the network"), ("Leaves", "SystemExit")])
def test_what_ends_the_process_is_said(name: str, says: str) -> None:
    with pytest.raises(SpecError, match=says):
        bring_in(f"{FILE}:{name}", {}, {"": (3, 8, 8)}, Options())


def test_a_program_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "endless.py"
    path.write_text("import time\ntime.sleep(600)\n")
    with pytest.raises(SpecError, match="not done after 1 s"):
        bring_in(f"{path}:Net", {}, {}, Options(timeout=1))


#: A detector of torchvision's in small, with its parts and their names, in a package that is called so.
DETECTOR = """
from collections import OrderedDict
import torch
from torch import nn


class Backbone(nn.Module):
    out_channels = 8

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 2, 1)

    def forward(self, x):
        x = self.a(x)
        return OrderedDict([("0", x), ("pool", self.b(x))])


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 3, 1)

    def forward(self, maps):
        return [self.conv(each) for each in maps], [each.mean(1, keepdim=True) for each in maps]


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.transform, self.backbone = nn.Identity(), Backbone()
        self.rpn, self.roi_heads = nn.Module(), nn.Module()
        self.rpn.head = Head()
        self.roi_heads.box_roi_pool = nn.Identity()
        self.roi_heads.box_roi_pool.output_size = (7, 7)
        self.roi_heads.box_head = nn.Sequential(nn.Flatten(), nn.Linear(8 * 49, 6))
        self.roi_heads.box_predictor = nn.Linear(6, 5)

    def forward(self, images):
        return [torch.nonzero(image.sum() > 0) for image in images]
"""


def test_looking_for_loops_takes_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that differ in numbers alone, and count up nowhere: every unit is tried, and none is a loop."""
    tried = []

    def fails(units: list[list[Statement]]) -> Statement:
        tried.append(sum(map(len, units)))
        raise loops.Differs

    monkeypatch.setattr(loops, "_one", fails)
    rows = [Statement(f"relu{number * number}", "layer", "ReLU") for number in range(2_000)]
    assert loops.looped(rows, []) == rows
    assert loops.MOST_TRIED < sum(tried) <= loops.MOST_TRIED + len(rows)


#: Layers that look at channels that lie last, as ConvNeXt's do: in ONNX a product with a matrix, and an addition.
CHANNELS_LAST = """
input: [3, 16, 16]
layers:
  - {Conv2d: {out_channels: 8, kernel_size: 4, stride: 4}}
  - {Permute: {dims: [0, 2, 3, 1]}}
  - LayerNorm
  - {Linear: {out_features: 12}}
  - {Permute: {dims: [0, 3, 1, 2]}}
  - {AdaptiveAvgPool2d: {output_size: 1}}
  - Flatten
  - {Linear: {out_features: 5}}
"""


#: Attention, whose weights the exporter turns round and whose bias is zero as yet; and norms of many operators.
ATTENDS = """
input: [8, 6, 6]
layers:
  - LocalResponseNorm: {size: 5, beta: 0.5}
  - GroupNorm: {num_groups: 2}
  - {Flatten: {start_dim: 2}}
  - {Permute: {dims: [0, 2, 1]}}
  - MultiheadAttention: {num_heads: 2}
  - Flatten
  - {Linear: {out_features: 5}}
"""


#: A scattering in ONNX that depends on the batch, filters that are standardised, and a choice.
BACK_TO_PLACES = """
input: [6, 16, 12]
layers:
  - conv: {Conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: same_upper, standardise: scaled, gamma: 1.5}}
  - pool1: {MaxPool2d: {kernel_size: 2}}
  - conv2: {Conv2d: {out_channels: 8, kernel_size: 3, padding: 1, standardise: true}}
  - pool2: {MaxPool2d: {kernel_size: 2, stride: 1}}
  - unpool2: {MaxUnpool2d: {kernel_size: 2, stride: 1}, from: [pool2, pool2]}
  - step: {Threshold: {threshold: 0.5, value: -1}}
  - unpool1: {MaxUnpool2d: {kernel_size: 2}, from: [step, pool1]}
"""

#: Layers that become several operators of ONNX, lose what says how they were made, or do nothing.
SPREAD = """
input: [8, 12, 10]
layers:
  - [{Scale: {factor: 1.0}}, ReLU, ReLU, ReLU6, {Hardtanh: {min_val: -2.0, max_val: 3.0}}, {Scale: {factor: 0.5}}]
  - [SiLU, Hardswish, Mish, GELU, Softplus, {Softplus: {beta: 2.0}}, CELU, {CELU: {alpha: 2.0}}, {ELU: {alpha: 0.5}}]
  - [FrozenBatchNorm2d, {FrozenBatchNorm2d: {eps: 0.001}}, GlobalResponseNorm, {GlobalResponseNorm: {channels_last: true}}]
  - [{BatchNorm2d: {affine: false}}, {InstanceNorm2d: {affine: true}}, {GroupNorm: {num_groups: 4, affine: false}}, {GroupNorm: {num_groups: 2}}]
  - [LayerNorm2d, {LayerNorm: {elementwise_affine: false}}, Affine, {Affine: {shape: []}}, {Affine: {shape: [1, 12, 1]}}, L2Norm]
  - [BlurPool2d, {BlurPool2d: {filt_size: 5, stride: 1}}, {AdaptiveAvgPool2d: {output_size: [4, 3]}}, {AdaptiveAvgPool2d: {output_size: 1}}]
"""


def test_layers_that_become_several_operators_come_back(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    graph = load(Source("net.yaml", SPREAD))
    export(graph, "onnx", tmp_path / "net.onnx")
    back = load(str(tmp_path / "net.onnx"))
    assert [(each.type, each.op) for each in back.layers] == [(each.type, each.op) for each in graph.layers]
    assert keys_of(back) == keys_of(graph)


@pytest.mark.parametrize(
    "name",
    [
        "resnet20",
        "squeezenet1_1",
        "lenet_1998",
        "lenet_1989",
        "mobilevit.yaml",
        "last.yaml",
        "attends.yaml",
        "back.yaml",
    ],
)
def test_an_onnx_file_that_was_exported_comes_back(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its normalisations, which a runtime may fold, and the names of all weights."""
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "last.yaml").write_text(CHANNELS_LAST)
    (tmp_path / "attends.yaml").write_text(ATTENDS)
    (tmp_path / "back.yaml").write_text(BACK_TO_PLACES)
    deep = locate("mobilevit")[0].text
    assert "depth: [2, 4, 3]" in deep
    (tmp_path / "mobilevit.yaml").write_text(deep.replace("depth: [2, 4, 3]", "depth: [1, 2, 1]"))
    export(name, "onnx", tmp_path / "net.onnx")
    there, back = analyse(name), analyse(str(tmp_path / "net.onnx"))
    assert keys_of(back.graph) == keys_of(there.graph)
    for figure in ("params", "buffers", "macs", "flops"):
        assert getattr(back.totals, figure) == getattr(there.totals, figure)


#: Sums, products and borders within blocks, which no weights say the place of.
BLOCKS = """
input: [3, 33, 33]
blocks:
  mbconv:
    args: [width, {stride: 1}]
    layers:
      sum:
        add:
          - conv: {Conv2d: {out_channels: width, kernel_size: 3, stride: stride, padding: same_upper, bias: false}}
            bn: BatchNorm2d
            act: SiLU
            scale:
              multiply:
                - [{Mean: {dim: [2, 3], keepdim: true}}, {fc: {Conv2d: {out_channels: width, kernel_size: 1}}}, Sigmoid]
                - []
          - {when: width == in_channels, layers: []}
layers:
  stem: {Conv2d: {out_channels: 8, kernel_size: 3, stride: 2, padding: same_upper}}
  stages:
    - layers:
        - {mbconv: {width: width, stride: 2}}
        - {mbconv: {width: width}, repeat: 2}
      foreach: {width: [16, 24]}
  flatten: Flatten
  fc: {Linear: {out_features: 10}}
"""


def test_an_onnx_file_names_the_blocks_of_the_spec(tmp_path: Path) -> None:
    """As modules around each operator, for viewers that show them, and for the way back: sums stand in their block."""
    onnx = pytest.importorskip("onnx", reason="pip install 'cnncalc[onnx]'")
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    graph = load(Source("net.yaml", BLOCKS))
    export(graph, "onnx", tmp_path / "net.onnx")
    noted = [
        {each.key: each.value for each in node.metadata_props}
        for node in onnx.load(str(tmp_path / "net.onnx")).graph.node
    ]
    around = [dict(each.split(": ") for each in one["namespace"].split("/")[1:-1]) for one in noted]
    assert {"stages": "torch.nn.modules.container.Sequential", "stages.0": "torch.nn.modules.container.Sequential",
            "stages.0.1": "mbconv", "stages.0.1.sum": "cnncalc.layers.add"} in around  # fmt: skip
    for one, found in zip(noted, around, strict=True):
        assert ast.literal_eval(one["pkg.torch.onnx.name_scopes"])[1:-1] == list(found)
        assert ast.literal_eval(one["pkg.torch.onnx.class_hierarchy"])[1:-1] == list(found.values())
    back = load(str(tmp_path / "net.onnx"))
    assert keys_of(back) == keys_of(graph) and analyse(back).totals.value("macs") == analyse(graph).totals.value("macs")
    assert "{mbconv: {width: width}, repeat: 2}" in back.source.text
    assert len(back.source.text.splitlines()) <= 1.5 * len(BLOCKS.splitlines())


#: Operations without a layer type: one of somebody's own, with a convolution in it, and others that multiply and add.
OF_THEIR_OWN = """
import torch
from torch import nn


@torch.library.custom_op("relu::fused", mutates_args=())
def fused(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return nn.functional.conv2d(x, w)


@fused.register_fake
def _(x, w):
    return x.new_empty(x.shape[0], w.shape[0], x.shape[2] - 2, x.shape[3] - 2)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight, self.mix, self.fc = nn.Parameter(torch.randn(4, 3, 3, 3)), nn.Bilinear(5, 5, 7), nn.Linear(4, 5)

    def forward(self, x):
        x = self.fc(fused(x, self.weight).mean((2, 3)))
        return torch.fft.rfft(self.mix(x, x)).real


class Turned(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 4, 3, 3))

    def forward(self, x):
        return nn.functional.conv_transpose2d(x, self.weight.abs() * 2, stride=2)
"""


def test_what_an_operation_costs_that_is_not_known_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(OF_THEIR_OWN)
    found = imported(flat_of(captured(request("Net", {"": (3, 8, 8)}, tmp_path / "net.py"))))
    types = {node.type: node.figures for node in found.flat.layers if node.figures is not None}
    assert [name for name, figures in types.items() if "macs" not in figures] == ["Fused", "Bilinear", "FftRfft"]
    totals = analyse(found.graph).totals
    assert totals.text("macs") == "≥ 20 MACs" and totals.params == 4 * 27 + 5 * 5 * 7 + 7 + 4 * 5 + 5
    assert types["Fused"]["note"].startswith("relu::fused: no layer type does this")
    turned = imported(flat_of(captured(request("Turned", {"": (3, 8, 8)}, tmp_path / "net.py"))))
    assert analyse(turned.graph).totals.macs == 3 * 4 * 3 * 3 * 8 * 8  # every place that goes in meets every weight


def test_an_operator_of_another_domain_is_none_of_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="pip install 'cnncalc[onnx]'")
    make, tensor = onnx.helper, onnx.helper.make_tensor_value_info
    nodes = [make.make_node("Relu", ["x"], ["y"], domain="com.mine"), make.make_node("Relu", ["y"], ["z"])]
    graph = make.make_graph(nodes, "g", [tensor("x", 1, [1, 4, 8, 8])], [tensor("z", 1, [1, 4, 8, 8])],
                            value_info=[tensor("y", 1, [1, 4, 8, 8])])  # fmt: skip
    opsets = [make.make_opsetid("", 18), make.make_opsetid("com.mine", 1)]
    onnx.save(make.make_model(graph, opset_imports=opsets), str(tmp_path / "net.onnx"))
    report = analyse(str(tmp_path / "net.onnx"))
    assert [row.layer.is_declared for row in report] == [True, False] and [row.type for row in report][1] == "ReLU"
    assert report.totals.text("macs") == "≥ 0 MACs"


def test_an_onnx_file_that_is_broken_is_read_or_refused(tmp_path: Path) -> None:
    """Attributes, inputs, operators, sizes and what is noted beside them, changed by chance: never a traceback."""
    onnx = pytest.importorskip("onnx", reason="pip install 'cnncalc[onnx]'")
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    export(Source("net.yaml", BACK_TO_PLACES), "onnx", tmp_path / "net.onnx")
    whole, rng, read = onnx.load(str(tmp_path / "net.onnx")), random.Random(1), 0
    classes = ["cnncalc.pytorch.own_modules.BlurPool2d", "torch.nn.modules.pooling.AdaptiveAvgPool2d",
               "cnncalc.pytorch.own_modules.ScaledStdConv2d", "torch.nn.modules.activation.Softplus"]  # fmt: skip
    for _ in range(150):
        model = onnx.ModelProto()
        model.CopyFrom(whole)
        for node in rng.sample(list(model.graph.node), 2):
            change = rng.randrange(6)
            if change == 0 and node.attribute:
                del node.attribute[rng.randrange(len(node.attribute))]
            elif change == 1 and node.input:
                del node.input[rng.randrange(len(node.input))]
            elif change == 2 and node.attribute:
                given = rng.choice(node.attribute)
                for place in range(len(given.ints)):
                    given.ints[place] = rng.choice((-1, 0, 3, 2**40))
            elif change == 3:
                node.op_type = rng.choice(("Conv", "MaxPool", "Where", "Concat", "Gather", "Slice", "Shape"))
            elif change == 4:
                rng.choice(model.graph.initializer).dims.append(rng.choice((0, 3, 10**6)))
            else:
                for each in node.metadata_props:
                    each.value = rng.choice(("[1, 2]", "nonsense", f"['', 'a', {rng.choice(classes)!r}]"))
        (tmp_path / "broken.onnx").write_bytes(model.SerializeToString())
        with contextlib.suppress(SpecError):
            analyse(load(str(tmp_path / "broken.onnx")))
            read += 1
    assert 30 < read < 140


def test_what_the_exporter_put_together_is_refused(tmp_path: Path) -> None:
    """A permute behind attention becomes one with the last step of it: the batch is not where it was."""
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    (tmp_path / "net.yaml").write_text(
        ATTENDS.replace("  - Flatten\n", "  - {Permute: {dims: [0, 2, 1]}}\n  - Flatten\n")
    )
    export(tmp_path / "net.yaml", "onnx", tmp_path / "net.onnx")
    with pytest.raises(SpecError, match="MultiheadAttention cannot be read: the batch does not stand in front"):
        load(str(tmp_path / "net.onnx"))


def test_operators_that_are_not_as_our_export_writes_them(tmp_path: Path) -> None:
    """A file that calls its operators ours, with attributes and constants that are not: no traceback, and no guess."""
    onnx = pytest.importorskip("onnx", reason="pip install 'cnncalc[onnx]'")
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    text = "input: [4, 9, 9]\nlayers: [GroupNorm: {num_groups: 2}, PartialConv2d: {connections: [[0, 1], [2, 3]], kernel_size: 3}]\n"
    export(Source("net.yaml", text), "onnx", tmp_path / "net.onnx")
    whole = onnx.load(str(tmp_path / "net.onnx"))
    for change in ("kernel_shape", "axis", "reduction", "strides", "epsilon"):
        model = onnx.ModelProto()
        model.CopyFrom(whole)
        for node in model.graph.node:
            if any(each.name == change for each in node.attribute):
                kept = [each for each in node.attribute if each.name != change]
                del node.attribute[:]
                node.attribute.extend(
                    [*kept, *[onnx.helper.make_attribute(change, "x")] * (change in ("strides", "epsilon"))]
                )
        onnx.save(model, str(tmp_path / "changed.onnx"))
        try:
            graph = load(str(tmp_path / "changed.onnx"))
        except SpecError:
            continue
        assert any(each.is_declared for each in graph.layers), change


def test_a_part_that_almost_runs_again_costs_bounded_time() -> None:
    """Many layers without weights before each that is shared: what is looked at is bounded, not the square of them."""
    count = 3_000
    nodes = [Node("input", "input", {}, (), (3, 8, 8))]
    nodes += [Node(f"a.relu{i}", "ReLU", {}, (i,), (3, 8, 8)) for i in range(count)]
    nodes.append(Node("a.conv", "Conv2d", {"out_channels": 3, "kernel_size": 1}, (count,), (3, 8, 8), True))
    conv = len(nodes) - 1
    for i in range(count):
        nodes.append(Node(f"a.conv{i}", "Conv2d", nodes[conv].arguments, (len(nodes) - 1,), (3, 8, 8), True, conv))
    found = Again(nodes, [len(nodes) - 1], lambda above, last: f"{above}.{last}" if above else last)
    assert found.looked_at <= MOST_LOOKED_AT + len(nodes) and not found.uses


def test_a_detector_comes_up_to_its_boxes(tmp_path: Path) -> None:
    package = tmp_path / "torchvision" / "models" / "detection"
    package.mkdir(parents=True)
    (package / "tiny.py").write_text(DETECTOR)
    target = "torchvision.models.detection.tiny:Tiny"
    done = cnncalc("import", target, "--input", "3x32x32", "-o", "net.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "keys as in Tiny's state_dict" in done.stderr and "equal, bit for bit" in done.stderr
    assert "no boxes are made of what comes out" in done.stderr and "counted for one of them" in done.stderr
    made = load(str(tmp_path / "net.yaml"))
    assert [node.shape for node in made.inputs] == [(3, 32, 32), (8, 7, 7)]
    assert {made.nodes[i].shape for i in made.outputs} == {(3, 16, 16), (3, 8, 8), (1, 16, 16), (1, 8, 8), (5,)}


def test_the_command_writes_the_spec_and_says_what_it_verified(tmp_path: Path) -> None:
    done = cnncalc("import", f"{FILE}:Functional", "--input", "1x32x32", "-o", "net.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "is run as a program" in done.stderr
    assert "61,706" not in done.stderr and "keys as in Functional's state_dict" in done.stderr
    assert "outputs with the model's own weights are equal, bit for bit" in done.stderr
    assert load(str(tmp_path / "net.yaml")).complete
    again = cnncalc("summary", f"{FILE}:Functional", "--input", "1x32x32", "-f", "json", cwd=tmp_path)
    assert json.loads(again.stdout)["totals"]["params"] == analyse(str(tmp_path / "net.yaml")).totals.params
    assert "is run as a program" not in again.stderr and len(list(cache.folder().glob("*.json"))) == 1


def test_nothing_is_run_that_the_command_line_does_not_name(tmp_path: Path) -> None:
    (tmp_path / "evil.py").write_text("open('ran', 'w')\nfrom torch import nn\nNet = nn.ReLU\n")
    (tmp_path / "net.yaml").write_text(f"input: [3, 8, 8]\nlayers: [ReLU]\nsource: {tmp_path}/evil.py:Net\n")
    assert cnncalc("check", ".", cwd=tmp_path).returncode in (0, 2)
    assert cnncalc("summary", "-", cwd=tmp_path, text="evil.py:Net").returncode == 2
    done = cnncalc("grade", "evil.py:Net", "evil.py:Net", cwd=tmp_path)
    assert done.returncode == 2 and not (tmp_path / "ran").exists()


# -- files ---------------------------------------------------------------------------------------------------------------


def test_an_exported_program_is_read_without_pytorch(tmp_path: Path) -> None:
    asked = request("UNet", {"": (1, 32, 32)})
    direct = imported(flat_of(captured(asked)))
    path = tmp_path / "UNet.pt2"
    net = user_models.UNet().eval()
    torch.export.save(torch.export.export(net, (torch.rand(2, 1, 32, 32),), strict=False), path)
    read = imported(flat_of(program_of(path)))
    assert not list(differences(read.flat, direct.graph))
    assert (
        keys_of(read.graph) == keys_of(direct.graph) == {name: tuple(t.shape) for name, t in net.state_dict().items()}
    )
    code = "import sys; from cnncalc import analyse; analyse(sys.argv[1]); print('torch' in sys.modules)"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(("content", "says"), [
    ({"a/models/model.json": "{"}, "no program that can be read"),
    ({"a/models/model.json": "[" * 100_000}, "nested too deeply"),
    ({"a/models/model.json": '{"schema_version": {"major": 99}}'}, "version 99"),
    ({"a/models/model.json": '{"schema_version": {"major": 8}, "graph_module": 5}'}, "no program that can be read"),
    ({"archive/data.pkl": "x"}, "no exported program"),
    ({"a/models/model.json": " " * (MAX_JSON + 10)}, "at most"),
])  # fmt: skip
def test_archives_of_strangers(content: dict[str, str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    done = cnncalc("summary", str(path))
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr


def test_a_file_of_weights_says_which_network_they_fit(tmp_path: Path) -> None:
    from cnncalc.pytorch.build import build

    torch.save(build("lenet").state_dict(), tmp_path / "w.pth")
    done = cnncalc("summary", "w.pth", cwd=tmp_path)
    assert done.returncode == 2 and "no network" in done.stderr
    assert re.search(r"those of lenet\w* in the zoo", done.stderr)


CFG = """[net]
height=32
width=32
channels=3
[convolutional]
batch_normalize=1
filters=16
size=3
stride=1
pad=1
activation=leaky
[maxpool]
size=2
stride=1
[convolutional]
filters=8
size=1
activation=linear
[shortcut]
from=-3
activation=linear
[route]
layers=-1,-4
[upsample]
stride=2
[yolo]
"""


def test_darknet(tmp_path: Path) -> None:
    path = tmp_path / "net.cfg"
    path.write_text(CFG)
    found = imported(read_darknet(path, {}))
    report = analyse(found.graph)
    # Darknet's own count: 2·n·size²·c·out_h·out_w for each convolution.
    assert 2 * report.totals.macs == 2 * 32 * 32 * (16 * 9 * 3 + 8 * 16)
    assert report.totals.params == 16 * 27 + 2 * 16 + 8 * 16 + 8
    assert [row.output_shape for row in report][-1] == (24, 64, 64)
    assert "[yolo] decodes what comes out" in found.flat.notes[0]
    for wrong, says in (("[net]\nheight=4\nwidth=4\n[gru]\n", "recurrent"), ("x", "neither a section"), ("[convolutional]\n", "[net]"),
                        ("[net]\nheight=4\nwidth=4\n[foo]\n", "not known"), ("[net]\nheight=a\n", "number"),
                        ("[net]\nheight=4\nwidth=4\n[route]\nlayers=-9\n", "no earlier layer")):  # fmt: skip
        path.write_text(wrong)
        done = cnncalc("summary", str(path))
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, wrong


# -- the zoo, exported and brought back ------------------------------------------------------------------------------------

#: One network of each kind of structure.
BACK = [
    "lenet", "alexnet", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "densenet121", "googlenet", "inception_v3", "squeezenet1_1", "mobilenet_v2",
    "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x1_0", "regnet_y_400mf", "mnasnet1_0", "convnext_tiny", "unet", "res2net50_26w_4s", "repvgg_a0",
    "vit_b_16", "mobilevit", "convnextv2_atto", "convnextv2_tiny", "resnetv2_50x1_bit", "retinanet", "yolov3", "mobileone_s0",
]  # fmt: skip


@pytest.mark.parametrize("name", BACK)
def test_networks_of_the_zoo_come_back(name: str, tmp_path: Path) -> None:
    graph = load(name)
    source = str(export(graph, "torch"))
    path = tmp_path / "exported.py"
    path.write_text(source, "utf-8")
    kind = re.findall(r"^class (\w+)\(nn\.Module\)", source, re.MULTILINE)[-1]
    program = captured(request(kind, {"": graph.inputs[0].shape or ()}, path))
    back = imported(flat_of(program))
    assert keys_of(back.graph) == keys_of(graph)
    for figure in ("params", "buffers", "macs", "flops"):
        assert analyse(back.graph).totals.value(figure) == analyse(graph).totals.value(figure)
    assert len(back.text.splitlines()) <= 1.5 * len(graph.source.text.splitlines())
    plain = flat_text(back.flat)
    assert len(back.text.splitlines()) <= len(plain.splitlines())
    # Folded and flat are the same network, layer by layer.
    assert not list(differences(back.flat, load(Source("flat", plain))))


#: What gives nothing that depends on its input; and what takes a map with an axis less for one without a batch.
NO_NETWORK, STRICT = {"Token"}, {"Dropout1d": 2, "Dropout3d": 4}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in specs.ALONE if name not in NO_NETWORK])
def test_layers_of_every_type_come_back(name: str, tmp_path: Path) -> None:
    """With their keys and figures, exported to PyTorch and brought back, whatever they are made of there."""
    rng, made = random.Random(name), 0
    for number in range(60):
        shape = specs.shape_for(rng, REGISTRY[name])
        layers = [{"layer": {name: specs.arguments(rng, name, shape)}}]
        if len(shape) < STRICT.get(name, 0):
            continue
        try:
            graph = load(Source("net.yaml", yaml.safe_dump({"input": list(shape), "layers": layers})))
        except SpecError:
            continue
        path = tmp_path / f"exported{number}.py"
        path.write_text(str(export(graph, "torch")), "utf-8")
        back = imported(flat_of(captured(request("Net", {"": shape}, path)))).graph
        assert keys_of(back) == keys_of(graph), layers
        for figure in ("params", "buffers", "macs", "flops", "saved_for_backward_bytes"):
            assert analyse(back).totals.value(figure) == analyse(graph).totals.value(figure), (figure, layers)
        made += 1
        if made == 2:
            break
    assert made


#: A block whose parts lean on each other, and one with a module in it that some of its uses have.
SPLIT = """
input: [16, 9, 9]
blocks:
  split:
    args: [width, kernel: 3]
    layers:
      - sum:
          add:
            - - conv1: {Conv2d: {out_channels: width, kernel_size: 1}}
              - act1: ReLU
              - inline:
                  - part{i}: {Slice: {start: i * width // 6, stop: (i + 1) * width // 6}, from: act1}
                  - mix{i}: {add: ['part{i}', {branch: 'made{i - 1}', when: i > 0}]}
                  - convs.{i}: {Conv2d: {out_channels: width // 6, kernel_size: kernel, padding: kernel // 2}}
                  - made{i}: ReLU
                repeat: 5
              - rest: {Slice: {start: 5 * width // 6}, from: act1}
              - joined: {concat: [{branch: 'made{i}', repeat: 5}, rest]}
              - conv3: {Conv2d: {out_channels: 16, kernel_size: 1}}
            - []
layers:
  - {split: {width: 24}}
  - {split: {width: 48}}
  - {split: {width: 48, kernel: 5}}
"""
SQUEEZED = """
input: [16, 9, 9]
blocks:
  squeeze:
    layers:
      multiply:
        - [{AdaptiveAvgPool2d: {output_size: 1}}, {fc: {Conv2d: {out_channels: in_channels, kernel_size: 1}}}, Sigmoid]
        - []
  inverted:
    args: [width, squeezes: false]
    layers:
      - conv: {Conv2d: {out_channels: width, kernel_size: 1}}
      - bn: BatchNorm2d
      - se: {layers: [squeeze], when: squeezes}
      - act: ReLU
      - pointwise: {Conv2d: {out_channels: 16, kernel_size: 1}}
layers:
  - {inverted: {width: 24}}
  - {inverted: {width: 32}}
  - {inverted: {width: 48, squeezes: true}}
  - {inverted: {width: 64, squeezes: true}}
"""


@pytest.mark.parametrize(("text", "lines", "says"), [
    (SPLIT, 37, ["'convs.{n}': {Conv2d: {out_channels: width // 6,", "{start: (n + 1) * width // 6, stop: (n + 2) * width // 6}", "foreach: {n: [1, 2, 3]}"]),
    (SQUEEZED, 24, ["se: {layers: [squeeze], when: squeezes}", "foreach: {width: [24, 32, 48, 64], squeezes: [false, false, true, true]}"]),
])  # fmt: skip
def test_what_recurs_within_a_block(text: str, lines: int, says: list[str], tmp_path: Path) -> None:
    """Parts that are numbered become a loop in their block, and a class is one block, with a module or without it."""
    graph = load(Source("net.yaml", text))
    path = tmp_path / "exported.py"
    path.write_text(str(export(graph, "torch")), "utf-8")
    back = imported(flat_of(captured(request("Net", {"": graph.inputs[0].shape}, path))))
    assert all(each in back.text for each in says), back.text
    assert len(back.text.splitlines()) <= lines and keys_of(back.graph) == keys_of(graph)


def flat_text(flat: Flat) -> str:
    """The spec without blocks and repeats."""
    return written(flat, structured(flat))


def test_a_very_deep_network_is_folded() -> None:
    """A thousand blocks of a class that are the same but for a few are compared as those few."""
    shape, nodes, modules = (8, 9, 9), [Node("input", "input", {}, (), (8, 9, 9))], {}
    for number in range(1_000):
        path, x = f"blocks.{number}", len(nodes) - 1
        kernel = 5 if number == 500 else 3
        modules[path] = Module("Block", {"kernel": kernel})
        given = {"out_channels": 8, "kernel_size": kernel, "padding": kernel // 2}
        nodes += [
            Node(f"{path}.conv", "Conv2d", given, (x,), shape, owns=True),
            Node(f"{path}.relu", "ReLU", {}, (x + 1,), shape),
            Node(f"{path}.sum", "add", {}, (x + 2, x), shape),
        ]
    found = imported(Flat("deep", nodes, 1, [len(nodes) - 1], modules))
    assert "{block: {}, repeat: 500}" in found.text and len(found.text.splitlines()) < 25
    assert not list(differences(found.flat or Flat("", [], 0, []), found.graph))


def test_tangles_in_tangles_take_work_in_proportion() -> None:
    """Forty groups, each in the one before, and each with branches that lean on each other."""
    shape, nodes, joins = (4, 3, 3), [Node("input", "input", {}, (), (4, 3, 3))], []
    for depth in range(40):
        path, x = "g." * depth, len(nodes) - 1
        nodes += [Node(f"{path}s{i}", "ReLU", {}, (x + i,), shape) for i in range(3)]
        joins.append((path, (x + 1, x + 2, x + 3)))
    for path, branches in reversed(joins):
        x = len(nodes) - 1
        nodes.append(Node(f"{path}join", "concat", {}, tuple(dict.fromkeys((*branches, x))), (16, 3, 3)))
        nodes.append(Node(f"{path}conv", "Conv2d", {"out_channels": 4, "kernel_size": 1}, (x + 1,), shape, owns=True))
    assert len(structured(Flat("tangled", nodes, 1, [len(nodes) - 1], {}))) < 10


def test_a_fold_that_is_wrong_is_seen() -> None:
    """Every planted fault in a spec is a difference: the proof cannot be fooled by equal totals."""
    found = imported(flat_of(captured(request("UNet", {"": (1, 32, 32)}))))
    faults = {
        "out_channels: 8": "out_channels: 16",
        "padding: 1": "padding: 2, dilation: 2",
        "ReLU": "Tanh",
        "[]": "pool",
    }
    for right, wrong in faults.items():
        assert right in found.text
        try:
            graph = load(Source("planted", found.text.replace(right, wrong, 1)))
        except SpecError:
            continue
        assert list(differences(found.flat, graph)), right


# -- ONNX ----------------------------------------------------------------------------------------------------------------

#: Of the light models of the onnx package: parameters, and multiply-adds, as the networks' own figures are known.
LIGHT = {
    "bvlc_alexnet": (60_965_224, 654_560_384),
    "densenet121": (8_062_504, 2_834_161_664),
    "inception_v2": (11_214_888, 2_018_851_840),
    "resnet50": (25_557_032, 4_089_184_256),
    "shufflenet": (1_393_320, 124_664_528),
    "squeezenet": (1_235_496, 349_151_936),
    "vgg19": (143_667_240, 19_632_062_464),
    "zfnet512": (87_250_536, 1_481_727_008),
}


def light(name: str) -> Path:
    onnx = pytest.importorskip("onnx")
    return Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx"


@pytest.mark.parametrize("name", [*LIGHT, "inception_v1"])
def test_the_light_models_of_onnx(name: str) -> None:
    import onnx
    from onnx import shape_inference

    from cnncalc.importing.onnx_file import program_of as program_of_onnx

    path = light(name)
    found = imported(flat_of(program_of_onnx(path, {})))
    report = analyse(found.graph)
    if name in LIGHT:
        assert (report.totals.params, report.totals.macs) == LIGHT[name]
        assert not any(node.figures for node in found.flat.layers)
    else:  # an average over an uneven border, and weights that are reshaped on the way: declared
        assert sum(node.figures is not None for node in found.flat.layers) == 2
    # What the file itself fills with numbers: these models make their weights by ConstantOfShape.
    inferred = shape_inference.infer_shapes(onnx.load(str(path), load_external_data=False), data_prop=True).graph
    sizes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in inferred.value_info}
    filled = [node.output[0] for node in inferred.node if node.op_type == "ConstantOfShape"]
    small = [each for each in inferred.initializer if each.data_type == onnx.TensorProto.FLOAT]
    held = sum(prod(sizes[name]) for name in filled) + sum(prod(each.dims) for each in small if prod(each.dims) > 1)
    assert report.totals.params + report.totals.buffers == held
    # The shapes that onnx itself works out are those of the layers, in the order of the operators.
    graph = shape_inference.infer_shapes(onnx.load(str(path), load_external_data=False), data_prop=True).graph
    shapes = [tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)[1:]
              for value in (*graph.value_info, *graph.output)]  # fmt: skip
    assert {row.output_shape for row in report} <= set(shapes)


def test_an_own_export_comes_back(tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    path = tmp_path / "lenet.onnx"
    export("lenet", "onnx", str(path))
    done = cnncalc("import", "lenet.onnx", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    back = load(Source("back", done.stdout))
    assert keys_of(back) == keys_of(load("lenet"))
    assert analyse(back).totals.macs == analyse("lenet").totals.macs


def test_onnx_of_strangers(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    given = helper.make_tensor_value_info("x", floats, [1, 3, 8, 8])
    result = helper.make_tensor_value_info("y", floats, [1, 3, 8, 8])
    branch = helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "b", [], [result])
    condition = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    outside = helper.make_tensor("w", floats, [3, 3, 1, 1], [0.0] * 9)
    outside.ClearField("float_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    entry = outside.external_data.add()
    entry.key, entry.value = "location", "../../../etc/passwd"
    # Sizes of 2 ** 2 ** 60, and lists of them that double.
    sizes = [helper.make_node("Shape", ["x"], ["s0"])]
    sizes += [helper.make_node("Mul", [f"s{i}", f"s{i}"], [f"s{i + 1}"]) for i in range(60)]
    sizes += [helper.make_node("Concat", [f"s{i}", f"s{i}"], [f"s{i + 1}"], axis=0) for i in range(60, 120)]
    sizes += [helper.make_node("Reshape", ["x", "s120"], ["y"])]
    models = {
        "sizes.onnx": (helper.make_graph(sizes, "g", [given], [result]), 2, "sizes together"),
        "if.onnx": (helper.make_graph([condition], "g", [given], [result]), 2, "holds a graph of its own"),
        "outside.onnx": (
            helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g", [given], [result], [outside]),
            0,
            "",
        ),
        "unknown.onnx": (helper.make_graph([helper.make_node("Det", ["x"], ["y"])], "g", [given], [result]), 0, ""),
    }
    for name, (graph, code, says) in models.items():
        (tmp_path / name).write_bytes(helper.make_model(graph).SerializeToString())
        done = cnncalc("summary", name, cwd=tmp_path)
        assert done.returncode == code and says in done.stderr and "Traceback" not in done.stderr, (name, done.stderr)
    (tmp_path / "no.onnx").write_bytes(b"\\x00" * 100)
    done = cnncalc("summary", "no.onnx", cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr


# -- Keras ---------------------------------------------------------------------------------------------------------------

#: Parameters as Keras counts them, statistics of normalisations included, of models in keras.applications.
APPLICATIONS = {
    "ResNet50": 25_636_712, "ResNet50V2": 25_613_800, "MobileNet": 4_253_864, "MobileNetV2": 3_538_984, "DenseNet121": 8_062_504,
    "EfficientNetB0": 5_330_571, "VGG16": 138_357_544, "Xception": 22_910_480, "InceptionV3": 23_851_784, "MobileNetV3Small": 2_554_968,
}  # fmt: skip


@pytest.fixture(scope="module")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Descriptions of Keras' own models, written by Keras in a process of its own."""
    if find_spec("keras") is None:
        pytest.skip("Keras describes its own models: pip install keras")
    folder = tmp_path_factory.mktemp("keras")
    subprocess.run(forked.command("keras_models", "describe"), input=json.dumps([str(folder), *APPLICATIONS]),
                   check=True, capture_output=True, text=True)  # fmt: skip
    return folder


@pytest.mark.parametrize("name", APPLICATIONS)
def test_keras_applications(name: str, applications: Path) -> None:
    size = ["--input", "3x224x224"] if "V3Small" in name else []
    done = cnncalc("summary", str(applications / f"{name}.json"), *size, "-f", "json")
    assert done.returncode == 0, done.stderr
    totals = json.loads(done.stdout)["totals"]
    assert totals["params"] + totals["buffers"] == APPLICATIONS[name]


def test_keras_of_strangers(tmp_path: Path) -> None:
    head = {"class_name": "InputLayer", "name": "i", "config": {"batch_shape": [None, 8, 8, 3]}, "inbound_nodes": []}
    flat = {"class_name": "Flatten", "name": "f", "config": {}, "inbound_nodes": []}
    code = {"class_name": "Lambda", "name": "l", "config": {"function": ["4wEAAAA="]}, "inbound_nodes": []}
    strange = {"class_name": "Mystery", "name": "m", "config": {}, "inbound_nodes": []}
    for layers, says in (
        ([head, code], "holds code"),
        ([head, strange], "no layer type"),
        ([flat], "is not said"),
        ({}, "no model"),
    ):
        (tmp_path / "m.json").write_text(
            json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": layers}})
        )
        done = cnncalc("summary", "m.json", cwd=tmp_path)
        assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr, done.stderr
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr(
            "config.json", json.dumps({"class_name": "Sequential", "config": {"name": "m", "layers": [head, flat]}})
        )
    assert "192" in cnncalc("shapes", "m.keras", cwd=tmp_path).stdout
    (tmp_path / "m.keras").write_bytes(b"PK")
    assert cnncalc("summary", "m.keras", cwd=tmp_path).returncode == 2


def test_the_name_of_a_strangers_class_stays_a_name() -> None:
    """A class that is declared as a whole may be called anything; the spec has a name for it that is one."""
    program = captured(request("Recurrent", {"": (3, 8, 8)}))
    evil = "X: {shape: [1]}\n\nlayers: [ReLU]\n#"
    for node in program["nodes"]:
        node["modules"] = [[key, path, evil if kind == "LSTM" else kind] for key, path, kind in node["modules"]]
    found = imported(flat_of(program))
    assert [name for name in found.text.splitlines() if name.startswith("  Unnamed: ")]
    assert sum(line.startswith("layers:") for line in found.text.splitlines()) == 1 and len(found.graph.layers) == 7
