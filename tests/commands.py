"""A command as the shell would run it, in this process: a process of its own only where that is the point."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from cnncalc.cli import main

PROGRAM = str(Path(sys.executable).parent / "cnncalc")


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


class Screen(io.TextIOWrapper):
    """A stream with somebody in front of it."""

    def isatty(self) -> bool:
        return True


def cnncalc(
    *arguments: str, cwd: Path | None = None, text: str = "", terminal: bool = False, **environment: str
) -> Done:
    """Run `cnncalc` with these arguments, `text` on its standard input and nobody at a terminal, unless it is one."""
    kind = Screen if terminal else io.TextIOWrapper
    streams = [kind(io.BytesIO(data), "utf-8", "surrogateescape") for data in (text.encode(), b"", b"")]
    with (
        patch.multiple(sys, argv=["cnncalc", *arguments], stdin=streams[0], stdout=streams[1], stderr=streams[2]),
        patch.dict(os.environ, environment),
        _inside(cwd),
        _signals(),
    ):
        try:
            main()
            code: int | str | None = 0
        except SystemExit as done:
            code = done.code
    out, err = (_written(stream) for stream in streams[1:])
    return Done(code if isinstance(code, int) else int(code is not None), out, err)


def _written(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode("utf-8", "surrogateescape")  # type: ignore[attr-defined, no-any-return]


@contextmanager
def _inside(folder: Path | None) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder or before)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _signals() -> Iterator[None]:
    """What the command does to signals is undone."""
    pipe = getattr(signal, "SIGPIPE", None)  # which Windows does not have
    before = signal.getsignal(pipe) if pipe else None
    try:
        yield
    finally:
        if pipe:
            signal.signal(pipe, before)
