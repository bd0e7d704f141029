"""Markdown: a table that GitHub and pandoc read."""

from __future__ import annotations

import re

from ..printable import printable, printable_lines
from .table import Table


def render(table: Table) -> str:
    """Title, header, table, notes."""
    parts = [f"**{escaped(table.title)}**"] if table.title.strip() else []
    parts += [escaped(line) for line in table.head]
    if table.columns:
        rows = [
            "| " + " | ".join(escaped(column.title) for column in table.columns) + " |",
            "|" + "|".join(" ---: " if column.right else " --- " for column in table.columns) + "|",
        ]
        for line in table.lines:
            cells = [escaped(text) for text in table.texts(line)]
            if line.kind in ("group", "total"):
                cells = [f"**{cell}**" if cell else "" for cell in cells]
            rows.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(rows))
    if any("  " in note or "\n" in note for note in table.notes):
        parts.append(fenced("\n".join(table.notes)))
    else:
        parts += [escaped(note) for note in table.notes]
    return "\n\n".join(parts) + "\n"


#: What Markdown, GitHub's and pandoc's additions to it included, finds something in: emphasis, code, links, HTML,
#: entities, tables, mathematics, what is struck out, raised, cited or marked up; and addresses and GitHub's :names: of
#: pictures, by their colon or dot.
_MEANT = re.compile(
    r"(?<![^\W_])_|_(?![^\W_])|[\\`*\[\]<>|#&~$^{}@]|:(?=//|[\w+-]+:)|(?<=^Table):|(?<=www)\.|^[-+=:!%]"
    r"|^(\(?(?:\d+|[a-z]|[ivxlcdm]+))[.)](?=\s|$)",
    re.IGNORECASE,
)


def escaped(text: str) -> str:
    r"""A text on one line in which Markdown finds nothing to interpret.

    >>> print(escaped("*a* <b>"), escaped("1. x"), escaped("https://x.org"))
    \*a\* \<b\> 1\. x https\://x.org
    """
    line = " ".join(printable(text).split())
    return _MEANT.sub(lambda found: f"{found[1]}\\{found[0][-1]}" if found[1] else f"\\{found[0]}", line)


def fenced(text: str) -> str:
    """Lines as they are, in a fence that nothing in them closes."""
    longest = max((len(run) for run in re.findall("~+", text)), default=0)
    fence = "~" * max(3, longest + 1)
    return f"{fence}text\n{printable_lines(text)}\n{fence}"
