"""check: claims against computation."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..errors import SpecError, wrong_call
from . import app
from .options import Format, Output, chosen_format
from .output import complain, emit


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
    from ..claims import check as checked
    from ..spec.locate import zoo_files

    kind = chosen_format(format, output)
    names = [*(specs or []), *(path.stem for path in zoo_files() if all_)]
    if not names:
        raise wrong_call("there is nothing to check", "name a spec: cnncalc check lenet.yaml; or cnncalc check --all")
    results, unreadable = [], []
    for name in names:
        try:
            results += checked(name)
        except SpecError as error:
            unreadable.append(error)
    emit(verdicts(results), kind, output)
    for result in results:
        complain((*result.warnings, *result.report.graph.errors))
    for each in unreadable:
        print(f"\n{each}", file=sys.stderr)
    if unreadable or any(result.report.graph.errors for result in results):
        raise typer.Exit(2)
    if not all(result.holds for result in results):
        raise typer.Exit(1)
