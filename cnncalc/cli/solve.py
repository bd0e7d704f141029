"""solve: which value of a knob does it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..errors import usage_error
from ..quantities import number
from .commands import CHECK, command
from .options import Batch, settings
from .output import emit, needs_numpy, say

Spec = Annotated[
    str, typer.Argument(help="File, name in the zoo, file:variant; or conv, pool, transposed.", show_default=False)
]
Knobs = Annotated[list[str] | None, typer.Argument(metavar="[KNOB]...", help="What is looked for.", show_default=False)]
SuchThat = Annotated[
    str, typer.Option("--such-that", metavar="CONDITION", help="As 'macs <= 300M'.", show_default=False)
]
Over = Annotated[
    list[str] | None,
    typer.Option("--over", metavar="KNOB=VALUES", help="The values of a knob: width=8:128:8.", show_default=False),
]
Largest = Annotated[bool, typer.Option("--max", help="Only where the first knob is largest.")]
Given = Annotated[
    str, typer.Option("--given", help="Of a window: what goes in and comes out, as 'N=224, O=7'.", show_default=False)
]
Top = Annotated[int, typer.Option("--top", min=1, max=10_000, help="How many are shown.")]
Format = Annotated[str, typer.Option("--format", "-f", help="table, csv, json, markdown …")]

WINDOWS = ("conv", "pool", "transposed")


@command(
    CHECK,
    "cnncalc solve resnet50 width_per_group --such-that 'macs <= 2G' --max",
    "cnncalc solve conv --given 'N=224, O=112' --over F=1:11 --over S=1:4 --over P=0:5",
)
def solve(
    spec: Spec,
    knobs: Knobs = None,
    such_that: SuchThat = "",
    over: Over = None,
    largest: Largest = False,
    given: Given = "",
    top: Top = 20,
    batch: Batch = 1,
    format: Format = "table",
) -> None:
    """Which value of a knob meets a condition, exactly; or which window makes one size of another."""
    needs_numpy("solve")
    from ..spaces.results import candidates
    from ..spaces.solve import solve as solved
    from ..spaces.solve import windows
    from ..spaces.space import read_axes

    ranges = read_axes(over or ())
    if given or spec in WINDOWS:
        if spec not in WINDOWS or knobs or such_that:
            raise usage_error("--given is for a window alone", "cnncalc solve conv --given 'N=224, O=7' --over F=1:11")
        table = windows(spec, _whole(settings(given.split(",") if given else None)), ranges)
        emit(table._replace(lines=table.lines[:top]), format, None)
        if table.notes:
            raise typer.Exit(1)
        return
    if not such_that:
        raise usage_error("nothing is asked for", "--such-that 'macs <= 300M'")
    wanted = [*(knobs or ()), *(name for name in ranges if name not in (knobs or ()))]
    if not wanted:
        raise usage_error("no knob is named", f"cnncalc solve {spec} width --such-that '{such_that}'")
    done = solved(spec, wanted, such_that, ranges, largest, batch)
    rows = done.rows if done.rows is not None else done.nearest
    if rows is None:
        raise usage_error("none of the settings is a network", "other values")
    count = len(rows)
    met = done.rows is not None
    told = (
        f"{number(count)} meet{'s' * (count == 1)} the condition"
        if met
        else f"none meets {such_that}; the nearest is shown"
    )
    notes = [*done.said, told]
    table = candidates(done.space, rows.some(slice(top)), done.columns, notes)
    keys = [column.key for column in table.columns]
    document = {"met": met, "rows": [dict(zip(keys, line.cells, strict=True)) for line in table.lines]}
    emit(table._replace(document=document), format, None)
    if not met:
        if format != "table":
            say(notes[-1])
        raise typer.Exit(1)


def _whole(letters: dict[str, Any]) -> dict[str, int]:
    for name, value in letters.items():
        if type(value) is not int or value < 0:
            raise usage_error(f"--given {name}={value}: a whole number is wanted", "--given 'N=224, O=7'")
    return letters
