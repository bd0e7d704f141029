"""lesson, quiz and explain-error: the lecture, checked and practised."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import usage_error
from ..files import write_file
from ..printable import printable
from .commands import PRACTISE, command
from .options import settings
from .output import emit_text, tell


@command(
    PRACTISE,
    'cnncalc explain-error "mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)" lenet',
    "python train.py 2>&1 | cnncalc explain-error - net.yaml",
)
def explain_error(
    message: Annotated[
        str, typer.Argument(help="What PyTorch said, in quotes; - reads it from standard input.", show_default=False)
    ],
    spec: Annotated[
        str,
        typer.Argument(
            metavar="[SPEC]",
            help="The spec of the network, to work out which layer and which sizes.",
            show_default=False,
        ),
    ] = "",
) -> None:
    """Explain an error message of PyTorch: which layer, why, and what to change."""
    from ..teach.messages import explain_error as explained

    if message == "-":
        if spec == "-":
            raise usage_error("message and spec cannot both come from standard input")
        message = sys.stdin.read(100_000)
    for line in explained(message, spec).lines():
        tell(line)


@command(PRACTISE, "cnncalc quiz params --n 5", "cnncalc quiz all -n 100 --seed 7 --export bank.xml")
def quiz(
    topic: Annotated[
        str, typer.Argument(help="conv, params, flops, memory, rf, bn, arithmetic or all.", show_default=False)
    ] = "all",
    n: Annotated[int, typer.Option("--n", "-n", help="How many questions.")] = 10,
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same seed asks the same questions again.", show_default=False)
    ] = None,
    misconceptions: Annotated[
        str,
        typer.Option(
            "--misconceptions", metavar="FILE", help="A file of slips and kinds of your own.", show_default=False
        ),
    ] = "",
    export: Annotated[
        str,
        typer.Option(
            "--export", metavar="FILE", help="Write a bank instead: .xml for Moodle, or .gift.", show_default=False
        ),
    ] = "",
) -> None:
    """Practise: answer with a number or with arithmetic, and learn which slip leads to a wrong answer."""
    from ..teach.bank import bank
    from ..teach.play import play
    from ..teach.quiz import Quiz

    if not 1 <= n <= 1000:
        raise usage_error(f"--n {n} makes no sense", "1 to 1000 questions")
    if export:
        emit_text(bank(Path(export).suffix, n, seed or 0, topic, misconceptions, export), export)
    else:
        play(Quiz(topic, seed, misconceptions), n, typed, tell)


def typed(prompt: str) -> str | None:
    """A line of the person's, None at the end."""
    tell(prompt, end="")
    line = sys.stdin.readline(10_000)
    if not sys.stdin.isatty():
        tell(line.rstrip("\n"))
    return line.strip() if line else None


@command(PRACTISE, "cnncalc lesson", "cnncalc lesson convolution --set size=64")
def lesson(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="A lesson; without one, the list.", show_default=False)
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="Work through all of them; exit with 1 if one fails.")] = False,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Give a number of the lesson another value: --set size=64.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the random numbers.", show_default=False)] = None,
    picture: Annotated[
        str,
        typer.Option(
            "--picture", metavar="FILE", help="Write the figure of the lesson, as figure.svg.", show_default=False
        ),
    ] = "",
) -> None:
    """A claim of the lecture, worked out with numbers that --set changes, and checked by computation."""
    from ..figures.files import refuse_what_cannot_be_written
    from ..teach.lessons import lesson as found
    from ..teach.lessons import lessons

    given = settings(set_) | ({} if seed is None else {"seed": seed})
    if (all_ or not name) and (name or given or picture):
        raise usage_error(
            "--set, --seed and --picture go with one lesson", "name it: cnncalc lesson convolution --set size=64"
        )
    if not name and not all_:
        _list()
        return
    if not name:
        failed = [each for each in lessons() if not _taught(each, {})]
        tell(f"{len(lessons()) - len(failed)} of {len(lessons())} lessons pass")
        if failed:
            raise typer.Exit(1)
        return
    if picture:
        refuse_what_cannot_be_written(picture)
    if not _taught(found(name), given, picture):
        raise typer.Exit(1)


def _list() -> None:
    from ..teach.lessons import listed
    from ..teach.play import WIDTH

    for name, claim in listed():
        tell(textwrap.fill(f"{name:<16} {claim}", WIDTH, subsequent_indent=" " * 17))


def _taught(lesson: Any, given: dict[str, Any], picture: str = "") -> bool:
    """Print a lesson, and write its figure where one is wanted; whether it passes."""
    from ..teach.play import WIDTH, folded

    sheet = lesson.run(given)
    if picture:
        _write_figure(lesson.name, sheet, picture)
    tell(f"{lesson.name}\n{textwrap.fill(lesson.claim, WIDTH)}\n")
    for line in sheet.lines:
        tell(folded(line))
    if picture:
        tell(printable(f"    drawn: {picture}"))
    knobs = ", ".join(f"{key}={value}" for key, value in lesson.knobs.items())
    verdict = f"PASS, {sheet.checked} checks" if sheet.passes else "FAIL: " + "; ".join(sheet.failed)
    tell(f"\n{verdict}" + (f"\nnumbers to change with --set: {knobs}" if knobs else "") + "\n")
    return bool(sheet.passes)


def _write_figure(name: str, sheet: Any, file: str) -> None:
    from ..figures.files import form_of, written
    from ..figures.options import Options

    if sheet.drawing is None:
        raise usage_error(
            f"the lesson {name} has no figure",
            "convolution, pooling, three-for-one, networks, residual, scaling and complexity have one",
        )
    write_file(Path(file), written(sheet.drawing(Options()), form_of(file)))
