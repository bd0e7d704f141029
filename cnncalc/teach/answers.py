"""Answers as people type them: a number, or the arithmetic that leads to it."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import Misfit
from ..language import expressions

_UNITS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
#: What people write behind a number.
_WORDS = re.compile(
    r"(?<=[\d)kKMGT])\s*(px|pixels?|parameters?|params?|weights?|bytes?|MACs?|FLOPs?|MiB|channels?|rows|updates|units?)\.?$",
    re.IGNORECASE,
)
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "^": "\x00", "²": "\x01", "³": "\x02"})


#: Characters of an answer that may be a number.
LONGEST = 200


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
    >>> read("5*5*3*20 + 20 = 1520").work, read("7600 parameters").value, read("12.5 %").value, read("0,5").value
    ('5*5*3*20 + 20', 7600, 0.125, 0.5)
    """
    if len(text) > LONGEST:
        raise Misfit(f"an answer of {len(text):,} characters", "a number, or arithmetic such as 5*5*3*100 + 100")
    parts = [part for part in text.strip().lstrip("=~≈ ").split("=") if part.strip()]
    numbers = [_number(part.strip(), text) for part in parts[:1] + parts[1:][-1:]]
    if not numbers:
        raise _no_number(text)
    return numbers[-1]._replace(work=numbers[0].work)


def _number(part: str, text: str) -> Given:
    plain = _WORDS.sub("", part).translate(_SIGNS).replace("\x00", "**").replace("\x01", "**2").replace("\x02", "**3")
    plain, percent = re.subn(r"(?<=\d)\s*%$", "", plain)
    if not re.search(r"[a-z]\s*\(", plain):  # a comma that parts no arguments
        plain = re.sub(r"(?<![\d.])(0|\d+(?=,\d{1,2}(?!\d)|,\d{4}))," + r"(?=\d)", r"\1.", plain)
        plain = re.sub(r"(?<=\d)[,'\u202f\u00a0 ](?=\d{3}(?!\d))", "", plain)
    plain = re.sub(r"√(\d+(?:\.\d+)?|\([^()]*\))", r"(\1)**0.5", plain)
    plain = re.sub(r"(?<!\w)([1-9]\d*)\s*[xX]\s*(?=\d)", r"\1*", plain)
    plain = re.sub(r"(?<=[\d)])\s*(?=\()", "*", plain)
    rounded = re.fullmatch(r"(\d+(?:\.(\d+))?)\s*([kKMGT])", plain)
    if rounded:
        unit = _UNITS[rounded[3]]
        return Given(float(rounded[1]) * unit, unit / 2 / 10 ** len(rounded[2] or ""))
    if expressions.names_in(plain) - set(expressions.FUNCTIONS):
        raise _no_number(text)
    try:
        value = expressions.evaluate(plain, {})
    except Misfit:
        raise _no_number(text) from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _no_number(text)
    decimals = re.fullmatch(r"-?\d+\.(\d+)", plain)
    work = plain if len(re.findall(r"\d+(?:\.\d+)?", plain)) > 1 and not decimals else ""
    scale = 100 if percent else 1
    return Given(
        value / scale if percent else value, 0.5 * 10.0 ** -len(decimals[1]) / scale if decimals else 0.0, work
    )


def _no_number(text: str) -> Misfit:
    return Misfit(f"{text.strip()[:40]!r} is no number", "a number, or arithmetic such as 5*5*3*100 + 100")


#: How far a rounded answer may lie from the number, as a share of it: two digits tell that much.
ROUNDED = 0.05


def agrees(given: Given, value: float, within: float = 0.0) -> bool:
    """Whether an answer is a value: exactly, to the digits that were given, or to a share of the value.

    >>> agrees(read("1.7k"), 1728), agrees(read("1700"), 1728), agrees(read("13.37"), 13.3705), agrees(read("0T"), 1728)
    (True, False, True, False)
    """
    to_digits = given.within if not float(value).is_integer() or given.within >= 1 else 0.0
    allowed = max(to_digits if to_digits <= ROUNDED * abs(value) else 0.0, within * abs(value), 1e-9 * abs(value))
    return abs(given.value - value) <= allowed
