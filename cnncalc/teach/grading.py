"""Grading: answers diagnosed, errors carried forward counted once, a page for each student and one for the class."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..errors import Misfit
from ..graph import Graph
from .answers import agrees, read
from .forms import Task, fulfils, table_rows
from .layers import Shapes, believed_shapes, channels_first, parts, question, true_shapes
from .predict import guessed, verdict
from .quiz import Question, diagnose, feedback
from .worksheet import Worksheet, tasks

#: Bytes of an answer file that are read.
LARGEST = 100_000


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
        return [each for mark in self.marks for each in mark.answers]

    @property
    def habits(self) -> list[tuple[str, int, int]]:
        """Slips that explain more than one answer: the name, how many, and of how many in which it would show."""
        counted = Counter(name for each in self.answers for name in each.suspects)
        shows = Counter(name for each in self.answers for name in each.shows)
        return [(name, times, shows[name]) for name, times in counted.most_common() if times > 1]


class Class(NamedTuple):
    """All students' marks, and the submissions that could not be read, with the reason."""

    graded: tuple[Graded, ...]
    unreadable: tuple[tuple[str, str], ...]


def grade(sheet: Worksheet, folder: str | Path, secret: bytes) -> Class:
    """Grade all answer files below a folder. What cannot be read is listed, and the rest is graded all the same."""
    graded: dict[str, Graded] = {}
    unreadable: list[tuple[str, str]] = []
    for path in sorted(each for each in Path(folder).rglob("*") if each.is_file() and each.suffix in (".yaml", ".yml")):
        name = str(path.relative_to(folder))
        try:
            student, answers = submission(path)
        except Misfit as misfit:
            unreadable.append((name, misfit.cause))
            continue
        if student in graded:
            unreadable.append((name, f"there is another submission of {student}"))
            continue
        graded[student] = judge(sheet, tasks(sheet, secret, student), student, answers)
    return Class(tuple(graded[student] for student in sorted(graded)), tuple(unreadable))


