"""Show the work: for each number of a layer the formula, the substitution, the result and the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import did_you_mean, wrong_call
from ..formula import LETTERS, Step, number
from ..ops import readable
from ..ops.conv import conv_output
from ..ops.pool import ceil_output
from . import memory, training
from .cost import batch_work, known_shapes, macs_to_flops
from .receptive_field import field_padding, field_size, field_stride

if TYPE_CHECKING:
    from ..report import Report, Row
    from .storages import Storage

#: What is asked where nothing is said; "training" only by name.
QUESTIONS = ("shape", "params", "macs", "flops", "connections", "memory", "receptive-field")
ALL_QUESTIONS = (*QUESTIONS, "training")
_ALIASES = {
    "shapes": "shape",
    "parameters": "params",
    "work": "flops",
    "rf": "receptive-field",
    "receptive_field": "receptive-field",
}


class Line(NamedTuple):
    """One number: what it is called, the step that gives it or, for sums, words with the `total`; and a remark."""

    label: str
    step: Step | None = None
    text: str = ""
    remark: str = ""
    total: int | None = None

    @property
    def value(self) -> Any:
        """The number itself; None where there is none."""
        return self.total if self.step is None else self.step.value


class Explanation(NamedTuple):
    """The work behind the figures of a layer: a title, a note, and its lines."""

    title: str
    lines: tuple[Line, ...]
    note: str = ""
    name: str = "network"

    def __str__(self) -> str:
        from ..render.explanation import as_text

        return as_text(self, sources=False)

    def markdown(self) -> str:
        """The same as Markdown, with mathematics."""
        from ..render.explanation import as_markdown

        return as_markdown(self)

    def latex(self) -> str:
        """The same as LaTeX."""
        from ..render.explanation import as_latex

        return as_latex(self)

    def _repr_markdown_(self) -> str:
        return self.markdown()


def explain(report: Report, layer: str = "", question: str = "") -> list[Explanation]:
    """The work of one layer, of all layers of a group, or of the network; raises `SpecError` for an unknown name."""
    asked(question)
    if not layer:
        found = [*(explain_row(row, question) for row in report.rows), *totals(report, question)]
        return [each for each in found if each.lines]
    rows = report.rows_of(layer)
    if not rows:
        names = [*(row.name for row in report.rows), *report.graph.groups]
        hint = did_you_mean(layer, names) or f"it has {', '.join(names[:12])}{', …' if len(names) > 12 else ''}"
        raise wrong_call(f"there is no layer {layer}", hint, where=report.graph.source.name)
    return [explain_row(row, question) for row in rows]


def asked(questions: str) -> tuple[str, ...]:
    """The questions in a list with commas, all where it is empty; raises `SpecError` for one that is not known."""
    found = tuple(_ALIASES.get(each.strip(), each.strip()) for each in questions.split(",") if each.strip())
    for question in found:
        if question not in ALL_QUESTIONS:
            hint = did_you_mean(question, ALL_QUESTIONS) or f"ask {', '.join(ALL_QUESTIONS)}"
            raise wrong_call(f"there is no question {question}", hint)
    return found or QUESTIONS


def explain_row(row: Row, question: str = "") -> Explanation:
    """The work behind the figures of one layer."""
    wanted = asked(question)
    shapes = " and ".join("?" if shape is None else readable(shape) for shape in row.input_shapes)
    out = "?" if row.output_shape is None else readable(row.output_shape)
    title = f"{row.name} ({row.type}): {shapes} → {out}"
    lines = [line for name, line in _lines(row) if name in wanted or (name == "macs" and "flops" in wanted)]
    if "training" in wanted and row.report.trainable:
        lines += _training_lines(row)
    return Explanation(title, tuple(lines), row.layer.note, row.name)


def totals(report: Report, question: str) -> Iterator[Explanation]:
    """The sums over the network."""
    sums = (
        ("params", "parameters", report.totals.params),
        ("macs", "MACs", report.totals.macs),
        ("flops", "FLOPs", report.totals.flops),
        ("connections", "connections", report.totals.connections),
        ("memory", "bytes of all activations", report.totals.activation_bytes),
    )
    attributes = {"memory": "output_bytes"}
    at_least = "" if report.totals.complete else "≥ "
    wanted, lines = asked(question), []
    for name, label, value in sums:
        if name not in wanted:
            continue
        parts = [getattr(row.figures, attributes.get(name, name)) for row in report.rows]
        known = [part for part in parts if part]
        if len(known) == 1:
            lines.append(Line(label, text=f"{at_least}{number(value)}, all in one layer", total=value))
        elif known:
            few = " + ".join(number(part) for part in known[:12])
            terms = few if len(known) <= 12 else f"the sum of {len(known)} layers"
            lines.append(Line(label, text=f"{terms} = {at_least}{number(value)}", total=value))
    if "memory" in wanted and report.rows:
        peak = report.totals.peak
        alive = " + ".join(f"{each.name} {number(each.bytes)}" for each in peak.alive[:8])
        alive += " + …" * (len(peak.alive) > 8) + f" + {number(peak.extra_bytes)} beside them" * bool(peak.extra_bytes)
        text = f"{alive} = {at_least}{number(peak.bytes)}, while {peak.layer} runs"
        lines.append(Line("peak of activations, bytes", text=text, total=peak.bytes))
    if "training" in wanted and report.trainable and report.rows:
        lines += _training_totals(report)
    if lines:
        count = len(report.rows)
        yield Explanation(f"{report.title}: " + (f"all {count} layers" if count != 1 else "its layer"), tuple(lines))


def _training_totals(report: Report) -> Iterator[Line]:
    sizes, step = report.totals, report.training
    E, width = sizes.params, memory.BYTES[report.dtype]
    yield Line(
        "backward MACs", text=f"the sum of all layers = {number(sizes.backward_macs)}", total=sizes.backward_macs
    )
    yield Line("kept for backward", text=f"{number(step.saved)} bytes, each storage once", total=step.saved)
    yield Line("gradients", training.gradient_bytes.step(E=E, b=width))
    yield Line("optimizer", training.optimizer_bytes.step(s=training.OPTIMIZERS[report.optimizer], E=E, b=width))
    yield Line(
        "peak of the step", text=f"{number(step.peak)} bytes, in the {step.phase}, at {step.layer}", total=step.peak
    )


def _lines(row: Row) -> Iterator[tuple[str, Line]]:
    report, layer = row.report, row.layer
    shapes = known_shapes(report.graph, layer)
    if layer.op is None or layer.shape is None or shapes is None:
        yield "shape", Line("unknown", text="what depends on a layer that is not known is not known either")
        return
    yield from _shape_lines(row)
    counts = layer.op.counts(*shapes)
    for count in counts:
        yield "params", Line(count.role, count.step, remark=count.step.formula.remark)
    trained = [count.step.value for count in counts if count.role != "buffers"]
    if len(trained) > 1:
        added = f"{' + '.join(map(number, trained))} = {number(sum(trained))}"
        yield "params", Line("parameters", text=added, total=sum(trained))
    work = layer.op.work(layer.shape, *shapes)
    if work.macs is not None:
        yield "macs", Line("MACs", work.macs, remark=work.macs.formula.remark)
        yield "flops", Line("FLOPs", macs_to_flops.step(MACs=work.macs.value))
    if work.other is not None and work.other.value:
        operations = layer.op.each(*shapes)
        remark = f"for each element: {counted(operations)}" if operations else work.other.formula.remark
        yield "flops", Line("other work" if work.macs else "FLOPs", work.other, remark=remark)
    if report.batch > 1 and row.figures.flops:
        yield "flops", Line("of the batch", batch_work.step(B=report.batch, FLOPs=row.figures.flops // report.batch))
    if work.connections is not None:
        yield "connections", Line("connections", work.connections, remark=work.connections.formula.remark)
    width = memory.BYTES[report.dtype]
    yield "memory", Line("output", memory.tensor_bytes.step(B=report.batch, O=layer.shape, b=width))
    yield from _field_lines(row)


def _training_lines(row: Row) -> Iterator[Line]:
    shapes, found = known_shapes(row.report.graph, row.layer), row.report.backward[row.node]
    if row.layer.op is None or row.layer.shape is None or shapes is None or found is None:
        return
    steps = row.layer.op.gradients(found.wanted, row.layer.shape, *shapes)
    for label, step in (("∂ input", steps.inputs), ("∂ weights", steps.weights)):
        if step is not None:
            yield Line(label, step, remark=step.formula.remark)
    if steps.weights is not None and steps.inputs is None:
        yield Line("∂ input", text="none: nothing before this layer is trained", total=0)
    total, kept = row.saved_bytes or 0, row.report.kept[row.node]
    for each in kept:
        batch = row.report.batch if each.store.each else 1
        width = each.store.width(row.report.setting)
        sizes = memory.tensor_bytes.step(B=batch, O=each.store.shape or (1,), b=width)
        yield Line("kept", sizes, remark=_whose(row, each))
    if len(kept) != 1:
        parts = [number(each.bytes) for each in kept]
        text = f"{' + '.join(parts)} = {number(total)} bytes" if kept else "nothing that no earlier layer keeps"
        yield Line("kept", text=text, total=total)


def _whose(row: Row, kept: Storage) -> str:
    """What autograd keeps, in words."""
    graph = row.report.graph
    if kept.own != "y":
        what = f"its {kept.own}"
    elif kept.node == row.node:
        what = "its output"
    elif kept.node < graph.input_count:
        what = "the network's input"
    else:
        what = f"the output of {graph.nodes[kept.node].name}"
    return f"{what}, which its backward pass needs"


def _shape_lines(row: Row) -> Iterator[tuple[str, Line]]:
    op, shapes = row.layer.op, tuple(shape for shape in row.input_shapes if shape is not None)
    assert op is not None
    sizes = op.output(*shapes)
    names = axis_names(len(sizes))
    steps = [(name, size) for name, size in zip(names, sizes, strict=True) if isinstance(size, Step)]
    if not steps:
        out = row.output_shape or ()
        said = [each.name for each in op.arguments() if each.name in ("out_features", "output_size", "size", "dims")]
        how = "as it came in" if out == shapes[0] else f"as {said[0]} asks" if said else "as follows from its arguments"
        yield "shape", Line("shape", text=f"{readable(out)}, {how}")
        return
    merged = len(steps) == 2 and steps[0][0] == "height" and steps[0][1].letters == steps[1][1].letters
    for name, step in steps[: 1 if merged else None]:
        yield "shape", Line("height, width" if merged else name, step, remark=remainder(step))


def counted(operations: Sequence[str]) -> str:
    """Operations in words, equal ones together.

    >>> counted(("add", "add", "divide"))
    '2 × add, divide'
    """
    times = {each: operations.count(each) for each in operations}
    return ", ".join(each if n == 1 else f"{n} × {each}" for each, n in times.items())


def letters(explanations: Sequence[Explanation]) -> dict[str, str]:
    """The letters that explanations use, and what they stand for."""
    used = {letter for each in explanations for line in each.lines if line.step for letter in line.step.formula.letters}
    return {letter: meaning for letter, meaning in LETTERS.items() if letter in used}


def axis_names(count: int) -> Sequence[str]:
    """What the axes of a shape are called, channels first."""
    return {
        1: ("length",),
        2: ("channels", "length"),
        3: ("channels", "height", "width"),
        4: ("channels", "depth", "height", "width"),
    }.get(count, tuple(f"axis {i + 1}" for i in range(count)))


def remainder(step: Step) -> str:
    """What the lecture says of a stride that does not fit; empty where it fits.

    >>> print(remainder(conv_output.step(N=7, F=3, S=3, P=0, D=1)))
    (7 − 3)/3 + 1 = 2.33 does not fit: PyTorch floors it to 2, and the last column is never seen
    """
    if step.formula not in (conv_output, ceil_output):
        return ""
    N, F, S, P, D = (step.letters[letter] for letter in "NFSPD")
    extent = D * (F - 1) + 1
    span = N + 2 * P - extent
    if span % S == 0:
        return ""
    exact = f"({N}{f' + 2·{P}' if P else ''} − {extent})/{S} + 1 = {span / S + 1:.2f} does not fit: PyTorch "
    if step.formula is ceil_output:
        if step.value > span // S + 1:
            return exact + f"rounds it up to {step.value}, and the last window hangs over the end"
        return exact + f"would round it up, but a window may not start in the padding: {step.value}"
    lost = span % S - P
    if lost <= 0:
        return exact + f"floors it to {step.value}, and only padding is left out"
    columns = "the last column is" if lost == 1 else f"the last {lost} columns are"
    return exact + f"floors it to {step.value}, and {columns} never seen"


def _field_lines(row: Row) -> Iterator[tuple[str, Line]]:
    """The steps from the field before to the field after, for the first axis that a window of this layer widens."""
    report, layer = row.report, row.layer
    shapes = tuple(shape for shape in row.input_shapes if shape is not None)
    field = row.receptive_field
    if report.states[row.node] is None and layer.shape is not None:
        yield "receptive-field", Line("receptive field", text="not known: it has grown beyond all pictures")
    if field is None or layer.op is None or layer.shape is None:
        return
    size = "×".join(number(each) for each in field.size)
    if field.kind == "whole input":
        yield "receptive-field", Line("receptive field", text=f"{size}: the whole input")
        return
    if len(layer.inputs) > 1:
        yield "receptive-field", Line("receptive field", text=f"{size}: the union of what the branches see")
        return
    state = report.states[layer.inputs[0]]
    reach = layer.op.reach(layer.shape, *shapes)
    for before in (state or {}).get(min(state or {0: ()}), ()):
        window = reach[before.axis].window if before.axis is not None else None
        if window is None or (window.extent, window.stride, window.padding) == (1, 1, 0):
            continue
        yield (
            "receptive-field",
            Line(
                "receptive field",
                field_size.step(r=before.size, F=window.extent, j=before.stride),
                remark="" if window.exact else "a bound for all positions",
            ),
        )
        yield "receptive-field", Line("its stride", field_stride.step(j=before.stride, S=window.stride))
        yield (
            "receptive-field",
            Line("its padding", field_padding.step(p=before.padding, P=window.padding, j=before.stride)),
        )
        return
    yield "receptive-field", Line("receptive field", text=f"{size}, as it came in")
