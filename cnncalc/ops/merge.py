"""Merges: several branches become one tensor."""

from __future__ import annotations

from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import distinct, formula, prod, total
from ..quantities import readable
from .actions import Action, Setting, Shape, Store
from .base import Call, Gradients, Op, Reach, Size, Window, Work, arg
from .counting import BACKWARD
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


@formula(
    "multiply-adds of a product of matrices",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source="the definition: each value of the result is a row times a column of C values",
)
def matmul_macs(C: Any, Y: Any) -> Any:
    return C * prod(Y)


@formula(
    "multiply-adds of the gradients of factors",
    chapter="training",
    symbol="MACs",
    unit="MAC",
    source=BACKWARD + ": the gradient of each factor is the product of the other with that of the result",
)
def factors_gradient_macs(m: Any, MACs: Any) -> Any:
    """m factors want a gradient."""
    return m * MACs


class Merge(Op, name="_merge"):
    """What all merges share."""

    many_inputs = True
    statements = True

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return tuple(Reach(axis) for axis in range(len(out)))

    def in_turn(self, kept: tuple[str, ...], passes: bool, *shapes: Shape) -> tuple[Action, ...]:
        """Two at a time, each result on the way a tensor of its own; `kept` says which of the two are factors."""
        found, left, so_far = [], "x0", shapes[0]
        for i, shape in enumerate(shapes[1:], 1):
            so_far = tuple(map(max, so_far, shape))
            name = "y" if i == len(shapes) - 1 else f"product {i}"
            pair = (left, f"x{i}")
            keeps = tuple(each for each, place in zip(pair, ("first", "second"), strict=True) if place in kept)
            found.append(Action(((name, Store(so_far)),), pair, keeps, product=bool(kept), passes=passes))
            left = name
        return tuple(found)


def broadcast(op: Op, shapes: tuple[Shape, ...], says: str) -> None:
    """Raise `Misfit` where branches are not equal, and PyTorch would not repeat what has size 1 either."""
    different_ones = distinct(shapes)
    axes = zip(*different_ones, strict=False)
    if len({*map(len, different_ones)}) > 1 or any(len(distinct(N for N in sizes if N != 1)) > 1 for sizes in axes):
        different = next(shape for shape in shapes if shape != shapes[0])
        what, hint = "which do not fit", "each axis must be equal, or 1 in one of them"
        if op.type() == "add":
            what = "which are not equal"
            hint = "let both branches end with the same shape: a 1×1 convolution with the same stride is usual"
        raise Misfit(f"{{layer}} {says} {readable(shapes[0])} and {readable(different)}, {what}", hint, code="merge")


def two(op: Op, shapes: tuple[Shape, ...]) -> None:
    """Raise `Misfit` where there are more than two branches."""
    if len(shapes) > 2:
        raise Misfit(
            f"{op.type()} takes two branches, not {len(shapes)}", "one within another takes more", code="merge"
        )


class _Elementwise(Merge, name="_elementwise"):
    """What merges share that work element by element; an axis of size 1 is repeated."""

    verb: ClassVar[str] = ""

    def check(self, *shapes: Shape) -> None:
        broadcast(self, shapes, self.verb)

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return tuple(max(sizes) for sizes in zip(*shapes, strict=True))

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=merge_work.step(E=prod(out), m=len(shapes)))


class Add(_Elementwise, name="add"):
    """The sum of branches: the residual connection; an axis of size 1 is repeated."""

    verb = "adds"
    int8 = "own"
    int8_takes_in = ("ReLU",)
    example = "add: [[{Conv2d: {out_channels: 3, kernel_size: 3, padding: 1}}, ReLU], []]"
    example_input = (3, 32, 32)

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.add", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return self.in_turn((), len(distinct(shapes)) == 1, *shapes)


class Multiply(_Elementwise, name="multiply"):
    """The product of branches, element by element; an axis of size 1 is repeated."""

    verb = "multiplies"
    int8 = "own"
    int8_takes_in = ("ReLU",)
    example = (
        "multiply: [[{AdaptiveAvgPool2d: {output_size: 1}}, {Conv2d: {out_channels: 3, kernel_size: 1}}, Sigmoid], []]"
    )
    example_input = (3, 32, 32)

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.mul", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return self.in_turn(("first", "second"), False, *shapes)


class Subtract(_Elementwise, name="subtract"):
    """The first branch less all others, element by element; an axis of size 1 is repeated."""

    yields = True
    verb = "subtracts"
    example = "subtract: [[], [{AvgPool2d: {kernel_size: 3, stride: 1, padding: 1}}]]"
    example_input = (3, 32, 32)

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.sub", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return self.in_turn((), False, *shapes)


