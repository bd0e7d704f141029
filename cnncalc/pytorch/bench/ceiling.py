"""The best that was seen on a machine, and what a measurement reached of it."""

from __future__ import annotations

from typing import Any

from ...quantities import mib
from ...record import Record
from .predict import Roofline, roofline
from .statistics import summary


class Ceiling(Record):
    """The best that was seen on a machine, and what it was seen with: by a network itself, where nothing was faster."""

    flops: float
    flops_by: str
    bytes_per_s: float
    bytes_by: str


def ceiling(result: dict[str, Any]) -> Ceiling:
    """The best that was seen for convolutions, products of matrices and copies in a measurement."""
    probe, predicted, itself = result["probe"], result["predicted"], "this network itself"
    seconds = summary(result["latency"]["seconds"]).median
    copied = f"a copy of {mib(probe['copied_bytes'])}"
    flops = max((probe["flops"], probe["flops_by"]), (predicted["flops"] / seconds, itself))
    moved = max((probe["bytes_per_s"], copied), (predicted["traffic_bytes"] / seconds, itself))
    return Ceiling(*flops, *moved)


def limit_of(result: dict[str, Any], best: Ceiling) -> Roofline:
    """The roofline of a measurement under a ceiling."""
    predicted = result["predicted"]
    return roofline(predicted["flops"], predicted["traffic_bytes"], best.flops, best.bytes_per_s)


def achieved(result: dict[str, Any]) -> tuple[float, float] | None:
    """FLOP/s in multiply-adds, and the share of the best that was seen on this machine."""
    if "probe" not in result or not result["latency"]["seconds"]:
        return None
    rate = result["predicted"]["flops"] / summary(result["latency"]["seconds"]).median
    return rate, rate / ceiling(result).flops
