"""A file that grows while a sweep goes on, and is gone on with after whatever stopped it."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import usage_error
from ..files import whole_file
from .evaluate import Array
from .results import Writer, form_of
from .sweep import CHUNK
from .tally import Tally


class Journal:
    """The rows so far in `FILE.part`, and how far they go in `FILE.part.json`; both are gone when FILE is whole.

    What is in the part beyond the last state is left by a run that was stopped in the middle of it, and is cut off.
    """

    def __init__(self, output: str, plan: str, head: Mapping[str, Any], names: Sequence[str]) -> None:
        self.output, self.head, self.names = Path(output), head, names
        self.form = form_of(output)
        self.writer = Writer(self.form)
        place = self.output
        if place.exists() and not place.is_file():  # beside a device there is no place
            place = Path(tempfile.mkdtemp(prefix="cnncalc.")) / place.name
        self.part = place.with_name(place.name + ".part")
        self.state = place.with_name(place.name + ".part.json")
        self.plan = hashlib.sha256(plan.encode("utf-8")).hexdigest()
        self.begun = self.end = 0  # where its rows begin and end
        self.file: IO[bytes] | None = None

    def open(self) -> dict[str, Any]:
        """Go on where a run of the same plan was stopped: what it had noted, or nothing; raises `SpecError`."""
        noted: dict[str, Any] = {}
        try:
            if self.state.exists():
                noted = self._noted()
            begin = self.writer.begin({**self.head, "whole": False}, self.names).encode("utf-8")
            self.begun = len(begin)
            self.end = noted.get("end", self.begun)
            self.file = self.part.open("r+b" if noted else "w+b")
            if not noted:
                self.file.write(begin)
            self.file.truncate(self.end)
            self.file.seek(self.end)
        except OSError as error:
            raise self._failed(error) from None
        return noted

    def _noted(self) -> dict[str, Any]:
        hint = f"remove it and {self.part.name}, or write to another file"
        try:
            noted: dict[str, Any] = json.loads(self.state.read_text("utf-8"))
            same = noted["plan"] == self.plan
            noted["tally"] = Tally.read(noted["tally"])
            whole = self.part.stat().st_size >= noted["end"] >= 0 <= noted["done"]
        except (ValueError, KeyError, TypeError, AttributeError, FileNotFoundError):
            raise usage_error("is no state of a sweep", hint, where=str(self.state)) from None
        if not same:
            raise usage_error("is of another sweep, which was stopped", hint, where=str(self.part))
        if not whole:
            raise usage_error("is shorter than it was", hint, where=str(self.part))
        return noted

    def add(self, text: bytes, done: int, tally: Tally, shown: Sequence[int]) -> None:
        """Rows of one more part, and how far that is; raises `SpecError` where they cannot be written."""
        assert self.file is not None
        try:
            self.file.write(text)
            self.file.flush()
            self.end += len(text)
            said = {"plan": self.plan, "done": done, "end": self.end, "shown": list(shown), "tally": tally.document()}
            fresh = self.state.with_name(self.state.name + ".new")
            fresh.write_text(json.dumps(said, ensure_ascii=False), "utf-8")
            os.replace(fresh, self.state)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> Exception:
        return usage_error(f"cannot be written: {error.strerror}", where=str(self.part))

    def lines(self) -> Iterator[bytes]:
        """The rows so far."""
        with self.part.open("rb") as file:
            file.seek(self.begun)
            left = self.end - self.begun
            while left > 0:
                line = file.readline()
                left -= len(line)
                yield line

    def numbers(self) -> Iterator[Array]:
        """The candidates of the rows so far, in parts."""
        found: list[int] = []
        for line in self.lines():
            jsonl = self.form == ".jsonl"
            found.append(json.loads(line)["candidate"] if jsonl else int(line.partition(b",")[0]))
            if len(found) == CHUNK:
                yield np.array(found, dtype=np.int64)
                found = []
        if found:
            yield np.array(found, dtype=np.int64)

    def finish(self, tally: Tally, kept: bytes | None) -> None:
        """Make the whole file: of the rows so far, or of those that were kept of them; raises `SpecError`."""
        assert self.file is not None
        self.file.close()
        lines = self.lines() if kept is None else iter(kept.splitlines(keepends=True))
        write_whole(self.output, {**self.head, "tally": tally.document()}, self.names, lines)
        self.discard()

    def discard(self) -> None:
        """Leave nothing of it."""
        self.close()
        self.part.unlink()
        self.state.unlink(missing_ok=True)

    def close(self) -> None:
        """Leave it as it is, to be gone on with."""
        if self.file is not None:
            self.file.close()


def write_whole(output: Path, head: Mapping[str, Any], names: Sequence[str], lines: Iterator[bytes]) -> None:
    """A file of rows, from its head and its lines; raises `SpecError` where it cannot be written."""
    form = form_of(str(output))
    with whole_file(output) as file:
        if form == ".parquet":
            from .parquet import write

            write(file, head, names, lines)
            return
        file.write(Writer(form).begin(head, names).encode("utf-8"))
        for line in lines:
            file.write(line)
