"""The benchmark's worker for tests of what a run does, not of how long it measures: what the machine can do is a guess."""

from __future__ import annotations

import torch._dynamo  # which an optimizer's first step loads
import torch.profiler

from cnncalc.pytorch.bench import probe
from cnncalc.pytorch.bench.worker import main

__all__ = ["main", "torch"]

probe.PROBE_S = 0.005
