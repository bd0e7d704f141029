"""Parts that are used again: their weights are counted once and their work each time, as PyTorch has it."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import specs
from commands import cnncalc

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.graph import Graph
from cnncalc.language.flat import flat

torch = pytest.importorskip("torch")

CONV = "{Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}}"
HEAD = f"input: [8, 6, 6]\nlayers:\n  - step: {CONV}\n"

NETWORKS = {
    "siamese": f"""
input: {{left: [3, 16, 16], right: [3, 16, 16]}}
layers:
  - tower: {{layers: [{CONV}, BatchNorm2d, ReLU, body: {{Conv2d: {{out_channels: 8, kernel_size: 3}}, repeat: 2}}], from: left}}
  - other: {{use: tower, from: right}}
  - add: [tower, other]
""",
    "recurrent": HEAD + "  - again: {use: step, repeat: 3}\n",
    "a block that uses its own part": f"""
input: [8, 8, 8]
blocks: {{rcl: {{layers: [step: {CONV}, ReLU, again: {{use: step, repeat: 2}}]}}}}
layers: [a: rcl, b: rcl, c: {{use: a}}, add: [[{{use: b.step}}, ReLU], [{{use: c}}], []]]
""",
    "a block that uses what stands outside": f"""
input: [8, 8, 8]
blocks: {{body: {{layers: [conv: {CONV}, {{use: .stem}}, {{add: [[], .stem]}}]}}}}
layers: [stem: {CONV}, a: body, b: body, {{use: a.conv}}, c: {{use: b}}]
""",
    "what happens inside is used too": f"""
input: [8, 8, 8]
layers:
  - tower: [c1: {CONV}, ReLU, c2: {CONV}]
  - again: {{use: tower}}
  - add: [again.c1, again, tower]
  - third: {{use: again, from: tower.c1}}
  - {{use: third.c2}}
""",
    "scale and attention": """
input: [6, 8]
layers:
  - s: LayerScale
  - m: {MultiheadAttention: {num_heads: 2}}
  - {use: s}
  - fc: {Linear: {out_features: 8}}
  - {use: m, from: [s, fc, fc]}
  - {use: fc}
  - g: [{use: s}, LayerNorm]
  - {use: g, repeat: 2}
""",
    "places": """
input: [2, 9, 9]
layers:
  - pool: {MaxPool2d: {kernel_size: 3}}
  - up: {MaxUnpool2d: {kernel_size: 3}, from: [pool, pool]}
  - again: {use: pool, from: up}
  - {use: up, from: [again, again]}
""",
    "lists that take turns": f"""
input: [8, 8, 8]
blocks:
  turn: {{layers: [{{inline: ['convs.{{i}}': {CONV}, 'norms.{{i}}': [BatchNorm2d, ReLU]], repeat: 3}}, {{use: convs.1}}]}}
layers: [a: turn, b: turn, {{use: a.norms.2}}]
""",
    "nothing, and a name of another": """
input: [8]
layers:
  - none: []
  - {use: none}
  - m: {add: [[Linear: {out_features: 8}]]}
  - {use: m}
