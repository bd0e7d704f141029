"""What layers move between memory and processor, and how much is computed with each byte of it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ...explanation import Derivation
from ...formula import formula, ratio
from ...quantities import decimal
from ...table import AtLeast
from .base import Figure, added_up

if TYPE_CHECKING:
    from ..network import Network
    from ..parts import Part, Row


@formula(
    "arithmetic intensity",
    chapter="memory",
    symbol="intensity",
    unit="MACs per byte",
    source="Williams, Waterman & Patterson (2009), Roofline: work for each byte that is read and written",
    means={"MACs": "multiply-adds of the batch", "E": "bytes that are moved: inputs, parameters and buffers, outputs"},
)
def intensity_of(MACs: Any, E: Any) -> Any:
    """Each layer reads its inputs and parameters once and writes its output once; a view moves nothing."""
    return ratio(MACs, E)


_QUOTIENT = ("macs", "moved_bytes")


def _value(part: Part) -> Any:
    macs, moved = map(part.value, _QUOTIENT)
    if macs is None or moved is None or isinstance(macs, AtLeast) or isinstance(moved, AtLeast):
        return None  # of the quotient of two sums that are not all known, not even a bound is known
    if not moved:
        return Fraction(0) if not macs else None
    return intensity_of(macs, moved)


def _steps(row: Row) -> Iterator[Derivation]:
    if row.moved_bytes and row.macs:
        yield Derivation("intensity", intensity_of.step(MACs=row.macs, E=row.moved_bytes), remark=intensity_of.remark)


def _total_steps(report: Network) -> Iterator[Derivation]:
    totals = report.totals
    if totals.intensity is not None and totals.moved_bytes:
        yield Derivation("intensity", intensity_of.step(MACs=totals.macs, E=totals.moved_bytes))


moved_bytes = Figure(
    "moved_bytes",
    "moved, bytes",
    "bytes",
    "what layers at least read and write: inputs, parameters, buffers and outputs; nothing for a view",
    added_up(lambda row: row.report.traffic[row.node]),
    chapter="memory",
    alike=True,
)
intensity = Figure(
    "intensity",
    "MACs/byte",
    "MACs per byte",
    "arithmetic intensity: multiply-adds for each byte that layers at least read and write",
    _value,
    chapter="memory",
    show=decimal,
    question="intensity",
    none=lambda row: "it has no multiply-adds",
    derive=_steps,
    derive_total=_total_steps,
    additive=False,
    totalled=True,
    watched="MACs per byte",
    quotient=_QUOTIENT,
    alike=True,
)
