"""What a library allocates inside an operation, beside the output, and gives back before it returns.

On a processor PyTorch's convolutions are oneDNN's, which works on copies: input, weights and output in a layout of its
own, channels in blocks as wide as the processor's vectors, and the output copied back. The rules were learnt from the
allocator's events under PyTorch 2.13 on a processor with AVX2, whose vectors hold 8 values (with AVX-512 they hold 16),
and with several threads: with a single one PyTorch does small convolutions of 1×1 itself.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..formula import Step, ceil_div, formula, integer, prod
from ..record import Record
from .actions import BYTES, Setting, Shape

#: Values of float32 in a vector: of AVX2, and of AVX-512.
VECTORS = (8, 16)
#: Up to so many threads are expected where each takes memory of its own.
THREADS = 4
#: The most padding before which blocked kernels work, by the vectors.
PADDED = {8: 3, 16: 27}
#: PyTorch unrolls the windows itself where a single image has no more values than this, and kernels are small.
SMALL, KERNEL = 20480, 3
#: A processor's cache: so much of the windows is unrolled at a time.
CACHE = 1 << 21
#: What a kernel notes beside: offsets, pointers, padding of addresses.
NOTES = 1 << 14


@formula(
    "copy in a processor's layout",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="oneDNN developer guide, Understanding memory formats: blocked layouts, nChw8c and nChw16c",
    means={"v": "channels in a block", "N": "spatial sizes", "C": "channels"},
)
def blocked_copy(B: Any, C: Any, v: Any, N: Any, b: Any) -> Any:
    """Channels are filled up to a whole number of blocks."""
    return B * ceil_div(C, v) * v * prod(N) * b


@formula(
    "copy of a convolution's weights",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="oneDNN developer guide, Understanding memory formats: OIhw8i8o and OIhw16i16o",
    means={"v": "channels in a block", "C": "channels of the input, filled up"},
)
def blocked_weights(K: Any, v: Any, C: Any, F: Any, b: Any) -> Any:
    return ceil_div(K, v) * v * C * prod(F) * b


@formula(
    "unrolled windows",
    chapter="memory",
    symbol="bytes",
    unit="bytes",
    source="Chellapilla, Puri & Simard (2006), High performance convolutional neural networks for document processing",
)
def unrolled(B: Any, C: Any, F: Any, O: Any, b: Any) -> Any:
    """im2col: each position of the output has its window as a column."""
    return B * C * prod(F) * prod(O) * b


class Workspace(Record):
    """Bytes beside the output: at least, and at most. `steps` are what the larger figure is made of."""

    low: int = 0
    high: int = 0
    steps: tuple[tuple[str, Step], ...] = ()


class Convolving(Protocol):
    """What a convolution says of itself."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    groups: int


class _Copies(Record):
    """The copies of input, weights and output, and the output itself."""

    input: Step | None
    weights: Step
    output: Step
    dense: int

    @property
    def all(self) -> int:
        return integer((self.input.value if self.input else 0) + self.weights.value + self.output.value)

    @property
    def steps(self) -> tuple[tuple[str, Step], ...]:
        copied = (("its input copied", self.input),) if self.input else ()
        return *copied, ("its weights copied", self.weights), ("its output copied", self.output)


def _copies(op: Convolving, setting: Setting, v: int, out: Shape, shape: Shape) -> _Copies:
    batch, width, channels = setting.batch, BYTES[setting.dtype], shape[0]
    depthwise = op.groups == channels == out[0]
    # A few channels are read as they lie, except by kernels that know blocks only.
    copied = channels >= v or depthwise or integer(prod(op.kernel_size)) == 1
    filled = 1 if depthwise else ceil_div(channels, v) * v // op.groups if copied else channels // op.groups
    return _Copies(
        blocked_copy.step(B=batch, C=channels, v=v, N=shape[1:], b=width) if copied else None,
        blocked_weights.step(K=out[0], v=v, C=filled, F=op.kernel_size, b=width),
        blocked_copy.step(B=batch, C=out[0], v=v, N=out[1:], b=width),
        batch * integer(prod(out)) * width,
    )


