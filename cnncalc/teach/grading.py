"""Grading: answers diagnosed, errors carried forward counted once, a page for each student and one for the class."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..errors import Misfit
from ..graph import Graph
from ..ops import value_of
from ..report import Report, analyse
from .answers import agrees, read
from .predict import guessed
from .quiz import Question, diagnose, feedback
from .worksheet import Task, Worksheet, fulfils, tasks

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
    if (
        answer is None
        or answer == ""
        or (isinstance(answer, dict) and not any(value is not None for value in answer.values()))
    ):
        return Mark(item.id, 0.0, item.points, "missing", ("no answer",))
    if item.form == "table":
        return _table(sheet, task, answer)
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
    return Mark(name, points * share, points, found.verdict, tuple(said), found.suspects, text)


def _table(sheet: Worksheet, task: Task, answer: Any) -> Mark:
    """Each blank by itself; a size that follows from a wrong one before it counts as right: an error counts once."""
    item = task.item
    if not isinstance(answer, dict):
        return Mark(
            item.id, 0.0, item.points, "unreadable", ("one answer for each layer was asked for",), given=str(answer)
        )
    report = analyse(str(item.settings.get("spec", "lenet")))
    each, said, total = item.points / len(task.blanks), [], 0.0
    suspects: frozenset[str] = frozenset()
    verdicts: list[str] = []
    before: tuple[str, tuple[int, ...]] | None = None
    for name, right in zip(task.blanks, task.right, strict=True):
        text = "" if answer.get(name) is None else str(answer[name])
        mark = _blank(sheet, report, item.what, name, right, text, each, before)
        verdicts.append(mark.verdict)
        total += mark.points
        suspects |= mark.suspects
        said += [] if mark.verdict == "right" else [f"{name}: {line}" for line in mark.said]
        shape = guessed(text) if item.what == "output" else None
        if shape is not None:
            before = (name, shape if len(shape) < 3 or shape == right else (shape[-1], *shape[:-1]))
    order = ("unknown", "unreadable", "missing", "slips", "slip", "carried", "convention")
    worst = next((verdict for verdict in order if verdict in verdicts), "right")
    return Mark(item.id, total, item.points, worst, tuple(said) or ("right",), suspects, str(answer))


def _blank(
    sheet: Worksheet,
    report: Report,
    what: str,
    name: str,
    right: Any,
    text: str,
    points: float,
    before: tuple[str, tuple[int, ...]] | None,
) -> Mark:
    if not text.strip():
        return Mark(name, 0.0, points, "missing", ("no answer",))
    if what == "output":
        shape = guessed(text)
        if shape is None:
            return Mark(name, 0.0, points, "unreadable", ("no shape can be read",), given=text)
        if shape in (right, (*right[1:], right[0])):
            return Mark(name, points, points, "right")
        follows = None if before is None else _followed(report.graph, *before, name)
        if follows is not None and shape in (follows, (*follows[1:], follows[0])):
            return Mark(
                name,
                points * sheet.credit["carried"],
                points,
                "carried",
                ("follows from the error before it, which is counted there",),
            )
        from .predict import verdict

        return Mark(name, 0.0, points, "unknown", (f"not right: {verdict(report[name], shape)}",), given=text)
    question = _question(sheet, report, what, name)
    if question is not None:
        return _value(sheet, name, points, question, text)
    try:
        good = agrees(read(text), right)
    except Misfit as misfit:
        return Mark(name, 0.0, points, "unreadable", (misfit.cause,), given=text)
    return Mark(
        name,
        points if good else 0.0,
        points,
        "right" if good else "unknown",
        ("right" if good else "not right",),
        given=text,
    )


def _question(sheet: Worksheet, report: Report, what: str, name: str) -> Question | None:
    """A blank as a question whose slips are known: parameters or multiply-adds of a plain convolution."""
    row = report[name]
    op: Any = row.layer.op
    shape = row.input_shapes[0] if row.input_shapes else None
    if row.type != "Conv2d" or what not in ("params", "macs") or shape is None or not isinstance(op.padding, tuple):
        return None
    letters = {
        "N": shape[1],
        "Ci": shape[0],
        "Co": op.out_channels,
        "G": op.groups,
        "O": (row.output_shape or (0, 0))[1],
    }
    letters |= {"F": op.kernel_size[0], "S": op.stride[0], "P": op.padding[0]}
    found = Question(sheet.kinds["conv_params" if what == "params" else "macs"], letters)
    return found if found.right == (row.params if what == "params" else row.macs) else None


def _followed(graph: Graph, start: str, shape: tuple[int, ...], end: str) -> tuple[int, ...] | None:
    """The shape of a layer, if an earlier one had given another than it does."""
    names = [node.name for node in graph.nodes]
    first, last = names.index(start), names.index(end)
    shapes: dict[int, tuple[int, ...]] = {first: shape}
    for index in range(first + 1, last + 1):
        node = graph.nodes[index]
        if node.op is None or any(i not in shapes for i in node.inputs):
            return None
        entering = tuple(shapes[i] for i in node.inputs)
        try:
            node.op.check(*entering)
            shapes[index] = tuple(value_of(size) for size in node.op.output(*entering))
        except (Misfit, IndexError, ValueError):
            return None
    return shapes.get(last)


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
    for mark in each.marks:
        lines.append(f"## {mark.item}: {mark.points:g} of {mark.most:g}")
        lines += [f"- {line.strip()}" for line in mark.said]
        lines.append("")
    return "\n".join(lines)


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
            lines.append(f"- {item.id} ({item.form} {item.what}): {share:.0%} of the points; {told}")
    slips: Counter[str] = Counter()
    for each in found.graded:
        for mark in each.marks:
            if len(mark.suspects) == 1:
                slips.update(mark.suspects)
    says = {slip.name: slip.hint or slip.says for kind in reversed(list(sheet.kinds.values())) for slip in kind.slips}
    lines += ["", "## The commonest slips, where only one gives the answer", ""]
    lines += [f"- {name}: {times} times: {says[name]}" for name, times in slips.most_common(10)] or ["- none"]
    unnamed = Counter(
        (mark.item, mark.given)
        for each in found.graded
        for mark in each.marks
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
