"""Worksheets and grading: deterministic from a secret, the key apart, errors counted once, unreadable files listed."""

from __future__ import annotations

import csv
import io
import os
import random
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import cnncalc

from cnncalc import SpecError
from cnncalc.teach.forms import FORMS, Task, fulfils
from cnncalc.teach.grading import class_page, grade, page, results
from cnncalc.teach.marks import judge
from cnncalc.teach.solver import unsolved
from cnncalc.teach.worksheet import CREDIT, NEW, Worksheet, collisions, hidden, printed, read_worksheet, tasks


@pytest.fixture
def sheet(tmp_path: Path) -> Worksheet:
    return made(NEW, tmp_path)


def made(text: str, folder: Path) -> Worksheet:
    (folder / "sheet.yaml").write_text(text)
    return read_worksheet(str(folder / "sheet.yaml"))


def right_answers(given: list[Task]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for task in given:
        values = ["x".join(map(str, value)) if isinstance(value, tuple) else value for value in task.right]
        if task.item.form == "inverse":
            found[task.item.id] = task.item.settings["example"]
            continue
        for path, value in zip(task.blanks, values, strict=True):
            place = found
            for key in (task.item.id, *path)[:-1]:
                place = place.setdefault(key, {})
            place[(task.item.id, *path)[-1]] = value
    return found


def marks(sheet: Worksheet, student: str = "anna", **changed: Any) -> dict[str, Any]:
    given = tasks(sheet, b"secret", student)
    return {mark.item: mark for mark in judge(sheet, given, student, right_answers(given) | changed).marks}


def suspects(mark: Any) -> set[str]:
    return {name for each in mark.answers for name in each.suspects}


# -- sheets ----------------------------------------------------------------------------------------------------------


def test_a_sheet_is_the_same_every_time_and_another_for_each_student(sheet: Worksheet) -> None:
    def text(secret: bytes, student: str) -> str:
        return printed(sheet, tasks(sheet, secret, student), "x")

    assert text(b"a", "anna") == text(b"a", "anna")
    assert len({text(b"a", f"student {i}") for i in range(20)}) > 15
    assert text(b"a", "anna") != text(b"b", "anna")


def test_everything_right_is_full_marks(sheet: Worksheet) -> None:
    for student in ("anna", "bert", "Çağla"):
        found = marks(sheet, student)
        assert {mark.verdict for mark in found.values()} == {"right"} and sum(
            mark.points for mark in found.values()
        ) == 11


def test_the_which_mistake_item_has_one_right_option(sheet: Worksheet) -> None:
    for i in range(30):
        task = tasks(sheet, b"secret", f"s{i}")[2]
        assert task.question is not None and task.right[0] in "abcd"[: len(task.options)]
        value = int(" ".join(task.text.split()).split("Somebody answers ")[1].split(".")[0].replace(",", ""))
        says = task.options["abcd".index(task.right[0])]
        giving = [slip for slip in task.question.slips if task.question.wrong(slip) == value]
        assert [slip.says.format(**task.question.letters) for slip in giving if not slip.convention] == [says]


def test_the_planted_error_is_the_only_one_and_a_slip_makes_it(tmp_path: Path) -> None:
    from cnncalc import analyse
    from cnncalc.teach.layer_questions import question, true_shapes

    sheet = made(
        "items: [{id: e, find_error: [output, params, macs], spec: lenet, layers: [C1, S2, C3, S4, C5]}]", tmp_path
    )
    report = analyse("lenet")
    graph, seen = report.graph, set()
    for i in range(60):
        (task,) = tasks(sheet, b"secret", f"s{i}")
        wrong = []
        lines = [line.strip("| ").split(" | ") for line in task.text.split("\n")]
        rows = [words for words in lines if words and words[0] in ("C1", "S2", "C3", "S4", "C5") and len(words) == 4]
        assert len(rows) == 5
        for name, shape, params, macs in rows:
            row = report[name]
            shown = {
                "output": tuple(map(int, re.findall(r"\d+", shape))),
                "params": int(params.replace(",", "")),
                "macs": int(macs.replace(",", "")),
            }
            right = {
                "output": (*(row.output_shape or ())[1:], (row.output_shape or ())[0]),
                "params": row.params,
                "macs": row.macs,
            }
            wrong += [
                (f"{name} {key}", row.node, value, right[key]) for key, value in shown.items() if value != right[key]
            ]
        ((cell, node, value, true),) = wrong
        assert task.right[0] == cell
        says, column = task.options["abcd".index(task.right[1])], cell.split()[1]
        quantities = {"params": ("params", value), "macs": ("macs", value)}.get(column)
        if quantities is None:  # height or channels, whichever differs
            quantities = ("channels", value[-1]) if value[:-1] == true[:-1] else ("height", value[0])
        asked = question(sheet.kinds, graph, node, quantities[0], true_shapes(graph))
        assert asked is not None
        giving = [slip.says.format(**asked.letters) for slip in asked.slips if asked.wrong(slip) == quantities[1]]
        assert giving == [says]
        seen.add(cell)
        (mark,) = judge(sheet, [task], "x", {"e": {"cell": cell, "mistake": task.right[1]}}).marks
        assert mark.points == mark.most == 1 and mark.verdict == "right"
        (mark,) = judge(sheet, [task], "x", {"e": {"cell": cell.replace(" ", ", ").upper(), "mistake": "z"}}).marks
        assert mark.points == 0.5 and "there is no option z" in mark.said[0]
        (mark,) = judge(sheet, [task], "x", {"e": cell}).marks
        assert mark.points == 0.5 and mark.said == ("mistake: no answer",)
    assert len(seen) >= 8


def test_a_table_of_several_columns_and_errors_that_go_on(tmp_path: Path) -> None:
    text = (
        "items: [{id: t, table: [output, params, macs, bytes], points: 20, spec: lenet, layers: [C1, S2, C3, S4, C5]}]"
    )
    sheet = made(text, tmp_path)
    (task,) = tasks(sheet, b"secret", "anna")
    assert task.blanks[:2] == (("C1", "output"), ("C1", "params")) and len(task.blanks) == 20
    right = right_answers([task])["t"]
    assert marks(sheet, t=right)["t"].points == 20
    # one error, in the first row: no padding where there is none, but 27 in place of 28; all the rest follows from it
    follows = {
        "C1": {"output": "27x27x6", "params": 156, "macs": 25 * 6 * 27 * 27, "bytes": 27 * 27 * 6 * 4},
        "S2": {"output": "13x13x6", "params": 0, "macs": 0, "bytes": 13 * 13 * 6 * 4},
        "C3": {"output": "9x9x16", "params": "5*5*6*16 + 16", "macs": "25*6*16*9*9", "bytes": 9 * 9 * 16 * 4},
        "S4": {"output": "4x4x16", "params": 0, "macs": 0, "bytes": 4 * 4 * 16 * 4},
        "C5": {"output": 120, "params": "256*120 + 120", "macs": "256*120", "bytes": 480},
    }
    found = marks(sheet, t=follows)["t"]
    assert (
        found.points == 19.5
        and suspects(found) == {"out.no_plus_one", "out.filters_as_kernel"}
        and found.verdict == "slip"
    )
    assert sum("follows from the error" in line for line in found.said) == 11
    # FLOPs where MACs were asked, and a bias left out, are told apart from what follows
    other = {**right, "C3": {**right["C3"], "macs": 2 * 25 * 6 * 16 * 100, "params": 2400}}
    found = marks(sheet, t=other)["t"]
    assert found.points == 19.5 and suspects(found) == {"par.no_bias"}
    assert marks(sheet, t={**right, "C3": {}})["t"].points == 16
    assert marks(sheet, t={**right, "C3": 7})["t"].points == 16


# -- marks -----------------------------------------------------------------------------------------------------------


def test_slips_conventions_and_nonsense(sheet: Worksheet) -> None:
    found = marks(sheet, weights="5*5*3*20")
    assert (
        found["weights"].verdict == "slip"
        and found["weights"].points == 1.0
        and found["weights"].suspects == {"par.no_bias"}
    )
    assert marks(sheet, weights="1,520")["weights"].points == 2.0
    assert marks(sheet, weights=None)["weights"].verdict == "missing"
    assert marks(sheet, weights="many")["weights"].verdict == "unreadable"
    assert marks(sheet, weights="99999")["weights"].verdict == "unknown"


def test_a_convention_is_no_error(tmp_path: Path) -> None:
    text = "items:\n  - {id: a, kind: macs, letters: {N: 28, F: 3, S: 1, P: 0, G: 1, Ci: 4, Co: 16}}\n"
    flops = 2 * 3 * 3 * 4 * 16 * 26 * 26
    found = marks(made(text, tmp_path), a=flops)["a"]
    assert found.verdict == "convention" and found.points == 1.0 and "another convention" in found.said[0]
    found = marks(made("credit: {convention: 0.5}\n" + text, tmp_path), a=flops)["a"]
    assert found.points == 0.5


def test_an_error_carried_forward_costs_once(tmp_path: Path) -> None:
    sheet = made("items:\n  - {id: t, table: output, points: 4, spec: lenet, layers: [C1, S2, C3, S4]}\n", tmp_path)
    right = {"C1": "28x28x6", "S2": "14x14x6", "C3": "10x10x16", "S4": "5x5x16"}
    assert marks(sheet, t=right)["t"].points == 4
    carried = {"C1": "32x32x6", "S2": "16x16x6", "C3": "12x12x16", "S4": "6x6x16"}
    found = marks(sheet, t=carried)["t"]
    assert (
        found.points == 3.5
        and suspects(found) == {"out.same_kept"}
        and sum("follows from the error" in line for line in found.said) == 3
    )
    both = {"C1": "32x32x6", "S2": "16x16x6", "C3": "11x11x16", "S4": "5x5x16"}
    found = marks(sheet, t=both)["t"]
    assert found.points == 3 and suspects(found) == {"out.same_kept", "out.no_plus_one"}
    assert marks(sheet, t={"C1": "28x28x6"})["t"].points == 1


def test_inverse_questions_have_many_right_answers(sheet: Worksheet) -> None:
    item = sheet.items[5]
    for answer in ("Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}", "- Conv2d: {out_channels: 64, kernel_size: 8, stride: 2, padding: 3}",
                   "Conv2d: {out_channels: 64, kernel_size: 11, stride: 2, padding: 5}"):  # fmt: skip
        assert fulfils(item, answer) == (True, ""), answer
    for answer, lack in (("Conv2d: {out_channels: 64, kernel_size: 3, stride: 2, padding: 1}", "sees less"),
                         ("Conv2d: {out_channels: 32, kernel_size: 7, stride: 2, padding: 3}", "another shape"),
                         ("MaxPool2d: {kernel_size: 2}", "one layer of type Conv2d"), ("Conv2d: {", "YAML"), ("7", "layer")):  # fmt: skip
        good, said = fulfils(item, answer)
        assert not good and lack in said, (answer, said)


def test_feedback_never_tells_the_number(sheet: Worksheet) -> None:
    rng = random.Random(1)
    for i in range(40):
        student = f"s{i}"
        given = tasks(sheet, b"secret", student)
        answers = {task.item.id: str(rng.randint(2, 5000)) for task in given if task.item.form in ("kind", "which")}
        text = page(sheet, judge(sheet, given, student, answers))
        size = given[0].right[0]
        body = text.split("## size")[1].split("## weights")[0].partition("\n")[2].replace(given[0].question.hint(), "")
        assert f" {size} " not in body and f" {size}\n" not in body, body
        assert "1520" not in text and "1,520" not in text


HANDED_IN = """\
student: anna
answers:
  weights: 1520 parameters
  slip: (a)
  h: Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}
  film:
    conv1: {output: 16x112x112x64, params: 5248, macs: 2*3*3*3*3*64*16*112*112, bytes: 51380224}
    pool1: {output: 16x57x57x64, params: 0, macs: 0, bytes: 64*16*57*57*4}
  flat: {flatten: 5*5*17, C5: 425*120 + 120}
  m: {1: 784*300 + 300, 3: 30100}
"""


def test_answers_as_students_write_them(tmp_path: Path) -> None:
    text = """items:
  - {id: weights, kind: conv_params, letters: {N: 32, F: 5, G: 1, Ci: 3, Co: 20}}
  - {id: slip, which: channels}
  - {id: h, inverse: Conv2d, input: [3, 224, 224], wants: {shape: [64, 112, 112], field: 7}}
  - {id: film, table: [output, params, macs, bytes], spec: c3d, layers: [conv1, pool1], points: 8}
  - {id: flat, table: params, spec: lenet, layers: [flatten, C5], points: 2}
  - {id: m, table: params, spec: mlp, layers: [1, 3]}
"""
    sheet = made(text.replace("table: params, spec: lenet", "table: [output, params], spec: lenet"), tmp_path)
    (tmp_path / "in").mkdir()
    handed = HANDED_IN.replace(
        "{flatten: 5*5*17, C5: 425*120 + 120}",
        "{flatten: {output: 5*5*17, params: 0}, C5: {output: 120, params: 425*120 + 120}}",
    )
    (tmp_path / "in" / "anna_download.yaml.txt").write_text(handed)
    (tmp_path / "in" / "zoe.yaml").write_text("student: zoe\nanswers: {weights: 1}\n")
    (tmp_path / "in" / "zoe_again.yaml").write_text("student: zoe\nanswers: {weights: 1}\n")
    for name, odd in (
        ("hex", "0x" + "f" * 5000),
        ("deep", "[" * 300),
        ("self", "&a [*a]"),
        ("code", "!!python/object/apply:os.system [x]"),
        ("nest", "{a: {b: 1}}"),
    ):
        (tmp_path / "in" / f"{name}.yaml").write_text(
            f"student: {name}\nanswers: {{weights: {odd}, film: {odd}, slip: {odd}, h: {odd}}}\n"
        )
    (tmp_path / "in" / "large.yaml").write_text("student: large\nanswers: {weights: 1520}\n" + "#" * 200_000)
    found = grade(sheet, tmp_path / "in", b"secret", ["anna", "hex", "nest", "yan", "zoe"])
    assert [each.student for each in found.graded] == ["anna", "hex", "nest"] and found.absent == ("yan",)
    listed = dict(found.unreadable)
    assert (
        "2 files name zoe, so none of them is graded" in listed["zoe.yaml"]
        and "larger than 100 kB" in listed["large.yaml"]
    )
    assert set(listed) == {
        "zoe.yaml",
        "zoe_again.yaml",
        "large.yaml",
        "deep.yaml",
        "self.yaml",
        "code.yaml",
        "nest.yaml",
    }
    by_item = {mark.item: mark for mark in found.graded[0].marks}
    assert {name for name, mark in by_item.items() if mark.points == mark.most} >= {"weights", "h", "m"}
    # one size is wrong, and its bytes follow from it; FLOPs for MACs are none
    assert by_item["film"].points == 7 and [mark.verdict for mark in by_item["film"].cells] == [
        "right", "right", "convention", "right", "unknown", "right", "right", "carried",
    ]  # fmt: skip
    assert [mark.verdict for mark in by_item["flat"].cells] == ["unknown", "right", "right", "carried"]


def test_a_spec_that_is_saved_anew_is_asked_anew(tmp_path: Path) -> None:
    net = "input: [3, 9, 9]\nlayers:\n  a: {Conv2d: {out_channels: 6, kernel_size: 3}}\n  b: {Conv2d: {out_channels: 4, kernel_size: 3}}\n"
    path = tmp_path / "net.yaml"
    rights = []
    for channels, saved in ((6, 10**9), (8, 2 * 10**9)):
        path.write_text(net.replace("6", str(channels)))
        os.utime(path, ns=(saved, saved))
        (task,) = tasks(made(f"items: [{{id: t, table: params, spec: {path}}}]", tmp_path), b"s", "anna")
        rights.append(task.right)
    assert rights == [(168, 220), (224, 292)]


def test_a_worksheet_tells_what_it_asks_about(tmp_path: Path) -> None:
    text = "items: [{id: t, table: [output, params], spec: lenet, layers: [C1, C3, C5]}]"
    (task,) = tasks(made(text, tmp_path), b"s", "anna")
    assert "C1: Conv2d (out_channels 6, kernel_size 5), on 32×32×1" in task.text
    assert "C3: Conv2d (out_channels 16, kernel_size 5), on 14×14×6" in task.text
    assert "C5: Linear (out_features 120), on 5×5×16, flattened" in task.text
    text = "items: [{id: t, table: output, spec: lenet, layers: [C1, S2, C3]}]"
    (task,) = tasks(made(text, tmp_path), b"s", "anna")
    assert "S2: AvgPool2d (kernel_size 2, stride 2), on the output of C1" in task.text
    text = "items: [{id: t, find_error: params, spec: resnet18, layers: [layer2.0.conv1, fc]}]"
    (task,) = tasks(made(text, tmp_path), b"s", "anna")
    assert "padding 1, bias false), on 56×56×64" in " ".join(task.text.split())
    assert max(map(len, task.text.split("\n"))) < 80
    for which in ("channels", "concat_params"):
        sheet = made(f"items: [{{id: w, which: {which}}}]", tmp_path)
        for i in range(40):
            (task,) = tasks(sheet, b"s", f"{i}")
            assert len(set(task.options)) == len(task.options) > 1


def test_the_guide_for_teachers_holds_what_it_shows(tmp_path: Path) -> None:
    guide = (Path(__file__).parent.parent / "docs" / "teaching.md").read_text("utf-8")
    sheet, own = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "sheet.yaml").write_text(sheet)
    (tmp_path / "own.yaml").write_text(own)
    assert cnncalc("worksheet", "check", "sheet.yaml", cwd=tmp_path).returncode == 0
    found = read_worksheet(str(tmp_path / "sheet.yaml"), str(tmp_path / "own.yaml"))
    assert {item.form for item in found.items} == set(FORMS) and "strided" in found.kinds
    assert found.credit["slip"] == 0.5 and CREDIT == {"convention": 1.0, "carried": 1.0, "slip": 0.5, "slips": 0.25}


