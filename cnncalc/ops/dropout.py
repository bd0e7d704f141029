"""Layers that act in training only: at test time they pass the input on."""

from __future__ import annotations

from typing import Any, ClassVar

from ..errors import Misfit
from ..quantities import readable
from .actions import Action, Setting, Shape, Store, view
from .base import Op, arg
from .kinds import FLAG, SHARE, word


class _Dropout(Op):
    """What all dropouts share: the identity at test time."""

    operations = ()

    p: float = arg(SHARE, "share of the values that is dropped in training", default=0.5)
    inplace: bool = arg(FLAG, "whether the output takes the place of the input", default=False)

    def mask(self, shape: Shape) -> Store:
        """What is drawn: a value for each element."""
        return Store(shape, "mask")

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        if not setting.training or self.p == 0:
            return view()
        mask = Store((), each=False) if self.p == 1 else self.mask(out)
        drawn = Action((("mask", mask),), ())
        if self.works_in_place(setting):
            return drawn, Action((), ("x", "mask"), ("mask",), same=("y", "x"))
        return drawn, Action((("y", Store(out)),), ("x", "mask"), ("mask",))


class _ChannelDropout(_Dropout):
    """Dropouts of whole channels."""

    axes: ClassVar[int] = 0  # with any other number, PyTorch takes the batch for the channels of one image

    def mask(self, shape: Shape) -> Store:
        return Store(shape[:1] if self.axes in (0, len(shape)) else ())


class _AlphaDropout(_Dropout):
    """Dropouts that keep mean and variance: they draw a factor and a summand, and never work in place."""

    def in_place(self) -> bool:
        return False

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        if not setting.training or self.p == 0:
            return view()
        if self.p == 1:
            return super().actions(setting._replace(inplace=False), out, *shapes)
        mask = self.mask(out)._replace(kind="")
        return (
            Action((("factor", mask),), ()),
            Action((("summand", mask),), ("factor",)),
            Action((("y", Store(out)),), ("x", "factor", "summand"), ("factor",)),
        )


class Dropout(_Dropout):
    """Drops single values, and scales the rest by 1/(1 − p)."""

    int8 = "same"
    example = "Dropout: {p: 0.5}"


class Dropout1d(_ChannelDropout):
    """Drops whole channels of a sequence."""

    axes = 2
    example = "Dropout1d: {p: 0.2}"
    example_input = (64, 128)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) > 2:
            raise Misfit(
                "Dropout1d wants a sequence; {layer} receives " + readable(shapes[0]), hint="use Dropout2d or Dropout3d"
            )


class Dropout2d(_ChannelDropout):
    """Drops whole channels of an image."""

    example = "Dropout2d: {p: 0.2}"


class Dropout3d(_ChannelDropout):
    """Drops whole channels of a volume."""

    axes = 4
    example = "Dropout3d: {p: 0.2}"
    example_input = (64, 16, 28, 28)


class AlphaDropout(_AlphaDropout):
    """Dropout that keeps mean and variance, for SELU."""

    example = "AlphaDropout: {p: 0.1}"


class FeatureAlphaDropout(_AlphaDropout):
    """Drops whole channels and keeps mean and variance, for SELU."""

    example = "FeatureAlphaDropout: {p: 0.1}"

    def mask(self, shape: Shape) -> Store:
        return Store(shape[:1])


class StochasticDepth(Op):
    """Drops a residual branch in training; torch.nn has no module for it, torchvision.ops has."""

    operations = ()
    int8 = "gone"

    p: float = arg(SHARE, "probability that the branch is dropped")
    mode: str = arg(word("batch", "row"), "for the whole batch or for each image", default="row")

    example = "StochasticDepth: {p: 0.1}"

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        if not setting.training or self.p == 0:
            return view()
        return Action((("mask", Store((), each=self.mode == "row")),), ()), Action(
            (("y", Store(out)),), ("x", "mask"), ("mask",)
        )

    @staticmethod
    def torch_module() -> Any:
        from torch import Tensor, nn

        class StochasticDepth(nn.Module):
            """Drops the whole input in training, for the batch or each image; scaled, so that the expectation stays."""

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

        return StochasticDepth
