"""The registry of figures: every figure is everywhere, and means everywhere the same."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse, check, compare, explain, render, view, zoo
from cnncalc.answers.changes import changes
from cnncalc.errors import Source
from cnncalc.formula import prod
from cnncalc.ops.actions import BYTES
from cnncalc.report.columns import COLUMNS
from cnncalc.report.document import document_schema
from cnncalc.report.figures import ALL_QUESTIONS, FIGURES, OF_LAYERS, OF_NETWORK
from cnncalc.report.layer_table import Choice
from cnncalc.table import AtLeast

SHARED = Source(
    "net.yaml",
    """
input: [4, 8, 8]
layers:
  - first: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
  - second: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
  - use: second
  - third: {Conv2d: {out_channels: 4, kernel_size: 3, padding: 1}}
""",
)
NETWORKS = ["lenet", "lenet_1998", "googlenet", "mobilenet_v2", "unet", "ssd300", "r3d_18", "m5"]


@pytest.mark.parametrize("key", FIGURES)
def test_every_figure_is_everywhere(key: str) -> None:
    figure, report = FIGURES[key], analyse("lenet", batch=2)
    document = report.to_dict()
    assert figure.what and figure.title and figure.unit is not None
    listed = cnncalc("figures").stdout
    assert f"\n{key} " in listed
    if figure.of_layers:
        assert figure.column in COLUMNS and getattr(report["C1"], key) is not None
        assert view(report, "shapes", Choice(columns=("layer", key), sort=key)).lines
        if figure.document and key != "shape":
            assert key in document["layers"][0]
    if figure.of_network:
        assert getattr(report.totals, figure.total) is not None and figure.total in dir(report.totals)
        if figure.document and key != "shape":
            assert figure.total in document["totals"]
        if key != "shape":
            assert compare([report, report], [figure.total]).lines
    if figure.question:
        assert figure.question in ALL_QUESTIONS
        assert any(each.lines for each in explain(report, "", figure.question))


@pytest.mark.parametrize("name", NETWORKS)
def test_sums_of_layers_are_totals(name: str) -> None:
    report = analyse(name, batch=3)
    for figure in FIGURES.values():
        if figure.additive and figure.of_layers and figure.of_network:
            assert sum(getattr(row, figure.key) for row in report) == getattr(report.totals, figure.total), figure.key


@pytest.mark.parametrize(("name", "how"), [
    *((name, {}) for name in NETWORKS), ("retinanet", {"inputs": [3, 64, 64]}), ("resnet18", {"freeze": ("conv1", "layer1", "layer3")}),
    ("resnet18", {"checkpoint": ("layer2", "layer4.1")}), ("resnet20", {"amp": "bfloat16"}), ("resnet20", {"int8": True}),
    ("shared", {}),
])  # fmt: skip
def test_what_layers_of_a_kind_share_is_what_each_has(name: str, how: dict[str, Any]) -> None:
    """Equal convolutions of which one is frozen, the first, or used again are no kind in the work of a backward pass."""
    report = analyse(SHARED if name == "shared" else name, batch=2, **how)
    alike = [figure for figure in FIGURES.values() if figure.alike and figure.of_layers and figure.document]
    assert {"macs", "moved_bytes", "backward_macs"} <= {figure.key for figure in alike}
    for layer, row in zip(report.to_dict()["layers"], report, strict=True):
        assert [layer[figure.key] for figure in alike] == [figure.json(row.part) for figure in alike], row


@pytest.mark.parametrize("name", NETWORKS)
def test_intensity_is_what_a_reader_counts(name: str) -> None:
    """Multiply-adds over the bytes of inputs, parameters, buffers and outputs, each counted by its shape alone."""
    report = analyse(name, batch=2, dtype="float16")
    moved = 0
    for row in report:
        op, shapes = row.known()
        if (
            op.view
            or row.type.startswith(("Dropout", "AlphaDropout"))
            or row.type in ("StochasticDepth", "FeatureAlphaDropout")
        ):
            assert row.moved_bytes == 0 and row.intensity in (0, None)
            continue
        owned = sum(prod(each.shape) for each in op.parameters(*shapes) if each.role != "counter")
        own = (2 * sum(prod(shape) for shape in (*shapes, row.output_shape or ())) + owned) * BYTES["float16"]
        assert row.moved_bytes == own
        assert row.intensity == Fraction(row.macs, own)
        moved += own
    assert report.totals.intensity == Fraction(report.totals.macs, moved)


def test_a_ratio_is_shown_as_one() -> None:
    text = str(analyse("lenet")["C1"].explain("intensity"))
    assert "= MACs/E\n" in text and "= 117600/23536\n" in text and "≈ 4.997 MACs per byte" in text
    latex = analyse("lenet")["C1"].explain("intensity").markdown()
    assert r"$$ \frac{\mathrm{MACs}}{E} = \frac{117600}{23536} \approx 4.997 $$" in latex


def test_a_letter_means_what_its_formula_says() -> None:
    shown = cnncalc("explain", "lenet", "C1", "-q", "memory,intensity,flops").stdout
    assert "bytes that are moved" in shown
    training = cnncalc("explain", "lenet", "-q", "training").stdout
    assert "\n  E        parameters\n" in training
    both = " ".join(cnncalc("explain", "lenet", "-q", "flops,training").stdout.split())
    assert "elements of the tensor (work for each element)" in both and "parameters (memory of the gradients)" in both


def test_claims_may_be_made_of_every_figure(tmp_path: Path) -> None:
    report = analyse("lenet")
    claims = {
        name: figure.json(report.whole)
        for name, figure in OF_NETWORK.items()
        if name not in ("shape", "receptive_field", "intensity")
    }
    text = Path("architectures/lenet.yaml")
    source = (Path(__file__).parent.parent / text).read_text("utf-8").split("\nexpect:")[0]
    found = check(
        Source("net.yaml", source + "\nexpect: {" + ", ".join(f"{k}: {v}" for k, v in claims.items()) + "}\n")
    )
    network = [verdict for verdict in found[0].verdicts if not verdict.claim.name]
    assert len(network) == len(claims) and all(verdict.holds for verdict in network)
    wrong = check(Source("net.yaml", source + "\nexpect: {moved_bytes: 1, depth: 6}\n"))[0]
    assert [verdict.holds for verdict in wrong.verdicts if not verdict.claim.name] == [False, False]


def test_the_document_fits_its_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="jsonschema checks the document: pip install jsonschema")
    schema = document_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    unknown = Source(
        "net.yaml",
        "input: [3, 8, 8]\ntypes: {D: {shape: same}}\nlayers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, D, Foo, ReLU]\n",
    )
    for report in (*(analyse(name) for name in NETWORKS), analyse("lenet", dtype="int8"), analyse(unknown)):
        jsonschema.validate(report.to_dict(), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(analyse("lenet").to_dict() | {"batch": "1"}, schema)


def test_what_is_not_known_is_at_least() -> None:
    text = "input: [3, 8, 8]\ntypes: {D: {shape: same, params: 5}}\nlayers: [{Conv2d: {out_channels: 4, kernel_size: 3}}, D]\n"
    report = analyse(Source("net.yaml", text))
    assert report.totals.value("macs") == AtLeast(3888) and report.totals.value("params") == 117
    assert report.totals.intensity is None and report["1"].macs is None
    table = render(view(report, "flops"), "table")
    assert "≥ 3,888" in table and "  ?" in table
    assert "≥" in render(compare([report, analyse("lenet")]), "table")
    for figure in OF_LAYERS.values():
        assert not (figure.key in ("macs", "flops", "buffers", "receptive_field") and figure.of(report["1"].part) == 0)


def test_the_watcher_tells_of_intensity() -> None:
    one, two = (
        analyse(Source("net.yaml", f"input: [3, 8, 8]\nlayers: [{{Conv2d: {{out_channels: 4, kernel_size: {k}}}}}]\n"))
        for k in (1, 3)
    )
    lines = changes(one, two)
    assert any("MACs per byte" in line for line in lines) and any(
        line.startswith("total parameters: 16 → 112") for line in lines
    )


def test_the_zoo_filters_and_sorts_by_any_total() -> None:
    rows = zoo(
        "-peak_inference_bytes", columns=("macs", "peak_inference_bytes"), depth=(None, 5), params=(10_000, None)
    ).lines
    peaks = [line.cells[3] for line in rows]
    assert peaks and peaks == sorted(peaks)
    done = cnncalc("zoo", "--where", "intensity >= 60", "--where", "params<=40M", "-s", "intensity")
    assert done.returncode == 0 and "MACs/byte" in done.stdout
    for wrong in ("intensity", "intensity > x", "foo >= 3", "params < 5"):
        done = cnncalc("zoo", "--where", wrong)
        assert done.returncode == 2 and done.stdout == "" and "Traceback" not in done.stderr
    with pytest.raises(SpecError, match="there is no total foo"):
        compare([analyse("lenet")] * 2, ["foo"])
