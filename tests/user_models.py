"""Models as people write them, each with what it becomes: lines that its spec has, or the message that it gets.

`example` are the shapes that go in, without the batch, and `dtypes` their types; `spec` are parts of the spec, `params` its
parameters, `declared` the layers that are not understood (None for any), `notes` what is said beside it, `apart` by how much
of the largest its outputs may differ, where a kernel does several operations in one; or `says` is a part of the message, and
`line` the line of this file that it names.
"""

from __future__ import annotations

import dataclasses
import sys

import torch
import torch.nn.functional as F
from torch import nn

#: What is expected of each model, by its name.
MODELS = {}


def becomes(name="", **expected):
    """Note what becomes of a model."""

    def note(thing):
        MODELS[name or thing.__name__] = expected
        return thing

    return note


@becomes(
    example={"": (1, 32, 32)},
    spec=["pool2: {MaxPool2d: {kernel_size: 2}}", "flatten: Flatten", "log_softmax: {LogSoftmax: {dim: 1}}"],
)
class Functional(nn.Module):
    """The LeNet of the tutorial: functional activations, one pool for both places, a view."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(16 * 5 * 5, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        return F.log_softmax(self.fc(x.view(-1, 16 * 5 * 5)), dim=1)


class Double(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.Conv2d(o, o, 3, padding=1), nn.ReLU())

    def forward(self, x):
        return self.body(x)


@becomes(example={"": (1, 32, 32)}, spec=["concat:", "ConvTranspose2d: {out_channels: 8, kernel_size: 2, stride: 2}"])
class UNet(nn.Module):
    """Skips, transposed convolutions, and a pad by the difference of sizes, which is none here."""

    def __init__(self):
        super().__init__()
        self.down1, self.down2, self.pool = Double(1, 8), Double(8, 16), nn.MaxPool2d(2)
        self.up, self.conv, self.out = nn.ConvTranspose2d(16, 8, 2, stride=2), Double(16, 8), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = self.down1(x)
        b = self.up(self.down2(self.pool(a)))
        dy, dx = a.size(2) - b.size(2), a.size(3) - b.size(3)
        b = F.pad(b, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.out(self.conv(torch.cat([a, b], dim=1)))


@becomes(
    example={"image": (3, 16, 16), "mask": (1, 16, 16)},
    spec=["input: {image: [3, 16, 16], mask: [1, 16, 16]}", "outputs: [head, feature]"],
)
class TwoInputs(nn.Module):
    """Two inputs, and a dictionary of results."""

    def __init__(self):
        super().__init__()
        self.feature = nn.Conv2d(4, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, image, mask):
        x = self.feature(torch.cat([image, mask], 1))
        return {"logits": self.head(x), "features": x}


@becomes(example={"": (3, 8, 8)}, spec=["outputs: [a, b]"])
class TupleOut(nn.Module):
    """Two results in a tuple."""

    def __init__(self):
        super().__init__()
        self.stem, self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1), nn.Conv2d(4, 3, 1)

    def forward(self, x):
        x = self.stem(x)
        return self.a(x), self.b(x)


@becomes(example={"": (3, 8, 8)}, notes=["registered nowhere"])
class PlainList(nn.Module):
    """Layers in a plain list, which are not registered."""

    def __init__(self):
        super().__init__()
        self.layers = [nn.Conv2d(3, 4, 3), nn.ReLU()]
        self.head = nn.Conv2d(4, 2, 1)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


@becomes(example={"": (3, 8, 8)}, declared=1, params=3 * 8 * 9 + 8 + 8)
class WeightNorm(nn.Module):
    """Weights that are worked out of parameters: declared, with what they are."""

    def __init__(self):
        super().__init__()
        self.conv = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 8, 3))

    def forward(self, x):
        return self.conv(x)


@becomes(example={"": (3, 16, 16)}, spec=["{use: head"], params=3 * 4 * 9 + 4 + 4 * 2 + 2)
class SharedHead(nn.Module):
    """One head on two maps: its weights are there once."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        x = self.stem(x)
        return self.head(x), self.head(F.max_pool2d(x, 2))


