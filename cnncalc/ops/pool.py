"""Pooling: windows that keep the largest value, the mean or a norm, each channel apart."""

from __future__ import annotations

from math import inf
from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import ceil_div, formula, minimum, prod
from .actions import Action, Setting, Shape, Store
from .base import TORCH, Op, Reach, Size, Window, Work, arg
from .border import UPPER, Border, Pairs, border, bordered, is_even, sides, upper_output, upper_pads
from .conv import check_window, conv_output
from .kinds import FLAG, NO, NUMBER, optional, pool_pads, sizes, whole

COUNTED = "counted: window by window, borders like the inside"


@formula(
    "output size of a pool with ceil_mode",
    chapter="output size",
    symbol="O",
    unit="px",
    source=TORCH.format("MaxPool2d") + ": ceil_mode, and the note on windows in the right padding",
)
def ceil_output(N: Any, F: Any, S: Any, P: Any, D: Any) -> Any:
    """A window may hang over the end, but may not start in the padding there: hence the minimum."""
    return minimum(ceil_div(N + 2 * P - D * (F - 1) - 1, S) + 1, ceil_div(N + P, S))


@formula(
    "comparisons of a max pool",
    chapter="other work",
    symbol="FLOPs",
    unit="comparisons",
    source=COUNTED,
)
def max_pool_work(C: Any, O: Any, F: Any) -> Any:
    return C * prod(O) * (prod(F) - 1)


@formula(
    "additions and divisions of an average pool",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source=COUNTED,
)
def avg_pool_work(C: Any, O: Any, F: Any) -> Any:
    """∏F − 1 additions and one division for each output."""
    return C * prod(O) * prod(F)


@formula(
    "powers, additions and roots of a power-average pool",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source=COUNTED,
)
def lp_pool_work(C: Any, O: Any, F: Any) -> Any:
    return C * prod(O) * 2 * prod(F)


POOL_PADS = pool_pads(UPPER)
PADDED = "padding on each side, at most half a window; or of each side, the last axis first, or 'same_upper'"


class _Pool(Op):
    """What all pools with windows share."""

    filling: ClassVar[float] = 0.0  # what a border is of that is put around the input first

    kernel_size: tuple[int, ...] = arg(sizes(), "size of the window", letter="F")
    stride: tuple[int, ...] | None = arg(
        optional(sizes()), "step of the window; the window's own size where it is not given", default=None, letter="S"
    )
    ceil_mode: bool = arg(FLAG, "round the output size up instead of down", default=False)

    def steps(self) -> tuple[int, ...]:
        return self.kernel_size if self.stride is None else self.stride

    def pads(self, shape: Shape) -> Pairs:
        """Padding before and after, for each axis."""
        padding: Any = getattr(self, "padding", 0)
        if padding == UPPER:
            return upper_pads(shape[1:], self.kernel_size, self.steps(), self.dilations())
        return sides(padding or (0,) * self.spatial, self.spatial)

    @property
    def is_apart(self) -> bool:
        """Whether the padding is a step of its own: it differs by side, or depends on the size of the input."""
        padding = getattr(self, "padding", 0)
        if padding == UPPER:
            return not is_even(self.kernel_size, self.steps(), self.dilations())
        return any(before != after for before, after in self.pads(()))

    def border(self, *shapes: Shape) -> Border | None:
        return border(self.pads(shapes[0]), self.filling) if self.is_apart else None

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        made = super().module_arguments(*shapes)
        if "padding" in made:
            even = tuple(before for before, _ in self.pads(shapes[0]))
            made["padding"] = (0,) * self.spatial if self.is_apart else even
        return made

    def dilations(self) -> tuple[int, ...]:
        return (1,) * self.spatial

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        around = self.pads(shapes[0])
        if self.is_apart and self.filling:
            for F, D, pair in zip(self.kernel_size, self.dilations(), around, strict=True):
                if max(pair) > D * (F - 1):
                    message = f"padding {max(pair)} is as wide as the window: some would see nothing else"
                    raise Misfit(message, f"use padding ≤ {D * (F - 1)}", "padding")
        for F, (P, _) in zip(self.kernel_size, () if self.is_apart else around, strict=not self.is_apart):
            if P > F // 2:
                raise Misfit(
                    f"padding {P} is more than half of the window, {F}",
                    hint=f"use padding ≤ {F // 2}, or a pad layer before the pool",
                    argument="padding",
                )
        # Rounding up, a window may hang over the end by less than a step.
        hang = tuple(S - 1 if self.ceil_mode else 0 for S in self.steps())
        pads = tuple((before, after + more) for (before, after), more in zip(around, hang, strict=True))
        check_window(shapes[0], self.kernel_size, pads, self.dilations())

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        rule, shape = ceil_output if self.ceil_mode else conv_output, shapes[0]
        around = self.pads(shape)
        if getattr(self, "padding", 0) == UPPER:
            return (shape[0], *(upper_output.step(N=N, S=S) for N, S in zip(shape[1:], self.steps(), strict=True)))
        if self.is_apart:
            shape, around = bordered(shape, around), ((0, 0),) * self.spatial
        axes = zip(shape[1:], self.kernel_size, self.steps(), around, self.dilations(), strict=True)
        return (shape[0], *(rule.step(N=N, F=F, S=S, P=P, D=D) for N, F, S, (P, _), D in axes))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axes = zip(self.kernel_size, self.steps(), self.pads(shapes[0]), self.dilations(), strict=True)
        windows = (Window(D * (F - 1) + 1, S, P) for F, S, (P, _), D in axes)
        return (Reach(0), *(Reach(axis, window) for axis, window in enumerate(windows, 1)))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        found = super().actions(setting, out, *shapes)
        if self.border(*shapes) is None:
            return found
        padded = Store(bordered(shapes[0], self.pads(shapes[0])))
        (pooled,) = found
        keeps = tuple("padded" if name == "x" else name for name in pooled.keeps)
        return Action((("padded", padded),)), pooled._replace(reads=("padded",), keeps=keeps)


