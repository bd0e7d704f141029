"""Question banks for learning platforms, and shapes that are guessed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from commands import Done, cnncalc

from cnncalc import analyse
from cnncalc.teach.answers import read_shape
from cnncalc.teach.bank import answers, gift, moodle
from cnncalc.teach.kinds import credit
from cnncalc.teach.predict import verdict, wrong_parts
from cnncalc.teach.quiz import questions
from cnncalc.teach.shapes import channels_first
from cnncalc.teach.worksheet import read_worksheet


def played(text: str, *arguments: str, cwd: Path | None = None) -> Done:
    return cnncalc(*arguments, text=text, cwd=cwd)


def test_moodle_gets_the_right_answer_first_then_the_slips_then_anything() -> None:
    drawn = questions(40, seed=3)
    root = ElementTree.fromstring(moodle(drawn).split("\n", 1)[1])
    assert len(root) == 40
    for element, question in zip(root, drawn, strict=True):
        found = element.findall("answer")
        values = [each.findtext("text") for each in found]
        shares = [int(each.get("fraction") or -1) for each in found]
        assert shares[0] == 100 and shares == sorted(shares, reverse=True) and shares[-1] == 0
        assert shares.count(50) <= sum(not slip.convention for slip in question.slips)
        assert values[-1] == "*" and len(set(values)) == len(values)
        assert float(values[0] or "nan") == pytest.approx(question.right, rel=1e-6)
        wrong = {f"{float(question.wrong(slip)):.6g}" for slip in question.slips}
        assert {f"{float(value or 'nan'):.6g}" for value in values[1:-1]} == wrong
        assert all(each.findtext("feedback/text") for each in found)
        assert element.findtext("questiontext/text", "").startswith(question.text)


def test_a_bank_gives_the_points_that_a_worksheet_gives(tmp_path: Path) -> None:
    """The shares are set in one place, the teacher's file of kinds and slips."""
    (question,) = questions(1, seed=0, topic="flops")
    given = {answer.share for answer in answers(question)}
    assert given == {100, 50}, "a convention is right, a slip gets half"
    (tmp_path / "mine.yaml").write_text("credit: {convention: 0.75, slip: 0}\n")
    shares = credit(str(tmp_path / "mine.yaml"))
    assert [answer.share for answer in answers(question, shares)][:2] == [100, 75]
    assert {answer.share for answer in answers(question, shares)} == {100, 75, 0}
    (tmp_path / "sheet.yaml").write_text("items: [{id: a, kind: macs}]\n")
    assert read_worksheet(str(tmp_path / "sheet.yaml"), str(tmp_path / "mine.yaml")).credit["slip"] == 0
    (tmp_path / "sheet.yaml").write_text("credit: {slip: 0.25}\nitems: [{id: a, kind: macs}]\n")
    assert read_worksheet(str(tmp_path / "sheet.yaml"), str(tmp_path / "mine.yaml")).credit["slip"] == 0.25
    done = played("", "quiz", "flops", "-n", "1", "--export", "b.gift", "--misconceptions", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 0 and "=%75%" in (tmp_path / "b.gift").read_text()
    (tmp_path / "mine.yaml").write_text("credit: {slip: 2}\n")
    done = played("", "quiz", "--misconceptions", "mine.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "a share of the points from 0 to 1" in done.stderr


def test_moodle_takes_units() -> None:
    """As Moodle multiplies: the number that is right, in that unit."""
    (question,) = questions(1, seed=0, topic="memory")
    root = ElementTree.fromstring(moodle([question]).split("\n", 1)[1])
    units = {each.findtext("unit_name"): float(each.findtext("multiplier") or 0) for each in root.iter("unit")}
    assert next(iter(units)) == question.kind.unit == "bytes" and units["bytes"] == 1
    assert units["kB"] == 1e-3 and units["MiB"] == pytest.approx(2.0**-20)
    assert root.findtext("question/showunits") == "3" and root.findtext("question/unitgradingtype") == "0"


def test_gift_is_escaped_and_whole() -> None:
    drawn = questions(32, seed=5)
    blocks = gift(drawn).strip().split("\n\n")
    assert len(blocks) == 32
    for block, question in zip(blocks, drawn, strict=True):
        lines = block.split("\n")
        assert lines[0].startswith("::") and lines[0].endswith("{#") and lines[-1] == "}"
        assert len(lines) == len(answers(question)) + 3
        assert lines[1].startswith("  =") and lines[-2].startswith("  ~#")
        for line in lines[1:-1]:
            feedback = line.partition("#")[2]
            assert not re.search(r"(?<!\\)[{}~=]", feedback), line


def test_the_command_writes_a_bank(tmp_path: Path) -> None:
    done = played("", "quiz", "params", "-n", "5", "--seed", "1", "--export", "bank.xml", cwd=tmp_path)
    assert done.returncode == 0 and ElementTree.parse(tmp_path / "bank.xml").getroot().tag == "quiz"
    assert played("", "quiz", "params", "-n", "5", "--export", "bank.gift", cwd=tmp_path).returncode == 0
    done = played("", "quiz", "params", "--export", "bank.txt", cwd=tmp_path)
    assert done.returncode == 2 and "the ending tells no format" in done.stderr and not (tmp_path / "bank.txt").exists()


@pytest.mark.parametrize(("guess", "said"), [
    ("28x28x6", ""), ("6,28,28", ""), ("[6, 28, 28]", ""), ("28x28", "the output has 3 sizes"), ("27x27x6", "height and width are not"),
    ("28x28x3", "the channels are not"), ("28x6x28", "another order"), ("1x2x3", "neither channels nor sizes"),
])  # fmt: skip
def test_guesses_of_a_shape(guess: str, said: str) -> None:
    found = verdict((6, 28, 28), read_shape(guess, (6, 28, 28)))
    assert (said in found) if said else found == ""
    assert "28" not in found


def slips(row: Any, guess: tuple[int, ...]) -> list[str]:
    """What is said of a guess."""
    return [line for part in wrong_parts(row, channels_first(guess, row.output_shape)) for line in part.told]


def test_a_slip_in_a_guess_is_named() -> None:
    assert slips(analyse("lenet")["C1"], (28, 28, 1)) == [
        "channels: not right: each filter sees all channels and makes one new one"
    ]
    assert "the map keeps its size only where" in " ".join(slips(analyse("lenet")["C1"], (32, 32, 6)))
    assert "the steps were counted, not the positions" in " ".join(slips(analyse("lenet")["C1"], (27, 27, 6)))
    report = analyse("lenet")
    assert slips(report["C1"], (28, 28, 6)) == [] == slips(report["tanh1"], (13, 13, 6))
    assert "the steps were counted" in " ".join(slips(report["S2"], (13, 13, 6)))
    assert "does not mix them" in " ".join(slips(report["S2"], (14, 14, 1)))
    assert "each filter sees all channels" in " ".join(slips(report["C3"], (6, 10, 10)))
    assert "that is one channel" in " ".join(slips(report["flatten"], (25,)))


def test_predicting_a_network_to_the_end() -> None:
    report = analyse("lenet")
    text = "\n".join("x".join(map(str, row.output_shape or ())) for row in report) + "\n"
    done = played(text, "shapes", "lenet", "--predict")
    assert (
        done.returncode == 0
        and done.stdout.endswith("12 of 12 shapes right\n")
        and done.stdout.count("  right\n") == 12
    )
    done = played("s\nfoo\n27x27x6\nq\n", "shapes", "lenet", "--predict")
    assert (
        "it was not guessed: 28×28×6" in done.stdout
        and "a shape, as in 28x28x6" in done.stdout
        and "0 of 2 shapes" in done.stdout
    )
    done = played("", "shapes", "lenet", "--predict", "--format", "json")
    assert done.returncode == 2 and "--predict asks in the terminal" in done.stderr