@becomes(example={"left": (3, 8, 8), "right": (3, 8, 8)}, spec=["tower2: {use: tower, from: right}"])
class Siamese(nn.Module):
    """Two pictures through one tower of several layers."""

    def __init__(self):
        super().__init__()
        self.tower = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 5))

    def forward(self, left, right):
        return self.tower(left) - self.tower(right)


@becomes(
    example={"before": (3, 16, 16), "after": (3, 16, 16)},
    spec=["stem2: {use: stem, from: after}", "deep2: {use: deep, from: stem2}"],
    params=3 * 8 * 9 + 8 + 16 + 16 + 8 * 8 * 9 + 8,
)
class Changes(nn.Module):
    """An encoder of two depths on two pictures: both maps of each are compared."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.deep = Recursive(8)

    def forward(self, before, after):
        near, other = self.stem(before), self.stem(after)
        return near - other, self.deep(near) - self.deep(other)


class Recursive(nn.Module):
    """A convolution that runs twice, beside what went in."""

    def __init__(self, width):
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(width), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + F.relu(self.conv(F.relu(self.conv(self.norm(x)))))


@becomes(example={"": (3, 8, 8)}, spec=["recursive:", "conv2: {use: conv}", "three: recursive"])
class Recursions(nn.Module):
    """Blocks in each of which a layer runs twice: the block says so."""

    def __init__(self):
        super().__init__()
        self.one, self.two, self.widen, self.three = Recursive(3), Recursive(3), nn.Conv2d(3, 6, 1), Recursive(6)

    def forward(self, x):
        return self.three(self.widen(self.two(self.one(x))))


@becomes(example={"": (3, 8, 8)}, spec=["head2: {use: head}"], params=3 * 3 * 9 + 3 + 3 * 4 + 4)
class AfterItself(nn.Module):
    """A part that begins and ends without weights, twice in a row."""

    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1), nn.Sigmoid())
        self.last = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.last(self.head(self.head(x)))


@becomes(example={"": (3, 8, 8)}, spec=["{use: head.1}", "{use: head.2}"], params=3 * 3 * 9 + 3 + 6)
class PartOfItself(nn.Module):
    """A part, all of it again, and then some of its layers: each is used by its own name."""

    def __init__(self):
        super().__init__()
        self.head = nn.Sequential(nn.ReLU(), nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))

    def forward(self, x):
        x = self.head(self.head(x))
        return self.head[2](self.head[1](x))


@becomes(
    example={"": (3, 8, 8)},
    spec=["a: {Conv2d: {out_channels: 4, kernel_size: 1}}"],
    absent=["b:"],
    notes=["user_models.py:", "depends on the data, `if x.mean() > 0:`: this is the way that random numbers took"],
)
class DataBranch(nn.Module):
    """An if on the data."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        if x.mean() > 0:
            return self.a(x)
        return self.b(x)


@becomes(example={"": (3, 8, 8)}, spec=["a: {Conv2d: {out_channels: 4, kernel_size: 1}}"])
class ShapeBranch(nn.Module):
    """An if on the shape, which is known."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.a(x) if x.shape[-1] < 16 else self.b(x)


@becomes(example={"": (3, 8, 8)}, spec=["conv: {Conv2d: {out_channels: 4, kernel_size: 1}}"])
class Talks(nn.Module):
    """Prints shapes and asserts them."""

    def __init__(self):
        super().__init__()
        print("building")
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        print("in", x.shape)
        assert x.dim() == 4
        return self.conv(x)


@becomes(
    example={"": (3, 8, 8)},
    spec=["conv: {Conv2d: {out_channels: 4, kernel_size: 3}}", "fc: {Linear: {out_features: 10}}"],
)
class Lazy(nn.Module):
    """Layers that wait for their first input."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.LazyConv2d(4, 3), nn.LazyLinear(10)

    def forward(self, x):
        return self.fc(self.conv(x).flatten(1))


