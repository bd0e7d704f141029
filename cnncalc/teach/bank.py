"""Question banks for learning platforms: Moodle XML and GIFT, the slips as wrong answers with their feedback."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree

from ..errors import usage_error
from ..printable import printable, printable_lines
from .quiz import Question, questions


class Answer(NamedTuple):
    """An answer of a bank: its share of the points in %, its value, how far off it may be, and what is said of it."""

    share: int
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
    return write(questions(count, seed, topic, misconceptions))


def answers(question: Question) -> list[Answer]:
    """The right answer, conventions at half of the points, then what each slip gives at none."""
    right = question.right
    found = [Answer(100, right, question.kind.within * abs(right), f"right: {question.line}")]
    told: dict[tuple[int, float], list[str]] = {}
    for slip in sorted(question.slips, key=lambda each: not each.convention):
        value, share = question.wrong(slip), 50 if slip.convention else 0
        key = next((each for each in told if each[1] == round(float(value), 9)), (share, round(float(value), 9)))
        if abs(value - right) > 1e-9 * max(1.0, abs(right)):
            told.setdefault(key, []).append(slip.says.format(**question.letters))
    for (share, value), says in told.items():
        text = "; or: ".join(dict.fromkeys(says))
        found.append(Answer(share, value, question.kind.within * abs(value), text))
    return found


def moodle(questions: Sequence[Question]) -> str:
    """A bank as Moodle XML: the right answer at 100 %, each slip at 0 % with what it overlooks, then anything else.

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
        for answer in answers(question):
            _answer(made, f"{answer.share}", _plain(answer.value), f"{answer.tolerance:g}", answer.feedback)
        _answer(made, "0", "*", "0", f"not right; the formula is {question.hint()}")
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def gift(questions: Sequence[Question]) -> str:
    """A bank in the GIFT format."""
    blocks = []
    for number, question in enumerate(questions, 1):
        unit = f" [{question.kind.unit}]" if question.kind.unit else ""
        title = _escaped(f"{question.kind.topic} {number:03d} {question.kind.name}")
        lines = [f"::{title}:: [plain]{_escaped(question.text + unit)} {{#"]
        for answer in answers(question):
            share = "" if answer.share == 100 else f"%{answer.share}%"
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
