"""ONNX's convolutions, pools and normalisations, by PyTorch's names."""

from __future__ import annotations

from math import prod
from typing import Any

from .onnx_operators import rounded
from .onnx_program import Operator, operator


def sides(call: Operator, kernel: list[int], strides: list[int], dilations: list[int]) -> list[tuple[int, int]]:
    """Padding before and behind, axis by axis."""
    axes, mode = len(kernel), call.get("auto_pad", "NOTSET")
    pads = call.get("pads", [0] * (2 * axes))
    if mode in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for size, k, s, d in zip(call.shape()[2:], kernel, strides, dilations, strict=True):
            need = max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0)
            small, large = need // 2, need - need // 2
            found.append((small, large) if mode == "SAME_UPPER" else (large, small))
        return found
    return [(pads[i], pads[i + axes]) for i in range(axes)]


def padded(
    call: Operator, pairs: list[tuple[int, int]], value: float = 0.0, apart: bool = False
) -> tuple[dict[str, Any] | None, list[int]]:
    """The input with what padding is uneven, or asked for `apart`, put around it, and what is left for the layer."""
    if all(before == after for before, after in pairs) and not apart:
        return call.reference(0), [before for before, _ in pairs]
    shape = call.shape()
    grown = [*shape[:2], *(size + a + b for size, (a, b) in zip(shape[2:], pairs, strict=True))]
    flat = [side for pair in reversed(pairs) for side in pair]
    given = {"self": call.reference(0), "pad": flat, "mode": "constant", "value": value}
    return call.emit("pad", given, f"{call.node.output[0]}|padded", grown), [0] * len(pairs)


@operator("Conv")
def conv(call: Operator) -> None:
    weight = call.shape(1)
    axes = len(weight) - 2
    kernel = call.get("kernel_shape", weight[2:])
    strides, dilations = call.get("strides", [1] * axes), call.get("dilations", [1] * axes)
    x, padding = padded(call, sides(call, kernel, strides, dilations))
    call.emit(
        f"conv{axes}d",
        {
            "input": x,
            "weight": call.reference(1),
            "bias": call.reference(2),
            "stride": strides,
            "padding": padding,
            "dilation": dilations,
            "groups": call.get("group", 1),
        },
    )


@operator("ConvTranspose")
def conv_transpose(call: Operator) -> None:
    weight, before = call.shape(1), call.shape()
    axes = len(weight) - 2
    strides, dilations = call.get("strides", [1] * axes), call.get("dilations", [1] * axes)
    extra = call.get("output_padding", [0] * axes)
    full = [
        stride * (size - 1) + more + (kernel - 1) * dilation + 1
        for stride, size, more, kernel, dilation in zip(strides, before[2:], extra, weight[2:], dilations, strict=True)
    ]
    pairs = cut(call, full, strides)
    # What is cut off behind may be less than before, which PyTorch calls padding of the output, or more.
    padding = [first for first, _ in pairs]
    beyond = [more + first - last for more, (first, last) in zip(extra, pairs, strict=True)]
    given = {
        "input": call.reference(0),
        "weight": call.reference(1),
        "bias": call.reference(2),
        "stride": strides,
        "padding": padding,
        "output_padding": [max(each, 0) for each in beyond],
        "groups": call.get("group", 1),
        "dilation": dilations,
    }
    name, shape = call.node.output[0], call.onnx.shapes.get(call.node.output[0])
    cuts = [axis for axis, each in enumerate(beyond) if each < 0]
    if not cuts or shape is None:
        call.emit(f"conv_transpose{axes}d", given)
        return
    long = [*shape[:2], *(size - min(each, 0) for size, each in zip(shape[2:], beyond, strict=True))]
    x = call.emit(f"conv_transpose{axes}d", given, f"{name}|whole", list(long))
    for axis in cuts:
        long[axis + 2] = shape[axis + 2]
        last = axis == cuts[-1]
        where = {"dim": axis + 2, "start": 0, "end": shape[axis + 2], "step": 1}
        x = call.emit("slice", {"self": x, **where}, None if last else f"{name}|{axis}", None if last else list(long))


def cut(call: Operator, full: list[int], strides: list[int]) -> list[tuple[int, int]]:
    """What a transposed convolution cuts off before and behind, axis by axis."""
    axes, mode, sizes = len(full), call.get("auto_pad", "NOTSET"), call.get("output_shape")
    if sizes is None and mode in ("SAME_UPPER", "SAME_LOWER"):
        sizes = [size * stride for size, stride in zip(call.shape()[2:], strides, strict=True)]
    if sizes is None:
        pads = call.get("pads", [0] * (2 * axes))
        return [(pads[i], pads[i + axes]) for i in range(axes)]
    found = []
    for long, size in zip(full, sizes[-axes:], strict=True):
        small, large = (long - size) // 2, long - size - (long - size) // 2
        found.append((small, large) if mode == "SAME_UPPER" else (large, small))
    return found


