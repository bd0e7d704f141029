"""Design spaces: each number is that of `analyse`, candidate by candidate; conditions, choice and files are exact."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from commands import cnncalc
from spaces import knobs

pytest.importorskip("numpy")
import numpy as np

from cnncalc import SpecError, analyse, sweep
from cnncalc.language.locate import zoo_files
from cnncalc.spaces import region
from cnncalc.spaces.api import drawn
from cnncalc.spaces.choose import unbeaten
from cnncalc.spaces.columns import Figured, figured
from cnncalc.spaces.condition import Condition
from cnncalc.spaces.region import Region, measured
from cnncalc.spaces.remembering import Real, Trace, Whole
from cnncalc.spaces.space import Space, read_axis
from cnncalc.spaces.sweep import Sweep
from cnncalc.spaces.symbolic import Symbolic

FIGURES = (
    "params",
    "macs",
    "flops",
    "activation_bytes",
    "weight_bytes",
    "peak_inference_bytes",
    "depth",
    "moved_bytes",
    "intensity",
)
FAMILIES = [path.stem for path in zoo_files()]
#: Candidates of each family that are compared with the calculator.
EACH = 4


@pytest.fixture(autouse=True)
def _asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The calculator says the same of a candidate whoever asks: a sweep that checks itself, or a test."""
    known: dict[Any, dict[str, tuple[Any, ...]]] = {}

    def remembered(space: Space, values: Sequence[Any], columns: Sequence[Figured], batch: int) -> dict[str, Any]:
        if any(isinstance(value, (Whole, Real)) for value in values):  # which remember what is made of them
            return measured(space, values, columns, batch)
        key = space, repr(values), tuple(column.name for column in columns), batch
        if key not in known:
            known[key] = measured(space, values, columns, batch)
        return known[key]

    monkeypatch.setattr(region, "measured", remembered)


def told(space: Space, index: int, columns: Sequence[Figured]) -> dict[str, Any]:
    """What the calculator says of a candidate; raises `SpecError` where it is none."""
    found = region.measured(space, space.values(index), columns, 1)
    return {name: numbers[0] / numbers[1] if len(numbers) == 2 else numbers[0] for name, numbers in found.items()}


def params(space: Space, index: int) -> int:
    """The parameters of a candidate, as the calculator counts them."""
    return told(space, index, [figured("params", space.base)])["params"]


def compared(space: Space, columns: tuple[str, ...], count: int, seed: int = 0) -> list[int]:
    """The candidates, among some that are drawn by chance, of which a sweep says anything else than the calculator."""
    rng = Random(seed)
    index = sorted({rng.randrange(space.size) for _ in range(count)})
    way = Sweep(space, columns)
    rows = way.rows(np.array(index))
    said = {int(i): {name: rows.figures[name][j].item() for name in columns} for j, i in enumerate(rows.index)}
    wrong = []
    for i in index:
        try:
            true: Any = told(space, i, way.figured)
        except SpecError:
            true = None
        if said.get(i) != true:
            wrong.append(i)
    return wrong


@pytest.mark.parametrize("name", FAMILIES)
def test_every_figure_of_every_family_is_that_of_the_calculator(name: str) -> None:
    assert compared(Space(name, knobs(name)), FIGURES, EACH) == []


@pytest.mark.parametrize(
    ("name", "over"),
    [
        ("resnet50", {"width_per_group": range(1, 300), "input": range(33, 400), "classes": range(1, 2000)}),
        ("mobilenet_v2", {"width": [x / 100 for x in range(10, 300, 7)], "input": range(32, 300)}),
        ("unet", {"width": range(1, 130), "input": range(188, 700)}),
        (
            "efficientnet_b0",
            {"width": [x / 20 for x in range(8, 40)], "depth": [0.6, 1.0, 1.4], "input": range(64, 400)},
        ),
        ("regnet_y_400mf", {"widths[0]": range(8, 49, 8), "widths[1]": range(48, 129, 8), "input": range(64, 257)}),
    ],
)
def test_wide_spaces_are_exact(name: str, over: Any) -> None:
    assert compared(Space(name, over, alone=True), FIGURES, 60, 1) == []


@pytest.mark.parametrize("name", ["resnet", "vgg", "unet", "squeezenet"])
def test_the_memory_of_training_is_exact(name: str) -> None:
    figures = ("saved_for_backward_bytes", "peak_training_bytes", "step_macs", "trainable_params")
    assert compared(Space(name, knobs(name)), figures, 5, 2) == []


