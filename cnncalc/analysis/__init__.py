"""The questions that are asked of a graph, one a file. A file loads when it is first asked for by its name here."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import autocast, cost, depth, memory, quantized, receptive_field, regime, traffic, training

__all__ = ["autocast", "cost", "depth", "memory", "quantized", "receptive_field", "regime", "traffic", "training"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__} has no attribute {name!r}")
    return import_module(f"{__name__}.{name}")
