"""explain-error, quiz and lesson: the lecture, practised."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from ..errors import wrong_call
from . import app


@app.command("explain-error")
def explain_error(
    message: Annotated[str, typer.Argument(help="What PyTorch said, in quotes; - reads it.", show_default=False)],
    spec: Annotated[
        str, typer.Argument(metavar="[SPEC]", help="The network's spec: then sizes are computed.", show_default=False)
    ] = "",
) -> None:
    """Say what one of PyTorch's error messages means: which layer, why, and what to change."""
    from ..teach.messages import explain_error as explained

    if message == "-":
        if spec == "-":
            raise wrong_call("message and spec cannot both come from standard input")
        message = sys.stdin.read(100_000)
    for line in explained(message, spec).lines():
        print(line)
