"""Normalisations of images that torch.nn has no module for: with frozen statistics, and of each position's channels."""

from __future__ import annotations

from typing import Any

from ..formula import formula
from .actions import Action, Setting, Shape, Store
from .base import Op, Parameter, Reach, arg, every
from .kinds import NUMBER
from .norm import SCALE_AND_SHIFT, STATISTICS, norm_biases, norm_weights


@formula(
    "vectors of a frozen normalisation",
    chapter="parameters",
    symbol="buffers",
    unit="buffers",
    source="torchvision documentation, torchvision.ops.FrozenBatchNorm2d: scale, shift, mean and variance are fixed",
)
def frozen_buffers(C: Any) -> Any:
    return 4 * C


class FrozenBatchNorm2d(Op):
    """Batch normalisation whose scale, shift and statistics are fixed: in detectors, whose batches are small."""

    eps: float = arg(NUMBER, "what is added to the variance", default=1e-5)

    spatial = 2
    yields = True
    operations = SCALE_AND_SHIFT
    example = "FrozenBatchNorm2d"

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        all_four = frozen_buffers.step(C=shapes[0][0])
        names = ("weight", "bias", "running_mean", "running_var")
        return tuple(Parameter(name, shapes[0][:1], "buffer", all_four) for name in names)

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"num_features": shapes[0][0], **super().module_arguments(*shapes)}

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        vector = Store(out[:1], each=False)
        return (
            Action((("variance", vector),), ()),
            Action((("root", vector),), ("variance",)),
            Action((("scale", vector),), ("root",)),
            Action((("moved", vector),), ("scale",)),
            Action((("shift", vector),), ("moved",), holds=("scale",)),
            Action((("scaled", Store(out)),), ("x", "scale"), ("x", "scale"), holds=("shift",), product=True),
            Action((("y", Store(out)),), ("scaled", "shift"), holds=("scale",), passes=True),
        )

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn

        class FrozenBatchNorm2d(nn.Module):
            """Batch normalisation whose scale, shift and statistics are fixed."""

            weight: Tensor
            bias: Tensor
            running_mean: Tensor
            running_var: Tensor

            def __init__(self, num_features: int, eps: float = 1e-5) -> None:
                super().__init__()
                self.eps = eps
                self.register_buffer("weight", torch.ones(num_features))
                self.register_buffer("bias", torch.zeros(num_features))
                self.register_buffer("running_mean", torch.zeros(num_features))
                self.register_buffer("running_var", torch.ones(num_features))

            def forward(self, x: Tensor) -> Tensor:
                scale = self.weight * (self.running_var + self.eps).rsqrt()
                shift = self.bias - self.running_mean * scale
                out: Tensor = x * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)
                return out

        return FrozenBatchNorm2d


class LayerNorm2d(Op):
    """The channels at each position of an image normalised by their own statistics, with learnt scale and shift."""

    eps: float = arg(NUMBER, "what is added to the variance", default=1e-6)

    spatial = 2
    yields = True
    keeps = ("x", "mean", "deviation")
    operations = STATISTICS + SCALE_AND_SHIFT
    example = "LayerNorm2d"

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        channels, C = shapes[0][:1], shapes[0][0]
        return (
            Parameter("weight", channels, "weight", norm_weights.step(C=C)),
            Parameter("bias", channels, "bias", norm_biases.step(C=C)),
        )

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"num_channels": shapes[0][0], **super().module_arguments(*shapes)}

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        store = Store(out[1:], "statistic")
        return ("mean", store), ("deviation", store)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return (Reach(0, every(out[0])), *(Reach(axis) for axis in range(1, len(out))))

    @staticmethod
    def torch_module() -> Any:
        from torch import Tensor, nn
        from torch.nn import functional as F

        class LayerNorm2d(nn.LayerNorm):
            """The channels at each position of an image normalised by their own statistics."""

            def __init__(self, num_channels: int, eps: float = 1e-6) -> None:
                super().__init__(num_channels, eps=eps)

            def forward(self, x: Tensor) -> Tensor:
                x = F.layer_norm(x.permute(0, 2, 3, 1), self.normalized_shape, self.weight, self.bias, self.eps)
                return x.permute(0, 3, 1, 2)

        return LayerNorm2d
