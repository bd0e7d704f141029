"""Each layer type as Keras has it: constructors and expressions, as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from ..formula import prod
from ..generated import literal
from ..ops import Op, Shape
from .keras_statements import Inexpressible, Statement, expression, layer, short, tuple_text

#: Activations whose names Keras knows.
ACTIVATIONS = {
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "SiLU": "silu",
    "Mish": "mish",
    "SELU": "selu",
    "Softsign": "softsign",
    "Tanhshrink": "tanh_shrink",
    "LogSigmoid": "log_sigmoid",
    "Hardsigmoid": "hard_sigmoid",
    "Hardswish": "hard_silu",
}


def steps(op: Op, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    kind = op.type()
    a: Any = op
    if kind in ACTIVATIONS:
        return [layer(f'layers.Activation("{ACTIVATIONS[kind]}"', name)]
    for family, make in _FAMILIES.items():
        if re.fullmatch(family, kind):
            return make(a, name, out, shapes)
    raise Inexpressible("there is no such layer")


def _conv(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if op.padding_mode != "zeros":
        raise Inexpressible(f"its convolutions pad with zeros only, not {op.padding_mode}")
    if getattr(op, "standardise", False):
        raise Inexpressible("its convolutions do not standardise their weights")
    if max(op.stride) > 1 and max(op.dilation) > 1:
        raise Inexpressible("its convolutions take no stride together with dilation")
    steps, pads = [], op.pads(shapes[0])
    if any(before or after for before, after in pads):
        steps.append(_zeros(pads, f"{name}_pad"))
    text = f"layers.Conv{op.spatial}D({op.out_channels}, {short(op.kernel_size)}"
    text += _stated("strides", op.stride) + _stated("dilation_rate", op.dilation)
    text += f", groups={op.groups}" * (op.groups > 1) + ", use_bias=False" * (not op.bias)
    return [*steps, layer(text, name)]


def _stated(keyword: str, values: tuple[int, ...], default: int = 1) -> str:
    return "" if all(value == default for value in values) else f", {keyword}={short(values)}"


def _zeros(pads: Sequence[tuple[int, int]], name: str) -> Statement:
    return layer(f"layers.ZeroPadding{len(pads)}D({_pads(pads)}", name)


def _pads(pads: Sequence[tuple[int, int]]) -> str:
    if len({each for pair in pads for each in pair}) == 1:
        return str(pads[0][0])
    if len(pads) == 1:
        return str(pads[0])
    return f"({', '.join(map(str, pads))})"


def _transposed(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if op.groups > 1:
        raise Inexpressible("its transposed convolutions have no groups")
    if max(op.dilation) > 1:
        raise Inexpressible("its transposed convolutions with dilation count differently")
    text = f"layers.Conv{op.spatial}DTranspose({op.out_channels}, {short(op.kernel_size)}"
    text += _stated("strides", op.stride) + ", use_bias=False" * (not op.bias)
    crops = []
    axes = zip(shapes[0][1:], op.kernel_size, op.stride, op.padding, out[1:], strict=True)
    for N, F, S, P, O in axes:
        whole = N * S + max(F - S, 0)  # what Keras gives with padding="valid"
        crops.append((P, whole - P - O))
    if any(after < 0 for _, after in crops):
        raise Inexpressible("this output_padding reaches beyond what Keras computes")
    steps = [layer(text, name)]
    if any(before or after for before, after in crops):
        steps.append(_cropped(crops))
    return steps


def _cropped(crops: Sequence[tuple[int, int]]) -> Statement:
    parts = [f"{before or ''}:{-after if after else ''}" for before, after in crops]
    return expression(f"{{x}}[:, :, {', '.join(parts)}]")


def _pool(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    largest = "Max" in op.type()
    if max(op.dilations()) > 1:
        raise Inexpressible("its pools have no dilation")
    if getattr(op, "divisor_override", None):
        raise Inexpressible("its average pools divide by the size of the window")
    pads = []
    axes = zip(shapes[0][1:], op.kernel_size, op.steps(), op.pads(shapes[0]), out[1:], strict=True)
    for N, F, S, (before, after), O in axes:
        pads.append((before, after + max(0, (O - 1) * S + F - (N + before + after))))
    padded = any(before or after for before, after in pads)
    hangs = any(before != after for before, after in pads) and not op.is_apart
    if padded and not largest and (not op.count_include_pad or hangs):
        raise Inexpressible("its average pools cannot leave out the padding, or round up")
    steps: list[Statement] = []
    if padded:
        widths = ", ".join(f"({before}, {after})" for before, after in ((0, 0), (0, 0), *pads))
        value = ', constant_values=float("-inf")' if largest else ""
        steps.append(expression(f"ops.pad({{x}}, [{widths}]{value})"))
    word = "Max" if largest else "Average"
    text = f"layers.{word}Pooling{op.spatial}D({short(op.kernel_size)}, strides={short(op.steps())}"
    return [*steps, layer(text, name)]


def _adaptive(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    word = "Max" if "Max" in op.type() else "Average"
    sizes = tuple(zip(shapes[0][1:], out[1:], strict=True))
    if prod(out[1:]) == 1:
        return [layer(f"layers.Global{word}Pooling{op.spatial}D(keepdims=True", name)]
    if any(N % O for N, O in sizes):
        return [layer(f"layers.Adaptive{word}Pooling{op.spatial}D({short(out[1:])}", name)]
    window = tuple(N // O for N, O in sizes)
    if set(window) == {1}:
        return []
    return [layer(f"layers.{word}Pooling{op.spatial}D({short(window)}, strides={short(window)}", name)]


def _batch_norm(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if not op.tracked or op.momentum is None:
        raise Inexpressible("its batch normalisation always keeps running statistics, with a momentum")
    text = f"layers.BatchNormalization(axis=1, momentum={round(1 - op.momentum, 10)}, epsilon={op.eps}"
    return [layer(text + _learnt(op.affine, op.bias), name)]


def _learnt(scale: bool, shift: bool) -> str:
    return ("" if scale else ", scale=False") + ("" if scale and shift else ", center=False")


def _group_norm(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if getattr(op, "track_running_stats", False):
        raise Inexpressible("its instance normalisation keeps no running statistics")
    groups = getattr(op, "num_groups", -1)
    text = f"layers.GroupNormalization(groups={groups}, axis=1, epsilon={op.eps}"
    return [layer(text + _learnt(op.affine, op.bias), name)]


def _layer_norm(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    count = len(op.infer(*shapes)["normalized_shape"])
    axis = "-1" if count == 1 else str(list(range(-count, 0)))
    if op.type() == "RMSNorm":
        if count > 1 or not op.elementwise_affine:
            raise Inexpressible("its RMSNormalization scales, along one axis")
        return [layer(f"layers.RMSNormalization(axis=-1, epsilon={1.1920929e-07 if op.eps is None else op.eps}", name)]
    text = f"layers.LayerNormalization(axis={axis}, epsilon={op.eps}"
    return [layer(text + _learnt(op.elementwise_affine, op.bias), name)]


def _linear(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return [layer(f"layers.Dense({op.out_features}" + ", use_bias=False" * (not op.bias), name)]


def _reshape(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return [layer(f"layers.Reshape({tuple_text(out)}", name)] if out != shapes[0] else []


def _permute(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return [layer(f"layers.Permute({tuple_text(op.dims[1:])}", name)]


def _slice(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    (parts,) = op.call(*shapes).arguments
    texts = [
        ":" if part == slice(None) else f"{part.start or ''}:{part.stop if part.stop is not None else ''}"
        + (f":{part.step}" if part.step else "")
        for part in parts
    ]  # fmt: skip
    return [expression(f"{{x}}[{', '.join(texts)}]")]


def _mean(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    keep = ", keepdims=True" if op.keepdim else ""
    return [expression(f"ops.mean({{x}}, axis={tuple_text(op.dim)}{keep})")]


def _merge(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if op.type() == "concat":
        return [layer(f"layers.Concatenate(axis={op.dim}", name)]
    if op.type() == "add":
        return [layer("layers.Add(", name)]
    if op.type() == "subtract" and len(shapes) == 2:
        return [layer("layers.Subtract(", name)]
    if op.type() == "maximum":
        return [layer("layers.Maximum(", name)]
    if op.type() == "stack":
        return [Statement(lambda inputs, name: f"ops.stack([{', '.join(inputs)}], axis={op.dim})")]
    if op.type() != "multiply":
        raise Inexpressible("its subtraction takes two branches")
    return [Statement(lambda inputs, name: " * ".join(inputs))]


def _pad(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    kind, pads = op.type(), op.pads()
    if kind.startswith(("Replication", "Circular")):
        raise Inexpressible("it pads with constants or reflections only")
    steps: list[Statement] = []
    crops = [(max(0, -before), max(0, -after)) for before, after in pads]
    pads = [(max(0, before), max(0, after)) for before, after in pads]
    if any(before or after for before, after in crops):
        if kind.startswith("Reflection") and any(before or after for before, after in pads):
            raise Inexpressible("it does not reflect and crop at once")
        steps.append(_cropped(crops))
    if any(before or after for before, after in pads):
        widths = ", ".join(f"({before}, {after})" for before, after in ((0, 0), (0, 0), *pads))
        if kind.startswith("Zero"):
            steps.append(_zeros(pads, name))
        elif kind.startswith("Reflection"):
            steps.append(expression(f'ops.pad({{x}}, [{widths}], mode="reflect")'))
        else:
            steps.append(expression(f"ops.pad({{x}}, [{widths}], constant_values={op.value})"))
    return steps


def _pad_channels(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    widths = ", ".join(["(0, 0)", f"({op.before}, {op.after})", *["(0, 0)"] * (len(out) - 1)])
    return [expression(f"ops.pad({{x}}, [{widths}])")]


def _dropout(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    kind = op.type()
    if kind == "AlphaDropout":
        return [layer(f"layers.AlphaDropout({op.p}", name)]
    if kind == "Dropout":
        return [layer(f"layers.Dropout({op.p}", name)]
    if kind == "StochasticDepth" and op.mode == "row":
        return [layer(f"layers.Dropout({op.p}, noise_shape=(None, {', '.join('1' * len(out))})", name)]
    axes = {"Dropout1d": 2, "Dropout2d": 3, "Dropout3d": 4}.get(kind)
    if axes == len(out):  # whole channels, which come first
        return [layer(f"layers.Dropout({op.p}, noise_shape=(None, {out[0]}, {', '.join('1' * (axes - 1))})", name)]
    raise Inexpressible("there is no such dropout")


def _relu(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return [layer("layers.ReLU(" + "max_value=6.0" * (op.type() == "ReLU6"), name)]


def _slopes(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if op.type() == "LeakyReLU":
        return [layer(f"layers.LeakyReLU(negative_slope={op.negative_slope}", name)]
    if op.type() == "ELU":
        return [layer(f"layers.ELU(alpha={op.alpha}", name)]
    shared = list(range(2 if op.num_parameters > 1 else 1, len(out) + 1))
    start = f"alpha_initializer=keras.initializers.Constant({op.init})"
    return [layer(f"layers.PReLU({start}" + (f", shared_axes={shared}" if shared else ""), name)]


def _functions(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    texts: dict[str, Callable[[], str]] = {
        "GELU": lambda: f"ops.gelu({{x}}, approximate={op.approximate == 'tanh'})",
        "CELU": lambda: f"ops.celu({{x}}, alpha={op.alpha})",
        "GLU": lambda: f"ops.glu({{x}}, axis={op.dim})",
        "Hardtanh": lambda: f"ops.clip({{x}}, {op.min_val}, {op.max_val})",
        "Hardshrink": lambda: f"ops.hard_shrink({{x}}, threshold={op.lambd})",
        "Softshrink": lambda: f"ops.soft_shrink({{x}}, threshold={op.lambd})",
        "Threshold": lambda: f"ops.threshold({{x}}, {op.threshold}, {op.value})",
        "Softmax2d": lambda: "ops.softmax({x}, axis=1)",
        "Softmax": lambda: f"ops.softmax({{x}}, axis={op.axis(shapes[0]) + 1})",
        "Softmin": lambda: f"ops.softmax(-{{x}}, axis={op.axis(shapes[0]) + 1})",
        "LogSoftmax": lambda: f"ops.log_softmax({{x}}, axis={op.axis(shapes[0]) + 1})",
    }
    return [expression(texts[op.type()]())]


def _softplus(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    scaled = "ops.softplus({x})" if op.beta == 1 else f"ops.softplus({op.beta} * {{x}}) / {op.beta}"
    return [expression(scaled)]


def _upsample(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    sizes = tuple(zip(shapes[0][1:], out[1:], strict=True))
    mode = op._mode()
    if any(O % N for N, O in sizes) or mode not in ("nearest", "bilinear") or op._corners():
        raise Inexpressible(
            "it enlarges by whole factors, by nearest or bilinear interpolation without aligned corners"
        )
    factors = tuple(O // N for N, O in sizes)
    axes = len(sizes)
    if mode == "bilinear" and axes == 2:
        return [layer(f'layers.UpSampling2D({short(factors)}, interpolation="bilinear"', name)]
    if axes == 1:
        return [expression(f"ops.repeat({{x}}, {factors[0]}, axis=2)")]
    return [layer(f"layers.UpSampling{axes}D({short(factors)}", name)]


def _shuffle(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    shape = shapes[0]
    if op.type() == "ChannelShuffle":
        g, rest = op.groups, shape[1:]
        axes = (2, 1, *range(3, len(rest) + 3))
        split = (g, shape[0] // g, *rest)
    elif op.type() == "PixelShuffle":
        r, (C, H, W) = op.upscale_factor, shape
        split, axes = (C // r**2, r, r, H, W), (1, 4, 2, 5, 3)
    else:
        r, (C, H, W) = op.downscale_factor, shape
        split, axes = (C, H // r, r, W // r, r), (1, 3, 5, 2, 4)
    return [
        layer(f"layers.Reshape({tuple_text(split)}", f"{name}_split"),
        layer(f"layers.Permute({tuple_text(axes)}", f"{name}_turn"),
        layer(f"layers.Reshape({tuple_text(out)}", name),
    ]


def _attention(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    if op.add_bias_kv or op.add_zero_attn:
        raise Inexpressible("its attention appends no keys and values")
    query = shapes[0]
    text = f"layers.MultiHeadAttention({op.num_heads}, {query[1] // op.num_heads}, dropout={op.dropout}"
    text += ", use_bias=False" * (not op.bias)

    def write(inputs: Sequence[str], name: str) -> str:
        q, k, v = inputs if len(inputs) == 3 else (inputs[0],) * 3
        return f"{text}, output_shape={query[1]}, name={literal(name)})({q}, {v}, {k})"

    return [Statement(write, name)]


def _nothing(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return []


Maker = Callable[[Any, str, Shape, tuple[Shape, ...]], list[Statement]]


#: Layer types, by regular expression, and how they are written.
def _reduced(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    axes = tuple_text(sorted(axis + 1 for axis in op.axes(shapes[0])))
    keeps = ", keepdims=True" if op.keepdim else ""
    return [expression(f"ops.{op.type().lower()}({{x}}, axis={axes}{keeps})")]


def _number(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return [expression(f"{{x}} * {op.factor}" if op.type() == "Scale" else f"{{x}} + {op.value}")]


def _channels(op: Any, name: str, out: Shape, shapes: tuple[Shape, ...]) -> list[Statement]:
    return [layer(f"layers.LayerNormalization(axis=1, epsilon={op.eps}", name)]


_FAMILIES: dict[str, Maker] = {
    r"Conv[123]d": _conv,
    r"ConvTranspose[123]d": _transposed,
    r"(Max|Avg)Pool[123]d": _pool,
    r"Adaptive(Max|Avg)Pool[123]d": _adaptive,
    r"BatchNorm[123]d": _batch_norm,
    r"GroupNorm|InstanceNorm[123]d": _group_norm,
    r"LayerNorm|RMSNorm": _layer_norm,
    r"Linear": _linear,
    r"Flatten|Unflatten|Reshape": _reshape,
    r"Permute": _permute,
    r"Slice": _slice,
    r"Mean": _mean,
    r"Sum|Max": _reduced,
    r"Scale|Shift": _number,
    r"LayerNorm2d": _channels,
    r"Identity": _nothing,
    r"add|multiply|concat|subtract|maximum|stack": _merge,
    r"PadChannels": _pad_channels,
    r".*Pad[123]d": _pad,
    r"(Alpha)?Dropout[123]?d?|StochasticDepth|FeatureAlphaDropout": _dropout,
    r"ReLU6?": _relu,
    r"LeakyReLU|ELU|PReLU": _slopes,
    r"GELU|CELU|GLU|Hardtanh|Hardshrink|Softshrink|Threshold|Softmax|Softmax2d|Softmin|LogSoftmax": _functions,
    r"Softplus": _softplus,
    r"Upsample|UpsamplingNearest2d|UpsamplingBilinear2d": _upsample,
    r"PixelShuffle|PixelUnshuffle|ChannelShuffle": _shuffle,
    r"MultiheadAttention": _attention,
}
