"""What is measured, and for how long."""

from __future__ import annotations

from typing import Any

from ...analysis.regime import OPTIMIZERS
from ...errors import did_you_mean, usage_error
from ...record import Record


class Plan(Record):
    """When there is enough: seconds, calls, and how narrow the interval of the median must be.

    All of it is shared out among so many fresh `processes`, one after the other: the same program runs differently fast
    in each, for reasons that none of them can see.
    """

    name: str
    precision: float
    least_calls: int
    least_s: float
    most_s: float
    warm_least_s: float
    warm_most_s: float
    blocks: int
    block_s: float
    processes: int = 1


PLANS = {
    "quick": Plan("quick", 0.05, 16, 0.5, 5.0, 0.2, 5.0, 3, 0.2),
    "standard": Plan("standard", 0.01, 64, 2.0, 30.0, 0.5, 30.0, 5, 0.5, 4),
    # enough calls for the 99th percentile
    "rigorous": Plan("rigorous", 0.005, 662, 5.0, 120.0, 2.0, 60.0, 5, 2.0, 4),
}

DTYPES = ("float32", "float16", "bfloat16", "amp")
DEVICES = ("cpu", "cuda", "mps", "xpu", "auto")
COMPILE_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


class Configuration(Record):
    """One thing to measure. `device` may carry an index, as in cuda:1."""

    batch: int = 1
    device: str = "cpu"
    dtype: str = "float32"
    tf32: bool = False
    channels_last: bool = False
    compile: str = ""
    cuda_graph: bool = False
    threads: int = 0
    train: bool = False
    optimizer: str = "sgd"
    per_layer: bool = False
    fold_bn: bool = False
    plan: str = "standard"
    seed: int = 0
    memory_limit: int = 0  # bytes, for the search of the largest batch; 0 for none
    modules: str = ""  # a Python file, which is run, with classes for the types that a spec declares

    @property
    def kind(self) -> str:
        """The kind of device, without an index."""
        return self.device.partition(":")[0]

    def options(self) -> dict[str, Any]:
        """What differs from the defaults: how the configuration is called."""
        defaults = Configuration()._asdict()
        return {key: value for key, value in self._asdict().items() if value != defaults[key]}


def checked(config: Configuration) -> None:
    """Raise `SpecError` for options that do not exist or do not go together."""
    for what, value, known in (
        ("device", config.kind, DEVICES),
        ("dtype", config.dtype, DTYPES),
        ("optimizer", config.optimizer, OPTIMIZERS),
        ("mode of compilation", config.compile or "default", COMPILE_MODES),
    ):
        if value not in known:
            raise usage_error(f"there is no {what} {value}", did_you_mean(value, known) or f"use {', '.join(known)}")
    if not 0 <= config.threads <= 1024:
        raise usage_error(f"--threads {config.threads} makes no sense", "use 1 to 1024, or 0 as PyTorch chooses")
    if config.tf32 and config.kind == "cpu":
        raise usage_error("--tf32 is a format of CUDA devices", "leave it out, or choose --device cuda")
    if config.train and (config.cuda_graph or config.per_layer or config.fold_bn):
        raise usage_error("--cuda-graph, --per-layer and --fold-bn are for inference", "leave out --train")
    if config.per_layer and (config.compile or config.cuda_graph):
        raise usage_error("--per-layer times the layers one by one, which a compiled network no longer has")
    if config.compile and config.cuda_graph:
        raise usage_error("--compile and --cuda-graph exclude each other", "--compile reduce-overhead uses CUDA graphs")
