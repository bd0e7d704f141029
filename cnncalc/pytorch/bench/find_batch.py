"""The largest batch that really fits: predicted, then tried, each try in a process of its own."""

from __future__ import annotations

from collections.abc import Callable

from ...answers.budget import fitting_batch
from ...errors import usage_error
from ...graph import Graph
from ...record import Record
from .plan import Configuration
from .predict import report_of
from .process import Process, WorkerFailed

#: Of the free memory of the main memory, what is left to others: there the kernel kills in place of refusing.
SPARED = 0.1
MOST = 1 << 20


class Found(Record):
    """The largest batch that fitted twice while one more did not; with the prediction, and every try in order.

    Where the search was interrupted, it is the largest that fitted so far.
    """

    batch: int
    predicted: int
    limit_bytes: int
    tries: tuple[tuple[int, bool], ...]
    interrupted: bool = False


def find_batch(
    graph: Graph,
    config: Configuration,
    progress: Callable[[str, float], None] = lambda text, share: None,
    start: Callable[[Graph, Configuration], Process] = Process,
) -> Found:
    """Search the largest batch, from the predicted one on; raises `SpecError` for anything but a lack of memory.

    `config.memory_limit` bounds the search; without it, it is what the device has free.
    """
    try:
        return _searched(graph, config, progress, start)
    except WorkerFailed as error:
        raise usage_error(error.message) from None


def _searched(
    graph: Graph,
    config: Configuration,
    progress: Callable[[str, float], None],
    start: Callable[[Graph, Configuration], Process],
) -> Found:
    limit = config.memory_limit
    process = start(graph, config)
    try:
        started = process.start()
    finally:
        process.end()
    if not limit:
        limit = int(started["free_bytes"] * (1 - SPARED)) if started["kind"] == "cpu" else int(started["free_bytes"])
    bounded = config._replace(
        device=started["device"]["device"], memory_limit=limit if config.memory_limit or started["kind"] == "cpu" else 0
    )
    limit = min(limit, int(started["free_bytes"]))
    bounded = bounded._replace(memory_limit=min(bounded.memory_limit, limit))
    bound = (
        "peak_training_bytes" if config.train else "allocated_bytes" if config.dtype == "float32" else "inference_bytes"
    )
    predicted = fitting_batch(report_of(graph, config, started["kind"]), limit, bound)
    tries: list[tuple[int, bool]] = []

    def fits(batch: int) -> bool:
        progress(f"batch {batch:,}", min(0.9, 0.1 * len(tries)))
        tries.append((batch, _fits(graph, bounded._replace(batch=batch), start)))
        return tries[-1][1]

    try:
        batch = search(min(max(predicted, 1), MOST), fits)
    except KeyboardInterrupt:
        batch = max((tried for tried, fitted in tries if fitted), default=0)
        return Found(batch, predicted, limit, tuple(tries), True)
    return Found(batch, predicted, limit, tuple(tries))


def search(guess: int, fits: Callable[[int], bool]) -> int:
    """The largest number that fits, from a guess: double or halve, bisect, and confirm; 0 if not even 1 does.

    >>> search(100, lambda batch: batch <= 77), search(10, lambda batch: batch <= 77), search(3, lambda batch: False)
    (77, 77, 0)
    """
    good, bad = 0, 0
    batch = guess
    if fits(batch):
        good = batch
        while not bad:
            batch = min(2 * good, good + max(1, good // 8)) if good >= guess > 8 else 2 * good
            if batch > MOST:
                return good
            good, bad = (batch, 0) if fits(batch) else (good, batch)
    else:
        bad = batch
        while not good:
            batch = bad // 2 if bad < guess // 2 or bad <= 8 else bad - max(1, bad // 8)
            if batch < 1:
                return 0
            good, bad = (batch, bad) if fits(batch) else (0, batch)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if fits(middle) else (good, middle)
    while good and not fits(good):  # once more, in a fresh process: what fits by luck does not count
        good -= 1
    return good


def _fits(graph: Graph, config: Configuration, start: Callable[[Graph, Configuration], Process]) -> bool:
    process = start(graph, config)
    try:
        process.start()
        process.ask("build")
        process.ask("cold")
        process.ask("latency", calls=2, seconds=0.0)
    except WorkerFailed as error:
        # Under a limit, libraries give up in many ways where they cannot have memory.
        if error.kind == "memory" or (config.memory_limit and error.kind == "failed"):
            return False
        raise
    finally:
        process.end()
    return True
