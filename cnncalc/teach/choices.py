"""Choices as people write them: the letter of an option, its text, and the cell of a table."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import Misfit

#: What stands between letters where somebody gives several.
_BETWEEN = ("and", "or", "und", "oder", "both")
_LETTER = r"[\s\[('\"*`]*(?:option|answer|choice|antwort|letter)?[\s:=]*[(\[]?([a-z])"


def letter(text: str, options: Sequence[str] = ()) -> str:
    """The letter of an option: b, (b), b) and the text, or the text alone; raises `Misfit` for none or several.

    >>> letter("(B)"), letter("b) the stride was left out"), letter("the stride", ["the padding", "the stride"])
    ('b', 'b', 'b')
    """
    plain = text.strip().lower().rstrip(".!? ")
    same = [i for i, option in enumerate(options) if _words(option) and _words(option) == _words(plain)]
    if len(same) == 1:
        return "abcdefgh"[same[0]]
    words = re.findall(r"\w+", plain)
    if len(words) > 1 and all((len(word) == 1 and word.isalpha()) or word in _BETWEEN for word in words):
        raise Misfit(f"{text.strip()[:40]!r} are several letters", "one is asked for")
    match = re.fullmatch(rf"{_LETTER}['\"*`\])\s]*", plain) or re.match(rf"{_LETTER}\s*(?:[.):\]]+|\s-)\s*\S", plain)
    if not match:
        raise Misfit(f"{text.strip()[:40]!r} names no option", "a letter, as in b")
    if options and match[1] not in "abcdefgh"[: len(options)]:
        raise Misfit(f"there is no option {match[1]}", f"options are {', '.join('abcdefgh'[: len(options)])}")
    return match[1]


#: Words around a cell and a letter that say nothing.
_NOISE = frozenset(
    [
        "cell",
        "mistake",
        "error",
        "row",
        "layer",
        "the",
        "of",
        "in",
        "at",
        "and",
        "und",
        "because",
        "is",
        "wrong",
        "value",
    ]
)


def cell_and_letter(text: str, options: Sequence[str] = ()) -> tuple[str, str]:
    """A cell and the letter beside it, from one line; an empty letter where there is none.

    >>> cell_and_letter("conv2 c"), cell_and_letter("c: conv2 macs"), cell_and_letter("conv2")
    (('conv2', 'c'), ('conv2 macs', 'c'), ('conv2', ''))
    """
    words = [word for word in _words(text) if word not in _NOISE]
    for i, option in enumerate(options):
        told = [word for word in _words(option) if word not in _NOISE]
        if told and words[-len(told) :] == told:
            return " ".join(words[: -len(told)]), "abcdefgh"[i]
    letters = [place for place in (0, len(words) - 1) if words and re.fullmatch(r"[a-z]", words[place])]
    if not letters:
        return " ".join(words), ""
    place = letters[-1]
    return " ".join(words[:place] + words[place + 1 :]), words[place]


def same_cell(text: str, right: str, columns: Sequence[str] = ()) -> bool:
    """Whether two texts name one cell, in whatever order; where there is one column, it need not be named."""
    given = [word for word in _words(text) if word not in _NOISE]
    if len(columns) == 1:
        given = [word for word in given if word != columns[0].lower()]
    return sorted(given) == sorted(_words(right))


def _words(text: str) -> list[str]:
    return [word.strip(".") for word in re.findall(r"[\w.]+", text.lower()) if word.strip(".")]
