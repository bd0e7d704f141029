"""Figures of layers, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from .analysis import cost, memory
from .analysis.depth import depth

if TYPE_CHECKING:
    from .report import Report


class Figures(NamedTuple):
    """What is counted, for one layer, a group of layers or the network; None where it is not known.

    `macs`, `other`, `flops` and `output_bytes` are for the whole batch.
    """

    weights: int | None
    biases: int | None
    buffers: int | None
    macs: int | None
    other: int | None
    connections: int | None
    output_bytes: int | None

    @property
    def params(self) -> int | None:
        """Weights and biases: what is trained."""
        return None if self.weights is None or self.biases is None else self.weights + self.biases

    @property
    def flops(self) -> int | None:
        """Twice the MACs, and all other work."""
        return None if self.macs is None or self.other is None else int(cost.macs_to_flops(self.macs)) + self.other


UNKNOWN = Figures(None, None, None, None, None, None, None)


class Totals:
    """What the network adds up to; "at least" where `complete` is False."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.figures, complete = added(row.figures for row in report.rows)
        self.complete = complete and report.graph.complete and not report.graph.errors

    def __repr__(self) -> str:
        at_least = "" if self.complete else "≥ "
        return f"<Totals: {at_least}{self.params:,} parameters, {at_least}{self.macs:,} MACs, depth {self.depth}>"

    @cached_property
    def peak(self) -> memory.Peak:
        """The most that activations take at one moment."""
        report = self._report
        return memory.peak(report.graph, report.setting)

    @cached_property
    def depth(self) -> int:
        """Layers with weights on the longest path."""
        return depth(self._report.graph)

    @cached_property
    def training_complete(self) -> bool:
        """Whether the backward pass of all layers is known too: that of a type declared in the spec is not."""
        return self.complete and all(row.input_gradient_macs is not None for row in self._report)

    @property
    def weight_bytes(self) -> int:
        """Memory of parameters and buffers."""
        return int(memory.weight_bytes(self.params + self.buffers, memory.BYTES[self._report.dtype]))

    @property
    def activation_bytes(self) -> int:
        """Memory of the outputs of all layers together."""
        return self.figures.output_bytes or 0

    @property
    def params(self) -> int:
        return self.figures.params or 0

    @property
    def trainable_params(self) -> int:
        """All parameters: nothing is frozen in a spec."""
        return self.params

    @property
    def weights(self) -> int:
        return self.figures.weights or 0

    @property
    def biases(self) -> int:
        return self.figures.biases or 0

    @property
    def buffers(self) -> int:
        return self.figures.buffers or 0

    @property
    def macs(self) -> int:
        return self.figures.macs or 0

    @property
    def other(self) -> int:
        return self.figures.other or 0

    @property
    def flops(self) -> int:
        return self.figures.flops or 0

    @property
    def connections(self) -> int:
        return self.figures.connections or 0

    @property
    def peak_inference_bytes(self) -> int:
        """The peak of activations, without the input and the weights."""
        return self.peak.bytes

    @cached_property
    def backward_macs(self) -> int:
        """Multiply-adds of the backward pass."""
        return sum((row.input_gradient_macs or 0) + (row.weight_gradient_macs or 0) for row in self._report)

    @cached_property
    def saved_for_backward_bytes(self) -> int:
        """What autograd keeps between the forward and the backward pass."""
        return self._report.training.saved

    @property
    def gradient_bytes(self) -> int:
        """Memory of the parameters' gradients."""
        return self._report.training.gradients

    @property
    def optimizer_bytes(self) -> int:
        """Memory of the optimizer's state."""
        return self._report.training.optimizer

    @property
    def peak_training_bytes(self) -> int:
        """The most that one training step takes, weights, optimizer state and input included."""
        return self._report.training.peak


def added(figures: Iterator[Figures] | Sequence[Figures]) -> tuple[Figures, bool]:
    """The sum of what is known, and whether all of it is."""
    sums = [0] * 7
    complete = True
    for each in figures:
        if each.weights is None:
            complete = False
            continue
        values = (each.weights, each.biases, each.buffers, each.macs, each.other, each.connections, each.output_bytes)
        for i, value in enumerate(values):
            sums[i] += value or 0
    return Figures(*sums), complete
