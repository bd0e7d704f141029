"""One function for both kinds of source."""

from __future__ import annotations

from pathlib import Path

from ..errors import Source, did_you_mean, wrong_call
from ..graph import Graph
from ..spec.model import load
from .keras_source import keras_source
from .torch_source import torch_source

WRITERS = {"torch": torch_source, "keras": keras_source}


def export(spec: str | Path | Source | Graph, to: str = "torch") -> str:
    """The network as source code, "torch" or "keras"; raises `SpecError` for what the framework does not have.

    >>> export("lenet").count("nn.Conv2d"), export("lenet", "keras").count("layers.Conv2D")
    (2, 2)
    """
    if to not in WRITERS:
        raise wrong_call(f"there is no source {to}", did_you_mean(to, WRITERS) or f"use {', '.join(WRITERS)}")
    return WRITERS[to](spec if isinstance(spec, Graph) else load(spec))
