"""Memory that is not there."""

from __future__ import annotations

import re

from ...graph import Graph
from ...quantities import number, si
from .base import Answer, message

_TOLD = (
    "cnncalc memory SPEC --train --budget 8GiB tells the largest batch that fits",
    "a smaller batch with gradients that are accumulated, a smaller picture, or bfloat16 by autocast",
)


@message(r"CUDA out of memory\. Tried to allocate ([\d.]+ [KMG]iB)")
def cuda(match: re.Match[str], graph: Graph | None) -> Answer:
    reasons = [f"the next {match[1]} are no longer there: training keeps the results of all layers, for every picture"]
    if graph is not None:
        from ...report import analyse

        report = analyse(graph)
        peak = report.totals.peak_training_bytes
        if peak is not None:
            reasons.append(f"a training step of the spec takes {si(peak)}B for one picture, and in proportion for more")
    reasons.append(
        "or results are kept from step to step: total += loss keeps the graph, total += loss.item() does not"
    )
    return Answer(
        "the GPU's memory is full", tuple(reasons), ("with torch.no_grad(): where nothing is trained", *_TOLD)
    )


@message(
    r"can't allocate memory: you tried to allocate (\d+) bytes", r"not enough memory: you tried to allocate (\d+) bytes"
)
def processor(match: re.Match[str], graph: Graph | None) -> Answer:
    size = int(match[1])
    return Answer(
        f"a single tensor of {si(size)}B is asked for, and the computer has not so much memory",
        (
            f"{number(size // 4)} numbers of float32: is a size wrong, as a Linear layer behind a map that was not pooled?",
        ),
        ("print the shapes; cnncalc params SPEC shows which layer is that large", *_TOLD[1:]),
    )
