"""An explanation as text, Markdown or LaTeX."""

from __future__ import annotations

import textwrap
from fractions import Fraction

from ..analysis.explain import Explanation
from ..analysis.explain import Line as Number
from ..formula import number
from .table import Column, Line, Table, as_number
from .table import as_text as as_words


def as_text(explanation: Explanation, sources: bool = True, width: int = 79) -> str:
    """Formula, substitution and result below one another, the sources at the end of each number."""
    parts = [explanation.title]
    if explanation.note:
        parts.append(textwrap.indent(textwrap.fill(explanation.note, width - 2), "  "))
    parts.append("")
    label_width = max((len(line.label) for line in explanation.lines), default=0)
    for line in explanation.lines:
        parts += _text_line(line, max(label_width, 12), sources, width)
    return "\n".join(parts)


def _text_line(line: Number, label_width: int, sources: bool, width: int) -> list[str]:
    head, blank = f"  {line.label:<{label_width}} = ", " " * (label_width + 2) + " = "
    room = width - len(blank)
    if line.step is None:
        wrapped = textwrap.wrap(line.text, room) or [""]
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
            each,
            width,
            initial_indent=" " * len(blank),
            subsequent_indent=" " * (len(blank) + 1 * each.startswith("[")),
        )
    return shown


def as_markdown(explanation: Explanation) -> str:
    """A heading, and each number as a displayed equation with its source."""
    parts = [f"### {explanation.title}", ""]
    if explanation.note:
        parts += [f"> {explanation.note.strip()}", ""]
    for line in explanation.lines:
        if line.step is None:
            parts += [f"**{line.label}**: {line.text}", ""]
            continue
        formula = line.step.formula
        parts += [f"**{line.label}** ({formula.unit})", "", f"$$ {formula.latex} \\;\\to\\; {line.step.latex} $$", ""]
        parts += [f"{remark}{'.' if not remark.endswith('.') else ''}" for remark in [line.remark] if remark]
        parts += ["" for _ in [1] if line.remark]
        parts += [f"*{formula.source}*", ""]
    return "\n".join(parts).rstrip() + "\n"


def as_latex(explanation: Explanation) -> str:
    """A paragraph, and the numbers in an align* environment; wants amsmath."""
    parts = [rf"\paragraph{{{escaped(explanation.title)}}}"]
    if explanation.note:
        parts.append(escaped(explanation.note.strip()))
    rows, texts = [], []
    for line in explanation.lines:
        if line.step is None:
            texts.append(f"{escaped(line.label)}: {escaped(line.text)}.")
            continue
        label = rf"\text{{{escaped(line.label)}}}"
        rows.append(rf"  {label} &= {line.step.formula.latex} \\")
        rows.append(rf"  &= {line.step.latex} \;\text{{{escaped(line.step.formula.unit)}}} \\")
        if "does not fit" in line.remark:
            texts.append(escaped(line.remark) + ".")
    if rows:
        rows[-1] = rows[-1].removesuffix(r" \\")
        parts += [r"\begin{align*}", *rows, r"\end{align*}"]
    return "\n".join([*parts, *texts]) + "\n"


def as_table(explanations: list[Explanation], title: str) -> Table:
    """The same numbers as rows, for JSON, CSV and HTML."""
    keys = ("layer", "quantity", "formula", "substitution", "value", "unit", "source", "remark")
    columns = tuple(Column(key, key, as_number if key == "value" else as_words) for key in keys)
    lines = []
    for explanation in explanations:
        layer = explanation.title.partition(":")[0]
        for line in explanation.lines:
            step = line.step
            if step is None:
                lines.append(Line((layer, line.label, "", line.text, "", "", "", line.remark)))
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
    "\\": r"\textbackslash{}",
    "_": r"\_",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "×": r"$\times$",
    "→": r"$\to$",
    "−": "$-$",
    "·": r"$\cdot$",
    "≥": r"$\ge$",
    "∏": r"$\prod$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "²": "$^2$",
    "…": r"\dots{}",
    "Σ": r"$\Sigma$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "₁": "$_1$",
}


def escaped(text: str) -> str:
    """A text in which LaTeX finds nothing to interpret."""
    return "".join(_LATEX.get(character, character) for character in text)
