"""Which programs of others may be run: from the command line only what it names, and nothing where answers are read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class _Allowed:
    """The words that may be run as programs; None for any, as where Python code asks."""

    words: frozenset[str] | None = None


@contextmanager
def only(words: frozenset[str]) -> Iterator[None]:
    """Inside, nothing but these words may be run as a program.

    >>> with only(frozenset({"mine.py:Net"})):
    ...     may_run("mine.py:Net"), may_run("theirs.py:Net")
    (True, False)
    """
    before, _Allowed.words = _Allowed.words, words
    try:
        yield
    finally:
        _Allowed.words = before


def is_limited() -> bool:
    """Whether only some words may be run: so it is where a person asks on the command line."""
    return _Allowed.words is not None


def may_run(word: str) -> bool:
    """Whether a word may be run as a program."""
    return _Allowed.words is None or word in _Allowed.words
