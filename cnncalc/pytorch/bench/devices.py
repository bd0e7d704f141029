"""What is different between processors and accelerators: is it there, wait for it, its clock, its memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch


class Unavailable(Exception):
    """A device that is not there, or cannot do what is asked: one sentence, and what there is instead."""


class Device:
    """The processor. Accelerators override what they do differently; `torch` is passed so that tests can fake it."""

    kind = "cpu"
    asynchronous = False

    def __init__(self, name: str, backend: Any = None) -> None:
        self.name, self.backend = name, backend
        self.torch_device = name

    def synchronize(self) -> None:
        """Wait until all work that was handed over is done."""

    def timer(self) -> Callable[[], Callable[[], float]]:
        """A start function, which returns a stop function, which returns the seconds that the device itself took."""

        def start() -> Callable[[], float]:
            begin = time.perf_counter_ns()
            return lambda: (time.perf_counter_ns() - begin) / 1e9

        return start

    def marks(self, count: int) -> Marks:
        """Clocks for the layers of one forward pass."""
        return Marks(count)

    def free_bytes(self) -> int:
        """Memory that a new process may take."""
        return free_memory()

    def reset_peak(self) -> None:
        """Forget the most that was allocated so far."""

    def peak_bytes(self) -> dict[str, int]:
        """The most that was allocated, as the device's allocator counts it; empty where it does not say."""
        return {}

    def limit(self, size: int) -> None:
        """Let allocations beyond so many bytes fail in this process instead of taking all there is."""
        try:
            import resource
        except ImportError:  # Windows has no such limit: there, what the search is told to keep to is not enforced
            return
        used = int((_read("/proc/self/statm") or "0").split()[0]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_AS, (used + size, resource.RLIM_INFINITY))

    def describe(self) -> dict[str, Any]:
        """What it is, for the record."""
        return {"device": self.name, "name": processor_name()}

    def state(self) -> dict[str, Any]:
        """Clocks, throttling and other processes, where they can be read."""
        return {}


class Marks:
    """Times at the borders of layers, taken without waiting for the device."""

    def __init__(self, count: int) -> None:
        self.times = [0] * count

    def functions(self) -> list[Callable[[], None]]:
        """One function for each border, which notes the time."""

        def noting(index: int) -> Callable[[], None]:
            def mark() -> None:
                self.times[index] = time.perf_counter_ns()

            return mark

        return [noting(index) for index in range(len(self.times))]

    def seconds(self) -> list[float]:
        """The time between neighbouring borders, after the device was waited for."""
        return [(after - before) / 1e9 for before, after in zip(self.times, self.times[1:], strict=False)]


class EventMarks(Marks):
    """The same with an accelerator's events."""

    def __init__(self, count: int, event: Callable[[], Any]) -> None:
        super().__init__(count)
        self.events = [event() for _ in range(count)]

    def functions(self) -> list[Callable[[], None]]:
        return [event.record for event in self.events]

    def seconds(self) -> list[float]:
        pairs = zip(self.events, self.events[1:], strict=False)
        return [before.elapsed_time(after) / 1e3 for before, after in pairs]


class Accelerator(Device):
    """What cuda, xpu and mps share: work runs on while the program goes on, and the device has a clock of its own."""

    asynchronous = True

    def synchronize(self) -> None:
        self.backend.synchronize()

    def event(self) -> Any:
        """An event that notes the device's time."""
        return self.backend.Event(enable_timing=True)

    def timer(self) -> Callable[[], Callable[[], float]]:
        def start() -> Callable[[], float]:
            begin, end = self.event(), self.event()
            begin.record()

            def stop() -> float:
                end.record()
                end.synchronize()
                return float(begin.elapsed_time(end)) / 1e3

            return stop

        return start

    def marks(self, count: int) -> Marks:
        return EventMarks(count, self.event)

    def free_bytes(self) -> int:
        free, _ = self.backend.mem_get_info()
        return int(free)

    def reset_peak(self) -> None:
        self.backend.reset_peak_memory_stats()

    def peak_bytes(self) -> dict[str, int]:
        return {
            "allocated": int(self.backend.max_memory_allocated()),
            "reserved": int(self.backend.max_memory_reserved()),
        }

    def limit(self, size: int) -> None:
        _, total = self.backend.mem_get_info()
        self.backend.set_per_process_memory_fraction(min(1.0, size / total))

    def describe(self) -> dict[str, Any]:
        return {"device": self.name, "name": self.backend.get_device_name()}


