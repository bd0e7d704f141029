"""Other shapes of the same values, and parts of them."""

from __future__ import annotations

from ...ops import Shape
from ..program import Call
from ..refusals import Unread
from ..values import Parts, Tensor, Value
from .table import reads, stated


@reads("view", "reshape", "flatten", "unflatten", "unsqueeze", "squeeze", "_unsafe_view", "reshape_as", "view_as")
def reshape(call: Call) -> Value:
    x = call.tensor()
    before, after = call.shape_of(x), call.shape
    return reshaped(call, x, before, after)


def reshaped(call: Call, x: int, before: Shape, after: Shape) -> Value:
    """The layer that gives a tensor another shape: axes joined, one split, or any."""
    if before == after:
        return Tensor(x)
    start, same = 0, min(len(before), len(after))
    while start < same and before[start] == after[start]:
        start += 1
    end = 0
    while end < same - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    if len(new) == 1 and len(old) > 1:
        last = start + len(old)
        arguments = stated(start_dim=(start + 1, 1), end_dim=(-1 if last == len(before) else last, -1))
        return call.layer("Flatten", arguments, x)
    if not new and old:  # axes of size 1 that vanish: they are joined to a neighbour
        first = max(start - 1, 0) if start else 0
        last = start + len(old) - (1 if start else 0)
        last = last if start else len(old)
        arguments = stated(start_dim=(first + 1, 1), end_dim=(-1 if last + 1 == len(before) else last + 1, -1))
        return call.layer("Flatten", arguments, x)
    if len(old) == 1 and len(new) > 1:
        return call.layer("Unflatten", {"dim": start + 1, "unflattened_size": list(new)}, x)
    if not old and new and before:
        at = start - 1 if start else 0
        sizes = [before[at], *new] if start else [*new, before[at]]
        return call.layer("Unflatten", {"dim": at + 1, "unflattened_size": sizes}, x)
    return call.layer("Reshape", {"shape": list(after)}, x)


@reads("permute", "transpose", "t", "swapaxes", "movedim", "mT")
def permute(call: Call) -> Value:
    x = call.tensor()
    rank = len(call.shape_of(x)) + 1
    if call.op == "permute":
        dims = [dim % rank for dim in call.get("dims")]
    else:
        dims = list(range(rank))
        first, second = (call.get(name) for name in ("dim0", "dim1"))
        if first is None or second is None:
            raise Unread("its axes are not said")
        first, second = first % rank, second % rank
        dims[first], dims[second] = dims[second], dims[first]
    if dims[0] != 0:
        raise Unread("the batch does not stay in front")
    if dims == list(range(rank)):
        return Tensor(x)
    return call.layer("Permute", {"dims": dims}, x)


@reads("contiguous", "clone", "detach", "alias", "lift_fresh", "to", "_to_copy", "expand_as", "expand", "type_as")
def alias(call: Call) -> Value:
    value = call.value("self")
    if not isinstance(value, Tensor):
        raise Unread("it takes no layer's output")
    if call.op.startswith("expand") and call.shape != call.shape_of(value.node):
        return value  # what is repeated along an axis of 1 is so again where it meets another
    return value


@reads("slice")
def slice_(call: Call) -> Value:
    x = call.tensor()
    shape = call.shape_of(x)
    dim = call.axis(call.get("dim", 0), len(shape) + 1)
    size = shape[dim - 1]
    start, stop, step = call.get("start", 0), call.get("end"), call.get("step", 1)
    if step < 1:
        raise Unread("it turns the order round")
    start = max(start + size, 0) if start < 0 else min(start, size)
    stop = size if stop is None or stop > size else stop + size if stop < 0 else stop
    if (start, stop, step) == (0, size, 1):
        return Tensor(x)
    arguments = stated(dim=(dim, 1), start=(start, 0), stop=(None if stop == size else stop, None), step=(step, 1))
    return call.layer("Slice", arguments, x)


@reads("narrow")
def narrow(call: Call) -> Value:
    x = call.tensor()
    dim = call.axis(call.get("dim"), len(call.shape_of(x)) + 1)
    return cut(call, x, dim, call.get("start"), call.get("start") + call.get("length"))


@reads("select")
def select(call: Call) -> Value:
    x = call.tensor()
    shape = call.shape_of(x)
    dim = call.axis(call.get("dim"), len(shape) + 1)
    index = call.get("index") % shape[dim - 1]
    part = cut(call, x, dim, index, index + 1)
    return reshaped(call, part.node, call.shape_of(part.node), call.shape)


def cut(call: Call, x: int, dim: int, start: int, stop: int) -> Tensor:
    """A part of an axis, the batch being axis 0."""
    shape = call.shape_of(x)
    size = shape[dim - 1]
    if (start, stop) == (0, size):
        return Tensor(x)
    arguments = stated(dim=(dim, 1), start=(start, 0), stop=(None if stop == size else stop, None))
    made = (*shape[: dim - 1], stop - start, *shape[dim:])
    return call.layer("Slice", arguments, x, shape=made)


@reads("split", "split_with_sizes", "chunk", "unbind", "tensor_split")
def split(call: Call) -> Value:
    x = call.tensor()
    shape = call.shape_of(x)
    dim = call.axis(call.get("dim", 0), len(shape) + 1)
    if call.op == "unbind":
        return Parts(x, dim, tuple(range(shape[dim - 1] + 1)), squeezed=True)
    ends, sizes = [0], [part[dim] for part in call.whole_shape]
    for size in sizes:
        ends.append(ends[-1] + size)
    return Parts(x, dim, tuple(ends))


@reads("getitem")
def getitem(call: Call) -> Value:
    index = call.given.get("1")
    name = str(call.given["0"]["tensor"])
    source = call.reading.values.get(name)
    if isinstance(source, list) and isinstance(index, int):
        return source[index]
    if not isinstance(source, Parts) or not isinstance(index, int):
        raise Unread("it is not known what is taken")
    part = cut(call, source.node, source.dim, source.ends[index], source.ends[index + 1])
    return reshaped(call, part.node, call.shape_of(part.node), call.shape) if source.squeezed else part
