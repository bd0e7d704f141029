"""What can be said of a file that holds weights and no network."""

from __future__ import annotations

from importlib.util import find_spec
from math import prod
from pathlib import Path

from ..errors import SpecError, usage_error
from ..language.locate import zoo_names
from ..language.model import load
from .keys import keys_of


def said_of_weights(path: Path) -> SpecError:
    """The error for a file of weights: how many they are, and which network of the zoo they fit."""
    if find_spec("torch") is None:
        message = "it holds weights, and no network"
        return usage_error(message, "import the class that makes it: net.py:Net", where=str(path), code="import")
    from ..pytorch.weights import read_weights

    weights = {name: tuple(tensor.shape) for name, tensor in read_weights(str(path)).items()}
    kept = {name: shape for name, shape in weights.items() if not name.endswith("num_batches_tracked")}
    count = sum(prod(shape) for shape in kept.values())
    first = ", ".join(f"{name} {'×'.join(map(str, shape)) or 'one number'}" for name, shape in list(kept.items())[:3])
    message = f"it holds {len(kept):,} tensors with {count:,} values ({first} …), and no network"
    fits = fitting(kept)
    hint = (
        f"its keys and shapes are those of {fits} in the zoo: cnncalc run {fits} --weights {path.name}"
        if fits
        else ("import the class that makes the network (net.py:Net), or save it with torch.export.save")
    )
    return usage_error(message, hint, where=str(path), code="import")


def fitting(weights: dict[str, tuple[int, ...]]) -> str:
    """The first network of the zoo with these keys and shapes; an empty string where there is none."""
    for name in zoo_names():
        try:
            if keys_of(load(name)) == weights:
                return name
        except SpecError:
            continue
    return ""
