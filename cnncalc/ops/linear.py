"""The fully connected layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..formula import formula, prod
from .actions import Action, Setting, Shape, Store
from .base import TORCH, Op, Parameter, Reach, Size, Window, Work, arg, inferred
from .conv import biases
from .kinds import FLAG, whole


@formula(
    "weights of a linear layer",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=TORCH.format("Linear"),
)
def linear_weights(C: Any, K: Any) -> Any:
    """Every output is connected with every input."""
    return C * K


@formula(
    "multiply-adds of a linear layer",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source="Sze et al. (2017), Efficient Processing of Deep Neural Networks, section III",
)
def linear_macs(M: Any, C: Any, K: Any) -> Any:
    """M is 1 for a vector; for more axes the same weights are applied at each position."""
    return prod(M) * C * K


@formula(
    "connections of a linear layer",
    chapter="connections",
    symbol="connections",
    unit="connections",
    source="LeCun et al. (1998), Gradient-based learning, section II.B",
)
def linear_connections(M: Any, C: Any, β: Any, K: Any) -> Any:
    return prod(M) * (C + β) * K


class Linear(Op):
    """A fully connected layer: every output from every input of the last axis."""

    in_features: int | None = inferred(whole(), "features of the input", letter="C")
    out_features: int = arg(whole(), "features of the output", letter="K")
    bias: bool = arg(FLAG, "whether each output has a bias", default=True)

    weight_layers = 1
    keeps = ("x",)
    bias_first = True
    autocast = "lower"
    int8 = "own"
    int8_takes_in = ("BatchNorm", "ReLU")
    example = "Linear: {out_features: 1000}"
    example_input = (512,)

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        return {"in_features": shapes[0][-1]}

    def int8_scales(self) -> int:
        return self.out_features

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return (*shapes[0][:-1], self.out_features)

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        K, C = self.out_features, shapes[0][-1]
        weight = Parameter("weight", (K, C), "weight", linear_weights.step(C=C, K=K))
        return (weight, Parameter("bias", (K,), "bias", biases.step(K=K))) if self.bias else (weight,)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        letters = {"M": out[:-1], "C": shapes[0][-1], "K": self.out_features}
        return Work(linear_macs.step(**letters), connections=linear_connections.step(**letters, β=int(self.bias)))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return (Action((("y", Store(out)),), ("x", "weight"), ("x",), apart=True),)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        last = len(out) - 1
        return (*(Reach(axis) for axis in range(last)), Reach(None, Window(shapes[0][-1], 1, 0)))
