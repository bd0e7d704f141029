"""What people write by habit, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import cnncalc

from cnncalc import analyse, explain, load
from cnncalc.errors import Source
from cnncalc.language.habits import _NAMES, meant
from cnncalc.ops import REGISTRY


@pytest.mark.parametrize(("written", "told"), [
    ("Dense: 10", "you mean Linear, which calls units out_features"), ("Dense: {units: 10}", "you mean Linear"), ("Dense(10)", "you mean Linear"),
    ("nn.ReLU()", "you mean ReLU"), ("ReLU()", "you mean ReLU"), ("torch.nn.Flatten()", "you mean Flatten"),
    ("Conv2d(3, 10, 5)", "you mean Conv2d: {in_channels: 3, out_channels: 10, kernel_size: 5}"),
    ("nn.Conv2d(3, 64, 7, 2, 3)", "{in_channels: 3, out_channels: 64, kernel_size: 7, stride: 2, padding: 3}"),
    ("nn.Conv2d(1, 6, kernel_size=5)", "you mean Conv2d: {in_channels: 1, out_channels: 6, kernel_size: 5}"),
    ("MaxPooling2D", "which calls pool_size kernel_size and strides stride"), ("Conv2D: {filters: 6, kernel_size: 5}", "you mean Conv2d, which calls filters"),
    ("BatchNormalization", "you mean BatchNorm2d"), ("layers.Dropout(0.5)", "you mean Dropout: {p: 0.5}"), ("relu", "did you mean ReLU?"),
    ("Conv2d(a, b)", "`cnncalc ops` lists"), ("__import__('os')", "`cnncalc ops` lists"), ("Conv2d(" + "(" * 300, "`cnncalc ops` lists"),
])  # fmt: skip
def test_a_layer_written_by_habit(written: str, told: str) -> None:
    graph = load(Source("net.yaml", f"input: [1, 32, 32]\nlayers:\n  - {written}\n"))
    assert told in graph.errors[0].text


def test_what_is_meant_exists_and_what_exists_is_not_corrected() -> None:
    assert all(type_ in REGISTRY or type_ in ("add", "concat") for type_, _ in _NAMES.values())
    assert not any(name in REGISTRY for name in _NAMES) and not any(meant(name) for name in REGISTRY)
    for theirs, (type_, arguments) in _NAMES.items():
        known = {argument.name for argument in REGISTRY[type_].arguments()} if type_ in REGISTRY else set()
        assert set(arguments.values()) <= known, theirs


def test_what_is_meant_can_be_read() -> None:
    body = meant("nn.Conv2d(1, 6, 5, padding=2)").removeprefix("you mean ")
    graph = load(Source("net.yaml", f"input: [1, 32, 32]\nlayers:\n  - {body}\n"))
    assert graph.layers[0].shape == (6, 32, 32)


def test_nothing_is_explained_as_nothing(tmp_path: Path) -> None:
    """A question that a layer has no answer to gets one all the same."""
    done = cnncalc("explain", "lenet", "S2", "-q", "macs")
    assert done.returncode == 0 and "none: it has no multiply-adds, 4,704 other operations" in done.stdout
    (told,) = explain(analyse("lenet"), "flatten", "flops,params")
    assert [line.label for line in told.lines] == ["FLOPs", "parameters"]
    assert [line.text.partition(":")[0] for line in told.lines] == ["none", "none"]
    assert "none" not in cnncalc("explain", "lenet", "-q", "macs").stdout
