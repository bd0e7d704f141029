"""What recurs in a list: equal statements as `repeat`, a table of numbers as `foreach`, rhythms as `inline`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .naming import Names
from .resolve import Expressed, resolve
from .statements import Statement
from .unify import ABSENT, MISSING, Differs, Unifier, fingerprint, vectors

#: Columns of a `foreach`, beyond which a table is harder to read than what it replaces.
MOST_COLUMNS = 7
#: Statements that are tried together, from the longest run down.
LONGEST = 60
#: Of so many, one less is tried after the other; of more, half as many.
FEW = 8


class Runs:
    """Finds what recurs; notes in `folds` what was put together."""

    def __init__(self, unifier: Unifier, folds: list[tuple[str, frozenset[str]]]) -> None:
        self.unifier, self.folds = unifier, folds

    def runs(self, statements: list[Statement]) -> list[Statement]:
        """A list with what recurs in it put together."""
        in_list = numbered_names(statements)
        statements = self._siblings(statements)
        made = []
        for statement in statements:
            statement = statement.copy()
            if statement.body:
                statement.body = self.runs(statement.body)
            if statement.branches:
                statement.branches = [
                    branch
                    if isinstance(branch, (str, Statement)) or branch is ABSENT or not branch
                    else self.runs(branch)
                    for branch in statement.branches
                ]
            made.append(statement)
        made = self._copies(made, in_list)
        if in_list:
            made = [each.copy(name="") for each in self._periods(made)]
        return made

    def _siblings(self, statements: list[Statement]) -> list[Statement]:
        """Groups in a row that are numbered, and differ in numbers alone, as one with columns."""
        made: list[Statement] = []
        at = 0
        while at < len(statements):
            run = numbered_run(statements, at, lambda each: each.kind == "group" and each.source is None)
            done = False
            for length in lengths(len(run)):
                one = self._one(run[:length], statements)
                if one is not None:
                    made.append(one)
                    at += length
                    done = True
                    break
            if not done:
                made.append(statements[at])
                at += 1
        return told_apart(made)

    def _one(self, run: list[Statement], around: Sequence[Statement]) -> Statement | None:
        """Statements in a row as one with `repeat` or `foreach`; None where they do not go together."""
        try:
            one = self.unifier.statements([each.copy(name="") for each in run])
        except Differs:
            return None
        found = list(vectors([one]))
        if any(where == "=when" for _, where, _ in found):
            return None
        if any("in_channels" in str(value) for _, _, vector in found for value in vector.values):
            return None  # columns are worked out before the first of them
        words = [value for _, _, vector in found for value in vector.values if isinstance(value, str)]
        if any(not isinstance(word, Expressed) for word in words):
            return None  # a word in a column would be an expression
        prefix, number = prefix_of(run[0].name)
        names = Names([{} for _ in run], [0 for _ in run], {"n", "i"}, columns=True)
        one = one.copy()
        resolve(names, [one])
        if len(names.arguments) > MOST_COLUMNS:
            return None
        in_list = not prefix and numbered_names(around)
        if not names.arguments:
            one.repeat = len(run)
            one.name = "" if in_list else f"{prefix}{{i{f' + {number}' if number else ''}}}"
        else:
            if any(any(value is MISSING for value in each.values) for each in names.arguments):
                return None
            one.columns = {each.name: each.values for each in names.arguments}
            if in_list:
                one.name = ""
            else:
                one.name = f"{prefix}{{n}}"
                one.columns = {"n": [number + i for i in range(len(run))], **one.columns}
        self.folds.append(("runs", frozenset(each.path for each in run)))
        return one

    def _copies(self, statements: list[Statement], in_list: bool) -> list[Statement]:
        """Statements in a row that are equal but for their numbers, as one with `repeat`; blocks in tables."""
        made: list[Statement] = []
        at = 0
        while at < len(statements):
            first = statements[at]
            run = numbered_run(
                statements, at, lambda each: each.repeat is None and not each.columns and each.when is None
            )
            same = [each for each in run if fingerprint(each, False) == fingerprint(first, False)]
            length = next(
                (i for i, each in enumerate(run) if fingerprint(each, False) != fingerprint(first, False)), len(run)
            )
            del same
            if length > 1 and (first.kind != "layer" or first.full is not None or length > 2):
                prefix, number = prefix_of(first.name)
                name = "" if in_list else f"{prefix}{{i{f' + {number}' if number else ''}}}"
                made.append(first.copy(name=name, repeat=length))
                at += length
                continue
            table = next((i for i, each in enumerate(run) if each.type != first.type or each.full is None), len(run))
            if table > 2 and first.full is not None:
                one = self._one(run[:table], statements)
                if one is not None:
                    made.append(one)
                    at += table
                    continue
            made.append(first)
            at += 1
        return told_apart(made)

    def _periods(self, statements: list[Statement]) -> list[Statement]:
        """Layers of a list that recur in a rhythm, as `inline` with `repeat` or `foreach`."""
        statements = self._rhythm(statements, self._equal_period)
        return self._rhythm(statements, self._like_period)

    def _rhythm(self, statements: list[Statement], join: Any) -> list[Statement]:
        for period in (2, 3, 4, 5, 6):
            made: list[Statement] = []
            at = 0
            while at < len(statements):
                found = join(statements, at, period)
                if found is None:
                    made.append(statements[at])
                    at += 1
                else:
                    one, length = found
                    made.append(one)
                    at += length
            statements = made
        return statements

    def _equal_period(self, statements: list[Statement], at: int, period: int) -> tuple[Statement, int] | None:
        unit = statements[at : at + period]
        if len(unit) < period or any(each.columns or each.source for each in unit):
            return None
        prints = [fingerprint(each, False) for each in unit]
        if len(set(prints)) == 1:
            return None
        count = 1
        while [
            fingerprint(each, False) for each in statements[at + count * period : at + (count + 1) * period]
        ] == prints:
            count += 1
        if count < 2:
            return None
        return inline([each.copy(name="") for each in unit], count), count * period

    def _like_period(self, statements: list[Statement], at: int, period: int) -> tuple[Statement, int] | None:
        units: list[list[Statement]] = []
        place = at
        while len(unit := statements[place : place + period]) == period and len(units) < LONGEST:
            if units and [(each.kind, each.type) for each in unit] != [(each.kind, each.type) for each in units[0]]:
                break
            units.append(unit)
            place += period
        for count in lengths(len(units)):
            parts = [inline(numbered_anew(unit), None).copy(name=str(i)) for i, unit in enumerate(units[:count])]
            one = self._one(parts, [Statement("0", "layer")])
            if one is not None and one.columns:
                one.body = [each.copy(name="") for each in one.body]
                return one, count * period
        return None


def lengths(count: int) -> Iterator[int]:
    """How many of a run are tried together: all, and then fewer, in ever larger steps where it is long.

    >>> list(lengths(5)), list(lengths(40))
    ([5, 4, 3, 2], [40, 20, 10, 8, 7, 6, 5, 4, 3, 2])
    """
    count = min(count, LONGEST)
    while count > 1:
        yield count
        count = count - 1 if count <= FEW else max(count // 2, FEW)


def told_apart(statements: list[Statement]) -> list[Statement]:
    """The same with names that differ, also where they are templates: a second `layer{n}` is `layer{m}`."""
    seen: set[str] = set()
    for at, each in enumerate(statements):
        if each.name in seen and "{" in each.name:
            for letter in "mkabcdefgh":
                name = each.name.replace("{n}", f"{{{letter}}}")
                if name not in seen and "{n}" in each.name:
                    columns = {letter if key == "n" else key: values for key, values in each.columns.items()}
                    statements[at] = each = each.copy(name=name, columns=columns)
                    break
        seen.add(each.name)
    return statements


def numbered_anew(statements: Sequence[Statement]) -> list[Statement]:
    """The statements counted from zero, those without a name left so."""
    return [each.copy(name="" if each.kind == "inline" else str(i)) for i, each in enumerate(statements)]


def inline(body: list[Statement], repeat: int | None) -> Statement:
    """Statements that add nothing to the path, so many times."""
    made = Statement("", "inline", body=body)
    made.repeat = repeat
    return made


def prefix_of(name: str) -> tuple[str, int]:
    """A name as what stands before its number, and the number.

    >>> prefix_of("denselayer12"), prefix_of("7")
    (('denselayer', 12), ('', 7))
    """
    match = re.fullmatch(r"(.*?)(0|[1-9]\d*)", name)
    return (match[1], int(match[2])) if match else (name, -1)


def numbered_run(statements: Sequence[Statement], at: int, fits: Any) -> list[Statement]:
    """The statements from a place on whose names count up by one, and that fit."""
    prefix, number = prefix_of(statements[at].name)
    run: list[Statement] = []
    for each in statements[at:]:
        if number < 0 or prefix_of(each.name) != (prefix, number) or not fits(each):
            break
        run.append(each)
        number += 1
    return run


def numbered_names(statements: Sequence[Statement]) -> bool:
    """Whether the names are those that a list gives."""
    return all(each.name == str(i) and each.when is None for i, each in enumerate(statements)) or all(
        each.name == "" for each in statements
    )
