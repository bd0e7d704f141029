"""Which columns answer which question, and what is said above and below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..analysis.memory import BYTES, tensor_bytes
from ..errors import did_you_mean, wrong_call
from ..formula import number
from ..ops import readable
from ..report import Report
from ..totals import added
from .columns import COLUMNS, Cells, Value, mib, shape_text
from .table import EMPTY, AtLeast, Column, Line, Table, as_mib
from .tree import Entry, entries, fitting

#: Lines of a table in a terminal before it is folded.
SCREEN = 70


class Choice(NamedTuple):
    """How much of the layers is shown: `fit` folds to so many lines, None shows one line a layer with its full name."""

    depth: int | None = None
    columns: tuple[str, ...] = ()
    sort: str = ""
    fit: int | None = None


QUESTIONS = {
    "shapes": ("layer", "type", "input", "output"),
    "params": ("layer", "type", "weights", "biases", "params", "params_share", "buffers"),
    "flops": ("layer", "type", "macs", "macs_share", "other", "flops"),
    "memory": ("layer", "type", "output", "bytes", "mib", "bytes_share"),
    "receptive-field": ("layer", "type", "output", "rf", "rf_stride", "rf_padding", "rf_kind"),
    "overview": ("layer", "type", "output", "params", "macs"),
    "memory --train": ("layer", "type", "output", "bytes", "saved", "saved_mib", "saved_share"),
    "flops --train": ("layer", "type", "macs", "input_gradient", "weight_gradient", "step_macs"),
}
#: What a narrow terminal may leave out, the first one first.
_SPARE = {
    "params": ("params_share", "buffers"),
    "flops": ("macs_share",),
    "memory": ("bytes_share", "mib"),
    "receptive-field": ("output", "rf_padding"),
    "memory --train": ("bytes", "saved_share", "saved_mib"),
    "flops --train": ("type",),
}
_TRAINED = ("input_gradient", "weight_gradient", "step_macs", "saved", "saved_mib")
_SUMMED = ("weights", "biases", "params", "buffers", "macs", "other", "flops", "connections", "bytes", "mib", *_TRAINED)


def view(report: Report, question: str, choice: Choice = Choice()) -> Table:  # noqa: B008
    """The table that answers a question; raises `SpecError` for a column that there is not."""
    keys = _known(choice.columns) or QUESTIONS[question]
    chosen = [COLUMNS[key] for key in keys]
    lines, hint = _lines(report, chosen, choice)
    if any(key in _SUMMED for key in keys):
        lines.append(_total(report, chosen))
    notes = (*_layer_notes(report, lines), *(_NOTES[question](report) if question in _NOTES else ()))
    return Table(
        report.title,
        tuple(column for column, _ in chosen),
        lines,
        _head(report, keys),
        (*notes, *hint),
        _SPARE.get(question, ()) if not choice.columns else (),
        Lazy(report),
    )


def _layer_notes(report: Report, lines: Sequence[Line]) -> tuple[str, ...]:
    """The notes of the layers and groups, below a table that is short enough to be read."""
    noted = {row.name: row.layer.note for row in report.rows if row.layer.note}
    noted |= {group.name: group.note for group in report.graph.groups.values() if group.note}
    if not noted or len(lines) > SCREEN:
        return ()
    return tuple(f"{name}: {' '.join(note.split())}" for name, note in noted.items())


class Lazy(NamedTuple):
    """The JSON document of a report, made only when that format is asked for."""

    report: Report


def _known(columns: Sequence[str]) -> tuple[str, ...]:
    """Keys of columns, which may also be called by their headings."""
    headings = {column.title: key for key, (column, _) in COLUMNS.items() if column.title != "share"}
    columns = [headings.get(key, key) for key in columns]
    for key in columns:
        if key not in COLUMNS:
            hint = did_you_mean(key, COLUMNS) or f"columns are {', '.join(COLUMNS)}"
            raise wrong_call(f"there is no column {key}", hint)
    return tuple(dict.fromkeys(columns))


def _lines(report: Report, chosen: list[tuple[Column, Value]], choice: Choice) -> tuple[list[Line], tuple[str, ...]]:
    hint: tuple[str, ...] = ()
    if choice.sort:
        return _sorted(report, chosen, choice), hint
    if choice.depth is not None:
        found = entries(report, choice.depth, fold=choice.fit is not None)
    elif choice.fit is not None:
        found, depth, deepest = fitting(report, choice.fit)
        if depth < deepest:
            hint = (f"folded to {depth} of {deepest} levels: --depth {deepest} shows all",)
    else:
        found = [Entry(row.name, row.name, 0, (row,), "layer") for row in report.rows]
    full_names = choice.fit is None
    return [_line(report, entry, chosen, entry.path if full_names else entry.label) for entry in found], hint


def _line(report: Report, entry: Entry, chosen: list[tuple[Column, Value]], label: str) -> Line:
    if entry.kind == "layer":
        row = entry.rows[0]
        cells = Cells(entry.rows, row.figures, report, label, row.type, False)
    else:
        figures, complete = added(row.figures for row in entry.rows)
        kind = _type_of(report, entry)
        cells = Cells(entry.rows, figures, report, label, kind, False)
        if not complete:
            return Line(tuple(_at_least(column, value(cells)) for column, value in chosen), entry.kind, entry.level)
    return Line(tuple(value(cells) for _, value in chosen), entry.kind, entry.level)


def _type_of(report: Report, entry: Entry) -> str:
    group = report.graph.groups.get(entry.path)
    kind = (group.block if group else "") or (entry.rows[0].type if entry.copies == len(entry.rows) else "")
    if entry.kind == "copies":
        return f"{entry.copies} × {kind or 'the same'}"
    return kind


def _at_least(column: Column, value: Any) -> Any:
    return AtLeast(value) if column.key in _SUMMED and isinstance(value, (int, float)) else value


def _total(report: Report, chosen: list[tuple[Column, Value]]) -> Line:
    totals = report.totals
    cells = Cells(tuple(report.rows), totals.figures, report, "total", EMPTY, True)
    values = [value(cells) for _, value in chosen]
    if any(column.key in _TRAINED for column, _ in chosen) and not totals.training_complete:
        values = [_at_least(column, value) if column.key in _TRAINED else value
                  for (column, _), value in zip(chosen, values, strict=True)]  # fmt: skip
    if not totals.complete:
        values = [_at_least(column, value) for (column, _), value in zip(chosen, values, strict=True)]
    return Line(tuple(values), "total")


def _sorted(report: Report, chosen: list[tuple[Column, Value]], choice: Choice) -> list[Line]:
    """Layers (or groups at a depth), the largest first; with a leading minus, the smallest."""
    (key,) = _known([choice.sort.lstrip("-+")])
    if choice.depth is None:
        found = [Entry(row.name, row.name, 0, (row,), "layer") for row in report.rows]
    else:
        found = [entry for entry in entries(report, choice.depth, fold=False) if entry.kind != "group"]
    get = COLUMNS[key][1]

    def rank(entry: Entry) -> tuple[int, Any]:
        figures = added(row.figures for row in entry.rows)[0]
        value = get(
            Cells(entry.rows, figures, report, entry.path, _type_of(report, entry) or entry.rows[0].type, False)
        )
        if isinstance(value, str):
            return (1, value) if value != EMPTY else (0, "")
        if isinstance(value, tuple):
            product: Any = 1
            for each in value:
                product *= each
            return (2, product)
        return (0, "") if value is None else (2, value)

    textual = key in ("layer", "type", "from", "rf_kind", "note")
    descending = textual == choice.sort.startswith("-")
    groups: dict[int, list[Entry]] = {}
    for entry in found:
        groups.setdefault(rank(entry)[0], []).append(entry)
    ordered = [
        entry
        for kind in (2, 1, 0)
        for entry in sorted(groups.get(kind, []), key=lambda e: rank(e)[1], reverse=descending)
    ]
    return [_line(report, entry, chosen, entry.path)._replace(level=0) for entry in ordered]


def setting(report: Report) -> str:
    """Input, batch and dtype: what stands above every table."""
    inputs = report.graph.inputs
    named = len(inputs) > 1
    shapes = ", ".join(
        f"{each.name} {readable(each.shape or ())}" if named else readable(each.shape or ()) for each in inputs
    )
    line = f"input {shapes} (H×W×C) · batch {report.batch} · {report.dtype}"
    return line + " · activations in place" * report.inplace


def _head(report: Report, keys: Sequence[str]) -> tuple[str, ...]:
    lines = [setting(report)]
    if any(key in _TRAINED for key in keys):
        lines[0] += " · training"
    if "saved" in keys:
        lines[0] += f" · {report.optimizer} · masks and statistics as on {report.setting.device}"
    if report.graph.about:
        lines.append(f"source: {report.graph.about}")
    if any(key in ("macs", "flops", "other") for key in keys):
        lines.append("1 MAC = one multiply-add of a convolution, linear or matrix product; no biases")
    if any(key in ("flops", "other") for key in keys) or ("macs" in keys and "step_macs" not in keys):
        lines.append("FLOPs = 2·MACs + other work (each comparison, addition, division, root is one)")
    return tuple(lines)


def _shapes_notes(report: Report) -> tuple[str, ...]:
    totals = report.totals
    at_least = "" if totals.complete else "≥ "
    layers = f"{len(report.rows)} layer{'s' * (len(report.rows) != 1)}"
    depth = f"depth {at_least}{totals.depth}"
    work = f"{at_least}{number(totals.params)} parameters · {at_least}{number(totals.macs)} MACs"
    return (f"{layers}, {depth} · {work}",)


def _beside(report: Report, layer: str) -> str:
    """What a layer allocates beside its output."""
    pool = "MaxPool" in report[layer].type
    return "for the int64 indices of the max pool" if pool else f"that {layer} needs on the way"


def _memory_notes(report: Report) -> tuple[str, ...]:
    totals, width = report.totals, BYTES[report.dtype]
    at_least = "" if totals.complete else "≥ "
    given = sum(int(tensor_bytes(report.batch, each.shape, width)) for each in report.graph.inputs if each.shape)
    peak = totals.peak
    alive = " + ".join(f"{each.name} {as_mib(each.bytes / 2**20)}" for each in peak.alive[:6])
    alive += f" + {len(peak.alive) - 6} more" if len(peak.alive) > 6 else ""
    alive += f" + {as_mib(peak.extra_bytes / 2**20)} {_beside(report, peak.layer)}" if peak.extra_bytes else ""
    whole = totals.weight_bytes + given + peak.bytes
    rows = (
        ("weights and buffers", totals.weight_bytes, ""),
        ("input", given, ""),
        ("outputs added up", totals.activation_bytes, "of all layers, views too"),
        ("peak of activations", peak.bytes, f"while {peak.layer} runs" if peak.layer else "nothing new is stored"),
        ("inference needs", whole, "weights + input + peak"),
    )
    lines = [
        f"{label:<20} {'' if label == 'input' else at_least}{mib(size):>14}  {remark}".rstrip()
        for label, size, remark in rows
    ]
    return (*lines, f"alive at the peak, in MiB: {alive}") if alive else tuple(lines)


def _where(phase: str, layer: str) -> str:
    if phase == "update":
        return f"in the update, by {layer}"
    return f"in the {phase} pass, at {layer}" if layer else ""


def _training_memory_notes(report: Report) -> tuple[str, ...]:
    totals, step = report.totals, report.training
    owned, kept = ("" if known else "≥ " for known in (totals.complete, totals.training_complete))
    rows = (
        ("weights and buffers", owned, step.weights, ""),
        ("gradients", owned, step.gradients, "of the parameters"),
        ("optimizer state", owned, step.optimizer, report.optimizer),
        ("input", "", step.inputs, ""),
        ("kept for backward", kept, step.saved, "by autograd, each storage once"),
        ("peak of the step", kept, step.peak, _where(step.phase, step.layer)),
    )
    lines = [f"{label:<20} {at_least}{mib(size):>14}  {remark}".rstrip() for label, at_least, size, remark in rows]
    return (
        *lines,
        "the peak holds weights, optimizer state and input, and what is alive of the rest at the worst moment;",
        "what an operation needs inside (a convolution's workspace) is not in it",
    )


def _training_work_notes(report: Report) -> tuple[str, ...]:
    totals = report.totals
    at_least = "" if totals.training_complete else "≥ "
    step = totals.macs + totals.backward_macs
    ratio = f", {step / totals.macs:.3g} times the forward pass" if totals.macs else ""
    return (
        f"{at_least}{number(step)} MACs a step, {at_least}{number(2 * step)} FLOPs in multiply-adds{ratio}",
        "∂ input: gradient of the input, none where nothing before the layer is trained; ∂ weights: of the weights",
    )


def _field_notes(report: Report) -> tuple[str, ...]:
    kinds = {row.receptive_field.kind for row in report.rows if row.receptive_field}
    words = {
        "union": "union: the smallest window that holds what all branches, or all positions, see",
        "whole input": "whole input: the window spans all of it; what is wider than the input falls on padding",
    }
    found = tuple(text for kind, text in words.items() if kind in kinds)
    several = len(report.graph.inputs) > 1
    return (*found, "several inputs: the field in the first one that reaches a layer") if several else found


_NOTES: dict[str, Callable[[Report], tuple[str, ...]]] = {
    "shapes": _shapes_notes,
    "memory": _memory_notes,
    "receptive-field": _field_notes,
    "overview": _shapes_notes,
    "memory --train": _training_memory_notes,
    "flops --train": _training_work_notes,
}


def summary(report: Report) -> Table:
    """All at a glance: totals, where the parameters live, where the work is."""
    parts = entries(report, 1, fold=False)
    chosen = [COLUMNS[key] for key in ("layer", "type", "output", "params", "params_share", "macs", "macs_share")]
    lines = [_line(report, entry, chosen, entry.path) for entry in parts]
    carrying = [line for line in lines if line.cells[3] or line.cells[5]]
    lines = carrying if len(carrying) <= 30 else sorted(carrying, key=_weight, reverse=True)[:30]
    totals = report.totals
    at_least = "" if totals.complete else "≥ "
    peak = totals.peak
    facts = (
        (
            "depth",
            f"{at_least}{totals.depth}, counting layers with weights; {len(report.rows)} layers in all",
        ),
        (
            "parameters",
            f"{at_least}{number(totals.params)} ({number(totals.weights)} weights, {number(totals.biases)} biases)",
        ),
        ("buffers", f"{at_least}{number(totals.buffers)}"),
        ("MACs", f"{at_least}{number(totals.macs)} ({si(totals.macs)}MAC)"),
        ("FLOPs", f"{at_least}{number(totals.flops)} (2·MACs + {number(totals.other)} other work)"),
        ("weights in memory", f"{at_least}{mib(totals.weight_bytes)}"),
        ("outputs added up", f"{at_least}{mib(totals.activation_bytes)}"),
        ("peak of activations", f"{at_least}{mib(peak.bytes)}, while {peak.layer} runs"),
        ("output", ", ".join(shape_text(report.graph.nodes[i].shape) for i in report.graph.outputs)),
    )
    left_out = len(carrying) - len(lines)
    notes = [f"{label:<20} {text}" for label, text in facts]
    if left_out:
        notes.insert(0, f"({left_out} smaller parts are not shown)")
    lines.append(_total(report, chosen))
    columns = tuple(column for column, _ in chosen)
    return Table(report.title, columns, lines, _head(report, ()), tuple(notes), ("type", "output"), Lazy(report))


def _weight(line: Line) -> float:
    shares = [cell for cell in (line.cells[4], line.cells[6]) if isinstance(cell, float)]
    return sum(shares)


def si(value: float) -> str:
    """A count with an SI prefix.

    >>> si(4089184256)
    '4.089 G'
    """
    for factor, prefix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= factor:
            return f"{value / factor:.3f} {prefix}"
    return f"{value:g} "
