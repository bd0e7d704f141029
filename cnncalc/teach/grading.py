"""Grading: a folder of answers, results, a page for each student and one for the class."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping as Map
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..errors import Misfit, Source, SpecError, did_you_mean
from ..spec.reader import Mapping, Node, Scalar
from .files import cause, mapping, typed
from .forms import Task
from .marks import Graded, judge
from .worksheet import Worksheet, tasks

#: Bytes of an answer file that are read.
LARGEST = 100_000


class Class(NamedTuple):
    """All students' marks, and the submissions that could not be read, with the reason."""

    graded: tuple[Graded, ...]
    unreadable: tuple[tuple[str, str], ...]
    absent: tuple[str, ...] = ()


def grade(sheet: Worksheet, folder: str | Path, secret: bytes, roster: Sequence[str] = ()) -> Class:
    """Grade all answer files below a folder. What cannot be read is listed, and the rest is graded all the same.

    Of several files of one student the one counts that bears the student's name. With a roster those count who are on
    it, and those of them are listed who handed nothing in.
    """
    found: dict[str, list[tuple[Path, Node]]] = {}
    unreadable: list[tuple[str, str]] = []
    for path in sorted(each for each in Path(folder).rglob("*") if each.is_file() and _is_answer_file(each)):
        try:
            student, answers = submission(path)
        except Misfit as misfit:
            unreadable.append((str(path.relative_to(folder)), misfit.cause))
            continue
        found.setdefault(student, []).append((path, answers))
    graded = []
    for student, files in sorted(found.items()):
        files.sort(key=lambda each: file_name(student) not in (_stem(each[0]), each[0].parent.name))
        for path, _ in files[1:]:
            unreadable.append((str(path.relative_to(folder)), f"there is another submission of {student}"))
        name = str(files[0][0].relative_to(folder))
        if roster and student not in roster:
            near = did_you_mean(student, roster)
            unreadable.append((name, f"{student} is not on the roster" + (f"; {near}" if near else "")))
            continue
        try:
            graded.append(judge(sheet, tasks(sheet, secret, student), student, typed(files[0][1])))
        except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError) as error:
            unreadable.append((name, f"it cannot be judged: {type(error).__name__}"))
    absent = sorted(set(roster) - set(found))
    return Class(tuple(graded), tuple(unreadable), tuple(absent))


def _is_answer_file(path: Path) -> bool:
    """Also one to which a download has added an ending."""
    return re.search(r"\.ya?ml(\.txt)?$", path.name.lower()) is not None


def _stem(path: Path) -> str:
    return re.sub(r"\.ya?ml(\.txt)?$", "", path.name, flags=re.IGNORECASE)


def file_name(student: str) -> str:
    """A student's name as the name of a file."""
    return re.sub(r"[^\w\-.@]+", "_", student).strip(".")[:100] or "_"


def submission(path: Path) -> tuple[str, Node]:
    """The student and the answers of a file; raises `Misfit` for one that cannot be read."""
    try:
        if path.stat().st_size > LARGEST:
            raise Misfit(f"it is larger than {LARGEST // 1000} kB")
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise Misfit("it is no text that can be read") from None
    # A layer is a mapping itself: what a student writes as `id: Conv2d: {…}` is `id: {Conv2d: {…}}`.
    text = re.sub(r"(?m)^([ \t]+[\w.\-]+):[ \t]+(\w+):[ \t]*(\{.*\})[ \t\r]*$", r"\1: {\2: \3}", text)
    try:
        root = mapping(Source(path.name, text))
    except SpecError as error:
        raise Misfit(f"it is not YAML that can be read: {cause(error)}") from None
    student, answers = root.get("student"), root.get("answers")
    if not isinstance(student, Scalar) or not student.text.strip():
        raise Misfit("it names no student")
    if not isinstance(answers, Mapping):
        raise Misfit("it holds no answers")
    return student.text.strip(), answers


# -- what is written ---------------------------------------------------------------------------------------------------


def results(sheet: Worksheet, found: Class) -> str:
    """All marks as CSV: a line a student, a column an item."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["student", *(item.id for item in sheet.items), "points", "of"])
    for each in found.graded:
        writer.writerow(
            [
                _safe(each.student),
                *(_points(mark.points) for mark in each.marks),
                _points(each.points),
                _points(each.most),
            ]
        )
    return out.getvalue()


def _points(value: float) -> str:
    return f"{round(value, 2):g}"


def _safe(text: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    text = "".join(char if char.isprintable() else "�" for char in text)
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") else text


def page(sheet: Worksheet, each: Graded) -> str:
    """What a student is told: points and ideas, no right numbers."""
    lines = [f"# {sheet.title}: {each.student}", f"{_points(each.points)} of {_points(each.most)} points", ""]
    told = _told_of(sheet)
    for name, times, shows in each.habits[:3]:
        lines.append(f"{times} of {shows} answers are what one slip gives; think about: {told[name]}")
    lines += [""] if each.habits else []
    for mark in each.marks:
        lines.append(f"## {mark.item}: {_points(mark.points)} of {_points(mark.most)}")
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
        (mark.item, mark.given if len(mark.given) <= 60 else mark.given[:59] + "…")
        for each in found.graded
        for mark in each.answers
        if mark.verdict in ("unknown", "unreadable") and mark.given
    )
    lines += ["", "## The commonest wrong answers that no slip explains", ""]
    lines += [f"- {item}: {given} ({times} times)" for (item, given), times in unnamed.most_common(10)] or ["- none"]
    if found.absent:
        lines += ["", "## No answers", "", *(f"- {student}" for student in found.absent)]
    if found.unreadable:
        lines += ["", "## Unreadable", ""]
        lines += [f"- {name}: {reason}" for name, reason in found.unreadable]
    return "\n".join(lines) + "\n"


def key(sheet: Worksheet, given: Map[str, Sequence[Task]]) -> str:
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
