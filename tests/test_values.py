"""What is done with values beside convolutions: numbers, learnt numbers, merges, reductions, tokens. PyTorch is the referee."""

from __future__ import annotations

from typing import Any

import pytest

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.graph import Graph
from cnncalc.language.flat import flat
from cnncalc.ops import REGISTRY

torch = pytest.importorskip("torch")


def made(text: str) -> Graph:
    return load(Source("net.yaml", text))


def said(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        made(text)
    return str(caught.value)


#: Each with the operation of PyTorch that it is.
MERGES = {
    "add: [a, b]": lambda a, b: a + b,
    "add: [a, m]": lambda a, m: a + m,
    "add: [m, a, c]": lambda m, a, c: m + a + c,
    "subtract: [a, b]": lambda a, b: a - b,
    "subtract: [a, m, b]": lambda a, m, b: a - m - b,
    "divide: [a, b]": lambda a, b: a / b,
    "divide: [m, a]": lambda m, a: m / a,
    "maximum: [a, b]": torch.maximum,
    "maximum: [a, m, b]": lambda a, m, b: torch.maximum(torch.maximum(a, m), b),
    "multiply: [a, c]": lambda a, c: a * c,
    "matmul: [a, b]": lambda a, b: a @ b,
    "stack: [a, b]": lambda a, b: torch.stack([a, b], 1),
    "stack: [a, b, a]\n    dim: 3": lambda a, b, c: torch.stack([a, b, c], 3),
    "stack: [a, b]\n    dim: -1": lambda a, b: torch.stack([a, b], -1),
}  # fmt: skip
HEAD = """
input: [4, 5, 5]
layers:
  - p: PReLU
  - a: {Conv2d: {out_channels: 4, kernel_size: 1}}
  - b: {Sigmoid: {}, from: p}
  - m: {Mean: {dim: [2, 3], keepdim: true}, from: b}
  - c: {Mean: {dim: 1, keepdim: true}, from: b}
"""


def agrees(text: str, kept: bool = True) -> None:
    """Every figure is PyTorch's, and what is written out or exported is the same network."""
    from test_export import assert_same
    from test_training import wrong_figures

    graph = made(text)
    assert (wrong_figures(graph, 2) == []) or not kept
    again = made(flat(graph))
    for one, other in zip(*(analyse(each).to_dict()["layers"] for each in (graph, again)), strict=True):
        assert {**one, "line": 0} == {**other, "line": 0}
    assert_same(graph, [torch.randn(2, *(each.shape or ())) for each in graph.inputs])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("merge", MERGES)
def test_merges(merge: str) -> None:
    from cnncalc.pytorch.build import build

    text = f"{HEAD}  - {merge}\n  - end: Identity\n"
    agrees(text)
    graph = made(text)
    net, seen = build(graph).eval(), dict[str, Any]()
    x = torch.randn(2, 4, 5, 5)
    p, b = net.p(x), net.b(net.p(x))
    seen = {"a": net.a(p), "b": b, "m": b.mean([2, 3], True), "c": b.mean(1, True)}
    names = merge.partition("[")[2].partition("]")[0].split(", ")
    assert torch.equal(net(x), MERGES[merge](*(seen[name] for name in names)))


def test_a_product_of_matrices_is_counted_as_pytorch_counts_it() -> None:
    report = analyse(made(f"{HEAD}  - matmul: [a, b]\n"))
    assert report["0"].macs == 4 * 5 * 5 * 5 and report.totals.params == 1 + 4 * 4 + 4
    assert report["0"].input_gradient_macs == 2 * 4 * 5 * 5 * 5


@pytest.mark.parametrize(("layers", "wants"), [
    ("  - add: [a, [Flatten]]\n", "adds 5×5×4 and 25, which are not equal"),
    ("  - subtract: [a, [{Conv2d: {out_channels: 3, kernel_size: 1}}]]\n", "subtracts 5×5×4 and 5×5×3, which do not fit"),
    ("  - matmul: [a, c]\n", "multiplies [4, 5, 5] by [1, 5, 5], which do not fit"),
    ("  - matmul: [a, b, c]\n", "matmul takes two branches, not 3"),
    ("  - stack: [a, m]\n", "stacks 5×5×4 and 1×1×4, which are not equal"),
    ("  - stack: [a, b]\n    dim: 0\n", "axis 0 is the batch"),
    ("  - stack: [a, b]\n    dim: 5\n", "there is no axis 5 in a stack of 5×5×4"),
    ("  - Sum: {dim: [1, 2, 3]}\n", "the sum over all axes leaves no shape"),
    ("  - Max: {dim: [2, 2]}\n", "dim names an axis twice"),
    ("  - Norm: {dim: 1, p: 0.5}\n", "there is no norm of p = 0.5"),
    ("  - LayerScale: {shape: [3]}\n", "LayerScale of shape [3] does not fit [1, 5, 5]"),
    ("  - LayerScale: {shape: [3], dim: 1}\n", "LayerScale of shape [3, 1, 1] does not fit [1, 5, 5]"),
    ("  - LayerScale: {dim: 1}\n", "dim goes with a shape of one size"),
    ("  - LayerScale: {shape: [4], dim: 4}\n", "there is no axis 4"),
    ("  - Affine: {shape: [2, 4, 1, 1]}\n", "Affine of shape [2, 4, 1, 1] does not fit"),
])  # fmt: skip
def test_what_does_not_fit(layers: str, wants: str) -> None:
    assert wants in said(HEAD + layers)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layers", [
    "  - gain: {LayerScale: {shape: [], init_value: 0.5}}\n",
    "  - {Permute: {dims: [0, 2, 3, 1]}, from: a}\n  - g: {LayerScale: {shape: [4]}}\n  - h: {Affine: {shape: [1, 1, 4]}}\n  - Tanh\n",
    "  - gamma: {LayerScale: {shape: [4], dim: 1, init_value: 0.5}, from: a}\n",
    "  - {Permute: {dims: [0, 2, 3, 1]}, from: a}\n  - g: {LayerScale: {shape: [5], dim: -2}}\n  - Tanh\n",
    "  - Scale: {factor: 0.2}\n  - Shift: {value: -1}\n  - Affine\n",
    "  - Norm: {dim: [2, 3], p: 3}\n",
    "  - Max: {dim: 1}\n  - Sum: {dim: -1, keepdim: true}\n",
])  # fmt: skip
def test_numbers_and_reductions(layers: str) -> None:
    agrees(HEAD + layers, kept="Permute" not in layers)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layers", [
    "  - k: {Linear: {out_features: 8}, from: input}\n  - v: {Linear: {out_features: 8}}\n  - Attention: {num_heads: 2}\n    from: [q, k, v]\n",
    "  - Attention: {num_heads: 4}\n    from: [q, q, q]\n",
    "  - cls: {Token: {shape: [1, 8]}}\n  - concat: [cls, q]\n    dim: 1\n  - add: [[], [pos: {Token: {shape: [7, 8], init_value: 1}}]]\n",
    "  - queries: {Token: {shape: [3, 8]}}\n  - k: {Linear: {out_features: 8}, from: q}\n  - Attention: {num_heads: 2}\n    from: [queries, k, k]\n",
    "  - {Unflatten: {dim: 1, unflattened_size: [2, 3]}}\n  - Attention: {num_heads: 1}\n",
])  # fmt: skip
def test_tokens_and_attention(layers: str) -> None:
    agrees("input: [6, 4]\nlayers:\n  - q: {Linear: {out_features: 8}}\n" + layers + "  - Tanh\n")


