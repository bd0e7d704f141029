"""Questions drawn so that mistakes show, answers diagnosed, and the next question chosen by what is still suspected."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations
from typing import Any

from ..errors import Misfit, usage_error
from ..record import Record
from .answers import Given, agrees, read
from .kinds import QuestionKind, Slip, compiled, kinds, steps, topics

#: Draws of letters among which the most telling question is chosen, and how many are tried until one is fair at all.
CANDIDATES, MOST = 6, 3000
#: The same where suspects are to be told apart.
TELLING = 200


class Question:
    """A question with its letters drawn. What each wrong method gives is worked out once, however many answers come."""

    def __init__(self, kind: QuestionKind, letters: dict[str, Any]) -> None:
        self.kind, self.letters = kind, letters
        self._wrong: dict[tuple[Slip, ...], Any] = {}

    @property
    def text(self) -> str:
        return self.kind.ask.format(**self.letters)

    @cached_property
    def right(self) -> Any:
        return self.kind.right(self.letters)

    @cached_property
    def slips(self) -> list[Slip]:
        """The slips that make a difference here."""
        return [slip for slip in self.kind.slips if slip.applies(self.letters) and self.wrong(slip) is not None]

    def wrong(self, *slips: Slip) -> Any:
        """What comes out with a slip, or with several at once; None where nothing does."""
        if slips not in self._wrong:
            self._wrong[slips] = self.kind.wrong(self.letters, slips)
        return self._wrong[slips]

    @property
    def line(self) -> str:
        """The work: formula, numbers, result."""
        return self.kind.line(self.letters)

    def hint(self) -> str:
        """The formula without numbers."""
        return self.kind.shown


class Diagnosis(Record):
    """What an answer tells: "right", "convention", "slip", "slips" (two at once) or "unknown"; what is behind it."""

    verdict: str
    behind: tuple[tuple[Slip, ...], ...] = ()

    @property
    def is_right(self) -> bool:
        return self.verdict == "right"

    @property
    def suspects(self) -> frozenset[str]:
        """The names of all slips that could be behind it."""
        return frozenset(slip.name for group in self.behind for slip in group)


def draw(kind: QuestionKind, rng: random.Random, suspects: frozenset[str] = frozenset()) -> Question:
    """A question of a kind whose right answer no slip gives, and which tells the suspects apart.

    >>> question = draw(kinds()["size"], random.Random(3))
    >>> question.right in [question.wrong(slip) for slip in question.slips]
    False
    """
    best: tuple[float, Question] | None = None
    found = worked = 0
    for _ in range(MOST):
        letters = {key: rng.choice(values) for key, values in kind.draw.items()}
        try:
            letters = kind.completed(letters)
            if kind.where and not compiled(kind.where)(letters):
                continue
            question = Question(kind, letters)
            score = _score(question, suspects)
        except ArithmeticError:
            continue
        worked += 1
        if score < 0:
            continue
        found += 1
        if best is None or score > best[0]:
            best = score, question
        if found == (TELLING if suspects else CANDIDATES):
            break
    if best is None:
        hint = "a slip gives the right number in all of them" if worked else "its formula or `where` holds for none"
        raise usage_error(f"no fair question of the kind {kind.name} was found", hint)
    return best[1]


def _score(question: Question, suspects: frozenset[str]) -> float:
    """How well a question tells slips apart; negative where a wrong method gives the right number."""
    right, slips = question.right, question.slips
    values = {slip.name: question.wrong(slip) for slip in slips}
    if any(_same(value, right) for value in values.values()):
        return -1.0
    conventions = [values[slip.name] for slip in slips if slip.convention]
    if any(_same(values[slip.name], value) for slip in slips if not slip.convention for value in conventions):
        return -1.0  # a mistake would pass for a convention
    apart = len({round(float(value), 6) for value in values.values()})
    asked = [round(float(value), 6) for name, value in values.items() if name in suspects]
    return apart + 100.0 * len(set(asked)) + 0.1 * len(slips)


def _same(a: Any, b: Any) -> bool:
    return a is not None and abs(a - b) <= 1e-6 * max(1.0, abs(b))


def diagnose(question: Question, answer: Given | str | float) -> Diagnosis:
    """What an answer tells; raises `Misfit` for what is no number.

    Right comes before convention, a convention before one slip, one slip before two at once. Where several slips give
    the same number, arithmetic that leads to it tells them apart.

    >>> question = Question(kinds()["conv_params"], {"N": 28, "F": 5, "G": 1, "Ci": 3, "Co": 100, "O": 24})
    >>> diagnose(question, "5*5*3*100 + 100").verdict
    'right'
    >>> [slip.name for slip in diagnose(question, "7500").behind[0]]
    ['par.no_bias']
    """
    if isinstance(answer, str):
        answer = read(answer, question.kind.unit)
    given = answer if isinstance(answer, Given) else Given(float(answer))
    found = [_diagnosed(question, reading) for reading in given.readings()]
    return min(found, key=lambda diagnosis: VERDICTS.index(diagnosis.verdict))


#: What an answer can be, the best first.
VERDICTS = ("right", "convention", "slip", "slips", "unknown")


def _diagnosed(question: Question, given: Given) -> Diagnosis:
    within, slips = question.kind.within, question.slips
    if agrees(given, question.right, within):
        return Diagnosis("right")
    single = [(slip,) for slip in slips if _gives(given, question.wrong(slip), within)]
    conventions = tuple(group for group in single if group[0].convention)
    if conventions:
        return Diagnosis("convention", conventions)
    if single:
        return Diagnosis("slip", _by_work(question, given, single))
    mistakes = [slip for slip in slips if not slip.convention]
    pairs = tuple(pair for pair in combinations(mistakes, 2) if _gives(given, question.wrong(*pair), within))
    return Diagnosis("slips", pairs) if pairs else Diagnosis("unknown")


def _by_work(question: Question, given: Given, single: list[tuple[Slip]]) -> tuple[tuple[Slip], ...]:
    """Of slips that give the same value, those that know all numbers of the answer's work and most of its steps."""
    if not given.work or len(single) < 2:
        return tuple(single)
    ways = {group: steps(question.kind.way(group) or "", question.letters) for group in single}
    typed = {float(digits) for digits in re.findall(r"\d+(?:\.\d+)?", given.work)}
    try:
        went = steps(given.work, {})
    except (ArithmeticError, Misfit):  # in a part that the value does not depend on
        return tuple(single)
    taken = {group: len(met & went) for group, met in ways.items() if typed <= met}
    return tuple(group for group, count in taken.items() if count == max(taken.values())) or tuple(single)


