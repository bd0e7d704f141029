"""What is exported is the same network: same keys and outputs in PyTorch, same outputs in ONNX, same shapes in Keras."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import random
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import forked
import pytest
import specs
from commands import PROGRAM, cnncalc
from exported import written
from zoo import ZOO

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.exporters.export import export
from cnncalc.exporters.keras_source import keras_source
from cnncalc.exporters.torch_source import torch_source
from cnncalc.graph import Graph
from cnncalc.ops import REGISTRY

torch = pytest.importorskip("torch", reason="exports are checked with PyTorch: pip install 'cnncalc[torch]'")

from cnncalc.pytorch.build import build  # noqa: E402

SMALL = [
    "lenet",
    "lenet_1998",
    "neocognitron",
    "mlp",
    "resnet20",
    "resnet18",
    "mobilenet_v2_035",
    "googlenet_aux",
    "densenet121",
]


def assert_same(graph: Graph, inputs: list[Any]) -> None:
    ours, theirs = build(graph).eval(), written(graph)().eval()
    assert list(theirs.state_dict()) == list(ours.state_dict())
    theirs.load_state_dict(ours.state_dict(), strict=True)
    with torch.inference_mode():
        expected, found = ours(*inputs), theirs(*inputs)
    for a, b in zip(*(each if isinstance(each, tuple) else (each,) for each in (expected, found)), strict=True):
        assert torch.allclose(a, b, equal_nan=True)


#: A block in which a layer is of one type here, and of another there.
EITHER = """
input: [3, 8, 8]
blocks:
  cell:
    args: [wide]
    layers:
      - a: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}, when: wide}
      - a: {Conv2d: {out_channels: 4, kernel_size: 1}, when: not wide}
      - n: {BatchNorm2d: {}, when: wide}
      - n: {GroupNorm: {num_groups: 2}, when: not wide}
      - b: ReLU
layers:
  c0: {cell: {wide: true}}
  c1: {cell: {wide: false}}
  c2: {cell: {wide: true}}
