"""The columns that a table of layers may have, and where their values come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..ops import readable
from ..report import Report, Row
from ..totals import Figures
from .table import EMPTY, Column, as_axes, as_mib, as_number, as_shape, as_share, as_text


class Cells(NamedTuple):
    """What a column may draw on: the layers of a line, their sum, and the report."""

    rows: tuple[Row, ...]
    figures: Figures
    report: Report
    label: str
    type: str
    whole: bool

    @property
    def single(self) -> Row | None:
        return self.rows[0] if len(self.rows) == 1 and not self.whole else None


Value = Callable[[Cells], Any]


def shape_text(shape: tuple[int, ...] | None) -> str:
    """A shape as people read it, ? where it is not known."""
    return "?" if shape is None else readable(shape)


def _figure(name: str) -> Value:
    return lambda cells: getattr(cells.figures, name)


def _mib(size: int | None) -> float | None:
    return None if size is None else size / 2**20


def mib(size: int) -> str:
    """Bytes as mebibytes, in words."""
    return f"{as_mib(size / 2**20)} MiB"


def _share(name: str) -> Value:
    def share(cells: Cells) -> Any:
        own, total = getattr(cells.figures, name), getattr(cells.report.totals.figures, name)
        return EMPTY if own is None else own / total if total else 0.0

    return share


def _of_row(get: Callable[[Row], Any]) -> Value:
    return lambda cells: EMPTY if cells.single is None else get(cells.single)


def _output(cells: Cells) -> Any:
    return EMPTY if cells.whole else cells.rows[-1].output_shape


def _input(cells: Cells) -> Any:
    if cells.whole:
        return EMPTY
    shapes = cells.rows[0].input_shapes
    if len(shapes) < 2 or len(cells.rows) > 1:
        return shapes[0] if shapes else None
    if len(set(shapes)) == 1:
        return f"{len(shapes)} of {shape_text(shapes[0])}"
    return ", ".join(map(shape_text, shapes[:2])) + f", {len(shapes) - 2} more" * (len(shapes) > 2)


def _lazy(name: str) -> Value:
    """The sum of a figure that is worked out only when it is asked for; None where no part of it is known."""

    def summed(cells: Cells) -> int | None:
        known = [value for value in (getattr(row, name) for row in cells.rows) if value is not None]
        return sum(known) if known or not cells.rows else None

    return summed


def _saved_share(cells: Cells) -> Any:
    own, total = _lazy("saved_bytes")(cells), cells.report.totals.saved_for_backward_bytes
    return EMPTY if own is None else own / total if total else 0.0


def _step_macs(cells: Cells) -> int | None:
    parts = (cells.figures.macs, *(_lazy(name)(cells) for name in ("input_gradient_macs", "weight_gradient_macs")))
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def _field(name: str) -> Value:
    def get(cells: Cells) -> Any:
        if cells.whole:
            return EMPTY
        found = cells.rows[-1].receptive_field
        if found is None:
            return None if cells.report.states[cells.rows[-1].node] is None else EMPTY
        return getattr(found, name)

    return get


COLUMNS: dict[str, tuple[Column, Value]] = {
    column.key: (column, value)
    for column, value in (
        (Column("layer", "layer"), lambda cells: cells.label),
        (Column("type", "type"), lambda cells: cells.type),
        (Column("line", "line", as_text, True), _of_row(lambda row: row.line)),
        (Column("from", "from", as_text), _of_row(lambda row: ", ".join(row.inputs))),
        (Column("input", "input", as_shape, True), _input),
        (Column("output", "output", as_shape, True), _output),
        (Column("weights", "weights", as_number, True), _figure("weights")),
        (Column("biases", "biases", as_number, True), _figure("biases")),
        (Column("params", "parameters", as_number, True), _figure("params")),
        (Column("params_share", "share", as_share, True), _share("params")),
        (Column("buffers", "buffers", as_number, True), _figure("buffers")),
        (Column("macs", "MACs", as_number, True), _figure("macs")),
        (Column("macs_share", "share", as_share, True), _share("macs")),
        (Column("other", "other work", as_number, True), _figure("other")),
        (Column("flops", "FLOPs", as_number, True), _figure("flops")),
        (Column("connections", "connections", as_number, True), _figure("connections")),
        (Column("bytes", "bytes", as_number, True), _figure("output_bytes")),
        (Column("mib", "MiB", as_mib, True), lambda cells: _mib(cells.figures.output_bytes)),
        (Column("bytes_share", "share", as_share, True), _share("output_bytes")),
        (Column("input_gradient", "∂ input", as_number, True), _lazy("input_gradient_macs")),
        (Column("weight_gradient", "∂ weights", as_number, True), _lazy("weight_gradient_macs")),
        (Column("step_macs", "step", as_number, True), _step_macs),
        (Column("saved", "kept, bytes", as_number, True), _lazy("saved_bytes")),
        (Column("saved_mib", "kept, MiB", as_mib, True), lambda cells: _mib(_lazy("saved_bytes")(cells))),
        (Column("saved_share", "share", as_share, True), _saved_share),
        (Column("rf", "field", as_axes, True), _field("size")),
        (Column("rf_stride", "stride", as_axes, True), _field("stride")),
        (
            Column("rf_padding", "padding", as_axes, True),
            _field("padding"),
        ),
        (Column("rf_kind", "kind", as_text), _field("kind")),
        (Column("note", "note"), _of_row(lambda row: row.layer.note or EMPTY)),
    )
}
