"""A network's shapes, each hidden until it has been guessed."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Misfit
from ..ops import Shape
from ..quantities import readable
from ..report import Report, Row
from .answers import read_shape
from .kinds import kinds
from .layer_questions import Part, parts, true_shapes


def verdict(shape: Shape, guess: tuple[int, ...]) -> str:
    """An empty string for the right shape; otherwise what is wrong, without the number. Channels first."""
    if guess == shape:
        return ""
    if len(shape) == len(guess) == 1:
        return "that many numbers it does not give"
    if len(guess) != len(shape):
        axes = f"{len(shape)} size{'s' * (len(shape) != 1)}"
        return f"the output has {axes}: " + (
            "it is a vector"
            if len(shape) == 1
            else "as the input has"
            if len(shape) != 3
            else "height, width and channels"
        )
    if sorted(guess) == sorted(shape):
        return "the right sizes in another order: height × width × channels"
    channels, sizes = guess[0] == shape[0], guess[1:] == shape[1:]
    if channels and not sizes:
        return "the channels are right, height and width are not"
    if sizes and not channels:
        return "height and width are right, the channels are not"
    return "neither channels nor sizes"


def wrong_parts(row: Row, guess: tuple[int, ...]) -> list[Part]:
    """What is wrong in a guess, and the questions behind it."""
    graph = row.report.graph
    return parts(kinds(), graph, row.node, true_shapes(graph), guess)


def _work(row: Row, wrong: list[Part]) -> list[str]:
    """The work behind what is wrong: that of the sides where they are, that of the channels where only they are."""
    if wrong and all(part.axes == "channels" for part in wrong):
        return [f"  channels: {part.question.line}" for part in wrong if part.question is not None]
    return str(row.explain("shape")).split("\n")[1:]


def predict(report: Report, ask: Callable[[str], str | None], tell: Callable[[str], None]) -> tuple[int, int]:
    """Go through a network layer by layer; how many shapes were right at the first guess, and how many were asked."""
    right = asked = 0
    for row in report:
        if row.output_shape is None:
            continue
        given = ", ".join(readable(shape) for shape in row.input_shapes if shape is not None)
        told = ", ".join(f"{name} {value}" for name, value in stated(row))
        tell(f"{row.name}  {row.type}" + (f" ({told})" if told else "") + f": {given} → ?")
        shape = row.output_shape
        text, guess = _guess(ask, tell, shape)
        if text is None or text == "q":
            break
        asked += 1
        if guess is None:
            tell(f"  it was not guessed: {readable(shape)}")
        elif guess == shape:
            right += 1
            tell("  right")
            continue
        else:
            tell(f"  not right: {verdict(shape, guess)}")
        wrong = [] if guess is None else wrong_parts(row, guess)
        for line in (f"  {line}" for part in wrong for line in part.told):
            tell(line)
        for line in _work(row, wrong):
            tell(line)
    return right, asked


def _guess(
    ask: Callable[[str], str | None], tell: Callable[[str], None], shape: Shape
) -> tuple[str | None, Shape | None]:
    """What was typed, and the shape that it is; asked again until it is one, or a word that leads on."""
    while True:
        text = _word(ask("  > "))
        if text is None or text in ("q", "s"):
            return text, None
        try:
            return text, read_shape(text, shape)
        except Misfit as misfit:
            tell(f"  {misfit.cause}: {misfit.hint}; s shows it, q ends")


def _word(text: str | None) -> str | None:
    """An answer, with q and s as they are meant however they are written."""
    return {"q": "q", "quit": "q", "exit": "q", "s": "s", "skip": "s"}.get((text or "").lower(), text)


def stated(row: Row) -> list[tuple[str, object]]:
    """What the layer was told that decides its shape and its parameters."""
    names = (
        "out_channels",
        "out_features",
        "kernel_size",
        "stride",
        "padding",
        "dilation",
        "groups",
        "output_padding",
        "output_size",
        "ceil_mode",
    )
    found: list[tuple[str, object]] = []
    for name in names:
        value = getattr(row.layer.op, name, None)
        if name == "stride" and value is None:  # a pool steps by its window unless told otherwise
            value = getattr(row.layer.op, "kernel_size", None)
        value = value[0] if isinstance(value, tuple) and value and all(each == value[0] for each in value) else value
        if value not in (None, 0, False, ()) and not (name in ("stride", "dilation", "groups") and value == 1):
            found.append((name, value))
    return found + ([("bias", "false")] if getattr(row.layer.op, "bias", True) is False else [])
