"""Comma-separated values: exact numbers, shapes channels first as 64x56x56."""

from __future__ import annotations

import csv
import io
from fractions import Fraction
from typing import Any

from .table import AtLeast, Table


def render(table: Table) -> str:
    """The rows without totals, so that a column can be summed; unknown values are empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(column.key for column in table.columns)
    for line in table.lines:
        if line.kind != "total":
            writer.writerow(map(_plain, line.cells))
    return text.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, AtLeast):
        return _plain(value.value)
    if isinstance(value, (tuple, list)):
        return "x".join(str(_plain(each)) for each in value)
    if isinstance(value, Fraction):
        return float(value)
    return "" if value is None else value
