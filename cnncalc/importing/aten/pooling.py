"""Pooling, resampling, padding and dropout."""

from __future__ import annotations

from math import inf
from typing import Any

from ...errors import Misfit
from ...ops import REGISTRY, value_of
from ..program import Call
from ..refusals import Unread
from ..values import Places, Tensor, Value
from .table import even, reads, stated


@reads("max_pool1d", "max_pool2d", "max_pool3d", "max_pool2d_with_indices")
def max_pool(call: Call) -> Value | list[Value]:
    kernel = even(call.get("kernel_size"))
    arguments = stated(
        kernel_size=kernel,
        stride=(even(call.get("stride") or kernel), kernel),
        padding=(even(call.get("padding", 0)), 0),
        dilation=(even(call.get("dilation", 1)), 1),
        ceil_mode=(bool(call.get("ceil_mode", False)), False),
    )
    x = call.tensor()
    rank = len(call.shape_of(x)) - 1
    if call.op.endswith("indices"):
        shape = call.reading.without_batch(call.whole_shape[0])
        made = call.layer("MaxPool2d", arguments, x, shape=shape)
        return [made, Places(made.node)]
    return call.layer(f"MaxPool{rank}d", arguments, x)


@reads("max_unpool2d", "max_unpool3d")
def max_unpool(call: Call) -> Value:
    x, places = call.tensor(), call.value("indices")
    if not isinstance(places, Places):
        raise Unread("its places are not those of a pool")
    type_ = f"MaxUnpool{call.op[-2:]}"
    return call.layer(type_, unpooled(call, type_, x, places.node), x, places.node)


def unpooled(call: Call, type_: str, x: int, place: int) -> dict[str, Any]:
    """The arguments of an unpooling to the places that a pool noted: those of the pool; raises `Unread`."""
    pool = call.reading.pending[place]
    if pool.type != type_.replace("Unpool", "Pool") or set(pool.arguments) - {"kernel_size", "stride", "padding"}:
        raise Unread("its places are not those of a plain max pool")
    try:
        made = REGISTRY[type_](**pool.arguments).output(call.shape_of(x), pool.shape)
    except Misfit as misfit:
        raise Unread(misfit.cause) from None
    if tuple(map(value_of, made)) != call.shape:
        raise Unread("it is told a size that its pool does not give")
    return dict(pool.arguments)


@reads("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(call: Call) -> Value:
    kernel, x = even(call.get("kernel_size")), call.tensor()
    if call.get("divisor_override"):
        raise Unread("it divides by another number than that of the values")
    arguments = stated(
        kernel_size=kernel,
        stride=(even(call.get("stride") or kernel), kernel),
        padding=(even(call.get("padding", 0)), 0),
        ceil_mode=(bool(call.get("ceil_mode", False)), False),
        count_include_pad=(bool(call.get("count_include_pad", True)), True),
    )
    return call.layer(f"AvgPool{len(call.shape_of(x)) - 1}d", arguments, x)


@reads("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d")
def adaptive_avg_pool(call: Call) -> Value:
    x = call.tensor()
    return call.layer(f"AdaptiveAvgPool{len(call.shape_of(x)) - 1}d", {"output_size": even(call.get("output_size"))}, x)


@reads("adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(call: Call) -> Value | list[Value]:
    x = call.tensor()
    several = isinstance(call.whole_shape[0], list)
    shape = call.reading.without_batch(call.whole_shape[0] if several else call.whole_shape)
    arguments = {"output_size": even(call.get("output_size"))}
    made = call.layer(f"AdaptiveMaxPool{len(shape) - 1}d", arguments, x, shape=shape)
    return [made, Places(made.node)] if several else made


@reads(
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "_upsample_nearest_exact2d",
    "upsample_linear1d",
    "upsample_bilinear2d",
    "upsample_bicubic2d",
    "upsample_trilinear3d",
)
def upsample(call: Call) -> Value:
    mode = call.op.strip("_").removeprefix("upsample_")[:-2].replace("nearest_exact", "nearest-exact")
    name = "input" if "input" in call.given else "self"
    x = call.tensor(name)
    factors, size = call.get("scale_factors"), call.get("output_size")
    arguments: dict[str, Any] = {}
    if factors:
        arguments["scale_factor"] = even([int(each) if each == int(each) else each for each in factors])
    else:
        arguments["size"] = even(size or list(call.shape[1:]))
    if mode != "nearest":
        arguments["mode"] = mode
    if call.get("align_corners", False):
        arguments["align_corners"] = True
    return call.layer("Upsample", arguments, x)


@reads("pixel_shuffle")
def pixel_shuffle(call: Call) -> Value:
    return call.layer("PixelShuffle", {"upscale_factor": call.get("upscale_factor")}, call.tensor())


@reads("pixel_unshuffle")
def pixel_unshuffle(call: Call) -> Value:
    return call.layer("PixelUnshuffle", {"downscale_factor": call.get("downscale_factor")}, call.tensor())


@reads("channel_shuffle")
def channel_shuffle(call: Call) -> Value:
    return call.layer("ChannelShuffle", {"groups": call.get("groups")}, call.tensor())


@reads("pad", "constant_pad_nd", "reflection_pad2d", "replication_pad2d", "reflection_pad1d", "replication_pad1d")
def pad(call: Call) -> Value:
    x = call.tensor()
    rank = len(call.shape_of(x)) - 1
    sides, mode = list(call.get("pad", call.get("padding"))), call.get("mode", "constant")
    mode = "reflect" if "reflection" in call.op else "replicate" if "replication" in call.op else mode
    if not any(sides):
        return Tensor(x)
    if mode == "constant" and len(sides) == 2 * rank + 2 and not any(sides[:-2]):
        if call.get("value", 0):
            raise Unread("channels are filled with another value than 0")
        return call.layer("PadChannels", stated(before=(sides[-2], 0), after=(sides[-1], 0)), x)
    while len(sides) > 2 * rank and not any(sides[-2:]):
        sides = sides[:-2]
    if len(sides) > 2 * rank or (mode != "constant" and len(sides) < 2 * rank):
        raise Unread("it pads other axes than those of a map")
    sides += [0] * (2 * rank - len(sides))
    value = call.get("value", 0)
    kinds = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}
    kind = kinds.get(mode, "ConstantPad" if value else "ZeroPad")
    arguments = {"padding": even(sides)} | ({"value": value} if value else {})
    figures = None
    if isinstance(value, float) and abs(value) == inf:  # which a spec cannot say, but a max pool has it around its map
        figures = {"shape": list(call.shape), "params": 0, "buffers": 0, "macs": 0, "note": "it pads with infinity"}
    return call.layer(f"{kind}{rank}d", arguments, x, figures=figures)


@reads("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
def dropout(call: Call) -> Value:
    x = call.tensor("input" if "input" in call.given else "self")
    axes = min(max(len(call.shape_of(x)) - 1, 1), 3)
    types = {"feature_dropout": f"Dropout{axes}d", "alpha_dropout": "AlphaDropout",
             "feature_alpha_dropout": "FeatureAlphaDropout"}  # fmt: skip
    arguments = stated(p=(call.get("p", 0.5), 0.5), inplace=(call.inplace, False))
    return call.layer(types.get(call.op, "Dropout"), arguments, x)
