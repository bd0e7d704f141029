"""A region: the candidates for which the calculator does the same, and what it says of each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np

from ..errors import SpecError, usage_error
from ..report import analyse
from ..report.figures import OF_NETWORK
from ..table import AtLeast
from .evaluate import Array, Chunk, Evaluator
from .polynomial import Frozen, TooMany, frozen
from .remembering import Trace, polynomial_of
from .space import Space

_NUMBER = re.compile(r"\d[\d,.]*(?:×\d+)*")


class Region:
    """What one run of the calculator tells of all candidates that answer its guards alike."""

    def __init__(self, space: Space, digits: Sequence[int], columns: Sequence[str], batch: int) -> None:
        self.space, self.columns, self.batch = space, columns, batch
        self.reason = ""
        self.figures: dict[str, Frozen] = {}
        self.asked = 0  # how often
        self.alone = False  # whether it is one candidate, since too much depends on its numbers
        self.tables: dict[int, Array] = {}
        trace = Trace()
        axes = [axis.values for axis in space.axes]
        values: list[Any] = []
        for number, (axis, digit) in enumerate(zip(space.axes, digits, strict=True)):
            value = axis.values[digit]
            values.append(trace.knob(number, value) if axis.is_number else value)
        self.evaluator = Evaluator(trace, axes)
        try:
            self._run(values)
        except TooMany:
            self.narrow(digits)
            return
        for number, (axis, digit) in enumerate(zip(space.axes, digits, strict=True)):
            if not axis.is_number:
                self.tables[number] = np.arange(len(axis.values)) == digit
        self.guards = self._simplified(trace)

    def _run(self, values: Sequence[Any]) -> None:
        try:
            found = measured(self.space, values, self.columns, self.batch)
        except SpecError as error:
            self.reason = reason_of(error)
            return
        self.figures = {name: frozen(polynomial_of(value)) for name, value in found.items()}

    def narrow(self, digits: Sequence[int]) -> None:
        """Speak for one candidate alone, as the calculator does."""
        self.alone, self.guards, self.reason, self.figures = True, [], "", {}
        for number, digit in enumerate(digits):
            self.tables[number] = np.arange(self.space.sizes[number]) == digit
        self._run([axis.values[digit] for axis, digit in zip(self.space.axes, digits, strict=True)])

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
        """A figure of candidates for which it speaks."""
        return np.broadcast_to(np.asarray(self.evaluator.polynomial(self.figures[column], chunk)), len(chunk))

    def agrees(self, digits: Sequence[int]) -> bool:
        """Whether it says of a candidate what the calculator says, asked by itself."""
        knobs = [axis.values[digit] for axis, digit in zip(self.space.axes, digits, strict=True)]
        try:
            found = measured(self.space, knobs, self.columns, self.batch)
        except SpecError as error:
            return reason_of(error) == self.reason
        if self.reason:
            return False
        known = dict(enumerate(knobs))
        return all(self.evaluator.value(self.figures[name], known) == value for name, value in found.items())


def measured(space: Space, values: Sequence[Any], columns: Sequence[str], batch: int) -> dict[str, Any]:
    """The figures of one candidate; raises `SpecError` where it is no network, or a figure is not known."""
    report = analyse(space.graph(values), batch=batch)
    if report.graph.errors:
        raise SpecError(report.graph.errors)
    found = {}
    for name in columns:
        value = report.whole.value(OF_NETWORK[name].key)
        if value is None or isinstance(value, AtLeast) or not isinstance(value, int):
            raise usage_error(f"{name} is no whole number that is known of {space.spec.file}", "another figure")
        found[name] = value
    return found


def reason_of(error: SpecError) -> str:
    """Why a candidate is none, each number in it as n, so that candidates are counted by reasons."""
    problem = error.problems[0]
    line = f"line {problem.place.line}: " if problem.place else ""
    return line + _NUMBER.sub("n", problem.message)


def checked(region: Region, candidates: Chunk, rng: Random) -> bool:
    """Whether a region says of one of its candidates, drawn by chance, what the calculator says."""
    place = rng.randrange(len(candidates))
    return region.agrees([int(digit[place]) for digit in candidates.digits])
