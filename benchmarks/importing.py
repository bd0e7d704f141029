"""What bringing a network in takes: a program with PyTorch's own start, a `.pt2` file, and the same from the cache.

`python benchmarks/importing.py` writes a ResNet-50 to a folder of its own and times the command `cnncalc summary` of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnncalc.exporters.export import export

PROGRAM = str(Path(sys.executable).parent / "cnncalc")
#: Seconds to reach: from a program, from the cache, from a file.
FIRST, AGAIN, FROM_FILE = 8.0, 0.3, 0.5
RUNS = 5


def seconds(folder: str, *words: str) -> float:
    """Wall time of one command."""
    environment = {**os.environ, "XDG_CACHE_HOME": folder}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    subprocess.run([PROGRAM, "summary", *words], cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> int:
    """Print the figures; 1 where one is missed."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "net.py").write_text(str(export("resnet50", "torch")), "utf-8")
        name = "ResNet50" if "class ResNet50(" in Path(folder, "net.py").read_text("utf-8") else "Resnet"
        code = (
            f"import torch, net; model = net.{name}().eval(); example = (torch.rand(2, 3, 224, 224),); "
            "torch.export.save(torch.export.export(model, example), 'net.pt2')"
        )
        subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True)
        target = (f"net.py:{name}", "--input", "3x224x224")
        first = seconds(folder, *target)
        again = min(seconds(folder, *target) for _ in range(RUNS))
        read = min(seconds(folder, "net.pt2") for _ in range(RUNS))
    print(f"a program, PyTorch's start included: {first:.2f} s (to reach: {FIRST})")
    print(f"the same from the cache:             {again:.2f} s (to reach: {AGAIN})")
    print(f"a .pt2 file:                         {read:.2f} s (to reach: {FROM_FILE})")
    return int(first > FIRST or again > AGAIN or read > FROM_FILE)


if __name__ == "__main__":
    sys.exit(main())
