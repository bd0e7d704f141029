"""What a training step takes: the work of the backward pass, what autograd keeps, gradients, optimizer, peak."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ... import analysis
from ...analysis import memory
from ...analysis.cost import batch_work
from ...analysis.regime import OPTIMIZERS
from ...explanation import Derivation
from ...formula import integer, prod
from ...quantities import number
from ...table import AtLeast, known
from .base import Figure, Value, added_up

if TYPE_CHECKING:
    from ...analysis.storages import Storage
    from ...analysis.training import TrainingStep
    from ..network import Network
    from ..parts import Part, Row


def _input_gradient(row: Row) -> int | None:
    backward = row.report.backward[row.node]
    return None if backward is None else integer(batch_work(row.report.batch, backward.inputs))


def _weight_gradient(row: Row) -> int | None:
    backward = row.report.backward[row.node]
    return None if backward is None else integer(batch_work(row.report.batch, backward.weights))


def _backward(row: Row) -> int | None:
    backward = row.report.backward[row.node]
    return None if backward is None else integer(batch_work(row.report.batch, backward.inputs + backward.weights))


def _saved(row: Row) -> int | None:
    report = row.report
    if row.output_shape is None or report.backward[row.node] is None or not report.trainable:
        return None
    return report.training.kept[row.node]


def _step(part: Part) -> int | AtLeast | None:
    parts = (part.value("macs"), part.value("backward_macs"))
    if None in parts:
        there = [known(each) for each in parts if each is not None]
        return AtLeast(sum(there)) if there else None
    total = sum(known(each) for each in parts)
    return AtLeast(total) if any(isinstance(each, AtLeast) for each in parts) else total


def _steps(row: Row) -> Iterator[Derivation]:
    """The backward pass, and what is kept for it."""
    backward = row.report.backward[row.node]
    if backward is None or not row.report.trainable:
        return
    op, shapes = row.known()
    steps = op.gradients(backward.wanted, row.layer.shape or (), *shapes)
    for label, step in (("∂ input", steps.inputs), ("∂ weights", steps.weights)):
        if step is not None:
            yield Derivation(label, step, remark=step.formula.remark)
    if steps.weights is not None and steps.inputs is None:
        yield Derivation("∂ input", text="none: nothing before this layer is trained", total=0)
    total, kept = _saved(row) or 0, row.report.kept[row.node]
    for storage in kept:
        batch = row.report.batch if storage.store.each else 1
        shape = storage.store.shape or (1,)
        width = storage.bytes // max(1, batch * integer(prod(shape)))
        sizes = memory.tensor_bytes.step(B=batch, Y=shape, b=width)
        yield Derivation("kept", sizes, remark=_whose(row, storage))
    if len(kept) != 1:
        parts = [number(storage.bytes) for storage in kept]
        text = f"{' + '.join(parts)} = {number(total)} bytes" if kept else "nothing that no earlier layer keeps"
        yield Derivation("kept", text=text, total=total)


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


def _total_steps(report: Network) -> Iterator[Derivation]:
    if not report.trainable or not report.rows:
        return
    totals, step = report.totals, report.training
    width = memory.BYTES[report.dtype]
    E = step.gradients // width  # of what is trained
    work = totals.backward_macs
    yield Derivation("backward MACs", text=f"the sum of all layers = {number(work)}", total=work)
    yield Derivation("kept for backward", text=f"{number(step.saved)} bytes, each storage once", total=step.saved)
    yield Derivation("gradients", analysis.training.gradient_bytes.step(E=E, b=width))
    yield Derivation("optimizer", analysis.training.optimizer_bytes.step(s=OPTIMIZERS[report.optimizer], E=E, b=width))
    text = f"{number(step.peak)} bytes, in the {step.phase}, at {step.layer}"
    yield Derivation("peak of the step", text=text, total=step.peak)
    if step.buckets:
        yield from _exchange(report, step)
    rest = step.weights + step.inputs + step.optimizer + step.buckets
    text = f"{number(step.peak)} − {number(rest)} of weights, input and optimizer = {number(step.activations)}"
    yield Derivation("activations of the step", text=text, total=step.activations)


def _exchange(report: Network, step: TrainingStep) -> Iterator[Derivation]:
    """What processes exchange."""
    sizes = analysis.training.buckets(report.graph, report.setting)
    text = f"{number(step.buckets)} bytes, the gradients again, in {len(sizes)} bucket{'s' * (len(sizes) != 1)}"
    yield Derivation("buckets", text=text, total=step.buckets)
    yield Derivation("sent by each", analysis.training.exchanged_bytes.step(n=report.regime.processes, G=step.buckets))


def _of_step(name: str, *sums: str) -> Value:
    """A figure of the step, for which these sums must be known or, where none are named, all layers' backward pass.

    That of a type that is declared in the spec is not.
    """

    def value(whole: Part) -> int | AtLeast | None:
        report = whole.report
        if not report.trainable:
            return None
        size: int = getattr(report.training, name)
        complete = not whole.sums.is_partial(*sums) if sums else whole.understood and None not in report.backward
        return size if complete else AtLeast(size)

    return value


input_gradient_macs = Figure(
    "input_gradient_macs",
    "∂ input",
    "MACs",
    "multiply-adds of the gradient of the input; none where nothing before the layer is trained",
    added_up(_input_gradient),
    chapter="training",
    scope="layers",
    column="input_gradient",
    trained=True,
    alike=True,
)
weight_gradient_macs = Figure(
    "weight_gradient_macs",
    "∂ weights",
    "MACs",
    "multiply-adds of the gradient of the weights",
    added_up(_weight_gradient),
    chapter="training",
    scope="layers",
    column="weight_gradient",
    trained=True,
    alike=True,
)
backward_macs = Figure(
    "backward_macs",
    "backward",
    "MACs",
    "multiply-adds of the backward pass",
    added_up(_backward),
    chapter="training",
    question="training",
    derive=_steps,
    derive_total=_total_steps,
    trained=True,
    alike=True,
)
step_macs = Figure(
    "step_macs",
    "step",
    "MACs",
    "multiply-adds of a training step, forwards and backwards",
    _step,
    chapter="training",
    trained=True,
    alike=True,
)
saved_for_backward_bytes = Figure(
    "saved_for_backward_bytes",
    "kept, bytes",
    "bytes",
    "what autograd keeps for the backward pass; what an earlier layer keeps counts there",
    added_up(_saved),
    chapter="training",
    column="saved",
    mebibytes="saved_mib",
    shared="saved_share",
    trained=True,
    names=("saved_bytes",),
)
gradient_bytes = Figure(
    "gradient_bytes",
    "gradients",
    "bytes",
    "the gradients of the parameters",
    _of_step("gradients", "weights", "biases"),
    chapter="training",
    scope="network",
    trained=True,
)
optimizer_bytes = Figure(
    "optimizer_bytes",
    "optimizer",
    "bytes",
    "the state of the optimizer",
    _of_step("optimizer", "weights", "biases"),
    chapter="training",
    scope="network",
    trained=True,
)
peak_training_bytes = Figure(
    "peak_training_bytes",
    "peak of a step",
    "bytes",
    "the most that a training step takes: weights, optimizer state and input included",
    _of_step("peak"),
    chapter="training",
    scope="network",
    trained=True,
)
training_activation_bytes = Figure(
    "training_activation_bytes",
    "activations of a step",
    "bytes",
    "the most that a training step takes besides weights, optimizer state and input: activations and gradients",
    _of_step("activations"),
    chapter="training",
    scope="network",
    trained=True,
)
