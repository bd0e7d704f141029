"""Convolutions and pools: channels, groups, axes, and windows that do not fit."""

from __future__ import annotations

import re

from ...errors import SpecError
from ...graph import Graph
from ...language.model import load
from .base import SIZES, Answer, layer_of, message, plain, sizes
from .linear import SIDES, UNSQUEEZE


@message(rf"Given (?:groups|transposed)=(\d+), weight of size {SIZES}, expected input{SIZES} to have")
def channels(match: re.Match[str], graph: Graph | None) -> Answer:
    groups, weight, arrives = int(match[1]), sizes(match[2]), sizes(match[3])
    transposed = match[0].startswith("Given transposed")
    wanted = weight[0] if transposed else weight[1] * groups
    here = arrives[1] if len(arrives) > 1 else arrives[0]
    kind = (
        "transposed convolution" if transposed else f"convolution of {groups} groups" if groups > 1 else "convolution"
    )
    says = f"a {kind} was made for {wanted} channels, but {here} arrive"
    own = weight[1] if transposed else weight[0]
    layer = layer_of(
        graph,
        "Conv",
        lambda each: (each.shape or (0,))[0] == own and getattr(each.op, "kernel_size", ()) == tuple(weight[2:]),
    )
    reasons, change = [], []
    if len(arrives) == 4 and arrives[3] == wanted != arrives[2]:
        reasons.append(f"the {wanted} channels stand last in {list(arrives)}: PyTorch wants them behind the batch")
        change.append("x = x.permute(0, 3, 1, 2)")
    elif len(arrives) == 3 == len(weight) and arrives[2] == wanted != arrives[1]:
        reasons.append(f"the {wanted} channels stand last in {list(arrives)}: PyTorch wants them behind the batch")
        change.append("x = x.transpose(1, 2)")
    elif len(arrives) == len(weight) >= 4 and arrives[0] == 1 != here and wanted == 1:
        reasons.append(
            f"{list(arrives)} is one picture of {here} channels to PyTorch: a batch of {here} grey pictures?"
        )
        change.append("x = x.unsqueeze(1) gives each picture its channel")
    elif (here, wanted) == (1, 3):
        reasons.append("the picture is grey, and the network takes colours")
        change.append('Image.open(…).convert("RGB"), or in_channels=1')
    elif (here, wanted) == (4, 3):
        reasons.append("the picture has transparency as its fourth channel")
        change.append('Image.open(…).convert("RGB")')
    elif (here, wanted) == (3, 1):
        reasons.append("the picture has colours, and the network takes grey ones")
        change.append('Image.open(…).convert("L"), or in_channels=3')
    elif layer is not None and graph is not None:
        true = (graph.nodes[layer.inputs[0]].shape or (0,))[0]
        reasons.append(f"in the spec {true} channels reach {layer.name}, from {graph.nodes[layer.inputs[0]].name}")
    else:
        reasons.append(f"what comes before gives {here} channels: its out_channels is this layer's in_channels")
    if not change:
        change.append(f"in_channels={here}, if what arrives is right")
    return Answer(says, tuple(reasons), tuple(change), layer.name if layer else "")


