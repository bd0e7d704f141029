"""Grading: a folder of answers, results, a page for each student and one for the class."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping as Map
from collections.abc import Sequence
from pathlib import Path

from ..errors import Misfit, Source, SpecError, did_you_mean
from ..formats.csv import written
from ..language.reader import Mapping, Node, Scalar
from ..markup import markdown
from ..printable import printable
from ..record import Record
from .files import cause, mapping, typed
from .forms import Task
from .marks import Graded, judge, strangers
from .worksheet import Origin, Worksheet, origin, tasks

#: Bytes of an answer file that are read, characters of a student's name, and bytes of a name of a file.
LARGEST = 100_000
LONGEST_NAME, LONGEST_FILE_NAME = 200, 150
#: Folders in one another that are looked into.
DEEPEST = 20


class Class(Record):
    """All students' marks, and the submissions that could not be read, with the reason.

    `absent` are those on the roster who handed nothing in; `unsigned` those whose file does not say what it was built
    from: they are graded by the sheet at hand.
    """

    graded: tuple[Graded, ...]
    unreadable: tuple[tuple[str, str], ...]
    absent: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()


class Submission(Record):
    """A file that was handed in: where it lies, whose answers it holds, and what it says it was built from."""

    place: Path
    student: str
    answers: Node
    built: str


def grade(sheet: Worksheet, folder: str | Path, secret: bytes, roster: Sequence[str] = ()) -> Class:
    """Grade all answer files below a folder. What cannot be read is listed, and the rest is graded all the same.

    A file says whose answers it holds, and anybody can write anybody's name. So of several files that name one student
    none is graded and all are listed, unless one of them lies where `worksheet build` put it: in the student's own
    folder. With a roster those count who are on it, what lies in the folder of another of them is not graded, and
    those are listed who handed nothing in.
    """
    by_student: dict[str, list[Submission]] = {}
    files_found, unreadable = _answer_files(Path(folder))
    for path in files_found:
        place = path.relative_to(folder)
        try:
            handed_in = submission(path)._replace(place=place)
        except Misfit as misfit:
            unreadable.append((str(place), misfit.cause))
            continue
        by_student.setdefault(handed_in.student, []).append(handed_in)
    owners = {file_name(student): student for student in roster}
    graded, unsigned = [], []
    for student, files in sorted(by_student.items()):
        chosen, refused = _chosen(student, files, owners)
        unreadable += refused
        if chosen is None:
            continue
        name = str(chosen.place)
        if roster and student not in roster:
            near = did_you_mean(student, roster)
            unreadable.append((name, f"{student} is not on the roster" + (f"; {near}" if near else "")))
            continue
        try:
            given, answers = tasks(sheet, secret, student), typed(chosen.answers)
            foreign = _foreign(chosen.built, origin(given, secret, student))
            if foreign:
                unreadable.append((name, foreign))
                continue
            unsigned += [] if chosen.built else [student]
            unreadable += [(name, strange) for strange in strangers(given, answers)]
            graded.append(judge(sheet, given, student, answers))
        except Exception as error:  # one file does not stop the grading of all others
            unreadable.append((name, f"it cannot be judged: {type(error).__name__}"))
    absent = sorted(set(roster) - set(by_student))
    return Class(tuple(graded), tuple(unreadable), tuple(absent), tuple(unsigned))


def _foreign(built: str, own: Origin) -> str:
    """Why a file of answers is none of this sheet and this secret; an empty string where it is, or does not say."""
    if not built or built == str(own):
        return ""
    if built.rpartition("-")[2] != own.secret:
        return "it was built with another secret, so its questions are others; give the --secret that it was built with"
    return (
        "it was built from another sheet, or this one was edited since; grade it with the sheet that it was built from"
    )


def _answer_files(folder: Path) -> tuple[list[Path], list[tuple[str, str]]]:
    """The answer files in a folder and the folders in it, and what could not be looked into, with the reason."""
    found: list[Path] = []
    closed: list[tuple[str, str]] = []
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        inside = place.relative_to(folder)
        if len(inside.parts) > DEEPEST:
            closed.append((str(inside), f"folders in folders, more than {DEEPEST} deep"))
            continue
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif _is_answer_file(Path(entry.path)):
                        found.append(Path(entry.path))
        except OSError as error:
            closed.append((str(inside), f"it cannot be opened: {error.strerror}"))
    return sorted(found), sorted(closed)


def _chosen(
    student: str, files: Sequence[Submission], owners: Map[str, str]
) -> tuple[Submission | None, list[tuple[str, str]]]:
    """The file that counts for a student, if one does; and the others, with the reason."""
    own = [file for file in files if file.place.parts in _own_places(student)]
    refused: list[tuple[str, str]] = []
    candidates: list[Submission] = []
    for file in files:
        owner = owners.get(_folder(file.place), student)
        if owner != student and file not in own:
            refused.append((str(file.place), f"it names {student}, but lies in the folder of {owner}"))
        else:
            candidates.append(file)
    if len(own) == 1:
        chosen, why = own[0], f"there is another submission of {student}, in {own[0].place.parent}"
    elif len(candidates) == 1:
        return candidates[0], refused
    else:
        chosen, why = None, f"{len(candidates)} files name {student}, so none of them is graded"
    return chosen, refused + [(str(candidate.place), why) for candidate in candidates if candidate is not chosen]


def _own_places(student: str) -> tuple[tuple[str, ...], ...]:
    """Where `worksheet build` puts the answers of a student, in the folder that it makes or in its `students`."""
    name = file_name(student)
    return (name, "answers.yaml"), ("students", name, "answers.yaml")


def _folder(place: Path) -> str:
    """The student's folder that a file lies in, however deep; an empty string if it lies in none."""
    parts = place.parts[1:] if place.parts[0] == "students" and len(place.parts) > 2 else place.parts
    return parts[0] if len(parts) > 1 else ""


