"""Processes that work parts out, each at the end of a pipe of its own: none waits for another, and all end at once."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any

from ..errors import usage_error

#: Processes at most, and tasks that one is given at a time: the next is there when it is done with the first.
MOST_JOBS, GIVEN = 512, 2
#: What a process begins with: one thread, and memory that glibc keeps between one array and the next.
_SURROUNDINGS = {"OMP_NUM_THREADS": "1", "MALLOC_TOP_PAD_": str(64 << 20)}


class Task:
    """A call that is done elsewhere."""

    def __init__(self, workers: Workers, call: tuple[Any, ...]) -> None:
        self.workers, self.call = workers, call
        self.answer: tuple[bool, Any] | None = None

    def result(self) -> Any:
        """What came of it, once it is there; raises what the call raised, and `SpecError` where its process ended."""
        while self.answer is None:
            self.workers.listen()
        good, value = self.answer
        if not good:
            raise value
        return value


class Workers:
    """So many processes, and the calls that wait for them."""

    def __init__(self, jobs: int) -> None:
        self.waiting: deque[Task] = deque()
        self.given: dict[Connection, deque[Task]] = {}
        self.processes = []
        context = get_context("spawn")
        with _surroundings():
            for _ in range(min(jobs, MOST_JOBS)):
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(theirs,), daemon=True)
                process.start()
                theirs.close()
                self.processes.append(process)
                self.given[ours] = deque()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Task:
        """Have a call done by whichever process is free first."""
        task = Task(self, (function, *arguments))
        self.waiting.append(task)
        self._give()
        return task

    def _give(self) -> None:
        for connection, given in sorted(self.given.items(), key=lambda each: len(each[1])):
            while self.waiting and len(given) < GIVEN:
                task = self.waiting.popleft()
                given.append(task)
                try:
                    connection.send(task.call)
                except OSError:
                    raise _killed() from None

    def listen(self) -> None:
        """Wait for an answer, and give the processes what is next; raises `SpecError` where one has ended."""
        for connection in wait([each for each, given in self.given.items() if given]):
            assert isinstance(connection, Connection)
            try:
                self.given[connection].popleft().answer = connection.recv()
            except (EOFError, OSError):
                raise _killed() from None
        self._give()

    def close(self) -> None:
        """End them, whatever they are doing."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.join()
        for connection in self.given:
            connection.close()


def _killed() -> Exception:
    return usage_error(
        "a process of this sweep was killed", "fewer --jobs; with -o the same command goes on from there"
    )


@contextmanager
def _surroundings() -> Iterator[None]:
    """What processes that are started here begin with; an interrupt is their parent's to answer."""
    before = {name: os.environ.get(name) for name in _SURROUNDINGS}
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update({name: value for name, value in _SURROUNDINGS.items() if before[name] is None})
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        for name in (name for name, value in before.items() if value is None):
            del os.environ[name]


def _serve(connection: Connection) -> None:
    """Answer calls until nobody asks any more."""
    while True:
        try:
            function, *arguments = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = True, function(*arguments)
        except Exception as error:
            answer = False, error
        connection.send(answer)
