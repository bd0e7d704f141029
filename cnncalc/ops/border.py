"""Borders that PyTorch puts around a map in a step of its own: TensorFlow's SAME, and sides that differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..formula import ceil_div, formula, integer, minimum
from ..record import Record
from .actions import Shape

#: The word for TensorFlow's SAME: the output is as large as the input divided by the stride, rounded up.
UPPER = "same_upper"
TENSORFLOW = "TensorFlow documentation, tf.nn: padding 'SAME'; ONNX, Conv: auto_pad SAME_UPPER"


@formula("output size, padding 'same_upper'", chapter="output size", symbol="O", unit="px", source=TENSORFLOW)
def upper_output(N: Any, S: Any) -> Any:
    """Whatever the kernel: the padding follows from it."""
    return ceil_div(N, S)


@formula("padding 'same_upper'", chapter="output size", symbol="P_total", unit="px", source=TENSORFLOW)
def upper_padding(N: Any, O: Any, S: Any, F: Any, D: Any) -> Any:
    """What the windows reach beyond the map, the odd pixel at the end; none where they do not."""
    return (O - 1) * S + D * (F - 1) + 1 - minimum(N, (O - 1) * S + D * (F - 1) + 1)


class Border(Record):
    """A border of one value: its widths as torch.nn.functional.pad wants them, the last axis first."""

    widths: tuple[int, ...]
    value: float = 0.0


Pairs = tuple[tuple[int, int], ...]


def upper_pads(sizes: Shape, kernel: Shape, stride: Shape, dilation: Shape) -> Pairs:
    """TensorFlow's padding before and after, for each axis.

    >>> upper_pads((224, 224), (3, 3), (2, 2), (1, 1))
    ((0, 1), (0, 1))
    """
    found = []
    for N, F, S, D in zip(sizes, kernel, stride, dilation, strict=True):
        total = integer(upper_padding(N=N, O=upper_output(N=N, S=S), S=S, F=F, D=D))
        found.append((total // 2, total - total // 2))
    return tuple(found)


def is_even(kernel: Shape, stride: Shape, dilation: Shape) -> bool:
    """Whether SAME is the same padding on both sides for any size, which a layer can do itself."""
    return all(S == 1 and D * (F - 1) % 2 == 0 for F, S, D in zip(kernel, stride, dilation, strict=True))


def border(pads: Pairs, value: float = 0.0) -> Border | None:
    """The border of these pads; None where there is none."""
    widths = tuple(side for pair in reversed(pads) for side in pair)
    return Border(widths, value) if any(widths) else None


def bordered(shape: Shape, pads: Pairs) -> Shape:
    """The shape of a map with its border."""
    return (shape[0], *(size + before + after for size, (before, after) in zip(shape[1:], pads, strict=True)))


def sides(padding: Sequence[int], axes: int) -> Pairs:
    """Padding before and after for each axis, of one number for each, or of each side with the last axis first.

    >>> sides((1, 2), 2), sides((0, 1, 0, 1), 2)
    (((1, 1), (2, 2)), ((0, 1), (0, 1)))
    """
    if len(padding) == axes:
        return tuple((each, each) for each in padding)
    pairs = [(padding[i], padding[i + 1]) for i in range(0, len(padding), 2)]
    return tuple(reversed(pairs))
