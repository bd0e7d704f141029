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
    return match[1]


def cell_and_letter(text: str, options: Sequence[str] = ()) -> tuple[str, str]:
    """A cell and the letter behind it, from one line; an empty letter where there is none.

    >>> cell_and_letter("conv2 c"), cell_and_letter("conv2 macs: (c)"), cell_and_letter("conv2")
    (('conv2', 'c'), ('conv2 macs', 'c'), ('conv2', ''))
    """
    if re.fullmatch(r"\W*[a-zA-Z]\W*", text):
        return "", text.strip()
    match = re.fullmatch(
        r"(.*\w)\s*(?:[\s,;:/|()\[\]]|->|→|and|und|because of|mistake|error)+\(?([a-zA-Z])\)?\s*\.?", text.strip()
    )
    if match and len(match[1]) > 1:
        return match[1].strip(" ,;:"), match[2].lower()
    for i, option in enumerate(options):
        if _words(option) and _words(text)[-len(_words(option)) :] == _words(option):
            return " ".join(_words(text)[: -len(_words(option))]), "abcdefgh"[i]
    return text.strip(), ""


def same_cell(text: str, right: str) -> bool:
    """Whether two texts name one cell, in whatever order its layer and column stand."""
    return sorted(_words(text)) == sorted(_words(right))


def _words(text: str) -> list[str]:
    return re.findall(r"[\w.]+", text.lower())
