"""The lessons: all pass, each fails when its formula is broken, and their numbers can be changed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError
from cnncalc.answers.zoo import Entry, all_entries
from cnncalc.figures.options import Options

np = pytest.importorskip("numpy", reason="lessons need NumPy: pip install 'cnncalc[teach]'")


from cnncalc.teach.lessons import LIMITS, ORDER, building, history, learning, lesson, lessons, scaling, training  # noqa: E402


@pytest.mark.parametrize("name", ORDER)
def test_every_lesson_passes(name: str) -> None:
    sheet = lesson(name).run()
    assert sheet.passes and sheet.checked >= 2, sheet.failed


@pytest.mark.parametrize("name", [each.name for each in lessons() if "seed" in each.knobs])
def test_not_by_luck(name: str) -> None:
    for seed in (11, 12, 13):
        assert lesson(name).run(seed=seed).passes, (name, seed, lesson(name).run(seed=seed).failed)


def wrong_backward(weights: Any, states: Any, d: Any) -> Any:
    return [(-W, b) for W, b in RIGHT["backward"](weights, states, d)]


RIGHT: dict[str, Callable[..., Any]] = {
    "backward": learning.backward,
    "closest": learning.closest,
    "weights": building.weights,
    "stack": building.stack,
    "slide": building.slide,
    "through": training.through,
    "charted": history.charted,
}

#: For each lesson formulas of it, broken.
MUTANTS: list[tuple[str, Any, str, Any]] = [
    ("perceptron", learning, "bound", lambda R, gamma: (R / gamma) / 10),
    ("perceptron", learning, "bound", lambda R, gamma: 2 * R / gamma),
    ("perceptron", learning, "perceptron_step", lambda w, b, x, y, R: (w - y * x, b - y * R * R)),
    ("perceptron", learning, "perceptron_loss", lambda w, b, x, y: max(0.0, y * float(w @ x + b))),
    ("xor", learning, "backward", wrong_backward),
    ("xor", learning, "sigmoid", lambda x: 0 * x + 0.25),
    ("backpropagation", learning, "backward", wrong_backward),
    ("backpropagation", learning, "objective", lambda w, x, d: float(np.sum((learning.forward(w, x)[-1] - d) ** 2))),
    ("margin", learning, "closest", lambda X, Y: (X[0], Y[0])),
    ("margin", learning, "margin_of", lambda w, b, X, y: float((y * (X @ w + b)).min())),
    ("scaling", scaling, "growth", lambda depth, width, resolution: depth * width * resolution),
    ("scaling", scaling, "growth", lambda depth, width, resolution: depth**2 * width**2 * resolution**2),
    ("mnist", history, "MNIST", tuple((a, b, 0.5 if a.startswith("k near") else c) for a, b, c in history.MNIST)),
    ("fully-connected", building, "weights", lambda F, D1, K: (F * D1 * K, K)),
    (
        "fully-connected",
        building,
        "slide",
        lambda x, k, *a: RIGHT["slide"](x, k, *a) + np.arange(x.shape[2] - k.shape[-1] + 1),
    ),
    ("convolution", building, "output_size", lambda N, F, S, P: (N + 2 * P - F) // S),
    ("convolution", building, "output_size", lambda N, F, S, P: (N + P - F) // S + 1),
    ("convolution", building, "output_size", lambda N, F, S, P: -(-(N + 2 * P - F) // S) + 1),
    ("convolution", building, "weights", lambda F, D1, K: (F * F * K, K)),
    ("relu", building, "d_sigmoid", lambda x: 1 / (1 + np.exp(-x))),
    ("relu", building, "d_relu", lambda x: np.where(x > 0, 1.0, 0.1)),
    ("pooling", building, "max_pool", lambda x, F=2, S=2: x[::S, ::S]),
    ("networks", history, "lrn", lambda a, k, n, alpha, beta: a / (k + alpha / n * a**2) ** beta),
    ("networks", history, "NETWORKS", (("lenet", 7), *history.NETWORKS[1:])),
    ("three-for-one", building, "stack", lambda k, c: (sum(k), *RIGHT["stack"](k, c)[1:])),
    ("three-for-one", building, "slide", lambda x, k, *a: RIGHT["slide"](x, k, *a) * 0),
    ("dropout", training, "classical", lambda x, p, keep, t: x * keep if t else x),
    ("dropout", training, "inverted", lambda x, p, keep, t: x * keep / (p or 1) * (1 - p + 0.2) if t else x),
    ("batch-norm", training, "folded", lambda W, b, m, v, g, s, e: (W * g / np.sqrt(v + e), s + b - m)),
    ("batch-norm", training, "normalised", lambda x, m, v, g, s, e: g * (x - m) / (v + e) + s),
    ("batch-norm", training, "moved", lambda old, new, m: m * old + (1 - m) * new * 2),
    ("residual", training, "through", lambda d, w, r, s, rng: RIGHT["through"](d, w, not r, s, rng)),
    ("complexity", history, "all_entries", lambda: _upside_down()),
]


def _upside_down() -> list[Any]:
    """The zoo with everybody's accuracy turned upside down."""

    class Reversed(Entry):
        @property
        def top1(self) -> float | None:
            found = super().top1
            return None if found is None else 100 - found

    return [Reversed(entry.spec, entry.report) for entry in all_entries()]