@pytest.mark.parametrize("name", ["lenet", "mlp", "mobilenet_v1", "nin", "srcnn", "unet", "mobilevit", "fsrcnn"])
def test_the_receptive_field_is_exact(name: str) -> None:
    assert compared(Space(name, knobs(name)), ("receptive_field", "connections", "other"), 40, 3) == []


def test_what_python_would_forget_is_remembered(tmp_path: Path) -> None:
    """Slices from both ends, and fractions, which are reduced by what a number happens to be."""
    text = """
input: [12, 8, 8]
args: {channels: 12, start: 0, stop: 4, size: 5}
layers:
- Conv2d: {out_channels: channels, kernel_size: 3, padding: 1}
- Slice: {dim: 1, start: start, stop: stop}
- AdaptiveAvgPool2d: {output_size: size}
- Upsample: {size: [size + 2, size + 2]}
- Conv2d: {out_channels: 4, kernel_size: 3}
"""
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    axes = {
        "channels": range(3, 9),
        "start": range(-4, 5),
        "stop": range(-3, 9),
        "size": range(1, 6),
        "input": range(5, 10),
    }
    space = Space(str(tmp_path / "net.yaml"), axes)
    assert compared(space, ("params", "macs", "receptive_field"), 600, 5) == []


def test_numbers_remember_what_was_made_of_them() -> None:
    trace = Trace()
    w, n = trace.knob(0, 12), trace.knob(1, 7)
    assert isinstance(w, Whole) and isinstance(n, Whole)
    value = (w * w + 3 * w - n) // 4 + max(0, 5) + (n + 1) % 3
    assert value == (144 + 36 - 7) // 4 + 5 + 2 and isinstance(value, Whole)
    assert Fraction(w, 8) == Fraction(3, 2) and ("eq", (((), -12), ((0,), 1))) in trace.guards
    assert (4 * w) // 4 is not w and not trace.guards.get(("//", ())), "what divides leaves no trace"
    assert trace.knob(2, 0.75) * 1 > 0.5 and w != n and -w < 0 and bool(w) and abs(-w) == 12
    assert w.settled() == 12 and type(w.settled()) is int
    assert repr(w) != "12" and str(w) == "12" == f"{w}"


def test_a_region_speaks_only_for_those_that_answer_alike() -> None:
    space = Space("unet", {"width": [16, 32], "input": range(380, 412, 4)})
    regions = [Region(space, space.digits(i), [figured("params", space.base)], 1) for i in range(space.size)]
    way = Sweep(space, ("params",))
    for each in regions:
        mask = each.holds(way.chunk(np.arange(space.size)))
        assert 0 < mask.sum() < space.size, "what fits by its copies, and what does not"
        assert all(each.agrees(space.digits(int(i))) for i in np.nonzero(mask)[0])


def test_what_is_no_network_is_counted_by_reason() -> None:
    space = Space("unet", {"input": range(380, 604, 4)})
    way = Sweep(space, ("params",))
    found = sum(len(rows) for rows in way)
    alone = 0
    for i in range(space.size):
        try:
            analyse("unet", inputs=(1, *space.values(i) * 2))
            alone += 1
        except SpecError:
            pass
    assert found == alone and sum(way.rejected.values()) == space.size - found
    assert all("join" in reason for reason in way.rejected)


def test_more_than_64_bits_are_refused() -> None:
    with pytest.raises(SpecError, match="may not fit 64 bits"):
        list(sweep("resnet50", {"width_per_group": [10**9], "classes": range(1, 1000)}))
    with pytest.raises(SpecError, match="at most 9"):
        Space(
            "resnet50",
            {
                name: range(1, 1001)
                for name in ("width_per_group", "classes", "groups", "input", "depths[0]", "depths[1]", "depths[2]")
            },
        )


def test_a_candidate_is_made_again_from_its_number() -> None:
    space = Space("resnet50", {"width_per_group": [32, 64], "depths[2]": [4, 6], "input": [160, 224]})
    seen = [tuple(space.setting(i).values()) for i in range(space.size)]
    assert seen == list(itertools.product([32, 64], [4, 6], [160, 224]))
    assert params(space, 7) == analyse("resnet50").totals.params
    over = {f"depths[{i}]": range(1, 21) for i in range(4)}
    huge = Space(
        "resnet50", {**over, "width_per_group": range(1, 301), "classes": range(1, 100_001), "input": range(32, 10_032)}
    )
    assert huge.size > 4 * 10**16
    index = drawn(huge.size, 3, 3)
    rows = Sweep(huge, ("params",)).rows(index)
    assert rows.figures["params"].tolist() == [params(huge, int(i)) for i in index]


