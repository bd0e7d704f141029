"""All figures, as the registry has them."""

from __future__ import annotations

from ..report.figures import FIGURES, Figure
from ..table import Column, Line, Table


def figures_table() -> Table:
    """What is counted, in which unit, and what each figure is called where.

    >>> [line.cells[0] for line in figures_table().lines][:4]
    ['shape', 'layers', 'depth', 'weights']
    """
    columns = (
        Column("key", "figure"),
        Column("unit", "unit"),
        Column("layers", "--columns"),
        Column("network", "total"),
        Column("question", "explain -q"),
        Column("what", "what it is"),
    )
    lines = [Line(_cells(figure)) for figure in FIGURES.values()]
    notes = ("--sort takes columns; compare, zoo and the `expect` of a network take totals, that of a layer figures",)
    return Table("", columns, lines, (), notes, ("question", "unit"))


def _cells(figure: Figure) -> tuple[str, ...]:
    columns = [figure.column, figure.mebibytes, figure.shared] if figure.of_layers else []
    total = figure.total if figure.of_network else ""
    return figure.key, figure.unit, ", ".join(filter(None, columns)), total, figure.question, figure.what
