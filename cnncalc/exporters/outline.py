"""A flat graph, folded back into the parts that a person would give names to.

Groups and uses of blocks become scopes. Scopes of the same form are one class, and what differs between its instances
becomes the class's parameters.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..errors import Place
from ..graph import Graph, Layer
from ..names import LONGEST
from ..ops import Shape

#: Methods of nn.Sequential, which has no modules that are called so.
OF_SEQUENTIAL = frozenset(["append", "extend", "insert", "pop"])


def places(node: int) -> int:
    """The number that stands for the places which the max pool at a node notes."""
    return -1 - node


class Leaf:
    """A layer. A max pool whose places another layer goes back to has them as a second result."""

    def __init__(self, node: int, layer: Layer, shapes: tuple[Shape, ...], noted: bool = False) -> None:
        self.node, self.layer, self.shapes, self.noted = node, layer, shapes, noted
        self.name = layer.name.rpartition(".")[2]
        assert layer.op is not None
        self.call = layer.op.call(*shapes)
        self.arguments = layer.op.module_arguments(*shapes) if self.call is None else {}
        if noted:
            self.arguments["return_indices"] = True

    @property
    def inputs(self) -> tuple[int, ...]:
        return inputs_of(self.layer)

    @property
    def results(self) -> tuple[int, ...]:
        return (self.node, places(self.node)) if self.noted else (self.node,)

    @property
    def has_module(self) -> bool:
        """Whether it is a module, and no mere function."""
        return self.call is None


def inputs_of(layer: Layer) -> tuple[int, ...]:
    """What a layer takes in: nodes, or the places that one of them noted."""
    if layer.op is not None and layer.op.places_of:
        return layer.inputs[0], places(layer.inputs[1])
    return layer.inputs


class Scope:
    """A group or a use of a block: its parts in order of work, what it takes in, and what others take of it."""

    def __init__(
        self,
        path: str,
        block: str,
        arguments: Mapping[str, Any],
        place: Place | None = None,
        parent: Scope | None = None,
    ) -> None:
        self.path, self.block, self.block_arguments, self.place, self.parent = path, block, arguments, place, parent
        self.channels = 0  # of what goes in
        self.name = path.rpartition(".")[2]
        self.parts: list[Leaf | Scope] = []
        self.inputs: tuple[int, ...] = ()
        self.results: tuple[int, ...] = ()

    def leaves(self) -> Iterator[Leaf]:
        for part in self.parts:
            if isinstance(part, Leaf):
                yield part
            else:
                yield from part.leaves()

    def scopes(self) -> Iterator[Scope]:
        """The scope itself and all inside it."""
        yield self
        for part in self.parts:
            if isinstance(part, Scope):
                yield from part.scopes()

    @property
    def is_sequential(self) -> bool:
        """Whether it is a chain of modules, as nn.Sequential is."""
        if any(part.name in OF_SEQUENTIAL for part in self.parts):
            return False
        return bool(self.parts) and self.chain == len(self.parts) and self.results == self.parts[-1].results

    @property
    def modules(self) -> list[Leaf | Scope]:
        """The parts that are modules, and no mere functions."""
        return [part for part in self.parts if isinstance(part, Scope) or part.has_module]

    @property
    def is_numbered(self) -> bool:
        """Whether its modules are called 0, 1, 2 …"""
        modules = self.modules
        own = any(isinstance(part, Leaf) and part.call and part.call.tensors == "own" for part in self.parts)
        return bool(modules) and not own and [part.name for part in modules] == [str(i) for i in range(len(modules))]

    @property
    def chain(self) -> int:
        """How many of its parts, from the first on, are a chain of modules that nothing else looks into."""
        if len(self.inputs) != 1:
            return 0
        before, users = self.inputs[0], Counter(node for part in self.parts for node in part.inputs)
        for at, part in enumerate(self.parts):
            module = isinstance(part, Scope) or (part.has_module and part.layer.type != "MultiheadAttention")
            inner = at == 0 or (users[before] == 1 and before not in self.results)
            if not module or part.inputs != (before,) or len(part.results) != 1 or not inner:
                return at
            before = part.results[0]
        return len(self.parts)


def outline(graph: Graph) -> Scope:
    """The scopes of a graph."""
    root = Scope("", "", graph.args)
    noted = {layer.inputs[1] for layer in graph.layers if layer.op is not None and layer.op.places_of}
    for node in range(graph.input_count, len(graph.nodes)):
        layer = graph.nodes[node]
        shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
        _place(graph, root, layer.name).parts.append(Leaf(node, layer, shapes, node in noted))
    users: dict[int, list[int]] = {}
    for node, layer in enumerate(graph.nodes):
        for i in inputs_of(layer):
            users.setdefault(i, []).append(node)
    for i in graph.outputs:
        users.setdefault(i, []).append(len(graph.nodes))
    _connect(root, users)
    for scope in root.scopes():
        first = graph.nodes[scope.inputs[0]].shape if scope.inputs and scope.inputs[0] >= 0 else None
        scope.channels = first[0] if first else 0
    root.inputs, root.results = tuple(range(graph.input_count)), graph.outputs
    return root


def _place(graph: Graph, root: Scope, name: str) -> Scope:
    """The scope that a layer belongs to. Its parts stand together, so it is the last one of its parent or a new one."""
    scope, path = root, ""
    for part in name.split(".")[:-1]:
        path = f"{path}.{part}" if path else part
        last = scope.parts[-1] if scope.parts else None
        if not isinstance(last, Scope) or last.path != path:
            group = graph.groups.get(path)
            last = Scope(path, "", {}, None, scope)
            if group:
                last = Scope(path, group.block, group.arguments, group.place, scope)
            scope.parts.append(last)
        scope = last
    return scope


def _connect(scope: Scope, users: Mapping[int, Sequence[int]]) -> None:
    inside: set[int] = set()
    inputs: list[int] = []
    for part in scope.parts:
        if isinstance(part, Scope):
            _connect(part, users)
        inputs += [i for i in part.inputs if i not in inside]
        leaves = part.leaves() if isinstance(part, Scope) else [part]
        inside |= {node for leaf in leaves for node in leaf.results}
    scope.inputs = tuple(dict.fromkeys(inputs))
    made = [node for part in scope.parts for node in part.results]
    scope.results = tuple(node for node in made if any(user not in inside for user in users.get(node, ())))
    if not scope.results:
        scope.results = tuple(made[-1:])


class Hole(NamedTuple):
    """A place in a form where a value stands: the value of an argument, with the argument's name."""

    name: str
    value: Any