def test_drawing_does_not_repeat() -> None:
    assert len(set(drawn(10**15, 5000, 2).tolist())) == 5000
    assert drawn(10**15, 50, 2).tolist() == drawn(10**15, 50, 2).tolist() != drawn(10**15, 50, 3).tolist()


def test_conditions_know_units_and_names() -> None:
    values = {"params": np.array([4_999_999, 5_000_000, 5_000_001]), "depths[2]": np.array([1, 2, 3])}
    for text, expected in (
        ("params <= 5M", [True, True, False]),
        ("params < 5M and depths[2] >= 1", [True, False, False]),
        ("not params < 5M or depths[2] == 1", [True, True, True]),
        ("2 <= depths[2] < 3", [False, True, False]),
        ("params > 4MiB and params / depths[2] > 2.4M", [True, True, False]),
    ):
        assert Condition(text, values).holds(values).tolist() == expected, text
    for text in (
        "parms < 3",
        "params",
        "params <",
        "__import__('os')",
        "params if 1 else 2",
        "params.real < 3",
        "params < 'x'",
        "5M",
        "params ** 2 < 3",
        "x" * 2000,
    ):
        with pytest.raises(SpecError):
            Condition(text, values)


def test_the_front_is_that_of_comparing_all_with_all() -> None:
    rng = np.random.default_rng(4)
    for goals in (1, 2, 3):
        points = rng.integers(0, 12, (200, goals))
        kept = {tuple(points[i].tolist()) for i in unbeaten(points)}
        slow = {tuple(p.tolist()) for p in points if not any(np.all(q <= p) and np.any(q < p) for q in points)}
        assert kept == slow and len(unbeaten(points)) == len(slow)


def test_from_python() -> None:
    (rows,) = sweep("lenet", {"input": range(32, 65, 4)}, ("params", "macs"), "macs < 1M")
    assert rows.knobs["input"].tolist() == [32, 36, 40, 44]
    assert rows.figures["macs"].tolist() == [analyse("lenet", inputs=(1, n, n)).totals.macs for n in (32, 36, 40, 44)]


def test_axes_as_they_are_typed() -> None:
    assert read_axis("depths=[2,2,2,2],[3,4,6,3]") == ("depths", [[2, 2, 2, 2], [3, 4, 6, 3]])
    assert read_axis("bottleneck=true,false") == ("bottleneck", [True, False])
    for text in (
        "width",
        "width=",
        "width=3:1",
        "width=1:9:0",
        "width=1:9:-2",
        "width=a:b",
        "width=1:2:3:4",
        "width=((",
        "width=1:99999999",
    ):
        with pytest.raises(SpecError):
            read_axis(text)


def test_knobs_that_are_no_numbers_are_turned_too() -> None:
    rows = list(sweep("resnet50", {"depths": [[2, 2, 2, 2], [3, 4, 6, 3]], "bottleneck": [True, False]}, ("params",)))
    found = {int(value) for part in rows for value in part.figures["params"]}
    assert {
        analyse("resnet18").totals.params,
        analyse("resnet34").totals.params,
        analyse("resnet50").totals.params,
    } < found


