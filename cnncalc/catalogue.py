"""Tables that are not about one network: comparisons, verdicts, the layer types, the formulas."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import claims as checking
from .analysis.explain import counted
from .errors import did_you_mean, wrong_call
from .formula import CHAPTERS, FORMULAS, LETTERS, Formula, number
from .ops import FAMILIES, REGISTRY, readable
from .render.json import document
from .render.table import AtLeast, Column, Item, Line, Table, as_mib, as_number, as_text
from .report import Report
from .spec.model import open_spec
from .spec.schema import FILE, example_input, example_layers, example_steps, family_of
from .totals import Totals

#: Claims that fail whose work is shown.
FAILURES = 20


def comparison(reports: Sequence[Report]) -> Table:
    """Totals of several networks, each with its ratio to the first."""
    columns = (
        Column("network", "network"),
        Column("params", "parameters", as_number, True),
        Column("params_ratio", "×", _ratio, True),
        Column("macs", "MACs", as_number, True),
        Column("macs_ratio", "×", _ratio, True),
        Column("depth", "depth", as_text, True),
        Column("weight_bytes", "weights", _mebibytes, True),
        Column("peak_inference_bytes", "peak", _mebibytes, True),
    )
    first = reports[0].totals
    lines = []
    titles = [report.graph.variant or report.graph.name for report in reports]
    stems = [Path(report.graph.source.name).stem for report in reports]
    names = [
        title if titles.count(title) == 1 else f"{title} ({stem})" for title, stem in zip(titles, stems, strict=True)
    ]
    for index, report in enumerate(reports):
        own = report.totals
        cells = (
            names[index],
            own.params,
            _over(own, first, "params"),
            own.macs,
            _over(own, first, "macs"),
            own.depth,
            own.weight_bytes,
            own.peak_inference_bytes,
        )
        if not own.complete:
            cells = tuple(AtLeast(cell) if isinstance(cell, int) else cell for cell in cells)  # type: ignore[assignment]
        lines.append(Line(cells))
    inputs = {readable(report.graph.inputs[0].shape or ()) for report in reports}
    same = (
        f"input {inputs.pop()}"
        if len(inputs) == 1
        else "inputs differ: "
        + ", ".join(f"{report.title} {readable(report.graph.inputs[0].shape or ())}" for report in reports)
    )
    head = (
        f"{same} · batch {reports[0].batch} · {reports[0].dtype}",
        "× ratio to the first; weights (with buffers) and peak activations in MiB",
    )
    return Table("", columns, lines, head, document={"models": [document(report) for report in reports]})


def _over(own: Totals, first: Totals, figure: str) -> float | None:
    """The ratio of two totals; not known where one of them is not."""
    a, b = getattr(own, figure), getattr(first, figure)
    return a / b if b and own.complete and first.complete else None


def _mebibytes(value: int) -> str:
    return as_mib(value / 2**20)


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3g}"


def verdicts(results: Sequence[checking.Checked]) -> Table:
    """The claims of several networks, and the work behind those that fail."""
    columns = (
        Column("network", "network"),
        Column("part", "part"),
        Column("quantity", "quantity"),
        Column("claimed", "claimed", checking.shown, True),
        Column("computed", "computed", checking.shown, True),
        Column("holds", "holds", _holds),
    )
    found = list(checking.claims(results))
    disputed = [(result, verdict) for result in results for verdict in result.disputed]
    lines = [
        Line(
            (
                result.title,
                verdict.part,
                verdict.claim.quantity,
                verdict.claim.value,
                _known(verdict.computed),
                verdict.holds,
            ),
            "pass" if verdict.holds else "fail",
        )
        for result, verdict in found
    ]
    lines += [
        Line(
            (result.title, each.part, each.claim.quantity, each.claim.value, _computed(each), "disputed"),
            "copies" if each.holds else "fail",
        )
        for result, each in disputed
    ]
    failed = [(result, verdict) for result, verdict in found if not verdict.holds]
    notes = [_failure(result, verdict) for result, verdict in failed[:FAILURES]]
    if len(failed) > FAILURES:
        notes.append(f"… and {len(failed) - FAILURES} more that fail")
    notes += [_dispute(result, verdict) for result, verdict in disputed]
    agreeing = [verdict for _, verdict in disputed if not verdict.holds]
    if agreeing:
        notes.append(f"{len(agreeing)} of the figures that are disputed AGREE with what is computed")
    if not results:
        return Table("", (), [], document=[])
    if not found:
        notes.append("nothing is claimed: an expect: beside a layer, or for the network, would be checked")
    else:
        notes.append(
            f"{len(found) - len(failed)} of {len(found)} claims hold"
            + (f", {len(failed)} FAIL" if failed else "")
            + (f"; {len(disputed)} published figure{'s' * (len(disputed) != 1)} disputed, as above" if disputed else "")
        )
    document = [_verdict(*each) | {"disputed": False} for each in found]
    # What is disputed is no claim of the spec's: it neither holds nor fails.
    document += [_verdict(*each) | {"holds": None, "disputed": True, "note": each[1].claim.note} for each in disputed]
    return Table("", columns if lines else (), lines, (), tuple(notes), document=document)


def _holds(value: Any) -> str:
    return "yes" if value is True else "NO"


def _computed(verdict: checking.Verdict) -> Any:
    """What is computed for a disputed figure; nothing for what is not computed at all."""
    return "" if verdict.computed is None and verdict.holds else _known(verdict.computed)


def _dispute(result: checking.Checked, verdict: checking.Verdict) -> str:
    """Who says what, and why it is not so."""
    claim = verdict.claim
    said = f"{result.title}, {verdict.part}: {claim.quantity} {checking.shown(claim.value)}, {claim.source}"
    return Item(f"{said}: {claim.note}")


def _known(value: Any) -> Any:
    return "not known" if value is None else value


def _failure(result: checking.Checked, verdict: checking.Verdict) -> str:
    claim = verdict.claim
    place = f"{result.report.graph.source.name}:{claim.place.line}" if claim.place else result.report.graph.source.name
    text = (
        f"{place}: {verdict.part}: {claim.quantity} is claimed as {checking.shown(claim.value)}, "
        f"but computed as {checking.shown(verdict.computed)}"
    )
    text += f"\n  source of the claim: {claim.source}" if claim.source else ""
    return text + (f"\n{textwrap.indent(verdict.work, '  ')}" if verdict.work else "") + "\n"


def _verdict(result: checking.Checked, verdict: checking.Verdict) -> dict[str, Any]:
    claim = verdict.claim
    return {
        "network": result.title,
        "part": verdict.part,
        "quantity": claim.quantity,
        "claimed": claim.value,
        "computed": verdict.computed,
        "holds": verdict.holds,
        "line": claim.place.line if claim.place else None,
        "source": claim.source,
    }


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
        raise wrong_call(f"there is no layer type {name}", hint)
    columns = (
        Column("argument", "argument"),
        Column("default", "default"),
        Column("letter", "letter"),
        Column("meaning", "meaning"),
    )
    lines = []
    for each in cls.arguments():
        default = "required" if each.required else "known" if each.inferred else _default(each.default)
        lines.append(Line((each.name, default, each.letter, f"{each.doc}: {each.kind.expects}")))
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
    letters = {letter: LETTERS[letter] for step in steps for letter in step.formula.letters}
    if letters:
        notes.append("letters\n" + "\n".join(f"  {letter:<8} {meaning}" for letter, meaning in letters.items()))
    example = [f"example, on {readable(shape)}", *(f"  {line}" for line in example_layers(cls))]
    example += [f"  {step.formula.symbol or step.formula.name} = {step.line} {step.formula.unit}" for step in steps]
    notes.append("\n".join(example))
    notes = [f"{note}\n" for note in notes[:-1]] + notes[-1:]
    document = {
        "type": name,
        "what": _summary(cls),
        "family": family_of(cls),
        "arguments": [dict(zip((column.key for column in columns), line.cells, strict=True)) for line in lines],
        "formulas": [_formula(step.formula) for step in steps],
        "example": {
            "input": list(shape),
            "spec": "\n".join(example_layers(cls)),
            "lines": [step.line for step in steps],
        },
    }
    title, head = f"{name}: {_summary(cls)}", (f"family: {family_of(cls)}",)
    return Table(title, columns if lines else (), lines, head, tuple(notes), (), document)


def in_teaching_order() -> list[Formula]:
    """All formulas by chapter (sizes, parameters, work, memory, receptive field), the convolution's first in each."""
    families = [module.__name__ for module in FAMILIES.values()]

    def place(made: Formula) -> tuple[int, int]:
        module = made.function.__module__
        return CHAPTERS.index(made.chapter), families.index(module) if module in families else len(families)

    return sorted(FORMULAS.values(), key=place)


