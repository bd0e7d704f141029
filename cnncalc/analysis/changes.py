"""What changed between two reports of the same network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..formula import number
from ..ops import readable

if TYPE_CHECKING:
    from ..report import Report, Row

FIGURES = (("params", "parameters"), ("macs", "MACs"))
SHOWN = 15


def changes(before: Report, after: Report) -> list[str]:
    """One line for each layer that is new, gone or different, and one for each total that moved."""
    old, new = ({row.name: row for row in report.rows} for report in (before, after))
    lines = [f"{name} ({old[name].type}) is gone" for name in old if name not in new]
    lines += [f"{name} ({new[name].type}) is new" for name in new if name not in old]
    for name in old:
        if name in new:
            different = _different(old[name], new[name])
            if different:
                lines.append(f"{name}: {', '.join(different)}")
    if len(lines) > SHOWN:
        lines = [*lines[:SHOWN], f"… and {len(lines) - SHOWN} more layers"]
    for label, a, b in (
        ("parameters", before.totals.params, after.totals.params),
        ("MACs", before.totals.macs, after.totals.macs),
        ("peak of activations, bytes", before.totals.peak_inference_bytes, after.totals.peak_inference_bytes),
        ("depth", before.totals.depth, after.totals.depth),
    ):
        if a != b:
            known = before.totals.complete and after.totals.complete
            ratio = f" (×{b / a:.3g})" if a and known else ""
            least = ["" if report.totals.complete else "≥ " for report in (before, after)]
            lines.append(f"total {label}: {least[0]}{number(a)} → {least[1]}{number(b)}{ratio}")
    return lines


def _different(old: Row, new: Row) -> list[str]:
    found = [f"{old.type} → {new.type}"] if old.type != new.type else []
    if old.output_shape != new.output_shape:
        found.append(f"output {_shape(old.output_shape)} → {_shape(new.output_shape)}")
    fields = old.receptive_field, new.receptive_field
    if fields[0] != fields[1] and all(fields):
        found.append("receptive field " + " → ".join("×".join(map(_number, each.size)) for each in fields if each))
    for attribute, label in FIGURES:
        a, b = getattr(old, attribute), getattr(new, attribute)
        if a != b:
            found.append(f"{label} {_number(a)} → {_number(b)}")
    return found


def _shape(shape: tuple[int, ...] | None) -> str:
    return "?" if shape is None else readable(shape)


def _number(value: Any) -> str:
    return "?" if value is None else number(value)
