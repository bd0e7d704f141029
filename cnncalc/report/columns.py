"""The columns of a table of layers: what a line is, and the figures of the registry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import did_you_mean, usage_error
from ..quantities import mebibytes, readable, share
from ..record import Record
from ..table import EMPTY, AtLeast, Column
from .figures import BY_NAME, FIGURES, OF_LAYERS, Figure
from .parts import Part, Row


class Subject(Record):
    """What a line of the table is about: a part, what it is called, and its type; and the whole network."""

    part: Part
    label: str
    type: str
    whole: Part


class Source(Record):
    """A column and where its values come from; and the figure behind it, if it is one."""

    column: Column
    value: Callable[[Subject], Any]
    figure: Figure | None = None


def _of_row(get: Callable[[Row], Any]) -> Callable[[Subject], Any]:
    return lambda subject: EMPTY if subject.part.row is None else get(subject.part.row)


def _input(subject: Subject) -> Any:
    part = subject.part
    if part.whole:
        return EMPTY
    shapes = part.rows[0].input_shapes
    if len(shapes) < 2 or len(part.rows) > 1:
        return shapes[0] if shapes else None
    if len(set(shapes)) == 1:
        return f"{len(shapes)} of {readable(shapes[0])}"
    return ", ".join(map(readable, shapes[:2])) + f", {len(shapes) - 2} more" * (len(shapes) > 2)


def _figure(figure: Figure) -> Callable[[Subject], Any]:
    of, key, totalled = figure.of, figure.key, figure.totalled

    def value(subject: Subject) -> Any:
        part = subject.part
        if not part.whole:
            return of(part)
        return part.value(key) if totalled else EMPTY

    return value


def _share(figure: Figure) -> Callable[[Subject], Any]:
    """The part's share in what the network has of a figure."""

    def value(subject: Subject) -> Any:
        own, total = figure.of(subject.part), subject.whole.value(figure.key)
        if own is None:
            return EMPTY
        if isinstance(total, AtLeast):
            return None  # of what is not all known, no share is known
        return own / total if total else 0.0

    return value


def _columns() -> dict[str, Source]:
    columns = [
        Source(Column("layer", "layer"), lambda subject: subject.label),
        Source(Column("type", "type"), lambda subject: subject.type),
        Source(Column("line", "line", str, True), _of_row(lambda row: row.line)),
        Source(Column("from", "from"), _of_row(lambda row: ", ".join(row.inputs))),
        Source(Column("input", "input", readable, True), _input),
    ]
    for figure in OF_LAYERS.values():
        right = figure.show is not str
        columns.append(Source(Column(figure.column, figure.title, figure.show, right), _figure(figure), figure))
        if figure.mebibytes:
            title = figure.title.replace("bytes", "MiB")
            columns.append(Source(Column(figure.mebibytes, title, mebibytes, True), _figure(figure), figure))
        if figure.shared:
            columns.append(Source(Column(figure.shared, "share", share, True), _share(figure)))
    columns.append(Source(Column("note", "note"), _of_row(lambda row: row.layer.note or EMPTY)))
    return {source.column.key: source for source in columns}


COLUMNS = _columns()


def named(columns: Sequence[str]) -> tuple[str, ...]:
    """Keys of columns, which may also be called by their headings, or as the figure is; raises `SpecError`."""
    headings = {source.column.title: key for key, source in COLUMNS.items() if source.column.title != "share"}
    headings |= {name: figure.column for name, figure in BY_NAME.items() if figure.of_layers}
    columns = [key if key in COLUMNS else headings.get(key, key) for key in columns]
    for key in columns:
        if key not in COLUMNS:
            hint = did_you_mean(key, COLUMNS) or f"columns are {', '.join(COLUMNS)}"
            if key in FIGURES:
                hint = "it is a figure of the network alone: cnncalc summary shows it"
            raise usage_error(f"there is no column {key}", hint)
    return tuple(dict.fromkeys(columns))
