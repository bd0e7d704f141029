"""What the layers do: fully connected and convolutional, ReLU, pooling, small windows in place of large ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import Source
from ...figures.pictures import picture
from ...figures.pictures.conv import given, scene
from ...report import Report, analyse
from . import Sheet

Array = Any


def slide(x: Array, kernels: Array, stride: int = 1, padding: int = 0) -> Array:
    """A convolution by hand: x is C×H×W, kernels are K×C×F×F; every place of the window, one after the other."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    size = kernels.shape[-1]
    rows = range(0, x.shape[1] - size + 1, stride)
    columns = range(0, x.shape[2] - size + 1, stride)
    return np.array(
        [
            [[float((x[:, r : r + size, c : c + size] * kernel).sum()) for c in columns] for r in rows]
            for kernel in kernels
        ]
    )


def output_size(N: int, F: int, S: int, P: int) -> int:
    """The size of the output, as the calculator works it out."""
    layer = f"{{Conv1d: {{out_channels: 1, kernel_size: {F}, stride: {S}, padding: {P}}}}}"
    shape = analyse(Source("lesson.yaml", f"input: [1, {N}]\nlayers: [{layer}]"))["0"].output_shape
    return shape[1] if shape else 0


def weights(F: int, D1: int, K: int) -> tuple[int, int]:
    """F·F·D₁·K weights and K biases, as the calculator counts them."""
    layer = f"{{Conv2d: {{out_channels: {K}, kernel_size: {F}}}}}"
    figures = analyse(Source("lesson.yaml", f"input: [{D1}, {F}, {F}]\nlayers: [{layer}]"))["0"].figures
    return figures.weights or 0, figures.biases or 0


def fully_connected(
    sheet: Sheet, size: int = 32, channels: int = 3, filters: int = 6, kernel: int = 5, seed: int = 0
) -> None:
    """A fully connected layer weighs each number of a picture; a convolution shares a few weights and moves with it."""
    if kernel > size:
        raise ValueError(f"a window of {kernel} does not fit on {size}×{size}")
    count = size * size * channels
    sheet.work("N·N·D", f"{size}·{size}·{channels}", f"{count:,} inputs, and as many weights for each unit")
    out = size - kernel + 1
    dense = count * out * out * filters
    shared, _ = weights(kernel, channels, filters)
    local = shared * out * out
    sheet.work(
        "all connected", f"{count:,}·{out}·{out}·{filters}", f"{dense:,} weights for a map of {out}×{out}×{filters}"
    )
    sheet.work("only nearby (locality)", f"{kernel}·{kernel}·{channels}·{out}·{out}·{filters}", f"{local:,}")
    sheet.work("and shared by all places", f"{kernel}·{kernel}·{channels}·{filters}", f"{shared:,}")
    sheet.check(f"{dense:,} > {local:,} > {shared:,}", dense > local > shared == kernel * kernel * channels * filters)
    rng = np.random.default_rng(seed)
    x, kernels = rng.normal(0, 1, (channels, 12, 12)), rng.normal(0, 1, (filters, channels, 3, 3))
    moved = np.roll(x, 2, axis=2)
    a, b = slide(x, kernels), slide(moved, kernels)
    sheet.check(
        "the picture two pixels to the right gives the map two pixels to the right",
        bool(np.allclose(a[:, :, :-2], b[:, :, 2:])),
    )
    dense_layer = rng.normal(0, 1, (100, x.size))
    y, z = dense_layer @ x.ravel(), dense_layer @ moved.ravel()
    sheet.check("of a fully connected layer nothing of the kind is true", not np.allclose(y[:-2], z[2:]))


