"""The work behind numbers, as data: what each is called, the step that gives it, and what is to be said of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from .formula import LETTERS, Step
from .printable import printable
from .quantities import number
from .record import Record
from .table import Column, Line, Table

WIDTH = 79
APPROXIMATELY = r"\approx"


class Derivation(Record):
    """One number: what it is called, the step that gives it or, for sums, words with the `total`; and a remark.

    A remark that is `essential` is shown even where sources and remarks are left out.
    """

    label: str
    step: Step | None = None
    text: str = ""
    remark: str = ""
    total: int | None = None
    essential: bool = False

    @property
    def value(self) -> Any:
        """The number itself; None where there is none."""
        return self.total if self.step is None else self.step.value


class Explanation(Record):
    """The work behind the figures of a layer: a title, its lines, and a note. `str` of it is text without sources."""

    title: str
    lines: tuple[Derivation, ...]
    note: str = ""
    name: str = "network"

    def __str__(self) -> str:
        return self.text(sources=False)

    def text(self, sources: bool = True) -> str:
        """Formula, substitution and result below one another, the sources at the end of each number."""
        parts = [printable(self.title)]
        if self.note:
            parts.append(textwrap.indent(textwrap.fill(printable(self.note), WIDTH - 2), "  "))
        parts.append("")
        label_width = max((len(line.label) for line in self.lines), default=0)
        for line in self.lines:
            parts += _text_of(line, max(label_width, 12), sources)
        return "\n".join(parts)

    def markdown(self) -> str:
        """A heading, and each number as a displayed equation with its source."""
        from . import markup

        parts = [f"### {markup.markdown(self.title)}", ""]
        if self.note:
            parts += [f"> {markup.markdown(self.note)}", ""]
        for line in self.lines:
            if line.step is None:
                parts += [f"**{line.label}**: {markup.markdown(line.text)}", ""]
                continue
            formula = line.step.formula
            parts += [f"**{line.label}** ({formula.unit})", "", f"$$ {equation(line.step)} $$", ""]
            if line.remark:
                parts += [markup.markdown(line.remark.rstrip(".")) + ".", ""]
            parts += [f"*{formula.source}*", ""]
        return "\n".join(parts).rstrip() + "\n"

    def _repr_markdown_(self) -> str:
        return self.markdown()


class Explained(Record):
    """An answer that is explanations: what they are of, and the explanations themselves."""

    title: str
    head: str
    parts: tuple[Explanation, ...]

    def table(self) -> Table:
        """The same numbers as rows, for formats that know tables only."""
        keys = ("layer", "quantity", "formula", "substitution", "value", "unit", "source", "remark")
        columns = tuple(Column(key, key, number if key == "value" else str) for key in keys)
        lines = [Line(_cells(part.name, line)) for part in self.parts for line in part.lines]
        return Table(self.title, columns, lines)

    def legend(self) -> dict[str, str]:
        """The letters that are used, and what they stand for."""
        return legend(line.step for part in self.parts for line in part.lines if line.step)


def legend(steps: Iterable[Step]) -> dict[str, str]:
    """The letters of some steps and what they stand for; one that means several things says where it means which."""
    meanings: dict[str, dict[str, str]] = {}
    for step in steps:
        for letter, meaning in step.formula.legend.items():
            meanings.setdefault(letter, {}).setdefault(meaning, step.formula.name)
    order = [*LETTERS, *(letter for letter in meanings if letter not in LETTERS)]
    return {letter: _meaning(meanings[letter]) for letter in order if letter in meanings}


def _meaning(meanings: dict[str, str]) -> str:
    if len(meanings) == 1:
        return next(iter(meanings))
    return "; ".join(f"{meaning} ({formula})" for meaning, formula in meanings.items())


def legend_lines(letters: dict[str, str]) -> list[str]:
    """A legend as lines of text."""
    lines = []
    for letter, meaning in letters.items():
        lines += textwrap.wrap(meaning, WIDTH, initial_indent=f"  {letter:<8} ", subsequent_indent=" " * 11)
    return lines


def equation(step: Step, between: str = " ") -> str:
    """Formula, substitution and result in LaTeX, each after the first with its sign; nothing is said twice."""
    formula, substitution, result = step.formula.latex, step.latex_substitution, step.latex_result
    parts = [formula]
    if substitution not in (formula, result, number(step.value, "")):
        parts.append(f"= {substitution}")
    if result != formula:
        parts.append(f"{step.equals.replace('≈', APPROXIMATELY)} {result}")
    return between.join(parts)


def _text_of(line: Derivation, label_width: int, sources: bool) -> list[str]:
    blank = " " * (label_width + 2) + " = "
    room = WIDTH - len(blank)
    if line.step is None:
        wrapped = textwrap.wrap(printable(line.text), room) or [""]
        return [f"  {line.label:<{label_width}} = {wrapped[0]}", *(" " * len(blank) + each for each in wrapped[1:])]
    step = line.step
    result = f"{number(step.value)} {step.formula.unit}"
    texts = [("=", step.formula.text), ("=", step.substitution), (step.equals, result)]
    if texts[1][1] == number(step.value, ""):
        del texts[1]
    shown: list[str] = []
    for sign, text in texts:
        prefix = f"  {'' if shown else line.label:<{label_width}} {sign} "
        wrapped = textwrap.wrap(text, room, break_long_words=False) or [""]
        shown += [prefix + wrapped[0], *(" " * len(blank) + each for each in wrapped[1:])]
    extra = [line.remark] * bool(line.remark and (sources or line.essential)) + [f"[{step.formula.source}]"] * sources
    for each in extra:
        indent = " " * len(blank)
        bracket = " " if each.startswith("[") else ""
        shown += textwrap.wrap(printable(each), WIDTH, initial_indent=indent, subsequent_indent=indent + bracket)
    return shown


def _cells(layer: str, line: Derivation) -> tuple[Any, ...]:
    if line.step is None:
        total = "" if line.total is None else line.total
        return layer, line.label, "", line.text, total, "", "", line.remark
    formula, value = line.step.formula, line.step.value
    value = float(value) if isinstance(value, Fraction) else value
    return (layer, line.label, formula.text, line.step.substitution, value, formula.unit, formula.source, line.remark)
