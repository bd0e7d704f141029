"""The whole process `cnncalc shapes resnet152` against the imports of its libraries alone, in turn, A B A B …"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 15
PROGRAM = str(Path(sys.executable).parent / "cnncalc")
OURS = [PROGRAM, "shapes", "resnet152"]
BASE = [sys.executable, "-c", "import typer, rich.table, yaml"]


def measured(command: list[str]) -> tuple[float, float]:
    """Wall time in seconds and peak resident memory in MiB of one run of a command."""
    # Installed packages have compiled bytecode; without this a checkout would be compiled anew in every run.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def main() -> int:
    """Print the figures; 1 where one is missed."""
    measured(OURS), measured(BASE)
    pairs = [(measured(OURS), measured(BASE)) for _ in range(RUNS)]
    ours, base = [a[0] for a, _ in pairs], [b[0] for _, b in pairs]
    ratio = statistics.median(a / b for a, b in zip(ours, base, strict=True))
    memory = max(a[1] for a, _ in pairs)
    floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"cnncalc shapes resnet152      {statistics.median(ours) * 1000:7.1f} ms median, {min(ours) * 1000:7.1f} ms minimum"
    )
    print(
        f"import typer, rich.table, yaml{statistics.median(base) * 1000:7.1f} ms median, {min(base) * 1000:7.1f} ms minimum"
    )
    print(f"ratio {ratio:.2f} (median of {RUNS} pairs; to reach: 2)")
    print(f"peak memory {memory:.1f} MiB (to reach: 45; this script itself: {floor:.1f})")
    return int(ratio > 2 or memory > 45)


if __name__ == "__main__":
    sys.exit(main())
