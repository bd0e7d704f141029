"""The forms of items: a question, which mistake, a table, a planted error, a layer to be found; for each student."""

from __future__ import annotations

import hashlib
import hmac
import random
import textwrap
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..errors import Misfit, Source, SpecError, did_you_mean, usage_error
from ..formats import render
from ..language.habits import call_of, flow
from ..language.locate import is_file_spec
from ..language.reader import Mapping as Mapping_
from ..language.reader import Scalar, read
from ..markup import markdown
from ..ops import REGISTRY
from ..quantities import number, readable
from ..record import Record
from ..report import Report, Row, analyse
from ..table import Column, Line, Table
from .kinds import QuestionKind, Slip, is_number
from .layer_questions import QUANTITIES, question, true_shapes
from .predict import stated
from .quiz import Question, draw

#: The forms, and what may stand beside each.
FORMS = {
    "kind": ("letters",),
    "which": ("letters",),
    "table": ("spec", "layers"),
    "find_error": ("spec", "layers"),
    "inverse": ("ask", "input", "wants", "example"),
}
#: How often a question is drawn in search of one whose slips can be told apart.
DRAWS = 40
#: The forms that ask for several things of each layer.
TABLES = ("table", "find_error")


class Item(Record):
    """One item as the teacher wrote it: `form` says what kind of question, `what` which."""

    id: str
    form: str
    what: str
    points: float
    settings: Mapping[str, Any]


class Task(Record):
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


def task(item: Item, known: Mapping[str, QuestionKind], secret: bytes, student: str) -> Task:
    """An item as a student gets it."""
    rng = random.Random(seed_of(secret, item.id, student))
    if item.form == "kind":
        question = drawn(item, known, rng)
        unit = f" (in {question.kind.unit})" if question.kind.unit else ""
        return Task(item, _folded(question.text + unit), ((),), question, (question.right,))
    if item.form == "which":
        return _which(item, known, rng)
    if item.form == "inverse":
        return _inverse(item)
    return _table(item) if item.form == "table" else _find_error(item, known, rng)


def drawn(item: Item, known: Mapping[str, QuestionKind], rng: random.Random) -> Question:
    """The question of an item, with the teacher's letters or drawn ones; raises `SpecError`."""
    kind = known[item.what]
    letters = item.settings.get("letters")
    if letters is None:
        return draw(kind, rng)
    if not isinstance(letters, dict) or any(key not in letters for key in kind.draw):
        raise usage_error(
            f"letters wants {', '.join(kind.draw)}", "letters: {N: 32, F: 5, …}, or leave it out to have them drawn"
        )
    for key, value in letters.items():
        if key not in kind.draw:
            hint = did_you_mean(str(key), kind.draw) or f"letters are {', '.join(kind.draw)}"
            raise usage_error(f"{kind.name} has no letter {key}", hint)
        if not is_number(value):
            raise usage_error(f"letter {key} is {value!r}, which is no number", "letters: {N: 32, F: 5, …}")
    try:
        made = Question(kind, kind.completed(letters))
        if not is_number(made.right):
            raise ArithmeticError
    except (ArithmeticError, Misfit, TypeError, ValueError):
        raise usage_error(f"{kind.name} has no answer with these letters", f"its formula is {kind.shown}") from None
    return made


def _which(item: Item, known: Mapping[str, QuestionKind], rng: random.Random) -> Task:
    """What was overlooked by somebody who got a wrong number? One slip gives it, the others offered do not."""
    for _ in range(1 if item.settings.get("letters") else DRAWS):
        asked = drawn(item, known, rng)
        by_value: dict[float, list[Slip]] = {}
        for slip in asked.slips:
            by_value.setdefault(round(float(asked.wrong(slip)), 9), []).append(slip)
        by_value.pop(round(float(asked.right), 9), None)
        # Each sentence once, and each with a number that is a mistake's alone.
        alone = {
            slips[0].says.format(**asked.letters): asked.wrong(slips[0])
            for slips in by_value.values()
            if len({slip.says for slip in slips}) == 1 and not slips[0].convention
        }
        if len(alone) > 1:
            break
    else:
        hint = "choose other letters" if item.settings.get("letters") else "choose another kind"
        raise usage_error("the slips of this item cannot be told apart", hint)
    options = rng.sample(list(alone), min(4, len(alone)))
    says = rng.choice(options)
    text = _folded(f"{asked.text}\nSomebody answers {number(alone[says])}. What was overlooked?")
    right = ("abcd"[options.index(says)],)
    return Task(item, "\n\n".join([text, _options(options)]), ((),), asked, right, tuple(options))


