"""What makes deep networks trainable: dropout, batch normalisation, residual connections."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...figures.pictures import picture
from ...report import analyse
from . import Sheet

Array = Any


def classical(x: Array, p: float, keep: Array, training: bool) -> Array:
    """Dropout as AlexNet had it: units are dropped in training, and all are scaled at test."""
    return x * keep if training else x * (1 - p)


def inverted(x: Array, p: float, keep: Array, training: bool) -> Array:
    """Dropout as PyTorch has it: what is kept is scaled in training, and nothing happens at test."""
    return x * keep / (1 - p) if training else x


def dropout(sheet: Sheet, p: float = 0.5, draws: int = 20_000, seed: int = 0) -> None:
    """Dropout keeps the expectation: the lecture scales by 1 − p at test, PyTorch divides by 1 − p in training."""
    rng = np.random.default_rng(seed)
    x = np.array([1.0, 2.0, 3.0, 4.0])
    keep = rng.random((draws, 4)) >= p
    for name, form in (("lecture", classical), ("PyTorch", inverted)):
        trained, tested = form(x, p, keep, True), form(x, p, keep, False)
        mean, error = trained.mean(0), trained.std(0) / np.sqrt(draws)
        sheet.work(
            f"{name}, mean of each unit",
            "",
            f"{np.array2string(mean, precision=3)} in training, "
            f"{np.array2string(np.asarray(tested), precision=3)} at test",
        )
        sheet.check(
            f"{name}: the mean of {draws:,} draws is the output at test, to five standard errors",
            bool(np.all(np.abs(mean - tested) <= 5 * error + 1e-12)),
        )
    share = 1 - keep.mean()
    sheet.check(f"{share:.3f} of the units were dropped", abs(share - p) < 5 * np.sqrt(p * (1 - p) / keep.size) + 1e-12)
    sheet.check("at test PyTorch's changes nothing", bool(np.array_equal(inverted(x, p, keep, False), x)))


def normalised(x: Array, mean: Array, variance: Array, gamma: Array, beta: Array, eps: float) -> Array:
    """γ·(x − μ)/√(σ² + ε) + β."""
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def folded(
    W: Array, b: Array, mean: Array, variance: Array, gamma: Array, beta: Array, eps: float
) -> tuple[Array, Array]:
    """A layer's weights and bias with the batch normalisation behind it worked into them."""
    scale = gamma / np.sqrt(variance + eps)
    return W * scale, beta + (b - mean) * scale


def moved(old: Array, new: Array, momentum: float) -> Array:
    """The running statistic: PyTorch's momentum weighs the new one."""
    return (1 - momentum) * old + momentum * new


