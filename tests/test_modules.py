"""Bodies from outside for the types that a spec declares: what the command line names is run, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import cnncalc

torch = pytest.importorskip("torch")

LAYERS = """
import torch
from torch import nn


class Gate(nn.Module):
    def __init__(self, ratio, in_channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(in_channels * ratio))

    def forward(self, x, y):
        return x + y * self.weight.mean()
"""
SPEC = """
input: [4, 8, 8]
types:
  Gate: {inputs: 2, args: [ratio: 2], shape: same, params: in_channels * ratio, buffers: 0}
layers:
  - conv: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
  - gate: {Gate: {ratio: 3}, from: [conv, input]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mylayers.py").write_text(LAYERS)
    (tmp_path / "net.yaml").write_text(SPEC)
    return tmp_path


def test_run_uses_the_classes_of_the_file(folder: Path) -> None:
    done = cnncalc("run", "net.yaml", "--modules", "mylayers.py", "--no-bench", "--train", cwd=folder)
    assert done.returncode == 0 and "figures agree" in done.stdout
    assert "what a declared type does not say" in done.stdout
    (folder / "net.yaml").write_text(SPEC.replace("in_channels * ratio", "7"))
    done = cnncalc("run", "net.yaml", "--modules", "mylayers.py", "--no-bench", cwd=folder)
    assert done.returncode == 1  # it has 12 parameters, and declares 7


def test_what_is_exported_imports_them(folder: Path) -> None:
    source = cnncalc("export", "net.yaml", "--modules", "mylayers.py", cwd=folder).stdout
    assert "from mylayers import Gate\n" in source and "Gate(in_channels=4, ratio=3)" in source


@pytest.mark.parametrize(("change", "arguments", "wants"), [
    ("", (), "Gate is declared in the spec, and PyTorch has no such layer"),
    ("", ("--modules", "other.py"), "other.py: cannot be read: there is no such file"),
    ("", ("--modules", "net.yaml"), "net.yaml: is no Python file that can be imported"),
    ("raise ValueError('no\\x1b[2J')\n", ("--modules", "mylayers.py"), "mylayers.py: cannot be run: ValueError: no"),
    ("Gate = 3\n", ("--modules", "mylayers.py"), "none of its classes is a type of the spec: it has no nn.Module"),
    ("class Gate(nn.Module):\n    def __init__(self): super().__init__()\n", ("--modules", "mylayers.py"), "Gate cannot be made of"),
])  # fmt: skip
def test_what_cannot_be_used_is_said(folder: Path, change: str, arguments: tuple[str, ...], wants: str) -> None:
    (folder / "mylayers.py").write_text(LAYERS + change)
    done = cnncalc("run", "net.yaml", "--no-bench", *arguments, cwd=folder)
    assert done.returncode == 2 and wants in done.stderr and "\x1b" not in done.stderr, done.stderr


def test_a_spec_cannot_name_such_a_file(folder: Path) -> None:
    (folder / "mylayers.py").write_text("open('ran', 'w')\n" + LAYERS)
    (folder / "net.yaml").write_text("modules: mylayers.py\n" + SPEC)
    done = cnncalc("run", "net.yaml", "--no-bench", cwd=folder)
    assert done.returncode == 2 and not (folder / "ran").exists()
