"""Activations: one function applied to every element."""

from __future__ import annotations

from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import formula, over
from .actions import Action, Setting, Shape, Store
from .base import TORCH, Op, Parameter, Reach, Size, Window, arg
from .kinds import FLAG, NUMBER, whole, word
from .shape import axis_index


@formula(
    "slopes of a PReLU",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source="He et al. (2015), Delving deep into rectifiers, section 2.1",
)
def prelu_weights(C: Any) -> Any:
    return C


@formula("output size of a GLU", chapter="output size", symbol="O", unit="values", source=TORCH.format("GLU"))
def halved(N: Any) -> Any:
    return over(N, 2)


class _InPlace(Op):
    """Activations that may take the place of their input."""

    inplace: bool = arg(FLAG, "whether the output takes the place of the input", default=False)

    keeps: ClassVar[tuple[str, ...]] = ("x",)
    keeps_in_place: ClassVar[tuple[str, ...]] = ("copy",)


class ReLU(_InPlace):
    """max(0, x)."""

    keeps = ("y",)
    keeps_in_place = ("y",)
    operations = ("compare",)
    int8 = "same"
    example = "ReLU"


class ReLU6(_InPlace):
    """min(max(0, x), 6)."""

    operations = ("compare", "compare")
    int8 = "same"
    example = "ReLU6"


class Hardtanh(_InPlace):
    """x, cut off below min_val and above max_val."""

    min_val: float = arg(NUMBER, "lower bound", default=-1.0)
    max_val: float = arg(NUMBER, "upper bound", default=1.0)

    operations = ("compare", "compare")
    int8 = "same"
    example = "Hardtanh"


class LeakyReLU(_InPlace):
    """x above 0, and negative_slope·x below."""

    negative_slope: float = arg(NUMBER, "slope below 0", default=0.01)

    keeps_in_place = ("y",)
    operations = ("compare", "multiply")
    int8 = "own"
    example = "LeakyReLU: {negative_slope: 0.1}"


class PReLU(Op):
    """x above 0, and a learnt slope times x below."""

    num_parameters: int = arg(whole(), "1 slope for all, or one for each channel", default=1, letter="C")
    init: float = arg(NUMBER, "slope at the start", default=0.25)

    keeps = ("x",)
    operations = ("compare", "multiply")
    autocast = "lower"
    int8 = "own"
    example = "PReLU"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if self.num_parameters not in (1, shapes[0][0]):
            raise Misfit(
                f"num_parameters is {self.num_parameters}, but {shapes[0][0]} channels reach {{layer}}",
                hint=f"use 1 or {shapes[0][0]}",
                argument="num_parameters",
            )

    def int8_scales(self) -> int:
        return 1

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", (self.num_parameters,), "weight", prelu_weights.step(C=self.num_parameters)),)

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return (Action((("y", Store(out)),), ("x", "weight"), ("x",), product=True),)


class RReLU(_InPlace):
    """x above 0, and below a slope that is random in training and the mean of the bounds at test time."""

    lower: float = arg(NUMBER, "lower bound of the slope", default=0.125)
    upper: float = arg(NUMBER, "upper bound of the slope", default=1 / 3)

    keeps = ("x", "noise")
    keeps_in_place = ("y", "noise")
    operations = ("compare", "multiply")
    example = "RReLU"

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        return (("noise", Store(out)),)


class ELU(_InPlace):
    """x above 0, and α(exp(x) − 1) below."""

    alpha: float = arg(NUMBER, "α", default=1.0)

    keeps_in_place = ("y",)
    operations = ("compare", "exponential", "subtract", "multiply")
    int8 = "own"
    lays_in_order = True
    example = "ELU"


class SELU(_InPlace):
    """ELU, scaled so that activations keep mean 0 and variance 1."""

    keeps_in_place = ("y",)
    operations = ("compare", "exponential", "subtract", "multiply", "multiply")
    example = "SELU"


class CELU(_InPlace):
    """x above 0, and α(exp(x/α) − 1) below."""

    alpha: float = arg(NUMBER, "α", default=1.0)

    keeps_in_place = ("y",)
    operations = ("compare", "divide", "exponential", "subtract", "multiply")
    example = "CELU"


