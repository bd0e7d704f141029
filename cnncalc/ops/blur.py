"""A pool that is a low-pass filter: it blurs before it takes every second pixel."""

from __future__ import annotations

from typing import Any

from ..errors import Misfit
from .actions import Action, Setting, Shape, Store
from .base import Gradients, Op, Reach, Size, Window, Work, arg
from .conv import conv_macs, conv_output
from .counting import input_gradient_macs
from .kinds import whole


class BlurPool2d(Op):
    """Each channel convolved with a fixed binomial filter, with a stride, the border mirrored (Zhang, 2019)."""

    filt_size: int = arg(whole(2), "size of the filter, whose values are binomial coefficients", default=3, letter="F")
    stride: int = arg(whole(), "step of the filter", default=2, letter="S")

    spatial = 2
    yields = True
    example = "BlurPool2d: {filt_size: 3, stride: 2}"

    @property
    def pad(self) -> int:
        """Padding on each side."""
        return (self.stride - 1 + self.filt_size - 1) // 2

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        for size in shapes[0][1:]:
            if self.pad >= size:
                message = f"a border of {self.pad} cannot be mirrored in an axis of {size} at {{layer}}"
                raise Misfit(message, "use a smaller filter or stride")
            if size + 2 * self.pad < self.filt_size:
                raise Misfit(f"the filter, {self.filt_size} wide, does not fit into an axis of {size} at {{layer}}")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        letters = {"F": self.filt_size, "S": self.stride, "P": self.pad, "D": 1}
        return (shapes[0][0], *(conv_output.step(N=size, **letters) for size in shapes[0][1:]))

    def work(self, out: Shape, *shapes: Shape) -> Work:
        F, C = (self.filt_size, self.filt_size), shapes[0][0]
        return Work(conv_macs.step(F=F, C=C, G=C, K=C, O=out[1:]))

    def gradients(self, wanted: tuple[bool, ...], out: Shape, *shapes: Shape) -> Gradients:
        macs = self.work(out, *shapes).macs
        return Gradients(input_gradient_macs.step(MACs=macs.value)) if macs and any(wanted) else Gradients()

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        padded = Store((shapes[0][0], *(size + 2 * self.pad for size in shapes[0][1:])))
        return (
            Action((("padded", padded),), keeps=("x",)),
            Action((("y", Store(out)),), ("padded",), ("padded",)),
        )

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        window = Window(self.filt_size, self.stride, self.pad)
        return Reach(0), Reach(1, window), Reach(2, window)

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"channels": shapes[0][0], **super().module_arguments(*shapes)}

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn
        from torch.nn import functional as F

        class BlurPool2d(nn.Module):
            """Each channel convolved with a fixed binomial filter, with a stride; the border is mirrored."""

            filt: Tensor

            def __init__(self, channels: int, filt_size: int = 3, stride: int = 2) -> None:
                super().__init__()
                self.channels, self.stride = channels, stride
                self.pad = (stride - 1 + filt_size - 1) // 2
                row = [1.0]
                for _ in range(filt_size - 1):
                    row = [(a + b) / 2 for a, b in zip([0.0, *row], [*row, 0.0], strict=True)]
                line = torch.tensor(row)
                filt = (line[:, None] * line[None, :])[None, None].repeat(channels, 1, 1, 1)
                self.register_buffer("filt", filt, persistent=False)

            def forward(self, x: Tensor) -> Tensor:
                padded = F.pad(x, (self.pad, self.pad, self.pad, self.pad), mode="reflect")
                return F.conv2d(padded, self.filt, stride=self.stride, groups=self.channels)

        return BlurPool2d
