"""How answers are judged: an error is counted once, a convention is none, and an ambiguous answer accuses nobody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..analysis.cost import macs_to_flops
from ..errors import Misfit, did_you_mean
from ..graph import Graph
from ..record import Record
from .answers import agrees, is_nothing, read, read_shape
from .choices import cell_and_letter, letter, same_cell
from .forms import Task, fulfils, table_rows
from .layer_questions import Shapes, believed_shapes, figure, parts, question, true_shapes
from .predict import verdict
from .quiz import Question, diagnose, feedback
from .worksheet import Worksheet


class Mark(Record):
    """What an answer is worth, how it was judged, and what is said of it."""

    item: str
    points: float
    most: float
    verdict: str  # right, convention, carried, slip, slips, unknown, missing or unreadable
    said: tuple[str, ...] = ()
    suspects: frozenset[str] = frozenset()
    given: str = ""
    shows: frozenset[str] = frozenset()  # the slips that would show in this answer
    cells: tuple[Mark, ...] = ()  # of a table, each by itself

    @property
    def answers(self) -> tuple[Mark, ...]:
        """The single answers that it is made of."""
        return self.cells or (self,)


class Graded(Record):
    """A student's marks."""

    student: str
    marks: tuple[Mark, ...]

    @property
    def points(self) -> float:
        return sum(mark.points for mark in self.marks)

    @property
    def most(self) -> float:
        return sum(mark.most for mark in self.marks)

    @property
    def answers(self) -> list[Mark]:
        """All single answers."""
        return [answer for mark in self.marks for answer in mark.answers]

    @property
    def habits(self) -> list[tuple[str, int, int]]:
        """Slips that explain more than one answer: the name, how many, and of how many in which it would show."""
        counted = Counter(name for answer in self.answers for name in answer.suspects)
        shows = Counter(name for answer in self.answers for name in answer.shows)
        return [(name, times, shows[name]) for name, times in counted.most_common() if times > 1]


def judge(sheet: Worksheet, given: Sequence[Task], student: str, answers: Mapping[str, Any]) -> Graded:
    """The marks of one student."""
    return Graded(student, tuple(_mark(sheet, task, _called(answers, task.item.id)) for task in given))


def _called(given: Mapping[str, Any], name: str) -> Any:
    """What is called so; capitals do not count where nothing is called just so."""
    alike = (value for key, value in given.items() if key.strip().casefold() == name.casefold())
    return given.get(name, next(alike, None))


def strangers(given: Sequence[Task], answers: Mapping[str, Any]) -> list[str]:
    """What a file answers and nobody asked: names that are none of an item, nor of a layer in its table."""
    found = _unknown(answers, [task.item.id for task in given], "item of the sheet")
    for task in given:
        answer = _called(answers, task.item.id)
        if task.item.form == "table" and isinstance(answer, dict):
            found += _unknown(answer, [path[0] for path in task.blanks], f"layer of the item {task.item.id}")
    return found


def _unknown(given: Mapping[str, Any], names: Sequence[str], what: str) -> list[str]:
    known = {name.casefold() for name in names}
    strange = [key for key in given if key.strip().casefold() not in known]
    return [f"{key[:40]} is no {what}; {did_you_mean(key, names) or 'it is not graded'}" for key in strange]


#: Characters of an answer that are read.
LONGEST = 1000


def _length(answer: Any) -> int:
    """The characters of an answer, of all its parts."""
    if isinstance(answer, dict):
        return sum(len(key) + _length(value) for key, value in answer.items())
    return sum(map(_length, answer)) if isinstance(answer, list) else len(str(answer))


