"""Which parts of a network become which classes: the uses of a block are one, as far as one class can hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..names import is_word
from ..ops import MERGES
from .common import RESERVED
from .conditions import condition
from .outline import Leaf, Scope
from .parameters import Flag, given_to
from .pattern import Pattern, Unlike, likeness, shape_of

#: How often it is tried whether a class of a block can hold one more form of it, and how many it may hold.
MOST_TRIES, MOST_FORMS = 200, 20
#: Parameters of a class that say no more than that a part is there.
MOST_FLAGS = 2


class Family:
    """The scopes of one class: a `pattern` of one scope for each form, and all `instances`."""

    def __init__(self, name: str, forms: Sequence[Sequence[Scope]], pattern: Pattern) -> None:
        self.name, self.forms, self.pattern = name, forms, pattern
        self.instances = [scope for form in forms for scope in form]
        self._form = {id(scope): number for number, form in enumerate(forms) for scope in form}
        self._places: list[list[int | None]] = []
        for number, scope in enumerate(pattern.scopes):
            at = {id(part): i for i, part in enumerate(scope.parts)}
            self._places.append([None if part is None else at[id(part)] for part in pattern.parts(number)])

    def parts(self, scope: Scope) -> list[Leaf | Scope | None]:
        """The parts of an instance, by the slots of the pattern."""
        return [None if at is None else scope.parts[at] for at in self._places[self._form[id(scope)]]]

    @property
    def flags(self) -> list[Flag]:
        """Which instances have each of the optional parts."""
        rows = [self.parts(scope) for scope in self.instances]
        return [
            Flag(_flag_name(slot.part), tuple(row[number] is not None for row in rows))
            for number, slot in enumerate(self.pattern.slots)
            if slot.optional
        ]

    @property
    def is_readable(self) -> bool:
        """Whether its optional parts follow from what the block is given, nearly all of them."""
        given = {
            "in_channels": tuple(scope.channels for scope in self.instances),
            **given_to([arguments_of(scope) for scope in self.instances]),
        }
        return sum(condition(flag.there, given) is None for flag in self.flags) <= MOST_FLAGS

    @property
    def names_differ(self) -> bool:
        """Whether no two of its modules have one name, as where it is of one type here and of another there."""
        modules = [
            slot.part.name
            for slot in self.pattern.slots
            if isinstance(slot.part, Scope) or slot.part.layer.type not in MERGES
            if not slot.part.name.isdigit()  # numbers count what is there
        ]
        return len(set(modules)) == len(modules)


class Families:
    """The classes of a network. `of` gives the family of each scope that has one."""

    def __init__(self, root: Scope) -> None:
        self.root = root
        self.of: dict[int, Family] = {}
        scopes = [scope for scope in root.scopes() if scope is not root]
        kin = {id(scope): _kin(scope) or ("", shape_of(scope, lambda _: None)) for scope in scopes}
        members: dict[Any, list[Scope]] = {}
        for scope in scopes:
            members.setdefault(kin[id(scope)], []).append(scope)
        self._classes = {
            id(scope)
            for alike in members.values()
            for scope in alike
            if scope.block or not scope.is_sequential or (_kin(scope) and not _are_one_chain(alike))
        }
        for alike in _levels(scopes, members, kin):
            self._divide([scope for scope in alike if id(scope) in self._classes])

    def is_class(self, scope: Scope) -> bool:
        """Blocks are classes, and so is what is no plain chain of modules."""
        return id(scope) in self._classes

    def likeness(self, part: Leaf | Scope) -> Any:
        """What two parts must have in common to be one."""
        return likeness(part, self._class_of)

    def _class_of(self, scope: Scope) -> Any:
        if not self.is_class(scope):
            return None
        family = self.of.get(id(scope))
        return id(family) if family else shape_of(scope, self._class_of)

    def _divide(self, scopes: Sequence[Scope]) -> None:
        """Put scopes of one block into as few classes as there must be."""
        forms: dict[Any, list[Scope]] = {}
        for scope in scopes:
            forms.setdefault(shape_of(scope, self._class_of), []).append(scope)
        families: list[Family] = []
        tries = MOST_TRIES
        for form in forms.values():
            name = _name(form[0])
            for number, family in enumerate(families[:tries] if _kin(form[0]) else ()):
                if len(family.forms) >= MOST_FORMS:
                    continue
                tries -= 1
                try:
                    pattern = Pattern([*family.pattern.scopes, form[0]], self.likeness)
                except Unlike:
                    continue
                larger = Family(family.name, [*family.forms, form], pattern)
                if larger.names_differ and larger.is_readable:
                    families[number] = larger
                    break
            else:
                families.append(Family(name, [form], Pattern([form[0]], self.likeness)))
        self.of |= {id(scope): family for family in families for scope in family.instances}


def _kin(scope: Scope) -> Any:
    """What scopes have in common that come from the same block, or from the same place inside one; else None."""
    if scope.block:
        return scope.block
    above = scope.parent
    if above is None or scope.place is None or (kin := _kin(above)) is None:
        return None
    return kin, scope.place


def _are_one_chain(scopes: Sequence[Scope]) -> bool:
    """Whether the same part of a block is a plain chain of the same modules in all its uses."""
    return all(scope.is_sequential for scope in scopes) and len({len(scope.parts) for scope in scopes}) == 1


def _levels(
    scopes: Sequence[Scope], members: Mapping[Any, Sequence[Scope]], kin: Mapping[int, Any]
) -> Iterator[Sequence[Scope]]:
    """The scopes that may share a class, inner ones before those that they stand in.

    Where blocks hold themselves, or one another, each depth is apart.
    """
    inside: dict[Any, set[Any]] = {each: set() for each in members}
    for scope in scopes:
        inside[kin[id(scope)]] |= {kin[id(part)] for part in scope.parts if isinstance(part, Scope)}
    try:
        yield from [members[each] for each in TopologicalSorter(inside).static_order()]
        return
    except CycleError:
        pass
    height: dict[int, int] = {}
    levels: dict[tuple[int, Any], list[Scope]] = {}
    for scope in reversed(scopes):  # the inner ones come behind those that they stand in
        inner = [height[id(part)] for part in scope.parts if isinstance(part, Scope)]
        height[id(scope)] = 1 + max(inner, default=0)
        levels.setdefault((height[id(scope)], kin[id(scope)]), []).append(scope)
    for _, alike in sorted(levels.items(), key=lambda item: item[0][0]):
        yield alike


def _name(scope: Scope) -> str:
    """What a class is called: as its block, or as the part of one that it is."""
    if scope.block or scope.parent is None or _kin(scope) is None:
        return scope.block or scope.name
    return f"{_name(scope.parent)}_{scope.name}"


def arguments_of(scope: Scope) -> Mapping[str, Any]:
    """The arguments of the block that a scope is, or stands in."""
    while not scope.block and scope.parent is not None and scope.parent.parent is not None:
        scope = scope.parent
    return scope.block_arguments if scope.block else {}


def _flag_name(part: Leaf | Scope) -> str:
    """What a parameter is called that says whether a part is there."""
    names = (part.name, part.block if isinstance(part, Scope) else part.layer.type.lower())
    return next((name for name in names if is_word(name) and name not in RESERVED), "more")
