"""What the uses of one block have in common: its parts in order, and which of them a use may go without.

A spec says `when` of a layer, and its uses differ: in the parts that are there, in their numbers, in what is joined at
the end. Parts that come from the same place of the spec are the same part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ..names import is_word
from ..record import Record
from .outline import Leaf, Scope, ends_of, leaf_values

#: Where a value comes from: what goes into the scope (−1), or one of its parts, and which of its results.
Source = tuple[int, int]
#: Parts that uses may go without; with more of them, nobody reads what is left.
MOST_OPTIONAL = 6


class Unlike(Exception):
    """Scopes that cannot be one class."""


class Slot(Record):
    """A part of a pattern: one that stands for it, where its inputs come from, and whether a use may go without it.

    Of what is left out, the input `passes` goes on.
    """

    part: Leaf | Scope
    sources: tuple[Source, ...]
    optional: bool = False
    passes: int = 0


class Pattern:
    """The scopes that become one class; raises `Unlike` for those that cannot.

    `kind` tells of a part what must be equal for two to be one, its inputs apart.
    """

    def __init__(self, scopes: Sequence[Scope], kind: Callable[[Leaf | Scope], Any]) -> None:
        self.scopes, self.kind = list(scopes), kind
        self.numbered = scopes[0].is_numbered
        keyed = [_keyed(scope) for scope in scopes]
        self.keys = _merged(keyed)
        self._parts = [[of.get(key) for key in self.keys] for of in keyed]
        self._sources = [_sources(scope, parts) for scope, parts in zip(self.scopes, self._parts, strict=True)]
        self.slots = self._slots()
        self.results = self._results()
        self._check()

    def parts(self, number: int) -> Sequence[Leaf | Scope | None]:
        """The parts of a scope, by slot; None for those that it goes without."""
        return self._parts[number]

    @property
    def chain(self) -> int:
        """How many modules there are, where they come first, as a chain that nothing else looks into; otherwise 0."""
        length = sum(is_module(slot.part) for slot in self.slots)
        users = Counter(source for slot in self.slots for source in slot.sources)
        for number, slot in enumerate(self.slots[:length]):
            plain = isinstance(slot.part, Scope) or slot.part.is_plain
            if not plain or len(slot.part.results) != 1:
                return 0
            if slot.sources != (((number - 1, 0),) if number else ((-1, 0),)):
                return 0
        inner = [(number, 0) for number in range(length - 1)]
        return length if all(users[each] == 1 and each not in self.results for each in inner) else 0

    def _slots(self) -> list[Slot]:
        slots: list[Slot] = []
        for number, key in enumerate(self.keys):
            there = [parts[number] for parts in self._parts]
            found = [part for part in there if part is not None]
            optional = len(found) < len(there)
            if len({self.kind(part) for part in found}) > 1 or (optional and key[-1]):
                raise Unlike
            if not self.numbered and len({part.name for part in found}) > 1:
                raise Unlike
            if not self.numbered and optional and not is_word(found[0].name):
                raise Unlike  # what is no attribute cannot be None
            wired = [_wires(of, part.inputs) for of, part in zip(self._sources, there, strict=True) if part]
            if len({len(wires) for wires in wired}) > 1:
                raise Unlike
            # Where uses differ, the source that comes last is the one that may be missing.
            sources = tuple(max(each) for each in zip(*wired, strict=True))
            if len(sources) == 1:
                sources = (self._lifted(sources[0], slots, number),)
            slots.append(Slot(found[0], sources, optional))
        if sum(slot.optional for slot in slots) > MOST_OPTIONAL:
            raise Unlike
        return slots

    def _results(self) -> tuple[Source, ...]:
        ends = [_wires(of, scope.results) for of, scope in zip(self._sources, self.scopes, strict=True)]
        if len({len(each) for each in ends}) > 1 or len({len(scope.inputs) for scope in self.scopes}) > 1:
            raise Unlike
        return tuple(self._lifted(max(each), self.slots, len(self.slots)) for each in zip(*ends, strict=True))

    def _lifted(self, source: Source, slots: Sequence[Slot], number: int) -> Source:
        """A source, or an optional part behind it that no use has together with the one that takes it.

        So a ReLU that some uses have and a Hardswish that others have stand one behind the other.
        """
        for other in range(number - 1, source[0], -1):
            slot, behind = slots[other], (other, 0)
            while behind[0] > source[0] and slots[behind[0]].optional:
                behind = slots[behind[0]].sources[slots[behind[0]].passes]
            alone = number == len(self.keys) or not any(row[other] and row[number] for row in self._parts)
            if slot.optional and behind == source and alone and len(slot.sources) == 1:
                return other, 0
        return source

    def _check(self) -> None:
        """Whether each scope is what the pattern makes of it; finds out what passes where a part is left out."""
        for number, slot in enumerate(self.slots):
            if slot.optional and len(slot.sources) > 1:
                for passes in range(len(slot.sources)):
                    self.slots[number] = slot._replace(passes=passes)
                    if self._fits():
                        break
        if not self._fits() or any(scope.is_numbered != self.numbered for scope in self.scopes):
            raise Unlike
        if self.numbered and any(slot.optional for slot in self.slots) and not self.chain:
            raise Unlike

    def _fits(self) -> bool:
        for scope, parts, of in zip(self.scopes, self._parts, self._sources, strict=True):
            for slot, part in zip(self.slots, parts, strict=True):
                if part is not None and self._resolved(slot.sources, parts) != _wires(of, part.inputs):
                    return False
            if self._resolved(self.results, parts) != _wires(of, scope.results):
                return False
        return True

    def _resolved(self, sources: Sequence[Source], parts: Sequence[Leaf | Scope | None]) -> tuple[Source, ...]:
        found = []
        for source in sources:
            while source[0] >= 0 and parts[source[0]] is None:
                slot = self.slots[source[0]]
                source = slot.sources[slot.passes]
            found.append(source)
        return tuple(found)


def is_module(part: Leaf | Scope) -> bool:
    """Whether a part is a module, and no mere function."""
    return isinstance(part, Scope) or part.has_module


def _keyed(scope: Scope) -> dict[Any, Leaf | Scope]:
    """The parts of a scope by where they stand in the spec, and the how manieth copy it is."""
    found: dict[Any, Leaf | Scope] = {}
    copies: Counter[Any] = Counter()
    for part in scope.parts:
        place = part.layer.place if isinstance(part, Leaf) else part.place
        key: Any = (*(place or (0, 0)), isinstance(part, Scope), part.layer.type if isinstance(part, Leaf) else "")
        numbered = (*key, copies[key])
        copies[key] += 1
        found[numbered] = part
    return found


def _sources(scope: Scope, parts: Sequence[Leaf | Scope | None]) -> dict[int, Source]:
    """Where the nodes come from that are seen inside a scope."""
    found: dict[int, Source] = {node: (-1, i) for i, node in enumerate(scope.inputs)}
    for number, part in enumerate(parts):
        if part is not None:
            found |= {node: (number, i) for i, node in enumerate(part.results)}
    return found


def _wires(sources: Mapping[int, Source], nodes: Sequence[int]) -> tuple[Source, ...]:
    return tuple(sources[node] for node in nodes)


def _merged(keyed: Sequence[dict[Any, Any]]) -> list[Any]:
    """All keys in an order that each of the sequences follows; raises `Unlike` where there is none."""
    sorter: TopologicalSorter[Any] = TopologicalSorter()
    for keys in keyed:
        before: tuple[Any, ...] = ()
        for key in keys:
            sorter.add(key, *before)
            before = (key,)
    try:
        return list(sorter.static_order())
    except CycleError:
        raise Unlike from None


def likeness(part: Leaf | Scope, of_class: Callable[[Scope], Any]) -> Any:
    """What two parts must have in common to be one; `of_class` gives the class of a scope that has one."""
    if isinstance(part, Leaf):
        module = part.layer.op.module_type() if part.layer.op else ""
        return part.layer.type, module, part.noted, part.of, tuple(name for name, _ in leaf_values(part)), ends_of(part)
    found = of_class(part)
    return found if found is not None else tuple((each.name, likeness(each, of_class)) for each in part.parts)


def shape_of(scope: Scope, of_class: Callable[[Scope], Any]) -> Any:
    """What two scopes have in common that are the same but for the values of arguments."""
    sources: dict[int, Any] = {node: (-1, i) for i, node in enumerate(scope.inputs)}
    parts = []
    for number, part in enumerate(scope.parts):
        parts.append((part.name, likeness(part, of_class), tuple(sources[node] for node in part.inputs)))
        sources |= {node: (number, i) for i, node in enumerate(part.results)}
    return tuple(parts), tuple(sources[node] for node in scope.results)
