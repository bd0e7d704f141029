"""All that should be seen on a GPU, in one command of less than eight minutes.

Latency beside torch.utils.benchmark, throughput, the sums of the layers, the peak of memory predicted and allocated for
inference and training, the largest batch, and the tests that need a GPU. Writes the table into docs/benchmarks.md, says what
disagreed, and exits with 1 where something did. `--device cpu` tries the script itself, with small networks.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch.utils.benchmark import Timer

import cnncalc
from cnncalc.pytorch.bench.find_batch import find_batch
from cnncalc.pytorch.bench.plan import Configuration
from cnncalc.pytorch.bench.statistics import summary
from cnncalc.pytorch.build import build
from cnncalc.pytorch.subject import loss_of, optimizer_for, random_inputs, random_targets

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- cuda -->", "<!-- /cuda -->"
#: Seconds after which no further part is begun.
MOST_S = 420
#: How far a measurement may lie from what it is held against, as a share.
LATENCY, LAYERS, MEMORY, BATCH = 0.10, 0.15, 0.10, 0.15
#: What CUDA's libraries allocate for themselves, and no prediction of tensors holds.
WORKSPACE = 96 * 2**20


class Line(NamedTuple):
    """One figure: what was measured of what, beside what, and whether they agree."""

    what: str
    network: str
    ours: str
    other: str
    agrees: bool


def close(a: float, b: float, share: float, spared: float = 0.0) -> bool:
    """Whether two figures differ by no more than a share of the second, besides what is spared."""
    return abs(a - b) <= share * abs(b) + spared


def latency(name: str, batch: int, device: str) -> list[Line]:
    """The median of single calls beside torch.utils.benchmark's; throughput; and the layers' sum beside the whole."""
    found = cnncalc.measure(name, batches=(batch,), device=device, plan="quick", per_layer=True)[0]
    ours = summary(found["latency"]["seconds"]).median
    net = build(name).eval().to(device)
    x = random_inputs(cnncalc.load(name), batch, torch.float32, device)
    with torch.inference_mode():
        timer = Timer("net(*x)", globals={"net": net, "x": x}, num_threads=torch.get_num_threads())
        theirs = timer.blocked_autorange(min_run_time=1.0).median
    layers = sum(found["layers"]["layers"].values())
    whole = found["layers"]["whole_s"]
    rate = sorted(found["throughput"]["images_per_s"])[len(found["throughput"]["images_per_s"]) // 2]
    label = f"{name}, batch {batch}"
    return [
        Line(
            "latency, torch.utils.benchmark",
            label,
            f"{ours * 1e3:.3f} ms",
            f"{theirs * 1e3:.3f} ms",
            close(ours, theirs, LATENCY),
        ),
        Line(
            "throughput", label, f"{rate:,.0f} images/s", f"{batch / theirs:,.0f} images/s", rate > 0.8 * batch / theirs
        ),
        Line(
            "sum of the layers, whole pass",
            label,
            f"{layers * 1e3:.3f} ms",
            f"{whole * 1e3:.3f} ms",
            close(layers, whole, LAYERS),
        ),
    ]


def memory(name: str, batch: int, device: str, train: bool) -> Line:
    """The predicted peak beside the most that the allocator had given out."""
    kind = "cpu" if device == "cpu" else "cuda"
    report = cnncalc.analyse(name, batch=batch, optimizer="adam", device=kind)
    totals, step = report.totals, report.training
    predicted = totals.peak_training_bytes if train else totals.weight_bytes + step.inputs + totals.peak_inference_bytes
    what = "peak of training, adam" if train else "peak of inference"
    if device == "cpu":
        return Line(what, f"{name}, batch {batch}", f"{predicted / 2**20:,.1f} MiB", "no allocator to ask", True)
    graph = cnncalc.load(name)
    torch.cuda.empty_cache()
    net = build(graph, device=device)
    inputs = random_inputs(graph, batch, torch.float32, device)
    if train:
        targets, optimizer = random_targets(graph, batch, torch.float32, device), optimizer_for("adam", net)
        for turn in range(3):
            if turn == 2:
                torch.cuda.reset_peak_memory_stats()
            optimizer.zero_grad(set_to_none=True)
            loss_of(net(*inputs), targets).backward()
            optimizer.step()
    else:
        net.eval()
        with torch.inference_mode():
            net(*inputs)
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
            net(*inputs)
    torch.cuda.synchronize()
    allocated = torch.cuda.max_memory_allocated()
    agrees = close(predicted, allocated, MEMORY, WORKSPACE)
    return Line(
        what, f"{name}, batch {batch}", f"{predicted / 2**20:,.1f} MiB", f"{allocated / 2**20:,.1f} MiB", agrees
    )


def largest(name: str, device: str, limit: int) -> Line:
    """The largest batch that fits in training, predicted and tried."""
    found = find_batch(cnncalc.load(name), Configuration(device=device, train=True, memory_limit=limit))
    within = f"{name}, training in {limit / 2**30:g} GiB"
    agrees = found.batch > 0 and close(found.predicted, found.batch, BATCH)
    return Line("largest batch", within, f"{found.predicted:,} predicted", f"{found.batch:,} fitted", agrees)


def tests() -> Line:
    """The tests that need a GPU."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "gpu",
        "tests/test_bench.py",
        "tests/test_run.py",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or [done.stderr.strip()[-80:]])[-1]
    return Line("tests marked gpu", "", re.sub(r" in [\d.]+s.*", "", last).strip("= "), "", done.returncode in (0, 5))


