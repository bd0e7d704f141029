"""The zoo as people use it: filtered, sorted, told, shown; flat specs; what is disputed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse, check, load
from cnncalc.answers.zoo import Filter, all_entries, story, zoo_table
from cnncalc.cli.options import count_of
from cnncalc.errors import Source
from cnncalc.formats import render
from cnncalc.language.flat import flat
from cnncalc.language.locate import variant_names, zoo_files, zoo_folder
from cnncalc.ops import MERGES

#: The networks of the zoo, without what only stands above variants.
NAMES = [name for path in zoo_files() for name in variant_names(path.read_text("utf-8")) or [path.stem]]


def names(filter: Filter = Filter(), sort: str = "") -> list[Any]:  # noqa: B008
    return [line.cells[0] for line in zoo_table(filter, sort).lines]


# -- finding one -----------------------------------------------------------------------------------------------------


def test_every_network_that_a_person_might_look_up() -> None:
    files = {path.stem for path in zoo_files()}
    assert files >= {
        "alexnet", "alexnet_2012", "vgg", "resnet", "squeezenet", "densenet", "googlenet", "inception_v3", "mobilenet_v1",
        "mobilenet_v2", "mobilenet_v3", "shufflenet_v1", "shufflenet_v2", "mnasnet", "mnasnet_a1", "efficientnet",
        "efficientnet_v2", "regnet", "convnext", "lenet", "lenet_1", "lenet_4", "lenet_1989", "lenet_1998", "zfnet", "nin",
        "preact_resnet", "resnet_cifar", "wide_resnet_cifar", "densenet_cifar", "senet", "xception", "ghostnet", "darknet",
        "yolov3", "ssd", "fcn", "segnet", "unet", "deeplab_v3", "dcgan", "srcnn", "fsrcnn", "espcn", "vdsr", "c3d",
        "video_resnet", "raw_audio",
    }  # fmt: skip
    assert [entry.name for entry in all_entries()] == NAMES
    found = set(NAMES)
    assert found >= {
        "wrn_28_10",
        "wrn_40_4",
        "googlenet_aux",
        "inception_v3_aux",
        "googlenet_2014",
        "m5",
        "m18",
        "fcn8s",
    }


def test_filters_leave_what_they_say() -> None:
    small = names(Filter(task="detection", params=(None, 30_000_000)))
    assert small == ["ssd300", "yolov8n", "yolov8s", "yolov8m"]
    for name in names(Filter(macs=(10**9, 2 * 10**9), years=(2016, 2019))):
        entry = next(each for each in all_entries() if each.name == name)
        assert 10**9 <= entry.macs <= 2 * 10**9 and 2016 <= (entry.year or 0) <= 2019
    assert all((next(e for e in all_entries() if e.name == name).top1 or 0) >= 84 for name in names(Filter(top1=84.0)))
    assert not set(names(Filter(top1=1.0))) & {"unet", "yolov3"}, "what is not known is not above a bound"


def test_sorting_puts_the_largest_first_and_the_unknown_last() -> None:
    by_top1 = [next(e for e in all_entries() if e.name == name).top1 for name in names(sort="top1")]
    known = [value for value in by_top1 if value is not None]
    assert known == sorted(known, reverse=True) and by_top1[: len(known)] == known
    assert names(sort="-params")[0] == min(all_entries(), key=lambda e: e.params).name
    assert names(sort="name") == sorted(e.name for e in all_entries())


@pytest.mark.parametrize(("arguments", "message"), [
    (["zoo", "resnet5"], "did you mean resnet5"),
    (["zoo", "--task", "detecton"], "did you mean detection?"),
    (["zoo", "--max-params", "many"], "--max-params many makes no sense"),
    (["zoo", "--sort", "size"], "the zoo has no column size"),
    (["zoo", "resnet50", "--sort", "params"], "filters and --sort are for the whole list"),
    (["zoo", "resnext"], "did you mean resnext50_32x4d or"),
    (["zoo", "resnet:51"], "there is no variant 51"),
    (["zoo", "lenet:foo"], "the file has no variants"),
    (["zoo", ""], "no spec is named"),
    (["zoo", "--task", ""], "--task names no task"),
    (["zoo", "--min-top1", "nan"], "is no accuracy in %"),
    (["zoo", "--min-top1", "0.75"], "from 1 to 100"),
    (["show", "resnet5"], "did you mean resnet5"),
    (["show", "resnet:51"], "there is no variant 51"),
    (["show", "resnet50", "-o", "x.json"], "a spec is YAML"),
    (["new", "x", "--like", "resnet:51"], "there is no variant 51"),
    (["new", ""], "the new spec has no name"),
    (["check", "nope"], "there is no such file"),
    (["show", "resnet50", "--set", "classes=10"], "--set and --input go with --expanded"),
])  # fmt: skip
def test_what_is_not_there_is_one_message(arguments: list[str], message: str) -> None:
    done = cnncalc(*arguments)
    assert done.returncode == 2 and message in done.stderr and done.stdout == "" and "Traceback" not in done.stderr


def test_names_as_people_write_them() -> None:
    for written, name in (("ResNet-50", "resnet50"), ("VGG-16", "vgg16"), ("U-Net", "unet"), ("EfficientNet-B0", "efficientnet_b0")):  # fmt: skip
        assert analyse(written).totals.params == analyse(name).totals.params
    assert analyse("regnet_x_16gf").totals.params != analyse("regnet_x_1_6gf").totals.params
    assert names(Filter(task="Detection")) == names(Filter(task="detection"))


def test_bounds_as_people_write_them() -> None:
    for bound in ("5M", "5m", "5e6", "5,000,000", "5_000_000", "5000000"):
        assert count_of(bound, "--max-params") == 5_000_000
    done = cnncalc("zoo", "--max-params", "0")
    assert done.returncode == 0 and done.stdout == "none of 234 networks is like that\n"


def test_the_table_is_as_its_data() -> None:
    done = cnncalc("zoo", "--task", "detection", "-f", "csv")
    rows = [line.split(",") for line in done.stdout.splitlines()]
    assert rows[0][:4] == ["name", "network", "year", "task"] and {row[0] for row in rows[1:]} >= {"yolov3", "ssd300"}
    shown = json.loads(cnncalc("zoo", "--sort", "params", "-f", "json").stdout)
    listed = cnncalc("zoo", "-f", "csv").stdout.splitlines()
    assert len(listed) == len(NAMES) + 1 and [
        each["name"] for each in json.loads(cnncalc("zoo", "-f", "json").stdout)
    ] == [line.split(",")[0] for line in listed[1:]]
    assert len(shown) == len(NAMES) and shown[0]["params"] == max(e.params for e in all_entries())


def test_the_story_of_one() -> None:
    text = render(story("resnet50"), "table")
    for part in ("2015 · classification", "He, Zhang, Ren & Sun", "strides in the 3×3", "resnet152", "25,557,032", "top1 76.13",
                 "disputed, resnet50: macs 3.8G (table 1)", "cnncalc summary resnet50 --set classes=10"):  # fmt: skip
        assert part in text, part
    document = json.loads(cnncalc("zoo", "efficientnet", "-f", "json").stdout)
    assert document["year"] == 2019 and len(document["variants"]) == 9 and document["disputed"][0]["source"]
    assert {each["quantity"] for each in document["published"]} >= {"params", "macs", "top1"}


# -- showing one -----------------------------------------------------------------------------------------------------


def test_show_prints_the_file_as_it_stands() -> None:
    assert cnncalc("show", "vgg16").stdout == (zoo_folder() / "vgg.yaml").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_flat_network_is_a_spec_that_gives_the_same_figures(name: str) -> None:
    theirs = analyse(name)
    ours = analyse(Source("flat.yaml", flat(theirs.graph)))
    assert not ours.warnings
    assert [node.inputs for node in ours.graph.nodes] == [node.inputs for node in theirs.graph.nodes]
    notes = [{row.name: row.layer.note for row in report if row.type not in MERGES} for report in (ours, theirs)]
    assert notes[0] == notes[1]
    assert ours.graph.outputs == theirs.graph.outputs
    for a, b in zip(ours, theirs, strict=True):
        assert (a.name, a.type, a.output_shape, a.figures, a.layer.op) == (
            b.name,
            b.type,
            b.output_shape,
            b.figures,
            b.layer.op,
        )
    assert {c.quantity: c.value for c in ours.graph.claims} == {
        c.quantity: c.value for c in theirs.graph.claims if not c.name
    }


def test_flat_specs_keep_knobs_inputs_and_declared_types() -> None:
    text = """
