"""What recurs in lists of named statements: modules of a stage that differ in the numbers of their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import accumulate, pairwise
from math import lcm
from typing import Any

from ..record import Record
from .resolve import Expressed
from .runs import MOST_COLUMNS, inline
from .sequences import NUMBER
from .statements import Statement, size_of
from .unify import ABSENT

#: Statements of a unit at most, and layers that a loop must save.
LONGEST_UNIT, FEWEST_LAYERS = 120, 6
#: Statements that are compared at most; no network that was tried took a tenth.
MOST_TRIED = 200_000
#: Units that there must be where a number goes up by more than one, unless they are of so many statements.
FEWEST_UNEVEN, LONG_UNIT = 3, 12
#: Branches that there must be to write them as a loop, with their merge behind it.
FEWEST_BRANCHES = 4
_NUMBER = re.compile(r"\d+")
#: A number of channels as a share of an argument: `3 * width // 8`.
_SHARE = re.compile(r"(?:(\d+) \* )?([a-z]\w*)(?: // (\d+))?")
#: What the columns of names and of numbers are called.
FIRST, OTHERS = "n", "abcdefgh"


class Differs(Exception):
    """The units are no loop."""


def looped_in_block(
    statements: list[Statement], arguments: Collection[str], folds: list[tuple[str, frozenset[str]]]
) -> list[Statement]:
    """The statements of a block with what recurs in any list of them put together.

    What the loop counts with must not be an argument of the block.
    """
    if {FIRST, *OTHERS} & set(arguments):
        return statements
    made: list[Statement] = []
    for each in statements:
        body = looped_in_block(each.body, arguments, folds) if each.kind == "group" else each.body
        branches = [branch if isinstance(branch, (str, Statement)) or not branch
                    else looped_in_block(branch, arguments, folds) for branch in each.branches]  # fmt: skip
        each = each.copy(body=body, branches=branches)
        rows = _spread(each, made[-1].name if made else "")
        shorter = looped(rows, folds) if rows else []
        made += shorter if len(shorter) < len(rows) else [each]
    return looped(made, folds)


def _spread(merge: Statement, before: str) -> list[Statement]:
    """The branches of a merge one below the other, and the merge of their names; nothing where that cannot be."""
    if len(merge.branches) < FEWEST_BRANCHES or merge.when is not None or merge.repeat is not None:
        return []
    source = merge.source if isinstance(merge.source, str) else before
    rows: list[Statement] = []
    names: list[Any] = []
    for branch in merge.branches:
        if isinstance(branch, str):
            names.append(branch)
            continue
        if isinstance(branch, Statement) or not branch or not source or not branch[-1].name:
            return []
        first = branch[0] if branch[0].source is not None else branch[0].copy(source=source)
        rows += [first, *branch[1:]]
        names.append(branch[-1].name)
    if rows and merge.source is None and rows[0].source == before:
        rows[0] = rows[0].copy(source=None)
    return [*rows, merge.copy(branches=names, source=None)]


def looped(statements: list[Statement], folds: list[tuple[str, frozenset[str]]]) -> list[Statement]:
    """A list in which units that recur stand once, with `foreach`; notes in `folds` what was put together."""
    search = _Search(statements)
    made: list[Statement] = []
    at = 0
    while at < len(statements):
        best = search.best(at)
        if best is None or search.better(at, best):
            made.append(statements[at])
            at += 1
            continue
        end = at + best.units * best.period
        made.append(best.one)
        folds.append(("loops", frozenset(each.path for each in statements[at:end])))
        at = end
    return made


class _Found(Record):
    """Units of so many statements as one, and the layers that this saves."""

    one: Statement
    saved: int
    units: int
    period: int


class _Search:
    """Looks for units that recur in a list."""

    def __init__(self, statements: list[Statement]) -> None:
        known: dict[tuple[str, ...], int] = {}
        keys = [known.setdefault(_key(each), len(known)) for each in statements]
        self.statements = statements
        self.sizes = [0, *accumulate(size_of([each]) for each in statements)]
        self.runs = {period: _alike(keys, period) for period in range(1, min(LONGEST_UNIT, len(keys) // 2) + 1)}
        self.tried = 0

    def _saved(self, at: int, period: int) -> int:
        """The layers that are saved where the units from a place on become one, as far as their types tell."""
        units = self.runs[period][at] // period
        return units * (self.sizes[at + period] - self.sizes[at]) if units else 0

    def best(self, at: int) -> _Found | None:
        """The units from a place on that save most."""
        best: _Found | None = None
        for period in self.runs:
            saved = self._saved(at, period)
            if saved < FEWEST_LAYERS or (best is not None and saved <= best.saved) or self.tried > MOST_TRIED:
                continue
            count = 1 + self.runs[period][at] // period
            self.tried += count * period
            units = [self.statements[at + i * period : at + (i + 1) * period] for i in range(count)]
            with suppress(Differs):
                best = _Found(_one(units), saved, count, period)
        return best

    def better(self, at: int, best: _Found) -> bool:
        """Whether units that begin a little later save more."""
        for later in range(at + 1, min(at + best.period, len(self.statements))):
            if any(self._saved(later, period) > best.saved for period in self.runs):
                found = self.best(later)
                if found is not None and found.saved > best.saved:
                    return True
        return False


def _alike(keys: Sequence[int], period: int) -> list[int]:
    """How many in a row, from each place on, are like those that stand a period behind them.

    >>> _alike([1, 2, 1, 2, 1, 3], 2)
    [3, 2, 1, 0, 0, 0]
    """
    found = [0] * len(keys)
    for place in range(len(keys) - period - 1, -1, -1):
        found[place] = found[place + 1] + 1 if keys[place] == keys[place + period] else 0
    return found


def _key(statement: Statement) -> tuple[str, ...]:
    """What a statement is but for numbers and the names of what it takes."""
    return tuple(_NUMBER.sub("#", part) for part in _skeleton(statement))


def _skeleton(statement: Statement) -> Iterator[str]:
    yield f"{statement.kind} {statement.name} {statement.type if statement.kind != 'use' else ''}"
    yield f"{statement.source is None} {statement.when!r} {statement.repeat!r} {statement.columns!r}"
    yield repr(sorted((key, "share" if share(value) else value) for key, value in statement.arguments.items()))
    for branch in statement.branches:
        yield "absent" if branch is ABSENT else "name" if isinstance(branch, str) else "("
        if isinstance(branch, Statement):
            yield repr(branch)
        elif not isinstance(branch, str):
            for each in branch:
                yield from _skeleton(each)
    yield f"[{len(statement.body)}"
    for each in statement.body:
        yield from _skeleton(each)


def _one(units: Sequence[list[Statement]]) -> Statement:
    """Units as one, with a column for what differs in them; raises `Differs`."""
    loop = _Loop(units)
    body = [loop.statement([unit[i] for unit in units]) for i in range(len(units[0]))]
    if loop.start is None or len(loop.columns) > MOST_COLUMNS:
        raise Differs
    made = inline(body, None)
    made.columns = {FIRST: list(range(loop.start, loop.start + len(units))), **loop.columns}
    return made


class _Loop:
    def __init__(self, units: Sequence[list[Statement]]) -> None:
        self.count, self.length = len(units), len(units[0])
        self.start: int | None = None  # what `n` is in the first unit
        self.columns: dict[str, list[Any]] = {}
        self.numbers: dict[tuple[int, ...], str] = {}  # those in names that go up, each as it is written

    def statement(self, parts: Sequence[Statement]) -> Statement:
        """Statements as one."""
        first = parts[0]
        made = first.copy(name=self.name([each.name for each in parts]), source=self.sources(parts))
        if first.kind == "use":
            made.type = self.source([each.type for each in parts])
        made.arguments = {key: self.value([each.arguments[key] for each in parts], key) for key in first.arguments}
        made.repeat = self.value([each.repeat for each in parts])
        if any((each.when, each.columns) != (first.when, first.columns) for each in parts):
            raise Differs
        made.body = self.body([each.body for each in parts])
        made.branches = [self.branch([each.branches[i] for each in parts]) for i in range(len(first.branches))]
        return made

    def body(self, bodies: Sequence[list[Statement]]) -> list[Statement]:
        """Lists as one."""
        if bodies[0] is ABSENT:
            return ABSENT
        return [self.statement([body[i] for body in bodies]) for i in range(len(bodies[0]))]

    def branch(self, branches: Sequence[Any]) -> Any:
        """Branches as one."""
        if isinstance(branches[0], str):
            return self.source(branches)
        if isinstance(branches[0], Statement):
            raise Differs
        return self.body(branches)

    def name(self, names: Sequence[str]) -> str:
        """Names as one that counts with the units."""
        if all(each == names[0] for each in names):
            return names[0]
        made = self._counted(names)
        if made is None:
            raise Differs
        return made

    def sources(self, parts: Sequence[Statement]) -> Any:
        """What statements take, as one."""
        found = [each.source for each in parts]
        if isinstance(found[0], list):
            if any(not isinstance(each, list) or len(each) != len(found[0]) for each in found):
                raise Differs
            return [self.source([each[i] for each in found]) for i in range(len(found[0]))]
        return found[0] if found[0] is None else self.source(found)

    def source(self, names: Sequence[Any]) -> Any:
        """The names of earlier layers as one, or a column of them."""
        if any(not isinstance(each, str) for each in names):
            raise Differs
        if all(each == names[0] for each in names):
            return names[0]
        return self._counted(names) or f"{{{self._column([f'{chr(34)}{each}{chr(34)}' for each in names])}}}"

    def value(self, values: Sequence[Any], key: str = "") -> Any:
        """Values of an argument as one, or a column of them; a number that is the name's goes up as it does."""
        first = values[0]
        if key == NUMBER and tuple(values) in self.numbers:
            return Expressed(self.numbers[tuple(values)])
        if all(each == first and type(each) is type(first) for each in values):
            return first
        if any(isinstance(each, str) for each in values):
            return self._shares([share(each) for each in values])
        return Expressed(self._column(list(values)))

    def _shares(self, shares: Sequence[tuple[Fraction, str] | None]) -> Expressed:
        """Shares of an argument that go up evenly, as one that goes up with the units."""
        parts, of = [each[0] for each in shares if each], {each[1] if each else "" for each in shares}
        steps = {after - first for first, after in pairwise(parts)}
        if "" in of or len(of) > 1 or len(steps) > 1 or (step := steps.pop()) <= 0:
            raise Differs
        if self.start is None:
            self.start = 0
        more = parts[0] - step * self.start
        below = lcm(step.denominator, more.denominator)
        times = counted(int(step * below), int(more * below))
        product = f"{times if times == FIRST else f'({times})'} * {of.pop()}"
        return Expressed(product if below == 1 else f"{product} // {below}")

    def _column(self, values: list[Any]) -> str:
        for name, known in self.columns.items():
            if known == values:
                return name
        name = next((each for each in OTHERS if each not in self.columns), "")
        if not name:
            raise Differs
        self.columns[name] = values
        return name

    def _counted(self, names: Sequence[str]) -> str | None:
        """Names whose numbers stay, or go up evenly from unit to unit, as one; None where they do otherwise."""
        texts = [_NUMBER.split(each) for each in names]
        numbers = [[int(each) for each in _NUMBER.findall(name)] for name in names]
        if any(each != texts[0] for each in texts) or any("{" in each for each in names):
            return None
        made = texts[0][0]
        for place, text in enumerate(texts[0][1:]):
            values = [each[place] for each in numbers]
            first = values[0]
            if all(each == first for each in values):
                made += str(first)
            else:
                step = values[1] - first
                if (
                    step < 1
                    or (step > 1 and self.count < FEWEST_UNEVEN and self.length < LONG_UNIT)
                    or values != list(range(first, first + step * self.count, step))
                ):
                    return None
                if self.start is None:
                    self.start = first if step == 1 else 0
                self.numbers[tuple(values)] = counted(step, first - step * self.start)
                made += f"{{{self.numbers[tuple(values)]}}}"
            made += text
        return made


def share(value: Any) -> tuple[Fraction, str] | None:
    """A number of channels as a share of an argument, and the argument; None for what is none.

    >>> share(Expressed("3 * width // 8")), share(Expressed("width")), share(8)
    ((Fraction(3, 8), 'width'), (Fraction(1, 1), 'width'), None)
    """
    match = _SHARE.fullmatch(value) if isinstance(value, Expressed) else None
    return (Fraction(int(match[1] or 1), int(match[3] or 1)), match[2]) if match else None


def counted(step: int, more: int) -> str:
    """A number that goes up by so many from unit to unit.

    >>> counted(1, 0), counted(1, -1), counted(3, 2)
    ('n', 'n - 1', '3 * n + 2')
    """
    product = FIRST if step == 1 else f"{step} * {FIRST}"
    return f"{product} {'+' if more > 0 else '-'} {abs(more)}" if more else product
