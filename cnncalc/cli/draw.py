"""draw: figures for papers, slides and pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from ..errors import did_you_mean, usage_error
from ..figures.options import HEATS, Options
from ..figures.pictures import PICTURES, USUAL
from ..figures.pictures import picture as drawn
from ..files import write_file
from ..printable import printable
from ..report import analyse
from .commands import LOOK, command
from .options import Depth, Input, Set, Spec, memory_size, settings, shapes
from .output import complain, is_terminal, refuse_inputs, refuse_to_overwrite, say

Kinds = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KIND]...",
        help=f"What is drawn: {', '.join(PICTURES)}; several are several files.",
        show_default=False,
    ),
]
File = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="The figure: .svg, .pdf, .png, .html or .tex.", show_default=False
    ),
]
Heat = Annotated[
    str, typer.Option("--heat", metavar="FIGURE", help="Colour parts by params, macs or memory.", show_default=False)
]
Batch = Annotated[int, typer.Option("--batch", "-b", help="Of memory: the batch size.")]
Optimizer = Annotated[str, typer.Option("--optimizer", help="Of memory: how weights are updated.")]
Budget = Annotated[
    str, typer.Option("--budget", metavar="SIZE", help="Of memory: a line, as 16GiB.", show_default=False)
]
Layer = Annotated[
    str, typer.Option("--layer", metavar="NAME", help="Of conv and field: the layer.", show_default=False)
]
Given = Annotated[
    str,
    typer.Option(
        "--given", help="Of conv: numbers in place of a network, as 'N=7, F=3, S=2, P=1'.", show_default=False
    ),
]
Picture = Annotated[
    str,
    typer.Option("--picture", metavar="FILE", help="Of field: a JPEG or PNG as the input.", show_default=False),
]
Dark = Annotated[bool, typer.Option("--dark", help="For a dark page.")]
Width = Annotated[
    str, typer.Option("--width", metavar="LENGTH", help="How wide on paper: 170mm, 3.5in.", show_default=False)
]


@command(LOOK, "cnncalc draw resnet50 -o resnet50.svg", "cnncalc draw unet cost -o cost.pdf --width 170mm")
def draw(
    spec: Spec,
    kinds: Kinds = None,
    output: File = None,
    depth: Depth = None,
    heat: Heat = "",
    dark: Dark = False,
    width: Width = "",
    batch: Batch = 1,
    optimizer: Optimizer = "sgd",
    budget: Budget = "",
    layer: Layer = "",
    given: Given = "",
    picture: Picture = "",
    set_: Set = None,
    input_: Input = None,
) -> None:
    """A figure of a network: what feeds what, copies folded and blocks opened; its maps, its cost, its memory."""
    from ..figures.files import form_of, written

    wanted = kinds or [USUAL]
    for kind in wanted:
        if kind not in PICTURES:
            raise usage_error(
                f"there is no picture {kind}", did_you_mean(kind, PICTURES) or f"there are {', '.join(PICTURES)}"
            )
    if heat and heat not in HEATS:
        raise usage_error(f"parts are not coloured by {heat}", did_you_mean(heat, HEATS) or f"by {', '.join(HEATS)}")
    if (width and not re.fullmatch(r"\d{1,4}(\.\d{1,4})?(mm|cm|in|pt|px)", width)) or (
        width and float(width[:-2]) == 0
    ):
        raise usage_error(f"{width} is no width", "170mm, 17cm, 3.5in, 480pt or 640px")
    if output is None and (is_terminal() or len(wanted) > 1):
        raise usage_error(
            "a figure is a file", f"-o {Path(spec.partition(':')[0]).stem or 'figure'}.svg, .pdf, .png, .html or .tex"
        )
    form = form_of(output) if output else ".svg"
    options = Options(depth, HEATS.get(heat, ""), dark, width, memory_size(budget) if budget else 0, layer, picture)
    if given:
        if spec != "conv" or kinds:
            raise usage_error("--given is for a window alone", f"cnncalc draw conv --given '{given}'")
        from ..figures.pictures.conv import given as window
        from ..figures.pictures.conv import scene

        _write([("conv", written(scene(window(settings(given.split(","))), options), form, width))], output)
        return
    if picture and wanted != ["field"]:
        raise usage_error("--picture goes with field alone", f"cnncalc draw {spec} field --picture {picture}")
    refuse_to_overwrite(spec, output)
    refuse_inputs([picture] if picture else (), [output] if output else ())
    report = analyse(spec, args=settings(set_), inputs=shapes(input_), batch=batch, optimizer=optimizer)
    made = [(kind, written(drawn(report, kind, options), form, width)) for kind in wanted]
    _write(made, output)
    complain(report.warnings)
    if complain(report.graph.errors):
        raise typer.Exit(2)


def _write(made: list[tuple[str, bytes]], output: str | None) -> None:
    """Write each figure to a file, or the only one to standard output."""
    for kind, data in made:
        if output is None or output == "-":
            typer.get_binary_stream("stdout").write(data)
            continue
        path = Path(output) if len(made) == 1 else Path(output).with_stem(f"{Path(output).stem}-{kind}")
        write_file(path, data)
        say(printable(f"wrote {path}"))
