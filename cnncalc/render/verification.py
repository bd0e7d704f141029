"""A verification as tables: the network's figures, and every layer's, calculated and measured side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..formula import number
from .columns import shape_text
from .table import Column, Line, Table
from .views import setting

if TYPE_CHECKING:
    from ..pytorch.verify import Comparison, Verification

#: Columns of the layers' table: the quantity, its heading, and whether it is a shape.
QUANTITIES = (
    ("output", "output", True),
    ("parameters", "params", False),
    ("buffers", "buffers", False),
    ("FLOPs", "2·MACs", False),
    ("kept, bytes", "kept", False),
)


def totals_table(found: Verification) -> Table:
    """The network's figures, and what the measurement is known to get wrong."""
    columns = (
        Column("quantity", "quantity"),
        Column("calculated", "calculated", _value, True),
        Column("measured", "measured", _value, True),
        Column("agrees", "agrees"),
    )
    lines = [
        Line((each.quantity, each.calculated, each.measured, _verdict(each)), _kind(each)) for each in found.totals
    ]
    wrong = [each for each in found.comparisons if not each.agrees]
    notes = [*(f"known: {remark}" if "counter" in remark else remark for remark in found.remarks)]
    notes += [f"{each.part}: {each.quantity} {_value(each.calculated)} calculated, {_value(each.measured)} measured"
              for each in wrong[:20]]  # fmt: skip
    if len(wrong) > 20:
        notes.append(f"… and {len(wrong) - 20} more")
    count = len(found.comparisons) + len(found.totals)
    bad = len(wrong) + sum(not each.agrees for each in found.totals)
    notes.append(f"all {count:,} figures agree" if found.agrees else f"{bad:,} of {count:,} figures do not agree")
    return Table(found.report.title, columns, lines, (setting(found.report),), tuple(notes), document=as_data(found))


def layers_table(found: Verification) -> Table:
    """Every layer: what was calculated, and beside it what was measured."""
    by_layer: dict[str, dict[str, Comparison]] = {}
    for each in found.comparisons:
        by_layer.setdefault(each.part, {})[each.quantity] = each
    there = [entry for entry in QUANTITIES if any(entry[0] in each for each in by_layer.values())]
    columns = [Column("layer", "layer"), Column("type", "type")]
    for key, title, is_shape in there:
        show = shape_text if is_shape else _value
        columns += [Column(key, title, show, True), Column(f"{key} measured", "measured", show, True)]
    columns.append(Column("agrees", "agrees"))
    lines = []
    for row in found.report:
        own = by_layer[row.name]
        cells: list[Any] = [row.name, row.type]
        for key, _, _ in there:
            cells += [own[key].calculated, own[key].measured] if key in own else ["", ""]
        good = all(each.agrees for each in own.values())
        lines.append(Line((*cells, "yes" if good else "NO"), "layer" if good else "fail"))
    spare = [
        "buffers",
        "buffers measured",
        *(f"{key} measured" for key, _, _ in reversed(there)),
        "type",
        "kept, bytes",
    ]
    return Table("", tuple(columns), lines, spare=tuple(spare), document=as_data(found))


def as_data(found: Verification) -> dict[str, Any]:
    """The whole verification as plain data."""
    keys = ("part", "quantity", "calculated", "measured", "agrees", "remark")
    return {
        "agrees": found.agrees,
        "totals": [dict(zip(keys, each, strict=True)) for each in found.totals],
        "layers": [dict(zip(keys, each, strict=True)) for each in found.comparisons],
        "remarks": list(found.remarks),
    }


def _value(value: Any) -> str:
    if value is None:
        return "—"
    return shape_text(value) if isinstance(value, tuple) else number(value)


def _verdict(each: Comparison) -> str:
    if not each.agrees:
        return "NO"
    return "yes" if each.calculated == each.measured else "known error"


def _kind(each: Comparison) -> str:
    return "pass" if each.agrees else "fail"
