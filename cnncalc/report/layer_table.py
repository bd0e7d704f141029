"""A report as a table of its layers: whichever columns, folded, sorted, with totals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..formula import prod
from ..quantities import readable
from ..record import Record
from ..table import EMPTY, Deferred, Line, Table, known
from .columns import COLUMNS, Source, Subject, named
from .convention import FLOPS, MAC
from .document import layer_by_layer
from .network import Network
from .parts import Part
from .tree import Entry, entries, fitting

#: Lines of a table in a terminal before it is folded.
SCREEN = 70


class Choice(Record):
    """How much of the layers is shown: `fit` folds to so many lines, None shows one line a layer with its full name."""

    depth: int | None = None
    columns: tuple[str, ...] = ()
    sort: str = ""
    fit: int | None = None


def layers_table(
    report: Network,
    keys: Sequence[str],
    choice: Choice = Choice(),  # noqa: B008
    spare: tuple[str, ...] = (),
) -> Table:
    """The layers with these columns, or those that are chosen; raises `SpecError` for a column that there is not.

    `spare` are the columns that a narrow terminal may leave out.
    """
    keys = named(choice.columns) or tuple(keys)
    chosen = [COLUMNS[key] for key in keys]
    tree, hint = _sorted(report, choice) if choice.sort else _tree(report, choice)

    def made() -> list[Line]:
        lines = [line(report, entry, chosen) for entry in tree]
        if any(source.figure and source.figure.totalled for source in chosen):
            lines.append(total(report, chosen))
        return lines

    columns, lines = tuple(source.column for source in chosen), Deferred(made)
    notes = (*_layer_notes(report, lines), *hint)
    spare = () if choice.columns else spare
    return Table(report.title, columns, lines, head(report, keys), notes, spare, lambda: layer_by_layer(report))


def _layer_notes(report: Network, lines: Sequence[Line]) -> tuple[str, ...]:
    """The notes of the layers and groups, below a table that is short enough to be read."""
    noted = {row.name: row.layer.note for row in report.rows if row.layer.note}
    noted |= {group.name: group.note for group in report.graph.groups.values() if group.note}
    if not noted or len(lines) > SCREEN:
        return ()
    return tuple(f"{name}: {' '.join(note.split())}" for name, note in noted.items())


def single_layers(report: Network) -> list[Entry]:
    """The layers one by one, under their full names."""
    return [Entry(row.name, row.name, 0, (row,), "layer") for row in report.rows]


def _tree(report: Network, choice: Choice) -> tuple[list[Entry], tuple[str, ...]]:
    """The entries that are shown, and a hint where some are folded away."""
    if choice.fit is None:
        if choice.depth is None:
            return single_layers(report), ()
        return [entry._replace(label=entry.path) for entry in entries(report, choice.depth, fold=False)], ()
    if choice.depth is not None:
        return entries(report, choice.depth), ()
    tree, depth, deepest = fitting(report, choice.fit)
    hint = f"folded to {depth} of {deepest} levels: --depth {deepest} shows all"
    return tree, (hint,) * (depth < deepest)


def line(report: Network, entry: Entry, chosen: Sequence[Source]) -> Line:
    """The line of an entry of the tree."""
    subject = Subject(_part(report, entry), entry.label, _type_of(report, entry), report.whole)
    return Line(tuple([source.value(subject) for source in chosen]), entry.kind, entry.level)


def _part(report: Network, entry: Entry) -> Part:
    return Part(report, entry.rows, "" if entry.kind == "copies" else entry.path)


def _type_of(report: Network, entry: Entry) -> str:
    if entry.kind == "layer":
        type_, shared = entry.rows[0].type, _shared(report, entry)
        return f"{type_} of {shared}" if shared else type_
    group = report.graph.groups.get(entry.path)
    kind = (group.block if group else "") or (entry.rows[0].type if entry.copies == len(entry.rows) else "")
    shared = _shared(report, entry)
    if shared:
        return f"{kind or 'weights'} of {shared}"
    if entry.kind == "copies":
        owners = {row.shares for row in entry.rows}
        kind = f"{entry.copies} × {kind or 'the same'}"
        return f"{kind} of {max(owners)}" if len(owners) == 1 and max(owners) else kind
    return kind


def _shared(report: Network, entry: Entry) -> str:
    """Whose weights a layer or group has, where it is one that is used again."""
    if entry.kind == "layer":
        row = entry.rows[0]
        owner = report[row.shares] if row.shares else None
        return owner.name if owner is not None and owner.params != 0 else ""
    return report.graph.uses.get(entry.path, "")


def total(report: Network, chosen: Sequence[Source]) -> Line:
    """The line below the layers."""
    subject = Subject(report.whole, "total", EMPTY, report.whole)
    return Line(tuple([source.value(subject) for source in chosen]), "total")


def _sorted(report: Network, choice: Choice) -> tuple[list[Entry], tuple[str, ...]]:
    """Layers (or groups at a depth), the largest first; with a leading minus, the smallest."""
    (key,) = named([choice.sort.lstrip("-+")])
    if choice.depth is None:
        tree = single_layers(report)
    else:
        tree = [entry for entry in entries(report, choice.depth, fold=False) if entry.kind != "group"]
    source = COLUMNS[key]

    def rank(entry: Entry) -> tuple[int, Any]:
        type_ = _type_of(report, entry) or entry.rows[0].type
        value = known(source.value(Subject(_part(report, entry), entry.path, type_, report.whole)))
        if isinstance(value, str):
            return (1, value) if value != EMPTY else (0, "")
        if isinstance(value, tuple):
            return (2, prod(value))
        return (0, "") if value is None else (2, value)

    textual = source.column.show is str and key != "line"
    descending = textual == choice.sort.startswith("-")
    ranked = [(rank(entry), entry) for entry in tree]
    ordered: list[Entry] = []
    for kind in (2, 1, 0):
        same = [(value, entry) for (own, value), entry in ranked if own == kind]
        same.sort(key=lambda pair: pair[0], reverse=descending)
        ordered += [entry for _, entry in same]
    return [entry._replace(label=entry.path, level=0) for entry in ordered], ()


def setting(report: Network) -> str:
    """Input, batch and dtype: what stands above every table."""
    inputs = report.graph.inputs
    named_ = len(inputs) > 1
    shapes = ", ".join(f"{each.name} {readable(each.shape)}" if named_ else readable(each.shape) for each in inputs)
    text = f"input {shapes} (H×W×C) · batch {report.batch} · {report.dtype}"
    text += f" · autocast {report.setting.amp}" if report.setting.amp else ""
    text += " · quantized to int8" * report.setting.int8
    text += " · channels last" * report.setting.channels_last
    return text + " · activations in place" * report.inplace


def head(report: Network, keys: Sequence[str]) -> tuple[str, ...]:
    """What stands above a table: the setting, the source, and the convention of what is counted."""
    lines = [setting(report)]
    figures = [COLUMNS[key].figure for key in keys]
    if any(figure and figure.trained for figure in figures):
        lines[0] += " · training"
    if "saved" in keys:
        lines[0] += f" · {report.optimizer} · masks and statistics as on {report.setting.device}"
    if report.graph.about:
        lines.append(f"source: {report.graph.about}")
    if any(key in ("macs", "flops", "other") for key in keys):
        lines.append(MAC)
    if any(key in ("flops", "other") for key in keys) or ("macs" in keys and "step_macs" not in keys):
        lines.append(FLOPS)
    return tuple(lines)
