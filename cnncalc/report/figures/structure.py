"""The shape of what comes out, and how deep a network is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...analysis.depth import depth as depth_of
from ...explanation import Derivation
from ...formula import Step
from ...ops.conv import conv_output
from ...ops.pool import ceil_output
from ...quantities import readable
from ...table import EMPTY
from .base import Figure, of_network

if TYPE_CHECKING:
    from ..parts import Part, Row


def _output(part: Part) -> Any:
    if part.whole:
        outputs = part.report.graph.outputs
        return part.report.shaped(outputs[0]) if outputs else EMPTY
    return part.output_shape


def _shape_steps(row: Row) -> Iterator[Derivation]:
    op, shapes = row.layer.op, tuple(shape for shape in row.input_shapes if shape is not None)
    assert op is not None
    sizes = op.output(*shapes)
    names = axis_names(len(sizes))
    steps = [(name, size) for name, size in zip(names, sizes, strict=True) if isinstance(size, Step)]
    if not steps:
        out = row.output_shape or ()
        said = [
            argument.name
            for argument in op.arguments()
            if argument.name in ("out_features", "output_size", "size", "dims")
        ]
        how = "as it came in" if out == shapes[0] else f"as {said[0]} asks" if said else "as follows from its arguments"
        yield Derivation("shape", text=f"{readable(out)}, {how}")
        return
    merged = len(steps) == 2 and steps[0][0] == "height" and steps[0][1].letters == steps[1][1].letters
    for name, step in steps[: 1 if merged else None]:
        lost = remainder(step)
        yield Derivation("height, width" if merged else name, step, remark=lost, essential=bool(lost))


def axis_names(count: int) -> Sequence[str]:
    """What the axes of a shape are called, channels first."""
    return {
        1: ("length",),
        2: ("channels", "length"),
        3: ("channels", "height", "width"),
        4: ("channels", "depth", "height", "width"),
    }.get(count, tuple(f"axis {i + 1}" for i in range(count)))


def remainder(step: Step) -> str:
    """What the lecture says of a stride that does not fit; empty where it fits.

    >>> print(remainder(conv_output.step(N=7, F=3, S=3, P=0, D=1)))
    (7 − 3)/3 + 1 = 2.33 does not fit: PyTorch floors it to 2, and the last column is never seen
    """
    if step.formula not in (conv_output, ceil_output):
        return ""
    N, F, S, P, D = (step.letters[letter] for letter in "NFSPD")
    extent = D * (F - 1) + 1
    span = N + 2 * P - extent
    if span % S == 0:
        return ""
    exact = f"({N}{f' + 2·{P}' if P else ''} − {extent})/{S} + 1 = {span / S + 1:.2f} does not fit: PyTorch "
    if step.formula is ceil_output:
        if step.value > span // S + 1:
            return exact + f"rounds it up to {step.value}, and the last window hangs over the end"
        return exact + f"would round it up, but a window may not start in the padding: {step.value}"
    lost = span % S - P
    if lost <= 0:
        return exact + f"floors it to {step.value}, and only padding is left out"
    columns = "the last column is" if lost == 1 else f"the last {lost} columns are"
    return exact + f"floors it to {step.value}, and {columns} never seen"


shape = Figure(
    "shape",
    "output",
    "",
    "the shape of the output, channels first, without the batch",
    _output,
    chapter="output size",
    column="output",
    show=readable,
    question="shape",
    derive=_shape_steps,
    additive=False,
    names=("output_shape",),
)

layers = Figure(
    "layers",
    "layers",
    "",
    "layers, those without weights included",
    of_network(lambda whole: len(whole.rows), "output_bytes"),
    chapter="output size",
    scope="network",
)


def _depth(whole: Part) -> int:
    return depth_of(whole.report.graph)


depth = Figure(
    "depth",
    "depth",
    "",
    "layers with weights on the longest path, as papers count them",
    of_network(_depth, "weights"),
    chapter="output size",
    scope="network",
    show=str,
    watched="depth",
)
