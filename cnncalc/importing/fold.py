"""Groups of one class become blocks, runs become `repeat` and `foreach`: the network as its authors would write it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..names import is_word
from ..record import Record
from .flat import Flat
from .loops import looped, looped_in_block
from .naming import Argument, Names
from .places import TAKEN
from .resolve import Expressed, resolve
from .runs import Runs, numbered_run, prefix_of
from .sequences import NUMBER, counted, number_of, recurring
from .statements import Statement, size_of
from .unify import MISSING, Differs, Unifier, Vector, fingerprint, opposite, vectors

#: Arguments of a block, beyond which it is harder to read than what it replaces; large ones have one for two layers.
MOST_ARGUMENTS = 9
#: Statements of a block, beyond which what stands there on one condition and what stands there on its opposite are two.
MOST_OPPOSED = 2
#: How far below a module names for the arguments of its block are looked for.
DEEPEST = 2


class Block(Record):
    """A block: its arguments with their defaults (None for those that must be given), and its statements."""

    name: str
    arguments: tuple[tuple[str, Any], ...]
    body: list[Statement]
    named: int = 0  # arguments that bear a name of the program's


class Folded(Record):
    """A folded network: blocks, and the statements that use them."""

    blocks: tuple[Block, ...]
    statements: list[Statement]
    folds: tuple[tuple[str, frozenset[str]], ...]  # what was folded, and the paths in it


def folded(flat: Flat, statements: list[Statement], without: frozenset[str] = frozenset()) -> Folded:
    """The network with its blocks and repeats; what is named in `without` is left as it is."""
    return _Fold(flat, without).all(statements)


class _Fold:
    def __init__(self, flat: Flat, without: frozenset[str]) -> None:
        self.flat, self.without = flat, without
        self.blocks: list[Block] = []
        self.kinds: dict[str, dict[str, str]] = {}
        self.unifier = Unifier(self.kinds)
        self.folds: list[tuple[str, frozenset[str]]] = []
        self.words = TAKEN | {part for node in flat.nodes for part in node.name.split(".")}

    def all(self, statements: list[Statement]) -> Folded:
        self._blocks(statements)
        if "runs" not in self.without:
            runs = Runs(self.unifier, self.folds)
            statements = runs.runs(statements)
            self.blocks = [block._replace(body=runs.runs(block.body)) for block in self.blocks]
        self._sequences(statements)
        if "loops" not in self.without:
            statements = looped(statements, self.folds)
            self.blocks = [
                block._replace(body=looped_in_block(block.body, [name for name, _ in block.arguments], self.folds))
                for block in self.blocks
            ]
        return Folded(tuple(self.blocks), statements, tuple(self.folds))

    def _sequences(self, statements: list[Statement]) -> None:
        """Blocks of the groups that have no class, and are written again and again."""
        known = len(self.blocks)
        for kind, members in recurring([statements, *(block.body for block in self.blocks)]):
            numbers, bodies = [number_of(each) for each in members], [each.body for each in members]
            if None not in numbers:
                for member in members:
                    member.body = counted(member)
            template = None if kind in self.without else self._unify(members)
            found = [] if template is None else [value for _, _, vector in vectors(template) for value in vector.values]
            if template is not None and not any(
                isinstance(value, str) and "in_channels" in value for value in found
            ):  # which are others where a block is used
                self._block(kind, members, template, numbers)
            for member, body in zip(members, bodies, strict=True):
                if member.kind == "group":
                    member.body = body
        self.blocks = [*self.blocks[known:], *self.blocks[:known]]

    # -- blocks ------------------------------------------------------------------------------------------------------

    def _blocks(self, statements: list[Statement]) -> None:
        for now in levels(statements):
            kinds: dict[str, list[Statement]] = {}
            often = Counter(statement.block for statement in now)
            for statement in sorted(now, key=lambda each: often[each.block] == 1):
                kinds.setdefault(self._kind_of(statement, often, kinds), []).append(statement)
            for kind, members in kinds.items():
                for member in members:
                    member.body = self._prefixed(member.body)
                if kind not in self.without and len(members) > 1:
                    self._kind(kind, members)

    def _kind_of(self, statement: Statement, often: Counter[str], kinds: dict[str, list[Statement]]) -> str:
        """The class of a group; what is there once may be like what is called the same but for a number."""
        if often[statement.block] > 1:
            return statement.block
        base = statement.block.rstrip("0123456789")
        near = [kind for kind in kinds if kind.rstrip("0123456789") == base]
        return next((kind for kind in near if self._unify([kinds[kind][0], statement]) is not None), base)

    def _prefixed(self, body: list[Statement]) -> list[Statement]:
        """A list with equal statements that are counted up by name put together: `denselayer1`, `denselayer2` …"""
        made: list[Statement] = []
        at = 0
        while at < len(body):
            prefix, number = prefix_of(body[at].name)
            run = numbered_run(body, at, lambda each: each.full is not None)
            first = fingerprint(body[at], False)
            length = next((i for i, each in enumerate(run) if fingerprint(each, False) != first), len(run))
            if prefix and length > 2:
                name = f"{prefix}{{i{f' + {number}' if number else ''}}}"
                made.append(body[at].copy(name=name, repeat=length))
                at += length
            else:
                made.append(body[at])
                at += 1
        return made

    def _kind(self, kind: str, members: list[Statement]) -> None:
        """The blocks of a class: as few as there can be."""
        clusters: list[list[Statement]] = []
        seen: list[dict[Any, Statement]] = []  # of each cluster one for all that are the same
        for statement in members:
            mark = tuple(map(fingerprint, statement.body))
            for cluster, others in zip(clusters, seen, strict=True):
                kinds = list(others.values())
                if mark in others or (self._unify([kinds[0], statement]) is not None
                                      and self._unify([*kinds, statement]) is not None):  # fmt: skip
                    cluster.append(statement)
                    others.setdefault(mark, statement)
                    break
            else:
                clusters.append([statement])
                seen.append({mark: statement})
        for cluster in clusters:
            if len(cluster) > 1 and size_of(cluster[0].body) > 1:
                template = self._unify(cluster)
                if template is not None:
                    self._block(kind, cluster, template)

    def _unify(self, members: Sequence[Statement]) -> list[Statement] | None:
        try:
            template = self.unifier.bodies([each.body for each in members])
        except Differs:
            return None
        inside = set(names_in(template))
        found = list(vectors(template))
        sources = [value for _, where, vector in found if where.startswith("=from") for value in vector.known]
        if any(value.strip('"').partition(".")[0] in inside for value in sources):
            return None
        return None if two_in_one([vector for _, where, vector in found if where == "=when"]) else template

    def _block(
        self, kind: str, members: list[Statement], template: list[Statement], numbers: Sequence[int | None] = (None,)
    ) -> None:
        modules = [self.flat.modules.get(each.path) for each in members]
        attributes = [module.attributes if module else {} for module in modules]
        names = Names(attributes, [each.enters for each in members], set(), columns=False)
        names.inner = [self._inner(each.path) for each in members]
        if None not in numbers:
            names.taken.add(NUMBER)
            names.arguments.append(Argument(NUMBER, numbers, NUMBER, ("", NUMBER)))
        resolve(names, template)
        if len(names.arguments) > max(MOST_ARGUMENTS, size_of(template) // 2):
            return
        classes = {each.block for each in members}
        name = self._block_name(classes.pop() or kind if len(classes) == 1 else kind)
        for argument in names.arguments:
            argument.default, argument.has_default = usual(argument)
        order = sorted(names.arguments, key=lambda argument: argument.has_default)
        for place, member in enumerate(members):
            given = {}
            full = {}
            for argument in order:
                value = argument.value(place)
                if value is MISSING:
                    value = argument.default if argument.has_default else known_of(argument)
                full[argument.name] = value
                if not argument.has_default or value != argument.default:
                    given[argument.name] = value
            member.kind, member.type, member.arguments, member.full = "layer", name, given, full
            member.body = []
        self.kinds[name] = {each.name: each.kind for each in order}
        self.blocks.append(Block(name, tuple((each.name, each.default if each.has_default else None) for each in order),
                                 template, names.own))  # fmt: skip
        self.folds.append((kind, frozenset(each.path for each in members)))

    def _inner(self, path: str) -> dict[tuple[str, str], Any]:
        """What the modules below one keep, by their names in it and those of their attributes; the nearest first."""
        found: dict[tuple[str, str], Any] = {}
        level = [path]
        for _ in range(DEEPEST):
            level = [each for above in level for each in self.flat.children.get(above, ())]
            for each in level:
                for name, value in self.flat.modules[each].attributes.items():
                    found[each[len(path) :], name] = value
        return found

    def _block_name(self, kind: str) -> str:
        """A name for the block of a class, in the style of the language.

        >>> _Fold._plain("_DenseLayer"), _Fold._plain("Conv2dNormAct")
        ('dense_layer', 'conv2d_norm_act')
        """
        base = self._plain(kind)
        taken = {block.name for block in self.blocks} | self.words
        base = base if is_word(base) else "block"
        name, number = base if base not in self.words else f"{base}_block", 2
        while name in taken:
            name, number = f"{base}{number}", number + 1
        return name

    @staticmethod
    def _plain(kind: str) -> str:
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", kind.lstrip("_")).lower()
        return re.sub(r"conv_?(\d)_?d", r"conv\1d", name) or "block"


def levels(statements: Sequence[Statement]) -> list[list[Statement]]:
    """All groups that were modules of a class of their own; those that stand in others come before them.

    What is of one class comes together, unless such a module stands in another of its class.
    """
    inside: dict[str, set[str]] = {}
    found = list(modules(statements, inside))
    same = families(inside)  # `Block2` may be a `Block` with other arguments
    within: dict[str, set[str]] = {}
    for block, inner in inside.items():
        within.setdefault(same[block], set()).update(same[each] for each in inner)
    for _, group in found:
        group.block = same[group.block]
    level: dict[str, int] = {}
    with suppress(CycleError):
        for block in TopologicalSorter(within).static_order():
            level[block] = 1 + max((level[each] for each in within[block]), default=0)
    heights = [level.get(group.block, height) for height, group in found]
    return [[group for (_, group), at in zip(found, heights, strict=True) if at == height]
            for height in sorted(set(heights))]  # fmt: skip


def families(inside: Mapping[str, set[str]]) -> dict[str, str]:
    """The name of each class, or that which it bears but for a number, where there is such a class.

    Not where a class of these stands in another of them.

    >>> families({"Block": set(), "Block2": {"Conv"}, "Conv": set(), "Stage": {"Stage2"}, "Stage2": set()})
    {'Block': 'Block', 'Block2': 'Block', 'Conv': 'Conv', 'Stage': 'Stage', 'Stage2': 'Stage2'}
    """
    base = {block: block.rstrip("0123456789") for block in inside}
    called: dict[str, set[str]] = {}
    for block in inside:
        called.setdefault(base[block], set()).add(block)
    one = {
        name
        for name, family in called.items()
        if name in family and not any(inside[block] & family for block in family)
    }
    return {block: base[block] if base[block] in one else block for block in inside}


def modules(statements: Sequence[Statement], inside: dict[str, set[str]]) -> Iterator[tuple[int, Statement]]:
    """The groups that were modules of a class of their own, each with how deep such groups are nested in it.

    `inside` is told which classes stand in which.
    """
    for statement in statements:
        inner = [each for part in statement.inner() for each in modules(part, inside)]
        yield from inner
        if statement.kind == "group" and statement.block:
            inside.setdefault(statement.block, set()).update(each.block for _, each in inner)
            yield 1 + max((height for height, _ in inner), default=0), statement


def usual(argument: Argument) -> tuple[Any, bool]:
    """The value of most uses as a default, where more than half have it."""
    known = [value for value in argument.values if value is not MISSING and not isinstance(value, Expressed)]
    if argument.kind in ("channels",) or not known:
        return None, False
    most = max(known, key=lambda value: sum(each == value for each in known))
    return (most, True) if 2 * sum(each == most for each in known) > len(known) and most is not None else (None, False)


def known_of(argument: Argument) -> Any:
    """Some value of an argument that is of no account for a use."""
    return next(value for value in argument.values if value is not MISSING)


def two_in_one(conditions: Sequence[Vector]) -> bool:
    """Whether of two blocks one is what the other is not: several statements of each."""
    often = Counter(each.values for each in conditions)
    return any(min(count, often[tuple(opposite(values))]) > MOST_OPPOSED for values, count in often.items())


def names_in(statements: Sequence[Statement]) -> Iterator[str]:
    """The names in a list, however deep; the first part of each."""
    for statement in statements:
        yield statement.name.partition(".")[0]
        for inner in statement.inner():
            yield from names_in(inner)
