"""Sums, concats, stacks, and what else is put together and does not fit."""

from __future__ import annotations

import re

from ...graph import Graph
from .base import SIZES, Answer, message, plain, sizes


@message(r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)")
def added(match: re.Match[str], graph: Graph | None) -> Answer:
    a, b, axis = (int(group) for group in match.groups())
    what = {0: "first sizes (the batch)", 1: "channels", 2: "heights", 3: "widths"}.get(axis, f"sizes of axis {axis}")
    what = "second sizes (the channels, of maps)" if axis == 1 else what
    says = f"two tensors are added, compared or multiplied whose {what} differ: {a} and {b}"
    in_a_loss = f"in a loss: the network gives {a} along that axis, the target has {b}"
    fits = "a target of the network's shape, or a last layer that gives the target's"
    if "loss" in (re.findall(r", in (\w{1,80})", match.string[: match.start()]) or [""])[-1]:  # the traceback tells
        return Answer(says, (in_a_loss,), (fits,))
    reasons, change = [], []
    if axis == 0:
        reasons.append("the two come of different batches, or one of them has lost its batch on the way")
        change.append("print both shapes; flatten from dimension 1 on")
    elif axis == 1:
        reasons.append("in a sum of branches: one changes the number of channels, and the other does not")
        change.append("a 1×1 convolution on the shortcut, with the out_channels of the branch")
    elif max(a, b) in (2 * min(a, b), 2 * min(a, b) - 1):
        reasons.append("in a sum of branches: one steps by two, and the other does not")
        change.append("the same stride on the shortcut: Conv2d(…, kernel_size=1, stride=2)")
    elif abs(a - b) <= 8:
        reasons.append(
            f"in a sum of branches: one is {abs(a - b)} smaller, as each convolution of size F without padding takes F − 1 away"
        )
        change.append("padding=F // 2 in the branch, or a crop of the larger one")
    else:
        reasons.append("the two were not made for each other")
        change.append("print both shapes; what is added must be equal in all sizes")
    if axis:
        reasons.append(in_a_loss)
        change.append(f"in a loss: {fits}")
    merges = [] if graph is None else [layer.name for layer in graph.layers if layer.type == "add"]
    if merges:
        reasons.append(
            f"in the spec all {len(merges)} sums fit, the first is {merges[0]}: compare their branches with the code"
        )
    return Answer(says, tuple(reasons), tuple(change))


@message(r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size (\d+)")
def joined(match: re.Match[str], graph: Graph | None) -> Answer:
    dim, wanted, got = (int(group) for group in match.groups()[:3])
    says = f"tensors are joined along axis {dim}, and differ in another: {wanted} and {got}"
    reasons = ["all sizes but that of the joined axis must be equal"]
    change = []
    if max(wanted, got) < 5 or dim == 0:
        reasons.append("sizes as small as these are often the batch: the tensors come of different ones")
    elif abs(wanted - got) == 1:
        odd = wanted if wanted % 2 else got
        off = "lost" if odd == max(wanted, got) else "gained"
        reasons.append(f"{odd} is odd: halved and doubled again it comes back even, and one pixel is {off}")
        change.append("pictures whose sides can be halved so often, or F.pad / Upsample(size=…) to the larger one")
    elif abs(wanted - got) % 2 == 0:
        reasons.append(
            f"of maps, {abs(wanted - got)} pixels are missing: convolutions without padding, as in U-Net; "
            "of other tensors, the batches differ"
        )
        change.append(
            f"crop the larger one by {abs(wanted - got) // 2} on each side, or padding=1 in the 3×3 convolutions"
        )
    return Answer(says, tuple(reasons), tuple(change) or ("print both shapes before torch.cat",))


@message(r"Tensors must have same number of dimensions: got (\d+) and (\d+)")
def joined_axes(match: re.Match[str], graph: Graph | None) -> Answer:
    a, b = int(match[1]), int(match[2])
    lost = "one of them has no batch axis" if {a, b} == {3, 4} else "one of them was flattened, or has lost an axis"
    return Answer(
        f"tensors of {a} and of {b} axes are joined",
        (lost, "torch.cat joins along an axis that all have; torch.stack makes a new one"),
        ("print both shapes; x.unsqueeze(0) adds a batch of one",),
    )


@message(rf"stack expects each tensor to be equal size, but got {SIZES} at entry 0 and {SIZES} at entry (\d+)")
def stacked(match: re.Match[str], graph: Graph | None) -> Answer:
    first, other = sizes(match[1]), sizes(match[2])
    pictures = len(first) == len(other) == 3
    last = pictures and first[2] == other[2] and first[2] in (1, 3, 4) and first[0] not in (1, 3, 4)
    if pictures and first[0] != other[0] and not last:
        reason, change = "one picture has other channels than another: grey, or with transparency", (
            'Image.open(…).convert("RGB") for all of them',
        )  # fmt: skip
    elif pictures:
        reason, change = "a batch is one tensor: its pictures must have one size", (
            "transforms.Resize((224, 224)) with both sides, or RandomCrop and CenterCrop: Resize(224) sets the shorter side only",
        )  # fmt: skip
    else:
        reason, change = "a batch is one tensor: what it is made of must have one shape", (
            "pad them to one length, or give the DataLoader a collate_fn that does",
        )  # fmt: skip
    return Answer(
        f"tensors of different sizes are put into one: {list(first)} first, and {list(other)} as number {match[3]}",
        (reason,),
        change,
    )


plain(
    rf"The expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\) at non-singleton dimension (\d+)\. +Target sizes: {SIZES}\. +Tensor sizes: {SIZES}",
    "a tensor of [{5}] is put where [{4}] is wanted",
    "only an axis of size 1 is repeated: {2} cannot become {1} along axis {3}",
    "print both shapes; what is written into a part of a tensor must have the part's shape",
)
plain(
    rf"output with shape {SIZES} doesn't match the broadcast shape {SIZES}",
    "an operation in place would make [{2}] of [{1}]",
    (
        "in place, the result must have the shape that is there already",
        "where it is Normalize: the picture has one channel, and mean and deviation are given for three",
    ),
    ('Normalize((0.5,), (0.5,)) for grey pictures, or Image.open(…).convert("RGB")', "x = x - y in place of x -= y"),
)
plain(
    rf"Expected size for first two dimensions of batch2 tensor to be: {SIZES} but got: {SIZES}",
    "two batches of matrices are multiplied, and do not fit: [{1}] is wanted of the second, [{2}] is there",
    "both must have one batch, and the columns of the first are the rows of the second",
    "print both shapes; x.transpose(1, 2) swaps rows and columns",
)
plain(
    r"1D tensors expected, but got (\d+)D and (\d+)D tensors",
    "torch.dot is for two vectors, and received tensors of {1} and {2} axes",
    "matrices are multiplied by @, vectors by torch.dot",
    "a @ b",
)
plain(
    r"Size mismatch between tensors",
    "a TensorDataset holds tensors of different lengths",
    "its tensors are pictures and labels side by side: the first axis of all of them is the number of examples",
    "print len(x) and len(y)",
)
