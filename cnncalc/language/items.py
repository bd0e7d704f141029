"""The entries of lists and mappings of layers, sorted out: what each is, and the keys beside it."""

from __future__ import annotations

from ..errors import Place, did_you_mean
from ..names import RULE, is_path
from ..ops import MERGES, REGISTRY
from ..record import Record
from .declared import Declaration
from .expressions import TEMPLATE
from .reader import Mapping, Node, Scalar, Sequence
from .workspace import Workspace

GROUPS = ("layers", "inline")
BESIDE = ("when", "repeat", "foreach", "from", "expect", "note")


def bare(name: str) -> str:
    """A name as paths have it: a dot before it says that it is a name, also where it is a word of the language.

    >>> bare(".layers"), bare("conv1")
    ('layers', 'conv1')
    """
    return name.removeprefix(".")


class Block(Record):
    """A block as it is declared."""

    name: str
    args: tuple[tuple[Scalar, Node | None], ...]
    layers: Node
    place: Place


class Item(Record):
    """One entry of a list or mapping of layers, sorted out: what it is, and the keys beside it."""

    kind: str  # "type", "block", "merge", "use", "group", "inline", "named", "named-many", "unknown", "broken"
    name: str  # of the type, block, merge, or of the named item
    body: Node | None
    beside: dict[str, Node]
    place: Place
    literal: bool = False  # arguments without expressions


