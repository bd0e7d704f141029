"""Which layer of the spec, and which of its blocks, each operator of an exported program stands in."""

from __future__ import annotations

import ast
from typing import Any

import torch
from torch import fx, nn

from ..graph import Graph
from ..names import ONNX_CLASSES, ONNX_LAYERS, ONNX_PATHS
from .build import inspect_forward

#: Where PyTorch's exporter notes both, paths and classes, in one.
BOTH = "namespace"
#: The class of a group that is written in place.
GROUP = "torch.nn.modules.container.Sequential"
#: The border of a module that is put around its input first is called as it is, with this behind.
BORDER = "_pad"


class Layer(nn.Module):
    """A layer that PyTorch has no module for, as one: what works it out, a tensor for each of its placeholders."""

    def __init__(self, steps: fx.Graph) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, *tensors: torch.Tensor) -> Any:
        nodes = list(self.steps.nodes)
        values: dict[fx.Node, Any] = dict(zip(nodes, tensors, strict=False))
        for node in nodes[len(tensors) :]:
            given, named = fx.node.map_arg((node.args, node.kwargs), values.__getitem__)
            values[node] = node.target(*given, **named)  # type: ignore[operator]
        return values[nodes[-1]]


def name_layers(net: fx.GraphModule, graph: Graph) -> None:
    """Make a module of each layer that is a mere function, by its name, so that an exporter notes where it stands."""
    layers: dict[str, list[fx.Node]] = {}
    for node in net.graph.nodes:
        if "layer" in node.meta:
            layers.setdefault(node.meta["layer"], []).append(node)
    for name, nodes in layers.items():
        if all(node.op == "call_function" for node in nodes):
            _enclose(net, name, nodes)
        elif nodes[0].target is nn.functional.pad and name + BORDER not in graph.groups.keys() | layers.keys():
            _enclose(net, name + BORDER, nodes[:1])
    inspect_forward(net.graph, graph, BORDER)
    net.recompile()


def _enclose(net: fx.GraphModule, path: str, nodes: list[fx.Node]) -> None:
    given = list(dict.fromkeys(each for node in nodes for each in node.all_input_nodes if each not in nodes))
    steps = fx.Graph()
    inner = {node: steps.placeholder(node.name) for node in given}
    for node in nodes:
        inner[node] = steps.node_copy(node, inner.__getitem__)
    net.add_submodule(path, Layer(steps))
    with net.graph.inserting_after(nodes[-1]):
        nodes[-1].replace_all_uses_with(net.graph.call_module(path, tuple(given)))
    for node in reversed(nodes):
        net.graph.erase_node(node)


def layer_of(node: Any) -> str:
    """The layer that an operator of ONNX stands in, "" for one that stands in none."""
    return next(iter(_modules(node)), "")


def _modules(node: Any) -> dict[str, str]:
    """The modules around an operator, the network left out: path and class, as the exporter noted them."""
    noted = node.metadata_props
    paths, classes = (ast.literal_eval(noted.get(key, "[]")) for key in (ONNX_PATHS, ONNX_CLASSES))
    return dict(zip(paths[1:-1], classes[1:-1], strict=True))


def note_blocks(nodes: Any, graph: Graph) -> None:
    """Note the blocks and groups of the spec around each operator of ONNX, as if they had been modules."""
    types = {layer.name: layer.type for layer in graph.layers}
    for node in nodes:
        noted = node.metadata_props
        if ONNX_PATHS not in noted or ONNX_CLASSES not in noted:
            continue
        paths, classes = ast.literal_eval(noted[ONNX_PATHS]), ast.literal_eval(noted[ONNX_CLASSES])
        known = _modules(node)
        parts = layer_of(node).split(".")
        around = [".".join(parts[:length]) for length in range(1, len(parts))]
        own = {path: graph.groups[path].block or GROUP for path in around if path in graph.groups}
        for path, kind in known.items():
            own[path] = ONNX_LAYERS + types.get(path, "Pad") if kind.endswith(f"{__name__}.{Layer.__name__}") else kind
        pairs = [(paths[0], graph.name), *own.items(), (paths[-1], classes[-1])]
        noted[ONNX_PATHS], noted[ONNX_CLASSES] = str([path for path, _ in pairs]), str([kind for _, kind in pairs])
        noted[BOTH] = "/".join(f"{path}: {kind}" for path, kind in pairs)