@becomes(example={"": (3, 8, 8)}, declared=1)
class Recurrent(nn.Module):
    """An LSTM at the end: declared, with the parameters that it has."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)
        self.lstm, self.fc = nn.LSTM(32, 16, batch_first=True), nn.Linear(16, 5)

    def forward(self, x):
        x = self.conv(x).permute(0, 2, 1, 3).flatten(2)
        return self.fc(self.lstm(x)[0][:, -1])


@becomes(example={"": (3, 8, 8)}, says="ValueError: width must be even", line='raise ValueError("width must be even")')
class Breaks(nn.Module):
    """An exception in the constructor."""

    def __init__(self, width=3):
        super().__init__()
        if width % 2:
            raise ValueError("width must be even")


@becomes(example={"": (3, 8, 8)}, says="--set width=…")
class NeedsArguments(nn.Module):
    """A constructor that wants more than is given."""

    def __init__(self, width, classes=10):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 1)

    def forward(self, x):
        return self.conv(x)


@becomes(example={"": (3, 9, 9)}, says="the input does not fit", line="return self.fc(x.flatten(1))")
class WrongSize(nn.Module):
    """An input that does not fit."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3 * 64, 10)

    def forward(self, x):
        return self.fc(x.flatten(1))


@becomes(example={"": (3, 8, 8)}, says="changes a part of a tensor that is used again", line="part.relu_()")
class WritesIntoView(nn.Module):
    """A change of a view in its place, which the exported graph does not show."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)

    def forward(self, x):
        y = self.conv(x)
        part = y[:, :4]
        part.relu_()
        return y


@becomes(example={"": (3, 8, 8)}, says="changes a part of a tensor", line="y[:, 4:] = 0")
class FillsPart(nn.Module):
    """A part that is overwritten."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)

    def forward(self, x):
        y = self.conv(x)
        y[:, 4:] = 0
        return y


@becomes(example={"": (4, 8, 8)}, spec=["sum:", "act: {ReLU: {inplace: true}}"])
class PlusEquals(nn.Module):
    """A residual by +=, which is safe."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.conv(x)
        y += x
        return self.act(y)


@becomes(example={"": (4, 8, 8)}, spec=["{use: conv"], params=4 * 4 * 9 + 4)
class Loop(nn.Module):
    """One layer in a loop: its weights once, its work each time."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x):
        for _ in range(3):
            x = F.relu(self.conv(x))
        return x


@becomes(example={"": (3, 8, 8)}, spec=["convs:", "heads:"])
class Lists(nn.Module):
    """A ModuleList and a ModuleDict."""

    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3 if i == 0 else 4, 4, 3, padding=1) for i in range(4)])
        self.heads = nn.ModuleDict({"kind": nn.Conv2d(4, 2, 1)})

    def forward(self, x):
        for conv in self.convs:
            x = conv(x)
        return self.heads["kind"](x)


@becomes(example={"": (3, 8, 8)}, spec=["head: {Conv2d: {out_channels: 2, kernel_size: 1}}"], absent=["aux"])
class Auxiliary(nn.Module):
    """A head that evaluation does not run."""

    def __init__(self):
        super().__init__()
        self.stem, self.head, self.aux = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 2, 1), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        x = self.stem(x)
        return (self.head(x), self.aux(x)) if self.training else self.head(x)


@becomes(example={"": (3, 16, 16)}, spec=["Upsample: {size: 16, mode: bilinear}"])
class Pyramid(nn.Module):
    """Maps enlarged to the size of others."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 4, 3, stride=2, padding=1)

    def forward(self, x):
        a = self.a(x)
        return a + F.interpolate(self.b(a), size=a.shape[2:], mode="bilinear")


@becomes(example={"": (3, 8, 8)}, spec=["multiply:", "Slice: {stop: 4}"])
class Gated(nn.Module):
    """Halves of the channels, one of which gates the other."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 1)

    def forward(self, x):
        a, b = self.conv(x).chunk(2, dim=1)
        return a * torch.sigmoid(b)


@becomes(example={"": (8, 8, 8)}, spec=["multiply:", "pool: {AdaptiveAvgPool2d: {output_size: 1}}"])
class Squeeze(nn.Module):
    """Squeeze and excitation with views and expand_as."""

    def __init__(self):
        super().__init__()
        self.pool, self.fc = (
            nn.AdaptiveAvgPool2d(1),
            nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 8), nn.Sigmoid()),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = self.fc(self.pool(x).view(b, c)).view(b, c, 1, 1)
        return x * y.expand_as(x)


