"""Normalisation by the strength of the response: of neighbours, of the channels at a position, of the whole map."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from ..formula import formula
from .actions import Action, Setting, Shape, Store
from .base import Op, Parameter, Reach, arg, every
from .kinds import FLAG, NUMBER, whole
from .norm import norm_weights, whole_map

WOO = "Woo et al. (2023), ConvNeXt V2, section 3, {}"


@formula(
    "scale of a global response normalisation",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=WOO.format("equation 3: γ"),
)
def response_weights(C: Any) -> Any:
    return C


@formula(
    "shift of a global response normalisation",
    chapter="parameters",
    symbol="biases",
    unit="parameters",
    source=WOO.format("equation 3: β"),
)
def response_biases(C: Any) -> Any:
    return C


class LocalResponseNorm(Op):
    """Each value divided by the energy of its neighbours in the channels around it: a/(k + α/n·Σa²)^β."""

    size: int = arg(whole(), "channels that are summed over")
    alpha: float = arg(NUMBER, "α; PyTorch divides it by the size, the AlexNet paper does not", default=1e-4)
    beta: float = arg(NUMBER, "β, the power", default=0.75)
    k: float = arg(NUMBER, "what is added to the sum", default=1.0)

    autocast = None
    example = "LocalResponseNorm: {size: 5, alpha: 0.0005, k: 2}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) < 2:
            raise Misfit("LocalResponseNorm wants a map; {layer} receives a vector", hint="put it before Flatten")

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        return "multiply", *("add",) * (self.size - 1), "multiply", "add", "power", "divide"

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor = Store(out)
        return (
            Action((("squares", tensor),), keeps=("x",)),
            Action((("padded", Store((out[0] + self.size - 1, *out[1:]))),), ("squares",)),
            Action((("mean", tensor),), ("padded",), ("padded",)),
            Action((("scaled", tensor),), ("mean",)),
            Action((("sum", tensor),), ("scaled",), holds=("mean",)),
            Action((("power", tensor),), ("sum",), ("sum",), ("mean",)),
            Action((("y", tensor),), ("x", "power"), ("x", "power")),
        )


class L2Norm(Op):
    """The channels at each position divided by their length, times a learnt factor for each channel: SSD's conv4_3."""

    init_value: float = arg(NUMBER, "factor at the start", default=20.0)
    eps: float = arg(NUMBER, "what is added to the length", default=1e-10)

    operations = ("multiply", "add", "divide", "multiply")
    example = "L2Norm"

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        return (Parameter("weight", shapes[0][:1], "weight", norm_weights.step(C=shapes[0][0])),)

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"channels": shapes[0][0], **super().module_arguments(*shapes)}

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor, length = Store(out), Store((1, *out[1:]))
        return (
            Action((("root", length),), keeps=("x", "root")),
            Action((("length", length),), ("root",)),
            Action((("normalised", tensor),), ("x", "length"), ("x", "length")),
            Action((("y", tensor),), ("normalised", "weight"), ("normalised", "weight"), ("length",), product=True),
        )

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return (Reach(0, every(out[0])), *(Reach(axis) for axis in range(1, len(out))))

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn

        class L2Norm(nn.Module):
            """The channels at each position divided by their length, times a learnt factor for each channel."""

            def __init__(self, channels: int, init_value: float = 20.0, eps: float = 1e-10) -> None:
                super().__init__()
                self.eps = eps
                self.weight = nn.Parameter(torch.full((channels,), init_value))

            def forward(self, x: Tensor) -> Tensor:
                length = torch.linalg.vector_norm(x, dim=1, keepdim=True) + self.eps
                out: Tensor = x / length * self.weight.view(-1, *(1,) * (x.dim() - 2))
                return out

        return L2Norm


class GlobalResponseNorm(Op):
    """Each channel times its length over the mean length of all channels, scaled, shifted and added: ConvNeXt V2's."""

    eps: float = arg(NUMBER, "what is added to the mean length", default=1e-6)
    channels_last: bool = arg(FLAG, "whether the channels are the last axis, as behind a Permute", default=False)

    #: The squares, their sum, the product with the ratio of lengths, scale, shift and the addition to the input.
    operations = ("multiply", "add", "multiply", "multiply", "add", "add")
    example = "GlobalResponseNorm"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) < 2:
            raise Misfit("GlobalResponseNorm wants a map; {layer} receives a vector", hint="put it before Flatten")

    def channels(self, shape: Shape) -> int:
        return shape[-1] if self.channels_last else shape[0]

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        C = self.channels(shapes[0])
        return (
            Parameter("weight", (C,), "weight", response_weights.step(C=C)),
            Parameter("bias", (C,), "bias", response_biases.step(C=C)),
        )

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"channels": self.channels(shapes[0]), **super().module_arguments(*shapes)}

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor, length, one = Store(out), Store((self.channels(out),)), Store(())
        held = ("length", "scaled")
        return (
            Action((("length", length),), keeps=("x", "length")),
            Action((("mean", one),), ("length",)),
            Action((("sum", one),), ("mean",), holds=("length",)),
            Action((("ratio", length),), ("length", "sum"), ("length", "sum")),
            Action((("scaled", tensor),), ("x", "ratio"), ("x", "ratio"), holds=("length",)),
            Action((("weighed", tensor),), ("scaled", "weight"), ("scaled",), holds=held, product=True),
            Action((("summed", tensor),), ("x", "weighed"), holds=held, passes=True),
            Action((("y", tensor),), ("summed", "weight"), holds=held, passes=True),
        )

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return whole_map(out) if not self.channels_last else tuple(Reach(i, every(size)) for i, size in enumerate(out))

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn

        class GlobalResponseNorm(nn.Module):
            """Each channel times its length over the mean length of all channels, scaled, shifted and added."""

            def __init__(self, channels: int, eps: float = 1e-6, channels_last: bool = False) -> None:
                super().__init__()
                self.eps, self.channels_last = eps, channels_last
                self.weight = nn.Parameter(torch.zeros(channels))
                self.bias = nn.Parameter(torch.zeros(channels))

            def forward(self, x: Tensor) -> Tensor:
                channel = x.dim() - 1 if self.channels_last else 1
                shape = [-1 if axis == channel else 1 for axis in range(x.dim())]
                length = torch.linalg.vector_norm(x, dim=[i for i in range(1, x.dim()) if i != channel], keepdim=True)
                scaled = x * (length / (length.mean(dim=channel, keepdim=True) + self.eps))
                out: Tensor = x + self.weight.view(shape) * scaled + self.bias.view(shape)
                return out

        return GlobalResponseNorm
