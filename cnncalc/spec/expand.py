"""Blocks, branches and repeats become layers.

One walk over the YAML tree. Shapes are worked out on the way, because expressions may use them. What goes wrong in
one place is noted there, the shape becomes unknown, and the walk goes on: so one run reports all independent errors.
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator, Sequence as Items
from typing import Any, NamedTuple

from ..errors import Misfit, Place, Problem, did_you_mean
from ..formula import prod
from ..graph import Claim, Graph, Group, Layer
from ..ops import MERGES, REGISTRY, Op, Shape, readable, value_of
from ..ops.kinds import LARGEST
from . import expressions
from .declared import Declaration
from .reader import Mapping, Node, Scalar, Sequence

MAX_LAYERS = 150_000
MAX_BLOCKS = 60
GROUPS = ("layers", "inline")
BESIDE = ("when", "repeat", "foreach", "from", "expect", "note")

Names = ChainMap[str, Any]


class Block(NamedTuple):
    """A block as it is declared."""

    name: str
    args: tuple[tuple[Scalar, Node | None], ...]
    layers: Node
    place: Place


class Scope:
    """A part of the module tree: where unnamed layers take their numbers."""

    def __init__(self, path: str) -> None:
        self.path, self.next = path, 0

    def child(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def number(self) -> str:
        self.next += 1
        return str(self.next - 1)


class Item(NamedTuple):
    """One entry of a list or mapping of layers, sorted out: what it is, and the keys beside it."""

    kind: str  # "type", "block", "merge", "group", "inline", "named", "named-many", "unknown", "broken"
    name: str  # of the type, block, merge, or of the named item
    body: Node | None
    beside: dict[str, Node]
    place: Place
    literal: bool = False  # arguments without expressions


class Use(NamedTuple):
    """A block in use, for the context of errors inside it."""

    block: str
    path: str
    place: Place


class TooBig(Exception):
    """The spec breaks a bound; nothing more is expanded."""


class Expander:
    """Works a model's layers out into a graph that already holds its inputs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.blocks: dict[str, Block] = {}
        self.types: dict[str, Declaration] = {}
        self.outputs: dict[str, int] = {}  # full path → node
        self.uses: tuple[Use, ...] = ()
        self.factor = 1  # product of the repeats around
        self.steps = 0
        self._items: dict[int, Item] = {}
        self._made: dict[Any, Op] = {}
        self._shapes: dict[Any, Shape] = {}
        self._kept: list[Op] = []  # so that the ids in _shapes stay taken

    # -- lists and mappings of layers ----------------------------------------------------------------------------

    def layers(self, node: Node, scope: Scope, x: int | None, names: Names) -> int | None:
        """The layers of a list or mapping, one after the other; returns the node that comes out."""
        if isinstance(node, Sequence):
            for item in node.items:
                x = self.entry(item, None, scope, x, names)
        elif isinstance(node, Mapping) and self.sort(node).kind == "named-many":
            for name, key, value in node.items():
                x = self.entry(value, key, scope, x, names)
        elif isinstance(node, Scalar) and node.value is None:
            self.problem("layers", "there are no layers here", node.place, "a list of layers: [ReLU], or [] for none")
        else:
            x = self.entry(node, None, scope, x, names)
        return x

    def sort(self, node: Node) -> Item:
        item = self._items.get(id(node))
        if item is None:
            item = self._items[id(node)] = self._sorted(node)
        return item

    def _sorted(self, node: Node) -> Item:
        if isinstance(node, Sequence):
            return Item("group", "", node, {}, node.place)
        if isinstance(node, Scalar):
            return self._sorted_word(node)
        heads = [key for key in node.pairs if key in GROUPS or self.is_known(key)]
        beside = {key: value for key, _, value in node.items() if key in BESIDE}
        others = [key for key in node.pairs if key not in heads and key not in BESIDE]
        if len(heads) == 1 and not others:
            head, key = heads[0], node.pairs[heads[0]]
            if head in GROUPS:
                return Item("group" if head == "layers" else "inline", "", key[1], beside, node.place)
            return Item(self.kind_of(head), head, key[1], beside, key[0].place, self.is_literal(key[1]))
        if heads:
            self._complain_of_keys(node, heads, others)
            return Item("broken", "", None, {}, node.place)
        unknown = [key for key in others if self.looks_like_type(key, node.pairs[key][1])]
        if len(unknown) == 1 and len(others) == 1:
            return Item("unknown", unknown[0], None, beside, node.pairs[unknown[0]][0].place)
        if beside and others:
            key = next(iter(beside))
            self.problem(
                "keys",
                f"{key} stands beside {', '.join(others)}, which are names of layers",
                node.pairs[key][0].place,
                f"write {key} beside the type, or a group as {{layers: …, {key}: …}}"
                + (f"; {did_you_mean(others[0], self.known())}" if did_you_mean(others[0], self.known()) else ""),
            )
            return Item("broken", "", None, {}, node.place)
        if not others:
            self.problem("keys", "there is no layer here", node.place, "a type, as in: - ReLU")
            return Item("broken", "", None, {}, node.place)
        return Item("named" if len(others) == 1 else "named-many", others[0], node, {}, node.place)

    def _sorted_word(self, node: Scalar) -> Item:
        if not isinstance(node.value, str):
            what = "nothing" if node.value is None else node.text
            self.problem("layers", f"{what} stands where a layer should", node.place, "a type, as in: - ReLU")
            return Item("broken", "", None, {}, node.place)
        kind = self.kind_of(node.value)
        return Item(kind, node.value, None, {}, node.place, literal=True)

    def _complain_of_keys(self, node: Mapping, heads: list[str], others: list[str]) -> None:
        if len(heads) > 1:
            key = node.pairs[heads[1]][0]
            self.problem(
                "keys", f"{heads[0]} and {heads[1]} stand in one mapping", key.place, "one layer an item: begin a new line with -"
            )
            return
        key = node.pairs[others[0]][0]
        hint = did_you_mean(others[0], BESIDE)
        if not hint and isinstance(node.pairs[heads[0]][1], Scalar) and node.pairs[heads[0]][1].value is None:  # type: ignore[union-attr]
            hint = f"the arguments of {heads[0]} belong inside: {heads[0]}: {{{others[0]}: …}}, or further to the right"
        self.problem(
            "keys",
            f"{others[0]} is not a key beside {heads[0]}",
            key.place,
            hint or f"keys beside a layer are {', '.join(BESIDE)}; a name stands before the layer: name: {{{heads[0]}: …}}",
        )

    def is_known(self, name: str) -> bool:
        return name in REGISTRY or name in self.blocks or name in self.types

    def known(self) -> list[str]:
        return [*REGISTRY, *self.blocks, *self.types]

    def kind_of(self, name: str) -> str:
        if name in MERGES:
            return "merge"
        if name in self.blocks:
            return "block"
        return "type" if self.is_known(name) else "unknown"

    def looks_like_type(self, name: str, value: Node) -> bool:
        """Whether an unknown key is meant as a layer type: what follows are arguments and not layers."""
        if isinstance(value, Scalar):
            return value.value is None or not isinstance(value.value, str)
        if isinstance(value, Sequence):
            return False
        if not value.pairs:
            return True
        return all(
            (isinstance(each, Scalar) and (not isinstance(each.value, str) or key in _ARGUMENT_NAMES))
            or (isinstance(each, Sequence) and all(isinstance(part, Scalar) and not isinstance(part.value, str) for part in each.items))
            or key in _ARGUMENT_NAMES
            for key, _, each in value.items()
        )  # fmt: skip

    def is_literal(self, node: Node | None) -> bool:
        if node is None or isinstance(node, Scalar):
            return not isinstance(node, Scalar) or not isinstance(node.value, str)
        parts = node.items if isinstance(node, Sequence) else [value for _, _, value in node.items()]
        return all(self.is_literal(part) for part in parts)

    # -- one entry: repeat, foreach, when, from ------------------------------------------------------------------

    def entry(self, node: Node, key: Scalar | None, scope: Scope, x: int | None, names: Names) -> int | None:
        """One layer, block, merge or group with all its copies."""
        item = self.sort(node)
        if item.kind == "broken":
            return self.unknown(item, key.text if key else scope.number(), scope, x)
        if item.kind in ("named", "named-many") and key is None:
            if item.kind == "named":
                assert isinstance(item.body, Mapping)
                name_key, value = item.body.pairs[item.name]
                return self.entry(value, name_key, scope, x, names)
            return self.group(node, scope.number(), scope, x, names, item)
        if key is not None and not self.name_fits(key):
            return x
        if item.kind == "inline" and key is not None:
            self.problem("name", f"inline takes no name, but stands under {key.text}", key.place, "use layers: for a group with a name")
            return x
        if item.kind == "inline" and "expect" in item.beside:
            self.problem("expect", "inline is no part of its own, so it has nothing to expect", item.place, "put expect on a layer inside")
        template = key.text if key else None
        if "repeat" not in item.beside and "foreach" not in item.beside:
            return self.copy(item, node, template, key, scope, x, names)
        return self.copies(item, node, template, key, scope, x, names)

    def copies(
        self, item: Item, node: Node, template: str | None, key: Scalar | None, scope: Scope, x: int | None, names: Names
    ) -> int | None:
        """All copies of an entry with `repeat` or `foreach`."""
        named_by_i = template is not None and "i" in _template_names(template)
        inner: Scope | None = None
        templated = template is not None and "{" in template
        for column in self.columns(item, x, names):
            count = self.count(item, x, column)
            if count is None:
                return None
            outer_factor, self.factor = self.factor, self.factor * max(count, 1)
            self.check_bound(item)
            group_name = template
            if templated and not named_by_i:
                group_name = self.filled(template or "", key, column, x)
                inner = Scope(scope.child(group_name)) if "repeat" in item.beside else None
            elif template is not None and not templated and inner is None:
                inner = Scope(scope.child(template))
            for i in range(count):
                bound = column.new_child({"i": i}) if "repeat" in item.beside else column
                if template is None:
                    x = self.copy(item, node, None, key, scope, x, bound)
                elif inner is not None:
                    x = self.copy(item, node, inner.number(), key, inner, x, bound)
                else:
                    x = self.copy(item, node, template, key, scope, x, bound)
            self.factor = outer_factor
            if inner is not None and x is not None:
                self.outputs[inner.path] = x
                self.graph.groups.setdefault(inner.path, Group(inner.path, "", x, item.place))
        return x

    def columns(self, item: Item, x: int | None, names: Names) -> Iterator[Names]:
        """The names bound by `foreach`, column by column; the names as they are without it."""
        node = item.beside.get("foreach")
        if node is None:
            yield names
            return
        if not isinstance(node, Mapping) or not node.pairs:
            self.problem("foreach", "foreach wants names with lists", node.place, "foreach: {t: [1, 6], c: [16, 24]}")
            return
        lists: dict[str, list[Any]] = {}
        for name, key, value in node.items():
            if not name.isidentifier():
                self.problem("foreach", f"{name!r} cannot be a name in expressions", key.place, "letters, digits and _")
                return
            found = self.value(value, x, names)
            if not isinstance(found, list):
                if found is not _UNKNOWN:
                    self.problem("foreach", f"foreach wants a list for {name}, not {found}", value.place)
                return
            lists[name] = found
        lengths = {name: len(values) for name, values in lists.items()}
        if len(set(lengths.values())) > 1:
            self.problem(
                "foreach",
                "the lists of foreach differ in length: " + ", ".join(f"{name} has {n}" for name, n in lengths.items()),
                node.place,
                "each column is one copy",
            )
            return
        alone = "repeat" not in item.beside
        for i, column in enumerate(zip(*lists.values(), strict=True)):
            bound = dict(zip(lists, column, strict=True))
            yield names.new_child({"i": i, **bound} if alone else bound)

    def count(self, item: Item, x: int | None, names: Names) -> int | None:
        node = item.beside.get("repeat")
        if node is None:
            return 1
        found = self.value(node, x, names)
        if found is _UNKNOWN:
            return None
        if isinstance(found, bool) or not isinstance(found, int) or found < 0:
            self.problem("repeat", f"repeat wants a whole number ≥ 0, not {found}", node.place)
            return None
        return found

    def check_bound(self, item: Item) -> None:
        if self.factor > MAX_LAYERS:
            place = item.beside["repeat"].place if "repeat" in item.beside else item.place
            raise self.too_big(f"{self.factor:,} copies; a network may have {MAX_LAYERS:,} layers", place)

    def too_big(self, message: str, place: Place, hint: str = "is there a digit too many?") -> TooBig:
        self.problem("too-big", message, place, hint)
        return TooBig()

    def copy(
        self, item: Item, node: Node, template: str | None, key: Scalar | None, scope: Scope, x: int | None, names: Names
    ) -> int | None:
        """One copy of an entry."""
        self.steps += 1
        if self.steps > 2 * MAX_LAYERS:
            raise self.too_big(f"more than {MAX_LAYERS:,} layers", item.place, "blocks that use others twice grow fast")
        if "when" in item.beside:
            wanted = self.value(item.beside["when"], x, names)
            if wanted is _UNKNOWN:
                return None
            if not isinstance(wanted, (bool, int)):
                self.problem("when", f"when wants true or false, not {wanted}", item.beside["when"].place)
                return None
            if not wanted:
                return x
        if "from" in item.beside and item.kind not in ("type", "unknown"):
            sources = self.sources(item.beside["from"], scope, x, names)
            if not sources:
                return None
            x = sources[0]
        if item.kind == "merge":
            return self.merge(item, template, key, scope, x, names)
        if item.kind == "inline":
            assert item.body is not None
            return self.layers(item.body, scope, x, names)
        name = scope.number() if template is None else self.filled(template, key, names, x)
        if item.kind == "group" or item.kind == "named-many" or item.kind == "named":
            return self.group(node if item.kind != "group" else item.body or node, name, scope, x, names, item)
        if item.kind == "block":
            return self.block(item, name, scope, x, names)
        if item.kind == "unknown":
            return self.unknown_type(item, name, scope, x, names)
        return self.layer(item, name, scope, x, names)

    # -- what an entry may be ------------------------------------------------------------------------------------

    def group(self, body: Node, name: str, scope: Scope, x: int | None, names: Names, item: Item) -> int | None:
        path = scope.child(name)
        if isinstance(body, Mapping) and item.kind == "named":
            # A mapping with a single name, as the value of a name: a group of one.
            inner, (key, value) = Scope(path), body.pairs[item.name]
            x = self.entry(value, key, inner, x, names)
        else:
            x = self.layers(body, Scope(path), x, names)
        self.finish(path, "", x, item)
        return x

    def block(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        block = self.blocks[item.name]
        path = scope.child(name)
        if len(self.uses) >= MAX_BLOCKS:
            chain = " → ".join(use.block for use in self.uses[-4:])
            raise self.too_big(
                f"block {item.name} is used more than {MAX_BLOCKS} levels deep: {chain} → {item.name}",
                item.place,
                "a block that uses itself needs a when: that ends it",
            )
        bound = self.arguments(block, item, x, names)
        if bound is None:
            return self.unknown(item, name, scope, x)
        outer, self.uses = self.uses, (*self.uses, Use(block.name, path, item.place))
        x = self.layers(block.layers, Scope(path), x, bound)
        self.uses = outer
        self.finish(path, block.name, x, item)
        return x

    def arguments(self, block: Block, item: Item, x: int | None, names: Names) -> Names | None:
        """The names that a block sees: its arguments, after the model's."""
        given: dict[str, Node] = {}
        if isinstance(item.body, Mapping):
            given = {key: value for key, _, value in item.body.items()}
        elif item.body is not None and not (isinstance(item.body, Scalar) and item.body.value is None):
            self.problem("argument", f"{block.name} takes its arguments by name", item.body.place, _by_name(block))
            return None
        known = [key.text for key, _ in block.args]
        for key, value in given.items():
            if key not in known:
                hint = did_you_mean(key, known) or (f"it takes {', '.join(known)}" if known else "it takes none")
                place = item.body.pairs[key][0].place if isinstance(item.body, Mapping) else value.place
                self.problem("argument", f"block {block.name} has no argument {key}", place, hint)
                return None
        bound: dict[str, Any] = {}
        inside = Names(bound, *names.maps[-1:])
        for key, default in block.args:
            node, seen = (given[key.text], names) if key.text in given else (default, inside)
            if node is None:
                self.problem("argument", f"block {block.name} wants {key.text}", item.place, _by_name(block))
                return None
            value = self.value(node, x, seen, words=True)
            if value is _UNKNOWN:
                return None
            bound[key.text] = value
        return inside

    def merge(
        self, item: Item, template: str | None, key: Scalar | None, scope: Scope, x: int | None, names: Names
    ) -> int | None:
        body, options = item.body, {}
        if isinstance(body, Mapping) and "branches" in body.pairs:
            options = {name: value for name, _, value in body.items() if name != "branches"}
            body = body.get("branches")
        if not isinstance(body, Sequence):
            self.problem("merge", f"{item.name} wants a list of branches", item.place, f"{item.name}: [[…], []]")
            return self.unknown(item, template or scope.number(), scope, x)
        ends: list[int | None] = []
        kept = 0
        for branch in body.items:
            end, there = self.branch(branch, scope, x, names)
            if there:
                kept += 1
                ends.append(end)
        if kept == 0:
            self.problem("merge", f"no branch of this {item.name} is left", item.place, "a branch of its own: [] is the identity")
            return None
        if kept == 1:
            return ends[0]
        name = scope.number() if template is None else self.filled(template, key, names, x)
        op = self.make(item, options, x, names)
        inputs = tuple(end for end in ends if end is not None)
        if op is None or len(inputs) < len(ends):
            return self.put(item, name, scope, None, inputs, names)
        return self.put(item, name, scope, op, inputs, names)

    def branch(self, node: Node, scope: Scope, x: int | None, names: Names) -> tuple[int | None, bool]:
        """One branch of a merge: the node that it ends with, and whether it is there at all."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            found = self.find(node, scope, x, names)
            return found, True
        if isinstance(node, Sequence):
            return self.layers(node, scope, x, names), True
        if isinstance(node, Mapping):
            item = self.sort(node)
            if item.kind == "group" and item.body is not node:
                return self.branch_with_keys(item, scope, x, names)
            return self.layers(node, scope, x, names), True
        self.problem("merge", "a branch is a list of layers, or the name of an earlier layer", node.place, "[] is the identity")
        return None, True

    def branch_with_keys(self, item: Item, scope: Scope, x: int | None, names: Names) -> tuple[int | None, bool]:
        for key in item.beside:
            if key not in ("when", "from", "note"):
                self.problem("merge", f"{key} does not go with a branch", item.beside[key].place, "put it on a layer inside")
        if "when" in item.beside:
            wanted = self.value(item.beside["when"], x, names)
            if wanted is _UNKNOWN:
                return None, True
            if not wanted:
                return None, False
        if "from" in item.beside:
            sources = self.sources(item.beside["from"], scope, x, names)
            x = sources[0] if sources else None
        assert item.body is not None
        return self.layers(item.body, scope, x, names), True

    def layer(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        inputs: tuple[int, ...] = () if x is None else (x,)
        if "from" in item.beside:
            inputs = tuple(self.sources(item.beside["from"], scope, x, names))
        elif x is None and not self.graph.errors and len(self.graph.inputs) > 1:
            self.problem(
                "input",
                f"{scope.child(name)} does not say which input it takes",
                item.place,
                "from: " + " or ".join(each.name for each in self.graph.inputs),
            )
        if item.name in self.types:
            return self.declared(item, name, scope, inputs, names)
        options: dict[str, Node] = {}
        if isinstance(item.body, Mapping):
            options = {key: value for key, _, value in item.body.items()}
        elif item.body is not None and not (isinstance(item.body, Scalar) and item.body.value is None):
            first = next((each.name for each in REGISTRY[item.name].arguments() if each.required), None)
            hint = f"{item.name}: {{{first}: …}}" if first else f"write {item.name} alone"
            self.problem("argument", f"{item.name} takes its arguments by name", item.body.place, hint)
            return self.put(item, name, scope, None, inputs, names)
        shape = self.graph.nodes[inputs[0]].shape if inputs else None
        op = self.make(item, options, inputs[0] if inputs else None, names, shape_known=shape is not None)
        return self.put(item, name, scope, op, inputs, names)

    def declared(self, item: Item, name: str, scope: Scope, inputs: tuple[int, ...], names: Names) -> int | None:
        x = inputs[0] if inputs else None
        try:
            op = self.types[item.name].make(item.body, lambda node: self.value(node, x, names, words=True), self.shape(x))
        except Misfit as misfit:
            self.misfit(misfit, item, scope.child(name), inputs)
            op = None
        return self.put(item, name, scope, op, inputs, names)

    def unknown_type(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        hint = did_you_mean(item.name, self.known())
        hint = hint or "`cnncalc ops` lists the layer types; one of your own can be declared under types:"
        self.problem("unknown-layer", f"there is no layer type or block {item.name}", item.place, hint)
        inputs = () if x is None else (x,)
        if "from" in item.beside:
            inputs = tuple(self.sources(item.beside["from"], scope, x, names))
        return self.put(item, name, scope, None, inputs, names)

    def unknown(self, item: Item, name: str, scope: Scope, x: int | None) -> int | None:
        return self.put(item, name, scope, None, () if x is None else (x,), Names())

    # -- operations and nodes ------------------------------------------------------------------------------------

    def make(self, item: Item, options: dict[str, Node], x: int | None, names: Names, shape_known: bool = True) -> Op | None:
        """The operation of a type or merge with its arguments worked out; None after an error."""
        cls = REGISTRY[item.name]
        if item.literal and id(item) in self._made:
            return self._made[id(item)]
        declared = {each.name: each for each in cls.arguments()}
        values: dict[str, Any] = {}
        good = True
        for name, node in options.items():
            argument = declared.get(name)
            if argument is None:
                place = item.body.pairs[name][0].place if isinstance(item.body, Mapping) and name in item.body.pairs else node.place
                known = [each for each in declared]
                hint = did_you_mean(name, known) or self.other_hint(name, item) or (f"it takes {', '.join(known)}" if known else "")
                self.problem("argument", f"{item.name} has no argument {name}", place, hint)
                good = False
                continue
            value = self.value(node, x, names, words=argument.kind.words)
            good = good and value is not _UNKNOWN
            values[name] = value
        for argument in declared.values():
            if argument.required and argument.name not in options:
                self.problem("argument", f"{item.name} wants {argument.name}", item.place, f"{argument.doc}; {cls.example}")
                good = False
        if not good:
            return None
        key = (item.name, repr(values))
        op = self._made.get(key)
        if op is None:
            try:
                op = cls(**values)
            except Misfit as misfit:
                self.misfit(misfit, item, "", ())
                return None
            self._made[key] = op
        if item.literal:
            self._made[id(item)] = op
            self._items.setdefault(id(item), item)
        return op

    def other_hint(self, name: str, item: Item) -> str:
        if any(bracket in name for bracket in ")]"):
            return "inside { }, an expression with , or [ ] wants quotes: {out_channels: 'max(8, c)'}"
        if name in BESIDE:
            return f"{name} stands beside {item.name}, not inside: {{{item.name}: {{…}}, {name}: …}}"
        return ""

    def put(
        self, item: Item, name: str, scope: Scope, op: Op | None, inputs: tuple[int, ...], names: Names
    ) -> int | None:
        """A new node of the graph; its shape is unknown where an input's is, or where it does not fit."""
        path = scope.child(name)
        nodes = self.graph.nodes
        shapes = tuple(nodes[i].shape for i in inputs)
        shape: Shape | None = None
        if op is not None and inputs and None not in shapes:
            known = tuple(each for each in shapes if each is not None)
            key = (id(op), known)
            shape = self._shapes.get(key)
            if shape is None:
                try:
                    if len(known) > 1 and not op.many_inputs:
                        raise Misfit(f"{item.name} takes one input, not {len(known)}")
                    op.check(*known)
                    shape = tuple(value_of(size) for size in op.output(*known))
                    if prod(shape) > LARGEST:
                        raise Misfit(f"{readable(shape)} is more than 10^15 values", code="too-big")
                    self._shapes[key] = shape
                    self._kept.append(op)
                except Misfit as misfit:
                    self.misfit(misfit, item, path, inputs)
        if path in self.outputs:
            first = next((node.place for node in nodes if node.name == path), None) or self.graph.groups[path].place
            where = f" (line {first.line})" if first else ""
            self.problem("duplicate", f"there are two layers named {path}{where}", item.place, "give one another name")
        note = item.beside.get("note")
        index = len(nodes)
        if index > MAX_LAYERS + self.graph.input_count:
            raise self.too_big(f"more than {MAX_LAYERS:,} layers", item.place)
        kind = item.name or "unknown"
        block = self.uses[-1].block if self.uses else ""
        text = note.text if isinstance(note, Scalar) else ""
        nodes.append(Layer(path, kind, op, inputs, shape, item.place, text, block))
        self.outputs[path] = index
        self.claims(item, path, index, names)
        return index

    def finish(self, path: str, block: str, x: int | None, item: Item) -> None:
        """Note the end of a group or block, so that others can name it."""
        if x is None:
            return
        if path in self.outputs and path not in self.graph.groups:
            self.problem("duplicate", f"there are two parts named {path}", item.place, "give one another name")
        note = item.beside.get("note")
        self.outputs[path] = x
        self.graph.groups[path] = Group(path, block, x, item.place, note.text if isinstance(note, Scalar) else "")
        self.claims(item, path, x, Names())

    def claims(self, item: Item, path: str, index: int, names: Names) -> None:
        node = item.beside.get("expect")
        if node is None:
            return
        if not isinstance(node, Mapping):
            self.problem("expect", "expect wants quantities by name", node.place, "expect: {shape: [6, 28, 28], params: 156}")
            return
        extra = {key: value.text for key, _, value in node.items() if isinstance(value, Scalar) and key in ("source", "note")}
        for quantity, _, value in node.items():
            if quantity not in extra:
                found = self.claimed(value, names)
                claim = Claim(path, quantity, found, value.place, extra.get("source", ""), extra.get("note", ""))
                self.graph.claims.append(claim)

    def claimed(self, node: Node, names: Names) -> Any:
        """The value of a claim: a number, a list, a rounded figure such as 61.1M, or an expression."""
        if isinstance(node, Scalar) and isinstance(node.value, str) and not _ROUNDED.fullmatch(node.value):
            found = self.value(node, None, names) if expressions.names_in(node.value) <= set(names) else node.value
            return None if found is _UNKNOWN else found
        if isinstance(node, Sequence):
            return [self.claimed(item, names) for item in node.items]
        return node.value if isinstance(node, Scalar) else None

    # -- names, values, messages ---------------------------------------------------------------------------------

    def name_fits(self, key: Scalar) -> bool:
        name = key.text
        if self.is_known(name) or name in GROUPS:
            self.problem("name", f"a layer may not bear the name {name}, which is a type or block", key.place, "add a digit")
        elif not name or "." in expressions.TEMPLATE.sub("", name) or any(each.isspace() for each in expressions.TEMPLATE.sub("", name)):
            self.problem("name", f"{name!r} cannot be the name of a layer", key.place, "letters, digits, _ and -; no dot")
        else:
            return True
        return False

    def filled(self, template: str, key: Scalar | None, names: Names, x: int | None) -> str:
        if "{" not in template:
            return template
        try:
            return expressions.fill(template, self.seen(template, x, names))
        except Misfit as misfit:
            self.problem(misfit.code, misfit.cause, key.place if key else Place(1, 1), misfit.hint)
            return expressions.TEMPLATE.sub("_", template)

    def sources(self, node: Node, scope: Scope, x: int | None, names: Names) -> list[int]:
        parts = node.items if isinstance(node, Sequence) else [node]
        found = []
        for part in parts:
            if not isinstance(part, Scalar):
                self.problem("from", "from wants the name of an earlier layer", part.place)
                return []
            source = self.find(part, scope, x, names)
            if source is None:
                return []
            found.append(source)
        return found

    def find(self, node: Scalar, scope: Scope, x: int | None, names: Names) -> int | None:
        """The earlier layer of that name: in the nearest scope first, then outward; a full path always works."""
        name = self.filled(node.text, node, names, x)
        path = scope.path
        while path:
            if f"{path}.{name}" in self.outputs:
                return self.outputs[f"{path}.{name}"]
            path = path.rpartition(".")[0]
        if name in self.outputs:
            return self.outputs[name]
        if self.is_known(name):
            hint = f"a layer in a branch stands in a list: [{name}]"
        else:
            hint = did_you_mean(name, list(self.outputs)[-2000:])
            hint = hint or "only layers that stand above can be named"
        self.problem("from", f"there is no earlier layer {name}", node.place, hint)
        return None

    def shape(self, x: int | None) -> Shape | None:
        return None if x is None else self.graph.nodes[x].shape

    def seen(self, text: str, x: int | None, names: Names) -> Names:
        """The names that an expression may use, with the sizes of the incoming tensor where it asks for them."""
        if "in_" not in text:
            return names
        shape = self.shape(x)
        return names if shape is None else names.new_child(sizes(shape))

    def value(self, node: Node, x: int | None, names: Names, words: Any = ()) -> Any:
        """The value of a node, expressions worked out; `_UNKNOWN` after an error, which is noted here.

        `words` are strings that are meant literally; True takes any word that an argument of some layer takes.
        """
        if isinstance(node, Sequence):
            values = [self.value(item, x, names, words) for item in node.items]
            return _UNKNOWN if any(value is _UNKNOWN for value in values) else values
        if isinstance(node, Mapping):
            if words is True:
                return {key: self.value(each, x, names, words) for key, _, each in node.items()}
            self.problem("value", "a mapping stands where a value should", node.place, "an expression with { } wants quotes")
            return _UNKNOWN
        if not isinstance(node.value, str):
            return node.value
        if words is not True and node.value in words:
            return node.value
        if words is True and node.value in _WORDS and node.value not in names:
            return node.value
        if self.shape(x) is None and any(name.startswith("in_") for name in expressions.names_in(node.value) - set(names)):
            return _UNKNOWN
        try:
            return expressions.evaluate(node.value, self.seen(node.value, x, names))
        except Misfit as misfit:
            hint = misfit.hint
            if not hint and words and words is not True:
                hint = f"or one of the words {', '.join(words)}"
            self.problem(misfit.code, misfit.cause, node.place, hint)
            return _UNKNOWN

    def misfit(self, misfit: Misfit, item: Item, path: str, inputs: Items[int]) -> None:
        """Note what an operation said of its input, at the argument that it named, with where the shapes came from."""
        place = item.place
        if misfit.argument and isinstance(item.body, Mapping):
            value = item.body.get(misfit.argument)
            place = value.place if value else place
        context = [line for line in (self.origin(i, misfit.code) for i in inputs) if line]
        message = misfit.cause.replace("{layer}", path)
        self.problem(misfit.code, message, place, misfit.hint, tuple(dict.fromkeys(context)))

    def origin(self, index: int, code: str) -> str:
        """Where a shape came from: the last layer that changed it."""
        nodes = self.graph.nodes
        node = nodes[index]
        if node.shape is None:
            return ""
        while node.inputs and node.op is not None and not node.op.many_inputs and nodes[node.inputs[0]].shape == node.shape:
            node = nodes[node.inputs[0]]
        if node.op is None:
            return f"{readable(node.shape or ())} is the input"
        line = f", line {node.place.line}" if node.place else ""
        if code == "too-small":
            size = "×".join(map(str, (node.shape or ())[1:]))
            return f"the map shrank to {size} at {node.name} ({node.type}{line})"
        return f"{readable(node.shape or ())} comes from {node.name} ({node.type}{line})"

    def problem(self, code: str, message: str, place: Place, hint: str = "", context: tuple[str, ...] = ()) -> None:
        used = tuple(f"in block {use.block}, used in line {use.place.line} as {use.path}" for use in reversed(self.uses[-3:]))
        found = Problem(code, message, self.graph.source, place, (*context, *used), hint)
        if len(self.graph.errors) < 50 and not any(
            (each.message, each.place) == (message, place) for each in self.graph.errors
        ):
            self.graph.errors.append(found)


def sizes(shape: Shape) -> dict[str, Any]:
    """The sizes of the incoming tensor, as expressions name them."""
    axes = {2: ("in_length",), 3: ("in_height", "in_width"), 4: ("in_depth", "in_height", "in_width")}
    named = dict(zip(axes.get(len(shape), ()), shape[1:], strict=False))
    return {"in_channels": shape[0], "in_features": shape[-1], **named}


def _by_name(block: Block) -> str:
    wanted = ", ".join(f"{key.text}: …" for key, default in block.args if default is None)
    return f"{block.name}: {{{wanted}}}" if wanted else f"write {block.name} alone"


def _template_names(template: str) -> frozenset[str]:
    return frozenset().union(*(expressions.names_in(part) for part in expressions.TEMPLATE.findall(template)))


class _Unknown:
    """The value of an expression that could not be worked out; the error is noted already."""


_UNKNOWN = _Unknown()
_WORDS = frozenset(word for cls in REGISTRY.values() for each in cls.arguments() for word in each.kind.words)
_ROUNDED = re.compile(r"\s*\d+(\.\d+)?\s*[KMGT]\s*")
_ARGUMENT_NAMES = frozenset(argument.name for cls in REGISTRY.values() for argument in cls.arguments()) - {"size", "p", "value"}
