"""A network as a plain list of layers: what all readers end in, before it is folded and written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ..names import is_name
from ..ops import REGISTRY, Shape
from ..record import Record


class Node(Record):
    """A layer or an input: its path, type, arguments, and the nodes that it takes, by number.

    `owns` tells whether the path is that of parameters, and may not change. A node that `shares` is another once more.
    `figures` are those of a type that is declared and not understood. `line` is the user's, where it is known.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    inputs: tuple[int, ...]
    shape: Shape
    owns: bool = False
    shares: int = -1
    figures: Mapping[str, Any] | None = None
    line: str = ""


class Module(Record):
    """A module of the program that a network came from: its class, and what it keeps of how it was made."""

    kind: str
    attributes: Mapping[str, Any]
    library: bool = False


class Flat:
    """The network: `nodes` begin with its inputs and stand in order of work, `outputs` are numbers of nodes.

    `notes` say what the reader must know of it, a line each; `keys` are the shapes of the tensors that the original
    keeps by name, None where it has no names for them; `uses` are the parts that run again, by path, and what they are.
    `stored` is how many numbers the original learns, each once; None where it is not known.
    """

    stored: int | None = None

    def __init__(
        self,
        title: str,
        nodes: Sequence[Node],
        input_count: int,
        outputs: Sequence[int],
        modules: Mapping[str, Module] = MappingProxyType({}),
        notes: Sequence[str] = (),
        keys: Mapping[str, Shape] | None = None,
        uses: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.title, self.nodes, self.input_count, self.outputs = title, tuple(nodes), input_count, tuple(outputs)
        self.modules, self.notes, self.keys, self.uses = modules, tuple(notes), keys, uses

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """The paths of the modules right below each module."""
        found: dict[str, list[str]] = {}
        for path in self.modules:
            if path:
                found.setdefault(path.rpartition(".")[0], []).append(path)
        return found

    @cached_property
    def declared(self) -> dict[int, str]:
        """The names of the types that are declared, by node: layers of equal figures are of one type."""
        names: dict[str, str] = {}
        found: dict[int, str] = {}
        for number, node in enumerate(self.nodes):
            if node.figures is not None:
                key = repr((node.type, sorted((k, v) for k, v in node.figures.items() if k != "note")))
                plain = node.type if is_name(node.type) else "Unnamed"  # a stranger's class may be called anything
                base, count = plain, 2
                while key not in names and (base in names.values() or base in REGISTRY):
                    base, count = f"{plain}{count}", count + 1
                found[number] = names.setdefault(key, base)
        return found

    @property
    def layers(self) -> tuple[Node, ...]:
        """All nodes but the inputs."""
        return self.nodes[self.input_count :]


def loose_paths(nodes: Sequence[Node], first: int) -> set[str]:
    """The paths whose layers do not run in a row."""
    found, last = set[str](), dict[str, int]()
    for number in range(first, len(nodes)):
        name = nodes[number].name
        end = name.find(".")
        while end >= 0:
            path = name[:end]
            if last.get(path, number - 1) != number - 1:
                found.add(path)
            last[path] = number
            end = name.find(".", end + 1)
    return found
