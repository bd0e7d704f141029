"""Convolutions whose weights are standardised before each use: Weight Standardization, and NFNet's scaled form."""

from __future__ import annotations

from typing import Any

from ..formula import formula
from .actions import Action, Shape, Store


@formula(
    "gains of a standardised convolution",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source="Brock, De & Smith (2021), Characterizing signal propagation, section 4.1: Scaled Weight Standardization",
)
def gains(K: Any) -> Any:
    return K


def standardising(weights: Shape, scaled: bool, bias: bool, out: Shape) -> tuple[Action, ...]:
    """What such a convolution does to memory: standard weights, once for the batch, then the convolution."""
    vector, kept = Store((weights[0],), "statistic", each=False), ("mean", "deviation")
    factor = (Action((("factor", Store((weights[0],), each=False)),), ("weight",)),) if scaled else ()
    read, own = ("weight", "factor") if scaled else ("weight",), ("factor",) if scaled else ()
    standard = ("standard", Store(weights, each=False))
    taken = ("x", "standard", "weight") if bias else ("x", "standard")
    return (
        *factor,
        Action((standard, ("mean", vector), ("deviation", vector)), read, (*kept, *own)),
        Action((("y", Store(out)),), taken, ("x", "standard"), holds=own),
    )


def std_torch_module() -> Any:
    """Makes the module for `standardise: true`."""

    from torch import Tensor, nn
    from torch.nn import functional as F

    class StdConv2d(nn.Conv2d):
        """A convolution whose filters have mean 0 and variance 1 whenever they are used."""

        def __init__(self, *arguments: Any, eps: float = 1e-6, **others: Any) -> None:
            super().__init__(*arguments, **others)
            self.eps = eps

        def forward(self, x: Tensor) -> Tensor:
            rows = self.weight.reshape(1, self.out_channels, -1)
            weight = F.batch_norm(rows, None, None, training=True, momentum=0.0, eps=self.eps)
            out: Tensor = self._conv_forward(x, weight.reshape_as(self.weight), self.bias)
            return out

    return StdConv2d


def scaled_torch_module() -> Any:
    """Makes the module for `standardise: scaled`."""

    import torch
    from torch import Tensor, nn
    from torch.nn import functional as F

    class ScaledStdConv2d(nn.Conv2d):
        """A convolution whose filters have mean 0, and a learnt gain over the number of their values as variance."""

        def __init__(
            self, *arguments: Any, gamma: float = 1.0, eps: float = 1e-6, gain: float = 1.0, **others: Any
        ) -> None:
            super().__init__(*arguments, **others)
            self.gain = nn.Parameter(torch.full((self.out_channels, 1, 1, 1), gain))
            self.scale = gamma * self.weight[0].numel() ** -0.5
            self.eps = eps

        def forward(self, x: Tensor) -> Tensor:
            rows, factor = self.weight.reshape(1, self.out_channels, -1), (self.gain * self.scale).view(-1)
            weight = F.batch_norm(rows, None, None, weight=factor, training=True, momentum=0.0, eps=self.eps)
            out: Tensor = self._conv_forward(x, weight.reshape_as(self.weight), self.bias)
            return out

    return ScaledStdConv2d
