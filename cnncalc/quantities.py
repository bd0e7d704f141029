"""Numbers, sizes and shapes: as people write them, and as they read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .record import Record

#: Fractions with a denominator up to this are shown as fractions, others as decimals.
PLAIN_DENOMINATOR = 64

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "B": 3, "T": 4}
_ROUNDED = re.compile(r"\s*(\d{1,15})(?:\.(\d{1,15}))?(?:e(\d{1,2}))?\s*([kmgbt]?)\s*", re.IGNORECASE)


def number(value: Any, separator: str = ",") -> str:
    """A number as a person reads it; negative with a true minus sign.

    >>> number(61706), number(Fraction(3, 2)), number(Fraction(4089184256, 255342720)), number(-3)
    ('61,706', '3/2', '16.01', '−3')
    """
    if type(value) is int and value >= 0:  # nearly always
        return f"{value:,}" if separator == "," else f"{value:,}".replace(",", separator)
    if isinstance(value, Fraction) and value.denominator == 1:
        value = int(value)
    if isinstance(value, Fraction):
        text = f"{abs(value.numerator)}/{value.denominator}" if is_plain(value) else decimal(abs(value))
    elif isinstance(value, int):
        text = f"{abs(value):,}".replace(",", separator)
    else:
        text = str(value).lstrip("-")
    return f"−{text}" if value < 0 else text


def is_plain(value: Any) -> bool:
    """Whether a number is shown exactly: all but fractions that nobody could read."""
    return not isinstance(value, Fraction) or value.denominator <= PLAIN_DENOMINATOR


def decimal(value: Fraction | float, digits: int = 4) -> str:
    """A ratio with four significant digits.

    >>> decimal(Fraction(1, 3)), decimal(23.8712), decimal(12345.6), decimal(0.00012345)
    ('0.3333', '23.87', '12,346', '0.0001234')
    """
    value = float(value)
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    text = f"{value:.{digits}g}"
    return text if "e" not in text else f"{value:.10f}".rstrip("0").rstrip(".")


def readable(shape: Sequence[int] | None) -> str:
    """A shape as a person reads it: height × width × channels; ? where it is not known.

    >>> readable((6, 28, 28)), readable((400,)), readable(None), readable(Shaped((28, 28, 6), channels=2))
    ('28×28×6', '400', '?', '28×28×6')
    """
    if shape is None:
        return "?"
    if not shape:
        return "a single number"
    channels = getattr(shape, "channels", 0)
    return "×".join(map(str, (*shape[:channels], *shape[channels + 1 :], shape[channels])))


class Shaped(tuple[int, ...]):
    """A shape of which it is known which axis are the channels: not the first one behind a Permute."""

    channels = 0

    def __new__(cls, sizes: Sequence[int], channels: int = 0) -> Shaped:
        made = super().__new__(cls, sizes)
        made.channels = channels
        return made


def axes(sizes: Sequence[Any]) -> str:
    """Sizes along the axes; one alone where they are equal.

    >>> axes((5, 5)), axes((1, 5)), axes((Fraction(1, 2),))
    ('5', '1×5', '0.5')
    """
    distinct = sizes[:1] if all(size == sizes[0] for size in sizes) else sizes
    return "×".join(f"{float(size):g}" if isinstance(size, Fraction) else number(size) for size in distinct)


def share(value: float) -> str:
    """A part of a whole in percent."""
    return f"{100 * value:.1f} %"


def mebibytes(size: float) -> str:
    """Bytes as a number of mebibytes (2²⁰ bytes), with enough digits to see small ones.

    >>> mebibytes(107374182), mebibytes(18816)
    ('102.40', '0.0179')
    """
    value = size / 2**20
    return f"{value:,.2f}" if value >= 1 else f"{value:.4f}"


def mib(size: float) -> str:
    """Bytes in MiB, with the unit."""
    return f"{mebibytes(size)} MiB"


def si(value: float) -> str:
    """A count with an SI prefix, to be followed by its unit.

    >>> si(4089184256), si(5)
    ('4.089 G', '5 ')
    """
    for factor, prefix in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= factor:
            return f"{value / factor:.3f} {prefix}"
    return f"{value:g} "


class Rounded(Record):
    """A count as it was printed: its digits as one whole number, how many of them are decimals, and its unit."""

    digits: int
    decimals: int
    unit: int

    @property
    def value(self) -> Fraction:
        """The number that was written."""
        return Fraction(self.digits * self.unit, 10**self.decimals)

    @property
    def within(self) -> Fraction:
        """Half a unit of the last printed digit."""
        return Fraction(self.unit, 2 * 10**self.decimals)

    def agrees(self, exact: int) -> bool:
        """Whether a count, rounded to the digits that were printed, is this one; half a unit is still in."""
        return abs(self.value - exact) <= self.within


def rounded(text: str) -> Rounded | None:
    """A count with its unit in powers of 1000, as papers and people write it; None for what is none.

    >>> rounded("61.1M").agrees(61_100_840), rounded("61.1M").agrees(61_150_001), rounded("5 apples")
    (True, False, None)
    """
    match = _ROUNDED.fullmatch(text)
    if match is None:
        return None
    decimals = match[2] or ""
    return Rounded(
        int(match[1] + decimals), len(decimals), 10 ** int(match[3] or 0) * 1000 ** _POWERS[match[4].upper()]
    )


def is_rounded(text: str) -> bool:
    """Whether a text is a count with a unit, as 61.1M; a bare number is none."""
    found = rounded(text)
    return found is not None and found.unit > 1


def size_in_bytes(text: str) -> int | None:
    """Bytes of a memory size, with a unit in powers of 1000 or, with an i, of 1024; None for what is none.

    >>> size_in_bytes("16GiB"), size_in_bytes("1.5 gb"), size_in_bytes("4096B"), size_in_bytes("4096")
    (17179869184, 1500000000, 4096, None)
    """
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,6})?)\s*([kmgt]?)(i?)b?\s*", text.lower())
    if not match or (match[3] and not match[2]) or not float(match[1]) or text.strip()[-1].isdigit():
        return None
    power = " KMGT".index(match[2].upper() or " ")
    return int(float(match[1]) * (1024 if match[3] else 1000) ** power)