def test_the_kinds_are_listed(tmp_path: Path) -> None:
    done = cnncalc("worksheet", "kinds", cwd=tmp_path)
    assert "conv_params" in done.stdout and "42 kinds, 208 slips" in done.stdout
    done = cnncalc("worksheet", "kinds", "size", cwd=tmp_path)
    assert "out.pad_once" in done.stdout and "N from 15" in done.stdout and done.returncode == 0
    done = cnncalc("worksheet", "kinds", "sizes", cwd=tmp_path)
    assert done.returncode == 2 and "did you mean size?" in done.stderr


def test_a_habit_is_told_of_several_answers(tmp_path: Path) -> None:
    letters = (
        "{N: 32, F: 5, G: 1, Ci: 3, Co: 20}",
        "{N: 28, F: 3, G: 1, Ci: 16, Co: 36}",
        "{N: 14, F: 7, G: 1, Ci: 12, Co: 28}",
    )
    items = "\n".join(f"  - {{id: i{n}, kind: conv_params, letters: {each}}}" for n, each in enumerate(letters))
    sheet = made(f"items:\n{items}\n", tmp_path)
    given = tasks(sheet, b"secret", "anna")
    graded = judge(sheet, given, "anna", {"i0": "5*5*3*20", "i1": "3*3*16*36", "i2": 7 * 7 * 12 * 28 + 28})
    assert graded.habits == [("par.no_bias", 2, 3)]
    assert "2 of 3 answers are what one slip gives; think about: what does each filter have" in page(sheet, graded)