def submission(path: Path) -> tuple[str, Mapping[str, Any]]:
    """The student and the answers of a file; raises `Misfit` for one that cannot be read."""
    try:
        with path.open("rb") as file:
            content = yaml.safe_load(file.read(LARGEST + 1)[:LARGEST].decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise Misfit("it is no text that can be read") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise Misfit("it is not YAML") from None
    if not isinstance(content, dict) or content.get("student") is None:
        raise Misfit("it names no student")
    answers = content.get("answers")
    if not isinstance(answers, dict):
        raise Misfit("it holds no answers")
    return str(content["student"]), {str(key): value for key, value in answers.items()}


def judge(sheet: Worksheet, given: Sequence[Task], student: str, answers: Mapping[str, Any]) -> Graded:
    """The marks of one student."""
    return Graded(student, tuple(_mark(sheet, each, answers.get(each.item.id)) for each in given))


def _mark(sheet: Worksheet, task: Task, answer: Any) -> Mark:
    item = task.item
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
        good, lacks = fulfils(
            item, text if isinstance(answer, str) else yaml.safe_dump(answer, default_flow_style=True).strip()
        )
        return Mark(
            item.id,
            item.points if good else 0.0,
            item.points,
            "right" if good else "unknown",
            ("right",) if good else (f"not right: {lacks}",),
            given=text,
        )
    good = text.strip().strip(")").lower() == str(task.right[0]).lower()
    said = "right" if good else "not right"
    return Mark(item.id, item.points if good else 0.0, item.points, said if good else "unknown", (said,), given=text)


def _filled(answer: Mapping[str, Any]) -> bool:
    """Whether anything stands in a blank of several."""
    return any(_filled(each) if isinstance(each, dict) else each is not None for each in answer.values())


def _value(sheet: Worksheet, name: str, points: float, question: Question, text: str) -> Mark:
    try:
        found = diagnose(question, text)
    except Misfit as misfit:
        return Mark(name, 0.0, points, "unreadable", (misfit.cause,), given=text)
    said = list(feedback(question, found))
    hints = {slip.hint for group in found.behind for slip in group if slip.hint}
    if found.verdict in ("slip", "slips") and len(hints) == 1:
        said.append(f"think about: {hints.pop()}")
    said += [] if found.is_right else [f"the formula is {question.hint()}"]
    share = 1.0 if found.is_right else sheet.credit.get(found.verdict, 0.0)
    shows = frozenset(slip.name for slip in question.slips if not slip.convention)
    suspects = found.suspects if found.verdict in ("slip", "slips") else frozenset()
    return Mark(name, points * share, points, found.verdict, tuple(said), suspects, text, shows)


def _found_error(task: Task, answer: Any) -> Mark:
    """Half of the points for the cell, half for the mistake."""
    item = task.item
    given = answer if isinstance(answer, dict) else {"cell": answer}
    said, points = [], 0.0
    for name, right in zip(("cell", "mistake"), task.right, strict=True):
        text = "" if given.get(name) is None else str(given[name])
        good = _plain(text) == _plain(str(right))
        points += item.points / 2 if good else 0.0
        said += [] if good else [f"{name}: " + ("not right" if text.strip() else "no answer")]
    return Mark(item.id, points, item.points, "unknown" if said else "right", tuple(said) or ("right",))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[\w.]+", text.lower()))


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
    shapes = {each.node: shape for each in blanks if each.column == "output" and (shape := each.shape) is not None}
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
        found = guessed(self.text)
        return None if found is None else channels_first(found, self.right)


class View(NamedTuple):
    """A network's shapes: as they are, as a student has them, and as they follow from those that the student has."""

    graph: Graph
    true: Shapes
    believed: Shapes
    follows: Shapes


_CARRIED = "follows from the error before it, which is counted there"


def _blank(sheet: Worksheet, view: View, blank: Blank, name: str, points: float) -> Mark:
    if not blank.text:
        return Mark(name, 0.0, points, "missing", ("no answer",))
    if blank.column == "output":
        return _shape(sheet, view, blank, name, points)
    seen = [question(sheet.kinds, view.graph, blank.node, blank.column, each) for each in (view.true, view.believed)]
    if seen[0] is None:
        return _plain_number(name, points, blank)
    mark = _value(sheet, name, points, seen[0], blank.text)
    if mark.verdict in ("right", "convention", "unreadable") or seen[1] is None or seen[1].letters == seen[0].letters:
        return mark
    follows = _value(sheet, name, points, seen[1], blank.text)
    if follows.verdict in ("right", "convention"):
        return mark._replace(
            points=points * sheet.credit["carried"], verdict="carried", said=(_CARRIED,), suspects=frozenset()
        )
    return follows if mark.verdict == "unknown" else mark


def _plain_number(name: str, points: float, blank: Blank) -> Mark:
    try:
        good = agrees(read(blank.text), blank.right)
    except Misfit as misfit:
        return Mark(name, 0.0, points, "unreadable", (misfit.cause,), given=blank.text)
    said = "right" if good else "not right"
    return Mark(name, points if good else 0.0, points, "right" if good else "unknown", (said,), given=blank.text)


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
        found = [(part, diagnose(part, float(value))) for part, value in wrong if part]
        named = [each for _, each in found if each.verdict in ("slip", "slips")]
        if wrong and len(named) == len(wrong):
            several = len(named) > 1 or named[0].verdict == "slips"
            judged = "slips" if several else "slip"
            said += [line for part, each in found for line in feedback(part, each)]
            suspects = frozenset().union(*(each.suspects for each in named))
            return Mark(name, points * sheet.credit[judged], points, judged, tuple(said), suspects, blank.text, shows)
    return Mark(name, 0.0, points, "unknown", tuple(said), given=blank.text)


# -- what is written ---------------------------------------------------------------------------------------------------


def results(sheet: Worksheet, found: Class) -> str:
    """All marks as CSV: a line a student, a column an item."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *(item.id for item in sheet.items), "points", "of"])
    for each in found.graded:
        writer.writerow(
            [_safe(each.student), *(f"{mark.points:g}" for mark in each.marks), f"{each.points:g}", f"{each.most:g}"]
        )
    return out.getvalue()


def _safe(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t" else text


def page(sheet: Worksheet, each: Graded) -> str:
    """What a student is told: points and ideas, no right numbers."""
    lines = [f"# {sheet.title}: {each.student}", f"{each.points:g} of {each.most:g} points", ""]
    told = _told_of(sheet)
    for name, times, shows in each.habits[:3]:
        lines.append(f"{times} of {shows} answers are what one slip gives; think about: {told[name]}")
    lines += [""] if each.habits else []
    for mark in each.marks:
        lines.append(f"## {mark.item}: {mark.points:g} of {mark.most:g}")
        lines += [f"- {line.strip()}" for line in mark.said]
        lines.append("")
    return "\n".join(lines)


def _told_of(sheet: Worksheet) -> dict[str, str]:
    """What each slip makes one think about."""
    return {slip.name: slip.hint or slip.says for kind in reversed(list(sheet.kinds.values())) for slip in kind.slips}


def class_page(sheet: Worksheet, found: Class) -> str:
    """How hard each item was, which slips were commonest, and which wrong answers nobody has named yet."""
    count = len(found.graded)
    lines = [f"# {sheet.title}: the class", f"{count} graded, {len(found.unreadable)} unreadable", ""]
    if count:
        mean = sum(each.points for each in found.graded) / count
        lines += [f"mean {mean:.2f} of {found.graded[0].most:g} points", "", "## Difficulty", ""]
        for index, item in enumerate(sheet.items):
            marks = [each.marks[index] for each in found.graded]
            share = sum(mark.points for mark in marks) / (count * item.points)
            verdicts = Counter(mark.verdict for mark in marks)
            told = ", ".join(f"{verdicts[key]} {key}" for key, _ in verdicts.most_common())
            lines.append(f"- {item.id} ({item.form}: {item.what}): {share:.0%} of the points; {told}")
    slips: Counter[str] = Counter()
    for each in found.graded:
        for mark in each.answers:
            if len(mark.suspects) == 1:
                slips.update(mark.suspects)
    says = _told_of(sheet)
    lines += ["", "## The commonest slips, where only one gives the answer", ""]
    lines += [f"- {name}: {times} times: {says[name]}" for name, times in slips.most_common(10)] or ["- none"]
    unnamed = Counter(
        (mark.item, mark.given)
        for each in found.graded
        for mark in each.answers
        if mark.verdict == "unknown" and mark.given
    )
    lines += ["", "## The commonest wrong answers that no slip explains", ""]
    lines += [f"- {item}: {given} ({times} times)" for (item, given), times in unnamed.most_common(10)] or ["- none"]
    if found.unreadable:
        lines += ["", "## Unreadable", ""]
        lines += [f"- {name}: {reason}" for name, reason in found.unreadable]
    return "\n".join(lines) + "\n"


def key(sheet: Worksheet, given: Mapping[str, Sequence[Task]]) -> str:
    """The right answers of every student as CSV, for the teacher alone."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *(item.id for item in sheet.items)])
    for student, each in given.items():
        writer.writerow([_safe(student), *(_told(task) for task in each)])
    return out.getvalue()


def _told(task: Task) -> str:
    if task.item.form == "inverse":
        return str(task.item.settings.get("example", "computed"))
    return "; ".join("x".join(map(str, value)) if isinstance(value, tuple) else f"{value}" for value in task.right)
