"""The colours of the figures: a kind of layer has one, which its words say as well; by day and by night."""

from __future__ import annotations

from ..record import Record

#: Kinds of parts, in the order in which a legend tells them, with what the legend calls them.
KINDS = {
    "input": "input and output",
    "conv": "convolution",
    "depthwise": "depthwise or grouped convolution",
    "norm": "normalisation",
    "activation": "activation",
    "pool": "pooling and resampling",
    "linear": "linear layer",
    "attention": "attention",
    "merge": "branches meet",
    "block": "block",
    "other": "other",
}


class Theme(Record):
    """The colours of a picture: its ground, its text, its lines, and the filling of each kind of part."""

    ground: str
    text: str
    faint: str  # text that tells less
    line: str
    skip: str  # a branch in which nothing is done
    frame: str
    panel: str
    fills: dict[str, str]
    heat: tuple[str, str]  # of a part that costs nothing, and of one that costs all
    marks: tuple[str, ...]  # lines, bars and dots that must be told apart


#: The fillings are Okabe and Ito's colours, lightened so that black text on them has a contrast of 7 or more.
LIGHT = Theme(
    ground="#ffffff",
    text="#111111",
    faint="#555555",
    line="#333333",
    skip="#c1440e",
    frame="#333333",
    panel="#f6f6f4",
    fills={
        "input": "#ffffff",
        "conv": "#9fd0ee",
        "depthwise": "#6fb7c8",
        "norm": "#c9c9c9",
        "activation": "#f3e98c",
        "pool": "#f2bf8a",
        "linear": "#8fd0b4",
        "attention": "#e3b5d2",
        "merge": "#ffffff",
        "block": "#d5d9f5",
        "other": "#eeeeee",
    },
    heat=("#fff7ec", "#f16913"),
    marks=("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#7a6a00", "#444444"),
)
DARK = Theme(
    ground="#16181d",
    text="#f2f2f2",
    faint="#b4b8c0",
    line="#c8ccd4",
    skip="#ff9a66",
    frame="#c8ccd4",
    panel="#20242c",
    fills={
        "input": "#16181d",
        "conv": "#1d4f70",
        "depthwise": "#0f5a66",
        "norm": "#4a4d54",
        "activation": "#5c5413",
        "pool": "#6d431a",
        "linear": "#17573d",
        "attention": "#693252",
        "merge": "#16181d",
        "block": "#383f7a",
        "other": "#33363d",
    },
    heat=("#22262e", "#a84300"),
    marks=("#56b4e9", "#f0b429", "#2bc79a", "#ff8a3d", "#e79ac4", "#9ad0f5", "#d3c04a", "#d0d0d0"),
)


def blended(theme: Theme, share: float) -> str:
    """The colour of a part of so much of the whole, in steps of its square root, so that small parts differ too.

    >>> blended(LIGHT, 0), blended(LIGHT, 1)
    ('#fff7ec', '#f16913')
    """
    low, high = ([int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in theme.heat)
    weight = max(0.0, min(1.0, share)) ** 0.5
    return "#" + "".join(f"{round(a + (b - a) * weight):02x}" for a, b in zip(low, high, strict=True))


def contrast(a: str, b: str) -> float:
    """How well one colour is read on another, by the rule of the Web Content Accessibility Guidelines: from 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    lights = sorted((_light(a), _light(b)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _light(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
