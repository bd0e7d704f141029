"""Benchmarks from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...errors import Source
from ...graph import Graph
from ...language.model import load
from .plan import Configuration
from .protocol import Task, bench

Spec = str | Path | Source | Graph


def measure(*specs: Spec, batches: Sequence[int] = (1,), **options: Any) -> list[dict[str, Any]]:
    """Latency, throughput and memory of networks, which take turns at each batch; one result for each, as JSON has it.

    `options` are those of `Configuration`: device, dtype, threads, train, per_layer, compile, plan ("quick", "standard"
    or "rigorous") … A failure is in the result, as `error`.
    """
    graphs = [each if isinstance(each, Graph) else load(each) for each in specs]
    found: list[dict[str, Any]] = []
    for batch in batches:
        found += bench([Task(graph, Configuration(batch=batch, **options)) for graph in graphs])
    return found
