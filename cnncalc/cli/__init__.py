"""The command line: a command loads, makes one call, and renders."""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

import typer

from ..errors import SpecError

app = typer.Typer(
    name="cnncalc",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="The calculator for convolutional networks that shows its work. SPEC is a YAML file, a name in the zoo "
    "(`cnncalc zoo` lists them), file:variant, or - for standard input.",
)

for _group in ("questions", "work", "claims", "run", "bench", "export", "catalogue", "teaching", "grading"):
    import_module(f"{__name__}.{_group}")


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"cnncalc {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Run the command line: exit 0, 1 where a check fails, 2 where the input is wrong."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `cnncalc … | head` ends in silence
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure and "utf" not in (stream.encoding or "").lower():
            reconfigure(errors="replace")
    try:
        app()
    except SpecError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:  # a full disk, a terminal that is gone
        sys.stdout = None  # what is still in its buffer cannot be written either
        print(f"cnncalc: the output cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(2)