# -- what is handed out ------------------------------------------------------------------------------------------------


def test_sheets_are_markdown(sheet: Worksheet) -> None:
    """Read by markdown-it: the options are a list of their own, the planted error stands in a table."""
    markdown_it = pytest.importorskip("markdown_it", reason="markdown-it reads what is written")
    text = printed(sheet, tasks(sheet, b"secret", "anna"), "anna")
    tokens = markdown_it.MarkdownIt("commonmark").enable("table").parse(text)
    kinds = [token.type for token in tokens]
    assert kinds.count("heading_open") == 1 + len(sheet.items) and kinds.count("table_open") == 1
    assert kinds.count("th_open") == 2 and kinds.count("tr_open") == 5
    lists: list[list[str]] = []
    for at, token in enumerate(tokens):
        if token.type == "bullet_list_open":
            lists.append([])
        if token.type == "list_item_open":
            lists[-1].append(tokens[at + 2].content)
    which, layers, told, mistakes = lists
    assert [entry[:5] for entry in which] == [entry[:5] for entry in mistakes] == ["**a**", "**b**", "**c**", "**d**"]
    assert [entry.partition(":")[0] for entry in layers] == ["C1", "C3", "C5"]
    assert [entry.partition(":")[0] for entry in told] == ["conv1", "conv2", "conv3", "conv4"]
    assert "padding: …" in text and not re.search(r"\\[()\[\]]", text)


