"""Published numbers: every claim of the zoo, torchvision's metadata and state_dicts, receptive fields of papers."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from cnncalc import analyse, check, load
from cnncalc.graph import Graph
from cnncalc.language.locate import zoo_files
from cnncalc.language.spec import open_spec

DATA = Path(__file__).parent / "data"
TORCHVISION = {each["name"]: each for each in json.loads((DATA / "torchvision.json").read_text())}


@pytest.mark.parametrize("path", zoo_files(), ids=lambda path: path.stem)
def test_every_claim_of_the_zoo_holds(path: Path) -> None:
    results = check(str(path))
    for result in results:
        assert [verdict for verdict in (*result.verdicts, *result.disputed) if not verdict.holds] == []
        assert not result.warnings and not result.report.warnings
    spec = open_spec(str(path))
    assert spec.about and spec.year and spec.task, "a network of the zoo names its source, its year and its task"
    claimed = {claim.quantity for result in results for verdict in result.verdicts for claim in [verdict.claim]}
    assert {"params", "weights", "depth", "macs"} & claimed
    for result in results:
        assert all(claim.source for claim in result.report.graph.claims if not claim.name), (
            "a published number names its source"
        )


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_publishes_the_same(name: str) -> None:
    # The parameters that torchvision publishes for Inception v3 are those with the auxiliary head, its work is without.
    with_head = "inception_v3_aux" if name == "inception_v3" else name
    published, totals = TORCHVISION[name], analyse(name).totals
    assert analyse(with_head).totals.params == published["num_params"]
    assert round(totals.macs / 1e9, 3) == published["gmacs"]
    graph = load(name if name != "alexnet" else "alexnet.yaml")
    assert list(graph.inputs[0].shape or ()) == published["input"]
    assert {claim.quantity: claim.value for claim in graph.claims}["top1"] == published["top1"]


def state_dict(graph: Graph) -> dict[str, str]:
    """The keys and shapes that a PyTorch module of the graph would have."""
    found = {}
    for layer in graph.layers:
        assert layer.op is not None
        shapes = tuple(shape for shape in graph.shapes_into(layer) if shape is not None)
        for each in layer.op.parameters(*shapes):
            key = f"{layer.name}.{each.name}" if each.name else layer.name
            found[key] = "x".join(map(str, each.shape)) or "scalar"
    return found


STATE_DICTS = json.loads((DATA / "torchvision_state_dicts.json").read_text())["digests"]


@pytest.mark.parametrize("name", STATE_DICTS)
def test_every_key_and_shape_is_torchvisions(name: str) -> None:
    """One digest for each network: of all lines "key shape" of its state_dict, sorted (torchvision 0.28.0)."""
    lines = sorted(f"{key} {shape}" for key, shape in state_dict(load(name)).items())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] == STATE_DICTS[name]


def test_a_digest_tells_one_key_from_another() -> None:
    lines = sorted(f"{key} {shape}" for key, shape in state_dict(load("resnet18", args={"classes": 999})).items())
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] != STATE_DICTS["resnet18"]


@pytest.mark.parametrize("path", sorted((DATA / "state_dict").glob("*.txt")), ids=lambda path: path.stem)
def test_module_paths_are_torchvisions(path: Path) -> None:
    expected = dict(line.split() for line in path.read_text().splitlines())
    assert state_dict(load(path.stem)) == expected


@pytest.mark.parametrize(
    ("spec", "layer", "size"),
    [
        pytest.param("alexnet", "features.12", 195, id="Araujo 2019, table 1: AlexNet v2"),
        pytest.param("vgg16", "features.30", 212, id="Araujo 2019, table 1: VGG-16"),
        pytest.param("resnet50_v1", "layer4.2.relu3", 483, id="Araujo 2019, table 1: ResNet-50 v1"),
        pytest.param("resnet101_v1", "layer4.2.relu3", 1027, id="Araujo 2019, table 1: ResNet-101 v1"),
        pytest.param("resnet152_v1", "layer4.2.relu3", 1507, id="Araujo 2019, table 1: ResNet-152 v1"),
        pytest.param("resnet50", "layer4.2.relu3", 427, id="measured: ResNet-50 with the stride in the 3×3"),
        pytest.param("vgg16", "classifier.0", 404, id="Long 2015, table 1: FCN-VGG16"),
        pytest.param("alexnet", "avgpool", 195, id="the same size in and out"),
        pytest.param("alexnet_2012", "fc6", 355, id="Long 2015, table 1: FCN-AlexNet"),
        pytest.param("lenet", "S4", 16, id="LeCun 1998: two 5×5 and two 2×2"),
    ],
)
def test_receptive_fields_of_papers(spec: str, layer: str, size: int) -> None:
    found = analyse(spec)[layer].receptive_field
    assert found is not None and found.size == (size, size)


@pytest.mark.parametrize(
    ("spec", "megabytes"),
    [("alexnet", 5.3), ("vgg16", 102.8), ("resnet18", 25.7), ("googlenet", 25.7)],
)
def test_peaks_measured_on_torchvisions_modules(spec: str, megabytes: float) -> None:
    # Batch 4, float32, 224×224, as measured. ResNet-50, MobileNetV2 and DenseNet-121 are measured higher (41.7, 41.7 and
    # 40.1 MB): there nested modules keep their input alive in Python, which a graph need not do.
    assert round(analyse(spec, batch=4).totals.peak.bytes / 1e6, 1) == megabytes


@pytest.mark.parametrize(("spec", "megabytes"), [("resnet50", 41.7), ("mobilenet_v2", 41.7), ("densenet121", 40.1)])
def test_peaks_are_never_above_those_measured(spec: str, megabytes: float) -> None:
    assert analyse(spec, batch=4).totals.peak.bytes / 1e6 < megabytes


LAYERS = json.loads((DATA / "layers.json").read_text())


@pytest.mark.parametrize("name", LAYERS)
def test_layer_tables_row_by_row(name: str) -> None:
    """Output, weights, parameters and multiply-adds of each layer, derived from the hyper-parameters that the papers print."""
    kinds = ("Conv2d", "ConvTranspose2d", "MaxPool2d", "Linear", "concat")
    ours = [row for row in analyse(name) if row.type in kinds]
    assert len(ours) == len(LAYERS[name])
    for row, (layer, shape, weights, params, macs) in zip(ours, LAYERS[name], strict=True):
        sizes = [int(size) for size in shape.split("x")]
        found = list(row.output_shape or ())
        assert found == (sizes if len(found) == 3 else sizes[:1]), layer
        assert (row.figures.weights, row.params, row.macs) == (weights, params, macs), layer


def test_vgg16_rows_add_up_to_what_cs231n_should_have_printed() -> None:
    report = analyse("vgg16")
    rows = [row for row in report if row.type in ("Conv2d", "MaxPool2d", "Linear")]
    values = 3 * 224 * 224 + sum((row.output_bytes or 0) // 4 for row in rows)
    assert values == 15_237_608


@pytest.mark.parametrize(
    ("spec", "millions"),
    [
        ("mobilenet_v2", 3.47),
        ("mobilenet_v2_140", 6.06),
        ("mobilenet_v2_075", 2.61),
        ("mobilenet_v2_050", 1.95),
        ("mobilenet_v2_035", 1.66),
    ],
)
def test_tf_slim_leaves_batch_normalisation_out(spec: str, millions: float) -> None:
    counted = sum(row.params or 0 for row in analyse(spec) if row.type != "BatchNorm2d")
    assert round(counted / 1e6, 2) == millions


def test_bias_adds_are_what_pycls_counts_beside_us() -> None:
    # pycls counts the bias of the last layer: 4,089,185,256 against 4,089,184,256.
    report = analyse("resnet50")
    assert report.totals.macs + (report["fc"].figures.biases or 0) == 4_089_185_256