@becomes(example={"": (8, 4, 4)}, spec=["ChannelShuffle: {groups: 2}"])
class Shuffle(nn.Module):
    """A channel shuffle by hand."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 1, groups=2)

    def forward(self, x):
        x = self.conv(x)
        b, c, h, w = x.shape
        return x.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, c, h, w)


@becomes(example={"": (3, 8, 8)}, declared=2)
class Normalised(nn.Module):
    """Pictures normalised by fixed means within the network."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, 0.5, 0.5]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.2, 0.2, 0.2]).view(1, 3, 1, 1))
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.conv((x - self.mean) / self.std)


@becomes(example={"": (3, 8, 8)}, spec=["Norm: {dim: 1, keepdim: true}", "Threshold: {threshold: 1.0e-12", "divide:"])
class LengthOfOne(nn.Module):
    """Vectors of length one at each place."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return F.normalize(self.conv(x), dim=1)


@becomes(example={"": (3, 8, 8)}, spec=["gamma: {LayerScale: {shape: [4], dim: 1}}"])
class ScaleOfAVector(nn.Module):
    """A learnt factor for each channel, kept as a vector."""

    def __init__(self):
        super().__init__()
        self.conv, self.gamma = nn.Conv2d(3, 4, 1), nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.conv(x) * self.gamma.reshape(1, -1, 1, 1)


@becomes(example={"": (3, 8, 8)}, spec=["gamma: LayerScale"])
class OwnScale(nn.Module):
    """A learnt factor for each channel."""

    def __init__(self):
        super().__init__()
        self.conv, self.gamma = nn.Conv2d(3, 4, 1), nn.Parameter(torch.ones(4, 1, 1))

    def forward(self, x):
        return self.conv(x) * self.gamma


@becomes(example={"": (3, 8, 8)}, says="nothing that comes out is worked out by layers from what goes in")
class Constant(nn.Module):
    """A result that does not depend on what goes in."""

    def __init__(self):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(4))

    def forward(self, x):
        return self.table + 1


@becomes(example={"ids": (6,)}, dtypes={"ids": "int64"}, declared=1, params=50 * 8 + 8 * 4 * 3 + 4)
class Words(nn.Module):
    """Integers that go in: an embedding is declared."""

    def __init__(self):
        super().__init__()
        self.table, self.conv = nn.Embedding(50, 8), nn.Conv1d(8, 4, 3)

    def forward(self, ids):
        return self.conv(self.table(ids).transpose(1, 2))


@becomes(example={"": (16, 4, 4)}, spec=["attention: {MultiheadAttention: {num_heads: 4}}"])
class Attends(nn.Module):
    """Attention of PyTorch's own kind, between sequences."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        x = x.flatten(2).transpose(1, 2)
        return self.attention(x, x, x, need_weights=False)[0]


@becomes(example={"": (3, 8, 8)}, spec=["{Token: {shape: [1, 16]}}", "concat:"])
class ClassToken(nn.Module):
    """Patches as a sequence, with a learnt token before them and learnt places."""

    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 16, 4, stride=4), nn.Linear(16, 5)
        self.token, self.places = nn.Parameter(torch.zeros(1, 1, 16)), nn.Parameter(torch.zeros(1, 5, 16))

    def forward(self, x):
        x = self.patches(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1) + self.places
        return self.head(x[:, 0])


class Frozen(nn.Module):
    def __init__(self, width, eps=1e-5):
        super().__init__()
        self.eps = eps
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((width,), value))

    def forward(self, x):
        w, b = self.weight.reshape(1, -1, 1, 1), self.bias.reshape(1, -1, 1, 1)
        scale = w * (self.running_var.reshape(1, -1, 1, 1) + self.eps).rsqrt()
        return x * scale + (b - self.running_mean.reshape(1, -1, 1, 1) * scale)


@becomes(example={"": (3, 8, 8)}, spec=["bn: FrozenBatchNorm2d"])
class Detector(nn.Module):
    """A normalisation whose numbers are fixed, as detectors have it."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 4, 1, bias=False), Frozen(4)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Cell(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.left, self.right = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(width, width, 1)

    def forward(self, x, before):
        return F.relu(self.left(x) + self.right(before))


@becomes(
    example={"": (3, 16, 16)},
    spec=["args: [other]", "from: '{other}'", "- {cell: {other: '\"stem\"'}}", "- {cell: {other: '\"2\"'}}"],
    params=224 + 5 * 656,
)
class Cells(nn.Module):
    """Cells that take the two before them, as NASNet's do."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.cells = nn.ModuleList(Cell(8) for _ in range(5))

    def forward(self, x):
        before = x = self.stem(x)
        for cell in self.cells:
            before, x = x, cell(x, before)
        return x


