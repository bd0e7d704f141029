"""Branches that `branch` makes by `repeat` and `foreach`: the same networks as those that are written out."""

from __future__ import annotations

import pytest

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.graph import Graph

HEAD = """
input: [8, 16, 16]
args: {branches: 3, deep: true}
blocks:
  conv_bn:
    args: [kernel_size]
    layers:
      - Conv2d: {out_channels: 8, kernel_size: kernel_size, padding: kernel_size // 2, bias: false}
      - BatchNorm2d
layers:
"""


def made(layers: str) -> Graph:
    return load(Source("net.yaml", HEAD + layers))


def said(layers: str) -> str:
    with pytest.raises(SpecError) as caught:
        made(layers)
    return str(caught.value)


def shape_of(graph: Graph) -> list[tuple[object, ...]]:
    return [(node.name, node.type, node.inputs, node.shape, node.op) for node in graph.nodes]


@pytest.mark.parametrize(("generated", "written"), [
    ("- add: [{branch: [{conv_bn: {kernel_size: k}}], foreach: {k: [1, 3, 5]}}, []]",
     "- add: [[{conv_bn: {kernel_size: 1}}], [{conv_bn: {kernel_size: 3}}], [{conv_bn: {kernel_size: 5}}], []]"),
    ("- add: [{branch: {'rbr_{i}': {conv_bn: {kernel_size: 3}}}, repeat: branches, when: branches > 0}, []]",
     "- add: [{rbr_0: {conv_bn: {kernel_size: 3}}}, {rbr_1: {conv_bn: {kernel_size: 3}}}, {rbr_2: {conv_bn: {kernel_size: 3}}}, []]"),
    ("- s{i}: {ReLU: {}, repeat: 3}\n- concat: [{branch: 's{i}', repeat: 3}]",
     "- s0: ReLU\n- s1: ReLU\n- s2: ReLU\n- concat: [s0, s1, s2]"),
    ("- a: ReLU\n- b: Tanh\n- add: [{when: deep, branch: a}, {when: not deep, branch: b}, b]", "- a: ReLU\n- b: Tanh\n- add: [a, b]"),
    ("- s{i}: {ReLU: {}, repeat: 3}\n- concat: [{branch: ['t{i}': Tanh], repeat: 3, from: 's{i}', when: i != 1}]",
     "- s0: ReLU\n- s1: ReLU\n- s2: ReLU\n- concat: [{layers: {t0: Tanh}, from: s0}, {layers: {t2: Tanh}, from: s2}]"),
    ("- concat: [{branch: ['t{i}_{k}': {Conv2d: {out_channels: k, kernel_size: 1}}], foreach: {k: [2, 4]}, repeat: 2}]",
     "- concat: [[t0_2: {Conv2d: {out_channels: 2, kernel_size: 1}}], [t1_2: {Conv2d: {out_channels: 2, kernel_size: 1}}], "
     "[t0_4: {Conv2d: {out_channels: 4, kernel_size: 1}}], [t1_4: {Conv2d: {out_channels: 4, kernel_size: 1}}]]"),
    ("- add: [{branch: [ReLU], repeat: 1 / 0, when: false}, []]", "- add: [[]]"),
    ("- multiply: [{branch: [Sigmoid], repeat: 1}, []]", "- multiply: [[Sigmoid], []]"),
    ("- add: [{branch: [ReLU], repeat: 0}, [], []]", "- add: [[], []]"),
    ("- g: {add: [{branch: [{add: [{branch: [Tanh], repeat: 2}]}], repeat: 2}]}",
     "- g: {add: [[{add: [[Tanh], [Tanh]]}], [{add: [[Tanh], [Tanh]]}]]}"),
])  # fmt: skip
def test_the_same_network_as_written_out(generated: str, written: str) -> None:
    assert shape_of(made(generated)) == shape_of(made(written))


