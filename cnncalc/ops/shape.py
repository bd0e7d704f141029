"""Layers that move values about: flatten, cut, permute, average away an axis, pass through."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from ..formula import ceil_div, formula, prod
from ..quantities import readable
from .actions import Action, Setting, Shape, Store
from .base import TORCH, Call, Op, Reach, Size, Window, arg
from .kinds import LARGEST, optional, whole, whole_list


@formula(
    "length of a flattened vector",
    chapter="output size",
    symbol="length",
    unit="values",
    source=TORCH.format("Flatten"),
)
def flattened(X: Any) -> Any:
    return prod(X)


@formula(
    "size of a slice", chapter="output size", symbol="O", unit="values", source="Python, slice.indices: start:stop:step"
)
def sliced(start: Any, stop: Any, step: Any) -> Any:
    return ceil_div(stop - start, step)


def axis_index(dim: int, shape: Shape, argument: str) -> int:
    """The place in a shape without batch of an axis counted with it; raises `Misfit`."""
    index = (dim if dim >= 0 else dim + len(shape) + 1) - 1
    if dim == 0 or index == -1:
        raise Misfit("axis 0 is the batch, which is never written", "the channels are axis 1", argument)
    if not 0 <= index < len(shape):
        raise Misfit(
            f"there is no axis {dim} in {readable(shape)} at {{layer}}",
            f"axes are counted with the batch: 1 (the channels) to {len(shape)}",
            argument,
        )
    return index


class Flatten(Op):
    """Several axes become one."""

    operations = ()

    start_dim: int = arg(whole(-8), "first axis that is joined, the batch being 0", default=1)
    end_dim: int = arg(whole(-8), "last axis that is joined", default=-1)

    view = True
    passes_gradient = True
    example = "Flatten"

    def _span(self, shape: Shape) -> tuple[int, int]:
        return axis_index(self.start_dim, shape, "start_dim"), axis_index(self.end_dim, shape, "end_dim") + 1

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        first, last = self._span(shapes[0])
        if first >= last:
            raise Misfit("start_dim lies behind end_dim", argument="start_dim")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        shape = shapes[0]
        first, last = self._span(shape)
        joined: Size = shape[first] if last - first == 1 else flattened.step(X=shape[first:last])
        return (*shape[:first], joined, *shape[last:])

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        first, last = self._span(shapes[0])
        apart = setting.channels_last and len(shapes[0]) == 3 and first == 0 and last > 1
        if apart and shapes[0][0] > 1 and prod(shapes[0][1:]) > 1:  # channels lie last: they are copied to the front
            return (Action((("y", Store(out)),)),)
        return super().actions(setting, out, *shapes)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        first, last = self._span(shapes[0])
        reaches = []
        for axis, size in enumerate(shapes[0]):
            if last - first > 1 and first <= axis < last:
                reaches.append(Reach(None, Window(size, 1, 0)))
            else:
                reaches.append(Reach(axis if axis < first + 1 else axis - (last - first) + 1))
        return tuple(reaches)


class Unflatten(Op):
    """One axis becomes several."""

    operations = ()

    dim: int = arg(whole(-8), "the axis that is split, the batch being 0")
    unflattened_size: tuple[int, ...] = arg(
        whole_list(-1), "its new sizes; -1 for the one that follows from the others"
    )

    view = True
    passes_gradient = True
    example = "Unflatten: {dim: 1, unflattened_size: [512, 4, 4]}"
    example_input = (8192,)

    def _sizes(self, shape: Shape) -> tuple[int, ...]:
        size = shape[axis_index(self.dim, shape, "dim")]
        known = [each for each in self.unflattened_size if each != -1]
        product = prod(tuple(known))
        open_ = len(self.unflattened_size) - len(known)
        if 0 in known or open_ > 1 or (size % product if open_ else size != product):
            raise Misfit(
                f"axis {self.dim} has {size} values at {{layer}}, which cannot become {list(self.unflattened_size)}",
                hint=f"the sizes must multiply to {size}",
                argument="unflattened_size",
            )
        return tuple(size // product if each == -1 else each for each in self.unflattened_size)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        self._sizes(shapes[0])

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axis = axis_index(self.dim, shapes[0], "dim")
        return (*shapes[0][:axis], *self._sizes(shapes[0]), *shapes[0][axis + 1 :])

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        split = axis_index(self.dim, shapes[0], "dim")
        added = len(out) - len(shapes[0])
        return tuple(
            Reach(None, Window(size, 1, 0, False))
            if axis == split and axis and added
            else Reach(axis + added * (axis > split))
            for axis, size in enumerate(shapes[0])
        )


class Permute(Op):
    """The axes in another order; torch.nn has no module for it, torchvision.ops has."""

    operations = ()

    dims: tuple[int, ...] = arg(whole_list(0, single=False), "the new order of the axes, the batch first: [0, 2, 3, 1]")

    view = True
    lays_in_order = True
    passes_gradient = True
    example = "Permute: {dims: [0, 2, 3, 1]}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        wanted = len(shapes[0]) + 1
        if sorted(self.dims) != list(range(wanted)) or self.dims[0] != 0:
            raise Misfit(
                f"dims {list(self.dims)} is no order of the {wanted} axes at {{layer}} that keeps the batch first",
                hint=f"use each number from 0 to {wanted - 1} once, 0 first",
                argument="dims",
            )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return tuple(shapes[0][dim - 1] for dim in self.dims[1:])

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return tuple(Reach(self.dims.index(axis + 1) - 1) for axis in range(len(shapes[0])))

    def call(self, *shapes: Shape) -> Call:
        return Call("torch.permute", (self.dims,))


def _within(index: int, size: int) -> int:
    """Where an index lies among so many values, as Python's slices have it: from the end where it is negative."""
    index = index + size if index < 0 else index
    return 0 if index < 0 else size if index > size else index


