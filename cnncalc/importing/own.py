"""Modules that are one layer, whatever they do inside: by what they were given, and not by their operations.

They are modules in source that was exported from a spec, where torch.nn has none, and a few of torch.nn's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ..ops import OWN_MODULES, REGISTRY
from ..ops.own_source import own_class
from .aten.table import even
from .program import Call
from .values import Tensor

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


def own_layer(last: Call, inputs: tuple[int, ...], module: Sequence[Any]) -> Tensor | None:
    """The layer that such a module is, with its parameters."""
    made = last.reading.program["modules"][str(module[1])]
    arguments = arguments_of(made) if len(inputs) == 1 else None
    return None if arguments is None else last.layer(made["class"], arguments, *inputs, owner=str(module[1]))