class Divide(_Elementwise, name="divide"):
    """The first branch divided by all others, element by element; an axis of size 1 is repeated."""

    yields = True
    verb = "divides"
    example = "divide: [[], [{Norm: {dim: 1, keepdim: true}}]]"
    example_input = (3, 32, 32)

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.truediv", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return self.in_turn(("first", "second"), False, *shapes)


class Maximum(_Elementwise, name="maximum"):
    """The largest value of the branches, element by element: maxout; an axis of size 1 is repeated."""

    yields = True
    verb = "compares"
    example = "maximum: [[{Linear: {out_features: 240}}], [{Linear: {out_features: 240}}]]"
    example_input = (784,)

    def call(self, *shapes: Shape) -> Call:
        return Call("torch.maximum", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        found = self.in_turn(("first", "second"), False, *shapes)
        return tuple(action._replace(product=False) for action in found)


class MatMul(Merge, name="matmul"):
    """The product of two branches as matrices, the last two axes of each; those before them are equal."""

    yields = True
    keeps = ("x0", "x1")
    autocast = "lower"
    example = "matmul: [[Softmax: {dim: -1}], [Permute: {dims: [0, 2, 1]}]]"
    example_input = (49, 64)

    def check(self, *shapes: Shape) -> None:
        two(self, shapes)
        a, b = shapes
        if min(len(a), len(b)) < 2:
            hint = "a vector has one axis: Unflatten makes a matrix of it"
            raise Misfit(
                f"matmul wants matrices; {{layer}} receives {readable(a)} and {readable(b)}", hint, code="merge"
            )
        if a[:-2] != b[:-2] or a[-1] != b[-2]:
            hint = (
                "the last axis of the first is as long as the one before the last of the second, all before are equal"
            )
            message = f"{{layer}} multiplies {list(a)} by {list(b)}, which do not fit"
            raise Misfit(message, hint, code="merge")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return (*shapes[0][:-1], shapes[1][-1])

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(matmul_macs.step(C=shapes[0][-1], Y=out))

    def gradients(self, wanted: tuple[bool, ...], out: Shape, *shapes: Shape) -> Gradients:
        macs = matmul_macs(C=shapes[0][-1], Y=out)
        return Gradients(factors_gradient_macs.step(m=sum(wanted), MACs=macs)) if any(wanted) else Gradients()

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.matmul", tensors="fold")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return (Action((("y", Store(out)),), ("x0", "x1"), ("x0", "x1"), apart=True),)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        # Rows of the first and columns of the second: each output sees one of each, and all that they hold.
        last = len(out) - 1
        mixed = max(shapes[0][-1], shapes[1][-2], *out[-2:])
        seen = tuple(Reach(axis) for axis in range(last - 1))
        return (*seen, *(Reach(None, Window(mixed, 1, 0, exact=False)) for _ in out[-2:]))


class Stack(Merge, name="stack"):
    """Branches of equal shape one behind the other along a new axis, 1 unless dim says otherwise."""

    yields = True
    operations = ()
    keeps = ()
    passes_gradient = True  # each branch receives a view of it

    dim: int = arg(whole(-8), "the new axis, the batch being 0", default=1)

    example = "stack: [[ReLU], [Tanh]]"
    example_input = (64, 28, 28)

    def _axis(self, shape: Shape) -> int:
        """The place of the new axis in the shape that comes out, without the batch."""
        axes = len(shape) + 2
        at = self.dim if self.dim >= 0 else self.dim + axes
        if at == 0:
            raise Misfit("axis 0 is the batch, which is never written", "the first axis of your own is 1", "dim")
        if not 0 < at < axes:
            hint = f"axes are counted with the batch: 1 to {axes - 1}"
            raise Misfit(f"there is no axis {self.dim} in a stack of {readable(shape)} at {{layer}}", hint, "dim")
        return at - 1

    def check(self, *shapes: Shape) -> None:
        self._axis(shapes[0])
        if len(distinct(shapes)) > 1:
            different = next(shape for shape in shapes if shape != shapes[0])
            message = f"{{layer}} stacks {readable(shapes[0])} and {readable(different)}, which are not equal"
            raise Misfit(message, "let all branches end with the same shape", code="merge")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axis = self._axis(shapes[0])
        return (*shapes[0][:axis], len(shapes), *shapes[0][axis:])

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axis = self._axis(shapes[0])
        return tuple(Reach(i + (i >= axis)) for i in range(len(shapes[0])))

    def call(self, *shapes: Shape) -> Call:
        return Call("torch.stack", (self.dim,), tensors="list")


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
