"""Tables for a terminal, with colour and indentation, fitted to its width."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from ..table import WIDTH, Line, Prose, Table

STYLES = {"group": "bold", "folded": "bold", "copies": "cyan", "total": "bold", "fail": "bold red", "pass": "green"}
GAP = 2
INDENT = 2


def show(table: Table, console: Console) -> None:
    """Print a table; groups stand out, layers are indented below them. What does not fit is left out, and named."""
    table, left_out = fitted(table.printable(), console.width)
    if table.title:
        console.print(Text(table.title, style="bold"))
    for line in table.head:
        console.print(Text(_broken(line, console), style="dim"))
    if table.columns:
        console.print()
        console.print(_rich(table))
        console.print()
    for note in table.notes:
        console.print(Text(_broken(note, console)))
    if left_out:
        names = ", ".join(dict.fromkeys(left_out))
        console.print(Text(f"left out to fit {console.width} columns: {names}", style="dim"))


def _broken(text: str, console: Console) -> str:
    return text.broken(min(WIDTH, console.width)) if isinstance(text, Prose) else text


def fitted(table: Table, width: int) -> tuple[Table, list[str]]:
    """The table without the columns that it can spare, as far as the width demands it; and their titles."""
    left_out = []
    for key in table.spare:
        if _width(table) <= width:
            break
        kept = [i for i, column in enumerate(table.columns) if column.key != key]
        left_out += [column.title for column in table.columns if column.key == key]
        lines = [Line(tuple(line.cells[i] for i in kept), line.kind, line.level) for line in table.lines]
        table = table._replace(columns=tuple(table.columns[i] for i in kept), lines=lines)
    return table, left_out


def fits(table: Table, width: int) -> bool:
    """Whether all columns have room."""
    return _width(table) <= width


def _width(table: Table) -> int:
    rows = [
        [" " * INDENT * line.level + text for text in table.texts(line)[:1]] + table.texts(line)[1:]
        for line in table.lines
    ]
    widths = [max(len(cell) for cell in column) for column in zip([c.title for c in table.columns], *rows, strict=True)]
    return sum(widths) + GAP * (len(widths) - 1)


def _rich(table: Table) -> RichTable:
    made = RichTable(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="dim underline")
    for column in table.columns:
        # Numbers are never broken; names and texts are, where nothing else is left to give.
        made.add_column(
            column.title, justify="right" if column.right else "left", no_wrap=column.right, overflow="fold"
        )
    for line in table.lines:
        first, *rest = table.texts(line)
        made.add_row(Text(" " * INDENT * line.level + first), *map(Text, rest), style=STYLES.get(line.kind, ""))
    return made
