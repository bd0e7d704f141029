"""The type of what each node of a network makes, which mixed precision and quantizing change."""

from __future__ import annotations

from ..graph import Graph
from ..ops.actions import Setting


def dtypes(graph: Graph, setting: Setting) -> list[str]:
    """The type of each node's output.

    >>> from cnncalc.language.model import load
    >>> dtypes(load("lenet"), Setting(int8=True))[:3]
    ['float32', 'int8', 'int8']
    """
    if setting.amp:
        from . import autocast

        return autocast.dtypes(graph, setting)
    if setting.int8:
        from . import quantized

        return [fate.dtype for fate in quantized.fates(graph)]
    return [setting.dtype] * len(graph.nodes)
