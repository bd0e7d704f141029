"""The options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_origin, get_type_hints

import typer

from ..errors import Misfit, did_you_mean, usage_error
from ..formats import FORMATS, endings
from ..language import expressions
from ..quantities import rounded, size_in_bytes
from ..record import Record
from ..report import Report, analyse

Spec = Annotated[str, typer.Argument(help="File, name in the zoo, file:variant, or -.", show_default=False)]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Give an argument of the spec another value: --set classes=10.",
        show_default=False,
    ),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="CxHxW",
        help="Another size of the input, channels first; NAME=CxHxW if there are several inputs. "
        "Of a program that is imported, the size; :int64 behind it is its type.",
        show_default=False,
    ),
]
Batch = Annotated[int, typer.Option("--batch", "-b", help="Images in the batch.")]
Dtype = Annotated[str, typer.Option("--dtype", help="float64, float32, float16, bfloat16 or int8.")]
InPlace = Annotated[bool, typer.Option("--inplace", help="Treat every activation that can work in place as if it did.")]
Train = Annotated[bool, typer.Option("--train", help="A training step instead of inference.")]
Optimizer = Annotated[
    str, typer.Option("--optimizer", help="With --train: sgd, momentum, adagrad, rmsprop, adam or adamw.")
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="cpu or cuda: what is allocated there, libraries included; with --train, which types masks take.",
        show_default=False,
    ),
]
ChannelsLast = Annotated[bool, typer.Option("--channels-last", help="Lay images out as N×H×W×C.")]
Amp = Annotated[bool, typer.Option("--amp", help="Mixed precision: autocast to bfloat16.")]
Int8 = Annotated[
    bool,
    typer.Option("--int8", help="Quantized after training, as PyTorch does it, with what stays in float."),
]
Modules = Annotated[
    str,
    typer.Option(
        "--modules",
        metavar="FILE.py",
        help="A Python file, which is run, with an nn.Module for each type that the spec declares.",
        show_default=False,
    ),
]
Freeze = Annotated[
    str | None,
    typer.Option(
        "--freeze",
        metavar="PARTS",
        help="With --train: layers and groups that are not trained, separated by commas.",
        show_default=False,
    ),
]
Checkpoint = Annotated[
    str | None,
    typer.Option(
        "--checkpoint",
        metavar="PARTS",
        help="With --train: layers and groups that are run again in place of being kept, separated by commas.",
        show_default=False,
    ),
]
Accumulate = Annotated[int, typer.Option("--accumulate", help="With --train: batches before an update.")]
Ddp = Annotated[int, typer.Option("--ddp", help="With --train: processes, with DistributedDataParallel.")]
Budget = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="SIZE",
        help="Also find the largest batch that fits into this much memory, as in 16GiB.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None, typer.Option("--format", "-f", help=f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}.", show_default=False)
]
Output = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write to a file; its ending chooses the format.", show_default=False
    ),
]
Depth = Annotated[
    int | None, typer.Option("--depth", "-d", help="Fold the layers to this many levels.", show_default=False)
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns", "-c", help="Columns, separated by commas; a wrong name lists them all.", show_default=False
    ),
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
            raise usage_error(f"--set {each} makes no sense", "write --set NAME=VALUE, as in --set classes=10")
        try:
            value = expressions.evaluate(text, {})
        except Misfit as misfit:
            if not re.fullmatch(r"[A-Za-z_][\w\-]*", text.strip()):
                raise usage_error(
                    f"--set {each}: {misfit.cause}", "a number, a list such as [3,4,6,3], or a word"
                ) from None
            value = text.strip()
        values[name.strip()] = value
    return values


class Typed(tuple[int, ...]):
    """A shape, and the type that was asked for with it, if any."""

    dtype = ""


def shapes(given: list[str] | None) -> dict[str, tuple[int, ...]]:
    """`--input` values by the name of the input, "" where none is named; raises `SpecError`.

    >>> shapes(["3x320x320"])
    {'': (3, 320, 320)}
    """
    values: dict[str, tuple[int, ...]] = {}
    for each in given or []:
        name, _, text = each.rpartition("=")
        text, _, dtype = text.partition(":")
        if dtype and not re.fullmatch(r"float(16|32|64)|bfloat16|u?int(8|16|32|64)|bool", dtype):
            raise usage_error(f"--input {each}: there is no type {dtype}", "as in --input ids=16:int64")
        if not re.fullmatch(r"\s*\d{1,9}(\s*[x×X*,]\s*\d{1,9}){0,3}\s*", text):
            raise usage_error(f"--input {each} makes no sense", "channels first, as in --input 3x224x224")
        shape = values[name.strip()] = Typed(int(part) for part in re.split(r"[x×X*,]", text))
        shape.dtype = dtype
        if 0 in shape:
            raise usage_error(f"--input {each} has a size of 0", "every size is at least 1")
    return values


def memory_size(text: str) -> int:
    """Bytes of a memory size; raises `SpecError`.

    >>> memory_size("16GiB")
    17179869184
    """
    size = size_in_bytes(text)
    if size is None:
        raise usage_error(f"{text} is no memory size", "write a number and a unit, as in 16GiB or 800MB")
    return size


def count_of(text: str, option: str) -> int | None:
    """A count with a unit in powers of 1000, None where none is given; raises `SpecError`.

    >>> count_of("5M", "--max-params"), count_of("1.5G", "--max-macs"), count_of("", "--max-macs")
    (5000000, 1500000000, None)
    """
    if not text:
        return None
    count = rounded(re.sub(r"(?<=\d)[,_](?=\d{3}(?!\d))", "", text))
    if count is None:
        raise usage_error(f"{option} {text} makes no sense", "a number, with a unit where it is large: 5M, 300k, 4G")
    return round(count.value)


#: `--where`: a column, a comparison, and a number with its unit.
_CONDITION = re.compile(r"\s*([\w.\- ]*\w)\s*(<=|>=|==|=|<|>|≤|≥)\s*(\S.*?)\s*")


def conditions(given: list[str] | None) -> dict[str, tuple[Any, Any]]:
    """`--where` conditions as bounds, the least and the most, by column; raises `SpecError`.

    >>> conditions(["params <= 5M", "params >= 1M", "intensity>=20", "peak_inference_bytes <= 8MiB"])
    {'params': (1000000, 5000000), 'intensity': (20, None), 'peak_inference_bytes': (None, 8388608)}
    """
    bounds: dict[str, tuple[Any, Any]] = {}
    for condition in given or []:
        match = _CONDITION.fullmatch(condition)
        count = rounded(match[3]) if match else None
        size = size_in_bytes(match[3]) if match and count is None else None
        value: Any = count.value if count else size
        if match is None or value is None or match[2] in ("<", ">"):
            raise usage_error(
                f"--where {condition} makes no sense", "a column, <= or >= or ==, and a number: --where 'params <= 5M'"
            )
        value = int(value) if value == int(value) else float(value)
        low, high = bounds.get(match[1], (None, None))
        low = value if match[2] != "<=" and match[2] != "≤" else low
        high = value if match[2] != ">=" and match[2] != "≥" else high
        bounds[match[1]] = low, high
    return bounds


def listed(text: str | None) -> tuple[str, ...]:
    """The words of a list with commas."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def chosen_format(format: str | None, output: str | None) -> str:
    """The format that is asked for, or that the ending of the file tells; raises `SpecError`."""
    if format is None:
        if not output or output.startswith("/dev/"):
            return "table"
        ending = Path(output).suffix.lower()
        if ending not in endings():
            hint = f"say --format, or use {', '.join(ending for ending in endings() if ending)}"
            raise usage_error(f"{output}: the ending {ending} tells no format", hint)
        return endings()[ending]
    if format not in FORMATS:
        raise usage_error(
            f"there is no format {format}", did_you_mean(format, FORMATS) or f"use one of {', '.join(FORMATS)}"
        )
    return format


