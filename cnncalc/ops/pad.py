"""Padding as a layer of its own, in one, two and three dimensions; negative padding crops."""

from __future__ import annotations

from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import formula
from .actions import Shape
from .base import TORCH, Call, Op, Reach, Size, Window, arg
from .border import Pairs, sides
from .kinds import NUMBER, PADS, whole


@formula("output size of padding", chapter="output size", symbol="O", unit="px", source=TORCH.format("ZeroPad2d"))
def padded(N: Any, P: Any, P_end: Any) -> Any:
    """Negative padding crops."""
    return N + P + P_end


class _Pad(Op):
    """What all pads share."""

    operations = ()

    padding: tuple[int, ...] = arg(
        PADS, "padding of every side, or a list: before and after, the last axis first", letter="P"
    )

    crops_first: ClassVar[bool] = True  # a negative side is cut off before the other is padded

    def pads(self) -> Pairs:
        """Padding before and after, first axis first."""
        return sides(self.padding, len(self.padding) // 2)

    def most(self, size: int) -> int | None:
        """The largest padding that an axis allows; None for any."""
        return None

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        for size, (before, after) in zip(shapes[0][1:], self.pads(), strict=True):
            most = self.most(size)
            if most is not None and max(before, after) > most:
                raise Misfit(
                    f"padding {max(before, after)} is too large for an axis of {size} at {{layer}}",
                    hint=f"{self.type()} allows at most {most} there",
                    argument="padding",
                )
            cut = size + min(before, 0) + min(after, 0) if self.crops_first else 0
            if size + before + after < 1 or cut < 0:
                raise Misfit(
                    f"padding {before} and {after} leaves nothing of an axis of {size} at {{layer}}", argument="padding"
                )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = zip(shapes[0][1:], self.pads(), strict=True)
        return (shapes[0][0], *(padded.step(N=N, P=before, P_end=after) for N, (before, after) in axes))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return (Reach(0), *(Reach(axis, Window(1, 1, before)) for axis, (before, _) in enumerate(self.pads(), 1)))


class PadChannels(Op):
    """Channels of zeros before and after, as in the shortcuts of CIFAR ResNets; torch.nn has no module for it."""

    operations = ()
    keeps = ()

    before: int = arg(whole(0), "channels of zeros before the input's", default=0, letter="P")
    after: int = arg(whole(0), "channels of zeros after the input's", default=0, letter="P_end")

    example = "PadChannels: {before: 8, after: 8}"

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return (padded.step(N=shapes[0][0], P=self.before, P_end=self.after), *shapes[0][1:])

    def call(self, *shapes: Shape) -> Call:
        # F.pad counts from the last axis backwards.
        return Call("torch.nn.functional.pad", ((*(0, 0) * (len(shapes[0]) - 1), self.before, self.after),))


class _ConstantPad(_Pad):
    """Pads of one value."""

    keeps = ()

    value: float = arg(NUMBER, "what the padding is filled with")


class _ReplicationPad(_Pad):
    """Pads that continue the border."""

    keeps = ("x",)

    crops_first = False


class _ReflectionPad(_Pad):
    """Pads that mirror."""

    keeps = ("x",)
    autocast = "float32"

    def most(self, size: int) -> int | None:
        return size - 1


class _CircularPad(_Pad):
    """Pads that go round."""

    keeps = ()

    def most(self, size: int) -> int | None:
        return size


class ZeroPad1d(_Pad):
    """Zeros around a sequence."""

    keeps = ()

    spatial = 1
    example = "ZeroPad1d: {padding: [1, 0]}"


class ZeroPad2d(_Pad):
    """Zeros around an image."""

    keeps = ()

    spatial = 2
    example = "ZeroPad2d: {padding: [0, 1, 0, 1]}"


class ZeroPad3d(_Pad):
    """Zeros around a volume."""

    keeps = ()

    spatial = 3
    example = "ZeroPad3d: {padding: 1}"


class ConstantPad1d(_ConstantPad):
    """One value around a sequence."""

    spatial = 1
    example = "ConstantPad1d: {padding: 1, value: 0.5}"


class ConstantPad2d(_ConstantPad):
    """One value around an image."""

    spatial = 2
    example = "ConstantPad2d: {padding: 1, value: 0.5}"


class ConstantPad3d(_ConstantPad):
    """One value around a volume."""

    spatial = 3
    example = "ConstantPad3d: {padding: 1, value: 0.5}"


class ReflectionPad1d(_ReflectionPad):
    """A sequence continued by its mirror image, the border not repeated."""

    spatial = 1
    example = "ReflectionPad1d: {padding: 2}"


class ReflectionPad2d(_ReflectionPad):
    """An image continued by its mirror image, the border not repeated."""

    spatial = 2
    example = "ReflectionPad2d: {padding: 3}"


class ReflectionPad3d(_ReflectionPad):
    """A volume continued by its mirror image, the border not repeated."""

    spatial = 3
    example = "ReflectionPad3d: {padding: 1}"


class ReplicationPad1d(_ReplicationPad):
    """A sequence continued by its border."""

    spatial = 1
    example = "ReplicationPad1d: {padding: 2}"


class ReplicationPad2d(_ReplicationPad):
    """An image continued by its border."""

    spatial = 2
    example = "ReplicationPad2d: {padding: 1}"


class ReplicationPad3d(_ReplicationPad):
    """A volume continued by its border."""

    spatial = 3
    example = "ReplicationPad3d: {padding: 1}"


class CircularPad1d(_CircularPad):
    """A sequence continued by its other end."""

    spatial = 1
    example = "CircularPad1d: {padding: 2}"


class CircularPad2d(_CircularPad):
    """An image continued by its other side."""

    spatial = 2
    example = "CircularPad2d: {padding: 1}"


class CircularPad3d(_CircularPad):
    """A volume continued by its other side."""

    spatial = 3
    example = "CircularPad3d: {padding: 1}"
