"""What is exported as PyTorch's source, as the class that it defines."""

from __future__ import annotations

from typing import Any

from cnncalc.exporters.torch_source import torch_source
from cnncalc.graph import Graph


def written(graph: Graph) -> Any:
    """The class that the exported source defines for the network itself: the last one."""
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(torch_source(graph), "exported.py", "exec"), names)
    return [each for each in names.values() if isinstance(each, type) and each.__module__ == "exported"][-1]
