"""JSON: for reports the whole document, whatever table is shown; for other tables their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from ..printable import printable_lines
from ..table import Table, known

ENDINGS = (".json",)


def table(table: Table) -> str:
    """Indented by one level a row, so that a layer is a line and two documents can be compared line by line.

    Rows that come one after the other are written as they come.
    """
    content = table.document() if callable(table.document) else table.document
    if content is None:
        keys = [column.key for column in table.columns]
        content = [dict(zip(keys, map(_plain, line.cells), strict=True)) for line in table.lines]
    return _lines(content) + "\n"


def as_json(value: Any, **options: Any) -> str:
    r"""JSON whose letters are as they are, and what cannot be seen is escaped.

    >>> print(as_json({"größe": "\u202e"}))
    {"größe": "\u202e"}
    """
    return _seen(json.dumps(value, ensure_ascii=False, **options))


def _seen(text: str) -> str:
    if (text.isascii() and text.isprintable()) or text == printable_lines(text):
        return text
    return "".join(
        character if character == printable_lines(character) else json.dumps(character)[1:-1] for character in text
    )


def _plain(value: Any) -> Any:
    value = known(value)
    return float(value) if isinstance(value, Fraction) else value


_ENCODER = json.JSONEncoder(ensure_ascii=False, default=_plain)


def _lines(content: Any) -> str:
    def one(value: Any) -> str:
        return _seen(_ENCODER.encode(value))

    if isinstance(content, dict):
        parts = []
        for key, value in content.items():
            if isinstance(value, Iterator) or (
                isinstance(value, list) and value and isinstance(value[0], (dict, list))
            ):
                inner = ",\n    ".join(map(one, value))
                parts.append(f'  "{key}": [\n    {inner}\n  ]' if inner else f'  "{key}": []')
            else:
                parts.append(f'  "{key}": {one(value)}')
        return "{\n" + ",\n".join(parts) + "\n}"
    return "[\n  " + ",\n  ".join(map(one, content)) + "\n]" if content else "[]"


def _are_rows(value: Any) -> bool:
    """Whether a value is written with one line for each of its parts."""
    return isinstance(value, Iterator) or (isinstance(value, list) and isinstance(next(iter(value), 0), (dict, list)))