""",
}


def made(text: str) -> Graph:
    return load(Source("net.yaml", text))


def said(layers: str) -> str:
    head = HEAD
    if "from: vec" in layers:
        head = "input: {seq: [6, 8], vec: [8]}\nlayers:\n"
    with pytest.raises(SpecError) as caught:
        made(head + layers)
    return str(caught.value)


def test_weights_once_and_work_each_time() -> None:
    report = analyse(made(NETWORKS["siamese"]))
    tower = 3 * 8 * 9 + 8 + 2 * 8 + 2 * (8 * 8 * 9 + 8)
    work = 16 * 16 * 3 * 8 * 9 + (14 * 14 + 12 * 12) * 8 * 8 * 9
    assert (report.totals.params, report.totals.buffers, report.totals.macs) == (tower, 16, 2 * work)
    assert [(row.name, row.params, row.shares) for row in report.rows[5:8]] == [
        ("other.0", 0, "tower.0"),
        ("other.1", 0, "tower.1"),
        ("other.2", 0, "tower.2"),
    ]
    assert report.totals.gradient_bytes == 4 * tower and report["other.0"].moved_bytes == report["tower.0"].moved_bytes


def test_a_recurrent_convolution_sees_more_each_time() -> None:
    report = analyse(made(NETWORKS["recurrent"]))
    assert [row.receptive_field.size for row in report if row.receptive_field] == [(3, 3), (5, 5), (7, 7), (9, 9)]
    assert report.totals.params == 8 * 8 * 9 + 8 and report.totals.depth == 4
    assert [row.name for row in report] == ["step", "again.0", "again.1", "again.2"]


def test_a_use_of_a_use_is_one_of_the_first() -> None:
    graph = made(HEAD + "  - b: {use: step}\n  - c: {use: b}\n  - d: [{use: c}]\n  - {use: d}\n")
    assert [layer.shares for layer in graph.layers] == [-1, 1, 1, 1, 1]
    assert [layer.name for layer in graph.layers] == ["step", "b", "c", "d.0", "0.0"]


def test_structure_is_that_of_the_first_time_and_shapes_are_new() -> None:
    text = """
