"""Modules that are one layer, whatever they do inside: by what they were given, and not by their operations.

They are modules in source that was exported from a spec, where torch.nn has none, and a few of torch.nn's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from math import prod
from typing import Any

from ..ops import OWN_MODULES, REGISTRY
from ..ops.own_source import own_class
from .aten.table import even, stated
from .program import Call
from .values import Tensor

#: Modules that are variants of a layer type.
TYPES = {"StdConv2d": "Conv2d"}
#: Modules of torch.nn that consist of several operations, with the names of our arguments.
LIBRARY = frozenset(("LPPool1d", "LPPool2d", "LPPool3d", "LocalResponseNorm", "Softsign"))


@cache
def digests() -> Mapping[str, str]:
    """The layer types that take one input and have a module of their own, by what tells its source from any other."""
    types = [name for name in OWN_MODULES if name in REGISTRY and not REGISTRY[name].many_inputs]
    return {hashlib.sha256(own_class(name).strip().encode()).hexdigest(): name for name in types}


def arguments_of(module: Mapping[str, Any]) -> dict[str, Any] | None:
    """The arguments of the layer that a module is; None where it is none, or does not say what it was given."""
    type_ = digests().get(str(module.get("source")))
    if module["library"] and module["class"] in LIBRARY:
        type_ = module["class"]
    if type_ is None:
        return None
    given, found = module["attributes"], dict[str, Any]()
    for argument in REGISTRY[type_].arguments():
        if argument.inferred:
            continue
        if argument.name in given:
            value = given[argument.name]
            if isinstance(value, list) and argument.name != "shape" and all(isinstance(each, int) for each in value):
                value = even(value)
            if argument.required or value != argument.default:
                found[argument.name] = value
        elif argument.required:
            return None
    return found


def is_own(module: Mapping[str, Any]) -> bool:
    """Whether a module is one layer as a whole."""
    return (bool(module.get("own")) and module["class"] in BY_OPERATORS) or arguments_of(module) is not None


def own_layer(
    last: Call, nodes: Sequence[Mapping[str, Any]], inputs: tuple[int, ...], module: Sequence[Any]
) -> Tensor | None:
    """The layer that such a module is, with its parameters."""
    made = last.reading.program["modules"][str(module[1])]
    several = made["class"] == "Attention" and len(inputs) == 3
    if not is_own(made) or not (len(inputs) == 1 or several):
        return None
    try:
        arguments = BY_OPERATORS[made["class"]](last, nodes) if made.get("own") else arguments_of(made)
    except (KeyError, IndexError, TypeError, ValueError):  # operators that the exporter does not write so
        arguments = None
    type_ = TYPES.get(made["class"], made["class"])
    return None if arguments is None else last.layer(type_, arguments, *inputs, owner=str(module[1]))


# -- what ONNX has of them: no arguments, but operators with attributes and constants --------------------------------


def partial_convolution(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A gathering of planes, a convolution of each, and their sums, scattered to where they go."""
    given = [node["given"] for node in nodes]
    conv = next((each for each in given if "kernel_shape" in each), None)
    planes: list[Any] = next(
        (numbers for each in given if each.get("axis") == 1 and (numbers := each.get("numbers 1"))), []
    )
    targets: list[Any] = next((each.get("numbers 1") or [] for each in given if each.get("reduction") == "add"), [])
    whole = all(isinstance(each, int) for each in (*planes, *targets))
    if conv is None or not whole or not planes or len(planes) != len(targets):
        return None
    if {*targets} != {*range(min(last.shape[0], len(targets) + 1))}:  # a plane that nothing goes to, or one too many
        return None
    found: dict[str, Any] = {
        "connections": [[] for _ in range(last.shape[0])],
        "kernel_size": even(conv["kernel_shape"]),
    }
    for plane, target in zip(planes, targets, strict=True):
        found["connections"][target].append(plane)
    tensors = [last.reading.tensors.get(str(each["1"]["tensor"])) for each in given if each.get("1")]
    found["bias"] = any(tensor is not None and len(tensor["shape"]) == 3 for tensor in tensors)
    found["stride"], found["padding"] = even(conv.get("strides", 1)), even(conv.get("pads", [0, 0])[:2])
    usual = {"bias": True, "stride": 1, "padding": 0}
    return {name: value for name, value in found.items() if value != usual.get(name)}


def subsampling(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A mean of each window, times and plus a number for each channel."""
    given = [node["given"] for node in nodes]
    kernel = next((even(each["kernel_shape"]) for each in given if "kernel_shape" in each), None)
    return None if kernel is None else {"kernel_size": kernel} if kernel != 2 else {}


def heads(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Shares of all places, for each image and head."""
    shape = next((node["shape"] for node in nodes if node["op"] == "Softmax"), None)
    return {"num_heads": shape[1]} if isinstance(shape, list) and len(shape) == 4 else None


def group_norm(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A normalisation of each group as if it were a channel, then times and plus a number for each channel."""
    norm = next((node for node in nodes if node["op"] in ("InstanceNormalization", "GroupNormalization")), None)
    if norm is None or not norm["given"].get("1"):
        return None
    given, tensors = norm["given"], last.reading.tensors
    others = [node["given"] for node in nodes if node is not norm or norm["op"] == "GroupNormalization"]
    named = {str(each["tensor"]) for one in others for place in "012" if (each := one.get(place)) and each.get("state")}
    vectors = [name for name in named if prod(tensors[name]["shape"]) == last.shape[0]]
    groups = given.get("num_groups") or prod(tensors[given["1"]["tensor"]]["shape"])
    eps = float(f"{given.get('epsilon', 1e-5):.6g}")
    return stated(num_groups=groups, eps=(eps, 1e-5), affine=(bool(vectors), True), bias=(len(vectors) != 1, True))


def standardised(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A convolution behind a normalisation of its weights; or a plain one, where that was worked out before."""
    conv = next((node["given"] for node in nodes if node["op"] == "Conv"), None)
    norm = next((node["given"] for node in nodes if node["op"] == "BatchNormalization"), None)
    named = {str(each["tensor"]) for node in nodes for place in "01" if (each := node["given"].get(place))}
    shapes = [tensor["shape"] for name in named if (tensor := last.reading.tensors.get(name)) is not None]
    weights = [shape for shape in shapes if len(shape) == 4 and shape[0] == last.shape[0]]
    pads = conv.get("pads", [0, 0, 0, 0]) if conv is not None else [0, 1]
    if conv is None or len(weights) != 1 or pads[:2] != pads[2:]:
        return None
    own = {} if norm is None else {"standardise": True, "eps": float(f"{norm.get('epsilon', 1e-5):.6g}")}
    return own | stated(
        out_channels=last.shape[0],
        kernel_size=even(conv["kernel_shape"]),
        stride=(even(conv.get("strides", 1)), 1),
        padding=(even(pads[:2]), 0),
        dilation=(even(conv.get("dilations", 1)), 1),
        groups=(conv.get("group", 1), 1),
        bias=(conv.get("2") is not None, True),
    )


def codes(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Squared distances to as many codes as numbers come out."""
    return {"out_features": last.shape[-1]}


#: Layers of our own export to ONNX, and how their arguments are read off the operators.
BY_OPERATORS = {
    "PartialConv2d": partial_convolution,
    "Subsampling": subsampling,
    "RBF": codes,
    "Attention": heads,
    "GroupNorm": group_norm,
    "StdConv2d": standardised,
}