def _gives(given: Given, value: Any, within: float) -> bool:
    return value is not None and agrees(given, value, within)


def feedback(question: Question, diagnosis: Diagnosis) -> list[str]:
    """The answer to an answer, in words, without the number; the work is `Question.line`."""
    told = (" and ".join(slip.says.format(**question.letters) for slip in group) for group in diagnosis.behind)
    said = list(dict.fromkeys(told))
    if diagnosis.verdict == "right":
        return ["right"]
    if diagnosis.verdict == "convention":
        return [f"right under another convention: {said[0]}"]
    if diagnosis.verdict == "unknown":
        return ["not right, and no slip that is known gives it"]
    if diagnosis.verdict == "slips":
        return ["not right; it could be two slips at once:", *(f"  {text}" for text in said[:3])]
    if len(said) == 1:
        return [f"not right: {said[0]}"]
    return [
        "not right; it is what comes out if",
        *(f"  either {text}" if not i else f"  or {text}" for i, text in enumerate(said[:4])),
    ]


class Quiz:
    """A quiz under way: it asks, diagnoses, and remembers."""

    def __init__(self, topic: str = "all", seed: int | None = None, extra: str = "") -> None:
        self.kinds = kinds(extra)
        known = topics(self.kinds)
        if topic not in (*known, "all"):
            raise usage_error(f"there is no topic {topic}", f"topics are {', '.join(known)} and all")
        self.rng = random.Random(seed)
        self.order = [kind for kind in self.kinds.values() if topic in (kind.topic, "all")]
        self.suspected: Counter[str] = Counter()
        self.tested: Counter[str] = Counter()
        self.answers: list[tuple[Question, Diagnosis]] = []
        self._open: tuple[QuestionKind, frozenset[str]] | None = None
        self._waiting: list[QuestionKind] = []
        self._asked: set[str] = set()

    def next(self) -> Question:
        """The next question: of the kind that went wrong last, until it is clear what was behind it."""
        if self._open is not None:
            kind, suspects = self._open
        else:
            if not self._waiting:
                self._waiting = list(self.order)
                self.rng.shuffle(self._waiting)
            kind, suspects = self._waiting.pop(), frozenset()
        made = _another(kind, self.rng, suspects, self._asked)
        self._asked.add(made.text)
        return made

    def answer(self, question: Question, text: str) -> Diagnosis:
        """Take an answer; raises `Misfit` for what is no number."""
        diagnosis = diagnose(question, text)
        self.answers.append((question, diagnosis))
        self.tested.update(slip.name for slip in question.slips)
        self.suspected.update(diagnosis.suspects)
        again = diagnosis.verdict in ("slip", "slips", "unknown")
        repeated = sum(1 for each, _ in self.answers[-3:] if each.kind.name == question.kind.name)
        self._open = (question.kind, diagnosis.suspects) if again and repeated < 3 else None
        return diagnosis

    @property
    def right(self) -> int:
        return sum(found.is_right for _, found in self.answers)

    def summary(self) -> list[str]:
        """How it went, what the wrong answers have in common, and what to practise."""
        total = len(self.answers)
        if not total:
            return ["nothing was answered"]
        lines = [f"{self.right} of {total} right"]
        conventions = sum(diagnosis.verdict == "convention" for _, diagnosis in self.answers)
        lines += [f"{conventions} right under another convention"] if conventions else []
        named = {slip.name: slip for _, diagnosis in self.answers for group in diagnosis.behind for slip in group}
        for name, count in self.suspected.most_common(3):
            if not named[name].convention:
                says = named[name].hint or named[name].says
                lines.append(f"{count} of {self.tested[name]} answers fit one slip; think about: {says}")
        wrong = Counter(
            question.kind.topic
            for question, diagnosis in self.answers
            if diagnosis.verdict not in ("right", "convention")
        )
        lines += [f"practise: cnncalc quiz {topic}" for topic, _ in wrong.most_common(2)]
        return lines


def questions(count: int, seed: int = 0, topic: str = "all", extra: str = "") -> list[Question]:
    """Questions for a sheet: of all kinds of a topic in turn."""
    found: Sequence[QuestionKind] = [kind for kind in kinds(extra).values() if topic in (kind.topic, "all")]
    rng, made, asked = random.Random(seed), [], set[str]()
    for i in range(count):
        made.append(_another(found[i % len(found)], rng, frozenset(), asked))
        asked.add(made[-1].text)
    return made


def _another(kind: QuestionKind, rng: random.Random, suspects: frozenset[str], asked: set[str]) -> Question:
    """A question that has not been asked yet, as far as there is one."""
    for _ in range(20):
        made = draw(kind, rng, suspects)
        if made.text not in asked:
            break
    return made


__all__ = ["Diagnosis", "Misfit", "Question", "Quiz", "diagnose", "draw", "feedback", "questions"]
