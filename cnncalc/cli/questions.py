"""shapes, params, flops, memory, receptive-field and summary: one report, six questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import typer

from ..errors import wrong_call
from ..render.table import Table
from ..report import Report, analyse
from . import app
from .options import (
    Batch,
    Budget,
    Columns,
    Depth,
    Device,
    Dtype,
    Format,
    InPlace,
    Input,
    Optimizer,
    Output,
    Predict,
    Set,
    Sort,
    Spec,
    Train,
    Watch,
    chosen_format,
    listed,
    settings,
    shapes,
    size_of,
)
from .output import complain, emit, is_terminal, refuse_to_overwrite, tell

HELP = {
    "shapes": "The shape after every layer, height × width × channels.",
    "params": "Parameters of every layer: weights, biases, buffers, and their share.",
    "receptive-field": "What part of the input a unit of every layer sees.",
    "summary": "All at a glance: totals, where the parameters live, where the work is.",
}


class Request(NamedTuple):
    """What was asked of a network, and how the answer is to look."""

    spec: str
    args: dict[str, object]
    inputs: dict[str, tuple[int, ...]]
    batch: int
    dtype: str
    inplace: bool
    depth: int | None
    columns: str | None
    sort: str | None
    format: str | None
    output: str | None
    watch: bool
    optimizer: str = "sgd"
    device: str = "cpu"

    def report(self) -> Report:
        return analyse(
            self.spec,
            args=self.args,
            inputs=self.inputs,
            batch=self.batch,
            dtype=self.dtype,
            inplace=self.inplace,
            optimizer=self.optimizer,
            device=self.device,
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
        given = settings(set_), shapes(input_), batch, dtype, inplace
        _answer(Request(spec, *given, depth, columns, sort, format, output, watch), question)

    command.__doc__ = HELP[question]
    app.command(question)(command)


def _answer(request: Request, question: str, more: Callable[[Report], tuple[str, ...]] | None = None) -> None:
    """Print the table of a question, with `more` notes below it."""
    kind = chosen_format(request.format, request.output)
    refuse_to_overwrite(request.spec, request.output)

    def answer() -> Report:
        report = request.report()
        table = _table(report, question, request, kind)
        emit(table._replace(notes=(*table.notes, *(more(report) if more else ()))), kind, request.output)
        return report

    if request.watch:
        from .watch import follow

        follow(request.spec, answer)
        return
    report = answer()
    complain(report.warnings)
    if complain(report.graph.errors):
        raise typer.Exit(2)


def _table(report: Report, question: str, request: Request, format: str) -> Table:
    from ..render.views import SCREEN, Choice, summary, view

    depth, columns, sort = request.depth, request.columns, request.sort
    if depth is not None and depth < 1:
        raise wrong_call(f"--depth {depth} makes no sense", "use 1 or more")
    on_screen = format == "table" and request.output is None and is_terminal()
    choice = Choice(depth, listed(columns), sort or "", SCREEN if on_screen else None)
    if question == "summary" and not (depth or columns or sort):
        return summary(report)
    return view(report, "overview" if question == "summary" else question, choice)


@app.command("shapes", help=HELP["shapes"])
def shapes_(
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
    predict: Predict = False,
) -> None:
    given = settings(set_), shapes(input_), batch, dtype, inplace
    request = Request(spec, *given, depth, columns, sort, format, output, watch)
    if not predict:
        _answer(request, "shapes")
        return
    if depth or columns or sort or format or output or watch:
        raise wrong_call(
            "--predict asks in the terminal", "leave out --depth, --columns, --sort, --format, --output, --watch"
        )
    from ..teach.predict import predict as guess
    from .teaching import typed

    report = request.report()
    if complain(report.graph.errors):
        raise typer.Exit(2)
    try:
        right, asked = guess(report, typed, tell)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    tell(f"\n{right} of {asked} shapes right" if asked else "nothing was guessed")


_register("params")


@app.command()
def flops(
    spec: Spec,
    set_: Set = None,
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
    inplace: InPlace = False,
    train: Train = False,
    depth: Depth = None,
    columns: Columns = None,
    sort: Sort = None,
    format: Format = None,
    output: Output = None,
    watch: Watch = False,
) -> None:
    """Work of every layer: multiply-adds, other operations, FLOPs; with --train the backward pass."""
    given = settings(set_), shapes(input_), batch, dtype, inplace
    request = Request(spec, *given, depth, columns, sort, format, output, watch)
    if train and dtype == "int8":
        raise wrong_call("int8 cannot be trained: it has no gradients", "use a floating-point dtype")
    _answer(request, "flops --train" if train else "flops")


@app.command()
def memory(
    spec: Spec,
    set_: Set = None,
    input_: Input = None,
    batch: Batch = 1,
    dtype: Dtype = "float32",
    inplace: InPlace = False,
    train: Train = False,
    optimizer: Optimizer = "sgd",
    device: Device = "cpu",
    budget: Budget = None,
    depth: Depth = None,
    columns: Columns = None,
    sort: Sort = None,
    format: Format = None,
    output: Output = None,
    watch: Watch = False,
) -> None:
    """Memory of weights and activations and the peak of inference; with --train, of a training step."""
    given = settings(set_), shapes(input_), batch, dtype, inplace
    request = Request(spec, *given, depth, columns, sort, format, output, watch, optimizer, device)
    size = size_of(budget) if budget else 0
    if not train and (optimizer, device) != ("sgd", "cpu"):
        raise wrong_call("--optimizer and --device go with --train", "inference has neither optimizer nor masks")

    found: list[int] = []

    def largest(report: Report) -> tuple[str, ...]:
        from ..analysis.training import fitting_batch

        if not size:
            return ()
        fits = fitting_batch(report, size, train)
        found.append(fits)
        what = "training" if train else "inference"
        return (
            f"{f'largest batch in {budget}':<20} {fits:>10,}" + ("" if fits else f": not one image fits, in {what}"),
        )

    _answer(request, "memory --train" if train else "memory", largest)
    if found and not found[-1]:  # the question was whether it fits
        raise typer.Exit(1)


for _question in ("receptive-field", "summary"):
    _register(_question)
