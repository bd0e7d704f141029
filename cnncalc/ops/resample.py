"""Layers that change resolution without weights: upsampling and shuffles."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from ..errors import Misfit
from ..formula import distinct, floor, formula, over
from ..quantities import readable
from .actions import Shape
from .base import TORCH, Op, Reach, Size, Window, arg
from .kinds import FLAG, SCALES, optional, sizes, whole, whole_list, word

LINEAR_STEP = ("subtract", "multiply", "add")


@formula("output size of upsampling", chapter="output size", symbol="O", unit="px", source=TORCH.format("Upsample"))
def upsampled(N: Any, R: Any) -> Any:
    return floor(N * R)


@formula(
    "channels after a pixel shuffle",
    chapter="output size",
    symbol="K",
    unit="channels",
    source="Shi et al. (2016), Real-time single image super-resolution, section 2.2",
)
def shuffled_channels(C: Any, R: Any) -> Any:
    return over(C, R**2)


@formula(
    "size after a pixel shuffle",
    chapter="output size",
    symbol="O",
    unit="px",
    source="Shi et al. (2016), Real-time single image super-resolution, section 2.2",
)
def shuffled_size(N: Any, R: Any) -> Any:
    return N * R


@formula(
    "channels after a pixel unshuffle",
    chapter="output size",
    symbol="K",
    unit="channels",
    source=TORCH.format("PixelUnshuffle"),
)
def unshuffled_channels(C: Any, R: Any) -> Any:
    return C * R**2


@formula(
    "size after a pixel unshuffle", chapter="output size", symbol="O", unit="px", source=TORCH.format("PixelUnshuffle")
)
def unshuffled_size(N: Any, R: Any) -> Any:
    return over(N, R)


class _Resampling(Op):
    """What Upsample and its two abbreviations have in common."""

    keeps = ()

    def _mode(self) -> str:
        return "nearest"

    def _corners(self) -> bool:
        return bool(getattr(self, "align_corners", False))

    def _size(self) -> tuple[int, ...] | None:
        return getattr(self, "size", None)

    def _factors(self) -> tuple[float, ...] | None:
        return getattr(self, "scale_factor", None)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        size, factors = self._size(), self._factors()
        if (size is None) == (factors is None):
            raise Misfit(f"{self.type()} wants either size or scale_factor", argument="size" if size else "")
        axes = len(shapes[0]) - 1
        given = len(size or factors or ())
        if not 1 <= axes <= 3 or given not in (1, axes):
            raise Misfit(f"{given} factors do not fit an input of {axes} spatial axes at {{layer}}")
        wanted = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}.get(self._mode(), axes)
        if axes != wanted:
            raise Misfit(
                f"mode {self._mode()} is for {wanted} spatial axes, but {{layer}} receives {axes}", argument="mode"
            )
        if size is not None and getattr(self, "recompute_scale_factor", None):
            raise Misfit("recompute_scale_factor goes with scale_factor", argument="recompute_scale_factor")
        if self._mode().startswith("nearest") and getattr(self, "align_corners", None) is not None:
            raise Misfit("align_corners means nothing for mode nearest", "leave it out", argument="align_corners")
        for each in self.output(*shapes):
            if not isinstance(each, int) and each.value < 1:
                raise Misfit("nothing is left of the map at {layer}", argument="scale_factor")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        channels, *axes = shapes[0]
        size, factors = self._size(), self._factors()
        if size is not None:
            return (channels, *(size if len(size) == len(axes) else size * len(axes)))
        assert factors is not None
        spread = factors if len(factors) == len(axes) else factors * len(axes)
        return (channels, *(upsampled.step(N=N, R=R) for N, R in zip(axes, spread, strict=True)))

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        """As everywhere, but a single factor or size as a number: PyTorch takes no list of one."""
        made = super().module_arguments(*shapes)
        return {name: each[0] if isinstance(each, tuple) and len(each) == 1 else each for name, each in made.items()}

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        if self._mode() == "bicubic":
            return 5 * ("multiply", "multiply", "multiply", "multiply", "add", "add", "add")
        return {"linear": 1, "bilinear": 3, "trilinear": 7}.get(self._mode(), 0) * LINEAR_STEP

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        windows = map(self._window, self._strides(shapes[0], out))
        return (Reach(0), *(Reach(axis, window) for axis, window in enumerate(windows, 1)))

    def _strides(self, shape: Shape, out: Shape) -> list[Fraction]:
        """Input pixels between neighbouring outputs: PyTorch takes 1/scale_factor, where one is given, and not N/O."""
        if self._corners():
            return [Fraction(N - 1, max(O - 1, 1)) for N, O in zip(shape[1:], out[1:], strict=True)]
        factors = self._factors()
        if factors is None or getattr(self, "recompute_scale_factor", None):
            return [Fraction(N, O) for N, O in zip(shape[1:], out[1:], strict=True)]
        spread = factors if len(factors) == len(out) - 1 else factors * (len(out) - 1)
        strides = [1 / Fraction(factor).limit_denominator(10**6) for factor in spread]
        if self._mode() == "nearest":
            # Where the size stays or doubles, PyTorch copies, whatever the factor says.
            sizes = zip(strides, shape[1:], out[1:], strict=True)
            return [Fraction(N, O) if O in (N, 2 * N) else stride for stride, N, O in sizes]
        return strides

    def _window(self, stride: Fraction) -> Window:
        # The place of output o is o·stride + shift. Nearest takes the pixel at or before it; linear the pixels to both
        # sides, cubic two to both sides.
        mode = self._mode()
        if mode in ("nearest", "nearest-exact"):
            shift = stride / 2 if mode == "nearest-exact" else Fraction(0)
            parts = (stride / 2 if shift else stride).denominator
            before, exact = Fraction(parts - 1, parts), parts == 1
            return Window(before + 1, stride, before - shift, exact, unit=1)
        around = 2 if mode == "bicubic" else 1
        shift = Fraction(0) if self._corners() else stride / 2 - Fraction(1, 2)
        return Window(2 * around + 1, stride, around - shift, exact=False, unit=2 * around)


class Upsample(_Resampling):
    """A sequence, image or volume brought to another size by interpolation."""

    size: tuple[int, ...] | None = arg(
        optional(whole_list(1)), "size of the output, or one for each axis", default=None
    )
    scale_factor: tuple[float, ...] | None = arg(
        optional(SCALES), "factor of enlargement, or one for each axis", default=None, letter="R"
    )
    mode: str = arg(
        word("nearest", "linear", "bilinear", "bicubic", "trilinear", "nearest-exact"),
        "how values between are found",
        default="nearest",
    )
    align_corners: bool | None = arg(
        optional(FLAG), "whether the corners' centres stay where they are; not for nearest", default=None
    )
    recompute_scale_factor: bool | None = arg(
        optional(FLAG), "whether the factor is worked out anew from the sizes, once these are rounded", default=None
    )

    example = "Upsample: {scale_factor: 2, mode: bilinear}"

    def _mode(self) -> str:
        return self.mode


class UpsamplingNearest2d(_Resampling):
    """Upsample of an image with mode nearest."""

    size: tuple[int, ...] | None = arg(
        optional(whole_list(1)), "size of the output, or one for each axis", default=None
    )
    scale_factor: tuple[float, ...] | None = arg(
        optional(SCALES), "factor of enlargement, or one for each axis", default=None, letter="R"
    )

    spatial = 2
    example = "UpsamplingNearest2d: {scale_factor: 2}"


class UpsamplingBilinear2d(_Resampling):
    """Upsample of an image with mode bilinear and align_corners."""

    size: tuple[int, ...] | None = arg(
        optional(whole_list(1)), "size of the output, or one for each axis", default=None
    )
    scale_factor: tuple[float, ...] | None = arg(
        optional(SCALES), "factor of enlargement, or one for each axis", default=None, letter="R"
    )

    spatial = 2
    example = "UpsamplingBilinear2d: {scale_factor: 2}"

    def _mode(self) -> str:
        return "bilinear"

    def _corners(self) -> bool:
        return True


@formula(
    "output size of an unpooling",
    chapter="output size",
    symbol="O",
    unit="px",
    source=TORCH.format("MaxUnpool2d"),
)
def unpooled(N: Any, F: Any, S: Any, P: Any) -> Any:
    """The size from which the pool would have made N, where nothing was left over."""
    return (N - 1) * S - 2 * P + F


class _MaxUnpool(Op):
    """What the three unpoolings share. The second input is the pool whose places are taken: `from: [conv5, pool5]`."""

    operations = ()

    kernel_size: tuple[int, ...] = arg(sizes(), "size of the pool's window", letter="F")
    stride: tuple[int, ...] | None = arg(
        optional(sizes()), "step of the pool's window; its own size where it is not given", default=None, letter="S"
    )
    padding: tuple[int, ...] = arg(sizes(0), "padding of the pool", default=0, letter="P")

    many_inputs = True
    keeps = ("x1",)  # the places

    def check(self, *shapes: Shape) -> None:
        if len(shapes[0]) != self.spatial + 1:
            raise Misfit(f"{self.type()} wants {self.spatial + 1} axes; {{layer}} receives {readable(shapes[0])}")
        if len(distinct(shapes)) > 1:
            sizes_ = " and ".join(map(readable, shapes))
            raise Misfit(f"{{layer}} receives {sizes_}: a value for each place that the pool noted", code="merge")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        steps = self.stride or self.kernel_size
        axes = zip(shapes[0][1:], self.kernel_size, steps, self.padding, strict=True)
        return (shapes[0][0], *(unpooled.step(N=N, F=F, S=S, P=P) for N, F, S, P in axes))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        # Output o may come from any input i with i·S − P ≤ o < i·S − P + F.
        axes = [Reach(0)]
        for F, S, P in zip(self.kernel_size, self.stride or self.kernel_size, self.padding, strict=True):
            window = Window(Fraction(F - 1, S) + 1, Fraction(1, S), Fraction(F - 1 - P, S), exact=False)
            axes.append(Reach(len(axes), window))
        return tuple(axes)


class MaxUnpool1d(_MaxUnpool):
    """Each value back to the place where a max pool found it, zeros elsewhere, in a sequence."""

    spatial = 1
    places_of = "MaxPool1d"
    example = "MaxUnpool1d: {kernel_size: 4}"


class MaxUnpool2d(_MaxUnpool):
    """Each value back to the place where a max pool found it, zeros elsewhere, in an image: SegNet's decoder."""

    spatial = 2
    places_of = "MaxPool2d"
    example = "MaxUnpool2d: {kernel_size: 2}"