"""


class TestTorch:
    @pytest.mark.parametrize("name", SMALL)
    def test_the_zoo_has_the_same_outputs(self, name: str) -> None:
        graph = load(name)
        assert_same(graph, [torch.randn(2, *(each.shape or ())) for each in graph.inputs])

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize("part", range(4))
    def test_random_networks(self, part: int) -> None:
        for seed in range(40):
            graph = load(Source("random.yaml", specs.spec(random.Random(1000 * part + seed))))
            inputs = [torch.randn(2, *(each.shape or ())) for each in graph.inputs]
            try:
                build(graph).eval()(*inputs)
            except (RuntimeError, ValueError):
                continue
            if not specs.unwritten(graph):
                assert_same(graph, inputs)

    def test_a_layer_of_one_type_or_another(self) -> None:
        """Two layers of a block have one name, under opposite conditions: no class can hold both."""
        graph = load(Source("net.yaml", EITHER))
        assert_same(graph, [torch.randn(2, 3, 8, 8)])

    def test_it_reads_as_a_person_writes(self) -> None:
        text = torch_source(load("resnet50"))
        assert (
            "class BottleneckBlock(nn.Module):\n    def __init__(self, in_channels, width, stride, downsample=True):"
            in text
        )
        assert "*(BottleneckBlock(1024, width=256, stride=1, downsample=False) for _ in range(5))" in text
        assert "cnncalc" not in text and len(text.split("\n")) < 100 and text.count("class ") == 2
        assert '(f"denselayer{i + 1}", DenseLayer(64 + 32 * i)) for i in range(6)' in torch_source(load("densenet121"))

    def test_what_a_block_goes_without_is_a_condition(self) -> None:
        """A block is one class, whatever `when` leaves out of some of its uses."""
        text = torch_source(load("mobilenet_v3_large"))
        assert [line.split("(")[0] for line in text.split("\n") if line.startswith("class ")] == [
            "class ConvBn", "class SqueezeExcitation", "class BneckBlock", "class Bneck", "class MobileNetV3large",
        ]  # fmt: skip
        for line in (
            "        if hard_swish:\n            layers.append(nn.Hardswish(inplace=True))",
            "        if in_channels != exp:\n            layers.append(\n",
            "        return out + x if self.residual else out",
            "Bneck(40, exp=240, hs=True, k=3, s=2, out=80, se=False),",
            "*(Bneck(40, exp=120, hs=False, k=5, s=1, out=40, se=True, squeeze=32) for _ in range(2)),",
        ):
            assert line in text, line
        assert torch_source(load("efficientnet")).count("class Mbconv") == 2  # with its inner chain
        assert "self.residual = in_channels == out_channels" in torch_source(load("mobilenet_v2"))

    @pytest.mark.parametrize("part", range(4))
    def test_blocks_that_go_without_some_of_their_parts(self, part: int) -> None:
        """Random blocks with `when`, used with random arguments; what stands in place of what is left out is the same."""
        rng = random.Random(part)
        layers = [
            "ReLU: {}",
            "Tanh: {}",
            "Linear: {out_features: width}",
            "Sigmoid: {}",
            "LayerNorm: {normalized_shape: 6}",
        ]

        def entry(named: str, depth: int) -> str:
            when = rng.choice(["", "", "a", "not b", "a and b", "c > 1", "c == in_features"])
            name = f"{named}: " if named else ""
            if depth and rng.random() < 0.35:
                inner = [entry(f"{named}{i}" if named else "", depth - 1) for i in range(rng.randint(1, 2))]
                other = rng.choice(["[]", "{layers: [], when: b}", f"[{entry('', 0)}]"])
                merge = rng.choice(["add", "multiply"])
                branch = f"{{{', '.join(inner)}}}" if named else f"[{', '.join(inner)}]"
                body = f"{{{merge}: [{branch}, {other}]}}"
                return f"{name}{body}"
            said = f", when: '{when}'" if when else ""
            return f"{name}{{{rng.choice(layers)}{said}}}"

        for _ in range(40):
            named = rng.random() < 0.5
            entries = [entry(f"p{i}" if named else "", 2) for i in range(rng.randint(2, 5))]
            body = f"{{{', '.join(entries)}}}" if named else f"[{', '.join(entries)}]"
            uses = [
                f"  - b: {{a: {rng.randint(0, 1)}, b: {rng.randint(0, 1)}, c: {rng.choice([1, 2, 6])}}}\n"
                for _ in range(rng.randint(2, 6))
            ]
            text = f"input: [6]\nargs: {{width: 6}}\nblocks:\n  b: {{args: [a, b, c], layers: {body}}}\nlayers:\n{''.join(uses)}"
            try:
                graph = load(Source("blocks.yaml", text))
            except SpecError:
                continue
            try:
                assert_same(graph, [torch.randn(3, 6)])
            except Exception as error:
                raise AssertionError(f"{error}\n{text}") from error

    @pytest.mark.parametrize("layers", [
        "{b: {args: [k], layers: [ReLU, {b: {k: k - 1}, when: k > 0}, {Tanh: {}, when: k > 3}]}}, layers: [{b: {k: 20}}, {b: {k: 5}}]",
        "{b: {args: [layers, k], layers: [{ReLU: {}, when: k}, {Linear: {out_features: layers}}]}}, layers: [{b: {layers: 5, k: 0}}, {b: {layers: 6, k: 1}}]",
        "{b: {args: [k], layers: [ReLU, {c: {k: 0}, when: k}]}, c: {args: [k], layers: [Tanh, {b: {k: 0}, when: k}]}}, layers: [{b: {k: 1}}, {c: {k: 1}}]",
    ], ids=["itself", "an argument called layers", "one another"])  # fmt: skip
    def test_blocks_that_are_odd(self, layers: str) -> None:
        assert_same(load(Source("deep.yaml", f"{{input: [4], blocks: {layers}}}")), [torch.randn(2, 4)])

    def test_conditions_are_looked_for_in_bounded_time(self) -> None:
        """A block with a hundred arguments, of which none says when a part is there: not all pairs of pairs are tried."""
        rng, names = random.Random(1), [f"a{i}" for i in range(100)]
        uses = [f"{{b: {{{', '.join(f'{name}: {rng.choice([1, 2, 3])}' for name in names)}}}}}" for _ in range(40)]
        layers = "[Tanh, {ReLU: {}, when: '(a0 * a1 + a2 * a5 + a7) % 2 == 0'}]"
        text = (
            f"input: [4]\nblocks: {{b: {{args: [{', '.join(names)}], layers: {layers}}}}}\nlayers: [{', '.join(uses)}]"
        )
        graph, start = load(Source("net.yaml", text)), time.process_time()
        assert torch_source(graph).count("class ") == 2
        assert time.process_time() - start < 4  # a twentieth of a second on a quiet machine

    @pytest.mark.parametrize("name", SMALL)
    def test_lines_are_not_too_long(self, name: str) -> None:
        assert max(map(len, torch_source(load(name)).split("\n"))) <= 120

    def test_the_file_runs_on_its_own(self, tmp_path: Path) -> None:
        done = subprocess.run(
            [PROGRAM, "export", "resnet20", "-o", "net.py"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0 and done.stderr == "wrote net.py\n"
        code = "import sys; sys.modules['cnncalc'] = None; exec(open('net.py').read())"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert done.stdout == "torch.Size([1, 10]) 269722 parameters\n"

    def test_a_whole_of_odd_names(self) -> None:
        text = """