def _mark(sheet: Worksheet, task: Task, answer: Any) -> Mark:
    item = task.item
    length = _length(answer)
    if length > LONGEST * max(1, len(task.blanks)):
        told = (f"an answer of {length:,} characters; {LONGEST:,} are read",)
        return Mark(item.id, 0.0, item.points, "unreadable", told)
    answer = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    if not _filled(answer):
        return Mark(item.id, 0.0, item.points, "missing", ("no answer",))
    if item.form == "table":
        return _table(sheet, task, answer)
    if item.form == "find_error":
        return _found_error(task, answer)
    text = ", ".join(map(_flow, answer)) if isinstance(answer, list) else _flow(answer)
    if item.form == "kind":
        assert task.question is not None
        return _value(sheet, item.id, item.points, task.question, text)
    if item.form == "inverse":
        good, lacks = fulfils(item, text)
        return Mark(
            item.id,
            item.points if good else 0.0,
            item.points,
            "right" if good else "unknown",
            ("right",) if good else (f"not right: {lacks}",),
            given=text,
        )
    try:
        good = letter(text, task.options) == task.right[0]
    except Misfit as misfit:
        return _unreadable(item.id, item.points, misfit, text)
    said = "right" if good else "not right"
    return Mark(item.id, item.points if good else 0.0, item.points, said if good else "unknown", (said,), given=text)


def _flow(answer: Any) -> str:
    """What was typed as a mapping or list, in one line again."""
    if isinstance(answer, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in answer.items()) + "}"
    if isinstance(answer, list):
        return f"[{', '.join(map(_flow, answer))}]"
    return "" if answer is None else str(answer)


def _filled(answer: Any) -> bool:
    """Whether anything is answered, in one of the blanks where there are several."""
    if isinstance(answer, dict):
        return any(map(_filled, answer.values()))
    if isinstance(answer, list):
        return any(map(_filled, answer))
    return answer is not None and not is_nothing(str(answer))


def _unreadable(name: str, points: float, misfit: Misfit, text: str) -> Mark:
    """An answer that is not understood: what it was taken for is said, and it is listed for the teacher."""
    said = f"{misfit.cause}: {misfit.hint}" if misfit.hint else misfit.cause
    return Mark(name, 0.0, points, "unreadable", (said,), given=text)


def _value(sheet: Worksheet, name: str, points: float, question: Question, text: str) -> Mark:
    try:
        diagnosis = diagnose(question, text)
    except Misfit as misfit:
        return _unreadable(name, points, misfit, text)
    said = list(feedback(question, diagnosis))
    hints = {slip.hint for group in diagnosis.behind for slip in group if slip.hint}
    if diagnosis.verdict in ("slip", "slips") and len(hints) == 1:
        said.append(f"think about: {hints.pop()}")
    said += [] if diagnosis.is_right else [f"the formula is {question.hint()}"]
    share = 1.0 if diagnosis.is_right else sheet.credit.get(diagnosis.verdict, 0.0)
    shows = frozenset(slip.name for slip in question.slips if not slip.convention)
    suspects = diagnosis.suspects if diagnosis.verdict in ("slip", "slips") else frozenset()
    return Mark(name, points * share, points, diagnosis.verdict, tuple(said), suspects, text, shows)


def _found_error(task: Task, answer: Any) -> Mark:
    """Half of the points for the cell, half for the mistake; both may stand in one line."""
    item = task.item
    if isinstance(answer, dict):
        given = {name: _flow(_called(answer, name)) for name in ("cell", "mistake")}
        if not any(given.values()) and len(answer) == 1:  # conv2: c
            given = dict(zip(("cell", "mistake"), next(iter(answer.items())), strict=True))
    else:
        line = ", ".join(map(_flow, answer)) if isinstance(answer, list) else _flow(answer)
        given = dict(zip(("cell", "mistake"), cell_and_letter(line, task.options), strict=True))
    said, points, verdict = [], 0.0, "right"
    for name, right in zip(("cell", "mistake"), task.right, strict=True):
        text = given.get(name, "").strip()
        try:
            columns = item.settings.get("columns", ())
            asked = name == "mistake" and text
            good = letter(text, task.options) == right if asked else same_cell(text, str(right), columns)
            why = "not right" if text else "no answer"
        except Misfit as misfit:
            good, why, verdict = False, f"{misfit.cause}: {misfit.hint}", "unreadable"
        points += item.points / 2 if good else 0.0
        if not good:
            said.append(f"{name}: {why}")
            verdict = "unknown" if verdict == "right" else verdict
    return Mark(item.id, points, item.points, verdict, tuple(said) or ("right",), given=_flow(answer))


