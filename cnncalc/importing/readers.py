"""Tables of what reads the parts of a file or program, by the names that those parts have there."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TypeVar

Reader = TypeVar("Reader")


def registers(readers: MutableMapping[str, Reader]) -> Callable[..., Callable[[Reader], Reader]]:
    """What puts a reader into a table under several names, as a decorator.

    >>> table: dict[str, object] = {}
    >>> reads = registers(table)
    >>> @reads("conv", "convolutional")
    ... def conv() -> None: ...
    >>> sorted(table)
    ['conv', 'convolutional']
    """

    def reads(*names: str) -> Callable[[Reader], Reader]:
        def register(reader: Reader) -> Reader:
            readers.update(dict.fromkeys(names, reader))
            return reader

        return register

    return reads
