"""Parts that run again with their weights: what a network does twice with the same layers in a row becomes one use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..ops import MERGES
from .flat import Node

#: Layers of a part; one alone is used again by its own name.
FEWEST = 2
#: Layers that are looked at in all, beyond which a network repeats itself in more ways than a person would write.
MOST_LOOKED_AT = 1_000_000


class Again:
    """Finds the parts among layers that have their names; `uses` holds each use's path and that of what it uses."""

    def __init__(self, nodes: Sequence[Node], outputs: Sequence[int], fresh: Callable[[str, str], str]) -> None:
        self.nodes, self.fresh = list(nodes), fresh
        self.uses: dict[str, str] = {}
        self.last_user: dict[int, int] = {}
        for number, node in enumerate(nodes):
            self.last_user.update(dict.fromkeys(node.inputs, number))
        self.last_user.update(dict.fromkeys(outputs, len(nodes)))
        self.spans: dict[str, tuple[int, int]] = {}  # of each path, its first layer and its last that has weights
        for number, node in enumerate(nodes):
            if node.owns and node.shares < 0:
                for path in paths_of(node.name):
                    self.spans[path] = self.spans.get(path, (number, 0))[0], number
        self.looked_at = 0
        self.failed: set[tuple[str, int]] = set()  # a part, and where it does not run again
        at = 0
        while at < len(nodes) and self.looked_at < MOST_LOOKED_AT:
            at = self._part(at) if nodes[at].shares >= 0 else at + 1

    def _part(self, number: int) -> int:
        """The largest part that a layer which shares its weights is the first of to do so; where it goes on after."""
        first = self.nodes[number].shares
        for path in paths_of(self.nodes[first].name):
            if self.looked_at > MOST_LOOKED_AT:
                break
            start, last = self.spans[path]
            while start and self._inside(start - 1, path):
                start -= 1
            begin = number - (first - start)
            stop = last + 1
            while stop < begin and self._inside(stop, path, start):
                stop += 1
            self.looked_at += stop - start
            if stop - start < FEWEST or stop > begin or (path, begin) in self.failed:
                continue
            if self._same(path, start, stop, begin):
                self._rename(path, start, stop, begin)
                return begin + stop - start
            self.failed.add((path, begin))
        return number + 1

    def _inside(self, number: int, path: str, start: int | None = None) -> bool:
        """Whether a layer stands in a part: one that is there for the first time, or since its `start`."""
        node = self.nodes[number]
        again = node.shares >= 0 and (start is None or node.shares < start)
        return node.name.startswith(f"{path}.") and not again

    def _same(self, path: str, start: int, stop: int, begin: int) -> bool:
        """Whether layers do once more what those of a part do: with one input of their own, and one output."""
        shift, end = begin - start, begin + stop - start
        entries: dict[int, int] = {}  # what goes into the part, and what goes in this time
        if end > len(self.nodes):
            return False
        for number in range(start, stop):
            one, other = self.nodes[number], self.nodes[number + shift]
            wanted = number if one.shares < 0 else one.shares
            if not one.name.startswith(f"{path}.") or (one.owns and other.shares != wanted):
                return False
            if (one.type, one.arguments, one.figures, one.owns) != (
                other.type,
                other.arguments,
                other.figures,
                other.owns,
            ):
                return False
            if len(one.inputs) != len(other.inputs):
                return False
            for i, j in zip(one.inputs, other.inputs, strict=True):
                entry = i < start and (not entries or i in entries)
                expected = i + shift if i >= start else entries.setdefault(i, j) if entry else i
                if j != expected or (i < start and j >= begin):
                    return False
        return bool(entries) and self._closed(start, stop) and self._closed(begin, end)

    def _closed(self, start: int, stop: int) -> bool:
        """Whether nothing outside takes what layers in a row give, but the last of them."""
        return all(self.last_user.get(number, number) < stop for number in range(start, stop - 1))

    def _rename(self, path: str, start: int, stop: int, begin: int) -> None:
        """Name the layers of a part that runs again as those that they are."""
        above, _, last = path.rpartition(".")
        name = self.fresh(above, "again" if last.isdigit() else last)
        self.uses[name] = path
        for number in range(start, stop):
            one, other = self.nodes[number], self.nodes[number + begin - start]
            shares = -1 if one.type in MERGES else number if one.shares < 0 else one.shares
            self.nodes[number + begin - start] = other._replace(name=name + one.name[len(path) :], shares=shares)


def paths_of(name: str) -> Iterator[str]:
    """The paths of the modules around a layer, the outermost first.

    >>> list(paths_of("head.conv.0"))
    ['head', 'head.conv']
    """
    end = name.find(".")
    while end >= 0:
        yield name[:end]
        end = name.find(".", end + 1)
