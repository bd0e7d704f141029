"""cnncalc against its peers, each on ResNet-50: what a whole process costs, what a count costs, and what each one says.

    pip install -e '.[torch,peers]' && python benchmarks/peers.py

The peers get the network as PyTorch source that cnncalc has exported, so that all count the same modules. Everything takes
turns in one run. What is not installed is left out.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

RUNS = 5
SPEC = "resnet50"
PROGRAM = str(Path(sys.executable).parent / "cnncalc")

#: What a person writes to get a number from each tool; `net` and `x` are there.
COUNTS = {
    "torchinfo": "import torchinfo; s = torchinfo.summary(net, input_data=x, verbose=0); found = s.total_params, s.total_mult_adds",
    "fvcore": "from fvcore.nn import FlopCountAnalysis; a = FlopCountAnalysis(net, x); a.unsupported_ops_warnings(False); found = sum(p.numel() for p in net.parameters()), int(a.total())",
    "ptflops": "from ptflops import get_model_complexity_info as g; m, p = g(net, (3, 224, 224), as_strings=False, print_per_layer_stat=False, verbose=False); found = int(p), int(m)",
    "thop": "from thop import profile; m, p = profile(net, inputs=(x,), verbose=False); found = int(p), int(m)",
    "FlopCounterMode": "from torch.utils.flop_counter import FlopCounterMode as F\nc = F(display=False)\nwith c: net(x)\nfound = sum(p.numel() for p in net.parameters()), c.get_total_flops() // 2",
}
HEAD = "import warnings; warnings.simplefilter('ignore')\nimport torch, sys; sys.path.insert(0, {folder!r})\nfrom exported import ResNet50\nnet = ResNet50().eval(); x = torch.zeros(1, 3, 224, 224)\n"


def installed(tool: str) -> bool:
    return tool == "FlopCounterMode" or find_spec(tool) is not None


def process(command: list[str]) -> tuple[float, float, str]:
    """Seconds, peak MiB and output of a whole process."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryFile("w+") as out:
        start = time.perf_counter()
        running = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=environment)
        _, status, usage = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - start
        running.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    assert running.returncode == 0, command
    return seconds, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2), text


def whole_processes(folder: str) -> None:
    commands = {"cnncalc": [PROGRAM, "summary", SPEC]}
    for tool, count in COUNTS.items():
        if installed(tool):
            commands[tool] = [sys.executable, "-c", HEAD.format(folder=folder) + count + "\nprint('FOUND', *found)"]
    times: dict[str, list[tuple[float, float, str]]] = {tool: [] for tool in commands}
    for number in range(RUNS + 1):
        for tool, command in commands.items():
            found = process(command)
            if number:  # the first one warms the disk's cache
                times[tool].append(found)
    ours = statistics.median(seconds for seconds, _, _ in times["cnncalc"])
    print(f"whole process, median of {RUNS}          time      × ours    memory    parameters            MACs")
    for tool, runs in times.items():
        seconds = statistics.median(run[0] for run in runs)
        memory = max(run[1] for run in runs)
        text = runs[0][2]
        if tool == "cnncalc":
            import cnncalc

            totals = cnncalc.analyse(SPEC).totals
            params, macs = totals.params, totals.macs
        else:
            params, macs = (int(word) for word in text.rpartition("FOUND ")[2].split())
        print(f"  {tool:<28} {seconds * 1e3:8.0f} ms {seconds / ours:8.1f} {memory:7.0f} MiB {params:>13,} {macs:>15,}")


def in_process(folder: str) -> int:
    """YAML text to full report, against a forward pass on the meta device and the peers' counts of a network that is built."""
    import torch

    import cnncalc
    from cnncalc.errors import Source
    from cnncalc.language.locate import locate

    source, _ = locate(SPEC)
    graph_text = Source("resnet.yaml", source.text)
    meta = cnncalc.build(SPEC, device="meta").eval()
    empty = torch.empty(1, 3, 224, 224, device="meta")

    def report() -> Any:
        found = cnncalc.analyse(graph_text)
        totals = found.totals
        training = totals.backward_macs, totals.peak_training_bytes
        fields = [found.field(node) for node in range(len(found.graph.nodes))]
        return totals.params, totals.macs, totals.depth, totals.peak.bytes, fields, training

    def forward() -> Any:
        with torch.inference_mode():
            return meta(empty)

    tasks: dict[str, Callable[[], Any]] = {
        "YAML text to full report": report,
        "forward pass on the meta device": forward,
    }
    names: dict[str, Any] = {}
    exec(HEAD.format(folder=folder), names)
    for tool, count in COUNTS.items():
        if installed(tool):
            code = compile(count, tool, "exec")
            tasks[f"{tool}, network built already"] = lambda code=code: exec(code, names)
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(3 * RUNS + 2):
        for name, task in tasks.items():
            start = time.perf_counter()
            task()
            if number > 1:
                times[name].append(time.perf_counter() - start)
    ours = statistics.median(times["YAML text to full report"])
    print(f"\nin process, median of {3 * RUNS}               time      × ours")
    for name, found in times.items():
        seconds = statistics.median(found)
        print(f"  {name:<36} {seconds * 1e3:8.2f} ms {seconds / ours:8.1f}")
    pairs = zip(times["YAML text to full report"], times["forward pass on the meta device"], strict=True)
    share = statistics.median(a / b for a, b in pairs)
    print(f"\nthe report takes {share:.2f} of a forward pass on the meta device (to reach: 0.33)")
    return int(share > 1 / 3)


def main() -> int:
    """Print the figures; 1 where the one to reach is missed."""
    import cnncalc

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "exported.py").write_text(cnncalc.export(SPEC), "utf-8")
        whole_processes(folder)
        missed = in_process(folder)
    print(f"this script itself: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    return missed


if __name__ == "__main__":
    sys.exit(main())
