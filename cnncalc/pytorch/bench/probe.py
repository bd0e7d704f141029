"""What a machine can do at best, measured in a second or two: convolutions, a product of matrices, and a copy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import torch

from .devices import Device

#: Seconds for each piece of work that is tried.
PROBE_S = 0.12
#: Bytes of the copies: no smaller than what a call of the allocator costs, no larger than what shows the memory.
LEAST_COPY, MOST_COPY = 1 << 16, 1 << 28

#: The convolutions that are tried: batch, channels and size of the map, kernel.
CONVOLUTIONS = ((8, 64, 56, 3), (8, 256, 14, 3), (8, 256, 28, 1))


def peaks(device: Device, dtype: str, held: int) -> dict[str, Any]:
    """The best that is seen here: FLOP/s of convolutions and products, and bytes/s of a copy, read and written.

    `held` is what the network holds: a copy of so many bytes shows whether they lie in a cache. A processor may
    multiply float32 faster than a narrower type; then that is the best, and where it does so ten times as fast, no
    convolution of the narrower type is tried.
    """
    from ..subject import TORCH_DTYPES, autocast_dtype

    kind = autocast_dtype(device.kind) if dtype == "amp" else TORCH_DTYPES[dtype]
    kinds = {kind, torch.float32} if device.kind == "cpu" else {kind}
    values = min(max(held, LEAST_COPY), MOST_COPY) // 8
    source = torch.empty(values, device=device.torch_device).fill_(1.0)
    target = torch.empty_like(source)
    with torch.inference_mode():
        copy = _best(device, lambda: target.copy_(source))
        rates: dict[str, float] = {}
        for each in sorted(kinds, key=lambda each: each != torch.float32):
            for name, rate in _rates(device, each):
                rates[name] = rate
                if 10 * rate < max(rates.values()) and "product" in name:
                    break
    best = max(rates, key=lambda name: rates[name])
    return {
        "flops": rates[best],
        "flops_by": best,
        "rates": rates,
        "bytes_per_s": 2 * 4 * values / copy,
        "copied_bytes": 4 * values,
    }


def _rates(device: Device, dtype: torch.dtype) -> Iterator[tuple[str, float]]:
    """FLOP/s by what they are reached with."""
    from torch.nn.functional import conv2d

    name, larger = str(dtype).removeprefix("torch."), device.kind != "cpu"
    size = 8192 if larger else 1024
    a, b = (torch.randn(size, size, device=device.torch_device).to(dtype) for _ in range(2))
    out = torch.empty_like(a)
    yield (
        f"a product of matrices of {size}×{size}, {name}",
        2 * size**3 / _best(device, lambda: torch.mm(a, b, out=out)),
    )
    for few, channels, size, kernel in CONVOLUTIONS:
        batch = 32 * few if larger else few
        for layout in (torch.contiguous_format, torch.channels_last):
            x = torch.randn(batch, channels, size, size, device=device.torch_device)
            x = x.to(dtype, memory_format=layout)  # type: ignore[call-overload]
            w = torch.randn(channels, channels, kernel, kernel, device=device.torch_device)
            w = w.to(dtype, memory_format=layout)  # type: ignore[call-overload]
            seconds = _best(device, lambda x=x, w=w, kernel=kernel: conv2d(x, w, padding=kernel // 2))  # type: ignore[misc]
            laid = ", channels last" if layout is torch.channels_last else ""
            rate = 2 * batch * (channels * size * kernel) ** 2 / seconds
            yield f"a {kernel}×{kernel} convolution of {channels} maps of {size}×{size}, {name}{laid}", rate


def _best(device: Device, work: Callable[[], Any]) -> float:
    """Seconds of the fastest call once two have warmed up; of one that takes half a second, the first tells enough."""

    def timed() -> float:
        begin = time.perf_counter()
        work()
        device.synchronize()
        return time.perf_counter() - begin

    device.synchronize()
    if (first := timed()) > 4 * PROBE_S:
        return first
    fastest, end = timed(), time.perf_counter() + PROBE_S
    while time.perf_counter() < end:
        fastest = min(fastest, timed())
    return fastest


def _interpreted(times: int) -> list[float]:
    values, found = list(range(20_000)), []
    for _ in range(times):
        begin = time.perf_counter()
        sum(value * value for value in values)
        found.append(time.perf_counter() - begin)
    return found


def reference(device: Device) -> dict[str, list[float]]:
    """Seconds of fixed pieces of work: a convolution on the device, and a loop of the interpreter.

    What they need is made and given back, so that it stands in no peak of memory.
    """
    from torch.nn.functional import conv2d

    with torch.inference_mode():
        source = torch.ones(1, 64, 56, 56, device=device.torch_device)
        weight = torch.ones(64, 64, 3, 3, device=device.torch_device)
        convolved = []
        for _ in range(6):
            device.synchronize()
            begin = time.perf_counter()
            conv2d(source, weight, padding=1)
            device.synchronize()
            convolved.append(time.perf_counter() - begin)
    return {"convolution_s": convolved[1:], "interpreter_s": _interpreted(5)}