def test_every_item_is_solved_before_a_student_sees_it(sheet: Worksheet, tmp_path: Path) -> None:
    assert unsolved(sheet) == []
    for student in ("s1", "s2", "s3"):
        assert unsolved(sheet, b"secret", student) == []
    found = made(
        "items:\n  - {id: h, inverse: Conv2d, input: [3, 224, 224], wants: {shape: [64, 112, 112], field: 7}}\n",
        tmp_path,
    )
    assert unsolved(found) == []
    never = "items:\n  - {id: h, inverse: Conv2d, input: [3, 24, 24], wants: {shape: [64, 500, 500]}}\n"
    assert unsolved(made(never, tmp_path)) == [
        "item h: no layer of out_channels, kernel_size, stride, padding was found that does it; give an example"
    ]
    done = cnncalc("worksheet", "check", "sheet.yaml", cwd=tmp_path)
    assert done.returncode == 1 and "no layer of out_channels" in done.stderr
    (tmp_path / "roster.txt").write_text("anna\n")
    done = cnncalc("worksheet", "build", "sheet.yaml", "--roster", "roster.txt", cwd=tmp_path)
    assert done.returncode == 2 and "no layer of out_channels" in done.stderr and not (tmp_path / "sheets").exists()


def test_files_of_another_sheet_or_secret_are_refused(sheet: Worksheet, tmp_path: Path) -> None:
    (tmp_path / "roster.txt").write_text("Name:\nanna\nbert\ncara\n")
    done = cnncalc("worksheet", "build", "sheet.yaml", "--roster", "roster.txt", cwd=tmp_path)
    assert done.returncode == 0 and "Name: is taken for the heading" in done.stderr and "wrote 3 sheets" in done.stderr
    places = {name: tmp_path / "sheets" / "students" / name / "answers.yaml" for name in ("anna", "bert", "cara")}
    secret = (tmp_path / "course.secret").read_bytes().strip()
    for name in ("anna", "bert"):
        head = places[name].read_text().split("answers:")[0]
        body = {"answers": right_answers(tasks(sheet, secret, name))}
        places[name].write_text(head + yaml.safe_dump(body, allow_unicode=True))
    places["bert"].write_text(re.sub(r"built: .*\n", "", places["bert"].read_text()))
    places["cara"].unlink()
    done = cnncalc("grade", "sheet.yaml", "sheets/students", "--roster", "roster.txt", cwd=tmp_path)
    assert done.returncode == 0 and "graded 2, unreadable 0" in done.stderr
    rows = list(csv.reader(io.StringIO((tmp_path / "marks" / "results.csv").read_text())))
    assert [(row[0], row[-2]) for row in rows] == [("student", "points"), ("anna", "11"), ("bert", "11"), ("cara", "0")]
    page_of_class = (tmp_path / "marks" / "class.md").read_text()
    assert "though the file does not say what it was built from\n\n- bert" in page_of_class
    (tmp_path / "other.secret").write_text("another secret\n")
    done = cnncalc("grade", "sheet.yaml", "sheets/students", "--secret", "other.secret", "--out", "m2", cwd=tmp_path)
    assert "anna/answers.yaml: it was built with another secret" in done.stderr and "graded 1" in done.stderr
    (tmp_path / "sheet.yaml").write_text(
        NEW.replace("{id: size, kind: size, points: 2}", "{id: size, kind: pool_floor, points: 2}")
    )
    done = cnncalc("grade", "sheet.yaml", "sheets/students", "--out", "m3", cwd=tmp_path)
    assert "anna/answers.yaml: it was built from another sheet, or this one was edited since" in done.stderr
    (tmp_path / "sheet.yaml").write_text(NEW.replace("points: 2}", "points: 4}").replace("Sheet 1", "Sheet one"))
    done = cnncalc("grade", "sheet.yaml", "sheets/students", "--out", "m4", cwd=tmp_path)
    assert "another sheet" not in done.stderr, "points and title change no question"


