"""Layer types that a spec declares: with arguments, several inputs, and shapes that are lists."""

from __future__ import annotations

import pytest

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.graph import Graph
from cnncalc.language.flat import flat

HEAD = """
input: [4, 6, 6]
types:
  Gate: {inputs: 2, args: [a, b: 1], shape: same, params: 'a * shapes[1][0]', macs: b * in_height, buffers: 0, flops: 0}
  Resize: {args: [sizes], shape: sizes, params: 0}
  Half: {shape: [in_channels // 2, in_height, in_width], params: 0, buffers: 0, macs: 0, flops: 0}
layers:
"""


def made(layers: str) -> Graph:
    return load(Source("net.yaml", HEAD + layers))


def test_several_inputs_and_their_shapes() -> None:
    graph = made("  - h: Half\n  - g: {Gate: {a: 5}, from: [input, h]}\n  - Resize: {sizes: '[3, 2]'}\n")
    report = analyse(graph)
    assert (report["g"].params, report["g"].macs, report["g"].output_shape) == (5 * 2, 6, (4, 6, 6))
    assert report["0"].output_shape == (3, 2) and report["0"].macs is None and not report.totals.complete
    assert analyse(load(Source("flat", flat(graph)))).totals.params == report.totals.params == 10


@pytest.mark.parametrize(("layers", "wants"), [
    ("  - Gate: {a: 1}\n", "takes 2 inputs, not 1"),
    ("  - h: Half\n  - {Half: {}, from: [h, input]}\n", "takes one input, not 2"),
    ("  - Resize: {sizes: 4}\n", "shape of Resize must be 'same' or a list of sizes ≥ 1, not 4"),
    ("  - {Gate: {b: 1}, from: [input, input]}\n", "Gate wants a"),
])  # fmt: skip
def test_what_does_not_fit(layers: str, wants: str) -> None:
    with pytest.raises(SpecError) as caught:
        made(layers)
    assert wants in str(caught.value)
