"""What LeNet-5 of 1998 has and nothing since: partial connections, trainable subsampling, the RBF output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Misfit
from ..formula import formula, prod
from .actions import Action, Setting, Shape, Store
from .base import Call, Op, Parameter, Reach, Size, Window, Work, arg, every, inferred
from .conv import biases, check_window, conv_output
from .kinds import FLAG, NUMBER, TABLE, sizes, whole

LECUN_1989 = "LeCun et al. (1989), Backpropagation applied to handwritten zip code recognition, section 4.1"
LECUN = "LeCun et al. (1998), Gradient-based learning applied to document recognition, {}"


@formula(
    "weights of a partially connected convolution",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=LECUN.format("table I"),
)
def partial_weights(F: Any, T: Any) -> Any:
    return prod(F) * T


@formula(
    "multiply-adds of a partially connected convolution",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source=LECUN.format("table I"),
)
def partial_macs(F: Any, T: Any, O: Any) -> Any:
    return prod(F) * T * prod(O)


@formula(
    "connections of a partially connected convolution",
    chapter="connections",
    symbol="connections",
    unit="connections",
    source=LECUN.format("section II.B: layer C3 has 151,600"),
)
def partial_connections(F: Any, T: Any, β: Any, K: Any, O: Any) -> Any:
    return (prod(F) * T + β * K) * prod(O)


@formula(
    "biases of single units",
    chapter="parameters",
    symbol="biases",
    unit="parameters",
    source=LECUN_1989 + ": the biases of layer H1, 768",
)
def unit_biases(O: Any) -> Any:
    return prod(O)


@formula(
    "connections of the biases of single units",
    chapter="connections",
    symbol="connections",
    unit="connections",
    source=LECUN_1989 + ": a bias is a connection to a unit that is always on",
)
def unit_connections(O: Any) -> Any:
    return prod(O)


@formula(
    "coefficients of a trainable subsampling",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=LECUN.format("section II.B: layer S2"),
)
def subsampling_weights(C: Any) -> Any:
    return C


@formula(
    "work of a trainable subsampling",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source=LECUN.format("section II.B: the inputs are added, multiplied by the coefficient, and the bias is added"),
)
def subsampling_work(F: Any, C: Any, O: Any) -> Any:
    return (prod(F) + 1) * C * prod(O)


@formula(
    "connections of a trainable subsampling",
    chapter="connections",
    symbol="connections",
    unit="connections",
    source=LECUN.format("section II.B: layer S2 has 5,880"),
)
def subsampling_connections(F: Any, C: Any, O: Any) -> Any:
    return (prod(F) + 1) * C * prod(O)


@formula(
    "fixed codes of an RBF output",
    chapter="parameters",
    symbol="buffers",
    unit="buffers",
    source=LECUN.format("section II.B: the output layer"),
)
def rbf_codes(C: Any, K: Any) -> Any:
    return C * K


@formula(
    "work of an RBF output",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source=LECUN.format("equation 7: y = Σ(x − w)²"),
)
def rbf_work(C: Any, K: Any) -> Any:
    return 3 * C * K


@formula(
    "connections of an RBF output",
    chapter="connections",
    symbol="connections",
    unit="connections",
    source=LECUN.format("section II.B: the output layer"),
)
def rbf_connections(C: Any, K: Any) -> Any:
    return C * K


class PartialConv2d(Op):
    """A convolution in which each output plane sees only some of the input planes, as LeNet-5's C3."""

    connections: tuple[tuple[int, ...], ...] = arg(
        TABLE, "the input planes of each output plane, counted from 0; as many lists as output channels"
    )
    kernel_size: tuple[int, ...] = arg(sizes(), "size of the kernel", letter="F")
    stride: tuple[int, ...] = arg(sizes(), "step of the kernel", default=1, letter="S")
    padding: tuple[int, ...] = arg(sizes(0), "padding on each side", default=0, letter="P")
    bias: bool = arg(FLAG, "whether each output plane has a bias", default=True)

    spatial = 2
    weight_layers = 1
    example = "PartialConv2d: {connections: [[0, 1], [1, 2], [0, 2]], kernel_size: 5}"
    example_input = (3, 14, 14)

    @property
    def pairs(self) -> int:
        return sum(map(len, self.connections))

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        last = max(max(planes) for planes in self.connections)
        if last >= shapes[0][0]:
            raise Misfit(
                f"connections name input plane {last}, but {shapes[0][0]} channels reach {{layer}}",
                hint=f"planes are counted from 0 to {shapes[0][0] - 1}",
                argument="connections",
            )
        check_window(shapes[0], self.kernel_size, tuple((P, P) for P in self.padding), (1, 1))

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = zip(shapes[0][1:], self.kernel_size, self.stride, self.padding, strict=True)
        return (len(self.connections), *(conv_output.step(N=N, F=F, S=S, P=P, D=1) for N, F, S, P in axes))

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        K = len(self.connections)
        step = partial_weights.step(F=self.kernel_size, T=self.pairs)
        weight = Parameter("weight", (self.pairs, *self.kernel_size), "weight", step)
        return (weight, Parameter("bias", (K,), "bias", biases.step(K=K))) if self.bias else (weight,)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        letters = {"F": self.kernel_size, "T": self.pairs, "O": out[1:]}
        return Work(
            partial_macs.step(**letters), connections=partial_connections.step(**letters, β=int(self.bias), K=out[0])
        )

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        # All pairs of planes are taken apart, convolved, and summed up by output plane.
        plane = "sum" if self.bias else "y"
        found = (
            Action((("pairs", Store((self.pairs, *shapes[0][1:]))),)),
            Action((("seen", Store((self.pairs, *out[1:]))),), ("pairs", "weight"), ("pairs",)),
            Action(((plane, Store(out)),), ()),
            Action((), (plane, "seen"), ("seen",), ("pairs",), same=(plane, plane)),
        )
        return (*found, Action((("y", Store(out)),), (plane, "weight"), (), ("seen", "pairs"))) if self.bias else found

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        axes = zip(self.kernel_size, self.stride, self.padding, strict=True)
        return (
            Reach(0, every(shapes[0][0])),
            *(Reach(axis, Window(F, S, P)) for axis, (F, S, P) in enumerate(axes, 1)),
        )

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn
        from torch.nn import functional as F

        class PartialConv2d(nn.Module):
            """A convolution in which each output plane sees only some input planes: LeNet-5's C3.

            The weight holds one kernel for each connected pair of planes. All pairs are convolved apart, and each
            output plane is the sum of its own.
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
                self.weight = nn.Parameter(
                    torch.empty(len(sources), height, width).uniform_(-(fan_in**-0.5), fan_in**-0.5)
                )
                self.bias = nn.Parameter(torch.zeros(len(connections))) if bias else None

            def forward(self, x: Tensor) -> Tensor:
                pairs = x.index_select(1, self.sources)
                weight = self.weight.unsqueeze(1)
                seen = F.conv2d(pairs, weight, None, self.stride, self.padding, groups=len(weight))
                out = seen.new_zeros(seen.shape[0], self.planes, *seen.shape[2:]).index_add_(1, self.targets, seen)
                return out if self.bias is None else out + self.bias[:, None, None]

        return PartialConv2d


class Subsampling(Op):
    """The sum of each window times a trainable coefficient, plus a trainable bias, for each channel: LeNet-5's S2."""

    kernel_size: tuple[int, ...] = arg(sizes(), "size of the window, which is also its step", default=2, letter="F")

    spatial = 2
    weight_layers = 1
    example = "Subsampling"
    example_input = (6, 28, 28)

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        check_window(shapes[0], self.kernel_size, ((0, 0), (0, 0)), (1, 1))

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        axes = zip(shapes[0][1:], self.kernel_size, strict=True)
        return (shapes[0][0], *(conv_output.step(N=N, F=F, S=F, P=0, D=1) for N, F in axes))

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        C = shapes[0][0]
        return (
            Parameter("weight", (C,), "weight", subsampling_weights.step(C=C)),
            Parameter("bias", (C,), "bias", biases.step(K=C)),
        )

    def work(self, out: Shape, *shapes: Shape) -> Work:
        letters = {"F": self.kernel_size, "C": out[0], "O": out[1:]}
        return Work(other=subsampling_work.step(**letters), connections=subsampling_connections.step(**letters))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        tensor = Store(out)
        return (
            Action((("means", tensor),), keeps=("x",)),
            Action((("coefficients", Store(shapes[0][:1], each=False)),), ("weight",)),
            Action((("scaled", tensor),), ("means", "coefficients"), ("means", "coefficients"), product=True),
            Action((("y", tensor),), ("scaled", "weight"), holds=("means", "coefficients")),
        )

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        return {"channels": shapes[0][0], **super().module_arguments(*shapes)}

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return (Reach(0), *(Reach(axis, Window(F, F, 0)) for axis, F in enumerate(self.kernel_size, 1)))

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn
        from torch.nn import functional as F

        class Subsampling(nn.Module):
            """The sum of each window times a coefficient, plus a bias, for each channel: LeNet-5's S2."""

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

        return Subsampling


