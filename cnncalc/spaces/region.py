"""A region: the candidates for which the calculator does the same, and what it says of each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from ..errors import SpecError, usage_error
from ..report import analyse
from .columns import Figured
from .evaluate import Array, Chunk, Evaluator
from .polynomial import Frozen, TooMany, frozen
from .remembering import Trace, polynomial_of
from .space import Space

_NUMBER = re.compile(r"\d[\d,.]*(?:×\d+)*")


class Region:
    """What one run of the calculator tells of all candidates that answer its guards alike."""

    def __init__(self, space: Space, digits: Sequence[int], columns: Sequence[Figured], batch: int) -> None:
        self.space, self.columns, self.batch = space, columns, batch
        self.reason = ""
        self.figures: dict[str, tuple[Frozen, ...]] = {}
        self.asked = 0  # how often
        self.alone = False  # whether it is one candidate, since too much depends on its numbers
        self.tables: dict[int, Array] = {}
        trace = Trace()
        knobs = space.knobs
        values: list[Any] = []
        for number, (knob, digit) in enumerate(zip(knobs, digits, strict=True)):
            value = knob.values[digit]
            values.append(trace.knob(number, value) if knob.is_number else value)
        self.evaluator = Evaluator(trace, [knob.values for knob in knobs])
        try:
            self._run(values)
        except TooMany:
            self.narrow(digits)
            return
        for number, (knob, digit) in enumerate(zip(knobs, digits, strict=True)):
            if not knob.is_number:
                self.tables[number] = np.arange(len(knob.values)) == digit
        self.guards = self._simplified(trace)

    def _run(self, values: Sequence[Any]) -> None:
        try:
            found = measured(self.space, values, self.columns, self.batch)
        except SpecError as error:
            self.reason = reason_of(error)
            return
        self.figures = {name: tuple(frozen(polynomial_of(n)) for n in numbers) for name, numbers in found.items()}

    def narrow(self, digits: Sequence[int]) -> None:
        """Speak for one candidate alone, as the calculator does."""
        self.alone, self.guards, self.reason, self.figures = True, [], "", {}
        for number, digit in enumerate(digits):
            self.tables[number] = np.arange(len(self.space.knobs[number].values)) == digit
        self._run([knob.values[digit] for knob, digit in zip(self.space.knobs, digits, strict=True)])

    def _simplified(self, trace: Trace) -> list[tuple[str, Any, bool]]:
        """The guards of several knobs; those of one become a table, and those that are always so are dropped."""
        evaluator, left = self.evaluator, []
        for (kind, key), answer in trace.guards.items():
            real = kind.startswith("real ")
            if not real and evaluator.decided(kind, key) is answer:
                continue
            axes = (
                frozenset().union(*(evaluator.axes_of(part) for part in key))
                if real
                else evaluator.axes_of_polynomial(key)
            )
            if len(axes) == 1:
                (axis,) = axes
                table = evaluator.answers(kind, key, answer, axis)
                self.tables[axis] = self.tables[axis] & table if axis in self.tables else table
            else:
                left.append((kind, key, answer))
        return left

    def holds(self, chunk: Chunk) -> Array:
        """For which candidates of a chunk it speaks."""
        mask = np.ones(len(chunk), dtype=np.bool_)
        for axis, table in self.tables.items():
            if not table.all():
                mask &= table[chunk.digits[axis]]
        for kind, key, answer in self.guards:
            mask &= self.evaluator.holds(kind, key, answer, chunk)
        return mask

    def values(self, column: str, chunk: Chunk) -> Array:
        """A column of candidates for which it speaks."""
        found = [np.asarray(self.evaluator.polynomial(p, chunk)) for p in self.figures[column]]
        if len(found) == 2:
            if max(int(np.max(each, initial=0)) for each in found) >= 2**53:
                raise usage_error(f"{column} is a quotient of numbers that doubles do not hold", "a smaller space")
            found = [np.true_divide(*found)]
        return np.broadcast_to(found[0], len(chunk))

    def agrees(self, digits: Sequence[int]) -> bool:
        """Whether it says of a candidate what the calculator says, asked by itself."""
        knobs = [knob.values[digit] for knob, digit in zip(self.space.knobs, digits, strict=True)]
        try:
            found = measured(self.space, knobs, self.columns, self.batch)
        except SpecError as error:
            return reason_of(error) == self.reason
        if self.reason:
            return False
        known = dict(enumerate(knobs))
        return all(
            self.evaluator.value(p, known) == value
            for name, numbers in found.items()
            for p, value in zip(self.figures[name], numbers, strict=True)
        )


def measured(space: Space, values: Sequence[Any], columns: Sequence[Figured], batch: int) -> dict[str, tuple[Any, ...]]:
    """The whole numbers behind each column of a candidate; raises `SpecError` for no network, or what is not known."""
    report = analyse(space.graph(values), batch=batch)
    if report.graph.errors:
        raise SpecError(report.graph.errors)
    return {column.name: column.numbers(report) for column in columns}


def reason_of(error: SpecError) -> str:
    """Why a candidate is none, each number in it as n, so that candidates are counted by reasons."""
    problem = error.problems[0]
    line = f"line {problem.place.line}: " if problem.place else ""
    return line + _NUMBER.sub("n", problem.message)


def checked(region: Region, candidates: Chunk, rng: Random) -> bool:
    """Whether a region says of one of its candidates, drawn by chance, what the calculator says."""
    place = rng.randrange(len(candidates))
    return region.agrees([int(digit[place]) for digit in candidates.digits])
