"""explain and formulas: show the work."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import wrong_call
from ..report import analyse
from . import app
from .options import Batch, Dtype, Format, Input, Output, Set, Spec, chosen_format, settings, shapes
from .output import complain, emit, emit_text, refuse_to_overwrite

Layer = Annotated[str, typer.Argument(help="A layer or a group; without it, the whole network.", show_default=False)]
Question = Annotated[
    str,
    typer.Option(
        "--question",
        "-q",
        help="Only shape, params, macs, flops, connections, memory, receptive-field; or training.",
        show_default=False,
    ),
]


@app.command()
def explain(
    spec: Spec,
    layer: Layer = "",
    question: Question = "",
    set_: Set = None,
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
    format: Format = None,
    output: Output = None,
) -> None:
    """Formula, substitution, result and source of every number of a layer."""
    from ..analysis.explain import explain as explained
    from ..render.explanation import as_latex, as_markdown, as_table, as_text, header, legend

    kind = chosen_format(format, output)
    refuse_to_overwrite(spec, output)
    report = analyse(spec, args=settings(set_), inputs=shapes(input_), batch=batch, dtype=dtype)
    found = explained(report, layer, question)
    if kind in ("json", "csv", "html"):
        emit(as_table(found, report.title), kind, output)
    else:
        write = {"markdown": as_markdown, "latex": as_latex, "table": as_text}[kind]
        parts = [write(each).rstrip("\n") for each in found]
        if kind == "table":
            parts = [header(report), *parts, *legend(found)]
        emit_text("\n\n".join(parts) + "\n", output)
    complain(report.warnings)
    if complain(report.graph.errors):
        raise typer.Exit(2)


@app.command()
def formulas(format: Format = None, output: Output = None) -> None:
    """All formulas in teaching order, with units, letters and sources."""
    from ..catalogue import formula_table, formula_text

    kind = chosen_format(format, output)
    if kind == "table":
        emit_text(formula_text(), output)
    else:
        emit(formula_table(), kind, output)


@app.command()
def compare(
    specs: Annotated[list[str], typer.Argument(help="Two or more specs.", metavar="SPEC...", show_default=False)],
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
    format: Format = None,
    output: Output = None,
) -> None:
    """Totals of several networks side by side, with their ratios to the first."""
    from ..catalogue import comparison

    kind = chosen_format(format, output)
    if len(specs) < 2:
        raise wrong_call("there is nothing to compare it with", f"name two: cnncalc compare {specs[0]} resnet50")
    reports = [analyse(spec, inputs=shapes(input_), batch=batch, dtype=dtype) for spec in specs]
    emit(comparison(reports), kind, output)
    errors = [problem for report in reports for problem in report.graph.errors]
    if complain(errors):
        raise typer.Exit(2)
