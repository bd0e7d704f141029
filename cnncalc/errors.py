"""What goes wrong, said once: the place, the cause, the way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from .printable import printable
from .record import Record


class Source(Record):
    """The text of a spec and what to call it in messages."""

    name: str
    text: str

    def line(self, number: int) -> str:
        lines = self.text.split("\n")
        return lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""


class Place(Record):
    """A position in a spec, counted from 1."""

    line: int
    column: int


class Misfit(Exception):
    """A short cause, raised deep inside; whoever knows the place turns it into a `Problem`.

    `argument` names the argument of the layer that is at fault, so that the caret can point at its value;
    `code` lets a program tell the kinds of error apart.
    """

    def __init__(self, cause: str, hint: str = "", argument: str = "", code: str = "misfit") -> None:
        super().__init__(cause)
        self.cause, self.hint, self.argument, self.code = cause, hint, argument, code


class Problem(Record):
    """One error or warning, complete: what `cnncalc` prints for it is `text`."""

    code: str
    message: str
    source: Source
    place: Place | None = None
    context: tuple[str, ...] = ()
    hint: str = ""

    @property
    def text(self) -> str:
        where = _short(self.source.name)
        shown: list[str] = []
        if self.place is not None:
            line, column = self.place.line, self.place.column
            where += f":{line}:{column}"
            code, shift = _window(self.source.line(line), column)
            if code.strip():
                shown = [f"{line:>5} | {code}", "      | " + " " * (column - 1 - shift) + "^"]
        lines = [f"{where}: {_short(self.message)}", *shown, *("  " + _short(line) for line in self.context)]
        if self.hint:
            lines.append(f"  hint: {_short(self.hint)}")
        return "\n".join(lines)


class SpecError(Exception):
    """Everything that is wrong with a spec, or with what was asked of it.

    >>> raise SpecError([Problem("demo", "no such thing", Source("net.yaml", ""))])
    Traceback (most recent call last):
    ...
    cnncalc.errors.SpecError: net.yaml: no such thing
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(problems)
        super().__init__("\n\n".join(problem.text for problem in self.problems))

    def __reduce__(self) -> tuple[type[SpecError], tuple[list[Problem]]]:
        return SpecError, (list(self.problems),)  # from one process to another, it is made of the same


def usage_error(message: str, hint: str = "", code: str = "usage", where: str = "cnncalc") -> SpecError:
    """An error that has no line in a file: a file that is missing, an option that makes no sense."""
    return SpecError([Problem(code, message, Source(where, ""), hint=hint)])


#: Characters of a word that is compared with others, and of all that it is compared with.
LONGEST_WORD, MOST_COMPARED = 60, 6_000


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint with the nearest known words, or an empty string.

    >>> did_you_mean("conv2d", ["Conv1d", "Conv2d", "ReLU"])
    'did you mean Conv2d?'
    """
    by_folded = {name.casefold(): name for name in known}
    folded = word.casefold()
    if folded in by_folded:
        return f"did you mean {by_folded[folded]}?"
    if not folded or len(folded) > LONGEST_WORD:
        return ""
    from difflib import get_close_matches

    alike = [name for name in by_folded if len(folded) <= 2 * len(name) <= 4 * len(folded)]
    alike.sort(key=lambda name: name[0] != folded[0])  # typing errors are rare in a first letter
    sizes = accumulate(map(len, alike))
    compared = [name for name, size in zip(alike, sizes, strict=True) if size <= MOST_COMPARED]
    near = get_close_matches(folded, compared, n=3, cutoff=0.7 if len(word) > 3 else 0.8)
    return f"did you mean {' or '.join(by_folded[name] for name in near)}?" if near else ""


def _short(text: str, most: int = 600) -> str:
    """A message as a person can read it: on one line, fit for a terminal, and not endless."""
    text = printable(text[: 4 * most])
    return text if len(text) <= most else text[: most - 1] + "…"


def _window(line: str, column: int, width: int = 100) -> tuple[str, int]:
    """The part of a long line around a column, and how many characters were cut off before it."""
    start = 0 if len(line) <= width else max(0, min(column - width // 2, len(line) - width))
    return printable(line[start : start + width]), start
