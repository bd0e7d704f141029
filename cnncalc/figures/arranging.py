"""The network and the opened blocks on one page: not too wide to be read, and neither strip nor band."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from .layout import Placed
from .scene import Point

#: What is left around a figure, above the first box of a layout, and between frames.
MARGIN, GAP_ABOVE, BETWEEN = 16.0, 26.0, 14.0
#: How wide a figure may be so that its text has six points at 170 mm, and the widths of pages that are tried.
PAGE = 800.0
PAGES = (PAGE, 700.0, 600.0, 500.0)
#: The proportion of width to height below which a figure is a strip.
TALLEST = 0.42


def badness(width: float, height: float) -> float:
    """How far a figure is from a page: too wide to be read, or far from the proportions of a figure."""
    wide, high = width + 2 * MARGIN, height + 90
    return max(0.0, wide - PAGE) / 40 + abs(log(wide / high / 1.25)) * (1 if TALLEST < wide / high < 2.4 else 3)


def packed(main: Placed, frames: Sequence[Point], page: float) -> tuple[list[Point], float, float]:
    """Frames of these sizes beside and below a network, each as high up as there is room for it on so wide a page.

    Gives their upper left corners, and how large all is.
    """
    taken = [(0.0, 0.0, main.width + 24 - BETWEEN, main.height - GAP_ABOVE)]
    for wide, high in frames:
        places = []
        for x in {0.0, *(left + across + BETWEEN for left, _, across, _ in taken)}:
            over = [top + down for left, top, across, down in taken
                    if left < x + wide + BETWEEN and x < left + across + BETWEEN]  # fmt: skip
            if not x or x + wide <= page - 2 * MARGIN:
                places.append((max(over, default=-BETWEEN) + BETWEEN, x))
        y, x = min(places)
        taken.append((x, y, wide, high))
    right = max([main.width, *(x + wide for x, _, wide, _ in taken[1:])])
    return [(x, y) for x, y, _, _ in taken[1:]], right, max(y + high for _, y, _, high in taken)
