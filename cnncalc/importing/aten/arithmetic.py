"""Sums, products and what joins tensors; reductions."""

from __future__ import annotations

from math import prod
from typing import Any

from ..operations import references
from ..program import Call
from ..refusals import Unread
from ..values import BIASED, FROZEN, POWER, SCALED, SHIFTED, Places, State, Tensor, Value, Worked
from .table import owner_of, reads, stated

MERGES = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "true_divide": "divide",
    "maximum": "maximum",
}


@reads(*MERGES)
def arithmetic(call: Call) -> Value:
    left, right = call.value("self"), call.value("other")
    if call.get("alpha", 1) != 1:
        raise Unread("it scales what it adds")
    if right is None:
        return with_number(call, call.get("other", 0))
    operands = [operand(call, each) for each in (left, right)]
    if operands[0] is None or operands[1] is None:
        x = left if isinstance(left, Tensor) else right
        state = right if isinstance(left, Tensor) else left
        if isinstance(x, Tensor) and isinstance(state, State):
            return with_state(call, x.node, state)
        if isinstance(x, Tensor) and isinstance(state, Worked):
            return frozen(call, x.node, state)
        raise Unread("one side is worked out of parameters")
    shapes = [call.shape_of(each) for each in operands if each is not None]
    if len(shapes[0]) != len(shapes[1]):
        raise Unread("its sides have different numbers of axes")
    return call.layer(MERGES[call.op], {}, *(each for each in operands if each is not None))


def frozen(call: Call, x: int, worked: Worked) -> Value:
    """Half of a normalisation that is fixed: times what two buffers give, or plus what four give."""
    parts = {name.rpartition(".")[2] for name in worked.states}
    paths = {name.rpartition(".")[0] for name in worked.states}
    halves = {"mul": {"weight", "running_var"}, "add": {"weight", "running_var", "bias", "running_mean"}}
    if (
        len(paths) != 1
        or parts != halves.get(call.op)
        or any(call.reading.tensors[name]["kind"] != "buffer" for name in worked.states)
    ):
        raise Unread("one side is worked out of parameters")
    given = next(each for each in references(call.given) if each["tensor"] in call.reading.values
                 and isinstance(call.reading.values[each["tensor"]], Worked))  # fmt: skip
    eps = call.reading.made_by(worked.states, given["tensor"]).get("add", {}).get("given", {}).get("other", 0.0)
    count = call.reading.tensors[worked.states[0]]["shape"][0]
    buffers = 4 * count if call.op == "add" else 0
    figures = {
        "shape": list(call.shape),
        "params": 0,
        "buffers": buffers,
        "macs": 0,
        "note": "fixed numbers for each channel",
    }
    return call.layer(FROZEN[call.op], {"eps": eps}, x, owner=paths.pop() if call.op == "add" else "", figures=figures)


def operand(call: Call, value: Value | None) -> int | None:
    return value.node if isinstance(value, Tensor) else None


def with_number(call: Call, number: Any) -> Value:
    """A tensor and a number."""
    x = call.tensor()
    if not isinstance(number, (int, float)) or isinstance(number, bool):
        raise Unread("the other side is no number")
    if call.op in ("mul", "div", "true_divide"):
        factor = number if call.op == "mul" else 1 / number if number else 0
        return call.layer("Scale", {"factor": factor}, x)
    return call.layer("Shift", {"value": number if call.op == "add" else -number}, x)


@reads("pow", "square")
def power(call: Call) -> Value:
    """A square is the product of a tensor with itself; other powers no layer type gives, but some are part of one."""
    x, exponent = call.tensor(), 2 if call.op == "square" else call.get("exponent")
    if exponent == 2:
        return call.layer("multiply", {}, x, x)
    if not isinstance(exponent, (int, float)) or isinstance(exponent, bool):
        raise Unread("the exponent is no number")
    note = f"a power, and no layer type gives it ({call.line})" if call.line else "a power, and no layer type gives it"
    figures = {"shape": list(call.shape), "params": 0, "buffers": 0, "macs": 0, "note": note}
    return call.layer(POWER, {"exponent": exponent}, x, figures=figures)


def with_state(call: Call, x: int, state: State) -> Value:
    """A tensor times or plus a parameter: a layer scale, or a learnt tensor that is multiplied or added."""
    shape, tensor = call.shape_of(x), call.reading.tensors[state.name]
    if tensor["kind"] != "parameter":
        raise Unread("one side is fixed and no parameter")
    own, default = tuple(tensor["shape"]), (shape[0], *(1 for _ in shape[1:]))
    if call.op == "mul":
        meets = state.shape[1:] if len(state.shape) > len(shape) and state.shape[0] == 1 else state.shape
        if meets == default:  # one factor for each channel
            vector = {"shape": list(own), "dim": 1} if len(own) == 1 < len(shape) else {}
            return call.layer("LayerScale", vector, x, owner=f"={state.name}")
        last = (*(1 for _ in shape[1:]), shape[-1])
        if meets == last and own == shape[-1:]:  # one for each place along the last axis, where channels may be
            return call.layer("LayerScale", {"shape": list(own)}, x, owner=f"={state.name}")
        if state.shape == own and (len(own) <= 1 or own == shape[-len(own) :]):
            return call.layer("LayerScale", {"shape": list(own)}, x, owner=f"={state.name}")
    if call.op == "add" and state.shape == own == shape and len(own) > 1:
        return call.layer("UnitBias", {}, x, owner=f"={state.name}")
    behind = (*(1 for _ in shape[1:]), shape[-1])
    figures = {"shape": list(shape), "params": prod(own), "buffers": 0, "macs": 0}
    if call.op == "add" and (state.shape[-len(shape) :], prod(own)) == (default, shape[0]):
        figures["note"] = "a learnt summand for each channel"
        return call.layer(SHIFTED, {}, x, owner=f"={state.name}", figures=figures)
    if call.op == "add" and (own == shape[-1:] or (state.shape[-len(shape) :], prod(own)) == (behind, shape[-1])):
        figures["note"] = "a learnt summand for each place along the last axis"
        return call.layer(BIASED, {}, x, owner=f"={state.name}", figures=figures)
    if state.shape == own and own[:1] == (1,) and len(own) == len(shape) + 1:
        token = call.layer("Token", {"shape": list(own[1:])}, x, owner=f"={state.name}", shape=own[1:])
        return call.layer(MERGES[call.op], {}, x, token.node)
    raise Unread("one side is a parameter")


