"""run: build the network, and hold every figure against what happens."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import did_you_mean, usage_error
from ..language.model import load
from ..pictures import INTERPOLATIONS
from .commands import PYTORCH, command
from .measurement import MOST_IMAGES, BenchDtype, Optimizer, Threads, Where, option, progress_display
from .options import Batch, Format, Input, Modules, Output, Set, Spec, chosen_format, listed, settings, shapes
from .output import complain, emit, emit_text, is_terminal, needs_torch, refuse_inputs, refuse_to_overwrite, say, tell

if TYPE_CHECKING:
    from ..graph import Graph
    from ..pytorch.bench.plan import Configuration
    from ..pytorch.run import Run
    from ..pytorch.weights import Loaded

Weights = Annotated[str | None, option("--weights", "Load a safetensors file or a checkpoint first.", "FILE")]
WeightsKey = Annotated[str, option("--weights-key", "Which set of weights, where the file holds several.", "KEY")]
Image = Annotated[str | None, option("--image", "Show it a picture, and print the five likeliest classes.", "FILE")]
Labels = Annotated[str | None, option("--labels", "With --image: names of the classes, one a line.", "FILE")]
Resize = Annotated[int, option("--resize", "With --image: pixels of the shorter side before the crop.")]
Interpolation = Annotated[str, option("--interpolation", "With --image: nearest, bilinear, bicubic or lanczos.")]
Mean = Annotated[str, option("--mean", "With --image: mean of each channel, separated by commas.", "R,G,B")]
Std = Annotated[str, option("--std", "With --image: standard deviation of each channel, separated by commas.", "R,G,B")]
Train = Annotated[bool, typer.Option("--train", help="Check a training step too: loss, backward, update.")]
NoBench = Annotated[bool, typer.Option("--no-bench", help="Do not time the forward pass.")]


@command(PYTORCH, "cnncalc run lenet --train", "cnncalc run resnet50 --weights resnet50.pth --image cat.jpg")
def run(
    spec: Spec,
    device: Where = "cpu",
    batch: Batch = 2,
    input_: Input = None,
    set_: Set = None,
    dtype: BenchDtype = "float32",
    threads: Threads = 0,
    train: Train = False,
    optimizer: Optimizer = "sgd",
    weights: Weights = None,
    weights_key: WeightsKey = "",
    modules: Modules = "",
    image: Image = None,
    labels: Labels = None,
    resize: Resize = 0,
    interpolation: Interpolation = "",
    mean: Mean = "",
    std: Std = "",
    no_bench: NoBench = False,
    format: Format = None,
    output: Output = None,
) -> None:
    """Build the network in PyTorch, run it, and compare every figure with what happened; exit with 1 if one differs."""
    from ..pytorch.bench.plan import Configuration, checked

    kind = chosen_format(format, output)
    refuse_to_overwrite(spec, output)
    refuse_inputs((weights, image, labels), (output,))
    config = Configuration(
        batch, device, dtype, threads=threads, train=train, optimizer=optimizer, plan="quick", modules=modules
    )
    checked(config)
    if not 0 < batch <= MOST_IMAGES:
        raise usage_error(f"batch is {batch}; it must be a whole number from 1 to 10^6")
    if optimizer != "sgd" and not train:
        raise usage_error("--optimizer goes with --train", "inference has no optimizer")
    if resize < 0 or resize > 10_000:
        raise usage_error(f"--resize {resize} makes no sense", "pixels of the shorter side, up to 10,000")
    for name, given in (("--weights", weights), ("--image", image), ("--labels", labels)):
        if given is not None and not given.strip():
            raise usage_error(f"{name} names no file", "is a variable empty? leave the option out, or name a file")
    if weights_key and not weights:
        raise usage_error("--weights-key goes with --weights")
    if not image and (labels or resize or interpolation or mean or std):
        raise usage_error("--labels, --resize, --interpolation, --mean and --std go with --image")
    if interpolation and interpolation not in INTERPOLATIONS:
        hint = did_you_mean(interpolation, INTERPOLATIONS) or f"use one of {', '.join(INTERPOLATIONS)}"
        raise usage_error(f"there is no interpolation {interpolation}", hint)
    graph = load(spec, args=settings(set_), inputs=shapes(input_))
    if complain(graph.errors):
        raise typer.Exit(2)
    needs_torch("run")
    from ..formats.json import as_json
    from ..pytorch.image import read_labels
    from ..pytorch.run import Picture
    from ..pytorch.run import run as ran

    means, deviations = _numbers(mean, "--mean"), _numbers(std, "--std")
    shown = Picture(image, resize, means, deviations, interpolation) if image else None
    with progress_display() as progress:
        progress("building, running, comparing", 0.1)
        result = ran(graph, config, weights or "", shown, read_labels(labels) if labels else (), weights_key)
    timed = None if no_bench else _bench(graph, config)
    if kind == "json":
        emit_text(as_json(result.document(timed), indent=1) + "\n", output)
    elif kind != "table":
        emit(result.table(), kind, output)
    else:
        _print(result, timed, output)
    complain(graph.warnings)
    if result.loaded and not result.loaded.fits:
        _complain_of_weights(result.loaded, weights or "")
    if timed and timed.get("interrupted"):
        raise typer.Exit(130)
    if not result.agrees:
        raise typer.Exit(1)


def _print(result: Run, timed: dict[str, Any] | None, output: str | None) -> None:
    from ..answers.verification import layers_table, totals_table
    from ..formats import render
    from ..pytorch.bench.tables import result_table

    parts = [layers_table(result.verification)]
    if output is None and is_terminal():
        from rich.console import Console

        from .terminal import fits

        if len(parts[0].lines) > 60:
            parts = []  # what agrees, layer by layer, would scroll the verdict away
        elif not fits(parts[0], Console().width):
            parts = [layers_table(result.verification, beside=False)]
    if timed:
        parts.append(result_table(timed)._replace(title="forward pass, timed"))
    totals = totals_table(result.verification)
    parts.append(totals._replace(notes=(*totals.notes, *result.notes)))
    if output is not None:
        emit_text("\n".join(render(part, "table") for part in parts), output)
        return
    for guess in result.guesses:
        tell(f"{guess.share:7.2%}  class {guess.number:<5} {guess.name}".rstrip())
    if result.guesses:
        weighed = "the weights are those of the file" if result.loaded else "the weights are random: this says nothing"
        tell(f"({weighed})")
        for line in result.told_of_picture():
            tell(line)
        tell()
    for number, part in enumerate(parts):
        if number:
            tell()
        emit(part, "table", None)


def _bench(graph: Graph, config: Configuration) -> dict[str, Any]:
    from ..pytorch.bench.protocol import Task, bench

    with progress_display() as progress:
        return bench([Task(graph, config._replace(train=False))], progress)[0]


def _complain_of_weights(loaded: Loaded, path: str) -> None:
    """What in a file of weights did not fit."""
    say("\n".join([f"\n{path} does not fit the network:", *(f"  {line}" for line in loaded.lines())]))


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        values = tuple(float(part) for part in listed(text))
        if not all(math.isfinite(value) for value in values):
            raise ValueError
        return values
    except ValueError:
        raise usage_error(f"{option} {text} makes no sense", "numbers with commas, as in 0.485,0.456,0.406") from None
