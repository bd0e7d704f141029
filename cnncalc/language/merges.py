"""Merges and their branches: those that are written out, and those that `branch` makes by `repeat` and `foreach`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .items import BESIDE, Item
from .reader import Mapping, Node, Scalar, Sequence
from .repeat import columns, count_of
from .workspace import Names, Scope

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol

    from .builder import Builder
    from .items import Sorter
    from .workspace import Workspace

    class Expander(Protocol):
        """What is asked of whoever works the layers of a branch out."""

        space: Workspace
        builder: Builder
        sorter: Sorter

        def layers(self, node: Node, scope: Scope, x: int | None, names: Names) -> int | None: ...
        def unknown(self, item: Item, name: str, scope: Scope, x: int | None) -> int | None: ...
        def wanted(self, item: Item, x: int | None, names: Names) -> bool | None: ...
        def unwanted(self, item: Item, x: int | None, names: Names) -> bool: ...
        def multiplied(self, item: Item, count: int) -> AbstractContextManager[None]: ...


class Merges:
    """Works merges out for an expander."""

    def __init__(self, expander: Expander) -> None:
        self.expander, self.space, self.builder = expander, expander.space, expander.builder

    def merge(
        self, item: Item, template: str | None, key: Scalar | None, scope: Scope, x: int | None, names: Names
    ) -> int | None:
        body = item.body
        options = {key: value for key, value in item.beside.items() if key not in BESIDE}
        if isinstance(body, Mapping) and "branches" in body.pairs:
            options |= {name: value for name, _, value in body.items() if name != "branches"}
            body = body.get("branches")
        if not isinstance(body, Sequence):
            self.space.problem("merge", f"{item.name} wants a list of branches", item.place, f"{item.name}: [[…], []]")
            return self.expander.unknown(item, template or scope.number(), scope, x)
        ends: list[int | None] = []
        for branch in body.items:
            self.space.budget.spend(4)
            ends += self.ends(branch, scope, x, names)
        if not ends:
            self.space.problem(
                "merge", f"no branch of this {item.name} is left", item.place, "a branch of its own: [] is the identity"
            )
            return None
        if len(ends) == 1:
            # The branch itself; a name of the merge is then one more name of it.
            if template is not None and ends[0] is not None:
                self.builder.finish(scope.child(self.space.filled(template, key, names, x)), "", ends[0], item, names)
            return ends[0]
        name = scope.number() if template is None else self.space.filled(template, key, names, x)
        if "." in name:
            self.builder.hold(item, scope, name)
        op = self.builder.make(item, options, x, names)
        inputs = tuple(end for end in ends if end is not None)
        if len(inputs) < len(ends) and not self.space.graph.errors:
            called, known = (
                self.space.called(scope.child(name)),
                ", ".join(node.name for node in self.space.graph.inputs),
            )
            self.space.problem("input", f"a branch of {called} has no input", item.place, f"name one: {known}")
        if op is None or len(inputs) < len(ends):
            return self.builder.put(item, name, scope, None, inputs, names)
        return self.builder.put(item, name, scope, op, inputs, names)

    def ends(self, node: Node, scope: Scope, x: int | None, names: Names) -> list[int | None]:
        """The nodes that a branch ends with: one, none where it is left out, many where it is generated."""
        if isinstance(node, Scalar) and isinstance(node.value, str):
            return [self.space.find(node, scope, x, names)]
        if isinstance(node, Sequence):
            return [self.expander.layers(node, scope, x, names)]
        if isinstance(node, Mapping):
            if self.expander.sorter.is_generated(node):
                return self.generated(node, scope, x, names)
            item = self.expander.sorter.sort(node)
            if item.kind == "group" and item.body is not node:
                return self.with_keys(item, scope, x, names)
            return [self.expander.layers(node, scope, x, names)]
        self.space.problem(
            "merge", "a branch is a list of layers, or the name of an earlier layer", node.place, "[] is the identity"
        )
        return [None]

    def with_keys(self, item: Item, scope: Scope, x: int | None, names: Names) -> list[int | None]:
        """A branch under `when`, or with an input of its own."""
        for key in item.beside:
            if key not in ("when", "from", "note"):
                many = key in ("repeat", "foreach")
                hint = f"{{branch: …, {key}: …}} is many branches; copies in a row: [{{inline: …, {key}: …}}]"
                self.space.problem(
                    "merge",
                    f"{key} does not go with a branch",
                    item.beside[key].place,
                    hint if many else "put it on a layer inside",
                )
        return self.one(item, scope, x, names)

    def generated(self, node: Mapping, scope: Scope, x: int | None, names: Names) -> list[int | None]:
        """A branch for each column of `foreach` and each copy of `repeat`, `i` and the columns' names bound."""
        item = self.expander.sorter.generated(node)
        if item is None:
            return [None]
        if self.expander.unwanted(item, x, names):
            return []
        ends: list[int | None] = []
        for column in columns(self.space, item, x, names):
            self.space.budget.spend(16)
            count = count_of(self.space, item, x, column)
            if count is None:
                return [None]
            with self.expander.multiplied(item, count):
                for i in range(count):
                    bound = column.new_child({"i": i}) if "repeat" in item.beside else column
                    ends += self.one(item, scope, x, bound)
        return ends

    def one(self, item: Item, scope: Scope, x: int | None, names: Names) -> list[int | None]:
        """One branch, if it is wanted, with an input of its own where it has one."""
        self.space.budget.spend(16)
        if "when" in item.beside:
            wanted = self.expander.wanted(item, x, names)
            if not wanted:
                return [] if wanted is False else [None]
        if "from" in item.beside:
            sources = self.space.sources(item.beside["from"], scope, x, names)
            x = sources[0] if sources else None
        assert item.body is not None
        if item.kind == "branch" and isinstance(item.body, Scalar):
            return [self.space.find(item.body, scope, x, names)]
        return [self.expander.layers(item.body, scope, x, names)]
