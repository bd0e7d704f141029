"""Plain text with aligned columns, one line a row: for pipes and files."""

from __future__ import annotations

from ..explanation import Explained, legend_lines
from ..printable import printable
from ..table import WIDTH, Prose, Table

ENDINGS = ("", ".txt")


def table(table: Table) -> str:
    """Title and header, the columns, then the notes."""
    if table.text:
        return table.text
    table = table.printable()
    rows = [[_cut(text) for text in table.texts(line)] for line in table.lines]
    titles = [column.title for column in table.columns]
    widths = [max(len(row[i]) for row in [titles, *rows]) for i in range(len(titles))]
    sides = zip(table.columns, widths, strict=True)
    aligned = "  ".join(f"{{:{'>' if column.right else '<'}{width}}}" for column, width in sides)
    body = [aligned.format(*cells).rstrip() for cells in (titles, *rows)]
    if table.lines and table.lines[-1].kind == "total":
        body.insert(-1, "-" * max(map(len, body)))
    head = [_broken(part) for part in (table.title, *table.head) if part]
    blocks = ["\n".join(part) for part in (head, body if titles else [], [*map(_broken, table.notes)]) if part]
    return "\n\n".join(blocks) + "\n"


#: Characters of a cell, which all others of its column are as wide as; JSON and CSV have it whole.
WIDEST = 500


def _cut(text: str) -> str:
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"


def _broken(text: str) -> str:
    return text.broken(WIDTH) if isinstance(text, Prose) else text


def explained(answer: Explained) -> str:
    """What the numbers are of, formula, substitution and result below each other, and what the letters mean."""
    parts = [printable(answer.head), *(each.text() for each in answer.parts)]
    letters = answer.legend()
    if letters:
        parts.append("\n".join(["letters", *legend_lines(letters)]))
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
