"""Depth as papers count it: the layers with weights on the longest path."""

from __future__ import annotations

from ..graph import Graph


def depth(graph: Graph) -> int:
    """AlexNet 8, VGG-16 16, ResNet-50 50: projections on shortcuts lie on shorter paths.

    >>> from cnncalc.language.model import load
    >>> depth(load("lenet"))
    5
    """
    longest: list[int] = []
    for layer in graph.nodes:
        own = layer.op.weight_layers if layer.op is not None else 0
        longest.append(own + max((longest[i] for i in layer.inputs), default=0))
    return max(longest, default=0)