input: {image: [3, 8, 8], depth: [1, 8, 8]}
args: {classes: 3}
types: {Deform: {args: [k], shape: same, params: k * in_channels, macs: 7}}
layers:
  joined: {concat: [image, depth]}
  group:
    - Deform: {k: 2}
    - Deform: {k: 3}
    - add: [[{Conv2d: {out_channels: 4, kernel_size: 1}}], '0']
    - .Conv2d: {Conv2d: {out_channels: classes, kernel_size: 3, padding: [1, 0]}}
outputs: [group, joined]
"""
    theirs = analyse(Source("net.yaml", text), args={"classes": 5})
    ours = analyse(Source("flat.yaml", flat(theirs.graph)))
    assert [(row.name, row.figures) for row in ours] == [(row.name, row.figures) for row in theirs]
    assert ours["group.Conv2d"].output_shape == (5, 8, 6) and ours.graph.outputs == theirs.graph.outputs
    with pytest.raises(SpecError, match="is not known, so the network cannot be written down whole"):
        flat(load(Source("net.yaml", "input: [3]\nlayers: [Foo]")))


def test_expanded_with_knobs_on_the_command_line() -> None:
    done = cnncalc("show", "resnet18", "-x", "--set", "classes=10", "--input", "3x64x64")
    assert (
        done.returncode == 0
        and "input: [3, 64, 64]" in done.stdout
        and "fc: {Linear: {out_features: 10}}" in done.stdout
    )


# -- what the language gained ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["layers", "inline", "Conv2d", "concat"])
def test_a_dot_makes_any_word_a_name(name: str) -> None:
    graph = load(Source("net.yaml", f"input: [3, 8, 8]\nlayers:\n  .{name}:\n    - ReLU\n    - .{name}: ReLU\n"))
    assert [layer.name for layer in graph.layers] == [f"{name}.0", f"{name}.{name}"]


DISPUTED = """
input: [3, 8, 8]
args: {{k: 3}}
variants: {{small: {{k: 1}}}}
layers: [{{Conv2d: {{out_channels: 4, kernel_size: k}}}}]
disputed:
  - {{{entry}}}
