"""What a sweep found, as a file: CSV or JSON lines, with the space, the convention and the version in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import did_you_mean, usage_error
from ..formats.csv import written
from ..quantities import number
from ..report.convention import CONVENTION
from ..table import Column, Line, Table
from .space import Space
from .sweep import Rows

#: The forms, by the ending of the file.
FORMS = (".csv", ".jsonl")


def form_of(file: str) -> str:
    """The ending of a file's name that tells its form; raises `SpecError`."""
    ending = Path(file).suffix.lower()
    if ending not in FORMS:
        hint = did_you_mean(ending, FORMS) or f"{' and '.join(FORMS)} are written"
        raise usage_error(f"{file}: the ending tells no form of rows", hint)
    return ending


def described(space: Space, columns: list[str], more: dict[str, Any]) -> dict[str, Any]:
    """What rows are of: enough to make each of them again."""
    axes = {axis.name: list(axis.values) for axis in space.axes}
    said = {"spec": space.spec.source.name, "variant": space.spec.variant, "axes": axes, "candidates": space.size}
    kept = hashlib.sha256(json.dumps([space.spec.source.text, space.spec.variant, axes]).encode()).hexdigest()[:16]
    return {"cnncalc": __version__, "space": said, "hash": kept, "columns": columns, "convention": CONVENTION, **more}


class Writer:
    """Rows as text, part by part."""

    def __init__(self, form: str, head: dict[str, Any]) -> None:
        self.form, self.head = form, head

    def begin(self, names: list[str]) -> str:
        """What stands before the rows."""
        if self.form == ".jsonl":
            return json.dumps(self.head, ensure_ascii=False) + "\n"
        lines = [f"# {key}: {json.dumps(value, ensure_ascii=False)}" for key, value in self.head.items()]
        return "\n".join(lines) + "\n" + written(["candidate", *names], [])

    def rows(self, rows: Rows) -> str:
        """Some rows."""
        names = ["candidate", *rows.knobs, *rows.figures]
        columns = [_plain(each) for each in (rows.index, *rows.knobs.values(), *rows.figures.values())]
        if self.form == ".jsonl":
            return "".join(
                json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n"
                for row in zip(*columns, strict=True)
            )
        return written(names, zip(*columns, strict=True)).partition("\n")[2]


def _plain(values: Any) -> list[Any]:
    found: list[Any] = values.tolist()
    return [json.dumps(each) if isinstance(each, list) else each for each in found]


def candidates(space: Space, rows: Rows, columns: Sequence[str], notes: Sequence[str] = ()) -> Table:
    """Candidates as a table: their numbers, knobs and figures."""
    heads = [Column("candidate", "candidate", number, True)]
    heads += [Column(axis.name, axis.name, _said, True) for axis in space.axes]
    heads += [Column(name, name, number, True) for name in columns]
    cells = [each.tolist() for each in (rows.index, *rows.knobs.values(), *(rows.figures[name] for name in columns))]
    lines = [Line(row) for row in zip(*cells, strict=True)]
    return Table(space.spec.title, tuple(heads), lines, notes=tuple(notes))


def _said(value: Any) -> str:
    return number(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
