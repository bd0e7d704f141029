"""The machine around a measurement: what it is, and what disturbed it."""

from __future__ import annotations

import os
import platform
import time
from typing import Any

from ...record import Record


class Moment(Record):
    """Counters of the whole machine at one moment: seconds."""

    at: float
    busy_s: float  # of all cores together
    stalled_s: float  # during which somebody waited for a core


def moment() -> Moment:
    """The counters now; zero where the system has none."""
    return Moment(time.perf_counter(), _busy(), _stalled())


def _busy() -> float:
    line = _read("/proc/stat").partition("\n")[0].split()
    if len(line) < 9:
        return 0.0
    ticks = [int(each) for each in line[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # all but idle and waiting for a disk


def _stalled() -> float:
    for field in _read("/proc/pressure/cpu").partition("\n")[0].split():
        if field.startswith("total="):
            return int(field[6:]) / 1e6
    return 0.0


def machine() -> dict[str, Any]:
    """The machine, for the record."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
    }


class Disturbance(Record):
    """What is compared to tell whether a measurement was left in peace."""

    before: Moment
    after: Moment
    own_cpu_s: float  # processor time of the worker in between
    usage: list[dict[str, float]]  # of each stretch of timed calls
    beats: tuple[float, float]  # seconds of a fixed piece of work, at the start and at the end
    states: tuple[dict[str, Any], dict[str, Any]]
    on_cpu: bool


def disturbances(seen: Disturbance) -> list[str]:
    """What was unclean, one sentence each."""
    reasons = []
    passed = max(seen.after.at - seen.before.at, 1e-9)
    others = (seen.after.busy_s - seen.before.busy_s - seen.own_cpu_s) / passed
    if others > 0.25:
        reasons.append(f"other processes used {others:.1f} cores")
    stalled = (seen.after.stalled_s - seen.before.stalled_s) / passed
    if stalled > 0.1:
        reasons.append(f"for {stalled:.0%} of the time something waited for a core")
    wall = sum(use["wall_s"] for use in seen.usage)
    if wall:
        rate = sum(use["switches"] for use in seen.usage) / wall
        if rate > 100:
            reasons.append(f"the process was interrupted {rate:.0f} times a second")
        share = sum(use["cpu_s"] for use in seen.usage) / wall
        if seen.on_cpu and share < 0.9:
            reasons.append(f"the process got only {share:.0%} of one core")
    first, last = seen.beats
    if first and abs(last / first - 1) > 0.1:
        change = "longer" if last > first else "shorter"
        reasons.append(f"a fixed piece of work took {abs(last / first - 1):.0%} {change} at the end than at the start")
    reasons += [text for state in seen.states[1:] for text in _accelerator(state)]
    return reasons


def _accelerator(state: dict[str, Any]) -> list[str]:
    reasons = []
    if state.get("other_processes"):
        reasons.append(f"{state['other_processes']} other processes used the GPU")
    try:
        throttled = int(state.get("clocks_throttle_reasons.active", "0x0"), 16) & ~0x1  # bit 0: nothing to do
    except ValueError:
        throttled = 0
    if throttled:
        reasons.append(f"the GPU's clock was held down (reasons 0x{throttled:x})")
    return reasons


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