class Slice(Op):
    """A part of one axis, as Python slices it; torch.nn has no module for it."""

    operations = ()

    dim: int = arg(whole(-8), "the axis, the batch being 0", default=1)
    start: int = arg(whole(-LARGEST), "first index; negative from the end", default=0, letter="start")
    stop: int | None = arg(
        optional(whole(-LARGEST)), "index after the last; null for the end", default=None, letter="stop"
    )
    step: int = arg(whole(), "distance between indices", default=1, letter="step")

    view = True
    example = "Slice: {dim: 1, stop: 32}"

    def _range(self, shape: Shape) -> tuple[int, int, int]:
        size = shape[axis_index(self.dim, shape, "dim")]
        first, last = _within(self.start, size), size if self.stop is None else _within(self.stop, size)
        if last <= first:
            raise Misfit(
                f"the slice {self.start}:{'' if self.stop is None else self.stop}:{self.step} takes nothing of the "
                f"{size} values along axis {self.dim} at {{layer}}",
                argument="start",
            )
        return first, last, self.step

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        self._range(shapes[0])

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axis = axis_index(self.dim, shapes[0], "dim")
        first, last, step = self._range(shapes[0])
        taken = sliced.step(start=first, stop=last, step=step)
        return tuple(taken if i == axis else size for i, size in enumerate(shapes[0]))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axis = axis_index(self.dim, shapes[0], "dim")
        first, _, step = self._range(shapes[0])
        return tuple(Reach(i, Window(1, step, -first)) if i == axis else Reach(i) for i in range(len(out)))

    def call(self, *shapes: Shape) -> Call:
        axis = axis_index(self.dim, shapes[0], "dim") + 1
        part = slice(self.start or None, self.stop, None if self.step == 1 else self.step)
        return Call("operator.getitem", ((*(slice(None),) * axis, part),))


class Identity(Op):
    """The input itself."""

    operations = ()

    view = True
    passes_gradient = True
    int8 = "same"
    example = "Identity"
