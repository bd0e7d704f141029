"""Why a linear layer receives another number of features than it was made for: PyTorch's commonest complaint."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isqrt, prod

from ...errors import SpecError
from ...graph import Graph, Layer
from ...language.model import load
from ...ops import Shape
from ...quantities import number, readable
from .base import Answer, layer_of, message

#: Sides of pictures that are tried when a number of features is traced back to an input.
SIDES = 1024


@message(
    r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)",
    r"size mismatch, m1: \[(\d+) x (\d+)\], m2: \[(\d+) x (\d+)\]",
)
def linear(match: re.Match[str], graph: Graph | None) -> Answer:
    """The answer to shapes that cannot be multiplied."""
    rows, arrives, declared, out = (int(group) for group in match.groups())
    says = f"a Linear layer was made for {number(declared)} features, but {number(arrives)} arrive"
    if arrives == declared or 0 in (arrives, declared):
        reason = "these shapes can be multiplied: the message is of another line" if arrives == declared else (
            "nothing is left of the map, or the layer was made for nothing: a size before it came out as 0"
        )  # fmt: skip
        return Answer(says, (reason,), ("print the shape before the layer",))
    layer = layer_of(graph, "Linear", lambda each: (each.shape or (0,))[-1] == out)
    if graph is not None and layer is not None:
        return _linear_in(graph, layer, rows, arrives, declared)._replace(says=says)
    if (rows, arrives) == (declared, out):
        return Answer(
            f"two matrices of {rows}×{arrives} are multiplied",
            ("the columns of the first must be the rows of the second",),
            (
                "a * b multiplies number by number, a.T @ b and a @ b.T are products; print x.shape before a Linear layer",
            ),
        )
    reasons, change = [], []
    if graph is not None:
        reasons.append(f"the spec has no Linear layer of {number(out)} outputs: the code is not the spec's network")
    if rows == declared:
        reasons.append(
            f"the {number(rows)} features stand first: rows are the pictures of a batch, columns their features"
        )
        change.append("x = x.T, or the batch as the first axis from the beginning")
    if rows > 1 and rows * arrives == declared and isqrt(arrives) ** 2 == arrives:
        reasons.append(_unbatched(rows, f"{isqrt(arrives)}×{isqrt(arrives)}", declared))
        change.append(UNSQUEEZE)
    if rows > 1 and rows * arrives % declared == 0 == declared % arrives**2:  # rows of square maps
        batch = rows * arrives // declared
        reasons.append(
            f"{rows}·{arrives} numbers are {batch} times {number(declared)}: all there, but Flatten is missing"
        )
        change.append("x = torch.flatten(x, 1) before the layer, or nn.Flatten()")
    if rows == 1 and arrives % declared == 0:
        reasons.append(
            f"{number(arrives)} is {arrives // declared} times {number(declared)}: the batch was flattened too, if it has"
            f" {arrives // declared} pictures"
        )
        reasons.append(f"or what comes before gives {number(arrives)} features: its out_features is in_features here")
        change.append(f"flatten from dimension 1 on: torch.flatten(x, 1); or Linear({arrives}, {out})")
    told = bool(change)
    for channels, here, there in () if told else _maps(arrives, declared):
        reasons.append(
            f"{number(arrives)} = {channels}·{here}² and {number(declared)} = {channels}·{there}²: "
            f"a map of {here}×{here} arrives where one of {there}×{there} was counted on"
        )
        if there == 7:
            reasons.append(
                f"a network that halves five times makes 7×7 of 224×224, and {here}×{here} of {32 * here}×{32 * here}"
            )
        break
    if not told:
        change.append(
            f"Linear({arrives}, {out}), if the map is right; or the picture's size or the padding, if {declared} is"
        )
    return Answer(
        says,
        tuple(reasons) or ("the sizes before it were counted for another picture, or other layers",),
        tuple(change),
    )


#: How a single picture becomes a batch of one.
UNSQUEEZE = "x = x.unsqueeze(0) makes a batch of one of a single picture"


def _unbatched(channels: int, map_: str, declared: int) -> str:
    return (
        f"{channels} rows of {map_} are all {number(declared)} features of one picture: it has no batch axis, and "
        "flattening from dimension 1 on left its channels as rows"
    )


def _linear_in(graph: Graph, layer: Layer, rows: int, arrives: int, declared: int) -> Answer:
    """The same with the spec at hand: sizes are computed, and not guessed."""
    true = (graph.nodes[layer.inputs[0]].shape or (0,))[-1]
    before = _map_before(graph, layer)
    given = readable(graph.inputs[0].shape or ())
    if declared == true and before and arrives == before[-1] and rows % prod(before[:-1]) == 0:
        return Answer("", (f"{readable(before)} arrives as rows of {arrives}: Flatten is missing before {layer.name}",),
                      ("x = torch.flatten(x, 1), or nn.Flatten(), before the layer",), layer.name)  # fmt: skip
    if declared == true and len(before) > 1 and (rows, arrives) == (before[0], prod(before[1:])):
        map_ = "×".join(map(str, before[1:]))
        return Answer("", (_unbatched(rows, map_, declared),), (UNSQUEEZE,), layer.name)
    if declared == true and rows == 1 and arrives % true == 0:
        reason = f"{number(arrives)} is {arrives // true} times {number(true)}: the batch was flattened too"
        return Answer("", (reason,), ("flatten from dimension 1 on: torch.flatten(x, 1)",), layer.name)
    reasons, change = [], []
    if declared == true:
        reasons.append(f"for an input of {given} the spec has {number(true)} features there, as the layer was made")
        side = _side_for(graph, layer, arrives)
        if side:
            reasons.append(f"{number(arrives)} are those of a picture of {side}×{side}")
            change.append(f"resize the pictures to {given}, or put AdaptiveAvgPool2d before Flatten")
        else:
            change.append(f"feed pictures of {given}; no square picture up to {SIDES} gives {number(arrives)} here")
    elif arrives == true:
        map_ = f" = {readable(before)}" if before else ""
        reasons.append(
            f"for an input of {given} there are {number(true)}{map_} features: {number(declared)} was miscounted"
        )
        side = _side_for(graph, layer, declared)
        if side:
            reasons.append(f"{number(declared)} would be right for a picture of {side}×{side}")
        elif before:
            root = isqrt(declared // before[0])
            if before[0] * root * root == declared:
                reasons.append(f"{number(declared)} = {before[0]}·{root}²: a map of {root}×{root} was counted on")
        change.append(f"Linear({true}, {(layer.shape or (0,))[-1]})")
    else:
        reasons.append(
            f"the spec has {number(true)} features there: the code is not the spec's network, or sees another input"
        )
        sides = [(count, _side_for(graph, layer, count)) for count in (arrives, declared)]
        reasons += [f"{number(count)} would be right for a picture of {side}×{side}" for count, side in sides if side]
        change.append(f"compare the layers before {layer.name} with `cnncalc shapes`")
    return Answer("", tuple(reasons), tuple(change), layer.name)


#: Channels of a map that is flattened.
MOST_CHANNELS = 100_000


def _maps(arrives: int, declared: int) -> Iterator[tuple[int, int, int]]:
    """Channels and two square maps that give both numbers, the most channels first, a power of two before others."""
    channels = [c for c in range(1, min(arrives, declared, MOST_CHANNELS) + 1) if arrives % c == 0 == declared % c]
    fitting = [
        (c, isqrt(arrives // c), isqrt(declared // c))
        for c in channels
        if isqrt(arrives // c) ** 2 * c == arrives and isqrt(declared // c) ** 2 * c == declared
    ]
    yield from sorted(fitting, key=lambda each: (each[0] & (each[0] - 1) != 0, -each[0]))


def _side_for(graph: Graph, layer: Layer, features: int) -> int:
    """The side of the square picture for which a layer receives so many features; 0 if there is none."""
    shape = graph.inputs[0].shape or ()
    if len(shape) != 3 or graph.input_count != 1:
        return 0
    low = next((s for s in (*range(1, 33), *range(33, SIDES, 32)) if _features(graph, layer, s)), 0)
    if not low:
        return 0
    high = SIDES
    while low < high:  # the number grows with the picture
        middle = (low + high) // 2
        if _features(graph, layer, middle) < features:
            low = middle + 1
        else:
            high = middle
    return low if _features(graph, layer, low) == features else 0


def _features(graph: Graph, layer: Layer, side: int) -> int:
    try:
        other = load(graph.source, args=graph.args, inputs=((graph.inputs[0].shape or (1,))[0], side, side))
        twin = next(each for each in other.layers if each.name == layer.name)
        return (other.nodes[twin.inputs[0]].shape or (0,))[-1]
    except SpecError:
        return 0


def _map_before(graph: Graph, layer: Layer) -> Shape:
    """The last map on the way to a layer; nothing where there is none."""
    index = layer.inputs[0]
    while graph.nodes[index].inputs and len(graph.nodes[index].shape or ()) < 2:
        index = graph.nodes[index].inputs[0]
    shape = graph.nodes[index].shape or ()
    return shape if len(shape) > 1 else ()