@operator("BatchNormalization")
def batch_norm(call: Operator) -> None:
    for place in (3, 4):
        state = call.onnx.states.get(call.name(place))
        if state is not None:
            state["kind"] = "buffer"
    if call.get("training_mode", 0):
        call.onnx.notes["normalisations work as in training, by what the batch holds"] = None
    call.emit(
        "batch_norm",
        {
            "input": call.reference(0),
            "weight": call.parameter(1),
            "bias": call.parameter(2),
            "running_mean": call.reference(3),
            "running_var": call.reference(4),
            "eps": rounded(call.get("epsilon", 1e-5)),
        },
    )


@operator("InstanceNormalization")
def instance_norm(call: Operator) -> None:
    call.emit(
        "instance_norm",
        {
            "input": call.reference(0),
            "weight": call.parameter(1),
            "bias": call.parameter(2),
            "eps": rounded(call.get("epsilon", 1e-5)),
        },
    )


@operator("LayerNormalization")
def layer_norm(call: Operator) -> None:
    shape = call.shape()
    axis = call.get("axis", -1) % len(shape)
    call.emit(
        "layer_norm",
        {
            "input": call.reference(0),
            "normalized_shape": shape[axis:],
            "weight": call.parameter(1),
            "bias": call.parameter(2),
            "eps": rounded(call.get("epsilon", 1e-5)),
        },
    )


@operator("GroupNormalization")
def group_norm(call: Operator) -> None:
    shape, weight = call.shape(), call.parameter(1)
    given = {"input": call.reference(0), "weight": weight, "bias": call.parameter(2)}
    if weight is not None and prod(call.shape(1)) != shape[1]:  # one for each group, as ONNX had it at first
        call.emit("GroupNormalization", given, shape=shape)
        return
    given |= {"num_groups": call.get("num_groups"), "eps": rounded(call.get("epsilon", 1e-5))}
    call.emit("group_norm", given, shape=shape)


@operator("MaxPool", "AveragePool")
def pool(call: Operator) -> None:
    kernel = call.get("kernel_shape")
    axes, largest = len(kernel), call.node.op_type == "MaxPool"
    strides, dilations = call.get("strides", [1] * axes), call.get("dilations", [1] * axes)
    pairs = sides(call, kernel, strides, dilations)
    ceil, counted = bool(call.get("ceil_mode", 0)), bool(call.get("count_include_pad", 0))
    # Unevenly, or wider than PyTorch's pools take.
    wide = any(a != b or 2 * a > size for (a, b), size in zip(pairs, kernel, strict=True))
    around = not counted and wide  # what is put around would be counted
    if not largest and (around or any(each != 1 for each in dilations)):
        call.emit("AveragePool", {"self": call.reference(0)})
        return
    x, padding = padded(call, pairs, float("-inf") if largest else 0.0, wide)
    given = {"self": x, "kernel_size": kernel, "stride": strides, "padding": padding, "ceil_mode": ceil}
    if largest and len(call.node.output) > 1 and axes == 2:
        # The exporter takes from the places in the whole tensor what makes them those in a map.
        before = call.onnx.differences.get(call.node.output[1])
        shape = call.onnx.shapes.get(call.node.output[0])
        both = call.emit("max_pool2d_with_indices", {**given, "dilation": dilations},
                         f"{call.node.output[0]}|both", [shape, shape])  # fmt: skip
        call.emit("getitem", {"0": both, "1": 0})
        call.emit("getitem", {"0": both, "1": 1}, call.node.output[1] if before is None else before.output[0], shape)
    elif largest:
        call.emit(f"max_pool{axes}d", {**given, "dilation": dilations})
    else:
        include = counted or not any(padding)
        call.emit(f"avg_pool{axes}d", {**given, "count_include_pad": include})


@operator("GlobalAveragePool", "GlobalMaxPool")
def global_pool(call: Operator) -> None:
    axes = len(call.shape()) - 2
    kind = "avg" if call.node.op_type == "GlobalAveragePool" else "max"
    call.emit(f"adaptive_{kind}_pool{axes}d", {"self": call.reference(0), "output_size": [1] * axes})


@operator("LRN")
def local_response_norm(call: Operator) -> None:
    call.emit(
        "local_response_norm",
        {
            "self": call.reference(0),
            "size": call.get("size"),
            "alpha": rounded(call.get("alpha", 1e-4)),
            "beta": rounded(call.get("beta", 0.75)),
            "k": rounded(call.get("bias", 1.0)),
        },
    )


@operator("ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2")
def reduction(call: Operator) -> None:
    ops = {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax", "ReduceL2": "linalg_vector_norm"}
    axes = call.numbers(1) or call.get("axes")
    given = {"self": call.reference(0), "dim": axes, "keepdim": bool(call.get("keepdims", 1))}
    call.emit(ops[call.node.op_type], given)
