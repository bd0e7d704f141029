"""What a sweep found, as a file: CSV, JSON lines or Parquet, with the space, the convention and the version in it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import did_you_mean, usage_error
from ..formats.csv import written
from ..quantities import number
from ..table import Column, Line, Table
from .columns import figured
from .evaluate import Array
from .space import Space
from .sweep import CHUNK, Rows

#: The forms, by the ending of the file.
FORMS = (".csv", ".jsonl", ".parquet")
#: Bytes of one line of a file that is read: a head has all values of all axes.
MOST_OF_A_LINE = 50_000_000
#: Bytes of rows that are read at once.
MOST_AT_ONCE = 16_000_000
#: Parts that a sweep is shared out in at most.
MOST_SHARDS = 100_000


def form_of(file: str) -> str:
    """The ending of a file's name that tells its form; raises `SpecError`."""
    ending = Path(file).suffix.lower()
    if ending not in FORMS:
        hint = did_you_mean(ending, FORMS) or f"{', '.join(FORMS)} are written"
        raise usage_error(f"{file}: the ending tells no form of rows", hint)
    return ending


class Writer:
    """Rows as lines of text, one for each, part by part: of CSV, which Parquet is made from as well, or of JSON."""

    def __init__(self, form: str) -> None:
        self.form = form

    def begin(self, head: Mapping[str, Any], names: Sequence[str]) -> str:
        """What stands before the rows."""
        if self.form == ".jsonl":
            return json.dumps({**head, "names": list(names)}, ensure_ascii=False) + "\n"
        lines = [f"# {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in head.items()]
        return "\n".join(lines) + "\n" + written([*names], [])

    def rows(self, rows: Rows) -> str:
        """Some rows."""
        names = list(rows.columns)
        columns = [_plain(each) for each in rows.columns.values()]
        if self.form == ".jsonl":
            return "".join(
                json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n"
                for row in zip(*columns, strict=True)
            )
        return written(names, zip(*columns, strict=True)).partition("\n")[2]


def _plain(values: Array) -> list[Any]:
    return [_one_line(each) for each in values.tolist()] if values.dtype == object else values.tolist()


def _one_line(value: Any) -> Any:
    """A value that takes no more than one line, whatever it is."""
    several = isinstance(value, str) and ("\n" in value or "\r" in value)
    return json.dumps(value) if several or isinstance(value, list) else value


#: Where rows that were read have the lines that they were read from.
LINE = ""


def read_rows(columns: Mapping[str, Sequence[Any]], lines: Sequence[bytes]) -> Rows:
    """Rows from what stands in a file, each with its line beside its columns."""
    kept = np.empty(len(lines), dtype=object)
    kept[:] = lines
    found = {name: np.array(each, dtype=object if isinstance(each[0], str) else None) for name, each in columns.items()}
    return Rows(found.pop("candidate"), {}, {**found, LINE: kept})


def lines_of(rows: Rows) -> Iterator[bytes]:
    """The lines of rows that were read."""
    yield from rows.figures[LINE].tolist()


class Reader:
    """A file of rows that a sweep wrote, as text; raises `SpecError` for what is none."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path, self.file, self.form = path, file, form_of(str(path))
        self.head: dict[str, Any] = {}
        self.names: list[str] = []
        try:
            self._begin()
            self.kinds = kinds_of(self.head, self.names)
            self.said = said_of(self.head, self.form)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, RecursionError, csv.Error):
            raise self._none() from None

    def _none(self) -> Exception:
        return usage_error(
            "is no file of rows that a sweep wrote", "parts are the files of --shard", where=str(self.path)
        )

    def _line(self) -> bytes:
        line = self.file.readline(MOST_OF_A_LINE)
        if len(line) >= MOST_OF_A_LINE:
            raise self._none()
        return line

    def _begin(self) -> None:
        line = self._line()
        if self.form == ".jsonl":
            self.head = json.loads(line)
            self.names = self.head.pop("names")
            return
        while line.startswith(b"# "):
            key, colon, value = line[2:].decode("utf-8").partition(": ")
            assert colon
            self.head[key] = json.loads(value)
            line = self._line()
        (self.names,) = csv.reader([line.decode("utf-8")])

    def __iter__(self) -> Iterator[Rows]:
        while lines := self._lines():
            try:
                yield read_rows(self._columns(lines), lines)
            except (ValueError, KeyError, IndexError, OverflowError, TypeError, RecursionError, csv.Error):
                raise usage_error("holds rows that no sweep wrote", where=str(self.path)) from None

    def _lines(self) -> list[bytes]:
        """The next lines: so many, or so many bytes of them."""
        lines: list[bytes] = []
        size = 0
        while len(lines) < CHUNK and size < MOST_AT_ONCE and (line := self._line()):
            lines.append(line)
            size += len(line)
        return lines

    def _columns(self, lines: list[bytes]) -> dict[str, list[Any]]:
        if self.form == ".jsonl":
            said = [json.loads(line) for line in lines]
            columns = {name: [row[name] for row in said] for name in self.kinds}
            wrong = [
                name
                for name, kind in self.kinds.items()
                if kind and any(type(each) not in (int, kind) for each in columns[name])
            ]
        else:
            rows = list(csv.reader(line.decode("utf-8") for line in lines))
            columns = {name: [row[place] for row in rows] for place, name in enumerate(self.kinds)}
            wrong = [] if all(len(row) == len(self.kinds) for row in rows) else ["row"]
        if wrong:
            raise ValueError("values that no sweep wrote")
        for name, kind in self.kinds.items():
            columns[name] = [kind(each) for each in columns[name]] if kind else [_text(each) for each in columns[name]]
            if kind is None and not self.said[name].issuperset(columns[name]):
                raise ValueError("a value that the knob has not")
        return columns


def kinds_of(head: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """How the values of each column are read: `int`, `float`, or None where they are no numbers.

    Raises `ValueError`, `KeyError`, `TypeError` or `AttributeError` for what is no head of such a file.
    """
    number, count = head.get("shard", [1, 1])
    choice = head["choice"]
    texts = (choice.get("pareto", ""), choice.get("sort", ""), *choice["unique"])
    if type(number) is not int or type(count) is not int or not 1 <= number <= count <= MOST_SHARDS:
        raise ValueError("no number of a part")
    if type(choice["top"]) is not int or choice["top"] < 0 or not all(isinstance(each, str) for each in texts):
        raise ValueError("no choice")
    found: dict[str, Any] = {"candidate": int}
    for knob, values in _knobs(head):
        kinds = {type(value) for value in values}
        found[knob] = int if kinds == {int} else float if kinds == {float} else None
    found |= {name: float if name in head["fractions"] else int for name in names if name not in found}
    if list(found) != list(names):
        raise ValueError("names that are none of its columns")
    return found


def said_of(head: Mapping[str, Any], form: str) -> dict[str, set[str]]:
    """How the values of each knob stand in a file."""
    stands = _text if form == ".jsonl" else _in_csv
    return {knob: {stands(each) for each in values} for knob, values in _knobs(head)}


def _knobs(head: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    """The knobs of a head with their values; those that move together have one axis."""
    for axis, values in head["space"]["axes"].items():
        knobs = axis.split(",")
        for place, knob in enumerate(knobs):
            yield knob, [value[place] if len(knobs) > 1 else value for value in values]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _in_csv(value: Any) -> str:
    (cell,) = next(csv.reader([written([], [[_one_line(value)]]).partition("\n")[2]]))
    return cell


def candidates(space: Space, rows: Rows, columns: Sequence[str], notes: Sequence[str] = ()) -> Table:
    """Candidates as a table: their numbers, knobs and figures."""
    heads = [Column("candidate", "candidate", number, True)]
    heads += [Column(name, name, _said, True) for name in space.names]
    heads += [Column(name, name, figured(name, space.base).show, True) for name in columns]
    cells = [each.tolist() for each in (rows.index, *rows.knobs.values(), *(rows.figures[name] for name in columns))]
    lines = [Line(row) for row in zip(*cells, strict=True)]
    return Table(space.spec.title, tuple(heads), lines, notes=tuple(notes))


def _said(value: Any) -> str:
    return number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
