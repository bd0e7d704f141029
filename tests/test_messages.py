"""explain-error, on messages that PyTorch really gives: each is provoked, read, and its way out tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import cnncalc

from cnncalc import SpecError
from cnncalc.teach.messages import MESSAGES, explain_error

#: What is to be said of each program of `broken.py`.
TOLD = yaml.safe_load((Path(__file__).parent / "data" / "broken.yaml").read_text(encoding="utf-8"))

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


@pytest.mark.parametrize("name", TOLD)
def test_a_broken_program_is_explained(name: str) -> None:
    pytest.importorskip("torch", reason="PyTorch says what is explained: pip install 'cnncalc[torch]'")
    import broken

    message = broken.message_of(name)
    if not message:
        pytest.skip("nothing is wrong with it on this machine")
    text = " ".join(message.rpartition("Traceback (most recent call last)")[2].split())
    assert len([known for known in MESSAGES if known.pattern.search(text)]) == 1, "two answers to one message"
    answer, told = explain_error(message), TOLD[name]
    assert (answer.says, answer.reasons[0], answer.change[0]) == (told["says"], told["why"], told["change"])


def test_what_is_not_known_is_told_where_to_look() -> None:
    pytest.importorskip("torch", reason="PyTorch says what is explained: pip install 'cnncalc[torch]'")
    import broken

    assert set(broken.PROGRAMS) - set(TOLD) == {"loader_index"} and len(TOLD) >= 75
    with pytest.raises(SpecError, match="print the shape, dtype and device of what goes in there"):
        explain_error(broken.message_of("loader_index"))
    trace = 'Traceback (most recent call last):\n  File "train.py", line 12, in step\n    x = y[3]\n  File "/usr/lib/python3.12/site-packages/torch/a.py", line 3, in f\nIndexError: list index out of range'
    with pytest.raises(SpecError, match=r"begin at train\.py, line 12, in step"):
        explain_error(trace)


#: Messages of a GPU, as they stand in public threads.
@pytest.mark.parametrize(("message", "part"), [
    ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB", "the next 2.00 GiB"),
    ("RuntimeError: CUDA error: device-side assert triggered", "a label outside 0 … classes − 1"),
    ("Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! (when checking argument for argument weight)", "cuda:0 and cpu"),
    ("Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) should be the same", "the input lies on the processor, the weights on the GPU"),
    ("Input type (torch.cuda.HalfTensor) and weight type (torch.cuda.FloatTensor) should be the same", "the input is float16, the weights are float32"),
    ("TypeError: can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.", "x.cpu().numpy()"),
    ("RuntimeError: DataLoader worker (pid 4242) is killed by signal: Bus error.", "--shm-size"),
    ("RuntimeError: No CUDA GPUs are available", "PyTorch sees no NVIDIA GPU"),
    ("RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory", "cut off"),
    ("RuntimeError: expected scalar type Long but found Float", "target.long()"),
])  # fmt: skip
def test_messages_that_cannot_be_provoked_here(message: str, part: str) -> None:
    assert part in "\n".join(explain_error(message).lines())


def test_none_accuses_what_is_innocent() -> None:
    """What was said once of messages that meant something else."""
    unbatched = explain_error("mat1 and mat2 shapes cannot be multiplied (16x25 and 400x120)", "lenet")
    assert "it has no batch axis" in unbatched.reasons[0] and "Flatten is missing" not in str(unbatched)
    assert "Flatten is missing" not in str(
        explain_error("mat1 and mat2 shapes cannot be multiplied (64x128 and 256x10)")
    )
    types = explain_error("Input type (double) and bias type (float) should be the same")
    assert "device" not in str(types) and types.change == ("x = x.float()",)
    assert "55 is odd" in str(
        explain_error("Sizes of tensors must match except in dimension 1. Expected size 56 but got size 55")
    )
    trace = 'File "torch/nn/functional.py", line 1, in mse_loss\nRuntimeError: The size of tensor a (28) must match the size of tensor b (14) at non-singleton dimension 3'
    loss = explain_error(trace)
    assert "stride" not in str(loss) and loss.reasons[0].startswith("in a loss")
    where = explain_error(
        'Traceback (most recent call last):\n  File "train.py", line 7, in <module>\n' + f"RuntimeError: {LENET}"
    )
    assert where.where == "train.py, line 7, in <module>" and "where: train.py, line 7" in "\n".join(where.lines())


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
