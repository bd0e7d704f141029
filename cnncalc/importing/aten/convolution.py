"""Convolutions and linear layers."""

from __future__ import annotations

from math import prod

from ..program import Call
from ..refusals import Unread
from ..values import FIXED, State, Value, Worked
from .table import even, owner_of, reads, stated


@reads("conv1d", "conv2d", "conv3d")
def conv(call: Call) -> Value:
    weight = call.value("weight")
    if isinstance(weight, Worked):
        return standardised(call, weight)
    weight, bias = call.state("weight"), call.state("bias")
    if weight is None:
        raise Unread("its weights come from a layer")
    if call.reading.tensors[weight.name]["kind"] == "buffer":
        return fixed_filters(call, weight)
    rank = len(weight.shape) - 2
    if weight.shape[1] * call.get("groups", 1) != call.shape_of(call.tensor("input"))[0]:
        raise Unread(f"its weights are for {weight.shape[1] * call.get('groups', 1)} channels")
    padding = call.get("padding", 0)
    arguments = stated(
        out_channels=weight.shape[0],
        kernel_size=even(weight.shape[2:]),
        stride=(even(call.get("stride", 1)), 1),
        padding=(padding if isinstance(padding, str) else even(padding), 0),
        dilation=(even(call.get("dilation", 1)), 1),
        groups=(call.get("groups", 1), 1),
        bias=(bias is not None, True),
    )
    return call.layer(f"Conv{rank}d", arguments, call.tensor("input"), owner=owner_of(weight))


def fixed_filters(call: Call, weight: State) -> Value:
    """A convolution whose filters are fixed: a blur pool, if what comes before is its border."""
    kernel, stride = even(weight.shape[2:]), even(call.get("stride", 1))
    plain = not any(call.get("padding", [0])) and even(call.get("dilation", 1)) == 1 and call.given.get("bias") is None
    if not plain or call.op != "conv2d" or call.get("groups", 1) != weight.shape[0] or weight.shape[1] != 1:
        raise Unread("its weights are fixed")
    arguments = {"filt_size": kernel, "stride": stride}
    out, count = call.shape, prod(weight.shape)
    figures = {"shape": list(out), "params": 0, "buffers": count, "macs": prod(weight.shape[1:]) * prod(out),
               "note": "a convolution with fixed filters"}  # fmt: skip
    return call.layer(FIXED, arguments, call.tensor("input"), figures=figures)


def standardised(call: Call, weight: Worked) -> Value:
    """A convolution whose weights are standardised before each use, or scaled and standardised."""
    names = {name.rpartition(".")[2]: name for name in weight.states}
    bias = call.state("bias")
    own = names.get("weight", "")
    made = call.reading.made_by(weight.states, call.given["weight"]["tensor"])
    norm = made.get("batch_norm")
    if call.op != "conv2d" or not own or norm is None or set(names) - {"weight", "gain"}:
        raise Unread("its weights are worked out")
    shape = call.reading.tensors[own]["shape"]
    padding = call.get("padding", 0)
    arguments = stated(
        out_channels=shape[0],
        kernel_size=even(shape[2:]),
        stride=(even(call.get("stride", 1)), 1),
        padding=(padding if isinstance(padding, str) else even(padding), 0),
        dilation=(even(call.get("dilation", 1)), 1),
        groups=(call.get("groups", 1), 1),
        bias=(bias is not None, True),
        eps=(norm["given"].get("eps", 1e-5), 1e-6),
    )
    if "gain" in names:
        scale = made.get("mul", {}).get("given", {}).get("other", 1.0)
        factor = scale if isinstance(scale, (int, float)) else 1.0
        fan = prod(shape[1:]) ** -0.5
        arguments |= stated(standardise="scaled", gamma=(round(factor / fan, 12), 1.0))
    else:
        arguments["standardise"] = True
    return call.layer("Conv2d", arguments, call.tensor("input"), owner=own.rpartition(".")[0])


@reads("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def conv_transpose(call: Call) -> Value:
    weight, bias = call.state("weight"), call.state("bias")
    if weight is None:
        raise Unread("its weights come from a layer")
    groups = call.get("groups", 1)
    arguments = stated(
        out_channels=weight.shape[1] * groups,
        kernel_size=even(weight.shape[2:]),
        stride=(even(call.get("stride", 1)), 1),
        padding=(even(call.get("padding", 0)), 0),
        output_padding=(even(call.get("output_padding", 0)), 0),
        groups=(groups, 1),
        dilation=(even(call.get("dilation", 1)), 1),
        bias=(bias is not None, True),
    )
    return call.layer(f"ConvTranspose{len(weight.shape) - 2}d", arguments, call.tensor("input"), owner=owner_of(weight))


@reads("linear")
def linear(call: Call) -> Value:
    weight, bias = call.state("weight"), call.state("bias")
    if weight is None:
        raise Unread("its weights come from a layer")
    arguments = stated(out_features=weight.shape[0], bias=(bias is not None, True))
    return call.layer("Linear", arguments, call.tensor("input"), owner=owner_of(weight))
