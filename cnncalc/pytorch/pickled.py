"""How much a pickle unfolds to, told without loading it.

A few bytes can describe a tuple of tuples of tuples, each of them twice the one before. PyTorch's careful unpickler
runs none of a stranger's code, but it would go through such a tuple until the sun goes out.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

#: Objects in a checkpoint, what is shared counted as often as it is met. Ours have some twenty for each tensor.
MOST_OBJECTS = 10_000_000

_MARK = -1


def unfolds(path: str | Path) -> bool:
    """Whether a checkpoint, an archive or of the older form, holds at most `MOST_OBJECTS`; raises OSError."""
    return all(_size(stream) <= MOST_OBJECTS for stream in _pickles(path))


def _pickles(path: str | Path) -> Iterator[IO[bytes]]:
    """The pickles in a checkpoint: one in an archive, five behind one another in the older form."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith(".pkl"):
                    with archive.open(name) as stream:
                        yield stream
        return
    with open(path, "rb") as stream:
        for _ in range(5):
            yield stream


def _size(stream: IO[bytes]) -> int:
    """The objects of the largest value in a pickle; counting ends where there are too many, or where it is none."""
    stack: list[int] = []
    memo: dict[int, int] = {}
    largest = 0
    try:
        for code, argument, _ in pickletools.genops(stream):
            if code.name == "MARK":
                stack.append(_MARK)
            elif code.name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
                memo[len(memo) if argument is None else int(argument)] = stack[-1]
            elif code.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[int(argument or 0)])
            else:
                taken = 0
                for kind in reversed(code.stack_before):
                    if kind is pickletools.markobject:
                        continue
                    if kind is pickletools.stackslice:
                        while stack and (top := stack.pop()) != _MARK:
                            taken += top
                    else:
                        taken += stack.pop()
                stack += [taken + 1] * len(code.stack_after)
                largest = max(largest, taken)
                if largest > MOST_OBJECTS:
                    break
    except (ValueError, IndexError, KeyError):
        pass  # no pickle, which PyTorch will say
    return largest
