"""Networks in Ultralytics' form: what it prints of each, its keys, and what is said of files that are wrong."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path

import pytest
from commands import cnncalc
from ultralytics_models import NETWORKS, text

from cnncalc import SpecError, analyse, load
from cnncalc.importing.keys import keys_of
from cnncalc.importing.ultralytics import spec_of
from cnncalc.report import Report


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, "yolov8")


def written(folder: Path, name: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text(name))
    return path


def gflops(report: Report, size: int) -> float:
    """GFLOPs as Ultralytics prints them.

    They are twice what thop counts: multiply-adds without the products of attention, four for each value of a
    normalisation, one for each that an upsampling gives. It looks at 32×32 pixels and multiplies by how often they go
    into the image, so that a classifier's last layer is counted that often too.
    """
    by_type: dict[str, int] = {}
    for row in report.rows:
        by_type[row.type] = by_type.get(row.type, 0) + (row.macs or 0)
    values = dict.fromkeys(("BatchNorm2d", "Upsample"), 0)
    for node in report.graph.layers:
        if node.type == "BatchNorm2d" or (node.type == "Upsample" and node.name.count(".") == 1):
            values[node.type] += prod(node.shape or ())
    patches = (size // 32) ** 2
    counted = (report.totals.macs or 0) - by_type.get("Attention", 0) + by_type.get("Linear", 0) * (patches - 1)
    return 2 * (counted + 4 * values["BatchNorm2d"] + values["Upsample"]) / 1e9


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_printed_of_every_scale(name: str, tmp_path: Path) -> None:
    network, path = NETWORKS[name], written(tmp_path, name)
    for scale, (parameters, printed) in network.printed.items():
        target = f"{path}:{scale}" if scale else str(path)
        several, once = ({"nc": classes} for classes in network.classes)
        args = several if "cls" in name else {}
        report = analyse(load(target, args=args, inputs=(3, network.size, network.size)))
        assert report.totals.params == parameters, scale
        if once != several:
            report = analyse(load(target, args=once, inputs=(3, network.size, network.size)))
        assert round(gflops(report, network.size), 1) == printed, scale


def test_lines_that_are_compared_are_at_least_sixty() -> None:
    assert sum(len(network.printed) for network in NETWORKS.values()) >= 60


@pytest.mark.parametrize("scale", ["n", "s", "m", "l", "x"])
def test_keys_are_those_of_the_zoo(scale: str, file: Path) -> None:
    ours, theirs = keys_of(load(f"{file}:{scale}")), keys_of(load(f"yolov8{scale}"))
    assert ours == theirs and len(ours) > 250


def test_the_scale_is_in_the_name_or_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "yolov8m-mine.yaml"
    path.write_text(text("yolov8"))
    assert analyse(load(str(path))).totals.params == NETWORKS["yolov8"].printed["m"][0]
    assert load(str(path)).name == "yolov8m-mine" and load(f"{path}:x").name == "yolov8x-mine"
    written(tmp_path, "yolo11")
    assert analyse(load(str(tmp_path / "yolo11.yaml"))).totals.params == NETWORKS["yolo11"].printed["n"][0]


def test_the_spec_has_the_scales_as_variants_and_can_be_set(file: Path, tmp_path: Path) -> None:
    done = cnncalc("import", str(file), "--set", "nc=3", "--input", "3x320x320", "-o", "net.yaml", cwd=tmp_path)
    assert done.returncode == 0 and "boxes and their suppression follow" in done.stderr
    made = (tmp_path / "net.yaml").read_text()
    assert (
        "input: [3, 320, 320]" in made and "nc: 3}" in made and "\n  x: {depth: 1.0, width: 1.25, most: 512}\n" in made
    )
    assert load(str(tmp_path / "net.yaml:x"), args={"nc": 80}).name == "yolov8n"
    large = analyse(load(str(tmp_path / "net.yaml:x"), args={"nc": 80}))
    assert large.totals.params == NETWORKS["yolov8"].printed["x"][0]
    flat = cnncalc("import", str(file), "--flat", cwd=tmp_path).stdout
    assert "blocks:" not in flat and "repeat" not in flat
    shown = cnncalc("summary", f"{file}:s", "--format", "json", cwd=tmp_path)
    assert json.loads(shown.stdout)["totals"]["params"] == NETWORKS["yolov8"].printed["s"][0]


def test_only_one_module_where_the_depth_is_small(tmp_path: Path) -> None:
    rows = "- [-1, 2, Conv, [64, 3, 2]]"
    path = tmp_path / "net.yaml"
    path.write_text(f"nc: 2\nscales: {{n: [0.3, 1, 512], l: [1, 1, 512]}}\nbackbone: [{rows[2:]}]\nhead: []\n")
    small, large = load(f"{path}:n"), load(f"{path}:l")
    assert next(layer.name for layer in small.layers) == "model.0.conv"
    assert [layer.name for layer in large.layers][3] == "model.0.1.conv"


def test_an_activation_of_the_file(file: Path) -> None:
    file.write_text("activation: torch.nn.LeakyReLU(0.1)\n" + file.read_text())
    types = {layer.type for layer in load(str(file)).layers}
    assert "LeakyReLU" in types and "SiLU" not in types
    assert "{LeakyReLU: {negative_slope: 0.1}" in spec_of(str(file), {}, {})


@pytest.mark.parametrize(("old", "new", "wants"), [
    ("Conv, [64,3,2]", "Covn, [64,3,2]", ":10:13: the module 'Covn' is not known"),
    ("Conv, [64,3,2]", "TorchVision, [512, resnet18]", "torchvision.models:NAME brings such a network in"),
    ("Conv, [64,3,2]", "nn.Hardly, [64]", "the module 'nn.Hardly' is not known"),
    ("Conv, [64,3,2]", "Conv, [64,3,2,1,1,1,True,9]", "Conv takes 7 values, not 8"),
    ("Conv, [64,3,2]", "Conv, [many,3,2]", "the first value is a number of channels"),
    ("Conv, [64,3,2]", "Conv, [64,'__import__(1)',2]", "is not understood"),
    ("Conv, [64,3,2]", "Conv, [64,3,{a: 1}]", "a value is a number"),
    ("[-1, 1, Conv, [64,3,2]]", "[-1, 1, Conv]", "a row is a source, a number, a module and its values"),
    ("[-1, 1, Conv, [64,3,2]]", "[-2, 1, Conv, [64,3,2]]", "there is no row -2 before row 0"),
    ("[-1, 1, Conv, [64,3,2]]", "[-1, 0, Conv, [64,3,2]]", "from 1 to 1,000"),
    ("[[15,18,21]", "[[15,18,99]", "there is no row 99 before row 22"),
    ("Detect, [nc]", "Segment, [nc, 32, 256]", "networks that detect and classify are read"),
    ("nc: 80", "nc: none", "nc is a number above 0"),
    ("nc: 80", "nc: 80\nactivation: os.system(1)", "this activation is not understood"),
    ("n: [0.33, 0.25, 1024]", "n: [0.33, 0.25]", "a scale is [depth, width, most channels]"),
    ("n: [0.33, 0.25, 1024]", "n: [0, 0.25, 1024]", "a scale is [depth, width, most channels]"),
    ("backbone:", "backbone: &a\n - *a", "a"),
])  # fmt: skip
def test_files_that_are_wrong(old: str, new: str, wants: str, file: Path) -> None:
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        load(str(file))
    assert wants in str(caught.value) and "Traceback" not in str(caught.value)


def test_what_is_asked_of_a_file_and_cannot_be(file: Path) -> None:
    for target, args, wants in (
        (f"{file}:q", {}, "it has n, s, m, l, x"),
        (str(file), {"classes": 3}, "there is no argument classes"),
    ):
        with pytest.raises(SpecError) as caught:
            load(target, args=args)
        assert wants in str(caught.value)
    done = cnncalc("import", str(file), "--weights", "w.pt")
    assert done.returncode == 2 and "takes no weights" in done.stderr


def test_a_file_of_strangers_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    rows = "\n".join("  - [-1, 1, Conv, [64, 3, 1]]" for _ in range(1001))
    path.write_text(f"nc: 2\nbackbone:\n{rows}\nhead: []\n")
    with pytest.raises(SpecError, match="1,001 rows; a file has 1 to 1,000"):
        load(str(path))
    path.write_text(
        f"nc: 2\nscales: {{n: [999, 1, 512]}}\nbackbone: [{', '.join(['[-1, 1000, C3, [64]]'] * 9)}]\nhead: []\n"
    )
    with pytest.raises(SpecError, match=r"as a spec.*a network may have 150,000"):
        load(str(path))
