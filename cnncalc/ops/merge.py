"""Merges: several branches become one tensor."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from ..formula import formula, prod, total
from ..quantities import readable
from .actions import Action, Setting, Shape, Store
from .base import Call, Op, Reach, Size, Work, arg
from .kinds import whole
from .shape import axis_index


@formula(
    "size of a concatenation",
    chapter="output size",
    symbol="K",
    unit="values",
    source="PyTorch documentation, torch.cat",
)
def concatenated(n: Any) -> Any:
    return total(n)


@formula(
    "operations of a merge",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source="counted: m branches take m − 1 operations for each element",
)
def merge_work(E: Any, m: Any) -> Any:
    return E * (m - 1)


class Merge(Op, name="_merge"):
    """What all merges share."""

    many_inputs = True
    statements = True

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return tuple(Reach(axis) for axis in range(len(out)))

    def in_turn(self, product: bool, *shapes: Shape) -> tuple[Action, ...]:
        """Two at a time, each result on the way a tensor of its own."""
        found, left, so_far = [], "x0", shapes[0]
        for i, shape in enumerate(shapes[1:], 1):
            so_far = tuple(map(max, so_far, shape))
            name = "y" if i == len(shapes) - 1 else f"product {i}"
            pair = (left, f"x{i}")
            found.append(Action(((name, Store(so_far)),), pair, pair if product else (), product=product))
            left = name
        return tuple(found)


class Add(Merge, name="add"):
    """The sum of branches of equal shape: the residual connection."""

    passes_gradient = True
    int8 = "own"
    int8_takes_in = ("ReLU",)
    example = "add: [[{Conv2d: {out_channels: 3, kernel_size: 3, padding: 1}}, ReLU], []]"
    example_input = (3, 32, 32)

    def check(self, *shapes: Shape) -> None:
        if len(set(shapes)) > 1:
            different = next(shape for shape in shapes if shape != shapes[0])
            raise Misfit(
                f"{{layer}} adds {readable(shapes[0])} and {readable(different)}, which are not equal",
                hint="let both branches end with the same shape: a 1×1 convolution with the same stride is usual",
                code="merge",
            )

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=merge_work.step(E=prod(out), m=len(shapes)))

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.add", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return self.in_turn(False, *shapes)


class Multiply(Merge, name="multiply"):
    """The product of branches, element by element; an axis of size 1 is repeated."""

    int8 = "own"
    int8_takes_in = ("ReLU",)
    example = (
        "multiply: [[{AdaptiveAvgPool2d: {output_size: 1}}, {Conv2d: {out_channels: 3, kernel_size: 1}}, Sigmoid], []]"
    )
    example_input = (3, 32, 32)

    def check(self, *shapes: Shape) -> None:
        distinct = set(shapes)
        if len(set(map(len, distinct))) > 1 or any(len({*sizes} - {1}) > 1 for sizes in zip(*distinct, strict=False)):
            different = next(shape for shape in shapes if shape != shapes[0])
            raise Misfit(
                f"{{layer}} multiplies {readable(shapes[0])} and {readable(different)}, which do not fit",
                hint="each axis must be equal, or 1 in one of them",
                code="merge",
            )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return tuple(max(sizes) for sizes in zip(*shapes, strict=True))

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=merge_work.step(E=prod(out), m=len(shapes)))

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.mul", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return self.in_turn(True, *shapes)


class Concat(Merge, name="concat"):
    """Branches one after the other along an axis: the channels, unless dim says otherwise."""

    operations = ()
    keeps = ()
    int8 = "same"

    passes_gradient = True  # each branch receives a view of it

    dim: int = arg(whole(-8), "the axis, the batch being 0", default=1)

    example = "concat: [[{Conv2d: {out_channels: 32, kernel_size: 1}}], []]"
    example_input = (64, 28, 28)

    def check(self, *shapes: Shape) -> None:
        axis = axis_index(self.dim, shapes[0], "dim")
        for shape in shapes:
            if shape[:axis] + shape[axis + 1 :] != shapes[0][:axis] + shapes[0][axis + 1 :]:
                raise Misfit(
                    f"{{layer}} joins {readable(shapes[0])} and {readable(shape)}, which differ in more than "
                    + ("the channels" if axis == 0 else f"axis {self.dim}"),
                    hint="let all branches end with the same size: same strides, and padding that keeps the size",
                    code="merge",
                )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axis = axis_index(self.dim, shapes[0], "dim")
        joined = concatenated.step(n=tuple(shape[axis] for shape in shapes))
        return tuple(joined if i == axis else size for i, size in enumerate(shapes[0]))

    def call(self, *shapes: Shape) -> Call:
        return Call("torch.cat", (self.dim,), tensors="list")
