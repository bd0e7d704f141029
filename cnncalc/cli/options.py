"""The options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Misfit, did_you_mean, wrong_call
from ..spec import expressions

Spec = Annotated[str, typer.Argument(help="File, name in the zoo, file:variant, or -.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Turn a knob of the spec: --set classes=10.", show_default=False),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="CxHxW",
        help="Another input, channels first; NAME=CxHxW where there are several.",
        show_default=False,
    ),
]
Batch = Annotated[int, typer.Option("--batch", "-b", help="Images in the batch.")]
Dtype = Annotated[str, typer.Option("--dtype", help="float64, float32, float16, bfloat16 or int8.")]
InPlace = Annotated[bool, typer.Option("--inplace", help="Count every activation that can work in place as if it did.")]
Train = Annotated[bool, typer.Option("--train", help="A training step instead of inference.")]
Optimizer = Annotated[
    str, typer.Option("--optimizer", help="With --train: sgd, momentum, adagrad, rmsprop, adam or adamw.")
]
Device = Annotated[
    str, typer.Option("--device", help="With --train: cpu or cuda, where masks and statistics take other types.")
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", metavar="SIZE", help="The largest batch that fits, as in 16GiB.", show_default=False),
]
Format = Annotated[
    str | None, typer.Option("--format", "-f", help="table, json, csv, markdown, latex or html.", show_default=False)
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write to a file; its ending tells the format.", show_default=False
    ),
]
Depth = Annotated[
    int | None, typer.Option("--depth", "-d", help="Fold the layers to so many levels.", show_default=False)
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", "-c", help="Columns, with commas; a wrong one lists them.", show_default=False),
]
Sort = Annotated[
    str | None,
    typer.Option("--sort", "-s", help="Sort by a column, largest first; -COLUMN the other way.", show_default=False),
]
Predict = Annotated[bool, typer.Option("--predict", help="Hide each shape until you have guessed it.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Print again whenever the file is saved, and what changed.")]


def settings(given: list[str] | None) -> dict[str, Any]:
    """`--set` values: numbers, lists, true and false, or a word; raises `SpecError`.

    >>> settings(["depths=[3, 4, 23, 3]", "classes=10"])
    {'depths': [3, 4, 23, 3], 'classes': 10}
    """
    values: dict[str, Any] = {}
    for each in given or []:
        name, equals, text = each.partition("=")
        if not equals or not name.strip().isidentifier() or not text.strip():
            raise wrong_call(f"--set {each} makes no sense", "write --set NAME=VALUE, as in --set classes=10")
        try:
            value = expressions.evaluate(text, {})
        except Misfit as misfit:
            if not re.fullmatch(r"[A-Za-z_][\w\-]*", text.strip()):
                raise wrong_call(
                    f"--set {each}: {misfit.cause}", "a number, a list such as [3,4,6,3], or a word"
                ) from None
            value = text.strip()
        values[name.strip()] = value
    return values


def shapes(given: list[str] | None) -> dict[str, tuple[int, ...]]:
    """`--input` values by the name of the input, "" where none is named; raises `SpecError`.

    >>> shapes(["3x320x320"])
    {'': (3, 320, 320)}
    """
    values: dict[str, tuple[int, ...]] = {}
    for each in given or []:
        name, _, text = each.rpartition("=")
        if not re.fullmatch(r"\s*\d{1,9}(\s*[x×X*,]\s*\d{1,9}){0,3}\s*", text):
            raise wrong_call(f"--input {each} makes no sense", "channels first, as in --input 3x224x224")
        values[name.strip()] = tuple(int(part) for part in re.split(r"[x×X*,]", text))
        if 0 in values[name.strip()]:
            raise wrong_call(f"--input {each} has a size of 0", "every size is at least 1")
    return values


def size_of(text: str) -> int:
    """Bytes of a memory size, with a unit in powers of 1000 or, with an i, of 1024; raises `SpecError`.

    >>> size_of("16GiB"), size_of("1.5 gb"), size_of("4096B")
    (17179869184, 1500000000, 4096)
    """
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(i?)b?\s*", text.lower())
    if not found or (found[3] and not found[2]) or not float(found[1]) or text.strip()[-1].isdigit():
        raise wrong_call(f"{text} is no memory size", "write a number and a unit, as in 16GiB or 800MB")
    power = " KMGT".index(found[2].upper() or " ")
    return int(float(found[1]) * (1024 if found[3] else 1000) ** power)


def count_of(text: str, option: str) -> int | None:
    """A count with a unit in powers of 1000, None where none is given; raises `SpecError`.

    >>> count_of("5M", "--max-params"), count_of("1.5G", "--max-macs"), count_of("", "--max-macs")
    (5000000, 1500000000, None)
    """
    if not text:
        return None
    plain = re.sub(r"(?<=\d)[,_](?=\d{3}(?!\d))", "", text)
    found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,6})?(?:e\d{1,2})?)\s*([kKmMgGbBtT]?)\s*", plain)
    if not found:
        raise wrong_call(f"{option} {text} makes no sense", "a number, with a unit where it is large: 5M, 300k, 4G")
    power = {"": 0, "K": 1, "M": 2, "G": 3, "B": 3, "T": 4}[found[2].upper()]
    number: float = float(found[1]) * 1000**power
    return round(number)


def listed(text: str | None) -> tuple[str, ...]:
    """The words of a list with commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def chosen_format(format: str | None, output: str | None) -> str:
    """The format that is asked for, or that the ending of the file tells; raises `SpecError`."""
    from ..render import FORMATS

    if format is None:
        ending = Path(output or "").suffix.lower()
        known = {each: name for name, each in FORMATS.items()} | {"": "table", ".markdown": "markdown", ".htm": "html"}
        if ending not in known and not (output or "").startswith("/dev/"):
            hint = f"say --format, or use {', '.join(FORMATS.values())}"
            raise wrong_call(f"{output}: the ending {ending} tells no format", hint)
        return known.get(ending, "table")
    if format not in FORMATS:
        raise wrong_call(
            f"there is no format {format}", did_you_mean(format, FORMATS) or f"use one of {', '.join(FORMATS)}"
        )
    return format
