"""shapes, params, flops, memory, receptive-field and summary: one report, six questions."""

from __future__ import annotations

from typing import NamedTuple

import typer

from ..render.table import Table
from ..report import Report, analyse
from . import app
from .options import (
    Batch,
    Columns,
    Depth,
    Dtype,
    Format,
    InPlace,
    Input,
    Output,
    Set,
    Sort,
    Spec,
    Watch,
    chosen_format,
    listed,
    settings,
    shapes,
)
from .output import complain, emit, is_terminal, refuse_to_overwrite

HELP = {
    "shapes": "The shape after every layer, height × width × channels.",
    "params": "Parameters of every layer: weights, biases, buffers, and their share.",
    "flops": "Work of every layer: multiply-adds, all other operations, FLOPs.",
    "memory": "Memory of weights and activations, and the peak during inference.",
    "receptive-field": "What part of the input a unit of every layer sees.",
    "summary": "All at a glance: totals, where the parameters live, where the work is.",
}


class Request(NamedTuple):
    """What was asked of a network."""

    spec: str
    args: dict[str, object]
    inputs: dict[str, tuple[int, ...]]
    batch: int
    dtype: str
    inplace: bool

    def report(self) -> Report:
        return analyse(
            self.spec, args=self.args, inputs=self.inputs, batch=self.batch, dtype=self.dtype, inplace=self.inplace
        )


def _register(question: str) -> None:
    def command(
        spec: Spec,
        set_: Set = None,
        input_: Input = None,
        batch: Batch = 1,
        dtype: Dtype = "float32",
        inplace: InPlace = False,
        depth: Depth = None,
        columns: Columns = None,
        sort: Sort = None,
        format: Format = None,
        output: Output = None,
        watch: Watch = False,
    ) -> None:
        request = Request(spec, settings(set_), shapes(input_), batch, dtype, inplace)
        kind = chosen_format(format, output)
        refuse_to_overwrite(spec, output)

        def answer() -> Report:
            report = request.report()
            emit(_table(report, question, depth, columns, sort, kind, output), kind, output)
            return report

        if watch:
            from .watch import follow

            follow(spec, answer)
            return
        report = answer()
        complain(report.warnings)
        if complain(report.graph.errors):
            raise typer.Exit(2)

    command.__doc__ = HELP[question]
    app.command(question)(command)


def _table(
    report: Report,
    question: str,
    depth: int | None,
    columns: str | None,
    sort: str | None,
    format: str,
    output: str | None,
) -> Table:
    from ..errors import wrong_call
    from ..render.views import SCREEN, Choice, summary, view

    if depth is not None and depth < 1:
        raise wrong_call(f"--depth {depth} makes no sense", "use 1 or more")
    on_screen = format == "table" and output is None and is_terminal()
    choice = Choice(depth, listed(columns), sort or "", SCREEN if on_screen else None)
    if question == "summary" and not (depth or columns or sort):
        return summary(report)
    return view(report, "overview" if question == "summary" else question, choice)


for _question in HELP:
    _register(_question)
