"""Transposed convolutions in one, two and three dimensions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..errors import Misfit
from ..formula import formula, over, prod
from . import workspace
from .actions import Setting, Shape
from .base import Reach, Size, Window, Work, arg, every
from .conv import DUMOULIN, Convolution
from .kinds import sizes, word
from .workspace import Workspace


@formula(
    "output size of a transposed convolution",
    chapter="output size",
    symbol="O",
    unit="px",
    source=DUMOULIN.format(14) + "; torch.nn.ConvTranspose2d",
)
def transposed_output(N: Any, F: Any, S: Any, P: Any, D: Any, A: Any) -> Any:
    return (N - 1) * S - 2 * P + D * (F - 1) + A + 1


@formula(
    "multiply-adds of a transposed convolution",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source="the adjoint of a convolution does the same products: Dumoulin & Visin (2016), section 4.1",
)
def transposed_macs(F: Any, C: Any, G: Any, K: Any, N: Any) -> Any:
    """Every weight is used once for each position of the input."""
    return prod(F) * C * over(K, G) * prod(N)


class _ConvTranspose(Convolution):
    """What the three transposed convolutions share."""

    int8_takes_in = ("BatchNorm",)

    padding: tuple[int, ...] = arg(sizes(0), "what is cut off each side of the output", default=0, letter="P")
    output_padding: tuple[int, ...] = arg(sizes(0), "what is added at the end of the output", default=0, letter="A")
    padding_mode: str = arg(word("zeros"), "PyTorch knows only zeros here", default="zeros")

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        axes = zip(self.output_padding, self.stride, self.dilation, strict=True)
        for extra, stride, dilation in axes:
            if extra >= max(stride, dilation):
                raise Misfit(
                    f"output_padding {extra} is not smaller than the stride {stride} or the dilation {dilation}",
                    hint=f"use output_padding ≤ {max(stride, dilation) - 1}",
                    argument="output_padding",
                )
        for size in self.output(*shapes)[1:]:
            if not isinstance(size, int) and size.value < 1:
                raise Misfit(
                    f"padding cuts everything off: the output of {{layer}} would be {size.line} wide",
                    hint="use less padding",
                    argument="padding",
                )

    def int8_scales(self) -> int:
        return 1

    def weight_shape(self, channels: int) -> Shape:
        return (channels, self.out_channels // self.groups, *self.kernel_size)

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = zip(
            shapes[0][1:], self.kernel_size, self.stride, self.padding, self.dilation, self.output_padding, strict=True
        )
        return (
            self.out_channels,
            *(transposed_output.step(N=N, F=F, S=S, P=P, D=D, A=A) for N, F, S, P, D, A in axes),
        )

    def work(self, out: Shape, *shapes: Shape) -> Work:
        channels, *size = shapes[0]
        letters = {"F": self.kernel_size, "C": channels, "G": self.groups, "K": self.out_channels, "N": tuple(size)}
        return Work(transposed_macs.step(**letters))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        # Output o takes from input i where o = i·S − P + k·D with 0 ≤ k < F, so i lies in
        # [(o + P − D(F − 1))/S, (o + P)/S]: a window of fractional stride, exact only where the stride is 1.
        axes = [Reach(0, every(shapes[0][0]))]
        for F, S, P, D in zip(self.kernel_size, self.stride, self.padding, self.dilation, strict=True):
            span = D * (F - 1)
            window = Window(Fraction(span, S) + 1, Fraction(1, S), Fraction(span - P, S), exact=S == 1)
            axes.append(Reach(len(axes), window))
        return tuple(axes)

    def workspace(self, setting: Setting, out: Shape, *shapes: Shape) -> Workspace:
        return workspace.transposed(self, setting, out, shapes[0])


class ConvTranspose1d(_ConvTranspose):
    """A transposed convolution over a sequence."""

    spatial = 1
    example = "ConvTranspose1d: {out_channels: 64, kernel_size: 4, stride: 2, padding: 1}"


class ConvTranspose2d(_ConvTranspose):
    """A transposed convolution over an image: the up-convolution of U-Net, FCN and DCGAN."""

    spatial = 2
    example = "ConvTranspose2d: {out_channels: 64, kernel_size: 2, stride: 2}"


class ConvTranspose3d(_ConvTranspose):
    """A transposed convolution over a volume."""

    spatial = 3
    example = "ConvTranspose3d: {out_channels: 64, kernel_size: 2, stride: 2}"
