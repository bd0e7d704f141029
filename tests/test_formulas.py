"""The displayed line is what was computed: for ints, NumPy arrays and SymPy symbols, as text and as LaTeX."""

from __future__ import annotations

import random
import re
from fractions import Fraction
from math import ceil, floor

import pytest

from cnncalc import analyse, formulas
from cnncalc.explanation import Explained
from cnncalc.formats import render
from cnncalc.formula import CHAPTERS, LETTERS, Formula, Step, number
from cnncalc.ops import REGISTRY
from cnncalc.ops.conv import conv_output

ALL = formulas()


def evaluated(line: str) -> Fraction:
    """What a displayed line says, read by someone who does not know the formula."""
    for a, b in (("·", "*"), ("−", "-"), ("⌊", "floor("), ("⌋", ")"), ("⌈", "ceil("), ("⌉", ")"), ("²", "**2")):
        line = line.replace(a, b)
    line = re.sub(r"\d+(\.\d+)?", lambda found: f"Fraction('{found.group()}')", line)
    line = re.sub(r"\*\*Fraction\('(\d+)'\)", r"**\1", line)
    return Fraction(eval(line, {"Fraction": Fraction, "floor": floor, "ceil": ceil, "min": min, "__builtins__": {}}))


def evaluated_latex(line: str) -> Fraction:
    """The same for LaTeX, of which only a few commands are used."""
    for a, b in (
        (r"\left\lfloor", "floor("),
        (r"\right\rfloor", ")"),
        (r"\left\lceil", "ceil("),
        (r"\right\rceil", ")"),
    ):
        line = line.replace(a, b)
    line = line.replace(r"\left(", "(").replace(r"\right)", ")").replace(r"\cdot", "*").replace(r"\min", "min")
    while r"\frac" in line:
        line = _without_fraction(line)
    line = re.sub(r"\^\{(\d+)\}", r"**\1", line)
    return evaluated(line)


def _without_fraction(line: str) -> str:
    start = line.index(r"\frac")
    parts, depth, begin, at = [], 0, 0, start + 5
    while len(parts) < 2:
        if line[at] == "{":
            begin = at + 1 if depth == 0 else begin
            depth += 1
        elif line[at] == "}":
            depth -= 1
            if depth == 0:
                parts.append(line[begin:at])
        at += 1
    return f"{line[:start]}(({parts[0]})/({parts[1]})){line[at:]}"


def sample(formula: Formula, rng: random.Random) -> Step:
    """The formula with letters that divide where they must."""
    vectors = {"F", "O", "N", "X", "W", "n", "M"} & set(re.findall(r"(?:prod|total)\((\w)\)", _source(formula)))
    letters = {}
    for letter in formula.letters:
        letters[letter] = (
            tuple(rng.randint(1, 9) for _ in range(rng.randint(1, 3))) if letter in vectors else rng.randint(1, 9)
        )
    if "G" in letters:
        letters |= {
            each: letters["G"] * rng.randint(1, 4) for each in ("C", "K") if each in letters and each not in vectors
        }
    if formula.name == "channels after a pixel shuffle":
        letters["C"] = letters["R"] ** 2 * 3
    if formula.name == "size after a pixel unshuffle":
        letters["N"] = letters["R"] * 3
    if formula.name == "output size of a GLU":
        letters["N"] = 2 * letters["N"]
    return formula.step(**letters)


def _source(formula: Formula) -> str:
    import inspect

    return inspect.getsource(formula.function)


@pytest.mark.parametrize("formula", ALL, ids=lambda formula: formula.name)
def test_the_line_on_screen_evaluates_to_the_value(formula: Formula) -> None:
    rng = random.Random(formula.name)
    for _ in range(20):
        step = sample(formula, rng)
        assert evaluated(step.substitution) == step.value
        written, _, result = step.latex.rpartition(" = ")
        assert evaluated_latex(written or result.replace("{,}", "")) == step.value
        assert result.replace("{,}", ",").replace("-", "−") == number(step.value)
        assert step.line.endswith(number(step.value))