input: [8, 8, 8]
blocks: {b: {args: [n], layers: [{Conv2d: {out_channels: 8, kernel_size: 'in_height > 4 ? 3 : 1'}, repeat: n}]}}
layers: [a: {b: {n: 2}}, {MaxPool2d: {kernel_size: 2}}, {Upsample: {scale_factor: 3}}, c: {use: a}]
""".replace("'in_height > 4 ? 3 : 1'", "3 if in_height > 4 else 1")
    graph = made(text)
    assert [(layer.name, layer.shape) for layer in graph.layers if layer.name[0] in "ac"] == [
        ("a.0", (8, 6, 6)),
        ("a.1", (8, 4, 4)),
        ("c.0", (8, 4, 4)),
        ("c.1", (8, 2, 2)),
    ]


def test_rows_say_whose_weights_they_are() -> None:
    shown = cnncalc("params", "-", text=NETWORKS["siamese"]).stdout
    assert "Conv2d of tower.0" in shown and "BatchNorm2d of tower.1" in shown
    shown = cnncalc("explain", "-", "other.0", "-q", "params", text=NETWORKS["siamese"]).stdout
    assert "0: those of tower.0, which are counted there" in shown
    layers = json.loads(cnncalc("summary", "-", "--format", "json", text=NETWORKS["siamese"]).stdout)["layers"]
    assert [layer.get("shares") for layer in layers[4:7]] == [None, "tower.0", "tower.1"]
    jsonschema = pytest.importorskip("jsonschema")
    document = json.loads(cnncalc("summary", "-", "--format", "json", text=NETWORKS["siamese"]).stdout)
    jsonschema.validate(document, json.loads(cnncalc("schema", "--report").stdout))
    refused = cnncalc("memory", "-", "--int8", text=NETWORKS["recurrent"])
    assert refused.returncode == 2 and "used again" in refused.stderr


@pytest.mark.parametrize(("layers", "wants"), [
    ("  - {use: stp}\n", "net.yaml:4:11: there is no earlier layer stp"),
    ("  - g: [ReLU, {use: g}]\n", "g is around this use: only what stands earlier, and is done, can be used again"),
    ("  - {use: input}\n", "input is an input of the network, and has no weights to use again"),
    ("  - {Conv2d: {out_channels: 4, kernel_size: 1}}\n  - two: {use: step}\n",
     "net.yaml:5:11: two receives 6×6×4, but the weights of step are for 6×6×8\n"),
    ("  - {Conv2d: {out_channels: 4, kernel_size: 1}}\n  - two: {use: step}\n", "step (Conv2d) stands in line 3"),
    ("  - Flatten\n  - fc: {Linear: {out_features: 5}}\n  - {use: fc}\n", "but the weights of fc are for 288"),
    ("  - n: {LayerNorm: {normalized_shape: [6, 6]}}\n  - {MaxPool2d: {kernel_size: 2}}\n  - {use: n}\n",
     "layer 1 receives 3×3×8, but the weights of n are for 6×6×8"),
    ("  - m: {add: [[], [ReLU]]}\n  - {use: m}\n", "m is where 2 branches meet, and takes 2 inputs, not 1"),
    ("  - g: [ReLU]\n  - {use: g, from: [step, g]}\n", "g takes one input, not 2"),
    ("  - m: {MultiheadAttention: {num_heads: 1}, from: seq}\n  - {use: m, from: vec}\n", "wants a sequence of vectors"),
    ("  - g: {a: [ReLU, ReLU], b: ReLU}\n  - g: [{a: [ReLU, inner: [Tanh]]}, {a: [inner: [Tanh]]}]\n  - {use: g, repeat: 2}\n", "there are two layers named g.a.0 (line 4)"),
    ("  - {use: step, out_channels: 4}\n", "out_channels is not a key beside use"),
    ("  - a.b: ReLU\n  - a: Tanh\n", "a is a layer, and cannot hold a.b as well"),
    ("  - a: Tanh\n  - a.b: ReLU\n", "a is a layer, and cannot hold a.b as well"),
    ("  - 'a..b': ReLU\n", "'a..b' cannot be the name of a layer"),
])  # fmt: skip
def test_errors_say_what_is_wrong_and_where(layers: str, wants: str) -> None:
    assert wants in said(layers)


def test_what_uses_multiply_is_bounded() -> None:
    doubled = HEAD + "".join(
        f"  - g{i}: [{{use: {'step' if i == 0 else f'g{i - 1}'}}}, {{use: {'step' if i == 0 else f'g{i - 1}'}}}]\n"
        for i in range(40)
    )
    with pytest.raises(SpecError, match="a network may have 150,000"):
        made(doubled)
    assert "150,000" in said("  - {use: step, repeat: 1000000}\n")


@pytest.mark.parametrize("layers", [
    "  - use: ReLU\n  - {Tanh: {}, from: use}\n",
    "  - use: {Conv2d: {out_channels: 2, kernel_size: 1}}\n  - add: [[], use]\n",
    "  - use: [ReLU, Tanh]\n  - {Tanh: {}, from: use.0}\n",
])  # fmt: skip
def test_a_layer_may_be_called_use(layers: str) -> None:
    assert any(layer.name.split(".")[0] == "use" for layer in made(HEAD + layers).layers)


def test_a_block_may_be_called_use() -> None:
    graph = made(
        "input: [3]\nblocks: {use: {args: [n], layers: [{Linear: {out_features: n}}]}}\nlayers: [{use: {n: 4}}]"
    )
    assert [layer.name for layer in graph.layers] == ["0.0"]


def same_figures(one: Graph, other: Graph) -> None:
    for a, b in zip(*(analyse(each).to_dict()["layers"] for each in (one, other)), strict=True):
        assert {**a, "line": 0} == {**b, "line": 0}


@pytest.mark.parametrize("name", NETWORKS)
def test_written_out_and_exported_it_is_the_same(name: str) -> None:
    from test_export import assert_same

    graph = made(NETWORKS[name])
    same_figures(graph, made(flat(graph)))
    assert_same(graph, [torch.randn(2, *(each.shape or ())) for each in graph.inputs])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in NETWORKS if "attention" not in name])  # see below
def test_every_figure_is_pytorchs(name: str) -> None:
    from test_training import wrong_figures

    assert wrong_figures(made(NETWORKS[name]), 2) == []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("part", range(4))
def test_random_networks(part: int) -> None:
    """Layers of every type, alone, in groups and in generated branches, used again: every figure, and what is exported."""
    from test_export import assert_same
    from test_training import wrong_figures

    from cnncalc.pytorch.build import build

    compared = 0
    for seed in range(12):
        rng = random.Random(1000 * part + seed)
        graph = made(specs.shared(rng))
        same_figures(graph, made(flat(graph)))
        inputs = [torch.randn(2, *(each.shape or ())) for each in graph.inputs]
        try:
            build(graph).eval()(*inputs)
        except (RuntimeError, ValueError):
            continue
        if not specs.unwritten(graph):
            assert_same(graph, inputs)
        # What these lay otherwise in memory is copied now and then, or not copied where it usually is: it is not followed.
        if not {layer.type for layer in graph.layers} & {"Permute", "Slice", "ConvTranspose3d", "MultiheadAttention"}:
            wrong = wrong_figures(graph, rng.choice([1, 2]))
            assert not wrong, graph.source.text
            compared += wrong is not None
    assert compared >= 5


def exact(text: str, batch: int) -> None:
    """The most that a training step holds, as watched on the meta device."""
    from cnncalc.analysis.training import watched_activations
    from cnncalc.ops.actions import Setting
    from cnncalc.pytorch.build import build
    from cnncalc.pytorch.storages import TensorMemory, own_tensors
    from cnncalc.pytorch.subject import loss_of, random_targets

    graph = made(text)
    net = build(graph, device="meta").train()
    inputs = [torch.empty(batch, *(each.shape or ()), device="meta") for each in graph.inputs]
    targets = random_targets(graph, batch, torch.float32, "meta")
    with TensorMemory([*inputs, *targets, *own_tensors(net)]) as watched:
        loss_of(net(*inputs), targets).backward()
    assert watched_activations(graph, Setting(batch)) == watched.peak


END = "  - Flatten\n  - Linear: {out_features: 5}\n"


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("layers", [
    "  - again: {use: step, repeat: 3}\n",
    "  - n: BatchNorm2d\n  - ReLU\n  - {use: step}\n  - {use: n}\n  - ReLU\n  - {use: step}\n  - {use: n}\n",
    "  - big: {Conv2d: {out_channels: 64, kernel_size: 1}}\n  - w: {Conv2d: {out_channels: 64, kernel_size: 3, stride: 3}}\n"
    "  - {Upsample: {scale_factor: 3}}\n  - {use: w}\n  - {Upsample: {scale_factor: 3}}\n  - {use: w}\n",
    "  - Flatten\n  - fc: {Linear: {out_features: 288}}\n  - ReLU\n  - {use: fc}\n  - ReLU\n  - {use: fc}\n",
    "  - p: PReLU\n  - s: LayerScale\n  - {use: p}\n  - {use: s}\n  - add: [[{use: step}, ReLU], [{use: step}, {use: p}], []]\n",
])  # fmt: skip
def test_the_gradient_of_shared_weights_is_added_up(layers: str, batch: int) -> None:
    exact(HEAD + layers + END, batch)


@pytest.mark.parametrize(("freeze", "settings"), [
    ((), {"accumulate": 3}), (("step",), {}), (("step",), {"accumulate": 2}), ((), {"amp": "bfloat16"}), (("n",), {}),
])  # fmt: skip
def test_regimes(freeze: tuple[str, ...], settings: dict[str, Any]) -> None:
    from test_regimes import held

    graph = made(
        HEAD + "  - n: BatchNorm2d\n  - ReLU\n  - {use: step}\n  - {use: n}\n  - ReLU\n  - {use: step}\n" + END
    )
    report = analyse(graph, batch=3, freeze=freeze, **settings)
    _, kept, gradients, work = held(report, freeze)
    assert (report.training.saved, report.training.gradients) == (kept, gradients)
    assert 2 * report.totals.step_macs == work


def test_freezing_a_use_freezes_what_it_is() -> None:
    graph = made(HEAD + "  - again: {use: step}\n")
    assert analyse(graph, freeze=["again"]).setting.frozen == analyse(graph, freeze=["step"]).setting.frozen == {1, 2}


def test_a_worksheet_asks_of_it_what_it_has() -> None:
    from cnncalc.teach.kinds import kinds
    from cnncalc.teach.layer_questions import figure, question, true_shapes

    graph = made(NETWORKS["recurrent"])
    shapes = true_shapes(graph)
    assert question(kinds(), graph, 1, "params", shapes) is not None
    assert question(kinds(), graph, 2, "params", shapes) is None and question(kinds(), graph, 2, "height", shapes)
    assert [figure(graph, node, "params", shapes) for node in (1, 2)] == [8 * 8 * 9 + 8, 0]
    assert figure(graph, 1, "macs", shapes) == figure(graph, 2, "macs", shapes)
