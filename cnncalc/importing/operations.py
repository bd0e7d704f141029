"""What is known of PyTorch's operations by their names, and how the references in their arguments are found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Operations that write something else into a tensor.
WRITES = frozenset(("copy", "fill", "zero", "index_put", "index_copy", "masked_fill", "scatter", "index_add"))
#: Operations whose result is their argument.
ALIASES = frozenset(("contiguous", "clone", "detach", "alias", "lift_fresh", "to", "_to_copy", "expand", "expand_as"))
#: Operations that leave the values as they are, in another shape.
SHAPES_ONLY = frozenset(("view", "reshape", "unsqueeze", "squeeze", "flatten"))
#: Operations whose result shares the storage of their argument.
VIEWS = SHAPES_ONLY | frozenset(
    "slice select getitem split split_with_sizes chunk unbind narrow transpose permute expand t".split()  # noqa: SIM905
)


def first_reference(node: Mapping[str, Any]) -> str:
    """The name of the first tensor that an operation takes, or an empty string."""
    first = next(iter(references(node["given"])), None)
    return str(first["tensor"]) if first else ""


def references(given: Any) -> Iterator[dict[str, Any]]:
    """The references to tensors among arguments."""
    if isinstance(given, dict):
        if isinstance(given.get("tensor"), str):  # an argument may be called so as well
            yield given
        else:
            for value in given.values():
                yield from references(value)
    elif isinstance(given, list):
        for value in given:
            yield from references(value)


def camel(op: str) -> str:
    """The name of a declared type for an operation.

    >>> camel("grid_sampler_2d")
    'GridSampler2d'
    """
    return "".join(part[:1].upper() + part[1:] for part in op.split("_") if part) or "Unknown"
