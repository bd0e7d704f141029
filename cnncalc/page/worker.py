"""The process that answers the page's questions: bounded in time and memory, replaced where it does not come back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

#: Seconds for an answer, and for all who wait for one; bytes that the process may allocate; who may wait at once.
DEADLINE_S, PATIENCE_S, MEMORY, MOST_WAITING = 5.0, 5.0, 512 << 20, 64


class Worker:
    """One process; questions are answered one after the other."""

    def __init__(self, deadline: float = DEADLINE_S, memory: int = MEMORY) -> None:
        self.deadline, self.memory = deadline, memory
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(MOST_WAITING)
        self._ended = False
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        # A pool of threads would take address space that the limit counts.
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        command = [sys.executable, str(Path(__file__).with_name("child.py")), str(self.memory)]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def ask(self, question: str) -> str:
        """The answer to a question, both JSON; what takes too long or ends the process is answered so."""
        if not self._waiting.acquire(blocking=False):
            return refused("too many questions at once", "ask again")
        try:
            if not self._turn.acquire(timeout=self.deadline + PATIENCE_S):
                return refused("other questions take too long", "ask again")
            try:
                return self._answered(" ".join(question.splitlines()))
            finally:
                self._turn.release()
        finally:
            self._waiting.release()

    def _answered(self, line: str) -> str:
        if self._ended:
            return refused("the page is closed")
        if self._process.poll() is not None:
            self._restart()
        process = self._process
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.deadline, end)
        timer.daemon = True
        timer.start()
        said = b""
        assert process.stdin is not None and process.stdout is not None
        with suppress(OSError):  # where it has ended
            process.stdin.write(line.encode("utf-8", "replace") + b"\n")
            process.stdin.flush()
            said = process.stdout.readline()
        timer.cancel()
        if said.endswith(b"\n"):
            return said.decode("utf-8")
        if not self._ended:
            self._restart()
        if late.is_set():
            return refused(f"not done after {self.deadline:g} s", "a smaller network")
        return refused("it needs too much memory, or ended the calculator", "a smaller network")

    def _restart(self) -> None:
        self._end()
        self._process = self._started()

    def close(self) -> None:
        """End the process, and begin no other."""
        self._ended = True
        self._end()

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def refused(message: str, hint: str = "", code: str = "page") -> str:
    """An answer that says why there is none."""
    return json.dumps({"problems": [{"message": message, "hint": hint, "code": code}]})
