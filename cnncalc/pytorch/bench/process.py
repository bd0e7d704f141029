"""A worker process, seen from the parent: ask it something, or learn how it died."""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import signal
import subprocess
import sys
import tempfile
from typing import Any

from ...graph import Graph
from .plan import Configuration

#: What is started for each configuration.
COMMAND = [sys.executable, "-m", "cnncalc.pytorch.bench.worker"]


class WorkerFailed(Exception):
    """A worker could not do what it was told. `kind` is unavailable, memory, unsupported or failed."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class Process:
    """A fresh process for one configuration. Ctrl-C does not reach it: the parent decides when it ends."""

    def __init__(self, graph: Graph, config: Configuration, command: list[str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command or COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._graph = base64.b64encode(pickle.dumps(graph)).decode()
        self._config = config

    def start(self) -> dict[str, Any]:
        """Let it choose its device."""
        return self.ask("start", graph=self._graph, config=self._config._asdict())

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """The answer to a command; raises `WorkerFailed`."""
        assert self._process.stdin and self._process.stdout
        line = ""
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line:
            raise self._death()
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerFailed(**answer["error"])
        return answer

    def _death(self) -> WorkerFailed:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().split("\n")
        if code == -getattr(signal, "SIGKILL", 9):
            return WorkerFailed("memory", "the system killed the process, as it does when memory runs out")
        if any(words in said[-1] for words in ("Thread creation failed", "bad_alloc", "Cannot allocate memory")):
            return WorkerFailed("memory", said[-1])
        reason = f"signal {-code}" if code < 0 else f"exit {code}"
        return WorkerFailed("failed", f"the process died ({reason}): {said[-1]}")

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._errors.close()
