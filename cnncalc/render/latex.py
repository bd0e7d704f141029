"""LaTeX: a tabular with booktabs rules, to be put into a table environment."""

from __future__ import annotations

from collections.abc import Iterable

from .explanation import escaped
from .table import Table


def render(table: Table) -> str:
    """A longtable would need a package more; a tabular goes anywhere. Wants booktabs."""
    parts = _comments((table.title, *table.head))
    if table.columns:
        parts.append(rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in table.columns)}}}")
        parts.append(r"\toprule")
        parts.append(" & ".join(escaped(column.title) for column in table.columns) + r" \\")
        parts.append(r"\midrule")
        for line in table.lines:
            if line.kind == "total":
                parts.append(r"\midrule")
            parts.append(" & ".join(escaped(text) for text in table.texts(line)) + r" \\")
        parts += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*parts, *_comments(table.notes)]) + "\n"


def _comments(texts: Iterable[str]) -> list[str]:
    """Texts as comments, each of their lines."""
    return [f"% {line}".rstrip() for text in texts for line in text.splitlines()]
