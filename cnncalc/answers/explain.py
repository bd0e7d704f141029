"""Show the work: for each number of a layer the formula, the substitution, the result and the source."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import did_you_mean, usage_error
from ..explanation import Derivation, Explained, Explanation
from ..report import Report
from ..report.figures import FIGURES
from ..report.layer_table import setting
from ..report.parts import Row, asked


def explain(report: Report, layer: str = "", question: str = "") -> list[Explanation]:
    """The work of one layer, of all layers of a group, or of the network; raises `SpecError` for an unknown name.

    >>> from cnncalc import analyse
    >>> [line.label for line in explain(analyse("lenet"), "C1", "params")[0].lines]
    ['weights', 'biases', 'parameters']
    """
    asked(question)
    if not layer:
        each = [row.explain(question) for row in report.rows]
        total = report.explain(question)
        return [explanation for explanation in (*each, *([total] if total else [])) if explanation.lines]
    rows = report.rows_of(layer)
    if not rows:
        names = [*(row.name for row in report.rows), *report.graph.groups]
        hint = did_you_mean(layer, names) or f"it has {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
        raise usage_error(f"there is no layer {layer}", hint, where=report.graph.source.name)
    found = [row.explain(question) for row in rows]
    if any(explanation.lines for explanation in found):
        return found
    return [
        explanation._replace(lines=tuple(_none(row, question))) for row, explanation in zip(rows, found, strict=True)
    ]


def _none(row: Row, question: str) -> Iterator[Derivation]:
    """Why a layer has nothing of what is asked."""
    for name in asked(question):
        for figure in FIGURES.values():
            if figure.question == name and figure.none:
                yield Derivation(figure.title, text=f"none: {figure.none(row)}", total=0)


def explained(report: Report, layer: str = "", question: str = "") -> Explained:
    """The same as an answer that formats write: with what the numbers are of, and what the letters mean."""
    return Explained(report.title, f"{report.title} · {setting(report)}", tuple(explain(report, layer, question)))
