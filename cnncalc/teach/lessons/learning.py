"""How networks learn: the perceptron, XOR, back-propagation, the maximum margin."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from . import Sheet

Array = Any


def bound(R: float, gamma: float) -> float:
    """Novikoff's bound for a perceptron with bias."""
    return (2 * R / gamma) ** 2


def perceptron_loss(w: Array, b: float, x: Array, y: float) -> float:
    return max(0.0, -y * float(w @ x + b))


def perceptron_step(w: Array, b: float, x: Array, y: float, R: float) -> tuple[Array, float]:
    """One stochastic gradient step on the loss of a point that is on the wrong side; the bias in units of R²."""
    return w + y * x, b + y * R * R


def separable(rng: Any, points: int, gamma: float) -> tuple[Array, Array, Array]:
    """Points of the unit disc at least γ from a random line, four of them just so far, their sides, its normal."""
    angle = rng.uniform(0, 2 * np.pi)
    direction = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-direction[1], direction[0]]) * np.sqrt(max(0.0, 1 - gamma * gamma)) * 0.999
    near = ((1, 1.0), (-1, 0.7), (1, -0.2), (-1, -0.4))
    found: list[Array] = [side * gamma * 1.0001 * direction + far * along for side, far in near]
    while len(found) < points:
        x = rng.uniform(-1, 1, 2)
        if np.linalg.norm(x) <= 1 and abs(x @ direction) >= gamma:
            found.append(x)
    X = np.array(found)
    return X, np.sign(X @ direction), direction


def learnt(X: Array, y: Array, R: float, most: int = 100_000) -> tuple[Array, float, int]:
    """The perceptron's line, and how many updates it took."""
    w, b, updates = np.zeros(2), 0.0, 0
    while updates < most:
        wrong = [i for i in range(len(X)) if y[i] * (w @ X[i] + b) <= 0]
        if not wrong:
            break
        for i in wrong:
            if y[i] * (w @ X[i] + b) <= 0:
                w, b = perceptron_step(w, b, X[i], y[i], R)
                updates += 1
    return w, b, updates


def perceptron(sheet: Sheet, points: int = 60, gamma: float = 0.2, seed: int = 0) -> None:
    """On separable data the perceptron finds a line after at most (2R/γ)² updates; the closer the classes, the more."""
    rng = np.random.default_rng(seed)
    sheet.say("L = max(0, −y·(w·x + b)): its gradient is −y·x where the point is wrong, so a step is w ← w + y·x")
    w, b, x, y = np.array([-0.3, -0.2]), 0.1, np.array([1.0, 2.0]), 1.0
    h = 1e-6
    numeric = [(perceptron_loss(w + h * e, b, x, y) - perceptron_loss(w - h * e, b, x, y)) / (2 * h) for e in np.eye(2)]
    step = perceptron_step(w, b, x, y, 1.0)[0] - w
    sheet.check(
        f"the step {step} is against the gradient {np.round(numeric, 6)}", bool(np.allclose(-np.array(numeric), step))
    )
    counts, taken = [], []
    for margin in (gamma, gamma / 2, gamma / 4):
        X, sides, _ = separable(rng, points, margin)
        R = float(np.linalg.norm(X, axis=1).max())
        w, b, updates = learnt(X, sides, R)
        limit = bound(R, margin)
        sheet.work("(2R/γ)²", f"(2·{R:.3f}/{margin:g})²", f"{limit:,.0f} updates at most; it took {updates:,}")
        sheet.check(f"γ = {margin:g}: all {points} points on their side", bool(np.all(sides * (X @ w + b) > 0)))
        sheet.check(f"{updates:,} ≤ {limit:,.0f}", updates <= limit)
        if sheet.failed:
            return
        counts.append(limit)
        taken.append(float(np.mean([_updates(rng, points, margin) for _ in range(SETS)])))
    sheet.check(f"half the margin, four times the bound: {counts[1] / counts[0]:.2f}, {counts[2] / counts[1]:.2f}",
                3 < counts[1] / counts[0] < 5 and 3 < counts[2] / counts[1] < 5)  # fmt: skip
    shown = ", ".join(f"{each:.1f}" for each in taken)
    sheet.check(
        f"and in fact more updates as γ shrinks, over {SETS} sets of points: {shown}", taken[0] < taken[1] < taken[2]
    )


#: Sets of points over which the updates are averaged.
SETS = 60


