"""The layers of a report as a tree that folds: groups with subtotals, copies of one block as one line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..record import Record
from .network import Network
from .parts import Row


class Entry(Record):
    """A line of the tree: a layer, a group, or several equal groups in a row. `rows` are the layers behind it."""

    label: str
    path: str
    level: int
    rows: tuple[Row, ...]
    kind: str  # "layer", "group" (its parts follow), "folded" (they do not) or "copies"
    copies: int = 1


def entries(report: Network, depth: int | None = None, fold: bool = True) -> list[Entry]:
    """The lines of the tree down to `depth` levels; `fold` joins equal neighbours into one line."""
    split = report.graph.levels()
    return list(_level(report, split, 0, len(split), 0, depth, fold))


def fitting(report: Network, lines: int) -> tuple[list[Entry], int, int]:
    """The deepest tree of at most so many lines, its depth, and the depth of all layers."""
    deepest = max((row.name.count(".") + 1 for row in report.rows), default=1)
    best = entries(report, 1)
    chosen = 1
    for depth in range(2, deepest + 1):
        tried = entries(report, depth)
        if len(tried) > lines:
            break
        best, chosen = tried, depth
    return best, chosen, deepest


def _level(
    report: Network, split: list[tuple[str, ...]], start: int, stop: int, level: int, depth: int | None, fold: bool
) -> Iterator[Entry]:
    spans = list(_spans(split, start, stop, level))
    index = 0
    while index < len(spans):
        first, last = spans[index]
        copies = 1
        if fold:
            own = None
            while index + copies < len(spans):
                other, stop = spans[index + copies]
                if stop - other != last - first:  # it is cheap to see that they differ
                    break
                own = own or _signature(report, split, first, last, level)
                if own != _signature(report, split, other, stop, level):
                    break
                copies += 1
        single = last - first == 1 and len(split[first]) == level + 1
        if copies >= (3 if single else 2):
            end = spans[index + copies - 1][1]
            label = f"{split[first][level]} … {split[end - 1][level]}"
            yield Entry(label, _path(split[first], level), level, tuple(report.rows[first:end]), "copies", copies)
            index += copies
            continue
        index += 1
        rows = tuple(report.rows[first:last])
        path = _path(split[first], level)
        if single:
            yield Entry(split[first][level], path, level, rows, "layer")
        elif depth is not None and level + 1 >= depth:
            yield Entry(split[first][level], path, level, rows, "folded")
        else:
            yield Entry(split[first][level], path, level, rows, "group")
            yield from _level(report, split, first, last, level + 1, depth, fold)


def _path(parts: tuple[str, ...], level: int) -> str:
    return ".".join(parts[: level + 1])


def _spans(split: list[tuple[str, ...]], start: int, stop: int, level: int) -> Iterator[tuple[int, int]]:
    """The runs of layers that share their name at this level."""
    first = start
    while first < stop:
        last = first + 1
        if len(split[first]) > level + 1:
            name = split[first][level]
            while last < stop and len(split[last]) > level + 1 and split[last][level] == name:
                last += 1
        yield first, last
        first = last


def _signature(report: Network, split: list[tuple[str, ...]], first: int, last: int, level: int) -> Any:
    """What makes two parts equal: the same layers with the same shapes and figures, whatever their own name."""
    return [
        (split[i][level + 1 :], row.type, row.layer.op, row.input_shapes, row.output_shape, row.layer.shares >= 0)
        for i, row in enumerate(report.rows[first:last], first)
    ]
