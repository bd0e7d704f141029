"""Every item is solved before a student sees it: what nobody can answer, or what the judge would not take, is found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from .forms import Item, Task, blanks_of, fulfils
from .marks import judge
from .worksheet import Worksheet, tasks

#: What is tried for the blanks of a layer that is to be found.
_TRIED: dict[str, Sequence[int]] = {
    "kernel_size": range(1, 16),
    "stride": range(1, 9),
    "padding": range(9),
    "output_padding": range(3),
    "scale_factor": range(1, 9),
    "upscale_factor": range(1, 9),
}
#: Layers that are tried at most.
MOST = 20_000


def solution(task: Task) -> Any:
    """An answer to an item, as somebody would type it who knows it; None where none is found."""
    if task.item.form == "inverse":
        return task.item.settings.get("example") or _layer(task.item)
    written = ["x".join(map(str, value)) if isinstance(value, tuple) else str(value) for value in task.right]
    if task.blanks == ((),):
        return written[0]
    answer: dict[str, Any] = {}
    for path, text in zip(task.blanks, written, strict=True):
        place = answer
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = text
    return answer


def _layer(item: Item) -> str | None:
    """A layer that does what is wanted, of the arguments that the sheet asks for."""
    for body in itertools.islice(_layers(item), MOST):
        if fulfils(item, body)[0]:
            return body
    return None


def _layers(item: Item) -> Iterator[str]:
    wants, entering = item.settings["wants"], item.settings["input"]
    shape = wants.get("shape", [])
    channels = sorted({*shape[:1], *shape[-1:], entering[0], *(() if shape else (2**power for power in range(11)))})
    names = blanks_of(item.what)
    tried = [_TRIED.get(name, range(1, 9) if name.endswith("size") else channels) for name in names]
    for values in itertools.product(*reversed(tried)):  # the window changes fastest but for the channels
        given = dict(zip(reversed(names), values, strict=True))
        if given.get("output_padding", 0) >= max(given.get("stride", 1), 2):
            continue
        yield f"{item.what}: {{{', '.join(f'{name}: {given[name]}' for name in names)}}}"


def unsolved(sheet: Worksheet, secret: bytes = b"check", student: str = "check") -> list[str]:
    """The items that cannot be solved: no answer is found, or the right one does not get all points."""
    given = tasks(sheet, secret, student)
    answers = {task.item.id: solution(task) for task in given}
    found = []
    for task, mark in zip(given, judge(sheet, given, student, answers).marks, strict=True):
        if answers[task.item.id] is None:
            blanks = ", ".join(blanks_of(task.item.what))
            found.append(f"item {task.item.id}: no layer of {blanks} was found that does it; give an example")
        elif mark.points < mark.most:
            told = f"{answers[task.item.id]} is right, and gets {mark.points:g} points: {mark.said[0]}"
            found.append(f"item {task.item.id}: {told}")
    return found
