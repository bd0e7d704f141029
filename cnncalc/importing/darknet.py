"""Darknet's `.cfg`: sections of options, a layer each. Nothing is run; a section that is not known is named.

What Darknet does differently: a max pool pads by one less than its window, more of it behind; a shortcut between
unequal maps adds what they have in common; `[route]` takes a part of the channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from ..ops import Shape
from .cfg import MAX_BYTES, Section, sections
from .flat import Flat, Module, Node
from .readers import registers
from .refusals import refused

#: Activations by Darknet's names; "" for none.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "linear": ("", {}),
    "leaky": ("LeakyReLU", {"negative_slope": 0.1}),
    "relu": ("ReLU", {}),
    "relu6": ("ReLU6", {}),
    "logistic": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "elu": ("ELU", {}),
    "selu": ("SELU", {}),
    "gelu": ("GELU", {"approximate": "tanh"}),
    "mish": ("Mish", {}),
    "swish": ("SiLU", {}),
    "hardtan": ("Hardtanh", {}),
}
#: Activations of Darknet's own, for which there is no layer type.
DECLARED = ("ramp", "loggy", "relie", "plse", "lhtan", "stair")
#: Sections that decode or train, and compute nothing of the network.
HEADS = frozenset({"yolo", "region", "detection", "iseg", "cost", "gaussian_yolo"})
#: Sections with a memory of what came before.
RECURRENT = frozenset({"rnn", "crnn", "gru", "lstm", "conv_lstm"})


def read(path: Path, inputs: Mapping[str, Any]) -> Flat:
    """The flat network of a file; raises `SpecError` with the line of what cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise refused(f"cannot be read: {error.strerror}", str(path)) from None
    if len(data) > MAX_BYTES:
        raise refused(f"more than {MAX_BYTES:,} bytes", str(path))
    return _Darknet(sections(data.decode("utf-8", "replace"), str(path)), path).flat()


class _Darknet:
    def __init__(self, found: list[Section], path: Path) -> None:
        self.sections, self.path = found, path
        net = found[0]
        self.at = net
        try:
            shape = tuple(net.number(name, default) for name, default in (("channels", 3), ("height", 0), ("width", 0)))
            shape = shape if min(shape) > 0 else (net.number("inputs", 0),)
        except ValueError:
            raise refused("[net]: an option is no number", f"{path}:{net.line}") from None
        if min(shape) < 1:
            raise refused("[net] does not say height and width", f"{path}:{net.line}")
        self.nodes = [Node("input", "input", {}, (), shape)]
        self.ends: list[int] = []  # the last node of each section
        self.outputs: list[int] = []
        self.routed: list[int] = []  # what comes out of a section that makes no layer
        self.number = 0
        self.modules: dict[str, Module] = {"": Module("Darknet", {})}
        self.notes: dict[str, None] = {}

    def flat(self) -> Flat:
        for number, section in enumerate(self.sections[1:]):
            self.at, self.number = section, number
            try:
                self.section(section)
            except (ValueError, OverflowError):
                raise self.wrong("an option is no number") from None
            self.ends.append(self.routed[-1] if self.routed else len(self.nodes) - 1)
        outputs = self.outputs
        if len(self.nodes) - 1 not in outputs and (not outputs or self.sections[-1].kind not in HEADS):
            outputs.append(len(self.nodes) - 1)
        outputs = list(dict.fromkeys(outputs))
        return Flat(self.path.stem, self.nodes, 1, outputs, self.modules, tuple(self.notes))

    def wrong(self, cause: str, hint: str = "") -> Exception:
        return refused(f"[{self.at.kind}]: {cause}", f"{self.path}:{self.at.line}", hint)

    @property
    def here(self) -> int:
        """The node that the next section takes."""
        return self.ends[-1] if self.ends else 0

    def section(self, section: Section) -> None:
        self.routed = []
        if section.kind in HEADS:
            if section.kind != "cost":
                self.outputs.append(self.here)
                self.notes[f"[{section.kind}] decodes what comes out, and is left out"] = None
            self.routed = [self.here]
            return
        if section.kind in RECURRENT:
            raise self.wrong("recurrent layers are not read", "networks of convolutions are")
        read = READERS.get(section.kind)
        if read is None:
            raise self.wrong("this section is not known", f"known are {', '.join(READERS)}")
        read(self)

    def add(self, name: str, type_: str, arguments: Mapping[str, Any], inputs: tuple[int, ...], shape: Shape,
            figures: Mapping[str, Any] | None = None) -> int:  # fmt: skip
        """A layer of the section."""
        path = f"{self.number}.{name}" if name else str(self.number)
        if any(size < 1 for size in shape):
            raise self.wrong(f"nothing is left of a map of {'×'.join(map(str, self.nodes[inputs[0]].shape))}")
        self.nodes.append(
            Node(path, type_, arguments, inputs, shape, figures=figures, line=f"{self.path}:{self.at.line}")
        )
        return len(self.nodes) - 1

    def activated(self, x: int, default: str, name: str = "act") -> int:
        """The activation of a section behind its layer."""
        wanted = self.at.options.get("activation", default)
        shape = self.nodes[x].shape
        if wanted in DECLARED:
            figures = {
                "shape": list(shape),
                "params": 0,
                "buffers": 0,
                "macs": 0,
                "note": f"Darknet's activation {wanted}",
            }
            return self.add(name, wanted.title(), {}, (x,), shape, figures)
        if wanted not in ACTIVATIONS:
            raise self.wrong(f"there is no activation {wanted}", f"known are {', '.join([*ACTIVATIONS, *DECLARED])}")
        type_, arguments = ACTIVATIONS[wanted]
        return self.add(name, type_, arguments, (x,), shape) if type_ else x

    def module(self, kind: str, **attributes: Any) -> None:
        self.modules[str(self.number)] = Module(kind, attributes)

    def map(self) -> Shape:
        """The map that comes in; raises `SpecError` where it is none."""
        shape = self.nodes[self.here].shape
        if len(shape) != 3:
            raise self.wrong("it takes a map, and what comes in is a vector")
        return shape


