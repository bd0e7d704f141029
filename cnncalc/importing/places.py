"""Where the layers of a program stand: the parameter names the layer, the modules around it place the rest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ..language.builder import MAX_LAYERS
from ..names import is_name
from ..ops import REGISTRY, Shape
from .again import Again
from .flat import Flat, Module, Node
from .refusals import refused
from .values import Pending

#: What layers without a name of their own are called, where that is not their type.
CALLED = {
    "add": "sum",
    "concat": "joined",
    "multiply": "product",
    "subtract": "difference",
    "divide": "quotient",
    "maximum": "largest",
    "matmul": "product",
    "stack": "stacked",
    "AdaptiveAvgPool2d": "pool",
    "AdaptiveMaxPool2d": "pool",
    "Upsample": "up",
    "MaxPool2d": "pool",
    "AvgPool2d": "pool",
    "ZeroPad2d": "pad",
    "ConstantPad2d": "pad",
}
#: Words that no layer can be called, or that would be read as something else.
TAKEN = frozenset(
    {"layers", "inline", "when", "repeat", "foreach", "from", "expect", "note", "use", "branch", *REGISTRY}
)


def called(type_: str) -> str:
    """What a layer of a type is called where nothing names it.

    >>> called("ReLU6"), called("AdaptiveAvgPool2d"), called("GridSampler2d")
    ('relu6', 'pool', 'grid_sampler2d')
    """
    if type_ in CALLED:
        return CALLED[type_]
    return re.sub(r"(?<=[a-z]{2})(?=[A-Z])", "_", type_).lower()


class Places:
    """Gives each layer its path."""

    def __init__(self, pending: Sequence[Pending], modules: Mapping[str, Module]) -> None:
        self.pending, self.modules = pending, modules
        self.used: set[str] = set()
        self.numbers: dict[tuple[str, str], int] = {}  # how far names of a kind were counted in a scope
        self.first: dict[str, int] = {}  # the path of a layer with parameters → the node
        self.owners = {each.owner.lstrip("=") for each in pending if each.owner}
        self.loads = Counter(each.modules[-1][0] for each in pending if each.modules and not each.owner)
        self.holders = {owner.rpartition(".")[0] for owner in self.owners}
        self.inside = Counter(path.rpartition(".")[0] for path in modules if path)

    def nodes(self) -> list[Node]:
        """The layers with their paths; raises `SpecError` for a name that no layer can bear."""
        made: list[Node] = []
        for number, each in enumerate(self.pending):
            shares = -1
            if not each.modules and each.type == "input":
                name = each.owner
            elif each.owner and each.owner.lstrip("=") in self.first and self.same(made, each):
                shares = self.first[each.owner.lstrip("=")]
                last = each.owner.lstrip("=").rpartition(".")[2]
                name = self.fresh(self.scope(each), called(each.type) if last.isdigit() else last)
            elif each.owner and each.owner.lstrip("=") not in self.used:
                name = each.owner.lstrip("=")
                self.first[name] = number
            else:
                name = self.placed(each)
            self.used.add(name)
            made.append(
                Node(
                    name,
                    each.type,
                    each.arguments,
                    each.inputs,
                    each.shape,
                    bool(each.owner),
                    shares,
                    each.figures,
                    each.line,
                )
            )
        return made

    def same(self, made: Sequence[Node], each: Pending) -> bool:
        """Whether a layer is another once more: of the same type, with the same arguments and parameters."""
        first = made[self.first[each.owner.lstrip("=")]]
        return (first.type, first.arguments) == (each.type, each.arguments)

    def placed(self, each: Pending) -> str:
        """The path of a layer without parameters: that of its module, if it is all that the module does."""
        if each.modules:
            key, path, _ = each.modules[-1]
            alone = (
                self.loads[key] == 1 and not self.inside[path] and path not in self.owners and path not in self.holders
            )
            parent, _, last = path.rpartition(".")
            if alone and path and self.climbed(path) == path:
                if path not in self.used and (not last.isdigit() or "@" not in key):
                    return path
                base = last if not last.isdigit() else called(each.type)
                return self.fresh(self.climbed(parent), base)
        return self.fresh(self.scope(each), called(each.type))

    def scope(self, each: Pending) -> str:
        """The module that a layer stands in."""
        return self.climbed(each.modules[-1][1] if each.modules else "")

    def climbed(self, path: str) -> str:
        """The nearest module around that is no layer itself, nor within one."""
        parts = path.split(".") if path else []
        for length in range(1, len(parts) + 1):
            if ".".join(parts[:length]) in self.owners:
                return ".".join(parts[: length - 1])
        return path

    def fresh(self, scope: str, base: str) -> str:
        """A name that nothing in a scope has."""
        number = self.numbers.get((scope, base), 1)
        while True:
            name = base if number == 1 else f"{base}{number}"
            path = f"{scope}.{name}" if scope else name
            if path not in self.used and path not in self.modules and name not in TAKEN and path not in self.owners:
                self.numbers[scope, base] = number
                self.used.add(path)
                return path
            number += 1


def placed(title: str, pending: Sequence[Pending], outputs: Sequence[int], modules: Mapping[str, Module],
           inputs: int, notes: Sequence[str] = (), keys: Mapping[str, Shape] | None = None) -> Flat:  # fmt: skip
    """The flat network of what was read; raises `SpecError` for names that a spec cannot hold."""
    if len(pending) > MAX_LAYERS:
        raise refused(f"{len(pending):,} layers; a network may have {MAX_LAYERS:,}")
    places = Places(pending, modules)
    again = Again(places.nodes(), outputs, places.fresh)
    nodes = again.nodes
    strange = [node for node in nodes if not all(map(is_name, node.name.split(".")))]
    if strange:
        raise refused(f"{strange[0].name!r} cannot be the name of a layer", strange[0].line)
    return Flat(title, nodes, inputs, outputs, modules, notes, keys, again.uses)
