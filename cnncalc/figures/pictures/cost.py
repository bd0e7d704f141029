"""Where the cost is: bars of parameters, multiply-adds and memory for each part in order of work, with what adds up."""

from __future__ import annotations

from typing import Any

from ...quantities import mib, share, si
from ...record import Record
from ...report import Report
from ...report.parts import Part
from ...report.tree import Entry, entries
from ...table import known
from ..font import shortened, width
from ..options import Options
from ..scene import Box, Item, Path, Scene, Text

#: Rows at most; sizes of text, rows and columns.
MOST, SIZE, ROW, MARGIN = 44, 10.0, 17.0, 16.0
NAMES, BAR, COLUMN = 170.0, 104.0, 178.0


class Column(Record):
    """A figure of which bars are drawn: its key, what stands above it, and how its total is written."""

    key: str
    title: str
    unit: str

    def written(self, total: int) -> str:
        return mib(total) if self.unit == "bytes" else f"{si(total)}{self.unit}"


COLUMNS = (
    Column("params", "parameters", ""),
    Column("macs", "multiply-adds", "MAC"),
    Column("output_bytes", "memory of outputs", "bytes"),
)


def draw(report: Report, options: Options) -> Scene:
    """Bars of each part's share; the line says how much all parts so far have together."""
    theme = options.theme
    rows = [(each, Part(report, each.rows, each.label)) for each in parts(report, options.depth)]
    items: list[Item] = [Text(MARGIN, MARGIN + 12, shortened(title(report), 14, 560), 14, theme.text, bold=True)]
    top = MARGIN + 62
    for i, (entry, _) in enumerate(rows):
        y = top + i * ROW
        if i % 2:
            items.append(Box(MARGIN, y, NAMES + COLUMN * len(COLUMNS), ROW, theme.panel, data={"band": i}))
        text = shortened(named(entry), SIZE, NAMES - 14)
        items.append(Text(MARGIN + NAMES - 10, y + 12.5, text, SIZE, theme.text, "end", data={"row": i}))
    for place, column in enumerate(COLUMNS):
        left = MARGIN + NAMES + place * COLUMN
        values = [int(known(part.value(column.key)) or 0) for _, part in rows]
        items += bars(column, values, [entry.path for entry, _ in rows], left, top, options)
    bottom = top + len(rows) * ROW
    note = f"each bar is a part's share of the whole; the lines add up to 100 % · batch {report.batch}, {report.dtype}"
    items.append(Text(MARGIN, bottom + 20, note, 9, theme.faint))
    across = max(MARGIN + NAMES + COLUMN * len(COLUMNS), MARGIN + width(note, 9)) + MARGIN
    largest = named(max(rows, key=lambda each: int(known(each[1].value("macs")) or 0))[0]) if rows else "none"
    described = f"{len(rows)} parts in order of work: parameters, multiply-adds, memory; most work is in {largest}"
    return Scene(across, bottom + 34, tuple(items), title(report), described, theme.ground,
                 {"model": report.graph.name, "figure": "cost", "rows": len(rows)})  # fmt: skip


def bars(column: Column, values: list[int], paths: list[str], left: float, top: float, options: Options) -> list[Item]:
    """A column: its heading with the total, bars with shares, and the line of what has added up."""
    theme, total = options.theme, sum(values)
    items: list[Item] = [
        Text(left, top - 22, column.title, SIZE, theme.text, bold=True),
        Text(left, top - 8, column.written(total), SIZE, theme.faint),
    ]
    most, so_far = max(values, default=0), 0
    points = [(left, top)]
    for i, value in enumerate(values):
        y = top + i * ROW
        long = BAR * value / most if most else 0.0
        data: dict[str, Any] = {"bar": column.key, "of": paths[i], "value": value}
        items.append(
            Box(left, y + 3, long, ROW - 6, theme.marks[5 if options.dark else 0] if long else "none", data=data)
        )
        so_far += value
        points.append((left + (BAR * so_far / total if total else 0), y + ROW / 2))
        said = share(value / total) if total and value else "–"
        items.append(
            Text(left + COLUMN - 18, y + 12.5, said, SIZE, theme.text, "end", data={"share": column.key, "row": i})
        )
    items.append(Path(tuple(points), stroke=theme.marks[3], line=1.2, data={"cumulative": column.key}))
    return items


def named(entry: Entry) -> str:
    """A part by its path, copies with how many they are: layer1.1 … 2."""
    around = entry.path.rpartition(".")[0]
    return f"{around}.{entry.label}" if around and entry.kind != "others" else entry.label


def title(report: Report) -> str:
    graph = report.graph
    return f"{graph.name}{f' ({graph.variant})' if graph.variant else ''}: what it costs"


def parts(report: Report, depth: int | None) -> list[Entry]:
    """Parts that hold all layers once: as deep as rows allow, or to the depth that is asked for."""
    deepest = max((row.name.count(".") + 1 for row in report.rows), default=1)
    best = leaves(entries(report, depth or 1))
    for deeper in range(2, deepest + 1) if depth is None else ():
        tried = leaves(entries(report, deeper))
        if len(tried) > MOST:
            break
        best = tried
    return best if len(best) <= MOST or depth is not None else joined(report, best)


def leaves(found: list[Entry]) -> list[Entry]:
    return [each for each in found if each.kind != "group"]


def joined(report: Report, found: list[Entry]) -> list[Entry]:
    """The parts with most work or parameters, and the others between them as one row."""
    worth = {
        id(each): int(known(Part(report, each.rows, "").value("macs")) or 0)
        + int(known(Part(report, each.rows, "").value("params")) or 0)
        for each in found
    }
    kept = {id(each) for each in sorted(found, key=lambda each: -worth[id(each)])[: MOST // 2]}
    made: list[Entry] = []
    for each in found:
        if id(each) in kept or not made or made[-1].kind != "others":
            made.append(each if id(each) in kept else each._replace(kind="others"))
            continue
        last = made[-1]
        rows = last.rows + each.rows
        made[-1] = last._replace(label=f"{len(rows)} layers", rows=rows, copies=1)
    return made
