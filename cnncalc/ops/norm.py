"""Normalisation by mean and variance: batch, instance, group, layer, and by the root mean square."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import formula, prod
from .actions import Action, Setting, Shape, Store
from .base import TORCH, Op, Parameter, Reach, Window, arg, inferred
from .kinds import FLAG, NUMBER, optional, whole, whole_list
from .workspace import Workspace

#: The mean and the variance of the values at hand, then the normalisation.
STATISTICS = ("add", "subtract", "multiply", "add", "multiply")
SCALE_AND_SHIFT = ("multiply", "add")


@formula(
    "scale of a normalisation",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source="Ioffe & Szegedy (2015), Batch normalization, algorithm 1: γ",
)
def norm_weights(C: Any) -> Any:
    return prod(C)


@formula(
    "shift of a normalisation",
    chapter="parameters",
    symbol="biases",
    unit="parameters",
    source="Ioffe & Szegedy (2015), Batch normalization, algorithm 1: β",
)
def norm_biases(C: Any) -> Any:
    return prod(C)


@formula(
    "running statistics of a normalisation",
    chapter="parameters",
    symbol="buffers",
    unit="buffers",
    source="Ioffe & Szegedy (2015), Batch normalization, algorithm 2: mean and variance; "
    + TORCH.format("BatchNorm2d"),
)
def norm_buffers(C: Any) -> Any:
    """They are not trained; PyTorch's counter of batches stands apart."""
    return 2 * C


def _scale_and_shift(shape: Shape, bias: bool = True) -> tuple[Parameter, ...]:
    C: Any = shape[0] if len(shape) == 1 else shape
    weight = Parameter("weight", shape, "weight", norm_weights.step(C=C))
    return (weight, Parameter("bias", shape, "bias", norm_biases.step(C=C))) if bias else (weight,)


def _learnt(scale: bool, shift: bool) -> tuple[str, ...]:
    return SCALE_AND_SHIFT[: 1 + shift] if scale else ()


def _without_default_bias(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "bias" or not value}


def whole_map(shape: Shape) -> tuple[Reach, ...]:
    """Statistics over all positions: every output sees the whole map."""
    return (
        Reach(0),
        *(Reach(axis, Window(2 * size - 1, 1, size - 1, False)) for axis, size in enumerate(shape) if axis),
    )


class _ChannelNorm(Op):
    """What batch and instance normalisation share."""

    num_features: int | None = inferred(whole(), "channels of the input", letter="C")
    eps: float = arg(NUMBER, "what is added to the variance", default=1e-5)
    momentum: float | None = arg(
        optional(NUMBER), "share of the new batch in the running statistics; null averages all batches", default=0.1
    )

    bias: bool = arg(FLAG, "whether, where a scale is learnt, a shift is learnt too", default=True)

    axes: ClassVar[tuple[int, ...]] = ()

    @property
    def scaled(self) -> bool:
        return bool(getattr(self, "affine"))  # noqa: B009

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        """As everywhere, but without a bias that is the default: older releases of PyTorch do not know it."""
        return _without_default_bias(super().module_arguments(*shapes))

    @property
    def tracked(self) -> bool:
        return bool(getattr(self, "track_running_stats"))  # noqa: B009

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        return {"num_features": shapes[0][0]}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) not in self.axes:
            wanted = " or ".join("C" + "×L" * (n == 2) + "×H×W" * (n == 3) + "×D×H×W" * (n == 4) for n in self.axes)
            raise Misfit(f"{self.type()} wants an input of {wanted}; {{layer}} receives {len(shapes[0])} axes")

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        channels = (shapes[0][0],)
        found = _scale_and_shift(channels, self.bias) if self.scaled else ()
        if self.tracked:
            both = norm_buffers.step(C=shapes[0][0])
            found += (
                Parameter("running_mean", channels, "buffer", both),
                Parameter("running_var", channels, "buffer", both),
                Parameter("num_batches_tracked", (), "counter", None),
            )
        return found

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        # With running statistics the whole layer is one multiplication and one addition, affine or not.
        return SCALE_AND_SHIFT if self.tracked else STATISTICS + _learnt(self.scaled, self.bias)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return super().reach(out, *shapes) if self.tracked else whole_map(shapes[0])