def _table(sheet: Worksheet, task: Task, answer: Any) -> Mark:
    """Each blank by itself; what follows from a wrong shape before it counts as right: an error counts once."""
    item = task.item
    if not isinstance(answer, dict):
        asked = ("one answer for each layer was asked for",)
        return Mark(item.id, 0.0, item.points, "unreadable", asked, given=str(answer))
    graph = table_rows(item)[0].graph
    nodes = {node.name: index for index, node in enumerate(graph.nodes)}
    columns = item.settings["columns"]
    blanks = [
        Blank(nodes[path[0]], path[1] if len(path) > 1 else columns[0], right, *_text(answer, path, columns))
        for path, right in zip(task.blanks, task.right, strict=True)
    ]
    shapes = {blank.node: shape for blank in blanks if blank.column == "output" and (shape := blank.shape) is not None}
    view = View(graph, true_shapes(graph), *believed_shapes(graph, shapes))
    share = item.points / len(blanks)
    marks = [_blank(sheet, view, each, " ".join(path), share) for each, path in zip(blanks, task.blanks, strict=True)]
    said = [f"{mark.item}: {line}" for mark in marks if mark.verdict != "right" for line in mark.said]
    order = ("unknown", "unreadable", "missing", "slips", "slip", "carried", "convention")
    worst = next((verdict for verdict in order if any(mark.verdict == verdict for mark in marks)), "right")
    points = sum(mark.points for mark in marks)
    cells = tuple(mark._replace(item=f"{item.id}, {mark.item}") for mark in marks)
    return Mark(item.id, points, item.points, worst, tuple(said) or ("right",), given=str(answer), cells=cells)


def _text(answer: Mapping[str, Any], path: Sequence[str], columns: Sequence[str]) -> tuple[str, str]:
    """What stands in a blank; and why it cannot be told, where a row does not say which of its columns it answers."""
    row, column = _called(answer, path[0]), path[1] if len(path) > 1 else columns[0]
    if isinstance(row, dict):
        row = _rejoined(row, columns)
        strange = [key for key in row if key.casefold() not in columns]
        if strange and _called(row, column) is None and len(columns) > 1:
            return "", f"there is no {strange[0][:40]} to fill in: {{{', '.join(f'{name}: …' for name in columns)}}}"
        value = _called(row, column)
        value = next(iter(row.values())) if value is None and len(row) == len(columns) == 1 else value
        return ("" if value is None else _flow(value).strip()), ""
    text = "" if row is None else ", ".join(map(_flow, row)) if isinstance(row, list) else str(row).strip()
    if len(columns) == 1 or not text:
        return text, ""
    parts = row if isinstance(row, list) else re.split(r"\s*;\s*|\s*,\s+", text)
    if len(parts) == len(columns):
        return _flow(parts[columns.index(column)]).strip(), ""
    if "output" in columns and re.search(r"\d\s*[x×*@]\s*\d", text):  # a shape, and nothing else was answered
        return (text if column == "output" else ""), ""
    return text, f"{text[:40]!r} does not say which it is: {{{', '.join(f'{name}: …' for name in columns)}}}"


