"""Shapes as people write them: axes in any order, with a batch, as LeNet's 6@28×28, in words."""

from __future__ import annotations

import re

from ..errors import Misfit
from ..ops import Shape

LONGEST = 100
_BATCH = r"(?:N|B|None|batch(?:_size)?|bs|\?|-1)"
_PREFIX = re.compile(
    r"^(?:torch\.size|shape|output|size|map|tensor|the|is|of|it|a|[A-Za-z](?:\s*[x×*·,]\s*[A-Za-z]){1,3}(?=\s*[=:]))(?:\s*[=:]\s*|\s+|(?=[\[(]))+",
    re.IGNORECASE,
)
_SUFFIX = re.compile(
    r"\s*(?:px|pixels?|values|\(?(?:H\W?W\W?C|C\W?H\W?W|channels[ _](?:first|last)|NCHW|NHWC)\)?)\.?$", re.IGNORECASE
)
_SEPARATOR = r"\s*(?:[x×✕*·,;]|\bby\b|\bmal\b)\s*|\s+"
_WORD = r"(?:pixels?|px|high|tall|wide|height|width|rows?|columns?|with|and|und|of|maps?|feature|features|deep|on|at|je|à|a)"
_CHANNELS = r"(?:channels?|filters?|planes?|feature\s+maps?|maps?|kanäle|deep)"


def sizes_in(text: str) -> tuple[int, ...]:
    """The sizes of a shape in the order in which they were written, the batch included; raises `Misfit`.

    A batch that is no number is left out. Where words or an @ tell which are the channels, they stand first.

    >>> sizes_in("28x28x6"), sizes_in("6, 28, 28"), sizes_in("torch.Size([1, 6, 28, 28])"), sizes_in("400")
    ((28, 28, 6), (6, 28, 28), (1, 6, 28, 28), (400,))
    >>> sizes_in("6@28x28"), sizes_in("28x28 with 6 channels"), sizes_in("(None, 28, 28, 6)"), sizes_in("28² x 6")
    ((6, 28, 28), (6, 28, 28), (28, 28, 6), (28, 28, 6))
    """
    body = text.strip().strip("`\"'").rstrip("?!.").strip()
    if not body or len(body) > LONGEST:
        raise no_shape(text)
    while (shorter := _PREFIX.sub("", body, count=1)) != body:
        body = shorter.strip()
    while (shorter := _SUFFIX.sub("", body)) != body:
        body = shorter.strip()
    while re.fullmatch(r"[(\[{<].*[)\]}>]", body):
        body = body[1:-1].strip()
    body = body.removesuffix(",")  # (120,)
    body = re.sub(r"(\d+)\s*(?:²|\^\s*2|\*\*\s*2)", r"\1x\1", body)
    body = re.sub(r"(?<=\d)\.0+(?!\d)", "", body)
    at = re.fullmatch(r"(\d{1,9})\s*@\s*(\d{1,9}(?:\s*[x×*]\s*\d{1,9})*)", body)
    if at:
        return _whole(at[1], *re.split(r"\s*[x×*]\s*", at[2]))
    told = _in_words(body)
    if told:
        return told
    body = re.sub(rf"^{_BATCH}(?:{_SEPARATOR})", "", body, flags=re.IGNORECASE)
    parts = re.split(_SEPARATOR, body)
    if not 1 <= len(parts) <= 5 or not all(re.fullmatch(r"\d{1,9}", part) for part in parts):
        raise no_shape(text)
    return _whole(*parts)


def _in_words(body: str) -> tuple[int, ...]:
    """28 high, 28 wide, 6 channels; or 6 maps of 28×28. Channels first; nothing where words tell no channels."""
    channels = re.findall(rf"(\d{{1,9}})\s*{_CHANNELS}\b", body, re.IGNORECASE)
    if len(channels) != 1:
        return ()
    rest = re.sub(rf"(\d{{1,9}})\s*{_CHANNELS}\b", " ", body, flags=re.IGNORECASE)
    sides = re.findall(r"\d{1,9}", rest)
    high, wide = (re.search(rf"(\d{{1,9}})\s*(?:pixels?\s*|px\s*)?{word}", rest) for word in (r"(?:high|tall)", "wide"))
    if high and wide:
        sides = [high[1], wide[1]]
    words = re.sub(r"\d+|[×*·,;()]|\bx\b", " ", re.sub(r"(?<=\d)\s*x\s*(?=\d)", " ", rest))
    if not re.fullmatch(rf"\s*(?:{_WORD}\s*|by\s*)*", words, re.IGNORECASE) or not 1 <= len(sides) <= 3:
        return ()
    return _whole(channels[0], *sides)


def _whole(*parts: str) -> tuple[int, ...]:
    return tuple(int(part) for part in parts)


def no_shape(text: str) -> Misfit:
    """What to say of a text that is none."""
    return Misfit(f"{text.strip()[:40]!r} is no shape", "a shape, as in 28x28x6, or 400 for a vector")


def fitted(sizes: Shape, right: Shape) -> Shape:
    """The sizes without a batch of one, where the right shape has none.

    >>> fitted((1, 6, 28, 28), (6, 28, 28)), fitted((28, 28), (6, 28, 28))
    ((6, 28, 28), (28, 28))
    """
    return sizes[1:] if len(sizes) == len(right) + 1 and sizes[0] == 1 else sizes


def channels_first(guess: Shape, right: Shape) -> Shape:
    """A shape that somebody wrote with its channels first or, as lectures do, last; channels first.

    >>> channels_first((28, 28, 3), (6, 28, 28)), channels_first((3, 28, 28), (6, 28, 28))
    ((3, 28, 28), (3, 28, 28))
    """
    if len(guess) != len(right) or len(right) < 2 or guess == right:
        return guess
    last = (guess[-1], *guess[:-1])
    if last == right:
        return last
    square = len(right) == 3 and right[1] == right[2]
    if square and (guess[0] == guess[1]) != (guess[1] == guess[2]):  # the two that are equal are the sides
        return guess if guess[1] == guess[2] else last
    return guess if guess[0] == right[0] and guess[-1] != right[0] else last
