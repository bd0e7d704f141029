"""What changed between two reports of the same network."""

from __future__ import annotations

from typing import Any

from ..quantities import readable
from ..report import Report, Row
from ..report.figures import OF_LAYERS, OF_NETWORK
from ..table import EMPTY, known
from .layers import least

#: Lines about layers.
MOST = 15


def changes(before: Report, after: Report) -> list[str]:
    """One line for each layer that is new, gone or different, and one for each watched total that moved."""
    old, new = ({row.name: row for row in report.rows} for report in (before, after))
    lines = [f"{name} ({old[name].type}) is gone" for name in old if name not in new]
    lines += [f"{name} ({new[name].type}) is new" for name in new if name not in old]
    for name in old:
        if name in new:
            different = _different(old[name], new[name])
            if different:
                lines.append(f"{name}: {', '.join(different)}")
    if len(lines) > MOST:
        lines = [*lines[:MOST], f"… and {len(lines) - MOST} more layers"]
    for figure in OF_NETWORK.values():
        a, b = (report.totals.value(figure.key) for report in (before, after))
        if figure.watched and figure.totalled and a != b:
            whole = least(a) == least(b) == "" and a and b is not None
            ratio = f" (×{float(b / a):.3g})" if whole else ""
            lines.append(f"total {figure.watched}: {_text(figure.show, a)} → {_text(figure.show, b)}{ratio}")
    return lines


def _text(show: Any, value: Any) -> str:
    return "?" if value is None else f"{least(value)}{show(known(value))}"


def _different(old: Row, new: Row) -> list[str]:
    different = [f"{old.type} → {new.type}"] if old.type != new.type else []
    if old.output_shape != new.output_shape:
        different.append(f"output {readable(old.output_shape)} → {readable(new.output_shape)}")
    for figure in OF_LAYERS.values():
        if not figure.watched:
            continue
        a, b = figure.of(old.part), figure.of(new.part)
        if a != b and EMPTY not in (a, b):
            different.append(f"{figure.watched} {_text(figure.show, a)} → {_text(figure.show, b)}")
    return different
