"""What layers own: parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ...explanation import Derivation
from ...quantities import number
from .base import Figure, summed

if TYPE_CHECKING:
    from ..parts import Row


def _steps(row: Row) -> Iterator[Derivation]:
    op, shapes = row.known()
    if row.shares and op.counts(*shapes):
        yield Derivation("parameters", text=f"0: those of {row.shares}, which are counted there")
        return
    counts = op.counts(*shapes)
    for count in counts:
        yield Derivation(count.role, count.step, remark=count.step.formula.remark)
    trained = [count.step.value for count in counts if count.role != "buffers"]
    if len(trained) > 1:
        added = f"{' + '.join(map(number, trained))} = {number(sum(trained))}"
        yield Derivation("parameters", text=added, total=sum(trained))


weights = Figure(
    "weights",
    "weights",
    "weights",
    "trained values that multiply: kernels, matrices, scales",
    summed("weights"),
    chapter="parameters",
)
biases = Figure(
    "biases",
    "biases",
    "biases",
    "trained values that are added",
    summed("biases"),
    chapter="parameters",
)
params = Figure(
    "params",
    "parameters",
    "parameters",
    "weights and biases: all that is trained",
    summed("weights", "biases", of=lambda sums: sums.params),
    chapter="parameters",
    question="params",
    derive=_steps,
    summed="parameters",
    none=lambda row: "nothing in it is trained",
    shared="params_share",
    watched="parameters",
)
trainable_params = Figure(
    "trainable_params",
    "trainable",
    "parameters",
    "parameters that a training step changes: all, since nothing is frozen in a spec",
    summed("weights", "biases", of=lambda sums: sums.params),
    chapter="parameters",
    scope="network",
)
buffers = Figure(
    "buffers",
    "buffers",
    "buffers",
    "values that are stored and not trained, as running statistics",
    summed("buffers"),
    chapter="parameters",
)
