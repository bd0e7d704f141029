"""The whole process `cnncalc shapes resnet152` against the imports of its libraries alone, in turn, A B A B …

Compiled, as an installed package is; and at a first start, when the package has yet to be compiled.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cnncalc
from cnncalc.language.locate import zoo_folder

RUNS = 15
#: Ratios to reach: the best of all runs, and that of a first start.
COMPILED, FIRST = 1.35, 2.5
PROGRAM = str(Path(sys.executable).parent / "cnncalc")
OURS = [PROGRAM, "shapes", "resnet152"]
BASE = [sys.executable, "-c", "import typer, rich.table, yaml"]


def environment(**more: str) -> dict[str, str]:
    """The environment without what would have a checkout compiled anew in every run."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | more


def measured(command: list[str], env: dict[str, str]) -> tuple[float, float]:
    """Wall time in seconds and peak resident memory in MiB of one run of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def pairs(env: dict[str, str]) -> tuple[list[tuple[float, float]], list[float]]:
    """Both commands in turn: seconds and MiB of ours, seconds of the imports."""
    measured(OURS, env), measured(BASE, env)
    both = [(measured(OURS, env), measured(BASE, environment())) for _ in range(RUNS)]
    return [ours for ours, _ in both], [base[0] for _, base in both]


def main() -> int:
    """Print the figures; 1 where one is missed."""
    runs, base = pairs(environment())
    ours, memory = [seconds for seconds, _ in runs], max(size for _, size in runs)
    with tempfile.TemporaryDirectory() as copy:
        # A copy of the package without bytecode, and none is written: every start is the first one.
        shutil.copytree(cnncalc.__path__[0], f"{copy}/cnncalc", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(zoo_folder(), f"{copy}/architectures")
        first, first_base = pairs(environment(PYTHONPATH=copy, PYTHONDONTWRITEBYTECODE="1"))
    best, at_first = min(ours) / min(base), min(seconds for seconds, _ in first) / min(first_base)
    middle = statistics.median(a / b for a, b in zip(ours, base, strict=True))
    for name, times in (("cnncalc shapes resnet152", ours), ("import typer, rich.table, yaml", base)):
        print(f"{name:<31}{statistics.median(times) * 1e3:6.1f} ms median, {min(times) * 1e3:6.1f} ms minimum")
    print(f"ratio of the best of {RUNS} each: {best:.2f} (to reach: {COMPILED}); median of the pairs: {middle:.2f}")
    print(f"a first start, uncompiled:     {at_first:.2f} (to reach: {FIRST})")
    print(f"peak memory {memory:.1f} MiB (to reach: 45)")
    return int(best > COMPILED or at_first > FIRST or memory > 45)


if __name__ == "__main__":
    sys.exit(main())
