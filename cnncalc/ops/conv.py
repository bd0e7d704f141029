"""Convolutions in one, two and three dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import formula, over, prod
from . import workspace
from .actions import Action, Setting, Shape, Store
from .base import TORCH, Op, Parameter, Reach, Size, Window, Work, arg, every, inferred
from .border import UPPER, Border, border, is_even, upper_output, upper_pads
from .kinds import FLAG, FLAG_OR_SCALED, NUMBER, sizes, whole, word
from .standardised import gains, scaled_torch_module, standardising, std_torch_module
from .workspace import Workspace

DUMOULIN = "Dumoulin & Visin (2016), A guide to convolution arithmetic, relationship {}"


@formula(
    "output size of a window",
    chapter="output size",
    symbol="O",
    unit="px",
    source=DUMOULIN.format(15) + "; torch.nn.Conv2d, MaxPool2d",
)
def conv_output(N: Any, F: Any, S: Any, P: Any, D: Any) -> Any:
    """Each axis apart. The floor means that a remainder is never seen: the window stops before it."""
    return (N + 2 * P - D * (F - 1) - 1) // S + 1


@formula(
    "output size, padding 'same'",
    chapter="output size",
    symbol="O",
    unit="px",
    source=TORCH.format("Conv2d") + ": padding='same'",
)
def same_output(N: Any, F: Any, P_total: Any, D: Any) -> Any:
    """PyTorch pads D·(F − 1) in all, the odd pixel at the end, and allows no stride."""
    return N + P_total - D * (F - 1)


@formula("padding 'same'", chapter="output size", symbol="P_total", unit="px", source=TORCH.format("Conv2d"))
def same_padding(F: Any, D: Any) -> Any:
    return D * (F - 1)


@formula(
    "weights of a convolution",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source="Stanford CS231n, Convolutional Networks: F·F·D₁ weights per filter, K filters; " + TORCH.format("Conv2d"),
)
def conv_weights(F: Any, C: Any, G: Any, K: Any) -> Any:
    return prod(F) * over(C, G) * K


@formula(
    "biases",
    chapter="parameters",
    symbol="biases",
    unit="parameters",
    source="Stanford CS231n, Convolutional Networks: one bias for each filter",
)
def biases(K: Any) -> Any:
    return K


@formula(
    "multiply-adds of a convolution",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source="Howard et al. (2017), MobileNets, section 3.1; Sze et al. (2017), Efficient Processing, section III",
)
def conv_macs(F: Any, C: Any, G: Any, K: Any, O: Any) -> Any:
    """Every weight is used once for each output position; biases are not counted."""
    return prod(F) * over(C, G) * K * prod(O)


@formula(
    "connections of a convolution",
    chapter="connections",
    symbol="connections",
    unit="connections",
    source="LeCun et al. (1998), Gradient-based learning, section II.B",
)
def conv_connections(F: Any, C: Any, G: Any, β: Any, K: Any, O: Any) -> Any:
    """The bias counts as a connection of each output unit."""
    return (prod(F) * over(C, G) + β) * K * prod(O)


class Convolution(Op, name="_Convolution"):
    """What convolutions and transposed convolutions share."""

    in_channels: int | None = inferred(whole(), "channels of the input", letter="C")
    out_channels: int = arg(whole(), "filters: channels of the output", letter="K")
    kernel_size: tuple[int, ...] = arg(sizes(), "size of the kernel", letter="F")
    stride: tuple[int, ...] = arg(sizes(), "step of the kernel", default=1, letter="S")
    dilation: tuple[int, ...] = arg(sizes(), "distance between the kernel's elements", default=1, letter="D")
    groups: int = arg(
        whole(), "groups of channels that are convolved apart; as many as channels: depthwise", default=1, letter="G"
    )
    bias: bool = arg(FLAG, "whether each filter has a bias", default=True)

    weight_layers = 1
    keeps = ("x",)
    autocast = "lower"
    int8 = "own"

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        return {"in_channels": shapes[0][0]}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        channels, groups = shapes[0][0], self.groups
        if channels % groups:
            raise Misfit(
                f"groups is {groups}, but {channels} channels reach {{layer}}, and {groups} does not divide {channels}",
                hint=f"use a divisor of {channels}",
                argument="groups",
            )
        if self.out_channels % groups:
            raise Misfit(
                f"groups is {groups}, which does not divide out_channels, {self.out_channels}",
                hint=f"use a divisor of {self.out_channels}, or other out_channels",
                argument="groups",
            )

    def weight_shape(self, channels: int) -> Shape:
        return (self.out_channels, channels // self.groups, *self.kernel_size)

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        step = conv_weights.step(F=self.kernel_size, C=shapes[0][0], G=self.groups, K=self.out_channels)
        weight = Parameter("weight", self.weight_shape(shapes[0][0]), "weight", step)
        bias = Parameter("bias", (self.out_channels,), "bias", biases.step(K=self.out_channels))
        return (weight, bias) if self.bias else (weight,)


class _Conv(Convolution):
    """What the three convolutions share."""

    int8_takes_in = ("BatchNorm", "ReLU")

    padding: tuple[int, ...] | str = arg(
        sizes(0, words=("same", "valid", UPPER)),
        "padding on each side, 'valid', 'same', or 'same_upper' for TensorFlow's SAME, also with a stride",
        default=0,
        letter="P",
    )
    padding_mode: str = arg(
        word("zeros", "reflect", "replicate", "circular"), "what the padding is filled with", default="zeros"
    )

    def int8_scales(self) -> int:
        return self.out_channels

    @property
    def is_apart(self) -> bool:
        """Whether the padding depends on the size of the input, and is a step of its own."""
        return self.padding == UPPER and not is_even(self.kernel_size, self.stride, self.dilation)

    def border(self, *shapes: Shape) -> Border | None:
        return border(self.pads(shapes[0])) if self.is_apart else None

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        made = super().module_arguments(*shapes)
        if self.padding != UPPER:
            return made
        even = tuple(D * (F - 1) // 2 for F, D in zip(self.kernel_size, self.dilation, strict=True))
        return {**made, "padding": (0,) * self.spatial if self.is_apart else even}

    def pads(self, shape: Shape) -> tuple[tuple[int, int], ...]:
        """Padding before and after, for each axis."""
        if self.padding == UPPER:
            return upper_pads(shape[1:], self.kernel_size, self.stride, self.dilation)
        if self.padding == "valid":
            return ((0, 0),) * self.spatial
        if self.padding == "same":
            needed = [same_padding(F=F, D=D) for F, D in zip(self.kernel_size, self.dilation, strict=True)]
            return tuple((each // 2, each - each // 2) for each in needed)
        assert not isinstance(self.padding, str)
        return tuple((each, each) for each in self.padding)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if self.padding == "same" and any(step != 1 for step in self.stride):
            raise Misfit(
                "padding 'same' is not defined for a stride above 1",
                hint="PyTorch refuses it; give the padding as numbers",
                argument="padding",
            )
        if self.padding == UPPER and self.padding_mode != "zeros":
            message = f"padding 'same_upper' is of zeros, not {self.padding_mode}"
            raise Misfit(message, "a pad layer before it", "padding_mode")
        check_window(shapes[0], self.kernel_size, self.pads(shapes[0]), self.dilation)
        limit = {"reflect": -1, "circular": 0}.get(self.padding_mode)
        for size, pads in zip(shapes[0][1:], self.pads(shapes[0]), strict=True):
            if limit is not None and max(pads) > size + limit:
                raise Misfit(
                    f"{self.padding_mode} padding of {max(pads)} is too large for an axis of {size} at {{layer}}",
                    hint=f"use padding ≤ {size + limit}",
                    argument="padding",
                )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = zip(shapes[0][1:], self.kernel_size, self.dilation, strict=True)
        if self.padding == UPPER:
            steps = [upper_output.step(N=N, S=S) for (N, _, _), S in zip(axes, self.stride, strict=True)]
        elif self.padding == "same":
            steps = [same_output.step(N=N, F=F, P_total=same_padding(F=F, D=D), D=D) for N, F, D in axes]
        else:
            steps = [
                conv_output.step(N=N, F=F, S=S, P=P, D=D)
                for (N, F, D), S, (P, _) in zip(axes, self.stride, self.pads(shapes[0]), strict=True)
            ]
        return (self.out_channels, *steps)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        letters = {"F": self.kernel_size, "C": shapes[0][0], "G": self.groups, "K": self.out_channels, "O": out[1:]}
        return Work(conv_macs.step(**letters), connections=conv_connections.step(**letters, β=int(self.bias)))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        extents = [D * (F - 1) + 1 for F, D in zip(self.kernel_size, self.dilation, strict=True)]
        axes = zip(extents, self.stride, self.pads(shapes[0]), strict=True)
        return (Reach(0, every(shapes[0][0])), *(Reach(i, Window(F, S, P)) for i, (F, S, (P, _)) in enumerate(axes, 1)))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        before = self.padded_first(shapes[0])
        if before is None:
            return super().actions(setting, out, *shapes)
        # Reflecting and replicating keep what they padded; zeros and a circle do not need it.
        kept = ("x",) if self.padding_mode in ("reflect", "replicate") else ()
        return (
            Action((("padded", Store(before)),), keeps=kept),
            Action((("y", Store(out)),), ("padded", "weight"), ("padded",)),
        )

    def workspace(self, setting: Setting, out: Shape, *shapes: Shape) -> Workspace:
        shape, before = self.padded_first(shapes[0]) or shapes[0], 0
        if shape == shapes[0]:
            before = max(pads[0] for pads in self.pads(shape))
        return workspace.convolution(self, setting, before, out, shape)

    def padded_first(self, shape: Shape) -> Shape | None:
        """The shape after a padding that PyTorch does in a step of its own; None where the convolution pads."""
        pads = self.pads(shape)
        if self.padding_mode != "zeros" or self.is_apart:
            more = [before + after for before, after in pads]
            if self.is_apart and not any(more):
                return None
        elif self.padding == "same":
            more = [after - before for before, after in pads]  # the odd pixel at the end
            if not any(more):
                return None
        else:
            return None
        return (shape[0], *(size + each for size, each in zip(shape[1:], more, strict=True)))


class Conv1d(_Conv):
    """A convolution over a sequence."""

    spatial = 1
    example = "Conv1d: {out_channels: 64, kernel_size: 80, stride: 4}"
    example_input = (1, 16000)


class Conv2d(_Conv):
    """A convolution over an image."""

    standardise: bool | str = arg(
        FLAG_OR_SCALED, "whether filters are standardised before each use, 'scaled' with a learnt gain", default=False
    )
    gain: float = arg(NUMBER, "with 'scaled': the gain at the start", default=1.0)
    gamma: float = arg(NUMBER, "with 'scaled': what the gain is multiplied by, for the activation", default=1.0)
    eps: float = arg(NUMBER, "with standardise: what is added to the variance", default=1e-6)

    spatial = 2
    own_arguments = ("standardise", "gain", "gamma", "eps")
    variants: ClassVar = {"StdConv2d": std_torch_module, "ScaledStdConv2d": scaled_torch_module}
    example = "Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}"
    example_input = (3, 224, 224)

    @property
    def autocast(self) -> str | None:  # type: ignore[override]
        """What standardising computes in is not followed."""
        return None if self.standardise else "lower"

    def module_type(self) -> str:
        return {"scaled": "ScaledStdConv2d", True: "StdConv2d"}.get(self.standardise, "Conv2d")

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        made = super().module_arguments(*shapes)
        own = {name: made.pop(name) for name in ("standardise", "gain", "gamma", "eps")}
        names = {"scaled": ("gain", "gamma", "eps"), True: ("eps",)}.get(self.standardise, ())
        return {**made, **{name: own[name] for name in names}}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if self.standardise and prod(self.weight_shape(shapes[0][0])[1:]) == 1:
            message = "filters of a single weight at {layer} cannot be standardised: their variance is 0"
            raise Misfit(message, "leave standardise out there", "standardise")

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        found = super().parameters(*shapes)
        if self.standardise != "scaled":
            return found
        K = self.out_channels
        return (*found, Parameter("gain", (K, 1, 1, 1), "weight", gains.step(K=K)))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        found = super().actions(setting, out, *shapes)
        if not self.standardise:
            return found
        weights = self.weight_shape(shapes[0][0])
        *before, last = standardising(weights, self.standardise == "scaled", self.bias, out)
        if len(found) == 1:
            return (*before, last)
        reads = tuple("padded" if name == "x" else name for name in last.reads)
        return (found[0], *before, last._replace(reads=reads, keeps=("padded", "standard")))


class Conv3d(_Conv):
    """A convolution over a volume or a film."""

    spatial = 3
    example = "Conv3d: {out_channels: 64, kernel_size: [3, 7, 7], stride: [1, 2, 2], padding: [1, 3, 3]}"
    example_input = (3, 16, 112, 112)


def check_window(
    shape: Shape, kernel: tuple[int, ...], pads: tuple[tuple[int, int], ...], dilation: tuple[int, ...]
) -> None:
    """Raise `Misfit` where a window is larger than the padded map."""
    for size, F, (before, after), D in zip(shape[1:], kernel, pads, dilation, strict=True):
        extent = D * (F - 1) + 1
        if extent > size + before + after:
            spans = f" with dilation {D}, {extent} wide," if D > 1 and F > 1 else ""
            fits = (size + before + after - 1) // D + 1
            more = -(-(extent - size) // 2)
            map_ = "×".join(map(str, shape[1:])) + (" map" if len(shape) > 2 else " long sequence")
            raise Misfit(
                f"kernel {F}{spans} does not fit the {map_} that reaches {{layer}}",
                hint=f"use kernel_size ≤ {fits}, or padding ≥ {more}",
                argument="kernel_size",
                code="too-small",
            )
