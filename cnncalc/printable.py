"""Text that came from outside, made fit for a terminal or a page.

Specs, answers, checkpoints and the names of files may hold characters that move the cursor, change the direction of
writing, or cannot be seen. Whatever prints such text prints it through here.
"""

from __future__ import annotations

import re

#: What can be printed and not be seen: fillers, blanks and joiners. Variation selectors only choose a picture.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_HIDDEN = re.compile(f"{_UNSEEN.pattern}|{_SELECTORS.pattern}")


def printable(text: str) -> str:
    r"""A text on one line: every kind of space is a space, and what cannot be seen is �.

    >>> printable("conv1\x1b[2J\n\u202etxt")
    'conv1�[2J �txt'
    """
    if not text.isprintable():
        text = "".join(map(_shown, text))
    return text if text.isascii() else _seen(text)


def _seen(text: str) -> str:
    return _UNSEEN.sub("�", _SELECTORS.sub("", text)) if _HIDDEN.search(text) else text


def printable_lines(text: str) -> str:
    r"""The same for a text of several lines; they stay, and so do tabs.

    >>> printable_lines("a\tb\x07\nc")
    'a\tb�\nc'
    """
    if not text.replace("\n", "").replace("\t", "").isprintable():
        text = "".join(each if each in "\n\t" else _shown(each) for each in text.replace("\r\n", "\n"))
    return text if text.isascii() else _seen(text)


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "�"
