"""worksheet and grade: sheets for a class, and their marks."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..errors import usage_error
from ..files import write_file
from ..printable import printable
from .commands import TEACH, command
from .options import Format, Output, chosen_format
from .output import emit, say, tell

Sheet = Annotated[str, typer.Argument(help="The worksheet, a YAML file.", show_default=False)]
Slips = Annotated[
    str, typer.Option("--misconceptions", metavar="FILE", help="Slips and kinds of your own.", show_default=False)
]
Secret = Annotated[
    str, typer.Option("--secret", metavar="FILE", help="The course's secret; build creates it if it is missing.")
]


@command(TEACH, "cnncalc worksheet new sheet.yaml", parent="worksheet")
def new(path: Annotated[str, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)]) -> None:
    """Write a first worksheet with one item of every form."""
    from ..teach.worksheet import NEW

    if Path(path).exists():
        raise usage_error("is there already", "choose another name", where=path)
    write_file(Path(path), NEW)
    say(printable(f"wrote {path}; now: cnncalc worksheet check {path}"))


@command(TEACH, "cnncalc worksheet kinds", "cnncalc worksheet kinds conv_params", name="kinds", parent="worksheet")
def list_kinds(
    name: Annotated[
        str, typer.Argument(metavar="[KIND]", help="A kind of question, to see its slips.", show_default=False)
    ] = "",
    misconceptions: Slips = "",
    format: Format = None,
    output: Output = None,
) -> None:
    """The kinds of question that an item may be, with their letters; with KIND its formula and slips."""
    from ..teach.worksheet import kind_table, kinds_table

    table = kind_table(name, misconceptions) if name else kinds_table(misconceptions)
    emit(table, chosen_format(format, output), output)


@command(TEACH, "cnncalc worksheet check sheet.yaml", parent="worksheet")
def check(path: Sheet, misconceptions: Slips = "") -> None:
    """Solve every item, and warn of questions in which mistakes collide; exit with 1 if there is anything to mend."""
    from ..teach.solver import unsolved
    from ..teach.worksheet import collisions, hidden, printed, read_worksheet, tasks

    sheet = read_worksheet(path, misconceptions)
    tell(printed(sheet, tasks(sheet, b"example", "example"), "example"))
    found = [*unsolved(sheet), *collisions(sheet)]
    for line in hidden(sheet):
        say(f"note: {line}")
    for line in found:
        say(f"warning: {line}")
    say(f"{len(sheet.items)} items, {sum(item.points for item in sheet.items):g} points")
    if found:
        raise typer.Exit(1)


@command(TEACH, "cnncalc worksheet build sheet.yaml --roster roster.txt", parent="worksheet")
def build(
    path: Sheet,
    roster: Annotated[str, typer.Option("--roster", metavar="FILE", help="The students, one a line.")],
    out: Annotated[str, typer.Option("--out", metavar="FOLDER", help="Where the sheets go.")] = "sheets",
    secret: Secret = "course.secret",
    misconceptions: Slips = "",
) -> None:
    """Make one sheet and one file for answers for each student, the same again every time; the key goes apart."""
    from ..teach.grading import file_name, key
    from ..teach.solver import unsolved
    from ..teach.worksheet import answer_file, printed, read_worksheet, tasks

    sheet, students = read_worksheet(path, misconceptions), _students(roster)
    for problem in unsolved(sheet):
        raise usage_error(problem, "`cnncalc worksheet check` tells all that is to be mended", where=path)
    known, folder = _secret(secret, make=True), Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise usage_error("is there, and not empty", "choose another --out", where=out)
    given = {student: tasks(sheet, known, student) for student in students}
    with _whole(folder) as made:
        for student, each in given.items():
            place = made / "students" / file_name(student)
            place.mkdir(parents=True)
            write_file(place / "sheet.md", printed(sheet, each, student))
            write_file(place / "answers.yaml", answer_file(each, known, student))
        (made / "teacher").mkdir()
        write_file(made / "teacher" / "key.csv", key(sheet, given))
    say(f"wrote {len(students)} sheets to {folder / 'students'}, the key to {folder / 'teacher' / 'key.csv'}")


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder that appears when all of it is written, or not at all; raises `SpecError`."""
    try:
        made = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=".cnncalc."))
    except OSError as error:
        raise usage_error(
            f"cannot be made: {error.strerror}", "is the folder above there?", where=str(folder)
        ) from None
    try:
        yield made
        made.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@command(TEACH, "cnncalc grade sheet.yaml sheets/students", "cnncalc grade sheet.yaml answers --roster roster.txt")
