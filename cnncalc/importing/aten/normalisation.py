"""Normalisations."""

from __future__ import annotations

from ..program import Call
from ..values import Value
from .table import owner_of, reads, stated


@reads("batch_norm")
def batch_norm(call: Call) -> Value:
    x = call.tensor("input")
    weight, bias, mean = call.state("weight"), call.state("bias"), call.state("running_mean")
    rank = max(len(call.shape_of(x)) - 1, 1)
    arguments = stated(
        eps=(call.get("eps", 1e-5), 1e-5),
        momentum=(call.get("momentum", 0.1), 0.1),
        affine=(weight is not None, True),
        bias=(bias is not None or weight is None, True),
        track_running_stats=(mean is not None, True),
    )
    return call.layer(f"BatchNorm{rank}d", arguments, x, owner=owner_of(weight, mean))


@reads("instance_norm")
def instance_norm(call: Call) -> Value:
    x = call.tensor("input")
    weight, bias, mean = call.state("weight"), call.state("bias"), call.state("running_mean")
    arguments = stated(
        eps=(call.get("eps", 1e-5), 1e-5),
        momentum=(call.get("momentum", 0.1), 0.1),
        affine=(weight is not None, False),
        bias=(bias is not None or weight is None, True),
        track_running_stats=(mean is not None, False),
    )
    return call.layer(f"InstanceNorm{len(call.shape_of(x)) - 1}d", arguments, x, owner=owner_of(weight, mean))


@reads("group_norm")
def group_norm(call: Call) -> Value:
    weight, bias = call.state("weight"), call.state("bias")
    arguments = stated(
        num_groups=call.get("num_groups"),
        eps=(call.get("eps", 1e-5), 1e-5),
        affine=(weight is not None, True),
        bias=(bias is not None or weight is None, True),
    )
    return call.layer("GroupNorm", arguments, call.tensor("input"), owner=owner_of(weight))


@reads("layer_norm")
def layer_norm(call: Call) -> Value:
    x, weight, bias = call.tensor("input"), call.state("weight"), call.state("bias")
    shape = list(call.get("normalized_shape"))
    arguments = stated(
        normalized_shape=(shape, list(call.shape_of(x)[-1:])),
        eps=(call.get("eps", 1e-5), 1e-5),
        elementwise_affine=(weight is not None, True),
        bias=(bias is not None or weight is None, True),
    )
    return call.layer("LayerNorm", arguments, x, owner=owner_of(weight))


@reads("rms_norm")
def rms_norm(call: Call) -> Value:
    x, weight = call.tensor("input"), call.state("weight")
    shape = list(call.get("normalized_shape"))
    arguments = stated(
        normalized_shape=(shape, list(call.shape_of(x)[-1:])),
        eps=(call.get("eps"), None),
        elementwise_affine=(weight is not None, True),
    )
    return call.layer("RMSNorm", arguments, x, owner=owner_of(weight))


@reads("local_response_norm")
def local_response_norm(call: Call) -> Value:
    arguments = stated(
        size=call.get("size"),
        alpha=(call.get("alpha", 1e-4), 1e-4),
        beta=(call.get("beta", 0.75), 0.75),
        k=(call.get("k", 1.0), 1.0),
    )
    return call.layer("LocalResponseNorm", arguments, call.tensor())
