"""Tables and reports in one format a file: terminal, plain text, JSON, CSV, Markdown, LaTeX, HTML."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from .table import Table

#: What `--format` takes, and the file endings that stand for it.
FORMATS = {"table": ".txt", "json": ".json", "csv": ".csv", "markdown": ".md", "latex": ".tex", "html": ".html"}


def render(table: Table, format: str) -> str:
    """A table in one of `FORMATS`; `table` is plain text, as for a pipe."""
    module = import_module(f"{__name__}.{'plain' if format == 'table' else format}")
    write: Callable[[Table], str] = module.render
    return write(table if format in ("json", "csv") else table.printable())
