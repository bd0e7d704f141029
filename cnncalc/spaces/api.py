"""A sweep from Python: `cnncalc.sweep("resnet50", over={"width_per_group": range(32, 129, 8)})`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import usage_error
from ..report.figures import OF_NETWORK
from .columns import figured
from .condition import Condition
from .evaluate import Array
from .space import Space, split
from .sweep import CHUNK, Rows, Sweep
from .tally import Tally

#: Figures that are told where nothing else is asked.
USUAL = ("params", "macs")
#: Candidates that are drawn at most.
MOST_DRAWN = 20_000_000


def drawn(size: int, count: int, seed: int) -> Array:
    """So many numbers of candidates, each once, in order; the same seed draws the same.

    >>> drawn(10**18, 3, 1).tolist() == drawn(10**18, 3, 1).tolist(), len(drawn(5, 9, 1))
    (True, 5)
    """
    if count > MOST_DRAWN:
        raise usage_error(f"--sample {count:,} are too many", f"at most {MOST_DRAWN:,}")
    if count >= size:
        return np.arange(size, dtype=np.int64)
    if not 0 <= seed < 2**32:
        raise usage_error(f"--seed {seed} is no seed", "a whole number from 0 on")
    # Of NumPy's generators, the one whose numbers are promised never to change.
    rng = np.random.RandomState(seed)
    if 2 * count >= size:
        return np.sort(rng.permutation(size)[:count]).astype(np.int64)
    found = np.empty(0, dtype=np.int64)
    while len(found) < count:
        more = rng.randint(0, size, count - len(found), dtype=np.int64)
        found = np.sort(np.concatenate([found, more]))
        found = found[np.concatenate([[True], found[1:] != found[:-1]])]
    return found


class Chosen:
    """A way through a space, or a part of it, in which only what meets the conditions is kept."""

    def __init__(
        self,
        space: Space,
        columns: Sequence[str] = USUAL,
        where: Sequence[str] = (),
        batch: int = 1,
        sample: int = 0,
        seed: int = 0,
        more: Sequence[str] = (),
        shard: tuple[int, int] = (1, 1),
    ) -> None:
        knobs = space.names
        self.conditions = [Condition(text, [*knobs, *OF_NETWORK], parts=True) for text in where]
        asked = [*columns, *(each for each in more if each not in knobs)]
        asked += [name for condition in self.conditions for name in condition.used if name not in knobs]
        self.names = {name: figured(name, space.base).name for name in asked}
        self.columns = list(dict.fromkeys(self.names[name] for name in columns))
        self.sweep = Sweep(space, list(dict.fromkeys(self.names.values())), batch, seed)
        candidates: Any = drawn(space.size, sample, seed) if sample else range(space.size)
        number, count = shard
        self.candidates = candidates[(number - 1) * len(candidates) // count : number * len(candidates) // count]
        self.size = len(self.candidates)
        self.tally = Tally()

    @classmethod
    def single(cls, space: Space, columns: Sequence[str], index: int, batch: int = 1) -> Chosen:
        """One candidate, by its number; raises `SpecError` where there is none of this number."""
        space.setting(index)
        made = cls(space, columns, batch=batch)
        made.candidates, made.size = range(index, index + 1), 1
        return made

    def part(self, start: int, stop: int) -> tuple[Rows, Tally]:
        """What is kept of some of the candidates, by their places, and the counts of these."""
        sweep = self.sweep
        sweep.rejected.clear()
        sweep.first_rejected.clear()
        rows = sweep.rows_of(self.candidates[start:stop])
        tally = Tally(stop - start, len(rows))
        for condition in self.conditions:
            mask = np.broadcast_to(condition.holds(self.values(rows)), len(rows))
            if not mask.all():
                rows = rows.some(mask)
        tally.kept = len(rows)
        tally.rejected.update(sweep.rejected)
        tally.first.update(sweep.first_rejected)
        return rows, tally

    def values(self, rows: Rows) -> dict[str, Array]:
        """The values of rows by all names that were asked for."""
        return {**rows.knobs, **rows.figures, **{asked: rows.figures[name] for asked, name in self.names.items()}}

    def __iter__(self) -> Iterator[Rows]:
        for start, stop in split(self.size, CHUNK):
            rows, tally = self.part(start, stop)
            self.tally.add(tally)
            yield rows


def sweep(
    spec: str,
    over: Mapping[str, Iterable[Any]] = MappingProxyType({}),
    columns: Sequence[str] = USUAL,
    where: str | Sequence[str] = (),
    batch: int = 1,
    sample: int = 0,
    seed: int = 0,
) -> Iterator[Rows]:
    """The figures of all settings of a spec, in chunks of arrays: `rows.index`, `rows.knobs`, `rows.figures`.

    `over` gives the values of each knob: an argument of the spec, an item of one (`depths[2]`), or `input`; it adds to
    what the spec states in `space`, or stands in place of it. Every number is that of `analyse`, to the last digit.
    `rows.to_pandas()` and `rows.to_arrow()` are there where these are installed. Raises `SpecError`.

    >>> rows, = sweep("resnet50", {"width_per_group": [32, 64, 128]}, where="params < 50M")
    >>> rows.knobs["width_per_group"].tolist(), rows.figures["params"].tolist()
    ([32, 64], [12381864, 25557032])
    """
    conditions = [where] if isinstance(where, str) and where else list(where)
    yield from Chosen(Space(spec, over), columns, conditions, batch, sample, seed)
