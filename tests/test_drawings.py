"""Figures: nothing overlaps, nothing is wrong, and what is wrong is seen. The network is read back from the picture alone."""

from __future__ import annotations

import base64
import io
import itertools
import random
import re
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geometry
import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse
from cnncalc.errors import Source
from cnncalc.figures.chart import Axis, Dot, chart, front
from cnncalc.figures.colours import DARK, LIGHT, contrast
from cnncalc.figures.files import FORMS, written
from cnncalc.figures.options import Options
from cnncalc.figures.pdf import pdf
from cnncalc.figures.pictures import PICTURES, conv, picture
from cnncalc.figures.scene import Box, Scene, Text
from cnncalc.figures.scene import Path as Line
from cnncalc.figures.svg import svg
from cnncalc.figures.tikz import tikz
from cnncalc.language.locate import variant_names, zoo_files, zoo_names
from cnncalc.report import Report

ZOO = sorted(set(zoo_names()))
#: A network of each file, whose figures are drawn at all depths.
ONE_OF_EACH = [path.stem if not (names := variant_names(path.read_text("utf-8"))) else names[0] for path in zoo_files()]
SVG = "{http://www.w3.org/2000/svg}"


@lru_cache(maxsize=100)
def report_of(name: str) -> Report:
    return analyse(name)


@lru_cache(maxsize=20)
def drawn(name: str, kind: str = "graph", **options: Any) -> Scene:
    return picture(report_of(name), kind, Options(**options))


def picture_of(report: Report, kind: str) -> Scene | None:
    """A picture, unless the network has nothing that it shows: no window that moves, no input that is a map."""
    try:
        return picture(report, kind, Options())
    except SpecError as error:
        assert kind in ("conv", "field") and "no window that moves" in str(error), (report.graph.name, kind, str(error))
        return None


@pytest.mark.parametrize("part", range(4))
def test_nothing_overlaps_in_the_whole_zoo(part: int) -> None:
    names, counts = ZOO[part::4], Counter[str]()
    for name in names:
        report = analyse(name)
        for kind in PICTURES:
            # The graph is looked at more closely below.
            if kind != "graph" and (scene := picture_of(report, kind)) is not None:
                counts[kind] += 1
                assert geometry.faults(scene) == [], (name, kind)
    assert all(counts[kind] > 0.9 * len(names) for kind in PICTURES if kind != "graph")


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("kind", ["graph", "blocks", "cost"])
def test_nothing_overlaps_at_any_depth(kind: str, depth: int) -> None:
    for name in ONE_OF_EACH:
        if len(report_of(name).rows) < 1500:
            assert geometry.faults(drawn(name, kind, depth=depth)) == [], name


def test_every_graph_of_the_zoo_is_right_and_most_are_like_a_page() -> None:
    """Nothing overlaps, and the network can be read back.

    At most 40 boxes and six blocks, neither strips nor bands, and letters of six points at 170 mm.
    """
    strips, many = [], []
    for name in ZOO:
        report = analyse(name)
        scene = picture(report, "graph", Options())
        assert geometry.faults(scene) == [], name
        assert untrue(report, svg(scene)) == [], name
        strips += [name] if not 0.4 <= scene.width / scene.height <= 2.5 else []
        many += [name] if scene.data["boxes"] > 40 else []
        assert len({box.data["inset"] for box in scene.items if "inset" in box.data}) <= 6
        smallest = min(text.size for text in scene.items if isinstance(text, Text) and "in" in text.data)
        assert smallest * 170 / 25.4 * 72 / scene.width >= 6, name
    assert len(strips) <= 0.05 * len(ZOO), strips
    assert many == []


# What the picture says is what the report says


def nodes_of(text: str) -> list[int]:
    found: list[int] = []
    for part in text.split():
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def untrue(report: Report, data: bytes) -> list[str]:
    """What a picture of a network says that is not so, read from the SVG and nothing else."""
    root = ElementTree.fromstring(data)
    found: list[str] = []
    boxes = {each.get("data-number"): each for each in root.iter(f"{SVG}rect") if each.get("data-figure") == "network"}
    home: dict[int, str] = {}
    graph = report.graph
    for number, box in boxes.items():
        nodes = nodes_of(box.get("data-nodes") or "")
        copies = int(box.get("data-copies") or 0)
        if not nodes or len(nodes) % copies:
            found.append(f"box {number} has {len(nodes)} layers in {copies} copies")
            continue
        each = len(nodes) // copies
        types = [[graph.nodes[node].type for node in nodes[i : i + each]] for i in range(0, len(nodes), each)]
        if any(part != types[0] for part in types):
            found.append(f"the copies of box {number} are not the same")
        if any(node in home for node in nodes):
            found.append(f"box {number} has layers of another")
        home |= dict.fromkeys(nodes, str(number))
        text = " ".join(texts_in(root, box))
        if copies > 1 and f"×{copies}" not in text:
            found.append(f"box {number} does not say ×{copies}: {text}")
    missing = [node for node in range(len(graph.nodes)) if node not in home]
    if missing:
        return [*found, f"layers {missing[:5]} are in no box"]
    wanted: dict[tuple[str, str], dict[str, None]] = {}
    for node, layer in enumerate(graph.nodes):
        for source in layer.inputs:
            if home[source] != home[node]:
                shape = "×".join(map(str, graph.nodes[source].shape or ("?",)))
                wanted.setdefault((home[source], home[node]), {})[shape] = None
    said = {}
    for line in root.iter(f"{SVG}path"):
        if line.get("data-figure") == "network":
            said[line.get("data-from"), line.get("data-to")] = line.get("data-shape")
    for edge in wanted.keys() - said.keys():
        found.append(f"the line {edge} is missing")
    for edge in said.keys() - wanted.keys():
        found.append(f"the line {edge} is made up")
    for edge in wanted.keys() & said.keys():
        if " ".join(wanted[edge]) != said[edge]:
            found.append(f"the line {edge} says {said[edge]}, and it is {' '.join(wanted[edge])}")
    shares = [float(box.get("data-share") or 0) for box in boxes.values()]
    if any(shares) and abs(sum(shares) - 100) > 0.1 + 0.005 * len(shares):
        found.append(f"shares add up to {sum(shares)}")
    return found


