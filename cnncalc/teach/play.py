"""A quiz in conversation: questions, hints, answers and what they show, with whoever asks and tells."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

from ..errors import Misfit
from .quiz import Question, Quiz, feedback

#: The width of running text.
WIDTH = 79

Ask = Callable[[str], "str | None"]
Tell = Callable[[str], None]


def play(quiz: Quiz, count: int, ask: Ask, tell: Tell) -> None:
    """Ask so many questions; `ask` gives what is typed behind a prompt, None at the end, and `tell` shows a line.

    >>> answers = iter(["h", "three", "s"])
    >>> said = []
    >>> play(Quiz("bn", 1), 5, lambda prompt: next(answers, None), said.append)
    >>> said[-1]
    'nothing was answered'
    """
    tell("answer with a number or with arithmetic, as in 5*5*3*100 + 100; h is a hint, s skips, q ends\n")
    try:
        for number in range(1, count + 1):
            question = quiz.next()
            tell(folded(f"{number}. {question.text}", 3))
            while not _answered(quiz, question, ask, tell):
                pass
    except (EOFError, KeyboardInterrupt):
        tell("")
    for line in quiz.summary():
        tell(folded(line))


def _answered(quiz: Quiz, question: Question, ask: Ask, tell: Tell) -> bool:
    """One turn: whether the question is done with; raises EOFError at the end."""
    text = ask("   > ")
    word = (text or "").lower()
    if text is None or word in ("q", "quit", "exit"):
        raise EOFError
    if word in ("h", "hint", "?"):
        tell(f"   {question.hint()}")
        return False
    if not text:
        return False
    if word not in ("s", "skip"):
        try:
            answer = quiz.answer(question, text)
        except Misfit as misfit:
            tell(f"   {misfit.cause}" + (f": {misfit.hint}" if misfit.hint else ""))
            return False
        for line in feedback(question, answer):
            tell(folded(f"   {line}"))
    tell(f"   {question.line}\n")
    return True


def folded(line: str, more: int = 2) -> str:
    """A line that is no wider than a terminal; pictures, which are indented by more, stay as they are."""
    indent = len(line) - len(line.lstrip())
    if len(line) <= WIDTH or indent > 3:
        return line
    return textwrap.fill(line, WIDTH, subsequent_indent=" " * (indent + more), break_on_hyphens=False)