def test_the_key_of_a_token_is_its_name() -> None:
    from cnncalc.pytorch.build import build

    net = build(
        Source(
            "net.yaml",
            "input: [6, 4]\nlayers:\n  - cls_token: {Token: {shape: [1, 4]}}\n  - gain: {LayerScale: {shape: []}}\n",
        )
    )
    assert {name: list(each.shape) for name, each in net.state_dict().items()} == {"cls_token": [1, 1, 4], "gain": []}


@pytest.mark.parametrize(("layers", "wants"), [
    ("  - Attention: {num_heads: 3}\n", "num_heads is 3, which does not divide the 4 features"),
    ("  - {Attention: {num_heads: 1}, from: [input, input]}\n", "attention takes one input, or three"),
    ("  - t: {Token: {shape: [2, 4]}}\n  - Attention: {num_heads: 1}\n    from: [t, input, t]\n", "key [6, 4] and value [2, 4] do not fit"),
    ("  - Reshape: {shape: [5, -1]}\n", "the 24 values of 4×6 at layer 0 cannot take the shape [5, -1]"),
    ("  - Token: {shape: []}\n", "shape must be a list of whole numbers ≥ 1"),
])  # fmt: skip
def test_sequences_that_do_not_fit(layers: str, wants: str) -> None:
    assert wants in said("input: [6, 4]\nlayers:\n" + layers)