def test_alone_branch_is_a_name_and_what_a_file_defines_wins() -> None:
    """As it always was: a layer may be called branch, and so may a block."""
    graph = made("- add: [{branch: {Conv2d: {out_channels: 8, kernel_size: 1}}}, []]")
    assert graph.nodes[1].name == "branch"
    text = "input: [8]\nblocks: {branch: {args: [n: 1], layers: [{Linear: {out_features: 8}}]}}\nlayers: [{add: [{branch: {n: 2}, repeat: 2}, []]}]"
    assert [node.name for node in load(Source("net.yaml", text)).layers] == ["0.0", "1.0", "2"]
    graph = load(
        Source("net.yaml", "input: [8]\nargs: {sqrt: 3, log2: 4}\nlayers: [{Linear: {out_features: sqrt + log2}}]")
    )
    assert graph.nodes[1].shape == (7,)
    graph = load(Source("net.yaml", "input: [8]\nlayers: [{Linear: {out_features: 'int(sqrt(81) + log2(8))'}}]"))
    assert graph.nodes[1].shape == (12,)


@pytest.mark.parametrize(("layers", "message"), [
    ("- add: [{branch: [a: ReLU], repeat: 2}]", "net.yaml:11:22: there are two layers named a (line 11)"),
    ("- add: [{branch: [a: ReLU], repeat: 2}]", "hint: an expression tells copies apart: 'a{i}'"),
    ("- add: [{branch: [ReLU], repeat: -1}, []]", "repeat wants a whole number ≥ 0, not -1"),
    ("- add: [{branch: [ReLU], foreach: {k: 3}}, []]", "foreach wants a list for k, not 3"),
    ("- add: [{branch: [ReLU], repeat: 2, expect: {macs: 1}}]", "expect is not a key beside branch"),
    ("- add: [{branch: [ReLU], repeat: 2, Conv2d: {}}]", "Conv2d is not a key beside branch"),
    ("- add: [{branch: null, repeat: 2}]", "there are no layers in this branch"),
    ("- a: ReLU\n- add: [{branch: a, repeat: 2, from: a}]", "an earlier layer takes nothing: from does not go with it"),
    ("- add: [{branch: 's{i}', repeat: 2}]", "there is no earlier layer s0"),
    ("- add: [{layers: [ReLU], repeat: 2}, []]", "hint: {branch: …, repeat: …} is many branches; copies in a row: [{inline: …, repeat: …}]"),
    ("- add: [{branch: [{Conv2d: {out_channels: 4, kernel_size: 1}}], repeat: 2}, []]", "which are not equal"),
    ("- add: [{branch: [ReLU], repeat: 1000000}]", "at least 1,000,000 layers; a network may have 150,000"),
])  # fmt: skip
def test_mistakes_have_a_place_and_a_way_out(layers: str, message: str) -> None:
    assert message in said(layers)


def test_it_is_built_and_measured_as_it_is_calculated() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch builds the specs: pip install 'cnncalc[torch]'")
    from cnncalc.exporters.keras_source import keras_source
    from cnncalc.exporters.torch_source import torch_source
    from cnncalc.language.flat import flat
    from cnncalc.pytorch.build import build

    graph = made(
        "- add: [{branch: [{conv_bn: {kernel_size: k}}], foreach: {k: [1, 3]}, repeat: 2}, []]\n"
        "- concat: [{branch: ['t{i}': {Conv2d: {out_channels: i + 1, kernel_size: 1}}], repeat: 3}]"
    )
    report = analyse(graph)
    net = build(graph).eval()
    assert sum(each.numel() for each in net.parameters()) == report.totals.params
    assert tuple(net(torch.zeros(1, 8, 16, 16)).shape[1:]) == graph.nodes[-1].shape == (6, 16, 16)
    assert [*net.state_dict()][:2] == ["0.0.weight", "0.1.weight"] and "t2.bias" in net.state_dict()
    assert analyse(Source("flat.yaml", flat(graph))).totals.macs == report.totals.macs
    assert "layers.Concatenate" in keras_source(graph) and "torch.cat" in torch_source(graph)
