"""Charts of several networks, for the commands that list them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import usage_error
from ..files import write_file
from ..printable import printable
from ..quantities import mib, si
from ..table import Column
from .output import is_terminal, say

if TYPE_CHECKING:
    from ..figures.chart import Axis

Draw = Annotated[
    str,
    typer.Option(
        "--draw", metavar="X,Y", help="A chart by two columns, as macs,top1; -o names it.", show_default=False
    ),
]


def pair(text: str, output: str | None) -> tuple[str, str]:
    """The two columns of a chart, which is to be written to a file; raises `SpecError`."""
    from ..figures.files import form_of

    if output is None and is_terminal():
        raise usage_error("a chart is a file", "-o chart.svg, .pdf, .png, .html or .tex")
    if output and output != "-":
        form_of(output)
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(names):
        raise usage_error(f"--draw {text} names no two columns", "--draw macs,top1 -o chart.svg")
    return names[0], names[1]


def write_chart(
    facts: Sequence[Mapping[str, Any]], keys: tuple[str, str], axes: tuple[Axis, Axis], title: str, output: str | None
) -> None:
    """Write a chart of networks, each with its name, family, and both figures; those that lack one are left out."""
    from ..figures.chart import Dot, chart
    from ..figures.files import form_of, written
    from ..figures.options import Options

    there = [
        each
        for each in facts
        if all(isinstance(each[key], (int, float)) or hasattr(each[key], "numerator") for key in keys)
    ]
    if not there:
        raise usage_error(f"no network has both {keys[0]} and {keys[1]}", "numbers are drawn, as params, macs or top1")
    dots = [Dot(each["name"], each["family"], float(each[keys[0]]), float(each[keys[1]])) for each in there]
    data = written(chart(dots, *axes, title, Options()), form_of(output) if output else ".svg")
    if output is None or output == "-":
        typer.get_binary_stream("stdout").write(data)
        return
    from pathlib import Path

    write_file(Path(output), data)
    say(
        printable(f"wrote {output}")
        + (f": {len(facts) - len(there)} networks lack a figure" if len(there) < len(facts) else "")
    )


def axis(column: Column) -> Axis:
    """An axis for a column, its numbers short: of accuracies more is better, of costs less."""
    from ..figures.chart import Axis
    from ..report.figures import BY_NAME

    figure = BY_NAME.get(column.key)
    in_bytes, title = figure is not None and figure.in_bytes, column.title

    def show(value: Any) -> str:
        if in_bytes:
            return mib(value)
        return si(value) if abs(value) >= 10_000 else f"{value:.4g}"

    return Axis(f"{title}, %" if column.key in ("top1", "top5") else title, show, BETTER.get(column.key, 0))


#: Columns of which more (1) or less (−1) is better.
BETTER = {"top1": 1, "params": -1, "macs": -1, "flops": -1, "weight_bytes": -1, "activation_bytes": -1,
          "peak_inference_bytes": -1, "inference_bytes": -1, "peak_training_bytes": -1}  # fmt: skip