_WORDS = {
    "output": "output (written as the input is, {})",
    "params": "parameters",
    "macs": "multiply-adds (MACs)",
    "bytes": "bytes of the output in float32",
}


@lru_cache(maxsize=32)
def _report(spec: str, saved: int) -> Report:
    """The report of a spec, the same for a whole class; `saved` is when a file was, so that a change is seen."""
    return analyse(spec)


def table_rows(item: Item) -> tuple[Report, list[Row]]:
    """The network of a table, and those of its layers that the table is about; raises `SpecError`."""
    spec = str(item.settings.get("spec", "lenet"))
    path = is_file_spec(spec)
    report = _report(spec, path.stat().st_mtime_ns if path else 0)
    names = item.settings.get("layers")
    if names is not None and not isinstance(names, list):
        raise usage_error("layers is no list of names", "layers: [C1, C3, C5]")
    rows = [_row(report, f"{name}") for name in names or [row.name for row in report if row.params]]
    if len(rows) < 2 or len({row.name for row in rows}) < len(rows):
        raise usage_error("a table has two layers or more, each once", "layers: [C1, C3, C5]")
    unknown = [row.name for row in rows if row.output_shape is None or row.params is None]
    if unknown:
        raise usage_error(f"nothing is known of {unknown[0]}", "choose layers that cnncalc knows")
    return report, rows


def _table(item: Item) -> Task:
    report, rows = table_rows(item)
    columns = item.settings["columns"]
    entering = readable(report.graph.inputs[0].shape or ())
    asked = ", ".join(_WORDS[column].format(entering) for column in columns)
    text = f"{report.title}, input {entering}: the {asked} of each layer."
    given = {row.node for row in rows} if "output" in columns else set()
    layers = _listed([markdown(f"{row.name}: {_told(row)}, {_entering(report, row, given)}") for row in rows])
    blanks = tuple((row.name,) if len(columns) == 1 else (row.name, column) for row in rows for column in columns)
    right = tuple(QUANTITIES[column](row) for row in rows for column in columns)
    return Task(item, "\n\n".join([_folded(text), layers]), blanks, None, right)


def _entering(report: Report, row: Row, asked: set[int]) -> str:
    """What goes into a layer: the output of one that is asked for itself, or else its shape."""
    parts = []
    for index in row.layer.inputs:
        source, flat = index, ""
        while source not in asked:
            node = report.graph.nodes[source]
            if node.type == "Flatten" and len(row.layer.inputs) == 1:
                flat = ", flattened"
            elif len(node.inputs) != 1 or report.graph.nodes[node.inputs[0]].shape != node.shape:
                break
            source = node.inputs[0]
        node = report.graph.nodes[source]
        what = f"the output of {node.name}" if source in asked else readable(node.shape or ())
        parts.append(what + flat)
    return "on " + " and ".join(parts)


def _listed(entries: Iterable[str]) -> str:
    """A list, its entries in Markdown already, no wider than a terminal."""
    return "\n".join(
        textwrap.fill(entry, 79, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)
        for entry in entries
    )


def _options(options: Iterable[str]) -> str:
    return _listed(f"**{letter}**: {markdown(option)}" for letter, option in zip("abcd", options, strict=False))


def _folded(text: str) -> str:
    """A paragraph in Markdown, no wider than a terminal."""
    return textwrap.fill(markdown(" ".join(text.split())), 79, break_on_hyphens=False)


