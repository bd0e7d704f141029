"""ONNX's operators that calculate, by PyTorch's names; what both do differently is evened out here."""

from __future__ import annotations

from math import prod
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
ARITHMETIC = {"Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div"}


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
    op = "alias" if low is None and high is None and len(call.node.input) == 1 else "clamp"
    call.emit(op, {"self": call.reference(0), "min": rounded(low), "max": rounded(high)})


@operator("Max", "Min")
def extreme(call: Operator) -> None:
    """Of any number of tensors, and of numbers: what cuts off."""
    op, bound, pick = ("maximum", "min", max) if call.node.op_type == "Max" else ("minimum", "max", min)
    given = [(call.reference(place), call.numbers(place) or []) for place in range(len(call.node.input))]
    numbers = [one[0] for each, one in given if each is not None and each["state"] and len(one) == 1]
    tensors = [each for each, one in given if each is not None and not (each["state"] and len(one) == 1)]
    steps: list[tuple[str, dict[str, Any]]] = [(op, {"other": each}) for each in tensors[1:]]
    steps += [("clamp", {bound: rounded(float(pick(numbers)))})] if numbers else []
    if not tensors or not steps:
        call.emit("alias" if tensors else call.node.op_type, {"self": call.reference(0)})
        return
    before, shape = tensors[0], call.onnx.shapes.get(call.node.output[0])
    for number, (step, more) in enumerate(steps):
        last = number == len(steps) - 1
        before = call.emit(
            step, {"self": before, **more}, None if last else f"{call.node.output[0]}|{number}", None if last else shape
        )


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
    op, shape = "softmax" if call.node.op_type == "Softmax" else "log_softmax", call.shape()
    dim = call.get("axis", 1 if call.onnx.opset < 13 else -1) % len(shape)
    if call.onnx.opset >= 13 or prod(shape[dim + 1 :]) == 1:
        call.emit(op, {"self": call.reference(0), "dim": dim})
    elif dim == 1:  # of all axes from this one on, taken together
        long, name = [shape[0], prod(shape[1:])], call.node.output[0]
        flat = call.emit("reshape", {"self": call.reference(0)}, f"{name}|flat", long)
        call.emit("reshape", {"self": call.emit(op, {"self": flat, "dim": 1}, f"{name}|shares", long)})
    else:
        call.emit(call.node.op_type, {"self": call.reference(0)})


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
    plain = call.get("alpha", 1.0) == 1.0 and not call.get("transA", 0)
    if call.reference(2) is not None:  # added as often as it is, one for each number
        shape = call.onnx.shapes.get(call.node.output[0])
        plain &= call.get("beta", 1.0) == 1.0 and (shape is None or prod(call.shape(2)) == shape[-1])
    if weight is None or not weight["state"] or not plain:
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