def main() -> int:
    """Measure part by part; print and write the table; 1 where something disagreed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    asked = parser.parse_args()
    device, small = asked.device, asked.device == "cpu"
    if not small and not torch.cuda.is_available():
        print("there is no CUDA here; --device cpu tries the script itself", file=sys.stderr)
        return 2
    timed = (
        [("lenet", 1)]
        if small
        else [("lenet", 1), ("resnet50", 1), ("resnet50", 32), ("mobilenet_v2", 32), ("vgg16", 8)]
    )
    held = (
        [("lenet", 8)]
        if small
        else [("resnet50", 32), ("vgg16", 16), ("densenet121", 32), ("efficientnet_b0", 32), ("unet", 2)]
    )
    parts: list[Callable[[], list[Line]]] = [
        *(lambda name=name, batch=batch: latency(name, batch, device) for name, batch in timed),
        *(lambda name=name, batch=batch: [memory(name, batch, device, train) for train in (False, True)] for name, batch in held),
        lambda: [tests()],
        lambda: [largest("lenet" if small else "resnet50", device, (1 if small else 8) * 2**30)],
    ]  # fmt: skip
    lines: list[Line] = []
    begin = time.monotonic()
    for number, part in enumerate(parts):
        if time.monotonic() - begin > MOST_S:
            print(f"{len(parts) - number} parts are left out: the time is over", file=sys.stderr)
            break
        try:
            lines += part()
        except Exception as error:  # what one part cannot do does not stop the others
            lines.append(Line(f"part {number + 1}", "", f"{type(error).__name__}: {error}"[:80], "", False))
        print(*lines[-1], sep=" | ", flush=True)
    text = table(lines, device)
    print(f"\n{text}")
    if not small and not asked.no_write:
        write(text)
    wrong = [line for line in lines if not line.agrees]
    for line in wrong:
        print(f"DISAGREES: {line.what}, {line.network}: {line.ours} against {line.other}")
    return int(bool(wrong))


def table(lines: list[Line], device: str) -> str:
    """The figures as a table of Markdown, with what they were measured on."""
    where: Any = torch.cuda.get_device_name() if device != "cpu" else "a processor"
    rows = [
        f"| {line.what} | {line.network} | {line.ours} | {line.other} | {'yes' if line.agrees else 'NO'} |"
        for line in lines
    ]
    head = f"On {where}, torch {torch.__version__}, by `python benchmarks/cuda.py`:"
    return "\n".join(
        [head, "", "| what | network | cnncalc | beside it | agrees |", "| --- | --- | --- | --- | --- |", *rows]
    )


def write(text: str) -> None:
    """Put the table into the page, in place of the one before."""
    page = PAGE.read_text("utf-8")
    block = f"{BEGIN}\n{text}\n{END}"
    found = re.search(f"{re.escape(BEGIN)}.*?{re.escape(END)}", page, re.DOTALL)
    page = page.replace(found[0], block) if found else f"{page.rstrip()}\n\n## On a GPU\n\n{block}\n"
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