class MaxUnpool3d(_MaxUnpool):
    """Each value back to the place where a max pool found it, zeros elsewhere, in a volume."""

    spatial = 3
    places_of = "MaxPool3d"
    example = "MaxUnpool3d: {kernel_size: 2}"


class PixelShuffle(Op):
    """r² channels become one that is r times as high and wide."""

    operations = ()
    keeps = ()

    upscale_factor: int = arg(whole(), "r, the factor of enlargement", letter="R")

    spatial = 2
    int8 = "same"
    lays_in_order = True
    example = "PixelShuffle: {upscale_factor: 3}"
    example_input = (27, 32, 32)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        channels, square = shapes[0][0], self.upscale_factor**2
        if channels % square:
            raise Misfit(
                f"upscale_factor {self.upscale_factor} wants a multiple of {square} channels, "
                f"but {channels} reach {{layer}}",
                argument="upscale_factor",
            )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        channels, *axes = shapes[0]
        r = self.upscale_factor
        return (shuffled_channels.step(C=channels, R=r), *(shuffled_size.step(N=N, R=r) for N in axes))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        r = self.upscale_factor
        span = Fraction(r - 1, r)
        window = Window(span + 1, Fraction(1, r), span, exact=r == 1)
        return (Reach(0), Reach(1, window), Reach(2, window))


