"""Graph and Layer: names, inputs, order, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

from .errors import Place, Problem, Source, did_you_mean, usage_error
from .names import RULE, is_name, is_path
from .ops import REGISTRY, Op, Shape
from .pictures import Pictures
from .record import Record


class Layer(Record):
    """One node of the graph. `inputs` are positions in `Graph.nodes`; `shape` is None where it is not known."""

    name: str
    type: str
    op: Op | None
    inputs: tuple[int, ...]
    shape: Shape | None
    place: Place | None = None
    note: str = ""
    block: str = ""  # the block that it was written in, if any
    shares: int = -1  # the node that it is once more, with its weights

    @property
    def is_declared(self) -> bool:
        """Whether its type is one that the spec declares, with figures and no more."""
        return self.op is not None and REGISTRY.get(self.type) is not type(self.op)


class Group(Record):
    """A named part of the network: a block in use, a group, or the copies of a repeat."""

    name: str
    block: str  # the block's name, or empty
    output: int
    place: Place | None = None
    note: str = ""
    arguments: Mapping[str, Any] = {}  # of the block


class Claim(Record):
    """What a spec says about itself: `quantity` of the part called `name` (empty for the network) is `value`."""

    name: str
    quantity: str
    value: Any
    place: Place | None
    source: str = ""
    note: str = ""


class Graph:
    """A network, all blocks and expressions worked out. `nodes` begin with the inputs and stand in order of work."""

    def __init__(self, name: str, variant: str, source: Source) -> None:
        self.name, self.variant, self.source = name, variant, source
        self.about, self.task = "", ""  # where it was published, and what it is for
        self.year: int | None = None
        self.nodes: list[Layer] = []
        self.input_count = 0
        self.outputs: tuple[int, ...] = ()
        self.groups: dict[str, Group] = {}
        self.has_lists = False  # whether names with dots put layers into lists
        self.uses: dict[str, str] = {}  # parts that are another once more, by their names
        self.claims: list[Claim] = []
        self.disputes: list[Claim] = []  # figures that were published, and that the network does not have
        self.pretrained: list[Pictures] = []  # how published weights want their pictures, the usual ones first
        self.args: Mapping[str, Any] = {}
        self.space: Any = None  # the axes of the family and the conditions between them, where the spec states some
        self.warnings: list[Problem] = []
        self.errors: list[Problem] = []

    def copy(self) -> Graph:
        """The same network with lists of its own: what is put into one is not in the other."""
        made = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, (list, dict)):
                setattr(made, name, value.copy())
        return made

    @property
    def inputs(self) -> Sequence[Layer]:
        """The inputs, as nodes without an operation."""
        return self.nodes[: self.input_count]

    @property
    def layers(self) -> Sequence[Layer]:
        """The layers, in order of work."""
        return self.nodes[self.input_count :]

    @property
    def complete(self) -> bool:
        """Whether every layer is understood."""
        return all(layer.shape is not None for layer in self.nodes)

    def nodes_of(self, name: str) -> list[int]:
        """The nodes of a layer or group, in order of work; raises `SpecError` where there is neither."""
        inside = f"{name}."
        found = [
            index
            for index, node in enumerate(self.nodes)
            if index >= self.input_count and (node.name == name or node.name.startswith(inside))
        ]
        if not found:
            names = [*self.groups, *(node.name for node in self.layers)]
            raise usage_error(f"there is no part {name}", did_you_mean(name, names) or "name a layer or a group")
        return found

    def loose(self) -> set[str]:
        """The paths whose layers do not run in a row: lists of modules that take turns with others."""
        if not self.has_lists:
            return set()
        found, last = set[str](), dict[str, int]()
        for node, layer in enumerate(self.nodes):
            end = layer.name.find(".")
            while end >= 0:
                path = layer.name[:end]
                if last.get(path, node - 1) != node - 1:
                    found.add(path)
                last[path] = node
                end = layer.name.find(".", end + 1)
        return found

    def levels(self) -> list[tuple[str, ...]]:
        """The name of each layer by parts, from the outermost on; what is loose is no part of its own."""
        loose = self.loose()
        if not loose:
            return [tuple(layer.name.split(".")) for layer in self.layers]
        return [_by_level(layer.name, loose) for layer in self.layers]

    def strange_names(self) -> list[Problem]:
        """Names that no spec can hold, since it is checked when it is read: whatever writes source asks once more."""
        found: list[Problem] = []
        names: dict[str, Layer | None] = {}
        for layer in self.nodes:
            for part in (*layer.name.split("."), layer.type, layer.block or layer.type):
                names.setdefault(part, layer)
        for group in self.groups.values():
            names.update(dict.fromkeys((*group.arguments, group.block or "0")))
        names.update(dict.fromkeys(self.args))
        strange = [(name, layer) for name, layer in names.items() if not is_name(name)]
        strange += [(self.variant, None)] if self.variant and not is_path(self.variant) else []
        for name, near in strange[:20]:
            found.append(Problem("name", f"{name!r} is no name", self.source, near.place if near else None, (), RULE))
        return found

    def owner(self, node: int) -> int:
        """The node whose weights a node has: its own, or those of the one that it is once more."""
        shared = self.nodes[node].shares
        return node if shared < 0 else shared

    def shapes_into(self, layer: Layer) -> tuple[Shape | None, ...]:
        return tuple(self.nodes[i].shape for i in layer.inputs)


def _by_level(name: str, loose: set[str]) -> tuple[str, ...]:
    found, begin, end = list[str](), 0, name.find(".")
    while end >= 0:
        if name[:end] not in loose:
            found.append(name[begin:end])
            begin = end + 1
        end = name.find(".", end + 1)
    return (*found, name[begin:])
