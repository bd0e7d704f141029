"""Activations."""

from __future__ import annotations

from math import prod
from typing import Any

from ..program import Call
from ..refusals import Unread
from ..values import Value
from .table import owner_of, reads, stated

#: Activations without arguments.
PLAIN = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "selu": "SELU",
    "sigmoid": "Sigmoid",
    "log_sigmoid": "LogSigmoid",
    "tanh": "Tanh",
    "silu": "SiLU",
    "mish": "Mish",
    "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
    "softsign": "Softsign",
}
IN_PLACE = frozenset(
    ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardsigmoid", "Hardswish", "LeakyReLU", "ELU", "CELU", "Hardtanh")
)


@reads(*PLAIN)
def activation(call: Call) -> Value:
    return activated(call, PLAIN[call.op])


def activated(call: Call, type_: str, **arguments: Any) -> Value:
    """An activation, in place where it was so."""
    inplace = {"inplace": True} if call.inplace and type_ in IN_PLACE else {}
    name = "input" if "input" in call.given else "self"
    return call.layer(type_, stated(**arguments) | inplace, call.tensor(name))


@reads("hardtanh")
def hardtanh(call: Call) -> Value:
    low, high = call.get("min_val", -1), call.get("max_val", 1)
    if (low, high) == (0, 6):
        return activated(call, "ReLU6")
    return activated(call, "Hardtanh", min_val=(low, -1), max_val=(high, 1))


@reads("clamp", "clamp_min")
def clamp(call: Call) -> Value:
    low, high = call.get("min"), call.get("max")
    if (low, high) == (0, 6):
        return activated(call, "ReLU6")
    if low == 0 and high is None:
        return activated(call, "ReLU")
    if isinstance(low, (int, float)) and high is None:
        return activated(call, "Threshold", threshold=(low, ...), value=(low, ...))
    if not all(isinstance(each, (int, float)) for each in (low, high)):
        raise Unread("it cuts off from above alone")
    return activated(call, "Hardtanh", min_val=(low, -1), max_val=(high, 1))


@reads("leaky_relu")
def leaky_relu(call: Call) -> Value:
    return activated(call, "LeakyReLU", negative_slope=(call.get("negative_slope", 0.01), 0.01))


@reads("elu")
def elu(call: Call) -> Value:
    return activated(call, "ELU", alpha=(call.get("alpha", 1), 1))


@reads("celu")
def celu(call: Call) -> Value:
    return activated(call, "CELU", alpha=(call.get("alpha", 1), 1))


@reads("gelu")
def gelu(call: Call) -> Value:
    return activated(call, "GELU", approximate=(call.get("approximate", "none"), "none"))


@reads("softplus")
def softplus(call: Call) -> Value:
    return activated(call, "Softplus", beta=(call.get("beta", 1), 1), threshold=(call.get("threshold", 20), 20))


@reads("threshold")
def threshold(call: Call) -> Value:
    return activated(call, "Threshold", threshold=(call.get("threshold"), ...), value=(call.get("value"), ...))


@reads("hardshrink", "softshrink")
def shrink(call: Call) -> Value:
    return activated(call, call.op.capitalize(), lambd=(call.get("lambd", 0.5), 0.5))


@reads("rrelu")
def rrelu(call: Call) -> Value:
    return activated(call, "RReLU", lower=(call.get("lower", 1 / 8), 1 / 8), upper=(call.get("upper", 1 / 3), 1 / 3))


@reads("prelu")
def prelu(call: Call) -> Value:
    weight = call.state("weight")
    if weight is None:
        raise Unread("its slope comes from a layer")
    x = call.tensor("self")
    if prod(weight.shape) not in (1, call.shape_of(x)[0]):
        raise Unread("its slope is neither one nor one for each channel")
    arguments = stated(num_parameters=(prod(weight.shape), 1))
    return call.layer("PReLU", arguments, x, owner=owner_of(weight))


@reads("softmax", "_softmax", "log_softmax", "_log_softmax")
def softmax(call: Call) -> Value:
    x = call.tensor()
    dim = call.axis(call.get("dim"), len(call.shape_of(x)) + 1)
    return call.layer("LogSoftmax" if "log" in call.op else "Softmax", {"dim": dim}, x)


@reads("glu")
def glu(call: Call) -> Value:
    x = call.tensor()
    rank = len(call.shape_of(x)) + 1
    return call.layer("GLU", {"dim": call.axis(call.get("dim", -1), rank)}, x)
