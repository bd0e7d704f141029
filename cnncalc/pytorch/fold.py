"""Batch normalisation folded into the convolution before it, as it is done before a network is deployed."""

from __future__ import annotations

import copy

from torch import fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from ..graph import Graph, Layer
from ..ops import REGISTRY
from .build import inspect_forward

FOLDING = {
    "Conv1d": "BatchNorm1d",
    "Conv2d": "BatchNorm2d",
    "Conv3d": "BatchNorm3d",
    "ConvTranspose1d": "BatchNorm1d",
    "ConvTranspose2d": "BatchNorm2d",
    "ConvTranspose3d": "BatchNorm3d",
    "Linear": "BatchNorm1d",
}


def pairs(graph: Graph) -> list[tuple[int, int]]:
    """The nodes of each layer with weights and of the batch normalisation that alone follows it."""
    users = [0] * len(graph.nodes)
    for layer in graph.nodes:
        for i in layer.inputs:
            users[i] += 1
    for i in graph.outputs:
        users[i] += 1
    found = []
    used = {layer.shares for layer in graph.layers}  # again: the others would want the weights as they are
    for index, layer in enumerate(graph.nodes):
        if len(layer.inputs) == 1 and layer.op is not None and getattr(layer.op, "track_running_stats", False):
            (before,) = layer.inputs
            standard = getattr(graph.nodes[before].op, "standardise", False)
            shared = max(graph.nodes[before].shares, layer.shares) >= 0 or before in used or index in used
            if standard or shared:
                continue
            if users[before] == 1 and FOLDING.get(graph.nodes[before].type) == layer.type:
                found.append((before, index))
    return found


def folded(graph: Graph, net: fx.GraphModule) -> tuple[Graph, fx.GraphModule]:
    """The same network without the batch normalisations that a layer before them can take over, in evaluation mode.

    The graph keeps the places of the layers: one that is folded away is an Identity.
    """
    new, made = copy.copy(graph), copy.deepcopy(net)
    new.nodes = list(graph.nodes)
    nodes = {node.target: node for node in made.graph.nodes if node.op == "call_module"}
    for before, after in pairs(graph):
        layer, norm = graph.nodes[before], graph.nodes[after]
        weights, statistics = made.get_submodule(layer.name), made.get_submodule(norm.name)
        fuse = fuse_linear_bn_eval if layer.type == "Linear" else fuse_conv_bn_eval
        if layer.type.startswith("ConvTranspose"):
            fused: nn.Module = fuse_conv_bn_eval(weights, statistics, transpose=True)  # type: ignore
        else:
            fused = fuse(weights, statistics)  # type: ignore
        _replace(made, layer.name, fused)
        nodes[norm.name].replace_all_uses_with(nodes[layer.name])
        made.graph.erase_node(nodes[norm.name])
        _replace(made, norm.name, nn.Identity())
        new.nodes[before] = _with_bias(layer)
        new.nodes[after] = norm._replace(op=REGISTRY["Identity"](), type="Identity")
    inspect_forward(made.graph, graph)
    made.recompile()
    return new, made


def _with_bias(layer: Layer) -> Layer:
    assert layer.op is not None
    changed = copy.copy(layer.op)
    changed.__dict__["bias"] = True
    return layer._replace(op=changed)


def _replace(net: nn.Module, path: str, by: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    net.get_submodule(parent).add_module(name, by)
