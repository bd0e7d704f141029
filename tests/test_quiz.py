"""The quiz: fair questions, answers diagnosed by what they are, and a next question that tells suspects apart."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Done, cnncalc

from cnncalc import SpecError, analyse, formulas
from cnncalc.errors import Misfit, Source
from cnncalc.teach.answers import agrees, read
from cnncalc.teach.kinds import kinds
from cnncalc.teach.quiz import Question, Quiz, diagnose, draw, feedback

KINDS = kinds()


def question(kind: str, **letters: Any) -> Question:
    made = KINDS[kind]
    return Question(made, made.completed(letters))


# -- the right answers are the calculator's --------------------------------------------------------------------------


def computed(kind: str, q: dict[str, Any]) -> Any:
    """The same question as a spec, and what the calculator says; None where it says nothing of it."""
    if kind == "size":
        layer = f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, dilation: {q['D']}}}"
        return figures((q["Ci"], q["N"], q["N"]), layer).output_shape[1]
    if kind == "rectangle":
        layer = f"Conv2d: {{out_channels: 1, kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}}}"
        return figures((1, q["H"], q["W"]), layer).output_shape[2]
    if kind == "pool":
        layer = f"MaxPool2d: {{kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, ceil_mode: true}}"
        return figures((1, q["N"], q["N"]), layer).output_shape[1]
    if kind == "pool_floor":
        layer = f"AvgPool2d: {{kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}}}"
        return figures((1, q["N"], q["N"]), layer).output_shape[1]
    if kind == "pool_channels":
        layer = f"MaxPool2d: {{kernel_size: {q['F']}, stride: {q['S']}}}"
        return figures((q["C"], q["N"], q["N"]), layer).output_shape[0]
    if kind == "channels":
        return figures(
            (q["Ci"], q["N"], q["N"]), f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, padding: {q['P']}}}"
        ).output_shape[0]
    if kind == "flatten":
        return network((q["C"], q["H"], q["H"]), "Flatten", batch=q["B"])["0"].output_shape[0]
    if kind == "lenet_flat":
        convs = [
            f"{{Conv2d: {{out_channels: {q[c]}, kernel_size: 5}}}}, {{MaxPool2d: {{kernel_size: 2}}}}"
            for c in ("C1", "C2")
        ]
        return network((1, q["N"], q["N"]), *convs, "Flatten")["4"].output_shape[0]
    if kind in ("tconv", "tconv_params"):
        layer = f"ConvTranspose2d: {{out_channels: {q.get('Co', 1)}, kernel_size: {q['F']}, stride: {q.get('S', 1)}, padding: {q.get('P', 0)}, output_padding: {q.get('R', 0)}, groups: {q.get('G', 1)}}}"
        row = figures((q.get("Ci", 1), q.get("N", 4), q.get("N", 4)), layer)
        return row.params if kind == "tconv_params" else row.output_shape[1]
    if kind == "conv_params":
        return figures(
            (q["Ci"], q["N"], q["N"]), f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, groups: {q['G']}}}"
        ).params
    if kind == "conv_weights":
        layer = f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, groups: {q['G']}, bias: false}}"
        return figures((q["Ci"], q["N"], q["N"]), layer).params
    if kind == "conv_bn_params":
        conv = f"{{Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, padding: same, bias: false}}}}"
        return network((q["Ci"], q["N"], q["N"]), conv, "BatchNorm2d").totals.params
    if kind in ("concat_params", "add_params"):
        branches = [q["C1"], q["C2"], q["C3"]] if kind == "concat_params" else [q["C"], q["C"]]
        convs = ", ".join(f"[{{Conv2d: {{out_channels: {channels}, kernel_size: 1}}}}]" for channels in branches)
        merge = "concat" if kind == "concat_params" else "add"
        last = f"{{Conv2d: {{out_channels: {q['K']}, kernel_size: {q['F']}, bias: false}}}}"
        return list(network((2, 9, 9), f"{{{merge}: [{convs}]}}", last))[-1].params
    if kind == "shared_params":
        return figures((q["C"], 9, 9), f"Conv2d: {{out_channels: {q['C']}, kernel_size: {q['F']}, bias: false}}").params
    if kind == "fc_params":
        return figures((q["C"] * q["H"] ** 2,), f"Linear: {{out_features: {q['K']}}}").params
    if kind == "fc_macs":
        return figures((q["I"],), f"Linear: {{out_features: {q['K']}}}").macs
    if kind == "bn_params":
        return figures((q["C"], q["N"], q["N"]), "BatchNorm2d: {}").params
    if kind == "macs":
        layer = f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, groups: {q['G']}}}"
        return figures((q["Ci"], q["N"], q["N"]), layer).macs
    if kind == "flops":
        layer = f"Conv2d: {{out_channels: {q['Co']}, kernel_size: 1, bias: false}}"
        return figures((q["Ci"], q["N"], q["N"]), layer).flops
    if kind == "separable":
        both = [
            f"{{Conv2d: {{out_channels: 60, kernel_size: {q['F']}, groups: 60}}}}",
            f"{{Conv2d: {{out_channels: {q['K']}, kernel_size: 1}}}}",
        ]
        whole = f"Conv2d: {{out_channels: {q['K']}, kernel_size: {q['F']}}}"
        shape = (60, 20, 20)
        return pytest.approx(network(shape, *both).totals.macs / figures(shape, whole).macs)
    if kind == "activation_bytes":
        return network((q["C"], q["N"], q["N"]), "ReLU", batch=q["B"])["0"].output_bytes
    if kind == "tensors_bytes":
        conv = f"{{Conv2d: {{out_channels: {q['C']}, kernel_size: 3, padding: 1, bias: false}}}}"
        report = network((q["I"], q["N"], q["N"]), conv, "{ReLU: {inplace: true}}")
        return report.totals.peak.bytes + 4 * q["I"] * q["N"] ** 2  # the input is the caller's
    if kind == "adam_bytes":
        text = f"input: [{q['n'] * 10}]\nlayers: [{{Linear: {{out_features: 100, bias: false}}}}]"
        dtype = {16: "float16", 32: "float32", 64: "float64"}[q["z"]]
        totals = analyse(Source("q.yaml", text), dtype=dtype, optimizer="adam").totals
        return totals.weight_bytes + totals.gradient_bytes + totals.optimizer_bytes
    if kind == "mebibytes":
        text = f"input: [{q['n'] * 10}]\nlayers: [{{Linear: {{out_features: 100, bias: false}}}}]"
        return analyse(Source("q.yaml", text)).totals.weight_bytes / 2**20
    if kind == "receptive_field":
        first, pool, last = ((q[f"F{i}"], q[f"S{i}"]) for i in (1, 2, 3))
        layers = [f"{{Conv1d: {{out_channels: 1, kernel_size: {f}, stride: {s}}}}}" for f, s in (first, last)]
        layers.insert(1, f"{{MaxPool1d: {{kernel_size: {pool[0]}, stride: {pool[1]}}}}}")
        return seen(network((1, 500), *layers)["2"])
    if kind == "rf_dilated":
        layers = [
            f"{{Conv1d: {{out_channels: 1, kernel_size: {q['F']}, dilation: {q[d]}}}}}" for d in ("D1", "D2", "D3")
        ]
        return seen(network((1, 500), *layers)["2"])
    if kind == "rf_residual":
        conv = f"{{Conv1d: {{out_channels: 4, kernel_size: {q['K']}, padding: same}}}}"
        block = f"{{residual: [{conv}, {conv}]}}"
        report = network((1, 500), f"{{Conv1d: {{out_channels: 4, kernel_size: {q['F']}, stride: {q['S']}}}}}", block)
        return seen(list(report)[-1])
    if kind == "three_for_one":
        conv = f"{{Conv2d: {{out_channels: {q['C']}, kernel_size: 3, bias: false}}}}"
        return network((q["C"], 9, 9), conv, conv, conv).totals.params
    return None


def network(shape: tuple[int, ...], *layers: str, **options: Any) -> Any:
    return analyse(Source("q.yaml", f"input: {list(shape)}\nlayers: [{', '.join(layers)}]"), **options)


def seen(row: Any) -> int:
    return int(row.receptive_field.size[0])


def figures(shape: tuple[int, ...], layer: str) -> Any:
    return network(shape, f"{{{layer}}}")["0"]


@pytest.mark.parametrize("kind", KINDS)
def test_right_answers_are_those_of_the_calculator(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(40):
        drawn = draw(KINDS[kind], rng)
        expected = computed(kind, drawn.letters)
        if expected is None:
            assert kind in REFEREES
            return
        assert drawn.right == expected, drawn.text


def test_the_textbook_line_is_the_calculator_s() -> None:
    assert KINDS["size"].shown == formulas()[0].text


def bn(q: dict[str, Any]) -> Any:
    import torch

    norm = torch.nn.BatchNorm1d(1, eps=q["ε"]).eval()
    values = {"weight": q["γ"], "bias": q["β"], "running_mean": q["μ"], "running_var": q["V"]}
    norm.load_state_dict({key: torch.tensor([float(value)]) for key, value in values.items()}, strict=False)
    return norm


def bn_trained(values: list[float], momentum: float) -> Any:
    """A batch normalisation that has seen a batch, and what it gave."""
    import torch

    norm = torch.nn.BatchNorm1d(1, eps=1e-12, momentum=momentum)
    return norm, norm(torch.tensor(values)[:, None])


def by_hand(q: dict[str, Any]) -> float:
    import torch

    window, weight = (
        torch.tensor([[[[float(q[key]) for key in row] for row in rows]]]) for rows in (("ab", "cd"), ("ef", "gh"))
    )
    return float(torch.nn.functional.conv2d(window, weight, torch.tensor([float(q["s"])])))


def bn_variance(q: dict[str, Any]) -> float:
    values = [float(q[key]) for key in "abcd"]
    _, given = bn_trained(values, 0.1)
    return float(((max(values) - min(values)) / (given.max() - given.min()).detach()) ** 2)


def bn_running_var(q: dict[str, Any]) -> float:
    return float(bn_trained([float(q[key]) for key in "abcd"], 1.0)[0].running_var)


def bn_momentum(q: dict[str, Any]) -> float:
    import torch

    norm = torch.nn.BatchNorm1d(1, momentum=q["p"])
    norm.running_mean.fill_(q["old"])
    norm(torch.tensor([[q["new"] - 1.0], [q["new"] + 1.0]]))
    return float(norm.running_mean)


def batch_norm(q: dict[str, Any]) -> float:
    import torch

    return float(bn(q)(torch.tensor([[float(q["x"])]])).detach())


def bn_fold(q: dict[str, Any]) -> float:
    import torch

    conv = torch.nn.Conv2d(1, 1, 1)
    torch.nn.init.constant_(conv.bias, q["b"])
    norm = torch.nn.BatchNorm2d(1, eps=q["ε"])
    norm.load_state_dict(bn(q).state_dict())
    return float(torch.nn.utils.fusion.fuse_conv_bn_eval(conv.eval(), norm.eval()).bias.detach())


def lrn(q: dict[str, Any]) -> float:
    import torch

    channels = torch.full((1, q["n"], 1, 1), (q["Q"] / q["n"]) ** 0.5)
    norm = torch.nn.LocalResponseNorm(q["n"], alpha=q["α"], beta=1.0, k=q["k"])
    middle = q["n"] // 2
    return float(channels[0, middle] / norm(channels)[0, middle])


def dropout(q: dict[str, Any], training: bool = True) -> float:
    import torch

    return float(torch.nn.functional.dropout(torch.full((200,), float(q["x"])), q["p"], training=training).max())


def dropout_test(q: dict[str, Any]) -> float:
    return dropout(q, training=False)


def novikoff(q: dict[str, Any]) -> float:
    """The bound of the lesson that runs the perceptron against it."""
    from cnncalc.teach.lessons.learning import bound

    return bound(q["R"], q["γ"])


#: Kinds of which the calculator says nothing, and what else does: PyTorch, or for the last two the sentence itself.
REFEREES: dict[str, Callable[[dict[str, Any]], float]] = {
    each.__name__: each
    for each in (by_hand, batch_norm, bn_momentum, bn_variance, bn_running_var, bn_fold, lrn, dropout, dropout_test)
} | {
    # the least padding with which the windows stand in ⌈N/S⌉ places
    "same": lambda q: next(p for p in range(99) if (q["N"] + p - q["F"]) // q["S"] + 1 >= math.ceil(q["N"] / q["S"])),
    "nested": lambda q: q["s"],
    "perceptron": novikoff,
}


@pytest.mark.parametrize("kind", REFEREES)
def test_pytorch_agrees_where_the_calculator_says_nothing(kind: str) -> None:
    pytest.importorskip("torch", reason="PyTorch is the referee: pip install 'cnncalc[torch]'")
    rng = random.Random(0)
    for _ in range(20):
        drawn = draw(KINDS[kind], rng)
        assert REFEREES[kind](drawn.letters) == pytest.approx(drawn.right, rel=1e-5), drawn.text


# -- diagnosis -------------------------------------------------------------------------------------------------------


CATALOGUE = """
out.no_plus_one out.pad_once out.pad_ignored out.stride_ignored out.ceil_for_floor out.not_integer out.halved
out.same_assumed out.dilation_ignored out.dilation_kd out.filters_as_kernel out.hw_swapped out.channels_kept
out.channels_product out.depth_padded pool.channels_pooled pool.stride_one pool.ceil_naive pool.floor_for_ceil
same.symmetric tconv.times_stride tconv.no_output_padding tconv.pad_added tconv.n_not_minus_1 tconv.conv_formula
tconv.params_order par.no_bias par.one_bias par.no_in_channels par.no_out_channels par.f_not_squared
par.bias_per_slice par.bias_in_channels par.groups_ignored par.groups_squared par.spatial_out par.spatial_no_bias
par.spatial_in par.fc_like par.bias_kept_with_bn par.bn_4c par.bn_ignored par.bn_hw par.concat_last_branch
par.add_as_concat par.fc_no_bias par.fc_channels_only par.fc_prepool par.shared_twice mac.flops_for_macs
mac.macs_for_flops mac.input_spatial mac.no_spatial mac.one_spatial_dim mac.no_in_channels mac.no_out_channels
mac.groups_ignored mac.groups_twice mac.params_times_out mac.exact_adds mac.nested_sum mac.batch mem.elements
mem.mb_vs_mib mem.no_batch mem.params_only mem.no_input mem.no_grad mem.inplace_relu_twice rf.sum_kernels
rf.no_stride rf.last_kernel rf.jump_too_early rf.pool_ignored rf.dilation_ignored rf.skip_path rf.order_reversed
flat.no_pad_assumed flat.batch_included drop.scale_1_over_p drop.scaled_at_test drop.test_times_p
bn.batch_stats_at_test bn.no_sqrt bn.no_eps bn.unbiased_norm bn.momentum_reversed bn.fold_bias lrn.alpha_over_n
perc.not_squared perc.one_factor vgg.no_c2
"""


def test_what_the_readme_counts() -> None:
    assert len(KINDS) == 42 and len({kind.topic for kind in KINDS.values()}) == 7
    assert sum(len(kind.slips) for kind in KINDS.values()) == 208


def test_the_catalogue_is_the_reference_s() -> None:
    """All its names, but for errors that `explain-error` answers, a pair, and what the reference calls right."""
    names = {slip.name for kind in KINDS.values() for slip in kind.slips}
    assert names >= set(CATALOGUE.split())


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_questions(kind: str) -> None:
    """No right answer is graded wrong, no slip's answer right, and every slip is among those that its answer could come from."""
    rng = random.Random(kind)
    for _ in range(10_000 // len(KINDS) + 1):
        drawn = draw(KINDS[kind], rng)
        assert diagnose(drawn, float(drawn.right)).verdict == "right"
        for slip in drawn.slips:
            found = diagnose(drawn, float(drawn.wrong(slip)))
            assert found.verdict in ("slip", "convention"), (drawn.text, slip.name)
            behind_convention = any(each.convention for group in found.behind for each in group)
            assert slip.name in found.suspects or behind_convention, (drawn.text, slip.name)


NG = question("conv_params", N=300, F=5, G=1, Ci=3, Co=100)
STRIDED = question("size", N=63, F=7, S=2, P=0, D=1, Ci=16, Co=32)


@pytest.mark.parametrize(("drawn", "value", "slip"), [
    # the distractors of a widely used course's quiz, as the reference quotes them
    (NG, 7500, "par.no_bias"),
    (NG, 2600, "par.no_in_channels"),
    (question("conv_params", N=256, F=7, G=1, Ci=3, Co=128), 1_233_125_504, "par.spatial_in"),
    (question("conv_params", N=64, F=7, G=1, Ci=3, Co=128), 18_816, "par.no_bias"),
    (question("conv_params", N=64, F=7, G=1, Ci=3, Co=128), 6400, "par.no_in_channels"),
    (question("pool", N=32, F=2, S=2, P=0), 15, "pool.no_plus_one"),
    (STRIDED, 16, "out.filters_as_kernel"),
    (question("size", N=121, F=4, S=3, P=0, D=1, Ci=3, Co=32), 118, "out.stride_ignored"),
    (question("size", N=15, F=1, S=1, P=2, D=1, Ci=8, Co=16), 17, "out.pad_once"),
    (question("channels", N=63, F=7, P=0, Ci=16, Co=32), 16, "out.channels_kept"),
    (question("channels", N=15, F=7, P=2, Ci=8, Co=16), 12, "out.depth_padded"),
    (question("channels", N=15, F=7, P=2, Ci=8, Co=16), 10, "out.depth_padded_once"),
    (question("pool_channels", N=64, C=16, F=2, S=2), 8, "pool.channels_pooled"),
    (question("pool_channels", N=64, C=12, F=4, S=4), 3, "pool.channels_pooled"),
    # what is told of published networks: AlexNet's first layer without sharing; LeNet's map for a picture of 28
    (question("conv_params", N=65, F=11, G=1, Ci=3, Co=96), 105_705_600, "par.spatial_out"),
    (question("lenet_flat", N=28, C1=6, C2=16), 400, "flat.no_pad_assumed"),
    (question("macs", N=56, F=3, S=2, P=1, G=1, Ci=12, Co=36), 2 * 3 * 3 * 12 * 36 * 28 * 28, "mac.flops_for_macs"),
    (question("receptive_field", F1=7, S1=2, F2=3, S2=2, F3=3, S3=1), 13, "rf.sum_kernels"),
    (question("bn_params", N=56, C=64), 256, "par.bn_4c"),
    (question("bn_running_var", a=1, b=4, c=5, d=6), 3.5, "bn.biased_stored"),
    (question("bn_variance", a=1, b=4, c=5, d=6), 4.6667, "bn.unbiased_norm"),
])  # fmt: skip
def test_the_catalogue_names_what_gives_a_number(drawn: Question, value: float, slip: str) -> None:
    assert slip in diagnose(drawn, value).suspects


def test_two_slips_at_once_are_found_and_one_comes_first() -> None:
    drawn = question("conv_params", N=32, F=5, G=1, Ci=3, Co=100)
    both = drawn.wrong(*[slip for slip in drawn.slips if slip.name in ("par.no_bias", "par.f_not_squared")])
    assert both == 5 * 3 * 100
    found = diagnose(drawn, both)
    assert found.verdict == "slips" and found.suspects >= {"par.no_bias", "par.f_not_squared"}
    assert diagnose(drawn, drawn.right + 12345).verdict == "unknown"
    both = diagnose(NG, 2501)  # quoted by the reference, too
    assert both.verdict == "slips" and {"par.no_in_channels", "par.one_bias"} <= both.suspects


def test_slips_of_resnet50_add_up_to_the_wrong_totals_that_are_told_of_it() -> None:
    """A bias for each convolution, and buffers among the parameters: the totals that the reference measured."""
    report = analyse("resnet50")
    wrong = dict.fromkeys(("par.bias_kept_with_bn", "par.bn_4c"), report.totals.params)
    for row in report:
        if row.type == "Conv2d":
            op, shape = row.layer.op, row.input_shapes[0]
            drawn = question("conv_bn_params", N=7, F=op.kernel_size[0], Ci=shape[0], Co=op.out_channels)
            for slip in drawn.slips:
                if slip.name in wrong:
                    wrong[slip.name] += drawn.wrong(slip) - drawn.right
    assert wrong == {"par.bias_kept_with_bn": 25_583_592, "par.bn_4c": 25_610_152}


def test_arithmetic_tells_slips_apart_that_give_the_same_number() -> None:
    drawn = question("size", N=37, F=7, S=2, P=3, D=2, Ci=3, Co=16)
    for answer, suspects in (
        ("15", {"out.no_plus_one", "out.dilation_kd"}),
        ("(37 + 6 - 12 - 1)/2", {"out.no_plus_one"}),
        ("(37 + 2*3 - 2*7)//2 + 1", {"out.dilation_kd"}),
        ("14", {"out.pad_once", "out.filters_as_kernel"}),
        ("(37 + 3 - 13)//2 + 1", {"out.pad_once"}),
        ("floor((37 + 6 - 16)/2) + 1", {"out.filters_as_kernel"}),
        ("30/2 + 100 - 100", {"out.no_plus_one", "out.dilation_kd"}),  # a number that is not in the question
        ("5*3", {"out.no_plus_one", "out.dilation_kd"}),  # a way that is nobody's tells nothing
    ):
        assert diagnose(drawn, answer).suspects == suspects, answer


def test_feedback_names_the_idea_and_never_the_number() -> None:
    rng = random.Random(5)
    for kind in KINDS.values():
        drawn = draw(kind, rng)
        right = f"{drawn.right:,}"
        for slip in drawn.slips:
            said = " ".join(feedback(drawn, diagnose(drawn, float(drawn.wrong(slip)))))
            assert len(right) < 3 or right not in said, (kind.name, said)
            assert slip.hint and not any(
                char.isdigit()
                for char in slip.hint.replace("10⁶", "")
                .replace("2²⁰", "")
                .replace("float32", "")
                .replace("The 2", "")
                .replace("the 2", "")
            ), slip.name


def test_an_ambiguous_answer_accuses_nobody_alone() -> None:
    drawn = question("size", N=20, F=5, S=2, P=1, D=1, Ci=3, Co=9)
    by_value: dict[float, list[str]] = {}
    for slip in drawn.slips:
        by_value.setdefault(drawn.wrong(slip), []).append(slip.name)
    value, names = max(by_value.items(), key=lambda item: len(item[1]))
    assert len(names) > 1
    assert diagnose(drawn, value).suspects == set(names)
    assert "either" in " ".join(feedback(drawn, diagnose(drawn, value)))


# -- the next question -----------------------------------------------------------------------------------------------


def test_the_next_question_tells_the_suspects_apart() -> None:
    for seed in range(30):
        quiz = Quiz("conv", seed)
        quiz.order = [KINDS["size"]]
        first = quiz.next()
        slip = first.slips[seed % len(first.slips)]
        found = quiz.answer(first, str(first.wrong(slip)))
        second = quiz.next()
        assert second.kind.name == "size"
        values = [second.wrong(each) for each in second.slips if each.name in found.suspects]
        assert len(set(values)) == len(values) or len(values) > 3


def test_a_seed_gives_the_same_questions() -> None:
    assert [Quiz("all", 7).next().text for _ in range(3)] == [Quiz("all", 7).next().text] * 3
    first, second = Quiz("all", 1), Quiz("all", 2)
    assert [first.next().text for _ in range(5)] != [second.next().text for _ in range(5)]


# -- answers as people type them -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "value"), [
    ("7600", 7600), ("5*5*3*100 + 100", 7600), ("5×5×3×100+100", 7600), ("5·5·3·100 + 100", 7600), ("7,600", 7600), ("7 600", 7600),
    ("1,233,125,504", 1_233_125_504), ("7.6k", 7600), ("2^3", 8), ("(7-3)/2+1", 3), ("floor(5/2)", 2), ("224 x 224", 50176), ("3²", 9), ("−4", -4),
])  # fmt: skip
def test_numbers_in_all_usual_forms(text: str, value: float) -> None:
    assert agrees(read(text), value)


