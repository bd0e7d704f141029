"""export: the network for other programs."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import usage_error
from ..language.model import load
from .commands import PYTORCH, command
from .options import Input, Modules, Set, Spec, settings, shapes
from .output import complain, emit_text, needs_torch, refuse_to_overwrite, say

To = Annotated[
    str, typer.Option("--to", help="torch (the default) or keras for source code, onnx for a file.", show_default=False)
]
File = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="The file to write.", show_default=False)
]
Weights = Annotated[
    str | None, typer.Option("--weights", metavar="FILE", help="With onnx: a file of weights.", show_default=False)
]

WeightsKey = Annotated[
    str,
    typer.Option(
        "--weights-key", metavar="KEY", help="Which set of weights, where the file holds several.", show_default=False
    ),
]

Opset = Annotated[
    int, typer.Option("--opset", metavar="N", help="With onnx: the set of operators, 13 or later.", show_default=False)
]


@command(PYTORCH, "cnncalc export resnet50 -o resnet50.py", "cnncalc export unet --to onnx -o unet.onnx")
def export(
    spec: Spec,
    to: To = "",
    set_: Set = None,
    input_: Input = None,
    weights: Weights = None,
    weights_key: WeightsKey = "",
    opset: Opset = 0,
    modules: Modules = "",
    output: File = None,
) -> None:
    """Write the network as readable PyTorch or Keras source, or as an ONNX file."""
    from ..exporters.export import export as exported
    from ..exporters.export import target

    kind = target(to, output, weights)
    if weights_key and not weights:
        raise usage_error("--weights-key goes with --weights")
    refuse_to_overwrite(spec, output)
    if kind == "onnx":
        if output is None or output == "-":
            raise usage_error("ONNX is no text to print", "say where: --output net.onnx")
        needs_torch("export --to onnx")
    graph = load(spec, args=settings(set_), inputs=shapes(input_))
    if kind == "onnx":
        exported(graph, kind, output, weights=weights, weights_key=weights_key, opset=opset, modules=modules)
        say(f"wrote {output}")
    else:
        if modules:
            needs_torch("--modules")
        emit_text(str(exported(graph, kind, opset=opset, modules=modules)), output)
    complain(graph.warnings)
