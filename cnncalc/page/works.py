"""The work behind layers, once for those that are the same in all but their names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..answers.explain import explain
from ..explanation import Explanation
from ..record import Record
from ..report import Report
from ..report.parts import Row


class Work(Record):
    """The work of a layer, and the names of those that are the same."""

    row: Row
    alike: list[str]
    explanation: Explanation


def key(row: Row) -> Any:
    """What layers have in common whose numbers come about in the same way."""
    return row.type, row.layer.op, row.input_shapes, row.layer.shares >= 0


def works(report: Report, rows: Iterable[Row], most: int) -> dict[Any, Work]:
    """The work of layers by what they have in common, at most so many."""
    found: dict[Any, Work] = {}
    for row in rows:
        own = key(row)
        if own in found:
            found[own].alike.append(row.name)
        elif len(found) < most:
            (explanation,) = explain(report, row.name)
            found[own] = Work(row, [], explanation)
    return found
