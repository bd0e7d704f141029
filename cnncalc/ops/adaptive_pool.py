"""Pools that are told the size of their output: the windows follow from it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..formula import formula, greatest_common, prod
from .actions import Action, Setting, Shape, Store
from .base import Op, Reach, Size, Window, Work, arg
from .kinds import NO, sizes


@formula(
    "additions and divisions of an adaptive average pool",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source="counted over PyTorch's windows, ⌊i·N/O⌋ to ⌈(i + 1)·N/O⌉, which may overlap",
)
def adaptive_avg_work(C: Any, W: Any) -> Any:
    return C * prod(W)


@formula(
    "comparisons of an adaptive max pool",
    chapter="other work",
    symbol="FLOPs",
    unit="comparisons",
    source="counted over PyTorch's windows, ⌊i·N/O⌋ to ⌈(i + 1)·N/O⌉, which may overlap",
)
def adaptive_max_work(C: Any, W: Any, O: Any) -> Any:
    return C * prod(W) - C * prod(O)


class _AdaptivePool(Op):
    """What the adaptive pools share: the output size is given, the windows follow."""

    output_size: tuple[int | None, ...] = arg(
        sizes(holes=True), "size of the output; null keeps the size of that axis", letter="O"
    )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = zip(shapes[0][1:], self.output_size, strict=True)
        return (shapes[0][0], *(N if wanted is None else wanted for N, wanted in axes))

    def windows_together(self, out: Shape, shape: Shape) -> tuple[int, ...]:
        # Neighbouring windows share one input wherever a border falls inside it: O − gcd(N, O) times.
        return tuple(N + O - greatest_common(N, O) for N, O in zip(shape[1:], out[1:], strict=True))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        found = [Reach(0)]
        for axis, (N, O) in enumerate(zip(shapes[0][1:], out[1:], strict=True), 1):
            if N % O == 0:
                window = Window(N // O, N // O, 0)
            else:
                slack = 1 - Fraction(1, O)
                window = Window(Fraction(N, O) + 2 * slack, Fraction(N, O), slack, exact=False)
            found.append(Reach(axis, window))
        return tuple(found)


class _AdaptiveAvgPool(_AdaptivePool):
    """What the three adaptive average pools share."""

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=adaptive_avg_work.step(C=out[0], W=self.windows_together(out, shapes[0])))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        # To a single value it is a mean, whose gradient needs nothing but the shape.
        return (Action((("y", Store(out)),), keeps=() if prod(out[1:]) == 1 else ("x",)),)


class _AdaptiveMaxPool(_AdaptivePool):
    """What the three adaptive max pools share."""

    return_indices: bool = arg(NO, "PyTorch can return the places too; a layer here has one output", default=False)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=adaptive_max_work.step(C=out[0], W=self.windows_together(out, shapes[0]), O=out[1:]))

    keeps = ("x", "indices")

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        return (("indices", Store(out, "int64")),)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean over windows chosen so that a sequence gets the length that is asked for."""

    output_size: tuple[int, ...] = arg(sizes(), "length of the output", letter="O")

    spatial = 1
    int8 = "same"
    example = "AdaptiveAvgPool1d: {output_size: 1}"


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean over windows chosen so that an image gets the size that is asked for; 1 is global pooling."""

    spatial = 2
    int8 = "same"
    example = "AdaptiveAvgPool2d: {output_size: 1}"


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean over windows chosen so that a volume gets the size that is asked for."""

    spatial = 3
    int8 = "same"
    example = "AdaptiveAvgPool3d: {output_size: 1}"


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest value of windows chosen so that a sequence gets the length that is asked for."""

    output_size: tuple[int, ...] = arg(sizes(), "length of the output", letter="O")

    spatial = 1
    example = "AdaptiveMaxPool1d: {output_size: 1}"


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest value of windows chosen so that an image gets the size that is asked for."""

    spatial = 2
    example = "AdaptiveMaxPool2d: {output_size: [7, 7]}"


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest value of windows chosen so that a volume gets the size that is asked for."""

    spatial = 3
    example = "AdaptiveMaxPool3d: {output_size: 1}"
