"""A table as data, before any format: values with the way to show them."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

from .printable import printable, printable_lines
from .record import Record


class Prose(str):
    """Running text among the lines of a table: it is broken to the width that there is."""

    hanging = ""

    def broken(self, width: int) -> str:
        """The text in lines."""
        return "\n".join(textwrap.wrap(self, width, subsequent_indent=self.hanging, break_on_hyphens=False))


class Bullet(Prose):
    """Running text of which several stand below each other: all lines but the first are indented."""

    hanging = "  "


#: The width of running text in a pipe or file.
WIDTH = 96


class Column(Record):
    """A column: its key for programs, its heading for people, and how a value is shown."""

    key: str
    title: str
    show: Callable[[Any], str] = str
    right: bool = False


class Line(Record):
    """A row: raw values, None where they are not known. `kind` is layer, group, copies or total."""

    cells: tuple[Any, ...]
    kind: str = "layer"
    level: int = 0


class Deferred(Sequence[Line]):
    """Lines that are made when they are first asked for: a format that shows none of them does not wait for them.

    >>> lines = Deferred(lambda: [Line(("conv1", 456))])
    >>> len(lines), lines[0].cells
    (1, ('conv1', 456))
    """

    def __init__(self, made: Callable[[], Sequence[Line]]) -> None:
        self._made = made

    @cached_property
    def _lines(self) -> Sequence[Line]:
        return self._made()

    def __getitem__(self, index: Any) -> Any:
        return self._lines[index]

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines)


class Table(Record):
    """A table with what must be known to read it: title, header lines above and notes below."""

    title: str
    columns: tuple[Column, ...]
    lines: Sequence[Line]
    head: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()  # columns that a narrow terminal may leave out, the first one first
    document: Any = None  # what the JSON format prints, or a function that makes it; the rows themselves if None
    text: str = ""  # the same for people to read in a terminal, where columns would be too wide

    def texts(self, line: Line, unknown: str = "?") -> list[str]:
        """The cells of a line as people read them."""
        return [shown(column, cell, unknown) for column, cell in zip(self.columns, line.cells, strict=True)]

    def printable(self) -> Table:
        """The same with a title, header and notes that are fit for a terminal and a page, as `texts` are."""
        head = tuple(_kept(line, printable(line)) for line in self.head)
        notes = tuple(_kept(note, printable_lines(note)) for note in self.notes)
        return self._replace(title=printable(self.title), head=head, notes=notes)

    def _repr_html_(self) -> str:
        """A table element with its title and notes around it: what a notebook shows, and a page holds."""
        from html import escape

        table, parts = self.printable(), ["<div>"]
        parts += [f"<p><b>{escape(table.title)}</b></p>"] if table.title else []
        parts += [f"<p><small>{escape(line)}</small></p>" for line in table.head]
        if table.columns:
            aligned = ["right" if column.right else "left" for column in table.columns]
            titles = zip(aligned, (column.title for column in table.columns), strict=True)
            head = "".join(_cell("th", side, text) for side, text in titles)
            parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>")
            for line in table.lines:
                texts = table.texts(line)
                texts[0] = "\u2003" * line.level + texts[0]
                row = "".join(_cell("td", side, text) for side, text in zip(aligned, texts, strict=True))
                weight = ' style="font-weight:bold"' if line.kind in ("group", "total") else ""
                parts.append(f"<tr{weight}>{row}</tr>")
            parts.append("</tbody></table>")
        if table.notes:
            parts.append("<pre>" + escape("\n".join(table.notes)) + "</pre>")
        return "\n".join([*parts, "</div>"]) + "\n"


def _cell(tag: str, side: str, text: str) -> str:
    from html import escape

    return f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>'


def _kept(text: str, cleaned: str) -> str:
    """A text that was cleaned, prose if it was prose."""
    return text if text == cleaned else type(text)(cleaned)


class AtLeast(Record):
    """A sum with an unknown part: what is known of it."""

    value: Any


#: A cell in which nothing is to be said.
EMPTY = ""


def known(value: Any) -> Any:
    """The number that is known of a value, whether or not it is all."""
    return value.value if isinstance(value, AtLeast) else value


def shown(column: Column, cell: Any, unknown: str = "?") -> str:
    """One cell as people read it."""
    if cell is None:
        return unknown
    if isinstance(cell, str):
        return printable(cell)
    if isinstance(cell, AtLeast):
        return f"≥ {column.show(cell.value)}"
    return printable(column.show(cell))
