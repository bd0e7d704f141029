"""A model whose way depends on its data: as it runs for one input, with the lines that decided."""

from __future__ import annotations

import contextlib
import linecache
import os
import sys
from collections import Counter
from typing import Any

from .common import Depends, short
from .exported import arguments, export

#: How a program asks for what a tensor holds.
ASKS = ("__bool__", "__int__", "__float__", "__index__", "item")
#: Lines that are named.
MOST_SAID = 10
Place = tuple[str, int]


def followed(torch: Any, model: Any, tensors: dict[str, Any]) -> tuple[Any, list[str]]:
    """The model's operations, and what to say of decisions in it; raises `Refused`.

    Where data decides, the model is run, and the way is followed that it took, if the tensors have values at all.
    """
    try:
        return export(torch, model, tensors), []
    except Depends:
        if any(tensor.device.type == "meta" for tensor in tensors.values()):
            raise
        answers: dict[Place, list[Any]] = {}
        positional, named = arguments(model, tensors)

        def first(place: Place, answer: Any) -> Any:
            answers.setdefault(place, []).append(answer())
            return answers[place][-1]

        with torch.no_grad(), asked(torch, first):
            model(*positional, **named)
        times: Counter[Place] = Counter()

        def again(place: Place, answer: Any) -> Any:
            if place not in answers:
                return answer()
            times[place] += 1  # an export may run the model more than once
            return answers[place][(times[place] - 1) % len(answers[place])]

        with asked(torch, again):
            exported = export(torch, model, tensors)
    more = len(answers) - MOST_SAID
    return exported, [said(*place) for place in [*answers][:MOST_SAID]] + [f"and {more} more such lines"] * (more > 0)


@contextlib.contextmanager
def asked(torch: Any, answered: Any) -> Any:
    """Whenever a program asks what a tensor holds, let somebody answer who is told where, and how to find out."""
    own = {name: vars(torch.Tensor).get(name) for name in ASKS}  # None where it is inherited
    before = {name: getattr(torch.Tensor, name) for name in ASKS}
    library = os.path.dirname(torch.__file__) + os.sep

    def asking(name: str) -> Any:
        def method(tensor: Any) -> Any:
            caller = sys._getframe(1)
            if caller.f_code.co_filename.startswith(library):
                return before[name](tensor)
            return answered((caller.f_code.co_filename, caller.f_lineno), lambda: before[name](tensor))

        return method

    for name in ASKS:
        setattr(torch.Tensor, name, asking(name))
    try:
        yield
    finally:
        for name, method in own.items():
            if method is None:
                delattr(torch.Tensor, name)
            else:
                setattr(torch.Tensor, name, method)


def said(file: str, line: int) -> str:
    """What to say of a line that depends on the data."""
    place, text = f"{short(file)}:{line}", linecache.getline(file, line).strip()[:100]
    if text.startswith("assert"):
        return f"{place} asserts something of the data, which no layer does: {text}"
    return (
        f"{place} depends on the data, `{text}`: this is the way that random numbers took, and others may take another"
    )
