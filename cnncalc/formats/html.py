"""HTML: a page with one table, as a notebook shows it."""

from __future__ import annotations

from html import escape

from ..printable import printable
from ..table import Table

ENDINGS = (".html", ".htm")


def table(table: Table) -> str:
    """A page with one table."""
    head = f'<meta charset="utf-8"><title>{escape(printable(table.title or "cnncalc"))}</title>'
    return f"<!doctype html>\n<html><head>{head}</head><body>\n{table._repr_html_()}</body></html>\n"
