"""The process that does the work: it holds one network, and measures what it is told, line by line.

Commands come in as JSON, one a line; each is answered with one line. What PyTorch prints goes to the standard error.
"""

from __future__ import annotations

import base64
import gc
import io
import json
import os
import pickle
import sys
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

import torch

from ...graph import Graph
from ..allocations import peak_of
from ..storages import TensorMemory, own_tensors
from ..subject import Subject
from . import devices, layer_times, probe
from .devices import Device, Unavailable
from .plan import Configuration


class Worker:
    """Answers commands; each method is one."""

    def __init__(self) -> None:
        self.device: Device
        self.subject: Subject

    def start(self, graph: str, config: dict[str, Any]) -> dict[str, Any]:
        """Choose the device, and say what it is and how much is free."""
        self.graph: Graph = pickle.loads(base64.b64decode(graph))
        self.config = Configuration(**config)
        if self.config.threads:
            torch.set_num_threads(self.config.threads)
        self.device = devices.choose(self.config.device)
        if self.config.cuda_graph and self.device.kind != "cuda":
            raise Unavailable(f"--cuda-graph wants a CUDA device, not {self.device.name}")
        return {
            "device": self.device.describe(),
            "kind": self.device.kind,
            "free_bytes": self.device.free_bytes(),
            "threads": torch.get_num_threads(),
            "versions": {
                "python": sys.version.split()[0],
                "torch": str(torch.__version__),
                "cuda": torch.version.cuda,
                "cudnn": torch.backends.cudnn.version() if self.device.kind == "cuda" else None,
            },
            "flags": {
                "tf32": self.config.tf32,
                "cudnn_benchmark": torch.backends.cudnn.benchmark,
                "deterministic": torch.are_deterministic_algorithms_enabled(),
                "mkldnn": torch.backends.mkldnn.is_available(),
            },
        }

    def build(self) -> dict[str, Any]:
        """Make the network and its input."""
        if self.config.memory_limit:
            torch.ones(1 << 20).sum()  # the threads, which need memory of their own, are there before the limit is
            self.device.limit(self.config.memory_limit)
        begin = time.perf_counter()
        self.subject = Subject(self.graph, self.config, self.device)
        self.device.synchronize()
        return {"build_s": time.perf_counter() - begin}

    def cold(self) -> dict[str, Any]:
        """The first call, compilation and all; never mixed with the others."""
        self.device.reset_peak()
        begin = time.perf_counter()
        with self.subject.context():
            self.subject.call()
            self.device.synchronize()
            first = time.perf_counter() - begin
            peak = self.device.peak_bytes()
            if self.config.cuda_graph:
                self.subject.capture()
            if self.config.train:  # the optimizer makes its state in the first step
                for _ in range(2):
                    self.subject.call()
        self.device.synchronize()
        return {"first_s": first, "peak": peak}

    def latency(self, calls: int, seconds: float) -> dict[str, Any]:
        """Single calls, waited for: the time of each, and what the device took of it."""
        wall: list[int] = []
        device_s: list[float] = []
        call, wait, clock = self.subject.call, self.device.synchronize, time.perf_counter_ns
        start = self.device.timer()
        before = _usage()
        gc.collect()
        gc.disable()
        try:
            with self.subject.context():
                wait()
                end = clock() + int(seconds * 1e9)
                while len(wall) < calls or clock() < end:
                    if self.device.asynchronous:
                        begin = clock()
                        stop = start()
                        call()
                        device_s.append(stop())
                        wait()
                        wall.append(clock() - begin)
                    else:
                        begin = clock()
                        call()
                        wall.append(clock() - begin)
        finally:
            gc.enable()
        return {
            "seconds": [nanoseconds / 1e9 for nanoseconds in wall],
            "device_seconds": device_s,
            "usage": _difference(before),
        }

    def throughput(self, calls: int) -> dict[str, Any]:
        """A block of calls back to back, waited for once."""
        call, wait = self.subject.call, self.device.synchronize
        gc.collect()
        gc.disable()
        try:
            with self.subject.context():
                wait()
                begin = time.perf_counter_ns()
                for _ in range(calls):
                    call()
                wait()
                passed = (time.perf_counter_ns() - begin) / 1e9
        finally:
            gc.enable()
        return {"calls": calls, "seconds": passed}

    def memory(self) -> dict[str, Any]:
        """The peak of one call in the steady state: tensors, allocator, and the process."""
        sizes: dict[str, Any] = {}
        with suppress(ImportError):  # Windows does not tell it so
            resource = import_module("resource")
            sizes["process_bytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RSS_UNIT
        self.device.reset_peak()
        with self.subject.context():
            self.subject.call()
            self.device.synchronize()
        sizes |= self.device.peak_bytes()
        if not (self.config.compile or self.config.cuda_graph):
            given = [*self.subject.inputs, *self.subject.targets, *own_tensors(self.subject.net)]
            state = self.subject.optimizer.state.values() if self.subject.optimizer else ()
            kept = [value for values in state for value in values.values() if isinstance(value, torch.Tensor)]
            if self.subject.optimizer:
                self.subject.optimizer.zero_grad(set_to_none=True)
            with self.subject.context(), TensorMemory([*given, *kept]) as watched:
                self.subject.call()
            own = {id(each.untyped_storage()): each.untyped_storage().nbytes() for each in [*given, *kept]}
            sizes["tensor_bytes"] = watched.peak + sum(own.values())
            sizes["activation_bytes"] = watched.peak
            if self.device.kind == "cpu":
                with self.subject.context():
                    sizes["allocated"] = peak_of(self.subject.call) + sum(own.values())
        return sizes

    def layers(self, seconds: float) -> dict[str, Any]:
        """The time of each layer of the forward pass."""
        return layer_times.timed(self.subject, seconds)

    def probe(self, held: int) -> dict[str, Any]:
        """What this machine can do at best; `held` is how many bytes the network holds."""
        return probe.peaks(self.device, self.config.dtype, held)

    def reference(self) -> dict[str, Any]:
        """Times of fixed pieces of work, whatever the network: the machine's own changes are seen in them."""
        return probe.reference(self.device)

    def state(self) -> dict[str, Any]:
        """Clocks, throttling and company."""
        return self.device.state()


#: ru_maxrss is in KiB, on macOS in bytes.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


def _usage() -> tuple[float, float, int]:
    try:
        resource = import_module("resource")
    except ImportError:  # Windows does not tell of switches
        return time.perf_counter(), time.process_time(), 0
    own = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), own.ru_utime + own.ru_stime, own.ru_nivcsw


