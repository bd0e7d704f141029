"""Networks in Ultralytics' form, written down from its figures in a shorthand of our own, and what it prints of each.

A row is `3*C2f(128,True)@4`: the number, the module, its values, and the row that it takes where that is not the one
before. Parameters are printed as whole numbers, GFLOPs with one digit.
"""

from __future__ import annotations

import re
from typing import NamedTuple

UP = "nn.Upsample(None,2,nearest)"


def _pyramid(module: str, rows: tuple[int, int, int], widths: tuple[int, int], **more: str) -> str:
    """The neck of three levels: up twice, down twice, each time joined with what the backbone has of that size."""
    up, last = more.get("up", ""), more.get("last", "")
    third, fourth, fifth = rows
    first = fifth + 3  # the row of the first module in the neck
    big, small = widths
    return (
        f"{UP} Concat(1)@-1,{fourth} {module.format(big, up)} {UP} Concat(1)@-1,{third} {module.format(small, up)} "
        f"{more.get('down', 'Conv')}({small},3,2) Concat(1)@-1,{first} {module.format(big, up)} "
        f"{more.get('down', 'Conv')}({big},3,2) Concat(1)@-1,{fifth} {last or module.format(2 * big, up)} "
        f"Detect(nc)@{first + 3},{first + 6},{first + 9}"
    )


def _body(conv: str, module: str, depths: tuple[int, ...], values: str = ",True") -> str:
    """A backbone of four stages, each of a convolution that halves the map and a module."""
    stages = (f"{conv}({w},3,2) {n}*{module}({w}{values})" for w, n in zip((128, 256, 512, 1024), depths, strict=True))
    return f"Conv(64,3,2) {' '.join(stages)}"


_V8 = _body("Conv", "C2f", (3, 6, 6, 3))
_GHOST = _body("GhostConv", "C3Ghost", (3, 6, 6, 3))
_P6 = (
    "Conv(64,3,2) Conv(128,3,2) 3*{1}(128,True) {0}(256,3,2) 6*{1}(256,True) {0}(512,3,2) 6*{1}(512,True) "
    "{0}(768,3,2) 3*{1}(768,True) {0}(1024,3,2) 3*{1}(1024,True) SPPF(1024,5)"
)
_P6_NECK = (
    f"{UP} Concat(1)@-1,8 {{1}}(768{{2}}) {UP} Concat(1)@-1,6 {{1}}(512{{2}}) {UP} Concat(1)@-1,4 {{1}}(256{{2}}) "
    "{0}(256,3,2) Concat(1)@-1,17 {1}(512{2}) {0}(512,3,2) Concat(1)@-1,14 {1}(768{2}) "
    "{0}(768,3,2) Concat(1)@-1,11 {1}(1024{2}) Detect(nc)@20,23,26,29"
)
_E11 = (
    "Conv(64,3,2) Conv(128,3,2) 2*C3k2(256,False,0.25) Conv(256,3,2) 2*C3k2(512,False,0.25) Conv(512,3,2) "
    "2*C3k2(512,True) Conv(1024,3,2) 2*C3k2(1024,True) "
)
_E12 = (
    "Conv(64,3,2) Conv(128,3,2) 2*C3k2(256,False,0.25) Conv(256,3,2) 2*C3k2(512,False,0.25) Conv(512,3,2) "
    "4*A2C2f(512,True,4) Conv(1024,3,2) 4*A2C2f(1024,True,1) "
)
_P2_NECK = (
    f"{UP} Concat(1)@-1,6 3*C3Ghost(512) {UP} Concat(1)@-1,4 3*C3Ghost(256) {UP} Concat(1)@-1,2 3*C3Ghost(128) "
    "GhostConv(128,3,2) Concat(1)@-1,15 3*C3Ghost(256) GhostConv(256,3,2) Concat(1)@-1,12 3*C3Ghost(512) "
    "GhostConv(512,3,2) Concat(1)@-1,9 3*C3Ghost(1024) Detect(nc)@18,21,24,27"
)


