"""Allocations where they happen: what the processor's allocator gives out and takes back, layer by layer.

A watcher of operations sees tensors. A library may copy them into a layout of its own, and give the copies back before
the operation returns: the allocator knows of these, and PyTorch's profiler tells what it did.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, fx
from torch.autograd.profiler import profile, record_function  # torch.profiler loads two seconds' worth of others

from ..record import Record
from .bench.devices import Device

#: What stands before a layer's name among the profiler's events.
_MARK = "cnncalc layer "


class Allocated(Record):
    """What was allocated in one forward pass, in bytes, beside what was there before it.

    `peak` is the most at one moment, `layer` the layer at which, and `inside` for each layer the most that it took
    while it ran, its output included.
    """

    peak: int
    layer: str
    inside: dict[str, int]


class _Marked(fx.Interpreter):
    """Runs the nodes one by one, each under the name of its layer."""

    def run_node(self, node: fx.Node) -> Any:
        with record_function(_MARK + node.meta.get("layer", "")):
            return super().run_node(node)


def allocated(net: fx.GraphModule, inputs: Sequence[Tensor]) -> Allocated:
    """What a forward pass on the processor allocates; raises what PyTorch raises where it cannot run.

    Libraries choose how they work by the number of threads: it is measured with as many as there are.
    """
    with torch.inference_mode():
        net(*inputs)  # what is made once, by the first call, is not counted
        events = _watched(lambda: _Marked(net).run(*inputs))
    live = peak = inside = 0
    at, now, most = "", "", dict[str, int]()
    for _, size, layer in events:
        if layer != now:
            now, inside = layer, 0
        live, inside = live + size, inside + size
        if layer and inside > most.get(layer, 0):
            most[layer] = inside
        if live > peak:
            peak, at = live, layer
    return Allocated(peak, at, most)


def allocated_by(device: Device, net: fx.GraphModule, inputs: Sequence[Tensor]) -> Allocated | None:
    """What a device's allocator gives out in a forward pass; None where it does not tell."""
    if device.kind == "cpu":
        return allocated(net, inputs)
    with torch.inference_mode():
        net(*inputs)
        device.synchronize()
        device.reset_peak()
        held = device.peak_bytes().get("allocated", 0)  # nothing ran since: it is what there is
        net(*inputs)
        device.synchronize()
    peak = device.peak_bytes().get("allocated")
    return None if peak is None else Allocated(peak - held, "", {})


def peak_of(call: Callable[[], Any]) -> int:
    """The most bytes that a call allocates on the processor at one moment, beside what was there before it."""
    return max(accumulate((size for _, size, _ in _watched(call)), initial=0))


def _watched(call: Callable[[], Any]) -> list[tuple[int, int, str]]:
    """The allocations of a call, in order of time."""
    with _quiet(), profile(profile_memory=True, use_kineto=True) as seen:
        out = call()
    del out
    assert seen.kineto_results is not None
    return sorted(_events(seen.kineto_results.experimental_event_tree(), ""), key=lambda event: event[0])


def _events(nodes: Sequence[Any], layer: str) -> Iterator[tuple[int, int, str]]:
    """Time, bytes (given back: negative) and layer of each allocation."""
    for node in nodes:
        inner = node.name.removeprefix(_MARK) if node.name.startswith(_MARK) else layer
        if node.tag.name == "Allocation":
            yield node.start_time_ns, node.extra_fields.alloc_size, layer
        yield from _events(node.children, inner)


@contextmanager
def _quiet() -> Iterator[None]:
    """What the profiler says of its own starting and stopping is not for the user."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
