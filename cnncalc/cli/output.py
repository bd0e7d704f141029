"""Where answers go: the terminal, a pipe, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from ..errors import Problem, usage_error
from ..files import write_file
from ..formats import Answer, render
from ..printable import printable, printable_lines
from ..table import Table


def is_terminal() -> bool:
    """Whether a person looks at the standard output."""
    return sys.stdout.isatty()


def emit(answer: Answer, format: str, output: str | None) -> None:
    """Print an answer, or write it to a file; raises `SpecError` where the file cannot be written."""
    if output is None and format == "table" and is_terminal() and isinstance(answer, Table) and not answer.text:
        from rich.console import Console

        from .terminal import show

        show(answer, Console(highlight=False))
        return
    emit_text(render(answer, format), output)


def emit_text(text: str, output: str | None) -> None:
    """Print a text, or write it to a file; what is printed is fit for a terminal, a file gets it as it is."""
    if output is None or output == "-":
        tell(text, end="")
        return
    write_file(Path(output), text)
    say(printable(f"wrote {output}"))


def tell(text: str = "", end: str = "\n") -> None:
    """Print to standard output, whatever the text holds."""
    sys.stdout.write(printable_lines(text) + end)
    sys.stdout.flush()


def say(text: str = "") -> None:
    """Print to standard error, where everything goes that is no answer."""
    print(printable_lines(text), file=sys.stderr)


def needs_torch(command: str) -> None:
    """Raise `SpecError` where PyTorch is not installed, with the line that installs it."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise usage_error(f"{command} needs PyTorch, which is not installed", "pip install 'cnncalc[torch]'")


def refuse_to_overwrite(spec: str, output: str | None) -> None:
    """Raise `SpecError` where an answer would be written over the spec that it is about."""
    from ..language.locate import is_file_spec

    path = is_file_spec(spec)
    if path and output and os.path.exists(output) and os.path.samefile(path, output):
        raise usage_error("is the spec itself, and would be overwritten", "choose another file", where=output)


def refuse_inputs(read: Iterable[str | None], written: Iterable[str | None]) -> None:
    """Raise `SpecError` where an answer would be written over a file that is read."""
    inputs = [each for each in read if each and os.path.exists(each)]
    for path in written:
        if path and any(os.path.exists(path) and os.path.samefile(path, each) for each in inputs):
            raise usage_error("is read, and would be overwritten", "choose another file", where=path)


def needs_numpy(what: str, extra: str = "spaces") -> None:
    """Raise `SpecError` where NumPy is not installed, with the line that installs it."""
    from importlib.util import find_spec

    if find_spec("numpy") is None:
        raise usage_error(f"{what} needs NumPy, which is not installed", f"pip install 'cnncalc[{extra}]'")


def complain(problems: Iterable[Problem]) -> bool:
    """Print warnings or errors beside the answer; whether there were any."""
    texts = [problem.text for problem in problems]
    if texts:
        sys.stdout.flush()
        say("\n" + "\n\n".join(texts))
    return bool(texts)