def grade(
    path: Sheet,
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="The answer files, in folders or not.", show_default=False)
    ],
    out: Annotated[str, typer.Option("--out", metavar="FOLDER", help="Where marks and feedback go.")] = "marks",
    secret: Secret = "course.secret",
    misconceptions: Slips = "",
    roster: Annotated[
        str, typer.Option("--roster", metavar="FILE", help="Who should have handed in.", show_default=False)
    ] = "",
) -> None:
    """Grade a folder of answers: marks as CSV, a page for each student, a page for the class."""
    from ..teach.grading import class_page, page, page_names, results
    from ..teach.grading import grade as graded
    from ..teach.worksheet import read_worksheet

    if not Path(folder).is_dir():
        raise usage_error("there is no such folder", "the folder with the students' answers", where=folder)
    sheet = read_worksheet(path, misconceptions)
    marked = graded(sheet, folder, _secret(secret, make=False), _students(roster) if roster else ())
    if not marked.graded and not marked.unreadable:
        raise usage_error("holds no answer files", "files of students end in .yaml", where=folder)
    place = Path(out)
    try:
        (place / "feedback").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise usage_error(f"cannot be made: {error.strerror}", "choose another --out", where=out) from None
    write_file(place / "results.csv", results(sheet, marked))
    write_file(place / "class.md", class_page(sheet, marked))
    names = page_names([student.student for student in marked.graded])
    for student in marked.graded:
        write_file(place / "feedback" / f"{names[student.student]}.md", page(sheet, student))
    for name, reason in marked.unreadable:
        say(f"unreadable: {printable(name)}: {printable(reason)}")
    say(f"graded {len(marked.graded)}, unreadable {len(marked.unreadable)}; results.csv, class.md, feedback: {place}")


#: What stands above a list of students, and is none.
_HEADERS = (
    "name",
    "names",
    "student",
    "students",
    "roster",
    "id",
    "login",
    "username",
    "user",
    "email",
    "e-mail",
    "participants",
)


def _students(path: str) -> list[str]:
    try:
        lines = [line.strip() for line in Path(path).read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise usage_error(
            f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}", where=path
        ) from None
    from ..teach.grading import file_name, folded

    students = [line for line in lines if line and not line.startswith("#")]
    if len(students) > 1 and students[0].casefold().rstrip(":") in _HEADERS:
        say(printable(f"{path}: {students[0]} is taken for the heading of the list"))
        students = students[1:]
    strange = next((student for student in students if student != printable(student)), None)
    if not students or strange:
        what = f"{strange!r} is no name" if strange else "names no student"
        raise usage_error(what, "one student a line", where=path)
    first: dict[str, str] = {}
    for student in students:
        other = first.setdefault(folded(file_name(student)), student)
        if students.count(student) > 1 or other != student:
            what = "stands twice" if other == student else f"and {other} would have the same folder"
            raise usage_error(f"{student} {what}", "one student a line, each with a name of its own", where=path)
    return students


def _secret(path: str, make: bool) -> bytes:
    try:
        found = Path(path).read_bytes().strip()
        if len(found) < 8:
            raise usage_error("is too short to keep anything secret", "delete it, and build makes one", where=path)
        return found
    except FileNotFoundError:
        if not make:
            raise usage_error(
                "there is no such secret", "the --secret with which the sheets were built", where=path
            ) from None
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror}", where=path) from None
    made = secrets.token_hex(32).encode()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise usage_error(f"cannot be written: {error.strerror}", "choose another --secret", where=path) from None
    with os.fdopen(handle, "wb") as file:
        file.write(made + b"\n")
    say(f"wrote the course's secret to {path}: keep it, and keep it to yourself")
    return made
