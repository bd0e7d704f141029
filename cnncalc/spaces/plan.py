"""What a sweep is of, as plain data: enough for another process, or another machine, to work out any part of it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from .. import __version__
from ..errors import Source, usage_error
from ..language.spec import open_spec
from ..record import Record
from ..report.convention import CONVENTION
from .api import USUAL, Chosen
from .choose import First, Front, Unique, goals, joined
from .choose import said as said_of
from .columns import figured
from .results import MOST_SHARDS, Writer
from .space import Space, split
from .sweep import CHUNK, Rows
from .tally import Tally

#: How many are shown where nobody said.
SHOWN = 20


class Plan(Record):
    """A sweep: its space, what is told of each candidate, which are kept, and which part of all this one is."""

    spec: str
    text: str
    variant: str
    over: tuple[tuple[str, tuple[Any, ...]], ...]
    columns: tuple[str, ...] = USUAL
    where: tuple[str, ...] = ()
    unique: tuple[str, ...] = ()
    pareto: str = ""
    sort: str = ""
    top: int = 0  # how many of the first are kept; 0 keeps all
    batch: int = 1
    sample: int = 0
    seed: int = 0
    shard: tuple[int, int] = (1, 1)
    version: str = __version__

    @classmethod
    def of(cls, spec: str, over: Mapping[str, Iterable[Any]], **more: Any) -> Plan:
        """The plan of a spec that is found as everywhere; raises `SpecError`."""
        found = open_spec(spec)
        axes = tuple((name, tuple(values)) for name, values in over.items())
        made = cls(found.source.name, found.source.text, found.variant, axes, **more)
        number, count = made.shard
        if not 1 <= number <= count <= MOST_SHARDS:
            raise usage_error(f"there is no shard {number}/{count}", "--shard 1/8 to 8/8")
        return made

    def dumps(self) -> str:
        """As text, from which `load_plan` makes it again."""
        return json.dumps(self._asdict(), ensure_ascii=False)

    @property
    def space(self) -> Space:
        """Its space; raises `SpecError`."""
        spec = open_spec(Source(self.spec, self.text))._replace(variant=self.variant)
        return Space(spec, dict(self.over))

    def goals(self, space: Space) -> list[tuple[str, int]]:
        """What is to be small, or with −1 large, by the names of columns; raises `SpecError`."""
        text = self.pareto or self.sort
        return goals(text, lambda name: name if name in space.names else figured(name, space.base).name) if text else []

    def chosen(self, space: Space) -> Chosen:
        """The way through the space; raises `SpecError`."""
        more = [*(name for name, _ in self.goals(space)), *self.unique]
        return Chosen(space, self.columns, self.where, self.batch, self.sample, self.seed, more, self.shard)

    def choice(self, space: Space) -> First | Front:
        """What is shown: those that no other beats, or those that come first."""
        return choice(self.pareto, self.goals(space), self.top, self._alike(space))

    def _alike(self, space: Space) -> list[str]:
        return [name if name in space.names else figured(name, space.base).name for name in self.unique]

    def alike(self, space: Space) -> Unique | None:
        """Where every row is kept: what keeps the first of those that are alike, if that is asked."""
        return Unique(self._alike(space)) if self.unique and self.keeps_all else None

    @property
    def keeps_all(self) -> bool:
        """Whether every row that meets the conditions is kept, and not only the best of them."""
        return not self.pareto and not self.top

    def head(self, space: Space, chosen: Chosen) -> dict[str, Any]:
        """What rows are of: enough to make each of them again."""
        axes = {axis.name: [v[0] if len(v) == 1 else list(v) for v in axis.values] for axis in space.axes}
        said = {"spec": self.spec, "variant": self.variant, "axes": axes, "where": list(space.where)}
        kept = hashlib.sha256(json.dumps([self.text, self.variant, axes]).encode()).hexdigest()[:16]
        return {
            "cnncalc": self.version,
            "space": {**said, "candidates": space.size},
            "hash": kept,
            "columns": chosen.columns,
            "fractions": [column.name for column in chosen.sweep.figured if column.is_ratio],
            "convention": CONVENTION,
            "batch": self.batch,
            "where": list(self.where),
            "choice": {
                "unique": self._alike(space),
                "pareto" if self.pareto else "sort": said_of(self.goals(space)),
                "top": self.top,
            },
            **({"sample": self.sample, "seed": self.seed} if self.sample else {}),
            **({"shard": list(self.shard)} if self.shard != (1, 1) else {}),
        }


def choice(pareto: str, wanted: Sequence[tuple[str, int]], top: int, alike: Sequence[str]) -> First | Front:
    """What finds the best: those that no other beats, or the first `top` of them; or, of all, those that are shown."""
    if pareto:
        return Front(wanted, alike)
    return First(wanted, top, alike) if top else First(wanted, SHOWN)


def load_plan(text: str) -> Plan:
    """A plan from its text."""
    said = json.loads(text)
    over = tuple((name, tuple(values)) for name, values in said.pop("over"))
    said |= {key: tuple(said[key]) for key in ("columns", "where", "unique", "shard")}
    return Plan(**said, over=over)


class Part(Record):
    """What was found of some candidates: those that may be kept, all as text where that is wanted, and the counts."""

    rows: Rows
    text: bytes
    tally: Tally
    seconds: float


@lru_cache(maxsize=4)
def _opened(text: str) -> tuple[Plan, Space, Chosen]:
    plan = load_plan(text)
    if plan.version != __version__:
        raise usage_error(f"the sweep is of cnncalc {plan.version}, and this is {__version__}", "the same everywhere")
    space = plan.space
    return plan, space, plan.chosen(space)


def work(text: str, form: str, start: int, stop: int) -> Part:
    """A part of a plan, by the places of its candidates; `form` is that of the rows as text, or empty for none."""
    plan, space, chosen = _opened(text)
    begun, writer = time.monotonic(), Writer(form)
    alike, best, tally = plan.alike(space), plan.choice(space), Tally()
    lines, kept = [], []
    for first, last in split(stop - start, CHUNK):
        rows, counts = chosen.part(start + first, start + last)
        counts.look(rows.columns)
        tally.add(counts)
        if alike is not None:
            kept.append(alike.take(rows))  # whoever sees all parts drops those that are like one of another
            continue
        if form and plan.keeps_all:
            lines.append(writer.rows(rows))
        best.take(rows)
    found = joined(kept) if kept else rows.some(slice(0)) if best.rows is None else best.rows
    return Part(found, "".join(lines).encode("utf-8"), tally, time.monotonic() - begun)
