"""LaTeX: a tabular with booktabs rules, to be put into a table environment; explanations as align* environments."""

from __future__ import annotations

from collections.abc import Iterable

from ..explanation import Explained, Explanation, equation
from ..markup import latex
from ..table import Table

ENDINGS = (".tex",)


def table(table: Table) -> str:
    """A longtable would need a package more; a tabular goes anywhere. Wants booktabs."""
    table = table.printable()
    parts = _comments((table.title, *table.head))
    if table.columns:
        parts.append(rf"\begin{{tabular}}{{{''.join('r' if column.right else 'l' for column in table.columns)}}}")
        parts.append(r"\toprule")
        parts.append(" & ".join(latex(column.title) for column in table.columns) + r" \\")
        parts.append(r"\midrule")
        for line in table.lines:
            if line.kind == "total":
                parts.append(r"\midrule")
            parts.append(" & ".join(latex(text) for text in table.texts(line)) + r" \\")
        parts += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join([*parts, *_comments(table.notes)]) + "\n"


def _comments(texts: Iterable[str]) -> list[str]:
    """Texts as comments, each of their lines."""
    return [f"% {line}".rstrip() for text in texts for line in text.splitlines()]


def explained(answer: Explained) -> str:
    """A paragraph for each explanation; wants amsmath."""
    return "\n\n".join(_explanation(part).rstrip("\n") for part in answer.parts) + "\n"


def _explanation(explanation: Explanation) -> str:
    """The numbers in an align* environment, and their sources."""
    parts = [rf"\paragraph{{{latex(explanation.title)}}}"]
    if explanation.note:
        parts.append(latex(explanation.note))
    rows, remarks, sources = [], [], []
    for line in explanation.lines:
        label = rf"\text{{{latex(line.label)}}}"
        if line.step is None:
            rows.append(rf"  {label} &: \text{{{latex(line.text)}}} \\")
            continue
        unit = rf"\;\text{{{latex(line.step.formula.unit)}}}"
        rows.append(rf"  {label} &= " + equation(line.step, " \\\\\n  &") + rf" {unit} \\")
        sources.append(line.step.formula.source)
        if line.essential:
            remarks.append(latex(line.remark) + ".")
    if rows:
        rows[-1] = rows[-1].removesuffix(r" \\")
        parts += [r"\begin{align*}", *rows, r"\end{align*}"]
    parts += remarks
    if sources:
        parts.append(rf"{{\footnotesize Sources: {'. '.join(map(latex, dict.fromkeys(sources)))}.}}")
    return "\n".join(parts) + "\n"