class _MaxPool(_Pool):
    """What the three max pools share."""

    padding: tuple[int, ...] | str = arg(POOL_PADS, PADDED, default=0, letter="P")
    dilation: tuple[int, ...] = arg(sizes(), "distance between the window's elements", default=1, letter="D")
    return_indices: bool = arg(NO, "PyTorch can return the places too; a layer here has one output", default=False)

    filling = -inf

    def dilations(self) -> tuple[int, ...]:
        return self.dilation

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=max_pool_work.step(C=out[0], O=out[1:], F=self.kernel_size))

    keeps = ("x", "indices")

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        # PyTorch notes where each maximum stood, as int64, also where nobody asks for it.
        return (("indices", Store(out, "int64")),)


class MaxPool1d(_MaxPool):
    """The largest value of each window of a sequence."""

    spatial = 1
    int8 = "same"
    example = "MaxPool1d: {kernel_size: 4}"


class MaxPool2d(_MaxPool):
    """The largest value of each window of an image."""

    spatial = 2
    int8 = "same"
    example = "MaxPool2d: {kernel_size: 3, stride: 2, padding: 1}"


class MaxPool3d(_MaxPool):
    """The largest value of each window of a volume."""

    spatial = 3
    int8 = "same"
    example = "MaxPool3d: {kernel_size: 2}"


class _AvgPool(_Pool):
    """What the three average pools share."""

    padding: tuple[int, ...] | str = arg(POOL_PADS, PADDED, default=0, letter="P")
    count_include_pad: bool = arg(FLAG, "whether the padding's zeros count in the mean", default=True)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if self.border(*shapes) is not None and not self.count_include_pad:
            message = "padding that differs by side is put around the input first, so its zeros count in the mean"
            raise Misfit(message, "count_include_pad: true, or the same padding on both sides", "count_include_pad")

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=avg_pool_work.step(C=out[0], O=out[1:], F=self.kernel_size))

    keeps = ("x",)


class AvgPool1d(_AvgPool):
    """The mean of each window of a sequence."""

    spatial = 1
    int8 = "same"
    example = "AvgPool1d: {kernel_size: 4}"


class AvgPool2d(_AvgPool):
    """The mean of each window of an image."""

    divisor_override: int | None = arg(
        optional(whole()), "what the sum is divided by, in place of the window's size", default=None
    )

    spatial = 2
    int8 = "same"
    example = "AvgPool2d: {kernel_size: 2}"


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume. Its window may not exceed the map even where padding would allow it."""

    divisor_override: int | None = arg(
        optional(whole()), "what the sum is divided by, in place of the window's size", default=None
    )

    spatial = 3
    autocast = "float32"
    int8 = "same"
    example = "AvgPool3d: {kernel_size: 2}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        check_window(shapes[0], self.kernel_size, ((0, 0),) * 3, (1, 1, 1))


class _LPPool(_Pool):
    """What the three power-average pools share."""

    norm_type: float = arg(NUMBER, "the power p: 1 sums, large p approaches the maximum")

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(other=lp_pool_work.step(C=out[0], O=out[1:], F=self.kernel_size))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        # The mean of the powers, its sign taken apart, times the size of the window, and the root.
        tensor = Store(out)
        return (
            Action((("powers", Store(shapes[0])),), keeps=("x",)),
            Action((("mean", tensor),), ("powers",), ("powers",)),
            Action((("sign", tensor),), ("mean",)),
            Action((("size", tensor),), ("mean",), ("mean",)),
            Action((("positive", tensor),), ("size",), ("positive",)),
            Action((("signed", tensor),), ("sign", "positive"), ("sign", "positive"), product=True),
            Action((("sum", tensor),), ("signed",)),
            Action((("y", tensor),), ("sum",), ("sum",), ("mean",)),
        )


class LPPool1d(_LPPool):
    """The p-norm of each window of a sequence."""

    spatial = 1
    example = "LPPool1d: {norm_type: 2, kernel_size: 4}"

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        """As everywhere, but with plain numbers: PyTorch's LPPool1d takes no tuples."""
        made = super().module_arguments(*shapes)
        return {**made, "kernel_size": self.kernel_size[0], "stride": self.steps()[0]}


class LPPool2d(_LPPool):
    """The p-norm of each window of an image."""

    spatial = 2
    example = "LPPool2d: {norm_type: 2, kernel_size: 2}"


class LPPool3d(_LPPool):
    """The p-norm of each window of a volume, which must hold a whole window even with ceil_mode."""

    spatial = 3
    example = "LPPool3d: {norm_type: 2, kernel_size: 2}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        check_window(shapes[0], self.kernel_size, ((0, 0),) * 3, (1, 1, 1))