def _is_answer_file(path: Path) -> bool:
    """Also one to which a download has added an ending."""
    return re.search(r"\.ya?ml(\.txt)?$", path.name.lower()) is not None


def file_name(student: str) -> str:
    """A student's name as the name of a file or folder. Different names may give the same."""
    name = re.sub(r"[^\w\-.@]+", "_", student).strip(".")
    return name.encode()[:LONGEST_FILE_NAME].decode(errors="ignore") or "_"


def folded(name: str) -> str:
    """What two names have in common that some file systems take for one: capitals and composed letters do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def page_names(students: Sequence[str]) -> dict[str, str]:
    """A file for each student's page, also where capitals do not count.

    What several would take, the one takes who is called so; the others get names that nobody else has.

    >>> page_names(["s01", ".s01.", "Ann Lee"])
    {'s01': 's01', 'Ann Lee': 'Ann_Lee', '.s01.': 's01-62041070'}
    """
    alike: dict[str, list[str]] = {}
    for student in students:
        alike.setdefault(folded(file_name(student)), []).append(student)
    names, others = dict[str, str](), list[str]()
    for group in alike.values():
        called = [student for student in group if student == file_name(student)] if len(group) > 1 else group
        if len(called) == 1:
            names[called[0]] = file_name(called[0])
        others += [student for student in group if student not in names]
    taken = {folded(name) for name in names.values()}
    for student in others:
        name = f"{file_name(student)}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"
        while folded(name) in taken:
            name += "_"
        taken.add(folded(name))
        names[student] = name
    return names


def submission(path: Path) -> Submission:
    """The student and the answers of a file; raises `Misfit` for one that cannot be read."""
    try:
        if path.is_symlink():
            raise Misfit("it is a link, and what it leads to was not handed in here")
        if not path.is_file():
            raise Misfit("it is no file")
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
    name = student.text.strip()
    if len(name) > LONGEST_NAME or name != printable(name):
        raise Misfit("the name of its student is too long, or holds what cannot be seen")
    if not isinstance(answers, Mapping):
        raise Misfit("it holds no answers")
    built = root.get("built")
    return Submission(path, name, answers, built.text.strip() if isinstance(built, Scalar) else "")


# -- what is written ---------------------------------------------------------------------------------------------------


def results(sheet: Worksheet, marked: Class) -> str:
    """All marks as CSV: a line a student, a column an item; who handed nothing in has no marks, and no points."""
    rows = [
        (
            student.student,
            *(_points(mark.points) for mark in student.marks),
            _points(student.points),
            _points(student.most),
        )
        for student in marked.graded
    ]
    most = _points(sum(item.points for item in sheet.items))
    rows += [(student, *("" for _ in sheet.items), "0", most) for student in marked.absent]
    return written(["student", *(item.id for item in sheet.items), "points", "of"], sorted(rows))


def _points(value: float) -> str:
    return f"{round(value, 2):g}"


def page(sheet: Worksheet, each: Graded) -> str:
    """What a student is told: points and ideas, no right numbers. What students write stays text on the page."""
    lines = [f"# {markdown(sheet.title)}: {markdown(each.student)}"]
    lines += [f"{_points(each.points)} of {_points(each.most)} points", ""]
    told = _told_of(sheet)
    for name, times, shows in each.habits[:3]:
        lines.append(f"{times} of {shows} answers are what one slip gives; think about: {markdown(told[name])}")
    lines += [""] if each.habits else []
    for mark in each.marks:
        lines.append(f"## {markdown(mark.item)}: {_points(mark.points)} of {_points(mark.most)}")
        lines += [f"- {markdown(line)}" for line in mark.said]
        lines.append("")
    return "\n".join(lines)


def _told_of(sheet: Worksheet) -> dict[str, str]:
    """What each slip makes one think about."""
    return {slip.name: slip.hint or slip.says for kind in reversed(list(sheet.kinds.values())) for slip in kind.slips}


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def class_page(sheet: Worksheet, marked: Class) -> str:
    """How hard each item was, which slips were commonest, and which wrong answers nobody has named yet."""
    count = len(marked.graded)
    lines = [f"# {markdown(sheet.title)}: the class", f"{count} graded, {len(marked.unreadable)} unreadable", ""]
    if count:
        mean = sum(each.points for each in marked.graded) / count
        lines += [f"mean {mean:.2f} of {marked.graded[0].most:g} points", "", "## Difficulty", ""]
        for index, item in enumerate(sheet.items):
            marks = [each.marks[index] for each in marked.graded]
            share = sum(mark.points for mark in marks) / (count * item.points)
            verdicts = Counter(mark.verdict for mark in marks)
            told = ", ".join(f"{verdicts[key]} {key}" for key, _ in verdicts.most_common())
            lines.append(
                f"- {markdown(item.id)} ({item.form}: {markdown(item.what)}): {share:.0%} of the points; {told}"
            )
    slips: Counter[str] = Counter()
    for each in marked.graded:
        for mark in each.answers:
            if len(mark.suspects) == 1:
                slips.update(mark.suspects)
    says = _told_of(sheet)
    lines += ["", "## The commonest slips, where only one gives the answer", ""]
    common = [f"- {markdown(name)}: {_times(times)}: {markdown(says[name])}" for name, times in slips.most_common(10)]
    lines += common or ["- none"]
    unnamed = Counter(
        (mark.item, mark.given if len(mark.given) <= 60 else mark.given[:59] + "…")
        for each in marked.graded
        for mark in each.answers
        if mark.verdict in ("unknown", "unreadable") and mark.given
    )
    lines += ["", "## The commonest wrong answers that no slip explains", ""]
    strange = [(f"{item}: {given}", times) for (item, given), times in unnamed.most_common(10)]
    lines += [f"- {markdown(what)} ({_times(times)})" for what, times in strange] or ["- none"]
    if marked.absent:
        lines += ["", "## No answers", "", *(f"- {markdown(student)}" for student in marked.absent)]
    if marked.unsigned:
        lines += ["", "## Graded by this sheet, though the file does not say what it was built from", ""]
        lines += [f"- {markdown(student)}" for student in marked.unsigned]
    if marked.unreadable:
        lines += ["", "## Unreadable", ""]
        lines += [f"- {markdown(name)}: {markdown(reason)}" for name, reason in marked.unreadable]
    return "\n".join(lines) + "\n"


def key(sheet: Worksheet, given: Map[str, Sequence[Task]]) -> str:
    """The right answers of every student as CSV, for the teacher alone."""
    rows = [(student, *map(_told, each)) for student, each in given.items()]
    return written(["student", *(item.id for item in sheet.items)], rows)


def _told(task: Task) -> str:
    if task.item.form == "inverse":
        return str(task.item.settings.get("example", "computed"))
    return "; ".join("x".join(map(str, value)) if isinstance(value, tuple) else f"{value}" for value in task.right)
