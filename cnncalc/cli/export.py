"""export: the network for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import did_you_mean, wrong_call
from ..spec.model import load
from . import app
from .options import Input, Set, Spec, settings, shapes
from .output import complain, emit_text, needs_torch, refuse_to_overwrite, say

TARGETS = ("torch", "onnx", "keras")

To = Annotated[
    str, typer.Option("--to", help="torch (the default) or keras for source code, onnx for a file.", show_default=False)
]
File = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False)
]
Weights = Annotated[
    str | None, typer.Option("--weights", metavar="FILE", help="With onnx: a file of weights.", show_default=False)
]


@app.command()
def export(
    spec: Spec,
    to: To = "",
    set_: Set = None,
    input_: Input = None,
    weights: Weights = None,
    output: File = None,
) -> None:
    """Write the network as readable PyTorch or Keras source, or as an ONNX file."""
    ending = Path(output or "").suffix
    to = to or ("onnx" if ending == ".onnx" else "torch")
    if to in TARGETS and (to == "onnx") != (ending == ".onnx") and ending in (".onnx", ".py"):
        raise wrong_call(f"--to {to} does not go with the ending of {output}", "source is .py, ONNX is .onnx")
    if to not in TARGETS:
        raise wrong_call(f"there is no target {to}", did_you_mean(to, TARGETS) or f"use {', '.join(TARGETS)}")
    if weights is not None and not weights.strip():
        raise wrong_call("--weights names no file", "is a variable empty? leave the option out, or name a file")
    if weights and to != "onnx":
        raise wrong_call("--weights goes with --to onnx", "source code holds no weights")
    refuse_to_overwrite(spec, output)
    graph = load(spec, args=settings(set_), inputs=shapes(input_))
    if to == "torch":
        from ..exporters.torch_source import torch_source

        emit_text(torch_source(graph), output)
    elif to == "keras":
        from ..exporters.keras_source import keras_source

        emit_text(keras_source(graph), output)
    else:
        if output is None or output == "-":
            raise wrong_call("ONNX is no text to print", "say where: --output net.onnx")
        needs_torch("export --to onnx")
        from ..pytorch.onnx import export_onnx

        export_onnx(graph, output, weights or "")
        say(f"wrote {output}")
    complain(graph.warnings)
