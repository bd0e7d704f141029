"""The student's side: lessons with their numbers and figures, the quiz, and a window that moves."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...errors import Misfit, usage_error
from ...figures.options import Options
from ...figures.pictures import conv
from ...figures.svg import lines as svg_lines
from ...quantities import number
from ...teach.lessons import LIMITS, MOST_SEEDS, Lesson, Sheet, lessons
from ...teach.lessons import lesson as found
from ...teach.quiz import Quiz, feedback
from . import Answer, question

#: Lessons that were worked out before, for where NumPy is not.
WORKED = "worked.json"
WORKED_FILE = Path(__file__).with_name(WORKED)
#: Answers of one quiz, and characters of an answer.
MOST_ANSWERS, MOST_TYPED = 100, 400
#: What is typed in place of an answer.
SKIP = "skip"


@question
def lesson(*, name: str, numbers: dict[str, Any] = {}, dark: bool = False) -> Answer:  # noqa: B006
    """A lesson worked out with these numbers, its figure, and from where to where each number may be changed.

    Where there is no NumPy, and lessons lie worked out beside this file, they are shown as they are.
    """
    if WORKED_FILE.is_file() and find_spec("numpy") is None:
        kept: Answer = json.loads(WORKED_FILE.read_text("utf-8")).get(name)
        if kept is None or numbers:
            raise usage_error("the numbers of lessons cannot be changed on this page", "cnncalc lesson does it")
        return {**kept, "svg": kept["dark" if dark else "light"]}
    one = found(name)
    sheet = one.run(numbers)
    return {**_sheet(one, sheet, numbers), "svg": _figure(sheet, dark)}


def worked() -> dict[str, Answer]:
    """All lessons, worked out with their own numbers, with a figure for day and one for night; none without NumPy."""
    if find_spec("numpy") is None:
        return {}
    made = {}
    for one in lessons():
        sheet = one.run()
        figures = {"light": _figure(sheet, False), "dark": _figure(sheet, True)}
        made[one.name] = {**_sheet(one, sheet, {}), **figures, "fixed": True}
    return made


def _sheet(one: Lesson, sheet: Sheet, numbers: dict[str, Any]) -> Answer:
    """What a lesson says, and from where to where each of its numbers may be changed."""
    limits = LIMITS.get(one.name, {})
    ranges = {key: (0, MOST_SEEDS) if key == "seed" else limits[key] for key in one.knobs}
    knobs = [
        {"name": key, "value": numbers.get(key, default), "low": ranges[key][0], "high": ranges[key][1],
         "whole": isinstance(default, int)}
        for key, default in one.knobs.items()
    ]  # fmt: skip
    return {
        "claim": one.claim,
        "lines": sheet.lines,
        "passes": sheet.passes,
        "checks": sheet.checked,
        "knobs": knobs,
    }


def _figure(sheet: Sheet, dark: bool) -> str:
    return "".join(svg_lines(sheet.drawing(Options(dark=dark)))) if sheet.drawing else ""


@question
def quiz(*, topic: str = "all", seed: int = 0, answers: list[Any] = []) -> Answer:  # noqa: B006
    """A quiz of so many answers: what the last one tells, how it stands, and the next question."""
    texts = tuple(each[:MOST_TYPED] if isinstance(each, str) else SKIP for each in answers)
    if len(texts) > MOST_ANSWERS:
        raise usage_error(f"a quiz on the page has at most {MOST_ANSWERS} questions", "begin another one")
    played = _played(topic, seed, texts)
    return {**played.last, "summary": played.quiz.summary(), "number": len(texts) + 1,
            "question": played.question.text, "hint": played.question.hint()}  # fmt: skip


class Played:
    """A quiz after some answers."""

    def __init__(self, topic: str, seed: int) -> None:
        self.quiz = Quiz(topic, seed)
        self.question = self.quiz.next()
        self.last: Answer = {}

    def take(self, text: str) -> None:
        """An answer to the question that is open; raises `SpecError` for what is no number, which leaves it open."""
        verdict, said = "skipped", list[str]()
        if text.strip().lower() not in (SKIP, "s"):
            try:
                diagnosis = self.quiz.answer(self.question, text)
            except Misfit as misfit:
                raise usage_error(misfit.cause, misfit.hint, code="answer") from None
            verdict, said = diagnosis.verdict, feedback(self.question, diagnosis)
        self.last = {"last": {"verdict": verdict, "said": said, "work": self.question.line}}
        self.question = self.quiz.next()


def _played(topic: str, seed: int, answers: tuple[str, ...]) -> Played:
    """A quiz played again from its seed, or one answer further than it was."""
    key = topic, seed, answers[:-1]
    played = _KEPT.pop(key, None) if answers else None
    if played is None:
        played = Played(topic, seed)
        for text in answers[:-1]:
            played.take(text)
    if answers:
        try:
            played.take(answers[-1])
        except Exception:
            _KEPT[key] = played
            raise
    _KEPT.clear()
    _KEPT[topic, seed, answers] = played
    return played


#: The quiz that was asked of last, so that it is not played again for each answer.
_KEPT: dict[tuple[str, int, tuple[str, ...]], Played] = {}


@question
def window(*, letters: dict[str, Any], dark: bool = False) -> Answer:
    """A window that moves over a map, and the formula with its numbers."""
    made = conv.given(letters)
    rows, _ = made.steps()
    work = {"formula": rows.formula.text, "numbers": rows.substitution, "result": number(rows.value),
            "source": rows.formula.source}  # fmt: skip
    return {"said": conv.said(made), "svg": _drawn(made, dark), "work": work}


@lru_cache(maxsize=16)
def _drawn(made: conv.Window, dark: bool) -> str:
    return "".join(svg_lines(conv.scene(made, Options(dark=dark))))
