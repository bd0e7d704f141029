"""Parts of which autograd keeps only what goes in, and whose forward pass is done again: torch.utils.checkpoint.

As PyTorch does it with `use_reentrant=False`: the first tensor that the backward pass asks for has the whole part run
again, until the last tensor that was kept the first time is there again.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..record import Record
from .storages import Storages


class Region(Record):
    """One part: the moments `first` to `last`. `entering` are the storages that go in, which stay to the end.

    `kept` are storages of the part with the first moment that keeps each, which is the last to need it backwards;
    `again` are the moments that are run again.
    """

    first: int
    last: int
    entering: frozenset[int]
    kept: dict[int, int]
    again: range

    @property
    def released(self) -> int:
        """The moment whose backward pass is the last of the part to need anything."""
        return min(self.kept.values(), default=self.first)


def regions(storages: Storages, parts: Sequence[Sequence[int]]) -> list[Region]:
    """The parts, each given by its nodes, in order of work."""
    found = []
    for nodes in parts:
        inside = set(nodes)
        moments = [now for now, moment in enumerate(storages.moments) if moment.node in inside]
        if moments:
            found.append(_region(storages, moments))
    return sorted(found, key=lambda region: region.first)


def _region(storages: Storages, moments: Sequence[int]) -> Region:
    made = {storage for now in moments for storage in storages.moments[now].makes}
    entering = {storage for now in moments for storage in storages.moments[now].reads} - made
    kept: dict[int, int] = {}
    last = -1
    for now in moments:
        for storage in storages.moments[now].keeps:
            kept.setdefault(storage, now)
            last = now
    if last < 0:
        return Region(moments[0], moments[-1], frozenset(), {}, range(moments[0], moments[0]))
    # What a moment keeps of what it makes is kept when it is done; what goes in, before it begins.
    moment = storages.moments[last]
    done = not moment.makes or any(storage in moment.makes for storage in moment.keeps)
    return Region(moments[0], moments[-1], frozenset(entering), kept, range(moments[0], last + 1 if done else last))


def kept_storages(storages: Storages, parts: Sequence[Region] = ()) -> dict[int, int]:
    """The storages that autograd keeps, and the moment that is the first to keep each."""
    found: dict[int, int] = {}
    inside = {now: part for part in parts for now in range(part.first, part.last + 1)}
    for now, moment in enumerate(storages.moments):
        part = inside.get(now)
        if part is None:
            kept: Sequence[int] = moment.keeps
        else:
            kept = sorted(part.entering) if part.kept and now == part.released else ()
        for storage in kept:
            found.setdefault(storage, now)
    return found