def convolution(
    sheet: Sheet, size: int = 32, channels: int = 3, filters: int = 6, kernel: int = 5, seed: int = 0
) -> None:
    """K filters F×F over N×N×D₁ give a map of ⌊(N + 2P − F)/S⌋ + 1, K deep, with F·F·D₁·K weights and K biases."""
    if kernel > size:
        raise ValueError(f"a window of {kernel} does not fit on {size}×{size}")
    sheet.draw(lambda options: scene(given({"N": 7, "F": 3, "S": 2}), options))
    rng = np.random.default_rng(seed)
    out = slide(rng.normal(0, 1, (channels, size, size)), rng.normal(0, 1, (filters, channels, kernel, kernel)))
    high = output_size(size, kernel, 1, 0)
    sheet.work(
        "(N − F)/S + 1",
        f"({size} − {kernel})/1 + 1",
        f"{high}: {size}×{size}×{channels} becomes {high}×{high}×{filters}",
    )
    sheet.check(
        f"the window slid by hand gives {out.shape[1]}×{out.shape[2]}×{out.shape[0]}",
        out.shape == (filters, high, high),
    )
    sheet.say("a 3×3 window over 7×7:")
    for stride in (1, 2, 3):
        exact = (7 - 3) / stride + 1
        sheet.work(
            f"stride {stride}: (7 − 3)/{stride} + 1",
            "",
            f"{exact:g}" if exact.is_integer() else f"{exact:.2f}, which does not fit",
        )
    sheet.check("5, 3, and 2.33 that is rounded down to 2", [output_size(7, 3, s, 0) for s in (1, 2, 3)] == [5, 3, 2])
    sheet.check("padding 1 keeps 7×7", output_size(7, 3, 1, 1) == 7)
    sheet.check(
        "padding (F − 1)/2 keeps any size",
        all(output_size(n, f, 1, (f - 1) // 2) == n for n in (7, 16, 31) for f in (1, 3, 5, 7)),
    )
    counted = [
        (n, f, s, p, len(range(0, n + 2 * p - f + 1, s)))
        for n in range(1, 15) for f in range(1, 6) for s in range(1, 4) for p in range(3) if n + 2 * p >= f
    ]  # fmt: skip
    sheet.check(
        f"the formula equals the places counted, in {len(counted)} cases",
        all(output_size(*case[:4]) == case[4] for case in counted),
    )
    w, b = weights(kernel, channels, filters)
    sheet.work("F·F·D₁·K", f"{kernel}·{kernel}·{channels}·{filters}", f"{w:,} weights, and {b} biases")
    sheet.check("as many as the kernels have numbers", (w, b) == (filters * channels * kernel * kernel, filters))


def d_sigmoid(x: Array) -> Array:
    y = 1 / (1 + np.exp(-x))
    return y * (1 - y)


def d_tanh(x: Array) -> Array:
    return 1 - np.tanh(x) ** 2


def d_relu(x: Array) -> Array:
    return (x > 0).astype(float)


def relu(sheet: Sheet, depth: int = 20, shift: float = -3.0, seed: int = 0) -> None:
    """Sigmoid and tanh flatten out, so gradients die in deep networks; ReLU lets them pass, but its units can die."""
    x = np.linspace(-6, 6, 13)
    sheet.say("  x        " + " ".join(f"{each:6.1f}" for each in x[::2]))
    for name, slope in (("sigmoid'", d_sigmoid), ("tanh'", d_tanh), ("ReLU'", d_relu)):
        sheet.say(f"  {name:<9}" + " ".join(f"{each:6.3f}" for each in slope(x)[::2]))
    h = 1e-6
    functions = ((lambda v: 1 / (1 + np.exp(-v)), d_sigmoid), (np.tanh, d_tanh), (lambda v: np.maximum(0, v), d_relu))
    points = x[x != 0]
    good = all(
        np.allclose((f(points + h) - f(points - h)) / (2 * h), slope(points), atol=1e-5) for f, slope in functions
    )
    sheet.check("the slopes equal finite differences", good)
    most = float(d_sigmoid(np.linspace(-10, 10, 2001)).max())
    sheet.work(
        f"the sigmoid's slope is at most {most:g}: through {depth} layers", f"{most:g}^{depth}", f"{most**depth:.1e}"
    )
    sheet.check(
        "the gradient through them all but vanishes, ReLU's does not",
        most**depth < 1e-6 and float(d_relu(np.ones(1))[0]) ** depth == 1.0,
    )
    rng = np.random.default_rng(seed)
    data, W = rng.normal(0, 1, (500, 20)), rng.normal(0, 0.3, (20, 200))
    alive = [int((d_relu(data @ W + bias).sum(0) > 0).sum()) for bias in (0.0, shift, 2 * shift)]
    for bias, count in zip((0.0, shift, 2 * shift), alive, strict=True):
        sheet.work(f"bias {bias:g}", "", f"{200 - count} of 200 units are dead: no point of 500 makes them positive")
    sheet.check(
        "the further the bias is pushed down, the more units die", alive[0] == 200 and alive[0] >= alive[1] > alive[2]
    )


EXAMPLE = np.array([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])


def max_pool(x: Array, F: int = 2, S: int = 2) -> Array:
    rows, columns = range(0, x.shape[0] - F + 1, S), range(0, x.shape[1] - F + 1, S)
    return np.array([[x[r : r + F, c : c + F].max() for c in columns] for r in rows])


def pooling(sheet: Sheet) -> None:
    """Max pooling, 2×2 with stride 2, keeps the largest of each window: the lecture's 4×4 becomes [[6, 8], [3, 4]]."""
    sheet.draw(lambda options: scene(given({"N": 4, "F": 2, "S": 2, "kind": "pool"}), options))
    sheet.picture("\n".join(" ".join(f"{value:2d}" for value in row) for row in EXAMPLE))
    out = max_pool(EXAMPLE)
    sheet.say("becomes")
    sheet.picture("\n".join(" ".join(f"{value:2d}" for value in row) for row in out))
    sheet.check("[[6, 8], [3, 4]]", out.tolist() == [[6, 8], [3, 4]])
    blocks = EXAMPLE.reshape(2, 2, 2, 2).transpose(0, 2, 1, 3).reshape(2, 2, 4)
    sheet.check("the same as the largest of each block", bool((blocks.max(2) == out).all()))
    report = analyse(Source("lesson.yaml", "input: [6, 28, 28]\nlayers: [{MaxPool2d: {kernel_size: 2, stride: 2}}]"))
    sheet.check(
        "no parameters, and the depth stays: 28×28×6 becomes 14×14×6",
        (report.totals.params, report["0"].output_shape) == (0, (6, 14, 14)),
    )


def stacked(kernels: list[int], channels: int) -> Report:
    """Convolutions in a row, as the calculator has them."""
    layers = ", ".join(
        f"{{Conv2d: {{out_channels: {channels}, kernel_size: {k}, padding: {k // 2}, bias: false}}}}, ReLU"
        for k in kernels
    )
    return analyse(Source("lesson.yaml", f"name: 3×3 three times\ninput: [{channels}, 31, 31]\nlayers: [{layers}]"))


def stack(kernels: list[int], channels: int) -> tuple[int, int, int]:
    """Receptive field, weights and nonlinearities of convolutions in a row."""
    report = stacked(kernels, channels)
    field = report.rows[-1].receptive_field
    return field.size[0] if field else 0, report.totals.params, sum(row.type == "ReLU" for row in report)  # type: ignore[return-value]


def three_for_one(sheet: Sheet, channels: int = 64) -> None:
    """Three 3×3 convolutions see as much as one 7×7, with 27C² weights for 49C², and three nonlinearities for one."""
    sheet.draw(lambda options: picture(stacked([3, 3, 3], channels), "field", options))
    small, large = stack([3, 3, 3], channels), stack([7], channels)
    sheet.work("receptive field", "1 + 2 + 2 + 2", f"{small[0]}, and {large[0]} of the 7×7")
    sheet.work("3·(3·3·C·C)", f"27·{channels}²", f"{small[1]:,} weights")
    sheet.work("7·7·C·C", f"49·{channels}²", f"{large[1]:,} weights")
    sheet.check("the receptive field is the same", small[0] == large[0] == 7)
    sheet.check("27C² against 49C²", (small[1], large[1]) == (27 * channels**2, 49 * channels**2))
    sheet.check("three nonlinearities against one", (small[2], large[2]) == (3, 1))
    point = np.zeros((1, 15, 15))
    point[0, 7, 7] = 1.0
    ones = np.ones((1, 1, 3, 3))
    seen = slide(slide(slide(point, ones, 1, 1), ones, 1, 1), ones, 1, 1)[0] > 0
    sheet.check("a single pixel reaches 7×7 places through the three", int(seen.sum()) == 49)
