"""What is counted as one operation, said once."""

from __future__ import annotations

from ..ops.counting import COUNTED

MAC = "1 MAC = one multiply-add of a convolution, linear or matrix product; no biases"
FLOPS = "FLOPs = 2·MACs + other work (each comparison, addition, division, root is one)"

CONVENTION = (
    "one MAC is one multiply-add of a convolution, linear or matrix product, biases not counted; "
    f"FLOPs = 2·MACs + the work of all other layers, {COUNTED}; "
    "BatchNorm with running statistics"
)
