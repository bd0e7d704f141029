"""Networks that timm, torchvision and Ultralytics publish: their parameters, multiply-adds and keys, as measured there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cnncalc import analyse

torch = pytest.importorskip("torch")

LIBRARIES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "data" / "libraries.json").read_text())[
    "networks"
]


@pytest.mark.parametrize("name", LIBRARIES)
def test_it_is_the_network_of_the_library(name: str) -> None:
    from cnncalc.pytorch.build import build

    report, published = analyse(name), LIBRARIES[name]
    assert (report.totals.params, report.totals.macs) == (published["params"], published["macs"])
    state = build(report.graph, device="meta").state_dict()
    keys = "\n".join(sorted(f"{key} {list(tensor.shape)}" for key, tensor in state.items()))
    assert hashlib.sha256(keys.encode()).hexdigest() == published["keys"]


def test_retinanet_is_counted_on_each_level() -> None:
    """torchvision publishes 34,014,999 parameters and 151.54 billion multiply-adds."""
    report = analyse("retinanet_resnet50_fpn")
    assert report.totals.params == 34_014_999 and f"{report.totals.macs / 1e9:.2f}" == "151.54"
    heads = {"head.": 100 * 100, "classes4": 50 * 50, "classes5": 25 * 25, "classes6": 13 * 13, "classes7": 7 * 7}
    each = 4 * 256 * 256 * 9 + 256 * 819 * 9
    for part, positions in heads.items():
        rows = [row for row in report if row.name.startswith(part) and "regression" not in row.name]
        assert sum(row.macs for row in rows) == each * positions
        assert (sum(row.params for row in rows) == 0) == part.startswith("classes")
