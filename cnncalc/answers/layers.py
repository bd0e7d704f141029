"""The layers of a network: which columns answer which question, and what is said below them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..analysis.memory import BYTES, tensor_bytes
from ..quantities import mebibytes, mib, number
from ..report import Report
from ..report.layer_table import Choice, layers_table
from ..table import AtLeast, Table, known


class Question(NamedTuple):
    """A question to all layers: its columns, those that a narrow terminal leaves out, first ones first, and notes."""

    columns: tuple[str, ...]
    spare: tuple[str, ...] = ()
    notes: Callable[[Report], tuple[str, ...]] = lambda report: ()


def view(report: Report, question: str, choice: Choice = Choice()) -> Table:  # noqa: B008
    """The table that answers one of `QUESTIONS`; raises `SpecError` for a column that there is not.

    >>> from cnncalc import analyse
    >>> [column.title for column in view(analyse("lenet"), "shapes").columns]
    ['layer', 'type', 'input', 'output']
    """
    asked = QUESTIONS[question]
    table = layers_table(report, asked.columns, choice, asked.spare)
    own = len(table.notes) - (1 if table.notes and table.notes[-1].startswith("folded to ") else 0)
    return table._replace(notes=(*table.notes[:own], *asked.notes(report), *table.notes[own:]))


def _shapes_notes(report: Report) -> tuple[str, ...]:
    totals = report.totals
    layers = f"{len(report.rows)} layer{'s' * (len(report.rows) != 1)}"
    depth = f"{least(totals.value('depth'))}{totals.depth}"
    return (f"{layers}, depth {depth} · {totals.text('params')} · {totals.text('macs')}",)


def least(value: object) -> str:
    """What stands before a value: ≥ where a part of it is not known."""
    return "≥ " * isinstance(value, AtLeast)


def _fact(label: str, value: Any, remark: str = "") -> str:
    """A size in a line below a table."""
    return f"{label:<20} {least(value)}{mib(known(value)):>14}  {remark}".rstrip()


def _beside(report: Report, layer: str) -> str:
    """What a layer allocates beside its output."""
    pool = "MaxPool" in report[layer].type
    return "for the int64 indices of the max pool" if pool else f"that {layer} needs on the way"


def _memory_notes(report: Report) -> tuple[str, ...]:
    totals, width, peak = report.totals, BYTES[report.dtype], report.totals.peak
    given = sum(int(tensor_bytes(report.batch, node.shape, width)) for node in report.graph.inputs if node.shape)
    alive = " + ".join(f"{tensor.name} {mebibytes(tensor.bytes)}" for tensor in peak.alive[:6])
    alive += f" + {len(peak.alive) - 6} more" if len(peak.alive) > 6 else ""
    alive += f" + {mebibytes(peak.extra_bytes)} {_beside(report, peak.layer)}" if peak.extra_bytes else ""
    weights, activations = totals.value("weight_bytes"), totals.value("peak_inference_bytes")
    whole = known(weights) + given + peak.bytes
    partly = isinstance(weights, AtLeast) or isinstance(activations, AtLeast)
    lines = (
        _fact("weights and buffers", weights),
        _fact("input", given),
        _fact("outputs added up", totals.value("activation_bytes"), "of all layers, views too"),
        _fact(
            "peak of activations", activations, f"while {peak.layer} runs" if peak.layer else "nothing new is stored"
        ),
        _fact("inference needs", AtLeast(whole) if partly else whole, "weights + input + peak"),
    )
    return (*lines, f"alive at the peak, in MiB: {alive}") if alive else lines


def _where(phase: str, layer: str) -> str:
    if phase == "update":
        return f"in the update, by {layer}"
    return f"in the {phase} pass, at {layer}" if layer else ""


def _training_memory_notes(report: Report) -> tuple[str, ...]:
    value, step = report.totals.value, report.training
    return (
        _fact("weights and buffers", value("weight_bytes")),
        _fact("gradients", value("gradient_bytes"), "of the parameters"),
        _fact("optimizer state", value("optimizer_bytes"), report.optimizer),
        _fact("input", step.inputs),
        _fact("kept for backward", value("saved_for_backward_bytes"), "by autograd, each storage once"),
        _fact("peak of the step", value("peak_training_bytes"), _where(step.phase, step.layer)),
        "the peak holds weights, optimizer state and input, and what is alive of the rest at the worst moment;",
        "what an operation needs inside (a convolution's workspace) is not in it",
    )


def _training_work_notes(report: Report) -> tuple[str, ...]:
    macs, step = report.totals.macs, report.totals.value("step_macs")
    ratio = f", {known(step) / macs:.3g} times the forward pass" if macs else ""
    return (
        f"{least(step)}{number(known(step))} MACs a step, "
        f"{least(step)}{number(2 * known(step))} FLOPs in multiply-adds{ratio}",
        "∂ input: gradient of the input, none where nothing before the layer is trained; ∂ weights: of the weights",
    )


def _field_notes(report: Report) -> tuple[str, ...]:
    kinds = {row.receptive_field.kind for row in report.rows if row.receptive_field}
    words = {
        "union": "union: the smallest window that holds what all branches, or all positions, see",
        "whole input": "whole input: the window spans all of it; what is wider than the input falls on padding",
    }
    said = tuple(text for kind, text in words.items() if kind in kinds)
    fields = [row.receptive_field for row in report.rows if row.receptive_field]
    smaller = any(field.unit != field.size for field in fields)
    said += (
        "a single unit may see less of a union than it holds: --columns layer,rf,rf_unit shows how much",
    ) * smaller
    several = len(report.graph.inputs) > 1
    return (*said, "several inputs: the field in the first one that reaches a layer") if several else said


#: The questions to all layers, by the name of the command, and by what is asked of a training step.
QUESTIONS = {
    "shapes": Question(("layer", "type", "input", "output"), (), _shapes_notes),
    "params": Question(
        ("layer", "type", "weights", "biases", "params", "params_share", "buffers"), ("params_share", "buffers")
    ),
    "flops": Question(("layer", "type", "macs", "macs_share", "other", "flops"), ("macs_share",)),
    "memory": Question(
        ("layer", "type", "output", "bytes", "mib", "bytes_share"), ("bytes_share", "mib"), _memory_notes
    ),
    "receptive-field": Question(
        ("layer", "type", "output", "rf", "rf_stride", "rf_padding", "rf_kind"), ("output", "rf_padding"), _field_notes
    ),
    "overview": Question(("layer", "type", "output", "params", "macs"), (), _shapes_notes),
    "memory --train": Question(
        ("layer", "type", "output", "bytes", "saved", "saved_mib", "saved_share"),
        ("bytes", "saved_share", "saved_mib"),
        _training_memory_notes,
    ),
    "flops --train": Question(
        ("layer", "type", "macs", "input_gradient", "weight_gradient", "step_macs"), ("type",), _training_work_notes
    ),
}
