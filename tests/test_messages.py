"""explain-error, on messages that PyTorch really gives: each is provoked, read, and its way out tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError
from cnncalc.teach.messages import explain_error

#: As they stood in public threads.
LENET = "mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)"


@pytest.mark.parametrize(("message", "spec", "part"), [
    (LENET, "", "256 = 16·4² and 400 = 16·5²: a map of 4×4 arrives where one of 5×5 was counted on"),
    (LENET, "lenet", "256 are those of a picture of 28×28"),
    ("size mismatch, m1: [1 x 256], m2: [400 x 120]", "lenet", "layer: C5"),
    ("mat1 and mat2 shapes cannot be multiplied (3584x7 and 25088x4096)", "", "Flatten is missing"),
    ("mat1 and mat2 shapes cannot be multiplied (3584x7 and 25088x4096)", "vgg16", "Flatten is missing before classifier.0"),
    ("mat1 and mat2 shapes cannot be multiplied (1x131072 and 25088x512)", "", "and 16×16 of 512×512"),
    ("mat1 and mat2 shapes cannot be multiplied (1x3200 and 400x120)", "lenet", "3,200 is 8 times 400: the batch was flattened"),
    ("mat1 and mat2 shapes cannot be multiplied (4x400 and 256x120)", "lenet", "change: Linear(400, 120)"),
    ("mat1 and mat2 shapes cannot be multiplied (4x400 and 256x120)", "lenet", "256 would be right for a picture of 28×28"),
    ("Given input size: (512x1x1). Calculated output size: (512x0x0). Output size is too small", "vgg16", "at least 32×32"),
])  # fmt: skip
def test_messages_from_public_threads(message: str, spec: str, part: str) -> None:
    assert part in "\n".join(explain_error(message, spec).lines())


def provoked() -> dict[str, tuple[Callable[[], Any], str]]:
    torch = pytest.importorskip("torch", reason="PyTorch says what is explained: pip install 'cnncalc[torch]'")
    nn, t = torch.nn, torch.randn
    return {
        "linear": (lambda: nn.Linear(400, 120)(t(1, 256)), "a map of 4×4 arrives"),
        "grey": (lambda: nn.Conv2d(3, 6, 5)(t(1, 1, 28, 28)), "the picture is grey"),
        "channels last": (lambda: nn.Conv2d(3, 6, 5)(t(1, 28, 28, 3)), "x.permute(0, 3, 1, 2)"),
        "channels": (lambda: nn.Conv2d(32, 6, 5)(t(1, 16, 28, 28)), "in_channels=16"),
        "pool": (lambda: nn.MaxPool2d(2)(t(1, 512, 1, 1)), "nothing is left of the map"),
        "kernel": (lambda: nn.Conv2d(3, 6, 5)(t(1, 3, 2, 2)), "a window of 5×5 does not fit on a map of 2×2"),
        "sum of channels": (lambda: t(1, 64, 8, 8) + t(1, 32, 8, 8), "a 1×1 convolution on the shortcut"),
        "sum of sizes": (lambda: t(1, 64, 8, 8) + t(1, 64, 4, 4), "the same stride on the shortcut"),
        "concat": (lambda: torch.cat([t(1, 8, 56, 56), t(1, 8, 57, 57)], 1), "one pixel is lost"),
        "crop": (lambda: torch.cat([t(1, 8, 56, 56), t(1, 8, 64, 64)], 1), "crop the larger one by 4 on each side"),
        "norm": (lambda: nn.BatchNorm2d(32)(t(2, 64, 4, 4)), "BatchNorm2d(64)"),
        "single value": (lambda: nn.BatchNorm2d(32)(t(1, 32, 1, 1)), "net.eval()"),
        "axes": (lambda: nn.Conv2d(1, 6, 5)(t(28, 28)), "x.unsqueeze(0).unsqueeze(0)"),
        "checkpoint": (
            lambda: nn.Linear(8, 10).load_state_dict({"weight": t(1000, 8), "bias": t(1000)}),
            "1000 classes",
        ),
        "view": (lambda: t(4, 16, 8, 4).view(-1, 400), "cannot be put into rows of 400"),
        "batch": (
            lambda: nn.CrossEntropyLoss()(t(324, 10), torch.zeros(4, dtype=torch.long)),
            "81 rows of each picture",
        ),
        "concat of batches": (lambda: torch.cat([t(2, 8, 4, 4), t(1, 8, 4, 4)], 1), "often the batch"),
        "five axes": (lambda: nn.Conv2d(3, 6, 5)(t(1, 1, 3, 8, 8)), "it wants 4: the batch, then"),
        "sum of batches": (lambda: t(4, 8) + t(3, 8), "different batches"),
        "loss": (lambda: nn.MSELoss()(t(4, 10), t(4, 3)), "in a loss"),
        "view of parts": (lambda: t(1600).view(7, -1), "cannot be put into parts of 7"),
        "view of nothing": (lambda: t(5).view(0, 0), "room for 0 numbers"),
        "nothing arrives": (lambda: nn.Linear(400, 120)(t(1, 0)), "a size before it came out as 0"),
        "norm of axes": (lambda: nn.BatchNorm2d(8)(t(8, 4, 4)), "x.unsqueeze(0) adds the batch"),
        "matrix types": (lambda: nn.Linear(4, 4)(t(1, 4).double()), "float64"),
        "transposed": (lambda: nn.ConvTranspose2d(8, 4, 2)(t(1, 3, 8, 8)), "made for 8 channels, but 3 arrive"),
        "bytes": (lambda: nn.Conv2d(1, 1, 1)(torch.zeros(1, 1, 3, 3, dtype=torch.uint8)), "x.float()"),
        "target": (lambda: nn.CrossEntropyLoss()(t(2, 10), torch.tensor([1, 10])), "no output for it"),
        "strides": (lambda: t(2, 3, 4).permute(0, 2, 1).view(2, 12), "x.reshape"),
        "type": (lambda: nn.Conv2d(1, 1, 1)(t(1, 1, 3, 3).double()), "x.float()"),
    }


@pytest.mark.parametrize("name", [
    "linear", "grey", "channels last", "channels", "pool", "kernel", "sum of channels", "sum of sizes", "concat", "crop", "norm",
    "single value", "axes", "checkpoint", "view", "batch", "type", "concat of batches", "five axes", "sum of batches", "loss", "view of parts",
    "view of nothing", "nothing arrives", "norm of axes", "matrix types", "transposed", "bytes", "target", "strides",
])  # fmt: skip
def test_what_pytorch_says_is_understood(name: str) -> None:
    wrong, part = provoked()[name]
    with pytest.raises(Exception) as said:
        wrong()
    assert part in "\n".join(explain_error(str(said.value)).lines())


@pytest.mark.parametrize("message", [
    "Given groups=1, weight of size [,], expected input[,] to have 3 channels", "Expected input batch_size (3) to match target batch_size (0).",
    "mat1 and mat2 shapes cannot be multiplied (2x5 and 0x3)", "mat1 and mat2 shapes cannot be multiplied (1x400 and 400x120)",
    "shape '[-1]' is invalid for input of size 5", "Calculated padded input size per channel: ( ). Kernel size: ( )",
])  # fmt: skip
def test_odd_messages_are_no_fault(message: str) -> None:
    try:
        assert explain_error(message).lines()
    except SpecError as error:
        assert "garbled" in str(error)


def test_a_layer_that_the_spec_does_not_have() -> None:
    found = explain_error("mat1 and mat2 shapes cannot be multiplied (1x10 and 20x30)", "lenet")
    assert "the spec has no Linear layer of 30 outputs" in found.reasons[0]
    assert "1×32×32" in str(
        explain_error(
            "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [32, 32]", "lenet"
        )
    )


def test_the_command() -> None:
    done = cnncalc("explain-error", LENET, "lenet")
    assert done.returncode == 0 and done.stdout.startswith(
        "a Linear layer was made for 400 features, but 256 arrive\nlayer: C5"
    )
    done = cnncalc("explain-error", "-", text=f"RuntimeError:\n  {LENET}\n")
    assert "16·4²" in done.stdout
    done = cnncalc("explain-error", "it does not work")
    assert done.returncode == 2 and "is not among those that are known" in done.stderr
    with pytest.raises(SpecError, match="no such file"):
        explain_error(LENET, "nonet.yaml")
