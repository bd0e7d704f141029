"""What a layer does to memory, as PyTorch does it: the tensors that it makes, reads and keeps for the backward pass.

Most layers are one action: they read their input, make their output, and autograd keeps one of the two or neither.
A few are several operations of PyTorch in a row, with tensors in between.
"""

from __future__ import annotations

from ..record import Record

Shape = tuple[int, ...]

#: Bytes of a value, by the dtypes that a network may have.
BYTES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}


class Setting(Record):
    """How a network is run; `inplace` lets every activation work in place that can.

    With `channels_last` images lie as N×H×W×C. The parameters of `frozen` nodes are not trained.
    `amp` is the narrow type of autocast, where that is on. `int8` is a network that was quantized after training.
    """

    batch: int = 1
    dtype: str = "float32"
    inplace: bool = False
    training: bool = False
    device: str = "cpu"
    channels_last: bool = False
    frozen: frozenset[int] = frozenset()
    amp: str = ""
    int8: bool = False


class Store(Record):
    """A tensor: the shape of one image's share, or where `each` is False of the only one for the batch.

    `kind` is "" for the dtype of the activations, "int64" for indices, "mask" for a dropout's mask, "statistic" for
    means and variances, and "parameter" for copies of parameters.
    """

    shape: Shape
    kind: str = ""
    each: bool = True

    def width(self, setting: Setting) -> int:
        """The bytes of one value."""
        if self.kind == "int64":
            return 8
        if setting.device != "cpu" and self.kind == "mask":
            return 1
        if self.kind == "statistic" and (setting.device != "cpu" or setting.amp):
            return max(BYTES[setting.dtype], 4)
        if self.kind == "parameter" and setting.amp:
            return 4
        return BYTES[setting.dtype]

    def bytes(self, setting: Setting) -> int:
        """The memory that it takes."""
        values = setting.batch if self.each else 1
        for size in self.shape:
            values *= size
        return values * self.width(setting)


class Action(Record):
    """One operation: `makes` names new tensors, `reads` those that go in, `keeps` what autograd holds on to.

    "x" (or "x0", "x1" …) are the inputs of the layer and "y" its output; "weight" stands for its parameters, which
    always want a gradient and are never counted. `holds` are tensors that only a variable of PyTorch's code still
    refers to. Where `product`, a factor is kept only if another one wants a gradient.
    Where it `passes`, the gradient of the result is that of what goes in, no new tensor: a sum.
    A product of matrices works out the gradients of its factors `apart`: what one needs is kept only if that is wanted.
    `same` names a tensor that shares the storage of another: ("y", "x") for a view.
    """

    makes: tuple[tuple[str, Store], ...] = ()
    reads: tuple[str, ...] = ("x",)
    keeps: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    product: bool = False
    same: tuple[str, str] | None = None
    passes: bool = False
    apart: bool = False


def inputs(count: int) -> tuple[str, ...]:
    """The names of a layer's inputs."""
    return ("x",) if count == 1 else tuple(f"x{i}" for i in range(count))


def view() -> tuple[Action, ...]:
    """The input, seen differently."""
    return (Action(same=("y", "x")),)
