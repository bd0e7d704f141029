"""Comma-separated values: exact numbers, shapes channels first as 64x56x56."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from ..printable import printable
from ..table import AtLeast, Table

ENDINGS = (".csv",)


def table(table: Table) -> str:
    """The rows without totals, so that a column can be summed; unknown values are empty."""
    rows = [tuple(map(_plain, line.cells)) for line in table.lines if line.kind != "total"]
    return written([column.key for column in table.columns], rows)


#: What a spreadsheet takes for a formula: a cell that begins so, or what stands behind a character at which a
#: spreadsheet of another language parts cells. Full-width forms are signs, too.
_FORMULA = re.compile(r"(?:^|(?<=[;\t|]))([\s\x22']*[=+\-@＝＋－＠])")
_NUMBER = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?\s?%?", re.IGNORECASE)


def written(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV, in which no spreadsheet finds a formula: `'` stands before what it would take for one.

    >>> print(written(["name", "value"], [("=1+1", -3), ("-3 %", "a;@b")]), end="")
    name,value
    '=1+1,-3
    -3 %,a;'@b
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (titles, *rows):
        writer.writerow([_harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()


def _harmless(text: str) -> str:
    text = printable(text)
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"'\1", text)


def _plain(value: Any) -> Any:
    if isinstance(value, AtLeast):
        return _plain(value.value)
    if isinstance(value, (tuple, list)):
        return "x".join(str(_plain(each)) for each in value)
    if isinstance(value, Fraction):
        return float(value)
    return "" if value is None else value
