"""The table of PyTorch's operations, and what their readers have in common."""

from __future__ import annotations

from typing import Any

from ..program import Reader
from ..readers import registers
from ..values import State

READERS: dict[str, Reader] = {}
#: Registers a reader for operations by name.
reads = registers(READERS)


def even(value: Any) -> Any:
    """A number for each axis as one number, where all are the same.

    >>> even([3, 3]), even([3, 5]), even(2)
    (3, [3, 5], 2)
    """
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    return values[0] if values and all(each == values[0] for each in values) else values


def stated(**arguments: Any) -> dict[str, Any]:
    """Arguments without those that are left as they are: a pair of value and default is the value, if it is another."""
    found: dict[str, Any] = {}
    for name, value in arguments.items():
        if isinstance(value, tuple):
            value, default = value
            if value == default:
                continue
        found[name] = value
    return found


def owner_of(*states: State | None) -> str:
    """The path of the layer that owns parameters."""
    return next((state.name.rpartition(".")[0] for state in states if state is not None), "")
