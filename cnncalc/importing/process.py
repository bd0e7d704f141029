"""The process in which a stranger's PyTorch program runs: with a limit on its time, without a terminal or a network."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import SpecError, usage_error
from .refusals import refused

#: Seconds after which a model that is not built is given up.
TIMEOUT = 120.0
#: Bytes of what a program is as JSON; the largest of 200 that were tried has 5 MB.
MAX_ANSWER = 256 << 20
#: Characters of what a program prints that are kept, to be shown where it fails.
KEPT = 4_000


class Capture:
    """A model in a process of its own: first what it computes, then, if asked, whether a spec computes the same."""

    def __init__(self, request: dict[str, Any], python: str = "", timeout: float = TIMEOUT) -> None:
        self.request, self.timeout = request, timeout
        self.folder = tempfile.TemporaryDirectory(prefix="cnncalc.")
        self.result = Path(self.folder.name, "result.json")
        path = Path(self.folder.name, "request.json")
        path.write_text(json.dumps(request), "utf-8")
        own = Path(__file__).with_name("capture")
        command = [python or os.environ.get("CNNCALC_PYTHON") or sys.executable, str(own), str(path), str(self.result)]
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TOKENIZERS_PARALLELISM": "false"}
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            self.folder.cleanup()
            raise usage_error(
                f"{command[0]} cannot be run: {error.strerror}", "--python PATH names an interpreter"
            ) from None
        self.printed = bytearray()
        self.reader = threading.Thread(target=self._listen, daemon=True)
        self.reader.start()

    def _listen(self) -> None:
        """Keep the end of what is printed."""
        assert self.process.stderr is not None
        while chunk := self.process.stderr.read1(65_536):  # type: ignore[attr-defined]
            self.printed += chunk
            del self.printed[:-KEPT]

    def __enter__(self) -> Capture:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and all that it started."""
        if self.process.poll() is None:
            self.kill()
        self.process.wait()
        self.reader.join(1)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self.folder.cleanup()

    def program(self) -> dict[str, Any]:
        """What the model computes; raises `SpecError` with what stood in the way."""
        answer = self._answer()
        if "refused" in answer:
            said = answer["refused"]
            raise refused(said["cause"], said["where"] or self.request["target"], said["hint"])
        program: dict[str, Any] = answer["program"]
        return program

    def verified(self, spec: str, given: dict[str, Any]) -> dict[str, Any]:
        """What the model and a spec of it have in common, found by running both."""
        path = Path(self.folder.name, "verify.json")
        package = str(Path(__file__).parent.parent.parent)
        path.write_text(json.dumps({"spec": spec, "package": package, **given}), "utf-8")
        self.result.unlink(missing_ok=True)
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(f"{path}\n".encode())
            self.process.stdin.flush()
            return self._answer()
        except (SpecError, OSError) as error:
            return {"failed": str(error)}

    def _answer(self) -> dict[str, Any]:
        """Wait for the next answer, as long as there is time."""
        line: list[bytes] = []
        assert self.process.stdout is not None
        stdout = self.process.stdout
        waiter = threading.Thread(target=lambda: line.append(stdout.readline()), daemon=True)
        waiter.start()
        waiter.join(self.timeout)
        if not line:
            hint = "--timeout SECONDS gives it longer"
            self.kill()
            raise refused(f"not done after {self.timeout:g} s", self.request["target"], hint)
        if not self.result.exists() or self.result.stat().st_size > MAX_ANSWER:
            self.process.wait(5)
            self.reader.join(1)
            last = self.printed.decode("utf-8", "replace").strip().splitlines()
            cause = last[-1][:300] if last else f"the process ended with {self.process.returncode}"
            raise refused(f"the model cannot be built: {cause}", self.request["target"])
        answer: dict[str, Any] = json.loads(self.result.read_text("utf-8"))
        return answer

    def kill(self) -> None:
        """End the process and what it started, at once."""
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