def _rejoined(row: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """A row in which YAML took the comma of 2,416 or of 10, 10, 16 for the end of a value."""
    joined: dict[str, Any] = {}
    last = ""
    for key, value in row.items():
        key = key.strip()
        if last and key.casefold() not in columns and value in (None, "") and re.match(r"\d", key):
            close = "," if re.fullmatch(r"\d{3}", key) else ", "
            joined[last] = f"{joined[last]}{close}{key}"
        else:
            joined[key], last = value, key
    return joined


class Blank(Record):
    """A blank of a table: the layer's node, what is asked, the right answer, and what was written."""

    node: int
    column: str
    right: Any
    text: str
    unclear: str = ""

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape that was written, channels first; None where there is none."""
        try:
            return read_shape(self.text, self.right)
        except Misfit:
            return None


class View(Record):
    """A network's shapes: as they are, as a student has them, and as they follow from those that the student has."""

    graph: Graph
    true: Shapes
    believed: Shapes
    follows: Shapes


_FLOPS = "right under another convention: those are FLOPs, two for each multiply-add"
_CARRIED = "follows from the error before it, which is counted there"


def _blank(sheet: Worksheet, view: View, blank: Blank, name: str, points: float) -> Mark:
    if blank.unclear:
        return Mark(name, 0.0, points, "unreadable", (blank.unclear,), given=blank.text)
    if not _filled(blank.text):
        return Mark(name, 0.0, points, "missing", ("no answer",))
    if blank.column == "output":
        return _shape(sheet, view, blank, name, points)
    seen = [question(sheet.kinds, view.graph, blank.node, blank.column, each) for each in (view.true, view.believed)]
    if seen[0] is None:
        return _number(sheet, view, name, points, blank)
    mark = _value(sheet, name, points, seen[0], blank.text)
    if mark.verdict in ("right", "convention", "unreadable"):
        return mark
    if seen[1] is None:
        plain = _number(sheet, view, name, points, blank)
        return plain if plain.verdict == "carried" else mark
    if seen[1].letters == seen[0].letters:
        return mark
    follows = _value(sheet, name, points, seen[1], blank.text)
    if follows.verdict in ("right", "convention"):
        return mark._replace(
            points=points * sheet.credit["carried"], verdict="carried", said=(_CARRIED,), suspects=frozenset()
        )
    return follows if mark.verdict == "unknown" else mark


def _number(sheet: Worksheet, view: View, name: str, points: float, blank: Blank) -> Mark:
    """A number that no kind asks for: right, right as FLOPs, or what follows from the shapes that the student has."""
    try:
        given = read(blank.text, "bytes" if blank.column == "bytes" else "")
    except Misfit as misfit:
        return _unreadable(name, points, misfit, blank.text)
    follows = figure(view.graph, blank.node, blank.column, view.believed)
    if agrees(given, blank.right):
        return Mark(name, points, points, "right")
    if any(agrees(given, convention) for convention in _conventions(blank.column, blank.right)):
        return Mark(name, points * sheet.credit["convention"], points, "convention", (_FLOPS,))
    if follows is not None and any(agrees(given, convention) for convention in _conventions(blank.column, follows)):
        return Mark(name, points * sheet.credit["carried"], points, "carried", (_CARRIED,))
    return Mark(name, 0.0, points, "unknown", ("not right",), given=blank.text)


def _conventions(column: str, value: int) -> tuple[int, ...]:
    """A number, and what it is under another convention."""
    return (value, int(macs_to_flops(value))) if column == "macs" else (value,)


def _shape(sheet: Worksheet, view: View, blank: Blank, name: str, points: float) -> Mark:
    try:
        shape = read_shape(blank.text, blank.right)
    except Misfit as misfit:
        return _unreadable(name, points, misfit, blank.text)
    asked = [question(sheet.kinds, view.graph, blank.node, part, view.true) for part in ("height", "channels")]
    shows = frozenset(slip.name for each in asked if each for slip in each.slips)
    if shape == blank.right:
        return Mark(name, points, points, "right", shows=shows)
    if shape == view.follows[blank.node]:
        return Mark(name, points * sheet.credit["carried"], points, "carried", (_CARRIED,))
    said = [f"not right: {verdict(blank.right, shape)}"]
    # The slip that made it, from the shape that comes in as it is, or as the student has it.
    for shapes in (view.true, view.believed):
        wrong = parts(sheet.kinds, view.graph, blank.node, shapes, shape)
        diagnoses = [part.diagnosis for part in wrong]
        if wrong and all(each.verdict in ("slip", "slips") for each in diagnoses):
            judged = "slips" if len(diagnoses) > 1 or diagnoses[0].verdict == "slips" else "slip"
            said += [line for part in wrong for line in part.told]
            suspects = frozenset().union(*(each.suspects for each in diagnoses))
            return Mark(name, points * sheet.credit[judged], points, judged, tuple(said), suspects, blank.text, shows)
    return Mark(name, 0.0, points, "unknown", tuple(said), given=blank.text)
