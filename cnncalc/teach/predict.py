"""A network's shapes, each hidden until it has been guessed."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..ops import Shape, readable
from ..report import Report, Row
from .kinds import kinds
from .quiz import Question, diagnose, feedback


def guessed(text: str) -> tuple[int, ...] | None:
    """A shape as people type it, sizes in their order; None for what is none.

    >>> guessed("28x28x6"), guessed("6, 28, 28"), guessed("400"), guessed("big")
    ((28, 28, 6), (6, 28, 28), (400,), None)
    """
    if not re.fullmatch(r"\s*[\[(]?\s*\d{1,9}(\s*[x×X*, ]\s*\d{1,9}){0,3}\s*[\])]?\s*", text):
        return None
    return tuple(int(each) for each in re.findall(r"\d+", text))


def verdict(row: Row, guess: tuple[int, ...]) -> str:
    """An empty string for the right shape, channels first or last; otherwise what is wrong, without the number."""
    shape: Shape = row.output_shape or ()
    last = (*shape[1:], shape[0])
    if guess in (shape, last):
        return ""
    if len(guess) != len(shape):
        axes = f"{len(shape)} size{'s' * (len(shape) != 1)}"
        return f"the output has {axes}: " + ("it is a vector" if len(shape) == 1 else "height, width and channels")
    if sorted(guess) == sorted(shape):
        return "the right sizes in another order: height × width × channels"
    channels, sizes = guess[-1] == last[-1], guess[:-1] == last[:-1]
    if channels and not sizes:
        return "the channels are right, height and width are not"
    if sizes and not channels:
        return "height and width are right, the channels are not"
    return "neither channels nor sizes"


def slips(row: Row, guess: tuple[int, ...]) -> list[str]:
    """Which slips give the height that was guessed for a convolution."""
    op, shape = row.layer.op, row.output_shape or ()
    if row.type != "Conv2d" or op is None or len(guess) != 3:
        return []
    height = guess[1] if guess[0] == shape[0] else guess[0]
    entering = row.input_shapes[0] or ()
    sizes = {"F": op.kernel_size, "S": op.stride, "P": op.padding, "D": op.dilation}  # type: ignore[attr-defined]
    if (
        not all(isinstance(each, tuple) and len(set(each)) == 1 for each in sizes.values())
        or entering[1] != entering[2]
    ):
        return []
    letters = {key: each[0] for key, each in sizes.items()} | {"N": entering[1], "Ci": entering[0], "Co": shape[0]}
    question = Question(kinds()["size"], letters)
    return [] if height == shape[1] else feedback(question, diagnose(question, float(height)))


def predict(report: Report, ask: Callable[[str], str | None], tell: Callable[[str], None]) -> tuple[int, int]:
    """Go through a network layer by layer; how many shapes were right at the first guess, and how many were asked."""
    right = asked = 0
    for row in report:
        if row.output_shape is None:
            continue
        given = ", ".join(readable(shape) for shape in row.input_shapes if shape is not None)
        told = ", ".join(f"{name} {value}" for name, value in stated(row))
        tell(f"{row.name}  {row.type}" + (f" ({told})" if told else "") + f": {given} → ?")
        text = ask("  > ")
        while text and guessed(text) is None and text not in ("q", "s"):
            tell("  a shape, as in 28x28x6 or 400; s shows it, q ends")
            text = ask("  > ")
        if text is None or text == "q":
            break
        asked += 1
        wrong = "it was not guessed" if text == "s" else verdict(row, guessed(text) or ())
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


def stated(row: Row) -> list[tuple[str, object]]:
    """What the layer was told that decides its shape."""
    names = ("out_channels", "out_features", "kernel_size", "stride", "padding", "dilation", "output_size", "ceil_mode")
    found = []
    for name in names:
        value = getattr(row.layer.op, name, None)
        value = value[0] if isinstance(value, tuple) and value and all(each == value[0] for each in value) else value
        if value not in (None, 0, False, ()) and not (name in ("stride", "dilation") and value == 1):
            found.append((name, value))
    return found