input: {a: [3, 8, 8], b: [1, 8, 8]}
layers:
  print: {Conv2d: {out_channels: 4, kernel_size: 3}, from: a}
  F: {Conv2d: {out_channels: 4, kernel_size: 3}, from: b}
  out: {add: [print, F]}
  x: {Slice: {dim: 1, start: 1, step: 2}}
  self: {Mean: {dim: [2], keepdim: true}}
outputs: [self, out]
"""
        assert_same(load(Source("odd.yaml", text)), [torch.randn(2, 3, 8, 8), torch.randn(2, 1, 8, 8)])


#: Two inverted residuals with squeeze and excitation: what MobileNets are made of, in a few layers.
INVERTED = Source(
    "net.yaml",
    """
name: inverted
input: [8, 24, 24]
blocks:
  inverted_residual:
    args: [width, stride: 1]
    layers:
      sum:
        add:
          - expand: {Conv2d: {out_channels: 4 * width, kernel_size: 1, bias: false}}
            bn1: BatchNorm2d
            relu1: {ReLU6: {inplace: true}}
            depthwise: {Conv2d: {out_channels: 4 * width, kernel_size: 3, padding: 1, stride: stride, groups: 4 * width, bias: false}}
            bn2: BatchNorm2d
            act2: Hardswish
            excited:
              multiply:
                - []
                - pool: {AdaptiveAvgPool2d: {output_size: 1}}
                  fc: {Conv2d: {out_channels: 4 * width, kernel_size: 1}}
                  gate: Hardsigmoid
            project: {Conv2d: {out_channels: width, kernel_size: 1, bias: false}}
            bn3: BatchNorm2d
          - []
layers:
  one: {inverted_residual: {width: 8}}
  two: {inverted_residual: {width: 8}}
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  classifier: {Linear: {out_features: 10}}
""",
)


class TestOnnx:
    @pytest.fixture(autouse=True)
    def _onnx(self) -> None:
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package, reason=f"{package} checks the export: pip install 'cnncalc[onnx]' onnxruntime")

    @pytest.mark.filterwarnings("ignore")
    @pytest.mark.parametrize(
        ("name", "args"),
        [("lenet", {}), ("lenet_1998", {}), ("resnet20", {"n": 1}), ("googlenet_2014_aux", {}), (INVERTED, {})],
        ids=["lenet", "lenet_1998", "resnet8", "googlenet_2014_aux", "inverted residuals"],
    )
    def test_outputs_equal_and_every_value_has_a_shape(
        self, name: str | Source, args: dict[str, int], tmp_path: Path
    ) -> None:
        import onnx
        import onnxruntime

        from cnncalc import export

        graph, path = load(name, args=args), str(tmp_path / "net.onnx")
        export(graph, "onnx", path)
        model = onnx.load(path)
        onnx.checker.check_model(model)
        shaped = {
            each.name
            for each in (*model.graph.value_info, *model.graph.output)
            if each.type.tensor_type.HasField("shape")
        }
        assert all(name in shaped for node in model.graph.node for name in node.output if name)
        assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
        torch.manual_seed(0)
        net, x = build(graph).eval(), torch.randn(3, *(graph.inputs[0].shape or ()))
        session = onnxruntime.InferenceSession(path)
        found = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        with torch.inference_mode():
            expected = net(x)
        for a, b in zip(found, expected if isinstance(expected, tuple) else (expected,), strict=True):
            assert torch.allclose(torch.from_numpy(a), b, atol=1e-4)

    @pytest.mark.filterwarnings("ignore")
    def test_what_the_exporter_would_get_wrong_is_refused(self, tmp_path: Path) -> None:
        from cnncalc import export

        for layer, message in (
            ("AvgPool2d: {kernel_size: 2, divisor_override: 3}", "divisor_override"),
            ("RReLU: {}", "cannot export"),
        ):
            with pytest.raises(SpecError, match=message):
                spec = Source("net.yaml", f"input: [1, 8, 8]\nlayers: [{{{layer}}}]")
                export(spec, "onnx", tmp_path / "net.onnx")
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("opset", [18, 20, 23])
    def test_the_set_of_operators(self, opset: int, tmp_path: Path) -> None:
        import onnx
        import onnxruntime

        graph, path = load("resnet20", args={"n": 1}), str(tmp_path / "net.onnx")
        export(graph, "onnx", path, opset=opset)
        model = onnx.load(path)
        assert [each.version for each in model.opset_import if each.domain == ""] == [opset]
        assert [each.name for each in model.graph.output] == ["linear"]
        torch.manual_seed(0)
        net, x = build(graph).eval(), torch.randn(3, 3, 32, 32)
        (found,) = onnxruntime.InferenceSession(path).run(None, {"input": x.numpy()})
        with torch.inference_mode():
            assert torch.allclose(torch.from_numpy(found), net(x), atol=1e-4)

    @pytest.mark.parametrize(
        ("opset", "message"), [(14, "cannot be written in opset 14"), (99, "there is no opset 99"), (3, "no opset 3")]
    )
    def test_sets_that_there_are_not(self, opset: int, message: str, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match=message):
            export(INVERTED, "onnx", tmp_path / "net.onnx", opset=opset)
        assert not list(tmp_path.iterdir())

    def test_a_network_that_is_too_large_for_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from cnncalc.pytorch import onnx

        monkeypatch.setattr(onnx, "MOST_BYTES", 2**17)
        with pytest.raises(SpecError, match=r"the weights of LeNet-5 take 0\.2354 MiB, and a file of ONNX holds less"):
            export("lenet", "onnx", tmp_path / "net.onnx")
        assert not list(tmp_path.iterdir())

    def test_a_result_that_is_called_like_a_parameter(self, tmp_path: Path) -> None:
        """A LayerScale's parameter is called as the layer is: the result gets another name."""
        import onnx

        export(Source("net.yaml", "input: [4, 5, 5]\nlayers: [scale: LayerScale]"), "onnx", tmp_path / "net.onnx")
        assert [each.name for each in onnx.load(str(tmp_path / "net.onnx")).graph.output] == ["scale.out"]


