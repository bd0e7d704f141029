"""A graph of layers becomes a `torch.fx.GraphModule`: modules under the spec's names, and a forward in plain Python."""

from __future__ import annotations

import keyword
import operator
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import fx, nn

from ..errors import Problem, Source, SpecError
from ..generated import Vocabulary, inspected
from ..graph import Graph, Layer
from ..language.model import load
from ..ops import Call, Op, Shape
from .modules import made as made_of
from .modules import with_modules
from .own_modules import own_module

#: What a `Call` may name.
FUNCTIONS: dict[str, Any] = {
    "operator.add": operator.add,
    "operator.mul": operator.mul,
    "operator.sub": operator.sub,
    "operator.truediv": operator.truediv,
    "operator.matmul": operator.matmul,
    "torch.maximum": torch.maximum,
    "torch.stack": torch.stack,
    "torch.sum": torch.sum,
    "torch.amax": torch.amax,
    "torch.linalg.vector_norm": torch.linalg.vector_norm,
    "operator.getitem": operator.getitem,
    "torch.cat": torch.cat,
    "torch.mean": torch.mean,
    "torch.permute": torch.permute,
    "torch.nn.functional.pad": nn.functional.pad,
}


def build(
    spec: str | Path | Source | Graph,
    *,
    args: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | Sequence[int] | None = None,
    device: str | torch.device | None = None,
    modules: str = "",
) -> fx.GraphModule:
    """The network of a spec as a PyTorch module, initialised as PyTorch initialises its layers, in training mode.

    Tensors go in as they stand in the spec, with the batch in front: N×C×H×W. One output comes back as a tensor,
    several as a tuple. Module paths are the names of the layers. `modules` is a Python file, which is run, with classes
    for the types that the spec declares. Raises `SpecError` for a spec that is
    wrong or holds a layer that PyTorch does not have.

    >>> import torch
    >>> net = build("lenet")
    >>> net(torch.zeros(2, 1, 32, 32)).shape
    torch.Size([2, 10])
    >>> [name for name, _ in net.named_parameters()][:2]
    ['C1.weight', 'C1.bias']
    """
    graph = spec if isinstance(spec, Graph) else load(spec, args=args, inputs=inputs)
    graph, own = with_modules(graph, modules)
    _refuse_what_cannot_be_built(graph, own)
    root, traced = nn.Module(), fx.Graph()
    traced._graph_namespace.create_name("self", None)  # the first argument of every forward, which no node may be
    values: list[fx.Node] = []
    pools = {graph.owner(layer.inputs[1]) for layer in graph.layers if _unpools(layer)}
    places: dict[int, fx.Node] = {}
    for number, layer in enumerate(graph.inputs):
        alone = graph.input_count == 1
        name = "x" if alone else re.sub(r"[^0-9A-Za-z]", "_", layer.name)
        values.append(traced.placeholder(name if name.isidentifier() else f"x{number}"))
    with torch.device(device or torch.get_default_device()):
        for layer in graph.layers:
            given = [values[i] for i in layer.inputs]
            if _unpools(layer):
                given[1] = places[layer.inputs[1]]
            if layer.type in own and layer.is_declared:
                made = _add_own(layer, graph, root, traced, given, own[layer.type], modules)
            else:
                made = _add(layer, graph, root, traced, given)
            if graph.owner(len(values)) in pools:
                made, places[len(values)] = _with_places(made, layer, graph, root, traced)
            values.append(made)
    results = [values[i] for i in graph.outputs]
    traced.output(results[0] if len(results) == 1 else tuple(results))
    inspect_forward(traced, graph)
    name = re.sub(r"[^0-9A-Za-z]+", "", graph.name.title() if graph.name.islower() else graph.name)
    return fx.GraphModule(root, traced, name if name.isidentifier() else "Network")


def inspect_forward(traced: fx.Graph, graph: Graph, suffix: str = "") -> None:
    """Look through the forward that PyTorch generates of a graph and runs; raises `SpecError`.

    With a `suffix`, the names of layers may stand with that behind them, too.
    """
    code = traced.python_code("self")
    parts = frozenset(part + end for layer in graph.layers for part in layer.name.split(".") for end in {"", suffix})
    names = {node.name for node in traced.nodes} | {"self", "forward", "getattr", "slice", "torch", "inf"}
    functions = frozenset(
        [
            "nn",
            "functional",
            "_C",
            "_nn",
            "_linalg",
            "linalg_vector_norm",
            "pad",
            *(name.rpartition(".")[2] for name in FUNCTIONS),
        ]
    )
    attributes = parts | {"size", "expand", "view"}
    inspected(code.src, Vocabulary(frozenset(names), attributes, frozenset(["torch"]), functions))


def module(op: Op, *shapes: Shape) -> nn.Module:
    """The module of one layer that is not a mere function."""
    made: nn.Module = _class(op)(**op.module_arguments(*shapes))
    return made


def _class(op: Op) -> Any:
    return own_module(op.module_type()) or getattr(nn, op.module_type())


