"""Answers as people type them: a number, or the arithmetic that leads to it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import Misfit
from ..spec import expressions

_UNITS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "\x00", "²": "\x01", "³": "\x02"})


class Given(NamedTuple):
    """A number that was given, how far the true one may lie from it (half a unit of its last digit, if rounded), and
    the arithmetic behind it, if that was given."""

    value: float
    within: float = 0.0
    work: str = ""


def read(text: str) -> Given:
    """The number of an answer; raises `Misfit` for what is none.

    >>> read("5*5*3*100 + 100").value, read("1,728").value, read("1 728").value, read("1.7k")
    (7600, 1728, 1728, Given(value=1700.0, within=50.0, work=''))
    """
    plain = text.strip().translate(_SIGNS).replace("\x00", "**").replace("\x01", "**2").replace("\x02", "**3")
    plain = re.sub(r"(?<=\d)[,'\u202f\u00a0 ](?=\d{3}(?!\d))", "", plain)
    plain = re.sub(r"(?<=\d)\s*[xX]\s*(?=\d)", "*", plain)
    rounded = re.fullmatch(r"(\d+(?:\.(\d+))?)\s*([kKMGT])", plain)
    if rounded:
        unit = _UNITS[rounded[3]]
        return Given(float(rounded[1]) * unit, unit / 2 / 10 ** len(rounded[2] or ""))
    no_number = Misfit(f"{text.strip()[:40]!r} is no number", "a number, or arithmetic such as 5*5*3*100 + 100")
    if expressions.names_in(plain) - set(expressions.FUNCTIONS):
        raise no_number
    value = expressions.evaluate(plain, {})
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise no_number
    decimals = re.fullmatch(r"-?\d+\.(\d+)", plain)
    work = plain if len(re.findall(r"\d+(?:\.\d+)?", plain)) > 1 and not decimals else ""
    return Given(value, 0.5 * 10.0 ** -len(decimals[1]) if decimals else 0.0, work)


def agrees(given: Given, value: float, within: float = 0.0) -> bool:
    """Whether an answer is a value: exactly, to the digits that were given, or to a share of the value.

    >>> agrees(read("1.7k"), 1728), agrees(read("1700"), 1728), agrees(read("13.37"), 13.3705)
    (True, False, True)
    """
    allowed = max(
        given.within if not float(value).is_integer() or given.within >= 1 else 0.0,
        within * abs(value),
        1e-9 * abs(value),
    )
    return abs(given.value - value) <= allowed
