"""An explanation as text, Markdown or LaTeX."""

from __future__ import annotations

import re
import textwrap
from fractions import Fraction
from typing import TYPE_CHECKING

from ..analysis.explain import Explanation, letters
from ..analysis.explain import Line as Number
from ..formula import Step, number
from ..printable import printable
from .markdown import escaped as markdown
from .table import Column, Line, Table, as_number
from .table import as_text as as_words

if TYPE_CHECKING:
    from ..report import Report


def as_text(explanation: Explanation, sources: bool = True, width: int = 79) -> str:
    """Formula, substitution and result below one another, the sources at the end of each number."""
    parts = [printable(explanation.title)]
    if explanation.note:
        parts.append(textwrap.indent(textwrap.fill(printable(explanation.note), width - 2), "  "))
    parts.append("")
    label_width = max((len(line.label) for line in explanation.lines), default=0)
    for line in explanation.lines:
        parts += _text_line(line, max(label_width, 12), sources, width)
    return "\n".join(parts)


def _text_line(line: Number, label_width: int, sources: bool, width: int) -> list[str]:
    head, blank = f"  {line.label:<{label_width}} = ", " " * (label_width + 2) + " = "
    room = width - len(blank)
    if line.step is None:
        wrapped = textwrap.wrap(printable(line.text), room) or [""]
        return [head + wrapped[0], *(" " * len(blank) + each for each in wrapped[1:])]
    step = line.step
    result = f"{number(step.value)} {step.formula.unit}"
    texts = [step.formula.text, step.substitution, result]
    if texts[1] == number(step.value, ""):
        del texts[1]
    shown: list[str] = []
    for text in texts:
        prefix = blank if shown else head
        wrapped = textwrap.wrap(text, room, break_long_words=False) or [""]
        shown += [prefix + wrapped[0], *(" " * len(blank) + each for each in wrapped[1:])]
    extra = [line.remark] * bool(line.remark and (sources or "does not fit" in line.remark)) + [
        f"[{step.formula.source}]"
    ] * sources
    for each in extra:
        shown += textwrap.wrap(
            printable(each),
            width,
            initial_indent=" " * len(blank),
            subsequent_indent=" " * (len(blank) + 1 * each.startswith("[")),
        )
    return shown


def header(report: Report) -> str:
    """What the numbers are of: network, input, batch, dtype."""
    from .views import setting

    return printable(f"{report.title} · {setting(report)}")


def legend(explanations: list[Explanation]) -> list[str]:
    """What the letters stand for, as a block of text; none where no letter is used."""
    used = letters(explanations)
    return ["letters\n" + "\n".join(f"  {letter:<8} {meaning}" for letter, meaning in used.items())] if used else []


def as_markdown(explanation: Explanation) -> str:
    """A heading, and each number as a displayed equation with its source."""
    parts = [f"### {markdown(explanation.title)}", ""]
    if explanation.note:
        parts += [f"> {markdown(explanation.note)}", ""]
    for line in explanation.lines:
        if line.step is None:
            parts += [f"**{line.label}**: {markdown(line.text)}", ""]
            continue
        formula = line.step.formula
        parts += [f"**{line.label}** ({formula.unit})", "", f"$$ {_equation(line.step, ' = ')} $$", ""]
        if line.remark:
            parts += [markdown(line.remark.rstrip(".")) + ".", ""]
        parts += [f"*{formula.source}*", ""]
    return "\n".join(parts).rstrip() + "\n"


def _equation(step: Step, between: str) -> str:
    """Formula, substitution and result in LaTeX; what would be said twice is said once."""
    parts = [step.formula.latex, *step.latex.split(" = ")]
    return between.join(dict.fromkeys(parts))


