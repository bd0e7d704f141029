"""What a machine can do at best, measured in a second or two: a product of matrices, and a copy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

from .devices import Device
from .statistics import median

PROBE_S = 0.4


def peaks(device: Device, dtype: str) -> dict[str, float]:
    """FLOP/s of a large product of matrices, and bytes/s of a large copy (read and written), the best of several.

    A processor may multiply float32 faster than a narrower type; then that is the limit.
    """
    from ..subject import TORCH_DTYPES, autocast_dtype

    kind = autocast_dtype(device.kind) if dtype == "amp" else TORCH_DTYPES[dtype]
    size, values = (1024, 1 << 24) if device.kind == "cpu" else (8192, 1 << 28)
    kinds = {kind, torch.float32} if device.kind == "cpu" else {kind}
    products = []
    source = torch.empty(values, device=device.torch_device).fill_(1.0)
    target = torch.empty_like(source)
    with torch.inference_mode():
        for each in kinds:
            a = torch.randn(size, size, device=device.torch_device).to(each)
            b, out = torch.randn(size, size, device=device.torch_device).to(each), torch.empty_like(a)
            products.append(_best(device, lambda a=a, b=b, out=out: torch.mm(a, b, out=out)))  # type: ignore[misc]
        copy = _best(device, lambda: target.copy_(source))
    return {"flops": 2 * size**3 / min(products), "bytes_per_s": 2 * 4 * values / copy}


def _best(device: Device, work: Callable[[], Any]) -> float:
    for _ in range(3):
        work()
    device.synchronize()
    fastest, end = float("inf"), time.perf_counter() + PROBE_S
    while time.perf_counter() < end:
        begin = time.perf_counter()
        work()
        device.synchronize()
        fastest = min(fastest, time.perf_counter() - begin)
    return fastest


def beat() -> float:
    """The median time of a fixed piece of work on one core of the processor."""
    times, values = [], list(range(20_000))
    for _ in range(15):
        begin = time.perf_counter()
        sum(value * value for value in values)
        times.append(time.perf_counter() - begin)
    return median(times)
