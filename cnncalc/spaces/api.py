"""A sweep from Python: `cnncalc.sweep("resnet50", over={"width_per_group": range(32, 129, 8)})`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import usage_error
from ..report.figures import OF_NETWORK
from .condition import Condition
from .evaluate import Array
from .space import Space
from .sweep import CHUNK, Rows, Sweep, named

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
    """A way through a space in which only what meets the conditions is kept."""

    def __init__(
        self,
        space: Space,
        columns: Sequence[str] = USUAL,
        where: Sequence[str] = (),
        batch: int = 1,
        sample: int = 0,
        seed: int = 0,
        more: Sequence[str] = (),
    ) -> None:
        axes = [axis.name for axis in space.axes]
        self.columns = list(dict.fromkeys(named(column) for column in columns))
        asked = [*self.columns, *(named(each) for each in more if each not in axes)]
        self.conditions = [Condition(text, [*axes, *OF_NETWORK]) for text in where]
        for condition in self.conditions:
            asked += [named(name) for name in condition.used if name not in axes]
        self.sweep = Sweep(space, list(dict.fromkeys(asked)), batch, seed)
        self.size = min(space.size, sample) if sample else space.size
        self._candidates: Any = drawn(space.size, sample, seed) if sample else range(space.size)
        self.seen = self.networks = self.kept = 0

    @classmethod
    def single(cls, space: Space, columns: Sequence[str], index: int, batch: int = 1) -> Chosen:
        """One candidate, by its number; raises `SpecError` where there is none of this number."""
        space.setting(index)
        made = cls(space, columns, batch=batch)
        made._candidates, made.size = range(index, index + 1), 1
        return made

    def __iter__(self) -> Iterator[Rows]:
        for rows in self.sweep.over(self._candidates):
            self.seen = min(self.size, self.seen + CHUNK)
            self.networks += len(rows)
            values = {**rows.knobs, **rows.figures}
            for condition in self.conditions:
                mask = condition.holds(values)
                if not mask.all():
                    rows = rows.some(mask)
                    values = {**rows.knobs, **rows.figures}
            self.kept += len(rows)
            yield rows


def sweep(
    spec: str,
    over: Mapping[str, Sequence[Any]],
    columns: Sequence[str] = USUAL,
    where: str | Sequence[str] = (),
    batch: int = 1,
    sample: int = 0,
    seed: int = 0,
) -> Iterator[Rows]:
    """The figures of all settings of a spec, in chunks of arrays: `rows.index`, `rows.knobs`, `rows.figures`.

    `over` gives the values of each knob: an argument of the spec, an item of one (`depths[2]`), or `input`. Every
    number is that of `analyse`, to the last digit. Raises `SpecError`.

    >>> rows, = sweep("resnet50", {"width_per_group": [32, 64, 128]}, where="params < 50M")
    >>> rows.knobs["width_per_group"].tolist(), rows.figures["params"].tolist()
    ([32, 64], [12381864, 25557032])
    """
    conditions = [where] if isinstance(where, str) and where else list(where)
    yield from Chosen(Space(spec, over), columns, conditions, batch, sample, seed)