def test_the_command(tmp_path: Path) -> None:
    over = ("--over", "width_per_group=32:128:32", "--over", "input=128:224:32")
    done = cnncalc(
        "sweep",
        "resnet50",
        *over,
        "--where",
        "macs <= 3G and params < 30M",
        "--sort",
        "-macs",
        "--top",
        "2",
        "-f",
        "json",
    )
    found = json.loads(done.stdout)
    assert [each["macs"] for each in found] == sorted((each["macs"] for each in found), reverse=True) and len(
        found
    ) == 2
    assert (
        found[0]["macs"]
        == analyse(
            "resnet50",
            args={"width_per_group": found[0]["width_per_group"]},
            inputs=(3, found[0]["input"], found[0]["input"]),
        ).totals.macs
    )
    done = cnncalc("sweep", "resnet50", *over, "--pareto", "macs, -input", "-f", "json")
    assert [each["input"] for each in json.loads(done.stdout)] == [128, 160, 192, 224]
    assert cnncalc("sweep", "resnet50", *over, "--where", "macs < 1").returncode == 1
    done = cnncalc("sweep", "resnet50", *over, "--show", "5", "-f", "json")
    assert json.loads(done.stdout)[0]["candidate"] == 5
    done = cnncalc("sweep", "resnet50", *over, "--spec", "5", "-o", "best.yaml", cwd=tmp_path)
    assert done.returncode == 0
    made = analyse(str(tmp_path / "best.yaml"))
    assert (
        made.totals.macs
        == json.loads(cnncalc("sweep", "resnet50", *over, "--show", "5", "-f", "json").stdout)[0]["macs"]
    )


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_files_say_what_they_are_of(tmp_path: Path, ending: str) -> None:
    done = cnncalc("sweep", "lenet", "--over", "input=32:64:4", "-o", f"rows.{ending}", cwd=tmp_path)
    assert done.returncode == 0 and "9 rows" in done.stderr
    lines = (tmp_path / f"rows.{ending}").read_text("utf-8").splitlines()
    if ending == "csv":
        head = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
        assert json.loads(head["space"])["candidates"] == 9 and "convention" in head and "hash" in head
        assert lines[len(head)] == "candidate,input,params,macs" and len(lines) == len(head) + 10
    else:
        assert json.loads(lines[0])["space"]["candidates"] == 9
        assert json.loads(lines[1]) == {"candidate": 0, "input": 32, "params": 61706, "macs": 416520}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--over", "widht=1:3"), "widht is no knob"),
        (("--over", "depths[9]=1:3"), "it has 4 items"),
        (("--over", "classes=3:1"), "is no range"),
        (("--over", "classes=1:9", "--over", "classes=1:3"), "turned twice"),
        (("--over", "depths=[1,1,1,1],[2,2,2,2]", "--over", "depths[0]=1:3"), "is turned twice"),
        (("--over", "classes=1:9", "--where", "parms < 3"), "did you mean params?"),
        (("--over", "depths=[1,1,1,1],[2,2,2,2]", "--where", "depths < 3"), "what cannot be compared"),
        (("--over", "depths=[1,1,1,1],[2,2,2,2]", "--where", "depths + 1 == 3"), "what cannot be compared"),
        (("--over", "depths=[1,1,1,1],[2,2,2,2]", "--pareto", "depths"), "none of its values is the smaller one"),
        (("--over", "classes=1:9", "--sort", "parms"), "did you mean params?"),
        (("--over", "classes=1:9", "--columns", "parms"), "did you mean params?"),
        (("--over", "classes=1:9", "--columns", "shape"), "shape is of no part"),
        (("--over", "classes=1:9", "-o", "rows.xls"), "tells no form of rows"),
        (("--over", "classes=1:9", "--show", "9"), "there is no candidate 9"),
        (("--over", "input=0:1"), "a size is a whole number from 1 on"),
        (("--over", "groups=-3,-2"), "no candidate is a network"),
        ((), "nothing is turned"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_said(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = cnncalc("sweep", "resnet50", *words, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and not list(tmp_path.iterdir()), done.stderr


def test_without_numpy_one_line_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['numpy'] = None; sys.argv = ['cnncalc', 'sweep', 'lenet', '--over', 'input=32:64']; from cnncalc.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "pip install 'cnncalc[spaces]'" in done.stderr


@pytest.mark.parametrize(
    ("name", "knob", "figure"),
    [("resnet50", "width_per_group", "params"), ("resnet50", "input", "macs"), ("densenet121", "growth", "macs"),
     ("vgg16", "classes", "params"), ("unet", "width", "params"), ("convnext_tiny", "widths[2]", "macs"), ("alexnet", "input", "flops")],
)  # fmt: skip
def test_a_formula_over_a_knob_gives_what_the_calculator_gives(name: str, knob: str, figure: str) -> None:
    made = Symbolic(name, knob, figure)
    rng = Random(1)
    assert made.value in made.holds and len(made.holds) > 20
    for value in [made.value, *rng.sample(made.holds, 6)]:
        space = Space(name, {knob: [value]})
        report = analyse(space.graph([value]))
        assert made.at(made.total, value) == getattr(report.totals, figure)
        for formula in rng.sample(made.layers, 5):
            assert made.at(formula, value) == getattr(report[formula.name], figure)


def test_the_formula_of_a_convolution_is_the_textbooks() -> None:
    text = "input: [3, 32, 32]\nargs: {k: 16}\nlayers: [{Conv2d: {out_channels: k, kernel_size: 3}}, {Conv2d: {out_channels: 2 * k, kernel_size: 3}}]\n"
    from cnncalc.errors import Source
    from cnncalc.language.spec import open_spec

    made = Symbolic(open_spec(Source("net.yaml", text)), "k", "weights")
    letters = made.letters()
    assert [made.text(each.polynomial, letters) for each in (*made.layers, made.total)] == [
        "27·k",
        "18·k²",
        "18·k² + 27·k",
    ]
    assert (
        made.doubled()
        == f"twice k: ×{(18 * 1024 + 27 * 32) / (18 * 256 + 27 * 16):.3g}; the quadratic part is {100 * 18 * 256 / (18 * 256 + 27 * 16):.3g} % at 16"
    )


def test_the_command_explains_by_symbols() -> None:
    done = cnncalc("explain", "resnet18", "--symbolic", "input", "-q", "macs")
    assert done.returncode == 0 and "a = ⌊(input − 1)/2⌋" in done.stdout and "it holds for input" in done.stdout
    for words, said in ((("--symbolic", "depths"), "no whole number that a formula could hold"), (("--symbolic", "inptu"), "did you mean input?"),
                        (("nothing", "--symbolic", "classes"), "there is no layer nothing"), (("--symbolic", "classes", "-q", "shape"), "is no whole number")):  # fmt: skip
        done = cnncalc("explain", "resnet18", *words)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_the_largest_width_under_a_budget_is_the_largest() -> None:
    done = cnncalc("solve", "resnet50", "width_per_group", "--such-that", "macs <= 2G", "--max", "-f", "json")
    (row,) = json.loads(done.stdout)["rows"]
    width = row["width_per_group"]
    assert row["macs"] == analyse("resnet50", args={"width_per_group": width}).totals.macs <= 2 * 10**9
    assert analyse("resnet50", args={"width_per_group": width + 1}).totals.macs > 2 * 10**9


def test_several_knobs_at_once_and_all_that_reach_the_most() -> None:
    over = ("--over", "width_per_group=32:128:32", "--over", "input=128:256:32")
    done = cnncalc("solve", "resnet50", *over, "--such-that", "macs <= 1G", "--max", "-f", "json")
    rows = json.loads(done.stdout)["rows"]
    assert [(row["width_per_group"], row["input"]) for row in rows] == [(32, 128), (32, 160)]


def test_where_none_does_it_the_nearest_is_told() -> None:
    done = cnncalc("solve", "resnet50", "width_per_group", "--such-that", "params <= 1k", "-f", "json")
    assert done.returncode == 1 and json.loads(done.stdout) == {
        "met": False,
        "rows": [
            {
                "candidate": 0,
                "width_per_group": 1,
                "params": analyse("resnet50", args={"width_per_group": 1}).totals.params,
            }
        ],
    }


def test_windows_are_those_of_trying_all() -> None:
    done = cnncalc(
        "solve",
        "conv",
        "--given",
        "N=56, O=28",
        "--over",
        "F=1:7",
        "--over",
        "S=1:3",
        "--over",
        "P=0:3",
        "--over",
        "D=1:2",
        "--top",
        "1000",
        "-f",
        "json",
    )
    found = {(row["F"], row["S"], row["P"], row["D"]) for row in json.loads(done.stdout)}
    tried = itertools.product(range(1, 8), range(1, 4), range(4), range(1, 3))
    assert found == {
        (f, s, p, d)
        for f, s, p, d in tried
        if 56 + 2 * p >= d * (f - 1) + 1 and len(range(0, 56 + 2 * p - d * (f - 1), s)) == 28
    }
    done = cnncalc(
        "solve",
        "transposed",
        "--given",
        "N=7, O=14",
        "--over",
        "F=2:4",
        "--over",
        "S=2",
        "--over",
        "P=0:1",
        "-f",
        "json",
    )
    assert {(row["F"], row["P"]) for row in json.loads(done.stdout)} == {(2, 0), (4, 1)}
    done = cnncalc("solve", "pool", "--given", "N=7, O=5", "--over", "S=3:4")
    assert done.returncode == 1 and "none gives 5; the nearest is shown" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("resnet50", "width_per_group"), "nothing is asked for"),
        (("resnet50", "--such-that", "macs <= 1G"), "no knob is named"),
        (("resnet50", "depths", "--such-that", "macs <= 1G"), "no whole number that a formula could hold"),
        (("resnet50", "width_per_group", "--such-that", "macs >= 1"), "and beyond"),
        (("resnet50", "width_per_group", "--such-that", "mcas >= 1"), "did you mean macs?"),
        (("resnet50", "--given", "N=7, O=5"), "--given is for a window alone"),
        (("conv", "--given", "N=7"), "by what goes in and what comes out"),
        (("conv", "--given", "N=7, O=x"), "a whole number is wanted"),
        (("conv", "--given", "N=7, O=5", "--over", "Q=1:3"), "there is no letter Q"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_solved_is_said(words: tuple[str, ...], said: str) -> None:
    done = cnncalc("solve", *words)
    assert done.returncode == 2 and said in done.stderr, done.stderr + done.stdout


def test_a_cloud_holds_all_that_nothing_beats(tmp_path: Path) -> None:
    over = ("--over", "width_per_group=32:256:4", "--over", "input=96:320:4")
    done = cnncalc("sweep", "resnet50", *over, "--draw", "macs,params", "-o", "cloud.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "cloud.svg").read_text("utf-8")
    dots = re.findall(r'data-name="([\d,]+)" data-x="(\d+)\.0" data-y="(\d+)\.0"', text)
    assert 600 <= len(dots) <= 700 and "3,249 candidates" in text
    space = Space("resnet50", dict(map(read_axis, over[1::2])))
    for name, macs, params in dots[:5]:
        columns = [figured(each, space.base) for each in ("macs", "params")]
        found = told(space, int(name.replace(",", "")), columns)
        assert found == {"macs": int(macs), "params": int(params)}
    (best,) = Sweep(space, ("macs", "params")).over(range(1))
    assert ("0", str(best.figures["macs"][0]), str(best.figures["params"][0])) in dots
    assert cnncalc("sweep", "resnet50", *over, "--draw", "macs", "-o", "c.svg", cwd=tmp_path).returncode == 2
    assert cnncalc("sweep", "resnet50", *over, "--draw", "mcas,params", "-o", "c.svg", cwd=tmp_path).returncode == 2


def test_formulas_that_are_wrong_are_noticed_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    way = Sweep(Space("lenet", {"input": range(32, 64)}), ("params",))
    way.rows(np.arange(8))
    (only,) = way.regions
    monkeypatch.setitem(only.figures, "params", ((((), 5),),))
    with pytest.raises(SpecError, match="are not those of its candidates"):
        for _ in range(4):
            way.rows(np.arange(32))


NESTED = [f"v{i}" for i in range(60)]
HOSTILE = {
    "halves": "name: d\ninput: [3, 8, 8]\nargs:\n  v0: 1.0\n"
    + "".join(f"  {b}: '{a} * 0.5 + {a} * 0.5'\n" for a, b in itertools.pairwise(NESTED))
    + "layers: [{Conv2d: {out_channels: 'round(v59)', kernel_size: 1}}]\n",
    "power": "name: p\ninput: [3, 8, 8]\nargs: {v0: 1, b: 1}\nlayers: [{Conv2d: {out_channels: '(v0 + b - 1) ** 9000', kernel_size: 1}}]\n",
    "chain": "name: c\ninput: [3, 8, 8]\nargs: {v0: 1.0}\nlayers:\n  - {Conv2d: {out_channels: 'round(64 * v0)', kernel_size: 1}}\n"
    "  - {Conv2d: {out_channels: 'divisible(in_channels * 1.001, 8)', kernel_size: 1}, repeat: 1500}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_numbers_that_remember_too_much_cost_no_more_than_a_candidate(name: str, tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(HOSTILE[name], "utf-8")
    values = [1, 2, 3] if name == "power" else [1.0, 1.5, 2.0]
    over = {"v0": values, "b": [1, 2]} if name == "power" else {"v0": values}
    begun = time.monotonic()
    assert compared(Space(str(tmp_path / "net.yaml"), over), ("params", "macs"), 6) == []
    assert time.monotonic() - begun < 60, "minutes, or all memory, where each number kept all that it came from"


def test_few_regions_are_kept_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncalc.spaces.sweep.MOST_REGIONS", 3)
    space = Space("resnet18", {"depths[0]": range(1, 5), "depths[1]": range(1, 4), "classes": [10, 100]})
    way = Sweep(space, ("params",))
    rows = way.rows(np.arange(space.size))
    assert len(way.regions) == 3 and len(rows) == space.size
    assert all(rows.figures["params"][i] == params(space, i) for i in range(0, space.size, 5))


def test_a_knob_that_is_given_twice_is_told() -> None:
    done = cnncalc("solve", "resnet50", "--over", "classes=1:3", "--over", "classes=1:5", "--such-that", "params > 1")
    assert done.returncode == 2 and "classes is turned twice" in done.stderr
