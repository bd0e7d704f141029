"""Layers that act in training only: at test time they pass the input on."""

from __future__ import annotations

from ..errors import Misfit
from .base import Op, Shape, arg, readable
from .kinds import FLAG, SHARE, word


class _Dropout(Op):
    """What all dropouts share: the identity at test time."""

    p: float = arg(SHARE, "share of the values that is dropped in training", default=0.5)
    inplace: bool = arg(FLAG, "whether the output takes the place of the input", default=False)

    view = True


class Dropout(_Dropout):
    """Drops single values, and scales the rest by 1/(1 − p)."""

    example = "Dropout: {p: 0.5}"


class Dropout1d(_Dropout):
    """Drops whole channels of a sequence."""

    example = "Dropout1d: {p: 0.2}"
    example_input = (64, 128)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) > 2:
            raise Misfit(
                "Dropout1d wants a sequence; {layer} receives " + readable(shapes[0]), hint="use Dropout2d or Dropout3d"
            )


class Dropout2d(_Dropout):
    """Drops whole channels of an image."""

    example = "Dropout2d: {p: 0.2}"


class Dropout3d(_Dropout):
    """Drops whole channels of a volume."""

    example = "Dropout3d: {p: 0.2}"
    example_input = (64, 16, 28, 28)


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for SELU."""

    example = "AlphaDropout: {p: 0.1}"


class FeatureAlphaDropout(_Dropout):
    """Drops whole channels and keeps mean and variance, for SELU."""

    example = "FeatureAlphaDropout: {p: 0.1}"


class StochasticDepth(Op):
    """Drops a residual branch in training; torch.nn has no module for it, torchvision.ops has."""

    p: float = arg(SHARE, "probability that the branch is dropped")
    mode: str = arg(word("batch", "row"), "for the whole batch or for each image", default="row")

    view = True
    example = "StochasticDepth: {p: 0.1}"
