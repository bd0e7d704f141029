"""In which type each layer computes under autocast, PyTorch's mixed precision.

Products and convolutions compute in the narrow type, whatever comes in; a few operations in float32; all others in the
type of what comes in, the widest where types meet.
"""

from __future__ import annotations

from ..graph import Graph
from ..ops import Op
from ..ops.actions import Setting
from .walk import known_shapes


def kind_of(op: Op, setting: Setting) -> str:
    """What autocast makes of an operation: "lower", "float32", or "" where it follows its input."""
    kind = op.autocast if setting.device == "cpu" or op.autocast_cuda is None else op.autocast_cuda
    return kind or ""


def dtype_of(op: Op, entering: list[str], setting: Setting) -> str:
    """The type of what comes out of an operation.

    >>> from cnncalc.ops import REGISTRY
    >>> dtype_of(REGISTRY["Linear"](out_features=3), ["float32"], Setting(amp="bfloat16"))
    'bfloat16'
    """
    kind = kind_of(op, setting)
    if kind == "lower":
        return setting.amp
    return setting.amp if not kind and entering and set(entering) == {setting.amp} else setting.dtype


def dtypes(graph: Graph, setting: Setting) -> list[str]:
    """The type of each node's output under autocast."""
    found = [setting.dtype] * graph.input_count
    for layer in graph.layers:
        known = known_shapes(graph, layer) is not None and layer.op is not None
        entering = [found[i] for i in layer.inputs]
        found.append(dtype_of(layer.op, entering, setting) if known and layer.op else setting.dtype)
    return found


def not_followed(graph: Graph) -> list[str]:
    """The layer types of which it is not followed in which types they compute inside."""
    types = [layer.type for layer in graph.layers if layer.op and layer.op.autocast is None]
    padded = [layer.type for layer in graph.layers if getattr(layer.op, "padding_mode", "zeros") != "zeros"]
    return list(dict.fromkeys((*types, *padded)))