def convolution(op: Convolving, setting: Setting, padding: int, out: Shape, shape: Shape) -> Workspace:
    """What a convolution takes beside its output; `padding` is the most on one side."""
    if setting.channels_last or setting.device != "cpu" or setting.dtype != "float32" or setting.amp:
        return _not_learnt(op, setting, out, shape)
    if _is_unrolled(op, setting, shape):
        windows = unrolled.step(B=setting.batch, C=shape[0], F=op.kernel_size, O=out[1:], b=BYTES[setting.dtype])
        most = integer(windows.value)
        if prod(op.kernel_size) == prod(op.stride) == 1 and not padding:  # a window of one pixel is what it is
            return Workspace(0, most if len(shape) == 4 else 0)
        return Workspace(most, most, (("windows unrolled", windows),))
    found = [_blocked(op, setting, v, padding, out, shape) for v in VECTORS]
    least, most = min(each.low for each in found), max(each.high for each in found)
    if shape[0] == 1 or out[0] == 1:  # a single channel lies first and last at once: it may not be copied
        least = 0
    return Workspace(max(0, least - NOTES), most, found[0].steps)


def _is_unrolled(op: Convolving, setting: Setting, shape: Shape) -> bool:
    """Whether PyTorch does it itself: one small image, no groups, a small kernel."""
    axes = (1, *shape[1:]) if len(shape) == 2 else shape[1:3]
    kernel = (1, *op.kernel_size) if len(shape) == 2 else op.kernel_size[-2:]
    few = setting.batch * shape[0] * integer(prod(tuple(axes))) <= SMALL
    return few and op.groups == 1 and setting.batch == 1 and not all(size > KERNEL for size in kernel)


def _blocked(op: Convolving, setting: Setting, v: int, padding: int, out: Shape, shape: Shape) -> Workspace:
    """By oneDNN, in blocks of v channels."""
    copies, channels, groups = _copies(op, setting, v, out, shape), shape[0], op.groups
    mixed = groups > 1 and not groups == channels == out[0]
    if groups == channels and mixed:  # several filters for each channel: groups may be filled up, one by one
        grouped = blocked_copy.step(
            B=setting.batch * groups, C=out[0] // groups, v=v, N=out[1:], b=BYTES[setting.dtype]
        )
        most = copies.all - integer(copies.output.value) + integer(grouped.value) * (1 + groups)
        return Workspace(0, most + NOTES, (("its output copied", grouped),))
    if padding > PADDED[v] or (mixed and (channels // groups % v or out[0] // groups % v)):
        # Windows are unrolled, as many at a time as a cache holds, and the output is copied back.
        windows = unrolled.step(B=1, C=channels, F=op.kernel_size, O=out[1:], b=BYTES[setting.dtype])
        at_a_time = min(THREADS, setting.batch) * min(integer(windows.value), CACHE)
        steps = (("its output copied", copies.output), ("windows unrolled", windows))
        return Workspace(copies.dense, max(copies.dense, at_a_time) + NOTES, steps)
    back = integer(copies.output.value)  # when all is done, only the copies of the output are left
    whole = copies.all - copies.dense
    thinned = 0  # where a 1×1 convolution steps over pixels, each thread gathers those that it takes
    if integer(prod(op.kernel_size)) == 1 and max(op.stride) > 1 and groups == 1 and len(shape) < 4:
        thinned = THREADS * ceil_div(channels, v) * v * integer(prod(out[1:])) * BYTES[setting.dtype]
    return Workspace(max(whole, back), max(whole + thinned, back) + NOTES, copies.steps)


def transposed(op: Convolving, setting: Setting, out: Shape, shape: Shape) -> Workspace:
    """What a transposed convolution takes beside its output. Its scratch memory was not learnt: a band."""
    copies = _copies(op, setting, VECTORS[1], out, shape)
    columns = unrolled.step(B=1, C=out[0], F=op.kernel_size, O=shape[1:], b=BYTES[setting.dtype])
    return Workspace(copies.dense, 2 * copies.all + integer(columns.value) + NOTES, copies.steps)


def _not_learnt(op: Convolving, setting: Setting, out: Shape, shape: Shape) -> Workspace:
    """In other layouts, dtypes and on other devices: between no copy, and a copy of everything."""
    copies = _copies(op, setting, VECTORS[1], out, shape)
    weights = integer(copies.weights.value)
    if setting.channels_last and setting.device == "cpu" and setting.dtype == "float32" and not setting.amp:
        return Workspace(0, 2 * weights + NOTES, (("its weights copied", copies.weights),))
    return Workspace(0, copies.all + NOTES, copies.steps)