class Exchange(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.a, self.b = nn.Conv2d(width, width, 3, padding=1), nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.down, self.up = nn.Conv2d(width, 2 * width, 3, 2, 1), nn.Conv2d(2 * width, width, 1)

    def forward(self, a, b):
        a, b = self.a(a), self.b(b)
        return F.relu(a + F.interpolate(self.up(b), scale_factor=2)), F.relu(self.down(a) + b)


@becomes(
    example={"": (3, 16, 16)},
    spec=[
        "'stage.{n}.sum': {add: ['stage.{n}.a', 'stage.{n}.up2']}",
        "n: [0, 1, 2, 3]",
        """a: ['"a"', '"stage.0.relu"', '"stage.1.relu"', '"stage.2.relu"']""",
    ],
)
class Exchanges(nn.Module):
    """Branches of two resolutions that exchange what they have again and again, as HRNet's do."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 8, 3, 2, 1)
        self.stage = nn.ModuleList(Exchange(4) for _ in range(4))

    def forward(self, x):
        a, b = self.a(x), self.b(x)
        for module in self.stage:
            a, b = module(a, b)
        return a, b


class Either(nn.Module):
    def __init__(self, smooth):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.act = nn.SiLU() if smooth else nn.ReLU()

    def forward(self, x):
        return x + self.act(self.bn(self.conv(x)))


@becomes(
    example={"": (3, 8, 8)},
    spec=[
        "- act: {ReLU: {}, when: not smooth}",
        "- act: {SiLU: {}, when: smooth}",
        "- {either: {smooth: true}, repeat: 2}",
    ],
)
class Eithers(nn.Module):
    """Blocks in which a layer of one name is of one type or another."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 4, 1)
        self.blocks = nn.Sequential(*(Either(i > 1) for i in range(4)))

    def forward(self, x):
        return self.blocks(self.stem(x))


def row(width):
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())


@becomes(
    example={"": (3, 8, 8)},
    spec=["conv_bn_relu:", "a: {conv_bn_relu: {out_channels: 4}}", "d: {conv_bn_relu: {out_channels: 7}}"],
)
class Rows(nn.Module):
    """Layers in a row that a function makes, again and again: they have no class of their own."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = row(4), row(5), row(6), row(7)

    def forward(self, x):
        return torch.cat([self.a(x), self.b(x), self.c(x), self.d(x)], dim=1)


class Head(nn.Module):
    """A convolution and a head, for models that do something else as well."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 3, padding=1), nn.Linear(4, 2)

    def head(self, x):
        return self.fc(x.mean((2, 3)))


@becomes(
    example={"": (3, 8, 8)}, spec=["conv: {Conv2d:", "fc: {Linear:"], notes=["parts run without gradients", "--freeze"]
)
class FrozenPart(Head):
    """A backbone that is not trained."""

    def forward(self, input):
        with torch.no_grad():
            x = self.conv(input)
        return self.head(x)


@becomes(example={"": (3, 8, 8)}, spec=["conv: {Conv2d:"], declared=1)
class OnTheProcessor(Head):
    """A tensor that is made where the processor is."""

    def forward(self, x):
        return self.head(self.conv(x) + torch.linspace(0, 1, 8).expand(1, 4, 8, 8))


@becomes(example={"": (3, 8, 8)}, spec=["conv: {Conv2d:"])
class Star(Head):
    """Inputs without names."""

    def forward(self, *images):
        return self.head(self.conv(images[0]))


@dataclasses.dataclass
class Result:
    scores: torch.Tensor
    features: torch.Tensor


@becomes(example={"": (3, 8, 8)}, spec=["outputs: [fc, conv]"])
class GivesAnObject(Head):
    """What comes out is an object of a class of its own."""

    def forward(self, x):
        x = self.conv(x)
        return Result(self.head(x), x)


