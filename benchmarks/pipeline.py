"""How often a pipeline is told something wrong: real runs of a network, paired at random, some of them made slower.

    python benchmarks/pipeline.py [SPEC] [--runs 24] [--plan standard] [--record FILE]

Each run is one of `cnncalc bench`, in quiet and beside a busy neighbour, in turn. A pair is two of them; that something
got slower is played by multiplying all times of the second. The verdicts are those of `--baseline FILE --fail-above 5%`, or
what is said.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnncalc.pytorch.bench.api import measure
from cnncalc.pytorch.bench.compare import disturbed, pairs
from cnncalc.pytorch.bench.outcome import judged
from cnncalc.pytorch.bench.plan import PLANS, Configuration
from cnncalc.pytorch.bench.statistics import summary

PAIRS = 200
CHANGES = (0.0, 0.03, 0.1, 0.3, 1.0)
#: A neighbour that works in bursts, as others' jobs do: up to two seconds of work, up to four of rest.
NEIGHBOUR = """
import random, time
while True:
    end = time.time() + random.uniform(0, 2)
    while time.time() < end:
        sum(range(10_000))
    time.sleep(random.uniform(0, 4))
"""


@contextmanager
def neighbours(count: int) -> Iterator[None]:
    """So many processes that keep a core busy each, now and then."""
    busy = [subprocess.Popen([sys.executable, "-c", NEIGHBOUR]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def record(spec: str, runs: int, plan: str, retry: int, path: Path | None) -> dict[str, list[dict[str, Any]]]:
    """Runs in quiet, and after every other one a run beside a busy neighbour; kept in a file as they come."""
    found: dict[str, list[dict[str, Any]]] = {"quiet": [], "busy": []}
    for number in range(runs):
        for kind, count in (("quiet", 0), ("busy", max(1, (os.cpu_count() or 2) // 2)))[: 1 + number % 2]:
            with neighbours(count):
                (result,) = measure(spec, plan=plan, retry=retry)
            found[kind].append(result)
            if path:
                path.write_text(json.dumps(found))
            times, reasons = summary(result["latency"]["seconds"]), disturbed(result)
            print(f"{kind} {number + 1}: {times.median * 1e3:.3f} ms ± {100 * times.precision:.1f} %, {reasons or 'clean'}",
                  file=sys.stderr)  # fmt: skip
    return found


def played(spread: float, runs: int, seed: int) -> list[dict[str, Any]]:
    """Runs of a machine whose processes differ by so much (one standard deviation, a share), and calls by 1 %."""
    rng, found = random.Random(seed), []
    for _ in range(runs):
        speeds = [5e-3 * rng.lognormvariate(0, spread) for _ in range(PLANS["standard"].processes)]
        times = [speed * max(0.5, rng.gauss(1, 0.01)) for speed in speeds for _ in range(100)]
        latency = {"seconds": times, "device_seconds": [], "calls_by_process": [100] * len(speeds)}
        config = Configuration()._asdict()
        found.append({"network": "played", "variant": "", "config": config, "latency": latency, "clean": True})
    return found


def slowed(result: dict[str, Any], change: float) -> dict[str, Any]:
    """A run of a network that is slower by a share."""
    times = [time * (1 + change) for time in result["latency"]["seconds"]]
    return {**result, "latency": {**result["latency"], "seconds": times}}


def verdicts(
    before: list[dict[str, Any]], after: list[dict[str, Any]], change: float, allowed: float, seed: int
) -> Counter[str]:
    """What `PAIRS` pairs of different runs are told."""
    rng, told = random.Random(seed), Counter[str]()
    for _ in range(PAIRS):
        first, second = rng.choice(before), rng.choice(after)
        while first is second:
            second = rng.choice(after)
        if disturbed(first):
            told["baseline refused"] += 1
            continue
        code = judged(pairs([first], [slowed(second, change)]), allowed, False).code
        told[{0: "passed", 1: "slower", 3: "inconclusive"}[code]] += 1
    return told


def main() -> None:
    """Record, or read what was recorded, and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spec", nargs="?", default="resnet20")
    parser.add_argument("--runs", type=int, default=24)
    parser.add_argument("--plan", default="standard")
    parser.add_argument("--retry", type=int, default=0)
    parser.add_argument("--fail-above", type=float, default=5.0, help="per cent")
    parser.add_argument(
        "--spread", type=float, default=0.0, help="play a machine whose processes differ by so many per cent"
    )
    parser.add_argument("--record", type=Path, help="where the runs are kept, and read from if they are there")
    options = parser.parse_args()
    if options.spread:
        runs = {"quiet": played(options.spread / 100, options.runs, 0), "busy": []}
    elif options.record and options.record.exists():
        runs = json.loads(options.record.read_text())
    else:
        runs = record(options.spec, options.runs, options.plan, options.retry, options.record)
    print(f"{options.spec}, {options.plan}: {PAIRS} pairs a line, --fail-above {options.fail_above:g}%")
    print(f"{'baseline → run':18}{'change':>8}{'slower':>9}{'passed':>9}{'inconclusive':>14}{'refused':>9}")
    for first, second in (("quiet", "quiet"), ("quiet", "busy"), ("busy", "quiet"), ("busy", "busy")):
        for change in CHANGES if runs[first] and runs[second] else ():
            told = verdicts(runs[first], runs[second], change, options.fail_above / 100, seed=int(100 * change))
            shares = [told[key] / PAIRS for key in ("slower", "passed", "inconclusive", "baseline refused")]
            print(
                f"{first + ' → ' + second:18}{change:>+8.0%}{shares[0]:>9.1%}{shares[1]:>9.1%}{shares[2]:>14.1%}{shares[3]:>9.1%}"
            )


if __name__ == "__main__":
    main()
