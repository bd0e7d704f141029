"""Answers as people type them: a number, the arithmetic that leads to it, or a shape of which one size is asked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import suppress

from ..errors import Misfit
from ..language import expressions
from ..ops import Shape
from ..quantities import size_in_bytes
from ..record import Record
from .shapes import channels_first, fitted, no_shape, sizes_in

#: Characters of an answer that may be a number.
LONGEST = 200
#: Sides of equations that are read, the last ones.
MOST_SIDES = 8
#: How far a rounded answer may lie from the number, as a share of it: two digits tell that much.
ROUNDED = 0.05

_UNITS = {"k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SCALES = {
    r"thousand|tausend": "k",
    r"million(?:en|s)?|mio\.?|mill\.?": "M",
    r"billions?|bn|milliarden?|mrd\.?": "G",
}
#: What people write before a number, and behind it: words that say nothing else about it.
_BEFORE = re.compile(
    r"(?:(?:the|my|an?|answer|result|it|is|are|so|thus|therefore|hence|gives?|equals?|i|think|get|have|about|around|approx(?:\.|imately)?|roughly|nearly"
    r"|circa|ca\.?|c\.|etwa|rund|ungefähr|das|sind|ist|output|input|height|width|side|size|channels?|depth|params?|parameters?|weights?|total|macs?|flops?"
    r"|bytes?|memory|[A-Za-z](?:_?[A-Za-z0-9]{1,3})?(?=\s*[=:]))(?:\s+|\s*[:=→]\s*|(?<=\.)))+(?=[\d(+\-.⌊⌈√~≈\[]|(?:sqrt|floor|ceil)\b)",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(?<=[\d)\]kKMGT.])(?:\s*\b(?:in total|in all)|\s*(?:px|pix(?:els?)?|param(?:eter)?s?|weights?|bytes?|(?<![kKMGT])b|MACs?|mult(?:iply)?-adds?|FLOPs?|operations?|ops|MiB|channels?|rows?|columns?"
    r"|updates?|units?|values?|numbers?|features?|elements?|neurons?|maps?|filters?|images?|high|wide|tall|deep|total|altogether|each))+\.?$",
    re.IGNORECASE,
)
_SIGNS = str.maketrans({
    "×": "*", "·": "*", "⋅": "*", "∙": "*", "✕": "*", "÷": "/", "∕": "/", "−": "-", "–": "-", "—": "-", "’": "'", "\u202f": " ", "\u00a0": " ", "\u2009": " ",
    "⌊": "floor(", "⌈": "ceil(", "⌋": ")", "⌉": ")", **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
})  # fmt: skip
_POWERS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
#: What stands where nothing is answered.
_NOTHING = re.compile(
    r"[?\-–—._…/\s]*|n/?a|idk|none|don'?t know|i don'?t know|no idea|weiß nicht|keine ahnung", re.IGNORECASE
)


class Given(Record):
    """A number that was given, how far the true one may lie from it (half a unit of its last digit, if rounded), the
    arithmetic behind it, if that was given, and what else the text could mean."""

    value: float
    within: float = 0.0
    work: str = ""
    others: tuple[float, ...] = ()

    def readings(self) -> Iterator[Given]:
        """All that it could mean, the likeliest first."""
        yield self
        for value in self.others:
            yield self._replace(value=value, others=())


def is_nothing(text: str) -> bool:
    """Whether somebody wrote that there is no answer.

    >>> is_nothing("?"), is_nothing("idk"), is_nothing("0")
    (True, True, False)
    """
    return _NOTHING.fullmatch(text.strip()) is not None


def read(text: str, unit: str = "") -> Given:
    """The number of an answer to a question that asks in a unit; raises `Misfit` for what is none, or for several.

    >>> read("5*5*3*100 + 100").value, read("1,728").value, read("1 728").value, read("1.7k")
    (7600, 1728, 1728, Given(value=1700.0, within=50.0, work='', others=()))
    >>> read("5*5*3*20 + 20 = 1520").work, read("7600 parameters").value, read("12.5 %").value, read("0,5").value
    ('5*5*3*20 + 20', 7600, 0.125, 0.5)
    >>> read("ca. 27").value, read("01520").value, read("28x28x6", "px").value, read("4 kB", "bytes").value
    (27, 1520, 28, 4000.0)
    """
    if len(text) > LONGEST:
        raise Misfit(f"an answer of {len(text):,} characters", "a number, or arithmetic such as 5*5*3*100 + 100")
    if re.search(r"[<>≤≥≠!]", re.sub(r"[=-]>|→|!+\s*$", "", text)):
        raise Misfit(f"{text.strip()[:40]!r} says how it compares", "one number is asked for")
    sides = [_bare(part) for part in re.split(r"=>|->|→|=|≈|~", text)]
    sides = [side for side in sides if side]
    if len(sides) > 1:
        sides = [side for side in sides if re.search(r"\d", side)] or sides  # O = 24
    if not sides:
        raise _no_number(text)
    if unit in ("px", "channels") and (size := _of_shape(sides[-1], unit)) is not None:
        return Given(size)
    numbers = [_number(side, text, unit) for side in sides[-MOST_SIDES:]]
    for (before, number), side in zip(itertools.pairwise(numbers), sides[-MOST_SIDES:][1:], strict=True):
        _refuse_another(before, number, side, text)
    first, last = numbers[0], numbers[-1]
    return last._replace(work=last.work or first.work) if last.work or len(numbers) > 1 else last


def _refuse_another(before: Given, after: Given, side: str, text: str) -> None:
    """Raise `Misfit` where the two sides of an = are not one number, to the digits that were given.

    A sum that is carried on is none of these: 5*5 = 25*3 = 75 says that 5*5 is 25, and 25*3 is 75.
    """
    leading = re.match(r"\d[\d.,]*", side)
    values = [reading.value for reading in after.readings()]
    if leading and after.work:
        with suppress(Misfit):
            values += [reading.value for reading in _number(leading[0], leading[0], "").readings()]
    for reading in before.readings():
        allowed = max(
            after.within, before.within, 1e-6 * abs(reading.value), 0.005 * abs(reading.value) * (not after.work)
        )
        if any(abs(reading.value - value) <= allowed for value in values):
            return
    raise Misfit(
        f"{text.strip()[:40]!r} says two things: the sides differ", "one number, or arithmetic that leads to it"
    )


def _bare(text: str) -> str:
    """A text without the words, signs and brackets around a number."""
    text = text.strip().strip("`\"'*").strip().rstrip("?!").strip()
    text = re.sub(r"(?<=[\d)A-Za-z])\.$", "", text)
    text = re.sub(r"^\[([^\[\],;]*)\]$", r"\1", text)
    return _BEFORE.sub("", text, count=1) if _BEFORE.match(text) else text.removesuffix(":").strip()


def _of_shape(text: str, unit: str) -> int | None:
    """The size that is asked for, of somebody who wrote the whole shape; None for what is no shape."""
    if "*" in text and not re.fullmatch(
        r"\s*(\d+)\s*\*\s*\1(?:\s*\*\s*\d+)?\s*", text
    ):  # 5*3 is arithmetic, 28*28 a map
        return None
    try:
        sizes = sizes_in(text)
    except Misfit:
        return None
    if len(sizes) == 4 and sizes[0] == 1:
        sizes = sizes[1:]
    if len(sizes) == 2 and unit == "px" and sizes[0] == sizes[1]:
        return sizes[0]
    if len(sizes) == 3 and (sizes[0] == sizes[1]) != (sizes[1] == sizes[2]):
        return sizes[1] if unit == "px" else sizes[2] if sizes[0] == sizes[1] else sizes[0]
    if len(sizes) > 1:
        asked = "one side" if unit == "px" else "the number of channels"
        raise Misfit(f"{text.strip()[:40]!r} are several sizes", f"{asked} is asked for")
    return None


def _number(part: str, text: str, unit: str) -> Given:
    if re.search(r"\d\s+(?:or|oder|and|und|bis|to)\s+\d|\d\s*[;|]\s*\d|\d\s*,\s+\d", part):
        raise Misfit(f"{text.strip()[:40]!r} are several numbers", "one is asked for")
    in_bytes = _bytes(part, unit)
    if in_bytes is not None:
        return in_bytes
    plain = re.sub(r"(?<=[\d)])([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda found: "**" + found[1].translate(_POWERS), part)
    behind = _BEHIND.search(plain)
    if behind:
        _refuse_unit(behind[0], unit, text)
        plain = plain[: behind.start()]
    plain = plain.translate(_SIGNS).replace("^", "**")
    for words, letter in _SCALES.items():
        plain = re.sub(rf"(?<=\d)\s*(?:{words})$", letter, plain, flags=re.IGNORECASE)
    plain, percent = re.subn(r"(?<=\d)\s*(?:%|per ?cent|percent)$", "", plain)
    plain, others = _separated(plain)
    plain = re.sub(r"(?:√|\bsqrt\s*)(\d+(?:\.\d+)?|\([^()]*(?:\([^()]*\)[^()]*)*\))", r"(\1)**0.5", plain)
    if re.search(r"(?<!\w)0[xXbBoO]", plain):  # 0x10 is the way of programs
        raise _no_number(text)
    plain = re.sub(r"(?<=[\d)])\s*[xX]\s*(?=[\d(])", "*", plain)
    plain = re.sub(r"(?<![\w.])0+(?=\d)", "", plain)
    remark = re.fullmatch(r"(.*[\d)])\s+\(([^()]*)\)", plain)
    if remark and not re.search(r"\d", remark[2]):  # 27 (rounded down)
        plain = remark[1]
    elif remark and (re.fullmatch(r"[\d.]+", remark[2]) or re.fullmatch(r"[\d.]+", remark[1])):  # 27 (28 - 3 + 2)
        ahead, inside = (_number(each, text, unit) for each in remark.groups())
        if abs(ahead.value - inside.value) <= max(ahead.within, inside.within, 1e-6 * abs(ahead.value)):
            return ahead._replace(work=ahead.work or inside.work)
        if not inside.work:
            raise Misfit(f"{text.strip()[:40]!r} are two numbers", "one is asked for")
    plain = re.sub(r"(?<=[\d)])\s*(?=\()", "*", plain)
    rounded = re.fullmatch(r"([+-]?\d+(?:\.(\d+))?)\s*([kKMGT])", plain)
    if rounded:
        scale = _UNITS[rounded[3]] / (10**6 if unit.startswith("million") else 1)
        return Given(float(rounded[1]) * scale, scale / 2 / 10 ** len(rounded[2] or ""))
    if expressions.names_in(plain) - set(expressions.FUNCTIONS):
        raise _no_number(text)
    try:
        value = expressions.evaluate(plain, {})
    except Misfit:
        raise _no_number(text) from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _no_number(text)
    decimals = re.fullmatch(r"[+-]?\d+\.(\d+)", plain)
    work = plain if len(re.findall(r"\d+(?:\.\d+)?", plain)) > 1 and not decimals else ""
    thousands = re.sub(r"(?<![\d.])([1-9]\d{0,2})\.(?=\d{3}(?![\d.]))", r"\1", plain)
    if work and thousands != plain:  # 7.500 + 100
        with suppress(Misfit):
            others += (float(expressions.evaluate(thousands, {})),)
    scale = 100 if percent else 1
    if unit.startswith("million") and value >= 10**4:
        others += (value / 10**6,)
    within = 0.5 * 10.0 ** -len(decimals[1]) / scale if decimals else 0.5 / scale if percent and not work else 0.0
    return Given(value / scale if percent else value, within, work, others)


#: Units that mean the same, and none of the others.
_KINDS = (
    {"px", "pix", "pixel", "pixels", "high", "wide", "tall"},
    {"channels", "channel", "maps", "map", "filters", "filter", "neurons"},
    {"parameters", "parameter", "params", "param", "weights", "weight"},
    {"mac", "macs", "flop", "flops", "operations", "ops", "mult-adds", "multiply-adds"},
    {"bytes", "byte", "mib"},
)


def _refuse_unit(written: str, unit: str, text: str) -> None:
    """Raise `Misfit` for a unit of another kind than the one that is asked for."""
    asked = next((kind for kind in _KINDS if unit.lower().rpartition(" ")[2] in kind), set[str]())
    words = set(re.findall(r"[a-z\-]+", written.lower()))
    other = next((word for word in words for kind in _KINDS if word in kind and kind is not asked), "")
    if asked and other and not words & asked:
        raise Misfit(f"{text.strip()[:40]!r} is in {other}", f"{unit} is asked for")


def _separated(text: str) -> tuple[str, tuple[float, ...]]:
    """A text without separators of thousands, its decimals behind a dot; and what else a lone separator could mean."""
    if re.search(r"[a-z]\s*\(", text):  # commas part arguments
        return re.sub(r"(?<=\d)['_ ](?=\d{3}(?!\d))", "", text), ()
    lone = re.fullmatch(r"([+-]?\d{1,3})([.,])(\d{3})", text.strip())
    if lone:  # 1,728 is a whole number to most, 1.728 is not; but each is the other's way
        whole, part = float(lone[1] + lone[3]), float(f"{lone[1]}.{lone[3]}")
        if lone[2] == ",":
            return (f"{lone[1]}.{lone[3]}", (whole,)) if lone[1] == "0" else (lone[1] + lone[3], (part,))
        return f"{lone[1]}.{lone[3]}", (whole,)
    text = re.sub(
        r"(?<![\d.,])\d{1,3}(?:\.\d{3})+(?=,\d)|(?<![\d.,])\d{1,3}(?:\.\d{3}){2,}(?![\d.])",
        lambda found: found[0].replace(".", ""),
        text,
    )
    text = re.sub(r"(?<![\d.])(0|\d+(?=,\d{1,2}(?!\d)|,\d{4})),(?=\d)", r"\1.", text)
    return re.sub(r"(?<=\d)[,'_ ](?=\d{3}(?!\d))", "", text), ()


def _bytes(part: str, unit: str) -> Given | None:
    """A size of memory with its unit, in the unit that is asked for; None for what is none."""
    match = re.fullmatch(r"(\d[\d., ']*?)\s*([kmgt]?)(i?)b(?:ytes?)?\.?", part.strip(), re.IGNORECASE)
    if not match or (not match[2] and (match[3] or unit != "MiB")):
        return None
    if unit not in ("bytes", "MiB"):
        raise Misfit(f"{part.strip()[:40]!r} is a size of memory", f"{unit or 'a number'} is asked for")
    digits = _separated(match[1].strip())[0]
    size = (size_in_bytes(f"1{match[2]}{match[3]}b") or 1) if match[2] else 1
    scale = size / (2**20 if unit == "MiB" else 1)
    try:
        value = float(digits) * scale
    except ValueError:
        return None
    decimals = digits.partition(".")[2]
    return Given(value, 0.5 * 10.0 ** -len(decimals) * scale if decimals or scale != 1 else 0.0)


def _no_number(text: str) -> Misfit:
    return Misfit(f"{text.strip()[:40]!r} is no number", "a number, or arithmetic such as 5*5*3*100 + 100")


def agrees(given: Given, value: float, within: float = 0.0) -> bool:
    """Whether an answer is a value: exactly, to the digits that were given, or to a share of the value.

    >>> agrees(read("1.7k"), 1728), agrees(read("1700"), 1728), agrees(read("13.37"), 13.3705), agrees(read("0T"), 1728)
    (True, False, True, False)
    """
    to_digits = given.within if not float(value).is_integer() or given.within >= 1 else 0.0
    allowed = max(to_digits if to_digits <= ROUNDED * abs(value) else 0.0, within * abs(value), 1e-9 * abs(value))
    return abs(given.value - value) <= allowed


def read_shape(text: str, right: Shape) -> Shape:
    """A shape that was asked for, channels first; raises `Misfit` for what is none.

    >>> read_shape("1x6x28x28", (6, 28, 28)), read_shape("28x28x6", (6, 28, 28)), read_shape("5*5*16", (400,))
    ((6, 28, 28), (6, 28, 28), (400,))
    """
    if len(right) == 1:
        return (_length(text),)
    return channels_first(fitted(sizes_in(text), right), right)


def _length(text: str) -> int:
    """The size of a vector: a number or arithmetic, or sizes of which all but one are 1."""
    try:
        sizes = tuple(size for size in sizes_in(text) if size != 1) or (1,)
    except Misfit:
        sizes = ()
    if len(sizes) == 1:
        return sizes[0]
    if (
        sizes
        and not re.search(r"[x×*]", text)
        and not re.fullmatch(r"\s*\d{1,3}(?:[., '_\u00a0\u202f]\d{3})+\s*", text)
    ):
        raise Misfit(f"{text.strip()[:40]!r} are several sizes", "a vector has one, as in 400")
    given = read(text)
    whole = [reading.value for reading in given.readings() if reading.value == int(reading.value)]
    if not whole:
        raise no_shape(text)
    return int(whole[0])
