"""explain, formulas, figures and ops: how every number comes about."""

from __future__ import annotations

from typing import Annotated

import typer

from ..report import analyse
from ..report.figures import ALL_QUESTIONS, QUESTIONS
from ..table import Table
from .commands import EXPLAIN, command
from .options import Batch, Dtype, Format, Input, Int8, Output, Set, Spec, chosen_format, settings, shapes
from .output import complain, emit, needs_numpy, refuse_to_overwrite

_LATER = [question for question in ALL_QUESTIONS if question not in QUESTIONS]

Layer = Annotated[str, typer.Argument(help="A layer or a group; without it, the whole network.", show_default=False)]
Question = Annotated[
    str,
    typer.Option("--question", "-q", help=f"Only {', '.join(QUESTIONS)}; or {', '.join(_LATER)}.", show_default=False),
]


Symbolic = Annotated[
    str,
    typer.Option("--symbolic", metavar="KNOB", help="A figure as a formula over a knob.", show_default=False),
]


@command(EXPLAIN, "cnncalc explain lenet C3 --question params", "cnncalc explain alexnet features.0 --format latex")
def explain(
    spec: Spec,
    layer: Layer = "",
    question: Question = "",
    set_: Set = None,
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
    int8: Int8 = False,
    symbolic: Symbolic = "",
    format: Format = None,
    output: Output = None,
) -> None:
    """Formula, substitution, result and source of every number of a layer."""
    from ..answers.explain import explained

    kind = chosen_format(format, output)
    refuse_to_overwrite(spec, output)
    if symbolic:
        emit(_symbolic(spec, layer, question, symbolic, batch), kind, output)
        return
    report = analyse(spec, args=settings(set_), inputs=shapes(input_), batch=batch, dtype=dtype, int8=int8)
    emit(explained(report, layer, question), kind, output)
    complain(report.warnings)
    if complain(report.graph.errors):
        raise typer.Exit(2)


def _symbolic(spec: str, layer: str, question: str, knob: str, batch: int) -> Table:
    needs_numpy("--symbolic")
    from ..spaces.symbolic import Symbolic

    return Symbolic(spec, knob, question or "params", batch).table(layer)


@command(EXPLAIN, "cnncalc formulas", "cnncalc formulas --format html -o formulas.html")
def formulas(format: Format = None, output: Output = None) -> None:
    """All formulas in teaching order, with units, letters and sources."""
    from ..answers.formulas import formulas_table

    emit(formulas_table(), chosen_format(format, output), output)


@command(EXPLAIN, "cnncalc figures", "cnncalc figures --format markdown")
def figures(format: Format = None, output: Output = None) -> None:
    """All figures: what is counted, in which unit, and what columns, claims and JSON call it."""
    from ..answers.figures import figures_table

    emit(figures_table(), chosen_format(format, output), output)


@command(EXPLAIN, "cnncalc ops", "cnncalc ops ConvTranspose2d")
def ops(
    type_: Annotated[str, typer.Argument(metavar="[TYPE]", help="A layer type.", show_default=False)] = "",
    format: Format = None,
    output: Output = None,
) -> None:
    """The layer types; with TYPE its arguments, formulas with sources, and an example."""
    from ..answers.layer_types import op_table, ops_table

    emit(op_table(type_) if type_ else ops_table(), chosen_format(format, output), output)
