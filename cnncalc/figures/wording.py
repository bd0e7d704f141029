"""What a layer is called in a figure: "3×3 conv, 64, /2", as papers write it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph import Layer
from ..ops import MERGES
from ..record import Record

#: Asks for an argument of a layer as it is to be written: its value, or the letters that it has in its block.
Asked = Callable[[str], str]


class Words(Record):
    """The words for a layer, and its kind."""

    text: str
    kind: str


#: Normalisations and other types by the letters that the field uses.
SHORT = {
    "BatchNorm1d": "BN", "BatchNorm2d": "BN", "BatchNorm3d": "BN", "FrozenBatchNorm2d": "frozen BN",
    "LayerNorm": "LN", "LayerNorm2d": "LN", "GroupNorm": "GN", "RMSNorm": "RMS norm", "LocalResponseNorm": "LRN",
    "InstanceNorm1d": "IN", "InstanceNorm2d": "IN", "InstanceNorm3d": "IN", "GlobalResponseNorm": "GRN",
    "L2Norm": "L2 norm", "Hardswish": "h-swish", "Hardsigmoid": "h-sigmoid", "Sigmoid": "sigmoid", "Tanh": "tanh",
    "Scale": "scale", "Shift": "shift", "Affine": "affine",
    "Softmax": "softmax", "LogSoftmax": "log-softmax", "Flatten": "flatten", "Identity": "identity",
    "Permute": "permute", "Reshape": "reshape", "Unflatten": "unflatten", "ChannelShuffle": "channel shuffle",
    "StochasticDepth": "stochastic depth", "LayerScale": "layer scale", "Subsampling": "subsampling",
    "SpaceToDepth": "space to depth", "PadChannels": "pad channels", "MultiheadAttention": "multi-head attention",
    "Attention": "attention", "Mean": "mean", "Sum": "sum", "Max": "maximum", "Norm": "norm", "Token": "learnt token",
    "PixelShuffle": "pixel shuffle", "PixelUnshuffle": "pixel unshuffle",
}  # fmt: skip
#: The kind of a layer by the file that its type stands in.
KIND_OF = {
    "activation": "activation", "softmax": "activation", "norm": "norm", "image_norm": "norm", "response_norm": "norm",
    "pool": "pool", "adaptive_pool": "pool", "blur": "pool", "resample": "pool", "unpool": "pool", "linear": "linear",
    "attention": "attention", "merge": "merge", "conv": "conv", "conv_transpose": "conv", "standardised": "conv",
}  # fmt: skip


def kind_of(layer: Layer) -> str:
    """The kind of a layer, of those that have a colour; depthwise convolutions are grouped ones."""
    if layer.op is None or layer.is_declared:
        return "other"
    if layer.type in MERGES:
        return "merge"
    if getattr(layer.op, "groups", 1) != 1 and "Conv" in layer.type:
        return "depthwise"
    if layer.type in ("PartialConv2d",):
        return "conv"
    return KIND_OF.get(type(layer.op).__module__.rpartition(".")[2], "other")


def words(layer: Layer, channels: int = 0, asked: Asked | None = None) -> Words:
    """The words for a layer that takes so many channels; `asked` writes its arguments, else they are its numbers."""
    kind = kind_of(layer)
    ask = asked or (lambda name: short(getattr(layer.op, name, "")))
    if layer.op is None:
        return Words(layer.type, kind)
    if kind in ("conv", "depthwise") and hasattr(layer.op, "kernel_size"):
        return Words(_convolution(layer, channels, ask), kind)
    if layer.type == "Linear":
        return Words(f"linear, {ask('out_features')}", kind)
    if kind == "pool":
        return Words(_pooling(layer, ask), kind)
    if layer.type.startswith(("Dropout", "AlphaDropout", "FeatureAlpha")):
        p = getattr(layer.op, "p", 0.5)
        return Words(f"dropout {short(p)}" if p else "dropout", kind)
    if layer.type.endswith(("Pad1d", "Pad2d", "Pad3d")):
        return Words("crop" if _crops(layer) else "pad", kind)
    if layer.type == "Slice":
        return Words("slice", kind)
    return Words(SHORT.get(layer.type, layer.type), kind)


def _crops(layer: Layer) -> bool:
    padding = getattr(layer.op, "padding", 0)
    sides = padding if isinstance(padding, (tuple, list)) else (padding,)
    return all(isinstance(side, int) and side <= 0 for side in sides) and any(sides)


def _convolution(layer: Layer, channels: int, ask: Asked) -> str:
    op: Any = layer.op
    groups = getattr(op, "groups", 1)
    transposed = "Transpose" in layer.type
    name = "transposed conv" if transposed else "conv"
    if groups != 1:
        name = f"depthwise {name}" if groups == channels else f"grouped {name}"
    text = f"{_window(op, ask)} {name}, {ask('out_channels')}"
    stride = _apart(getattr(op, "stride", 1))
    if stride:
        text += f", ×{stride}" if transposed else f", /{_written(ask('stride'), stride)}"
    if groups not in (1, channels):
        text += f", {ask('groups')} groups"
    dilation = _apart(getattr(op, "dilation", 1))
    return text + (f", dilation {dilation}" if dilation else "")


def _written(asked: str, value: str) -> str:
    return asked if not asked[:1].isdigit() and "×" not in asked else value


def _window(op: Any, ask: Asked) -> str:
    size = op.kernel_size
    sides = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    written = ask("kernel_size")
    if written and not any(character.isdigit() for character in written[:1]) and "×" not in written:
        return "×".join([written] * max(1, len(sides)))
    return "×".join(map(str, sides))


def _pooling(layer: Layer, ask: Asked) -> str:
    op: Any = layer.op
    if layer.type.startswith("Adaptive"):
        size = op.output_size
        sides = tuple(size) if isinstance(size, (tuple, list)) else (size,)
        name = "average pool" if "Avg" in layer.type else "max pool"
        return f"global {name}" if all(side == 1 for side in sides) else f"{name} to {'×'.join(map(str, sides))}"
    if "Pool" in layer.type and hasattr(op, "kernel_size") and "Unpool" not in layer.type:
        name = "max pool" if "Max" in layer.type else "blur pool" if "Blur" in layer.type else "average pool"
        stride = _apart(op.kernel_size if getattr(op, "stride", 1) is None else getattr(op, "stride", 1))
        return f"{_window(op, ask)} {name}" + (f", /{stride}" if stride else "")
    if "Upsampl" in layer.type:
        factor = getattr(op, "scale_factor", None)
        if factor is not None:
            return f"upsample ×{_apart(factor) or short(factor)}"
        return "upsample"
    if layer.type == "BlurPool2d":
        return f"blur pool, /{_apart(op.stride) or 1}"
    return SHORT.get(layer.type, layer.type)


def _apart(value: Any) -> str:
    """A stride or dilation, where it is not 1 everywhere: one number where all are the same."""
    sides = list(value) if isinstance(value, (tuple, list)) else [value]
    if all(side == 1 for side in sides):
        return ""
    return short(sides[0]) if all(side == sides[0] for side in sides) else "×".join(map(short, sides))


def short(value: Any) -> str:
    """A value as it stands in a figure: 2.0 is 2, and equal sides are told once.

    >>> short((2, 2)), short(0.5), short((1, 7))
    ('2', '0.5', '1×7')
    """
    if isinstance(value, (tuple, list)):
        return short(value[0]) if value and all(each == value[0] for each in value) else "×".join(map(short, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