def _find_error(item: Item, known: Mapping[str, QuestionKind], rng: random.Random) -> Task:
    """A table in which one number comes of a slip: whose is it, and what was overlooked?"""
    report, rows = table_rows(item)
    columns = item.settings["columns"]
    cells = [(row, column) for row in rows for column in columns]
    plants = {place: found for place, cell in enumerate(cells) if len(found := _plants(known, report, *cell)) > 1}
    if not plants:
        raise usage_error("no slip is known that would show in these layers", "name convolutions: layers: [C1, C3]")
    at = rng.choice(list(plants))
    offered = rng.sample(plants[at], min(4, len(plants[at])))
    says, planted = rng.choice(offered)
    shown = [planted if place == at else QUANTITIES[column](row) for place, (row, column) in enumerate(cells)]
    width = len(columns)
    example = f"{rows[0].name}{f' {columns[0]}' if width > 1 else ''}"
    entering = readable(report.graph.inputs[0].shape or ())
    text = f"{report.title}, input {entering}: one number is wrong. Whose is it, and "
    text += f"what was overlooked? (cell: as in {example}; mistake: a letter)"
    columns_ = (Column("layer", "layer"), *(Column(column, column, _written, True) for column in columns))
    lines = [Line((row.name, *shown[place * width : (place + 1) * width])) for place, row in enumerate(rows)]
    layers = _listed([markdown(f"{row.name}: {_told(row)}, {_entering(report, row, set())}") for row in rows])
    row, column = cells[at]
    cell = row.name if width == 1 else f"{row.name} {column}"
    options = tuple(each for each, _ in offered)
    right = (cell, "abcd"[options.index(says)])
    table = render(Table("", columns_, lines), "markdown").strip()
    parts = [_folded(text), table, layers, "The mistakes to choose from:", _options(options)]
    return Task(item, "\n\n".join(parts), (("cell",), ("mistake",)), None, right, options)


def _plants(known: Mapping[str, QuestionKind], report: Report, row: Row, column: str) -> list[tuple[str, Any]]:
    """What slips make of a cell of a table: what each overlooks, and the wrong value; no two give the same."""
    right, shapes = QUANTITIES[column](row), true_shapes(report.graph)
    found: dict[Any, list[str]] = {}
    for quantity in ("height", "channels") if column == "output" else (column,):
        asked = question(known, report.graph, row.node, quantity, shapes)
        if asked is None:
            continue
        for slip in asked.slips:
            value: Any = asked.wrong(slip)
            if slip.convention or not isinstance(value, int) or value <= 0:
                continue
            if column == "output":
                value = (right[0], value, value) if quantity == "height" else (value, *right[1:])
            if value != right:
                found.setdefault(value, []).append(slip.says.format(**asked.letters))
    alone = {says[0]: value for value, says in found.items() if len(set(says)) == 1}
    return list(alone.items())


def _row(report: Report, name: str) -> Any:
    known = [row.name for row in report]
    if name not in known:
        raise usage_error(f"{report.title} has no layer {name}", did_you_mean(name, known))
    return report[name]


def _told(row: Any) -> str:
    told = ", ".join(f"{name} {value}" for name, value in stated(row))
    again = f", with the weights of {row.shares}" if row.shares else ""
    return f"{row.type}" + (f" ({told})" if told else "") + again


def _written(value: Any) -> str:
    return readable(value) if isinstance(value, tuple) else number(value)


