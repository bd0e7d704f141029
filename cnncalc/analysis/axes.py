"""Which axis of each tensor are the channels."""

from __future__ import annotations

from ..graph import Graph


def channel_axes(graph: Graph) -> list[int]:
    """The channels' axis of each node, the batch left out: 0, and where a Permute has put them behind it.

    What works on each position, or along the last axis, leaves them where they are; whatever else takes a map for
    channels first gives channels first.

    >>> from cnncalc.errors import Source
    >>> from cnncalc.language.model import load
    >>> layers = "[{Permute: {dims: [0, 2, 3, 1]}}, LayerNorm, {Permute: {dims: [0, 3, 1, 2]}}]"
    >>> channel_axes(load(Source("net.yaml", "input: [3, 8, 4]\\nlayers: " + layers)))
    [0, 2, 2, 0]
    """
    axes: list[int] = []
    for layer in graph.nodes:
        before = axes[layer.inputs[0]] if layer.inputs else 0
        entering = graph.nodes[layer.inputs[0]].shape if layer.inputs else None
        if layer.op is None or layer.shape is None or entering is None:
            axes.append(0)
        elif layer.type == "Permute":
            order = [dim - 1 for dim in layer.op.dims if dim > 0]  # type: ignore[attr-defined]
            axes.append(order.index(before) if before in order else 0)
        elif len(layer.shape) == len(entering) and before and not layer.op.spatial:
            axes.append(before)
        else:
            axes.append(0)
    return axes
