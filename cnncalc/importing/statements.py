"""The statements that a network is written with: layers, merges and groups, in lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

Value = Any

#: Merges in merges, and names of layers in them, from which on a network is written row by row.
DEEP, MANY_NAMES = 1, 6
#: Branches of a merge that take what its other branches make, from which on it is written row by row.
LEANING = 2


class Statement:
    """A layer, a merge or a group, as it stands in a list.

    `body` holds the statements of a group, `branches` those of a merge: a list, or the name of an earlier layer; in a
    block also a statement for a branch under a condition (`optional`), or for a layer that each use names (`name`).
    `source` names what it takes where that is not the statement before. `block` is the class of the module that a group
    was, `path` where it stands in the network, and `enters` the channels of what goes in.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        type_: str = "",
        arguments: dict[str, Value] | None = None,
        body: list[Statement] | None = None,
        branches: list[list[Statement] | str] | None = None,
        source: Value = None,
        path: str = "",
        enters: int = 0,
        block: str = "",
    ) -> None:
        self.name, self.kind, self.type = name, kind, type_
        self.arguments: dict[str, Value] = arguments or {}
        self.body, self.branches = body or [], branches or []
        self.source, self.path, self.enters, self.block = source, path, enters, block
        self.when: Value = None
        self.repeat: Value = None
        self.columns: dict[str, list[Value]] = {}
        self.was: dict[str, Value] = {}  # the vectors that arguments were, before they became expressions
        self.full: dict[str, Value] | None = None  # of a block in use: all its arguments, those by default too

    def copy(self, **changes: Any) -> Statement:
        """The same statement, to be changed on its own; what is in it is shared."""
        made = Statement.__new__(Statement)
        made.__dict__.update(self.__dict__ | changes)
        return made

    def inner(self) -> Iterator[list[Statement]]:
        """The lists of statements in it."""
        if self.body:
            yield self.body
        for branch in self.branches:
            if not isinstance(branch, (str, Statement)):
                yield branch

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}: {self.type} {self.arguments}>"


def size_of(statements: Sequence[Statement]) -> int:
    """How many layers and merges stand in a list, however deep."""
    total = 0
    for statement in statements:
        total += statement.kind != "group"
        total += sum(size_of(inner) for inner in statement.inner())
    return total


class Rows(list[Statement]):
    """Statements one below the other, each with the names of what it takes."""


def tangled(statements: Sequence[Statement]) -> bool:
    """Whether merges stand in merges so deep, with so many names in them, that nobody follows it."""
    deepest, names = 0, 0
    waiting = [(each, 0) for each in statements]
    while waiting:
        each, depth = waiting.pop()
        if each.kind != "merge":
            continue
        if leaning(each):
            return True
        deepest = max(deepest, depth)
        for branch in each.branches:
            if isinstance(branch, (str, Rows)):
                names += depth > 0 and isinstance(branch, str)
                continue
            for inner in branch:
                names += inner.source is not None
                waiting.append((inner, depth + 1))
    return deepest >= DEEP and names >= MANY_NAMES


def leaning(merge: Statement) -> bool:
    """Whether branches begin with what other branches of the same merge make, as in a dense block."""
    lists = [branch for branch in merge.branches if not isinstance(branch, (str, Statement)) and branch]
    made = {each.name for branch in lists for each in branch}
    return sum(branch[0].source in made for branch in lists if isinstance(branch[0].source, str)) >= LEANING