# -- a class ---------------------------------------------------------------------------------------------------------


def test_a_class_with_everything_that_students_hand_in(sheet: Worksheet, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    (folder / "deep" / "er").mkdir(parents=True)
    given = tasks(sheet, b"secret", "anna")
    (folder / "anna").mkdir()
    (folder / "anna" / "answers.yaml").write_text(yaml.safe_dump({"student": "anna", "answers": right_answers(given)}))
    (folder / "deep" / "er" / "bert.yml").write_text(
        "student: bert\nanswers: {weights: 1500, size: 99999, surplus: 1}\n"
    )
    (folder / "zz_again.yaml").write_text("student: anna\nanswers: {weights: 1}\n")
    (folder / "noname.yaml").write_text("answers: {weights: 1}\n")
    (folder / "list.yaml").write_text("- 1\n")
    (folder / "broken.yaml").write_text("student: [\n")
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (folder / "picture.png").write_bytes(b"no answer file")
    (folder / "tag.yaml").write_text("student: !!python/object/apply:os.system ['true']\n")
    found = grade(sheet, folder, b"secret")
    assert [each.student for each in found.graded] == ["anna", "bert"]
    listed = {name for name, _ in found.unreadable}
    assert ("deep/er/bert.yml", "surplus is no item of the sheet; it is not graded") in found.unreadable
    assert listed == {
        "deep/er/bert.yml",
        "zz_again.yaml",
        "noname.yaml",
        "list.yaml",
        "broken.yaml",
        "binary.yaml",
        "tag.yaml",
    }
    rows = list(csv.reader(io.StringIO(results(sheet, found))))
    assert (
        rows[0] == ["student", "size", "weights", "slip", "lenet", "wrong", "halve", "points", "of"]
        and rows[2][2] == "1"
    )
    text = class_page(sheet, found)
    assert "par.no_bias: once" in text and "size: 99999 (once)" in text and "broken.yaml: it is not YAML" in text


def test_the_commands_from_an_empty_folder(tmp_path: Path) -> None:
    assert cnncalc("worksheet", "new", "sheet.yaml", cwd=tmp_path).returncode == 0
    assert cnncalc("worksheet", "new", "sheet.yaml", cwd=tmp_path).returncode == 2
    assert cnncalc("worksheet", "check", "sheet.yaml", cwd=tmp_path).returncode == 0
    (tmp_path / "roster.txt").write_text("anna\nbert\n=HYPERLINK(1)\n../../evil\n")
    done = cnncalc("worksheet", "build", "sheet.yaml", "--roster", "roster.txt", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "course.secret").stat().st_mode & 0o777 == 0o600
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert files >= {"sheets/students/anna/sheet.md", "sheets/students/anna/answers.yaml", "sheets/teacher/key.csv"}
    assert not (tmp_path.parent / "evil").exists() and len(list((tmp_path / "sheets" / "students").iterdir())) == 4
    secret = (tmp_path / "course.secret").read_text().strip()
    for path in (tmp_path / "sheets" / "students").rglob("*"):
        assert path.is_dir() or secret not in path.read_text()
    assert "'=HYPERLINK(1)" in (tmp_path / "sheets" / "teacher" / "key.csv").read_text()
    done = cnncalc("grade", "sheet.yaml", "sheets/students", cwd=tmp_path)
    assert done.returncode == 0 and "graded 4, unreadable 0" in done.stderr
    assert (tmp_path / "marks" / "feedback" / "anna.md").exists()
    done = cnncalc("grade", "sheet.yaml", "sheets/students", "--secret", "other", cwd=tmp_path)
    assert done.returncode == 2 and "there is no such secret" in done.stderr
    done = cnncalc("worksheet", "build", "sheet.yaml", "--roster", "roster.txt", cwd=tmp_path)
    assert done.returncode == 2 and "is there, and not empty" in done.stderr


@pytest.mark.parametrize(("text", "message"), [
    ("items: []", "a worksheet has a title and items"),
    ("items: [{kind: sizes}]", "there is no kind of question sizes"),
    ("items: [{kind: size, table: params}]", "item 1 has 2 forms"),
    ("items: [{points: 1}]", "item 1 has 0 forms"),
    ("items: [{kind: size, pionts: 1}]", "item 1 has no part pionts"),
    ("items: [{kind: size, points: 0}]", "item 1 has 0 points"),
    ("items: [{id: a, kind: size}, {id: a, kind: pool}]", "there are two items a"),
    ("items: [{table: parms, spec: lenet}]", "no table asks for parms"),
    ("items: [{table: params, spec: lenet, layers: [C1, C9]}]", "LeNet-5 has no layer C9"),
    ("items: [{kind: size, letters: {N: 3}}]", "letters wants N, F"),
    ("items: [{kind: bn_params, letters: {N: 3, C: a}}]", "letter C is 'a', which is no number"),
    ("items: [{kind: bn_params, letters: {N: 3, C: 4, D: 1}}]", "bn_params has no letter D"),
    ("items: [{table: [output, parms], spec: lenet}]", "no table asks for parms"),
    ("items: [{table: [], spec: lenet}]", "no table asks for nothing"),
    ("credit: {slip: 7}\nitems: [{kind: size}]", "credit for slip is 7"),
    ("titel: x\nitems: [{kind: size}]", "a worksheet has no part titel"),
    ("items: [{kind: size, points: .nan}]", "item 1 has .nan points"),
    ("items: [{kind: conv_params, letters: {N: 32, F: 3, G: 0, Ci: 3, Co: 9}}]", "has no answer with these letters"),
    ("items: [{table: params, layers: 3}]", "layers is no list of names"),
    ("items: [{inverse: Nope, input: [3, 8, 8], wants: {field: 3}}]", "there is no layer type Nope"),
    ("items: [{inverse: Conv2d, input: [3, 8, 8], wants: {shape: 3}}]", "shape is 3"),
    ("items: [{inverse: Conv2d, input: [3, 8, 8], wants: {}}]", "inverse wants something"),
    ("items: [{find_error: params, spec: lenet, layers: [S2, S4]}]", "no slip is known that would show"),
    ("items: [{inverse: Conv2d, input: [1, 8, 8], wants: {shape: [4, 8, 8]}, example: 'Conv2d: {out_channels: 4, kernel_size: 3}'}]", "does not do it"),
    ("credit: {slipp: 1}\nitems: [{kind: size}]", "there is no credit for slipp"),
    ("items: [", "is not YAML"),
])  # fmt: skip
def test_a_worksheet_that_is_wrong_is_one_message(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=message):
        made(text, tmp_path)


def test_collisions_are_warned_of(tmp_path: Path) -> None:
    letters = "{N: 28, F: 3, S: 2, P: 1, D: 1, Ci: 3, Co: 9}"
    found = collisions(made(f"items: [{{id: a, kind: size, letters: {letters}}}]", tmp_path))
    assert any("out.halved" in line and "gives the right number" in line for line in found)
    done = cnncalc("worksheet", "check", "sheet.yaml", cwd=tmp_path)
    assert done.returncode == 1 and "warning: item a" in done.stderr
    assert collisions(made("items: [{id: a, kind: size}]", tmp_path)) == []
    letters = "{N: 32, F: 3, G: 2, Ci: 3, Co: 9}"
    (line, *_) = collisions(made(f"items: [{{id: a, kind: conv_params, letters: {letters}}}]", tmp_path))
    assert "these letters make no good question" in line
    unseen = hidden(made("items: [{id: t, table: params, spec: lenet, layers: [C1, F6]}]", tmp_path))
    assert "item t: par.no_in_channels gives the right number in every row" in unseen
    done = cnncalc("worksheet", "check", "sheet.yaml", cwd=tmp_path)
    assert done.returncode == 0 and "note: item t: par.no_in_channels" in done.stderr
    unseen = hidden(made("items: [{id: t, table: params, spec: lenet, layers: [C1, C3, F6]}]", tmp_path))
    assert not any("par.no_in_channels" in line for line in unseen)
