"""bench: how fast, and how much memory."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from ..errors import usage_error
from .commands import PYTORCH, command
from .measurement import Measurement, progress_display
from .options import chosen_format
from .output import emit, emit_text, refuse_inputs, refuse_to_overwrite, say, tell

if TYPE_CHECKING:
    from ..graph import Graph
    from ..pytorch.bench.outcome import Outcome, Verdict
    from ..pytorch.bench.plan import Configuration


class _BareCompile(TyperCommand):
    """`--compile` alone means its default mode; a mode stands behind an equals sign, as in --compile=max-autotune."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--compile=default" if each == "--compile" else each for each in args])


@command(
    PYTORCH,
    "cnncalc bench resnet50 --batch 1,8 --device cuda",
    "cnncalc bench net.yaml --baseline main.json --fail-above 5%",
    asks=Measurement,
    cls=_BareCompile,
)
def bench(request: Measurement) -> None:
    """Latency, throughput, memory and the limits of the machine, measured and compared with what was predicted."""
    kind = chosen_format(request.format, request.output)
    if request.compare:
        if request.roofline:
            raise usage_error("--roofline is of a measurement", "--compare measures nothing: leave it out")
        if request.retry:
            raise usage_error("--retry measures again", "--compare measures nothing: leave it out")
        _compare(request, kind)
        return
    names, allowed = request.specs or [], request.allowed()
    if not names:
        raise usage_error("there is nothing to measure", "name a spec: cnncalc bench resnet50")
    for name in names:
        refuse_to_overwrite(name, request.json_)
        refuse_to_overwrite(name, request.output)
        refuse_to_overwrite(name, request.roofline)
    refuse_inputs((request.baseline,), (request.json_, request.output, request.roofline))
    if request.roofline:
        from ..figures.files import refuse_what_cannot_be_written

        refuse_what_cannot_be_written(request.roofline)
    from ..pytorch.bench.compare import read, refuse_strangers, refuse_unclean

    earlier = read(request.baseline) if request.baseline else []
    config, batches, graphs = request.configuration(), request.batches(), request.graphs()
    if request.find_batch:
        _find_batch(graphs, config, kind, request.output)
        return
    if request.baseline:
        plans = [(graph, config._replace(batch=batch)) for graph in graphs for batch in batches]
        refuse_strangers(request.baseline, earlier, plans)
        refuse_unclean(request.baseline, earlier, plans)
    from ..pytorch.bench.api import measure
    from ..pytorch.bench.outcome import Outcome
    from ..pytorch.bench.tables import comparison_table

    with progress_display() as progress:
        results = measure(*graphs, batches=batches, progress=progress, retry=request.retry, **config._asdict())
    outcome = Outcome(results, graphs * len(batches), earlier)
    document = json.dumps(outcome.document(shlex.join(["cnncalc", *sys.argv[1:]])), indent=1) + "\n"
    if request.json_ and (outcome.measured or not outcome.interrupted):
        emit_text(document, request.json_)
    if kind == "json":
        emit_text(document, request.output)
    else:
        _print(outcome.tables(kind), kind, request.output)
    if request.roofline and any("probe" in result for result in outcome.measured):
        _draw(outcome, request.roofline)
    if outcome.pairs:
        tell()
        emit(comparison_table(outcome.pairs, allowed), "table", None)
    _end(outcome.verdict(allowed, request.strict))


def _print(tables: list[Any], format: str, output: str | None) -> None:
    """Print tables below each other, or write them into files beside each other."""
    for number, table in enumerate(tables):
        if number and output is None:
            tell()
        emit(table, format, f"{output}.layers" if number and output else output)


def _draw(outcome: Outcome, file: str) -> None:
    from pathlib import Path

    from ..figures.files import form_of, written
    from ..files import write_file
    from ..pytorch.bench.roof import roofline_chart

    write_file(Path(file), written(roofline_chart(outcome.results, outcome.graphs), form_of(file)))
    say(f"wrote {file}")


def _end(verdict: Verdict) -> None:
    for line in verdict.lines:
        say(line)
    if verdict.code:
        raise typer.Exit(verdict.code)


def _find_batch(graphs: list[Graph], config: Configuration, format: str, output: str | None) -> None:
    from ..pytorch.bench.find_batch import find_batch
    from ..pytorch.bench.tables import batch_table

    largest = []
    for graph in graphs:
        with progress_display() as progress:
            search = find_batch(graph, config, progress)
        emit(batch_table(graph, config, search), format, output)
        if search.interrupted:
            raise typer.Exit(130)
        largest.append(search.batch)
    if 0 in largest:  # the question was whether it fits
        raise typer.Exit(1)


def _compare(request: Measurement, format: str) -> None:
    from ..pytorch.bench.compare import pairs, read
    from ..pytorch.bench.outcome import judged
    from ..pytorch.bench.tables import comparison_table

    others = request.specs or []
    if len(others) != 1:
        raise usage_error("--compare wants two files", "cnncalc bench --compare A.json B.json")
    compared = pairs(read(request.compare or ""), read(others[0]))
    emit(comparison_table(compared, request.allowed()), format, request.output)
    unclean = any(each.get("clean") is False for pair in compared for each in (pair.before, pair.after))
    _end(judged(compared, request.allowed(), request.strict and unclean))
