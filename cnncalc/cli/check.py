"""check and compare: claims against computation, and networks against each other."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import SpecError, usage_error
from ..printable import printable
from ..report import analyse
from .charting import Draw, axis, pair, write_chart
from .commands import CHECK, command
from .options import Batch, Columns, Dtype, Format, Input, Output, chosen_format, listed, shapes
from .output import complain, emit, say


@command(CHECK, "cnncalc check lenet.yaml", "cnncalc check --all --format csv")
def check(
    specs: Annotated[
        list[str] | None, typer.Argument(help="Specs to check.", metavar="SPEC...", show_default=False)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Check the whole zoo.")] = False,
    require_claims: Annotated[
        bool, typer.Option("--require-claims", help="Exit with 1 if a spec claims nothing.")
    ] = False,
    format: Format = None,
    output: Output = None,
) -> None:
    """Compare every `expect` of a spec with what is computed; exit with 1 if one fails."""
    from ..answers.check import Checked, verdicts
    from ..answers.check import check as checked
    from ..language.locate import zoo_files

    kind = chosen_format(format, output)
    names = list(dict.fromkeys([*(specs or []), *(path.stem for path in zoo_files() if all_)]))
    if not names:
        raise usage_error("there is nothing to check", "name a spec: cnncalc check lenet.yaml; or cnncalc check --all")
    results: dict[tuple[str, str], Checked] = {}
    unreadable = []
    for name in names:
        try:
            results |= {(each.report.graph.source.name, each.report.graph.variant): each for each in checked(name)}
        except SpecError as error:
            unreadable.append(error)
    if results or not unreadable:
        emit(verdicts(list(results.values())), kind, output)
    for result in results.values():
        complain((*result.warnings, *result.report.graph.errors))
    for each in unreadable:
        say(f"\n{each}")
    if unreadable or any(result.report.graph.errors for result in results.values()):
        raise typer.Exit(2)
    bare = [result.report.title for result in results.values() if not result.verdicts] if require_claims else []
    for title in bare:
        say(printable(f"\n{title} claims nothing, and --require-claims wants a claim"))
    if bare or not all(result.holds for result in results.values()):
        raise typer.Exit(1)


@command(CHECK, "cnncalc compare vgg16 resnet50", "cnncalc compare lenet alexnet --columns params,macs,intensity")
def compare(
    specs: Annotated[list[str], typer.Argument(help="Two or more specs.", metavar="SPEC...", show_default=False)],
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
    columns: Columns = None,
    format: Format = None,
    draw: Draw = "",
    output: Output = None,
) -> None:
    """Totals of several networks side by side, with their ratios to the first."""
    from ..answers.compare import compare as compared
    from ..answers.compare import facts, figure_of

    kind, totals = chosen_format(format, None if draw else output), listed(columns)
    if len(specs) < 2:
        raise usage_error("there is nothing to compare it with", f"name two: cnncalc compare {specs[0]} resnet50")
    for name in totals:
        figure_of(name)
    reports = [analyse(spec, inputs=shapes(input_), batch=batch, dtype=dtype) for spec in specs]
    if draw:
        found, drawn = facts(reports, pair(draw, output))
        axes = (axis(drawn[0]), axis(drawn[1]))
        write_chart(found, (drawn[0].key, drawn[1].key), axes, f"{len(reports)} networks", output)
    else:
        emit(compared(reports, totals), kind, output)
    if complain([problem for report in reports for problem in report.graph.errors]):
        raise typer.Exit(2)