class PixelUnshuffle(Op):
    """Each r×r square of a channel becomes r² channels."""

    operations = ()
    keeps = ()

    downscale_factor: int = arg(whole(), "r, the factor of reduction", letter="R")

    spatial = 2
    int8 = "same"
    lays_in_order = True
    example = "PixelUnshuffle: {downscale_factor: 2}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if any(size % self.downscale_factor for size in shapes[0][1:]):
            height, width = shapes[0][1:]
            raise Misfit(
                f"downscale_factor {self.downscale_factor} does not divide the "
                f"{height}×{width} map that reaches {{layer}}",
                argument="downscale_factor",
            )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        channels, *axes = shapes[0]
        r = self.downscale_factor
        return (unshuffled_channels.step(C=channels, R=r), *(unshuffled_size.step(N=N, R=r) for N in axes))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        window = Window(self.downscale_factor, self.downscale_factor, 0)
        return (Reach(0), Reach(1, window), Reach(2, window))


class ChannelShuffle(Op):
    """The channels of g groups dealt out in turn, as ShuffleNet mixes them."""

    operations = ()
    keeps = ()

    groups: int = arg(whole(), "groups that the channels are divided into", letter="G")

    int8 = "between"
    example = "ChannelShuffle: {groups: 2}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) < 2:
            raise Misfit("ChannelShuffle wants channels and at least one more axis", hint="put it before Flatten")
        if shapes[0][0] % self.groups:
            raise Misfit(
                f"groups is {self.groups}, which does not divide the {shapes[0][0]} channels that reach {{layer}}",
                hint=f"use a divisor of {shapes[0][0]}",
                argument="groups",
            )
