"""ONNX's operators that calculate, by PyTorch's names; what both do differently is evened out here."""

from __future__ import annotations

from typing import Any

from .onnx_program import Operator, operator

#: Operators with the same meaning and a single input.
PLAIN = {
    "Relu": "relu",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Selu": "selu",
    "Softsign": "softsign",
    "HardSwish": "hardswish",
    "Mish": "mish",
    "Neg": "neg",
    "Identity": "alias",
    "Cast": "to",
    "Swish": "silu",
    "Softplus": "softplus",
}
#: What a tensor times this of itself is.
GATED = {"Sigmoid": "silu"}
ARITHMETIC = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Max": "maximum"}


@operator(*PLAIN)
def plain(call: Operator) -> None:
    call.emit(PLAIN[call.node.op_type], {"self": call.reference(0)})


@operator("Dropout")
def dropout(call: Operator) -> None:
    ratio = (call.numbers(1) or [call.get("ratio", 0.5)])[0]
    call.emit("dropout", {"input": call.reference(0), "p": round(float(ratio), 6)})


@operator("LeakyRelu")
def leaky_relu(call: Operator) -> None:
    call.emit("leaky_relu", {"self": call.reference(0), "negative_slope": rounded(call.get("alpha", 0.01))})


@operator("Elu", "Celu")
def elu(call: Operator) -> None:
    call.emit(call.node.op_type.lower(), {"self": call.reference(0), "alpha": rounded(call.get("alpha", 1.0))})


@operator("PRelu")
def prelu(call: Operator) -> None:
    call.emit("prelu", {"self": call.reference(0), "weight": call.reference(1)})


@operator("Gelu")
def gelu(call: Operator) -> None:
    call.emit("gelu", {"self": call.reference(0), "approximate": call.get("approximate", "none")})


@operator("HardSigmoid")
def hardsigmoid(call: Operator) -> None:
    exact = abs(call.get("alpha", 0.2) - 1 / 6) < 1e-4 and abs(call.get("beta", 0.5) - 0.5) < 1e-6
    call.emit("hardsigmoid" if exact else "HardSigmoid", {"self": call.reference(0)})


@operator("Clip")
def clip(call: Operator) -> None:
    low = (call.numbers(1) or [call.get("min")])[0]
    high = (call.numbers(2) or [call.get("max")])[0]
    call.emit("clamp", {"self": call.reference(0), "min": low, "max": high})


@operator("Where")
def chosen(call: Operator) -> None:
    asked = call.inner(0)
    given = {str(i): call.reference(i) for i in range(3)}
    limit = call.onnx.constants.get(call.onnx.names.get(asked.input[1], "")) if asked is not None else None
    instead = call.numbers(1)
    plain = asked is not None and asked.op_type == "LessOrEqual" and asked.input[0] == call.node.input[2]
    if not plain or limit is None or instead is None or len(limit) != 1 or len(instead) != 1:
        call.emit("Where", given)
        return
    call.emit("threshold", {"self": given["2"], "threshold": rounded(limit[0]), "value": rounded(instead[0])})


@operator("Softmax", "LogSoftmax")
def softmax(call: Operator) -> None:
    rank = len(call.shape())
    dim = call.get("axis", 1 if call.onnx.opset < 13 else -1)
    call.emit(
        "softmax" if call.node.op_type == "Softmax" else "log_softmax", {"self": call.reference(0), "dim": dim % rank}
    )


