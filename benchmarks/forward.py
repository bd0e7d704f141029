"""The generated forward of ResNet-50 against a module written by hand, interleaved: A B B A …

The other side is torchvision's ResNet-50 where it is installed, and otherwise the source that cnncalc exports: blocks as
classes, each with a forward of its own, as people write them.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import time
from typing import Any

import torch

import cnncalc

PAIRS = 60
BATCH = 1


def by_hand() -> tuple[str, Any]:
    """A network by hand, with the weights still to be loaded."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):  # what is missing beside a processor build of PyTorch
        with contextlib.suppress(RuntimeError):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    try:
        from torchvision.models import resnet50
    except ImportError:
        names: dict[str, Any] = {"__name__": "exported"}
        exec(cnncalc.export("resnet50"), names)
        return "the exported source", names["ResNet50"]()
    return "torchvision", resnet50(weights=None)


def main() -> int:
    """Print the ratio of medians; 1 where it is off by more than 2 %."""
    torch.manual_seed(0)
    name, theirs = by_hand()
    ours = cnncalc.build("resnet50").eval()
    theirs.load_state_dict(ours.state_dict())
    theirs.eval()
    x = torch.randn(BATCH, 3, 224, 224)
    times: tuple[list[float], list[float]] = ([], [])
    with torch.inference_mode():
        assert torch.allclose(ours(x), theirs(x), atol=1e-4)
        for pair in range(PAIRS + 5):
            order = ((0, ours), (1, theirs)) if pair % 2 else ((1, theirs), (0, ours))
            for which, net in order:
                start = time.perf_counter()
                net(x)
                if pair >= 5:
                    times[which].append(time.perf_counter() - start)
    medians = [statistics.median(each) for each in times]
    ratio = medians[0] / medians[1]
    print(f"ResNet-50, batch {BATCH}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    print(f"generated forward {medians[0] * 1e3:.2f} ms, {name} {medians[1] * 1e3:.2f} ms")
    print(f"ratio of medians of {PAIRS} pairs: {ratio:.3f} (to reach: 0.98 to 1.02, or faster)")
    return int(ratio > 1.02)


if __name__ == "__main__":
    sys.exit(main())