class UnitBias(Op):
    """A learnt number added to every unit: biases that are not shared, as in LeNet of 1989."""

    keeps = ()

    init_value: float = arg(NUMBER, "bias at the start", default=0.0)

    operations = ("add",)
    example = "UnitBias"
    example_input = (12, 8, 8)

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        return (Parameter("", shapes[0], "bias", unit_biases.step(O=shapes[0])),)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return super().work(out, *shapes)._replace(connections=unit_connections.step(O=shapes[0]))

    def call(self, *shapes: Shape) -> Call:
        return Call("operator.add", tensors="own")


class RBF(Op):
    """The squared distance of the input to each of a set of fixed codes: LeNet-5's output."""

    in_features: int | None = inferred(whole(), "features of the input", letter="C")
    out_features: int = arg(whole(), "codes, one for each class", letter="K")

    weight_layers = 1
    example = "RBF: {out_features: 10}"
    example_input = (84,)

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        return {"in_features": shapes[0][-1]}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        if len(shapes[0]) != 1:
            raise Misfit(
                "RBF wants a vector; {layer} receives " + f"{len(shapes[0])} axes", hint="put Flatten before it"
            )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return (self.out_features,)

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        C, K = shapes[0][0], self.out_features
        return (Parameter("codes", (K, C), "buffer", rbf_codes.step(C=C, K=K)),)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        letters = {"C": shapes[0][0], "K": self.out_features}
        return Work(other=rbf_work.step(**letters), connections=rbf_connections.step(**letters))

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        each = Store((self.out_features, *shapes[0]))
        return (
            Action((("differences", each),)),
            Action((("squares", each),), ("differences",), ("differences",)),
            Action((("y", Store(out)),), ("squares",)),
        )

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        return (Reach(None, Window(shapes[0][0], 1, 0)),)

    @staticmethod
    def torch_module() -> Any:
        import torch
        from torch import Tensor, nn

        class RBF(nn.Module):
            """The squared distance of the input to each of a set of fixed codes: LeNet-5's output."""

            codes: Tensor

            def __init__(self, in_features: int, out_features: int) -> None:
                super().__init__()
                codes = torch.randint(0, 2, (out_features, in_features)) * 2.0 - 1.0
                self.register_buffer("codes", codes)

            def forward(self, x: Tensor) -> Tensor:
                return (x.unsqueeze(1) - self.codes).square().sum(2)

        return RBF