def texts_in(root: ElementTree.Element, box: ElementTree.Element) -> list[str]:
    """The texts whose place is within a box."""
    x, y, wide, high = (float(box.get(key) or 0) for key in ("x", "y", "width", "height"))
    return [each.text or "" for each in root.iter(f"{SVG}text")
            if x <= float(each.get("x") or 0) <= x + wide and y <= float(each.get("y") or 0) <= y + high]  # fmt: skip


def test_the_network_and_its_shares_can_be_read_back() -> None:
    for name in ONE_OF_EACH:
        assert untrue(report_of(name), svg(drawn(name, heat="macs"))) == [], name


def test_bars_are_as_long_as_what_they_stand_for() -> None:
    for name in ONE_OF_EACH:
        report = report_of(name)
        assert wrong_bars(report, drawn(name, "cost")) == [], name


def wrong_bars(report: Report, scene: Scene) -> list[str]:
    """Bars that are not as long as their values, and columns that do not add up to the network's."""
    found = []
    totals = {
        "params": report.totals.params,
        "macs": report.totals.macs,
        "output_bytes": report.totals.activation_bytes,
    }
    for column, total in totals.items():
        bars = [each for each in scene.items if isinstance(each, Box) and each.data.get("bar") == column]
        if sum(bar.data["value"] for bar in bars) != total:
            found.append(f"{column} adds up to {sum(bar.data['value'] for bar in bars)}, not {total}")
        scales = [bar.width / bar.data["value"] for bar in bars if bar.data["value"]]
        if scales and max(scales) > 1.001 * min(scales):
            found.append(f"the bars of {column} are not in proportion")
        said = [
            float(t.text.split()[0])
            for t in scene.items
            if isinstance(t, Text) and t.data.get("share") == column and t.text != "–"
        ]
        if said and abs(sum(said) - 100) > 0.06 * len(said):
            found.append(f"the shares of {column} add up to {sum(said)}")
    return found


# Faults that are planted are seen


def replaced(scene: Scene, choose: Callable[[Any], bool], change: Callable[[Any], Any], skip: int = 0) -> Scene:
    items = list(scene.items)
    places = [i for i, item in enumerate(items) if choose(item)]
    made = change(items[places[skip]])
    items[places[skip] : places[skip] + 1] = [made] if made is not None else []
    return scene._replace(items=tuple(items))


def is_line(item: Any) -> bool:
    return isinstance(item, Line) and item.data.get("figure") == "network"


def is_box(item: Any) -> bool:
    return isinstance(item, Box) and item.data.get("figure") == "network"


def told(item: Any, **data: Any) -> Any:
    return item._replace(data={**item.data, **data})


