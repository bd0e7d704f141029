"""Tables for a terminal, with colour and indentation, folded to its width."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from .table import Table

STYLES = {"group": "bold", "copies": "cyan", "total": "bold", "fail": "bold red", "pass": "green", "note": "yellow"}


def show(table: Table, console: Console) -> None:
    """Print a table; groups stand out, layers are indented below them."""
    if table.title:
        console.print(Text(table.title, style="bold"))
    for line in table.head:
        console.print(Text(line, style="dim"))
    if table.columns:
        console.print(_rich(table))
    for note in table.notes:
        console.print(Text(note), soft_wrap=False)


def _rich(table: Table) -> RichTable:
    made = RichTable(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="dim")
    for index, column in enumerate(table.columns):
        wraps = not column.right and index != 1
        made.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not wraps,
            overflow="fold",
        )
    for line in table.lines:
        if line.kind == "total":
            made.add_section()
        first, *rest = table.texts(line)
        cells = [Text("  " * line.level + first), *map(Text, rest)]
        made.add_row(*cells, style=STYLES.get(line.kind, ""))
    return made
