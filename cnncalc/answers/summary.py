"""A network at a glance: totals, where the parameters live, where the work is."""

from __future__ import annotations

from ..quantities import number, readable, si
from ..report import Report, Totals
from ..report.columns import COLUMNS
from ..report.document import layer_by_layer
from ..report.layer_table import head, line, total
from ..report.tree import entries
from ..table import Line, Table, known
from .layers import least

#: The most parts that are shown.
MOST = 30
_COLUMNS = ("layer", "type", "output", "params", "params_share", "macs", "macs_share")


def summary(report: Report) -> Table:
    """All at a glance: totals, where the parameters live, where the work is.

    >>> from cnncalc import analyse
    >>> print(summary(analyse("lenet")).notes[1])
    parameters           61,706 (61,470 weights, 236 biases)
    """
    chosen = [COLUMNS[key] for key in _COLUMNS]
    lines = [line(report, entry, chosen) for entry in entries(report, 1, fold=False)]
    carrying = [each for each in lines if known(each.cells[3]) != 0 or known(each.cells[5]) != 0]
    lines = carrying if len(carrying) <= MOST else sorted(carrying, key=_weight, reverse=True)[:MOST]
    totals, peak = report.totals, report.totals.peak
    text = totals.text
    facts = (
        ("depth", f"{text('depth')}, counting layers with weights; {len(report.rows)} layers in all"),
        ("parameters", f"{_bare('params', totals)} ({number(totals.weights)} weights, {number(totals.biases)} biases)"),
        ("buffers", _bare("buffers", totals)),
        ("MACs", f"{_bare('macs', totals)} ({si(totals.macs)}MAC)"),
        ("FLOPs", f"{_bare('flops', totals)} (2·MACs + {number(totals.other)} other work)"),
        ("weights in memory", text("weight_bytes")),
        ("outputs added up", text("activation_bytes")),
        ("peak of activations", f"{text('peak_inference_bytes')}, while {peak.layer} runs"),
        ("inference needs", f"{text('inference_bytes')}: weights, input and peak"),
        ("output", ", ".join(readable(report.graph.nodes[i].shape) for i in report.graph.outputs)),
    )
    left_out = len(carrying) - len(lines)
    notes = [f"{label:<20} {fact}" for label, fact in facts]
    if left_out:
        notes.insert(0, f"({left_out} smaller parts are not shown)")
    lines.append(total(report, chosen))
    columns = tuple(source.column for source in chosen)
    spare = ("type", "output")
    return Table(report.title, columns, lines, head(report, ()), tuple(notes), spare, lambda: layer_by_layer(report))


def _bare(name: str, totals: Totals) -> str:
    """A total without its unit, which stands before it."""
    value = totals.value(name)
    return f"{least(value)}{number(known(value))}"


def _weight(each: Line) -> float:
    shares = [cell for cell in (each.cells[4], each.cells[6]) if isinstance(cell, float)]
    return sum(shares)
