"""How answers are judged: an error is counted once, a convention is none, and an ambiguous answer accuses nobody."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..analysis.cost import macs_to_flops
from ..errors import Misfit
from ..graph import Graph
from .answers import agrees, read
from .forms import Task, fulfils, table_rows
from .layer_questions import Shapes, believed_shapes, channels_first, figure, parts, question, true_shapes
from .predict import guessed, verdict
from .quiz import Question, diagnose, feedback
from .worksheet import Worksheet


class Mark(NamedTuple):
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


class Graded(NamedTuple):
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
    return Graded(student, tuple(_mark(sheet, each, answers.get(each.item.id)) for each in given))


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
    if answer is None or answer == "" or (isinstance(answer, dict) and not _filled(answer)):
        return Mark(item.id, 0.0, item.points, "missing", ("no answer",))
    if item.form == "table":
        return _table(sheet, task, answer)
    if item.form == "find_error":
        return _found_error(task, answer)
    text = str(answer)
    if item.form == "kind":
        assert task.question is not None
        return _value(sheet, item.id, item.points, task.question, text)
    if item.form == "inverse":
        good, lacks = fulfils(item, text if isinstance(answer, str) else _flow(answer))
        return Mark(
            item.id,
            item.points if good else 0.0,
            item.points,
            "right" if good else "unknown",
            ("right",) if good else (f"not right: {lacks}",),
            given=text,
        )
    good = _letter(text) == task.right[0]
    said = "right" if good else "not right"
    return Mark(item.id, item.points if good else 0.0, item.points, said if good else "unknown", (said,), given=text)


def _flow(answer: Any) -> str:
    """What was typed as a mapping or list, in one line again."""
    if isinstance(answer, dict):
        return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in answer.items()) + "}"
    return f"[{', '.join(map(_flow, answer))}]" if isinstance(answer, list) else str(answer)


def _letter(text: str) -> str:
    """The letter of an option, as people write it: b, (b), b. or b) and the text."""
    match = re.match(r"[\s\[('\"]*([a-z])(?![a-z])", text.lower())
    return match[1] if match else ""


def _filled(answer: Mapping[str, Any]) -> bool:
    """Whether anything stands in a blank of several."""
    return any(_filled(each) if isinstance(each, dict) else each not in (None, "", []) for each in answer.values())


def _value(sheet: Worksheet, name: str, points: float, question: Question, text: str) -> Mark:
    try:
        diagnosis = diagnose(question, text)
    except Misfit as misfit:
        return Mark(name, 0.0, points, "unreadable", (misfit.cause,), given=text)
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
    """Half of the points for the cell, half for the mistake."""
    item = task.item
    given = answer if isinstance(answer, dict) else {"cell": answer}
    said, points = [], 0.0
    for name, right in zip(("cell", "mistake"), task.right, strict=True):
        text = "" if given.get(name) is None else str(given[name])
        good = _letter(text) == right if name == "mistake" else _same_words(text, str(right))
        points += item.points / 2 if good else 0.0
        said += [] if good else [f"{name}: " + ("not right" if text.strip() else "no answer")]
    return Mark(item.id, points, item.points, "unknown" if said else "right", tuple(said) or ("right",))


def _same_words(text: str, right: str) -> bool:
    return sorted(re.findall(r"[\w.]+", text.lower())) == sorted(re.findall(r"[\w.]+", right.lower()))


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
        Blank(nodes[path[0]], path[1] if len(path) > 1 else columns[0], right, _text(answer, path))
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


def _text(answer: Mapping[str, Any], path: Sequence[str]) -> str:
    """What stands in a blank."""
    found: Any = answer
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return "" if found is None else str(found).strip()


class Blank(NamedTuple):
    """A blank of a table: the layer's node, what is asked, the right answer, and what was written."""

    node: int
    column: str
    right: Any
    text: str

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape that was written, channels first; None where there is none."""
        sizes = guessed(self.text)
        if len(self.right) == 1 and (sizes is None or len(sizes) > 1):  # 5*5*16 for what is flattened
            try:
                value = read(self.text).value
            except Misfit:
                return None
            return (int(value),) if value == int(value) else None
        return None if sizes is None else channels_first(sizes, self.right)


class View(NamedTuple):
    """A network's shapes: as they are, as a student has them, and as they follow from those that the student has."""

    graph: Graph
    true: Shapes
    believed: Shapes
    follows: Shapes


_FLOPS = "right under another convention: those are FLOPs, two for each multiply-add"
_CARRIED = "follows from the error before it, which is counted there"


def _blank(sheet: Worksheet, view: View, blank: Blank, name: str, points: float) -> Mark:
    if not blank.text:
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
        given = read(blank.text)
    except Misfit as misfit:
        return Mark(name, 0.0, points, "unreadable", (misfit.cause,), given=blank.text)
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
    shape = blank.shape
    if shape is None:
        return Mark(name, 0.0, points, "unreadable", ("no shape can be read",), given=blank.text)
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
