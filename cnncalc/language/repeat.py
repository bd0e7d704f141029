"""How many copies: `repeat` and `foreach`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..formula import settled
from ..names import is_word
from . import expressions
from .items import Item
from .reader import Mapping, Scalar
from .workspace import UNKNOWN, Names, Workspace


def columns(space: Workspace, item: Item, x: int | None, names: Names) -> Iterator[Names]:
    """The names bound by `foreach`, column by column; the names as they are without it."""
    node = item.beside.get("foreach")
    if node is None:
        yield names
        return
    if not isinstance(node, Mapping) or not node.pairs:
        space.problem("foreach", "foreach wants names with lists", node.place, "foreach: {t: [1, 6], c: [16, 24]}")
        return
    lists: dict[str, list[Any]] = {}
    for name, key, value in node.items():
        if not is_word(name) or name in set(expressions.FUNCTIONS) - expressions.HIDDEN:
            space.problem("foreach", f"{name!r} cannot be a name in expressions", key.place, "letters, digits and _")
            return
        found = space.value(value, x, names)
        if not isinstance(found, list):
            if found is not UNKNOWN:
                space.problem("foreach", f"foreach wants a list for {name}, not {found}", value.place)
            return
        lists[name] = found
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        space.problem(
            "foreach",
            "the lists of foreach differ in length: " + ", ".join(f"{name} has {n}" for name, n in lengths.items()),
            node.place,
            "each column is one copy",
        )
        return
    alone = "repeat" not in item.beside
    for i, column in enumerate(zip(*lists.values(), strict=True)):
        space.budget.spend(len(lists))
        bound = dict(zip(lists, column, strict=True))
        yield names.new_child({"i": i, **bound} if alone else bound)


def count_of(space: Workspace, item: Item, x: int | None, names: Names) -> int | None:
    """The number that `repeat` says, 1 without it; None where it cannot be worked out."""
    node = item.beside.get("repeat")
    if node is None:
        return 1
    count = settled(space.value(node, x, names))
    if count is UNKNOWN:
        return None
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        space.problem("repeat", f"repeat wants a whole number ≥ 0, not {count}", node.place)
        return None
    return count


def is_by_copy(item: Item) -> bool:
    """Whether `when` asks which copy it is: by `i`, or by a name that `foreach` binds."""
    node, foreach = item.beside.get("when"), item.beside.get("foreach")
    bound = {"i", *(foreach.pairs if isinstance(foreach, Mapping) else ())}
    return not isinstance(node, Scalar) or not bound.isdisjoint(expressions.names_in(str(node.value)))


def names_in_template(template: str) -> frozenset[str]:
    """The names that the expressions in the name of a layer use."""
    return frozenset().union(*(expressions.names_in(part) for part in expressions.TEMPLATE.findall(template)))
