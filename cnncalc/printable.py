"""Text that came from outside, made fit for a terminal or a page.

Specs, answers, checkpoints and the names of files may hold characters that move the cursor, change the direction of
writing, or cannot be seen. Whatever prints such text prints it through here.
"""

from __future__ import annotations


def printable(text: str) -> str:
    r"""A text on one line: every kind of space is a space, and what cannot be seen is �.

    >>> printable("conv1\x1b[2J\n\u202etxt")
    'conv1�[2J �txt'
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    r"""The same for a text of several lines; they stay, and so do tabs.

    >>> printable_lines("a\tb\x07\nc")
    'a\tb�\nc'
    """
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return "".join(each if each in "\n\t" else _shown(each) for each in text.replace("\r\n", "\n"))


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character.isspace() else "�"
