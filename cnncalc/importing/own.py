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
from .aten.pooling import unpooled
from .aten.table import even, stated
from .operations import MULTIPLIES, references
from .program import Call
from .simplify import is_upper
from .values import Places, Tensor

#: Modules that are variants of a layer type.
TYPES = {"StdConv2d": "Conv2d", "ScaledStdConv2d": "Conv2d"}
#: Modules of torch.nn that consist of several operations, with the names of our arguments.
POOLS = tuple(f"Adaptive{kind}Pool{axes}d" for kind in ("Avg", "Max") for axes in (1, 2, 3))
UNPOOLINGS = tuple(f"MaxUnpool{axes}d" for axes in (1, 2, 3))
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
    noted = bool(module.get("own")) and module["class"] in (*BY_OPERATORS, *UNPOOLINGS)
    return noted or arguments_of(module) is not None


def own_layer(
    last: Call, nodes: Sequence[Mapping[str, Any]], inputs: tuple[int, ...], module: Sequence[Any]
) -> Tensor | None:
    """The layer that such a module is, with its parameters."""
    made = last.reading.program["modules"][str(module[1])]
    if made["class"] in UNPOOLINGS and inputs:
        return unpooling(last, nodes, inputs, made["class"], str(module[1]))
    several = made["class"] == "Attention" and len(inputs) == 3
    if not is_own(made) or not (len(inputs) == 1 or several):
        return None
    try:
        arguments = BY_OPERATORS[made["class"]](last, nodes) if made.get("own") else arguments_of(made)
    except (KeyError, IndexError, TypeError, ValueError):  # operators that the exporter does not write so
        arguments = None
    type_ = TYPES.get(made["class"], made["class"])
    return None if arguments is None else last.layer(type_, arguments, *inputs, owner=str(module[1]))


def unpooling(
    last: Call, nodes: Sequence[Mapping[str, Any]], inputs: tuple[int, ...], type_: str, path: str
) -> Tensor | None:
    """Values that are scattered to the places that a pool noted."""
    taken = [last.reading.value_of(each) for node in nodes for each in references(node["given"])]
    pools = {value.node for value in taken if isinstance(value, Places)}
    others = [each for each in inputs if each not in pools] or list(pools)  # SegNet's first takes its pool itself
    if len(pools) != 1 or len(others) != 1:
        return None
    (pool,), (x,) = pools, others
    return last.layer(type_, unpooled(last, type_, x, pool), x, pool, owner=path)


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
    states = {str(each["tensor"]) for each in _states(nodes)}
    found["bias"] = sum(last.reading.tensors[name]["kind"] == "parameter" for name in states) > 1
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
    learnt = {name for each in _states(nodes) if tensors[name := str(each["tensor"])]["kind"] == "parameter"}
    vectors = [name for name in learnt if prod(tensors[name]["shape"]) == last.shape[0]]
    groups = given.get("num_groups") or prod(tensors[given["1"]["tensor"]]["shape"])
    eps = float(f"{given.get('epsilon', 1e-5):.6g}")
    return stated(num_groups=groups, eps=(eps, 1e-5), affine=(bool(vectors), True), bias=(len(vectors) != 1, True))


def standardised(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A convolution behind a normalisation of its weights, where that was not worked out before."""
    conv = next((node["given"] for node in nodes if node["op"] == "Conv"), None)
    norm = next((node["given"] for node in nodes if node["op"] == "BatchNormalization"), None)
    names = {str(each["tensor"]) for each in _states(nodes) if not str(each["tensor"]).endswith(".gain")}
    shapes = [last.reading.tensors[name]["shape"] for name in names]
    weights = [shape for shape in shapes if len(shape) == 4 and shape[0] == last.shape[0]]
    if conv is None or len(weights) != 1:
        return None
    given = stated(
        out_channels=last.shape[0],
        kernel_size=even(conv["kernel_shape"]),
        stride=(even(conv.get("strides", 1)), 1),
        dilation=(even(conv.get("dilations", 1)), 1),
        groups=(conv.get("group", 1), 1),
        bias=(conv.get("2") is not None, True),
    )
    top, left, bottom, right = conv.get("pads", [0, 0, 0, 0])
    if (top, left) == (bottom, right):
        given |= stated(padding=(even([top, left]), 0))
    else:
        taken = last.reading.value_of(conv["0"])
        shape = last.shape_of(taken.node) if isinstance(taken, Tensor) else ()
        if not is_upper(shape, (left, right, top, bottom), given, given.get("stride", 1)):
            return None
        given["padding"] = "same_upper"
    if norm is None:
        return given
    eps = float(f"{norm.get('epsilon', 1e-5):.6g}")
    if all(str(each["tensor"]) in names for each in _states(nodes)):
        return {**given, "standardise": True, "eps": eps}
    factors = [node["given"].get(f"numbers {place}") or [] for node in nodes if node["op"] == "Mul" for place in "01"]
    scale = next((each[0] for each in factors if len(each) == 1), None)
    if scale is None:
        return None
    gamma = float(f"{scale * prod(weights[0][1:]) ** 0.5:.6g}")
    return {**given, "standardise": "scaled", **stated(gamma=(gamma, 1.0), eps=(eps, 1e-6))}


def scaled(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A product and a sum, each with a parameter."""
    shapes = [last.reading.tensors[str(each["tensor"])]["shape"] for each in _states(nodes)]
    if len(shapes) != 2 or shapes[0] != shapes[1]:
        return None
    usual = [last.shape[0], *(1 for _ in last.shape[1:])]
    return {} if shapes[0] == usual else {"shape": shapes[0]}


def smooth_relu(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Times beta, the function, by beta; and what is above the threshold as it was."""
    found = {node["op"]: [*(node["given"].get("numbers 1") or ()), *(node["given"].get("numbers 0") or ())]
             for node in nodes if node["op"] in ("Mul", "Softplus")}  # fmt: skip
    numbers = found.get("Mul", [1.0])
    return stated(beta=(numbers[0], 1.0)) if "Softplus" in found and len(numbers) == 1 else None


def frozen(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Parameters and statistics that are worked out together, then a product and a sum."""
    added = [node["given"] for node in nodes if node["op"] == "Add"]
    numbers = [given.get(f"numbers {place}") or [] for given in added for place in (0, 1)]
    eps = next((each[0] for each in numbers if len(each) == 1), None)
    return None if eps is None else stated(eps=(float(f"{eps:.6g}"), 1e-5))


def unit_length(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A division by the length, and a factor for each channel."""
    return {} if any(node["op"] == "ReduceL2" for node in nodes) and len(_states(nodes)) else None


def blurred(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """A convolution with a fixed filter."""
    conv = next((node["given"] for node in nodes if node["op"] == "Conv"), None)
    if conv is None:
        return None
    return stated(filt_size=(even(conv["kernel_shape"]), 3), stride=(even(conv.get("strides", 1)), 2))


def sized(last: Call, nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Whatever pools to a size, without products and parameters."""
    axes = int(str(nodes[0]["modules"][-1][2])[-2])
    works = any(node["op"] in MULTIPLIES for node in nodes)
    learns = any("." in str(each["tensor"]) for each in _states(nodes))
    return None if works or learns else {"output_size": even(list(last.shape[-axes:]))}


def _states(nodes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [each for node in nodes for each in references(node["given"]) if each.get("state")]


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
    "ScaledStdConv2d": standardised,
    "Affine": scaled,
    "Softplus": smooth_relu,
    "BlurPool2d": blurred,
    "FrozenBatchNorm2d": frozen,
    "L2Norm": unit_length,
    **dict.fromkeys(POOLS, sized),
}
