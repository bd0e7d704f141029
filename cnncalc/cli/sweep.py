"""sweep: every setting of a spec at once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import usage_error
from ..files import write_file
from ..printable import printable
from ..quantities import number, si
from ..report.figures import OF_NETWORK
from ..table import Column
from .charting import BETTER, Draw, axis, pair, write_chart
from .commands import CHECK, command
from .options import Batch, listed
from .output import emit, needs_numpy, refuse_to_overwrite, say

Spec = Annotated[
    str, typer.Argument(help="File, name in the zoo, or file:variant; or merge, and parts.", show_default=False)
]
Parts = Annotated[
    list[str] | None,
    typer.Argument(metavar="[PART]...", help="Of merge: files, or a folder of them.", show_default=False),
]
Over = Annotated[
    list[str] | None,
    typer.Option(
        "--over",
        metavar="KNOB=VALUES",
        help="A knob and its values: width=16:128:8 (both ends in), width=16,32,64, depths[2]=2:9, input=128:320:32.",
        show_default=False,
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", metavar="CONDITION", help="As 'params <= 5M and macs <= 600M'.", show_default=False),
]
Columns = Annotated[
    str | None, typer.Option("--columns", "-c", help="Figures, separated by commas.", show_default="params,macs")
]
Sort = Annotated[
    str, typer.Option("--sort", metavar="NAMES", help="By figures or knobs; -macs from the most.", show_default=False)
]
Top = Annotated[
    int | None,
    typer.Option("--top", min=1, max=10_000, help="How many are kept, and shown; else 20 shown.", show_default=False),
]
Unique = Annotated[
    str,
    typer.Option(
        "--unique", metavar="NAMES", help="Of those alike in figures or knobs, the first.", show_default=False
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=512, help="Processes.")]
Shard = Annotated[
    str, typer.Option("--shard", metavar="K/N", help="The K-th of N parts alone, for merge.", show_default=False)
]
Cluster = Annotated[
    str, typer.Option("--dask", metavar="ADDRESS", help="On the workers of a Dask cluster.", show_default=False)
]
Pareto = Annotated[
    str,
    typer.Option(
        "--pareto", metavar="NAMES", help="Those that no other beats: 'params, macs, -input'.", show_default=False
    ),
]
Sample = Annotated[
    int, typer.Option("--sample", min=0, help="Draw so many, each once, in place of all.", show_default=False)
]
Seed = Annotated[int, typer.Option("--seed", help="The same seed draws the same.")]
File = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FILE", help="All that is kept: .csv, .jsonl, .parquet.", show_default=False
    ),
]
Show = Annotated[
    int | None, typer.Option("--show", metavar="N", help="One candidate, by its number.", show_default=False)
]
Settings = Annotated[
    int | None,
    typer.Option(
        "--spec", metavar="N", help="Write the spec with the setting of a candidate, with -o.", show_default=False
    ),
]
Format = Annotated[str, typer.Option("--format", "-f", help="Of what is shown: table, csv, json, markdown …")]

#: Seconds between two lines of progress.
PROGRESS_S = 2.0


@command(
    CHECK,
    "cnncalc sweep resnet50 --over width_per_group=32:128:8 --over input=128:320:32 --where 'macs <= 2G'",
    "cnncalc sweep mobilenet_v2 --over width=0.25,0.5,0.75,1.0 --over input=96:224:32 --pareto 'macs, -input'",
    "cnncalc sweep regnet --shard 3/64 -o parts/3.csv",
    "cnncalc sweep merge parts/ -o all.csv",
)
def sweep(
    spec: Spec,
    parts: Parts = None,
    over: Over = None,
    where: Where = None,
    columns: Columns = None,
    unique: Unique = "",
    pareto: Pareto = "",
    sort: Sort = "",
    top: Top = None,
    sample: Sample = 0,
    seed: Seed = 0,
    output: File = "",
    draw: Draw = "",
    show: Show = None,
    setting: Settings = None,
    jobs: Jobs = 1,
    shard: Shard = "",
    dask: Cluster = "",
    batch: Batch = 1,
    format: Format = "table",
) -> None:
    """Every setting of a spec at once, exactly: which fit, which are best; a million a second."""
    needs_numpy("sweep")
    from ..spaces.api import Chosen
    from ..spaces.plan import SHOWN, Plan
    from ..spaces.results import candidates, form_of
    from ..spaces.run import Run
    from ..spaces.space import read_axes

    if spec == "merge":
        _merge(parts or [], output)
        return
    if parts:
        raise usage_error(f"{parts[0]}: a sweep is of one spec", "--over 'width=16:128:8' gives the values of a knob")
    if pareto and sort:
        raise usage_error("--pareto has an order of its own", "either --pareto or --sort")
    plan = Plan.of(
        spec,
        read_axes(over or ()),
        columns=tuple(listed(columns) or ("params", "macs")),
        where=tuple(where or ()),
        unique=tuple(listed(unique) or ()),
        pareto=pareto,
        sort=sort,
        top=top or 0,
        batch=batch,
        sample=sample,
        seed=seed,
        shard=_shard(shard),
    )
    refuse_to_overwrite(spec, output or None)
    if setting is not None:
        _write_spec(plan.space, setting, output)
        return
    if show is not None:
        chosen = Chosen.single(plan.space, plan.columns, show, batch)
        (alone,) = chosen
        if not len(alone):
            raise usage_error(f"candidate {show} is no network: {next(iter(chosen.tally.rejected))}", "another one")
        emit(candidates(chosen.sweep.space, alone, chosen.columns), format, None)
        return
    if draw:
        if shard or dask or jobs > 1 or unique or pareto:
            raise usage_error("--draw is of one run in one process", "--over, --where, --sample and -o go with it")
        _draw(plan, pair(draw, output or None), output)
        return
    if output and form_of(output) == ".parquet":
        from ..spaces.parquet import arrow

        arrow()
    run = Run(plan, output)
    _go(run, jobs, dask)
    if output and (run.tally.networks or plan.shard != (1, 1)):
        say(printable(f"wrote {output}: {number(run.kept)} rows"))
    if plan.shard != (1, 1) and not run.tally.networks:
        say("\n".join(_notes(run, SHOWN)))
        return
    if not run.tally.networks:
        reason, first = next(iter(run.tally.first.items()), ("there are no candidates", 0))
        raise usage_error(f"no candidate is a network; the first, {first}: {reason}", "other values")
    rows = run.choice.rows
    notes = _notes(run, top or SHOWN)
    if rows is None or not len(rows):
        say("\n".join(("no candidate meets the conditions", *notes)))
        raise typer.Exit(1)
    if len(rows) > (top or SHOWN):
        notes = (f"{number(top or SHOWN)} of {number(len(rows))} that no other beats are shown", *notes)
    emit(candidates(run.space, rows.some(slice(top or SHOWN)), run.chosen.columns, notes), format, None)


def _shard(text: str) -> tuple[int, int]:
    number, slash, count = text.partition("/")
    if text and not (slash and number.isdecimal() and count.isdecimal() and len(text) < 20):
        raise usage_error(f"--shard {text} is no part of a number of parts", "--shard 3/64")
    return (int(number), int(count)) if text else (1, 1)


def _merge(parts: list[str], output: str) -> None:
    """Put the parts of a sweep together."""
    from ..spaces.merge import merge, told

    if not output or not parts:
        raise usage_error("parts become one file", "cnncalc sweep merge parts/ -o all.csv")
    merged = merge(parts, output)
    say(printable(told(merged, output)))
    if merged.missing:
        raise typer.Exit(1)


def _go(run: Any, jobs: int, dask: str) -> None:
    """Go the whole way; a long run tells how far it is, and one that is interrupted where it can be gone on with."""
    from ..spaces.run import cluster, processes

    begun = last = time.monotonic()
    told = False
    try:
        with cluster(dask) if dask else processes(min(jobs, run.parts)) as (submit, ahead):
            for _ in run.go(submit, ahead):
                if run.resumed and not told:
                    told = True
                    say(f"going on from {number(run.resumed)} of {number(run.size)} candidates")
                now = time.monotonic()
                if now - last > PROGRESS_S and run.tally.seen < run.size:
                    last = now
                    say(_progress(run.tally.seen, run.resumed, run.size, now - begun))
    except KeyboardInterrupt:
        if run.output and run.tally.seen < run.size:
            seen = f"{number(run.tally.seen)} of {number(run.size)} candidates"
            say(printable(f"stopped at {seen}: {run.output}.part has the rows so far, and the same command goes on"))
        raise


def _draw(plan: Any, keys: tuple[str, str], output: str) -> None:
    """A cloud of candidates: those that no other beats, and of the others as many as can be seen."""
    from ..spaces.api import Chosen
    from ..spaces.choose import Cloud
    from ..spaces.columns import figured

    space = plan.space
    known = [key if key in space.names else figured(key, space.base).name for key in keys]
    chosen = Chosen(space, plan.columns, plan.where, plan.batch, plan.sample, plan.seed, known)
    cloud = Cloud([(key, -BETTER.get(key, -1)) for key in known], chosen.sweep.rng)
    begun = last = time.monotonic()
    for rows in chosen:
        cloud.take(rows)
        now = time.monotonic()
        if now - last > PROGRESS_S and chosen.tally.seen < chosen.size:
            last = now
            say(_progress(chosen.tally.seen, 0, chosen.size, now - begun))
    if cloud.rows is None:
        raise usage_error("no candidate meets the conditions", "other conditions")
    values = {**cloud.rows.knobs, **cloud.rows.figures}
    facts = [
        {"name": f"{index:,}", "family": space.spec.title, **{key: values[key][i].item() for key in known}}
        for i, index in enumerate(cloud.rows.index.tolist())
    ]
    axes = (axis(_column(known[0])), axis(_column(known[1])))
    title = f"{space.spec.title}: {number(chosen.tally.kept)} candidates"
    write_chart(facts, (known[0], known[1]), axes, title, output or None)


def _progress(seen: int, before: int, size: int, seconds: float) -> str:
    rate = max(seen - before, 1) / seconds
    left = (size - seen) / rate
    return f"{100 * seen / size:.0f} %, {si(rate)}candidates a second, {left:,.0f} s left"


def _column(key: str) -> Column:
    return Column(key, OF_NETWORK[key].what if key in OF_NETWORK else key)


def _notes(run: Any, shown: int) -> tuple[str, ...]:
    """How many there were, why some are none, and how the figures of those that are kept are spread."""
    tally = run.tally
    counts = f"{number(tally.seen)} candidates, {number(tally.networks)} networks"
    lines = [counts + f", {number(tally.kept)} that meet the conditions" * bool(run.plan.where)]
    lines += [f"{number(count)} are none: {reason}" for reason, count in tally.rejected.most_common(5)]
    more = len(tally.rejected) - 5
    lines += [f"… and {number(more)} more reasons"] * (more > 0)
    return (*lines, *(tally.lines(run.chosen.columns) if tally.kept > shown else ()))


def _write_spec(space: Any, setting: int, output: str) -> None:
    """The spec with the numbers of a candidate written into it."""
    from ..spaces.writing import written_spec

    if not output:
        raise usage_error("a spec is a file", f"--spec {setting} -o best.yaml")
    write_file(Path(output), written_spec(space, setting))
    say(printable(f"wrote {output}"))
