"""Losses: shapes, types and numbers of what the network gives and of the target."""

from __future__ import annotations

import re

from ...graph import Graph
from ...quantities import number
from .base import SIZES, Answer, message, plain, sizes


@message(r"Target (-?\d+) is out of bounds")
def target(match: re.Match[str], graph: Graph | None) -> Answer:
    label = int(match[1])
    says = f"there is a label {label}, and no output for it"
    if label < 0:
        return Answer(
            says,
            ("classes count from 0; -1 often stands for what is not labelled",),
            ("ignore_index=-1 in the loss leaves it out, if that is meant; or labels from 0 on",),
        )
    outputs = graph.nodes[graph.outputs[0]].shape if graph and graph.outputs else None
    if outputs and len(outputs) == 1 and label < outputs[0]:
        return Answer(
            says,
            (
                f"the spec's network has {number(outputs[0])} outputs, {label} among them: the code is not the spec's network",
            ),
            ("print the shape of what the network gives",),
        )
    if label == 255:
        return Answer(
            says,
            ("in masks 255 often stands for what belongs to no class", "or the mask was read as a picture, 0 to 255"),
            ("ignore_index=255 in the loss; or the number of the class in place of its colour",),
        )
    reasons = [
        f"classes count from 0: {label} is the class after number {number(label - 1)}"
        if label
        else "there is no output"
    ]
    if outputs and len(outputs) == 1:
        reasons.append(
            f"the spec's network has {number(outputs[0])} outputs, for classes 0 to {number(outputs[0] - 1)}"
        )
    change = f"Linear(…, {label + 1}) or more as the last layer; or labels that begin with 0"
    return Answer(says, tuple(reasons), (change,))


@message(
    rf"Using a target size \(torch\.Size\({SIZES}\)\) that is different to the input size \(torch\.Size\({SIZES}\)\)",
    rf"Target size \(torch\.Size\({SIZES}\)\) must be the same as input size \(torch\.Size\({SIZES}\)\)",
)
def shapes(match: re.Match[str], graph: Graph | None) -> Answer:
    wanted, given = sizes(match[1]), sizes(match[2])
    reason = "a loss compares number by number: what differs is repeated if it can be, and the result means nothing"
    change = "a target of the network's shape, or as many outputs in its last layer"
    if given == (*wanted, 1):
        change = "target.unsqueeze(1), or output.squeeze(1)"
    elif wanted == (*given, 1):
        change = "target.squeeze(1), or output.unsqueeze(1)"
    return Answer(f"in a loss: the network gives {list(given)}, and the target is {list(wanted)}", (reason,), (change,))


@message(r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)")
def batch(match: re.Match[str], graph: Graph | None) -> Answer:
    rows, labels = int(match[1]), int(match[2])
    says = f"the network gives {rows} rows for a batch of {labels}"
    if not labels:
        return Answer(
            f"the network gives {rows} rows, and there are no labels", ("the target is empty",), ("print both",)
        )
    if rows % labels == 0:
        reason = (
            f"view(-1, n) with a wrong n makes {rows // labels} rows of each picture: the error is where x is flattened"
        )
    elif labels % rows == 0:
        reason = (
            f"view(-1, n) with a wrong n makes one row of {labels // rows} pictures: the error is where x is flattened"
        )
    else:
        reason = "view(-1, n) with a wrong n mixes the pictures, or the labels are those of another batch"
    return Answer(
        says, (reason,), (f"x = torch.flatten(x, 1) gives {labels} rows; then Linear says how many features there are",)
    )


@message(rf"size mismatch \(got input: {SIZES} ?, target: {SIZES}")
def maps(match: re.Match[str], graph: Graph | None) -> Answer:
    given, wanted = sizes(match[1]), sizes(match[2])
    says = f"in a loss: the network gives {list(given)}, and the labels are {list(wanted)}"
    if len(given) > 2:
        return Answer(
            says,
            (f"there is a label for each pixel, and the maps differ: {list(given[2:])} and {list(wanted[1:])}",),
            ("F.interpolate(output, size=target.shape[-2:]), or labels reduced with mode='nearest'",),
        )
    return Answer(says, ("the output has lost its batch axis",), ("output.unsqueeze(0); print both shapes",))


plain(
    r"expected target dtype to be Long or Byte, but got (\w{1,80})",
    "the labels of a cross entropy are {1}, and must be whole numbers",
    "a label is the number of a class: int64, which PyTorch calls Long",
    "target.long()",
)
plain(
    r"expected scalar type (\w{1,80}) but found (\w{1,80})",
    "a tensor is {2} where {1} is wanted",
    ("both must have one type", "where Long is wanted, labels are meant, which are whole numbers"),
    "x.to(other.dtype); target.long() for labels",
)
plain(
    r"Expected floating point type for target with class probabilities, got (\w{1,80})",
    "the target of a cross entropy has a column for each class, and is {1}",
    "with a column for each class it is taken for probabilities, which are decimal; one-hot labels are whole",
    ("the numbers of the classes themselves, without one_hot", "one_hot(…).float() works too"),
)
plain(
    r"0D or 1D target tensor expected, multi-target not supported",
    "the labels of a cross entropy have more axes than one",
    "there is one label for each picture: a column N×1 has one axis too many",
    "target.squeeze(1)",
)
plain(
    r"only batches of spatial targets supported \(3D tensors\) but got targets of dimension: (\d+)",
    "the labels of a segmentation have {1} axes in place of 3",
    "there is one label for each pixel, N×H×W: a mask that was read as a picture has channels, too",
    "target.squeeze(1), if there is one channel; for a colour mask the class of each colour",
)
plain(
    r"weight tensor should be defined either for all (\d+) classes or no classes but got weight tensor of shape: \[(\d+)\]",
    "a loss has {2} weights for {1} classes",
    "weight= is one number for each class",
    "a weight for each of the {1} classes, or {2} outputs in the last layer",
)
plain(
    r"all elements of target should be between 0 and 1",
    "the target of a binary cross entropy holds numbers outside 0 … 1",
    "a target is 0, 1 or a share between them: are the labels 1 and 2, or 0 to 255?",
    "target / 255 for a mask that was read as a picture; labels from 0 on",
)
plain(
    r"all elements of input should be between 0 and 1",
    "a binary cross entropy received numbers outside 0 … 1",
    ("it wants probabilities: the sigmoid is missing", "or the network gives NaN, which is no number between 0 and 1"),
    "BCEWithLogitsLoss, which holds the sigmoid and is exact; print torch.isnan(x).any()",
)
