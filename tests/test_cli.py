"""The command line: formats, files, pipes, terminals, exit codes, and what happens when it is interrupted."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, cnncalc

from cnncalc import analyse
from cnncalc.answers.layers import QUESTIONS
from cnncalc.report.columns import COLUMNS

ALL_QUESTIONS = [*(question for question in QUESTIONS if question != "overview"), "summary"]


def in_terminal(*arguments: str, columns: int = 80, cwd: Path | None = None) -> str:
    """What a person sees in a terminal of that width, colours removed."""
    main, child = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "50", "TERM": "xterm"}
    process = subprocess.Popen([PROGRAM, *arguments], cwd=cwd, stdout=child, stderr=child, stdin=child, env=environment)
    os.close(child)
    data = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        data += part
    process.wait()
    os.close(main)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", data.decode()).replace("\r\n", "\n")


@pytest.mark.parametrize("question", ALL_QUESTIONS)
@pytest.mark.parametrize("spec", ["lenet", "resnet152", "googlenet", "unet", "densenet121", "lenet_1998"])
def test_tables_fit_80_columns_of_a_terminal(question: str, spec: str) -> None:
    done = cnncalc(*question.split(), spec, terminal=True, COLUMNS="80", LINES="50", TERM="xterm")
    screen = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", done.stdout)
    assert done.returncode == 0 and len(screen) < len(done.stdout), "there are colours"
    assert max(map(len, screen.split("\n"))) <= 80
    assert screen.count("\n") < 110, "a large network folds"
    assert "…" not in screen.replace(" … ", ""), "nothing is cut off"


@pytest.mark.parametrize("question", ALL_QUESTIONS)
def test_a_pipe_gets_plain_text_with_full_names(question: str) -> None:
    done = cnncalc(*question.split(), "resnet50")
    assert done.returncode == 0 and done.stderr == "" and "\x1b" not in done.stdout
    if question != "summary":
        assert re.search(r"^layer4\.2\.conv3  ", done.stdout, re.MULTILINE)


def rows(text: str) -> list[dict[str, str]]:
    """A plain table, read back: columns are told apart by two spaces; groups and totals have no type."""
    lines = text.split("\n\n")[1].strip().split("\n")
    head = re.split(r"  +", lines[0].strip())
    found = []
    for line in lines[1:]:
        cells = re.split(r"  +", line.strip())
        if not line.startswith("---"):
            found.append(dict(zip(head, cells if len(cells) == len(head) else [cells[0], "", *cells[1:]], strict=True)))
    return found


@pytest.mark.parametrize(("question", "column"), [
    ("params", "weights"), ("params", "biases"), ("params", "parameters"), ("params", "buffers"),
    ("flops", "MACs"), ("flops", "other work"), ("flops", "FLOPs"),
])  # fmt: skip
@pytest.mark.parametrize("spec", ["lenet_1998", "resnet50", "mobilenet_v2"])
def test_a_printed_column_sums_to_its_total(question: str, column: str, spec: str) -> None:
    *layers, total = rows(cnncalc(*question.split(), spec, "--batch", "3").stdout)
    assert total["layer"] == "total"
    assert sum(int(row[column].replace(",", "")) for row in layers) == int(total[column].replace(",", ""))


@pytest.mark.parametrize("spec", ["resnet50", "googlenet"])
def test_a_folded_column_sums_to_its_total_too(spec: str) -> None:
    *parts, total = rows(cnncalc("params", spec, "--depth", "1").stdout)
    assert sum(int(row["parameters"].replace(",", "")) for row in parts) == int(total["parameters"].replace(",", ""))


@pytest.mark.parametrize("question", ALL_QUESTIONS)
def test_json_is_the_same_whole_document_whatever_the_question(question: str) -> None:
    found = json.loads(cnncalc(*question.split(), "lenet", "--format", "json", "--batch", "2").stdout)
    assert found == analyse("lenet", batch=2, int8="--int8" in question).to_dict()


def test_json_without_layers(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("input: [3, 8, 8]\nlayers: []\n", "utf-8")
    written = cnncalc("shapes", "empty.yaml", "--format", "json", cwd=tmp_path).stdout
    assert json.loads(written)["totals"]["layers"] == 0 and '\n  "layers": [],\n' in written


def test_json_has_the_promised_form() -> None:
    found = analyse("resnet50").to_dict()
    assert list(found) == [
        "schema_version", "model", "variant", "source", "batch", "dtype", "optimizer", "device", "regime", "convention", "inputs", "layers", "totals", "outputs", "warnings",
    ]  # fmt: skip
    layer = next(each for each in found["layers"] if each["name"] == "layer1.0.conv1")
    line = layer.pop("line")
    assert isinstance(line, int)
    promised = {
        "name": "layer1.0.conv1", "type": "Conv2d", "inputs": ["maxpool"], "input_shapes": [[64, 56, 56]], "output_shape": [64, 56, 56],
        "params": 4096, "buffers": 0, "macs": 12845056, "flops": 25690112, "output_bytes": 802816,
        "saved_for_backward_bytes": 802816, "backward_macs": 2 * 12845056,
        "receptive_field": {"size": [11, 11], "stride": [4, 4], "padding": [5, 5]},
    }  # fmt: skip
    assert {key: layer[key] for key in promised} == promised
    assert set(found["totals"]) >= {
        "params", "trainable_params", "buffers", "macs", "flops", "weight_bytes", "activation_bytes", "peak_inference_bytes", "backward_macs", "saved_for_backward_bytes", "gradient_bytes", "optimizer_bytes", "peak_training_bytes", "depth", "complete",
    }  # fmt: skip
    assert found["outputs"] == [{"name": "fc", "shape": [1000]}] and found["inputs"] == [
        {"name": "input", "shape": [3, 224, 224]}
    ]
    json.dumps(found)


def test_warnings_stand_in_the_document(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("input: [1, 8, 8]\nfoo: 1\nlayers: [ReLU]\n")
    done = cnncalc("shapes", "net.yaml", "-f", "json", cwd=tmp_path)
    assert json.loads(done.stdout)["warnings"] == [
        {"code": "unused-key", "message": "nothing uses the key foo", "line": 2, "column": 1}
    ]
    assert "net.yaml:2:1: warning: nothing uses the key foo" in done.stderr and done.returncode == 0


@pytest.mark.parametrize("question", [question for question in ALL_QUESTIONS if question != "summary"])
def test_csv_has_exact_numbers_and_no_total(question: str) -> None:
    report = analyse("googlenet")
    found = list(csv.DictReader(io.StringIO(cnncalc(*question.split(), "googlenet", "--format", "csv").stdout)))
    assert [row["layer"] for row in found] == [row.name for row in report]
    if question == "params":
        assert sum(int(row["params"]) for row in found) == report.totals.params
    if question == "shapes":
        assert found[0]["output"] == "64x112x112"


def test_markdown_and_latex_are_tables(tmp_path: Path) -> None:
    markdown = cnncalc("flops", "lenet", "--format", "markdown").stdout
    lines = [line for line in markdown.split("\n") if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1 and len(lines) == 2 + 12 + 1
    latex = cnncalc("flops", "lenet", "--format", "latex").stdout
    body = latex[latex.index(r"\midrule") : latex.index(r"\bottomrule")]
    assert all(line.count("&") == 5 for line in body.split("\n") if line.endswith(r"\\"))


@pytest.mark.parametrize(("ending", "begins"), [
    (".json", "{"), (".csv", "layer,"), (".md", "**LeNet-5**"), (".tex", "% LeNet-5"), (".html", "<!doctype html>"), (".txt", "LeNet-5"),
])  # fmt: skip
def test_the_ending_of_the_file_tells_the_format(ending: str, begins: str, tmp_path: Path) -> None:
    done = cnncalc("params", "lenet", "-o", f"out{ending}", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == ""
    assert (tmp_path / f"out{ending}").read_text("utf-8").startswith(begins)
    assert [path.name for path in tmp_path.iterdir()] == [f"out{ending}"]


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("before")
    assert cnncalc("params", "nothing.yaml", "-o", "out.json", cwd=tmp_path).returncode == 2
    assert (tmp_path / "out.json").read_text() == "before"
    done = cnncalc("params", "lenet", "-o", "nowhere/out.json", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.startswith("nowhere/out.json: cannot be written")


def test_a_pipe_that_closes_is_silent() -> None:
    done = subprocess.run(
        f"'{PROGRAM}' shapes resnet152 | head -n 1", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stdout == "ResNet (resnet152)\n" and done.stderr == ""


@pytest.mark.parametrize(
    "command", ["shapes lenet > /dev/full", "schema > /dev/full", "shapes lenet >&-", "shapes - <&-"]
)
def test_an_output_that_is_full_or_closed_is_no_traceback(command: str) -> None:
    done = subprocess.run(f"'{PROGRAM}' {command}", shell=True, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 2) and "Traceback" not in done.stderr


def test_an_answer_never_overwrites_its_spec_nor_a_link(tmp_path: Path) -> None:
    (tmp_path / "net.txt").write_text("input: [3]\nlayers: [ReLU]\n")
    done = cnncalc("shapes", "net.txt", "-o", "net.txt", cwd=tmp_path)
    assert done.returncode == 2 and "is the spec itself" in done.stderr
    (tmp_path / "link.csv").symlink_to("real.csv")
    assert cnncalc("shapes", "lenet", "-o", "link.csv", cwd=tmp_path).returncode == 0
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text("utf-8").startswith("layer,")
    assert cnncalc("shapes", "lenet", "-o", "out.pdf", cwd=tmp_path).returncode == 2


def test_hostile_names_and_notes_stay_inside_their_cells(tmp_path: Path) -> None:
    note = 'a|b & 50% _x_ #1 $y$ {z} ~ ^ "q" <script> `c` \\\\ λ'
    (tmp_path / "net.yaml").write_text(f"input: [3]\nlayers:\n  a-b_c: {{ReLU: {{}}, note: '{note}'}}\n", "utf-8")
    found = list(
        csv.reader(io.StringIO(cnncalc("shapes", "net.yaml", "-c", "layer,note", "-f", "csv", cwd=tmp_path).stdout))
    )
    assert found[1] == ["a-b_c", note]
    latex = cnncalc("shapes", "net.yaml", "-c", "layer,note", "-f", "latex", cwd=tmp_path).stdout
    row = next(line for line in latex.split("\n") if line.startswith(r"a-b"))
    assert len(re.findall(r"(?<!\\)&", row)) == 1 and not re.search(r"(?<!\\)[%#_]", row)
    markdown = cnncalc("shapes", "net.yaml", "-c", "layer,note", "-f", "markdown", cwd=tmp_path).stdout
    assert (
        len(
            re.findall(
                r"(?<!\\)\|", next(line for line in markdown.split("\n") if "script" in line and line.startswith("|"))
            )
        )
        == 3
    )
    assert "<script>" not in cnncalc("shapes", "net.yaml", "-c", "layer,note", "-f", "html", cwd=tmp_path).stdout


def test_standard_input() -> None:
    done = cnncalc("params", "-", text="input: [3]\nlayers: [{Linear: {out_features: 2}}]\n")
    assert done.returncode == 0 and re.search(r"^total +6 +2 +8 ", done.stdout, re.MULTILINE)
    done = cnncalc("params", "-", text="input: [3]\nlayers: [Foo]\n")
    assert done.returncode == 2 and done.stderr.strip().startswith("<stdin>:2:10: there is no layer type or block Foo")


def test_an_unknown_layer_shows_what_is_known_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(
        "input: [3, 8, 8]\nlayers:\n  - Conv2d: {out_channels: 4, kernel_size: 3}\n  - Deform\n"
    )
    done = cnncalc("params", "net.yaml", cwd=tmp_path)
    assert done.returncode == 2 and "≥ 112" in done.stdout and "there is no layer type or block Deform" in done.stderr


class TestOptions:
    def test_set_and_input_and_dtype(self) -> None:
        found = json.loads(cnncalc("shapes", "resnet", "--set", "depths=[2,2,2,2]", "--set", "bottleneck=false", "--set", "classes=10",
                                   "--input", "3x64x64", "--dtype", "float16", "-f", "json").stdout)  # fmt: skip
        assert found["outputs"] == [{"name": "fc", "shape": [10]}] and found["inputs"][0]["shape"] == [3, 64, 64]
        assert found["totals"]["params"] == 11_689_512 - 990 * 513 and found["totals"]["weight_bytes"] == 2 * (
            found["totals"]["params"] + found["totals"]["buffers"]
        )

    def test_columns_and_sort(self) -> None:
        done = cnncalc("shapes", "lenet", "--columns", "layer,params,rf", "--sort", "params", "-f", "csv")
        found = list(csv.reader(io.StringIO(done.stdout)))
        assert found[0] == ["layer", "params", "rf"] and [row[0] for row in found[1:4]] == ["C5", "F6", "C3"]
        rising = cnncalc(
            "shapes", "lenet", "--columns", "layer,params", "--sort=-params", "-f", "csv"
        ).stdout.splitlines()
        assert rising[-1] == "C5,48120"

    @pytest.mark.parametrize("column", COLUMNS)
    def test_every_column_can_be_shown_and_sorted_by(self, column: str) -> None:
        done = cnncalc("shapes", "lenet_1998", "--columns", f"layer,{column}", "--sort", column)
        assert done.returncode == 0 and len(done.stdout.splitlines()) > 12

    @pytest.mark.parametrize("depth", [1, 2, 3, 9])
    def test_depth_folds_with_subtotals(self, depth: int) -> None:
        found = list(
            csv.DictReader(io.StringIO(cnncalc("params", "resnet18", "--depth", str(depth), "-f", "csv").stdout))
        )
        assert max(row["layer"].count(".") + 1 for row in found) == min(depth, 4)
        assert next(row["params"] for row in found if row["layer"] == "layer1") == "147968"

    def test_copies_fold_in_a_terminal(self) -> None:
        assert re.search(r"1 … 35 +35 × bottleneck_block +14×14×1024", in_terminal("shapes", "resnet152", columns=100))


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["shapes", "nothing.yaml"], "nothing.yaml: there is no such file, and no such network in the zoo"),
            (["shapes", "resnet51"], "resnet50 or"),
            (["shapes", "."], ".: is a directory, not a spec"),
            (["shapes", ""], "no spec is named"),
            (["shapes", "resnet:resnet51"], "zoo/resnet.yaml: there is no variant resnet51"),
            (["shapes", "lenet:x"], "hint: the file has no variants"),
            (["shapes", "lenet", "--set", "a=1"], "there is no argument a to set"),
            (["shapes", "lenet", "--set", "a"], "--set a makes no sense"),
            (["shapes", "resnet", "--set", "depths=[1,"], "--set depths=[1,: '[1,' is not an expression"),
            (["shapes", "resnet", "--set", "depths=[1]"], "the lists of foreach differ in length"),
            (["shapes", "lenet", "--input", "1x2"], "Conv2d wants channels, height and width; C1 receives 2×1"),
            (["shapes", "lenet", "--input", "abc"], "--input abc makes no sense"),
            (["shapes", "lenet", "--input", "1x0x2"], "has a size of 0"),
            (["shapes", "lenet", "--input", "x=1x2x2"], "there is no input x"),
            (["shapes", "lenet", "--input", "1x4x4"], "kernel 5 does not fit the 4×4 map that reaches C1"),
            (["shapes", "lenet", "--batch", "0"], "batch is 0"),
            (["shapes", "lenet", "--dtype", "float"], "there is no dtype float"),
            (["shapes", "lenet", "--format", "xml"], "there is no format xml"),
            (["shapes", "lenet", "--columns", "parms"], "hint: did you mean params?"),
            (["shapes", "lenet", "--sort", "parms"], "hint: did you mean params?"),
            (["shapes", "lenet", "--depth", "0"], "--depth 0 makes no sense"),
            (["shapes", "lenet", "--watch"], "--watch wants a file"),
            (["explain", "lenet", "C9"], "there is no layer C9"),
            (["explain", "lenet", "C1", "-q", "parms"], "hint: did you mean params?"),
            (["ops", "Conv2D"], "hint: did you mean Conv2d?"),
            (["check"], "there is nothing to check"),
            (["compare", "lenet", "nothing"], "nothing: there is no such file"),
            (["new", "nowhere/net"], "nowhere: there is no such folder"),
            (["new", "a b"], "'a b.yaml' is not a name for a file"),
            (["shaps", "lenet"], "Did you mean 'shapes'?"),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else "",
    )
    def test_one_message_and_exit_2(self, arguments: list[str], message: str, tmp_path: Path) -> None:
        start = time.perf_counter()
        done = cnncalc(*arguments, cwd=tmp_path)
        assert done.returncode == 2 and done.stdout == "" and message in done.stderr and "Traceback" not in done.stderr
        assert time.perf_counter() - start < 5 and list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "the file is empty"),
            (b"\x7fELF\x00\x01", "holds binary data"),
            (b"caf\xe9: 1", "is not UTF-8 text"),
            (b"- a\n- b", "this is a list"),
            (b"a" * (1 << 21), "a spec may have 1,048,576"),
            (b"a: &a [x, x]\n" + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)), "aliases followed"),
            (b"[" * 5000, "levels deep"),
            (b"input: [1, 8, 8]\nlayers: [{ReLU: {}, repeat: 10**12}]", "at least 1,000,000,000,000 layers"),
            (b"input: [1]\nblocks: {b: {args: [n], layers: [{b: {n: n - 1}, when: n > 0}, {b: {n: n - 1}, when: n > 0}]}}\nlayers: [{b: {n: 50}}]", "a network may have"),
        ],
    )  # fmt: skip
    def test_files_that_are_no_spec(self, content: bytes, message: str, tmp_path: Path) -> None:
        (tmp_path / "net.yaml").write_bytes(content)
        done = cnncalc("shapes", "net.yaml", cwd=tmp_path)
        assert (
            done.returncode == 2 and done.stdout == "" and message in done.stderr and done.stderr.startswith("net.yaml")
        )


class TestCheck:
    SPEC = "input: [1, 32, 32]\nlayers:\n  - Conv2d: {out_channels: 6, kernel_size: 5}\n    expect: {shape: [6, 28, 28], params: 150}\nexpect: {macs: 118K, params: 0.2K, top1: 99}\n"

    def test_a_claim_that_fails_shows_both_numbers_and_the_work(self, tmp_path: Path) -> None:
        (tmp_path / "net.yaml").write_text(self.SPEC)
        done = cnncalc("check", "net.yaml", cwd=tmp_path)
        assert done.returncode == 1
        assert "net.yaml:4:" not in done.stderr
        assert (
            "params is claimed as 150, but computed as 156" in done.stdout
            and "parameters   = 150 + 6 = 156" in done.stdout
        )
        assert "3 of 4 claims hold, 1 FAIL" in done.stdout

    def test_rounded_figures_hold_to_their_digits(self, tmp_path: Path) -> None:
        (tmp_path / "net.yaml").write_text(self.SPEC.replace("150}", "156}").replace("118K", "117K"))
        done = cnncalc("check", "net.yaml", "-f", "json", cwd=tmp_path)
        assert done.returncode == 1 and [each["holds"] for each in json.loads(done.stdout)] == [False, True, True, True]

    @pytest.mark.parametrize(("line", "code", "said"), [
        ("expect: {params: abc}", 2, "params 'abc' is no figure"),
        ("expect: {params: 0, foo: 3}", 0, "expect: foo is not computed, and so not checked"),
        ("expect: {params: 0, top1: 75.2}", 0, ""),
        ("disputed: [{source: a, note: b}]", 2, "no figure is disputed here"),
        ("disputed: [{source: a, note: b, parms: 3}]", 0, "disputed: parms is not computed"),
        ("disputed: [{source: a, note: b, params: 0}]", 1, ""),
        ("variants: {v: {}}\nexpect: {v: {parts: {nope: {params: 0}}}}", 2, "there is no part nope"),
        ("variants: {v: {}}\nexpect: {v: {parts: 3}}", 2, "parts wants names of layers with claims"),
        ("variants: {v: {}}\nexpect: {v: {parts: {a: {params: 1}}}}", 1, ""),
        ("variants: {v: {}}\nexpect: {v: {parts: {a: {params: 0, source: table 1}}}}", 0, ""),
    ])  # fmt: skip
    def test_what_may_be_claimed(self, line: str, code: int, said: str, tmp_path: Path) -> None:
        (tmp_path / "net.yaml").write_text(f"input: [1, 8, 8]\n{line}\nlayers: {{a: ReLU}}\n")
        done = cnncalc("check", "net.yaml", cwd=tmp_path)
        assert done.returncode == code and said in done.stderr and bool(done.stderr) == bool(said), done.stderr

    def test_a_family_is_checked_variant_by_variant(self) -> None:
        found = json.loads(cnncalc("check", "densenet", "-f", "json").stdout)
        names = {each["network"] for each in found}
        assert names == {"DenseNet", *(f"DenseNet (densenet{n})" for n in (121, 161, 169, 201))}
        assert all(each["holds"] is (None if each["disputed"] else True) for each in found)

    @pytest.mark.parametrize("family", ["mobilenet_v2", "googlenet"])
    def test_a_family_that_bears_the_name_of_a_variant_is_checked_whole(self, family: str) -> None:
        found = json.loads(cnncalc("check", family, "-f", "json").stdout)
        assert len({each["network"] for each in found}) >= 4

    def test_the_whole_zoo_is_every_variant(self) -> None:
        found = {each["network"] for each in json.loads(cnncalc("check", "--all", "-f", "json").stdout)}
        assert {"GoogLeNet (googlenet_2014)", "MobileNetV2 (mobilenet_v2_035)", "ResNet (resnet152_v1)"} <= found

    def test_a_misspelt_quantity_is_a_warning(self, tmp_path: Path) -> None:
        (tmp_path / "net.yaml").write_text("input: [1]\nlayers: [ReLU]\nexpect: {parms: 3}\n")
        done = cnncalc("check", "net.yaml", cwd=tmp_path)
        assert done.returncode == 0 and "did you mean params" in done.stderr


class TestNew:
    def test_a_first_spec_with_its_schema(self, tmp_path: Path) -> None:
        assert cnncalc("new", "my_net", cwd=tmp_path).returncode == 0
        text = (tmp_path / "my_net.yaml").read_text("utf-8")
        assert text.startswith("# yaml-language-server: $schema=./cnncalc.schema.json\n")
        assert json.loads((tmp_path / "cnncalc.schema.json").read_text("utf-8")) == json.loads(cnncalc("schema").stdout)
        assert cnncalc("check", "my_net.yaml", cwd=tmp_path).returncode == 0
        again = cnncalc("new", "my_net", cwd=tmp_path)
        assert again.returncode == 2 and "is there already" in again.stderr

    def test_a_copy_of_the_zoo(self, tmp_path: Path) -> None:
        assert cnncalc("new", "mine", "--like", "resnet50", cwd=tmp_path).returncode == 0
        assert analyse(tmp_path / "mine.yaml").totals.params == 25_557_032


class TestWatch:
    def lines(self, process: Any, until: str, seconds: float = 60) -> str:
        found, end = "", time.monotonic() + seconds
        while until not in found and time.monotonic() < end:
            if select.select([process.stdout], [], [], 0.2)[0]:
                found += os.read(process.stdout.fileno(), 65536).decode()
        assert until in found, found
        return found

    def test_it_prints_again_with_what_changed_and_errors(self, tmp_path: Path) -> None:
        path = tmp_path / "net.yaml"
        text = "input: [1, 32, 32]\nlayers:\n  a: {Conv2d: {out_channels: 6, kernel_size: 5}}\n"
        path.write_text(text)
        process = subprocess.Popen(
            [PROGRAM, "params", "net.yaml", "--watch"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"},
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # the tests may run where it is ignored
        )  # fmt: skip
        try:
            assert "156" in self.lines(process, "Ctrl-C ends")
            path.write_text(text.replace("6, k", "8, k"))
            found = self.lines(process, "Ctrl-C ends")
            assert (
                "a: output 28×28×6 → 28×28×8, parameters 156 → 208" in found
                and "total parameters: 156 → 208 (×1.33)" in found
            )
            path.write_text(text.replace("kernel_size: 5", "kernel_size: 50"))
            assert "kernel 50 does not fit the 32×32 map that reaches a" in self.lines(process, "Ctrl-C ends")
            path.write_text(text)
            assert "parameters 208 → 156" in self.lines(process, "Ctrl-C ends")
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
            assert "Traceback" not in os.read(process.stdout.fileno(), 65536).decode()  # type: ignore[union-attr]
        finally:
            process.kill()
            process.communicate()


def test_version_and_help() -> None:
    from cnncalc import __version__

    assert cnncalc("--version").stdout == f"cnncalc {__version__}\n"
    for command in [
        "",
        "shapes",
        "params",
        "flops",
        "memory",
        "receptive-field",
        "summary",
        "explain",
        "formulas",
        "check",
        "compare",
        "zoo",
        "ops",
        "schema",
        "new",
    ]:
        done = cnncalc(*([command] if command else []), "--help")
        assert done.returncode == 0 and "Usage: cnncalc" in done.stdout


def test_a_spec_that_claims_nothing(tmp_path: Path) -> None:
    (tmp_path / "bare.yaml").write_text("input: [1, 8, 8]\nlayers: [ReLU]\n")
    done = cnncalc("check", "bare.yaml", cwd=tmp_path)
    assert done.returncode == 0 and "nothing is claimed" in done.stdout
    done = cnncalc("check", "bare.yaml", "--require-claims", cwd=tmp_path)
    assert done.returncode == 1 and "bare claims nothing" in done.stderr
    assert cnncalc("check", "lenet", "--require-claims").returncode == 0
