"""--watch: print again when the file is saved, with what changed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from ..answers.changes import changes
from ..errors import SpecError, usage_error
from ..language.locate import is_file_spec
from ..printable import printable
from ..report import Report
from .output import complain, say, tell

INTERVAL_S = 0.2
#: A file that has changed may still be written to.
SETTLE_S = 0.05


def follow(spec: str, answer: Callable[[], Report]) -> None:
    """Answer now and after every change of the file, until interrupted."""
    path = is_file_spec(spec)
    if path is None:
        hint = "networks of the zoo do not change: copy one with `cnncalc new`"
        raise usage_error("--watch wants a file", "standard input is read once" if spec == "-" else hint, where=spec)
    before: Report | None = None
    try:
        while True:
            stamp = _stamp(path)
            before = _once(answer, before)
            say(f"\nwatching {path}; Ctrl-C ends")
            while _stamp(path) == stamp:
                time.sleep(INTERVAL_S)
            time.sleep(SETTLE_S)
            happened = "was saved" if path.exists() else "is gone"
            tell(f"\n{'─' * 30} {time.strftime('%H:%M:%S')} {printable(path.name)} {happened}\n")
    except KeyboardInterrupt:
        say()


def _once(answer: Callable[[], Report], before: Report | None) -> Report | None:
    try:
        report = answer()
    except SpecError as error:
        sys.stdout.flush()
        say(str(error))
        return before
    complain((*report.warnings, *report.graph.errors))
    if before is not None:
        changed = changes(before, report)
        tell("\nchanged:\n" + "\n".join(f"  {line}" for line in changed) if changed else "\nno figure changed")
    return report


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:  # an editor that replaces the file
        return None
    return found.st_mtime_ns, found.st_size
