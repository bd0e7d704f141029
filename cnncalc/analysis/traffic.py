"""What layers at least move between memory and processor."""

from __future__ import annotations

from ..formula import integer, prod
from ..graph import Graph
from ..ops import Op, Shape
from ..ops.actions import BYTES, Setting
from .cost import Cost
from .quantized import fates, stored
from .walk import asked


def traffic(graph: Graph, costs: list[Cost | None], setting: Setting) -> list[int | None]:
    """The bytes that each node reads and writes: inputs, parameters, buffers, output; nothing for a view.

    This is the roofline's count: what is read again because it did not fit is not in it.

    >>> from cnncalc.language.model import load
    >>> from .cost import costs
    >>> graph = load("lenet")
    >>> traffic(graph, costs(graph), Setting())[1]  # 32·32 in, 156 parameters, 28·28·6 out, 4 bytes each
    23536
    """
    if setting.int8:
        return _quantized(graph, setting)
    width = BYTES[setting.dtype]

    def values(op: Op, out: Shape, *shapes: Shape) -> int:
        actions = op.actions(setting, out, *shapes)
        if len(actions) == 1 and actions[0].same and not op.works_in_place(setting):
            return -1
        return sum(integer(prod(shape)) for shape in (*shapes, out))

    moved: list[int | None] = []
    for node, size in enumerate(asked(graph, values)):
        cost = costs[graph.owner(node)]  # shared weights are read each time
        if size is None or cost is None or cost.params is None or cost.buffers is None:
            moved.append(None)
        else:
            moved.append(0 if size < 0 else (size * setting.batch + cost.params + cost.buffers) * width)
    return [0] * graph.input_count + moved[graph.input_count :]


def _quantized(graph: Graph, setting: Setting) -> list[int | None]:
    """The same of a quantized network: what is a part of another layer moves nothing, and what converts does."""
    fate_of, moved = fates(graph), list[int | None]()
    sizes = [None if node.shape is None else integer(prod(node.shape)) * setting.batch for node in graph.nodes]
    for index, (node, fate, step) in enumerate(zip(graph.nodes, fate_of, stored(graph, fate_of), strict=True)):
        size, given = sizes[index], index < graph.input_count
        entering = [sizes[i] for i in node.inputs]
        if size is None or None in entering or (step is None and not given):
            moved.append(None)
            continue
        still = given or fate.of >= 0 or (node.op is not None and node.op.view)
        values = 0 if still else sum(each for each in (*entering, size) if each is not None) * BYTES[fate.dtype]
        converted = size * (BYTES["int8"] + BYTES["float32"]) if fate.also else 0
        moved.append(values + converted + (integer(step.value) if step else 0))
    return moved
