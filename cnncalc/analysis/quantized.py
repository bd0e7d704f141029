"""What becomes of a network that is quantized to int8 after training, as PyTorch does it for x86 processors.

Convolutions, linear layers and a few others compute in int8, with a scale for what comes out; the normalisation and the
ReLU behind them become a part of them. What PyTorch has no int8 operation for stays in float32, and tensors are
converted where the two meet: once each, as soon as they are there.
"""

from __future__ import annotations

from typing import Any

from ..formula import Step, formula
from ..graph import Graph, Layer
from ..ops import Op
from ..ops.actions import Action, Shape, Store, inputs, view
from ..record import Record
from .walk import asked, known_shapes


@formula(
    "memory of int8 weights",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="PyTorch documentation, torch.quantize_per_channel: scales in float64, zero points in int64",
    means={"E": "weights", "s": "scales, one for each filter", "E_b": "biases, which stay in float32"},
)
def int8_weight_bytes(E: Any, s: Any, E_b: Any) -> Any:
    return E + 16 * s + 4 * E_b


@formula(
    "memory of what stays in float",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="what is not quantized is stored as it was, in float32",
    means={"E": "parameters and buffers"},
)
def float_bytes(E: Any) -> Any:
    return 4 * E


class Fate(Record):
    """What becomes of one node: `kind` is "own", "same" or "between" where it computes in int8, as `Op.int8` says,
    "part" where it became a part of the node `of`, "gone" where it is nothing but the node `of`, and "" where it stays
    in float32. `norm` is the node of the normalisation that became a part of it, `dtype` the type of its output, and
    `also` the one that this is converted to for others.
    """

    kind: str = ""
    dtype: str = "float32"
    of: int = -1
    norm: int = -1
    also: str = ""


def is_followed(op: Op | None) -> bool:
    """Whether it is known what becomes of an operation; it stays in float32 where it is not."""
    padding = getattr(op, "padding", ())
    if isinstance(padding, str) or getattr(op, "padding_mode", "zeros") != "zeros":
        return False
    if getattr(op, "is_apart", False) or getattr(op, "standardise", False) or (op is not None and op.yields):
        return False
    return op is not None and (op.autocast is not None or bool(op.int8))


def fates(graph: Graph) -> list[Fate]:
    """What becomes of each node.

    >>> from cnncalc.language.model import load
    >>> graph = load("resnet18")
    >>> [(node.name, fate.kind) for node, fate in zip(graph.nodes[1:5], fates(graph)[1:])]
    [('conv1', 'own'), ('bn1', 'part'), ('relu', 'part'), ('maxpool', 'same')]
    """
    nodes, count, noting = graph.nodes, graph.input_count, noting_places(graph)

    def can(node: int) -> str:
        op = nodes[node].op
        known = op and node >= count and known_shapes(graph, nodes[node])
        return op.int8 if op and known and is_followed(op) and node not in noting else ""

    root = list(range(len(nodes)))  # what each node is, where those that are gone are what goes into them
    users: list[list[int]] = [[] for _ in nodes]
    for index, layer in enumerate(graph.layers, count):
        if can(index) == "gone":
            root[index] = root[layer.inputs[0]]
            continue
        for source in {root[i] for i in layer.inputs}:
            users[source].append(index)
    outputs = {root[i] for i in graph.outputs}

    def behind(node: int, family: str) -> int:
        """The layer of a family that alone takes what a node makes; −1 where there is none."""
        if node in outputs or len(users[node]) != 1:
            return -1
        (user,) = users[node]
        type_ = nodes[user].type
        fits = type_.rstrip("123d") == family or type_ == family
        return user if fits and len(nodes[user].inputs) == 1 and known_shapes(graph, nodes[user]) else -1

    wanted = [False] * len(nodes)  # in int8, by one that takes it
    for node in reversed(range(len(nodes))):
        wanted[node] = any(can(user) in ("own", "same") or (can(user) and wanted[user]) for user in users[node])
    found = [Fate()] * len(nodes)
    parts: dict[int, int] = {}
    for index, layer in enumerate(graph.layers, count):
        op = layer.op
        if root[index] != index:
            found[index] = Fate("gone", found[root[index]].dtype, root[index])
            continue
        if index in parts:
            found[index] = Fate("part", "int8", parts[index])
            continue
        if op is None or not (kind := can(index)):
            continue
        if kind == "between" and not (wanted[index] and found[layer.inputs[0]].dtype == "int8"):
            continue
        norm = behind(index, "BatchNorm") if "BatchNorm" in op.int8_takes_in else -1
        relu = behind(norm if norm >= 0 else index, "ReLU")
        if relu >= 0 and "ReLU" not in op.int8_takes_in:
            norm = relu = -1  # the two behind become one
        parts.update((each, index) for each in (norm, relu) if each >= 0)
        found[index] = Fate(kind, "int8", norm=norm)
    for node, fate in enumerate(found):
        takers = {found[user].dtype for user in users[node]} | ({"float32"} if node in outputs else set())
        if takers - {fate.dtype}:
            found[node] = fate._replace(also=next(iter(takers - {fate.dtype})))
    return found


