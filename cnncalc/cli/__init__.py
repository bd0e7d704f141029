"""The command line: a command loads, makes one call, and renders."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import typer

from ..errors import SpecError
from ..permission import only
from ..printable import printable
from .commands import COMMANDS
from .output import say

#: The commands of each file, in the order of the help.
FILES = {
    "questions": ("shapes", "params", "flops", "memory", "receptive-field", "summary"),
    "draw": ("draw",),
    "report": ("report",),
    "serve": ("serve",),
    "zoo": ("zoo", "show", "schema", "new"),
    "import_": ("import",),
    "explain": ("explain", "formulas", "figures", "ops"),
    "check": ("check", "compare"),
    "sweep": ("sweep",),
    "solve": ("solve",),
    "practise": ("explain-error", "quiz", "lesson"),
    "worksheet": ("worksheet", "grade"),
    "site": ("site",),
    "run": ("run",),
    "bench": ("bench",),
    "export": ("export",),
}
_HELP = (
    "The calculator for convolutional networks that shows its work. SPEC is a YAML file, a name in the zoo "
    "(`cnncalc zoo` lists them), file:variant, - for standard input, or a network in another form, as net.pt2 or "
    "net.py:Net (see `cnncalc import`)."
)


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The command line, with the command that the words ask for, or with all of them where that is not plain.

    To read the signatures of all commands takes longer than most answers.
    """
    app = typer.Typer(
        name="cnncalc",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help=_HELP,
    )
    app.callback()(_root)
    asked = words[0] if words else ""
    files = [file for file, names in FILES.items() if asked in names] or list(FILES)
    for file in files:
        import_module(f"{__name__}.{file}")
    wanted = (asked,) if len(files) == 1 else tuple(name for names in FILES.values() for name in names)
    for name in wanted:
        parts = [command for command in COMMANDS if name in (command.parent or command.name, command.parent)]
        if parts[0].parent:
            group = typer.Typer(no_args_is_help=True, help="Write a worksheet, check it, build one for each student.")
            for part in parts:
                part.register(group)
            app.add_typer(group, name=name, rich_help_panel=parts[0].group)
        else:
            parts[0].register(app)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        from .. import __version__

        typer.echo(f"cnncalc {__version__}")
        raise typer.Exit


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
        _write_whole(name)
    words = frozenset(sys.argv[1:] if sys.argv[1:2] not in (["grade"], ["worksheet"]) else ())
    try:
        with only(words):
            code = application(sys.argv[1:])(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except SpecError as error:
        say(str(error))
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        say("interrupted")
        sys.exit(130)
    except OSError as error:  # a full disk, a terminal that is gone
        with suppress(OSError, ValueError, AttributeError):  # what is still in a buffer goes nowhere, and says nothing
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say(f"cnncalc: the output cannot be written: {error.strerror}")
        sys.exit(2)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what typer raises of the words on the command line
            raise
        _complain_of_words(error)
        sys.exit(2)


def _write_whole(name: str) -> None:
    """See to it that a stream writes all that it is given, or fails: Python's own forgets the rest where unbuffered."""
    stream = getattr(sys, name)
    raw = getattr(stream, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        stream = io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=True)
        setattr(sys, name, stream)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure and "utf" not in (stream.encoding or "").lower():
        reconfigure(errors="replace")


def _complain_of_words(error: Any) -> None:
    """Say what is wrong with the command line as typer says it; the words may be the names of files."""
    if hasattr(error, "message"):
        error.message = printable(error.message)
    try:
        from typer.rich_utils import rich_format_error
    except ImportError:
        error.show()
    else:
        rich_format_error(error)
