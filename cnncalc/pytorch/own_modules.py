"""Layers of the language that torch.nn has no module for: the modules that their layer types declare."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..ops import OWN_MODULES


@cache
def own_module(type_: str) -> Any:
    """The module of such a layer type; None for one that torch.nn has, or that is no module.

    >>> own_module("L2Norm")(8)
    L2Norm()
    """
    make = OWN_MODULES.get(type_)
    if make is None:
        return None
    made = make()
    made.__module__, made.__qualname__ = __name__, type_  # so that a network can be pickled
    return made


def __getattr__(name: str) -> Any:
    made = own_module(name)
    if made is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return made
