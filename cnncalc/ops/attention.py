"""Multi-head attention, as convolutional networks use it on their maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import Misfit
from ..formula import formula, prod
from ..quantities import readable
from .actions import Action, Setting, Shape, Store, inputs
from .base import TORCH, Gradients, Op, Parameter, Reach, Size, Window, Work, arg, inferred
from .counting import BACKWARD
from .kinds import FLAG, SHARE, optional, whole

VASWANI = "Vaswani et al. (2017), Attention is all you need, section 3.2"


@formula(
    "weights of multi-head attention",
    chapter="parameters",
    symbol="weights",
    unit="parameters",
    source=VASWANI + "; " + TORCH.format("MultiheadAttention"),
)
def attention_weights(C: Any, U: Any, V: Any) -> Any:
    """Four projections: queries and output C·C, keys U·C, values V·C."""
    return 2 * C * C + U * C + V * C


@formula(
    "biases of multi-head attention",
    chapter="parameters",
    symbol="biases",
    unit="parameters",
    source=TORCH.format("MultiheadAttention"),
)
def attention_biases(C: Any, J: Any) -> Any:
    """One vector for each of the four projections; two more where a key and a value are appended."""
    return J * C


@formula(
    "multiply-adds of multi-head attention",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source=VASWANI + ": four projections, and two products of L·M·C",
)
def attention_macs(L: Any, M: Any, C: Any, U: Any, V: Any, a: Any) -> Any:
    """a keys and values are appended to the M that come in."""
    return 2 * L * C * C + M * U * C + M * V * C + 2 * L * (M + a) * C


@formula(
    "other work of multi-head attention",
    chapter="other work",
    symbol="FLOPs",
    unit="operations",
    source=VASWANI + ": the queries are scaled, and a softmax takes an exponential, an addition and a division",
)
def attention_work(L: Any, M: Any, C: Any, H: Any, a: Any) -> Any:
    return L * C + 3 * H * L * (M + a)


@formula(
    "multiply-adds of the gradients of attention's inputs",
    chapter="training",
    symbol="MACs",
    unit="MAC",
    source=VASWANI
    + ": each of the two products without weights has two factors, and the output's projection comes last",
)
def attention_gradient_macs(L: Any, M: Any, C: Any, a: Any, X: Any) -> Any:
    """X is the work of the projections whose input wants a gradient."""
    return X + L * C * C + 4 * L * (M + a) * C


@formula(
    "multiply-adds of the gradients of attention's weights",
    chapter="training",
    symbol="MACs",
    unit="MAC",
    source=VASWANI + ": as many as the four projections",
)
def attention_weight_gradient_macs(L: Any, M: Any, C: Any, U: Any, V: Any) -> Any:
    return 2 * L * C * C + M * U * C + M * V * C


class MultiheadAttention(Op):
    """Attention of a sequence to itself, or with `from: [query, key, value]` of one to another."""

    embed_dim: int | None = inferred(whole(), "features of the queries", letter="C")
    num_heads: int = arg(whole(), "heads, among which the features are divided", letter="H")
    dropout: float = arg(SHARE, "share of the attention that is dropped in training", default=0.0)
    bias: bool = arg(FLAG, "whether the projections have biases", default=True)
    add_bias_kv: bool = arg(FLAG, "whether a learnt key and value are appended", default=False)
    add_zero_attn: bool = arg(FLAG, "whether a key and value of zeros are appended", default=False)
    kdim: int | None = arg(optional(whole()), "features of the keys; null for as many as the queries", default=None)
    vdim: int | None = arg(optional(whole()), "features of the values; null for as many as the queries", default=None)
    batch_first: bool = arg(
        FLAG, "true here, other than in PyTorch, because the batch is never written and always first", default=True
    )

    many_inputs = True
    weight_layers = 2
    autocast = None
    example = "MultiheadAttention: {num_heads: 8}"
    example_input = (49, 64)

    def _sequences(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
        if len(shapes) == 1:
            return shapes[0], shapes[0], shapes[0]
        if len(shapes) != 3:
            raise Misfit("attention takes one input, or three: query, key and value")
        return shapes[0], shapes[1], shapes[2]

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        return {"embed_dim": shapes[0][-1]}

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        query, key, value = self._sequences(shapes)
        if not self.batch_first:
            raise Misfit(
                "batch_first: false would take the sequence for the batch",
                hint="leave batch_first out: the batch is never written, and always first",
                argument="batch_first",
            )
        for shape in shapes:
            if len(shape) != 2:
                raise Misfit(
                    f"attention wants a sequence of vectors; {{layer}} receives {readable(shape)}",
                    hint="Flatten: {start_dim: 2} and Permute: {dims: [0, 2, 1]} turn a map into one",
                )
        if query[1] % self.num_heads:
            raise Misfit(
                f"num_heads is {self.num_heads}, which does not divide the {query[1]} features that reach {{layer}}",
                hint=f"use a divisor of {query[1]}",
                argument="num_heads",
            )
        if key[0] != value[0]:
            raise Misfit(f"there are {key[0]} keys but {value[0]} values at {{layer}}")
        for name, stated, expected in (("kdim", self.kdim, key[1]), ("vdim", self.vdim, value[1])):
            if (query[1] if stated is None else stated) != expected:
                raise Misfit(
                    f"{name} is {query[1] if stated is None else stated}, but vectors of {expected} reach {{layer}}",
                    hint=f"say {name}: {expected}",
                    argument=name,
                )

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return shapes[0]

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        query, key, value = self._sequences(shapes)
        E = query[1]
        weights = attention_weights.step(C=E, U=key[1], V=value[1])
        biases = attention_biases.step(C=E, J=4 * self.bias + 2 * self.add_bias_kv)
        if query[1] == key[1] == value[1]:
            tensors = [Parameter("in_proj_weight", (3 * E, E), "weight", weights)]
        else:
            widths = (("q", E), ("k", key[1]), ("v", value[1]))
            tensors = [Parameter(f"{name}_proj_weight", (E, width), "weight", weights) for name, width in widths]
        if self.bias:
            tensors.append(Parameter("in_proj_bias", (3 * E,), "bias", biases))
        if self.add_bias_kv:
            tensors += [Parameter(name, (1, 1, E), "bias", biases) for name in ("bias_k", "bias_v")]
        tensors.append(Parameter("out_proj.weight", (E, E), "weight", weights))
        if self.bias:
            tensors.append(Parameter("out_proj.bias", (E,), "bias", biases))
        return tuple(tensors)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        query, key, value = self._sequences(shapes)
        appended = int(self.add_bias_kv) + int(self.add_zero_attn)
        letters = {"L": query[0], "M": key[0], "C": query[1], "a": appended}
        return Work(
            attention_macs.step(**letters, U=key[1], V=value[1]), other=attention_work.step(**letters, H=self.num_heads)
        )

    def gradients(self, wanted: tuple[bool, ...], out: Shape, *shapes: Shape) -> Gradients:
        query, key, value = self._sequences(shapes)
        E, asked = query[1], wanted if len(wanted) == 3 else wanted * 3
        widths = zip(asked, (query, key, value), strict=True)
        projected = sum(shape[0] * shape[1] * E for wants, shape in widths if wants)
        letters = {"L": query[0], "M": key[0], "C": E}
        appended = int(self.add_bias_kv) + int(self.add_zero_attn)
        return Gradients(
            attention_gradient_macs.step(**letters, a=appended, X=projected),
            attention_weight_gradient_macs.step(**letters, U=key[1], V=value[1]),
        )

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        query, key, value = self._sequences(shapes)
        appended = self.add_bias_kv or self.add_zero_attn
        if len(shapes) == 1 and not (setting.training or appended or self.num_heads % 2) and self.bias:
            return (Action((("y", Store(out)),), ("x", "weight")),)  # one fused operation
        if len(shapes) == 1:
            steps = [*self._projected(setting, "x", query, 3 * query[1], "x")]
            last = steps[-1].makes[0][0]
            if setting.batch * query[0] > 1:  # queries, keys and values are put one behind the other
                steps.append(Action((("packed", Store((3, *query))),), (last,)))
                last = "packed"
            q = k = v = last
        else:
            steps = []
            for name, shape in (("x0", query), ("x1", key), ("x2", value)):
                steps += self._projected(setting, name, shape, query[1], name)
            made = [action.makes[0][0] for action in steps]
            q, k, v = (max(name for name in made if name.startswith(f"{x} ")) for x in ("x0", "x1", "x2"))
        for each in ("k", "v"):
            before, length = (k, key[0]) if each == "k" else (v, value[0])
            if self.add_bias_kv:
                length += 1
                steps.append(Action(((f"bias {each}", Store((query[1],))),), ("weight",)))
                steps.append(Action(((f"{each} with bias", Store((length, query[1]))),), (before, f"bias {each}")))
                before = f"{each} with bias"
            k, v = (before, v) if each == "k" else (k, before)
        for each in ("k", "v"):
            before, length = (k, key[0]) if each == "k" else (v, value[0])
            length += self.add_bias_kv
            if self.add_zero_attn:
                steps.append(Action(((f"zero {each}", Store((query[1],))),), ()))
                steps.append(Action(((f"{each} with zero", Store((length + 1, query[1]))),), (before, f"zero {each}")))
                before = f"{each} with zero"
            k, v = (before, v) if each == "k" else (k, before)
        three, sums = tuple(dict.fromkeys((q, k, v))), Store((self.num_heads, query[0]), "statistic")
        attended = Action((("attended", Store(query)), ("sums", sums)), three, (*three, "attended", "sums"))
        return (*steps, attended, Action((("y", Store(out)),), ("attended", "weight"), ("attended",), apart=True))

    def _projected(self, setting: Setting, name: str, shape: Shape, width: int, label: str) -> tuple[Action, ...]:
        """A linear layer on a sequence whose batch PyTorch moves to the second axis, which costs a copy."""
        length = shape[0]
        if setting.batch == 1 or length == 1:
            return (Action(((f"{label} projected", Store((length, width))),), (name, "weight"), (name,), apart=True),)
        rows, product = f"{label} in rows", f"{label} projected"
        found = (
            Action(((rows, Store(shape)),), (name,)),
            Action(((product, Store((length, width))),), (rows, "weight"), (rows,), apart=True),
        )
        if not self.bias:
            return found
        return (*found, Action(((f"{label} shifted", Store((length, width))),), (product, "weight")))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        # Every vector looks at every vector of the keys, which are as many as the last input is long.
        length = shapes[-1][0]
        return Reach(0, Window(2 * length - 1, 1, length - 1, False)), Reach(None, Window(shapes[0][1], 1, 0))


@formula(
    "multiply-adds of dot products",
    chapter="multiply-adds",
    symbol="MACs",
    unit="MAC",
    source=VASWANI + ": queries times keys, and their softmax times the values",
)
def dot_product_macs(L: Any, M: Any, C: Any, V: Any) -> Any:
    return L * M * (C + V)


@formula(
    "multiply-adds of the gradients of dot products",
    chapter="training",
    symbol="MACs",
    unit="MAC",
    source=BACKWARD + ": of each product that of each factor",
    means={"m": "of queries and keys, those that want a gradient", "n": "of softmax and values, those that want one"},
)
def dot_product_gradient_macs(L: Any, M: Any, C: Any, V: Any, m: Any, n: Any) -> Any:
    return L * M * (m * C + n * V)


class Attention(Op):
    """Scaled dot products between `from: [query, key, value]`, or of a sequence with itself, without projections."""

    num_heads: int = arg(whole(), "heads, among which the features are divided", letter="H")

    many_inputs = True
    yields = True
    example = "Attention: {num_heads: 8}"
    example_input = (49, 64)

    def sequences(self, shapes: tuple[Shape, ...]) -> tuple[Shape, Shape, Shape]:
        """The shapes of query, key and value."""
        if len(shapes) not in (1, 3):
            raise Misfit("attention takes one input, or three: query, key and value")
        return (shapes[0], *(shapes[1:] or shapes * 2))  # type: ignore[return-value]

    def check(self, *shapes: Shape) -> None:
        super().check(*shapes)
        query, key, value = self.sequences(shapes)
        if min(map(len, shapes)) < 2:
            raise Misfit(
                f"attention wants sequences of vectors; {{layer}} receives {readable(min(shapes, key=len))}",
                "its last two axes are length and width",
            )
        if not query[:-2] == key[:-2] == value[:-2] or query[-1] != key[-1] or key[-2] != value[-2]:
            raise Misfit(
                f"query {list(query)}, key {list(key)} and value {list(value)} do not fit at {{layer}}",
                "queries and keys are equally wide, keys and values equally many, and all axes before are equal",
            )
        for width in (query[-1], value[-1]):
            if width % self.num_heads:
                message = f"num_heads is {self.num_heads}, which does not divide the {width} features at {{layer}}"
                raise Misfit(message, f"use a divisor of {width}", "num_heads")

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        query, _, value = self.sequences(shapes)
        return (*query[:-1], value[-1])

    def letters(self, shapes: tuple[Shape, ...]) -> dict[str, int]:
        """Lengths and widths; all sequences of an image are one behind the other."""
        query, key, value = self.sequences(shapes)
        return {"L": prod(query[:-1]), "M": key[-2], "C": query[-1], "V": value[-1]}

    def work(self, out: Shape, *shapes: Shape) -> Work:
        letters = self.letters(shapes)
        softmax = attention_work.step(L=letters["L"], M=letters["M"], C=letters["C"], H=self.num_heads, a=0)
        return Work(dot_product_macs.step(**letters), other=softmax)

    def gradients(self, wanted: tuple[bool, ...], out: Shape, *shapes: Shape) -> Gradients:
        query, key, value = wanted if len(wanted) == 3 else wanted * 3
        m, n = query + key, (query or key) + value
        return (
            Gradients(dot_product_gradient_macs.step(**self.letters(shapes), m=m, n=n)) if any(wanted) else Gradients()
        )

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        three = inputs(len(shapes))
        sums = Store((self.num_heads, *out[:-1]), "statistic")
        return (Action((("y", Store(out)), ("sums", sums)), three, (*three, "y", "sums")),)

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        *before, _, width = shapes[0]
        length = self.sequences(shapes)[1][-2]
        every_vector = Reach(len(before), Window(2 * length - 1, 1, length - 1, False))
        return (*(Reach(axis) for axis in range(len(before))), every_vector, Reach(None, Window(width, 1, 0)))

    @staticmethod
    def torch_module() -> Any:
        from torch import Tensor, nn
        from torch.nn import functional as F

        class Attention(nn.Module):
            """Scaled dot products between queries, keys and values, the last two axes being length and width."""

            def __init__(self, num_heads: int) -> None:
                super().__init__()
                self.num_heads = num_heads

            def forward(self, query: Tensor, *others: Tensor) -> Tensor:
                key, value = others or (query, query)
                q, k, v = (self.divided(each) for each in (query, key, value))
                heads = F.scaled_dot_product_attention(q, k, v)
                return heads.transpose(1, 2).reshape(*query.shape[:-1], value.shape[-1])

            def divided(self, x: Tensor) -> Tensor:
                """One sequence for each head."""
                x = x.reshape(-1, x.shape[-2], self.num_heads, x.shape[-1] // self.num_heads)
                return x.transpose(1, 2)

        return Attention
