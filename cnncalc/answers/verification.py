"""A verification as tables: the network's figures, and every layer's, calculated and measured side by side."""

from __future__ import annotations

from typing import Any

from ..ops import Shape
from ..quantities import number, readable
from ..record import Record
from ..report import Report
from ..report.layer_table import setting
from ..table import Column, Line, Table

SCHEMA_VERSION = 1

#: Columns of the layers' table: the quantity, its heading, and whether it is a shape.
QUANTITIES = (
    ("output", "output", True),
    ("parameters", "params", False),
    ("buffers", "buffers", False),
    ("FLOPs", "2·MACs", False),
    ("kept, bytes", "kept", False),
)


class Measured(Record):
    """What one layer was seen to do; None where it was not measured. `flops` are those of the forward pass."""

    shape: Shape | None
    params: int
    buffers: int
    flops: int | None
    kept: int | None


class Comparison(Record):
    """One figure of one layer or of the network, calculated and measured.

    `remark` names what is known to be wrong with the measurement; then `agrees` holds where the difference is exactly
    that.
    """

    part: str
    quantity: str
    calculated: Any
    measured: Any
    agrees: bool
    remark: str = ""


class Verification(Record):
    """All comparisons of a run: the layers' by name, and the network's."""

    report: Report
    layers: dict[str, Measured]
    comparisons: tuple[Comparison, ...]
    totals: tuple[Comparison, ...]
    remarks: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether all figures agree."""
        return all(each.agrees for each in (*self.comparisons, *self.totals))


def totals_table(verification: Verification, how: str = "") -> Table:
    """The network's figures, and what the measurement is known to get wrong; `how` completes the header."""
    columns = (
        Column("quantity", "quantity"),
        Column("calculated", "calculated", _value, True),
        Column("measured", "measured", _value, True),
        Column("agrees", "agrees"),
    )
    lines = [
        Line((total.quantity, total.calculated, total.measured, _verdict(total)), _kind(total))
        for total in verification.totals
    ]
    wrong = [comparison for comparison in verification.comparisons if not comparison.agrees]
    notes = [*(f"known: {remark}" if "counter" in remark else remark for remark in verification.remarks)]
    notes += [f"{each.part}: {each.quantity} {_value(each.calculated)} calculated, {_value(each.measured)} measured"
              for each in wrong[:20]]  # fmt: skip
    if len(wrong) > 20:
        notes.append(f"… and {len(wrong) - 20} more")
    count = len(verification.comparisons) + len(verification.totals)
    bad = len(wrong) + sum(not total.agrees for total in verification.totals)
    notes.append(
        f"all {count:,} figures agree" if verification.agrees else f"{bad:,} of {count:,} figures do not agree"
    )
    head = setting(verification.report) + how
    return Table(verification.report.title, columns, lines, (head,), tuple(notes), document=as_data(verification))


def layers_table(verification: Verification, beside: bool = True) -> Table:
    """Every layer: what was calculated and what was measured, in columns beside each other.

    Where there is no room for twice the columns, `beside` is False: a cell says "156 =" where the measurement is the
    same, and "156 ≠ 157" where it is not.
    """
    by_layer: dict[str, dict[str, Comparison]] = {}
    for comparison in verification.comparisons:
        by_layer.setdefault(comparison.part, {})[comparison.quantity] = comparison
    there = [entry for entry in QUANTITIES if any(entry[0] in each for each in by_layer.values())]
    columns = [Column("layer", "layer"), Column("type", "type")]
    for key, title, is_shape in there:
        show = readable if is_shape else _value
        if beside:
            columns += [Column(key, title, show, True), Column(f"{key} measured", f"{title} measured", show, True)]
        else:
            columns.append(Column(key, title, _compared, True))
    columns.append(Column("agrees", "agrees"))
    lines = []
    for row in verification.report:
        own = by_layer[row.name]
        cells: list[Any] = [row.name, row.type]
        for key, _, _ in there:
            if beside:
                cells += [own[key].calculated, own[key].measured] if key in own else ["", ""]
            else:
                cells.append((own[key].calculated, own[key].measured) if key in own else "")
        good = all(each.agrees for each in own.values())
        lines.append(Line((*cells, "yes" if good else "NO"), "layer" if good else "fail"))
    head = () if beside else ("calculated = measured, in every cell; ≠ where they differ",)
    spare = () if beside else ("type", "buffers")
    return Table("", tuple(columns), lines, head, spare=spare, document=as_data(verification))


def as_data(verification: Verification) -> dict[str, Any]:
    """The whole verification as plain data."""
    keys = ("part", "quantity", "calculated", "measured", "agrees", "remark")
    report = verification.report
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "cnncalc run",
        "model": report.graph.name,
        "variant": report.graph.variant,
        "source": report.graph.source.name,
        "batch": report.batch,
        "dtype": report.dtype,
        "inputs": [{"name": node.name, "shape": list(node.shape or ())} for node in report.graph.inputs],
        "agrees": verification.agrees,
        "totals": [dict(zip(keys, total, strict=True)) for total in verification.totals],
        "layers": [dict(zip(keys, comparison, strict=True)) for comparison in verification.comparisons],
        "remarks": list(verification.remarks),
    }


def _value(value: Any) -> str:
    if value is None:
        return "—"
    return readable(value) if isinstance(value, tuple) else number(value)


def _compared(value: tuple[Any, Any]) -> str:
    calculated, measured = map(_value, value)
    return f"{calculated} =" if calculated == measured else f"{calculated} ≠ {measured}"


def _verdict(each: Comparison) -> str:
    if not each.agrees:
        return "NO"
    return "yes" if each.calculated == each.measured else "known error"


def _kind(each: Comparison) -> str:
    return "pass" if each.agrees else "fail"
