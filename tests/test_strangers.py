"""What strangers send is counted, and does nothing else: no spec runs on, no answer takes another's place, nothing reaches
the terminal that moves it."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import strangers
import yaml
from commands import PROGRAM, cnncalc

from cnncalc import SpecError, analyse, load
from cnncalc.errors import Source
from cnncalc.language import expressions
from cnncalc.language.budget import Budget, Exhausted
from cnncalc.printable import printable, printable_lines
from cnncalc.teach.grading import class_page, file_name, grade, page, page_names
from cnncalc.teach.worksheet import NEW, Worksheet, read_worksheet

TESTS = Path(__file__).parent


def is_fit_for_a_terminal(text: str) -> bool:
    return text == printable_lines(text)


# -- specs that never end --------------------------------------------------------------------------------------------

#: Each spec in a process of its own, whose memory is limited to so many bytes more than it had: seconds and what came.
MEASURE = """
import json, os, resource, sys, time
sys.path.insert(0, sys.argv[1])
from strangers import SPECS
import cnncalc
from cnncalc.errors import Source

for name, text in SPECS.items():
    child = os.fork()
    if child == 0:
        size = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + (200 << 20),) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        start = time.process_time()
        try:
            graph = cnncalc.load(Source("net.yaml", text))
            found = f"{len(graph.nodes)} layers"
        except cnncalc.SpecError as error:
            found = error.problems[0].message
        print(json.dumps([name, time.process_time() - start, found]), flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        print(json.dumps([name, 20.0, f"ended with {status}"]), flush=True)
"""


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[float, str]]:
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is limited as Linux does it")
    done = subprocess.run([sys.executable, "-c", MEASURE, str(TESTS)], capture_output=True, text=True, check=False)
    return {name: (seconds, found) for name, seconds, found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", strangers.SPECS)
def test_a_spec_is_refused_or_done_in_little_time_and_memory(name: str, measured: dict[str, tuple[float, str]]) -> None:
    seconds, found = measured[name]
    assert seconds < 4 and "ended with" not in found, f"{seconds:.1f} s, {found}"  # two on a quiet machine


def test_the_bound_that_is_broken_is_named() -> None:
    with pytest.raises(SpecError) as caught:
        load(Source("net.yaml", strangers.SPECS["a long list in what is repeated"]))
    assert str(caught.value) == (
        "net.yaml:3:11: this takes more than 1,500,000 steps of work, and 150 for each layer\n"
        "    3 | layers: [{ReLU: {}, when: 'max(x)+max(x)+max(x)+max(x)+max(x)+i', repeat: 20000}]\n"
        "      |           ^\n"
        "  hint: blocks that use others twice grow fast, and so do long lists in what is repeated"
    )
    with pytest.raises(SpecError, match="lists of more than 1,000,000 items, and 40 for each layer"):
        load(
            Source(
                "net.yaml", "input: [1]\nlayers: [ReLU]\nargs:\n" + "".join(f"  a{i}: '[0]*9990'\n" for i in range(300))
            )
        )


def test_what_a_large_network_needs_it_may_cost() -> None:
    text = """
input: [16, 8, 8]
blocks:
  b:
    args: [k, w: 16, s: 1, d: '[1, 1]']
    layers:
      - add:
        - - {Conv2d: {out_channels: w, kernel_size: k, padding: k // 2, stride: s, bias: false}}
          - BatchNorm2d
          - {ReLU: {}, when: i != 7 and s == 1 or in_channels > 3}
        - {layers: [{Conv2d: {out_channels: w, kernel_size: 1, stride: s}}], when: in_channels != w or s != 1}
layers:
  - {b: {k: 3 if i % 2 else 1, w: 'max(16, divisible(15.5, 8))'}, repeat: 15000}
"""
    text = text.replace("i != 7 and s == 1", "s == 1")
    assert len(load(Source("net.yaml", text)).layers) == 45_000


@pytest.mark.parametrize(("text", "steps"), [
    ("max(x)", 9_000), ("sum(x) + sum(x)", 18_000), ("x + x", 9_000), ("x[1:]", 8_000), ("x == x", 9_000), ("7 in x", 9_000), ("[x, x]", 9_000),
])  # fmt: skip
def test_an_expression_pays_for_the_lists_that_it_goes_through(text: str, steps: int) -> None:
    names = {"x": [0] * 9_000 if text not in ("x + x", "[x, x]") else [0] * 4_500}
    budget = Budget()
    expressions.evaluate(text, names, budget)
    assert steps <= 1_500_000 - budget.steps < 3 * steps
    with pytest.raises(Exhausted):
        expressions.evaluate(text, names, Budget(steps=steps - 1_000))


def test_a_list_may_have_ten_thousand_items() -> None:
    assert len(expressions.evaluate("[0]*9990", {})) == 9_990 and len(expressions.evaluate("[0] * 10000", {})) == 10_000
    for text in ("[0] * 10001", "[[0] * 100] * 100", "[0]*9990 + [0]*9990"):
        with pytest.raises(Exception, match="a list of more than 10,000 items"):
            expressions.evaluate(text, {})


def test_an_input_that_asks_for_what_comes_in_is_an_error(tmp_path: Path) -> None:
    for text in (
        "input: [in_width, 8, 8]",
        "args: {k: in_channels}\ninput: [3, 8, 8]",
        "input: {a: [3, 8, 8], b: [in_features]}",
    ):
        with pytest.raises(SpecError, match="there is no 'in_"):
            load(Source("net.yaml", text + "\nlayers: [ReLU]\n"))
    (tmp_path / "net.yaml").write_text("input: [in_width, 8, 8]\nlayers: [ReLU]\n")
    for command in (("shapes",), ("export",), ("export", "--to", "keras")):
        done = cnncalc(command[0], "net.yaml", *command[1:], cwd=tmp_path)
        assert done.returncode == 2 and done.stdout == "" and "there is no 'in_width' here" in done.stderr


def test_a_receptive_field_beyond_all_pictures_is_not_known() -> None:
    report = analyse(
        Source("net.yaml", "input: [1, 1, 1]\nlayers: [{MaxPool2d: {kernel_size: 1, stride: 2}, repeat: 90}]\n")
    )
    fields = [row.receptive_field for row in report]
    assert fields[40] is not None and fields[40].stride == (2**41, 2**41) and fields[-1] is None
    from cnncalc.answers.layers import view
    from cnncalc.formats import render

    assert re.search(r"^89 .* \? +\? +\? +\?$", render(view(report, "receptive-field"), "table"), re.MULTILINE)


@pytest.mark.parametrize("command", [
    ("show", "--expanded"), ("memory", "--train"), ("memory",), ("flops", "--train"), ("params",), ("receptive-field",), ("summary",), ("check",),
    ("shapes", "-f", "json"), ("export",), ("export", "--to", "keras"), ("explain", "-q", "training"), ("params", "--depth", "1"),
])  # fmt: skip
def test_time_grows_in_proportion_to_the_layers(command: tuple[str, ...], tmp_path: Path) -> None:
    """Five times the layers take about five times as long; what is quadratic would take twenty-five times."""
    taken = []
    for layers in (600, 3_000):
        (tmp_path / "net.yaml").write_text(
            f"input: [4, 8, 8]\nlayers: [{{inline: [{{Conv2d: {{out_channels: 4, kernel_size: 1}}}}, BatchNorm2d, ReLU, ReLU], repeat: {layers // 4}}}]\n"
        )
        times = []
        for _ in range(2):
            gc.disable()  # what else lives in this process is no part of the command's time
            before = time.process_time()
            done = cnncalc(command[0], "net.yaml", *command[1:], cwd=tmp_path)
            times.append(time.process_time() - before)
            gc.enable()
            assert done.returncode == 0
        taken.append(min(times))
    assert taken[1] < 12 * taken[0]


# -- students --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sheet(tmp_path: Path) -> Worksheet:
    (tmp_path / "sheet.yaml").write_text(NEW)
    return read_worksheet(str(tmp_path / "sheet.yaml"))


def handed_in(folder: Path, files: dict[str, str]) -> Path:
    for name, student in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            yaml.safe_dump({"student": student, "answers": {"weights": f"{name} 1500"}}, allow_unicode=True)
        )
    return folder


def graded(found: Any) -> dict[str, str]:
    """Whose answers were graded, and from which file."""
    return {
        each.student: next(mark.given for mark in each.marks if mark.item == "weights").rpartition(" ")[0]
        for each in found.graded
    }


@pytest.mark.parametrize(("files", "roster", "expected"), [
    ({"AA_s02/s01.yaml": "s01", "s01/answers.yaml": "s01"}, [], {"s01": "s01/answers.yaml"}),
    ({"AA_s02/s01.yaml": "s01", "s01/answers.yaml": "s01"}, ["s01", "s02"], {"s01": "s01/answers.yaml"}),
    ({"students/AA/s01.yaml": "s01", "students/s01/answers.yaml": "s01"}, [], {"s01": "students/s01/answers.yaml"}),
    ({"AA/s01.yaml": "s01", "BB/s01.yaml": "s01"}, [], {}),
    ({"s01.yaml": "s01", "zz.yaml": "s01"}, [], {}),
    ({"s02/s01/answers.yaml": "s01", "s01/answers.yaml": "s01", "s02/answers.yaml": "s02"}, [], {"s01": "s01/answers.yaml", "s02": "s02/answers.yaml"}),
    ({"s02/s01/answers.yaml": "s01", "s02/answers.yaml": "s02"}, ["s01", "s02"], {"s02": "s02/answers.yaml"}),
    ({"s02/answers.yaml": "s01"}, ["s01", "s02"], {}),
    ({"s01/answers.yaml": "s01", "s01/more.yaml": "s01"}, [], {"s01": "s01/answers.yaml"}),
    ({"s01/a.yaml": "s01", "s01/b.yaml": "s01"}, [], {}),
    ({"s01/answers.yaml": "s01", "students/s01/answers.yaml": "s01"}, [], {}),
    ({"deep/er/s01.yaml": "s01"}, [], {"s01": "deep/er/s01.yaml"}),
    ({"s01.yaml.txt": "s01"}, ["s01"], {"s01": "s01.yaml.txt"}),
    ({"a.yaml": "s01", "b.yaml": " s01 "}, [], {}),
])  # fmt: skip
def test_no_student_takes_the_place_of_another(
    files: dict[str, str], roster: list[str], expected: dict[str, str], sheet: Worksheet, tmp_path: Path
) -> None:
    found = grade(sheet, handed_in(tmp_path / "in", files), b"secret", roster)
    assert graded(found) == expected
    assert {name for name, _ in found.unreadable} == {*files} - {*expected.values()}, "what is not graded is listed"


def test_what_is_not_graded_is_listed_with_its_reason(sheet: Worksheet, tmp_path: Path) -> None:
    files = {"A/x.yaml": "s01", "B/x.yaml": "s01", "s03/y.yaml": "s02", "s03/answers.yaml": "s03", "C/s03.yaml": "s03"}
    found = grade(sheet, handed_in(tmp_path / "in", files), b"secret", ["s01", "s02", "s03"])
    assert dict(found.unreadable) == {
        "A/x.yaml": "2 files name s01, so none of them is graded",
        "B/x.yaml": "2 files name s01, so none of them is graded",
        "s03/y.yaml": "it names s02, but lies in the folder of s03",
        "C/s03.yaml": "there is another submission of s03, in s03",
    }


@pytest.mark.parametrize("claimed", ["group1", "students", "answers", "Ann Lee "])
@pytest.mark.parametrize("roster", [["ann", "bob"], []])
def test_who_a_file_claims_to_be_does_not_stop_the_others(
    claimed: str, roster: list[str], sheet: Worksheet, tmp_path: Path
) -> None:
    files = {"group1/ann.yaml": "ann", "group1/bob.yaml": "bob", "group1/m.yaml": claimed, "students/x.yaml": claimed}
    found = grade(sheet, handed_in(tmp_path / "in", files), b"secret", roster)
    assert {"ann", "bob"} <= set(graded(found))


def test_folders_without_end_are_listed(sheet: Worksheet, tmp_path: Path) -> None:
    folder = handed_in(tmp_path / "in", {"s01/answers.yaml": "s01"})
    here = os.open(folder, os.O_RDONLY)
    for name in ["d"] * 1_200:
        os.mkdir(name, dir_fd=here)
        here, before = os.open(name, os.O_RDONLY, dir_fd=here), here
        os.close(before)
    os.close(here)
    found = grade(sheet, folder, b"secret")
    assert set(graded(found)) == {"s01"}
    assert [reason for _, reason in found.unreadable] == ["folders in folders, more than 20 deep"]
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def test_a_link_is_not_what_was_handed_in(sheet: Worksheet, tmp_path: Path) -> None:
    folder = handed_in(tmp_path / "in", {"s01/answers.yaml": "s01"})
    (folder / "s02.yaml").symlink_to(folder / "s01" / "answers.yaml")
    (folder / "s03.yaml").symlink_to("/dev/zero")
    (folder / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(folder / "s04.yaml")
    found = grade(sheet, folder, b"secret")
    assert set(graded(found)) == {"s01"} and len(found.unreadable) == 3
    assert {reason for _, reason in found.unreadable} == {
        "it is a link, and what it leads to was not handed in here",
        "it is no file",
    }


@pytest.mark.parametrize("students", [
    ["s01", ".s01."], [".s01.", "s01"], ["s01", "S01"], ["S01", "s01", ".s01."], ["a b", "a_b", "a/b", "a?b"], ["..", ".", "/"], ["../s01", "s01"],
    ["a", "a_"], ["x" * 300, "x" * 301], ["卷" * 100, "卷" * 101], ["CON", "con"], ["s01", ".s01.", "s01-62041070"],
])  # fmt: skip
def test_every_student_has_a_page_of_their_own(students: list[str], sheet: Worksheet, tmp_path: Path) -> None:
    names = page_names(students)
    assert set(names) == set(students) and len({name.casefold() for name in names.values()}) == len(students)
    for student, name in names.items():
        assert "/" not in name and name not in (".", "..") and len(name.encode()) < 250
        (tmp_path / f"{name}.md").write_text(student)
    exact = [student for student in students if student == file_name(student)]
    if len({each.casefold() for each in exact}) == len(exact):
        assert all(names[student] == student for student in exact), "who is called so keeps the name"


def test_the_page_of_one_is_not_written_for_another(sheet: Worksheet, tmp_path: Path) -> None:
    handed_in(tmp_path / "in", {"a.yaml": ".s01.", "b.yaml": "s01", "c.yaml": "S01"})
    (tmp_path / "course.secret").write_text("0123456789")
    done = cnncalc("grade", "sheet.yaml", "in", cwd=tmp_path)
    assert done.returncode == 0
    pages = {path.name: path.read_text().partition("\n")[0] for path in (tmp_path / "marks" / "feedback").iterdir()}
    assert {head.rpartition(" ")[2] for head in pages.values()} == {"s01", "S01", ".s01."}
    assert len({name.lower() for name in pages}) == 3, "also where capitals do not count"
    (tmp_path / "in" / "c.yaml").unlink()
    cnncalc("grade", "sheet.yaml", "in", "--out", "again", cwd=tmp_path)
    assert (tmp_path / "again" / "feedback" / "s01.md").read_text().startswith("# Sheet 1: s01\n")


def test_students_cannot_write_into_the_teachers_pages(sheet: Worksheet, tmp_path: Path) -> None:
    from test_documents import MARKDOWN, PLAIN_TAGS, Page

    for number, text in enumerate(
        each for each in strangers.TEXTS if each == printable(each) and 0 < len(each.strip()) < 200
    ):
        folder = tmp_path / f"{number}"
        answers = {item.id: text for item in sheet.items} | {
            "lenet": {"C1": {"output": text, "params": text}},
            "wrong": {"cell": text, "mistake": text},
        }
        folder.mkdir()
        (folder / "a.yaml").write_text(
            yaml.safe_dump({"student": "anna", "answers": answers}, allow_unicode=True), "utf-8"
        )
        (folder / "b.yaml").write_text(
            yaml.safe_dump({"student": text, "answers": answers}, allow_unicode=True), "utf-8"
        )
        (folder / "c.yaml").write_text(yaml.safe_dump({"student": "c", "answers": text}, allow_unicode=True), "utf-8")
        name = text.replace("/", "_")[:80]
        (folder / f"{name}.yaml").write_text("- 1\n")
        found = grade(sheet, folder, b"secret", [text.strip(), "anna", f"{text} gone"])
        assert len(found.graded) == 2
        for written in (class_page(sheet, found), *(page(sheet, each) for each in found.graded)):
            made = Page(MARKDOWN.render(written))
            assert made.tags <= PLAIN_TAGS and not made.attributes and not made.comments, text
            assert is_fit_for_a_terminal(written)
            headings = re.findall(r"^#+ .*", written, re.MULTILINE)
            allowed = "The commonest|Difficulty|No answers|Graded by this sheet, though|Unreadable|size|weights|slip|lenet|wrong|halve"
            assert all(re.match(rf"# Sheet 1: |## ({allowed})", each) for each in headings), headings


@pytest.mark.parametrize("answer", [
    "1" + " " * 9_000 + "x", "(" * 5_000, "-" * 9_000 + "1", "[" * 60, "9" * 9_000, "9" * 4_000 + "**9", "2**2**2**2**2", "1j", "nn.Conv2d(1j)", "nn.Conv2d({1, 2})",
    "nn.Conv2d(" + "(" * 300 + ")" * 300 + ")", "nn.Conv2d(" + "-" * 900 + "1)", "Conv2d: {out_channels: [" + "1, " * 300 + "]}", "1" + "x1" * 400, "√" * 500, "1e999", "nan",
    "{Conv2d: {out_channels: 64, kernel_size: 7, repeat: 9}}", "1,1" * 200,
])  # fmt: skip
def test_no_answer_stops_the_grading(answer: str, sheet: Worksheet, tmp_path: Path) -> None:
    answers = {item.id: answer for item in sheet.items} | {"lenet": {"C1": {"output": answer, "params": answer}}}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.yaml").write_text(yaml.safe_dump({"student": "a", "answers": answers}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    found = grade(sheet, tmp_path / "in", b"secret")
    assert len(found.graded) == 1 and not found.unreadable and found.graded[0].points == 0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 3


def test_one_long_text_many_times_is_no_long_answer(sheet: Worksheet, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    text = (
        "student: a\nlong: &x "
        + "x" * 50_000
        + "\nanswers: {weights: ["
        + "*x, " * 150
        + "], size: ["
        + "*x, " * 9_000
        + "]}\n"
    )
    (tmp_path / "in" / "a.yaml").write_text(text)
    found = grade(sheet, tmp_path / "in", b"secret")
    assert [reason for _, reason in found.unreadable] == [
        "it is not YAML that can be read: line 2: the file has more than 100,000 values, aliases followed"
    ]
    (tmp_path / "in" / "a.yaml").write_text(text.replace("*x, " * 9_000, "1"))
    mark = {each.item: each for each in grade(sheet, tmp_path / "in", b"secret").graded[0].marks}["weights"]
    assert (
        mark.verdict == "unreadable"
        and mark.said == ("an answer of 7,500,000 characters; 1,000 are read",)
        and not mark.given
    )


# -- the terminal ----------------------------------------------------------------------------------------------------

MOVING = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u200b\r\x08"


def test_names_of_files_do_not_move_the_terminal(sheet: Worksheet, tmp_path: Path) -> None:
    name = f"net{MOVING}.yaml"
    (tmp_path / name).write_text("input: [1, 8, 8]\nlayers: [Foo]\nfoo: 1\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_text("- 1\n")
    (tmp_path / "in" / os.fsdecode(b"\xff\xfe.yaml")).write_text("- 1\n")
    (tmp_path / "course.secret").write_text("0123456789")
    for command in (
        ("shapes", name), ("check", name), ("explain", name), ("show", name), ("compare", name, "lenet"), ("shapes", f"none{MOVING}"), ("shapes", "lenet", name),
        ("shapes", name, "-f", "json"), ("shapes", "lenet", "-o", f"out{MOVING}.csv"), ("zoo", name), ("grade", "sheet.yaml", "in"), ("shapes", "lenet", "--sort", MOVING),
        ("shapes", f"--{MOVING}"), ("worksheet", "new", f"w{MOVING}.yaml"), ("explain-error", MOVING), ("quiz", "--export", f"b{MOVING}.xml"), ("quiz", MOVING),
    ):  # fmt: skip
        done = cnncalc(*command, cwd=tmp_path)
        assert "Traceback" not in done.stderr, command
        assert is_fit_for_a_terminal(done.stdout) and is_fit_for_a_terminal(done.stderr), (
            command,
            done.stdout,
            done.stderr,
        )
    assert {path.name for path in (tmp_path / "marks").iterdir()} == {"results.csv", "class.md", "feedback"}


def test_show_does_not_turn_the_text_around(tmp_path: Path) -> None:
    text = "# a \u202e comment \u2066 \u200b \ufeff end\nname: a\u200bb\ninput: [1, 8, 8]\t\nlayers: [ReLU]\n"
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    done = cnncalc("show", "net.yaml", cwd=tmp_path)
    assert done.stdout == "# a � comment � � � end\nname: a�b\ninput: [1, 8, 8]\t\nlayers: [ReLU]\n"
    assert cnncalc("show", "net.yaml", "-o", "copy.yaml", cwd=tmp_path).returncode == 0
    assert (tmp_path / "copy.yaml").read_text("utf-8") == text, "a file gets it as it is"
    for command in (
        ("shapes",),
        ("export",),
        ("show", "--expanded"),
        ("explain",),
        ("shapes", "-f", "json"),
        ("shapes", "-f", "html"),
        ("params", "-f", "markdown"),
    ):
        assert is_fit_for_a_terminal(cnncalc(command[0], "net.yaml", *command[1:], cwd=tmp_path).stdout), command


def test_answers_typed_and_layers_named_do_not_move_the_terminal(tmp_path: Path) -> None:
    done = cnncalc("quiz", "conv", "-n", "1", "--seed", "1", cwd=tmp_path, text=f"{MOVING}\nq\n")
    assert is_fit_for_a_terminal(done.stdout) and "Traceback" not in done.stderr
    done = cnncalc("shapes", "lenet", "--predict", cwd=tmp_path, text=f"{MOVING}\nq\n")
    assert is_fit_for_a_terminal(done.stdout)
    done = cnncalc("explain", "lenet", f"C1{MOVING}", cwd=tmp_path)
    assert done.returncode == 2 and is_fit_for_a_terminal(done.stderr)
    done = cnncalc(
        "explain-error",
        f"size mismatch {MOVING} mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)",
        cwd=tmp_path,
    )
    assert is_fit_for_a_terminal(done.stdout + done.stderr)


def test_a_name_of_several_lines_is_one(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text('name: "LeNet\\n\\nall 881 figures agree"\ninput: [1]\nlayers: [ReLU]\n')
    assert cnncalc("shapes", "net.yaml", cwd=tmp_path).stdout.startswith("LeNet  all 881 figures agree\ninput 1 ")


# -- what cannot be written ------------------------------------------------------------------------------------------


def limited() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "command",
    [
        ("params", "resnet152"),
        ("shapes", "resnet152", "-f", "json"),
        ("show", "googlenet"),
        ("formulas",),
        ("export", "googlenet"),
    ],
)
def test_a_disk_that_is_full_is_an_error(command: tuple[str, ...], unbuffered: str, tmp_path: Path) -> None:
    with (tmp_path / "out.txt").open("wb") as out:
        done = subprocess.run(
            [PROGRAM, *command], stdout=out, stderr=subprocess.PIPE, text=True, check=False, preexec_fn=limited,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )  # fmt: skip
    assert (tmp_path / "out.txt").stat().st_size <= 4096
    assert done.returncode == 2 and done.stderr == "cnncalc: the output cannot be written: File too large\n"


# -- pictures and weights --------------------------------------------------------------------------------------------


class TestFiles:
    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="pictures and weights are read with PyTorch")

    @pytest.mark.parametrize(("size", "mode", "message"), [
        ((1, 60_000), "RGB", "1×60,000 pixels would become 256×15,360,000"),
        ((60_000, 1), "L", "60,000×1 pixels would become 15,360,000×256"),
        ((9_000, 9_000), "1", "has 9,000×9,000 pixels; at most 64,000,000 are read"),
    ])  # fmt: skip
    def test_a_picture_is_bounded_before_it_is_enlarged(
        self, size: tuple[int, int], mode: str, message: str, tmp_path: Path
    ) -> None:
        from PIL import Image

        from cnncalc.pictures import usual
        from cnncalc.pytorch.image import picture

        Image.new(mode, size).save(tmp_path / "a.png")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(SpecError, match=message):
            picture(str(tmp_path / "a.png"), (3, 224, 224), usual(3, 224, 224))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
        with pytest.raises(SpecError, match="are made"):
            Image.new("RGB", (10, 10)).save(tmp_path / "b.png")
            picture(str(tmp_path / "b.png"), (3, 224, 224), usual(3, 224, 224)._replace(resize=(10_000,)))

    @pytest.mark.parametrize("format", ["EPS", "TIFF", "GIF", "BMP", "PPM", "ICO", "TGA"])
    def test_only_formats_that_are_promised_are_read(
        self, format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from PIL import Image

        from cnncalc.pictures import usual
        from cnncalc.pytorch.image import picture

        Image.new("RGB", (32, 32)).save(tmp_path / "a.png", format=format)
        monkeypatch.setenv("PATH", "")
        with pytest.raises(SpecError, match="is no picture that can be read"):
            picture(str(tmp_path / "a.png"), (3, 28, 28), usual(3, 28, 28))

    @pytest.mark.parametrize("format", ["PNG", "JPEG"])
    def test_a_picture_that_is_cut_off_is_an_error(self, format: str, tmp_path: Path) -> None:
        from PIL import Image

        from cnncalc.pictures import usual
        from cnncalc.pytorch.image import picture

        Image.effect_noise((64, 64), 50).convert("RGB").save(tmp_path / "a", format=format)
        data = (tmp_path / "a").read_bytes()
        assert picture(str(tmp_path / "a"), (3, 28, 28), usual(3, 28, 28)).shape == (1, 3, 28, 28)
        for end in range(
            0, len(data) - 40, max(1, len(data) // 40)
        ):  # behind stand checksums, and no more of the picture
            (tmp_path / "b").write_bytes(data[:end])
            with pytest.raises(SpecError):
                picture(str(tmp_path / "b"), (3, 28, 28), usual(3, 28, 28))

    def test_names_in_a_checkpoint_are_printed_as_text(self, tmp_path: Path) -> None:
        import torch

        torch.save(
            {f"a{MOVING}": torch.zeros(2), "C1.weight": torch.zeros(1), f"{MOVING}\nC1: fits": torch.zeros(1)},
            tmp_path / "w.pt",
        )
        done = cnncalc("run", "lenet", "--weights", "w.pt", "--no-bench", cwd=tmp_path)
        assert done.returncode == 1 and "does not fit the network" in done.stderr and is_fit_for_a_terminal(done.stderr)
        assert "\n  unexpected: a�[2J" in done.stderr and "\nC1: fits" not in done.stderr
        done = cnncalc("run", "lenet", "--weights", "w.pt", "--no-bench", "-f", "json", cwd=tmp_path)
        assert is_fit_for_a_terminal(done.stdout) and f"a{MOVING}" in json.loads(done.stdout)["weights"]["unexpected"]

    def test_a_checkpoint_that_unpacks_to_more_is_refused(self, tmp_path: Path) -> None:
        import torch

        from cnncalc.pytorch.weights import read_weights

        torch.save({"a": torch.zeros(1000)}, tmp_path / "a.pt")
        assert set(read_weights(str(tmp_path / "a.pt"))) == {"a"}
        with (
            zipfile.ZipFile(tmp_path / "a.pt") as old,
            zipfile.ZipFile(tmp_path / "b.pt", "w", zipfile.ZIP_DEFLATED) as new,
        ):
            for each in old.infolist():
                new.writestr(each.filename, old.read(each.filename))
        with pytest.raises(SpecError, match="is packed: its"):
            read_weights(str(tmp_path / "b.pt"))

    @pytest.mark.parametrize("attack", ["archive", "older form", "upper case", "older form with a tail", "deep"])
    def test_a_checkpoint_that_unfolds_without_end_is_refused(self, attack: str, tmp_path: Path) -> None:
        import torch

        from cnncalc.pytorch.weights import read_weights

        torch.save({"a": torch.zeros(1)}, tmp_path / "a.pt")
        torch.save({"a": torch.zeros(1)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
        assert set(read_weights(str(tmp_path / "old.pt"))) == {"a"}
        pickled = b"\x80\x02K\x01K\x01\x86q\x00"
        for number in range(60):  # each a pair of the one before
            pickled += b"h%ch%c\x86q%c" % (number, number, number + 1)
        pickled += b"}h\x3cK\x01s."
        if attack == "deep":
            pickled = b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s."
        if attack.startswith("older"):
            old = (tmp_path / "old.pt").read_bytes().split(b"}q\x00", 1)[0]
            tail = (tmp_path / "a.pt").read_bytes() if "tail" in attack else b""
            (tmp_path / "b.pt").write_bytes(old[: old.rfind(b"\x80\x02")] + pickled + tail)
        else:
            with zipfile.ZipFile(tmp_path / "a.pt") as archive, zipfile.ZipFile(tmp_path / "b.pt", "w") as new:
                for each in archive.infolist():
                    main = each.filename.endswith("data.pkl")
                    name = each.filename.replace("data.pkl", "DATA.PKL") if attack == "upper case" else each.filename
                    new.writestr(name, pickled if main else archive.read(each.filename))
        with pytest.raises(SpecError, match="unfolds to more than any network has"):
            read_weights(str(tmp_path / "b.pt"))

    def test_labels_are_bounded_and_printed_as_text(self, tmp_path: Path) -> None:
        from cnncalc.pytorch.image import read_labels

        (tmp_path / "a.txt").write_text(f"cat{MOVING}\nb\n")
        assert all(label.isprintable() for label in read_labels(str(tmp_path / "a.txt")))
        (tmp_path / "b.txt").write_text("x" * 2_000_000)
        with pytest.raises(SpecError, match="is longer than"):
            read_labels(str(tmp_path / "b.txt"))


# -- claims about what is not there ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "code", "message"), [
    ("layers: [ReLU]\nexpect: {part: nope, params: 5}", 1, "warning: expect: part is not computed"),
    ("layers: [ReLU]\ndisputed: [{part: input, params: 5, source: s, note: n}]", 2, "there is no part input"),
    ("layers: [Foo]\ndisputed: [{part: nope, params: 5, source: s, note: n}]", 2, "there is no layer type or block Foo"),
    ("layers: []\nexpect: {receptive_field: 5}", 1, ""),
    ("layers: [ReLU]\nvariants: {v: {}}\nexpect: {v: {year: abc}}", 2, "year is a whole number"),
    ("layers: [ReLU]\nvariants: {v: {}}\nexpect: {v: {paper: [a]}}", 2, "paper is a text"),
    (f"name: {'x' * 301}\nlayers: [ReLU]", 2, "name has 301 characters; at most 300"),
    ("layers: [ReLU]\nvariants: {" + ", ".join(f"v{i}: {{}}" for i in range(1001)) + "}", 2, "more than 1,000 variants"),
])  # fmt: skip
def test_claims_about_what_is_not_there(text: str, code: int, message: str, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(f"input: [3]\n{text}\n")
    done = cnncalc("check", "net.yaml", cwd=tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False) and message in done.stderr, done.stderr


def test_inputs_are_bounded() -> None:
    with pytest.raises(SpecError, match="more than 64 inputs"):
        load(
            Source(
                "net.yaml",
                "input: {" + ", ".join(f"i{n}: [1]" for n in range(65)) + "}\nlayers: [{ReLU: {}, from: i0}]\n",
            )
        )


@pytest.mark.parametrize(
    ("question", "answer"),
    [("1", "1." + "0" * 400 + "k"), ("21", "48 or 1/0"), ("3", "1/0"), ("4", "9" * 5000), ("5", "2**2**2**2**2")],
)
def test_no_answer_ends_the_quiz(question: str, answer: str, tmp_path: Path) -> None:
    done = cnncalc("quiz", "--seed", question, "-n", "1", cwd=tmp_path, text=f"{answer}\nq\n")
    assert done.returncode == 0 and "Traceback" not in done.stderr


@pytest.mark.parametrize("message", [
    "mat1 and mat2 shapes cannot be multiplied (3x99999999999 and 99999999998x10)", "Expected " * 5_500 + " input to " + "a" * 50_000, "[" + "1, " * 30_000, "a" * 100_000,
    "Weights only load failed " * 4_000, "Error(s) in loading state_dict for X: " + 'Missing key(s) in state_dict: "a", ' * 2_000, "a()" * 30_000,
])  # fmt: skip
def test_a_long_message_is_answered_soon(message: str) -> None:
    from cnncalc.teach.messages import explain_error

    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    with contextlib.suppress(SpecError):
        explain_error(message)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_utime - before < 2


@pytest.mark.parametrize(("text", "message"), [
    ("own: {topic: t, ask: '{N:>1500000000}', draw: {N: [1]}, formula: N}", "says how a letter is to be written"),
    ("own: {topic: t, ask: '{N!r:>9}', draw: {N: [1]}, formula: N}", "says how a letter is to be written"),
    ("own: {topic: t, ask: a, draw: {N: [1]}, terms: {t0: N + N, " + ", ".join(f"t{i}: t{i - 1} + t{i - 1}" for i in range(1, 31)) + "}, formula: t30}", "with its terms written out"),
    ("own: {topic: t, ask: a, draw: {N: [9]}, formula: ((N**99)**99)**99}", ""),
])  # fmt: skip
def test_slips_of_ones_own_are_bounded(text: str, message: str, tmp_path: Path) -> None:
    from cnncalc.teach.kinds import kinds

    (tmp_path / "own.yaml").write_text(text)
    if message:
        with pytest.raises(SpecError, match=message):
            kinds(str(tmp_path / "own.yaml"))
    else:
        assert "own" in kinds(str(tmp_path / "own.yaml"))


def test_a_layer_asked_for_is_one_layer(sheet: Worksheet, tmp_path: Path) -> None:
    right = "Conv2d: {out_channels: 64, kernel_size: 7, stride: 2, padding: 3}"
    from cnncalc.teach.forms import fulfils

    item = next(each for each in sheet.items if each.form == "inverse")
    assert fulfils(item, right)[0] and fulfils(item, f"{{{right}}}")[0]
    for answer in (
        f"{right}\nargs: {{a: 1}}",
        f"{{{right}, note: x}}",
        "{repeat: 149000, layers: [ReLU]}",
        f"{{x: {{{right}}}}}",
        "[]",
        f"- {right}\n- {right}",
    ):
        assert not fulfils(item, answer)[0], answer
