"""ONNX files that others write, held against what ONNX's own runtime makes of them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import analyse, build, load
from cnncalc.importing.spec import Imported
from cnncalc.importing.target import Options, bring_in

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch", reason="what is read is built: pip install 'cnncalc[torch]'")
onnx = pytest.importorskip("onnx", reason="pip install 'cnncalc[onnx]'")


def weights(**shapes: Any) -> list[Any]:
    """Weights of these shapes, `__` standing for a dot in their names."""
    rng = np.random.default_rng(7)
    return [
        onnx.numpy_helper.from_array(rng.standard_normal(shape).astype(np.float32), name.replace("__", "."))
        for name, shape in shapes.items()
    ]


def constant(name: str, *numbers: Any) -> Any:
    whole = all(isinstance(each, int) for each in numbers)
    return onnx.numpy_helper.from_array(np.array(numbers, np.int64 if whole else np.float32), name)


def file(path: Path, nodes: list[Any], kept: list[Any], shape: list[int], opset: int = 17) -> Path:
    """A file with these operators, from `x` to `y`."""
    make, floats = onnx.helper, onnx.TensorProto.FLOAT
    given = make.make_tensor_value_info("x", floats, [1, *shape])
    taken = make.make_tensor_value_info("y", floats, None)
    graph = make.make_graph(nodes, "g", [given], [taken], kept)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", opset)])
    model.ir_version = 8
    onnx.save(model, path)
    return path


def node(kind: str, taken: str, given: str = "y", **more: Any) -> Any:
    return onnx.helper.make_node(kind, taken.split(), given.split(), **more)


CONV = {"c__weight": (3, 3, 3, 3)}
UP = {"c__weight": (3, 4, 3, 3), "c__bias": (4,)}
PADS = [1, 1, 1, 1]
#: Operators, weights, constants, the shape that goes in, the set of operators, and the parameters.
FILES: dict[str, tuple[list[Any], dict[str, Any], list[Any], list[int], int, int]] = {
    "a product and a sum": (
        [node("MatMul", "x fc.weight", "a"), node("Add", "a fc.bias")],
        {"fc__weight": (16, 10), "fc__bias": (10,)}, [], [16], 17, 170,
    ),
    "a convolution and a sum": (
        [node("Conv", "x c.weight", "a"), node("Add", "a c.bias")],
        {"c__weight": (8, 3, 3, 3), "c__bias": (1, 8, 1, 1)}, [], [3, 9, 9], 17, 224,
    ),
    "the larger of a number": (
        [node("Conv", "x c.weight", "a", pads=PADS), node("Max", "low a")], CONV, [constant("low", -0.5)], [3, 8, 8], 17, 81,
    ),
    "the largest of three and a number": (
        [node("Conv", "x c.weight", "a", pads=PADS), node("Sigmoid", "a", "s"), node("Max", "a x low s")],
        CONV, [constant("low", 0.25)], [3, 8, 8], 17, 81,
    ),
    "what is cut off unevenly": (
        [node("ConvTranspose", "x c.weight c.bias", strides=[2, 2], pads=[0, 0, 1, 1])], UP, [], [3, 8, 8], 17, 112,
    ),
    "what is cut off more in front": (
        [node("ConvTranspose", "x c.weight c.bias", strides=[2, 2], pads=[1, 1, 0, 0])], UP, [], [3, 8, 8], 17, 112,
    ),
    "twice the size": (
        [node("ConvTranspose", "x c.weight c.bias", strides=[2, 2], auto_pad="SAME_UPPER")], UP, [], [3, 8, 8], 17, 112,
    ),
    "a size that is said": (
        [node("ConvTranspose", "x c.weight c.bias", strides=[2, 2], output_shape=[16, 16])], UP, [], [3, 8, 8], 17, 112,
    ),
    "shares of all that follows": ([node("Softmax", "x")], {}, [], [3, 4, 5], 11, 0),
    "a border of two axes": (
        [node("Pad", "x pads value axes")], {}, [constant("pads", 1, 2, 0, 3), constant("value", 0.5), constant("axes", 3, 2)],
        [3, 4, 5], 18, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_operators_do_what_they_do_in_the_runtime(name: str, tmp_path: Path) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="it says what comes out: pip install onnxruntime")
    nodes, shapes, fixed, shape, opset, params = FILES[name]
    kept = weights(**shapes)
    path = file(tmp_path / "net.onnx", nodes, kept + fixed, shape, opset)
    graph = load(str(path))
    assert analyse(graph).totals.params == params
    net = build(graph).eval()
    own = net.state_dict()
    for each in kept:
        found = torch.from_numpy(onnx.numpy_helper.to_array(each).copy())
        wanted = own[each.name].shape
        own[each.name] = found.t() if len(wanted) == 2 and found.shape != wanted else found.reshape(wanted)
    net.load_state_dict(own)
    x = torch.randn(1, *shape, generator=torch.Generator().manual_seed(1))
    (expected,) = runtime.InferenceSession(str(path)).run(None, {"x": x.numpy()})
    with torch.no_grad():
        torch.testing.assert_close(net(x), torch.from_numpy(expected), rtol=1e-4, atol=1e-5)


def test_a_product_that_is_scaled_has_its_figures_and_is_not_understood(tmp_path: Path) -> None:
    kept = weights(fc__weight=(10, 20), fc__bias=(10,))
    scaled = node("Gemm", "x fc.weight fc.bias", beta=2.0, transB=1)
    report = analyse(str(file(tmp_path / "net.onnx", [scaled], kept, [20])))
    assert (report.totals.params, report.totals.macs) == (210, 200)
    with pytest.raises(Exception, match="cannot be built"):
        build(report.graph)


@pytest.mark.parametrize(
    ("operator", "shapes", "fixed", "said"),
    [
        (
            node("Slice", "x from to along by"),
            {},
            [constant("from", -1), constant("to", -9), constant("along", 2), constant("by", -1)],
            "it turns the order round",
        ),
        (node("PRelu", "x slope"), {"slope": (3, 8, 8)}, [], "its slope is neither one nor one for each channel"),
        (node("Conv", "x c.weight"), {"c__weight": (8, 4, 3, 3)}, [], "its weights are for 4 channels"),
        (node("AveragePool", "x", kernel_shape=[2, 2], pads=[2, 2, 2, 2]), {}, [], "no layer type does this"),
    ],
    ids=lambda value: value.op_type if hasattr(value, "op_type") else "",
)
def test_what_pytorch_has_no_layer_for_is_declared(
    operator: Any, shapes: dict[str, Any], fixed: list[Any], said: str, tmp_path: Path
) -> None:
    path = file(tmp_path / "net.onnx", [operator], weights(**shapes) + fixed, [3, 8, 8])
    ((_, note),) = bring_in(str(path), {}, {}, Options()).imported.declared
    assert said in note


def test_what_a_layer_gives_besides_is_not_followed(tmp_path: Path) -> None:
    """The last state of an LSTM: one message at the operator, and none about a spec that nobody has seen."""
    shapes = {"w": (1, 16, 4), "r": (1, 16, 4)}
    states = node("LSTM", "x w r", "all last", hidden_size=4)
    file(
        tmp_path / "net.onnx", [states, node("Squeeze", "last axis")], [*weights(**shapes), constant("axis", 0)], [1, 4]
    )
    done = cnncalc("shapes", "net.onnx", cwd=tmp_path)
    assert done.returncode == 2
    assert "Squeeze: reshape cannot be read: no layer that is known gives what it takes" in done.stderr


def test_what_stands_beside_a_file_is_not_opened(tmp_path: Path) -> None:
    """Here nothing stands there: a bias of a hundred numbers, which would be looked at in the file itself."""
    shapes = {"c__weight": (100, 3, 3, 3), "c__bias": (100,)}
    path = file(tmp_path / "net.onnx", [node("Conv", "x c.weight c.bias")], weights(**shapes), [3, 8, 8])
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="net.data", size_threshold=0)
    (tmp_path / "net.data").unlink()
    done = cnncalc("params", "net.onnx", "-f", "json", cwd=tmp_path)
    assert done.returncode == 0 and '"params": 2800' in done.stdout, done.stderr


def test_weights_that_are_shared_in_part_are_said_to_be_counted_twice(tmp_path: Path) -> None:
    nodes = [node("Conv", "x a.weight shared", "a", pads=PADS), node("Conv", "a b.weight shared", pads=PADS)]
    kept = weights(a__weight=(3, 3, 3, 3), b__weight=(3, 3, 3, 3), shared=(3,))
    outcome = bring_in(str(file(tmp_path / "net.onnx", nodes, kept, [3, 8, 8])), {}, {}, Options())
    assert "3 parameters are counted more than once" in " ".join(outcome.imported.notes)


def test_a_group_norm_that_the_exporter_took_apart_keeps_its_parameters(tmp_path: Path) -> None:
    """It works their shape out beforehand, and their names are gone; ones and zeros could be constants, as it says."""
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.GroupNorm(4, 16)).eval()
    said = []
    for name in ("fresh", "trained"):
        found = exported(net, tmp_path / f"{name}.onnx", 3, 8, 8)
        said.append((analyse(found.graph).totals.params, any("ones and zeros" in note for note in found.notes)))
        torch.nn.init.normal_(net[1].weight)
        torch.nn.init.normal_(net[1].bias)
    assert said == [(448, True), (480, False)]


def exported(net: Any, path: Path, *shape: int) -> Imported:
    """What PyTorch's own exporter writes of a model, brought in."""
    pytest.importorskip("onnxscript", reason="pip install 'cnncalc[onnx]'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), (torch.randn(1, *shape),), str(path), verbose=False, external_data=False)
    return bring_in(str(path), {}, {}, Options()).imported


class Scaled(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.alpha = torch.nn.Conv2d(3, 4, 3), torch.nn.Parameter(torch.full((1,), 1.5))

    def forward(self, x: Any) -> Any:
        return self.conv(x) * self.alpha


class Recurrent(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.memory, self.head = torch.nn.LSTM(8, 12, batch_first=True), torch.nn.Linear(12, 3)

    def forward(self, x: Any) -> Any:
        return self.head(self.memory(x)[0])


def test_a_single_number_of_the_network_itself_is_named(tmp_path: Path) -> None:
    """Nothing in a file tells it from a constant."""
    found = exported(Scaled(), tmp_path / "net.onnx", 3, 8, 8)
    assert found.notes == ("alpha is taken for a constant: if it is learnt, that parameter is missing",)


def test_the_state_that_a_recurrent_layer_begins_with_is_no_parameter(tmp_path: Path) -> None:
    net = Recurrent()
    found = exported(net, tmp_path / "net.onnx", 5, 8)
    assert analyse(found.graph).totals.params == sum(each.numel() for each in net.parameters())


def test_an_axis_that_is_no_batch_is_said_to_be_taken_for_one(tmp_path: Path) -> None:
    make, floats = onnx.helper, onnx.TensorProto.FLOAT
    given = [make.make_tensor_value_info("x", floats, ["n", 3, 8]), make.make_tensor_value_info("mask", floats, [3, 8])]
    taken = make.make_tensor_value_info("y", floats, None)
    onnx.save(make.make_model(make.make_graph([node("Add", "x mask")], "g", given, [taken], [])), tmp_path / "net.onnx")
    found = bring_in(str(tmp_path / "net.onnx"), {}, {}, Options()).imported
    assert "the first axis of mask is taken for the batch" in found.notes