def formula_table() -> Table:
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
                each.chapter,
                each.name,
                f"{each.symbol} = {each.text}" if each.symbol else each.text,
                each.unit,
                each.source,
            )
        )
        for each in in_teaching_order()
    ]
    return Table("", columns, lines, document=[_formula(each) for each in in_teaching_order()])


def _formula(formula: Formula) -> dict[str, Any]:
    """A formula as plain data."""
    return {
        "name": formula.name,
        "chapter": formula.chapter,
        "symbol": formula.symbol,
        "expression": formula.text,
        "latex": formula.latex,
        "letters": {letter: LETTERS[letter] for letter in formula.letters},
        "unit": formula.unit,
        "source": formula.source,
        "remark": formula.remark,
    }


def formula_text() -> str:
    """All formulas in teaching order, chapter by chapter, and what the letters mean."""
    found = in_teaching_order()
    parts = []
    for chapter in CHAPTERS:
        parts.append(f"{chapter.upper()}\n")
        for each in found:
            if each.chapter == chapter:
                parts.append(f"  {each.name} [{each.unit}]\n      {each.symbol} = {each.text}")
                parts.append(textwrap.fill(each.source, 79, initial_indent="      ", subsequent_indent="      ") + "\n")
    used = {letter for each in found for letter in each.letters}
    parts.append("LETTERS\n")
    parts += [f"  {letter:<8} {meaning}" for letter, meaning in LETTERS.items() if letter in used]
    return "\n".join(parts) + "\n"


