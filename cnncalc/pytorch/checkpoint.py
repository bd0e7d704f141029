"""Checkpoints looked at before they are loaded: how much they unpack to, and how much their pickle unfolds to.

PyTorch's careful unpickler runs none of a stranger's code. But a few bytes can describe a tuple of tuples of tuples,
each of them twice the one before, and it would go through such a tuple until the sun goes out; and an archive of a few
kilobytes can unpack to gigabytes. What is looked at here is what PyTorch will read, by its own reader of archives.
"""

from __future__ import annotations

import io
import os
import pickletools
from collections.abc import Iterator
from typing import IO, Any

import torch

from ..errors import usage_error

#: Objects in a checkpoint, what is shared counted as often as it is met, and how deep one may lie in another. A tensor
#: is some twenty objects.
MOST_OBJECTS, DEEPEST = 10_000_000, 200

_MARK = (-1, 0)


def refuse_bombs(path: str) -> None:
    """Raise `SpecError` for a checkpoint that is more than it seems; OSError where it cannot be read."""
    for stream in _pickles(path):
        objects, depth = measured(stream)
        if objects > MOST_OBJECTS or depth > DEEPEST:
            raise usage_error("unfolds to more than any network has", "what torch.save(…) writes", where=path)


def _pickles(path: str) -> Iterator[IO[bytes]]:
    """The pickles that PyTorch will read: one in an archive, five behind one another in the older form."""
    with open(path, "rb") as stream:
        if stream.read(4) != b"PK\x03\x04":  # PyTorch goes by these, and not by the end of the file
            stream.seek(0)
            for _ in range(5):
                yield stream
            return
    try:
        archive: Any = torch._C.PyTorchFileReader(path)
        size, unpacked = os.path.getsize(path), sum(map(archive.get_record_size, archive.get_all_records()))
    except RuntimeError:
        return  # no archive, which PyTorch will say
    if unpacked > size:
        message = f"is packed: its {size:,} bytes would become {unpacked:,}"
        raise usage_error(message, "what torch.save(net.state_dict(), …) writes is not packed", where=path)
    if archive.has_record("data.pkl"):
        yield io.BytesIO(archive.get_record("data.pkl"))


def measured(stream: IO[bytes]) -> tuple[int, int]:
    """The objects of the largest value in a pickle, and its depth; counting ends where there are too many.

    >>> import pickle
    >>> measured(io.BytesIO(pickle.dumps({"a": (1, 2)})))
    (6, 2)
    """
    stack: list[tuple[int, int]] = []
    memo: dict[int, tuple[int, int]] = {}
    largest = deepest = 0
    try:
        for code, argument, _ in pickletools.genops(stream):
            if code.name == "MARK":
                stack.append(_MARK)
            elif code.name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
                memo[len(memo) if argument is None else int(argument)] = stack[-1]
            elif code.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[int(argument or 0)])
            else:
                objects, depth = 0, -1
                for kind in reversed(code.stack_before):
                    if kind is pickletools.markobject:
                        continue
                    taken = [stack.pop()] if kind is not pickletools.stackslice else _to_mark(stack)
                    objects += sum(each for each, _ in taken)
                    depth = max([depth, *(each for _, each in taken)])
                if code.name in ("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS", "BUILD"):
                    depth -= 1  # these fill a container, and are none
                stack += [(objects + 1, depth + 1)] * len(code.stack_after)
                largest, deepest = max(largest, objects), max(deepest, depth + 1)
                if largest > MOST_OBJECTS or deepest > DEEPEST:
                    break
    except (ValueError, IndexError, KeyError):
        pass  # no pickle, which PyTorch will say
    return largest, deepest


def _to_mark(stack: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """What lies above the last mark, which is taken away with it."""
    taken = []
    while stack and (top := stack.pop()) != _MARK:
        taken.append(top)
    return taken