@message(r"Given input size: \(([\dx]+)\)\. Calculated output size: \([\dx\-]+\)\. Output size is too small")
def too_small(match: re.Match[str], graph: Graph | None) -> Answer:
    arrives = sizes(match[1])
    says = f"nothing is left of the map: {'×'.join(map(str, arrives[1:]))} arrives, and the window is larger"
    reasons: tuple[str, ...] = (
        "each pool and each step of two halves the picture: either there are too many, or the picture is too small",
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
    first = (graph.inputs[0].shape or (1,))[0]
    for side in range(1, SIDES):
        try:
            load(graph.source, args=graph.args, inputs=(first, side, side))
        except SpecError:
            continue
        return side
    return 0


@message(r"Calculated padded input size per channel: \(([\d x]+)\)\. Kernel size: \(([\d x]+)\)")
def kernel(match: re.Match[str], graph: Graph | None) -> Answer:
    window, map_ = ("×".join(map(str, sizes(text))) for text in (match[2], match[1]))
    says = f"a window of {window} does not fit on a map of {map_}, padding included"
    answer = too_small(re.match(r"(.*)", f"1x{match[1]}"), graph)  # type: ignore[arg-type]
    return answer._replace(says=says)


@message(rf"Expected .{{0,80}} input to (\w{{1,80}}), but got input of size: {SIZES}")
def axes(match: re.Match[str], graph: Graph | None) -> Answer:
    name, arrives = match[1], sizes(match[2])
    wanted = int(re.sub(r"\D", "", name) or 2) + 2
    says = f"{name} received a tensor of {len(arrives)} axes: {list(arrives)}"
    shape = graph.inputs[0].shape if graph else None
    told = "×".join(map(str, shape)) if shape else "channels, height and width" if wanted == 4 else "channels and sizes"
    if len(arrives) == wanted - 2:
        flat = wanted == 4 and _side(arrives[-1])
        reason = f"it wants the batch, then {told}"
        if flat and arrives[0] != arrives[1]:
            return Answer(says, (reason, f"rows of {arrives[1]} numbers look like flat pictures of {flat}×{flat}"),
                          (f"x = x.view(-1, 1, {flat}, {flat}) if they are",
                           "or x.unsqueeze(0).unsqueeze(0) for a single picture"))  # fmt: skip
        return Answer(says, (reason,), ("x = x.unsqueeze(0).unsqueeze(0) adds batch and channel",))
    change = "print x.shape: an axis of size 1 goes with x.squeeze(axis), two that belong together with x.flatten(0, 1)"
    return Answer(says, (f"it wants {wanted}: the batch, then {told}",), (change,))


def _side(count: int) -> int:
    """The side of the square picture of so many pixels; 0 where there is none worth the name."""
    side = round(count**0.5)
    return side if side * side == count and side >= 8 else 0


plain(
    r"in_channels must be divisible by groups",
    "the channels that enter cannot be shared out among the groups",
    "a convolution of G groups gives each of them in_channels / G channels, which must be a whole number",
    "a number of groups that divides in_channels and out_channels; groups=in_channels is a depthwise convolution",
)
plain(
    r"out_channels must be divisible by groups",
    "the filters cannot be shared out among the groups",
    "a convolution of G groups gives each of them out_channels / G filters, which must be a whole number",
    "out_channels as a multiple of groups; a depthwise convolution has groups=in_channels and k·in_channels filters",
)
plain(
    r"padding='same' is not supported for strided convolutions",
    "padding='same' cannot be had with a stride",
    "it keeps the size of the map, and a stride is there to change it",
    "padding=F // 2 for an odd window of F: with stride 2 an even side is halved exactly",
)
plain(
    r"non-positive stride is not supported",
    "a convolution was given a stride of 0 or less",
    "a stride is how far the window moves: at least 1",
    "stride=1, or whatever was meant; is a number that is worked out rounded down to 0?",
)
plain(
    r"pad should be at most half of (?:effective )?kernel size, but got pad=(\d+), kernel_size=(\d+)",
    "a pool has padding {1} and a window of {2}: a window could lie wholly in the padding",
    "a pool may be padded by half of its window at most",
    "padding=kernel_size // 2 or less; nn.ZeroPad2d before it pads by more",
)
plain(
    r"Padding size should be less than the corresponding input dimension, but got: padding \(([\d, ]+)\)",
    "a padding of {1} by reflection is not smaller than the map itself",
    "what is reflected must be there: less than the side of the map on each side",
    "a larger picture, less padding, or padding with zeros or by replication",
)
plain(
    r"output padding must be smaller than either stride or dilation",
    "a transposed convolution has an output_padding that is not smaller than its stride",
    "it chooses among the sizes that a stride of S leaves open, which are S: 0 to S − 1",
    "output_padding=stride − 1 or less",
)
plain(
    r"non-empty 3D or 4D \(batch mode\) tensor expected for input",
    "a pool received a tensor that is no map",
    "it wants the batch, then channels, height and width: was the map flattened before it?",
    ("the pool before Flatten", UNSQUEEZE),
)
plain(
    r"Input and output must have the same number of spatial dimensions",
    "an enlargement to a size with another number of axes than the map has",
    "the tensor has batch and channels, and one size for each further axis",
    "size=(height, width) for N×C×H×W; print x.shape",
)
plain(
    r'invalid output_size "\(([\d, ]+)\)"',
    "a max unpool cannot give a map of {1}",
    "its size is that of the map that was pooled, which differs from twice the pooled size by less than a window",
    "output_size=x.size() of the map before the pool",
)
plain(
    r"(?:empty\(\): argument 'size' .{0,60}found element of type float|failed to unpack the object at pos \d+ .{0,80}got float)",
    "a layer was given a number of channels or features that is no whole number",
    "in Python 16 / 2 is 8.0: / gives a float even where it comes out even",
    "16 // 2",
)
