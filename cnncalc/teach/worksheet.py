"""Worksheets: what a teacher writes, one sheet for each student, and what each item wants."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..errors import SpecError, did_you_mean, wrong_call
from ..formula import number
from ..ops import readable
from ..report import Report, analyse
from .kinds import Kind, kinds
from .quiz import Question, draw

FORMS = ("kind", "which", "table", "find_error", "inverse")
_COMMON = ("id", "points", *FORMS)
_OF_FORM = {
    "kind": ("letters",),
    "which": ("letters",),
    "table": ("spec", "layers"),
    "find_error": ("spec", "layers"),
    "inverse": ("ask", "input", "wants", "example"),
}


class Item(NamedTuple):
    """One item as the teacher wrote it: `form` says what kind of question, `what` which."""

    id: str
    form: str
    what: str
    points: float
    settings: Mapping[str, Any]


#: The share of the points for an answer that is not plainly right; a worksheet may set others.
CREDIT = {"convention": 1.0, "carried": 1.0, "slip": 0.5, "slips": 0.25}


class Worksheet(NamedTuple):
    """A worksheet as the teacher wrote it."""

    title: str
    items: tuple[Item, ...]
    kinds: Mapping[str, Kind]
    credit: Mapping[str, float] = CREDIT


class Task(NamedTuple):
    """An item as one student gets it: the text, the blanks to fill, and what is needed to grade it."""

    item: Item
    text: str
    blanks: tuple[str, ...]
    question: Question | None = None
    right: tuple[Any, ...] = ()
    options: tuple[str, ...] = ()


def read_worksheet(path: str, extra: str = "") -> Worksheet:
    """A worksheet from its file; raises `SpecError` with the place and the way out."""
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
    except OSError as error:
        raise wrong_call(f"cannot be read: {error.strerror}", where=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        raise wrong_call("is not YAML", where=f"{path}:{mark.line + 1}" if mark else path) from None
    if not isinstance(content, dict) or not isinstance(content.get("items"), list) or not content["items"]:
        raise wrong_call(
            "a worksheet has a title and items", "`cnncalc worksheet new sheet.yaml` writes one", where=path
        )
    known = kinds(extra)
    items = [_item(each, place, known, path) for place, each in enumerate(content["items"], 1)]
    ids = [item.id for item in items]
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise wrong_call(f"there are two items {twice[0]}", "every item has an id of its own", where=path)
    credit = content.get("credit") or {}
    strange = [key for key in credit if key not in CREDIT]
    if strange:
        raise wrong_call(f"there is no credit for {strange[0]}", f"credit: {{{', '.join(CREDIT)}}}", where=path)
    return Worksheet(str(content.get("title", Path(path).stem)), tuple(items), known, {**CREDIT, **credit})


def _item(body: Any, place: int, known: Mapping[str, Kind], path: str) -> Item:
    if not isinstance(body, dict):
        raise wrong_call(f"item {place} is no mapping", "- {id: a, kind: size, points: 2}", where=path)
    forms = [form for form in FORMS if form in body]
    if len(forms) != 1:
        raise wrong_call(f"item {place} has {len(forms)} forms", f"one of {', '.join(FORMS)}", where=path)
    form, what = forms[0], str(body[forms[0]])
    for key in body:
        allowed = (*_COMMON, *_OF_FORM[form])
        if key not in allowed:
            raise wrong_call(
                f"item {place} has no part {key}",
                did_you_mean(str(key), allowed) or f"parts are {', '.join(allowed)}",
                where=path,
            )
    if form in ("kind", "which") and what not in known:
        raise wrong_call(
            f"there is no kind of question {what}",
            did_you_mean(what, known) or f"kinds are {', '.join(known)}",
            where=path,
        )
    if form in ("table", "find_error") and what not in QUANTITIES:
        raise wrong_call(
            f"no table asks for {what}", did_you_mean(what, QUANTITIES) or f"use {', '.join(QUANTITIES)}", where=path
        )
    points = body.get("points", 1)
    if not isinstance(points, (int, float)) or isinstance(points, bool) or points <= 0:
        raise wrong_call(f"item {place} has {points} points", "a number above 0", where=path)
    settings = {key: value for key, value in body.items() if key in _OF_FORM[form]}
    made = Item(str(body.get("id", place)), form, what, float(points), settings)
    try:
        task(made, known, b"check", "check")
    except SpecError as error:
        raise wrong_call(
            f"item {made.id}: {error.problems[0].message.removeprefix('cnncalc: ')}", error.problems[0].hint, where=path
        ) from None
    return made


def seed_of(secret: bytes, *parts: str) -> int:
    """The seed of a student's item: it tells nothing of the secret, and is the same every time."""
    digest = hmac.new(secret, "\x1f".join(parts).encode(), hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big")


def task(item: Item, known: Mapping[str, Kind], secret: bytes, student: str) -> Task:
    """An item as a student gets it."""
    rng = random.Random(seed_of(secret, item.id, student))
    if item.form == "kind":
        question = _drawn(item, known, rng)
        unit = f" [{question.kind.unit}]" if question.kind.unit else ""
        return Task(item, question.text + unit, ("",), question, (question.right,))
    if item.form == "which":
        return _which(item, _drawn(item, known, rng), rng)
    if item.form == "inverse":
        return _inverse(item)
    return _table(item, rng)


def _drawn(item: Item, known: Mapping[str, Kind], rng: random.Random) -> Question:
    kind = known[item.what]
    letters = item.settings.get("letters")
    if not letters:
        return draw(kind, rng)
    lacking = [key for key in kind.draw if key not in letters]
    if not isinstance(letters, dict) or lacking:
        raise wrong_call(
            f"letters wants {', '.join(kind.draw)}", "letters: {N: 32, F: 5, …}, or leave it out to have them drawn"
        )
    from .kinds import compiled

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
    return Task(item, "\n".join([text, *lines]), ("",), question, ("abcd"[offered.index(asked)],), options)


#: What a table may ask of a layer.
QUANTITIES = {
    "output": lambda row: row.output_shape,
    "params": lambda row: row.params,
    "macs": lambda row: row.macs,
    "bytes": lambda row: row.output_bytes,
}


def _table(item: Item, rng: random.Random) -> Task:
    report = analyse(str(item.settings.get("spec", "lenet")))
    rows = [
        _row(report, str(name)) for name in item.settings.get("layers") or [row.name for row in report if row.params]
    ]
    if len(rows) < 2:
        raise wrong_call("a table has two layers or more", "layers: [C1, C3, C5]")
    values = [QUANTITIES[item.what](row) for row in rows]
    if item.form == "table":
        text = f"{report.title}, input {readable(report.graph.inputs[0].shape or ())}: the {item.what} of each layer"
        names = tuple(row.name for row in rows)
        lines = [f"  {row.name:<16} {_told(row)}" for row in rows]
        return Task(item, "\n".join([text, *lines]), names, None, tuple(values))
    at = rng.randrange(len(rows))
    planted = _planted(values[at], rng)
    shown = [planted if i == at else value for i, value in enumerate(values)]
    text = f"{report.title}, input {readable(report.graph.inputs[0].shape or ())}: one {item.what} is wrong. Whose?"
    lines = [f"  {row.name:<16} {_told(row):<50} {_written(value)}" for row, value in zip(rows, shown, strict=True)]
    return Task(item, "\n".join([text, *lines]), ("",), None, (rows[at].name,), tuple(row.name for row in rows))


def _row(report: Report, name: str) -> Any:
    known = [row.name for row in report]
    if name not in known:
        raise wrong_call(f"{report.title} has no layer {name}", did_you_mean(name, known))
    return report[name]


def _told(row: Any) -> str:
    from .predict import stated

    told = ", ".join(f"{name} {value}" for name, value in stated(row))
    return f"{row.type}" + (f" ({told})" if told else "")


def _planted(value: Any, rng: random.Random) -> Any:
    """A value that is wrong in a way that happens: a size off by one, biases left out, twice as much."""
    if isinstance(value, tuple):
        return (value[0], *(size + rng.choice([-1, 1]) for size in value[1:])) if len(value) > 1 else (value[0] + 1,)
    return rng.choice([2 * value, value // 2, value + 1])


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
    return Task(item, text, ("",))


def fulfils(item: Item, answer: str) -> tuple[bool, str]:
    """Whether a layer that a student wrote does what an inverse question wants; and what it lacks."""
    from ..errors import Source

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


def tasks(sheet: Worksheet, secret: bytes, student: str) -> list[Task]:
    """All items as a student gets them."""
    return [task(item, sheet.kinds, secret, student) for item in sheet.items]


def collisions(sheet: Worksheet) -> list[str]:
    """Warnings about items in which mistakes cannot be told apart, or a wrong method gives the right number."""
    found = []
    for item in sheet.items:
        if item.form != "kind":
            continue
        question = _drawn(item, sheet.kinds, random.Random(0))
        right = question.right
        by_value: dict[float, list[str]] = {}
        for slip in question.slips:
            by_value.setdefault(round(float(question.wrong(slip)), 9), []).append(slip.name)
        for value, names in by_value.items():
            if abs(value - right) <= 1e-9 * max(1.0, abs(right)):
                found.append(f"item {item.id}: {', '.join(names)} gives the right number")
            elif len(names) > 1 and item.settings.get("letters"):
                found.append(f"item {item.id}: {' and '.join(names)} give the same number")
    return found


def printed(sheet: Worksheet, given: Sequence[Task], student: str) -> str:
    """A student's sheet as text."""
    lines = [f"# {sheet.title}", f"student: {student}", ""]
    for count, each in enumerate(given, 1):
        points = f"{each.item.points:g} point{'s' * (each.item.points != 1)}"
        lines += [f"## {count}. ({each.item.id}, {points})", each.text, ""]
    lines += ["Write your answers into the file of answers: a number, or the arithmetic that leads to it.", ""]
    return "\n".join(lines)


def answer_file(sheet: Worksheet, given: Sequence[Task], student: str) -> str:
    """The file that a student fills in."""
    lines = [f"student: {yaml.safe_dump(student).strip().removesuffix('...').strip()}", "answers:"]
    for each in given:
        key = yaml.safe_dump(each.item.id).strip().removesuffix("...").strip()
        if each.blanks == ("",):
            lines.append(f"  {key}:")
        else:
            lines.append(f"  {key}:")
            lines += [f"    {blank}:" for blank in each.blanks]
    return "\n".join(lines) + "\n"


NEW = """\
title: Sheet 1
items:
  - {id: size, kind: size, points: 2}                 # drawn anew for each student
  - {id: weights, kind: conv_params, points: 2, letters: {N: 32, F: 5, G: 1, Ci: 3, Co: 20}}
  - {id: slip, which: macs, points: 1}                # which mistake gives this number?
  - {id: lenet, table: params, points: 3, spec: lenet, layers: [C1, C3, C5]}
  - {id: wrong, find_error: output, points: 1, spec: lenet, layers: [C1, S2, C3, S4]}
  - id: halve                                         # many right answers: each is computed
    inverse: Conv2d
    points: 2
    ask: Write a Conv2d that makes 112×112 with 64 channels of a picture of 224×224, and sees at least 7 pixels.
    input: [3, 224, 224]
    wants: {shape: [64, 112, 112], field: 7}
    example: "Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}"
"""