FAULTS: dict[str, Callable[[Scene], Scene]] = {
    "a line is left out": lambda s: replaced(s, is_line, lambda _: None),
    "a line comes from elsewhere": lambda s: replaced(s, is_line, lambda line: told(line, **{"from": 5}), 2),
    "a line goes elsewhere": lambda s: replaced(s, is_line, lambda line: told(line, to=9), 1),
    "a line is turned round": lambda s: replaced(s, is_line, lambda line: told(line, **{"from": line.data["to"], "to": line.data["from"]}), 3),
    "a line says another shape": lambda s: replaced(s, is_line, lambda line: told(line, shape="64×7×7")),
    "a line ends in the air": lambda s: replaced(s, is_line, lambda line: line._replace(points=(line.points[0], (line.points[-1][0], line.points[-1][1] - 12)))),
    "a line begins in the air": lambda s: replaced(s, is_line, lambda line: line._replace(points=((line.points[0][0], line.points[0][1] + 5), *line.points[1:]))),
    "a box is left out": lambda s: replaced(s, is_box, lambda _: None, 3),
    "a box stands twice": lambda s: s._replace(items=(*s.items, next(filter(is_box, s.items)))),
    "a box is moved": lambda s: replaced(s, is_box, lambda box: box._replace(y=box.y + 40), 4),
    "a box is too wide": lambda s: replaced(s, is_box, lambda box: box._replace(width=box.width * 3), 4),
    "a copy is dropped": lambda s: replaced(s, lambda i: is_box(i) and i.data["copies"] > 1, lambda box: told(box, copies=box.data["copies"] - 1, nodes=shorter(box))),
    "a copy is made up": lambda s: replaced(s, lambda i: is_box(i) and i.data["copies"] > 1, lambda box: told(box, copies=box.data["copies"] * 2)),
    "a layer is left out": lambda s: replaced(s, is_box, lambda box: told(box, nodes=str(nodes_of(box.data["nodes"])[0])), 4),
    "a layer stands twice": lambda s: replaced(s, is_box, lambda box: told(box, nodes=f"{box.data['nodes']} 1"), 5),
    "a share is halved": lambda s: replaced(s, lambda i: is_box(i) and float(i.data["share"]) > 5, lambda box: told(box, share=float(box.data["share"]) / 2)),
    "a text is moved": lambda s: replaced(s, lambda i: isinstance(i, Text) and "in" in i.data, lambda text: text._replace(x=text.x + 60), 3),
    "a text says another number": lambda s: replaced(s, lambda i: isinstance(i, Text) and "×5" in i.text, lambda text: text._replace(text=text.text.replace("×5", "×6"))),
    "a text lies on another": lambda s: replaced(s, lambda i: isinstance(i, Text) and "of" in i.data, lambda text: next(t for t in s.items if isinstance(t, Text) and "of" in t.data)._replace(text="7×7"), 2),
    "a text leaves the page": lambda s: replaced(s, lambda i: isinstance(i, Text) and "of" in i.data, lambda text: text._replace(x=s.width - 5)),
    "two lines cross": lambda s: s._replace(items=(*s.items, *crossing(s))),
}  # fmt: skip