@becomes(example={"": (3, 8, 8)}, says="body is TorchScript, and no program import what it was made from")
class Scripted(Head):
    """A part that was compiled to TorchScript."""

    def __init__(self):
        super().__init__()
        self.body = torch.jit.script(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()))

    def forward(self, x):
        return self.head(self.body(self.conv(x)))


@becomes(example={"": (3, 8, 8)}, says="how much index gives depends on the data", line="x.mean(1) > 0]")
class Selects(Head):
    """As many places as are bright."""

    def forward(self, x):
        return self.fc(self.conv(x).permute(0, 2, 3, 1)[x.mean(1) > 0])


@becomes(
    example={"": (3, 8, 8)},
    spec=["fc: {Linear: {out_features: 3}}", "smooth2: {use: smooth}"],
    notes=["`steps = int(x.abs().sum().clamp(2, 2).item())`", "`while x.abs().max() > 1e9:`", "random numbers took"],
)
class DataLoop(nn.Module):
    """As many steps as the data says, a number that is asked for, and a loop that may end at once."""

    def __init__(self):
        super().__init__()
        self.smooth, self.fc = nn.Conv2d(3, 3, 3, padding=1), nn.Linear(3, 3)

    def forward(self, x):
        steps = int(x.abs().sum().clamp(2, 2).item())
        for _ in range(steps):
            x = self.smooth(x)
        while x.abs().max() > 1e9:
            x = x / 2
        return self.fc(x.mean((2, 3)))


@becomes(
    example={"": (3, 8, 8)},
    says="how much nonzero gives depends on the data",
)
class DataSize(nn.Module):
    """What is there only where the data says so."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        if x.max() > 2:
            x = x * 2
        return self.fc((x > 0.5).nonzero().float())


@becomes(
    example={"": (3, 8, 8)},
    spec=["conv: {Conv2d:"],
    notes=["asserts something of the data, which no layer does: assert not torch.isnan(x).any()"],
)
class Asserts(Head):
    """An assertion about the data."""

    def forward(self, x):
        assert not torch.isnan(x).any()
        return self.head(self.conv(x))


@becomes(example={"": (3, 8, 8)}, says="it asks for the values of a tensor", line="x.detach().numpy()")
class Plots(Head):
    """Values that are kept to be looked at."""

    def forward(self, x):
        self.seen = x.detach().numpy()
        return self.head(self.conv(x))


@becomes(example={"": (3, 8, 8)}, says="a tensor that PyTorch cannot follow, as .data is: x.data.clamp_(0)")
class Hidden(Head):
    """A change that autograd does not see."""

    def forward(self, x):
        x = self.conv(x)
        x.data.clamp_(0)
        return self.head(x)


@becomes(example={"": (3, 8, 8)}, spec=["fc: {Linear:"], declared=1)
class Spectral(Head):
    """A weight that is worked out by a hook, in the old way."""

    def __init__(self):
        super().__init__()
        self.conv = nn.utils.spectral_norm(self.conv)

    def forward(self, x):
        return self.head(self.conv(x))


@becomes(
    example={"": (3, 16, 16)},
    spec=["conv_bn_leakyrelu:", "'conv_{n}':", "module_list.5: {conv_bn_leakyrelu: {n: 5, "],
)
class FromConfiguration(nn.Module):
    """Layers whose names bear the number of the module around them, as programs write that read a configuration."""

    def __init__(self):
        super().__init__()
        self.module_list = nn.ModuleList()
        width = 3
        for i, (out, kernel) in enumerate([(8, 3), (16, 3), (8, 1), (16, 3), (8, 1), (16, 3)]):
            module = nn.Sequential()
            module.add_module(f"conv_{i}", nn.Conv2d(width, out, kernel, padding=kernel // 2, bias=False))
            module.add_module(f"batch_norm_{i}", nn.BatchNorm2d(out))
            module.add_module(f"leaky_{i}", nn.LeakyReLU(0.1))
            self.module_list.append(module)
            width = out

    def forward(self, x):
        before = []
        for module in self.module_list:
            x = module(x)
            before.append(x)
        return x + before[3] + before[1]


@becomes(
    example={"": (4, 8, 8)},
    spec=["- conv: {Conv2d", "- []", "- pool: {MaxPool2d", "sum2:"],
)
class Sums(nn.Module):
    """Three branches in one sum; and one in two steps, with something worked out in between, which stays in two."""

    def __init__(self):
        super().__init__()
        self.conv, self.last = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x):
        y, z = self.conv(x), F.max_pool2d(x, 3, 1, 1)
        x = y + x + z
        x = x + torch.sigmoid(x)
        return x + self.last(x)


@becomes(example={"": (3, 8, 8)}, says="something from the network")
class Fetches(nn.Module):
    """A constructor that downloads something."""

    def __init__(self):
        super().__init__()
        import urllib.request

        urllib.request.urlopen("http://example.com/weights.pth")


@becomes(example={"": (3, 8, 8)}, says="SystemExit")
class Leaves(nn.Module):
    """A constructor that ends the program."""

    def __init__(self):
        super().__init__()
        sys.exit(3)


@becomes(example={"": (3, 8, 8)}, spec=["- BatchNorm2d"])
def factory(width=8):
    """A function that makes a network."""
    return nn.Sequential(nn.Conv2d(3, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1))


#: A network that is there already.
ready = becomes(example={"": (3, 8, 8)}, spec=["- ReLU"], name="ready")(nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU()))


@becomes(example={"": (3, 8, 8)}, params=87, declared=3)
class WeightedSum(nn.Module):
    """The weighted sum of BiFPN: three numbers, worked out together and taken one by one."""

    def __init__(self):
        super().__init__()
        self.w, self.conv = nn.Parameter(torch.ones(3)), nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, x):
        a = self.conv(x)
        b = self.conv(a)
        w = F.relu(self.w)
        w = w / (w.sum() + 1e-4)
        return w[0] * x + w[1] * a + w[2] * b


@becomes(example={"": (4, 8, 8)}, params=276, declared=2)
class GateTwice(nn.Module):
    """A gate that is worked out of a parameter, and used twice."""

    def __init__(self):
        super().__init__()
        self.w, self.conv = nn.Parameter(torch.ones(1, 4, 8, 8)), nn.Conv2d(4, 4, 1)

    def forward(self, x):
        gate = torch.sigmoid(self.w)
        return self.conv(self.conv(x) * gate) * gate


@becomes(example={"": (16,)}, params=84, declared=1, spec=["macs: 64"])
class TiedAutoencoder(nn.Module):
    """The decoder has the encoder's weights, turned round."""

    def __init__(self):
        super().__init__()
        self.enc, self.bias = nn.Linear(16, 4), nn.Parameter(torch.zeros(16))

    def forward(self, x):
        return F.linear(torch.tanh(self.enc(x)), self.enc.weight.t(), self.bias)


