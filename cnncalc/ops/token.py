"""What a network learns apart from what goes in: class tokens, queries, tables of positions."""

from __future__ import annotations

from typing import Any

from ..formula import formula, prod
from .actions import Action, Setting, Shape, Store
from .base import Call, Op, Parameter, Reach, Size, arg
from .kinds import NUMBER, whole_list


@formula(
    "values of a token",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source="Dosovitskiy et al. (2020), An image is worth 16x16 words, section 3.1: class token, position embeddings",
)
def token_weights(Y: Any) -> Any:
    return prod(Y)


class Token(Op):
    """A learnt tensor, the same for each image, whatever comes in: a class token, queries, a table of positions."""

    shape: tuple[int, ...] = arg(whole_list(1, single=False), "its shape, without the batch")
    init_value: float = arg(NUMBER, "its values at the start", default=0.0)

    yields = True
    ignores_input = True
    operations = ()
    autocast = None
    example = "Token: {shape: [1, 768]}"
    example_input = (196, 768)

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        # Vision transformers keep it as a bare parameter with a batch of one, named as the layer itself.
        return (Parameter("", (1, *self.shape), "weight", token_weights.step(Y=self.shape)),)

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return self.shape

    def call(self, *shapes: Shape) -> Call:
        return Call("torch.Tensor.expand", tensors="token")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        # Repeated for each image it takes no memory of its own.
        return (
            Action((("token", Store((0,))),), ("weight",), passes=True),
            Action((), ("token",), same=("y", "token")),
        )

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return ()
