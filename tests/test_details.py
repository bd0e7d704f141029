"""Details that are easily changed and not easily noticed: each was once wrong in a copy of the program that no test refused."""

from __future__ import annotations

import pytest

from cnncalc import analyse, check, view
from cnncalc.answers.layers import QUESTIONS
from cnncalc.errors import Source
from cnncalc.quantities import rounded
from cnncalc.report.layer_table import Choice
from cnncalc.report.tree import entries


def one(layer: str, shape: str = "[4, 6, 5]") -> Source:
    return Source("net.yaml", f"input: {shape}\nlayers: [{layer}]\n")


@pytest.mark.parametrize(
    ("layer", "each"),
    [
        # mean (add), distance (subtract), variance (multiply, add), normalised (multiply); then scale and shift
        ("{GroupNorm: {num_groups: 2, affine: false}}", 5),
        ("{GroupNorm: {num_groups: 2}}", 7),
        ("{GroupNorm: {num_groups: 2, bias: false}}", 6),
        ("{InstanceNorm2d: {}}", 5),
        ("{InstanceNorm2d: {affine: true}}", 7),
        ("{LayerNorm: {elementwise_affine: false}}", 5),
        ("LayerNorm", 7),
        ("RMSNorm", 4),
        ("{BatchNorm2d: {track_running_stats: false}}", 7),
        ("{BatchNorm2d: {track_running_stats: false, affine: false}}", 5),
        ("BatchNorm2d", 2),  # one multiplication and one addition at test time
        ("{BatchNorm2d: {affine: false}}", 2),
        ("L2Norm", 4),  # square, sum, quotient, factor
        ("Sigmoid", 4),  # minus, exponential, plus 1, quotient
        ("SiLU", 5),
        ("GlobalResponseNorm", 6),
    ],
)
def test_the_work_for_each_element(layer: str, each: int) -> None:
    row = analyse(one(layer))["0"]
    assert (row.macs, row.other) == (0, each * 4 * 6 * 5)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "said"),
    [
        (7, 3, 3, 0, "the last column is never seen"),
        (8, 3, 3, 0, "the last 2 columns are never seen"),
        (9, 5, 4, 1, "the last column is never seen"),  # 9 + 2 − 5 = 6 = 1·4 + 2, of which 1 is padding
        (10, 5, 4, 1, "the last 2 columns are never seen"),
        (8, 5, 4, 1, "only padding is left out"),
        (6, 3, 2, 1, "only padding is left out"),
    ],
)
def test_what_a_stride_leaves_out(size: int, kernel: int, stride: int, padding: int, said: str) -> None:
    """Counted by hand: which columns does no window reach?"""
    layer = f"{{Conv2d: {{out_channels: 1, kernel_size: {kernel}, stride: {stride}, padding: {padding}}}}}"
    report = analyse(one(layer, f"[1, {size}, {size}]"))
    row = report["0"]
    seen = {
        column for place in range((row.output_shape or ())[1]) for column in range(place * stride - padding, place * stride - padding + kernel)
    }  # fmt: skip
    missed = [column for column in range(size) if column not in seen]
    assert missed == list(range(size - len(missed), size))
    remark = row.explain("shape").lines[0].remark
    assert remark.endswith(said) and (len(missed) == 0) == ("only padding" in said)
    assert str(len(missed)) in said or len(missed) < 2


def test_three_equal_layers_fold_and_two_do_not() -> None:
    def kinds(count: int, what: str) -> list[str]:
        return [
            entry.kind
            for entry in entries(
                analyse(Source("net.yaml", f"input: [4, 6, 6]\nlayers: [{{{what}, repeat: {count}}}]\n"))
            )
        ]

    assert kinds(2, "ReLU: {}") == ["layer", "layer"] and kinds(3, "ReLU: {}") == ["copies"]
    assert kinds(2, "layers: [ReLU, Tanh]") == ["copies"], "of groups, two are enough"
    assert kinds(1, "layers: [ReLU, Tanh]") == ["group", "layer", "layer"]


def test_shapes_are_sorted_by_their_size() -> None:
    text = "input: [3, 8, 8]\nlayers: {a: {Conv2d: {out_channels: 9, kernel_size: 7}}, b: {Upsample: {scale_factor: 9}}, c: Flatten}\n"
    report = analyse(Source("net.yaml", text))
    for sort, expected in (("output", ["b", "c", "a"]), ("-output", ["a", "b", "c"])):
        lines = view(report, "shapes", Choice(sort=sort)).lines
        assert [line.cells[0] for line in lines] == expected, "36, 2,916 and 2,916 values, the order of the layers kept"


def test_an_optimizer_s_temporaries_and_statistics_in_float64() -> None:
    text = "input: [8]\nlayers: [{Linear: {out_features: 500}}, {Linear: {out_features: 3, bias: false}}]\n"
    net = Source("net.yaml", text)
    values, largest = 8 * 500 + 500 + 1500, 8 * 500
    for optimizer, one_by_one, at_once in (
        ("sgd", 0, 0),
        ("momentum", 0, 0),
        ("adam", 2, 1),
        ("adamw", 2, 1),
        ("rmsprop", 1, 1),
        ("adagrad", 1, 1),
    ):
        on_processor, on_gpu = (analyse(net, optimizer=optimizer, device=device).training for device in ("cpu", "cuda"))
        assert on_processor.activations == max(
            4 * (values + one_by_one * largest), on_processor.activations if not one_by_one else 0
        )
        if at_once:
            assert (on_gpu.phase, on_gpu.activations) == ("update", 4 * (values + at_once * values))
    norm = one("BatchNorm2d")
    for dtype, device, width in (
        ("float64", "cuda", 8),
        ("float32", "cuda", 4),
        ("float16", "cuda", 4),
        ("float16", "cpu", 2),
        ("float64", "cpu", 8),
    ):
        kept = analyse(norm, dtype=dtype, device=device).training.kept[1]
        element = {"float64": 8, "float32": 4, "float16": 2}[dtype]
        assert kept == 4 * 6 * 5 * element + 2 * 4 * width, "the input, mean and variance"


@pytest.mark.parametrize(
    ("claim", "exact", "holds"),
    [
        ("61.1M", 61_150_000, True), ("61.1M", 61_150_001, False), ("61.1M", 61_050_000, True), ("61.1M", 61_049_999, False),
        ("2K", 2_500, True), ("2K", 2_501, False), ("2K", 1_500, True), ("2K", 1_499, False), ("1.50G", 1_505_000_000, True), ("1.50G", 1_505_000_001, False),
    ],
)  # fmt: skip
def test_half_a_unit_of_a_rounded_claim_is_still_in(claim: str, exact: int, holds: bool) -> None:
    printed = rounded(claim)
    assert printed is not None and printed.agrees(exact) is holds
    if exact < 3_000:
        spec = Source(
            "net.yaml",
            f"input: [{exact}]\nlayers: [{{Linear: {{out_features: 1, bias: false}}, expect: {{params: {claim}}}}}]\n",
        )
        assert check(spec)[0].holds is holds


def test_every_question_has_its_columns() -> None:
    assert all(question.columns[0] == "layer" for question in QUESTIONS.values())