class Cuda(Accelerator):
    """NVIDIA's, and with ROCm AMD's."""

    kind = "cuda"

    def state(self) -> dict[str, Any]:
        """What nvidia-smi tells; empty where there is none."""
        fields = ("clocks.sm", "clocks.max.sm", "temperature.gpu", "power.draw", "clocks_throttle_reasons.active")
        index = self.name.partition(":")[2] or "0"
        command = ["nvidia-smi", f"--id={index}", f"--query-gpu={','.join(fields)}", "--format=csv,noheader,nounits"]
        found = _output(command)
        state: dict[str, Any] = dict(zip(fields, (word.strip() for word in found.split(",")), strict=False))
        apps = _output(["nvidia-smi", f"--id={index}", "--query-compute-apps=pid", "--format=csv,noheader"])
        pids = {int(word) for word in apps.split() if word.isdigit()}
        state["other_processes"] = len(pids - {os.getpid()})
        return state if found else {}


class Xpu(Accelerator):
    """Intel's."""

    kind = "xpu"


class Mps(Accelerator):
    """Apple's: no events before PyTorch 2.1, and memory that it shares with the processor."""

    kind = "mps"

    def event(self) -> Any:
        return self.backend.event.Event(enable_timing=True)

    def free_bytes(self) -> int:
        return int(self.backend.recommended_max_memory() - self.backend.driver_allocated_memory())

    def reset_peak(self) -> None:
        self.backend.empty_cache()

    def peak_bytes(self) -> dict[str, int]:
        # There is no peak: what is held after the call, its results still there.
        return {"allocated": int(self.backend.current_allocated_memory())}

    def limit(self, size: int) -> None:
        self.backend.set_per_process_memory_fraction(size / self.backend.recommended_max_memory())

    def describe(self) -> dict[str, Any]:
        return {"device": self.name, "name": f"{processor_name()} (Metal)"}


def choose(name: str, backends: Any = torch) -> Device:
    """The device of a name, "auto" for the best there is; raises `Unavailable`.

    >>> choose("cpu").kind
    'cpu'
    """
    kind, _, index = name.partition(":")
    there = available(backends)
    if kind == "auto":
        kind, index = there[0], ""
    if kind not in ("cpu", "cuda", "mps", "xpu"):
        raise Unavailable(f"there is no device {name}: here {_listed(there)}")
    if kind not in there:
        raise Unavailable(f"there is no {kind} here: this PyTorch ({_version(backends)}) finds {_listed(there)}")
    if kind == "cpu":
        if index not in ("", "0"):
            raise Unavailable(f"there is no device {name}: the processor is one device, cpu")
        return Device("cpu")
    backend = getattr(backends, kind)
    if kind == "mps":
        return Mps("mps", backend)
    number = int(index) if index.isdigit() else 0 if index == "" else -1
    count = int(backend.device_count())
    if not 0 <= number < count:
        names = ", ".join(f"{kind}:{i}" for i in range(count))
        raise Unavailable(f"there is no device {name}: here {names}")
    backend.set_device(number)
    return {"cuda": Cuda, "xpu": Xpu}[kind](f"{kind}:{number}", backend)


def available(backends: Any = torch) -> Sequence[str]:
    """The kinds of device that are there, the fastest first."""
    kinds = []
    for kind in ("cuda", "xpu"):
        backend = getattr(backends, kind, None)
        if backend is not None and backend.is_available():
            kinds.append(kind)
    mps = getattr(getattr(backends, "backends", None), "mps", None)
    if mps is not None and mps.is_available():
        kinds.append("mps")
    return (*kinds, "cpu")


def free_memory() -> int:
    """Bytes of main memory that can be had: what the system calls available, or less where a cgroup limits it."""
    free = []
    for line in _read("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            free.append(int(line.split()[1]) * 1024)
    limit, used = _read("/sys/fs/cgroup/memory.max").strip(), _read("/sys/fs/cgroup/memory.current").strip()
    if limit.isdigit() and used.isdigit():
        free.append(int(limit) - int(used))
    if not free and hasattr(os, "sysconf") and "SC_AVPHYS_PAGES" in os.sysconf_names:
        free.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(free) if free else 1 << 62


def processor_name() -> str:
    """The processor, as the system calls it."""
    import platform

    for line in _read("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _listed(kinds: Sequence[str]) -> str:
    return kinds[0] if len(kinds) == 1 else ", ".join(kinds[:-1]) + " and " + kinds[-1]


def _version(backends: Any) -> str:
    return str(getattr(backends, "__version__", "unknown"))


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
