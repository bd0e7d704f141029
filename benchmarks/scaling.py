"""Time and memory for 1,000 and for 100,000 layers from a `repeat`, in processes of their own, in turn."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

RUNS = 5
SPEC = (
    "input: [8, 32, 32]\nlayers:\n  - Conv2d: {{out_channels: 8, kernel_size: 3, padding: 1}}\n    repeat: {layers}\n"
)

ONE = """
import json, resource, sys, time
import cnncalc
from cnncalc.errors import Source
from cnncalc.formats import render
from cnncalc.answers.layers import view
cnncalc.analyse("lenet").totals.peak
start = time.perf_counter()
report = cnncalc.analyse(Source("net.yaml", sys.argv[1]))
figures = (report.totals.params, report.totals.macs, report.totals.depth, report.totals.peak.bytes)
seconds = time.perf_counter() - start
table = time.perf_counter()
render(view(report, "receptive-field"), "table")
table, document = time.perf_counter() - table, time.perf_counter()
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
render(view(report, "shapes"), "json")
document = time.perf_counter() - document
print(json.dumps({"seconds": seconds, "table": table, "json": document, "memory": memory, "params": figures[0]}))
"""


def run(layers: int) -> dict[str, float]:
    """One analysis with all totals and one table, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", ONE, SPEC.format(layers=layers)], capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    assert found["params"] == layers * (8 * 8 * 9 + 8)
    return found


#: Forward passes of ResNet-50 without data, of which one takes 36 ms where 5 s were asked for.
YARDSTICK = """
import time
import torch, cnncalc
net, image = cnncalc.build("resnet50", device="meta").eval(), torch.empty(1, 3, 224, 224, device="meta")
def seconds():
    start = time.perf_counter()
    net(image)
    return time.perf_counter() - start
with torch.no_grad():
    print(min(seconds() for _ in range(20)))
"""


def forward() -> float | None:
    """The seconds of such a pass on this machine, at best; None without PyTorch."""
    done = subprocess.run([sys.executable, "-c", YARDSTICK], capture_output=True, text=True, check=False)
    return float(done.stdout) if done.returncode == 0 else None


def main() -> int:
    """Print the figures; 1 where one is missed."""
    pairs, passes = [], []
    for _ in range(RUNS):
        pairs.append((run(1_000), run(100_000)))
        passes.append(forward())
    small = [a["seconds"] / 1_000 for a, _ in pairs]
    large = [b["seconds"] / 100_000 for _, b in pairs]
    whole = max(b["seconds"] + b["table"] for _, b in pairs)
    document = min(b["seconds"] + b["json"] for _, b in pairs)
    memory = max(b["memory"] for _, b in pairs)
    growth = statistics.median(b / a for a, b in zip(small, large, strict=True)) - 1
    print(f"  1,000 layers: {statistics.median(small) * 1e6:6.1f} µs a layer")
    print(f"100,000 layers: {statistics.median(large) * 1e6:6.1f} µs a layer, {growth:+.0%} (to reach: below +33 %)")
    print(
        f"100,000 layers with the table of receptive fields: {whole:.2f} s at most (to reach: 10), {memory:.0f} MiB (to reach: 1,024)"
    )
    print(f"100,000 layers as JSON, the figures of training included: {document:.2f} s at best (to reach: 5)")
    if known := [each for each in passes if each is not None]:
        print(
            f"that is {document / min(known):.0f} forward passes of ResNet-50 on the meta device, {min(known) * 1e3:.0f} ms each"
        )
    return int(growth > 1 / 3 or whole > 10 or memory > 1024 or document > 5)


if __name__ == "__main__":
    sys.exit(main())
