"""What a spec states of its space: read, checked at its place, and no concern of anything but a sweep."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse, load, schema
from cnncalc.errors import Source

SPEC = """\
input: [3, 32, 32]
args: {{width: 16, groups: 1, depths: [1, 2], kernel: 3}}
space:
  {}
layers:
- Conv2d: {{out_channels: width, kernel_size: kernel, groups: groups}}
"""


def stated(line: str) -> str:
    return SPEC.format(line)


def test_axes_are_lists_ranges_items_and_knobs_that_move_together() -> None:
    lines = (
        "width: {from: 8, to: 20, by: 4}",
        "depths[1], kernel: [[1, 3], [2, 5]]",
        "input: [16, 32]",
        "groups: [1, 2]",
        "where: width % groups == 0",
    )
    space = load(Source("net.yaml", stated("\n  ".join(lines)))).space
    assert [axis.name for axis in space.axes] == ["width", "depths[1],kernel", "input", "groups"]
    assert space.axes[0].values == ((8,), (12,), (16,), (20,)) and space.axes[1].values == ((1, 3), (2, 5))
    assert space.where == ("width % groups == 0",)
    found = load(Source("net.yaml", stated("width: {from: width // 2, to: 2 * width, by: 8}"))).space
    assert found.axes[0].values == ((8,), (16,), (24,), (32,)), "expressions over the arguments"
    found = load(Source("net.yaml", stated("width: {from: 0.1, to: 0.7, by: 0.2}"))).space
    assert [Fraction(str(value)) for (value,) in found.axes[0].values] == [Fraction(n, 10) for n in (1, 3, 5, 7)]


@pytest.mark.parametrize(
    ("line", "said", "place"),
    [
        ("widht: [1]", "widht is no knob", (4, 3)),
        ("width: {from: 8, too: 20}", "a range has no too", (4, 3)),
        ("width: {from: 8}", "a range without to has no end", (4, 3)),
        ("width: {to: 8}", "a range without from has no end", (4, 3)),
        ("width: {from: 8, to: 4}", "from 8 to 4 by 1 is no range", (4, 3)),
        ("width: {from: 8, to: 14, by: 0}", "by 0 is no range", (4, 3)),
        ("width: {from: 8, to: 14, by: true}", "the ends of a range are numbers", (4, 3)),
        ("width: {from: 1, to: 9999999999}", "a range of more than 100,000 values", (4, 3)),
        ("width: {from: 1, to: .inf}", "is not an expression", (4, 24)),
        ("width: 16", "the values of a knob are a list, or a range", (4, 3)),
        ("width: []", "width has no values", (4, 3)),
        ("width: [8, 8]", "width has the value 8 twice", (4, 3)),
        ("width: [nothing]", "nothing", (4, 11)),
        ("depths[2]: [1]", "depths[2] is no item of depths", (4, 3)),
        ("width[0]: [1]", "it is no list", (4, 3)),
        ("width, groups: [[8, 1], [8]]", "move together, and [8] is no value of each", (4, 3)),
        ("depths, depths[0]: [[[1, 1], 2]]", "depths[0] is turned twice", (4, 3)),
        ("depths: [[1, 1]]\n  depths[0]: [1]", "depths[0] is turned twice", (5, 3)),
        ("input: [0]", "a size is a whole number from 1 on", (4, 3)),
        ("where: [width]", "it compares nothing", (4, 11)),
        ("where: [wdth > 3]", "there is no wdth", (4, 11)),
        ("where: width >", "it is no condition", (4, 10)),
        ("where: {a: b}", "where wants conditions", (4, 10)),
        ("[a]", "space wants knobs with their values", (4, 3)),
        ("where: width.params > 3", "there is no width.params", (4, 10)),
        ("where: __import__('os') == 1", "may not stand here", (4, 10)),
        (f"where: width < {'-' * 900}1", "levels deep", (4, 10)),
        (f"where: width < 1{'+1' * 400}", "levels deep", (4, 10)),
        (f"where: width < {'9' * 900}", "larger than any figure", (4, 10)),
    ],
)
def test_every_mistake_stands_at_its_place(line: str, said: str, place: tuple[int, int]) -> None:
    with pytest.raises(SpecError) as refused:
        load(Source("net.yaml", stated(line)))
    (problem,) = refused.value.problems
    assert said in problem.message + problem.hint, problem.text
    assert problem.place is not None and (problem.place.line, problem.place.column) == place, problem.text


def test_an_editor_knows_it() -> None:
    validator = jsonschema.Draft7Validator(schema())
    base = {"input": [3, 8, 8], "layers": ["ReLU"], "args": {"width": 8}}
    for space in ({"width": {"from": 1, "to": 9}}, {"width": [1, 2], "where": ["width > 1"]}, {"a, b": [[1, 2]]}):
        assert not list(validator.iter_errors({**base, "space": space}))
    for space in ({"width": {"from": 1}}, {"width": {"from": 1, "to": 2, "step": 3}}, {"width": []}, {"where": 3}, [1]):
        assert list(validator.iter_errors({**base, "space": space})), space


def test_a_space_of_any_size_costs_nothing_to_state() -> None:
    lines = "\n  ".join(f"width{i}: {{from: 1, to: 100000}}" for i in range(8))
    args = ", ".join(f"width{i}: 8" for i in range(8))
    text = f"input: [3, 8, 8]\nargs: {{{args}}}\nspace:\n  {lines}\nlayers: [ReLU]\n"
    assert len(load(Source("net.yaml", text)).space.axes) == 8
    too_many = text.replace("to: 100000", "to: 90000, by: 1").replace("width7: 8", "width7: 8, more: 1")
    assert len(load(Source("net.yaml", too_many)).space.axes) == 8


def test_other_commands_take_no_notice(tmp_path: Path) -> None:
    (tmp_path / "with.yaml").write_text(stated("width: [8, 16, 32]"), "utf-8")
    (tmp_path / "without.yaml").write_text(stated("").replace("space:\n", ""), "utf-8")
    for command in ("shapes", "params", "check", "memory"):
        found, expected = (cnncalc(command, name, cwd=tmp_path) for name in ("with.yaml", "without.yaml"))
        assert found.returncode == expected.returncode == 0
        assert found.stdout.replace("with", "without") == expected.stdout
    assert analyse("regnet").totals.params == analyse("regnet_x_400mf").totals.params


def test_over_adds_and_stands_in_place_of_what_turns_the_same(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    from cnncalc.spaces.space import Space

    path = tmp_path / "net.yaml"
    path.write_text(stated("width: [8, 16]\n  depths[0], kernel: [[1, 3], [2, 5]]\n  where: width > 8"), "utf-8")
    assert Space(str(path), {}).size == 4
    assert Space(str(path), {"width": [8, 16, 24], "input": [16, 32]}).names == [
        "width",
        "depths[0]",
        "kernel",
        "input",
    ]
    assert Space(str(path), {"kernel,depths[0]": [[1, 1]]}).size == 2
    with pytest.raises(SpecError, match=r"kernel moves together with depths\[0\]"):
        Space(str(path), {"kernel": [1, 3]})
    with pytest.raises(SpecError, match="nothing is turned"):
        Space("lenet", {})


def test_the_sliders_of_the_page_are_those_of_the_space() -> None:
    from cnncalc.language.model import graph_of
    from cnncalc.language.spec import open_spec
    from cnncalc.page.desk.knobs import knobs

    text = stated(
        "width: {from: 8, to: 40, by: 8}\n  kernel: [1, 2, 5]\n  input: [16, 24, 32]\n  depths[1], groups: [[2, 1], [3, 2]]"
    )
    spec = open_spec(Source("net.yaml", text))
    found = {knob.name: (knob.low, knob.high, knob.step) for knob in knobs(spec, graph_of(spec).space)}
    assert found["width"] == (8, 40, 8) and found["input: size"] == (16, 32, 8) and found["depths[1]"] == (2, 3, 1)
    assert found["kernel"] == {knob.name: (knob.low, knob.high, knob.step) for knob in knobs(spec)}["kernel"], (
        "in no steps"
    )