@becomes(example={"": (8, 8, 8)}, params=576, declared=1, spec=["Conv2d: holds b.weight of b, too"])
class TiedScales(nn.Module):
    """Two convolutions of one weight, which look at the image in two scales."""

    def __init__(self):
        super().__init__()
        self.a = nn.Conv2d(8, 8, 3, padding=1, bias=False)
        self.b = nn.Conv2d(8, 8, 3, padding=2, dilation=2, bias=False)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.a(x) + self.b(x)


@becomes(example={"": (3, 8, 8)}, params=274, declared=1)
class TiedHeads(nn.Module):
    """Two heads of one weight, each with a bias of its own."""

    def __init__(self):
        super().__init__()
        self.c, self.aux, self.aux2 = nn.Conv2d(3, 8, 3), nn.Linear(8, 5), nn.Linear(8, 5)
        self.aux2.weight = self.aux.weight

    def forward(self, x):
        x = self.c(x).mean((2, 3))
        return self.aux(x), self.aux2(x)


@becomes(example={"": (3, 8, 8)}, params=3446, notes=["not trained in the model: backbone; --freeze backbone counts"])
class FineTuned(nn.Module):
    """Only the head is trained."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16))
        self.backbone.requires_grad_(False)
        self.fc = nn.Linear(16, 38)

    def forward(self, x):
        return self.fc(self.backbone(x).mean((2, 3)))


@becomes(example={"": (6, 32)}, spec=["mha: {MultiheadAttention: {num_heads: 4, dropout: 0.3}}"])
class DropsAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.mha = nn.MultiheadAttention(32, 4, dropout=0.3, batch_first=True)

    def forward(self, x):
        return self.mha(x, x, x, need_weights=False)[0]


@becomes(
    example={"": (3, 8, 8)},
    spec=["max: {Max: {dim: 1, keepdim: true}}", "max2: {Max: {dim: 3}}"],
    notes=["torch.max along an axis is written as Max"],
)
class SpatialAttention(nn.Module):
    """The spatial attention of CBAM."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.Sigmoid())

    def forward(self, x):
        largest, _ = torch.max(x, dim=1, keepdim=True)
        return (x * self.inner(torch.cat([x.mean(1, keepdim=True), largest], 1))).max(-1).values


