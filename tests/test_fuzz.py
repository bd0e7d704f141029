"""Any bytes in, a diagnostic out: never a traceback, never a long wait."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from cnncalc import SpecError, analyse, load
from cnncalc.answers.explain import explain
from cnncalc.answers.layers import QUESTIONS, view
from cnncalc.errors import Source
from cnncalc.formats import render
from cnncalc.language.budget import Budget
from cnncalc.language.locate import zoo_files
from cnncalc.language.reader import read_file_text
from cnncalc.ops import REGISTRY

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
         "args", "variants", "outputs", "input", "types", "branches", "use", "branch", "shape", "params", "out_channels", "kernel_size"]  # fmt: skip


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


# -- time and memory -------------------------------------------------------------------------------------------------


class Monster:
    """A spec that is right more often than not, and as large as its numbers make it."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.blocks = rng.choice([0, 1, 3, 12])
        self.named = 0
        self.names: list[str] = []

    def count(self, most: int = 100_000) -> int:
        """A small number mostly, and now and then a large one."""
        rng = self.rng
        return min(most, int(10 ** (rng.uniform(0, 1) if rng.random() < 0.85 else rng.uniform(0, 5))))

    def number(self, depth: int = 0) -> str:
        """An expression for a number."""
        rng = self.rng
        if depth > 2 or rng.random() < 0.5:
            return rng.choice(["n", "k", "1", "2", "3", str(self.count()), "len(x)", "in_channels" if depth else "2"])
        form = rng.choice([
            "{} + {}", "{} * {}", "abs({} - {})", "({} // 2)", "{} % 3", "max({}, {})", "({} if {} > 2 else {})", "divisible({}, 8)", "len(LIST)", "max(LIST)", "sum(LIST)",
            "LIST[0]", "len(LIST + LIST)", "len([{}] * {})", " + ".join(["{0}"] * rng.choice([2, 20, 100])),
        ])  # fmt: skip
        while "LIST" in form:
            form = form.replace("LIST", self.list(), 1)
        return form.format(*(self.number(depth + 1) for _ in range(3)))[:490]

    def list(self) -> str:
        return self.rng.choice(
            [
                "x",
                "y",
                "[1, 2]",
                f"[1] * {self.count(9_000)}",
                f"[7] * {self.count(9_000)}",
                "(x + y)",
                "x[1:]",
                "[n, k]",
            ]
        )

    def layer(self, depth: int) -> str:
        rng = self.rng
        inner = ", ".join(self.layer(depth + 1) for _ in range(rng.choice([1, 2, 2, 3]))) if depth < 4 else "ReLU"
        block = f"b{rng.randrange(self.blocks)}" if self.blocks else "ReLU"
        body = rng.choice([
            "ReLU: {}", "Identity: {}", f"Linear: {{out_features: {rng.randint(1, 4)}}}", f"Linear: {{out_features: '{self.number()}'}}", f"inline: [{inner}]", f"layers: [{inner}]",
            f"add: [[{inner}], []]" if "Linear" not in inner else f"layers: [{inner}]", f"add: [{', '.join(['[]'] * self.count(3_000))}]", f"concat: [{', '.join(['[]'] * self.count(900))}], dim: 1",
            f"add: [{{branch: [{inner}], repeat: {self.count()}}}, []]" if "Linear" not in inner else "ReLU: {}",
            f"add: [{{branch: [{inner}], foreach: {{k: '{self.list()}'}}, when: k != 1}}, []]" if "Linear" not in inner else "ReLU: {}",
            "D: {a: 2}", f"use: {rng.choice(self.names or ['0'])}", f"use: {rng.randrange(5)}", *([f"{block}: {{n: '{self.number()}', k: '{self.number()}'}}", f"{block}: {{n: n + 1}}", f"{block}: {{}}"] if self.blocks else []),
        ])  # fmt: skip
        beside = [
            (0.3, f"repeat: {self.count()}"), (0.1, f"repeat: '{self.number()}'"), (0.1, f"when: '{self.number()} > 1'"), (0.1, f"foreach: {{k: '{self.list()}'}}"),
            (0.05, f"note: {'n' * self.count(1_500)}"), (0.05, f"expect: {{{', '.join(f'q{i}: 1' for i in range(self.count(2_000)))}}}"),
        ]  # fmt: skip
        keys: dict[str, str] = {}
        for chance, text in beside:
            if rng.random() < chance and not (text.startswith("expect") and body.startswith("inline")):
                keys.setdefault(text.split(":")[0], text)
        text = ", ".join([body, *keys.values()])
        if rng.random() < 0.7 or body.startswith("inline"):
            return f"{{{text}}}"
        self.named += 1
        name = f"l{self.named}{'x' * self.count(60)}"
        self.names.append(name)
        return f"{{{rng.choice(['', '', 'list.'])}{name}: {{{text}}}}}"

    def text(self) -> str:
        rng = self.rng
        lines = [
            "input: [2]",
            f"args: {{n: {rng.randint(0, 9)}, k: 2, x: '[3] * {self.count(9_000)}', y: [1, 2]}}",
            "types: {D: {args: [a], shape: same, params: a}}",
            "blocks:",
        ]
        for number in range(self.blocks):
            inner = ", ".join(self.layer(2) for _ in range(rng.choice([0, 1, 2, 4])))
            stop = (
                f"{{b{number + 1}: {{n: n + 1}}}}, {{b{number + 1}: {{n: 2 * n}}}}"
                if number + 1 < self.blocks and rng.random() < 0.5
                else "ReLU"
            )
            lines.append(
                f"  b{number}: {{args: [n: {rng.randint(0, 5)}, k: '{self.number(2)}'], layers: [{inner}{', ' if inner else ''}{stop}]}}"
            )
        lines += ["layers:", *(f"  - {self.layer(0)}" for _ in range(rng.choice([1, 2, 5, 20])))]
        if rng.random() < 0.1:
            lines[-1] = "  - &r " + lines[-1].removeprefix("  - ")
            lines.append("  - [" + "*r, " * self.count(20_000) + "]")
        if rng.random() < 0.1:
            lines.append("variants: {" + ", ".join(f"v{i}: {{n: {i}}}" for i in range(self.count(20_000))) + "}")
        if rng.random() < 0.1:
            lines.append("disputed: [" + "{macs: 1, source: a, note: b}, " * self.count(10_000) + "]")
        return "\n".join(line for line in lines if line != "blocks:" or self.blocks) + "\n"


#: What a spec may take in seconds and bytes, and what each of its layers may, on a machine that does other things too.
SECONDS, SECONDS_OF_A_LAYER = 4.0, 150e-6
MEMORY, MEMORY_OF_A_LAYER = 200 << 20, 6_000


@pytest.mark.parametrize("part", range(4))
def test_no_spec_takes_long_or_much(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource", reason="memory is measured as Unix does it")
    made, earn = [0], Budget.earn

    def counted(budget: Budget) -> None:
        made[0] += 1
        earn(budget)

    monkeypatch.setattr(Budget, "earn", counted)
    most, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for number in range(TRIES // 40):
        seed = f"{SEED}-monster-{part}-{number}"
        text = Monster(random.Random(seed)).text()
        made[0], start = 0, time.process_time()
        try:
            load(Source("monster.yaml", text))
        except SpecError as error:
            assert error.problems
        taken = time.process_time() - start
        most = max(most, made[0])
        assert taken < SECONDS + SECONDS_OF_A_LAYER * made[0], f"seed {seed}: {taken:.1f} s for {made[0]} layers"
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
        assert grown < MEMORY + MEMORY_OF_A_LAYER * most, f"seed {seed}: {grown >> 20} MiB, at most {most} layers"
