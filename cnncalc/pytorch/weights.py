"""Published weights: read without running what is in the file, and compared with what the network has."""

from __future__ import annotations

import pickle
import warnings
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import SpecError, did_you_mean, usage_error
from ..printable import printable
from ..record import Record
from .checkpoint import refuse_bombs

#: What wrappers put before all names: DataParallel, torch.compile, Lightning, a class around the network.
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.")
#: Wrappers in one another.
DEEPEST = 4


class Weights(dict[str, Tensor]):
    """The tensors of a file by their names; `key` is the entry of the file that held them, if it was one of several."""

    key = ""


class Loaded(Record):
    """What was loaded, and what did not fit: parameters that the file lacks, surplus ones, those of another shape.

    `tensors` were copied, from the entry `key` of the file, their names without `prefix`; `cast` says which types
    became which, and `not_finite` which hold NaN or infinity.
    """

    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    other_shape: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    tensors: int = 0
    key: str = ""
    prefix: str = ""
    cast: tuple[str, ...] = ()
    not_finite: tuple[str, ...] = ()

    @property
    def fits(self) -> bool:
        return not (self.missing or self.unexpected or self.other_shape)

    def told(self, path: str) -> list[str]:
        """What was loaded, in words, and what is odd about it."""
        where = f"{path}, entry {self.key}" if self.key else path
        parts = [f"{self.tensors} tensors loaded from {where}"]
        parts += [f"{self.prefix!r} taken off their names"] if self.prefix else []
        parts += list(self.cast)
        lines = [printable(", ".join(parts))]
        if self.not_finite:
            few = ", ".join(self.not_finite[:4]) + (", …" if len(self.not_finite) > 4 else "")
            lines.append(printable(f"not all of it are numbers: NaN or infinity in {few}"))
        if not self.fits:
            wrong = (len(self.missing), len(self.unexpected), len(self.other_shape))
            words = zip(wrong, ("missing", "unexpected", "of another shape"), strict=True)
            told = ", ".join(f"{count} {word}" for count, word in words if count)
            lines.append(printable(f"{path} does not fit the network: {told}"))
        return lines

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


def read_weights(path: str, key: str = "") -> Weights:
    """The tensors of a safetensors file or of a PyTorch checkpoint; raises `SpecError`.

    A checkpoint is read with `weights_only`, so that nothing in it is executed. Where it holds several sets of tensors,
    as `model` and `model_ema`, `key` chooses; none is chosen in silence.
    """
    try:
        with open(path, "rb") as file:
            file.read(1)
        if Path(path).suffix == ".safetensors":
            from safetensors.torch import load_file

            if key:
                raise usage_error("holds one set of tensors", "leave --weights-key out", where=path)
            return Weights(load_file(path))
        refuse_bombs(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensors = _tensors(torch.load(path, map_location="cpu", weights_only=True), key, path)
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


def _tensors(content: Any, key: str, path: str) -> Weights:
    """The tensors that a checkpoint holds by name: all of it, or one of its entries."""
    if not isinstance(content, Mapping):
        return Weights()
    sets = {"": _named(content)} if _named(content) and not key else {}
    sets |= {str(name): _named(value) for name, value in content.items() if isinstance(value, Mapping)}
    sets = {name: tensors for name, tensors in sets.items() if tensors}
    names = ", ".join(list(sets)[:8])
    if key and key not in sets:
        hint = did_you_mean(key, sets) or (f"it has {names}" if sets else "it has none")
        raise usage_error(f"has no entry {key} that holds tensors", hint, where=path)
    if not key and "" not in sets and len(sets) > 1:
        raise usage_error(f"holds several sets of weights: {names}", "--weights-key chooses one", where=path)
    chosen = key or next(iter(sets), "")
    weights = Weights(sets.get(chosen, {}))
    weights.key = chosen
    return weights


def _named(content: Mapping[Any, Any]) -> dict[str, Tensor]:
    return {str(name): value for name, value in content.items() if isinstance(value, Tensor)}


def _prefix(names: Collection[str], own: Collection[str]) -> str:
    """What stands before the names in a file and not before those of the network; nothing where they do not fit so."""
    prefix = ""
    for _ in range(DEEPEST):
        if any(name.removeprefix(prefix) in own for name in names if name.startswith(prefix)):
            return prefix
        there = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
        found = [known for known in PREFIXES if any(name.startswith(known) for name in there)]
        if not found:
            return ""
        prefix += max(found, key=lambda known: sum(name.startswith(known) for name in there))
    return ""


def load_weights(net: nn.Module, weights: Mapping[str, Tensor]) -> Loaded:
    """Copy tensors into a network by their names, and tell what was loaded and what did not fit.

    The counters of batches may be missing: old checkpoints have none, and nothing depends on them.
    """
    own = net.state_dict()
    prefix = _prefix(weights, own)
    tensors = {name.removeprefix(prefix) if name.startswith(prefix) else name: value for name, value in weights.items()}
    other = tuple(
        (name, tuple(own[name].shape), tuple(tensor.shape))
        for name, tensor in tensors.items()
        if name in own and own[name].shape != tensor.shape
    )
    wrong = {name for name, _, _ in other}
    fitting = {name: tensor for name, tensor in tensors.items() if name in own and name not in wrong}
    net.load_state_dict(fitting, strict=False)
    missing = tuple(name for name in own if name not in tensors and not name.endswith("num_batches_tracked"))
    types = Counter(
        (tensor.dtype, own[name].dtype) for name, tensor in fitting.items() if tensor.dtype != own[name].dtype
    )
    cast = [f"{count} cast from {_type(before)} to {_type(after)}" for (before, after), count in types.items()]
    odd = [name for name, tensor in fitting.items() if tensor.is_floating_point() and not tensor.isfinite().all()]
    surplus = tuple(name for name in tensors if name not in own)
    key = getattr(weights, "key", "")
    return Loaded(missing, surplus, other, len(fitting), key, prefix, tuple(cast), tuple(odd))


def _type(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