def as_latex(explanation: Explanation) -> str:
    """A paragraph, the numbers in an align* environment, and their sources; wants amsmath."""
    parts = [rf"\paragraph{{{escaped(explanation.title)}}}"]
    if explanation.note:
        parts.append(escaped(explanation.note))
    rows, remarks, sources = [], [], []
    for line in explanation.lines:
        label = rf"\text{{{escaped(line.label)}}}"
        if line.step is None:
            rows.append(rf"  {label} &: \text{{{escaped(line.text)}}} \\")
            continue
        unit = rf"\;\text{{{escaped(line.step.formula.unit)}}}"
        rows.append(rf"  {label} &= " + _equation(line.step, " \\\\\n  &= ") + rf" {unit} \\")
        sources.append(line.step.formula.source)
        if "does not fit" in line.remark:
            remarks.append(escaped(line.remark) + ".")
    if rows:
        rows[-1] = rows[-1].removesuffix(r" \\")
        parts += [r"\begin{align*}", *rows, r"\end{align*}"]
    parts += remarks
    if sources:
        parts.append(rf"{{\footnotesize Sources: {'. '.join(map(escaped, dict.fromkeys(sources)))}.}}")
    return "\n".join(parts) + "\n"


def as_table(explanations: list[Explanation], title: str) -> Table:
    """The same numbers as rows, for JSON, CSV and HTML."""
    keys = ("layer", "quantity", "formula", "substitution", "value", "unit", "source", "remark")
    columns = tuple(Column(key, key, as_number if key == "value" else as_words) for key in keys)
    lines = []
    for explanation in explanations:
        layer = explanation.name
        for line in explanation.lines:
            step = line.step
            if step is None:
                lines.append(
                    Line(
                        (
                            layer,
                            line.label,
                            "",
                            line.text,
                            "" if line.total is None else line.total,
                            "",
                            "",
                            line.remark,
                        )
                    )
                )
                continue
            formula = step.formula
            value = float(step.value) if isinstance(step.value, Fraction) else step.value
            cells = (
                layer,
                line.label,
                formula.text,
                step.substitution,
                value,
                formula.unit,
                formula.source,
                line.remark,
            )
            lines.append(Line(cells))
    return Table(title, columns, lines)


_LATEX = {
    "\\": r"\textbackslash{}", "_": r"\_", "%": r"\%", "&": r"\&", "#": r"\#", "$": r"\$", "{": r"\{", "}": r"\}",
    "\0": "{}",
    "[": "{[}", "]": "{]}", "*": "{*}",  # behind \\ they would be its arguments
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "×": r"$\times$", "→": r"$\to$", "−": "$-$", "·": r"$\cdot$", "≥": r"$\ge$", "≤": r"$\le$", "∏": r"$\prod$", "∑": r"$\sum$",
    "²": "$^2$", "⁹": "$^9$", "…": r"\dots{}", "⌊": r"$\lfloor$", "⌋": r"$\rfloor$", "⌈": r"$\lceil$", "⌉": r"$\rceil$", "₁": "$_1$",
    "α": r"$\alpha$", "β": r"$\beta$", "γ": r"$\gamma$", "λ": r"$\lambda$", "Φ": r"$\Phi$", "Σ": r"$\Sigma$", "µ": r"$\mu$",
}  # fmt: skip


#: Between two signs that LaTeX would make one of: -- is a dash, ?` another mark, ,, a quote.
_LIGATURE = re.compile("(?<=[-?!`',])(?=[-`',])")
#: Letters and signs beyond ASCII that LaTeX sets without a package or font of its own.
_LETTERS = frozenset(
    "¡¢£¤¥¦§¨©ª¬®¯°±²³´¶¸¹º¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝßàáâãäåæçèéêëìíîïñòóôõö÷øùúûüýÿĀāĂăĆćĈĉĊċČčĎďĒēĔĕĖėĚěĜĝĞğĠġĢģĤĥĨĩĪīĬĭİıĲĳĴĵĶķ"
    "ĹĺĻļĽľŁłŃńŅņŇňŌōŎŏŐőŒœŔŕŖŗŘřŚśŜŝŞşŠšŢţŤťŨũŪūŬŭŮůŰűŴŵŶŷŸŹźŻżŽžƒǄǅǆǇǈǉǊǋǌǍǎǏǐǑǒǓǔǢǣǦǧǨǩǰǴǵȘșȚțȲȳȷ‐‑‒–—―‖‘’“”"
)


def escaped(text: str) -> str:
    """A text on one line in which LaTeX finds nothing to interpret; letters that no font need have become ?."""
    line = _LIGATURE.sub("\0", " ".join(printable(text).split()))
    return "".join(_LATEX.get(each) or (each if each.isascii() or each in _LETTERS else "?") for each in line)