@pytest.mark.parametrize("formula", ALL, ids=lambda formula: formula.name)
def test_ints_arrays_and_symbols_agree(formula: Formula) -> None:
    np, sympy = pytest.importorskip("numpy"), pytest.importorskip("sympy")
    rng = random.Random(formula.name)
    steps = [sample(formula, rng) for _ in range(5)]
    for step in steps:
        arrays = {
            k: tuple(map(np.int64, v)) if isinstance(v, tuple) else np.array([v] * 2, np.int64)
            for k, v in step.letters.items()
        }
        # A true ratio of whole numbers is a fraction, that of arrays a float.
        value = float(step.value) if isinstance(step.value, Fraction) else step.value
        assert (np.asarray(formula(**arrays)) == value).all()
        symbols = {
            k: tuple(sympy.Symbol(f"{k}{i}", positive=True, integer=True) for i in range(len(v))) if isinstance(v, tuple) else sympy.Symbol(k, positive=True, integer=True)
            for k, v in step.letters.items()
        }  # fmt: skip
        values = {}
        for k, v in step.letters.items():
            values |= dict(zip(symbols[k], v, strict=True)) if isinstance(v, tuple) else {symbols[k]: v}
        assert sympy.sympify(formula(**symbols)).subs(values) == step.value


def test_every_formula_has_unit_source_and_known_letters() -> None:
    for formula in ALL:
        assert formula.unit and formula.source and formula.symbol, formula.name
        assert set(formula.letters) <= {*LETTERS, *formula.means}
    assert [CHAPTERS.index(each.chapter) for each in ALL] == sorted(CHAPTERS.index(each.chapter) for each in ALL)


def test_the_value_does_not_overflow_where_int32_would() -> None:
    # 3·3·512·512·224·224 is beyond 2³¹.
    from cnncalc.ops.conv import conv_macs

    assert conv_macs(F=(3, 3), C=512, G=1, K=512, O=(224, 224)) == 118380036096


def test_a_negative_number_stands_in_parentheses() -> None:
    from cnncalc.analysis.receptive_field import field_padding

    step = field_padding.step(p=0, P=-88, j=1)
    assert step.line == "0 + (−88)·1 = −88"
    assert step.latex == r"0 + \left(-88\right) \cdot 1 = -88"


def test_an_independent_reader_notices_a_wrong_line() -> None:
    assert evaluated("⌊(7 + 2·0 − 1·(3 − 1) − 1)/3⌋ + 1") == 2
    assert evaluated("⌈(7 − 3)/3⌉ + 1") == 3
    assert evaluated_latex(r"\left\lfloor\frac{7 - 3}{3}\right\rfloor + 1") == 2


@pytest.mark.parametrize("spec", ["lenet_1998", "googlenet", "mobilenet_v2", "unet"])
def test_every_number_of_a_network_follows_from_its_line(spec: str) -> None:
    report = analyse(spec, batch=3)
    for row in report:
        explanation = row.explain()
        for line in explanation.lines:
            if line.step is not None:
                assert evaluated(line.step.substitution) == line.step.value
        by_label = {line.label: line.step.value for line in explanation.lines if line.step is not None}
        assert by_label.get("weights", 0) + by_label.get("biases", 0) == row.params
        assert by_label.get("MACs", 0) * 3 == row.macs
        assert by_label["output"] == row.output_bytes
        latex = render(Explained("", "", (explanation,)), "latex")
        assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}")


def test_all_layer_types_have_an_example_and_formulas_that_hold() -> None:
    from cnncalc.language.schema import example_steps

    for cls in REGISTRY.values():
        for step in example_steps(cls):
            assert evaluated(step.substitution) == step.value


@pytest.mark.parametrize(
    ("N", "F", "S", "P", "expected"),
    [
        pytest.param(32, 5, 1, 0, 28, id="lecture: six 5×5 filters over 32×32×3"),
        pytest.param(7, 3, 1, 0, 5, id="CS231n: 7×7 input, 3×3, stride 1"),
        pytest.param(7, 3, 2, 0, 3, id="CS231n: 7×7 input, 3×3, stride 2"),
        pytest.param(7, 3, 3, 0, 2, id="CS231n: 7×7 input, 3×3, stride 3 does not fit"),
        pytest.param(7, 3, 1, 1, 7, id="CS231n: 7×7 input, 3×3, padding 1"),
        pytest.param(5, 3, 2, 1, 3, id="CS231n: convolution demo"),
        pytest.param(11, 5, 2, 0, 4, id="CS231n: 11×11×4, 5×5, stride 2"),
        pytest.param(32, 5, 1, 2, 32, id="CS231n: ten 5×5 filters, padding 2"),
        pytest.param(227, 11, 4, 0, 55, id="Krizhevsky 2012: conv1"),
        pytest.param(224, 7, 2, 3, 112, id="He 2015, table 1: conv1"),
    ],
)
def test_output_sizes_of_the_courses(N: int, F: int, S: int, P: int, expected: int) -> None:
    assert conv_output(N=N, F=F, S=S, P=P, D=1) == expected
