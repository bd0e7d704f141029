"""A table as data, before any format: values with the way to show them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from ..formula import number
from ..ops import readable
from ..printable import printable, printable_lines


def as_text(value: Any) -> str:
    return str(value)


def as_number(value: Any) -> str:
    return number(value)


def as_shape(value: Any) -> str:
    return readable(value)


def as_share(value: Any) -> str:
    return f"{100 * value:.1f} %"


def as_mib(value: Any) -> str:
    """Mebibytes with enough digits to see small ones.

    >>> as_mib(102.4), as_mib(0.017944)
    ('102.40', '0.0179')
    """
    return f"{value:,.2f}" if value >= 1 else f"{value:.4f}"


def as_axes(value: Any) -> str:
    """Sizes along the axes; one alone where they are equal.

    >>> as_axes((5, 5)), as_axes((1, 5))
    ('5', '1×5')
    """
    distinct = value[:1] if all(each == value[0] for each in value) else value
    return "×".join(f"{float(each):g}" if isinstance(each, Fraction) else number(each) for each in distinct)


class Prose(str):
    """Running text among the lines of a table: it is broken to the width that there is."""

    hanging = ""

    def broken(self, width: int) -> str:
        """The text in lines."""
        return "\n".join(textwrap.wrap(self, width, subsequent_indent=self.hanging, break_on_hyphens=False))


class Item(Prose):
    """Running text of which several stand below each other: all lines but the first are indented."""

    hanging = "  "


#: The width of running text in a pipe or file.
WIDTH = 96


class Column(NamedTuple):
    """A column: its key for programs, its heading for people, and how a value is shown."""

    key: str
    title: str
    show: Callable[[Any], str] = as_text
    right: bool = False


class Line(NamedTuple):
    """A row: raw values, None where they are not known. `kind` is layer, group, copies or total."""

    cells: tuple[Any, ...]
    kind: str = "layer"
    level: int = 0


class Table(NamedTuple):
    """A table with what must be known to read it: title, header lines above and notes below."""

    title: str
    columns: tuple[Column, ...]
    lines: Sequence[Line]
    head: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()  # columns that a narrow terminal may leave out, the first one first
    document: Any = None  # what the JSON format prints; the rows themselves if None

    def texts(self, line: Line, unknown: str = "?") -> list[str]:
        """The cells of a line as people read them."""
        return [shown(column, cell, unknown) for column, cell in zip(self.columns, line.cells, strict=True)]

    def printable(self) -> Table:
        """The same with a title, header and notes that are fit for a terminal and a page, as `texts` are."""
        head = tuple(_kept(line, printable(line)) for line in self.head)
        notes = tuple(_kept(note, printable_lines(note)) for note in self.notes)
        return self._replace(title=printable(self.title), head=head, notes=notes)


def _kept(text: str, cleaned: str) -> str:
    """A text that was cleaned, prose if it was prose."""
    return text if text == cleaned else type(text)(cleaned)


class AtLeast(NamedTuple):
    """A total with an unknown part: what is known of it."""

    value: Any


EMPTY = ""


def shown(column: Column, cell: Any, unknown: str = "?") -> str:
    """One cell as people read it."""
    if cell is None:
        return unknown
    if isinstance(cell, str):
        return printable(cell)
    if isinstance(cell, AtLeast):
        return f"≥ {column.show(cell.value)}"
    return printable(column.show(cell))
