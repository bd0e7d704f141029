"""The softmax family: shares of what lies along an axis, that sum to 1."""

from __future__ import annotations

from typing import ClassVar

from ..errors import Misfit
from .actions import Action, Setting, Shape, Store
from .base import Op, Reach, Window, arg
from .kinds import optional, whole
from .shape import axis_index


class _AlongAxis(Op):
    """What the softmax family shares: an axis that sums to 1."""

    dim: int | None = arg(
        optional(whole(-8)),
        "the axis that sums to 1, the batch being 0; 1 for vectors and images if null",
        default=None,
    )

    keeps = ("y",)
    lays_in_order = True
    operations: ClassVar[tuple[str, ...]] = ("exponential", "add", "divide")

    def axis(self, shape: Shape) -> int:
        # PyTorch's rule for a missing dim: 0 for 1 or 3 axes, 1 otherwise, counted with the batch.
        chosen = self.dim if self.dim is not None else 0 if len(shape) + 1 in (0, 1, 3) else 1
        if chosen == 0:
            raise Misfit(
                f"{self.type()} without dim would work along the batch for {len(shape) + 1} axes",
                hint="say which axis: dim: 1 for the channels, dim: -1 for the last",
                argument="dim",
            )
        return axis_index(chosen, shape, "dim")

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        self.axis(shapes[0])

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axis = self.axis(shapes[0])
        return tuple(
            Reach(i, Window(2 * size - 1, 1, size - 1, False)) if i == axis and i else Reach(i)
            for i, size in enumerate(out)
        )


class Softmax(_AlongAxis):
    """exp(x)/Σexp(x): shares that sum to 1."""

    autocast_cuda = "float32"
    int8 = "own"
    example = "Softmax: {dim: 1}"
    example_input = (10,)


class Softmin(_AlongAxis):
    """exp(−x)/Σexp(−x)."""

    operations = ("negate", *_AlongAxis.operations)
    autocast_cuda = "float32"
    example = "Softmin: {dim: 1}"
    example_input = (10,)

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor = Store(out)
        return Action((("negative", tensor),)), Action((("y", tensor),), ("negative",), ("y",))


class LogSoftmax(_AlongAxis):
    """log(exp(x)/Σexp(x))."""

    operations = ("exponential", "add", "logarithm", "subtract")
    autocast_cuda = "float32"
    example = "LogSoftmax: {dim: 1}"
    example_input = (10,)


class Softmax2d(Op):
    """Softmax over the channels at each position of an image."""

    spatial = 2
    keeps = ("y",)
    operations = _AlongAxis.operations
    example = "Softmax2d"
