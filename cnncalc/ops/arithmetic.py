"""Plain numbers and learnt ones: what each value is multiplied by, and what is added to it."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from ..formula import formula, prod
from .actions import Action, Setting, Shape, Store
from .base import Call, Op, Parameter, arg
from .kinds import NUMBER, SHAPE, optional, whole
from .shape import axis_index

TOUVRON = "Touvron et al. (2021), {}"


@formula(
    "parameters of a layer scale",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=TOUVRON.format("Going deeper with image transformers, section 2"),
)
def layer_scale_weights(C: Any) -> Any:
    return C


@formula(
    "factors that are learnt",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=TOUVRON.format("Going deeper with image transformers, section 2.1: LayerScale"),
)
def learnt_factors(C: Any) -> Any:
    return prod(C)


@formula(
    "summands that are learnt",
    chapter="parameters",
    symbol="biases",
    unit="parameters",
    source=TOUVRON.format("ResMLP, section 2: Aff"),
)
def learnt_summands(C: Any) -> Any:
    return prod(C)


class Scale(Op):
    """Each value times a number, as the branches of Inception-ResNet."""

    factor: float = arg(NUMBER, "what each value is multiplied by")

    yields = True
    keeps = ()
    operations = ("multiply",)
    example = "Scale: {factor: 0.2}"

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.mul", (self.factor,))


class Shift(Op):
    """Each value plus a number."""

    value: float = arg(NUMBER, "what is added to each value")

    yields = True
    keeps = ()
    passes_gradient = True
    operations = ("add",)
    example = "Shift: {value: 1}"

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.add", (self.value,))


def learnt_shape(stated: Shape | None, shape: Shape) -> Shape:
    """The shape of learnt numbers for values of a shape: as it is stated, or one for each channel."""
    return (shape[0], *(1 for _ in shape[1:])) if stated is None else stated


def check_learnt_shape(op: Op, stated: Shape | None, shape: Shape) -> None:
    """Raise `Misfit` where learnt numbers of a shape do not fit values of another, the batch in front of these."""
    if stated is None:
        return
    with_batch = (1, *shape)
    behind = with_batch[len(with_batch) - len(stated) :]
    if len(stated) > len(with_batch) or any(a not in (1, b) for a, b in zip(stated, behind, strict=True)):
        raise Misfit(
            f"{op.type()} of shape {list(stated)} does not fit {list(shape)} at {{layer}}",
            f"from the last axis backwards, each size is 1 or that of the input: {list(with_batch[1:])}",
            "shape",
        )


SHAPE_OF_LEARNT = (
    "shape of what is learnt, as it meets the last axes; one number for each channel if not given, [] for one"
)


class LayerScale(Op):
    """Each channel times a learnt factor, or all values by one; torch.nn has no module for it."""

    init_value: float = arg(NUMBER, "factor at the start", default=1e-6)
    shape: tuple[int, ...] | None = arg(optional(SHAPE), SHAPE_OF_LEARNT, default=None)
    dim: int = arg(whole(-8), "the axis that a shape of one size lies along, the batch being 0", default=-1)

    operations = ("multiply",)
    autocast = None
    example = "LayerScale: {init_value: 0.000001}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if self.dim != -1 and len(self.shape or ()) != 1:
            raise Misfit("dim goes with a shape of one size at {layer}", "shape: [64], dim: 1", "dim")
        check_learnt_shape(self, self.meeting(shapes[0]), shapes[0])

    def meeting(self, shape: Shape) -> Shape | None:
        """The shape in which what is learnt meets the values, where one is stated."""
        if self.shape is None or self.dim == -1:
            return self.shape
        return (*self.shape, *(1 for _ in shape[axis_index(self.dim, shape, "dim") + 1 :]))

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        # torchvision keeps it as a bare parameter of the block, named as the layer itself.
        shape = learnt_shape(self.shape, shapes[0])
        stated = self.shape is not None
        step = learnt_factors.step(C=shape) if stated else layer_scale_weights.step(C=shapes[0][0])
        return (Parameter("", shape, "weight", step),)

    def call(self, *shapes: Shape) -> Call:
        meeting = self.meeting(shapes[0])
        return Call("operator.mul", () if meeting == self.shape else ((-1, *(meeting or ())[1:]),), tensors="own")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return (Action((("y", Store(out)),), ("x", "weight"), ("x", "weight"), product=True),)


class Affine(Op):
    """Each channel times a learnt factor, plus a learnt summand: what stands for a normalisation in ResMLP."""

    shape: tuple[int, ...] | None = arg(optional(SHAPE), SHAPE_OF_LEARNT, default=None)

    yields = True
    operations = ("multiply", "add")
    example = "Affine"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        check_learnt_shape(self, self.shape, shapes[0])

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        shape = learnt_shape(self.shape, shapes[0])
        return (
            Parameter("alpha", shape, "weight", learnt_factors.step(C=shape)),
            Parameter("beta", shape, "bias", learnt_summands.step(C=shape)),
        )

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"shape": list(learnt_shape(self.shape, shapes[0]))}

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        return (
            Action((("scaled", Store(out)),), ("x", "weight"), ("x", "weight"), product=True),
            Action((("y", Store(out)),), ("scaled", "weight"), passes=True),
        )

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn

        class Affine(nn.Module):
            """Each value times a learnt factor, plus a learnt summand."""

            def __init__(self, shape: list[int]) -> None:
                super().__init__()
                self.alpha = nn.Parameter(torch.ones(shape))
                self.beta = nn.Parameter(torch.zeros(shape))

            def forward(self, x: Tensor) -> Tensor:
                out: Tensor = x * self.alpha + self.beta
                return out

        return Affine