#: Arguments for which one number stands for all axes.
BY_AXIS = ("kernel_size", "stride", "padding", "output_padding", "dilation", "output_size", "size", "scale_factor")
#: PyTorch's order of what comes behind the channels.
ORDER = (
    "kernel_size", "stride", "padding", "output_padding", "dilation", "groups", "bias", "padding_mode",
    "return_indices",
)  # fmt: skip


def leaf_values(leaf: Leaf) -> list[Hole]:
    """The values of a layer's arguments, as they are written: one number where all axes have the same."""
    if leaf.call is None:
        found = [Hole(name, simple(value) if name in BY_AXIS else value) for name, value in leaf.arguments.items()]
        return sorted(found, key=lambda hole: ORDER.index(hole.name) if hole.name in ORDER else -1)
    if leaf.call.tensors == "own":
        (parameter,) = leaf.layer.op.parameters(*leaf.shapes) if leaf.layer.op else ()
        return [Hole("shape", parameter.shape), Hole("init_value", getattr(leaf.layer.op, "init_value"))]  # noqa: B009
    if leaf.call.function == "operator.getitem":
        (cut,) = leaf.call.arguments
        return [Hole(end, getattr(cut[axis], end)) for axis, end in ends_of(leaf)]
    called = {"torch.nn.functional.pad": "padding", "torch.permute": "dims"}
    name = called.get(leaf.call.function, "dim")
    return [Hole(name, argument) for argument in leaf.call.arguments] + [
        Hole(name, value) for name, value in leaf.call.keywords
    ]


def ends_of(leaf: Leaf) -> tuple[tuple[int, str], ...]:
    """The ends that a slice states: which axis, and "start", "stop" or "step"; none for other layers."""
    if leaf.call is None or leaf.call.function != "operator.getitem":
        return ()
    (cut,) = leaf.call.arguments
    ends = ("start", "stop", "step")
    return tuple((axis, end) for axis, part in enumerate(cut) for end in ends if getattr(part, end) is not None)


def simple(value: Any) -> Any:
    """One number for a tuple of equal ones."""
    if isinstance(value, tuple) and len(value) > 1 and all(each == value[0] for each in value):
        return value[0] if not isinstance(value[0], tuple) else value
    return value


def class_name(text: str) -> str:
    """A name for a class, from the name of a block, a group or a network.

    >>> class_name("inverted_residual"), class_name("LeNet-5"), class_name("layer1"), class_name("VGG")
    ('InvertedResidual', 'LeNet5', 'Layer1', 'VGG')
    """
    words = [word for word in re.split(r"[^A-Za-z0-9]+", text) if word]
    joined = "".join(word[0].upper() + word[1:] for word in words)[:LONGEST]
    return joined if joined[:1].isalpha() else f"Net{joined}"


def network_name(graph: Graph) -> str:
    """A name for the class of a network: the variant's, spelt as the network is where they begin alike.

    >>> from cnncalc import load
    >>> [network_name(load(name)) for name in ("resnet50", "mobilenet_v2", "lenet", "resnext50_32x4d")]
    ['ResNet50', 'MobileNetV2', 'LeNet5', 'Resnext5032x4d']
    """
    name, variant = class_name(graph.name), re.sub(r"[^A-Za-z0-9]+", "", graph.variant)
    if variant and variant.lower().startswith(name.lower()):
        return name + variant[len(name) :]
    return class_name(graph.variant) if graph.variant else name