def _updates(rng: Any, points: int, gamma: float) -> int:
    X, sides, _ = separable(rng, points, gamma)
    return learnt(X, sides, float(np.linalg.norm(X, axis=1).max()))[2]


XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
TARGETS = np.array([0.0, 1.0, 1.0, 0.0])


def sigmoid(x: Array) -> Array:
    """Rumelhart's equation (2)."""
    return 1 / (1 + np.exp(-x))


def forward(weights: list[tuple[Array, Array]], x: Array) -> list[Array]:
    """The states of all layers: x_j = Σ y_i·w_ji + b_j, y_j = σ(x_j)."""
    states = [x]
    for W, b in weights:
        states.append(sigmoid(states[-1] @ W + b))
    return states


def objective(weights: list[tuple[Array, Array]], x: Array, d: Array) -> float:
    """E = ½ Σ (y − d)²."""
    return float(0.5 * np.sum((forward(weights, x)[-1] - d) ** 2))


def backward(weights: list[tuple[Array, Array]], states: list[Array], d: Array) -> list[tuple[Array, Array]]:
    """The adjoint pass: the Lagrangian's multipliers from the last layer back, and the gradients that they give."""
    multiplier = states[-1] - d
    found: list[tuple[Array, Array]] = []
    for (W, _), before, after in zip(reversed(weights), reversed(states[:-1]), reversed(states[1:]), strict=True):
        delta = multiplier * after * (1 - after)
        found.append((before.T @ delta, delta.sum(0)))
        multiplier = delta @ W.T
    return found[::-1]


def network(rng: Any, *sizes: int) -> list[tuple[Array, Array]]:
    return [(rng.normal(0, 1, (a, b)), rng.normal(0, 1, b)) for a, b in itertools.pairwise(sizes)]


def descended(
    weights: list[tuple[Array, Array]], gradients: list[tuple[Array, Array]], rate: float
) -> list[tuple[Array, Array]]:
    return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(weights, gradients, strict=True)]


def xor(sheet: Sheet, hidden: int = 4, rate: float = 2.0, steps: int = 4000, seed: int = 1) -> None:
    """No line separates XOR, so no perceptron learns it; a network with a hidden layer, trained backwards, does."""
    sheet.say("a line w₁x₁ + w₂x₂ + b would need")
    sheet.picture("b < 0        (0, 0)\nw₂ + b > 0   (0, 1)\nw₁ + b > 0   (1, 0)\nw₁ + w₂ + b < 0   (1, 1)")
    sheet.say("the middle two add up to w₁ + w₂ + 2b > 0, the outer two to w₁ + w₂ + 2b < 0: no numbers do both")
    grid = np.linspace(-2, 2, 41)
    w1, w2, b = np.meshgrid(grid, grid, grid, indexing="ij")
    right = sum(((w1 * p + w2 * q + b > 0) == bool(t)).astype(int) for (p, q), t in zip(XOR, TARGETS, strict=True))
    sheet.check(
        f"of {right.size:,} lines on a grid none has all four right; the best have {right.max()}", right.max() == 3
    )
    rng = np.random.default_rng(seed)
    weights, d = network(rng, 2, hidden, 1), TARGETS[:, None]
    start = objective(weights, XOR, d)
    for _ in range(steps):
        weights = descended(weights, backward(weights, forward(weights, XOR), d), rate)
    out = forward(weights, XOR)[-1][:, 0]
    sheet.work(
        "E",
        "",
        f"{start:.4f} before, {objective(weights, XOR, d):.4f} after {steps:,} steps with {hidden} hidden units",
    )
    sheet.check(
        f"the outputs {np.round(out, 2)} are on the side of {TARGETS}", bool(np.all((out > 0.5) == (TARGETS > 0.5)))
    )


