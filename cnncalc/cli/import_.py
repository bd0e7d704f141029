"""`cnncalc import`: a network that stands elsewhere becomes a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from ..errors import SpecError
from ..importing.keys import keys_of
from ..importing.process import TIMEOUT
from ..importing.target import Options, Outcome, bring_in
from ..quantities import number
from ..report import Report, analyse
from .commands import WRITE, command
from .options import Input, Set, settings, shapes
from .output import emit_text, refuse_to_overwrite, say

Target = Annotated[
    str,
    typer.Argument(
        help="file.py:Class or file.py:function, package.module:function, timm:NAME; "
        "net.pt2, net.onnx, net.keras, net.cfg, a YAML of Ultralytics.",
        show_default=False,
    ),
]
File = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the spec to a file.", show_default=False)
]
Flat = Annotated[bool, typer.Option("--flat", help="Layer by layer, without blocks and repeats.")]
Python = Annotated[
    str,
    typer.Option("--python", metavar="PATH", help="The interpreter that has the model's packages.", show_default=False),
]
Weights = Annotated[
    str, typer.Option("--weights", metavar="FILE", help="Compare outputs with these weights.", show_default=False)
]
Timeout = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long the program may take.")]
TrainGraph = Annotated[
    bool, typer.Option("--train-graph", help="What runs in training, with heads that evaluation leaves out.")
]
NoVerify = Annotated[bool, typer.Option("--no-verify", help="Do not run model and spec side by side.")]


@command(
    WRITE,
    "cnncalc import mymodel.py:Net --input 3x224x224 -o net.yaml",
    "cnncalc import timm:resnet50d -o resnet50d.yaml",
    name="import",
)
def import_(
    target: Target,
    input_: Input = None,
    set_: Set = None,
    flat: Flat = False,
    python: Python = "",
    weights: Weights = "",
    timeout: Timeout = TIMEOUT,
    train_graph: TrainGraph = False,
    no_verify: NoVerify = False,
    output: File = None,
) -> None:
    """Write a network that you have, a PyTorch program or a file, as a spec; say what was verified.

    A .py file and a package are run as programs: name only what you would run. Nothing else is executed.
    """
    refuse_to_overwrite(target, output)
    options = Options(python, timeout, not flat, train_graph, weights)
    outcome = bring_in(target, settings(set_), shapes(input_), options, not no_verify)
    emit_text(outcome.imported.text, output)
    report = analyse(outcome.imported.graph)
    for line in said(outcome, report, output):
        say(line)
    if failed(outcome, report):
        raise typer.Exit(1)


def said(outcome: Outcome, report: Report, output: str | None) -> Iterator[str]:
    """What was brought in, what was verified, and what was not understood."""
    made, totals = outcome.imported, report.totals
    lines = made.text.count("\n")
    name = output if output and output != "-" else outcome.target.name
    layers = counted(len(report.rows), "layer")
    size = f"{layers}, {totals.text('params')}, {totals.text('macs')}"
    yield f"{name}: {lines} lines, {size}{_keys(outcome)}"
    checks = outcome.checks
    if checks is not None and "failed" in checks:
        yield f"not verified: {checks['failed']}"
    elif checks is not None:
        yield "verified by running both: " + "; ".join(_checks(outcome, report))
    if made.declared:
        shown = "; ".join(f"{name}: {note}" for name, note in made.declared[:5]) + " …" * (len(made.declared) > 5)
        yield f"{len(made.declared)} of {layers} declared, not understood: {shown}"
    for note in made.notes:
        yield f"note: {note}"


def counted(count: int, what: str) -> str:
    """So many of something, in words.

    >>> counted(1, "key"), counted(2, "key")
    ('1 key', '2 keys')
    """
    return f"{count} {what}{'s' * (count != 1)}"


def _keys(outcome: Outcome) -> str:
    wanted = outcome.imported.keys
    if wanted is None:
        return ""
    own = keys_of(outcome.imported.graph)
    theirs = {name: shape for name, shape in wanted.items() if not name.endswith("num_batches_tracked")}
    if own == theirs:
        return f"; keys as in {outcome.target.name}'s state_dict"
    missing = [name for name in theirs if name not in own]
    if missing:
        parts = list(dict.fromkeys(name.partition(".")[0] for name in missing))
        shown = ", ".join(parts[:4]) + " …" * (len(parts) > 4)
        layers = outcome.imported.flat.layers if outcome.imported.flat else ()
        holds = any(each.figures and (each.figures["params"] or each.figures["buffers"]) for each in layers)
        if holds or any(name.partition(".")[0] in parts for name in own):
            why = ": what is declared has no names for its tensors" * holds
            return f"; {counted(len(missing), 'key')} of the state_dict not in it ({shown}){why}"
        tensors = counted(len(missing), "tensor")
        hint = "what runs in training alone comes with --train-graph"
        return f"; {tensors} of the state_dict in none of its layers ({shown}): {hint}"
    reshaped = [name for name in own if name in theirs and own[name] != theirs[name]]
    if not reshaped:
        return f"; {len(own) - len(theirs)} more keys than the state_dict" if len(own) > len(theirs) else ""
    more = " …" * (len(reshaped) > 3)
    return f"; keys as in the state_dict, {len(reshaped)} of another shape: {', '.join(reshaped[:3])}{more}"


def _checks(outcome: Outcome, report: Report) -> Iterator[str]:
    checks = outcome.checks or {}
    macs = report.totals.macs
    flops = checks["flops"]
    known = " that are known" * report.totals.text("macs").startswith("≥")
    yield f"FLOPs by PyTorch's counter are {number(flops)}, " + (
        f"2 × the MACs{known}" if flops == 2 * macs else f"not 2 × the {number(macs)}{known}"
    )
    if checks.get("unbuilt"):
        why = (
            "what is declared cannot be built" if outcome.imported.declared else f"PyTorch refuses: {checks['unbuilt']}"
        )
        yield f"outputs were not compared, since {why}"
    elif checks.get("strange"):
        yield f"outputs were not compared, since the model lacks {', '.join(checks['strange'][:3])}"
    elif checks["same"]:
        yield "outputs with the model's own weights are equal, bit for bit"
    elif checks.get("apart") is not None:
        yield f"outputs differ by {checks['apart']:.1e} of the largest value at most"
    else:
        yield "outputs differ in number or shape"


def failed(outcome: Outcome, report: Report) -> bool:
    """Whether running both showed that they are not the same network."""
    checks = outcome.checks or {}
    different = checks.get("same") is False and not (checks.get("apart") or 1) < 1e-4
    return bool(different)


__all__ = ["SpecError", "import_"]
