"""How networks are made larger and smaller: what width, depth and resolution cost."""

from __future__ import annotations

from typing import Any

from ...figures.pictures import picture
from ...quantities import number
from ...report import analyse
from ...spaces.symbolic import Symbolic
from . import Sheet


def growth(depth: float, width: float, resolution: float) -> float:
    """How much more work there is: Tan & Le (2019), equation 3."""
    return depth * width**2 * resolution**2


def scaling(sheet: Sheet, phi: float = 3.0) -> None:
    """Work grows with depth, with width² and with resolution²: EfficientNet scales all three, α·β²·γ² ≈ 2 each step."""
    sheet.draw(lambda options: picture(analyse("efficientnet_b0"), "cost", options))
    _by_symbols(sheet)
    _vgg(sheet)
    _mobilenet(sheet)
    sheet.say(f"EfficientNet-B0, scaled by φ = {phi:g} steps of α = 1.2, β = 1.1, γ = 1.15:")
    base, depth, width = _macs("efficientnet_b0", {}, 224), round(1.2**phi, 3), round(1.1**phi, 3)
    side = round(224 * 1.15**phi)
    parts: tuple[tuple[str, float, dict[str, Any], int], ...] = (
        ("depth alone", growth(depth, 1, 1), {"depth": depth}, 224),
        ("width alone", growth(1, width, 1), {"width": width}, 224),
        ("resolution alone", growth(1, 1, side / 224), {}, side),
        ("all three", growth(depth, width, side / 224), {"depth": depth, "width": width}, side),
    )
    shares = []
    for name, expected, args, size in parts:
        grown = _macs("efficientnet_b0", args, size) / base
        shares.append(grown / expected)
        sheet.work(name, "", f"the work ×{grown:.3g}, expected ×{expected:.3g}")
    sheet.work("(α·β²·γ²)^φ", f"(1.2·1.1²·1.15²)^{phi:g}", f"{growth(1.2, 1.1, 1.15) ** phi:.3g}")
    sheet.say("  numbers of layers are rounded up, and sizes of maps: it becomes rather more than less")
    sheet.check(
        "each is at most half as much again as expected, and hardly less", all(0.9 < share < 1.5 for share in shares)
    )


def _macs(name: str, args: dict[str, Any], side: int) -> int:
    return int(analyse(name, args=args, inputs=(3, side, side)).totals.macs)


def _by_symbols(sheet: Sheet) -> None:
    """U-Net by its width: all but the first and last layers are quadratic."""
    made = Symbolic("unet", "width", "macs")
    text = made.text(made.total.polynomial, made.letters())
    sheet.work("U-Net's multiply-adds", "", text)
    sheet.say(f"  {made.doubled()}")
    twice = made.at(made.total, 2 * made.value)
    sheet.check("the formula gives what the calculator gives for twice the width",
                twice == analyse("unet", args={"width": 2 * made.value}).totals.macs)  # fmt: skip
    sheet.check("twice as wide, four times the work", 3.9 < twice / made.total.value < 4.0)


def _vgg(sheet: Sheet) -> None:
    """VGG doubles the channels where it halves the map: the work of a layer stays."""
    report = analyse("vgg16")
    inner = [row for row in report if row.type == "Conv2d" and row.input_shapes[0][0] == row.output_shape[0]]  # type: ignore[index]
    stages: dict[int, int] = {}
    for row in inner:
        stages.setdefault((row.output_shape or (0, 0))[1], row.macs)
    for side, macs in stages.items():
        sheet.work(f"VGG-16, a layer on {side}×{side}", "", f"{number(macs)} multiply-adds")
    work = list(stages.values())
    sheet.check("half the map and twice the channels: the same work, until the channels stay", len({*work[:4]}) == 1)
    sheet.check("on 14×14 with the channels of 28×28 a quarter is left", work[3] == 4 * work[4])


def _mobilenet(sheet: Sheet) -> None:
    """MobileNet's two knobs."""
    base = analyse("mobilenet_v1")
    half = analyse("mobilenet_v1", args={"width": 0.5}).totals
    small = analyse("mobilenet_v1", inputs=(3, 112, 112)).totals
    wide, fine = half.macs / base.totals.macs, small.macs / base.totals.macs
    params = half.params / base.totals.params
    sheet.work("MobileNet, half as wide", "", f"{wide:.3f} of the work, {params:.3f} of the parameters; α² is 0.25")
    sheet.work("MobileNet, half the resolution", "", f"{fine:.3f} of the work, all of the parameters; ρ² is 0.25")
    sheet.check("α leaves a little more than its square: depthwise layers are linear in it", 0.25 < wide < 0.28)
    sheet.check("so does ρ, since 7×7 becomes 4×4; no parameter is saved",
                0.25 < fine < 0.28 and small.params == base.totals.params)  # fmt: skip
