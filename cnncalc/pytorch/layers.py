"""Layers of the language that torch.nn has no module for: each one class, as a person would write it by hand.

Their arguments and parameters are those of the layer type of the same name. `cnncalc export` copies a class from here
into the file that it writes, so each must stand alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class StochasticDepth(nn.Module):
    """Drops the whole input in training, for the batch or for each image; scaled, so that the expectation stays."""

    def __init__(self, p: float, mode: str = "row") -> None:
        super().__init__()
        self.p, self.mode = p, mode

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        kept = 1 - self.p
        size = (x.shape[0] if self.mode == "row" else 1,) + (1,) * (x.dim() - 1)
        noise = x.new_empty(size).bernoulli_(kept)
        if kept > 0:
            noise.div_(kept)
        return x * noise

    def extra_repr(self) -> str:
        return f"p={self.p}, mode={self.mode!r}"


class PartialConv2d(nn.Module):
    """A convolution in which each output plane sees only some input planes: LeNet-5's C3.

    The weight holds one kernel for each connected pair of planes. All pairs are convolved apart, and each output plane
    is the sum of its own.
    """

    sources: Tensor
    targets: Tensor

    def __init__(self, connections, kernel_size, stride=1, padding=0, bias=True):  # type: ignore[no-untyped-def]
        super().__init__()
        self.planes, self.stride, self.padding = len(connections), stride, padding
        sources = [plane for planes in connections for plane in planes]
        targets = [out for out, planes in enumerate(connections) for _ in planes]
        self.register_buffer("sources", torch.tensor(sources), persistent=False)
        self.register_buffer("targets", torch.tensor(targets), persistent=False)
        height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        fan_in = len(sources) / len(connections) * height * width
        self.weight = nn.Parameter(torch.empty(len(sources), height, width).uniform_(-(fan_in**-0.5), fan_in**-0.5))
        self.bias = nn.Parameter(torch.zeros(len(connections))) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        pairs = x.index_select(1, self.sources)
        weight = self.weight.unsqueeze(1)
        seen = F.conv2d(pairs, weight, None, self.stride, self.padding, groups=len(weight))
        out = seen.new_zeros(seen.shape[0], self.planes, *seen.shape[2:]).index_add_(1, self.targets, seen)
        return out if self.bias is None else out + self.bias[:, None, None]


class Subsampling(nn.Module):
    """The sum of each window times a trainable coefficient, plus a trainable bias, for each channel: LeNet-5's S2."""

    def __init__(self, channels, kernel_size=2):  # type: ignore[no-untyped-def]
        super().__init__()
        height, width = kernel_size if isinstance(kernel_size, tuple) else (kernel_size, kernel_size)
        self.kernel_size, self.window = kernel_size, height * width
        self.weight = nn.Parameter(torch.full((channels,), 1 / self.window))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        means = F.avg_pool2d(x, self.kernel_size)
        coefficients = self.weight * self.window  # of the sum of a window, which is its mean times its size
        out: Tensor = means * coefficients[:, None, None] + self.bias[:, None, None]
        return out


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


class RBF(nn.Module):
    """The squared distance of the input to each of a set of fixed codes: LeNet-5's output."""

    codes: Tensor

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        codes = torch.randint(0, 2, (out_features, in_features)) * 2.0 - 1.0
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:
        return (x.unsqueeze(1) - self.codes).square().sum(2)
