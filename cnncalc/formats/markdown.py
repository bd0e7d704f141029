"""Markdown: a table that GitHub and pandoc read."""

from __future__ import annotations

from ..explanation import Explained
from ..markup import fenced, markdown
from ..table import Table

ENDINGS = (".md", ".markdown")


def table(table: Table) -> str:
    """Title, header, table, notes."""
    table = table.printable()
    parts = [f"**{markdown(table.title)}**"] if table.title.strip() else []
    parts += [markdown(line) for line in table.head]
    if table.columns:
        rows = [
            "| " + " | ".join(markdown(column.title) for column in table.columns) + " |",
            "|" + "|".join(" ---: " if column.right else " --- " for column in table.columns) + "|",
        ]
        for line in table.lines:
            cells = [markdown(text) for text in table.texts(line)]
            if line.kind in ("group", "total"):
                cells = [f"**{cell}**" if cell else "" for cell in cells]
            rows.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(rows))
    if any("  " in note or "\n" in note for note in table.notes):
        parts.append(fenced("\n".join(table.notes)))
    else:
        parts += [markdown(note) for note in table.notes]
    return "\n\n".join(parts) + "\n"


def explained(answer: Explained) -> str:
    """A heading for each explanation, and displayed equations."""
    return "\n\n".join(part.markdown().rstrip("\n") for part in answer.parts) + "\n"