BLOCK = """
input: [3, 23, 30]
blocks:
  conv: {args: [k, s: 2], layers: [Conv2d: {out_channels: 4, kernel_size: k, stride: s, padding: same_upper, bias: false}, BatchNorm2d]}
layers:
"""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("layers", [
    "  - conv: {k: 3}\n  - conv: {k: 3}\n  - conv: {k: 5}\n  - conv: {k: 3, s: 1}\n  - conv: {k: 2, s: 1}\n",
    "  - one: {conv: {k: 3}}\n  - Conv2d: {out_channels: 3, kernel_size: 1}\n  - two: {use: one}\n",
    "  - MaxPool2d: {kernel_size: 3, stride: 2, padding: same_upper}\n  - MaxPool2d: {kernel_size: 3, stride: 2, padding: [0, 1, 0, 1]}\n",
    "  - AvgPool2d: {kernel_size: 3, stride: 2, padding: same_upper}\n  - AvgPool2d: {kernel_size: 3, stride: 1, padding: same_upper, count_include_pad: false}\n",
    "  - AvgPool2d: {kernel_size: 3, padding: [1, 0, 0, 1]}\n  - MaxPool2d: {kernel_size: 3, padding: [1, 1, 0, 0]}\n",
])  # fmt: skip
def test_borders_that_differ_by_side(layers: str) -> None:
    agrees(BLOCK + layers)


def test_same_upper_is_tensorflows() -> None:
    """For each size, kernel and stride: ⌈N/S⌉ outputs, the odd pixel of the padding at the end."""
    for size in range(1, 9):
        for kernel in range(1, 6):
            for stride in range(1, 4):
                conv = f"Conv1d: {{out_channels: 1, kernel_size: {kernel}, stride: {stride}, padding: same_upper}}"
                graph = made(f"input: [1, {size}]\nlayers: [{conv}]\n")
                assert graph.nodes[1].shape == (1, -(-size // stride))
                field = analyse(graph).rows[0].receptive_field
                total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
                assert field is not None and field.padding == (total // 2,)


@pytest.mark.parametrize(("layers", "wants"), [
    ("  - Conv2d: {out_channels: 2, kernel_size: 3, padding: same_upper, padding_mode: reflect}\n", "'same_upper' is of zeros"),
    ("  - MaxPool2d: {kernel_size: 2, padding: [2, 0, 0, 0]}\n", "padding 2 is as wide as the window"),
    ("  - MaxPool2d: {kernel_size: 2, padding: [1, 0, 0]}\n", "or one for each side"),
    ("  - AvgPool2d: {kernel_size: 2, padding: [1, 0, 0, 0], count_include_pad: false}\n", "its zeros count in the mean"),
    ("  - Conv2d: {out_channels: 2, kernel_size: 3, padding: same_uper}\n", "did you mean same_upper?"),
])  # fmt: skip
def test_borders_that_cannot_be(layers: str, wants: str) -> None:
    assert wants in said(BLOCK + layers)


SOFT = [name for name, cls in REGISTRY.items() if cls.yields]


@pytest.mark.parametrize("word", SOFT)
def test_what_a_file_calls_so_goes_before_a_word_that_came_later(word: str) -> None:
    """A layer, a group, a block or a type of that name is what it was before the word was known."""
    conv = "{Conv2d: {out_channels: 2, kernel_size: 1}}"
    for body in (conv, "ReLU", f"[{conv}, ReLU]", f"{{a: {conv}, b: ReLU}}", "{layers: [ReLU], repeat: 2}"):
        graph = made(f"input: [3, 4, 4]\nlayers:\n  - {word}: {body}\n  - add: [{word}, {word}]\n")
        assert graph.layers[0].name.split(".")[0] == word, body
    graph = made(f"input: [3, 4, 4]\nlayers: {{{word}: {conv}, then: {{ReLU: {{}}, from: {word}}}}}\n")
    assert [layer.name for layer in graph.layers] == [word, "then"]
    graph = made(
        f"input: [3, 4, 4]\nblocks: {{{word}: {{args: [n: 2], layers: [{conv}]}}}}\nlayers: [{word}, x: {{{word}: {{n: 3}}}}]\n"
    )
    assert [layer.name for layer in graph.layers] == ["0.0", "x.0"]
    graph = made(
        f"input: [3, 4, 4]\ntypes: {{{word}: {{shape: same, params: 7}}}}\nlayers: [{word}, x: {{{word}: {{}}}}]\n"
    )
    assert analyse(graph).totals.params == 14 and graph.layers[0].is_declared
    with pytest.raises(SpecError, match="declared"):
        from cnncalc.exporters.torch_source import torch_source

        torch_source(graph)
    graph = made(f"input: {{{word}: [3, 4, 4]}}\nlayers: [ReLU]\n")
    assert graph.inputs[0].name == word
