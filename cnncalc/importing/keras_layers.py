"""Keras' layers, one reader for each."""

from __future__ import annotations

from typing import Any

from .keras_config import Layer, reads
from .refusals import refused


def stated(**arguments: tuple[Any, Any]) -> dict[str, Any]:
    """Arguments that are not their defaults."""
    return {name: value for name, (value, default) in arguments.items() if value != default}


def padding(layer: Layer, kernel: Any, stride: Any, dilation: Any = 1) -> Any:
    """Keras' `same` as a number where it is the same on both sides, and else by its name here."""
    if layer.get("padding", "valid") != "same":
        return 0
    if stride == 1 and isinstance(kernel, int) and isinstance(dilation, int) and kernel % 2:
        return dilation * (kernel // 2)
    return "same_upper"


@reads("Conv2D")
def conv(layer: Layer) -> int:
    kernel, stride, dilation = (layer.pair(name) for name in ("kernel_size", "strides", "dilation_rate"))
    arguments = {"out_channels": layer.get("filters"), "kernel_size": kernel} | stated(
        stride=(stride, 1),
        padding=(padding(layer, kernel, stride, dilation), 0),
        dilation=(dilation, 1),
        groups=(layer.get("groups", 1), 1),
        bias=(layer.get("use_bias", True), True),
    )
    return layer.activated(layer.add("Conv2d", arguments))


@reads("DepthwiseConv2D")
def depthwise(layer: Layer) -> int:
    kernel, stride, dilation = (layer.pair(name) for name in ("kernel_size", "strides", "dilation_rate"))
    channels = layer.shape[0]
    arguments = {"out_channels": channels * layer.get("depth_multiplier", 1), "kernel_size": kernel} | stated(
        stride=(stride, 1),
        padding=(padding(layer, kernel, stride, dilation), 0),
        dilation=(dilation, 1),
        groups=(channels, 1),
        bias=(layer.get("use_bias", True), True),
    )
    return layer.activated(layer.add("Conv2d", arguments))


@reads("SeparableConv2D")
def separable(layer: Layer) -> int:
    kernel, stride = layer.pair("kernel_size"), layer.pair("strides")
    channels = layer.shape[0]
    deep = {"out_channels": channels * layer.get("depth_multiplier", 1), "kernel_size": kernel, "bias": False} | stated(
        stride=(stride, 1), padding=(padding(layer, kernel, stride), 0), groups=(channels, 1)
    )
    x = layer.add("Conv2d", deep, name=f"{layer.name}_depthwise")
    wide = {"out_channels": layer.get("filters"), "kernel_size": 1} | stated(bias=(layer.get("use_bias", True), True))
    return layer.activated(layer.add("Conv2d", wide, x, name=f"{layer.name}_pointwise"))


@reads("Dense")
def dense(layer: Layer) -> int:
    arguments = {"out_features": layer.get("units")} | stated(bias=(layer.get("use_bias", True), True))
    if len(layer.shape) == 3:  # along the channels at each place: a 1×1 convolution
        made = {"out_channels": layer.get("units"), "kernel_size": 1} | stated(bias=(layer.get("use_bias", True), True))
        return layer.activated(layer.add("Conv2d", made))
    return layer.activated(layer.add("Linear", arguments))


@reads("BatchNormalization")
def batch_norm(layer: Layer) -> int:
    shape, scale, center = layer.shape, layer.get("scale", True), layer.get("center", True)
    arguments = stated(
        eps=(layer.get("epsilon", 1e-3), 1e-5), momentum=(round(1 - layer.get("momentum", 0.99), 6), 0.1),
        affine=(scale or center, True),
    )  # fmt: skip
    if scale != center:
        figures = {"shape": list(shape), "params": shape[0], "buffers": 2 * shape[0], "macs": 0,
                   "note": f"a batch normalisation that learns a {'factor' if scale else 'summand'} alone"}  # fmt: skip
        return layer.add("BatchNormalization", {}, figures=figures, shape=shape)
    return layer.add("BatchNorm2d" if len(shape) == 3 else "BatchNorm1d", arguments)


@reads("LayerNormalization")
def layer_norm(layer: Layer) -> int:
    eps = layer.get("epsilon", 1e-3)
    if len(layer.shape) == 3:
        return layer.add("LayerNorm2d", stated(eps=(eps, 1e-6)))
    return layer.add("LayerNorm", stated(eps=(eps, 1e-5)))


@reads("Activation")
def activation(layer: Layer) -> int:
    return layer.activated(layer.taken[0])


@reads("ReLU")
def relu(layer: Layer) -> int:
    top, slope = layer.get("max_value"), layer.get("negative_slope", 0.0)
    if layer.get("threshold", 0.0) or (top not in (None, 6, 6.0)) or (top and slope):
        raise refused(f"{layer.name}: a ReLU with a threshold, or cut off elsewhere than at 6", str(layer.keras.path))
    if slope:
        return layer.add("LeakyReLU", stated(negative_slope=(slope, 0.01)))
    return layer.add("ReLU6" if top else "ReLU", {})


@reads("LeakyReLU")
def leaky_relu(layer: Layer) -> int:
    return layer.add("LeakyReLU", stated(negative_slope=(layer.get("negative_slope", layer.get("alpha", 0.3)), 0.01)))


@reads("ELU")
def elu(layer: Layer) -> int:
    return layer.add("ELU", stated(alpha=(layer.get("alpha", 1.0), 1.0)))


@reads("Softmax")
def softmax(layer: Layer) -> int:
    return layer.add("Softmax", {"dim": 1})


def pooled(layer: Layer, type_: str, **more: Any) -> int:
    kernel = layer.pair("pool_size", 2)
    stride = layer.pair("strides", layer.get("pool_size", 2))
    around = padding(layer, kernel, stride)
    arguments = (
        {"kernel_size": kernel} | stated(stride=(stride, kernel), padding=(around, 0)) | (more if around else {})
    )
    return layer.add(type_, arguments)


@reads("MaxPooling2D")
def max_pool(layer: Layer) -> int:
    return pooled(layer, "MaxPool2d")


@reads("AveragePooling2D")
def average_pool(layer: Layer) -> int:
    return pooled(layer, "AvgPool2d", count_include_pad=False)


def reduced(layer: Layer, type_: str) -> int:
    x = layer.add(type_, {"output_size": 1})
    return x if layer.get("keepdims", False) else layer.add("Flatten", {}, x, name=f"{layer.name}_flat")


@reads("GlobalAveragePooling2D")
def global_average(layer: Layer) -> int:
    return reduced(layer, "AdaptiveAvgPool2d")


@reads("GlobalMaxPooling2D")
def global_max(layer: Layer) -> int:
    return reduced(layer, "AdaptiveMaxPool2d")


@reads("Flatten")
def flatten(layer: Layer) -> int:
    return layer.add("Flatten", {})


@reads("Reshape")
def reshape(layer: Layer) -> int:
    target = list(layer.get("target_shape"))
    if len(target) == 1:
        return layer.add("Flatten", {}) if len(layer.shape) > 1 else layer.taken[0]
    turned = [target[-1], *target[:-1]]
    if -1 not in turned and tuple(turned) == layer.shape:
        return layer.taken[0]
    if len(layer.shape) > 1 and any(size > 1 for size in layer.shape[1:]):
        raise refused(f"{layer.name} reshapes a map, whose values lie in another order here", str(layer.keras.path))
    return layer.add("Reshape", {"shape": turned})


@reads("Dropout")
def dropout(layer: Layer) -> int:
    return layer.add("Dropout", stated(p=(layer.get("rate", 0.5), 0.5)))


@reads("SpatialDropout2D")
def spatial_dropout(layer: Layer) -> int:
    return layer.add("Dropout2d", stated(p=(layer.get("rate", 0.5), 0.5)))


@reads("ZeroPadding2D")
def zero_padding(layer: Layer) -> int:
    given = layer.get("padding")
    (top, bottom), (left, right) = given if isinstance(given[0], (list, tuple)) else ((given[0],) * 2, (given[1],) * 2)
    sides = [left, right, top, bottom]
    return layer.add("ZeroPad2d", {"padding": left if len(set(sides)) == 1 else sides})


@reads("Cropping2D")
def cropping(layer: Layer) -> int:
    (top, bottom), (left, right) = layer.get("cropping")
    return layer.add("ZeroPad2d", {"padding": [-left, -right, -top, -bottom]})


@reads("Add")
def add(layer: Layer) -> int:
    if len(layer.taken) == 1 and layer.numbers:
        return layer.add("Shift", {"value": layer.numbers[0]})
    return layer.add("add", {})


@reads("CustomScaleLayer")
def scaled_sum(layer: Layer) -> int:
    """Inception-ResNet's: the first, and the second times a number."""
    first, second = layer.taken
    x = layer.add("Scale", {"factor": layer.get("scale", 1.0)}, second, name=f"{layer.name}_scale")
    return layer.add("add", {}, first, x)


@reads("Multiply")
def multiply(layer: Layer) -> int:
    if len(layer.taken) == 1 and layer.numbers:
        return layer.add("Scale", {"factor": layer.numbers[0]})
    return layer.add("multiply", {})


@reads("Subtract")
def subtract(layer: Layer) -> int:
    return layer.add("subtract", {})


@reads("Concatenate")
def concatenate(layer: Layer) -> int:
    rank, axis = len(layer.shape) + 1, layer.get("axis", -1)
    axis = axis % rank
    return layer.add("concat", stated(dim=(1 if axis == rank - 1 else axis + 1, 1)))


@reads("UpSampling2D")
def upsampling(layer: Layer) -> int:
    mode = layer.get("interpolation", "nearest")
    return layer.add("Upsample", {"scale_factor": layer.pair("size", 2)} | stated(mode=(mode, "nearest")))


@reads("Rescaling")
def rescaling(layer: Layer) -> int:
    scale, offset = layer.get("scale", 1.0), layer.get("offset", 0.0)
    x = layer.taken[0]
    if isinstance(scale, (int, float)) and isinstance(offset, (int, float)):
        if scale != 1:
            x = layer.add("Scale", {"factor": scale}, x)
        return layer.add("Shift", {"value": offset}, x, name=f"{layer.name}_shift") if offset else x
    figures = {
        "shape": list(layer.shape),
        "params": 0,
        "buffers": 0,
        "macs": 0,
        "note": "each channel times and plus numbers",
    }
    return layer.add("Rescaling", {}, figures=figures, shape=layer.shape)


@reads("Normalization")
def normalization(layer: Layer) -> int:
    count = layer.shape[0]
    held = 0 if layer.get("mean") is not None else 2 * count + 1  # those that are given are no weights
    figures = {"shape": list(layer.shape), "params": 0, "buffers": held, "macs": 0,
               "note": "means and variances that were adapted"}  # fmt: skip
    return layer.add("Normalization", {}, figures=figures, shape=layer.shape)


@reads("LayerScale")
def layer_scale(layer: Layer) -> int:
    return layer.add("LayerScale", {})


@reads("StochasticDepth")
def stochastic_depth(layer: Layer) -> int:
    return layer.add("StochasticDepth", {"p": layer.get("drop_path_rate", 0.0)})