def shorter(box: Box) -> str:
    nodes = nodes_of(box.data["nodes"])
    return " ".join(map(str, nodes[: -len(nodes) // box.data["copies"]]))


def crossing(scene: Scene) -> list[Line]:
    line = next(filter(is_line, scene.items))
    (x, y), (_, bottom) = line.points[0], line.points[-1]
    middle = (y + bottom) / 2
    return [line._replace(points=((x - 9, middle), (x + 9, middle)))]


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_seen(fault: str) -> None:
    report, scene = report_of("resnet50"), drawn("resnet50", heat="macs")
    assert not geometry.faults(scene) and not untrue(report, svg(scene))
    wrong = FAULTS[fault](scene)
    assert geometry.faults(wrong) or untrue(report, svg(wrong))


@pytest.mark.parametrize(("change", "count"), [
    (lambda bar: bar._replace(width=bar.width / 2), 1),
    (lambda bar: bar._replace(data={**bar.data, "value": bar.data["value"] // 2}), 1),
    (lambda _: None, 1),
])  # fmt: skip
def test_planted_faults_of_bars_are_seen(change: Callable[[Any], Any], count: int) -> None:
    scene = drawn("vgg16", "cost")
    wrong = replaced(
        scene, lambda i: isinstance(i, Box) and i.data.get("bar") == "params" and i.data["value"] > 0, change, count
    )
    assert wrong_bars(report_of("vgg16"), scene) == [] and wrong_bars(report_of("vgg16"), wrong)


# As papers draw them


def boxes_of(scene: Scene) -> list[Box]:
    return [item for item in scene.items if is_box(item)]


def texts_of(scene: Scene) -> str:
    return "\n".join(item.text for item in scene.items if isinstance(item, Text))


def test_the_blocks_of_resnet_50() -> None:
    """Table 1 of He et al.: 3, 4, 6 and 3 blocks, the first of each with a projection."""
    scene = drawn("resnet50")
    blocks = [box.data["copies"] for box in boxes_of(scene) if box.data["kind"] == "block"]
    assert blocks == [1, 2, 1, 3, 1, 5, 1, 2]
    said = texts_of(scene)
    assert "7×7 conv, 64, /2 · BN + ReLU" in said and "3×3 max pool, /2" in said and "linear, 1000" in said
    assert "A = bottleneck_block(width, stride)" in said and "1×1 conv, 4·width" in said and "×5" in said


def test_the_convolutions_and_copies_of_u_net() -> None:
    """Figure 1 of Ronneberger et al.: 23 convolutional layers, four pools and four copies."""
    scene = drawn("unet")
    said = texts_of(scene)
    assert len(re.findall(r"conv, ", said)) == 23 and said.count("max pool") == 4 and said.count("concat") == 4


def test_the_levels_of_u_net() -> None:
    """Figure 1 of Ronneberger et al.: five levels, four copies across, and what comes out is 388×388."""
    scene = drawn("unet", "blocks")
    boxes = [item for item in scene.items if isinstance(item, Box) and "level" in item.data]
    assert sorted({box.data["level"] for box in boxes}) == [0, 1, 2, 3, 4]
    by_level = [[box.data["shape"] for box in boxes if box.data["level"] == level] for level in range(5)]
    assert by_level[4] == ["512×32×32", "1024×30×30", "1024×28×28"] and by_level[0][-1] == "2×388×388"
    skips = [item for item in scene.items if is_line(item) and item.data["to"] - item.data["from"] > 1]
    assert len(skips) == 4
    assert all(boxes[line.data["from"]].data["level"] == boxes[line.data["to"]].data["level"] for line in skips)
    assert {box.y + box.height / 2 for box in boxes if box.data["level"] == 2} == {boxes[7].y + boxes[7].height / 2}


def test_the_maps_of_lenet() -> None:
    """Figure 2 of LeCun et al.: 6 maps of 28×28, 14×14, 16 of 10×10 and 5×5, then 120, 84 and 10."""
    boxes = [item for item in drawn("lenet", "blocks").items if isinstance(item, Box) and "level" in item.data]
    shapes = [box.data["shape"] for box in boxes]
    assert shapes == ["1×32×32", "6×28×28", "6×14×14", "16×10×10", "16×5×5", "120", "84", "10"]
    heights = [box.height / int(box.data["shape"].split("×")[1]) for box in boxes if "×" in box.data["shape"]]
    assert max(heights) < 1.001 * min(heights)


def test_every_box_of_blocks_is_a_tensor_of_the_report() -> None:
    for name in ONE_OF_EACH:
        shapes = {"×".join(map(str, node.shape or ())) for node in report_of(name).graph.nodes}
        boxes = [item for item in drawn(name, "blocks").items if isinstance(item, Box) and "level" in item.data]
        assert {box.data["shape"] for box in boxes} <= shapes and boxes


def test_the_peak_of_the_curve_is_that_of_the_step() -> None:
    for name in ONE_OF_EACH:
        report = report_of(name)
        scene = drawn(name, "memory")
        areas = [item for item in scene.items if isinstance(item, Line) and "kind" in item.data]
        assert sum(area.data["peak"] for area in areas) == report.training.peak, name
        (mark,) = (item for item in scene.items if isinstance(item, Box) and "peak" in item.data)
        assert mark.data["peak"] == report.training.peak
        assert min(y for area in areas for _, y in area.points) == pytest.approx(mark.y + mark.height / 2)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_what_is_alive_at_each_moment_is_never_more_than_the_peak(optimizer: str) -> None:
    report = analyse("resnet18", batch=8, optimizer=optimizer)
    step, moments = report.training, report.moments
    assert max(moment.live for moment in moments) == step.activations
    assert moments[0].phase == "forward" and moments[-1].phase == "update"
    assert moments[-2].gradients == moments[-1].gradients == step.gradients
    assert all(0 <= moment.gradients <= moment.live for moment in moments)


@pytest.mark.parametrize(("letters", "output", "unread"), [
    ({"N": 7, "F": 3, "S": 3}, 2, 13),
    ({"N": 7, "F": 3, "S": 2, "P": 1}, 4, 0),
    ({"N": 6, "F": 3, "S": 2, "P": 1}, 3, 0),
    ({"N": 5, "F": 2, "S": 3}, 2, 9),
    ({"N": 7, "F": 2, "S": 2, "kind": "pool"}, 3, 13),
    ({"N": 3, "F": 2, "S": 3, "kind": "transposed"}, 8, 28),
    ({"N": 4, "F": 3, "S": 2, "P": 1, "A": 1, "kind": "transposed"}, 8, 0),
])  # fmt: skip
def test_places_that_no_window_covers_are_hatched(letters: dict[str, Any], output: int, unread: int) -> None:
    window = conv.given(letters)
    assert window.output == (output, output)
    scene = conv.scene(window, Options())
    assert not geometry.faults(scene) and scene.data["unread"] == unread
    frames = {item.data["frame"] for item in scene.items if isinstance(item, Box) and "frame" in item.data}
    hatches = sum(isinstance(item, Line) and item.data.get("hatch", False) for item in scene.items)
    assert hatches == unread * len(frames)


@pytest.mark.parametrize("letters", [
    {"N": 7, "F": 3, "S": 2, "P": 1}, {"N": 8, "F": 3, "D": 2}, {"N": 6, "F": 4, "S": 3, "P": 2}, {"N": 3, "F": 3, "S": 2, "kind": "transposed"},
])  # fmt: skip
def test_windows_move_as_pytorch_reads(letters: dict[str, Any]) -> None:
    """Each output of a convolution with ones is how many cells of ones its window covers; transposed, the other way."""
    torch = pytest.importorskip("torch")
    window = conv.given(letters)
    size, kernel = window.N[0], torch.ones(1, 1, *window.F)
    full, other = conv.grid(window)
    if window.kind == "transposed":
        out = torch.nn.functional.conv_transpose2d(
            torch.ones(1, 1, size, size), kernel, stride=window.S[0], padding=window.P[0]
        )[0, 0]
        counted = torch.zeros(full)
        for position in itertools.product(*map(range, other)):
            for cell in conv.covered(window, position):
                counted[cell] += 1
        assert torch.equal(counted, out)
        return
    out = torch.nn.functional.conv2d(
        torch.ones(1, 1, size, size), kernel, stride=window.S[0], padding=window.P[0], dilation=window.D[0]
    )[0, 0]
    inside = range(window.P[0], window.P[0] + size)
    for position in itertools.product(*map(range, other)):
        assert sum(a in inside and b in inside for a, b in conv.covered(window, position)) == out[position]


def test_a_window_moves_in_an_svg_alone() -> None:
    scene = conv.scene(conv.given({"N": 5, "F": 3}), Options())
    text = svg(scene).decode("utf-8")
    moving = re.findall(
        r'<animate attributeName="x" calcMode="discrete" dur="([\d.]+)s" repeatCount="indefinite" values="([^"]*)"',
        text,
    )
    assert len(moving) == 10 and {values.count(";") for _, values in moving} == {8}
    ElementTree.fromstring(text)
    assert b"animate" not in written(scene, ".pdf")


@pytest.mark.parametrize(("letters", "message"), [
    ("N=7, F=9", "a window of 9 does not fit 7"), ("N=7, Q=3", "there is no such letter"), ("N=7", "F=None: a whole number from 1"),
    ("N=7, F=3, S=0", "S=0: a whole number from 1"), ("N=7, F=3, kind=conf", "there is no such kind"), ("N=70, F=3", "more than 34 cells"),
    ("N=7, F=2.5", "F=2.5: a whole number"), ("N 7", "makes no sense"),
])  # fmt: skip
def test_windows_that_cannot_be(letters: str, message: str, tmp_path: Path) -> None:
    done = cnncalc("draw", "conv", "--given", letters, "-o", "x.svg", cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and not list(tmp_path.iterdir())


def test_a_layer_of_a_network_is_drawn_small_with_the_same_remainder() -> None:
    scene = drawn("alexnet", "conv")
    assert "drawn for 16×16 in place of 224×224" in texts_of(
        scene
    ) and "11×11 convolution, stride 4, padding 2" in texts_of(scene)
    assert (16 + 4 - 11) % 4 == (224 + 4 - 11) % 4
    with pytest.raises(SpecError, match="did you mean"):
        drawn("alexnet", "conv", layer="features.00")


def test_what_a_unit_sees_is_what_the_report_says() -> None:
    for name in ONE_OF_EACH:
        report = report_of(name)
        scene = picture_of(report, "field")
        for box in scene.items if scene else ():
            if isinstance(box, Box) and "field" in box.data:
                field = report[box.data["field"]].receptive_field
                assert field is not None and (box.data["height"], box.data["width"]) == tuple(map(float, field.size))
    scene = drawn("vgg16", "field")
    (last,) = (item for item in scene.items if isinstance(item, Box) and item.data.get("field") == "features.30")
    assert last.data["height"] == 212  # Araujo et al.: VGG-16's last pool sees 212 pixels
    with pytest.raises(SpecError, match="did you mean"):
        drawn("vgg16", "field", layer="features.99")


def test_names_on_a_chart_do_not_overlap_and_the_front_is_right() -> None:
    x, y = Axis("MACs", str, -1), Axis("top-1", str, 1)
    rng = random.Random(7)
    dots = [Dot(f"network_{i}", f"family{i % 9}", 10 ** rng.uniform(7, 11), rng.uniform(40, 85)) for i in range(150)]
    scene = chart(dots, x, y, "a chart", Options())
    texts = [(item.bounds, item.text) for item in scene.items if isinstance(item, Text)]
    assert list(geometry.colliding(texts)) == []
    marks = [item for item in scene.items if "name" in item.data]
    assert len(marks) == 150 and len([item for item in scene.items if "label" in item.data]) > 40
    for label in (item for item in scene.items if isinstance(item, Text) and "label" in item.data):
        assert not [
            m for m in marks if geometry.overlap(label.bounds, m.bounds) and m.data["name"] != label.data["label"]
        ]
    best = front(dots, x, y)
    beaten = [d for d in dots if any((o.x <= d.x and o.y > d.y) or (o.x < d.x and o.y >= d.y) for o in dots)]
    assert {d.name for d in best} == {d.name for d in dots} - {d.name for d in beaten}
    by_name = {item.data["name"]: item.bounds for item in marks}
    centre = {name: ((b[0] + b[2]) / 2, (b[1] + b[3]) / 2) for name, b in by_name.items()}
    for a, b in itertools.pairwise(sorted(dots, key=lambda dot: dot.x)):
        assert centre[a.name][0] <= centre[b.name][0] + 0.5
    for a, b in itertools.pairwise(sorted(dots, key=lambda dot: dot.y)):
        assert centre[a.name][1] >= centre[b.name][1] - 2.5  # a triangle's middle lies a little higher


@pytest.mark.parametrize(("words", "message"), [
    (["zoo", "--draw", "macs", "-o", "x.svg"], "names no two columns"),
    (["zoo", "--draw", "mac,top1", "-o", "x.svg"], "did you mean macs?"),
    (["zoo", "--draw", "task,macs", "-o", "x.svg"], "no network has both task and macs"),
    (["zoo", "--draw", "macs,top1", "-o", "x.doc"], "tells no form"),
    (["zoo", "lenet", "--draw", "macs,top1", "-o", "x.svg"], "--draw is of the whole list"),
    (["compare", "lenet", "vgg16", "--draw", "parms,macs", "-o", "x.svg"], "did you mean params?"),
])  # fmt: skip
def test_charts_that_cannot_be(words: list[str], message: str, tmp_path: Path) -> None:
    done = cnncalc(*words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and not list(tmp_path.iterdir())


def test_charts_of_the_zoo_and_of_a_comparison(tmp_path: Path) -> None:
    done = cnncalc("zoo", "--draw", "params,macs", "--task", "detection", "-o", "zoo.svg", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "zoo.svg").read_text("utf-8").count('data-name="yolov8') == 5
    done = cnncalc("compare", "resnet18", "vgg16", "--draw", "params,top1", "-o", "two.svg", cwd=tmp_path)
    text = (tmp_path / "two.svg").read_text("utf-8")
    assert done.returncode == 0 and 'data-x="11689512.0"' in text and "top1, %" in text


def test_a_notebook_shows_the_figure_and_the_table(tmp_path: Path) -> None:
    report = report_of("lenet")
    shown = report._repr_mimebundle_()
    assert (
        shown["text/html"].startswith("<svg ") and "<table" in shown["text/html"] and "LeNet-5" in shown["text/plain"]
    )
    made = report.figure("cost", dark=True)
    assert made._repr_svg_().startswith("<svg ") and DARK.ground in made._repr_svg_()
    made.save(tmp_path / "cost.pdf", "80mm")
    assert (tmp_path / "cost.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(SpecError, match="did you mean graph"):
        report.figure("grahp")


def test_what_is_repeated_without_a_block_is_folded_as_well() -> None:
    """Table 1 of Redmon & Farhadi: Darknet-53 has 1, 2, 8, 8 and 4 residual units."""
    scene = drawn("yolov3")
    units = [box.data["copies"] for box in boxes_of(scene) if "residual" in " ".join(texts_of_box(scene, box))]
    assert units == [2, 8, 8, 4] and len(boxes_of(scene)) <= 40
    assert "A = residual unit" in texts_of(scene)


def texts_of_box(scene: Scene, box: Box) -> list[str]:
    return [item.text for item in scene.items if isinstance(item, Text) and geometry.inside(item.bounds, box.bounds)]


def test_letters_are_found_where_a_spec_has_none() -> None:
    """The squeeze and excitation of EfficientNet goes back to the width of its block, whatever its use."""
    assert texts_of(drawn("efficientnet_b0")).count("1×1 conv, inside\nsigmoid") == 3
    assert "width" in texts_of(drawn("convnext_tiny")) and "drop 0.0" not in texts_of(drawn("convnext_tiny"))


def test_depthwise_and_grouped_convolutions_are_called_so() -> None:
    assert "3×3 depthwise conv, 32" in texts_of(drawn("mobilenet_v1", depth=9)).replace("\n", " ")
    assert "grouped conv" in texts_of(drawn("resnext50_32x4d")).replace("\n", " ")
    assert "depthwise conv" not in texts_of(drawn("resnext50_32x4d")).replace("\n", " ")


# Files


@pytest.mark.parametrize("kind", PICTURES)
def test_an_svg_has_attributes_alone(kind: str) -> None:
    for name in ("resnet50", "unet", "ssd300", "googlenet"):
        data = svg(drawn(name, kind))
        root = ElementTree.fromstring(data)
        assert root.get("viewBox") and root.get("role") == "img" and root.get("aria-label")
        assert root[0].tag == f"{SVG}title" and root[1].tag == f"{SVG}desc"
        for element in root.iter():
            assert element.tag.removeprefix(SVG) in {"svg", "title", "desc", "rect", "path", "text", "animate", "set"}
            assert not {"id", "style", "class", "href"} & set(element.keys())
        assert b"http" not in data.replace(b"http://www.w3.org/2000/svg", b"")


def test_names_of_strangers_are_text(tmp_path: Path) -> None:
    spec = "name: '<script>alert(1)</script> & \"x\" ]]>'\ninput: [3, 8, 8]\nlayers: [größe: {Conv2d: {out_channels: 4, kernel_size: 3}}, 卷积: ReLU]\n"
    report = analyse(Source("net.yaml", spec))
    for kind in PICTURES:
        for form, write in FORMS.items():
            if form == ".png":
                continue
            data = write(picture(report, kind, Options()), "")
            assert b"<script" not in data
            if form == ".svg":
                ElementTree.fromstring(data)


def test_the_same_bytes_everywhere() -> None:
    code = "import sys; from cnncalc import analyse; from cnncalc.figures.pictures import picture; from cnncalc.figures.options import Options; from cnncalc.figures.svg import svg; import hashlib; print(hashlib.sha256(svg(picture(analyse('googlenet'), 'graph', Options()))).hexdigest())"
    made = {
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "LC_ALL": locale, "PATH": ""}, capture_output=True, text=True, check=True).stdout
        for seed, locale in (("0", "C"), ("7", "C.UTF-8"), ("99", "tr_TR.UTF-8"))
    }  # fmt: skip
    assert len(made) == 1


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_colour(theme: Any) -> None:
    for colour in (theme.ground, theme.panel, *theme.fills.values(), *theme.heat):
        assert contrast(theme.text, colour) >= 4.5, colour
    for colour in (theme.ground, theme.panel):
        assert contrast(theme.faint, colour) >= 4.5
        assert contrast(theme.line, colour) >= 3 and contrast(theme.skip, colour) >= 3
        assert all(contrast(mark, colour) >= 2 for mark in theme.marks)


def test_a_pdf_holds_its_font_and_its_text(tmp_path: Path) -> None:
    scene = drawn("resnet50")
    data = written(scene, ".pdf", "170mm")
    assert (
        data.startswith(b"%PDF-1.5")
        and data.rstrip().endswith(b"%%EOF")
        and b"/FontFile2" in data
        and b"/ToUnicode" in data
    )
    (tmp_path / "figure.pdf").write_bytes(data)
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert box and abs(float(box[1]) - 170 / 25.4 * 72) < 0.1
    for start in (int(each) for each in re.findall(rb"^(\d{10}) 00000 n", data, re.MULTILINE)):
        assert re.match(rb"\d+ 0 obj", data[start:])
    streams = [
        zlib.decompress(each) for each in re.findall(rb"/FlateDecode.*?stream\n(.*?)\nendstream", data, re.DOTALL)
    ]
    assert len(streams) == 3 and b"beginbfchar" in streams[1]
    if shutil.which("pdftotext"):
        said = subprocess.run(
            ["pdftotext", "-raw", "figure.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        plain = re.sub(r"\s+", "", said)
        for text in scene.items:
            if isinstance(text, Text):
                assert re.sub(r"\s+", "", text.text) in plain, text.text


def test_a_figure_as_tikz_is_a_document() -> None:
    text = written(drawn("googlenet"), ".tex").decode("utf-8")
    assert text.count("{") == text.count("}") and r"\begin{tikzpicture}" in text and r"\end{document}" in text
    named, used = set(re.findall(r"\\definecolor\{(\w+)\}", text)), set(re.findall(r"(?:fill|draw|text)=(\w+)", text))
    assert used <= named


def test_png_says_what_it_needs(tmp_path: Path) -> None:
    done = cnncalc("draw", "lenet", "-o", "net.png", cwd=tmp_path)
    if done.returncode == 0:
        assert (tmp_path / "net.png").read_bytes().startswith(b"\x89PNG")
    else:
        assert done.returncode == 2 and "pip install 'cnncalc[png]'" in done.stderr and not list(tmp_path.iterdir())


# The command


def test_the_command_writes_one_file_for_each_picture(tmp_path: Path) -> None:
    done = cnncalc("draw", "lenet", "graph", "cost", "-o", "net.svg", cwd=tmp_path)
    assert done.returncode == 0 and sorted(path.name for path in tmp_path.iterdir()) == [
        "net-cost.svg",
        "net-graph.svg",
    ]
    done = cnncalc("draw", "lenet", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("<svg ")
    done = cnncalc("draw", "resnet50", "-o", "net.html", "--dark", "--heat", "params", "--depth", "2", cwd=tmp_path)
    assert done.returncode == 0
    page = (tmp_path / "net.html").read_text("utf-8")
    assert "default-src 'none'" in page and "<script" not in page and 'data-share="' in page


@pytest.mark.parametrize(("words", "message"), [
    (["lenet", "grahp", "-o", "x.svg"], "did you mean graph?"),
    (["lenet", "-o", "x.jpg"], "x.jpg: the ending tells no form of a figure"),
    (["lenet", "-o", "x"], ".svg, .pdf, .png, .html, .tex are written"),
    (["lenet", "-o", "x.svg", "--heat", "mac"], "did you mean macs?"),
    (["lenet", "-o", "x.svg", "--width", "17"], "17 is no width"),
    (["lenet", "-o", "x.svg", "--width", "0mm"], "0mm is no width"),
    (["lenet", "graph", "cost"], "a figure is a file"),
    (["lenet", "-o", "none/x.svg"], "is the folder there?"),
    (["lenett", "-o", "x.svg"], "lenet"),
])  # fmt: skip
def test_what_cannot_be_drawn(words: list[str], message: str, tmp_path: Path) -> None:
    done = cnncalc("draw", *words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and not list(tmp_path.iterdir())


def test_a_network_that_is_not_understood_is_drawn_as_far_as_it_is() -> None:
    spec = "input: [3, 8, 8]\nlayers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, Mystery, ReLU]\n"
    scene = picture(analyse(Source("net.yaml", spec)), "graph", Options())
    assert not geometry.faults(scene) and "Mystery" in texts_of(scene)


# A real browser


PAGE = """<!DOCTYPE html><meta charset="utf-8"><body>%s<pre id="out"></pre><script>
const found = [];
for (const svg of document.querySelectorAll("svg"))
  for (const text of svg.querySelectorAll("text")) {
    const box = text.getBBox();
    found.push([svg.getAttribute("data-model"), text.textContent, box.x, box.y, box.width, box.height]);
  }
document.getElementById("out").textContent = JSON.stringify(found);
</script>"""


def chromium() -> str:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )


def test_texts_are_no_wider_in_a_browser(tmp_path: Path) -> None:
    import json

    program = chromium()
    if not program:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    drawings = [picture_of(report_of(name), kind) for name in ONE_OF_EACH for kind in PICTURES]
    scenes = [each for each in drawings if each is not None]
    shown = "\n".join(svg(scene).decode("utf-8") for scene in scenes)
    (tmp_path / "page.html").write_text(PAGE % shown, "utf-8")
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path}/profile", "--dump-dom", f"file://{tmp_path}/page.html"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    out = re.search(r'<pre id="out">(.*?)</pre>', done.stdout, re.DOTALL)
    assert out, done.stderr[-500:]
    from html import unescape

    seen = json.loads(unescape(out[1]))
    texts = [text for scene in scenes for text in scene.items if isinstance(text, Text)]
    assert len(seen) == len(texts) > 3000
    wider = [(text.text, box[4], text.width) for text, box in zip(texts, seen, strict=True) if box[4] > text.width + 1]
    assert wider == []


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    """A picture that is red on the left and blue on the right, three times as wide as high."""
    image = pytest.importorskip("PIL.Image")
    made = image.new("RGB", (300, 100), (0, 0, 255))
    made.paste((255, 0, 0), (0, 0, 150, 100))
    made.save(tmp_path / "photograph.png")
    return tmp_path / "photograph.png"


def test_a_field_on_a_picture_of_ones_own(photograph: Path) -> None:
    report = analyse("vgg16")
    scene = picture(report, "field", Options(picture=str(photograph)))
    (image,), (ground,) = scene.images, scene.boxes(input="224×224")
    assert (image.x, image.y, image.width, image.height) == ground[:4] and ground.fill == "none"
    left, right = image.pixels[:3], image.pixels[3 * (image.columns - 1) : 3 * image.columns]
    assert (left, right) == (b"\xff\0\0", b"\0\0\xff") and len(image.pixels) == 3 * image.columns * image.rows
    text = svg(scene).decode()
    data = re.search(r'<image [^>]*href="data:image/png;base64,([^"]+)"/>', text)
    assert data and text.index("<image") < text.index('data-field="')
    from PIL import Image

    shown = Image.open(io.BytesIO(base64.b64decode(data[1])))
    assert shown.size == (image.columns, image.rows) and shown.tobytes() == image.pixels
    assert b"/Subtype /Image" in pdf(scene) and b"/I0 11 0 R" in pdf(scene)
    with pytest.raises(SpecError, match="TikZ holds no picture"):
        tikz(scene)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX that TikZ could be set with")
@pytest.mark.parametrize("kind", ["graph", "blocks", "cost", "memory"])
def test_latex_sets_what_is_written_for_it(kind: str, tmp_path: Path) -> None:
    (tmp_path / "figure.tex").write_bytes(tikz(drawn("unet", kind)))
    words = ("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "figure.tex")
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "Overfull" not in done.stdout, done.stdout[-2000:]


def test_a_picture_that_is_none_is_refused(tmp_path: Path, photograph: Path) -> None:
    (tmp_path / "text.png").write_text("no picture", "utf-8")
    for name, said in (("text.png", "is no picture that can be read"), ("nothing.png", "cannot be read")):
        done = cnncalc("draw", "vgg16", "field", "--picture", name, "-o", "x.svg", cwd=tmp_path)
        assert done.returncode == 2 and said in done.stderr and not (tmp_path / "x.svg").exists()
    done = cnncalc("draw", "vgg16", "--picture", "photograph.png", "-o", "x.svg", cwd=tmp_path)
    assert done.returncode == 2 and "--picture goes with field alone" in done.stderr
    done = cnncalc("draw", "vgg16", "field", "--picture", "photograph.png", "-o", "photograph.png", cwd=tmp_path)
    assert done.returncode == 2 and "would be overwritten" in done.stderr