"""


def test_what_is_disputed_holds_as_long_as_it_does_not_agree() -> None:
    (spec,) = check(Source("net.yaml", DISPUTED.format(entry="params: 100, source: a blog, note: it counts no biases")))
    assert spec.holds and [(v.claim.value, v.computed) for v in spec.disputed] == [(100, 112)]
    (spec,) = check(Source("net.yaml", DISPUTED.format(entry="params: 112, source: a blog, note: why")))
    assert not spec.holds
    found = check(Source("net.yaml", DISPUTED.format(entry="variant: small, part: '0', macs: 5, source: s, note: n")))
    assert [(each.title, [v.computed for v in each.disputed]) for each in found] == [("net (small)", [768])]
    found = check(Source("net.yaml", DISPUTED.format(entry="variant: [small], top1: 5, source: s, note: n")))
    assert found[0].holds and found[0].disputed[0].computed is None


@pytest.mark.parametrize(("entry", "message"), [
    ("params: 1, note: n", "no source here"),
    ("params: 1, source: s", "no note here"),
    ("variant: smal, params: 1, source: s, note: n", "disputed names the variant smal, which there is not"),
    ("part: conv, params: 1, source: s, note: n", "there is no part conv"),
])  # fmt: skip
def test_a_dispute_that_cannot_be_meant(entry: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(Source("net.yaml", DISPUTED.format(entry=entry)))


def test_the_command_shows_disputes_as_such(tmp_path: Path) -> None:
    done = cnncalc("check", "efficientnet_b4")
    assert done.returncode == 0 and "disputed" in done.stdout and "the paper rounds low" in done.stdout
    assert "1 published figure disputed" in done.stdout
    (tmp_path / "net.yaml").write_text(DISPUTED.format(entry="params: 112, source: a blog, note: why"))
    done = cnncalc("check", str(tmp_path / "net.yaml"))
    assert done.returncode == 1 and "AGREE with what is computed" in done.stdout
    document = json.loads(cnncalc("check", "mnasnet_a1", "-f", "json").stdout)
    assert [each["claimed"] for each in document if each["disputed"]] == ["315.2M", "325.77M"]
    assert [each["disputed"] for each in document] == sorted(each["disputed"] for each in document)


def test_a_year_is_a_number() -> None:
    with pytest.raises(SpecError, match="a year is a whole number"):
        load(Source("net.yaml", "year: long ago\ninput: [3]\nlayers: [ReLU]"))


def test_no_warning_for_linear_layers_on_channels_that_were_turned_last() -> None:
    text = "input: [3, 8, 8]\nlayers:\n  - Permute: {dims: [0, 2, 3, 1]}\n  - Linear: {out_features: 4}\n"
    assert not load(Source("net.yaml", text)).warnings
    assert load(Source("net.yaml", text.replace("0, 2, 3, 1", "0, 3, 2, 1"))).warnings == []
    assert load(Source("net.yaml", text.replace("0, 2, 3, 1", "0, 1, 3, 2"))).warnings[0].code == "linear-on-map"


# -- figures beside those that the specs claim ---------------------------------------------------------------------


@pytest.mark.parametrize(("name", "weights"), [("fsrcnn", 12_464), ("fsrcnn_s", 3_937), ("darknet53", 41_573_216),
                                               ("yolov3", 61_895_776)])  # fmt: skip
def test_weights_of_convolutions_alone(name: str, weights: int) -> None:
    rows = [row for row in analyse(name) if row.type.startswith(("Conv", "Linear"))]
    assert sum(row.figures.weights or 0 for row in rows) == weights


@pytest.mark.parametrize(("name", "billions"), [("darknet19", 5.582), ("darknet19_256", 7.291), ("darknet53", 18.570),
                                                ("yolov3", 65.864), ("yolov3_608", 140.692)])  # fmt: skip
def test_darknet_counts_a_multiplication_and_an_addition_as_two(name: str, billions: float) -> None:
    assert round(2 * analyse(name).totals.macs / 1e9, 3) == billions


def test_yolo_s_file_of_weights_holds_parameters_and_statistics() -> None:
    totals = analyse("yolov3").totals
    assert totals.params + totals.buffers == 62_001_757


def test_the_boxes_of_ssd() -> None:
    assert 8732 == 38**2 * 4 + 19**2 * 6 + 10**2 * 6 + 5**2 * 6 + 3**2 * 4 + 4
    assert [load("ssd300").nodes[i].shape for i in load("ssd300").outputs] == [(8732, 4), (8732, 21)]


# -- unpooling -------------------------------------------------------------------------------------------------------

UNPOOL = """
input: [3, 8, 8]
layers:
  pool: {{MaxPool2d: {{kernel_size: 2}}}}
  conv: {{Conv2d: {{out_channels: {channels}, kernel_size: 1}}}}
  unpool: {{MaxUnpool2d: {{kernel_size: 2}}{source}}}
"""


@pytest.mark.parametrize(("channels", "source", "message"), [
    (3, "", "MaxUnpool2d takes what it enlarges, and the MaxPool2d whose places it goes back to"),
    (3, ", from: [conv, conv]", "MaxUnpool2d takes what it enlarges"),
    (5, ", from: [conv, pool]", "receives 4×4×5 and 4×4×3"),
])  # fmt: skip
def test_unpooling_wants_the_pool(channels: int, source: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        load(Source("net.yaml", UNPOOL.format(channels=channels, source=source)))


def test_a_year_belongs_to_a_result() -> None:
    """Weights that were trained in 2022 are no result of 2016."""
    years = {entry.name: (entry.year, entry.top1_year) for entry in all_entries()}
    assert years["resnet50_v1"] == (2015, 2015) and years["darknet19"] == (2016, 2016)
    assert (
        years["vgg16"] == (2014, None)
        and years["resnext101_64x4d"] == (2016, None)
        and years["senet154"] == (2017, None)
    )
    assert years["unet"] == (2015, None)
    assert "the network's, not theirs" in " ".join(cnncalc("zoo", "vgg16").stdout.split())
    assert "the network's, not theirs" not in cnncalc("zoo", "darknet19").stdout
