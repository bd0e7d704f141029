"""PyTorch's error messages that beginners meet, read, and answered: which layer, why, and what to change."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod

from ..errors import SpecError, usage_error
from ..graph import Graph
from ..language.model import load
from ..quantities import number
from .advice import Answer, layer_of
from .features import SIDES, linear


def explain_error(message: str, spec: str = "") -> Answer:
    """Read one of PyTorch's messages, with the spec of the network if there is one; raises `SpecError`.

    >>> found = explain_error("mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)")
    >>> found.reasons[0]
    '256 = 16·4² and 400 = 16·5²: a map of 4×4 arrives where one of 5×5 was counted on'
    """
    text = " ".join(message.split())
    graph = load(spec) if spec else None
    for pattern, explain in _PATTERNS:
        match = re.search(pattern, text)
        if match:
            try:
                return explain(match, graph)
            except (ArithmeticError, IndexError, ValueError):
                raise usage_error("this message is garbled", "quote it whole, as PyTorch printed it") from None
    known = "sizes of a Linear layer, channels expected, output size too small, sums or concats that do not match"
    raise usage_error(
        "this message is not among those that are known", f"known are: {known}; quote it whole, in one pair of quotes"
    )


# -- a convolution or a pool ---------------------------------------------------------------------------------------


def _channels(match: re.Match[str], graph: Graph | None) -> Answer:
    groups, weight, arrives = int(match[1]), _sizes(match[2]), _sizes(match[3])
    wanted = weight[1] * groups
    here = arrives[1] if len(arrives) > 1 else arrives[0]
    says = f"a convolution was made for {wanted} channels, but {here} arrive"
    layer = layer_of(
        graph,
        "Conv",
        lambda each: (each.shape or (0,))[0] == weight[0] and getattr(each.op, "kernel_size", ()) == tuple(weight[2:]),
    )
    reasons, change = [], []
    if match[0].startswith("Given transposed"):
        wanted = weight[0]
        says = f"a transposed convolution was made for {wanted} channels, but {here} arrive"
    if len(arrives) == 4 and arrives[3] == wanted != arrives[2]:
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


def _too_small(match: re.Match[str], graph: Graph | None) -> Answer:
    arrives = _sizes(match[1])
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


def _kernel(match: re.Match[str], graph: Graph | None) -> Answer:
    arrives, kernel = _sizes(match[1]), _sizes(match[2])
    window, map_ = ("×".join(map(str, each)) for each in (kernel, arrives))
    says = f"a window of {window} does not fit on a map of {map_}, padding included"
    answer = _too_small(re.match(r"(.*)", f"1x{match[1]}"), graph)  # type: ignore[arg-type]
    return answer._replace(says=says)


# -- sums, concats, and what else does not match ---------------------------------------------------------------------


def _sum(match: re.Match[str], graph: Graph | None) -> Answer:
    a, b, axis = (int(group) for group in match.groups())
    what = {0: "first sizes (the batch)", 1: "channels", 2: "heights", 3: "widths"}.get(axis, f"sizes of axis {axis}")
    says = f"two tensors are added or compared whose {what} differ: {a} and {b}"
    reasons, change = [], []
    if axis == 0:
        reasons.append("the two come of different batches, or one of them has lost its batch on the way")
        change.append("print both shapes; flatten from dimension 1 on")
    elif axis == 1:
        reasons.append("in a sum of branches: one changes the number of channels, and the other does not")
        reasons.append("in a loss: what the network gives and the target have different shapes")
        change.append(
            "a 1×1 convolution on the shortcut, with the out_channels of the branch; or a target of that shape"
        )
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
    merges = [] if graph is None else [layer.name for layer in graph.layers if layer.type == "add"]
    if merges:
        reasons.append(
            f"in the spec all {len(merges)} sums fit, the first is {merges[0]}: compare their branches with the code"
        )
    return Answer(says, tuple(reasons), tuple(change))


def _concat(match: re.Match[str], graph: Graph | None) -> Answer:
    dim, wanted, got = (int(group) for group in match.groups()[:3])
    says = f"tensors are joined along axis {dim}, and differ in another: {wanted} and {got}"
    reasons = ["all sizes but that of the joined axis must be equal"]
    change = []
    if max(wanted, got) < 5:
        reasons.append("sizes as small as these are often the batch: the tensors come of different ones")
    elif abs(wanted - got) == 1:
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


def _norm(match: re.Match[str], graph: Graph | None) -> Answer:
    arrives, owns = int(match[1]), int(match[2])
    layer = layer_of(graph, "BatchNorm", lambda each: (each.shape or (0,))[0] == arrives)
    return Answer(
        f"a batch normalisation was made for {owns} channels, but {arrives} arrive",
        ("its num_features is not the out_channels of the convolution before it",),
        (f"BatchNorm2d({arrives})",),
        layer.name if layer else "",
    )


def _single(match: re.Match[str], graph: Graph | None) -> Answer:
    return Answer(
        f"batch normalisation in training has one value for each channel: {list(_sizes(match[1]))}",
        ("a mean and a variance of one value say nothing: the batch is 1 and the map 1×1",),
        ("net.eval() for a single picture; a batch of two or more in training; drop_last=True in the DataLoader",),
    )


def _axes(match: re.Match[str], graph: Graph | None) -> Answer:
    name, sizes = match[1], _sizes(match[2])
    wanted = int(re.sub(r"\D", "", name) or 2) + 2
    return _too_many_or_few(f"{name} received a tensor of {len(sizes)} axes: {list(sizes)}", len(sizes), wanted, graph)


def _norm_axes(match: re.Match[str], graph: Graph | None) -> Answer:
    wanted, got = int(match[1][-2]), int(match[2])
    says = f"a batch normalisation for {match[1]} tensors received one of {got} axes"
    return _too_many_or_few(says, got, wanted, graph)


def _too_many_or_few(says: str, got: int, wanted: int, graph: Graph | None) -> Answer:
    shape = graph.inputs[0].shape if graph else None
    told = "×".join(map(str, shape)) if shape else "channels, height and width" if wanted == 4 else "channels and sizes"
    if got == wanted - 1:
        change = "x = x.unsqueeze(0) adds the batch"
    elif got == wanted - 2:
        change = "x = x.unsqueeze(0).unsqueeze(0) adds batch and channel"
    else:
        change = (
            "print x.shape: an axis of size 1 goes with x.squeeze(axis), two that belong together with x.flatten(0, 1)"
        )
    if got > wanted - 1 or got < wanted - 2:
        return Answer(says, (f"it wants {wanted}: the batch, then {told}",), (change,))
    return Answer(says, (f"it wants the batch, then {told}",), (change,))


def _checkpoint(match: re.Match[str], graph: Graph | None) -> Answer:
    name, theirs, ours = match[1], _sizes(match[2]), _sizes(match[3])
    last = len(theirs) <= 2 and theirs[1:] == ours[1:]
    reason = (f"the checkpoint has {theirs[0]} classes, the model {ours[0]}" if last
              else f"it is of another network: {list(theirs)} in the file, {list(ours)} in the model")  # fmt: skip
    change = (f"build the model with {theirs[0]} classes, load, then replace its last layer" if last
              else "cnncalc run SPEC --weights FILE lists all that differs")  # fmt: skip
    return Answer(f"{name} has another shape in the checkpoint", (reason,), (change,), name.rpartition(".")[0])


def _view(match: re.Match[str], graph: Graph | None) -> Answer:
    wanted, size = _sizes(match[1]), int(match[2])
    known = prod(each for each in wanted if each != -1)
    says = "a tensor is reshaped to a size that it does not have"
    change = "x = torch.flatten(x, 1) keeps the batch; then Linear tells which number of features is right"
    if not known or -1 not in wanted:
        reason = f"the shape has room for {number(known)} numbers, and there are {number(size)}"
        return Answer(says, (reason,), (change,))
    parts = "rows" if wanted[0] == -1 else "parts"
    reasons = [f"{number(size)} numbers cannot be put into {parts} of {number(known)}: {size / known:.2f} {parts}"]
    if wanted[0] == -1:
        rows = [each for each in range(1, 1025) if size % each == 0]
        told = ", ".join(f"{row}: {number(size // row)}" for row in rows[:6])
        reasons.append(f"rows that it can have, by the batch: {told}")
    return Answer(says, tuple(reasons), (change,))


def _strides(match: re.Match[str], graph: Graph | None) -> Answer:
    return Answer(
        "view wants numbers that lie in order, and these do not: a permute or transpose has changed their order",
        ("view looks at the same memory in another shape",),
        ("x.reshape(…), which copies where it must, or x.contiguous().view(…)",),
    )


def _target(match: re.Match[str], graph: Graph | None) -> Answer:
    outputs = graph.nodes[graph.outputs[0]].shape if graph and graph.outputs else None
    reasons = [f"classes count from 0: {match[1]} is the class after number {number(int(match[1]) - 1)}"]
    if outputs and len(outputs) == 1:
        reasons.append(
            f"the spec's network has {number(outputs[0])} outputs, for classes 0 to {number(outputs[0] - 1)}"
        )
    change = f"Linear(…, {int(match[1]) + 1}) or more as the last layer; or labels that begin with 0"
    return Answer(f"there is a label {match[1]}, and no output for it", tuple(reasons), (change,))


def _loss(match: re.Match[str], graph: Graph | None) -> Answer:
    target, given = _sizes(match[1]), _sizes(match[2])
    return Answer(
        f"in a loss: the network gives {list(given)}, and the target is {list(target)}",
        ("a loss compares number by number: what differs is repeated if it can be, and the result means nothing",),
        ("a target of the network's shape, or as many outputs in its last layer",),
    )


def _dtype(match: re.Match[str], graph: Graph | None) -> Answer:
    return Answer(
        f"two matrices of different types are multiplied: {match[1]} and {match[2]}",
        ("data that comes from NumPy is float64, which PyTorch calls double; weights are float32",),
        ("x = x.float(), or torch.from_numpy(…).float()",),
    )


def _batch(match: re.Match[str], graph: Graph | None) -> Answer:
    rows, batch = int(match[1]), int(match[2])
    if not batch:
        return Answer(
            f"the network gives {rows} rows, and there are no labels", ("the target is empty",), ("print both",)
        )
    return Answer(
        f"the network gives {rows} rows for a batch of {batch}",
        (f"view(-1, n) with a wrong n makes {rows / batch:g} rows of each picture: the error is where x is flattened",),
        (f"x = torch.flatten(x, 1) gives {batch} rows; then Linear says how many features there are",),
    )


def _types(match: re.Match[str], graph: Graph | None) -> Answer:
    return Answer(
        f"the input is {match[1]}, the weights are {match[2]}",
        ("network and data lie on different devices, or have different types",),
        ("net.to(device) and x = x.to(device), with the same device; x = x.float() for a type",),
    )


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"-?\d+", text))


_SIZES = r"\[([\d, \-x]+)\]"
_PATTERNS: Sequence[tuple[str, Callable[[re.Match[str], Graph | None], Answer]]] = (
    (r"mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)", linear),
    (r"size mismatch, m1: \[(\d+) x (\d+)\], m2: \[(\d+) x (\d+)\]", linear),
    (rf"Given (?:groups|transposed)=(\d+), weight of size {_SIZES}, expected input{_SIZES} to have", _channels),
    (r"Given input size: \(([\dx]+)\)\. Calculated output size: \([\dx\-]+\)\. Output size is too small", _too_small),
    (r"Calculated padded input size per channel: \(([\d x]+)\)\. Kernel size: \(([\d x]+)\)", _kernel),
    (
        r"The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)",
        _sum,
    ),
    (r"Sizes of tensors must match except in dimension (\d+)\. Expected size (\d+) but got size (\d+)", _concat),
    (r"running_mean should contain (\d+) elements not (\d+)", _norm),
    (rf"Expected more than 1 value per channel when training, got input size torch\.Size\({_SIZES}\)", _single),
    (rf"Expected .{{0,80}} input to (\w{{1,80}}), but got input of size: {_SIZES}", _axes),
    (
        rf"size mismatch for (\S+): copying a param with shape torch\.Size\({_SIZES}\) from checkpoint, "
        rf"the shape in current model is torch\.Size\({_SIZES}\)",
        _checkpoint,
    ),
    (rf"shape '{_SIZES}' is invalid for input of size (\d+)", _view),
    (r"Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)", _batch),
    (r"expected (\dD(?: or \dD)?) input \(got (\d)D input\)", _norm_axes),
    (r"mat1 and mat2 must have the same dtype, but got (\w+) and (\w+)", _dtype),
    (
        rf"Using a target size \(torch\.Size\({_SIZES}\)\) that is different to the input size "
        rf"\(torch\.Size\({_SIZES}\)\)",
        _loss,
    ),
    (r"Target (\d+) is out of bounds", _target),
    (r"view size is not compatible with input tensor's size and stride", _strides),
    (r"Input type \(([\w. ]+)\) and (?:weight|bias) type \(([\w. ]+)\) should be the same", _types),
)
