"""Go through a plan: in this process, in several, or on a cluster; into a file that is gone on with, or none."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..errors import usage_error
from .journal import Journal
from .plan import Part, Plan, work
from .results import Writer, form_of
from .sweep import CHUNK, Rows
from .tally import Tally
from .workers import Workers

#: Parts that are asked for ahead, beside one of each process.
AHEAD = 4
#: A part is of more chunks while it takes less than this, and of so many at most.
SOON_S, MOST_CHUNKS = 0.25, 8
#: Seconds in which a cluster answers.
CONNECT_S = 10.0

#: Has a part worked out elsewhere: what it gives has a `result`.
Submit = Callable[..., Any]


class Run:
    """A plan on its way: `tally` counts, `choice` has the rows that are shown, `size` is how many there are to see."""

    def __init__(self, plan: Plan, output: str = "") -> None:
        self.plan, self.output = plan, output
        self.space = plan.space
        self.chosen = plan.chosen(self.space)
        self.choice, self.alike = plan.choice(self.space), plan.alike(self.space)
        self.size, self.tally, self.resumed = self.chosen.size, Tally(), 0
        self.form = form_of(output) if output else ""
        self.text = plan.dumps()
        self.names = ["candidate", *self.space.names, *self.chosen.sweep.columns]

    @property
    def parts(self) -> int:
        """In how many parts it is gone through."""
        return -(-self.size // CHUNK)

    @property
    def kept(self) -> int:
        """How many rows are kept of those that meet the conditions."""
        if self.plan.keeps_all:
            return self.tally.kept if self.alike is None else len(self.alike.seen)
        return 0 if self.choice.rows is None else len(self.choice.rows)

    def go(self, submit: Submit | None = None, ahead: int = 1) -> Iterator[None]:
        """The way, part by part. What was written before it was stopped is gone on with; raises `SpecError`."""
        if not self.output:
            for part in self._parts(0, submit, ahead):
                self._take(part)
                yield
            return
        journal = Journal(self.output, self.text, self.plan.head(self.space, self.chosen), self.names)
        try:
            self._resume(journal)
            done = self.tally.seen
            for part in self._parts(done, submit, ahead):
                text = self._take(part)
                shown = self.choice.rows.index.tolist() if self.plan.keeps_all and self.choice.rows is not None else []
                journal.add(text, self.tally.seen, self.tally, shown)
                yield
            if not self.tally.networks and self.plan.shard == (1, 1):
                journal.discard()  # a space without a network is a mistake, and no file says so
                return
            kept = None if self.plan.keeps_all else self._written(self.choice.rows)
            journal.finish(self.tally, kept)
        finally:
            journal.close()

    def _parts(self, done: int, submit: Submit | None, ahead: int) -> Iterator[Part]:
        """What is found from a candidate on, in order; with `submit` elsewhere, several at a time."""
        waiting: deque[Any] = deque()
        chunks = 1
        while done < self.size or waiting:
            stop = min(self.size, done + chunks * CHUNK)
            asked = (self.text, self.form, done, stop)
            part: Part | None
            if submit is None:
                part = work(*asked)
            else:
                if done < stop:
                    waiting.append(submit(work, *asked))
                part = waiting.popleft().result() if len(waiting) >= ahead or stop == self.size else None
            done = stop
            if part is not None:
                chunks = min(MOST_CHUNKS, 2 * chunks) if part.seconds < SOON_S else max(1, chunks // 2)
                yield part

    def _take(self, part: Part) -> bytes:
        """Add a part to what is known; what of it goes into the file."""
        rows, tally = part.rows, part.tally
        if self.alike is not None:
            rows = self.alike.take(rows)
        self.tally.add(tally)
        self.choice.take(rows)
        if not self.output:
            return b""
        if self.plan.keeps_all:
            return part.text if self.alike is None else self._written(rows)
        # Those that came to be among the best, of which some will be beaten yet.
        best = self.choice.rows
        return b"" if best is None else self._written(rows.some(np.isin(rows.index, best.index)))

    def _written(self, rows: Rows | None) -> bytes:
        return b"" if rows is None else Writer(self.form).rows(rows).encode("utf-8")

    def _resume(self, journal: Journal) -> None:
        noted = journal.open()
        if not noted:
            return
        self.tally, self.resumed = noted["tally"], noted["done"]
        again = (
            iter([np.array(noted["shown"], dtype=np.int64)])
            if self.alike is None and self.plan.keeps_all
            else journal.numbers()
        )
        for numbers in again:
            rows = self.chosen.sweep.rows(numbers)
            self.choice.take(rows if self.alike is None else self.alike.take(rows))


@contextmanager
def processes(jobs: int) -> Iterator[tuple[Submit | None, int]]:
    """What hands parts to so many processes, and how many it is given ahead; they end with it, whatever happens."""
    if jobs <= 1:
        yield None, 1
        return
    workers = Workers(jobs)
    try:
        yield workers.submit, AHEAD + jobs
    finally:
        workers.close()


@contextmanager
def cluster(address: str) -> Iterator[tuple[Submit, int]]:
    """What hands parts to a cluster of Dask, and how many it is given ahead; raises `SpecError` where there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise usage_error("Dask is not installed", "pip install 'cnncalc[dask]'") from None
    try:
        connect: Any = Client
        client = connect(address, timeout=CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise usage_error(f"there is no Dask at {address}: {error}", "as tcp://127.0.0.1:8786") from None
    try:
        executor = client.get_executor(pure=False, retries=20)
        cores = sum(client.ncores().values()) or 1
        yield executor.submit, AHEAD + cores
    finally:
        client.close()
