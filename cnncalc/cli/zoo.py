"""zoo, show, schema and new: what there is, and how to begin."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import typer

from ..errors import usage_error
from ..files import write_file
from ..printable import printable
from .charting import Draw, axis, pair, write_chart
from .commands import WRITE, command
from .options import (
    Columns,
    Format,
    Input,
    Output,
    Set,
    Sort,
    Spec,
    chosen_format,
    conditions,
    count_of,
    listed,
    settings,
    shapes,
)
from .output import complain, emit, emit_text, refuse_to_overwrite, say


def _bound(flag: str, help: str) -> Any:
    return typer.Option(flag, metavar="COUNT", help=help, show_default=False)


@command(WRITE, "cnncalc zoo --min-top1 75 --max-params 6M --sort top1", "cnncalc zoo resnet50")
def zoo(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="A network: its story, sources and variants.", show_default=False),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Only networks for this task, such as detection.", show_default=False)
    ] = None,
    min_params: Annotated[str, _bound("--min-params", "At least this many parameters, as in 5M.")] = "",
    max_params: Annotated[str, _bound("--max-params", "At most this many parameters.")] = "",
    min_macs: Annotated[str, _bound("--min-macs", "At least this many multiply-adds, as in 300M or 4G.")] = "",
    max_macs: Annotated[str, _bound("--max-macs", "At most this many multiply-adds.")] = "",
    min_top1: Annotated[
        float | None, typer.Option("--min-top1", help="At least this top-1 in %.", show_default=False)
    ] = None,
    since: Annotated[
        int | None, typer.Option("--since", metavar="YEAR", help="From this year on.", show_default=False)
    ] = None,
    until: Annotated[
        int | None, typer.Option("--until", metavar="YEAR", help="Up to this year.", show_default=False)
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="CONDITION", help="A bound on any total: 'intensity >= 20'.", show_default=False
        ),
    ] = None,
    columns: Columns = None,
    sort: Sort = None,
    format: Format = None,
    draw: Draw = "",
    output: Output = None,
) -> None:
    """The bundled networks, with year, parameters, work and accuracy; with NAME the story of one."""
    from ..answers.zoo import Filter, column_of, story, zoo_table

    kind = chosen_format(format, None if draw else output)
    if task is not None and not task.strip():
        raise usage_error("--task names no task", "leave it out for all tasks")
    if min_top1 is not None and not 1 <= min_top1 <= 100:
        raise usage_error(f"--min-top1 {min_top1:g} is no accuracy in %", "from 1 to 100, as in --min-top1 75")
    bounds = {
        "params": (count_of(min_params, "--min-params"), count_of(max_params, "--max-params")),
        "macs": (count_of(min_macs, "--min-macs"), count_of(max_macs, "--max-macs")),
        "top1": (min_top1, None),
        "year": (since, until),
    }
    wanted = Filter(task or "", **bounds | conditions(where))
    if name is not None and (wanted or sort or columns):
        raise usage_error("filters and --sort are for the whole list", f"leave them out, or leave out {name}")
    if draw:
        keys = pair(draw, output)
        if name is not None or sort or columns or format:
            raise usage_error("--draw is of the whole list", "with filters, and with -o")
        drawn = [column_of(key) for key in keys]
        table = zoo_table(wanted, "", False, keys)
        axes = (axis(drawn[0]), axis(drawn[1]))
        write_chart(table.document, (drawn[0].key, drawn[1].key), axes, "cnncalc's zoo", output)
        return
    emit(zoo_table(wanted, sort or "", kind != "csv", listed(columns)) if name is None else story(name), kind, output)


@command(WRITE, "cnncalc show unet", "cnncalc show resnet50 --expanded -o flat.yaml")
def show(
    spec: Spec,
    expanded: Annotated[
        bool, typer.Option("--expanded", "-x", help="With all blocks, repeats and expressions worked out.")
    ] = False,
    set_: Set = None,
    input_: Input = None,
    output: Output = None,
) -> None:
    """Print a spec as it stands; with --expanded the flat network, itself a spec that gives the same figures."""
    from ..language.model import load
    from ..language.spec import open_spec

    refuse_to_overwrite(spec, output)
    if output and re.search(r"\.(json|csv|md|html|tex|py|onnx)$", output):
        raise usage_error(f"a spec is YAML, which {output} does not end in", "name it .yaml", where="cnncalc show")
    if not expanded:
        if set_ or input_:
            raise usage_error("--set and --input go with --expanded", "the spec as it stands is the same for all")
        emit_text(open_spec(spec).source.text, output)
        return
    from ..language.flat import flat

    graph = load(spec, args=settings(set_), inputs=shapes(input_))
    emit_text(flat(graph), output)
    complain(graph.warnings)


@command(WRITE, "cnncalc schema -o cnncalc.schema.json", "cnncalc schema --report")
def schema(
    report: Annotated[bool, typer.Option("--report", help="The schema of what --format json prints, instead.")] = False,
    output: Output = None,
) -> None:
    """The JSON Schema (draft 7) of the language, for editors; or of the reports, for programs."""
    from ..language.schema import schema as of_language
    from ..report.document import document_schema

    made = document_schema() if report else of_language()
    emit_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", output)


@command(WRITE, "cnncalc new my_net", "cnncalc new my_resnet --like resnet18")
def new(
    name: Annotated[str, typer.Argument(help="Name of the network, or the file to write.", show_default=False)],
    like: Annotated[
        str, typer.Option("--like", help="Begin with a copy of a network in the zoo.", show_default=False)
    ] = "",
) -> None:
    """Write a first spec, with the schema beside it so that editors complete and explain."""
    from ..language.schema import FILE
    from ..language.schema import schema as made
    from ..language.spec import open_spec
    from ..language.starter import first_spec

    path, text = first_spec(name, like)
    schema_path = path.parent / FILE
    if not schema_path.exists():
        write_file(schema_path, json.dumps(made(), ensure_ascii=False, indent=1) + "\n")
    write_file(path, text)
    spec = f"{path}:{like}" if like and like in open_spec(str(path)).variants else path
    say(printable(f"wrote {path} and {schema_path.name}; now: cnncalc shapes {spec}"))