@pytest.mark.parametrize(
    ("name", "module", "part", "broken"), MUTANTS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_lesson_fails_when_its_formula_is_broken(
    name: str, module: Any, part: str, broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, part, broken)
    assert not lesson(name).run().passes


def test_every_lesson_has_a_mutant() -> None:
    assert {name for name, _, _, _ in MUTANTS} == set(ORDER)


def test_numbers_can_be_changed() -> None:
    text = "\n".join(lesson("convolution").run(size=64, kernel=7, filters=10).lines)
    assert "58: 64×64×3 becomes 58×58×10" in text and "7·7·3·10 = 1,470 weights" in text
    with pytest.raises(SpecError, match="has no number sise"):
        lesson("convolution").run(sise=64)
    with pytest.raises(SpecError, match="must be a number"):
        lesson("convolution").run(size="big")
    for name, knobs, said in (
        ("convolution", {"size": 2.5}, "a whole number from 1 to 128"),
        ("convolution", {"size": 100_000}, "from 1 to 128"),
        ("dropout", {"p": 1}, "a number from 0.05 to 0.95"),
        ("perceptron", {"gamma": 1e-9}, "from 0.05 to 0.5"),
        ("perceptron", {"seed": 1.5}, "a whole number from 0"),
        ("perceptron", {"points": True}, "must be a number"),
        ("batch-norm", {"batch": 1}, "from 32 to"),
        ("batch-norm", {"eps": -100}, "a number from"),
        ("complexity", {"columns": 3}, "from 24 to 200"),
        ("fully-connected", {"kernel": 31, "size": 30}, "a window of 31 does not fit on 30×30"),
    ):
        with pytest.raises(SpecError, match=said):
            lesson(name).run(knobs)


def test_every_number_of_a_lesson_has_its_limits() -> None:
    assert {each.name for each in lessons() if set(each.knobs) - {"seed"}} == set(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_lessons_pass_at_the_ends_of_what_they_take(name: str) -> None:
    made = lesson(name)
    assert set(LIMITS[name]) == {key for key in made.knobs if key != "seed"}
    for knob, (low, high) in LIMITS[name].items():
        for value in (low, high):
            whole = isinstance(made.knobs[knob], int)
            try:
                sheet = made.run({knob: int(value) if whole else value})
            except SpecError as error:
                assert "cannot be worked out with these numbers" in str(error)
            else:
                assert sheet.passes, (knob, value, sheet.failed)


def test_the_command(tmp_path: Path) -> None:
    listed = cnncalc("lesson").stdout
    assert all(name in listed for name in ORDER)
    done = cnncalc("lesson", "pooling")
    assert done.returncode == 0 and "PASS, 3 checks" in done.stdout and "✓ [[6, 8], [3, 4]]" in done.stdout
    done = cnncalc("lesson", "convolution", "--set", "size=7", "--set", "kernel=3")
    assert done.returncode == 0 and "7×7×3 becomes 5×5×6" in done.stdout
    done = cnncalc("lesson", "convolutions")
    assert done.returncode == 2 and "did you mean convolution?" in done.stderr
    done = cnncalc("lesson", "--all", "--seed", "3")
    assert done.returncode == 2


def test_all_of_them_at_once() -> None:
    done = cnncalc("lesson", "--all")
    assert done.returncode == 0 and done.stdout.rstrip().endswith("16 of 16 lessons pass")


def test_the_picture(tmp_path: Path) -> None:
    done = cnncalc("lesson", "complexity", "--picture", "chart.svg", cwd=tmp_path)
    assert done.returncode == 0 and 'data-name="vgg16"' in (tmp_path / "chart.svg").read_text("utf-8")
    done = cnncalc("lesson", "complexity", "--picture", "chart.doc", cwd=tmp_path)
    assert done.returncode == 2 and "tells no form of a figure" in done.stderr
    done = cnncalc("lesson", "relu", "--picture", "relu.svg", cwd=tmp_path)
    assert done.returncode == 2 and "has no figure" in done.stderr and not (tmp_path / "relu.svg").exists()


@pytest.mark.parametrize(
    "name", ["convolution", "pooling", "three-for-one", "networks", "residual", "scaling", "complexity"]
)
def test_lessons_that_are_better_seen_have_a_figure(name: str) -> None:
    drawing = lesson(name).run().drawing
    assert drawing is not None and drawing(Options()).title


def test_without_numpy_one_line_says_how_to_get_it() -> None:
    code = "import sys; sys.modules['numpy'] = None; sys.argv = ['cnncalc', 'lesson', 'pooling']; from cnncalc.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (
        done.returncode == 2 and "lessons need NumPy" in done.stderr and "pip install 'cnncalc[teach]'" in done.stderr
    )
    done = subprocess.run(
        [sys.executable, "-c", code.replace(", 'pooling'", "")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "Max pooling, 2×2 with stride 2" in done.stdout, "the list needs nothing"