def backpropagation(sheet: Sheet, layers: int = 3, width: int = 5, seed: int = 0) -> None:
    """Back-propagation gives the gradient: the Lagrangian's adjoint pass equals finite differences and autograd."""
    rng = np.random.default_rng(seed)
    weights = network(rng, 4, *(width,) * (layers - 1), 2)
    x, d = rng.normal(0, 1, (6, 4)), rng.uniform(0, 1, (6, 2))
    sheet.say("(1)  x_j = Σ_i y_i·w_ji        (2)  y_j = 1/(1 + e^(−x_j))        E = ½ Σ (y_j − d_j)²")
    sheet.say("L = E + Σ λ·(σ(W·y) − y'): by the states it gives λ, last layer first; by the weights, the gradient")
    gradients = backward(weights, forward(weights, x), d)
    h, worst = 1e-6, 0.0
    for number, (W, _) in enumerate(weights):
        for index in np.ndindex(W.shape):
            kept = W[index]
            W[index] = kept + h
            above = objective(weights, x, d)
            W[index] = kept - h
            below = objective(weights, x, d)
            W[index] = kept
            worst = max(worst, abs((above - below) / (2 * h) - gradients[number][0][index]))
    count = sum(W.size for W, _ in weights)
    sheet.check(f"{count} derivatives equal finite differences, to {worst:.1e}", worst < 1e-7)
    try:
        import torch
    except ImportError:
        sheet.say("  (PyTorch is not installed: autograd is not asked)")
    else:
        tensors = [(torch.tensor(W, requires_grad=True), torch.tensor(b, requires_grad=True)) for W, b in weights]
        y = torch.tensor(x)
        for W, b in tensors:
            y = torch.sigmoid(y @ W + b)
        (0.5 * ((y - torch.tensor(d)) ** 2).sum()).backward()  # type: ignore[no-untyped-call]
        apart = max(
            float(np.abs(np.asarray(W.grad) - mine[0]).max()) for (W, _), mine in zip(tensors, gradients, strict=True)
        )
        sheet.check(f"they equal autograd's, to {apart:.1e}", apart < 1e-10)
    before = objective(weights, x, d)
    after = objective(descended(weights, gradients, 0.05), x, d)
    sheet.work("W ← W − η·∂E/∂W", "", f"E falls from {before:.5f} to {after:.5f}")
    sheet.check("a small step against the gradient lowers E", after < before)


def closest(X: Array, Y: Array, steps: int = 20_000) -> tuple[Array, Array]:
    """The closest points of two convex hulls, by Frank and Wolfe's steps: halfway lies the line of largest margin."""
    a, b = X.mean(0), Y.mean(0)
    for _ in range(steps):
        d = a - b
        p, q = X[np.argmin(X @ d)], Y[np.argmax(Y @ d)]
        move = (p - a) - (q - b)
        length = float(move @ move)
        if length < 1e-18:
            break
        t = min(1.0, max(0.0, -float(d @ move) / length))
        if t == 0.0:
            break
        a, b = a + t * (p - a), b + t * (q - b)
    return a, b


def margin_of(w: Array, b: float, X: Array, y: Array) -> float:
    """The distance of the nearest point from a line."""
    return float((y * (X @ w + b)).min() / np.linalg.norm(w))


def margin(sheet: Sheet, points: int = 16, gamma: float = 0.2, seed: int = 3) -> None:
    """Of all separating lines the support vector machine takes that of the largest margin; the perceptron takes any."""
    rng = np.random.default_rng(seed)
    X, y, _ = separable(rng, points, gamma)
    a, b = closest(X[y > 0], X[y < 0])
    w = 2 * (a - b) / float((a - b) @ (a - b))
    shift = -float(w @ (a + b)) / 2
    sheet.say("min ½‖w‖² with y_i·(w·x_i + b) ≥ 1; the margin is 1/‖w‖, half the distance of the two classes' hulls")
    best = margin_of(w, shift, X, y)
    sheet.work("1/‖w‖", f"1/{np.linalg.norm(w):.4f}", f"{1 / np.linalg.norm(w):.4f}")
    sheet.check(
        f"every point has y·(w·x + b) ≥ 1 (the least is {float((y * (X @ w + shift)).min()):.4f})",
        bool((y * (X @ w + shift)).min() > 1 - 1e-2),
    )
    sheet.check(f"the nearest point lies 1/‖w‖ = {best:.4f} away", abs(best - 1 / np.linalg.norm(w)) < 1e-2 * best)
    angles = np.linspace(0, 2 * np.pi, 3601)
    widest = max(_widest(np.array([np.cos(t), np.sin(t)]), X, y) for t in angles)
    sheet.check(f"no direction of {len(angles):,} has a wider one ({widest:.4f})", widest <= best * 1.01)
    pw, pb, updates = learnt(X, y, float(np.linalg.norm(X, axis=1).max()))
    other = margin_of(pw, pb, X, y)
    sheet.work("the perceptron's margin", "", f"{other:.4f} after {updates} updates")
    sheet.check("it is no larger", 0 < other <= best * 1.0001)


def _widest(direction: Array, X: Array, y: Array) -> float:
    return float(((X[y > 0] @ direction).min() - (X[y < 0] @ direction).max()) / 2)
