"""Question banks for learning platforms: Moodle XML and GIFT, the slips as wrong answers with their feedback."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from ..errors import usage_error
from ..printable import printable, printable_lines
from ..record import Record
from .kinds import CREDIT, credit
from .quiz import Question, questions


class Answer(Record):
    """An answer of a bank: its share of the points in %, its value, how far off it may be, and what is said of it."""

    share: float
    value: Any
    tolerance: float
    feedback: str


def bank(ending: str, count: int, seed: int, topic: str, misconceptions: str = "", where: str = "") -> str:
    """So many questions as a bank, by the ending of its file; raises `SpecError` for one that tells no format.

    >>> bank(".gift", 2, 7, "conv").count("{")
    2
    """
    writers = {".xml": moodle, ".gift": gift}
    write = writers.get(ending.lower())
    if write is None:
        raise usage_error(f"{where}: the ending tells no format", "use .xml for Moodle, .gift for GIFT")
    return write(questions(count, seed, topic, misconceptions), credit(misconceptions))


#: The shares of the points that Moodle knows, in %.
_SHARES = (100, 90, 83.33333, 80, 75, 70, 66.66667, 60, 50, 40, 33.33333, 30, 25, 20, 16.66667, 12.5, 10, 5, 0)


def _share(part: float) -> float:
    """A share of the points in %, as near as Moodle knows one."""
    return min(_SHARES, key=lambda known: abs(known - 100 * part))


def answers(question: Question, credit: Mapping[str, float] = CREDIT) -> list[Answer]:
    """The right answer, then conventions and what each slip gives, at the shares that a worksheet gives for them."""
    right = question.right
    found = [Answer(100, right, question.kind.within * abs(right), f"right: {question.line}")]
    told: dict[tuple[float, float], list[str]] = {}
    for slip in sorted(question.slips, key=lambda each: not each.convention):
        value, share = question.wrong(slip), _share(credit["convention" if slip.convention else "slip"])
        key = next((each for each in told if each[1] == round(float(value), 9)), (share, round(float(value), 9)))
        if abs(value - right) > 1e-9 * max(1.0, abs(right)):
            told.setdefault(key, []).append(slip.says.format(**question.letters))
    for (share, value), says in told.items():
        text = "; or: ".join(dict.fromkeys(says))
        found.append(Answer(share, value, question.kind.within * abs(value), text))
    return found


def moodle(questions: Sequence[Question], credit: Mapping[str, float] = CREDIT) -> str:
    """A bank as Moodle XML: the right answer, each slip with what it overlooks, then anything else.

    A unit may stand behind the number; for bytes, MiB and MACs larger ones too, which Moodle converts.

    >>> from random import Random
    >>> from cnncalc.teach.kinds import kinds
    >>> from cnncalc.teach.quiz import draw
    >>> moodle([draw(kinds()["channels"], Random(1))]).count("<answer")
    6
    """
    root = ElementTree.Element("quiz")
    for number, question in enumerate(questions, 1):
        made = ElementTree.SubElement(root, "question", type="numerical")
        _text(ElementTree.SubElement(made, "name"), f"{question.kind.topic} {number:03d} {question.kind.name}")
        asked = f"{question.text} [{question.kind.unit}]" if question.kind.unit else question.text
        _text(ElementTree.SubElement(made, "questiontext", format="plain_text"), asked)
        _text(ElementTree.SubElement(made, "generalfeedback", format="plain_text"), question.line)
        ElementTree.SubElement(made, "defaultgrade").text = "1"
        _units(made, question.kind.unit)
        for answer in answers(question, credit):
            _answer(made, f"{answer.share:g}", _plain(answer.value), f"{answer.tolerance:g}", answer.feedback)
        _answer(made, "0", "*", "0", f"not right; the formula is {question.hint()}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


#: What may stand behind a number, by the unit that is asked for, and how many of it are one of that.
_BYTES = {"bytes": 1.0, "B": 1.0, "kB": 1e-3, "MB": 1e-6, "GB": 1e-9, "KiB": 2.0**-10, "MiB": 2.0**-20, "GiB": 2.0**-30}
_UNITS: dict[str, dict[str, float]] = {
    "px": {"px": 1.0, "pixels": 1.0, "pixel": 1.0},
    "channels": {"channels": 1.0, "maps": 1.0},
    "parameters": {"parameters": 1.0, "params": 1.0, "weights": 1.0},
    "weights": {"weights": 1.0, "parameters": 1.0, "params": 1.0},
    "MAC": {"MAC": 1.0, "MACs": 1.0, "kMAC": 1e-3, "MMAC": 1e-6, "GMAC": 1e-9},
    "FLOP": {"FLOP": 1.0, "FLOPs": 1.0, "kFLOP": 1e-3, "MFLOP": 1e-6, "GFLOP": 1e-9},
    "bytes": _BYTES,
    "MiB": {"MiB": 1.0, **{name: size * 2.0**20 for name, size in _BYTES.items() if name != "MiB"}},
}


def _units(made: ElementTree.Element, unit: str) -> None:
    """Units that may be written and need not be."""
    if not unit:
        return
    ElementTree.SubElement(made, "unitgradingtype").text = "0"
    ElementTree.SubElement(made, "showunits").text = "3"
    ElementTree.SubElement(made, "unitsleft").text = "0"
    units = ElementTree.SubElement(made, "units")
    for name, multiplier in _UNITS.get(unit, {unit: 1.0}).items():
        one = ElementTree.SubElement(units, "unit")
        ElementTree.SubElement(one, "multiplier").text = f"{multiplier:.12g}"
        ElementTree.SubElement(one, "unit_name").text = printable(name)


def gift(questions: Sequence[Question], credit: Mapping[str, float] = CREDIT) -> str:
    """A bank in the GIFT format."""
    blocks = []
    for number, question in enumerate(questions, 1):
        unit = f" [{question.kind.unit}]" if question.kind.unit else ""
        title = _escaped(f"{question.kind.topic} {number:03d} {question.kind.name}")
        lines = [f"::{title}:: [plain]{_escaped(question.text + unit)} {{#"]
        for answer in answers(question, credit):
            share = "" if answer.share == 100 else f"%{answer.share:g}%"
            lines.append(f"  ={share}{_plain(answer.value)}:{answer.tolerance:g}#{_feedback(answer.feedback)}")
        lines += [f"  ~#{_feedback(f'not right; the formula is {question.hint()}')}", "}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _text(parent: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(parent, "text").text = printable_lines(text)


def _answer(parent: ElementTree.Element, fraction: str, value: str, tolerance: str, feedback: str) -> None:
    made = ElementTree.SubElement(parent, "answer", fraction=fraction, format="plain_text")
    _text(made, value)
    _text(ElementTree.SubElement(made, "feedback", format="plain_text"), feedback)
    ElementTree.SubElement(made, "tolerance").text = tolerance


def _plain(value: Any) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _escaped(text: str) -> str:
    """A text on one line in which GIFT finds nothing to interpret."""
    return re.sub(r"([~=#{}:\\])", r"\\\1", " ".join(printable(text).split()))


def _feedback(text: str) -> str:
    """Feedback, which would tell its own format if it began with a bracket."""
    return "[plain]" * text.lstrip().startswith("[") + _escaped(text)