class GELU(Op):
    """x·Φ(x), with Φ the normal distribution."""

    approximate: str = arg(word("none", "tanh"), "'tanh' for the approximation", default="none")

    keeps = ("x",)
    example = "GELU"

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        if self.approximate == "none":
            return "divide", "error function", "add", "multiply", "multiply"
        return "multiply", "multiply", "multiply", "add", "multiply", "tanh", "add", "multiply", "multiply"


class Sigmoid(Op):
    """1/(1 + exp(−x))."""

    keeps = ("y",)
    operations = ("negate", "exponential", "add", "divide")
    int8 = "own"
    example = "Sigmoid"


class LogSigmoid(Op):
    """log(1/(1 + exp(−x)))."""

    keeps = ("x", "exponential")
    operations = ("negate", "exponential", "add", "logarithm", "negate")
    example = "LogSigmoid"

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        return (("exponential", Store(out)),)


class Tanh(Op):
    """The hyperbolic tangent."""

    keeps = ("y",)
    operations = ("tanh",)
    int8 = "own"
    example = "Tanh"


class Tanhshrink(Op):
    """x − tanh(x)."""

    operations = ("tanh", "subtract")
    example = "Tanhshrink"

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor = Store(out)
        return Action((("tanh", tensor),), keeps=("tanh",)), Action((("y", tensor),), ("x", "tanh"))


class SiLU(_InPlace):
    """x·sigmoid(x), also called swish."""

    operations = (*Sigmoid.operations, "multiply")
    example = "SiLU"


class Mish(_InPlace):
    """x·tanh(softplus(x))."""

    operations = ("exponential", "add", "logarithm", "tanh", "multiply")
    example = "Mish"


class Hardsigmoid(_InPlace):
    """ReLU6(x + 3)/6."""

    operations = ("add", *ReLU6.operations, "divide")
    int8 = "own"
    example = "Hardsigmoid"


class Hardswish(_InPlace):
    """x·ReLU6(x + 3)/6."""

    operations = (*Hardsigmoid.operations, "multiply")
    int8 = "own"
    example = "Hardswish"


class Softplus(Op):
    """log(1 + exp(βx))/β, and x itself above the threshold."""

    beta: float = arg(NUMBER, "β", default=1.0)
    threshold: float = arg(NUMBER, "where it becomes the identity", default=20.0)

    keeps = ("x",)
    operations = ("compare", "multiply", "exponential", "add", "logarithm", "divide")
    autocast_cuda = "float32"
    example = "Softplus"


class Softsign(Op):
    """x/(1 + |x|)."""

    operations = ("absolute value", "add", "divide")
    example = "Softsign"

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor = Store(out)
        return (
            Action((("absolute", tensor),), keeps=("x",)),
            Action((("sum", tensor),), ("absolute",)),
            Action((("y", tensor),), ("x", "sum"), ("x", "sum")),
        )


class Hardshrink(Op):
    """x, but 0 between −λ and λ."""

    lambd: float = arg(NUMBER, "λ", default=0.5)

    keeps = ("x",)
    operations = ("compare", "compare")
    example = "Hardshrink"


class Softshrink(Op):
    """x moved towards 0 by λ."""

    lambd: float = arg(NUMBER, "λ", default=0.5)

    keeps = ("x",)
    operations = ("compare", "compare", "subtract")
    example = "Softshrink"


class Threshold(_InPlace):
    """x above the threshold, and a fixed value elsewhere."""

    threshold: float = arg(NUMBER, "the threshold")
    value: float = arg(NUMBER, "what stands below it")

    operations = ("compare",)
    example = "Threshold: {threshold: 0.1, value: 0}"


class GLU(Op):
    """Half of the channels times the sigmoid of the other half."""

    dim: int = arg(whole(-8), "the axis that is halved, the batch being 0", default=-1)

    keeps = ("x",)
    operations = (*Sigmoid.operations, "multiply")
    example = "GLU: {dim: 1}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        size = shapes[0][axis_index(self.dim, shapes[0], "dim")]
        if size % 2:
            raise Misfit(f"GLU halves axis {self.dim}, but {size} is odd", argument="dim")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axis = axis_index(self.dim, shapes[0], "dim")
        return tuple(halved.step(N=size) if i == axis else size for i, size in enumerate(shapes[0]))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axis = axis_index(self.dim, shapes[0], "dim")
        return tuple(
            Reach(i, Window(size // 2 + 1, 1, 0)) if i == axis and i else Reach(i) for i, size in enumerate(shapes[0])
        )