class _BatchNorm(_ChannelNorm):
    """What the three batch normalisations share."""

    affine: bool = arg(FLAG, "whether scale and shift are learnt", default=True)
    track_running_stats: bool = arg(
        FLAG, "whether running statistics are kept, and used in place of the batch's", default=True
    )

    example = "BatchNorm2d"

    keeps = ("x", "mean", "variance")

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        store = Store(out[:1], "statistic", each=False)
        return ("mean", store), ("variance", store)

    def workspace(self, setting: Setting, out: Shape, *shapes: Shape) -> Workspace:
        size = sum(store.bytes(setting) for _, store in self.beside(out, *shapes)) if self.tracked else 0
        return Workspace(0, size)

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        if self.tracked and not setting.training:
            return (Action((("y", Store(out)),)),)
        return super().actions(setting, out, *shapes)


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of features, or of the channels of a sequence."""

    axes = (1, 2)
    example = "BatchNorm1d"
    example_input = (64,)


class BatchNorm2d(_BatchNorm):
    """Batch normalisation of the channels of an image."""

    axes = (3,)
    int8 = "own"
    int8_takes_in = ("ReLU",)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of the channels of a volume."""

    axes = (4,)
    int8 = "own"
    int8_takes_in = ("ReLU",)
    example = "BatchNorm3d"
    example_input = (64, 16, 28, 28)


class _InstanceNorm(_ChannelNorm):
    """What the three instance normalisations share."""

    int8 = "own"

    affine: bool = arg(FLAG, "whether scale and shift are learnt", default=False)
    track_running_stats: bool = arg(FLAG, "whether running statistics are kept, and used at test time", default=False)

    example = "InstanceNorm2d: {affine: true}"

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if not self.tracked and prod(shapes[0][1:]) == 1:
            raise Misfit(
                "{layer} normalises a map of a single value, whose variance is 0", hint="put it before the pooling"
            )

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        # PyTorch makes one image of the batch, with N·C channels, and repeats what belongs to a channel N times.
        store = Store(out[:1], "parameter")
        repeated = ("scale", "shift")[: 1 + self.bias] if self.scaled else ()
        running = ("running_mean", "running_variance") if self.tracked else ()
        found = [Action(((name, store),), ("weight",)) for name in repeated]
        found += [Action(((name, store),), ()) for name in running]
        statistics = () if self.tracked and not setting.training else ("mean", "variance")
        kept = ("x", *repeated[:1], *running, *statistics)
        made = (("y", Store(out)), *((name, Store(out[:1], "statistic")) for name in statistics))
        return (*found, Action(made, ("x", *repeated, *running), kept))


class InstanceNorm1d(_InstanceNorm):
    """Each channel of each sequence normalised by its own statistics."""

    axes = (2,)
    example = "InstanceNorm1d: {affine: true}"
    example_input = (64, 128)


class InstanceNorm2d(_InstanceNorm):
    """Each channel of each image normalised by its own statistics."""

    axes = (3,)


class InstanceNorm3d(_InstanceNorm):
    """Each channel of each volume normalised by its own statistics."""

    axes = (4,)
    example = "InstanceNorm3d: {affine: true}"
    example_input = (64, 16, 28, 28)