class Request(Record):
    """What was asked of a network, and how the answer is to look: the options that all questions share."""

    spec: Spec
    set_: Set = None
    input_: Input = None
    batch: Batch = 1
    dtype: Dtype = "float32"
    depth: Depth = None
    columns: Columns = None
    sort: Sort = None
    format: Format = None
    output: Output = None
    optimizer: str = "sgd"
    device: str = "cpu"
    channels_last: bool = False
    amp: bool = False
    int8: bool = False
    freeze: tuple[str, ...] = ()
    checkpoint: tuple[str, ...] = ()
    accumulate: int = 1
    ddp: int = 1

    def report(self, inplace: bool = False) -> Report:
        """The analysis of the network; raises `SpecError`."""
        return analyse(
            self.spec,
            args=settings(self.set_),
            inputs=shapes(self.input_),
            batch=self.batch,
            dtype=self.dtype,
            inplace=inplace,
            optimizer=self.optimizer,
            device=self.device,
            channels_last=self.channels_last,
            amp="bfloat16" if self.amp else "",
            int8=self.int8,
            freeze=self.freeze,
            checkpoint=self.checkpoint,
            accumulate=self.accumulate,
            ddp=self.ddp,
        )


def gathered(command: Callable[..., None], kind: type[Any]) -> Callable[..., None]:
    """A command that takes the fields of a named tuple as options, and gives them to the function as one `request`.

    The fields that typer is told nothing of are no options. How the answer is to look stands last in the help.
    """
    hints = get_type_hints(kind, include_extras=True)
    shared = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=kind._field_defaults.get(name, Parameter.empty),
            annotation=hints[name],
        )
        for name in kind._fields
        if get_origin(hints[name]) is Annotated
    ]
    own = signature(command, eval_str=True).parameters
    mine = [each.replace(kind=Parameter.KEYWORD_ONLY) for name, each in own.items() if name != "request"]

    @wraps(command)
    def spread(**given: Any) -> None:
        command(kind(**{each.name: given.pop(each.name) for each in shared}), **given)

    parameters = sorted([*shared, *mine], key=lambda each: each.name in ("format", "output"))
    spread.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del spread.__wrapped__
    return spread
