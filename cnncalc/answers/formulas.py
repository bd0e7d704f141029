"""All formulas, in teaching order."""

from __future__ import annotations

import textwrap
from typing import Any

from .. import analysis
from ..explanation import legend_lines
from ..formula import CHAPTERS, FORMULAS, LETTERS, Formula
from ..ops import FAMILIES
from ..table import Column, Line, Table


def in_teaching_order() -> list[Formula]:
    """All formulas by chapter (sizes, parameters, work, memory, receptive field), the convolution's first in each."""
    for question in analysis.__all__:
        getattr(analysis, question)  # a file's formulas are known once it is loaded
    families = [module.__name__ for files in FAMILIES.values() for module in files]

    def place(made: Formula) -> tuple[int, int]:
        module = made.function.__module__
        return CHAPTERS.index(made.chapter), families.index(module) if module in families else len(families)

    return sorted(FORMULAS.values(), key=place)


def formulas_table() -> Table:
    """All formulas in teaching order."""
    columns = (
        Column("chapter", "chapter"),
        Column("name", "formula"),
        Column("formula", "expression"),
        Column("unit", "unit"),
        Column("source", "source"),
    )
    lines = [
        Line(
            (
                entry.chapter,
                entry.name,
                f"{entry.symbol} = {entry.text}" if entry.symbol else entry.text,
                entry.unit,
                entry.source,
            )
        )
        for entry in in_teaching_order()
    ]
    return Table("", columns, lines, document=[as_data(entry) for entry in in_teaching_order()], text=_text())


def as_data(formula: Formula) -> dict[str, Any]:
    """A formula as plain data."""
    return {
        "name": formula.name,
        "chapter": formula.chapter,
        "symbol": formula.symbol,
        "expression": formula.text,
        "latex": formula.latex,
        "letters": formula.legend,
        "unit": formula.unit,
        "source": formula.source,
        "remark": formula.remark,
    }


def _text() -> str:
    """All formulas in teaching order, chapter by chapter, and what the letters mean."""
    parts, formulas = [], in_teaching_order()
    for chapter in CHAPTERS:
        parts.append(f"{chapter.upper()}\n")
        for formula in formulas:
            if formula.chapter == chapter:
                parts.append(f"  {formula.name} [{formula.unit}]\n      {formula.symbol} = {formula.text}")
                parts.append(textwrap.fill(formula.source, 79, initial_indent="      ", subsequent_indent="      "))
                parts += [f"      {letter}: {meaning}" for letter, meaning in formula.means.items()]
                parts.append("")
    used = {letter for formula in formulas for letter in formula.letters if letter not in formula.means}
    parts.append("LETTERS\n")
    parts += legend_lines({letter: meaning for letter, meaning in LETTERS.items() if letter in used})
    return "\n".join(parts) + "\n"
