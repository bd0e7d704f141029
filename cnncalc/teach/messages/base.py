"""What a message of PyTorch is, and what it is answered with."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ...graph import Graph, Layer
from ...record import Record


class Answer(Record):
    """What a message says in plain words, the reasons that fit it, the likeliest first, and what to change."""

    says: str
    reasons: tuple[str, ...]
    change: tuple[str, ...]
    layer: str = ""
    where: str = ""  # the line of the user's own code, where the message came with it

    def lines(self) -> list[str]:
        """The answer as text."""
        said = [self.says]
        said += [f"layer: {self.layer}"] if self.layer else []
        said += [f"where: {self.where}"] if self.where else []
        said += [f"why: {reason}" for reason in self.reasons]
        return said + [f"change: {change}" for change in self.change]


Explain = Callable[["re.Match[str]", "Graph | None"], Answer]


class Message(Record):
    """A message that is known: what it looks like, and who explains it."""

    pattern: re.Pattern[str]
    explain: Explain


#: All messages that are known.
MESSAGES: list[Message] = []

#: Sizes in brackets, as PyTorch prints them.
SIZES = r"\[([\d, \-x]*)\]"


def message(*patterns: str) -> Callable[[Explain], Explain]:
    """Declare which messages a function explains; it is given the match, and the network if there is one."""

    def declare(explain: Explain) -> Explain:
        MESSAGES.extend(Message(re.compile(pattern), explain) for pattern in patterns)
        return explain

    return declare


def plain(pattern: str, says: str, why: str | tuple[str, ...], change: str | tuple[str, ...]) -> None:
    """Declare a message whose answer needs no work: {1}, {2} … stand for what the groups of the pattern matched."""

    def filled(texts: str | tuple[str, ...], found: list[Any]) -> tuple[str, ...]:
        return tuple(text.format(*found) for text in ([texts] if isinstance(texts, str) else texts))

    def explain(match: re.Match[str], graph: Graph | None) -> Answer:
        found = [match[0], *(group or "" for group in match.groups())]
        return Answer(says.format(*found), filled(why, found), filled(change, found))

    message(pattern)(explain)


def sizes(text: str) -> tuple[int, ...]:
    """The sizes in a text.

    >>> sizes("[1, 3, 32, 32]")
    (1, 3, 32, 32)
    """
    return tuple(int(digits) for digits in re.findall(r"-?\d+", text))


def layer_of(graph: Graph | None, kind: str, fits: Callable[[Layer], bool]) -> Layer | None:
    """The first layer of a kind that fits, in the spec if there is one."""
    return (
        next((layer for layer in graph.layers if layer.type.startswith(kind) and fits(layer)), None) if graph else None
    )
