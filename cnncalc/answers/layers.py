"""The layers of a network: which columns answer which question, and what is said below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from .. import analysis
from ..quantities import mebibytes, mib, number
from ..record import Record
from ..report import Report
from ..report.layer_table import Choice, layers_table
from ..table import AtLeast, Table, known

if TYPE_CHECKING:
    from ..analysis.training import TrainingStep


class Question(Record):
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
    size = "not known" if known(value) is None else mib(known(value))
    return f"{label:<20} {least(value)}{size:>14}  {remark}".rstrip()


def _beside(report: Report, layer: str) -> str:
    """What a layer allocates beside its output."""
    pool = "MaxPool" in report[layer].type
    return "for the int64 indices of the max pool" if pool else f"that {layer} needs on the way"


def _memory_notes(report: Report) -> tuple[str, ...]:
    totals, peak = report.totals, report.totals.peak
    alive = " + ".join(f"{tensor.name} {mebibytes(tensor.bytes)}" for tensor in peak.alive[:6])
    alive += f" + {len(peak.alive) - 6} more" if len(peak.alive) > 6 else ""
    alive += f" + {mebibytes(peak.extra_bytes)} {_beside(report, peak.layer)}" if peak.extra_bytes else ""
    value = totals.value
    at = f"while {peak.layer} runs" if peak.layer else "nothing new is stored"
    lines = (
        _fact("weights and buffers", value("weight_bytes"), "weight_bytes"),
        _fact("input", report.given_bytes),
        _fact("outputs added up", value("activation_bytes"), "activation_bytes: of all layers, views too"),
        _fact("peak of activations", value("peak_inference_bytes"), f"peak_inference_bytes: {at}"),
        _fact("inference needs", value("inference_bytes"), "inference_bytes: weights + input + peak"),
    )
    return (*lines, *((f"alive at the peak, in MiB: {alive}",) if alive else ()), *_autocast(report))


def _int8_notes(report: Report) -> tuple[str, ...]:
    """What quantizing saves, and what it leaves in float32."""
    if not report.setting.int8:
        return _memory_notes(report)
    fates, graph = report.fates, report.graph
    plain = Report(graph, report.setting._replace(int8=False))
    kept = Counter(row.type for row in report.rows if not fates[row.node].kind)
    listed = ", ".join(type_ if count == 1 else f"{count} × {type_}" for type_, count in kept.most_common(8))
    listed += f", {len(kept) - 8} more types" if len(kept) > 8 else ""
    converted = sum(bool(fate.also) for fate in fates)
    unknown = analysis.quantized.not_followed(graph)
    before, now = (each.totals.value("weight_bytes") for each in (plain, report))
    saved = known(before) / known(now) if known(now) else 1
    peaks = known(plain.totals.value("peak_inference_bytes")), known(report.totals.value("peak_inference_bytes"))
    return (
        *_memory_notes(report),
        f"in float32: weights {mib(known(before))}, {saved:.3g} times as much; peak of activations {mib(peaks[0])}",
        f"stays in float32: {listed or 'nothing'}",
        f"{converted} tensors are converted between int8 and float32, as soon as they are there",
        *((f"what becomes of {', '.join(unknown)} is not followed: taken to stay in float32",) if unknown else ()),
    )


def allocated_notes(report: Report) -> tuple[str, ...]:
    """What inference allocates on a device, with the copies that its libraries make."""
    value, peak, device = report.totals.value, report.totals.peak, report.setting.device
    low, high = peak.allocated
    fixed = known(value("inference_bytes")) - peak.bytes
    if device == "cpu":
        how = "with the copies that oneDNN makes inside a convolution"
    else:
        how = "workspaces of cuDNN and cuBLAS were not learnt: a band"
    return (
        _fact("allocated, at least", AtLeast(fixed + low) if not report.totals.complete else fixed + low),
        _fact("allocated, at most", value("allocated_bytes"), f"allocated_bytes: on {device}, at {peak.at}"),
        how + ("" if low == high else ", which depend on the width of its vectors and on threads" * (device == "cpu")),
    )


def _where(phase: str, layer: str) -> str:
    if phase == "update":
        return f"in the update, by {layer}"
    return f"in the {phase} pass, at {layer}" if layer else ""


def _summed(step: TrainingStep) -> str:
    """What the peak is the sum of, in MiB."""
    parts = (step.weights, step.optimizer, step.inputs, step.buckets, step.activations)
    return " + ".join(mebibytes(size) for size in parts if size)


def _autocast(report: Report) -> tuple[str, ...]:
    """What is not followed under autocast."""
    types = analysis.autocast.not_followed(report.graph) if report.setting.amp else []
    return (f"under autocast, what happens inside {', '.join(types)} is not followed",) if types else ()


def _regime(report: Report) -> Iterator[str]:
    """What is particular of how a step is made."""
    step, regime, frozen = report.training, report.regime, report.setting.frozen
    if step.buckets:
        sizes = analysis.training.buckets(report.graph, report.setting)
        sent = mib(int(analysis.training.exchanged_bytes(regime.processes, step.buckets)))
        plural = "s" * (len(sizes) != 1)
        yield _fact(
            "buckets", step.buckets, f"the gradients again, in {len(sizes)} bucket{plural}; each process sends {sent}"
        )
    if regime.accumulate > 1:
        images = regime.accumulate * report.batch
        yield f"accumulated over {regime.accumulate} batches, {images} images: gradients stay from the first one on"
    if step.recomputed:
        macs = report.recomputed_macs or 0
        share = f", {macs / report.totals.macs:.1%} of the forward pass" if report.totals.macs else ""
        yield f"checkpoints: {len(step.recomputed)} layers are run again, {number(macs)} MACs a batch{share}"
    if frozen:
        layers = [report.rows[node - report.graph.input_count] for node in sorted(frozen)]
        kept = sum(row.saved_bytes or 0 for row in layers)
        count = sum(row.params or 0 for row in layers)
        yield f"frozen: {number(count)} parameters; their layers keep {mib(kept)} for the gradient of what lies before"


def _training_memory_notes(report: Report) -> tuple[str, ...]:
    value, step = report.totals.value, report.training
    return (
        _fact("weights and buffers", value("weight_bytes"), "weight_bytes"),
        _fact("gradients", value("gradient_bytes"), "gradient_bytes: of the parameters"),
        _fact("optimizer state", value("optimizer_bytes"), f"optimizer_bytes: {report.optimizer}"),
        _fact("input", step.inputs),
        _fact("kept for backward", value("saved_for_backward_bytes"), "saved_for_backward_bytes: each storage once"),
        _fact(
            "activations",
            value("training_activation_bytes"),
            f"training_activation_bytes: and gradients, {_where(step.phase, step.layer)}".rstrip(", "),
        ),
        *_regime(report),
        _fact("peak of the step", value("peak_training_bytes"), f"peak_training_bytes: {_summed(step)}"),
        "the peak holds weights, optimizer state and input, and what is alive of the rest at the worst moment;",
        "what an operation needs inside (a convolution's workspace) is not in it",
        *_autocast(report),
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
    "memory --int8": Question(
        ("layer", "type", "output", "computed_in", "weight_bytes", "bytes"), ("output",), _int8_notes
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
