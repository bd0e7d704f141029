"""Several networks side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import did_you_mean, usage_error
from ..quantities import mebibytes, readable
from ..report import Report
from ..report.document import document
from ..report.figures import BY_NAME, OF_NETWORK, Figure
from ..table import AtLeast, Column, Line, Table, known

#: The totals that are compared where none are named, and those that are given as ratios to the first network's, too.
COLUMNS = ("params", "macs", "depth", "weight_bytes", "peak_inference_bytes")
RATIOS = ("params", "macs")


def compare(reports: Sequence[Report], columns: Sequence[str] = ()) -> Table:
    """Totals of several networks, each with its ratio to the first; raises `SpecError` for a total that there is not.

    >>> from cnncalc import analyse
    >>> [line.cells[1] for line in compare([analyse("lenet"), analyse("alexnet")], ["intensity"]).lines]
    [Fraction(52065, 45962), Fraction(11159195, 3963761)]
    """
    figures = [figure_of(name) for name in columns or COLUMNS]
    first = reports[0].whole
    ratios = {figure.key for figure in figures if columns or figure.key in RATIOS}
    heads = [Column("network", "network")]
    for figure in figures:
        show = mebibytes if figure.in_bytes else figure.show
        heads.append(Column(figure.total, figure.title, show, True))
        if figure.key in ratios and figure.totalled:
            heads.append(Column(f"{figure.total}_ratio", "×", _ratio, True))
    lines = []
    for name, report in zip(_names(reports), reports, strict=True):
        cells: list[Any] = [name]
        for figure in figures:
            value = figure.of(report.whole)
            cells.append(value)
            if figure.key in ratios and figure.totalled:
                cells.append(_over(value, figure.of(first)))
        lines.append(Line(tuple(cells)))
    note = "× ratio to the first"
    if not columns:
        note += "; weights (with buffers) and peak activations in MiB"
    elif any(figure.in_bytes for figure in figures):
        note += "; memory in MiB"
    head = (f"{_inputs(reports)} · batch {reports[0].batch} · {reports[0].dtype}", note)
    return Table("", tuple(heads), lines, head, document=lambda: {"models": [document(each) for each in reports]})


def facts(reports: Sequence[Report], keys: Sequence[str]) -> tuple[list[dict[str, Any]], list[Column]]:
    """Networks as plain data: name, family, and totals or what is published, as `top1`; and the columns of these."""
    carried = {claim.quantity for report in reports for claim in report.graph.claims if not claim.name}
    columns = []
    for key in keys:
        figure = None if key in carried - set(BY_NAME) else figure_of(key)
        columns.append(Column(key, key) if figure is None else Column(figure.total, figure.title))
    found = []
    for name, report in zip(_names(reports), reports, strict=True):
        published = {claim.quantity: claim.value for claim in report.graph.claims if not claim.name}
        own: dict[str, Any] = {"name": name, "family": report.graph.name}
        for column in columns:
            own[column.key] = (
                known(report.whole.value(column.key)) if column.key in BY_NAME else published.get(column.key)
            )
        found.append(own)
    return found, columns


def figure_of(name: str) -> Figure:
    """A figure of networks by any of its names; raises `SpecError` for one that there is not."""
    figure = BY_NAME.get(name)
    if figure is None or not figure.of_network:
        raise usage_error(
            f"there is no total {name}", did_you_mean(name, OF_NETWORK) or f"totals are {', '.join(OF_NETWORK)}"
        )
    return figure


def _names(reports: Sequence[Report]) -> list[str]:
    """What the networks are called; with their files where two are called alike."""
    titles = [report.graph.variant or report.graph.name for report in reports]
    stems = [Path(report.graph.source.name).stem for report in reports]
    return [
        title if titles.count(title) == 1 else f"{title} ({stem})" for title, stem in zip(titles, stems, strict=True)
    ]


def _inputs(reports: Sequence[Report]) -> str:
    shapes = {readable(report.graph.inputs[0].shape) for report in reports}
    if len(shapes) == 1:
        return f"input {shapes.pop()}"
    each = (f"{report.title} {readable(report.graph.inputs[0].shape)}" for report in reports)
    return f"inputs differ: {', '.join(each)}"


def _over(own: Any, first: Any) -> float | None:
    """The ratio of two totals; not known where one of them is not."""
    if own is None or not first or isinstance(own, (AtLeast, tuple)) or isinstance(first, AtLeast):
        return None
    return float(own / first)


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"
