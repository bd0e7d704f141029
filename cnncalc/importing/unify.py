"""Several statements as one: what is equal stays, what differs becomes a vector with a value for each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..names import is_name
from ..ops import REGISTRY
from .statements import Statement


class Missing:
    """The value where a statement does not stand at all: any other goes with it."""

    def __repr__(self) -> str:
        return "-"


MISSING = Missing()


class Vector:
    """A value for each of the statements that were unified: the argument `key` of a layer, or a condition.

    `enters` are the channels that enter the statement each time, `kind` what the value counts.
    """

    def __init__(
        self,
        key: str,
        values: Sequence[Any],
        statement: Statement | None = None,
        enters: Sequence[Any] = (),
        kind: str = "",
    ) -> None:
        self.key, self.values, self.kind = key, tuple(values), kind or key
        self.statement, self.enters = statement, tuple(enters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and (self.key, self.values) == (other.key, other.values)

    def __hash__(self) -> int:
        return hash((self.key, repr(self.values)))

    def __repr__(self) -> str:
        return f"<{self.key}: {list(self.values)}>"

    @property
    def of(self) -> tuple[str, str]:
        """The argument that it is: the name of its layer, and its own."""
        return (self.statement.name if self.statement is not None else "", self.key)

    @property
    def known(self) -> list[Any]:
        """The values of those that have one."""
        return [value for value in self.values if value is not MISSING]


def opposite(values: Sequence[Any]) -> list[Any]:
    """Truth values the other way round, each where there is one."""
    return [value if value is MISSING else not value for value in values]


#: Arguments that count channels, and may be related to each other.
CHANNELS = frozenset({"out_channels", "groups", "out_features", "in_channels"})


def kind_of(name: str) -> str:
    """What an argument of a layer type counts; what is of different kinds is never related."""
    return "channels" if name in CHANNELS else name


class Differs(Exception):
    """The statements cannot be one."""


class TooMuch(Exception):
    """To look for what recurs would take too long."""


#: Statements that are compared at most; the 200 networks that were tried took 117,000 at most.
MOST_WORK = 1_000_000
#: In the place of a branch that a merge does not have.
ABSENT: list[Statement] = []


class Unifier:
    """Unifies statements; `kinds` tells what the arguments of blocks are: channels, kernels, strides …"""

    def __init__(self, kinds: Mapping[str, Mapping[str, str]]) -> None:
        self.kinds, self.spent = kinds, 0
        self.alternatives = 0  # layers of one name and two types

    def bodies(self, bodies: Sequence[list[Statement]]) -> list[Statement]:
        """The bodies of groups as one, with at most one layer that is of one type or another; raises `Differs`."""
        self.alternatives = 0
        return self.lists(bodies)

    def lists(self, lists: Sequence[list[Statement] | None]) -> list[Statement]:
        """Lists of statements as one, None where there is none; raises `Differs`."""
        present = [each for each in lists if each is not None]
        names = [[part.name for part in each] for each in present]
        heads = self._heads(lists) if max(map(len, names)) > 2 else None
        if heads is not None:
            return heads
        if any(each != names[0] for each in names):
            lists = [None if each is None else self._wrapped(each, present) for each in lists]
            present = [each for each in lists if each is not None]
            names = [[part.name for part in each] for each in present]
        if all(each == names[0] for each in names):  # in the same order, though some may have no name
            places = range(len(names[0]))
            return [one for i in places for one in self._alternatives([each[i] if each else None for each in lists])]
        order = in_one_order(names)
        made: list[Statement] = []
        for name in order:
            parts = [None if each is None else next((p for p in each if p.name == name), None) for each in lists]
            one = self.statements(parts)
            absent = [part is None and each is not None for part, each in zip(parts, lists, strict=True)]
            if any(absent):
                there = [MISSING if each is None else part is not None for part, each in zip(parts, lists, strict=True)]
                if one.when is not None:
                    raise Differs
                one.when = Vector("when", there, one)
            made.append(one)
        return made

    def _alternatives(self, parts: Sequence[Statement | None]) -> list[Statement]:
        """Statements as one; or as two under opposite conditions, where a layer of a name is of one type or another."""
        kinds = list(dict.fromkeys((part.kind, part.type) for part in parts if part is not None))
        if len(kinds) != 2 or any(kind != "layer" for kind, _ in kinds):
            return [self.statements(parts)]
        self.alternatives += 1
        named = all(part is None or (part.when is None and is_name(part.name)) for part in parts)
        if not named or self.alternatives > 1:
            raise Differs
        made = []
        for kind in kinds:
            own = [None if part is None or (part.kind, part.type) != kind else part for part in parts]
            one = self.statements(own)
            there = [MISSING if part is None else mine is not None for part, mine in zip(parts, own, strict=True)]
            one.when = Vector("when", there, one)
            made.append(one)
        return made

    def _heads(self, lists: Sequence[list[Statement] | None]) -> list[Statement] | None:
        """Numbered lists whose items behind the first are equal: the first, and the others so many times."""
        present = [each for each in lists if each is not None]
        if not all(each and all(part.name == str(i) for i, part in enumerate(each)) for each in present):
            return None
        if any(part.kind != "layer" for each in present for part in each):
            return None
        if len({each[0].type for each in present}) > 1 or len({part.type for each in present for part in each[1:]}) > 1:
            return None
        if any(fingerprint(part, False) != fingerprint(each[1], False) for each in present for part in each[2:]):
            return None
        head = self.statements([each[0] if each else None for each in lists])
        rest = self.statements([each[1] if each and len(each) > 1 else None for each in lists])
        head.name = rest.name = ""
        counts: list[Any] = [MISSING if each is None else len(each) - 1 for each in lists]
        rest.repeat = self._count(counts, rest)
        if fingerprint(head, False) == fingerprint(rest.copy(repeat=None), False):
            rest.repeat = self._count([each if each is MISSING else each + 1 for each in counts], rest)
            return [rest]
        return [head, rest]

    @staticmethod
    def _count(counts: Sequence[Any], rest: Statement) -> Any:
        """How often a statement is repeated: one number, where it is the same for all."""
        known = {count for count in counts if count is not MISSING}
        return known.pop() if len(known) == 1 else Vector("repeat", counts, rest)

    def _wrapped(self, own: list[Statement], all_: Sequence[list[Statement]]) -> list[Statement]:
        """A list without a merge that others have around the same statements, with a merge of one branch."""
        names = {part.name for part in own}
        for other in all_:
            for merge in other:
                if merge.kind != "merge" or merge.name in names or len(merge.branches) != 2 or merge.branches[1] != []:
                    continue
                main = merge.branches[0]
                if isinstance(main, str) or not main:
                    continue
                inside = {part.name for each in all_ for m in each if (m.kind, m.name) == ("merge", merge.name)
                          for part in (m.branches[0] if not isinstance(m.branches[0], str) else ())}  # fmt: skip
                run = [part for part in own if part.name in inside]
                first = own.index(run[0]) if run else -1
                if run and own[first : first + len(run)] == run:
                    made = merge.copy()
                    made.branches, made.path = [run, ABSENT], ""
                    return [*own[:first], made, *own[first + len(run) :]]
        return own

    def statements(self, parts: Sequence[Statement | None]) -> Statement:
        """Statements as one, None where there is none; raises `Differs`."""
        self.spent += len(parts)
        if self.spent > MOST_WORK:
            raise TooMuch
        present = [part for part in parts if part is not None]
        first = present[0]
        made = first.copy()
        if any((part.kind, part.type) != (first.kind, first.type) for part in present):
            raise Differs
        if first.kind == "group" and any(part.block != first.block for part in present):
            made.block = ""
        enters = [MISSING if part is None else part.enters for part in parts]
        made.source = self._sources([MISSING if part is None else part.source for part in parts], made)
        made.arguments = self._arguments(parts, first, made, enters)
        made.enters = first.enters if all(each in (first.enters, MISSING) for each in enters) else 0
        if first.kind == "merge":
            made.branches = self._branches(parts, present)
        if first.kind in ("group", "inline"):
            made.body = self.lists([None if part is None else part.body for part in parts])
        for key in ("repeat", "when"):
            values = [MISSING if part is None else getattr(part, key) for part in parts]
            known = [value for value in values if value is not MISSING]
            if any(value != known[0] for value in known):
                if not all(isinstance(value, int) for value in known):
                    raise Differs
                setattr(made, key, Vector(key, values, made, enters))
        if any(part.columns != first.columns for part in present):
            raise Differs
        return made

    def _sources(self, sources: Sequence[Any], made: Statement) -> Any:
        """What statements take, where it is not the statement before: the same for all, or an argument of the block."""
        known = [each for each in sources if each is not MISSING]
        if all(each == known[0] for each in known):
            return known[0]
        if all(isinstance(each, str) for each in known):
            return Vector("from", [each if each is MISSING else f'"{each}"' for each in sources], made, (), "from")
        if not all(isinstance(each, list) and len(each) == len(known[0]) for each in known):
            raise Differs
        return [
            self._sources([each if each is MISSING else each[i] for each in sources], made)
            for i in range(len(known[0]))
        ]

    def _arguments(
        self, parts: Sequence[Statement | None], first: Statement, made: Statement, enters: Any
    ) -> dict[str, Any]:
        names = list(dict.fromkeys(name for part in parts if part is not None for name in part.arguments))
        found: dict[str, Any] = {}
        for name in names:
            values = []
            for part in parts:
                if part is None:
                    values.append(MISSING)
                elif name in part.arguments:
                    values.append(part.arguments[name])
                else:
                    values.append(self._default(part, name))
            known = [value for value in values if value is not MISSING]
            if all(value == known[0] and type(value) is type(known[0]) for value in known):
                found[name] = known[0]
            elif any(isinstance(value, Vector) for value in known):
                raise Differs
            else:
                kind = self.kinds.get(first.type, {}).get(name) if first.full is not None else None
                if first.type == "Slice" and first.arguments.get("dim", 1) == 1:
                    kind = "channels"
                found[name] = Vector(name, values, made, enters, kind or kind_of(name))
        return found

    def _default(self, part: Statement, name: str) -> Any:
        if part.full is not None:
            if name not in part.full:
                raise Differs
            return part.full[name]
        if part.type in REGISTRY:
            for argument in REGISTRY[part.type].arguments():
                if argument.name == name and not argument.required:
                    return argument.default
        raise Differs

    def _branches(self, parts: Sequence[Statement | None], present: Sequence[Statement]) -> list[Any]:
        counts = {len(part.branches) for part in present}
        if len(counts) > 1:
            raise Differs
        made: list[Any] = []
        for i in range(counts.pop()):
            own: list[Any] = [None if part is None else part.branches[i] for part in parts]
            known = [each for each in own if each is not None]
            if any(each is ABSENT for each in known):
                if any(each is not ABSENT and each != [] for each in known):
                    raise Differs
                there = [MISSING if each is None else each is not ABSENT for each in own]
                optional = Statement("", "optional")
                starts = [0 if part is None or isinstance(part.branches[0], str) or not part.branches[0]
                          else part.branches[0][0].enters for part in parts]  # fmt: skip
                optional.when = Vector("when", there, optional, starts)
                made.append(optional)
            elif all(isinstance(each, str) for each in known):
                named = Statement("", "name")
                named.source = self._sources([MISSING if each is None else each for each in own], named)
                made.append(named if isinstance(named.source, Vector) else known[0])
            elif any(isinstance(each, (str, Statement)) for each in known):
                if any(each != known[0] for each in known):
                    raise Differs
                made.append(known[0])
            else:
                made.append(self.lists(own))
                for one in made[-1][:1]:
                    starts = [0 if part is None else fork_channels(part) for part in parts]
                    if isinstance(one.when, Vector):
                        one.when.enters = tuple(starts)
        return made


def fork_channels(merge: Statement) -> int:
    """The channels of what the branches of a merge begin with."""
    for branch in merge.branches:
        if not isinstance(branch, (str, Statement)) and branch:
            return branch[0].enters if branch[0].kind != "merge" else fork_channels(branch[0])
    return 0


def in_one_order(names: Sequence[Sequence[str]]) -> list[str]:
    """All names in an order that is that of each sequence; raises `Differs` where there is none.

    >>> in_one_order([["a", "c"], ["a", "b", "c"]])
    ['a', 'b', 'c']
    """
    order = list(sorted(names, key=len)[-1])
    for each in names:
        at = 0
        for name in each:
            if name in order:
                at = order.index(name) + 1
            else:
                order.insert(at, name)
                at += 1
    for each in names:
        places = [order.index(name) for name in each]
        if places != sorted(places) or len(set(each)) < len(each):
            raise Differs
    return order


def fingerprint(statement: Statement, named: bool = True) -> Any:
    """What a statement is, to be compared; without its own name where it is not `named`."""
    branches = tuple(
        branch if isinstance(branch, str) else fingerprint(branch) if isinstance(branch, Statement)
        else tuple(map(fingerprint, branch)) for branch in statement.branches)  # fmt: skip
    return (
        statement.name if named else "",
        statement.kind,
        statement.type,
        repr(sorted(statement.arguments.items(), key=lambda item: item[0])),
        tuple(map(fingerprint, statement.body)),
        branches,
        repr(statement.source),
        repr(statement.when),
        repr(statement.repeat),
        repr(statement.columns),
    )


def vectors(statements: Sequence[Statement]) -> Iterator[tuple[Statement, str, Vector]]:
    """The vectors in a list of statements, each with where it stands: a statement, and an argument's name, `when`, …"""
    for statement in statements:
        if isinstance(statement.when, Vector):
            yield statement, "=when", statement.when
        for place, source in enumerate(statement.source if isinstance(statement.source, list) else [statement.source]):
            if isinstance(source, Vector):
                yield statement, f"=from {place}", source
        for name, value in statement.arguments.items():
            if isinstance(value, Vector):
                yield statement, name, value
        if isinstance(statement.repeat, Vector):
            yield statement, "=repeat", statement.repeat
        for branch in statement.branches:
            if isinstance(branch, Statement):
                yield from vectors([branch])
            elif not isinstance(branch, str):
                yield from vectors(branch)
        yield from vectors(statement.body)


def put(statement: Statement, where: str, value: Any) -> None:
    """Put an expression in the place of a vector; what it was is kept, since conditions ask for it."""
    if where == "=when":
        statement.when = value
    elif where == "=repeat":
        statement.repeat = value
    elif where.startswith("=from"):
        if isinstance(statement.source, list):
            place = int(where.removeprefix("=from "))
            statement.source = [*statement.source[:place], f"{{{value}}}", *statement.source[place + 1 :]]
        else:
            statement.source = f"{{{value}}}"
    else:
        statement.was = {**statement.was, where: statement.arguments[where]}
        statement.arguments[where] = value
