"""Shapes that are changed, and places that are asked for: view, flatten, permute, indices."""

from __future__ import annotations

import re
from math import prod

from ...graph import Graph
from ...quantities import number
from .base import SIZES, Answer, message, plain, sizes


@message(rf"shape '{SIZES}' is invalid for input of size (\d+)")
def view(match: re.Match[str], graph: Graph | None) -> Answer:
    wanted, size = sizes(match[1]), int(match[2])
    room = prod(part for part in wanted if part != -1)
    says = "a tensor is reshaped to a size that it does not have"
    change = "x = torch.flatten(x, 1) keeps the batch; then Linear tells which number of features is right"
    if not room or -1 not in wanted:
        reason = f"the shape has room for {number(room)} numbers, and there are {number(size)}"
        return Answer(says, (reason,), (change,))
    parts = "rows" if wanted[0] == -1 else "parts"
    reasons = [f"{number(size)} numbers cannot be put into {parts} of {number(room)}: {size / room:.2f} {parts}"]
    if wanted[0] == -1:
        rows = [count for count in range(1, 1025) if size % count == 0]
        told = ", ".join(f"{row}: {number(size // row)}" for row in rows[:6])
        reasons.append(f"rows that it can have, by the batch: {told}")
    return Answer(says, tuple(reasons), (change,))


plain(
    r"view size is not compatible with input tensor's size and stride",
    "view wants numbers that lie in order, and these do not",
    "view looks at the same memory in another shape; a permute, a transpose or a slice has changed the order",
    "x.reshape(…), which copies where it must, or x.contiguous().view(…)",
)
plain(
    rf"unflatten: Provided sizes {SIZES} don't multiply up to the size of dim (\d+) \((\d+)\)",
    "axis {2} has {3} numbers, and is to become [{1}]",
    "the product of the new sizes must be the old size",
    "-1 for one of the sizes lets PyTorch work it out",
)


@message(r"Dimension out of range \(expected to be in range of \[-?(\d+), (-?\d+)\], but got (-?\d+)\)")
def axis(match: re.Match[str], graph: Graph | None) -> Answer:
    count, asked = int(match[1]), int(match[3])
    return Answer(
        f"axis {asked} of a tensor that has {count}{' axes' if count != 1 else ' axis'} was asked for",
        ("axes are counted from 0; one has been lost before: a single example without its batch, or a squeeze",),
        ("print x.shape; x.unsqueeze(0) adds the batch; squeeze(axis) in place of squeeze() keeps the batch",),
    )


plain(
    r"number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i\.e\. input\.dim\(\) = (\d+) is not equal to len\(dims\) = (\d+)",
    "permute names {2} axes of a tensor that has {1}",
    "it wants each axis once; a single picture has no batch axis",
    "x.permute(2, 0, 1) for a picture H×W×C, x.permute(0, 3, 1, 2) for a batch of them",
)
plain(
    r"too many indices for tensor of dimension (\d+)",
    "more indices than the tensor has axes, which are {1}",
    "each index between the commas takes one axis; one has been lost before",
    "print x.shape",
)
plain(
    r"index (-?\d+) is out of bounds for dimension (\d+) with size (\d+)",
    "place {1} along axis {2} was asked for, which has {3}",
    "places are counted from 0: the last one is the size less one",
    "print x.shape, and the index",
)
plain(
    r"tensors used as indices must be long, int, byte or bool tensors",
    "a tensor of decimal numbers is used as an index",
    "places are whole numbers; a comparison gives a mask, and arithmetic with / gives decimals",
    "index.long()",
)
plain(
    r"index out of range in self",
    "an Embedding, or index_select, was asked for a row that is not there",
    "rows are counted from 0: the largest index is num_embeddings − 1, and none is negative",
    "Embedding(largest index + 1, …); print x.min() and x.max()",
)
plain(
    r"expected sequence of length (\d+) at dim (\d+) \(got (\d+)\)",
    "a list of lists of different lengths, {1} and {3}, is to become a tensor",
    "a tensor has the same number of values in every row",
    "pad the rows to one length, or torch.nn.utils.rnn.pad_sequence",
)
