"""One request after the other."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from .beside import verified
from .common import Refused, first_line, frame_of, go_offline
from .model import captured


def main() -> None:
    """Answer one request, and then those to verify, until nothing more is asked."""
    request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    result, asked, told = Path(sys.argv[2]), sys.stdin, sys.stdout
    sys.stdin = open(os.devnull)  # noqa: SIM115
    go_offline()
    answer(result, told, lambda: captured(request))
    for line in asked:
        question = json.loads(Path(line.strip()).read_text("utf-8"))
        answer(result, told, lambda question=question: verified(request, question))


def answer(result: Path, told: Any, work: Any) -> None:
    """Write down what comes of some work, or why nothing does, and say that it is there."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            found: dict[str, Any] = work()
    except Refused as refused:
        found = {"refused": {"cause": refused.cause, "hint": refused.hint, "where": refused.where}}
    except (Exception, SystemExit) as error:
        cause = f"{type(error).__name__}: {first_line(error)}"
        found = {"refused": {"cause": cause, "hint": "", "where": frame_of(error)}}
    result.write_text(json.dumps(found), "utf-8")
    told.write("done\n")
    told.flush()