def _v9_small(w: tuple[int, ...]) -> str:
    """The three smaller networks of YOLOv9, which differ in widths alone."""
    elan = "RepNCSPELAN4({0},{0},{1},3)"
    a, b, c = (elan.format(n, n // 2) for n in w[1:])
    return (
        f"Conv({w[0]},3,2) Conv({2 * w[0]},3,2) ELAN1({2 * w[0]},{2 * w[0]},{w[0]}) AConv({w[1]}) {a} AConv({w[2]}) {b} "
        f"AConv({w[3]}) {c} SPPELAN({w[3]},{w[3] // 2}) {UP} Concat(1)@-1,6 {b} {UP} Concat(1)@-1,4 {a} "
        f"AConv({w[2] // 2}) Concat(1)@-1,12 {b} AConv({w[3] // 2}) Concat(1)@-1,9 {c} Detect(nc)@15,18,21"
    )


_V9M = (
    "Conv(32,3,2) Conv(64,3,2) RepNCSPELAN4(128,128,64,1) AConv(240) RepNCSPELAN4(240,240,120,1) AConv(360) "
    "RepNCSPELAN4(360,360,180,1) AConv(480) RepNCSPELAN4(480,480,240,1) SPPELAN(480,240) "
    f"{UP} Concat(1)@-1,6 RepNCSPELAN4(360,360,180,1) {UP} Concat(1)@-1,4 RepNCSPELAN4(240,240,120,1) "
    "AConv(180) Concat(1)@-1,12 RepNCSPELAN4(360,360,180,1) AConv(240) Concat(1)@-1,9 RepNCSPELAN4(480,480,240,1) "
    "Detect(nc)@15,18,21"
)
_V9C = (
    "Conv(64,3,2) Conv(128,3,2) RepNCSPELAN4(256,128,64,1) ADown(256) RepNCSPELAN4(512,256,128,1) ADown(512) "
    "RepNCSPELAN4(512,512,256,1) ADown(512) RepNCSPELAN4(512,512,256,1) SPPELAN(512,256) "
    f"{UP} Concat(1)@-1,6 RepNCSPELAN4(512,512,256,1) {UP} Concat(1)@-1,4 RepNCSPELAN4(256,256,128,1) "
    "ADown(256) Concat(1)@-1,12 RepNCSPELAN4(512,512,256,1) ADown(512) Concat(1)@-1,9 RepNCSPELAN4(512,512,256,1) "
    "Detect(nc)@15,18,21"
)
_V9E = (
    "nn.Identity() Conv(64,3,2) Conv(128,3,2) RepNCSPELAN4(256,128,64,2) ADown(256) RepNCSPELAN4(512,256,128,2) "
    "ADown(512) RepNCSPELAN4(1024,512,256,2) ADown(1024) RepNCSPELAN4(1024,512,256,2) CBLinear([64])@1 "
    "CBLinear([64,128])@3 CBLinear([64,128,256])@5 CBLinear([64,128,256,512])@7 CBLinear([64,128,256,512,1024])@9 "
    "Conv(64,3,2)@0 CBFuse([0,0,0,0,0])@10,11,12,13,14,-1 Conv(128,3,2) CBFuse([1,1,1,1])@11,12,13,14,-1 "
    "RepNCSPELAN4(256,128,64,2) ADown(256) CBFuse([2,2,2])@12,13,14,-1 RepNCSPELAN4(512,256,128,2) ADown(512) "
    "CBFuse([3,3])@13,14,-1 RepNCSPELAN4(1024,512,256,2) ADown(1024) CBFuse([4])@14,-1 RepNCSPELAN4(1024,512,256,2) "
    f"SPPELAN(512,256) {UP} Concat(1)@-1,25 RepNCSPELAN4(512,512,256,2) {UP} Concat(1)@-1,22 "
    "RepNCSPELAN4(256,256,128,2) ADown(256) Concat(1)@-1,32 RepNCSPELAN4(512,512,256,2) ADown(512) Concat(1)@-1,29 "
    "RepNCSPELAN4(512,1024,512,2) Detect(nc)@35,38,41"
)

V8_SCALES = {"n": (0.33, 0.25, 1024), "s": (0.33, 0.5, 1024), "m": (0.67, 0.75, 768), "l": (1.0, 1.0, 512), "x": (1.0, 1.25, 512)}  # fmt: skip
V11_SCALES = {"n": (0.5, 0.25, 1024), "s": (0.5, 0.5, 1024), "m": (0.5, 1.0, 512), "l": (1.0, 1.0, 512), "x": (1.0, 1.5, 512)}  # fmt: skip


class Published(NamedTuple):
    """A network: its rows, its scales, and what is printed of each; other keys of the file; the side of the image."""

    rows: str
    scales: dict[str, tuple[float, float, float]]
    printed: dict[str, tuple[int, float]]
    more: str = ""
    size: int = 640
    classes: tuple[int, int] = (80, 80)  # with which the parameters, and the GFLOPs, that are printed come out


def _printed(scales: str, *figures: float) -> dict[str, tuple[int, float]]:
    return {s: (int(figures[2 * i]), figures[2 * i + 1]) for i, s in enumerate(scales or ("",))}


NETWORKS = {
    "yolov8": Published(
        f"{_V8} SPPF(1024,5) {_pyramid('3*C2f({0})', (4, 6, 9), (512, 256))}",
        V8_SCALES,
        _printed("nsmlx", 3157200, 8.9, 11166560, 28.8, 25902640, 79.3, 43691520, 165.7, 68229648, 258.5),
    ),
    "yolov8-ghost": Published(
        f"{_GHOST} SPPF(1024,5) {_pyramid('3*C3Ghost({0})', (4, 6, 9), (512, 256), down='GhostConv')}",
        V8_SCALES,
        _printed("nsmlx", 1865316, 5.8, 5960072, 16.4, 10336312, 32.7, 14277872, 53.7, 22229308, 83.3),
    ),
    "yolov8-ghost-p2": Published(
        f"{_GHOST} SPPF(1024,5) {_P2_NECK}",
        V8_SCALES,
        _printed("nsmlx", 2033944, 13.8, 5562080, 25.1, 9031728, 42.8, 12214448, 69.1, 18664776, 103.3),
    ),
    "yolov8-ghost-p6": Published(
        _P6.format("GhostConv", "C3Ghost").replace("Conv(128", "GhostConv(128") + " " + _P6_NECK.format("GhostConv", "3*C3Ghost", ""),
        V8_SCALES,
        _printed("nsmlx", 2901100, 5.8, 9520008, 16.4, 18002904, 34.4, 21227584, 55.3, 33057852, 85.7),
    ),
    "yolov8-p6": Published(
        f"{_P6.format('Conv', 'C2f')} {_P6_NECK.format('Conv', '3*C2', ',False')}",
        V8_SCALES,
        _printed("nsmlx", 4984352, 8.8, 17911792, 28.7, 44887488, 83.5, 62384016, 167.9, 97423072, 261.8),
    ),
    "yolov9t": Published(_v9_small((16, 64, 96, 128)), {}, _printed("", 2128720, 8.5)),
    "yolov9s": Published(_v9_small((32, 128, 192, 256)), {}, _printed("", 7318368, 27.6)),
    "yolov9m": Published(_V9M, {}, _printed("", 20216160, 77.9)),
    "yolov9c": Published(_V9C, {}, _printed("", 25590912, 104.0)),
    "yolov9e": Published(_V9E, {}, _printed("", 58206592, 193.0)),
    "yolo11": Published(
        f"{_E11} SPPF(1024,5) 2*C2PSA(1024) " + _pyramid("2*C3k2({0},False)", (4, 6, 10), (512, 256), last="2*C3k2(1024,True)"),
        V11_SCALES,
        _printed("nsmlx", 2624080, 6.6, 9458752, 21.7, 20114688, 68.5, 25372160, 87.6, 56966176, 196.0),
    ),
    "yolo11-cls": Published(
        f"{_E11} 2*C2PSA(1024) Classify(nc)",
        V11_SCALES,
        _printed("nsmlx", 1633584, 0.5, 5545488, 1.6, 10455696, 5.0, 12937104, 6.2, 28458544, 13.7),
        size=224,
        classes=(80, 1000),
    ),
    "yolo26-cls": Published(
        f"{_E11} 2*C2PSA(1024) Classify(nc)",
        V11_SCALES,
        _printed("nsmlx", 2812104, 0.5, 6724008, 1.6, 11634216, 5.0, 14115624, 6.2, 29637064, 13.7),
        size=224,
        classes=(1000, 1000),
    ),
    "yolo12": Published(
        f"{_E12} " + _pyramid("2*A2C2f({0},False,-1)", (4, 6, 8), (512, 256), last="2*C3k2(1024,True)"),
        V11_SCALES,
        _printed("nsmlx", 2602288, 6.7, 9284096, 21.7, 20199168, 68.1, 26450784, 89.7, 59210784, 200.3),
    ),
    "yolo12-cls": Published(
        f"{_E12} Classify(nc)",
        V11_SCALES,
        _printed("nsmlx", 1820976, 3.7, 6206992, 13.6, 12083088, 44.2, 15558640, 56.9, 34172592, 126.5),
    ),
    "yolo26": Published(
        f"{_E11} SPPF(1024,5,3,True) 2*C2PSA(1024) "
        + _pyramid("2*C3k2({0},True)", (4, 6, 10), (512, 256), last="C3k2(1024,True,0.5,True)"),
        V11_SCALES,
        _printed("nsmlx", 2572280, 6.1, 10009784, 22.8, 21896248, 75.4, 26299704, 93.8, 58993368, 209.5),
        more="end2end: True\nreg_max: 1\n",
    ),
}  # fmt: skip


def text(name: str) -> str:
    """The file of a network."""
    network = NETWORKS[name]
    lines = ["nc: 1000" if "Classify" in network.rows else "nc: 80", network.more.rstrip()]
    if network.scales:
        lines += ["scales:", *(f"  {scale}: {list(values)}" for scale, values in network.scales.items())]
    rows = [_row(each) for each in network.rows.split()]
    return "\n".join([*lines, "backbone:", *rows[:-1], "head:", *rows[-1:]]) + "\n"


def _row(short: str) -> str:
    found = re.fullmatch(r"(?:(\d+)\*)?([\w.]+)\((.*)\)(?:@(.+))?", short)
    assert found, short
    number, module, values, source = found.groups()
    taken = f"[{source}]" if source and ("," in source or module == "Detect") else source or "-1"
    return f"  - [{taken}, {number or 1}, {module}, [{values}]]"
