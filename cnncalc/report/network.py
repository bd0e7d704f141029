"""A network by its layers and parts, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from ..analysis.regime import ALONE, Regime
from ..errors import did_you_mean
from ..graph import Graph
from ..ops.actions import Setting
from .facts import Facts
from .parts import Part, Row, Totals
from .sums import ALL


class Network(Facts):
    """The layers of a network as rows, its parts and its totals. `network["layer1.0.conv1"]` is a `Row`."""

    def __init__(self, graph: Graph, setting: Setting, optimizer: str = "sgd", regime: Regime = ALONE) -> None:
        super().__init__(graph, setting, optimizer, regime)
        self._parts: dict[str, Part] = {}

    def __getitem__(self, name: str) -> Row:
        row = self._by_name.get(name)
        if row is None:
            hint = did_you_mean(name, self._by_name) or f"a group is report.part({name!r})" * (
                name in self.graph.groups
            )
            raise KeyError(f"there is no layer {name!r}" + (f"; {hint}" if hint else ""))
        return row

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def rows(self) -> Sequence[Row]:
        """The layers, in order of work."""
        return [Row(self, node, self.sums[node]) for node in range(self.graph.input_count, len(self.graph.nodes))]

    @cached_property
    def _by_name(self) -> dict[str, Row]:
        return {row.name: row for row in self.rows}

    def rows_of(self, name: str) -> Sequence[Row]:
        """The rows of a layer or of a group, none where there is neither."""
        first, stop = self._spans.get(name, (0, 0))
        return self.rows[first:stop]

    @cached_property
    def _spans(self) -> dict[str, tuple[int, int]]:
        """The rows of each group: those whose names begin with its path stand together."""
        spans: dict[str, tuple[int, int]] = {}
        for index, row in enumerate(self.rows):
            path = row.name
            while path:
                spans[path] = (spans.get(path, (index, 0))[0], index + 1)
                path = path.rpartition(".")[0]
        return spans

    @cached_property
    def whole(self) -> Part:
        """All layers, as a part."""
        part = Part(self, self.rows, "", whole=True)
        if self.graph.errors:
            part.sums = part.sums._replace(partial=ALL)
        return part

    @cached_property
    def totals(self) -> Totals:
        return Totals(self.whole)

    def part(self, name: str) -> Part:
        """A group, by its path, or a layer: what it adds up to; raises KeyError.

        >>> from cnncalc import analyse
        >>> analyse("resnet50").part("layer1").figures.params
        215808
        """
        if name not in self._parts:
            rows = self.rows_of(name) if name in self.graph.groups else (self[name],)
            self._parts[name] = Part(self, rows, name)
        return self._parts[name]
