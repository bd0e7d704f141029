"""The quiz: fair questions, answers diagnosed by what they are, and a next question that tells suspects apart."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cnncalc import SpecError, analyse, formulas
from cnncalc.errors import Misfit, Source
from cnncalc.teach.answers import agrees, read
from cnncalc.teach.kinds import compiled, kinds
from cnncalc.teach.quiz import Question, Quiz, diagnose, draw, feedback

PROGRAM = str(Path(sys.executable).parent / "cnncalc")
KINDS = kinds()


def question(kind: str, **letters: Any) -> Question:
    made = KINDS[kind]
    return Question(made, letters | {key: compiled(text)(letters) for key, text in made.letters.items()})


# -- the right answers are the calculator's --------------------------------------------------------------------------


def computed(kind: str, q: dict[str, Any]) -> Any:
    """The same question as a spec, and what the calculator says."""
    if kind == "size":
        layer = f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, dilation: {q['D']}}}"
        return figures((q["Ci"], q["N"], q["N"]), layer).output_shape[1]
    if kind == "pool":
        layer = f"MaxPool2d: {{kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, ceil_mode: true}}"
        return figures((1, q["N"], q["N"]), layer).output_shape[1]
    if kind == "channels":
        return figures(
            (q["Ci"], q["N"], q["N"]), f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, padding: {q['P']}}}"
        ).output_shape[0]
    if kind == "tconv":
        layer = f"ConvTranspose2d: {{out_channels: 1, kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, output_padding: {q['R']}}}"
        return figures((1, q["N"], q["N"]), layer).output_shape[1]
    if kind == "conv_params":
        return figures(
            (q["Ci"], q["N"], q["N"]), f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, groups: {q['G']}}}"
        ).params
    if kind == "fc_params":
        return figures((q["C"] * q["H"] ** 2,), f"Linear: {{out_features: {q['K']}}}").params
    if kind == "bn_params":
        return figures((q["C"], q["N"], q["N"]), "BatchNorm2d: {}").params
    if kind == "macs":
        layer = f"Conv2d: {{out_channels: {q['Co']}, kernel_size: {q['F']}, stride: {q['S']}, padding: {q['P']}, groups: {q['G']}}}"
        return figures((q["Ci"], q["N"], q["N"]), layer).macs
    if kind == "activation_bytes":
        text = f"input: [{q['C']}, {q['N']}, {q['N']}]\nlayers: [ReLU]"
        return analyse(Source("q.yaml", text), batch=q["B"])["0"].output_bytes
    if kind == "receptive_field":
        layers = ", ".join(
            f"{{Conv1d: {{out_channels: 1, kernel_size: {q[f'F{i}']}, stride: {q[f'S{i}']}}}}}" for i in (1, 2, 3)
        )
        field = analyse(Source("q.yaml", f"input: [1, 500]\nlayers: [{layers}]"))["2"].receptive_field
        assert field is not None
        return field.size[0]
    if kind == "three_for_one":
        conv = f"{{Conv2d: {{out_channels: {q['C']}, kernel_size: 3, bias: false}}}}"
        return analyse(Source("q.yaml", f"input: [{q['C']}, 9, 9]\nlayers: [{conv}, {conv}, {conv}]")).totals.params
    return None


def figures(shape: tuple[int, ...], layer: str) -> Any:
    return analyse(Source("q.yaml", f"input: {list(shape)}\nlayers: [{{{layer}}}]"))["0"]


@pytest.mark.parametrize("kind", KINDS)
def test_right_answers_are_those_of_the_calculator(kind: str) -> None:
    rng = random.Random(kind)
    for _ in range(40):
        drawn = draw(KINDS[kind], rng)
        expected = computed(kind, drawn.letters)
        if expected is None:
            assert kind in ("mebibytes", "batch_norm", "bn_momentum", "dropout", "perceptron")
            return
        assert drawn.right == expected, drawn.text


def test_the_textbook_line_is_the_calculator_s() -> None:
    assert KINDS["size"].shown == formulas()[0].text


def test_layers_of_pytorch_agree_with_those_that_have_no_formula() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the referee: pip install 'cnncalc[torch]'")
    rng = random.Random(0)
    for _ in range(20):
        q = draw(KINDS["batch_norm"], rng).letters
        norm = torch.nn.BatchNorm1d(1, eps=0).eval()
        values = {"weight": q["γ"], "bias": q["β"], "running_mean": q["μ"], "running_var": q["V"]}
        norm.load_state_dict({key: torch.tensor([float(value)]) for key, value in values.items()}, strict=False)
        assert norm(torch.tensor([[float(q["x"])]])).item() == pytest.approx(KINDS["batch_norm"].right(q), rel=1e-5)
        q = draw(KINDS["bn_momentum"], rng).letters
        norm = torch.nn.BatchNorm1d(1, momentum=q["p"])
        norm.running_mean.fill_(q["old"])
        norm(torch.tensor([[q["new"] - 1.0], [q["new"] + 1.0]]))
        assert float(norm.running_mean) == pytest.approx(KINDS["bn_momentum"].right(q), rel=1e-5)
        q = draw(KINDS["dropout"], rng).letters
        kept = torch.nn.functional.dropout(torch.full((200,), float(q["x"])), q["p"]).max()
        assert float(kept) == pytest.approx(KINDS["dropout"].right(q), rel=1e-5)


# -- diagnosis -------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("drawn", "value", "slip"), [
    # the distractors of a widely used course's quiz, as the reference quotes them
    (question("conv_params", N=300, F=5, G=1, Ci=3, Co=100), 7500, "par.no_bias"),
    (question("conv_params", N=300, F=5, G=1, Ci=3, Co=100), 2600, "par.no_in_channels"),
    (question("size", N=63, F=7, S=2, P=0, D=1, Ci=16, Co=32), 16, "out.filters_as_kernel"),
    (question("size", N=127, F=5, S=4, P=0, D=1, Ci=16, Co=32), 123, "out.stride_ignored"),
    (question("size", N=29, F=3, S=2, P=2, D=1, Ci=3, Co=13), 15, "out.same_assumed"),
    (question("macs", N=56, F=3, S=2, P=1, G=1, Ci=12, Co=36), 2 * 3 * 3 * 12 * 36 * 28 * 28, "mac.flops_for_macs"),
    (question("receptive_field", F1=7, S1=2, F2=3, S2=2, F3=3, S3=1), 13, "rf.sum_kernels"),
    (question("bn_params", N=56, C=64), 256, "par.bn_4c"),
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


@pytest.mark.parametrize("text", ["", "seven", "__import__('os')", "1/0", "9**9**9", "[1]", "true", "1 2", "()"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(Misfit):
        read(text)


# -- the command, and a teacher's own file ---------------------------------------------------------------------------


def played(answers: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "quiz", *arguments], input=answers, capture_output=True, text=True, check=False, timeout=60
    )


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
    ("- 1", "holds no kinds of question"),
    ("{", "is not YAML"),
])  # fmt: skip
def test_a_file_that_is_wrong_is_one_message(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=message.replace("(", r"\(")):
        kinds(str(path))
