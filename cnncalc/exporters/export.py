"""The network for other programs: source for PyTorch or Keras, or an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import Source, did_you_mean, usage_error
from ..files import write_file
from ..graph import Graph
from ..language.model import load

TARGETS = ("torch", "onnx", "keras")
#: The targets whose files end so.
ENDINGS = {".onnx": "onnx", ".py": "torch"}


def export(
    spec: str | Path | Source | Graph,
    to: str = "",
    path: str | Path | None = None,
    *,
    args: Mapping[str, Any] | None = None,
    inputs: Mapping[str, Any] | Sequence[int] | None = None,
    weights: str | Path | None = None,
    weights_key: str = "",
    opset: int = 0,
    modules: str = "",
) -> str | bytes:
    """The network as source code, "torch" or "keras", or as an ONNX model with weights of a file or fresh ones.

    `modules` is a Python file, which is run, with classes for the types that the spec declares.
    `weights_key` chooses among several sets of weights in that file, and `opset` is ONNX's set of operators. What is
    returned is also written to `path`, if one is given; its ending tells the target where `to` does not. Raises
    `SpecError` for what the target cannot express, and for ONNX where PyTorch is not installed.

    >>> str(export("lenet")).count("nn.Conv2d"), str(export("lenet", "keras")).count("layers.Conv2D")
    (2, 2)
    """
    to = target(to, path, weights)
    if opset and to != "onnx":
        raise usage_error("--opset goes with --to onnx", "source code has no operators of ONNX")
    graph = spec if isinstance(spec, Graph) else load(spec, args=args, inputs=inputs)
    made: str | bytes
    if modules and to != "torch":
        raise usage_error("--modules goes with --to torch", "classes of PyTorch are no layers of anything else")
    if to == "torch":
        from .torch_source import torch_source

        used: tuple[str, ...] = ()
        if modules:
            from ..pytorch.modules import with_modules

            graph, own = with_modules(graph, modules)
            used = tuple(own)
        made = torch_source(graph, Path(modules).stem, used)
    elif to == "keras":
        from .keras_source import keras_source

        made = keras_source(graph)
    else:
        if find_spec("torch") is None:
            raise usage_error("an ONNX file needs PyTorch, which is not installed", "pip install 'cnncalc[torch,onnx]'")
        from ..pytorch.onnx import onnx_model

        made = onnx_model(graph, str(weights or ""), weights_key=weights_key, opset=opset)
    if path is not None:
        write_file(Path(path), made)
    return made


def target(to: str, path: str | Path | None, weights: str | Path | None) -> str:
    """What is asked for, in words or by the ending of the file; raises `SpecError` for what does not go together."""
    ending = Path(path or "").suffix
    to = to or ("onnx" if ending == ".onnx" else "torch")
    if to not in TARGETS:
        raise usage_error(f"there is no target {to}", did_you_mean(to, TARGETS) or f"use {', '.join(TARGETS)}")
    if (to == "onnx") != (ending == ".onnx") and ending in ENDINGS:
        raise usage_error(f"--to {to} does not go with the ending of {path}", "source is .py, ONNX is .onnx")
    if weights is not None and not str(weights).strip():
        raise usage_error("--weights names no file", "is a variable empty? leave the option out, or name a file")
    if weights and to != "onnx":
        raise usage_error("--weights goes with --to onnx", "source code holds no weights")
    return to
