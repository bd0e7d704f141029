"""Benchmarks from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import Source
from ...graph import Graph
from ...language.model import load
from .plan import Configuration
from .protocol import Progress, Task, bench

Spec = str | Path | Source | Graph


def measure(
    *specs: Spec,
    batches: Sequence[int] = (1,),
    progress: Progress = lambda text, share: None,
    retry: int = 0,
    **options: Any,
) -> list[dict[str, Any]]:
    """Latency, throughput and memory of networks, which take turns at each batch; one result for each, as JSON has it.

    `options` are those of `Configuration`: device, dtype, threads, train, per_layer, compile, plan ("quick", "standard"
    or "rigorous") … What something disturbed is measured again up to `retry` times, with all that took turns with it.
    `progress` is told what is being done, and the share that is done. A failure is in the result, as
    `error`; an interruption leaves what was measured so far.
    """
    graphs = [spec if isinstance(spec, Graph) else load(spec) for spec in specs]
    results: list[dict[str, Any]] = []
    for batch in batches:

        def noted(text: str, share: float, batch: int = batch) -> None:
            progress(f"batch {batch}: {text}", share)

        config = Configuration(**{**options, "batch": batch})
        tasks = [Task(graph, config) for graph in graphs]
        found = bench(tasks, noted)
        for attempt in range(2, retry + 2):
            if not any(result.get("clean") is False for result in found):
                break
            again = bench(tasks, noted)
            if any(result.get("interrupted") for result in again):
                found = [result | {"interrupted": True} for result in found]
                break
            found = [result | {"attempt": attempt} for result in again]
        results += found
        if any(result.get("interrupted") for result in results):
            break
    return results
