"""report: a page to send."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import usage_error
from ..files import write_file
from ..printable import printable
from ..report import analyse
from .commands import LOOK, command
from .options import Batch, Dtype, Input, Set, settings, shapes
from .output import complain, refuse_inputs, refuse_to_overwrite, say

Specs = Annotated[
    list[str], typer.Argument(help="One network, or several side by side.", metavar="SPEC...", show_default=False)
]
File = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="The page, as report.html.", show_default=False)
]
Bench = Annotated[
    list[str] | None,
    typer.Option("--bench", metavar="FILE", help="What `cnncalc bench --json` measured.", show_default=False),
]


@command(
    LOOK, "cnncalc report resnet50 -o resnet50.html", "cnncalc report resnet18 resnet50 --bench b.json -o two.html"
)
def report(
    specs: Specs,
    output: File = "",
    bench: Bench = None,
    set_: Set = None,
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
) -> None:
    """One page that can be sent: figures, totals, every layer with its formulas, claims checked; it loads nothing."""
    from ..answers.check import Checked
    from ..answers.check import check as checked
    from ..page.report import report_page
    from ..pytorch.bench.compare import read

    if not output.endswith((".html", ".htm")):
        raise usage_error("a report is a page" if not output else f"{output} is no page", "-o report.html")
    for spec in specs:
        refuse_to_overwrite(spec, output)
    refuse_inputs(bench or (), [output])
    measured: list[Any] = [result for file in bench or () for result in read(file)]
    reports = [analyse(spec, args=settings(set_), inputs=shapes(input_), batch=batch, dtype=dtype) for spec in specs]
    claims: list[Checked] = []
    if not (set_ or input_):
        variants = [each for spec in specs for each in checked(spec)]
        titles = {each.title for each in reports}
        claims = [each for each in variants if each.title in titles]
    write_file(Path(output), report_page(reports, claims, measured))
    say(printable(f"wrote {output}"))
    if complain([problem for each in reports for problem in each.graph.errors]):
        raise typer.Exit(2)
