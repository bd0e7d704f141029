"""Series and parallels: a graph from one part to another as a tree, where it is made of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Union

from ..record import Record


class Parallel(Record):
    """Branches between two parts, each a series; an empty one leads straight from the one to the other."""

    branches: tuple[Series, ...]


#: Parts by number, and parallels between those around them.
Series = tuple[Union[int, "Parallel"], ...]


def series_of(count: int, edges: Sequence[tuple[int, int]], source: int, sink: int) -> Series | None:
    """The series between source and sink, or None where parts are connected in another way.

    A part with one way in and one way out becomes a part of the way, and ways between the same two parts become one.

    >>> series_of(4, [(0, 1), (1, 2), (1, 2), (2, 3)], 0, 3)
    (1, Parallel(branches=((), ())), 2)
    """
    ways: dict[tuple[int, int], Series] = {}
    into: list[set[int]] = [set() for _ in range(count)]
    out: list[set[int]] = [set() for _ in range(count)]
    todo: list[int] = []

    def add(start: int, end: int, way: Series) -> None:
        other = ways.get((start, end))
        if other is None:
            ways[start, end] = way
            out[start].add(end)
            into[end].add(start)
        else:
            ways[start, end] = (Parallel((*_branches(other), *_branches(way))),)
        todo.extend(each for each in (start, end) if each not in (source, sink))

    for start, end in edges:
        add(start, end, ())
    while todo:
        part = todo.pop()
        if len(into[part]) != 1 or len(out[part]) != 1:
            continue
        (start,), (end,) = into[part], out[part]
        before, behind = ways.pop((start, part)), ways.pop((part, end))
        into[part].clear()
        out[part].clear()
        out[start].discard(part)
        into[end].discard(part)
        add(start, end, (*before, part, *behind))
    return ways[source, sink] if list(ways) == [(source, sink)] else None


def _branches(way: Series) -> tuple[Series, ...]:
    """The branches of a way that is a parallel and nothing else, or the way itself."""
    if len(way) == 1 and isinstance(way[0], Parallel):
        return way[0].branches
    return (way,)
