"""Worksheets: what a teacher writes, its warnings, and one sheet for each student."""

from __future__ import annotations

import hashlib
import hmac
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..errors import SpecError, did_you_mean, usage_error
from ..markup import markdown
from ..quantities import number
from ..record import Record
from ..table import Column, Line, Prose, Table
from .files import load, plain
from .forms import FORMS, TABLES, Item, Task, blank_layer, drawn, table_rows, task
from .kinds import CREDIT, QuestionKind, compiled, credit, credit_of, is_number, kinds
from .layer_questions import QUANTITIES, question, true_shapes
from .quiz import Question

#: Students for whom an item is tried when it is read.
TRIED = 20


class Worksheet(Record):
    """A worksheet as the teacher wrote it."""

    title: str
    items: tuple[Item, ...]
    kinds: Mapping[str, QuestionKind]
    credit: Mapping[str, float] = CREDIT


def read_worksheet(path: str, extra: str = "") -> Worksheet:
    """A worksheet from its file; raises `SpecError` with the place and the way out."""
    content = plain(load(path))
    for key in content:
        if key not in ("title", "items", "credit"):
            hint = did_you_mean(key, ("title", "items", "credit")) or "a worksheet has title, items and credit"
            raise usage_error(f"a worksheet has no part {key}", hint, where=path)
    if not isinstance(content.get("items"), list) or not content["items"]:
        raise usage_error(
            "a worksheet has a title and items", "`cnncalc worksheet new sheet.yaml` writes one", where=path
        )
    known = kinds(extra)
    items = [_item(each, place, known, path) for place, each in enumerate(content["items"], 1)]
    ids = [item.id for item in items]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise usage_error(f"there are two items {twice[0]}", "every item has an id of its own", where=path)
    shares = credit(extra) | credit_of(content.get("credit"), path)
    return Worksheet(str(content.get("title") or Path(path).stem), tuple(items), known, shares)


def _item(body: Any, place: int, known: Mapping[str, QuestionKind], path: str) -> Item:
    if not isinstance(body, dict):
        raise usage_error(f"item {place} is no mapping", "- {id: a, kind: size, points: 2}", where=path)
    forms = [form for form in FORMS if form in body]
    if len(forms) != 1:
        raise usage_error(f"item {place} has {len(forms)} forms", f"one of {', '.join(FORMS)}", where=path)
    form = forms[0]
    columns = tuple(map(str, body[form] if isinstance(body[form], list) and form in TABLES else [body[form]]))
    what = ", ".join(columns)
    for key in body:
        allowed = ("id", "points", *FORMS, *FORMS[form])
        if key not in allowed:
            raise usage_error(
                f"item {place} has no part {key}",
                did_you_mean(str(key), allowed) or f"parts are {', '.join(allowed)}",
                where=path,
            )
    if form in ("kind", "which") and what not in known:
        raise usage_error(
            f"there is no kind of question {what}",
            did_you_mean(what, known) or f"kinds are {', '.join(known)}",
            where=path,
        )
    strange = [column for column in columns if form in TABLES and column not in QUANTITIES]
    if strange or not columns:
        hint = did_you_mean(strange[0], QUANTITIES) if strange else ""
        raise usage_error(
            f"no table asks for {strange[0] if strange else 'nothing'}",
            hint or f"use {', '.join(QUANTITIES)}, or several: [output, params]",
            where=path,
        )
    if len(set(columns)) < len(columns):
        raise usage_error(f"item {place} asks for the same twice", f"{form}: [output, params]", where=path)
    points = body.get("points", 1)
    if not is_number(points) or points <= 0:
        raise usage_error(f"item {place} has {points} points", "a number above 0", where=path)
    name = str(body.get("id", place))
    if not re.fullmatch(r"[\w.\-]{1,40}", name):
        raise usage_error(f"item {place}: {name[:40]!r} is no id", "letters, digits, . _ and -", where=path)
    settings = {key: value for key, value in body.items() if key in FORMS[form]} | {"columns": columns}
    made = Item(name, form, what, float(points), settings)
    try:
        for student in map(str, range(TRIED if form in ("which", "find_error") else 1)):
            task(made, known, b"check", student)
    except SpecError as error:
        raise usage_error(
            f"item {made.id}: {error.problems[0].message.removeprefix('cnncalc: ')}", error.problems[0].hint, where=path
        ) from None
    return made