#: Files of the zoo with a network that Keras has no layer for.
INEXPRESSIBLE = {
    "alexnet_2012",
    "bit",
    "convnext",
    "convnext_v2",
    "googlenet",
    "inception_resnet_v2",
    "lenet_1",
    "lenet_1989",
    "lenet_1998",
    "lenet_4",
    "mobilevit",
    "nfnet",
    "nin",
    "resnet_blur",
    "retinanet",
    "segnet",
    "segnet_basic",
    "sknet",
    "ssd",
    "vit",
    "zfnet",
}


def shallow(name: str, graph: Graph) -> Graph:
    """A network with one block where it has several in a row, if these are all that its arguments say so of."""
    found = graph
    for key, value in graph.args.items():
        if isinstance(value, list) and all(type(each) is int and each <= 64 for each in value):
            with contextlib.suppress(SpecError):
                less = load(name, args={key: [1] * len(value)})
                if {each.type for each in less.layers} == {each.type for each in graph.layers}:
                    found = min(found, less, key=lambda each: len(each.layers))
    return found


class TestKeras:
    @pytest.fixture(autouse=True)
    def _keras(self) -> None:
        # Not imported here: without TensorFlow it asks for another backend, which the process that builds chooses.
        if importlib.util.find_spec("keras") is None:
            pytest.skip("Keras checks the export: pip install keras")

    def built(self, graphs: list[Graph]) -> list[dict[str, Any]]:
        sources = json.dumps([keras_source(each) for each in graphs])
        command = forked.command("keras_models", "build")
        done = subprocess.run(command, input=sources, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        found: list[dict[str, Any]] = json.loads(done.stdout.partition("FOUND ")[2])
        return found

    def assert_same(self, graphs: list[Graph]) -> None:
        for graph, found in zip(graphs, self.built(graphs), strict=True):
            totals = analyse(graph).totals
            assert (found["params"], found["trainable"]) == (totals.params + totals.buffers, totals.params), (
                graph.source.text
            )
            assert found["outputs"] == [list(graph.nodes[i].shape or ()) for i in graph.outputs]
            compared = 0
            for layer in graph.layers:
                name = re.sub(r"\W", "_", layer.name)
                if name in found["layers"] and "Transpose" not in layer.type:
                    assert found["layers"][name] == list(layer.shape or ()), layer
                    compared += 1
            assert compared or len(graph.layers) < 30

    def test_every_network_that_it_can_express(self) -> None:
        """All are written. Keras builds those with a layer type that no smaller one of the file has, as shallow as can be."""
        graphs, refused = [], set[str]()
        for name in ZOO:
            graph = load(name)
            try:
                compile(keras_source(graph), name, "exec")
            except SpecError as error:
                assert "cannot be expressed in Keras" in str(error)
                refused.add(Path(graph.source.name).stem)
                continue
            graphs.append((name, graph))
        assert refused == INEXPRESSIBLE and len(graphs) > 0.8 * len(ZOO)
        seen, built = set[tuple[str, str]](), list[Graph]()
        for name, graph in sorted(graphs, key=lambda each: len(each[1].layers)):
            parts = {(graph.source.name, layer.type) for layer in graph.layers}
            if not parts <= seen:
                built.append(shallow(name, graph))
                seen |= parts
        assert len(built) > 40
        self.assert_same(built)

    def test_random_layers_of_every_type(self) -> None:
        graphs, refused = [], set()
        for name in specs.ALONE:
            rng = random.Random(name)
            for _ in range(20):
                shape = specs.shape_for(rng, REGISTRY[name])
                text = f"input: {list(shape)}\nlayers: [{{{name}: {specs.flow(specs.arguments(rng, name, shape))}}}]"
                try:
                    graph = load(Source("layer.yaml", text))
                except SpecError:
                    continue
                try:
                    keras_source(graph)
                except SpecError as error:
                    assert f"0 ({name}) cannot be expressed in Keras: " in str(error)
                    refused.add(name)
                    continue
                graphs.append(graph)
        assert len(graphs) > 700 and "RBF" in refused
        self.assert_same(graphs)

    def test_what_is_used_again_is_one_layer(self) -> None:
        from test_uses import NETWORKS

        names = ("siamese", "recurrent", "a block that uses its own part", "what happens inside is used too")
        self.assert_same([load(Source("net.yaml", NETWORKS[name])) for name in names])

    def test_everything_that_cannot_be_expressed_is_named(self) -> None:
        with pytest.raises(SpecError) as refused:
            keras_source(load("lenet_1998"))
        for name in ("S2 (Subsampling)", "C3 (PartialConv2d)", "OUTPUT (RBF)"):
            assert f"{name} cannot be expressed in Keras: there is no such layer" in str(refused.value)


def test_names_that_a_module_uses_itself_are_all_refused() -> None:
    from cnncalc.names import TAKEN

    public = {name for name in dir(torch.nn.Module()) if not name.startswith("_")}
    assert public <= TAKEN
    with pytest.raises(SpecError, match="may be called training"):
        torch_source(load(Source("net.yaml", "input: [3]\nlayers: [{training: ReLU}]")))


@pytest.mark.parametrize("writer", [torch_source, keras_source])
@pytest.mark.parametrize("text", ['x"""\nraise SystemExit\n"""', "ends with a \\", 'ends with "', '4 """"', "{x}"])
def test_nothing_that_a_spec_says_becomes_code(writer: Any, text: str) -> None:
    spec = json.dumps({"name": text, "source": text, "input": [3], "layers": ["ReLU"]})
    source = writer(load(Source("net.yaml", spec)))
    compile(source, "exported.py", "exec")
    assert "raise SystemExit" not in [line.strip() for line in source.split("\n")]


@pytest.mark.parametrize(("arguments", "message"), [
    (["lenet", "--to", "tensorflow"], "there is no target tensorflow"),
    (["lenet", "--to", "onnx"], "ONNX is no text to print"),
    (["lenet", "--to", "onnx", "-o", "no/such/folder/net.onnx"], "no/such/folder/net.onnx: cannot be written"),
    (["lenet", "--weights", "w.pth"], "--weights goes with --to onnx"),
    (["declared.yaml"], "Deform is declared in the spec, and PyTorch has no such layer"),
    (["unknown.yaml", "--to", "keras"], "there is no layer type or block Foo"),
    (["declared.yaml", "-o", "declared.yaml"], "is the spec itself, and would be overwritten"),
])  # fmt: skip
def test_what_cannot_be_exported_is_one_message(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "declared.yaml").write_text("input: [3]\ntypes: {Deform: {shape: same}}\nlayers: [Deform]")
    (tmp_path / "unknown.yaml").write_text("input: [3]\nlayers: [Foo]")
    done = cnncalc("export", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
    assert len(list(tmp_path.iterdir())) == 2


def test_the_library_exports_more_than_once() -> None:
    import cnncalc

    assert cnncalc.export("lenet", "torch") == cnncalc.export("lenet", "torch")
