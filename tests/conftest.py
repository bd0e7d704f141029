"""What somebody runs who has just changed a formula: the modules whose tests are quick, and the core's own examples."""

from __future__ import annotations

import copy
import functools
import gc
import os
import sys
from pathlib import Path
from typing import Any

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # each process on a core of its own, and PyTorch no faster than that
    os.environ.setdefault("OMP_NUM_THREADS", "1")

gc.set_threshold(100_000)  # PyTorch alone has so many objects that looking for garbage takes a fifth of the time

#: What other processes load, and this one does not.
collect_ignore = ["brief_worker.py", "keras_models.py"]

#: Files whose tests need no PyTorch and take seconds together.
QUICK = {
    "test_figures", "test_formats", "test_formulas", "test_language", "test_memory", "test_published", "test_errors", "test_schema", "test_house",
}  # fmt: skip
SLOW = ("linters", "wheel", "heavy", "zoo_filters", "zoo.zoo")


#: What takes half a minute at a time: it comes first, so that no process is left alone with it at the end.
LONG = ("every_network_that_it_can_express", "random_layers_of_every_type", "OnTheProcessor", "linters")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not any(word in item.nodeid for word in LONG))
    for item in items:
        path = Path(str(item.fspath))
        core = "cnncalc" in path.parts and not {"pytorch", "teach", "tests"} & set(path.parts)
        if (path.stem in QUICK or core) and not any(word in item.name for word in SLOW):
            item.add_marker(pytest.mark.quick)


def pytest_runtest_setup() -> None:
    """What PyTorch does again and again, and what says nothing, is done once in a process, or not at all."""
    if "torch" in sys.modules:
        _draw_no_values_on_meta()
        _seed_what_is_there()
    _read_operators_once()


@functools.cache
def _draw_no_values_on_meta() -> None:
    """Weights that have no values are not initialised."""
    from torch.nn import init

    def quick(drawn: Any) -> Any:
        return functools.wraps(drawn)(
            lambda tensor, *how, **named: tensor if tensor.is_meta else drawn(tensor, *how, **named)
        )

    for name, drawn in vars(init).copy().items():
        if name.endswith("_") and not name.startswith("_") and callable(drawn):
            setattr(init, name, quick(drawn))


@functools.cache
def _seed_what_is_there() -> None:
    """For each device that is not there, PyTorch notes the whole stack of whoever seeds it."""
    import torch

    if not torch.cuda.is_available():
        torch.manual_seed = torch.default_generator.manual_seed


def _read_operators_once() -> None:
    """PyTorch's exporter reads the source of all its five hundred operators at each export."""
    exporter = sys.modules.get("torch.onnx._internal.exporter._registration")
    registry = getattr(exporter, "ONNXRegistry", None)
    read = getattr(registry, "from_torchlib", None)
    if read is None or not hasattr(read, "__func__"):
        return
    remembered = functools.lru_cache(read)

    def copied(*given: Any, **named: Any) -> Any:
        made = copy.copy(remembered(*given, **named))
        made.functions = {target: list(known) for target, known in made.functions.items()}
        return made

    registry.from_torchlib = staticmethod(copied)
