"""shapes, params, flops, memory, receptive-field and summary: one report, six questions."""

from __future__ import annotations

from collections.abc import Callable

import typer

from ..errors import usage_error
from ..report import Report
from ..table import Table
from .commands import LOOK, command
from .options import (
    Accumulate,
    Amp,
    Budget,
    ChannelsLast,
    Checkpoint,
    Ddp,
    Device,
    Freeze,
    InPlace,
    Int8,
    Optimizer,
    Predict,
    Request,
    Train,
    Watch,
    chosen_format,
    listed,
    memory_size,
)
from .output import complain, emit, is_terminal, refuse_to_overwrite, tell

Notes = Callable[[Report], tuple[str, ...]]


def answer(request: Request, question: str, inplace: bool, watch: bool, more: Notes | None = None) -> None:
    """Print the table of a question, with `more` notes below it."""
    kind = chosen_format(request.format, request.output)
    refuse_to_overwrite(request.spec, request.output)

    def once() -> Report:
        report = request.report(inplace=inplace)
        table = _table(report, question, request, kind)
        emit(table._replace(notes=(*table.notes, *(more(report) if more else ()))), kind, request.output)
        return report

    if watch:
        from .watch import follow

        follow(request.spec, once)
        return
    report = once()
    complain(report.warnings)
    if complain(report.graph.errors):
        raise typer.Exit(2)


def _table(report: Report, question: str, request: Request, format: str) -> Table:
    from ..answers.layers import view
    from ..report.layer_table import SCREEN, Choice

    depth, columns, sort = request.depth, request.columns, request.sort
    if depth is not None and depth < 1:
        raise usage_error(f"--depth {depth} makes no sense", "use 1 or more")
    on_screen = format == "table" and request.output is None and is_terminal()
    choice = Choice(depth, listed(columns), sort or "", SCREEN if on_screen else None)
    if question == "summary" and not (depth or columns or sort):
        from ..answers.summary import summary

        return summary(report)
    return view(report, "overview" if question == "summary" else question, choice)


@command(LOOK, "cnncalc shapes lenet", "cnncalc shapes net.yaml --input 3x320x320 --watch", asks=Request)
def shapes(request: Request, inplace: InPlace = False, watch: Watch = False, predict: Predict = False) -> None:
    """The shape after every layer, height × width × channels."""
    if not predict:
        answer(request, "shapes", inplace, watch)
        return
    if request.depth or request.columns or request.sort or request.format or request.output or watch:
        raise usage_error(
            "--predict asks in the terminal", "leave out --depth, --columns, --sort, --format, --output, --watch"
        )
    from ..teach.predict import predict as guess
    from .practise import typed

    report = request.report()
    if complain(report.graph.errors):
        raise typer.Exit(2)
    try:
        right, asked = guess(report, typed, tell)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    tell(f"\n{right} of {asked} shapes right" if asked else "nothing was guessed")


@command(LOOK, "cnncalc params resnet50 --depth 1", "cnncalc params vgg16 --sort params", asks=Request)
def params(request: Request, inplace: InPlace = False, watch: Watch = False) -> None:
    """Parameters of every layer: weights, biases, buffers, and their share."""
    answer(request, "params", inplace, watch)


@command(LOOK, "cnncalc flops mobilenet_v2 --depth 1", "cnncalc flops resnet18 --train --batch 32", asks=Request)
def flops(request: Request, inplace: InPlace = False, train: Train = False, watch: Watch = False) -> None:
    """Work of every layer: multiply-adds, other operations, FLOPs; with --train the backward pass."""
    if train and request.dtype == "int8":
        raise usage_error("int8 cannot be trained: it has no gradients", "use a floating-point dtype")
    answer(request, "flops --train" if train else "flops", inplace, watch)


@command(
    LOOK, "cnncalc memory unet --batch 8 --dtype float16", "cnncalc memory vgg16 --train --budget 16GiB", asks=Request
)
def memory(
    request: Request,
    inplace: InPlace = False,
    train: Train = False,
    optimizer: Optimizer = "sgd",
    device: Device = None,
    amp: Amp = False,
    int8: Int8 = False,
    channels_last: ChannelsLast = False,
    freeze: Freeze = None,
    checkpoint: Checkpoint = None,
    accumulate: Accumulate = 1,
    ddp: Ddp = 1,
    budget: Budget = None,
    watch: Watch = False,
) -> None:
    """Memory of weights and activations and the peak of inference; with --train, of a training step."""
    size = memory_size(budget) if budget else 0
    if not train and (optimizer != "sgd" or freeze or checkpoint or accumulate != 1 or ddp != 1):
        raise usage_error(
            "--optimizer, --freeze, --checkpoint, --accumulate and --ddp go with --train", "inference has none of them"
        )
    if int8 and (train or device or amp or channels_last or request.dtype != "float32"):
        raise usage_error(
            "--int8 is inference on a processor, from float32",
            "leave --train, --device, --amp, --channels-last and --dtype out",
        )
    largest: list[int] = []

    def note(report: Report) -> tuple[str, ...]:
        from ..answers.budget import fitting_batch
        from ..answers.layers import allocated_notes

        lines = allocated_notes(report) if device and not train else ()
        if not size:
            return lines
        bound = "peak_training_bytes" if train else "allocated_bytes" if device else "inference_bytes"
        largest.append(fitting_batch(report, size, bound))
        what = "" if largest[-1] else f": not one image fits, in {'training' if train else 'inference'}"
        return (*lines, f"{f'largest batch in {budget}':<20} {largest[-1]:>10,}  by {bound}{what}")

    asked = request._replace(
        optimizer=optimizer,
        device=device or "cpu",
        channels_last=channels_last,
        amp=amp,
        int8=int8,
        freeze=tuple(listed(freeze or "")),
        checkpoint=tuple(listed(checkpoint or "")),
        accumulate=accumulate,
        ddp=ddp,
    )
    answer(asked, "memory --train" if train else "memory --int8" if int8 else "memory", inplace, watch, note)
    if largest and not largest[-1]:  # the question was whether it fits
        raise typer.Exit(1)


@command(LOOK, "cnncalc receptive-field resnet50 --depth 1", "cnncalc receptive-field net.yaml --sort rf", asks=Request)
def receptive_field(request: Request, inplace: InPlace = False, watch: Watch = False) -> None:
    """What part of the input a unit of every layer sees."""
    answer(request, "receptive-field", inplace, watch)


@command(
    LOOK,
    "cnncalc summary vgg16",
    "cnncalc summary net.yaml --columns layer,macs,intensity --sort macs",
    asks=Request,
)
def summary(request: Request, inplace: InPlace = False, watch: Watch = False) -> None:
    """Everything at a glance: the totals, where the parameters live, where the work is."""
    answer(request, "summary", inplace, watch)
