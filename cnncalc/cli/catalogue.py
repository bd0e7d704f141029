"""zoo, ops, schema and new: what there is, and how to begin."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from . import app
from .options import Format, Output, chosen_format
from .output import emit, emit_text, write_file


@app.command()
def zoo(format: Format = None, output: Output = None) -> None:
    """The networks that are bundled, with their variants."""
    from ..catalogue import zoo_table

    emit(zoo_table(), chosen_format(format, output), output)


@app.command()
def ops(
    type_: Annotated[str, typer.Argument(metavar="[TYPE]", help="A layer type.", show_default=False)] = "",
    format: Format = None,
    output: Output = None,
) -> None:
    """The layer types; with TYPE its arguments, formulas with sources, and an example."""
    from ..catalogue import op_table, ops_table

    emit(op_table(type_) if type_ else ops_table(), chosen_format(format, output), output)


@app.command()
def schema(output: Output = None) -> None:
    """The JSON Schema (draft 7) of the language, for editors."""
    from ..spec.schema import schema as made

    emit_text(json.dumps(made(), ensure_ascii=False, indent=1) + "\n", output)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the network, or the file to write.", show_default=False)],
    like: Annotated[
        str, typer.Option("--like", help="Begin with a copy of a network in the zoo.", show_default=False)
    ] = "",
) -> None:
    """Write a first spec, with the schema beside it so that editors complete and explain."""
    from ..catalogue import first_spec
    from ..spec.model import open_spec
    from ..spec.schema import FILE
    from ..spec.schema import schema as made

    path, text = first_spec(name, like)
    schema_path = path.parent / FILE
    if not schema_path.exists():
        write_file(schema_path, json.dumps(made(), ensure_ascii=False, indent=1) + "\n")
    write_file(path, text)
    spec = f"{path}:{like}" if like and like in open_spec(str(path)).variants else path
    print(f"wrote {path} and {schema_path.name}; now: cnncalc shapes {spec}", file=sys.stderr)