def tasks(sheet: Worksheet, secret: bytes, student: str) -> list[Task]:
    """All items as a student gets them."""
    return [task(item, sheet.kinds, secret, student) for item in sheet.items]


class Origin(Record):
    """What a file of answers was built from: the items as its student got them, and the course's secret.

    Both are told by prints that tell nothing else: without the secret nobody can try which answers would fit.
    """

    sheet: str
    secret: str

    def __str__(self) -> str:
        return f"{self.sheet}-{self.secret}"


def origin(given: Sequence[Task], secret: bytes, student: str) -> Origin:
    """The prints of a student's items and of the secret.

    >>> origin([], b"secret", "anna") == origin([], b"secret", "anna") != origin([], b"other", "anna")
    True
    """
    items = [
        (task.item.id, task.item.form, task.item.what, task.right, task.options, task.blanks)
        + ((sorted(task.question.letters.items()),) if task.question else ())
        + ((task.item.settings["wants"], task.item.settings["input"]) if task.item.form == "inverse" else ())
        for task in given
    ]
    prints = [
        hmac.new(secret, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
        for parts in (("items", student, *map(repr, items)), ("secret",))
    ]
    return Origin(prints[0][:16], prints[1][:8])


def collisions(sheet: Worksheet) -> list[str]:
    """Warnings about questions in which mistakes cannot be told apart, or a wrong method gives the right number."""
    found = []
    for item in sheet.items:
        if item.form == "kind":
            asked = drawn(item, sheet.kinds, random.Random(0))
            found += [f"item {item.id}: {text}" for text in _of_question(item, asked)]
    return found


def hidden(sheet: Worksheet) -> list[str]:
    """Slips that a table never shows."""
    tables = [item for item in sheet.items if item.form == "table"]
    return [f"item {item.id}: {text}" for item in tables for text in _of_table(item, sheet.kinds)]


def _of_question(item: Item, asked: Question) -> list[str]:
    fixed, right = bool(item.settings.get("letters")), asked.right
    problems = []
    if fixed and asked.kind.where and not compiled(asked.kind.where)(asked.letters):
        problems.append(f"these letters make no good question: {asked.kind.where} does not hold")
    by_value: dict[float, list[str]] = {}
    for slip in asked.slips:
        by_value.setdefault(round(float(asked.wrong(slip)), 9), []).append(slip.name)
    for value, names in by_value.items():
        if abs(value - right) <= 1e-9 * max(1.0, abs(right)):
            problems.append(f"{', '.join(names)} gives the right number")
        elif len(names) > 1 and fixed:
            problems.append(f"{' and '.join(names)} give the same number")
    return problems


def _of_table(item: Item, known: Mapping[str, QuestionKind]) -> list[str]:
    """Slips that a table never shows: they give the right number in every blank."""
    report, rows = table_rows(item)
    shapes = true_shapes(report.graph)
    hidden: dict[str, bool] = {}
    for row in rows:
        for column in item.settings["columns"]:
            for quantity in ("height", "channels") if column == "output" else (column,):
                asked = question(known, report.graph, row.node, quantity, shapes)
                for slip in asked.slips if asked else []:
                    same = asked is not None and asked.wrong(slip) == asked.right
                    hidden[slip.name] = hidden.get(slip.name, True) and same
    return [f"{name} gives the right number in every row" for name, always in hidden.items() if always]


def kinds_table(extra: str = "") -> Table:
    """All kinds of question."""
    found = kinds(extra).values()
    columns = (
        Column("kind", "kind"),
        Column("topic", "topic"),
        Column("letters", "letters"),
        Column("slips", "slips", number, True),
    )
    lines = [Line((each.name, each.topic, ", ".join(each.draw), len(each.slips))) for each in found]
    notes = (
        f"{len(lines)} kinds, {sum(len(each.slips) for each in found)} slips; cnncalc worksheet kinds KIND shows one",
    )
    return Table("", columns, lines, (), notes, ("slips",))


def kind_table(name: str, extra: str = "") -> Table:
    """A kind of question: what it asks, its formula, and the slips that are known; raises `SpecError`."""
    known = kinds(extra)
    if name not in known:
        raise usage_error(
            f"there is no kind of question {name}", did_you_mean(name, known) or f"kinds are {', '.join(known)}"
        )
    kind = known[name]
    columns = (Column("slip", "slip"), Column("says", "what it overlooks"))
    lines = [Line((slip.name, slip.says + " (a convention)" * slip.convention)) for slip in kind.slips]
    head = (Prose(kind.ask), f"answer: {kind.shown}" + f" [{kind.unit}]" * bool(kind.unit))
    drawn = [f"  {letter} from {', '.join(map(str, values))}" for letter, values in kind.draw.items()]
    return Table(kind.name, columns, lines, head, ("letters are drawn:", *drawn))


def printed(sheet: Worksheet, given: Sequence[Task], student: str) -> str:
    """A student's sheet in Markdown."""
    lines = [f"# {markdown(sheet.title)}", "", f"student: {markdown(student)}", ""]
    for count, each in enumerate(given, 1):
        points = f"{each.item.points:g} point{'s' * (each.item.points != 1)}"
        lines += [f"## {count}. ({markdown(each.item.id)}, {points})", "", each.text, ""]
    lines += ["Write into the file of answers: a number, or the arithmetic that leads to it.", ""]
    return "\n".join(lines)


def answer_file(given: Sequence[Task], secret: bytes, student: str) -> str:
    """The file that a student fills in, with the print of what it was built from."""
    lines = [f"student: {_quoted(student)}", f"built: {origin(given, secret, student)}", "answers:"]
    for each in given:
        if each.item.form == "inverse":
            lines.append(f"  # {each.item.id}: {blank_layer(each.item.what)}")
        if each.blanks == ((),):
            lines.append(f"  {_quoted(each.item.id)}:")
            continue
        content: dict[str, Any] = {}
        for path in each.blanks:
            place = content
            for key in path[:-1]:
                place = place.setdefault(key, {})
            place[path[-1]] = None
        written = yaml.safe_dump({each.item.id: content}, sort_keys=False, allow_unicode=True, width=10**9)
        lines += ["  " + line for line in written.replace(": null\n", ":\n").splitlines()]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A text as a YAML scalar in one line."""
    return yaml.safe_dump(text, allow_unicode=True, width=10**9).strip().removesuffix("...").strip()


NEW = """\
title: Sheet 1
items:
  - {id: size, kind: size, points: 2}                 # drawn anew for each student
  - {id: weights, kind: conv_params, points: 2, letters: {N: 32, F: 5, G: 1, Ci: 3, Co: 20}}
  - {id: slip, which: macs, points: 1}                # which mistake gives this number?
  - {id: lenet, table: [output, params], points: 3, spec: lenet, layers: [C1, C3, C5]}
  - {id: wrong, find_error: macs, points: 1, spec: alexnet_2012, layers: [conv1, conv2, conv3, conv4]}
  - id: halve                                         # many right answers: each is computed
    inverse: Conv2d
    points: 2
    ask: Write a Conv2d that makes 112×112 with 64 channels of a picture of 224×224, and sees at least 7 pixels.
    input: [3, 224, 224]
    wants: {shape: [64, 112, 112], field: 7}
    example: "Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}"
"""
