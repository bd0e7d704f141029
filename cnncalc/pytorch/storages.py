"""What PyTorch keeps in memory, storage by storage: watched from below, and from autograd's hooks."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def storage_key(tensor: Tensor) -> int:
    """What two tensors have in common exactly if they share their storage, as long as either lives."""
    key: int = tensor.untyped_storage()._cdata
    return key


def own_tensors(net: nn.Module) -> Iterator[Tensor]:
    """Parameters and buffers."""
    yield from net.parameters()
    yield from net.buffers()


class TensorMemory(TorchDispatchMode):
    """Counts the bytes of all storages that operations bring forth, as long as they live; `peak` is the most.

    What an operation uses inside and gives back before it returns (a convolution's workspace) is not seen. Tensors that
    are `given` (the caller's input, parameters, buffers) are not counted.
    """

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here; to tell the compiler so would load it, which takes two seconds

    def __init__(self, given: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self._given = {storage_key(each) for each in given}
        self._alive: dict[int, weakref.ref[Any]] = {}
        self.live = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor):
                self._note(tensor)
        self.peak = max(self.peak, self.live)
        return out

    def _note(self, tensor: Tensor) -> None:
        key = storage_key(tensor)
        if key in self._given or key in self._alive:
            return
        storage = tensor.untyped_storage()
        size = storage.nbytes()

        def gone(_: Any) -> None:
            # The Python object of a storage lives as long as the storage itself.
            self._alive.pop(key, None)
            self.live -= size

        self._alive[key] = weakref.ref(storage, gone)
        self.live += size


class Kept:
    """A context in which autograd's saved tensors are noted: the bytes of each storage, once.

    Storages of tensors that are `given` are left out. `by_owner` adds them up by whoever was the `owner` when they were
    kept for the first time. What is noted stays alive as long as this object does, so that no storage is mistaken for
    another.
    """

    def __init__(self, given: Iterable[Tensor] = ()) -> None:
        self._given = {storage_key(each) for each in given}
        self._hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda packed: packed)
        self._tensors: list[Tensor] = []
        self.bytes: dict[int, int] = {}
        self.by_owner: dict[str, int] = {}
        self.owner = ""

    def _pack(self, tensor: Tensor) -> Tensor:
        key = storage_key(tensor)
        if key not in self._given and key not in self.bytes:
            self.bytes[key] = tensor.untyped_storage().nbytes()
            self.by_owner[self.owner] = self.by_owner.get(self.owner, 0) + self.bytes[key]
            self._tensors.append(tensor)
        return tensor

    @property
    def total(self) -> int:
        return sum(self.bytes.values())

    def __enter__(self) -> Kept:
        self._hooks.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._hooks.__exit__(*exception)
