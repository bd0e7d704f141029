"""check: claims against computation."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import SpecError, wrong_call
from . import app
from .options import Format, Output, chosen_format
from .output import complain, emit, say


@app.command()
def check(
    specs: Annotated[
        list[str] | None, typer.Argument(help="Specs to check.", metavar="SPEC...", show_default=False)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Check the whole zoo.")] = False,
    format: Format = None,
    output: Output = None,
) -> None:
    """Compare every `expect` of a spec with what is computed; exit 1 if one fails."""
    from ..catalogue import verdicts
    from ..claims import Checked
    from ..claims import check as checked
    from ..spec.locate import zoo_files

    kind = chosen_format(format, output)
    names = list(dict.fromkeys([*(specs or []), *(path.stem for path in zoo_files() if all_)]))
    if not names:
        raise wrong_call("there is nothing to check", "name a spec: cnncalc check lenet.yaml; or cnncalc check --all")
    results: dict[tuple[str, str], Checked] = {}
    unreadable = []
    for name in names:
        try:
            results |= {(each.report.graph.source.name, each.report.graph.variant): each for each in checked(name)}
        except SpecError as error:
            unreadable.append(error)
    found = list(results.values())
    if found or not unreadable:
        emit(verdicts(found), kind, output)
    for result in found:
        complain((*result.warnings, *result.report.graph.errors))
    for each in unreadable:
        say(f"\n{each}")
    if unreadable or any(result.report.graph.errors for result in found):
        raise typer.Exit(2)
    if not all(result.holds for result in found):
        raise typer.Exit(1)
