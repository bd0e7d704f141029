"""JSON: for reports the whole document, whatever table is shown; for other tables their rows."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..printable import printable_lines
from .table import AtLeast, Table

if TYPE_CHECKING:
    from ..analysis.receptive_field import ReceptiveField
    from ..report import Report, Row

SCHEMA_VERSION = 1

#: Totals of a training step, which are null for a dtype that cannot be trained.
TRAINING = ("saved_for_backward_bytes", "gradient_bytes", "optimizer_bytes", "peak_training_bytes")


def render(table: Table) -> str:
    """Indented by one level a row, so that a layer is a line and two documents can be compared line by line."""
    from .views import Lazy

    content = document(table.document.report) if isinstance(table.document, Lazy) else table.document
    if content is None:
        keys = [column.key for column in table.columns]
        content = [dict(zip(keys, line.cells, strict=True)) for line in table.lines]
    return _lines(content) + "\n"


def as_json(value: Any, **options: Any) -> str:
    r"""JSON whose letters are as they are, and what cannot be seen is escaped.

    >>> print(as_json({"größe": "\u202e"}))
    {"größe": "\u202e"}
    """
    text = json.dumps(value, ensure_ascii=False, **options)
    if text == printable_lines(text):
        return text
    return "".join(each if each == printable_lines(each) else json.dumps(each)[1:-1] for each in text)


def document(report: Report) -> dict[str, Any]:
    """A report as plain data."""
    from ..report import CONVENTION

    graph, totals = report.graph, report.totals
    return {
        "schema_version": SCHEMA_VERSION,
        "model": graph.name,
        "variant": graph.variant,
        "source": graph.source.name,
        "batch": report.batch,
        "dtype": report.dtype,
        "optimizer": report.optimizer,
        "device": report.setting.device,
        "convention": CONVENTION,
        "inputs": [{"name": each.name, "shape": _shape(each.shape)} for each in graph.inputs],
        "layers": [_layer(row) for row in report.rows],
        "totals": {
            "params": totals.params,
            "trainable_params": totals.trainable_params,
            "buffers": totals.buffers,
            "macs": totals.macs,
            "flops": totals.flops,
            "weight_bytes": totals.weight_bytes,
            "activation_bytes": totals.activation_bytes,
            "peak_inference_bytes": totals.peak_inference_bytes,
            "backward_macs": totals.backward_macs,
            **{key: getattr(totals, key) if report.trainable else None for key in TRAINING},
            "depth": totals.depth,
            "complete": totals.complete,
        },
        "outputs": [{"name": graph.nodes[i].name, "shape": _shape(graph.nodes[i].shape)} for i in graph.outputs],
        "warnings": [
            {
                "code": each.code,
                "message": each.message.removeprefix("warning: "),
                "line": each.place.line if each.place else None,
                "column": each.place.column if each.place else None,
            }
            for each in (*graph.errors, *graph.warnings)
        ],
    }


def _layer(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "type": row.type,
        "line": row.line,
        "inputs": list(row.inputs),
        "input_shapes": [_shape(shape) for shape in row.input_shapes],
        "output_shape": _shape(row.output_shape),
        "params": row.params,
        "buffers": row.buffers,
        "macs": row.macs,
        "flops": row.flops,
        "output_bytes": row.output_bytes,
        "saved_for_backward_bytes": row.saved_bytes if row.report.trainable else None,
        "backward_macs": None
        if row.input_gradient_macs is None or row.weight_gradient_macs is None
        else row.input_gradient_macs + row.weight_gradient_macs,
        "receptive_field": _field(row.receptive_field),
    }


def _field(found: ReceptiveField | None) -> dict[str, Any] | None:
    if found is None:
        return None
    axes = {"size": found.size, "stride": found.stride, "padding": found.padding}
    return {key: [_plain(each) for each in value] for key, value in axes.items()}


def _shape(shape: tuple[int, ...] | None) -> list[int] | None:
    return None if shape is None else list(shape)


def _plain(value: Any) -> Any:
    if isinstance(value, AtLeast):
        return _plain(value.value)
    if isinstance(value, Fraction):
        return float(value)
    return value


def _lines(content: Any) -> str:
    def one(value: Any) -> str:
        return as_json(value, default=_plain)

    if isinstance(content, dict):
        parts = []
        for key, value in content.items():
            if isinstance(value, list) and value and isinstance(value[0], (dict, list)):
                inner = ",\n    ".join(map(one, value))
                parts.append(f'  "{key}": [\n    {inner}\n  ]')
            else:
                parts.append(f'  "{key}": {one(value)}')
        return "{\n" + ",\n".join(parts) + "\n}"
    return "[\n  " + ",\n  ".join(map(one, content)) + "\n]" if content else "[]"
