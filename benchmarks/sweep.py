"""Design spaces: candidates a second, beside a loop over the calculator and beside rules written by hand, in one run."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from random import Random
from typing import Any

from cnncalc import SpecError, analyse
from cnncalc.spaces.api import Chosen
from cnncalc.spaces.plan import Plan
from cnncalc.spaces.run import Run, processes
from cnncalc.spaces.space import Space

#: Candidates of a run, repetitions, and candidates of the loop.
DRAWN, RUNS, LOOPED = 2_000_000, 3, 60
NUMBERS, PEAK = ("params", "macs", "activation_bytes"), ("params", "macs", "activation_bytes", "peak_inference_bytes")
WHERE = ("params <= 60M and macs <= 20G",)
#: Families with what is turned: numbers alone.
SPACES: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "resnet50": {"width_per_group": range(8, 257), "input": range(64, 513), "classes": range(10, 2001)},
    "mobilenet_v2": {"width": [x / 100 for x in range(20, 301)], "input": range(64, 513), "classes": range(10, 2001)},
    "efficientnet_b0": {"width": [x / 20 for x in range(10, 41)], "input": range(64, 513), "classes": range(10, 2001)},
    "regnet_y_400mf": {"widths[3]": range(200, 601, 8), "input": range(64, 513), "classes": range(10, 2001)},
    "unet": {"width": range(4, 129), "input": range(188, 1020), "classes": range(1, 100)},
}
#: The same with structure: depths.
STRUCTURES: Mapping[str, Mapping[str, Sequence[Any]]] = {
    "resnet50": {"depths[1]": range(2, 7), "depths[2]": range(2, 10), **SPACES["resnet50"]},
    "mobilenet_v2": {"width": [x / 100 for x in range(20, 301)], "input": range(64, 513)},
    "regnet_y_400mf": {"depths[2]": range(4, 12), **SPACES["regnet_y_400mf"]},
}


def median(run: Callable[[], float]) -> float:
    """The median of some runs, in seconds."""
    return statistics.median(run() for _ in range(RUNS))


def swept(name: str, over: Mapping[str, Sequence[Any]], columns: Sequence[str]) -> float:
    """Seconds for a sample of a space: drawing, figures and conditions, with what is learnt on the way."""
    begun = time.perf_counter()
    for _ in Chosen(Space(name, over, alone=True), columns, WHERE, sample=DRAWN, seed=1):
        pass
    return time.perf_counter() - begun


def looped(name: str, over: Mapping[str, Sequence[Any]]) -> float:
    """Seconds a candidate in a loop over the calculator."""
    space, rng = Space(name, over, alone=True), Random(1)
    begun = time.perf_counter()
    for _ in range(LOOPED):
        with suppress(SpecError):  # of the space of U-Net, whose copies must fit
            analyse(space.graph(space.values(rng.randrange(space.size)))).totals.macs  # noqa: B018
    return (time.perf_counter() - begun) / LOOPED


def shared_out(jobs: int) -> float:
    """Seconds for a whole space of 3·10⁸ settings in so many processes, from nothing to what is shown."""
    over = {"width": [x / 200 for x in range(40, 541)], "input": range(96, 601), "classes": range(2, 1262)}
    plan = Plan.of("mobilenet_v2", over, columns=NUMBERS, where=("params <= 5M and macs <= 600M",))
    begun = time.perf_counter()
    with processes(jobs) as (submit, ahead):
        for _ in Run(plan).go(submit, ahead):
            pass
    return time.perf_counter() - begun


def rules(w: int, n: int, classes: int) -> tuple[int, int]:
    """ResNet-50's parameters and MACs by rules that somebody wrote for this network alone."""
    params, side, before = 3 * 64 * 49 + 128, (n + 1) // 2, 64
    macs = 3 * 64 * 49 * side * side
    side = (side + 1) // 2
    for stage, depth in enumerate((3, 4, 6, 3)):
        width, out = (64 << stage) * w // 64, 256 << stage
        for block in range(depth):
            into, entering = side, side
            if not block and stage:
                into = (side + 1) // 2
            params += before * width + 9 * width * width + width * out + 4 * width + 2 * out
            macs += before * width * entering * entering + (9 * width * width + width * out) * into * into
            if not block:
                params += before * out + 2 * out
                macs += before * out * into * into
            before, side = out, into
    return params + 2048 * classes + classes, macs + 2048 * classes


def by_hand(count: int) -> float:
    """Seconds a candidate by these rules."""
    for w, n, classes in ((64, 224, 1000), (72, 161, 10)):
        totals = analyse("resnet50", args={"width_per_group": w, "classes": classes}, inputs=(3, n, n)).totals
        assert rules(w, n, classes) == (totals.params, totals.macs), "they are those of the network"
    begun = time.perf_counter()
    for i in range(count):
        rules(8 + i % 249, 64 + i % 449, 10 + i % 1991)
    return (time.perf_counter() - begun) / count


def main() -> None:
    """Print a table in Markdown; exit with 1 where a figure that is to be reached is not."""
    good = True
    print("| network | turned | figures | candidates a second | in a loop over `analyse` | ratio |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for title, spaces, columns, least in (
        ("numbers", SPACES, NUMBERS, 1e6),
        ("numbers", SPACES, PEAK, 3e5),
        ("structure, too", STRUCTURES, NUMBERS, 1e5),
    ):
        for name, over in spaces.items():
            rate = DRAWN / median(lambda name=name, over=over, columns=columns: swept(name, over, columns))
            alone = 1 / median(lambda name=name, over=over: looped(name, over))
            good &= rate >= least
            told = f"{len(columns)}, to reach {least:,.0f}"
            print(
                f"| {name} | {title}: {', '.join(over)} | {told} | {rate:,.0f} | {alone:,.0f} | {rate / alone:,.0f} |",
                flush=True,
            )
    print(
        f"\nResNet-50 by rules written by hand for it alone, in Python: {1 / by_hand(20_000):,.0f} candidates a second"
    )
    one, two = shared_out(1), shared_out(2)
    print(f"319 million settings of MobileNetV2: {one:.1f} s in one process, {two:.1f} s in two, {one / two:.2f} times")
    sys.exit(not good)


if __name__ == "__main__":
    main()
