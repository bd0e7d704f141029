"""Normalisation: its channels, its axes, its groups, and one value alone."""

from __future__ import annotations

import re

from ...graph import Graph
from .base import SIZES, Answer, layer_of, message, plain, sizes


@message(r"running_mean should contain (\d+) elements not (\d+)")
def norm_channels(match: re.Match[str], graph: Graph | None) -> Answer:
    arrives, owns = int(match[1]), int(match[2])
    layer = layer_of(graph, "BatchNorm", lambda each: (each.shape or (0,))[0] == arrives)
    return Answer(
        f"a batch normalisation was made for {owns} channels, but {arrives} arrive",
        ("its num_features is not the out_channels of the convolution before it",),
        (f"num_features={arrives}, as in BatchNorm2d({arrives})",),
        layer.name if layer else "",
    )


@message(rf"Expected more than 1 value per channel when training, got input size torch\.Size\({SIZES}\)")
def single(match: re.Match[str], graph: Graph | None) -> Answer:
    arrives = sizes(match[1])
    map_ = " and the map 1×1" if len(arrives) > 2 else ""
    return Answer(
        f"batch normalisation in training has one value for each channel: {list(arrives)}",
        (f"a mean and a variance of one value say nothing: the batch is 1{map_}",),
        ("net.eval() for a single picture; a batch of two or more in training; drop_last=True in the DataLoader",),
    )


@message(r"expected (\dD(?: or \dD)?) input \(got (\d)D input\)")
def norm_axes(match: re.Match[str], graph: Graph | None) -> Answer:
    wanted, got = match[1], int(match[2])
    kinds = {"4D": "BatchNorm2d", "5D": "BatchNorm3d", "2D or 3D": "BatchNorm1d"}
    kind = kinds.get(wanted, "it")
    fits = next((name for axes, name in kinds.items() if f"{got}D" in axes), "")
    meant = {"BatchNorm1d": "vectors or sequences", "BatchNorm2d": "maps", "BatchNorm3d": "volumes"}
    says = f"a batch normalisation for {wanted} tensors received one of {got} axes"
    reasons = [f"{kind} is for {meant.get(kind, 'other tensors')}, with the batch as the first axis"]
    change = []
    if wanted == "4D" and got == 3:
        reasons.append("a single picture without a batch has three axes")
        change.append("x = x.unsqueeze(0) adds the batch")
    if fits:
        change.append(f"{fits} is the one for {meant[fits]}, if that is what they are")
    return Answer(says, tuple(reasons), tuple(change) or ("print x.shape before it",))


plain(
    r"num_channels \((\d+)\) must be divisible by num_groups \((\d+)\)",
    "{1} channels cannot be shared out among {2} groups",
    "a group normalisation takes num_channels / num_groups channels together, a whole number",
    "a number of groups that divides {1}",
)
plain(
    r"Expected number of channels in input to be divisible by num_groups, but got input of shape \[(\d+), (\d+)[^\]]*\] and num_groups=(\d+)",
    "{2} channels cannot be shared out among {3} groups",
    "a group normalisation takes channels / num_groups channels together, a whole number",
    "a number of groups that divides {2}",
)
plain(
    rf"Given normalized_shape={SIZES}, expected input with shape \[\*, [\d, ]+\], but got input of ?size ?{SIZES}",
    "a layer normalisation was made for [{1}] as the last sizes, but [{2}] arrives",
    "it goes over the last axes, which must be as it was made: in a map N×C×H×W those are the widths, not the channels",
    "LayerNorm(x.shape[-1]), or x.permute(0, 2, 3, 1) before it for the channels of a map",
)
