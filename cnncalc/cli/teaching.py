"""explain-error and quiz: the lecture, practised."""

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


@app.command()
def quiz(
    topic: Annotated[
        str, typer.Argument(help="conv, params, flops, memory, rf, bn, arithmetic or all.", show_default=False)
    ] = "all",
    n: Annotated[int, typer.Option("--n", "-n", help="Questions.")] = 10,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same questions again for the same seed.", show_default=False)
    ] = None,
    misconceptions: Annotated[
        str,
        typer.Option(
            "--misconceptions", metavar="FILE", help="A file of slips and kinds of your own.", show_default=False
        ),
    ] = "",
) -> None:
    """Ask questions; an answer is a number or arithmetic, and a wrong one is told which slip gives it."""
    from ..errors import Misfit
    from ..teach.quiz import Quiz, feedback

    if not 1 <= n <= 1000:
        raise wrong_call(f"--n {n} makes no sense", "1 to 1000 questions")
    session = Quiz(topic, seed, misconceptions)
    print("answer with a number or with arithmetic, as in 5*5*3*100 + 100; h is a hint, s skips, q ends\n")
    try:
        for count in range(1, n + 1):
            question = session.next()
            print(f"{count}. {question.text}")
            while True:
                text = _typed()
                if text is None or text in ("q", "quit", "exit"):
                    raise EOFError
                if text in ("h", "hint", "?"):
                    print(f"   {question.hint()}")
                elif text in ("s", "skip"):
                    print(f"   {question.line}\n")
                    break
                elif text:
                    try:
                        found = session.answer(question, text)
                    except Misfit as misfit:
                        print(f"   {misfit.cause}" + (f": {misfit.hint}" if misfit.hint else ""))
                        continue
                    for line in feedback(question, found):
                        print(f"   {line}")
                    print(f"   {question.line}\n")
                    break
    except (EOFError, KeyboardInterrupt):
        print()
    for line in session.summary():
        print(line)


def _typed() -> str | None:
    """A line of the person's, None at the end."""
    print("   > ", end="", flush=True)
    line = sys.stdin.readline(10_000)
    if not sys.stdin.isatty():
        print(line.rstrip("\n"))
    return line.strip() if line else None
