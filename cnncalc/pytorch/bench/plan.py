"""What is measured, and for how long."""

from __future__ import annotations

from typing import Any, NamedTuple


class Plan(NamedTuple):
    """When there is enough: seconds, calls, and how narrow the interval of the median must be."""

    name: str
    precision: float
    least_calls: int
    least_s: float
    most_s: float
    warm_least_s: float
    warm_most_s: float
    blocks: int
    block_s: float


PLANS = {
    "quick": Plan("quick", 0.05, 16, 0.5, 5.0, 0.2, 5.0, 3, 0.2),
    "standard": Plan("standard", 0.01, 64, 2.0, 30.0, 0.5, 30.0, 5, 0.5),
    # enough calls for the 99th percentile
    "rigorous": Plan("rigorous", 0.005, 662, 5.0, 120.0, 2.0, 60.0, 5, 2.0),
}

DTYPES = ("float32", "float16", "bfloat16", "amp")
DEVICES = ("cpu", "cuda", "mps", "xpu", "auto")
COMPILE_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


class Configuration(NamedTuple):
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

    @property
    def kind(self) -> str:
        """The kind of device, without an index."""
        return self.device.partition(":")[0]

    def options(self) -> dict[str, Any]:
        """What differs from the defaults: how the configuration is called."""
        defaults = Configuration()._asdict()
        return {key: value for key, value in self._asdict().items() if value != defaults[key]}
