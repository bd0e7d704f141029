"""HTML: a page for any table, and what a notebook shows for a report."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..printable import printable
from .table import Table

if TYPE_CHECKING:
    from ..report import Report


def render(table: Table) -> str:
    """A page with one table."""
    head = f'<meta charset="utf-8"><title>{escape(printable(table.title or "cnncalc"))}</title>'
    return f"<!doctype html>\n<html><head>{head}</head><body>\n{fragment(table)}</body></html>\n"


def fragment(table: Table) -> str:
    """A table element with its title and notes around it, for a notebook or a page of one's own."""
    table, parts = table.printable(), ["<div>"]
    parts += [f"<p><b>{escape(table.title)}</b></p>"] if table.title else []
    parts += [f"<p><small>{escape(line)}</small></p>" for line in table.head]
    if table.columns:
        aligned = ["right" if column.right else "left" for column in table.columns]
        titles = zip(aligned, (column.title for column in table.columns), strict=True)
        parts.append(
            "<table><thead><tr>" + "".join(_cell("th", side, text) for side, text in titles) + "</tr></thead><tbody>"
        )
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


def report_html(report: Report) -> str:
    """A report as a notebook shows it: shapes, parameters and work of each layer, folded like a terminal's table."""
    from .views import Choice, view

    return fragment(view(report, "overview", Choice(fit=60)))


def _cell(tag: str, side: str, text: str) -> str:
    return f'<{tag} style="text-align:{side}">{escape(text)}</{tag}>'