def test_formulas_that_have_no_number_are_no_question(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    for formula in ("9**9**9**9", "N/0", "(0 - N)**0.5"):
        path.write_text(f"own: {{topic: own, ask: a, draw: {{N: [1, 2]}}, formula: {formula}}}")
        done = played("1\n", "own", "--misconceptions", str(path))
        assert done.returncode == 2 and "no fair question of the kind own" in done.stderr, formula
    path.write_text("size: {slips: {own.z: {value: N // (S - 1), says: x}}}")
    assert draw(kinds(str(path))["size"], random.Random(1)).right > 0


@pytest.mark.parametrize(("text", "value"), [
    ("1520 parameters", 1520), ("= 1520", 1520), ("~1520", 1520), ("5*5*3*20 + 20 = 1520", 1520), ("20(5*5*3 + 1)", 1520), ("0,1267", 0.1267),
    ("12.67 %", 0.1267), ("√16", 4), ("28 px", 28), ("1,7k", 1700), ("max(3,400)", 400), ("7.6k params", 7600),
])  # fmt: skip
def test_numbers_as_students_write_them(text: str, value: float) -> None:
    assert agrees(read(text), value)


def test_a_rounded_answer_has_two_digits_that_count() -> None:
    for text, value in (("0T", 1520), ("2k", 1520), ("2M", 1_536_000), ("0k", 13.37), ("0.1", 0.1267), ("0.0", 0.0478)):
        assert not agrees(read(text), value), text
    for text, value in (("1.5k", 1520), ("1.5M", 1_536_000), ("13.4", 13.3705), ("0.13", 0.1267)):
        assert agrees(read(text), value), text


def test_no_mistake_passes_for_a_convention() -> None:
    rng = random.Random(3)
    for kind in KINDS.values():
        for _ in range(20):
            drawn = draw(kind, rng)
            for slip in drawn.slips:
                if not slip.convention:
                    assert diagnose(drawn, float(drawn.wrong(slip))).verdict == "slip", (drawn.text, slip.name)


@pytest.mark.parametrize("text", ["", "seven", "__import__('os')", "1/0", "9**9**9", "[1, 2]", "true", "1 2", "()"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Misfit):
        read(text)


# -- the command, and a teacher's own file ---------------------------------------------------------------------------


def played(answers: str, *arguments: str) -> Done:
    return cnncalc("quiz", *arguments, text=answers)


def test_a_quiz_played_to_the_end() -> None:
    quiz = Quiz("all", 11)
    answers = []
    for _ in range(12):
        drawn = quiz.next()
        answers.append(str(drawn.right))
        assert quiz.answer(drawn, answers[-1]).is_right
    done = played("\n".join(answers) + "\n", "all", "--seed", "11", "-n", "12")
    assert done.returncode == 0 and done.stdout.count("   right") == 12 and "12 of 12 right" in done.stdout


def test_hints_skips_nonsense_and_an_early_end() -> None:
    done = played("h\nseven\ns\n0\n", "params", "--seed", "2")
    assert done.returncode == 0 and "'seven' is no number" in done.stdout and "0 of 1 right" in done.stdout
    assert played("q\n").stdout.endswith("nothing was answered\n")
    done = played("", "convs")
    assert done.returncode == 2 and "there is no topic convs" in done.stderr


OWN = """
conv_params:
  slips:
    own.twice: {set: {K: 2*Co}, says: twice as many filters}
own_kind:
  topic: own
  ask: "What is {a} and {a}?"
  draw: {a: [2, 3, 5]}
  formula: 2*a
  slips:
    own.square: {value: a*a, when: a != 2, says: that is the square}
"""


def test_a_teacher_adds_slips_and_kinds_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    found = kinds(str(path))
    drawn = Question(found["conv_params"], {"N": 32, "F": 5, "G": 1, "Ci": 3, "Co": 100, "O": 28})
    assert "own.twice" in diagnose(drawn, 5 * 5 * 3 * 200 + 100).suspects
    assert "own.twice" not in {slip.name for slip in kinds()["conv_params"].slips}
    assert "right" in played("4\n6\n10\n", "own", "--misconceptions", str(path), "-n", "3").stdout


@pytest.mark.parametrize(("text", "message"), [
    ("conv_params: {slips: {own.x: {set: {Z: 1}, says: s}}}", "slip own.x: there is no letter Z"),
    ("conv_params: {slips: {own.x: {value: Q + 1, says: s}}}", "slip own.x: name 'Q' is not defined"),
    ("conv_params: {slips: {own.x: {value: 'open(1)', says: s}}}", "holds more than arithmetic"),
    ("conv_params: {slips: {own.x: {value: 1}}}", "wants set or value, and says"),
    ("own: {topic: t, ask: a, draw: {a: [1]}}", "own has no formula"),
    ("own: {topik: t}", "own has no part topik"),
    ("size: {slips: {own.w: {value: N, says: x, wenn: S > 1}}}", "slip own.w has no part wenn"),
    ("size: {slips: {own.w: {value: N, says: 'is {Q}'}}}", "there is no letter {Q} to write"),
    ("own: {topic: t, ask: '{N.__class__}', draw: {N: [1]}, formula: N}", "there is no letter {N.__class__} to write"),
    ("own: {topic: t, ask: a, draw: {N: [x]}, formula: N}", "N is drawn from"),
    ("own: {topic: t, ask: a, draw: {N: [1]}, formula: a, terms: {a: b, b: a}}", "its terms go round in a circle"),
    ("own: {topic: t, ask: a, draw: {N: [1]}, formula: N << 9}", "holds more than arithmetic"),
    ("own: {topic: t, ask: a, draw: {N: [1]}, formula: " + "N + " * 600 + "N}", "an expression of 2401 characters"),
    ("own: {topic: t, ask: a, draw: {N: [1]}, formula: N, where: Q}", "own, where: name 'Q' is not defined"),
    ("- 1", "holds no names with values"),
    ("{", "is not YAML"),
])  # fmt: skip
def test_a_file_that_is_wrong_is_one_message(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=message.replace("(", r"\(")):
        kinds(str(path))
