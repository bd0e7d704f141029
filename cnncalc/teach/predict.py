"""A network's shapes, each hidden until it has been guessed."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..ops import Shape
from ..quantities import readable
from ..report import Report, Row
from .kinds import kinds
from .layer_questions import channels_first, parts, true_shapes


def guessed(text: str) -> tuple[int, ...] | None:
    """A shape as people type it, sizes in their order; None for what is none.

    >>> guessed("28x28x6"), guessed("6, 28, 28"), guessed("400"), guessed("big")
    ((28, 28, 6), (6, 28, 28), (400,), None)
    """
    if not re.fullmatch(r"\s*[\[(]?\s*\d{1,9}(\s*[x×X*, ]\s*\d{1,9}){0,3}\s*[\])]?\s*", text):
        return None
    return tuple(int(number) for number in re.findall(r"\d+", text))


def verdict(shape: Shape, guess: tuple[int, ...]) -> str:
    """An empty string for the right shape, channels first or last; otherwise what is wrong, without the number."""
    if channels_first(guess, shape) == shape:
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
    first = channels_first(guess, shape)
    channels, sizes = first[0] == shape[0], first[1:] == shape[1:]
    if channels and not sizes:
        return "the channels are right, height and width are not"
    if sizes and not channels:
        return "height and width are right, the channels are not"
    return "neither channels nor sizes"


def slips(row: Row, guess: tuple[int, ...]) -> list[str]:
    """Which slips give what was guessed."""
    graph, right = row.report.graph, row.output_shape or ()
    wrong = parts(kinds(), graph, row.node, true_shapes(graph), channels_first(guess, right))
    return [line for part in wrong for line in part.told]


def predict(report: Report, ask: Callable[[str], str | None], tell: Callable[[str], None]) -> tuple[int, int]:
    """Go through a network layer by layer; how many shapes were right at the first guess, and how many were asked."""
    right = asked = 0
    for row in report:
        if row.output_shape is None:
            continue
        given = ", ".join(readable(shape) for shape in row.input_shapes if shape is not None)
        told = ", ".join(f"{name} {value}" for name, value in stated(row))
        tell(f"{row.name}  {row.type}" + (f" ({told})" if told else "") + f": {given} → ?")
        text = _word(ask("  > "))
        while text is not None and guessed(text) is None and text not in ("q", "s"):
            tell("  a shape, as in 28x28x6 or 400; s shows it, q ends")
            text = _word(ask("  > "))
        if text is None or text == "q":
            break
        asked += 1
        wrong = "it was not guessed" if text == "s" else verdict(row.output_shape, guessed(text) or ())
        if wrong:
            tell(f"  {wrong}: {readable(row.output_shape)}" if text == "s" else f"  not right: {wrong}")
            for reason in [] if text == "s" else slips(row, guessed(text) or ()):
                tell(f"  {reason}")
            for line in str(row.explain("shape")).split("\n")[1:]:
                tell(line)
        else:
            right += 1
            tell("  right")
    return right, asked


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