def first_spec(name: str, like: str = "") -> tuple[Path, str]:
    """The path and text of a new spec, which nothing there may bear already; raises `SpecError`."""
    path = Path(name if re.search(r"\.ya?ml$", name) else f"{name}.yaml")
    if not name.strip():
        raise wrong_call("the new spec has no name", "cnncalc new my_net", where="cnncalc new")
    if re.search(r"\.(json|txt|toml|py|yaml\.yaml)$", name):
        raise wrong_call(
            f"{name} is no name for a spec, which is a YAML file", "leave the ending out", where="cnncalc new"
        )
    if not re.fullmatch(r"[\w.\-]+", path.name):
        raise wrong_call(f"{path.name!r} is not a name for a file", "letters, digits, _ and -", where="cnncalc new")
    if path.exists():
        raise wrong_call("is there already", "choose another name, or delete it first", where=str(path))
    if not path.parent.is_dir():
        raise wrong_call(
            "there is no such folder", "make it first, or name a folder that is there", where=str(path.parent)
        )
    modeline = f"# yaml-language-server: $schema=./{FILE}\n"
    if like:
        return path, modeline + re.sub(r"(?m)^# yaml-language-server:.*\n", "", open_spec(like).source.text, count=1)
    return path, modeline + _FIRST.format(name=path.stem)


_FIRST = """\
name: {name}
input: [1, 28, 28]            # channels, height, width; the batch is never written

layers:
  - Conv2d: {{out_channels: 16, kernel_size: 3, padding: 1}}
  - ReLU
  - MaxPool2d: {{kernel_size: 2}}
  - Conv2d: {{out_channels: 32, kernel_size: 3, padding: 1}}
  - ReLU
  - MaxPool2d: {{kernel_size: 2}}
  - Flatten
  - Linear: {{out_features: 10}}
    expect: {{shape: [10]}}     # a claim: cnncalc check {name}.yaml
"""


def _summary(cls: Any) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _default(value: Any) -> str:
    if value is None:
        return "null"
    return (
        str(value).lower()
        if isinstance(value, bool)
        else as_text(value)
        if not isinstance(value, int)
        else number(value)
    )
