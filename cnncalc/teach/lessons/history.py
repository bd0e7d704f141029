"""The networks since 1989: what they err, how deep they are, what they cost."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from ...answers.zoo import Entry, all_entries
from ...figures.chart import Axis, Dot, chart
from ...figures.options import Options
from ...figures.pictures import picture
from ...figures.scene import Scene
from ...language.model import load
from ...quantities import number
from ...report import analyse
from . import Sheet

#: Test error on MNIST in %, LeCun, Bottou, Bengio & Haffner (1998), figure 9 and its table.
MNIST = (
    ("linear classifier", "", 12.0),
    ("linear classifier", "deskewed", 8.4),
    ("pairwise linear classifier", "deskewed", 7.6),
    ("k nearest neighbours", "", 5.0),
    ("k nearest neighbours", "deskewed", 2.4),
    ("40 PCA + quadratic", "", 3.3),
    ("1000 RBF + linear", "", 3.6),
    ("SVM, polynomials of degree 4", "deskewed", 1.1),
    ("SVM, Gaussian kernel", "", 1.4),
    ("SVM, virtual, degree 9", "distortions", 0.8),
    ("2 layers, 300 hidden units", "", 4.7),
    ("3 layers, 300 + 100", "", 3.05),
    ("LeNet-1", "", 1.7),
    ("LeNet-4", "", 1.1),
    ("LeNet-5", "", 0.95),
    ("LeNet-5", "distortions", 0.8),
    ("LeNet-4, boosted", "distortions", 0.7),
)


def mnist(sheet: Sheet, width: int = 40) -> None:
    """On MNIST in 1998 convolutional networks erred least: LeNet-5 0.95 %, a linear classifier 12 %, an SVM 1.1 %."""
    for name, how, error in MNIST:
        bar = "█" * max(1, round(error / 12 * width))
        sheet.say(f"  {name:<29}{how:<12}{error:6.2f} %  {bar}")
    errors = {(name, how): error for name, how, error in MNIST}
    plain = {name: error for (name, how), error in errors.items() if not how}
    sheet.check("without distortions LeNet-5 errs least", min(plain, key=lambda name: plain[name]) == "LeNet-5")
    sheet.check("with them, a boosted LeNet-4", min(errors, key=lambda key: errors[key])[0] == "LeNet-4, boosted")
    claimed = {claim.quantity: claim.value for claim in load("lenet_1998").claims if not claim.name}
    sheet.check("the spec of LeNet-5 carries the same error", claimed["mnist_error"] == errors["LeNet-5", ""])
    dense = 28 * 28 * 300 + 300 + 300 * 10 + 10
    lenet = analyse("lenet_1998").totals.params
    sheet.work(
        "784·300 + 300 + 300·10 + 10",
        "",
        f"{number(dense)} parameters with 300 hidden units; LeNet-5 has {number(lenet)}",
    )
    sheet.check("LeNet-5 has fewer parameters than the network with one hidden layer, and a fifth of its errors",
                lenet < dense and errors["LeNet-5", ""] < plain["2 layers, 300 hidden units"] / 4)  # fmt: skip


def lrn(a: Any, k: float, n: int, alpha: float, beta: float) -> Any:
    """AlexNet's local response normalisation, as its paper has it: b = a/(k + α·Σ a²)^β over n channels."""
    return np.array(
        [
            a[i] / (k + alpha * sum(a[j] ** 2 for j in range(max(0, i - n // 2), min(len(a), i + n // 2 + 1)))) ** beta
            for i in range(len(a))
        ]
    )


NETWORKS = (
    ("lenet", 5),
    ("alexnet_2012", 8),
    ("vgg16", 16),
    ("vgg19", 19),
    ("googlenet", 22),
    ("resnet50", 50),
    ("resnet152", 152),
)


def networks(sheet: Sheet) -> None:
    """Networks grew deeper, from LeNet-5 to ResNet-152; VGG doubles its filters where it halves the map, up to 512."""
    found = [(name, depth, load(name), analyse(name).totals) for name, depth in NETWORKS]
    sheet.draw(lambda options: picture(analyse("vgg16"), "blocks", options))
    for name, depth, _, totals in found:
        sheet.say(
            f"  {name:<14}{totals.depth:5} layers {totals.params / 1e6:8.2f} M parameters {totals.macs / 1e9:8.2f} GMAC"
        )
        sheet.check(f"{name} has {depth} layers with weights", totals.depth == depth)
    deep, wide = (next(each for name, _, _, each in found if name == one) for one in ("resnet152", "alexnet_2012"))
    sheet.check(
        "ResNet-152 is 19 times as deep as AlexNet, with fewer parameters",
        deep.depth == 19 * wide.depth and deep.params < wide.params,
    )
    convs = [row for row in analyse("vgg16") if row.type == "Conv2d"]
    stages = sorted({((row.output_shape or (0, 0))[1], (row.output_shape or (0,))[0]) for row in convs}, reverse=True)
    sheet.work("VGG", "", " → ".join(f"{side}×{side}×{width}" for side, width in stages))
    halved = all(a[0] == 2 * b[0] and b[1] in (2 * a[1], a[1]) for a, b in itertools.pairwise(stages))
    sheet.check("each stage halves the map and doubles the filters, up to 512", halved and stages[-1][1] == 512)
    a = np.array([1.0, 2.0, 3.0, 2.0, 1.0])
    paper = lrn(a, 2, 5, 1e-4, 0.75)
    sheet.work("LRN: a/(k + α·Σa²)^β, in the middle", "3/(2 + 0.0001·19)^0.75", f"{paper[2]:.6f}")
    sheet.check("as worked out by hand", bool(np.isclose(paper[2], 3 / (2 + 1e-4 * 19) ** 0.75)))
    sheet.say("  PyTorch and Caffe divide α by n, the paper does not: α = 0.0001 of the paper is alpha=0.0005 there")
    op = next(row.layer.op for row in analyse("alexnet_2012") if row.type == "LocalResponseNorm")
    sheet.check("and so it stands in the spec of AlexNet", getattr(op, "alpha", None) == 5 * 1e-4)
    try:
        import torch
    except ImportError:
        return
    theirs = torch.nn.LocalResponseNorm(5, alpha=5e-4, k=2)(torch.tensor(a).reshape(1, 5, 1)).numpy().ravel()
    sheet.check("PyTorch's layer with alpha=0.0005 gives the paper's numbers", bool(np.allclose(theirs, paper)))


def charted(networks: list[Entry], columns: int, rows: int) -> str:
    """The networks in a plane of letters: work to the right, on a logarithmic scale, accuracy upwards."""
    grid = [[" "] * columns for _ in range(rows)]
    work = np.log10([entry.macs for entry in networks])
    accuracy = np.array([entry.top1 or 0.0 for entry in networks])
    for x, y, entry in zip(work, accuracy, networks, strict=True):
        column = round((x - work.min()) / max(1e-9, work.max() - work.min()) * (columns - 1))
        row = round((accuracy.max() - y) / max(1e-9, accuracy.max() - accuracy.min()) * (rows - 1))
        grid[row][column] = "●" if entry.params > 50e6 else "•" if entry.params > 10e6 else "·"
    labels = [
        f"{accuracy.max() - i / max(1, rows - 1) * (accuracy.max() - accuracy.min()):5.1f} │" for i in range(rows)
    ]
    lines = [label + "".join(line).rstrip() for label, line in zip(labels, grid, strict=True)]
    low, high = 10 ** (work.min() - 9), 10 ** (work.max() - 9)
    return "\n".join([*lines, "      └" + "─" * columns, f"       {low:.2g} GMAC{'':{columns - 22}}{high:.3g} GMAC"])


def drawn(networks: list[Entry], options: Options) -> Scene:
    """The chart as a figure: work, accuracy, and parameters as the dots' areas."""
    dots = [Dot(entry.name, entry.spec.title, entry.macs, entry.top1 or 0.0, entry.params) for entry in networks]
    x = Axis("multiply-adds of one image", lambda value: f"{value / 1e9:.4g} G", -1)
    y = Axis("top-1 accuracy on ImageNet, %", lambda value: f"{value:.4g}", 1)
    return chart(dots, x, y, "Complexity against accuracy: the area of a dot is the number of parameters", options)


def complexity(sheet: Sheet, columns: int = 64, rows: int = 18) -> None:
    """More work buys accuracy, but less and less of it, and better networks buy it cheaper."""
    found = [
        entry
        for entry in all_entries()
        if entry.top1 is not None and entry.task == "classification" and entry.macs > 10**7
    ]
    sheet.picture(charted(found, int(columns), int(rows)))
    sheet.say("    · up to 10 M parameters   • up to 50 M   ● more")
    by_name = {entry.name: entry for entry in found}
    vgg, efficient = by_name["vgg16"], by_name["efficientnet_b0"]
    sheet.work("vgg16", "", f"{vgg.macs / 1e9:.2f} GMAC, {vgg.params / 1e6:.1f} M parameters, {vgg.top1} %")
    sheet.work(
        "efficientnet_b0",
        "",
        f"{efficient.macs / 1e9:.2f} GMAC, {efficient.params / 1e6:.1f} M parameters, {efficient.top1} %",
    )
    sheet.check("EfficientNet-B0 is more accurate than VGG-16 with a fortieth of the work and a 26th of the parameters",
                (efficient.top1 or 0) > (vgg.top1 or 0)
                and vgg.macs > 40 * efficient.macs and vgg.params > 26 * efficient.params)  # fmt: skip
    chain = [by_name[name] for name in ("resnet18", "resnet50", "resnet152")]
    gains = [((b.top1 or 0) - (a.top1 or 0)) / (b.macs - a.macs) for a, b in itertools.pairwise(chain)]
    sheet.check(
        f"from ResNet-18 to 50 a GMAC buys {gains[0] * 1e9:.2f} points, from 50 to 152 {gains[1] * 1e9:.2f}",
        gains[0] > gains[1] > 0,
    )
    correlation = float(np.corrcoef(np.log([e.macs for e in found]), [e.top1 or 0 for e in found])[0, 1])
    sheet.check(
        f"over {len(found)} networks accuracy goes with the logarithm of the work (correlation {correlation:.2f})",
        correlation > 0.5,
    )
    sheet.draw(partial(drawn, found))
