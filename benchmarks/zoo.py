"""The whole zoo in one process: every network analysed, with all tables."""

from __future__ import annotations

import statistics
import subprocess
import sys

RUNS = 5
MOST_S = 5.0

ONE = """
import time
from cnncalc.answers.zoo import all_entries
from cnncalc.answers.layers import QUESTIONS, view
from cnncalc.answers.summary import summary
start, networks, layers = time.perf_counter(), 0, 0
for entry in all_entries():
    networks += 1
    layers += len(entry.report.rows)
    summary(entry.report)
    for question in QUESTIONS:
        if "--train" not in question:
            view(entry.report, question)
print(networks, layers, time.perf_counter() - start)
"""


def main() -> None:
    """Print the time of each run and the median; exit with 1 where it is above the figure to reach."""
    times = []
    for _ in range(RUNS):
        done = subprocess.run([sys.executable, "-c", ONE], capture_output=True, text=True, check=True)
        networks, layers, seconds = done.stdout.split()
        times.append(float(seconds))
    middle = statistics.median(times)
    print(
        f"{networks} networks, {layers} layers: {middle:.2f} s ({min(times):.2f} to {max(times):.2f}), to reach: {MOST_S}"
    )
    sys.exit(middle > MOST_S)


if __name__ == "__main__":
    main()