def lies_channels_last(graph: Graph, fate_of: list[Fate]) -> list[bool]:
    """Whether each node's output lies as N×H×W×C: int8 convolutions leave it so, and what follows keeps it."""
    found = [False] * graph.input_count
    for node, layer in enumerate(graph.layers, graph.input_count):
        image = layer.shape is not None and len(layer.shape) == 3
        convolved = fate_of[node].kind == "own" and layer.op is not None and layer.op.spatial == 2
        anew = layer.op is not None and layer.op.lays_in_order
        found.append(image and (convolved or (not anew and any(found[i] for i in layer.inputs))))
    return found


def actions(fate: Fate, usual: tuple[Action, ...], out: Shape, inputs_: int) -> tuple[Action, ...]:
    """What an operation does to memory: in int8 it makes its output and nothing beside, and one with a scale of its own
    never works in place."""
    if not fate.kind:
        return usual
    if fate.of >= 0:
        return view()
    if inputs_ > 1 or (fate.kind == "same" and usual[0].same):
        return usual
    return (Action((("y", Store(out)),), inputs(inputs_)),)


def stored(graph: Graph, fate_of: list[Fate]) -> list[Step | None]:
    """The bytes of each node's parameters and buffers; None where they are not known."""
    counts = asked(graph, lambda op, out, *shapes: {each.role: each.step.value for each in op.counts(*shapes)})
    found: list[Step | None] = []
    for node, count, fate in zip(graph.nodes, counts, fate_of, strict=True):
        scales = node.op.int8_scales() if isinstance(node, Layer) and node.op and fate.kind == "own" else 0
        if count is None:
            found.append(None)
        elif scales:
            biases = graph.nodes[fate.norm].shape[0] if fate.norm >= 0 else count.get("biases", 0)  # type: ignore[index]
            found.append(int8_weight_bytes.step(E=count["weights"], s=scales, E_b=biases))
        elif fate.of >= 0:
            found.append(float_bytes.step(E=0))
        else:
            found.append(float_bytes.step(E=sum(count.values())))
    return found


def not_followed(graph: Graph) -> list[str]:
    """The layer types of which it is not known what becomes of them: they are taken to stay in float32."""
    noting = noting_places(graph)
    strange = [
        layer.type
        for node, layer in enumerate(graph.nodes)
        if layer.op is not None and (node in noting or not is_followed(layer.op))
    ]
    return list(dict.fromkeys(strange))


def noting_places(graph: Graph) -> set[int]:
    """The max pools whose places an unpool goes back to: PyTorch's own quantizing stops at a result that is a pair."""
    return {layer.inputs[1] for layer in graph.layers if layer.op is not None and layer.op.places_of}