@becomes(
    example={"": (6, 32)},
    apart=1e-6,
    spec=["matmul:", "Softmax: {dim: 3}"],
    notes=["memory is what these hold, all scores at once, where a fused kernel holds less"],
)
class Fused(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(32, 96)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).view(b, n, 12, 8).transpose(1, 2).chunk(3, 1)
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c)


@becomes(
    example={"": (3, 8, 8)},
    says="it gives a single number for each image, which has no shape here",
    line="return self.c(x).mean((1, 2, 3))",
)
class Score(nn.Module):
    def __init__(self):
        super().__init__()
        self.c = nn.Conv2d(3, 1, 3)

    def forward(self, x):
        return self.c(x).mean((1, 2, 3))


@becomes(
    example={"": (3, 8, 8)}, spec=["unflatten: {Unflatten: {dim: 1, unflattened_size: [1, 8]}}", "sum: {Sum: {dim: 1}}"]
)
class Selective(nn.Module):
    """Branches that are stacked by views in their places, as SKNet's."""

    def __init__(self):
        super().__init__()
        self.c, self.d = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 8, 3)

    def forward(self, x):
        return torch.cat([self.c(x).unsqueeze_(1), self.d(x).unsqueeze_(1)], 1).sum(1)


@becomes(example={"": (3, 8, 8)}, spec=[".from: {Conv2d: {out_channels: 4, kernel_size: 1}}"])
class WordOfPython(nn.Module):
    """A module that is called by a word of Python's, which only a dictionary of them can hold."""

    def __init__(self):
        super().__init__()
        self.m = nn.ModuleDict({"from": nn.Conv2d(3, 4, 1)})

    def forward(self, x):
        return self.m["from"](x)


class WindowAttention(nn.Module):
    """Attention as ViT and Swin have it: queries, keys and values come of one layer, and stand in front of the batch."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.table = nn.Parameter(torch.zeros(9, heads))
        self.register_buffer("index", torch.arange(16).reshape(4, 4) % 9)

    def forward(self, x):
        b, n, c = x.shape
        windows = x.reshape(b * n // 4, 4, c)  # four places each
        q, k, v = self.qkv(windows).reshape(-1, 4, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-2, -1) + self.table[self.index.flatten()].reshape(4, 4, -1).permute(2, 0, 1)
        return self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(b, n, c))


@becomes(
    example={"": (16, 32)},
    declared=1,
    params=32 * 96 + 96 + 32 * 32 + 32 + 9 * 4 + 64 + 32 * 5 + 5,
    spec=["buffers: 16, macs: 69632"],
)
class Windows(nn.Module):
    """Declared as a whole, with all of its figures: 16 × 32 × (96 + 32) in two layers, and 2 × 16 × 4 × 32 of products."""

    def __init__(self):
        super().__init__()
        self.attention, self.norm, self.head = WindowAttention(32, 4), nn.LayerNorm(32), nn.Linear(32, 5)

    def forward(self, x):
        return self.head(self.norm(x + self.attention(x)).mean(1))


@becomes(
    example={"": (16, 32)},
    declared=1,
    params=32 * 96 + 96 + 32 * 5 + 5,
    spec=["macs: 65536"],
)
class FusedInside(nn.Module):
    """A fused attention in a module that is declared: 16 × 32 × 96, and twice 16 × 16 × 32."""

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(32, 96)

        def forward(self, x):
            q, k, v = self.qkv(x).reshape(-1, 16, 3, 4, 8).permute(2, 0, 3, 1, 4).unbind(0)
            return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)

    def __init__(self):
        super().__init__()
        self.attention, self.head = self.Attention(), nn.Linear(32, 5)

    def forward(self, x):
        return self.head(self.attention(x).mean(1))
