"""The layer types: all of them, or one with its arguments, formulas and an example."""

from __future__ import annotations

import textwrap
from typing import Any

from ..errors import did_you_mean, usage_error
from ..explanation import legend, legend_lines
from ..language.schema import example_input, example_layers, example_steps, family_of
from ..ops import FAMILIES, REGISTRY
from ..quantities import number, readable
from ..report.figures.work import counted
from ..table import Column, Line, Table
from .formulas import as_data


def ops_table() -> Table:
    """All layer types by family."""
    columns = (Column("type", "type"), Column("family", "family"), Column("what", "what it does"))
    lines = [
        Line((name, family, _summary(cls)))
        for family in FAMILIES
        for name, cls in REGISTRY.items()
        if family_of(cls) == family
    ]
    return Table("", columns, lines, (), ("cnncalc ops TYPE shows arguments, formulas and an example",), ("family",))


def op_table(name: str) -> Table:
    """One layer type: its arguments, its formulas with sources, and an example with its numbers."""
    cls = REGISTRY.get(name)
    if cls is None:
        hint = did_you_mean(name, REGISTRY) or "`cnncalc ops` lists them"
        raise usage_error(f"there is no layer type {name}", hint)
    columns = (
        Column("argument", "argument"),
        Column("default", "default"),
        Column("letter", "letter"),
        Column("meaning", "meaning"),
    )
    lines = []
    for argument in cls.arguments():
        default = "required" if argument.required else "known" if argument.inferred else _default(argument.default)
        lines.append(Line((argument.name, default, argument.letter, f"{argument.doc}: {argument.kind.expects}")))
    shape, notes = example_input(cls), []
    steps = example_steps(cls)
    for step in steps:
        formula = step.formula
        notes.append(
            f"{formula.name} [{formula.unit}]\n  {formula.symbol or 'value'} = {formula.text}\n"
            + textwrap.indent(textwrap.fill(formula.source, 76), "  ")
        )
        if formula.remark:
            notes[-1] += "\n" + textwrap.indent(textwrap.fill(formula.remark, 76), "  ")
    if cls.operations:
        notes.append(f"for each element: {counted(cls.operations)}")
    if steps:
        notes.append("\n".join(["letters", *legend_lines(legend(steps))]))
    example = [f"example, on {readable(shape)}", *(f"  {line}" for line in example_layers(cls))]
    example += [f"  {step.formula.symbol or step.formula.name} = {step.line} {step.formula.unit}" for step in steps]
    notes.append("\n".join(example))
    notes = [f"{note}\n" for note in notes[:-1]] + notes[-1:]
    document = {
        "type": name,
        "what": _summary(cls),
        "family": family_of(cls),
        "arguments": [dict(zip((column.key for column in columns), line.cells, strict=True)) for line in lines],
        "formulas": [as_data(step.formula) for step in steps],
        "example": {
            "input": list(shape),
            "spec": "\n".join(example_layers(cls)),
            "lines": [step.line for step in steps],
        },
    }
    title, head = f"{name}: {_summary(cls)}", [f"family: {family_of(cls)}"]
    if cls.yields:
        head.append("a layer, block or type of a spec that is called so goes before it")
    return Table(title, columns if lines else (), lines, tuple(head), tuple(notes), (), document)


def _summary(cls: Any) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _default(value: Any) -> str:
    if value is None:
        return "null"
    return (
        str(value).lower() if isinstance(value, bool) else str(value) if not isinstance(value, int) else number(value)
    )
