"""PyTorch's error messages that beginners meet, read, and answered: which layer, why, and what to change."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from math import isqrt, prod
from typing import NamedTuple

from ..errors import SpecError, wrong_call
from ..formula import number
from ..graph import Graph, Layer
from ..ops import Shape, readable
from ..spec.model import load

#: Sides of pictures that are tried when a number of features is traced back to an input.
SIDES = 1024


class Answer(NamedTuple):
    """What a message says in plain words, the reasons that fit it, the likeliest first, and what to change."""

    says: str
    reasons: tuple[str, ...]
    change: tuple[str, ...]
    layer: str = ""

    def lines(self) -> list[str]:
        """The answer as text."""
        found = [self.says]
        found += [f"layer: {self.layer}"] if self.layer else []
        found += [f"why: {reason}" for reason in self.reasons]
        return found + [f"change: {change}" for change in self.change]


def explain_error(message: str, spec: str = "") -> Answer:
    """Read one of PyTorch's messages, with the spec of the network if there is one; raises `SpecError`.

    >>> found = explain_error("mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)")
    >>> found.reasons[0]
    '256 = 16·4² and 400 = 16·5²: a map of 4×4 arrives where one of 5×5 was counted on'
    """
    text = " ".join(message.split())
    graph = load(spec) if spec else None
    for pattern, explain in _PATTERNS:
        found = re.search(pattern, text)
        if found:
            return explain(found, graph)
    known = "sizes of a Linear layer, channels expected, output size too small, sums or concats that do not match"
    raise wrong_call(
        "this message is not among those that are known", f"known are: {known}; quote it whole, in one pair of quotes"
    )


# -- a linear layer ------------------------------------------------------------------------------------------------


def _linear(found: re.Match[str], graph: Graph | None) -> Answer:
    rows, arrives, declared, out = (int(each) for each in found.groups())
    says = f"a Linear layer was made for {number(declared)} features, but {number(arrives)} arrive"
    layer = _layer(graph, "Linear", lambda each: (each.shape or (0,))[-1] == out)
    if graph is not None and layer is not None:
        return _linear_in(graph, layer, rows, arrives, declared)._replace(says=says)
    reasons, change = [], []
    if declared % arrives == 0 and rows * arrives % declared == 0 and rows > 1:
        batch = rows * arrives // declared
        reasons.append(
            f"{rows}·{arrives} numbers are {batch} times {number(declared)}: all there, but Flatten is missing"
        )
        change.append("x = torch.flatten(x, 1) before the layer, or nn.Flatten()")
    if rows == 1 and arrives % declared == 0:
        reasons.append(
            f"{number(arrives)} is {arrives // declared} times {number(declared)}: the batch was flattened too"
        )
        change.append("flatten from dimension 1 on: torch.flatten(x, 1)")
    for channels, here, there in _maps(arrives, declared):
        reasons.append(
            f"{number(arrives)} = {channels}·{here}² and {number(declared)} = {channels}·{there}²: "
            f"a map of {here}×{here} arrives where one of {there}×{there} was counted on"
        )
        if there == 7:
            reasons.append(
                f"a network that halves five times makes 7×7 of 224×224, and {here}×{here} of {32 * here}×{32 * here}"
            )
        break
    change.append(
        f"Linear({arrives}, {out}), if the map is right; or the picture's size or the padding, if {declared} is"
    )
    return Answer(
        says,
        tuple(reasons) or ("the sizes before it were counted for another picture, or other layers",),
        tuple(change),
    )


def _linear_in(graph: Graph, layer: Layer, rows: int, arrives: int, declared: int) -> Answer:
    """The same with the spec at hand: sizes are computed, and not guessed."""
    true = (graph.nodes[layer.inputs[0]].shape or (0,))[-1]
    before = _map_before(graph, layer)
    given = readable(graph.inputs[0].shape or ())
    if declared == true and before and arrives == before[-1] and rows % prod(before[:-1]) == 0:
        return Answer("", (f"{readable(before)} arrives as rows of {arrives}: Flatten is missing before {layer.name}",),
                      ("x = torch.flatten(x, 1), or nn.Flatten(), before the layer",), layer.name)  # fmt: skip
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


def _maps(arrives: int, declared: int) -> Iterator[tuple[int, int, int]]:
    """Channels and two square maps that give both numbers, the most channels first, a power of two before others."""
    channels = [c for c in range(1, min(arrives, declared) + 1) if arrives % c == 0 == declared % c]
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


def _layer(graph: Graph | None, kind: str, fits: Callable[[Layer], bool]) -> Layer | None:
    return next((each for each in graph.layers if each.type.startswith(kind) and fits(each)), None) if graph else None


# -- a convolution or a pool ---------------------------------------------------------------------------------------


def _channels(found: re.Match[str], graph: Graph | None) -> Answer:
    groups, weight, arrives = int(found[1]), _sizes(found[2]), _sizes(found[3])
    wanted = weight[1] * groups
    here = arrives[1] if len(arrives) > 1 else arrives[0]
    says = f"a convolution was made for {wanted} channels, but {here} arrive"
    layer = _layer(
        graph,
        "Conv",
        lambda each: (each.shape or (0,))[0] == weight[0] and getattr(each.op, "kernel_size", ()) == tuple(weight[2:]),
    )
    reasons, change = [], []
    if wanted in arrives[2:] and len(arrives) == 4:
        reasons.append(f"the {wanted} channels stand last in {list(arrives)}: PyTorch wants them behind the batch")
        change.append("x = x.permute(0, 3, 1, 2)")
    if (here, wanted) == (1, 3):
        reasons.append("the picture is grey, and the network takes colours")
        change.append('Image.open(…).convert("RGB"), or in_channels=1')
    if (here, wanted) == (4, 3):
        reasons.append("the picture has transparency as its fourth channel")
        change.append('Image.open(…).convert("RGB")')
    if (here, wanted) == (3, 1):
        reasons.append("the picture has colours, and the network takes grey ones")
        change.append('Image.open(…).convert("L"), or in_channels=3')
    if not reasons and layer is not None and graph is not None:
        true = (graph.nodes[layer.inputs[0]].shape or (0,))[0]
        reasons.append(f"in the spec {true} channels reach {layer.name}, from {graph.nodes[layer.inputs[0]].name}")
    if not reasons:
        reasons.append(f"the layer before gives {here} channels: its out_channels is this layer's in_channels")
    if not change:
        change.append(f"in_channels={here}, if what arrives is right")
    return Answer(says, tuple(reasons), tuple(change), layer.name if layer else "")


def _too_small(found: re.Match[str], graph: Graph | None) -> Answer:
    arrives = _sizes(found[1])
    says = f"nothing is left of the map: {'×'.join(map(str, arrives[1:]))} arrives, and the window is larger"
    reasons: tuple[str, ...] = (
        "each pool and each step has halved the picture, until it was too small for the next window",
    )
    change: tuple[str, ...] = ("a larger picture, one pool less, or padding",)
    if graph is not None:
        shape = graph.inputs[0].shape or ()
        least = _least_side(graph) if len(shape) == 3 else 0
        if least:
            reasons += (f"the network in the spec needs pictures of at least {least}×{least}",)
            change = (
                f"resize to {least}×{least} or more (the spec has {shape[1]}×{shape[2]}), one pool less, or padding",
            )
    return Answer(says, reasons, change)


def _least_side(graph: Graph) -> int:
    """The smallest square picture that a network takes; 0 if none up to `SIDES` fits."""
    channels = (graph.inputs[0].shape or (1,))[0]
    for side in range(1, SIDES):
        try:
            load(graph.source, args=graph.args, inputs=(channels, side, side))
        except SpecError:
            continue
        return side
    return 0


def _kernel(found: re.Match[str], graph: Graph | None) -> Answer:
    arrives, kernel = _sizes(found[1]), _sizes(found[2])
    window, map_ = ("×".join(map(str, each)) for each in (kernel, arrives))
    says = f"a window of {window} does not fit on a map of {map_}, padding included"
    answer = _too_small(re.match(r"(.*)", f"1x{found[1]}"), graph)  # type: ignore[arg-type]
    return answer._replace(says=says)


# -- sums, concats, and what else does not match ---------------------------------------------------------------------


def _sum(found: re.Match[str], graph: Graph | None) -> Answer:
    a, b, axis = (int(each) for each in found.groups())
    what = {1: "channels", 2: "heights", 3: "widths"}.get(axis, f"sizes of axis {axis}")
    says = f"two tensors are added whose {what} differ: {a} and {b}"
    reasons, change = [], []
    if axis == 1:
        reasons.append("the branch changes the number of channels, and the shortcut does not")
        change.append("a 1×1 convolution on the shortcut, with the out_channels of the branch")
    elif max(a, b) in (2 * min(a, b), 2 * min(a, b) - 1):
        reasons.append("one branch steps by two, and the other does not")
        change.append("the same stride on the shortcut: Conv2d(…, kernel_size=1, stride=2)")
    elif abs(a - b) <= 8:
        reasons.append(
            f"one branch is {abs(a - b)} smaller: each convolution of size F without padding takes F − 1 away"
        )
        change.append("padding=F // 2 in the branch, or a crop of the larger one")
    else:
        reasons.append("the two were not made for each other")
        change.append("print both shapes; what is added must be equal in all sizes")
    merges = [] if graph is None else [each.name for each in graph.layers if each.type == "add"]
    if merges:
        reasons.append(
            f"in the spec all {len(merges)} sums fit, the first is {merges[0]}: compare their branches with the code"
        )
    return Answer(says, tuple(reasons), tuple(change))


def _concat(found: re.Match[str], graph: Graph | None) -> Answer:
    dim, wanted, got = (int(each) for each in found.groups()[:3])
    says = f"tensors are joined along axis {dim}, and differ in another: {wanted} and {got}"
    reasons = ["all sizes but that of the joined axis must be equal"]
    change = []
    if abs(wanted - got) == 1:
        reasons.append(
            f"{max(wanted, got)} is odd, or came from an odd size: halved and doubled again, one pixel is lost"
        )
        change.append("pictures whose sides can be halved so often, or F.pad / Upsample(size=…) to the larger one")
    elif abs(wanted - got) % 2 == 0 and abs(wanted - got) > 1:
        reasons.append(f"{abs(wanted - got)} pixels are missing: convolutions without padding, as in U-Net")
        change.append(
            f"crop the larger one by {abs(wanted - got) // 2} on each side, or padding=1 in the 3×3 convolutions"
        )
    return Answer(says, tuple(reasons), tuple(change) or ("print both shapes before torch.cat",))


def _norm(found: re.Match[str], graph: Graph | None) -> Answer:
    arrives, owns = int(found[1]), int(found[2])
    layer = _layer(graph, "BatchNorm", lambda each: (each.shape or (0,))[0] == arrives)
    return Answer(
        f"a batch normalisation was made for {owns} channels, but {arrives} arrive",
        ("its num_features is not the out_channels of the convolution before it",),
        (f"BatchNorm2d({arrives})",),
        layer.name if layer else "",
    )


def _single(found: re.Match[str], graph: Graph | None) -> Answer:
    return Answer(
        f"batch normalisation in training has one value for each channel: {list(_sizes(found[1]))}",
        ("a mean and a variance of one value say nothing: the batch is 1 and the map 1×1",),
        ("net.eval() for a single picture; a batch of two or more in training; drop_last=True in the DataLoader",),
    )


def _axes(found: re.Match[str], graph: Graph | None) -> Answer:
    sizes = _sizes(found[2])
    shape = readable(graph.inputs[0].shape or ()) if graph else "channels, height and width"
    change = (
        "x = x.unsqueeze(0) adds the batch"
        if len(sizes) == 3
        else "x = x.unsqueeze(0).unsqueeze(0) adds batch and channel"
    )
    return Answer(f"{found[1]} received a tensor of {len(sizes)} axes: {list(sizes)}",
                  (f"it wants the batch, then {shape}",), (change,))  # fmt: skip


def _checkpoint(found: re.Match[str], graph: Graph | None) -> Answer:
    name, theirs, ours = found[1], _sizes(found[2]), _sizes(found[3])
    last = len(theirs) <= 2 and theirs[1:] == ours[1:]
    reason = (f"the checkpoint has {theirs[0]} classes, the model {ours[0]}" if last
              else f"it is of another network: {list(theirs)} in the file, {list(ours)} in the model")  # fmt: skip
    change = (f"build the model with {theirs[0]} classes, load, then replace its last layer" if last
              else "cnncalc run SPEC --weights FILE lists all that differs")  # fmt: skip
    return Answer(f"{name} has another shape in the checkpoint", (reason,), (change,), name.rpartition(".")[0])


def _view(found: re.Match[str], graph: Graph | None) -> Answer:
    wanted, size = _sizes(found[1]), int(found[2])
    last = abs(wanted[-1])
    reasons = [f"{number(size)} numbers cannot be put into rows of {number(last)}: {size / last:.2f} rows"]
    divisors = [each for each in range(1, 1025) if size % each == 0]
    reasons.append(
        "rows that it can have, by the batch: " + ", ".join(f"{each}: {number(size // each)}" for each in divisors[:6])
    )
    change = "x = torch.flatten(x, 1) keeps the batch; then Linear tells which number of features is right"
    return Answer("a tensor is reshaped to a size that it does not have", tuple(reasons), (change,))


def _batch(found: re.Match[str], graph: Graph | None) -> Answer:
    rows, batch = int(found[1]), int(found[2])
    return Answer(
        f"the network gives {rows} rows for a batch of {batch}",
        (f"view(-1, n) with a wrong n makes {rows / batch:g} rows of each picture: the error is where x is flattened",),
        (f"x = torch.flatten(x, 1) gives {batch} rows; then Linear says how many features there are",),
    )


def _types(found: re.Match[str], graph: Graph | None) -> Answer:
    return Answer(
        f"the input is {found[1]}, the weights are {found[2]}",
        ("network and data lie on different devices, or have different types",),
        ("net.to(device) and x = x.to(device), with the same device; x = x.float() for a type",),
    )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"-?\d+", text))


_SIZES = r"\[([\d, \-x]+)\]"
_PATTERNS: Sequence[tuple[str, Callable[[re.Match[str], Graph | None], Answer]]] = (
    (r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)", _linear),
    (r"size mismatch, m1: \[(\d+) x (\d+)\], m2: \[(\d+) x (\d+)\]", _linear),
    (rf"Given groups=(\d+), weight of size {_SIZES}, expected input{_SIZES} to have", _channels),
    (r"Given input size: \(([\dx]+)\)\. Calculated output size: \([\dx\-]+\)\. Output size is too small", _too_small),
    (r"Calculated padded input size per channel: \(([\d x]+)\)\. Kernel size: \(([\d x]+)\)", _kernel),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)",
        _sum,
    ),
    (r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size (\d+)", _concat),
    (r"running_mean should contain (\d+) elements not (\d+)", _norm),
    (rf"Expected more than 1 value per channel when training, got input size torch\.Size\({_SIZES}\)", _single),
    (rf"Expected .* input to (\w+), but got input of size: {_SIZES}", _axes),
    (
        rf"size mismatch for (\S+): copying a param with shape torch\.Size\({_SIZES}\) from checkpoint, "
        rf"the shape in current model is torch\.Size\({_SIZES}\)",
        _checkpoint,
    ),
    (rf"shape '{_SIZES}' is invalid for input of size (\d+)", _view),
    (r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)", _batch),
    (r"Input type \(([\w.]+)\) and (?:weight|bias) type \(([\w.]+)\) should be the same", _types),
)
