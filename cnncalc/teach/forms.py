"""The forms of items: a question, which mistake, a table, a planted error, a layer to be found; for each student."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..errors import Source, SpecError, did_you_mean, wrong_call
from ..formula import number
from ..ops import readable
from ..report import Report, Row, analyse
from .kinds import Kind, compiled
from .layers import QUANTITIES, question, true_shapes
from .quiz import Question, draw

#: The forms, and what may stand beside each.
FORMS = {
    "kind": ("letters",),
    "which": ("letters",),
    "table": ("spec", "layers"),
    "find_error": ("spec", "layers"),
    "inverse": ("ask", "input", "wants", "example"),
}
#: The forms that ask for several things of each layer.
TABLES = ("table", "find_error")


class Item(NamedTuple):
    """One item as the teacher wrote it: `form` says what kind of question, `what` which."""

    id: str
    form: str
    what: str
    points: float
    settings: Mapping[str, Any]


class Task(NamedTuple):
    """An item as one student gets it: the text, the blanks to fill, and what is needed to grade it.

    A blank is the path to it in the file of answers, below the item's id.
    """

    item: Item
    text: str
    blanks: tuple[tuple[str, ...], ...]
    question: Question | None = None
    right: tuple[Any, ...] = ()
    options: tuple[str, ...] = ()


def seed_of(secret: bytes, *parts: str) -> int:
    """The seed of a student's item: it tells nothing of the secret, and is the same every time."""
    digest = hmac.new(secret, "\x1f".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")


def task(item: Item, known: Mapping[str, Kind], secret: bytes, student: str) -> Task:
    """An item as a student gets it."""
    rng = random.Random(seed_of(secret, item.id, student))
    if item.form == "kind":
        question = drawn(item, known, rng)
        unit = f" [{question.kind.unit}]" if question.kind.unit else ""
        return Task(item, question.text + unit, ((),), question, (question.right,))
    if item.form == "which":
        return _which(item, drawn(item, known, rng), rng)
    if item.form == "inverse":
        return _inverse(item)
    return _table(item) if item.form == "table" else _find_error(item, known, rng)


def drawn(item: Item, known: Mapping[str, Kind], rng: random.Random) -> Question:
    kind = known[item.what]
    letters = item.settings.get("letters")
    if not letters:
        return draw(kind, rng)
    if not isinstance(letters, dict) or any(key not in letters for key in kind.draw):
        raise wrong_call(
            f"letters wants {', '.join(kind.draw)}", "letters: {N: 32, F: 5, …}, or leave it out to have them drawn"
        )
    for key, value in letters.items():
        if key not in kind.draw:
            hint = did_you_mean(str(key), kind.draw) or f"letters are {', '.join(kind.draw)}"
            raise wrong_call(f"{kind.name} has no letter {key}", hint)
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise wrong_call(f"letter {key} is {value!r}, which is no number", "letters: {N: 32, F: 5, …}")
    return Question(kind, letters | {key: compiled(text)(letters) for key, text in kind.letters.items()})


def _which(item: Item, question: Question, rng: random.Random) -> Task:
    """What was overlooked by somebody who got a wrong number? One slip gives it, the others offered do not."""
    values = {slip.name: question.wrong(slip) for slip in question.slips if not slip.convention}
    alone = [name for name, value in values.items() if list(values.values()).count(value) == 1]
    if len(alone) < 2:
        raise wrong_call("the slips of these letters cannot be told apart", "leave letters out, or choose others")
    rng.shuffle(alone)
    asked, offered = alone[0], sorted(alone[:4])
    says = {slip.name: slip.says.format(**question.letters) for slip in question.slips}
    options = tuple(says[name] for name in offered)
    text = f"{question.text}\nSomebody answers {number(values[asked])}. What was overlooked?"
    lines = [f"  {letter}) {option}" for letter, option in zip("abcd", options, strict=False)]
    return Task(item, "\n".join([text, *lines]), ((),), question, ("abcd"[offered.index(asked)],), options)


_WORDS = {
    "output": "output (height × width × channels)",
    "params": "parameters",
    "macs": "multiply-adds (MACs)",
    "bytes": "bytes of the output in float32",
}


def table_rows(item: Item) -> tuple[Report, list[Row]]:
    """The network of a table, and those of its layers that the table is about; raises `SpecError`."""
    report = analyse(str(item.settings.get("spec", "lenet")))
    names = item.settings.get("layers") or [row.name for row in report if row.params]
    rows = [_row(report, str(name)) for name in names]
    if len(rows) < 2:
        raise wrong_call("a table has two layers or more", "layers: [C1, C3, C5]")
    return report, rows


def _table(item: Item) -> Task:
    report, rows = table_rows(item)
    columns = item.settings["columns"]
    asked = ", ".join(_WORDS[column] for column in columns)
    text = f"{report.title}, input {readable(report.graph.inputs[0].shape or ())}: the {asked} of each layer"
    lines = [f"  {row.name:<16} {_told(row)}" for row in rows]
    blanks = tuple((row.name,) if len(columns) == 1 else (row.name, column) for row in rows for column in columns)
    right = tuple(QUANTITIES[column](row) for row in rows for column in columns)
    return Task(item, "\n".join([text, *lines]), blanks, None, right)


def _find_error(item: Item, known: Mapping[str, Kind], rng: random.Random) -> Task:
    """A table in which one number comes of a slip: whose is it, and what was overlooked?"""
    report, rows = table_rows(item)
    columns = item.settings["columns"]
    cells = [(row, column) for row in rows for column in columns]
    plants = {place: found for place, cell in enumerate(cells) if len(found := _plants(known, report, *cell)) > 1}
    if not plants:
        raise wrong_call("no slip is known that would show in these layers", "name convolutions: layers: [C1, C3]")
    at = rng.choice(list(plants))
    offered = rng.sample(plants[at], min(4, len(plants[at])))
    says, planted = rng.choice(offered)
    shown = [planted if place == at else QUANTITIES[column](row) for place, (row, column) in enumerate(cells)]
    text = f"{report.title}, input {readable(report.graph.inputs[0].shape or ())}: one number is wrong. Whose is it,"
    text += " and what was overlooked?"
    width = len(columns)
    text += f" (cell: as in {rows[0].name}{f' {columns[0]}' if width > 1 else ''}; mistake: a letter)"
    head = [max(len(row.name) for row in rows), max(len(_told(row)) for row in rows)]
    lines = [f"  {'':<{head[0]}}  {'':<{head[1]}}  {'  '.join(f'{column:>13}' for column in columns)}"]
    for place, row in enumerate(rows):
        values = "  ".join(f"{_written(value):>13}" for value in shown[place * width : (place + 1) * width])
        lines.append(f"  {row.name:<{head[0]}}  {_told(row):<{head[1]}}  {values}")
    lines += [f"  {letter}) {each}" for letter, (each, _) in zip("abcd", offered, strict=False)]
    row, column = cells[at]
    cell = row.name if width == 1 else f"{row.name} {column}"
    letter = "abcd"[[each for each, _ in offered].index(says)]
    return Task(
        item,
        "\n".join([text, *lines]),
        (("cell",), ("mistake",)),
        None,
        (cell, letter),
        tuple(each for each, _ in offered),
    )


def _plants(known: Mapping[str, Kind], report: Report, row: Row, column: str) -> list[tuple[str, Any]]:
    """What slips make of a cell of a table: what each overlooks, and the wrong value; no two give the same."""
    right, shapes = QUANTITIES[column](row), true_shapes(report.graph)
    found: dict[Any, list[str]] = {}
    for quantity in ("height", "channels") if column == "output" else (column,):
        asked = question(known, report.graph, row.node, quantity, shapes)
        for slip in [] if asked is None else asked.slips:
            value: Any = asked.wrong(slip) if asked else None
            if slip.convention or not isinstance(value, int) or value <= 0:
                continue
            if column == "output":
                value = (right[0], value, value) if quantity == "height" else (value, *right[1:])
            if value != right and asked is not None:
                found.setdefault(value, []).append(slip.says.format(**asked.letters))
    return [(says[0], value) for value, says in found.items() if len(says) == 1]


def _row(report: Report, name: str) -> Any:
    known = [row.name for row in report]
    if name not in known:
        raise wrong_call(f"{report.title} has no layer {name}", did_you_mean(name, known))
    return report[name]


def _told(row: Any) -> str:
    from .predict import stated

    told = ", ".join(f"{name} {value}" for name, value in stated(row))
    return f"{row.type}" + (f" ({told})" if told else "")


def _written(value: Any) -> str:
    return readable(value) if isinstance(value, tuple) else number(value)


def _inverse(item: Item) -> Task:
    """A layer is to be found that does something; any that does it is right."""
    wants, entering = item.settings.get("wants"), item.settings.get("input")
    if not isinstance(wants, dict) or not isinstance(entering, list):
        raise wrong_call(
            "inverse wants input and wants", "input: [3, 224, 224], wants: {shape: [64, 112, 112], field: 11}"
        )
    strange = [key for key in wants if key not in ("shape", "params", "macs", "field", "most_params")]
    if strange:
        raise wrong_call(f"nothing can be wanted of {strange[0]}", "wants: shape, params, macs, field or most_params")
    text = str(
        item.settings.get("ask")
        or f"Write one layer of type {item.what} for an input of {readable(tuple(entering))} with {wants}."
    )
    example = item.settings.get("example")
    if example is not None and not fulfils(item, str(example))[0]:
        raise wrong_call(f"the example {example} does not do it: {fulfils(item, str(example))[1]}")
    return Task(item, text, ((),))


def fulfils(item: Item, answer: str) -> tuple[bool, str]:
    """Whether a layer that a student wrote does what an inverse question wants; and what it lacks."""
    entering, wants = item.settings["input"], item.settings["wants"]
    body = answer.strip().removeprefix("- ").strip()
    try:
        report = analyse(Source("answer", f"input: {list(entering)}\nlayers:\n  - {body}\n"))
    except SpecError as error:
        return False, error.problems[0].message
    if len(report.rows) != 1 or report.rows[0].type != item.what or report.graph.errors:
        return False, f"one layer of type {item.what} was asked for"
    row = report.rows[0]
    field = row.receptive_field.size[0] if row.receptive_field else 0
    if "shape" in wants and list(row.output_shape or ()) != list(wants["shape"]):
        return False, "its output has another shape"
    if "field" in wants and field < wants["field"]:
        return False, "it sees less than was asked for"
    for key in ("params", "macs"):
        if key in wants and getattr(row, key) != wants[key]:
            return False, f"it has other {key}"
    if "most_params" in wants and (row.params or 0) > wants["most_params"]:
        return False, "it has too many parameters"
    return True, ""
