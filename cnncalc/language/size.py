"""How many layers a spec has at least, counted without expanding it, so that one that is far too big ends at once.

What depends on `i`, on a column or on an incoming shape is not known here and counts nothing: the count is a lower
bound. A block with the same arguments is counted once, so that blocks that use each other cost nothing; and where
counting itself takes long, it is left to the walk, which pays for all that it does.
"""

from __future__ import annotations

from typing import Any

from ..errors import Misfit, Place
from . import expressions
from .budget import Budget, Exhausted
from .items import Block, Item, Sorter, bare
from .reader import Mapping, Node, Scalar, Sequence

#: A lower bound beyond which counting on makes no sense.
ENOUGH = 10**12
#: Steps after which counting is given up.
STEPS = 300_000


class Size:
    """Counts layers and uses of blocks; `culprit` is the innermost place that has more than `most`."""

    def __init__(self, sorter: Sorter, blocks: dict[str, Block], args: dict[str, Any], deepest: int, most: int) -> None:
        self.sorter, self.blocks, self.args, self.deepest, self.most = sorter, blocks, args, deepest, most
        self.culprit: Place | None = None
        self.budget = Budget(STEPS)
        self._known: dict[tuple[str, str], int] = {}
        self._named: dict[str, int] = {}

    def least(self, node: Node) -> int:
        """The layers of a whole model, at least."""
        try:
            return self.of(node, dict(self.args))
        except Exhausted:
            return 0

    def of(self, node: Node | None, names: dict[str, Any], depth: int = 0) -> int:
        """The layers of a list, a mapping or a single entry, at least."""
        self.budget.spend(3)
        if node is None or depth > self.deepest:
            return 0
        if isinstance(node, Sequence):
            return min(ENOUGH, sum(max(isinstance(item, Sequence), self.of(item, names, depth)) for item in node.items))
        if isinstance(node, Scalar) and node.value is None:
            return 0
        return self._entry(node, self.sorter.sort(node), names, depth)

    def _entry(self, node: Node, item: Item, names: dict[str, Any], depth: int) -> int:
        if "when" in item.beside and not self._value(item.beside["when"], names):
            return 0
        found = min(ENOUGH, self._copies(item, names) * self._one(node, item, names, depth))
        if found > self.most and self.culprit is None:
            self.culprit = item.beside["repeat"].place if "repeat" in item.beside else item.place
        return found

    def _one(self, node: Node, item: Item, names: dict[str, Any], depth: int) -> int:
        if item.kind in ("type", "unknown"):
            return 1
        if item.kind == "use":
            return self._named.get(bare(item.body.text), 1) if isinstance(item.body, Scalar) else 1
        if item.kind == "merge":
            branches = item.body if isinstance(item.body, Sequence) else None
            kept = [each for each in branches.items if not isinstance(each, Scalar)] if branches else []
            return sum(self._branch(each, names, depth) for each in kept)
        if item.kind == "block":
            return max(1, self._block(item, names, depth))
        if item.kind in ("named", "named-many") and isinstance(node, Mapping):
            return sum(self._of_name(bare(name), value, names, depth) for name, _, value in node.items())
        if item.body is node and not isinstance(node, Sequence):
            return 0
        # An empty group is no layer, but it costs as much to expand.
        return max(item.kind == "group", self.of(item.body, names, depth))

    def _of_name(self, name: str, node: Node, names: dict[str, Any], depth: int) -> int:
        """The same of an entry with a name, which counts again where the name is used; of several, the smallest."""
        found = self.of(node, names, depth)
        self._named[name] = min(found, self._named.get(name, found))
        return found

    def _branch(self, node: Node, names: dict[str, Any], depth: int) -> int:
        if not isinstance(node, Mapping) or not self.sorter.is_generated(node):
            return self.of(node, names, depth)
        item = self.sorter.generated(node)
        if item is None or ("when" in item.beside and not self._value(item.beside["when"], names)):
            return 0
        inside = 0 if isinstance(item.body, Scalar) else self.of(item.body, names, depth)
        return min(ENOUGH, self._copies(item, names) * inside)

    def _block(self, item: Item, names: dict[str, Any], depth: int) -> int:
        block = self.blocks[item.name]
        given = item.body if isinstance(item.body, Mapping) else None
        inside = dict(self.args)
        for key, default in block.args:
            stated = given.get(key.text) if given else None
            value = self._value(stated, names) if stated is not None else self._value(default, inside)
            inside.pop(key.text, None)
            if value is not None:
                inside[key.text] = value
        known = (block.name, repr(inside))
        self.budget.hold(20 + len(known[1]) // 8)
        if known not in self._known:
            self._known[known] = 0  # while it is being counted: a block that never ends is found by the walk
            self._known[known] = self.of(block.layers, inside, depth + 1)
        return self._known[known]

    def _copies(self, item: Item, names: dict[str, Any]) -> int:
        copies = 1
        foreach = item.beside.get("foreach")
        if isinstance(foreach, Mapping):
            columns = [self._value(value, names) for _, _, value in foreach.items()]
            copies = max((len(column) for column in columns if isinstance(column, list)), default=1)
        if "repeat" in item.beside:
            count = self._value(item.beside["repeat"], names)
            copies *= count if isinstance(count, int) and count > 0 else 0
        return copies

    def _value(self, node: Node | None, names: dict[str, Any]) -> Any:
        """The value of a node, None where it is not known."""
        if isinstance(node, Sequence):
            self.budget.hold(len(node.items))
            return [self._value(item, names) for item in node.items]
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return node.value if isinstance(node, Scalar) else None
        self.budget.spend(len(node.value))
        if any(name not in names for name in expressions.names_in(node.value) - expressions.OWN):
            return None
        try:
            return expressions.evaluate(node.value, names, self.budget)
        except Misfit:
            return None
