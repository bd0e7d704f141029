"""Markdown: a table that GitHub and pandoc read."""

from __future__ import annotations

import re

from .table import Table


def render(table: Table) -> str:
    """Title, header, table, notes."""
    parts = [f"**{_safe(table.title)}**"] if table.title else []
    parts += [_safe(line) for line in table.head]
    if table.columns:
        rows = [
            "| " + " | ".join(_safe(column.title) for column in table.columns) + " |",
            "|" + "|".join(" ---: " if column.right else " --- " for column in table.columns) + "|",
        ]
        for line in table.lines:
            cells = [_safe(text) for text in table.texts(line)]
            if line.kind in ("group", "total"):
                cells = [f"**{cell}**" if cell else "" for cell in cells]
            rows.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(rows))
    if any("  " in note or "\n" in note for note in table.notes):
        parts.append("~~~text\n" + "\n".join(table.notes) + "\n~~~")
    else:
        parts += [_safe(note) for note in table.notes]
    return "\n\n".join(parts) + "\n"


def _safe(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|#])", r"\\\1", " ".join(text.split()))
