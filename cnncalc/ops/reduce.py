"""Axes that are put together to one value: by their mean, sum, largest value or length."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from ..formula import formula, prod
from .actions import Shape
from .base import Call, Op, Reach, Size, Window, Work, arg
from .counting import elementwise_work
from .kinds import FLAG, NUMBER, whole_list
from .shape import axis_index

COUNTED = "counted: one for each value that is joined to another"


@formula("joining values", chapter="other work", symbol="FLOPs", unit="operations", source=COUNTED)
def joining(E: Any, O: Any) -> Any:
    """n values take n − 1 additions or comparisons."""
    return E - prod(O)


@formula(
    "work of a norm",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source="counted: Q for each value, as its square, one to join it to the others, and a root for each result",
)
def norm_work(E: Any, Q: Any, O: Any, R: Any) -> Any:
    return E * Q + E - prod(O) + R * prod(O)


class _Reduction(Op):
    """What all of them share."""

    dim: tuple[int, ...] = arg(whole_list(-8), "the axes that are put together, the batch being 0")
    keepdim: bool = arg(FLAG, "whether the axes stay, with size 1", default=False)

    def axes(self, shape: Shape) -> set[int]:
        """The places of the axes in a shape without batch."""
        return {axis_index(dim, shape, "dim") for dim in self.dim}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        axes = self.axes(shapes[0])
        if len(axes) < len(self.dim):
            raise Misfit(f"dim names an axis twice: {list(self.dim)}", argument="dim")
        if len(axes) == len(shapes[0]) and not self.keepdim:
            raise Misfit(
                f"the {self.type().lower()} over all axes leaves no shape", hint="use keepdim: true", argument="dim"
            )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = self.axes(shapes[0])
        return tuple(1 if i in axes else size for i, size in enumerate(shapes[0]) if self.keepdim or i not in axes)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axes, reaches, kept = self.axes(shapes[0]), [], 0
        for axis, size in enumerate(shapes[0]):
            if axis in axes:
                reaches.append(Reach(kept if self.keepdim else None, Window(size, size, 0)))
            else:
                reaches.append(Reach(kept))
            kept += self.keepdim or axis not in axes
        return tuple(reaches)

    def called(self, function: str, *arguments: Any) -> Call:
        """The function of PyTorch that does it."""
        return Call(function, (*arguments, self.dim), (("keepdim", True),) if self.keepdim else ())


class Mean(_Reduction):
    """The mean over one or several axes; torch.nn has no module for it."""

    keeps = ()
    int8 = "same"
    example = "Mean: {dim: [2, 3]}"

    def work(self, out: Shape, *shapes: Shape) -> Work:
        # As many additions less one as there are values, and one division.
        return Work(other=elementwise_work.step(E=prod(shapes[0]), Q=1))

    def call(self, *shapes: Shape) -> Call:
        return self.called("torch.mean")


class Sum(_Reduction):
    """The sum over one or several axes; torch.nn has no module for it."""

    yields = True
    keeps = ()
    autocast = "float32"
    example = "Sum: {dim: [2, 3]}"

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=joining.step(E=prod(shapes[0]), O=out))

    def call(self, *shapes: Shape) -> Call:
        return self.called("torch.sum")


class Max(_Reduction):
    """The largest value over one or several axes; torch.nn has no module for it."""

    yields = True
    keeps = ("x", "y")
    example = "Max: {dim: [2, 3]}"

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=joining.step(E=prod(shapes[0]), O=out))

    def call(self, *shapes: Shape) -> Call:
        return self.called("torch.amax")


class Norm(_Reduction):
    """The length over one or several axes, as p defines it; torch.nn has no module for it."""

    p: float = arg(NUMBER, "which norm: 2 for the square root of the sum of squares, 1 for the sum", default=2)

    yields = True
    keeps = ("x", "y")
    autocast = "float32"
    example = "Norm: {dim: 1, p: 2, keepdim: true}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if self.p < 1:
            raise Misfit(f"there is no norm of p = {self.p}", "p is 1 or more: 2 for the usual length", "p")

    def work(self, out: Shape, *shapes: Shape) -> Work:
        # A square is one operation, and so is an absolute value; another power takes both.
        each, root = (1, int(self.p != 1)) if self.p in (1, 2) else (2, 1)
        return Work(other=norm_work.step(E=prod(shapes[0]), Q=each, O=out, R=root))

    def call(self, *shapes: Shape) -> Call:
        return self.called("torch.linalg.vector_norm", self.p)