def _inverse(item: Item) -> Task:
    """A layer is to be found that does something; any that does it is right."""
    wants, entering = item.settings.get("wants"), item.settings.get("input")
    if item.what not in REGISTRY:
        hint = did_you_mean(item.what, REGISTRY) or "`cnncalc ops` lists the layer types"
        raise usage_error(f"there is no layer type {item.what}", hint)
    if not isinstance(entering, list) or not entering or not all(type(size) is int and size > 0 for size in entering):
        raise usage_error("inverse wants an input", "input: [3, 224, 224]")
    if not isinstance(wants, dict) or not wants:
        raise usage_error("inverse wants something", "wants: {shape: [64, 112, 112], field: 11}")
    for key, value in wants.items():
        if key not in _WANTS:
            raise usage_error(f"nothing can be wanted of {key}", f"wants: {', '.join(_WANTS)}")
        sizes = value if key == "shape" and isinstance(value, list) else [value] if key != "shape" else []
        if not sizes or not all(type(size) is int and size >= 0 for size in sizes):
            raise usage_error(f"{key} is {value!r}", "wants: {shape: [64, 112, 112], field: 11}")
    shown = {key: readable(tuple(value)) if key == "shape" else number(value) for key, value in wants.items()}
    told = " and ".join(f"{_WANTS[key]} {value}" for key, value in shown.items())
    text = f"Write one layer of type {item.what} for an input of {readable(tuple(entering))} with {told}."
    example = item.settings.get("example")
    if example is not None and not fulfils(item, str(example))[0]:
        raise usage_error(f"the example {example} does not do it: {fulfils(item, str(example))[1]}")
    asked = _folded(str(item.settings.get("ask") or text))
    return Task(item, f"{asked}\n\nWrite it as `{blank_layer(item.what)}`.", ((),))


#: Arguments that tell what a layer does to a shape: the ones that are asked for.
SHAPING = (
    *("out_channels", "out_features", "num_features", "num_channels", "num_groups", "normalized_shape"),
    *("kernel_size", "stride", "padding", "output_padding", "output_size", "size", "scale_factor", "upscale_factor"),
)


def blanks_of(type_: str) -> list[str]:
    """The arguments of a layer type that are asked for: those that shape what comes out, and those that it needs."""
    arguments = {argument.name: argument for argument in REGISTRY[type_].arguments() if not argument.inferred}
    needed = [name for name, argument in arguments.items() if argument.required and name not in SHAPING]
    return [*needed, *(name for name in SHAPING if name in arguments)] or list(arguments)[:4]


def blank_layer(type_: str) -> str:
    """A layer without its numbers, to show how one is written.

    >>> blank_layer("Conv2d")
    '{Conv2d: {out_channels: …, kernel_size: …, stride: …, padding: …}}'
    """
    return f"{{{type_}: {{{', '.join(f'{name}: …' for name in blanks_of(type_))}}}}}"


_WANTS = {
    "shape": "an output of",
    "field": "a receptive field, in all directions, of at least",
    "params": "exactly so many parameters:",
    "macs": "exactly so many multiply-adds:",
    "most_params": "at most so many parameters:",
}


def fulfils(item: Item, answer: str) -> tuple[bool, str]:
    """Whether a layer that a student wrote does what an inverse question wants; and what it lacks."""
    entering, wants = item.settings["input"], item.settings["wants"]
    body = answer.strip().removeprefix("- ").strip()
    try:
        body = as_layer(body, item.what)
        written = read(Source("answer", body))
        one = isinstance(written, Mapping_) and list(written.pairs) == [item.what]
        if not one and not (isinstance(written, Scalar) and written.text == item.what):
            return False, f"one layer of type {item.what} was asked for"
        report = analyse(Source("answer", f"input: {list(entering)}\nlayers:\n  - {body}\n"))
    except Misfit as misfit:
        return False, misfit.cause
    except SpecError as error:
        return False, error.problems[0].message
    if len(report.rows) != 1 or report.rows[0].type != item.what or report.graph.errors:
        return False, f"one layer of type {item.what} was asked for"
    row = report.rows[0]
    field = min(row.receptive_field.size) if row.receptive_field else 0
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


def as_layer(text: str, type_: str) -> str:
    """A layer as the language has it, also where it was written as PyTorch does; raises `Misfit`.

    >>> as_layer("nn.Conv2d(3, 64, 7, stride=2)", "Conv2d")
    'Conv2d: {in_channels: 3, out_channels: 64, kernel_size: 7, stride: 2}'
    """
    call = call_of(text)
    return flow(*call) if call and call[0] == type_ else text
