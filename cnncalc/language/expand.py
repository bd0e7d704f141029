"""Blocks, branches and repeats become layers.

One walk over the YAML tree. Shapes are worked out on the way, because expressions may use them. What goes wrong in
one place is noted there, the shape becomes unknown, and the walk goes on: so one run reports all independent errors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import Misfit, Place, did_you_mean
from ..graph import Graph, Group
from ..ops import REGISTRY
from .budget import Exhausted
from .builder import MAX_LAYERS, Builder
from .declared import Declaration
from .items import Block, Item, Sorter, bare
from .merges import Merges
from .reader import Mapping, Node, Scalar, Sequence
from .repeat import columns, count_of, is_by_copy, names_in_template
from .size import Size
from .uses import Uses
from .workspace import UNKNOWN, Names, Scope, Use, Workspace

MAX_BLOCKS = 60  # deep
MAX_USES = MAX_LAYERS  # a use of a block costs as much as a layer


class Expander:
    """Works a model's layers out into a graph that already holds its inputs."""

    def __init__(self, graph: Graph) -> None:
        self.blocks: dict[str, Block] = {}
        self.types: dict[str, Declaration] = {}
        self.space = Workspace(graph, lambda name: self.sorter.is_known(name))
        self.sorter = Sorter(self.space, self.blocks, self.types)
        self.builder = Builder(self.space)
        self.merges, self.uses = Merges(self), Uses(self.space, self.builder)
        self.factor = 1  # product of the repeats around
        self.at = Place(1, 1)  # what is being worked out
        self.used = 0  # uses of blocks

    def expand(self, node: Node, names: Names) -> int | None:
        """All layers of a model; returns the node that comes out. Raises `TooBig`."""
        try:
            return self._expanded(node, names)
        except Exhausted as exhausted:
            hint = "blocks that use others twice grow fast, and so do long lists in what is repeated"
            raise self.space.too_big(f"this takes {exhausted}", self.at, hint) from None
        except RecursionError:
            hint = "groups in blocks in groups: fewer of them, or a block that uses itself less often"
            raise self.space.too_big("blocks and groups are nested too deeply", node.place, hint) from None

    def _expanded(self, node: Node, names: Names) -> int | None:
        self.at = node.place
        size = Size(self.sorter, self.blocks, dict(names), MAX_BLOCKS, MAX_LAYERS)
        least = size.least(node)
        if least > MAX_LAYERS:
            place = size.culprit or node.place
            raise self.space.too_big(f"at least {least:,} layers; a network may have {MAX_LAYERS:,}", place)
        x = 0 if self.space.graph.input_count == 1 else None
        return self.layers(node, Scope(""), x, names)

    def layers(self, node: Node, scope: Scope, x: int | None, names: Names) -> int | None:
        """The layers of a list or mapping, one after the other; returns the node that comes out."""
        if isinstance(node, Sequence):
            for item in node.items:
                x = self.entry(item, None, scope, x, names)
        elif isinstance(node, Mapping) and self.sorter.sort(node).kind == "named-many":
            for _, key, value in node.items():
                x = self.entry(value, key, scope, x, names)
        elif isinstance(node, Scalar) and node.value is None:
            self.space.problem(
                "layers", "there are no layers here", node.place, "a list of layers: [ReLU], or [] for none"
            )
        else:
            x = self.entry(node, None, scope, x, names)
        return x

    def entry(self, node: Node, key: Scalar | None, scope: Scope, x: int | None, names: Names) -> int | None:
        """One layer, block, merge or group with all its copies."""
        item = self.sorter.sort(node)
        if item.kind == "broken":
            return self.unknown(item, bare(key.text) if key else scope.number(), scope, x)
        if item.kind in ("named", "named-many") and key is None:
            if item.kind == "named":
                assert isinstance(item.body, Mapping)
                name_key, value = item.body.pairs[item.name]
                return self.entry(value, name_key, scope, x, names)
            return self.group(node, scope.number(), scope, x, names, item)
        if key is not None and not self.sorter.name_fits(key):
            return x
        if item.kind == "inline" and key is not None:
            self.space.problem(
                "name",
                f"inline takes no name, but stands under {key.text}",
                key.place,
                "use layers: for a group with a name",
            )
            return x
        if item.kind == "inline" and "expect" in item.beside:
            self.space.problem(
                "expect",
                "inline is no part of its own, so it has nothing to expect",
                item.place,
                "put expect on a layer inside",
            )
        if "repeat" in item.beside or "foreach" in item.beside:
            return self.copies(item, node, key, scope, x, names)
        return self.copy(item, node, bare(key.text) if key else None, key, scope, x, names)

    def copies(
        self, item: Item, node: Node, key: Scalar | None, scope: Scope, x: int | None, names: Names
    ) -> int | None:
        """All copies of an entry with `repeat` or `foreach`."""
        template = bare(key.text) if key else None
        named_by_i = template is not None and "i" in names_in_template(template)
        inner: Scope | None = None
        since = self.builder.begin(x)
        templated = template is not None and "{" in template
        if self.unwanted(item, x, names):
            return x
        for column in columns(self.space, item, x, names):
            self.space.budget.spend(16)
            count = count_of(self.space, item, x, column)
            if count is None:
                return None
            group_name = template
            if templated and not named_by_i:
                group_name = self.space.filled(template or "", key, column, x)
                inner = Scope(scope.child(group_name)) if "repeat" in item.beside else None
                since = self.builder.begin(x)
            elif template is not None and not templated and inner is None:
                inner = Scope(scope.child(template))
            if inner is not None and not inner.next and inner.path in self.space.outputs:
                hint = "give one another name"
                self.space.problem("duplicate", f"there are two parts named {inner.path}", item.place, hint)
            with self.multiplied(item, count):
                for i in range(count):
                    bound = column.new_child({"i": i}) if "repeat" in item.beside else column
                    if template is None:
                        x = self.copy(item, node, None, key, scope, x, bound)
                    elif inner is not None:
                        x = self.copy(item, node, inner.number(), key, inner, x, bound)
                    else:
                        x = self.copy(item, node, template, key, scope, x, bound)
            if inner is not None and x is not None:
                self.space.outputs[inner.path] = x
                self.space.graph.groups.setdefault(inner.path, Group(inner.path, "", x, item.place))
                self.builder.end(inner.path, since)
        return x

    def unwanted(self, item: Item, x: int | None, names: Names) -> bool:
        """Whether `when` is false for all copies: then it does not matter how many there would be."""
        return "when" in item.beside and not is_by_copy(item) and self.wanted(item, x, names) is False

    @contextmanager
    def multiplied(self, item: Item, count: int) -> Iterator[None]:
        """What is made inside is made so many times; raises `TooBig` where that is too often."""
        outer, self.factor = self.factor, self.factor * max(count, 1)
        self.check_bound(item)
        yield
        self.factor = outer

    def check_bound(self, item: Item) -> None:
        if self.factor > MAX_LAYERS:
            place = item.beside["repeat"].place if "repeat" in item.beside else item.place
            raise self.space.too_big(f"{self.factor:,} copies; a network may have {MAX_LAYERS:,} layers", place)

    def wanted(self, item: Item, x: int | None, names: Names) -> bool | None:
        """What `when` says; None where it cannot be worked out."""
        condition = self.space.value(item.beside["when"], x, names)
        if condition is UNKNOWN:
            return None
        if not isinstance(condition, (bool, int)):
            shown = "null" if condition is None else condition
            self.space.problem("when", f"when wants true or false, not {shown}", item.beside["when"].place)
            return None
        return bool(condition)

    def copy(
        self,
        item: Item,
        node: Node,
        template: str | None,
        key: Scalar | None,
        scope: Scope,
        x: int | None,
        names: Names,
    ) -> int | None:
        """One copy of an entry."""
        self.at = item.place
        self.space.budget.spend(16)
        if "when" in item.beside:
            wanted = self.wanted(item, x, names)
            if not wanted:
                return x if wanted is False else None
        if "from" in item.beside and item.kind not in ("type", "use", "unknown"):
            sources = self.space.sources(item.beside["from"], scope, x, names)
            if not sources:
                return None
            if len(sources) > 1:
                what = item.name or "a group"
                hint = "name them as branches of a merge: add: [a, b]"
                self.space.problem(
                    "from", f"{what} takes one input, not {len(sources)}", item.beside["from"].place, hint
                )
            x = sources[0]
        if item.kind == "merge":
            return self.merges.merge(item, template, key, scope, x, names)
        if item.kind == "inline":
            assert item.body is not None
            return self.layers(item.body, scope, x, names)
        name = scope.number() if template is None else self.space.filled(template, key, names, x)
        if "." in name:
            self.builder.hold(item, scope, name)
        if item.kind in ("group", "named-many", "named"):
            return self.group(node if item.kind != "group" else item.body or node, name, scope, x, names, item)
        if item.kind == "block":
            return self.block(item, name, scope, x, names)
        if item.kind == "use":
            return self.uses.use(item, name, scope, x, names)
        if item.kind == "unknown":
            return self.unknown_type(item, name, scope, x, names)
        return self.layer(item, name, scope, x, names)

    def group(self, body: Node, name: str, scope: Scope, x: int | None, names: Names, item: Item) -> int | None:
        path, since = scope.child(name), self.builder.begin(x)
        if isinstance(body, Mapping) and item.kind == "named":
            # A mapping with a single name, as the value of a name: a group of one.
            inner, (key, value) = Scope(path), body.pairs[item.name]
            x = self.entry(value, key, inner, x, names)
        else:
            x = self.layers(body, Scope(path), x, names)
        self.builder.finish(path, "", x, item, names, since=since)
        return x

    def block(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        block = self.blocks[item.name]
        path = scope.child(name)
        self.space.budget.hold(2 * len(block.args))
        self.used += 1
        if self.used > MAX_USES:
            raise self.space.too_big(
                f"more than {MAX_USES:,} uses of blocks", item.place, "blocks that use others twice grow fast"
            )
        if len(self.space.uses) >= MAX_BLOCKS:
            chain = " → ".join(use.block for use in self.space.uses[-4:])
            raise self.space.too_big(
                f"block {item.name} is used more than {MAX_BLOCKS} levels deep: {chain} → {item.name}",
                item.place,
                "a block that uses itself needs a when: that ends it",
            )
        bound = self.arguments(block, item, x, names)
        if bound is None:
            return self.unknown(item, name, scope, x)
        since = self.builder.begin(x)
        outer, self.space.uses = self.space.uses, (*self.space.uses, Use(block.name, path, item.place))
        x = self.layers(block.layers, Scope(path), x, bound)
        self.space.uses = outer
        self.builder.finish(path, block.name, x, item, names, bound.maps[0], since)
        return x

    def arguments(self, block: Block, item: Item, x: int | None, names: Names) -> Names | None:
        """The names that a block sees: its arguments, after the model's."""
        given: dict[str, Node] = {}
        if isinstance(item.body, Mapping):
            given = {key: value for key, _, value in item.body.items()}
        elif item.body is not None and not (isinstance(item.body, Scalar) and item.body.value is None):
            self.space.problem(
                "argument", f"{block.name} takes its arguments by name", item.body.place, _by_name(block)
            )
            return None
        known = [key.text for key, _ in block.args]
        for key, value in given.items():
            if key not in known:
                hint = did_you_mean(key, known) or (f"it takes {', '.join(known)}" if known else "it takes none")
                if key in REGISTRY or key in self.blocks or key in self.types:
                    hint = f"is {block.name} the name of this layer? a block is called so: take another name"
                place = item.body.pairs[key][0].place if isinstance(item.body, Mapping) else value.place
                self.space.problem("argument", f"block {block.name} has no argument {key}", place, hint)
                return None
        bound: dict[str, Any] = {}
        inside = Names(bound, *names.maps[-1:])
        for argument, default in block.args:
            name = argument.text
            node, seen = (given[name], names) if name in given else (default, inside)
            if node is None:
                self.space.problem("argument", f"block {block.name} wants {name}", item.place, _by_name(block))
                return None
            found = self.space.value(node, x, seen, words=True)
            if found is UNKNOWN:
                return None
            bound[name] = found
        return inside

    def layer(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        inputs: tuple[int, ...] = () if x is None else (x,)
        if "from" in item.beside:
            inputs = tuple(self.space.sources(item.beside["from"], scope, x, names))
        elif x is None and not self.space.graph.errors and len(self.space.graph.inputs) > 1:
            self.space.problem(
                "input",
                f"{self.space.called(scope.child(name))} does not say which input it takes",
                item.place,
                "from: " + " or ".join(node.name for node in self.space.graph.inputs),
            )
        if item.name in self.types:
            return self.declared(item, name, scope, inputs, names)
        options: dict[str, Node] = {}
        if isinstance(item.body, Mapping):
            options = {key: value for key, _, value in item.body.items()}
        elif item.body is not None and not (isinstance(item.body, Scalar) and item.body.value is None):
            first = next((argument.name for argument in REGISTRY[item.name].arguments() if argument.required), None)
            hint = f"{item.name}: {{{first}: …}}" if first else f"write {item.name} alone"
            self.space.problem("argument", f"{item.name} takes its arguments by name", item.body.place, hint)
            return self.builder.put(item, name, scope, None, inputs, names)
        op = self.builder.make(item, options, inputs[0] if inputs else None, names)
        return self.builder.put(item, name, scope, op, inputs, names)

    def declared(self, item: Item, name: str, scope: Scope, inputs: tuple[int, ...], names: Names) -> int | None:
        x = inputs[0] if inputs else None
        try:
            op = self.types[item.name].make(
                item.body,
                lambda node: self.space.value(node, x, names, words=True),
                [self.space.shape(i) for i in inputs],
                self.space.budget,
            )
        except Misfit as misfit:
            self.builder.misfit(misfit, item, scope.child(name), inputs)
            op = None
        return self.builder.put(item, name, scope, op, inputs, names)

    def unknown_type(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        from .habits import meant

        hint = meant(item.name) or did_you_mean(item.name, self.sorter.known())
        hint = hint or "`cnncalc ops` lists the layer types; one of your own can be declared under types:"
        self.space.problem("unknown-layer", f"there is no layer type or block {item.name}", item.place, hint)
        inputs: tuple[int, ...] = () if x is None else (x,)
        if "from" in item.beside:
            inputs = tuple(self.space.sources(item.beside["from"], scope, x, names))
        return self.builder.put(item, name, scope, None, inputs, names)

    def unknown(self, item: Item, name: str, scope: Scope, x: int | None) -> int | None:
        return self.builder.put(item, name, scope, None, () if x is None else (x,), Names())


def _by_name(block: Block) -> str:
    wanted = ", ".join(f"{key.text}: …" for key, default in block.args if default is None)
    return f"{block.name}: {{{wanted}}}" if wanted else f"write {block.name} alone"