Reader = Callable[[_Darknet], None]
READERS: dict[str, Reader] = {}
#: Registers what reads a kind of section.
reads = registers(READERS)


def stated(**arguments: tuple[Any, Any]) -> dict[str, Any]:
    """Arguments that are not their defaults."""
    return {name: value for name, (value, default) in arguments.items() if value != default}


@reads("convolutional", "conv", "deconvolutional")
def convolutional(net: _Darknet) -> None:
    at, (channels, height, width) = net.at, net.map()
    filters, size, stride = at.number("filters", 1), at.number("size", 1), at.number("stride", 1)
    groups, padding = at.number("groups", 1), at.number("padding", 0)
    padding = size // 2 if at.number("pad", 0) else padding
    normed = bool(at.number("batch_normalize", 0))
    if at.options.get("binary") or at.options.get("xnor"):
        net.notes["binary weights are counted as others"] = None
    if min(filters, size, stride, groups) < 1 or channels % groups or filters % groups:
        raise net.wrong(
            f"{filters} filters of {size} with stride {stride} in {groups} groups do not go with {channels} channels"
        )
    transposed = at.kind == "deconvolutional"
    out = [(side - 1) * stride + size - 2 * padding if transposed else (side + 2 * padding - size) // stride + 1
           for side in (height, width)]  # fmt: skip
    activation = at.options.get("activation", "logistic")
    several = normed or activation != "linear"
    if several:
        kind = f"{at.kind.title()}{activation.title()}{'' if normed else 'Biased'}"
        net.module(kind, filters=filters, size=size, stride=stride, groups=groups, padding=padding)
    arguments = {"out_channels": filters, "kernel_size": size} | stated(
        stride=(stride, 1), padding=(padding, 0), groups=(groups, 1), bias=(not normed, True))  # fmt: skip
    shape = (filters, *out)
    type_ = "ConvTranspose2d" if transposed else "Conv2d"
    x = net.add("conv" if several else "", type_, arguments, (net.here,), shape)
    if normed:
        x = net.add("bn", "BatchNorm2d", {}, (x,), shape)
    net.activated(x, "logistic")