def rounded(value: Any) -> Any:
    """A number of single precision as it was meant."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


# -- arithmetic ------------------------------------------------------------------------------------------------------


@operator(*ARITHMETIC)
def arithmetic(call: Operator) -> None:
    op = ARITHMETIC[call.node.op_type]
    left, right = call.reference(0), call.reference(1)
    for place in (0, 1) if op == "mul" else ():
        gate = call.inner(1 - place)
        if gate is not None and gate.op_type in GATED and list(gate.input) == [call.node.input[place]]:
            call.emit(GATED[gate.op_type], {"self": call.reference(place)})
            return
    for own, other, place in ((left, right, 1), (right, left, 0)):
        numbers = call.numbers(place)
        plain = numbers is not None and len(numbers) == 1 and call.parameter(place) is None
        if numbers is not None and plain and own is not None and not own["state"]:
            if place == 0 and op in ("sub", "div"):
                break
            call.emit(op, {"self": own, "other": rounded(numbers[0])})
            return
        del other
    call.emit(op, {"self": left, "other": right})


@operator("Pow")
def power(call: Operator) -> None:
    numbers = call.numbers(1)
    exponent = rounded(numbers[0]) if numbers is not None and len(numbers) == 1 else call.reference(1)
    call.emit("pow", {"self": call.reference(0), "exponent": exponent})


@operator("Sum")
def total(call: Operator) -> None:
    before = call.reference(0)
    count = len(call.node.input)
    for place in range(1, count):
        name = None if place == count - 1 else f"{call.node.output[0]}|{place}"
        before = call.emit(
            "add", {"self": before, "other": call.reference(place)}, name, call.shape() if name else None
        )
    if count == 1:
        call.emit("alias", {"self": before})


@operator("MatMul")
def matmul(call: Operator) -> None:
    right = call.reference(1)
    if right is not None and right["state"] and len(call.shape(1)) == 2:
        transposed(call, right, None)
        return
    call.emit("matmul", {"self": call.reference(0), "other": right})


@operator("Gemm")
def gemm(call: Operator) -> None:
    weight = call.reference(1)
    if weight is None or not weight["state"] or call.get("alpha", 1.0) != 1.0 or call.get("transA", 0):
        call.emit("Gemm", {"self": call.reference(0), "other": weight, "bias": call.reference(2)})
        return
    if call.get("transB", 0):
        call.emit("linear", {"input": call.reference(0), "weight": weight, "bias": call.reference(2)})
    else:
        transposed(call, weight, call.reference(2))


def transposed(call: Operator, weight: dict[str, Any], bias: Any) -> None:
    """A linear layer whose weights are stored the other way round."""
    state = call.onnx.states[weight["tensor"]]
    if not state.get("turned"):
        call.onnx.states[weight["tensor"]] = {**state, "shape": state["shape"][::-1], "turned": True}
    call.emit("linear", {"input": call.reference(0), "weight": weight, "bias": bias})


@operator("Concat")
def concat(call: Operator) -> None:
    call.emit("cat", {"tensors": [call.reference(i) for i in range(len(call.node.input))], "dim": call.get("axis", 1)})


# -- convolutions, pools and norms -----------------------------------------------------------------------------------


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


def padded(call: Operator, pairs: list[tuple[int, int]], value: float = 0.0) -> tuple[dict[str, Any] | None, list[int]]:
    """The input with what padding is uneven put around it, and the padding that is left for the layer."""
    if all(before == after for before, after in pairs):
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
    weight = call.shape(1)
    axes = len(weight) - 2
    strides, pads = call.get("strides", [1] * axes), call.get("pads", [0] * (2 * axes))
    extra = call.get("output_padding", [0] * axes)
    if any(pads[i] != pads[i + axes] for i in range(axes)):
        call.emit("ConvTranspose", {"self": call.reference(0), "weight": call.reference(1)})
        return
    call.emit(
        f"conv_transpose{axes}d",
        {
            "input": call.reference(0),
            "weight": call.reference(1),
            "bias": call.reference(2),
            "stride": strides,
            "padding": pads[:axes],
            "output_padding": extra,
            "groups": call.get("group", 1),
            "dilation": call.get("dilations", [1] * axes),
        },
    )


@operator("BatchNormalization")
def batch_norm(call: Operator) -> None:
    for place in (3, 4):
        state = call.onnx.states.get(call.name(place))
        if state is not None:
            state["kind"] = "buffer"
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
    call.emit(
        "group_norm",
        {
            "input": call.reference(0),
            "num_groups": call.get("num_groups"),
            "weight": call.parameter(1),
            "bias": call.parameter(2),
            "eps": rounded(call.get("epsilon", 1e-5)),
        },
    )


@operator("MaxPool", "AveragePool")
def pool(call: Operator) -> None:
    kernel = call.get("kernel_shape")
    axes, largest = len(kernel), call.node.op_type == "MaxPool"
    strides, dilations = call.get("strides", [1] * axes), call.get("dilations", [1] * axes)
    pairs = sides(call, kernel, strides, dilations)
    ceil, counted = bool(call.get("ceil_mode", 0)), bool(call.get("count_include_pad", 0))
    if not largest and not counted and any(a != b for a, b in pairs):
        call.emit("AveragePool", {"self": call.reference(0)})  # what is put around would be counted
        return
    x, padding = padded(call, pairs, float("-inf") if largest else 0.0)
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