def _difference(before: tuple[float, float, int]) -> dict[str, float]:
    now = _usage()
    return {"wall_s": now[0] - before[0], "cpu_s": now[1] - before[1], "switches": now[2] - before[2]}


def failure(error: BaseException) -> dict[str, str]:
    """An error as one line, and of which kind it is."""
    text = " ".join(str(error).split("\n")[0].split())
    if isinstance(error, Unavailable):
        return {"kind": "unavailable", "message": text}
    lowered = str(error).lower()
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)) or any(
        words in lowered
        for words in (
            "out of memory",
            "can't allocate memory",
            "failed to allocate",
            "bad_alloc",
            "could not create a primitive",
        )
    ):
        return {"kind": "memory", "message": text}
    if isinstance(error, NotImplementedError) or "not implemented for" in lowered or "not support" in lowered:
        return {"kind": "unsupported", "message": text}
    if "more than 1 value per channel" in lowered:
        return {
            "kind": "failed",
            "message": "batch normalisation cannot train on one value for each channel: --batch 2",
        }
    return {"kind": "failed", "message": f"{type(error).__name__}: {text}" if text else type(error).__name__}


def serve(commands: io.TextIOBase, answers: io.TextIOBase) -> None:
    """Answer commands until there are no more."""
    worker = Worker()
    for line in commands:
        command = json.loads(line)
        try:
            answer = getattr(worker, command.pop("do"))(**command)
        except Exception as error:
            answer = {"error": failure(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def main() -> None:
    """Serve on the standard streams."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print does not mix with the answers
    serve(sys.stdin, answers)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
