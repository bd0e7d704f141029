"""Published weights: read without running what is in the file, and compared with what the network has."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..errors import SpecError, usage_error
from ..printable import printable
from .checkpoint import refuse_bombs

#: Where checkpoints of training programs keep the weights.
INSIDE = ("state_dict", "model_state_dict", "model", "weights", "net")


class Loaded(NamedTuple):
    """What did not fit: parameters that the file lacks, those that it has too many, and those of another shape."""

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    other_shape: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]

    @property
    def fits(self) -> bool:
        return not (self.missing or self.unexpected or self.other_shape)

    def lines(self, most: int = 12) -> list[str]:
        """One line for each, up to `most` of a kind."""
        shapes = [f"of another shape: {name}: {list(ours)} here, {list(theirs)} in the file"
                  for name, ours, theirs in self.other_shape]  # fmt: skip
        found = []
        for kind in (
            [f"missing: {name}" for name in self.missing],
            [f"unexpected: {name}" for name in self.unexpected],
            shapes,
        ):
            found += [printable(line) for line in kind[:most]] + (
                [f"… and {len(kind) - most} more"] if len(kind) > most else []
            )
        return found


def read_weights(path: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file or of a PyTorch checkpoint; raises `SpecError`.

    A checkpoint is read with `weights_only`, so that nothing in it is executed.
    """
    try:
        with open(path, "rb") as file:
            file.read(1)
        if Path(path).suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        refuse_bombs(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensors = _tensors(torch.load(path, map_location="cpu", weights_only=True))
    except SpecError:
        raise
    except ImportError:
        raise usage_error("safetensors is not installed", "pip install 'cnncalc[torch]'", where=path) from None
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror or error}", where=path) from None
    except EOFError:
        raise usage_error("is empty", "what torch.save(net.state_dict(), …) writes", where=path) from None
    except pickle.UnpicklingError:
        message = "holds more than tensors, or is no checkpoint: nothing in it was executed"
        raise usage_error(message, "save net.state_dict(), or a safetensors file", where=path) from None
    except Exception as error:  # whatever a file from a stranger makes torch or safetensors say
        said = " ".join(str(error).split()).partition(". ")[0][:160]
        said = type(error).__name__ if len(said) < 5 or said.isdigit() else said
        hint = "a safetensors file, or what torch.save(net.state_dict(), …) writes"
        raise usage_error(f"is no file of weights: {said}", hint, where=path) from None
    if not tensors:
        raise usage_error("holds no tensors by name", "save net.state_dict()", where=path)
    for name, tensor in tensors.items():
        kind = _kind(tensor)
        if kind:
            raise usage_error(f"{name} holds {kind}, which no layer here takes", "save dense tensors", where=path)
    return tensors


def _kind(tensor: Tensor) -> str:
    """What a tensor holds that no layer takes, in words; an empty string for plain numbers."""
    if tensor.is_meta:
        return "no values"
    if tensor.is_complex():
        return "complex numbers"
    if tensor.layout != torch.strided:
        return "a sparse tensor"
    whole = tensor.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
    plain = whole or (tensor.dtype.is_floating_point and tensor.dtype.itemsize >= 2)
    return "" if plain and not tensor.is_nested else "numbers of its own kind"


def _tensors(content: Any) -> dict[str, Tensor]:
    if not isinstance(content, Mapping):
        return {}
    for key in INSIDE:
        if isinstance(content.get(key), Mapping):
            content = content[key]
            break
    tensors = {str(name): value for name, value in content.items() if isinstance(value, Tensor)}
    if tensors and all(name.startswith("module.") for name in tensors):  # saved from DataParallel
        tensors = {name.removeprefix("module."): value for name, value in tensors.items()}
    return tensors


def load_weights(net: nn.Module, tensors: Mapping[str, Tensor]) -> Loaded:
    """Copy tensors into a network by their names, and tell what did not fit.

    The counters of batches may be missing: old checkpoints have none, and nothing depends on them.
    """
    own = net.state_dict()
    other = tuple(
        (name, tuple(own[name].shape), tuple(tensor.shape))
        for name, tensor in tensors.items()
        if name in own and own[name].shape != tensor.shape
    )
    wrong = {name for name, _, _ in other}
    fitting = {name: tensor for name, tensor in tensors.items() if name in own and name not in wrong}
    net.load_state_dict(fitting, strict=False)
    missing = tuple(name for name in own if name not in tensors and not name.endswith("num_batches_tracked"))
    return Loaded(missing, tuple(name for name in tensors if name not in own), other)
