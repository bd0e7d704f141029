"""How fast, and how much memory: the protocol of docs/benchmarks.md.

The parent process knows no PyTorch. It starts a worker for each configuration, tells it step by step what to measure,
decides when there is enough, and reports; so a crash, a kill or Ctrl-C still leaves what was measured.
"""

from .protocol import bench

__all__ = ["bench"]
