"""One new thing, one file: a figure, a format and a layer type, each put into a copy of the package, are there everywhere."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FIGURE = """
from .base import Figure, summed

Figure("squares", "squares", "parameters²", "the square of the parameters", summed("weights", "biases", of=lambda sums: (sums.params or 0) ** 2),
       chapter="parameters", additive=False, totalled=True)
"""
FORMAT = """
ENDINGS = (".loud",)


def table(table):
    return f"{table.title.upper()}! {len(table.lines)} lines\\n"
"""
LAYER = '''


class Swell(Op):
    """Each value times a learnt number for each channel; torch.nn has no module for it."""

    operations = ("multiply",)
    keeps = ("x",)
    example = "Swell"

    def parameters(self, *shapes):
        return (Parameter("weight", shapes[0][:1], "weight", norm_weights.step(C=shapes[0][0])),)

    def module_arguments(self, *shapes):
        return {"channels": shapes[0][0]}

    @staticmethod
    def torch_module():
        import torch
        from torch import nn

        class Swell(nn.Module):
            def __init__(self, channels):
                super().__init__()
                self.weight = nn.Parameter(torch.ones(channels))

            def forward(self, x):
                return x * self.weight.view(-1, 1, 1)

        return Swell
'''


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one more file for each new thing; for the layer type, more lines in its family's."""
    folder = tmp_path_factory.mktemp("house")
    shutil.copytree(ROOT / "cnncalc", folder / "cnncalc", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "architectures", folder / "architectures")
    (folder / "cnncalc" / "report" / "figures" / "squares.py").write_text(FIGURE)
    (folder / "cnncalc" / "formats" / "shout.py").write_text(FORMAT)
    with open(folder / "cnncalc" / "ops" / "norm.py", "a") as file:
        file.write(LAYER)
    (folder / "net.yaml").write_text(
        "input: [4, 8, 8]\nlayers: [{Conv2d: {out_channels: 6, kernel_size: 1}}, Swell]\nexpect: {squares: 1296}\n"
    )
    return folder


def said(house: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "cnncalc", *arguments], cwd=house, capture_output=True, text=True, encoding="utf-8", check=False,
        env={**os.environ, "PYTHONPATH": str(house), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_figure_is_one_file(house: Path) -> None:
    document = json.loads(said(house, "shapes", "net.yaml", "-f", "json"))
    assert [layer["squares"] for layer in document["layers"]] == [900, 36] and document["totals"]["squares"] == 1296
    assert "1,296" in said(house, "params", "net.yaml", "-c", "layer,squares", "-s", "squares")
    assert "1,296  yes" in said(house, "check", "net.yaml")
    assert "squares" in said(house, "figures") and "squares" in said(house, "schema", "--report")
    assert "1,296" in said(house, "compare", "net.yaml", "lenet", "-c", "squares")


def test_a_format_is_one_file(house: Path) -> None:
    assert said(house, "shapes", "lenet", "-f", "shout") == "LENET-5! 12 lines\n"
    assert said(house, "explain", "lenet", "C1", "-q", "params", "-f", "shout") == "LENET-5! 3 lines\n"
    assert "shout" in said(house, "formulas", "--help")


def test_a_layer_type_is_one_class(house: Path) -> None:
    assert "Swell" in said(house, "ops") and "∏C" in said(house, "ops", "Swell")
    assert "Swell" in said(house, "schema")
    assert "class Swell(nn.Module)" in said(house, "export", "net.yaml")
    pytest.importorskip("torch", reason="run needs PyTorch: pip install 'cnncalc[torch]'")
    assert "figures agree" in said(house, "run", "net.yaml", "--no-bench")
