"""Any bytes in, a diagnostic out: never a traceback, never a long wait."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from cnncalc import SpecError, analyse
from cnncalc.analysis.explain import explain
from cnncalc.ops import REGISTRY
from cnncalc.render import render
from cnncalc.render.views import QUESTIONS, view
from cnncalc.spec.locate import zoo_files
from cnncalc.spec.reader import read_file_text

TRIES = int(os.environ.get("CNNCALC_FUZZ", "1500"))
SEED = int(os.environ.get("CNNCALC_FUZZ_SEED", "0"))

ZOO = [path.read_bytes() for path in zoo_files()]
NASTY = [
    "0", "-1", "1e99", "-1e99", ".inf", "9**9**9**9", "10**12", "1000000000000", "null", "true", "''", "[]", "{}", "[[]]",
    "in_channels", "in_height", "i", "x.y", "__import__('os')", "(1, 2)", "[1, 2", "{a: b", "*a", "&a", "!!python/object:x y",
    "'a' * 10**9", "[0] * 10**9", "1/0", "1 % 0", "lambda: 0", "f(x)", "divisible(8, 0)", "round(1.5, 10**9)", "len(3)",
    "sum([[1]])", "-(2**70)", "2**-1", "0**-1", "(-8)**0.5", "max()", "depths[99]", "depths['a']", "a if b else", "not",
    "1 < 'a'", "'%s' % 1", "{1}", "~1", "1 << 99", "None", "..", "same", "valid", "-", ":", "? a", "- - -", "\t", "\x00",
    "é", "💥", "%", "@", "`", "#", "|", ">", "<<", "---", "...", "i + 1", "{i}", "{", "}", "1,2", "0x10", "1_000", "0o17",
]  # fmt: skip
WORDS = [*REGISTRY, "layers", "inline", "repeat", "foreach", "when", "from", "expect", "note", "add", "concat", "blocks",
         "args", "variants", "outputs", "input", "types", "branches", "shape", "params", "out_channels", "kernel_size"]  # fmt: skip


def mutated(rng: random.Random) -> bytes:
    """A file of the zoo with a few things wrong, or any text at all."""
    if rng.random() < 0.08:
        return bytes(rng.randrange(256) for _ in range(rng.randrange(80)))
    if rng.random() < 0.1:
        return " ".join(
            rng.choice(WORDS + NASTY) + rng.choice(["", ":", "\n", "\n  - ", ": {", "}"]) for _ in range(30)
        ).encode()
    text = rng.choice(ZOO).decode()
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        choice = rng.choice([0, 1, 2, 3, 4, 4, 4, 5, 5, 6, 7, 8])
        if choice == 0:
            del lines[at]
        elif choice == 1:
            lines.insert(at, lines[rng.randrange(len(lines))])
        elif choice == 2:
            lines[at] = " " * rng.randrange(8) + lines[at].strip()
        elif choice == 3:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            words = lines[at].split(" ")
            place = rng.randrange(len(words))
            if choice == 4:
                words[place] = rng.choice(NASTY)
            elif choice == 5:
                words[place] = rng.choice(WORDS)
            elif choice == 6:
                words[place] = words[place][: rng.randrange(len(words[place]) + 1)]
            elif choice == 7:
                words[place] = "".join(
                    rng.choice(NASTY) if c.isdigit() and rng.random() < 0.5 else c for c in words[place]
                )
            else:
                words.insert(place, rng.choice([":", "-", "{", "}", "[", "]", ",", "'", '"', "#", "|"]))
            lines[at] = " ".join(words)
        text = "\n".join(lines)
    data = text.encode()
    if rng.random() < 0.1:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + rng.randrange(3) :]
    return data


def attempt(data: bytes, rng: random.Random) -> None:
    """Everything that a user may ask of a file; only `SpecError` may come out."""
    try:
        report = analyse(read_file_text(data, "fuzz.yaml"), batch=rng.choice([1, 7]), inplace=rng.random() < 0.5)
        if len(report) < 400:
            render(
                view(report, rng.choice(list(QUESTIONS))),
                rng.choice(["table", "json", "csv", "markdown", "latex", "html"]),
            )
            str(explain(report)[-1])
    except SpecError as error:
        assert all(problem.message and problem.source.name for problem in error.problems)
        assert "Traceback" not in str(error)


@pytest.mark.parametrize("part", range(10))
def test_no_traceback(part: int, tmp_path: Path) -> None:
    for number in range(TRIES // 10):
        seed = f"{SEED}-{part}-{number}"
        rng = random.Random(seed)
        data = mutated(rng)
        start = time.perf_counter()
        try:
            attempt(data, rng)
        except Exception:
            (tmp_path / "found.yaml").write_bytes(data)
            print(f"seed {seed}, kept in {tmp_path / 'found.yaml'}")
            raise
        assert time.perf_counter() - start < 10, f"seed {seed} took too long"
