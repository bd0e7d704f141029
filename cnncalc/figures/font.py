"""The one font of the figures: a part of DejaVu Sans, with the width of each character as its file tells it."""

from __future__ import annotations

import struct
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

#: Latin, Greek, Cyrillic, arrows and signs of mathematics; its licence lies beside it.
FILE = Path(__file__).with_name("data") / "DejaVuSans.ttf"
#: What browsers take where they have it: all are at most as wide.
FAMILY = "DejaVu Sans, Liberation Sans, Arial, sans-serif"
#: Height of capitals, of what stands above the line, and of what hangs below it, as parts of the size.
CAPITAL, ASCENT, DESCENT = 0.73, 0.93, 0.24


class Font:
    """What is needed of a TrueType file: which glyph a character has, and how wide it is."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        count = struct.unpack_from(">H", data, 4)[0]
        records = (struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(count))
        self.tables = {tag.decode("ascii"): (offset, length) for tag, _, offset, length in records}
        self.units = struct.unpack_from(">H", data, self.tables["head"][0] + 18)[0]
        self.glyphs = self._glyphs()
        self.advances = self._advances()

    def _glyphs(self) -> dict[int, int]:
        """The glyph of each character, from the table of format 4."""
        start = self.tables["cmap"][0]
        found: dict[int, int] = {}
        for i in range(struct.unpack_from(">H", self.data, start + 2)[0]):
            at = start + struct.unpack_from(">I", self.data, start + 4 + 8 * i + 4)[0]
            if struct.unpack_from(">H", self.data, at)[0] != 4:
                continue
            double = struct.unpack_from(">H", self.data, at + 6)[0]
            half, count = double, double // 2
            ends = struct.unpack_from(f">{count}H", self.data, at + 14)
            starts = struct.unpack_from(f">{count}H", self.data, at + 16 + half)
            deltas = struct.unpack_from(f">{count}H", self.data, at + 16 + 2 * half)
            offsets = struct.unpack_from(f">{count}H", self.data, at + 16 + 3 * half)
            for segment in range(count):
                for code in range(starts[segment], min(ends[segment], 0xFFFE) + 1):
                    glyph = code
                    if offsets[segment]:
                        place = at + 16 + 3 * half + 2 * segment + offsets[segment] + 2 * (code - starts[segment])
                        glyph = struct.unpack_from(">H", self.data, place)[0]
                        if not glyph:
                            continue
                    found[code] = (glyph + deltas[segment]) & 0xFFFF
        return found

    def _advances(self) -> list[int]:
        """The width of each glyph, in thousandths of the size."""
        count = struct.unpack_from(">H", self.data, self.tables["hhea"][0] + 34)[0]
        total = struct.unpack_from(">H", self.data, self.tables["maxp"][0] + 4)[0]
        start = self.tables["hmtx"][0]
        widths = [struct.unpack_from(">H", self.data, start + 4 * i)[0] * 1000 / self.units for i in range(count)]
        return [round(each) for each in widths + [widths[-1]] * (total - count)]

    def advance(self, character: str) -> int:
        """The width of a character in thousandths of the size; of one that the font lacks, the most that it may be."""
        glyph = self.glyphs.get(ord(character))
        if glyph is not None:
            return self.advances[glyph]
        return 0 if unicodedata.combining(character) else 1100


@cache
def font() -> Font:
    """The font of the figures."""
    return Font(FILE.read_bytes())


@lru_cache(maxsize=4096)
def width(text: str, size: float) -> float:
    """How wide a text is.

    >>> round(width("3×3 conv, 64", 10), 1)
    67.2
    """
    made = font()
    return sum(map(made.advance, text)) * size / 1000


def shortened(text: str, size: float, most: float) -> str:
    """A text that is at most so wide, with … for what is left out.

    >>> shortened("a long name of a layer", 10, 60)
    'a long na…'
    """
    if width(text, size) <= most:
        return text
    while text and width(text + "…", size) > most:
        text = text[:-1]
    return text.rstrip() + "…"


def wrapped(text: str, size: float, most: float) -> list[str]:
    """A text in lines that are at most so wide, where its words are.

    >>> wrapped("3×3 depthwise conv, 64 · BN + ReLU", 10, 110)
    ['3×3 depthwise conv,', '64 · BN + ReLU']
    """
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and width(longer, size) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
