"""Which value of a knob does it: the largest width under a budget, the windows that give a size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import usage_error
from ..language.model import load
from ..ops.conv import conv_output
from ..ops.conv_transpose import transposed_output
from ..quantities import number
from ..record import Record
from ..table import Column, Line, Table
from .api import Chosen
from .choose import joined
from .space import Space, own_value
from .sweep import Rows

#: Where nobody said which values: how far beyond a knob's own where nothing below it does, and how far ever.
FURTHER, MOST_TRIED = 4, 100_000


class Solved(Record):
    """What was tried, the rows that do it, and the nearest where none does."""

    space: Space
    rows: Rows | None
    nearest: Rows | None
    columns: tuple[str, ...]
    said: tuple[str, ...]


def solve(
    spec: str,
    knobs: Sequence[str],
    such_that: str,
    over: Mapping[str, Sequence[Any]] = MappingProxyType({}),
    largest: bool = False,
    batch: int = 1,
) -> Solved:
    """The settings of some knobs that meet a condition; with `largest` those with the most of the first.

    Where no values of a knob are given, here or in the `space` of the spec, its own is doubled until the condition
    fails. Raises `SpecError`.
    """
    said = []
    axes: dict[str, Sequence[Any]] = {}
    for knob in knobs:
        stated = _stated(spec, knob)
        if knob in over or stated:
            axes[knob] = over.get(knob) or stated
        else:
            axes[knob] = _doubled(spec, knob, such_that, batch)
            said.append(f"tried {knob} from {number(axes[knob][0])} to {number(axes[knob][-1])}")
    space = Space(spec, axes, alone=True)
    chosen = Chosen(space, (), (such_that,), batch)
    columns = tuple(chosen.sweep.columns)
    best: Rows | None = None
    near: tuple[float, Rows] | None = None
    for rows in chosen.sweep:
        met = rows.some(np.broadcast_to(chosen.conditions[0].holds(chosen.values(rows)), len(rows)))
        if len(met):
            both = met if best is None else joined([best, met])
            if largest:
                first = np.asarray(both.knobs[knobs[0]])
                both = both.some(first == first.max())
            best = both
        elif best is None and len(rows):
            away = chosen.conditions[0].distance(chosen.values(rows))
            place = int(np.argmin(away))
            if near is None or away[place] < near[0]:
                near = float(away[place]), rows.some(np.array([place]))
    return Solved(space, best, None if best is not None or near is None else near[1], columns, tuple(said))


def _stated(spec: str, knob: str) -> Sequence[Any]:
    """The values that the spec itself states for a knob, if any."""
    stated = load(spec).space
    return next(
        ([value for (value,) in axis.values] for axis in (stated.axes if stated else ()) if axis.name == knob), ()
    )


def _doubled(spec: str, knob: str, such_that: str, batch: int) -> Sequence[int]:
    """From 1 to the first doubling of a knob's own value at which the condition fails, which is in it.

    Where it fails at the knob's own value and at all below, from 1 to some times as much.
    """
    own = high = own_value(spec, knob)
    while _met(spec, {knob: [high]}, such_that, batch):
        high *= 2
        if high > MOST_TRIED:
            raise usage_error(f"{knob} meets {such_that} up to {number(high // 2)} and beyond", f"--over {knob}=1:1000")
    if high == own and not _met(spec, {knob: range(1, own)}, such_that, batch):
        high = max(own, min(FURTHER * own, MOST_TRIED))
    return range(1, high + 1)


def _met(spec: str, axes: Mapping[str, Sequence[int]], such_that: str, batch: int) -> bool:
    if not all(axes.values()):
        return False
    chosen = Chosen(Space(spec, axes, alone=True), (), (such_that,), batch)
    return any(len(rows) for rows in chosen)


def windows(kind: str, given: Mapping[str, int], over: Mapping[str, Sequence[int]]) -> Table:
    """The windows that make O of N: kernels, strides, paddings and dilations among those that are given.

    >>> [line.cells[:3] for line in windows("conv", {"N": 224, "O": 112}, {"F": [3, 7], "S": [2], "P": range(4)}).lines]
    [(3, 2, 1), (7, 2, 3)]
    """
    usual = {"F": [3], "S": [1], "P": [0], "D": [1], "A": [0]}
    names = [name for name in usual if name in over or name in given]
    if not {"N", "O"} <= given.keys():
        raise usage_error("a window is looked for by what goes in and what comes out", "--given 'N=224, O=7'")
    unknown = [name for name in (*given, *over) if name not in ("N", "O", *usual)]
    if unknown:
        raise usage_error(f"there is no letter {unknown[0]}", "N, O, F, S, P, D; A of transposed ones")
    values = {name: list(over.get(name, [given[name]] if name in given else usual[name])) for name in usual}
    size = int(np.prod([len(each) for each in values.values()], dtype=np.float64))
    if size > 10**6:
        raise usage_error(f"{number(size)} windows are too many", "smaller ranges")
    found, nearest = [], None
    for F, S, P, D, A in product(*values.values()):
        if S < 1 or F < 1 or D < 1 or P < 0 or (kind != "transposed" and given["N"] + 2 * P < D * (F - 1) + 1):
            continue
        letters = {"N": given["N"], "F": F, "S": S, "P": P, "D": D}
        made = transposed_output(**letters, A=A) if kind == "transposed" else conv_output(**letters)
        cells = {"F": F, "S": S, "P": P, "D": D, "A": A}
        row = (*(cells[name] for name in names), made)
        if made == given["O"]:
            found.append(row)
        elif nearest is None or abs(made - given["O"]) < abs(nearest[-1] - given["O"]):
            nearest = row
    columns = tuple(Column(name, name, number, True) for name in (*names, "O"))
    notes = () if found or nearest is None else (f"none gives {given['O']}; the nearest is shown",)
    lines = [Line(row) for row in (found or ([nearest] if nearest else []))]
    return Table(f"{kind}: {given['N']} → {given['O']}", columns, lines, notes=notes, document=None if found else [])