@reads("maxpool")
def maxpool(net: _Darknet) -> None:
    channels, height, width = net.map()
    stride = net.at.number("stride", 1)
    size = net.at.number("size", stride)
    padding = net.at.number("padding", size - 1)
    if min(size, stride) < 1 or padding < 0:
        raise net.wrong(f"a window of {size} with stride {stride} makes no sense")
    before = padding // 2
    out = [(side + padding - size) // stride + 1 for side in (height, width)]
    after = [max(0, (o - 1) * stride + size - side - before) for o, side in zip(out, (height, width), strict=True)]
    even = [(side + 2 * before - size) // stride + 1 for side in (height, width)]
    sides: Any = [before, after[1], before, after[0]]
    if even == out:
        sides = before
    arguments = {"kernel_size": size} | stated(stride=(stride, size), padding=(sides, 0))
    net.add("", "MaxPool2d", arguments, (net.here,), (channels, *out))


@reads("avgpool")
def avgpool(net: _Darknet) -> None:
    channels, *_ = net.map()
    net.add("", "AdaptiveAvgPool2d", {"output_size": 1}, (net.here,), (channels, 1, 1))


@reads("connected", "conn")
def connected(net: _Darknet) -> None:
    out = net.at.number("output", 1)
    normed = bool(net.at.number("batch_normalize", 0))
    x, shape = net.here, net.nodes[net.here].shape
    if len(shape) > 1:
        x = net.add("flatten", "Flatten", {}, (x,), (prod(shape),))
    x = net.add("linear", "Linear", {"out_features": out} | ({"bias": False} if normed else {}), (x,), (out,))
    if normed:
        x = net.add("bn", "BatchNorm1d", {}, (x,), (out,))
    net.activated(x, "logistic")


@reads("dropout")
def dropout(net: _Darknet) -> None:
    p = net.at.real("probability", 0.5)
    net.add("", "Dropout", {} if p == 0.5 else {"p": p}, (net.here,), net.nodes[net.here].shape)


@reads("softmax")
def softmax(net: _Darknet) -> None:
    shape = net.nodes[net.here].shape
    if "tree" in net.at.options or net.at.number("groups", 1) > 1 or any(size > 1 for size in shape[1:]):
        figures = {
            "shape": list(shape),
            "params": 0,
            "macs": 0,
            "note": "a softmax over groups, or over a tree of classes",
        }
        net.add("", "GroupedSoftmax", {}, (net.here,), shape, figures)
        return
    net.add("", "Softmax", {"dim": 1}, (net.here,), shape)


@reads("route")
def route(net: _Darknet) -> None:
    wanted = net.at.numbers("layers")
    places = [net.number + each if each < 0 else each for each in wanted]
    if not places or any(not 0 <= place < net.number for place in places):
        raise net.wrong(f"layers={net.at.options.get('layers', '')} names no earlier layer")
    taken = [net.ends[place] for place in places]
    groups, group = net.at.number("groups", 1), net.at.number("group_id", 0)
    parts = []
    for i, node in enumerate(taken):
        shape = net.nodes[node].shape
        if groups > 1:
            each = shape[0] // groups
            cut = stated(start=(group * each, 0), stop=((group + 1) * each if group + 1 < groups else None, None))
            name = ("slice" if len(taken) == 1 else f"slice{i}") if len(taken) > 1 else ""
            node = net.add(name, "Slice", cut, (node,), (each, *shape[1:]))
        parts.append(node)
    if len(parts) == 1:
        net.routed = parts
        return
    shapes = [net.nodes[part].shape for part in parts]
    if any(shape[1:] != shapes[0][1:] for shape in shapes):
        raise net.wrong(f"maps of {' and '.join('×'.join(map(str, shape)) for shape in shapes)} do not fit")
    net.add("joined" if groups > 1 else "", "concat", {}, tuple(parts), (sum(s[0] for s in shapes), *shapes[0][1:]))


@reads("shortcut")
def shortcut(net: _Darknet) -> None:
    source = net.at.numbers("from")
    if len(source) != 1:
        raise net.wrong("from names one layer, as in from=-3")
    place = net.number + source[0] if source[0] < 0 else source[0]
    if not 0 <= place < net.number:
        raise net.wrong(f"from={source[0]} names no earlier layer")
    x, other = net.here, net.ends[place]
    shape, own = net.map(), net.nodes[other].shape
    plain = own == shape and ACTIVATIONS.get(net.at.options.get("activation", "linear"), ("x",))[0] == ""
    if own[1:] != shape[1:]:
        step = own[1] // shape[1]
        if step < 2 or own[1] != step * shape[1] or own[2] != step * shape[2]:
            raise net.wrong(f"{'×'.join(map(str, own))} does not go onto {'×'.join(map(str, shape))}")
        other = net.add("rows", "Slice", {"dim": 2, "step": step}, (other,), (own[0], shape[1], own[2]))
        other = net.add("columns", "Slice", {"dim": 3, "step": step}, (other,), (own[0], *shape[1:]))
    if own[0] > shape[0]:
        other = net.add("channels", "Slice", {"stop": shape[0]}, (other,), shape)
    elif own[0] < shape[0]:
        other = net.add("channels", "PadChannels", {"after": shape[0] - own[0]}, (other,), shape)
    x = net.add("" if plain else "sum", "add", {}, (x, other), shape)
    if not plain:
        net.activated(x, "linear")


@reads("upsample")
def upsample(net: _Darknet) -> None:
    channels, height, width = net.map()
    factor = net.at.number("stride", 2)
    if factor < 1:
        raise net.wrong("a negative stride shrinks the map, which is not read")
    net.add("", "Upsample", {"scale_factor": factor}, (net.here,), (channels, height * factor, width * factor))


@reads("reorg")
def reorg(net: _Darknet) -> None:
    channels, height, width = net.map()
    step = net.at.number("stride", 1)
    if step < 1 or height % step or width % step:
        raise net.wrong(f"a map of {height}×{width} is not divided by {step}")
    shape = (channels * step * step, height // step, width // step)
    figures = {
        "shape": list(shape),
        "params": 0,
        "buffers": 0,
        "macs": 0,
        "note": "blocks become channels, in Darknet's own order",
    }
    net.add("", "Reorg", {}, (net.here,), shape, figures)


@reads("local")
def local(net: _Darknet) -> None:
    channels, height, width = net.map()
    filters, size, stride = (net.at.number(name, 1) for name in ("filters", "size", "stride"))
    padding = size // 2 if net.at.number("pad", 0) else 0
    out = [(side + 2 * padding - size) // stride + 1 for side in (height, width)]
    shape, weights = (filters, *out), filters * channels * size * size * prod(out)
    figures = {"shape": list(shape), "params": weights + prod(shape), "macs": weights,
               "note": "a convolution whose filters are not shared between places"}  # fmt: skip
    x = net.add("local", "LocallyConnected", {}, (net.here,), shape, figures)
    net.activated(x, "logistic")


@reads("normalization", "lrn")
def normalization(net: _Darknet) -> None:
    size, alpha = net.at.number("size", 5), net.at.real("alpha", 0.0001)
    arguments = {"size": size} | stated(
        alpha=(alpha, 1e-4), beta=(net.at.real("beta", 0.75), 0.75), k=(net.at.real("kappa", 1), 1.0))  # fmt: skip
    net.add("", "LocalResponseNorm", arguments, (net.here,), net.map())


@reads("batchnorm")
def batchnorm(net: _Darknet) -> None:
    net.add("", "BatchNorm2d", {}, (net.here,), net.map())


@reads("activation")
def activation(net: _Darknet) -> None:
    net.activated(net.here, "linear", "")
    net.routed = [len(net.nodes) - 1]


@reads("logistic")
def logistic(net: _Darknet) -> None:
    net.add("", "Sigmoid", {}, (net.here,), net.nodes[net.here].shape)


@reads("crop")
def crop(net: _Darknet) -> None:
    channels, height, width = net.map()
    high, wide = net.at.number("crop_height", height), net.at.number("crop_width", width)
    x = net.here
    for dim, (size, wanted, name) in enumerate(((height, high, "rows"), (width, wide, "columns")), 2):
        if wanted < size:
            start = (size - wanted) // 2
            height = wanted if dim == 2 else height
            shape = (channels, height, wanted if dim == 3 else width)
            arguments = {"dim": dim} | stated(start=(start, 0)) | {"stop": start + wanted}
            x = net.add(name, "Slice", arguments, (x,), shape)
        elif wanted > size:
            raise net.wrong(f"{wanted} cannot be cut out of {size}")
    net.routed = [x]
