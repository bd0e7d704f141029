"""The parts of a network as a person would write it: layers, scopes of them, and the values of their arguments."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Place
from ..graph import Graph, Layer
from ..names import LONGEST
from ..ops import Shape
from ..ops.border import Border
from ..record import Record

#: Methods of nn.Sequential, which has no modules that are called so.
OF_SEQUENTIAL = frozenset(["append", "extend", "insert", "pop"])


def places(node: int) -> int:
    """The number that stands for the places which the max pool at a node notes."""
    return -1 - node


class Leaf:
    """A layer. A max pool whose places another layer goes back to has them as a second result.

    `of` is the module that it calls again, by its path in the scope around it; `is_layer` tells that this is no scope.
    """

    def __init__(
        self, node: int, layer: Layer, shapes: tuple[Shape, ...], name: str, noted: bool = False, of: str = ""
    ) -> None:
        self.node, self.layer, self.shapes, self.noted, self.name = node, layer, shapes, noted, name
        assert layer.op is not None
        self.call = layer.op.call(*shapes)
        self.arguments = layer.op.module_arguments(*shapes) if self.call is None else {}
        if noted:
            self.arguments["return_indices"] = True
        self.inputs = inputs_of(layer)
        self.results: tuple[int, ...] = (node, places(node)) if noted else (node,)
        self.of, self.is_layer = of, True

    @classmethod
    def again(cls, last: Leaf, scope: Scope, of: str, results: tuple[int, ...]) -> Leaf:
        """The call of a whole scope once more, which ends with the layer `last`."""
        made = cls(last.node, last.layer, last.shapes, scope.name, of=of)
        made.inputs, made.results, made.call, made.is_layer = scope.inputs, results, None, False
        return made

    @property
    def border(self) -> Border | None:
        """What is put around the input before the module."""
        return self.layer.op.border(*self.shapes) if self.layer.op and self.is_layer else None

    @property
    def is_plain(self) -> bool:
        """Whether it is a module that takes what comes in and gives what goes out, as those of nn.Sequential do."""
        return self.has_module and self.layer.type != "MultiheadAttention" and self.border is None

    @property
    def is_own(self) -> bool:
        """Whether it is a parameter of the class around it, and no module."""
        return self.call is not None and self.call.owns and not self.of

    @property
    def has_module(self) -> bool:
        """Whether it is a module of its own, and no mere function."""
        return self.call is None and not self.of


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
        self.name = path[len(parent.path) + 1 :] if parent and parent.path else path
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
        own = any(isinstance(part, Leaf) and part.is_own for part in self.parts)
        return bool(modules) and not own and [part.name for part in modules] == [str(i) for i in range(len(modules))]

    @property
    def chain(self) -> int:
        """How many of its parts, from the first on, are a chain of modules that nothing else looks into."""
        if len(self.inputs) != 1:
            return 0
        before, users = self.inputs[0], Counter(node for part in self.parts for node in part.inputs)
        for at, part in enumerate(self.parts):
            module = isinstance(part, Scope) or part.is_plain
            inner = at == 0 or (users[before] == 1 and before not in self.results)
            if not module or part.inputs != (before,) or len(part.results) != 1 or not inner:
                return at
            before = part.results[0]
        return len(self.parts)


class Hole(Record):
    """A place in a form where a value stands: the value of an argument, with the argument's name."""

    name: str
    value: Any


#: The name of the value that says how wide a border is put around the input first.
BORDER = "border"
#: Arguments for which one number stands for all axes.
BY_AXIS = ("kernel_size", "stride", "padding", "output_padding", "dilation", "output_size", "size", "scale_factor")
#: PyTorch's order of what comes behind the channels.
ORDER = (
    "kernel_size", "stride", "padding", "output_padding", "dilation", "groups", "bias", "padding_mode",
    "return_indices",
)  # fmt: skip


def leaf_values(leaf: Leaf) -> list[Hole]:
    """The values of a layer's arguments, as they are written: one number where all axes have the same."""
    if leaf.of:
        return [] if leaf.border is None else [Hole(BORDER, leaf.border.widths)]
    if leaf.call is None:
        found = [Hole(name, simple(value) if name in BY_AXIS else value) for name, value in leaf.arguments.items()]
        found = sorted(found, key=lambda hole: ORDER.index(hole.name) if hole.name in ORDER else -1)
        around = leaf.border
        return found if around is None else [*found, Hole(BORDER, around.widths)]
    if leaf.call.owns:
        (parameter,) = leaf.layer.op.parameters(*leaf.shapes) if leaf.layer.op else ()
        return [Hole("shape", parameter.shape), Hole("init_value", float(getattr(leaf.layer.op, "init_value")))]  # noqa: B009
    if leaf.call.function == "operator.getitem":
        (cut,) = leaf.call.arguments
        return [Hole(end, getattr(cut[axis], end)) for axis, end in ends_of(leaf)]
    called = {"torch.nn.functional.pad": "padding", "torch.permute": "dims"}
    called |= {"operator.mul": "factor", "operator.add": "value"}
    name = called.get(leaf.call.function, "dim")
    return [Hole(name, argument) for argument in leaf.call.arguments] + [
        Hole(name, value) for name, value in leaf.call.keywords
    ]


def ends_of(leaf: Leaf) -> tuple[tuple[int, str], ...]:
    """The ends that a slice states: which axis, and "start", "stop" or "step"; none for other layers."""
    if leaf.of or leaf.call is None or leaf.call.function != "operator.getitem":
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
