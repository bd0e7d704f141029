"""The form of Darknet's `.cfg`: sections with options."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..record import Record
from .refusals import refused

#: Bytes of a file, and sections in it.
MAX_BYTES, MAX_SECTIONS = 1 << 20, 20_000


class Section(Record):
    """A section of a file: its kind, its options, and the line that it begins in."""

    kind: str
    options: Mapping[str, str]
    line: int

    def number(self, name: str, default: int) -> int:
        """An option that is a whole number; raises `ValueError`."""
        return int(float(self.options.get(name, default)))

    def real(self, name: str, default: float) -> float:
        return float(self.options.get(name, default))

    def numbers(self, name: str) -> list[int]:
        return [int(part) for part in self.options.get(name, "").split(",") if part.strip()]


def sections(text: str, name: str = "") -> list[Section]:
    """The sections of a file.

    >>> [(each.kind, dict(each.options)) for each in sections("[net]\\nwidth=32\\n# a remark\\n[avgpool]")]
    [('net', {'width': '32'}), ('avgpool', {})]
    """
    found: list[Section] = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.partition("#")[0].partition(";")[0].strip()
        if not line:
            continue
        head = re.fullmatch(r"\[(\w+)\]", line)
        if head:
            found.append(Section(head[1].lower(), {}, number))
            if len(found) > MAX_SECTIONS:
                raise refused(f"more than {MAX_SECTIONS:,} sections", name)
            continue
        key, equals, value = line.partition("=")
        if not equals or not found:
            raise refused(
                f"{line[:40]!r} is neither a section nor an option",
                f"{name}:{number}",
                "[convolutional], or filters=64",
            )
        found[-1].options[key.strip()] = value.strip()  # type: ignore[index]
    if not found or found[0].kind not in ("net", "network"):
        raise refused("it does not begin with [net]", name, "a .cfg of Darknet does")
    return found
