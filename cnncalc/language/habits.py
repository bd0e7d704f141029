"""Layers as people write them by habit, as calls of PyTorch or by the names of Keras, and what is meant."""

from __future__ import annotations

import ast
import re
from typing import Any

import yaml

from ..errors import Misfit
from ..ops import REGISTRY

#: Characters of a call that is read.
LONGEST = 400
_CALL = re.compile(r"(?:(?:torch\.)?nn\.|(?:tf\.)?(?:keras\.)?layers\.)?(\w{1,40})\((.*)\)", re.DOTALL)

#: The order of PyTorch's arguments, where ours is another.
_ORDER = {
    r"Conv\dd": "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode",
    r"ConvTranspose\dd": "in_channels out_channels kernel_size stride padding output_padding groups bias dilation",
    r"MaxPool\dd": "kernel_size stride padding dilation return_indices ceil_mode",
    r"AvgPool\dd": "kernel_size stride padding ceil_mode count_include_pad divisor_override",
    r"Linear": "in_features out_features bias",
    r"BatchNorm\dd": "num_features eps momentum affine track_running_stats",
}
#: What Keras, and habit, call layer types, and what they call their arguments.
_NAMES = {
    "Dense": ("Linear", {"units": "out_features"}),
    "fc": ("Linear", {}),
    "FC": ("Linear", {}),
    "FullyConnected": ("Linear", {}),
    "Conv": ("Conv2d", {}),
    "Convolution2D": ("Conv2d", {"filters": "out_channels", "strides": "stride"}),
    "Conv2D": ("Conv2d", {"filters": "out_channels", "strides": "stride"}),
    "DepthwiseConv2D": ("Conv2d", {"strides": "stride"}),
    "SeparableConv2D": ("Conv2d", {"filters": "out_channels", "strides": "stride"}),
    "Conv2DTranspose": ("ConvTranspose2d", {"filters": "out_channels", "strides": "stride"}),
    "MaxPool": ("MaxPool2d", {}),
    "MaxPooling2D": ("MaxPool2d", {"pool_size": "kernel_size", "strides": "stride"}),
    "MaxPool2D": ("MaxPool2d", {"pool_size": "kernel_size", "strides": "stride"}),
    "AveragePooling2D": ("AvgPool2d", {"pool_size": "kernel_size", "strides": "stride"}),
    "GlobalAveragePooling2D": ("AdaptiveAvgPool2d", {}),
    "GlobalAvgPool2d": ("AdaptiveAvgPool2d", {}),
    "GlobalMaxPooling2D": ("AdaptiveMaxPool2d", {}),
    "BatchNormalization": ("BatchNorm2d", {}),
    "BatchNorm": ("BatchNorm2d", {}),
    "LayerNormalization": ("LayerNorm", {}),
    "ZeroPadding2D": ("ZeroPad2d", {}),
    "UpSampling2D": ("Upsample", {"size": "scale_factor"}),
    "Add": ("add", {}),
    "Concatenate": ("concat", {}),
}


def meant(text: str) -> str:
    """What somebody means by a layer type that there is not; an empty string where habit does not tell.

    >>> meant("Conv2d(3, 10, 5)"), meant("nn.ReLU()")
    ('you mean Conv2d: {in_channels: 3, out_channels: 10, kernel_size: 5}', 'you mean ReLU')
    >>> meant("Dense")
    'you mean Linear, which calls units out_features'
    """
    try:
        call = call_of(text)
    except Misfit:
        return ""
    name, given = call or (text.strip(), {})
    type_, arguments = _NAMES.get(name, (name, {}))
    if type_ not in REGISTRY and type_ not in ("add", "concat"):
        return ""
    if call and type_ == name:
        return f"you mean {flow(type_, given)}"
    if name == type_:
        return ""
    told = " and ".join(f"{theirs} {ours}" for theirs, ours in arguments.items())
    return f"you mean {type_}" + (f", which calls {told}" if told else "")


def call_of(text: str) -> tuple[str, dict[str, Any]] | None:
    """The type and the arguments of a layer that is written as a call; None for what is none; raises `Misfit`.

    >>> call_of("nn.Conv2d(3, 64, 7, stride=2)")
    ('Conv2d', {'in_channels': 3, 'out_channels': 64, 'kernel_size': 7, 'stride': 2})
    """
    match = _CALL.fullmatch(text.strip()) if len(text) <= LONGEST else None
    if not match:
        return None
    try:
        call: Any = ast.parse(text.strip(), mode="eval").body
        values = [ast.literal_eval(value) for value in call.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, AttributeError, TypeError, RecursionError, MemoryError):
        raise Misfit(f"{text[:60]} cannot be read as a layer") from None
    type_ = match[1]
    order = next((names for pattern, names in _ORDER.items() if re.fullmatch(pattern, type_)), "")
    names = order.split() or [argument.name for argument in REGISTRY[type_].arguments()] if type_ in REGISTRY else []
    return type_, dict(zip(names, values, strict=False)) | named


def flow(type_: str, given: dict[str, Any]) -> str:
    """A layer as the language has it, in one line; raises `Misfit` for arguments that YAML cannot hold.

    >>> flow("Conv2d", {"out_channels": 6, "kernel_size": 5}), flow("ReLU", {})
    ('Conv2d: {out_channels: 6, kernel_size: 5}', 'ReLU')
    """
    try:
        shown = yaml.safe_dump(given, default_flow_style=True, sort_keys=False, width=10**9).strip()
    except yaml.YAMLError:  # of what no layer takes, such as 1j
        raise Misfit(f"{type_}: its arguments cannot be read") from None
    return f"{type_}: {shown}" if given else type_
