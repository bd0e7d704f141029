"""What an error message of PyTorch is answered with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..graph import Graph, Layer


class Answer(NamedTuple):
    """What a message says in plain words, the reasons that fit it, the likeliest first, and what to change."""

    says: str
    reasons: tuple[str, ...]
    change: tuple[str, ...]
    layer: str = ""

    def lines(self) -> list[str]:
        """The answer as text."""
        said = [self.says]
        said += [f"layer: {self.layer}"] if self.layer else []
        said += [f"why: {reason}" for reason in self.reasons]
        return said + [f"change: {change}" for change in self.change]


def layer_of(graph: Graph | None, kind: str, fits: Callable[[Layer], bool]) -> Layer | None:
    """The first layer of a kind that fits, in the spec if there is one."""
    return (
        next((layer for layer in graph.layers if layer.type.startswith(kind) and fits(layer)), None) if graph else None
    )
