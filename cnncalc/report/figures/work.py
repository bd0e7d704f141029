"""What layers do: multiply-adds, other operations, FLOPs, connections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...analysis.cost import batch_work, macs_to_flops
from ...explanation import Derivation
from ...quantities import number
from .base import Figure, summed

if TYPE_CHECKING:
    from ..parts import Row


def _mac_steps(row: Row) -> Iterator[Derivation]:
    op, shapes = row.known()
    work = op.work(row.layer.shape or (), *shapes)
    if work.macs is not None:
        yield Derivation("MACs", work.macs, remark=work.macs.formula.remark)
    elif row.macs is None:
        yield Derivation("MACs", text="not known: the spec does not declare them")


def _flop_steps(row: Row) -> Iterator[Derivation]:
    op, shapes = row.known()
    work = op.work(row.layer.shape or (), *shapes)
    if work.macs is not None:
        yield Derivation("FLOPs", macs_to_flops.step(MACs=work.macs.value))
    if work.other is not None and work.other.value:
        operations = op.each(*shapes)
        remark = f"for each element: {counted(operations)}" if operations else work.other.formula.remark
        yield Derivation("other work" if work.macs else "FLOPs", work.other, remark=remark)
    elif row.other is None:
        yield Derivation("other work", text="not known: the spec does not declare it")
    if row.report.batch > 1 and row.flops:
        yield Derivation("of the batch", batch_work.step(B=row.report.batch, FLOPs=row.flops // row.report.batch))


def _connection_steps(row: Row) -> Iterator[Derivation]:
    op, shapes = row.known()
    work = op.work(row.layer.shape or (), *shapes)
    if work.connections is not None:
        yield Derivation("connections", work.connections, remark=work.connections.formula.remark)


def _no_macs(row: Row) -> str:
    others = f", {number(row.other)} other operations" if row.other else ""
    return f"it has no multiply-adds{others}"


def counted(operations: Sequence[str]) -> str:
    """Operations in words, equal ones together.

    >>> counted(("add", "add", "divide"))
    '2 × add, divide'
    """
    times = {operation: operations.count(operation) for operation in operations}
    return ", ".join(each if n == 1 else f"{n} × {each}" for each, n in times.items())


macs = Figure(
    "macs",
    "MACs",
    "MACs",
    "multiply-adds of convolutions, linear layers and matrix products, biases not counted",
    summed("macs"),
    chapter="multiply-adds",
    question="macs",
    derive=_mac_steps,
    summed="MACs",
    none=_no_macs,
    shared="macs_share",
    watched="MACs",
)
other = Figure(
    "other",
    "other work",
    "operations",
    "all operations that are no multiply-adds, by the table of the convention",
    summed("other"),
    chapter="multiply-adds",
)
flops = Figure(
    "flops",
    "FLOPs",
    "FLOPs",
    "2·MACs and all other work",
    summed("macs", "other", of=lambda sums: sums.flops),
    chapter="multiply-adds",
    question="flops",
    derive=_flop_steps,
    summed="FLOPs",
    none=lambda row: "it only hands values on, or rearranges them",
)
connections = Figure(
    "connections",
    "connections",
    "connections",
    "weights and biases as often as they are used, as LeCun counted them",
    summed("connections"),
    chapter="connections",
    question="connections",
    derive=_connection_steps,
    summed="connections",
    none=lambda row: "it has neither weights nor biases",
)