class GroupNorm(Op):
    """Groups of channels normalised by their own statistics, whatever the batch."""

    num_groups: int = arg(whole(), "groups that the channels are divided into", letter="G")
    num_channels: int | None = inferred(whole(), "channels of the input", letter="C")
    eps: float = arg(NUMBER, "what is added to the variance", default=1e-5)
    affine: bool = arg(FLAG, "whether scale and shift are learnt", default=True)
    bias: bool = arg(FLAG, "whether, where a scale is learnt, a shift is learnt too", default=True)

    autocast_cuda = "float32"
    example = "GroupNorm: {num_groups: 32}"

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        return {"num_channels": shapes[0][0]}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if shapes[0][0] % self.num_groups:
            raise Misfit(
                f"num_groups is {self.num_groups}, which does not divide the "
                f"{shapes[0][0]} channels that reach {{layer}}",
                hint=f"use a divisor of {shapes[0][0]}",
                argument="num_groups",
            )

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        return _scale_and_shift(shapes[0][:1], self.bias) if self.affine else ()

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        return STATISTICS + _learnt(self.affine, self.bias)

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        """As everywhere, but without a bias that is the default: older releases of PyTorch do not know it."""
        return _without_default_bias(super().module_arguments(*shapes))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return whole_map(shapes[0])

    keeps = ("x", "mean", "deviation")

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        store = Store((self.num_groups,), "statistic")
        return ("mean", store), ("deviation", store)


class _LastAxesNorm(Op):
    """What the normalisations of the last axes share: which axes these are, and what an output sees."""

    normalized_shape: tuple[int, ...] | None = inferred(
        whole_list(1), "sizes of the axes that are normalised; the last axis where it is not given", letter="C"
    )
    elementwise_affine: bool = arg(FLAG, "whether a scale is learnt for each value", default=True)

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        axes = len(self.normalized_shape) if self.normalized_shape else 1
        return {"normalized_shape": shapes[0][-axes:]}

    def positions(self, shape: Shape) -> Shape:
        """The axes that are not normalised."""
        return shape[: len(shape) - len(self.infer(shape)["normalized_shape"])]

    def shifted(self) -> bool:
        """Whether a shift is learnt beside the scale."""
        return bool(getattr(self, "bias", False))

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        return (
            _scale_and_shift(self.infer(*shapes)["normalized_shape"], self.shifted()) if self.elementwise_affine else ()
        )

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        first = len(out) - len(self.infer(out)["normalized_shape"])
        seen = whole_map(out)
        return tuple(Reach(axis) if axis < first else seen[axis] for axis in range(len(out)))


class LayerNorm(_LastAxesNorm):
    """The last axes normalised by their own statistics, at each position of the others."""

    eps: float = arg(NUMBER, "what is added to the variance", default=1e-5)
    bias: bool = arg(FLAG, "whether a shift is learnt for each value", default=True)

    autocast_cuda = "float32"
    int8 = "own"
    lays_in_order = True
    example = "LayerNorm"
    example_input = (49, 64)

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        return STATISTICS + _learnt(self.elementwise_affine, self.bias)

    keeps = ("x", "mean", "deviation")

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        store = Store(self.positions(out), "statistic")
        return ("mean", store), ("deviation", store)


class RMSNorm(_LastAxesNorm):
    """The last axes divided by the root of the mean of their squares, at each position of the others."""

    eps: float | None = arg(optional(NUMBER), "what is added; null for the smallest step of the type", default=None)

    example = "RMSNorm"
    example_input = (49, 64)

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        return "multiply", "add", "multiply", *_learnt(self.elementwise_affine, False)

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor, statistic = Store(out), Store(self.positions(out))
        normalised = "normalised" if self.elementwise_affine else "y"
        found = (
            Action((("squares", tensor),), keeps=("x",)),
            Action((("mean", statistic),), ("squares",)),
            Action((("root", statistic),), ("mean",), ("root",), ("squares",)),
            Action(((normalised, tensor),), ("x", "root"), ("x", "root"), product=True),
        )
        scaled = Action((("y", tensor),), (normalised, "weight"), (normalised, "weight"), ("root",), product=True)
        return (*found, scaled) if self.elementwise_affine else found