def batch_norm(sheet: Sheet, batch: int = 64, momentum: float = 0.1, eps: float = 1e-5, seed: int = 0) -> None:
    """Batch normalisation gives channels mean 0 and deviation 1, remembers both for test, and folds into a layer."""
    rng = np.random.default_rng(seed)
    X = rng.normal(5, 3, (batch, 4))
    Y = X - X.mean(0)
    Y /= X.std(0)
    sheet.say("X -= X.mean(0); X /= X.std(0)")
    sheet.check(
        "every channel has mean 0 and deviation 1",
        bool(np.allclose(Y.mean(0), 0, atol=1e-12) and np.allclose(Y.std(0), 1)),
    )
    gamma, beta = rng.uniform(0.5, 2, 4), rng.normal(0, 1, 4)
    out = normalised(X, X.mean(0), X.var(0), gamma, beta, eps)
    sheet.work(
        "y = γ·(x − μ)/√(σ² + ε) + β",
        "",
        f"means {np.round(out.mean(0), 3)}, which are β; deviations {np.round(out.std(0), 3)}, which are γ",
    )
    sheet.check(
        "the output has mean β and deviation γ",
        bool(np.allclose(out.mean(0), beta) and np.allclose(out.std(0), gamma, rtol=1e-3)),
    )
    mean, variance = np.zeros(4), np.ones(4)
    for _ in range(400):
        each = rng.normal(5, 3, (batch, 4))
        mean, variance = moved(mean, each.mean(0), momentum), moved(variance, each.var(0, ddof=1), momentum)
    sheet.work(
        "running mean, running variance",
        "",
        f"{np.round(mean, 2)}, {np.round(variance, 2)} after 400 batches from N(5, 3²)",
    )
    sheet.check(
        "they have come near 5 and 9", bool(np.all(np.abs(mean - 5) < 1.5) and np.all(np.abs(variance - 9) < 4))
    )
    one = rng.normal(5, 3, (1, 4))
    alone = normalised(one, mean, variance, gamma, beta, eps)
    beside = normalised(np.vstack([one, X]), mean, variance, gamma, beta, eps)[:1]
    sheet.check("at test a picture gives the same, whatever else is in its batch", bool(np.allclose(alone, beside)))
    W, b, x = rng.normal(0, 1, (6, 4)), rng.normal(0, 1, 4), rng.normal(0, 1, (10, 6))
    W2, b2 = folded(W, b, mean, variance, gamma, beta, eps)
    sheet.say("folded: W' = W·γ/√(σ² + ε), b' = β + (b − μ)·γ/√(σ² + ε)")
    sheet.check(
        "the folded layer gives the same outputs",
        bool(np.allclose(normalised(x @ W + b, mean, variance, gamma, beta, eps), x @ W2 + b2)),
    )
    try:
        import torch
    except ImportError:
        sheet.say("  (PyTorch is not installed: its layer is not asked)")
        return
    layer = torch.nn.BatchNorm1d(4, eps=eps, momentum=momentum).double()
    with torch.no_grad():
        theirs = layer(torch.tensor(X)).numpy()
    sheet.check("PyTorch's layer gives the same, and remembers the same", bool(
        np.allclose(theirs, normalised(X, X.mean(0), X.var(0), 1, 0, eps))
        and np.allclose(np.asarray(layer.running_mean), moved(0, X.mean(0), momentum))
        and np.allclose(np.asarray(layer.running_var), moved(1, X.var(0, ddof=1), momentum))
    ))  # fmt: skip


def through(depth: int, width: int, residual: bool, scale: float, rng: Any) -> Array:
    """The gradient's length at each layer, from the last back to the first, in a network of ReLU layers."""
    weights = [rng.normal(0, scale / np.sqrt(width), (width, width)) for _ in range(depth)]
    x, masks = rng.normal(0, 1, width), []
    for W in weights:
        inner = W @ x
        masks.append(inner > 0)
        x = np.maximum(0, inner) + (x if residual else 0)
    gradient = np.ones(width)
    lengths = [np.linalg.norm(gradient)]
    for W, mask in zip(reversed(weights), reversed(masks), strict=True):
        gradient = W.T @ (gradient * mask) + (gradient if residual else 0)
        lengths.append(np.linalg.norm(gradient))
    return np.array(lengths) / lengths[0]


def residual(sheet: Sheet, depth: int = 20, width: int = 64, scale: float = 0.7, seed: int = 0) -> None:
    """With identity paths the gradient reaches the first layer; through as many plain layers it fades."""
    rng = np.random.default_rng(seed)
    plain = np.mean([through(depth, width, False, scale, rng) for _ in range(20)], axis=0)
    shortcut = np.mean([through(depth, width, True, scale, rng) for _ in range(20)], axis=0)
    sheet.draw(lambda options: picture(analyse("resnet18"), "graph", options))
    sheet.say("y = F(x) + x, so ∂y/∂x = F'(x) + 1: the 1 carries the gradient through, whatever F does")
    for name, lengths in (("plain", plain), ("residual", shortcut)):
        sheet.work(f"{name:<8} the gradient's length {depth} layers back", "", f"{lengths[-1]:.2e} of that at the end")
    sheet.say(
        f"The weights of F deviate by {scale:g}/√{width}; at √2/√{width}, which He et al. chose for ReLU, plain layers "
        "neither shrink nor stretch it. The identity's share stretches it: normalisation in F keeps that small."
    )
    sheet.check(f"through the plain layers it fades, by {1 - 0.85:.0%} a layer or more", float(plain[-1]) < 0.85**depth)
    sheet.check("through the residual ones it does not", float(shortcut[-1]) >= 1.0)
    still = through(depth, width, True, 0.0, rng)
    sheet.check(
        "where F is nothing, the block is the identity and the gradient stays as it is", bool(np.allclose(still, 1))
    )
