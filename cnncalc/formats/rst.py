"""reStructuredText: a list-table, and explanations with mathematics, as Sphinx and docutils read them."""

from __future__ import annotations

import re
import textwrap

from ..explanation import Explained, Explanation, equation
from ..printable import printable, printable_lines
from ..table import Table

ENDINGS = (".rst",)

#: What reStructuredText finds something in: anywhere in a text; and at its beginning, as bullets, titles and numbers.
_MEANT = re.compile(r"[\\*`|_<>:@#]|^[^\w\s]|^(\(?(?:\d+|[a-z]|[ivxlcdm]+))([.)])(?=\s|$)", re.IGNORECASE)


def table(table: Table) -> str:
    """Title, header, table, notes."""
    table = table.printable()
    parts = [f"**{escaped(table.title)}**"] if table.title.strip() else []
    parts += [escaped(line) for line in table.head]
    if table.columns:
        rows = [[column.title for column in table.columns], *(table.texts(line) for line in table.lines)]
        lines = [".. list-table::", "   :header-rows: 1", ""]
        for row in rows:
            lines += [f"   {'  ' if i else '* '}- {escaped(cell)}".rstrip() for i, cell in enumerate(row)]
        parts.append("\n".join(lines))
    if any("  " in note or "\n" in note for note in table.notes):
        parts.append(_literal("\n".join(table.notes)))
    else:
        parts += [escaped(note) for note in table.notes]
    return "\n\n".join(part for part in parts if part) + "\n"


def explained(answer: Explained) -> str:
    """A rubric for each explanation, and displayed equations."""
    return "\n\n".join(map(_explanation, answer.parts)) + "\n"


def _explanation(explanation: Explanation) -> str:
    parts = [f".. rubric:: {escaped(explanation.title)}"]
    parts += [escaped(explanation.note)] if explanation.note else []
    for line in explanation.lines:
        label = f"**{escaped(line.label)}**"
        if line.step is None:
            parts.append(f"{label}: {escaped(line.text)}")
            continue
        formula = line.step.formula
        parts += [f"{label} ({escaped(formula.unit)})", f".. math:: {equation(line.step)}"]
        parts += [escaped(line.remark)] if line.remark else []
        parts.append(f"*{escaped(formula.source)}*")
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    r"""A text on one line in which reStructuredText finds nothing to interpret.

    >>> print(escaped("*a* b_"), escaped("1. x"), escaped(".. raw:: html"))
    \*a\* b\_ 1\. x \.. raw\:\: html
    """
    line = " ".join(printable(text).split())
    return _MEANT.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[0]}", line)


def _literal(text: str) -> str:
    """Lines as they are."""
    return "::\n\n" + textwrap.indent(printable_lines(text).strip("\n"), "   ")