@reads("addcmul")
def scaled_and_shifted(call: Call) -> Value:
    """A learnt factor and a learnt summand for each channel: the end of a global response normalisation."""
    bias, weight = call.value("self"), call.value("tensor1")
    if not isinstance(bias, State) or not isinstance(weight, State) or owner_of(bias) != owner_of(weight):
        raise Unread("no layer type does this")
    params = sum(prod(call.reading.tensors[state.name]["shape"]) for state in (weight, bias))
    figures = {
        "shape": list(call.shape),
        "params": params,
        "buffers": 0,
        "macs": 0,
        "note": "addcmul: a learnt factor and summand",
    }
    return call.layer(SCALED, {}, call.tensor("tensor2"), owner=owner_of(weight), figures=figures)


@reads("neg")
def negative(call: Call) -> Value:
    return call.layer("Scale", {"factor": -1}, call.tensor())


@reads("matmul", "bmm")
def matmul(call: Call) -> Value:
    left, right = call.tensor("self"), call.tensor("other" if "other" in call.given else "mat2")
    if len(call.shape_of(left)) < 2 or len(call.shape_of(left)) != len(call.shape_of(right)):
        raise Unread("its sides are no matrices of as many axes")
    return call.layer("matmul", {}, left, right)


@reads("cat")
def concat(call: Call) -> Value:
    parts = [call.reading.value_of(each) for each in call.given.get("tensors", [])]
    if len(parts) == 1 and isinstance(parts[0], Tensor):
        return parts[0]
    near = next((part.node for part in parts if isinstance(part, Tensor)), None)
    if near is None:
        raise Unread("no part is the output of a layer")
    nodes = [part.node if isinstance(part, Tensor) else learnt(call, near, part) for part in parts]
    dim = call.axis(call.get("dim", 0), len(call.shape_of(nodes[0])) + 1)
    return call.layer("concat", stated(dim=(dim, 1)), *nodes)


def learnt(call: Call, near: int, part: Value | None) -> int:
    """A learnt tensor among others, the same for each image: a class token; raises `Unread` for anything else."""
    rank = len(call.shape_of(near)) + 1
    if not isinstance(part, State) or len(part.shape) != rank or part.shape[0] != 1 or not part.whole:
        raise Unread("one part is no output of a layer")
    if (
        call.reading.tensors[part.name]["kind"] != "parameter"
        or tuple(call.reading.tensors[part.name]["shape"]) != part.shape
    ):
        raise Unread("one part is fixed")
    shape = part.shape[1:]
    return call.layer("Token", {"shape": list(shape)}, near, owner=f"={part.name}", shape=shape).node


@reads("stack")
def stack(call: Call) -> Value:
    parts = [call.reading.value_of(each) for each in call.given.get("tensors", [])]
    nodes = [part.node for part in parts if isinstance(part, Tensor)]
    if len(nodes) < len(parts):
        raise Unread("one part is no output of a layer")
    dim = call.axis(call.get("dim", 0), len(call.shape_of(nodes[0])) + 2)
    return call.layer("stack", stated(dim=(dim, 1)), *nodes)


REDUCTIONS = {"mean": "Mean", "sum": "Sum", "amax": "Max", "linalg_vector_norm": "Norm", "norm": "Norm"}


@reads(*REDUCTIONS)
def reduction(call: Call) -> Value:
    x = call.tensor()
    rank = len(call.shape_of(x)) + 1
    dims = call.get("dim", [])
    dims = [call.axis(dim, rank) for dim in (dims if isinstance(dims, list) else [dims])]
    if not dims:
        raise Unread("it works along the batch")
    arguments: dict[str, Any] = {"dim": dims[0] if len(dims) == 1 else sorted(dims)}
    if call.get("keepdim", False):
        arguments["keepdim"] = True
    if REDUCTIONS[call.op] == "Norm":
        arguments |= stated(p=(call.get("ord", call.get("p", 2)), 2))
    return call.layer(REDUCTIONS[call.op], arguments, x)


@reads("max")
def largest(call: Call) -> list[Value]:
    """The largest along an axis, and where it stands, which nothing but an unpooling can be asked for."""
    x = call.tensor()
    if not isinstance(call.get("dim"), int):
        raise Unread("it works along the batch")
    arguments: dict[str, Any] = {"dim": call.axis(call.get("dim"), len(call.shape_of(x)) + 1)}
    arguments |= {"keepdim": True} if call.get("keepdim", False) else {}
    made = call.layer("Max", arguments, x, shape=call.reading.without_batch(call.whole_shape[0]))
    return [made, Places(made.node)]
