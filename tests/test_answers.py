"""Answers as people write them, each with the verdict of a fair teacher: in the quiz and on a worksheet alike."""

from __future__ import annotations

import contextlib
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnncalc.errors import Misfit
from cnncalc.teach.answers import is_nothing, read, read_shape
from cnncalc.teach.choices import cell_and_letter, letter
from cnncalc.teach.forms import Item, Task
from cnncalc.teach.kinds import kinds
from cnncalc.teach.marks import Mark, judge
from cnncalc.teach.quiz import Question, Quiz
from cnncalc.teach.shapes import sizes_in
from cnncalc.teach.worksheet import Worksheet, tasks

COLLECTION = yaml.safe_load((Path(__file__).parent / "data" / "answers.yaml").read_text(encoding="utf-8"))
NUMBERS = [
    (each["kind"], each["letters"], text, told)
    for each in COLLECTION["numbers"]
    for text, told in each["answers"].items()
]
SHAPES = [(tuple(each["right"]), text, told) for each in COLLECTION["shapes"] for text, told in each["answers"].items()]


def written(text: str, tmp_path: Path) -> Any:
    """An answer as it comes out of a student's file, where it was typed as it stands here."""
    from cnncalc.teach.files import load, typed

    (tmp_path / "a.yaml").write_text(f"answers:\n  a: {text}\n", encoding="utf-8")
    return typed(load(tmp_path / "a.yaml").get("answers"))["a"]


def marked(task: Task, answer: Any) -> Mark:
    sheet = Worksheet("sheet", (task.item,), kinds())
    return judge(sheet, [task], "anna", {task.item.id: answer}).marks[0]


def test_there_are_enough() -> None:
    singles = sum(len(COLLECTION[part]["answers"]) for part in ("choices", "cells")) + len(COLLECTION["rows"])
    assert len(NUMBERS) + len(SHAPES) + singles >= 150


@pytest.mark.parametrize(("kind", "letters", "text", "told"), NUMBERS)
def test_numbers(kind: str, letters: dict[str, Any], text: str, told: str) -> None:
    question = Question(kinds()[kind], kinds()[kind].completed(letters))
    item = Item("a", "kind", kind, 1.0, {"letters": letters})
    mark = marked(Task(item, question.text, ((),), question, (question.right,)), text)
    assert mark.verdict == told, mark.said
    assert (mark.points == 1) == (told in ("right", "convention"))
    try:
        quiz = Quiz().answer(question, text).verdict
    except Misfit:
        quiz = "asked back"
    assert quiz == ("asked back" if told in ("unreadable", "missing") else told)


@pytest.mark.parametrize(("right", "text", "told"), SHAPES)
def test_shapes(right: tuple[int, ...], text: str, told: str, tmp_path: Path) -> None:
    spec, layer = "lenet", "C1" if len(right) == 3 else "C5"
    if right == (16, 10, 12):
        spec, layer = str(tmp_path / "net.yaml"), "C1"
        (tmp_path / "net.yaml").write_text(
            "input: [1, 10, 12]\nlayers: [{C1: {Conv2d: {out_channels: 16, kernel_size: 1}}}, Flatten, {F6: {Linear: {out_features: 84}}}]\n"
        )
    item = Item("a", "table", "output", 2.0, {"spec": spec, "layers": [layer, "F6"], "columns": ("output",)})
    (task,) = tasks(Worksheet("sheet", (item,), kinds()), b"secret", "anna")
    assert task.right[0] == right
    cell = marked(task, {layer: text, "F6": "84"}).cells[0]
    assert cell.verdict == told, cell.said
    try:  # what `shapes --predict` makes of it
        assert (read_shape(text, right) == right) == (told == "right")
    except Misfit:
        assert told in ("unreadable", "missing")


@pytest.mark.parametrize(("text", "told"), COLLECTION["choices"]["answers"].items())
def test_choices(text: str, told: str) -> None:
    options = COLLECTION["choices"]["options"]
    task = Task(Item("a", "which", "size", 1.0, {}), "", ((),), None, (COLLECTION["choices"]["right"],), tuple(options))
    mark = marked(task, text)
    assert mark.verdict == told and mark.points == (told == "right"), mark.said


@pytest.mark.parametrize(("text", "told"), COLLECTION["cells"]["answers"].items())
def test_cells_and_mistakes(text: str, told: str, tmp_path: Path) -> None:
    right = tuple(COLLECTION["cells"]["right"])
    task = Task(
        Item("a", "find_error", "macs", 1.0, {"columns": ("macs",)}),
        "",
        (("cell",), ("mistake",)),
        None,
        right,
        tuple("pqrs"),
    )
    mark = marked(task, written(text, tmp_path))
    assert mark.points == {"right": 1.0, "half": 0.5, "wrong": 0.0}[told], mark.said


@pytest.mark.parametrize(("text", "told"), COLLECTION["rows"].items())
def test_rows_of_several_columns(text: str, told: list[str], tmp_path: Path) -> None:
    columns = ("output", "params")
    item = Item("a", "table", "output, params", 4.0, {"spec": "lenet", "layers": ["C1", "C3"], "columns": columns})
    (task,) = tasks(Worksheet("sheet", (item,), kinds()), b"secret", "anna")
    mark = marked(task, {"C1": written(text, tmp_path)})
    assert [cell.verdict for cell in mark.cells[:2]] == told
    lower = marked(task, {"c1": written(text, tmp_path)})
    assert [cell.verdict for cell in lower.cells[:2]] == told, "capitals do not count"


def test_nothing_is_no_number() -> None:
    assert is_nothing("?") and not is_nothing("0") and not is_nothing("7")


@pytest.mark.parametrize(
    "piece",
    [
        "is ",
        "a ",
        "ca.",
        "1,",
        "1 ",
        "(",
        "x",
        "1x",
        "1.",
        " ",
        "√",
        "=",
        "px ",
        "28 px ",
        "and a ",
        "the answer is ",
        "~",
        "²",
        "1_",
        "b, ",
    ],
)
def test_no_answer_takes_long(piece: str) -> None:
    """Whatever is repeated, it is read or refused at once."""
    begun = time.process_time()
    for text in (piece * 1000, piece * 30, "28" + piece * 40 + "!", piece * 40 + "28"):
        for reader in (read, partial(read, unit="px"), partial(read, unit="MiB"), sizes_in, letter, cell_and_letter):
            with contextlib.suppress(Misfit):
                reader(text[:1000])
    assert time.process_time() - begun < 1