def _add(layer: Layer, graph: Graph, root: nn.Module, traced: fx.Graph, inputs: list[fx.Node]) -> fx.Node:
    """The nodes of one layer; each carries its name, so that what is measured finds its way back."""
    assert layer.op is not None
    shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
    first = len(traced.nodes)
    call = layer.op.call(*shapes)
    if call is not None:
        made = _add_call(call, layer, graph, root, traced, inputs)
    else:
        path, around = _path(layer, graph), layer.op.border(*shapes)
        if layer.shares < 0:
            _attach(root, path, module(layer.op, *shapes))
        if around is not None:
            padded = (inputs[0], around.widths, "constant", around.value)
            inputs = [traced.call_function(nn.functional.pad, padded), *inputs[1:]]
        if layer.type == "MultiheadAttention":
            arguments = (*inputs,) if len(inputs) == 3 else (inputs[0],) * 3
            both = traced.call_module(path, arguments, {"need_weights": False})
            made = traced.call_function(operator.getitem, (both, 0))
        else:
            made = traced.call_module(path, tuple(inputs))
    node = made
    for _ in range(len(traced.nodes) - first):
        node.meta["layer"] = layer.name
        node = node.prev
    return made


def _add_own(
    layer: Layer,
    graph: Graph,
    root: nn.Module,
    traced: fx.Graph,
    inputs: list[fx.Node],
    cls: type[nn.Module],
    file: str,
) -> fx.Node:
    """The node of a layer whose module is of somebody's own class."""
    assert layer.op is not None
    if layer.shares < 0:
        shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
        _attach(root, layer.name, made_of(cls, layer.type, layer.op.module_arguments(*shapes), file))
    node = traced.call_module(_path(layer, graph), tuple(inputs))
    node.meta["layer"] = layer.name
    return node


def _path(layer: Layer, graph: Graph) -> str:
    """Where the module of a layer stands: of one that is used again, where it stood the first time."""
    return layer.name if layer.shares < 0 else graph.nodes[layer.shares].name


def _unpools(layer: Layer) -> bool:
    return bool(layer.op and layer.op.places_of)


def _with_places(
    made: fx.Node, layer: Layer, graph: Graph, root: nn.Module, traced: fx.Graph
) -> tuple[fx.Node, fx.Node]:
    """The result of a max pool and the places that it noted, which PyTorch returns only where it is told to."""
    setattr(root.get_submodule(_path(layer, graph)), "return_indices", True)  # noqa: B010
    found = traced.call_function(operator.getitem, (made, 0)), traced.call_function(operator.getitem, (made, 1))
    for node in found:
        node.meta["layer"] = layer.name
    return found


def _add_call(
    call: Call, layer: Layer, graph: Graph, root: nn.Module, traced: fx.Graph, inputs: list[fx.Node]
) -> fx.Node:
    function: Any = FUNCTIONS.get(call.function)
    keywords = dict(call.keywords)
    if call.tensors == "list":
        return traced.call_function(function, (inputs, *call.arguments), keywords)
    if call.owns:
        path = _path(layer, graph)
        if layer.shares < 0:
            shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
            (parameter,) = layer.op.parameters(*shapes) if layer.op else ()
            start = getattr(layer.op, "init_value")  # noqa: B009
            _attach(root, path, nn.Parameter(torch.full(parameter.shape, float(start))))
        own = traced.get_attr(path)
        if call.tensors == "token":
            images = traced.call_method("size", (inputs[0], 0))
            return traced.call_method("expand", (own, images, *(-1 for _ in layer.shape or ())))
        inputs = [*inputs, traced.call_method("view", (own, *call.arguments)) if call.arguments else own]
    if call.tensors in ("own", "fold"):
        result = inputs[0]
        for each in inputs[1:]:
            result = traced.call_function(function, (result, each))
        return result
    return traced.call_function(function, (inputs[0], *call.arguments), keywords)


def _attach(root: nn.Module, path: str, leaf: nn.Module | nn.Parameter) -> None:
    """Put a module or parameter at its path, with plain modules for the groups on the way."""
    *groups, name = path.split(".")
    for group in groups:
        if group not in root._modules:
            root.add_module(group, nn.Module())
        root = root._modules[group]  # type: ignore[assignment]
    if isinstance(leaf, nn.Parameter):
        root.register_parameter(name, leaf)
    else:
        root.add_module(name, leaf)


def _refuse_what_cannot_be_built(graph: Graph, own: Mapping[str, Any]) -> None:
    problems = [*graph.errors, *graph.strange_names()]
    taken = set(dir(nn.Module())) | {"graph", "code", "print_readable"}
    seen: set[str] = set()
    for layer in graph.layers:
        if layer.type not in seen and layer.type not in own and not _exists(layer, graph):
            seen.add(layer.type)
            message = f"{layer.type} is declared in the spec, and PyTorch has no such layer: it cannot be built"
            hint = "--modules mylayers.py names a file with an nn.Module that is called so"
            problems.append(Problem("unbuildable", message, graph.source, layer.place, (), hint))
        for part in layer.name.split("."):
            if (part in taken or keyword.iskeyword(part)) and part not in seen:
                seen.add(part)
                other = "a word of Python" if keyword.iskeyword(part) else f"something else: nn.Module.{part}"
                message = f"no layer of a PyTorch module may be called {part}, which is {other}"
                problems.append(Problem("unbuildable", message, graph.source, layer.place, (), "give it another name"))
    if problems:
        raise SpecError(problems)


def _exists(layer: Layer, graph: Graph) -> bool:
    """Whether PyTorch has the layer, or it is unknown and already complained of."""
    if layer.op is None or layer.shape is None:
        return True
    shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
    return (
        own_module(layer.type) is not None
        or (hasattr(nn, layer.type) and not layer.is_declared)
        or layer.op.call(*shapes) is not None
    )
