"""sweep: every setting of a spec at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import usage_error
from ..files import whole_file, write_file
from ..printable import printable
from ..quantities import number, si
from ..report.figures import OF_NETWORK
from ..table import Column
from .charting import BETTER, Draw, axis, pair, write_chart
from .commands import CHECK, command
from .options import Batch, listed
from .output import emit, needs_numpy, refuse_to_overwrite, say

Spec = Annotated[str, typer.Argument(help="File, name in the zoo, or file:variant.", show_default=False)]
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
Top = Annotated[int, typer.Option("--top", min=1, max=10_000, help="How many are shown.")]
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
    str, typer.Option("--output", "-o", metavar="FILE", help="All that is kept: .csv or .jsonl.", show_default=False)
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
)
def sweep(
    spec: Spec,
    over: Over = None,
    where: Where = None,
    columns: Columns = None,
    sort: Sort = "",
    top: Top = 20,
    pareto: Pareto = "",
    sample: Sample = 0,
    seed: Seed = 0,
    output: File = "",
    draw: Draw = "",
    show: Show = None,
    setting: Settings = None,
    batch: Batch = 1,
    format: Format = "table",
) -> None:
    """Every setting of a spec at once, exactly: which fit, which are best; a million a second."""
    needs_numpy("sweep")
    from ..spaces.api import Chosen
    from ..spaces.choose import First, Front, goals
    from ..spaces.results import candidates, form_of
    from ..spaces.space import Space, read_axes

    space = Space(spec, read_axes(over or ()))
    if setting is not None:
        _write_spec(space, setting, output)
        return
    drawn = pair(draw, output or None) if draw else ()
    if output and not draw:
        form_of(output)
    refuse_to_overwrite(spec, output or None)
    names = [each.name for each in space.axes]
    asked = listed(columns) or ("params", "macs")
    if show is not None:
        chosen = Chosen.single(space, asked, show, batch)
        rows = next(iter(chosen))
        if not len(rows):
            raise usage_error(f"candidate {show} is no network: {next(iter(chosen.sweep.rejected))}", "another one")
        emit(candidates(space, rows, chosen.columns), format, None)
        return
    if drawn:
        _draw(space, Chosen(space, asked, where or (), batch, sample, seed, drawn), drawn, output)
        return
    ordered = goals(pareto or sort, [*names, *OF_NETWORK]) if pareto or sort else []
    chosen = Chosen(space, asked, where or (), batch, sample, seed, [name for name, _ in ordered])
    best: Any = Front(ordered) if pareto else First(ordered, top)
    parts = _progress(chosen, best)
    if output:
        _write(output, space, chosen, parts, seed, sample)
    else:
        for _ in parts:
            pass
    if not chosen.networks:
        reason, first = next(iter(chosen.sweep.first_rejected.items()))
        raise usage_error(f"no candidate is a network; the first, {first}: {reason}", "other values")
    rows = best.rows
    notes = _notes(space, chosen)
    if rows is None or not len(rows):
        say("\n".join(("no candidate meets the conditions", *notes)))
        raise typer.Exit(1)
    emit(candidates(space, rows.some(slice(top)), chosen.sweep.columns, notes), format, None)


def _progress(chosen: Any, best: Any) -> Iterator[Any]:
    """The rows, each looked at; a long run tells how far it is."""
    begun = last = time.monotonic()
    for rows in chosen:
        best.take(rows)
        yield rows
        now = time.monotonic()
        if now - last > PROGRESS_S:
            last, rate = now, chosen.seen / (now - begun)
            left = (chosen.size - chosen.seen) / rate
            say(f"{100 * chosen.seen / chosen.size:.0f} %, {si(rate)}candidates a second, {left:,.0f} s left")


def _write(output: str, space: Any, chosen: Any, parts: Iterator[Any], seed: int, sample: int) -> None:
    """All rows that are kept, as a file; what there is, where it is interrupted."""
    from ..spaces.results import Writer, described, form_of

    head = described(space, chosen.sweep.columns, {"where": [each.text for each in chosen.conditions]})
    writer = Writer(form_of(output), head | ({"sample": sample, "seed": seed} if sample else {}))
    stopped = False
    with whole_file(Path(output)) as file:
        file.write(writer.begin([*(axis.name for axis in space.axes), *chosen.sweep.columns]).encode("utf-8"))
        try:
            for rows in parts:
                file.write(writer.rows(rows).encode("utf-8"))
        except KeyboardInterrupt:
            stopped = True
    if stopped:
        say(printable(f"wrote {output}, as far as it came: {chosen.seen:,} of {chosen.size:,} candidates"))
        raise KeyboardInterrupt
    say(printable(f"wrote {output}: {chosen.kept:,} rows"))


def _draw(space: Any, chosen: Any, keys: tuple[str, str], output: str) -> None:
    """A cloud of candidates: those that no other beats, and of the others as many as can be seen."""
    from ..spaces.choose import Cloud
    from ..spaces.sweep import named

    names = [each.name for each in space.axes]
    known = [key if key in names else named(key) for key in keys]
    cloud = Cloud([(key, -BETTER.get(key, -1)) for key in known], chosen.sweep.rng)
    for rows in _progress(chosen, cloud):
        del rows
    if cloud.rows is None:
        raise usage_error("no candidate meets the conditions", "other conditions")
    values = {**cloud.rows.knobs, **cloud.rows.figures}
    facts = [
        {"name": f"{index:,}", "family": space.spec.title, **{key: values[key][i].item() for key in known}}
        for i, index in enumerate(cloud.rows.index.tolist())
    ]
    axes = (axis(_column(known[0])), axis(_column(known[1])))
    title = f"{space.spec.title}: {number(chosen.kept)} candidates"
    write_chart(facts, (known[0], known[1]), axes, title, output or None)


def _column(key: str) -> Column:
    return Column(key, OF_NETWORK[key].what if key in OF_NETWORK else key)


def _notes(space: Any, chosen: Any) -> tuple[str, ...]:
    """How many there were, and why some are none."""
    counts = f"{number(chosen.size)} candidates, {number(chosen.networks)} networks"
    lines = [counts + f", {number(chosen.kept)} that meet the conditions" * bool(chosen.conditions)]
    lines += [f"{number(count)} are none: {reason}" for reason, count in chosen.sweep.rejected.most_common(5)]
    return tuple(lines)


def _write_spec(space: Any, setting: int, output: str) -> None:
    """The spec with the numbers of a candidate written into it."""
    from ..spaces.writing import written_spec

    if not output:
        raise usage_error("a spec is a file", f"--spec {setting} -o best.yaml")
    write_file(Path(output), written_spec(space, setting))
    say(printable(f"wrote {output}"))