class Sorter:
    """Tells types, blocks, merges, groups and names apart."""

    def __init__(self, space: Workspace, blocks: dict[str, Block], types: dict[str, Declaration]) -> None:
        self.space, self.blocks, self.types = space, blocks, types
        self._items: dict[int, Item] = {}
        self._generated: dict[int, Item | None] = {}
        self._names: set[int] = set()  # keys that were found to fit

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
        heads = [key for key, _, value in node.items() if key in GROUPS or self.is_word(key, value)]
        beside = {key: value for key, _, value in node.items() if key in BESIDE}
        # What a merge takes besides its branches stands beside it: concat: […], dim: 2.
        merges = [head for head in heads if self.kind_of(head) == "merge"]
        options = {argument.name for head in merges for argument in REGISTRY[head].arguments()}
        others = [key for key in node.pairs if key not in heads and key not in BESIDE and key not in options]
        if len(heads) == 1 and not others:
            head, (word, body) = heads[0], node.pairs[heads[0]]
            if head in GROUPS:
                return Item("group" if head == "layers" else "inline", "", body, beside, node.place)
            if head == "use" and not self.is_known(head):
                return Item("use", "", body, beside, word.place)
            stated = {key: value for key, _, value in node.items() if key in options}
            literal = self.is_literal(body) and not stated
            return Item(self.kind_of(head), head, body, beside | stated, word.place, literal)
        if heads:
            self._complain_of_keys(node, heads, others)
            return Item("broken", "", None, {}, node.place)
        unknown = [key for key in others if self.looks_like_type(key, node.pairs[key][1])]
        if len(unknown) == 1 and len(others) == 1:
            return Item("unknown", unknown[0], None, beside, node.pairs[unknown[0]][0].place)
        if beside and others:
            key = next(iter(beside))
            self.space.problem(
                "keys",
                f"{key} stands beside {', '.join(others)}, which are names of layers",
                node.pairs[key][0].place,
                f"write {key} beside the type, or a group as {{layers: …, {key}: …}}"
                + (f"; {did_you_mean(others[0], self.known())}" if did_you_mean(others[0], self.known()) else ""),
            )
            return Item("broken", "", None, {}, node.place)
        if not others:
            self.space.problem("keys", "there is no layer here", node.place, "a type, as in: - ReLU")
            return Item("broken", "", None, {}, node.place)
        return Item("named" if len(others) == 1 else "named-many", others[0], node, {}, node.place)

    def is_generated(self, node: Mapping) -> bool:
        """Whether a branch of a merge is many: `branch`, with what makes them beside it.

        Alone it is the name of a layer, and so is what the file has a type or block for.
        """
        beside = not {"repeat", "foreach", "when"}.isdisjoint(node.pairs)
        return "branch" in node.pairs and beside and not self.is_known("branch")

    def generated(self, node: Mapping) -> Item | None:
        """The branches that are generated, sorted out; None after an error, which is noted."""
        if id(node) not in self._generated:
            self._generated[id(node)] = self._sorted_branches(node)
        return self._generated[id(node)]

    def _sorted_branches(self, node: Mapping) -> Item | None:
        key, body = node.pairs["branch"]
        beside = {name: value for name, _, value in node.items() if name in BESIDE}
        for name, other, _ in node.items():
            if name != "branch" and (name not in BESIDE or name == "expect"):
                hint = "beside branch stand when, repeat, foreach, from and note; layers stand in it"
                self.space.problem("keys", f"{name} is not a key beside branch", other.place, hint)
                return None
        if isinstance(body, Scalar) and not isinstance(body.value, str):
            hint = "branch: [layers], or the name of an earlier layer"
            self.space.problem("merge", "there are no layers in this branch", key.place, hint)
            return None
        if isinstance(body, Scalar) and "from" in beside:
            hint = f"leave it out, or let a layer take {body.text}"
            self.space.problem("merge", "an earlier layer takes nothing: from does not go with it", key.place, hint)
            return None
        return Item("branch", "", body, beside, key.place)

    def _sorted_word(self, node: Scalar) -> Item:
        if not isinstance(node.value, str):
            what = "nothing" if node.value is None else node.text
            self.space.problem("layers", f"{what} stands where a layer should", node.place, "a type, as in: - ReLU")
            return Item("broken", "", None, {}, node.place)
        kind = self.kind_of(node.value)
        return Item(kind, node.value, None, {}, node.place, literal=True)

    def _complain_of_keys(self, node: Mapping, heads: list[str], others: list[str]) -> None:
        if len(heads) > 1:
            key = node.pairs[heads[1]][0]
            self.space.problem(
                "keys",
                f"{heads[0]} and {heads[1]} stand in one mapping",
                key.place,
                "one layer an item: begin a new line with -; and no layer bears the name of a type",
            )
            return
        key = node.pairs[others[0]][0]
        hint = did_you_mean(others[0], BESIDE)
        if heads == ["use"] and not self.is_known("use"):
            hint = hint or "what is used again keeps its arguments; a name stands before it: name: {use: …}"
        if not hint and isinstance(node.pairs[heads[0]][1], Scalar) and node.pairs[heads[0]][1].value is None:  # type: ignore[union-attr]
            hint = f"the arguments of {heads[0]} belong inside: {heads[0]}: {{{others[0]}: …}}, or further to the right"
        self.space.problem(
            "keys",
            f"{others[0]} is not a key beside {heads[0]}",
            key.place,
            hint
            or f"keys beside a layer are {', '.join(BESIDE)}; a name stands before the layer: name: {{{heads[0]}: …}}",
        )

    def is_known(self, name: str) -> bool:
        return name in REGISTRY or name in self.blocks or name in self.types

    def is_soft(self, name: str) -> bool:
        """Whether a word yields to what the file calls so: it came later, and no spec changes its meaning by it."""
        return name not in self.blocks and name not in self.types and is_soft(name)

    def is_word(self, key: str, value: Node) -> bool:
        """Whether a key is a type, a block or a word of the language, and not the name of a layer."""
        if not self.is_soft(key):
            return self.is_known(key)
        if key == "use":
            return isinstance(value, Scalar) and value.value is not None and not self.is_known(value.text)
        return not self._are_layers(key, value)

    def _are_layers(self, name: str, value: Node) -> bool:
        """Whether what follows a word of the language is a layer or several, which then bear it as their name."""
        if isinstance(value, Scalar):
            return isinstance(value.value, str)
        if isinstance(value, Sequence):
            return name not in MERGES or not any(self._is_branch(item) for item in value.items)
        if name in MERGES and "branches" in value.pairs:
            return False
        arguments = {argument.name for argument in REGISTRY[name].arguments()}
        return any(
            isinstance(each, Mapping)
            or key in GROUPS
            or self.is_known(key)
            or (key not in arguments and self._holds_layers(each))
            for key, _, each in value.items()
        )

    def _holds_layers(self, value: Node) -> bool:
        """Whether a word, or one in a list, is a layer type or block."""
        if isinstance(value, Sequence):
            return any(self._holds_layers(item) for item in value.items)
        return isinstance(value, Mapping) or self.is_known(value.text)

    def _is_branch(self, item: Node) -> bool:
        """Whether an item of a list can only be a branch of a merge, and no layer."""
        if isinstance(item, Mapping):
            return self.is_generated(item)
        return isinstance(item, Sequence) or not self.is_known(item.text)

    def known(self) -> list[str]:
        return [*REGISTRY, *self.blocks, *self.types]

    def kind_of(self, name: str) -> str:
        if name in self.blocks:
            return "block"
        if name in self.types or name not in REGISTRY:
            return "type" if name in self.types else "unknown"
        return "merge" if name in MERGES else "type"

    def looks_like_type(self, name: str, value: Node) -> bool:
        """Whether an unknown key is meant as a layer type: what follows are arguments and not layers."""
        if isinstance(value, Scalar):
            return value.value is None or not isinstance(value.value, str)
        if isinstance(value, Sequence):
            return False
        if not value.pairs:
            self.space.budget.spend(300)
            return name[:1].isupper() or bool(did_you_mean(name, REGISTRY))
        if any(self.is_known(key) or key in GROUPS for key in value.pairs):
            return False
        return all(
            (isinstance(each, Scalar) and (not isinstance(each.value, str) or key in _ARGUMENT_NAMES))
            or (
                isinstance(each, Sequence)
                and all(isinstance(part, Scalar) and not isinstance(part.value, str) for part in each.items)
            )
            or key in _ARGUMENT_NAMES
            for key, _, each in value.items()
        )

    def is_literal(self, node: Node | None) -> bool:
        if node is None or isinstance(node, Scalar):
            return not isinstance(node, Scalar) or not isinstance(node.value, str)
        parts = node.items if isinstance(node, Sequence) else [value for _, _, value in node.items()]
        return all(self.is_literal(part) for part in parts)

    def name_fits(self, key: Scalar) -> bool:
        if id(key) in self._names:
            return True
        name = bare(key.text)
        if name == key.text and (name in GROUPS or (self.is_known(name) and not self.is_soft(name))):
            hint = f"add a digit, or write .{name} to say that it is a name"
            self.space.problem(
                "name", f"a layer may not bear the name {name}, which is a type or block", key.place, hint
            )
        elif not is_path(TEMPLATE.sub("x", name)):
            shown = name if len(name) <= 60 else name[:57] + "…"
            self.space.problem("name", f"{shown!r} cannot be the name of a layer", key.place, RULE)
        else:
            self._names.add(id(key))
            return True
        return False


def is_soft(name: str) -> bool:
    """Whether a word of the language yields to what a file calls so: a layer, a block or a type of its own.

    >>> is_soft("use"), is_soft("Conv2d"), is_soft("layers")
    (True, False, False)
    """
    return name == "use" or (name in REGISTRY and REGISTRY[name].yields)


# Names that are arguments and hardly ever layers, so that an unknown type with arguments is not taken for a group.
_ARGUMENT_NAMES = frozenset(
    argument.name for cls in REGISTRY.values() if not cls.yields for argument in cls.arguments()
) - {"size", "p", "value"}
