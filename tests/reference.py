"""PyTorch as referee: one layer, or a whole graph, run on the meta device, where tensors have shapes but no data."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest

from cnncalc.graph import Graph
from cnncalc.ops import Op
from cnncalc.pytorch.own_modules import own_module

torch = pytest.importorskip("torch", reason="PyTorch is the referee: pip install 'cnncalc[torch]'")
nn = torch.nn


class Permute(nn.Module):
    def __init__(self, dims: Any) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Any) -> Any:
        return x.permute(self.dims).contiguous()  # LocalResponseNorm cannot see a permuted tensor otherwise


class Slice(nn.Module):
    def __init__(self, dim: int, start: int, stop: int | None, step: int) -> None:
        super().__init__()
        self.dim, self.part = dim, slice(start, stop, step)

    def forward(self, x: Any) -> Any:
        index = [slice(None)] * x.dim()
        index[self.dim] = self.part
        taken = x[tuple(index)]
        if 0 in taken.shape:
            raise RuntimeError("nothing is left")
        return taken


class Mean(nn.Module):
    def __init__(self, dim: Any, keepdim: bool) -> None:
        super().__init__()
        self.dim, self.keepdim = dim, keepdim

    def forward(self, x: Any) -> Any:
        if 0 in self.dim or -x.dim() in self.dim:
            raise RuntimeError("the mean over the batch")
        result = x.mean(self.dim, self.keepdim)
        if result.dim() == 1:
            raise RuntimeError("no axis is left")
        return result


class PadChannels(nn.Module):
    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.before, self.after = before, after

    def forward(self, x: Any) -> Any:
        return nn.functional.pad(x, [0, 0] * (x.dim() - 2) + [self.before, self.after])


class Reduction(nn.Module):
    def __init__(self, kind: str, dim: Any, keepdim: bool, p: float = 2) -> None:
        super().__init__()
        self.kind, self.dim, self.keepdim, self.p = kind, dim, keepdim, p

    def forward(self, x: Any) -> Any:
        if 0 in self.dim or -x.dim() in self.dim:
            raise RuntimeError("over the batch")
        result = x
        for dim in sorted((each % x.dim() for each in self.dim), reverse=True):  # one axis after the other
            if self.kind == "Sum":
                result = result.sum(dim, keepdim=self.keepdim)
            elif self.kind == "Max":
                result = result.max(dim, keepdim=self.keepdim).values
            else:
                result = torch.norm(result, self.p, dim, keepdim=self.keepdim)
        if result.dim() == 1:
            raise RuntimeError("no axis is left")
        return result


class Number(nn.Module):
    def __init__(self, factor: float = 1, value: float = 0) -> None:
        super().__init__()
        self.factor, self.value = factor, value

    def forward(self, x: Any) -> Any:
        return x.mul(self.factor).add(self.value)


class Token(nn.Module):
    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, *shape, device="meta"))

    def forward(self, x: Any) -> Any:
        return self.token.repeat(len(x), *[1] * (self.token.dim() - 1))


class DotProducts(nn.Module):
    """Scaled dot products, written out for each head."""

    def __init__(self, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads

    def forward(self, *inputs: Any) -> Any:
        query, key, value = inputs if len(inputs) == 3 else (inputs[0],) * 3
        parts = []
        for q, k, v in zip(*(each.chunk(self.num_heads, -1) for each in (query, key, value)), strict=True):
            if q.shape[-1] * self.num_heads != query.shape[-1] or q.dim() < 3:
                raise RuntimeError("heads do not divide the features")
            parts.append((q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v)
        return torch.cat(parts, -1)


class Affine(nn.Module):
    """As ResMLP's authors wrote it."""

    def __init__(self, shape: Any) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(shape, device="meta"))
        self.beta = nn.Parameter(torch.zeros(shape, device="meta"))

    def forward(self, x: Any) -> Any:
        out = torch.addcmul(self.beta, self.alpha, x)
        if out.shape != x.shape:
            raise RuntimeError("it enlarges")
        return out


class LayerScale(nn.Module):
    def __init__(self, init_value: float, shape: Any, dim: int = -1) -> None:
        super().__init__()
        self.weight, self.dim = nn.Parameter(torch.full(shape, init_value, device="meta")), dim

    def forward(self, x: Any) -> Any:
        if self.dim != -1 and self.weight.dim() != 1:
            raise RuntimeError("only a vector lies along an axis")
        out = x * self.weight if self.dim == -1 else (x.movedim(self.dim, -1) * self.weight).movedim(-1, self.dim)
        if out.shape != x.shape or self.dim in (0, -x.dim()):
            raise RuntimeError("it enlarges")
        return out


class PartialConv2d(nn.Module):
    """One small convolution for each output plane, over the planes that it sees."""

    def __init__(self, connections: Any, kernel_size: Any, stride: Any, padding: Any, bias: bool) -> None:
        super().__init__()
        self.connections = connections
        self.planes = nn.ModuleList(
            nn.Conv2d(len(planes), 1, kernel_size, stride, padding, bias=bias, device="meta") for planes in connections
        )

    def forward(self, x: Any) -> Any:
        if max(map(max, self.connections)) >= x.shape[1]:
            raise RuntimeError("no such plane")
        parts = [conv(x[:, list(planes)]) for conv, planes in zip(self.planes, self.connections, strict=True)]
        return torch.cat(parts, 1)


class Subsampling(nn.Module):
    def __init__(self, kernel_size: Any, channels: int) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.weight = nn.Parameter(torch.ones(channels, 1, 1, device="meta"))
        self.bias = nn.Parameter(torch.ones(channels, 1, 1, device="meta"))

    def forward(self, x: Any) -> Any:
        return nn.functional.avg_pool2d(x, self.kernel_size) * self.weight + self.bias


class L2Norm(nn.Module):
    def __init__(self, channels: int, init_value: float, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), init_value, device="meta"))

    def forward(self, x: Any) -> Any:
        return nn.functional.normalize(x, dim=1) * self.weight.reshape(-1, *[1] * (x.dim() - 2))


class GlobalResponseNorm(nn.Module):
    """As ConvNeXt V2's authors wrote it for channels last, the axes moved where they are first."""

    def __init__(self, channels: int, eps: float, channels_last: bool) -> None:
        super().__init__()
        self.channels_last, self.eps = channels_last, eps
        self.gamma = nn.Parameter(torch.zeros(channels, device="meta"))
        self.beta = nn.Parameter(torch.zeros(channels, device="meta"))

    def forward(self, x: Any) -> Any:
        if x.dim() < 3:
            raise RuntimeError("no map")
        x = x if self.channels_last else x.movedim(1, -1)
        Gx = torch.norm(x, p=2, dim=tuple(range(1, x.dim() - 1)), keepdim=True)
        Nx = Gx / (Gx.mean(dim=-1, keepdim=True) + self.eps)
        out = self.gamma * (x * Nx) + self.beta + x
        return out if self.channels_last else out.movedim(-1, 1)


class UnitBias(nn.Module):
    def __init__(self, init_value: float, shape: Any) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.full(shape, init_value, device="meta"))

    def forward(self, x: Any) -> Any:
        return x + self.bias


class RBF(nn.Module):
    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.ones(out_features, in_features, device="meta"))

    def forward(self, x: Any) -> Any:
        return ((x.unsqueeze(1) - self.codes) ** 2).sum(2)


class Attention(nn.Module):
    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(**arguments, device="meta")

    def forward(self, *inputs: Any) -> Any:
        query, key, value = inputs if len(inputs) == 3 else (inputs[0],) * 3
        return self.inner(query, key, value, need_weights=False)[0]


class Merge(nn.Module):
    def __init__(self, kind: str, dim: int = 1) -> None:
        super().__init__()
        self.kind, self.dim = kind, dim

    def forward(self, *inputs: Any) -> Any:
        if self.kind == "concat":
            return torch.cat(inputs, self.dim)
        result = inputs[0]
        for each in inputs[1:]:
            result = result + each if self.kind == "add" else result * each
        return result


def padded(made: Any, padding: Any, largest: bool) -> Any:
    """A module with padding put around its input first: of each side, or TensorFlow's SAME as timm works it out."""
    made.padding = 0 if not isinstance(made.padding, tuple) else (0,) * len(made.padding)
    inner = made.forward

    def forward(x: Any) -> Any:
        pads, dims = list(padding), x.dim() - 2
        each = [value if isinstance(value, tuple) else (value,) * dims
                for value in (made.kernel_size, made.stride, getattr(made, "dilation", 1))]  # fmt: skip
        if padding == "same_upper":
            pads = []
            for size, k, s, d in reversed(list(zip(x.shape[2:], *each, strict=True))):
                total = max((math.ceil(size / s) - 1) * s + (k - 1) * d + 1 - size, 0)
                pads += [total // 2, total - total // 2]
        if not largest and any(pads) and not getattr(made, "count_include_pad", True) and not _even(pads, each[1]):
            raise RuntimeError("zeros of the padding would count")
        if largest and any(pad > (k - 1) * d for pad, k, d in zip(pads[::-2], each[0], each[2], strict=True)):
            raise RuntimeError("a window would see nothing but padding")
        if largest and any(pad > (k - 1) * d for pad, k, d in zip(pads[-2::-2], each[0], each[2], strict=True)):
            raise RuntimeError("a window would see nothing but padding")
        return inner(nn.functional.pad(x, pads, value=-math.inf if largest else 0.0))

    made.forward = forward
    return made


def _even(pads: Any, stride: Any) -> bool:
    return all(step == 1 for step in stride) and all(pads[i] == pads[i + 1] for i in range(0, len(pads), 2))


OWN: dict[str, Any] = {
    "Permute": Permute,
    "Slice": Slice,
    "Mean": Mean,
    "Scale": Number,
    "Shift": Number,
    "Affine": Affine,
    "Attention": DotProducts,
    "PadChannels": PadChannels,
    "LayerScale": LayerScale,
    "PartialConv2d": PartialConv2d,
    "RBF": RBF,
    "L2Norm": L2Norm,
    "GlobalResponseNorm": GlobalResponseNorm,
    "Subsampling": Subsampling,
}


def module(op: Op, *shapes: tuple[int, ...]) -> nn.Module:
    """The PyTorch module of a layer, on the meta device."""
    arguments, name = op.module_arguments(*shapes), op.type()
    if name in ("add", "multiply", "concat"):
        return Merge(name, **arguments)
    if name in ("Sum", "Max", "Norm"):
        return Reduction(name, **arguments)
    if name == "StochasticDepth":
        return nn.Identity()
    if name == "Token":
        return Token(op.shape)  # type: ignore[attr-defined]
    if name in ("LayerScale", "UnitBias"):
        bare = partial(LayerScale, dim=getattr(op, "dim")) if name == "LayerScale" else UnitBias  # noqa: B009
        return bare(op.init_value, op.parameters(*shapes)[0].shape)  # type: ignore[attr-defined]
    if name == "MultiheadAttention":
        return Attention(**arguments)
    cls = OWN.get(name) or own_module(op.module_type()) or getattr(nn, name)
    with torch.device("meta"):
        made: nn.Module = cls(**arguments)
    padding = getattr(op, "padding", 0)
    if ("Conv" in name or "Pool" in name) and (padding == "same_upper" or getattr(op, "is_apart", False)):
        return padded(made, padding, "Max" in name)
    return made


def output_shape(made: nn.Module, *shapes: tuple[int, ...], device: str = "meta") -> tuple[int, ...]:
    """The shape after a module, without the batch; raises what PyTorch raises."""
    made.eval()
    if device != "meta":
        made.to_empty(device=device)
    result = made(*(torch.ones(2, *shape, device=device) for shape in shapes))
    if 0 in result.shape:
        raise RuntimeError("an axis of size 0")
    return tuple(result.shape[1:])


def parameter_counts(made: nn.Module) -> tuple[int, int]:
    """Parameters, and buffers without the counters of batches."""
    params = sum(each.numel() for each in made.parameters())
    state = made.state_dict()  # what is no state, as a fixed filter, is no buffer
    names = [name for name, _ in made.named_buffers() if name in state and not name.endswith("num_batches_tracked")]
    buffers = sum(state[name].numel() for name in names)
    return params, buffers


def run(graph: Graph) -> dict[str, tuple[tuple[int, ...], int, int]]:
    """Output shape, parameters and buffers of each layer of a graph, as PyTorch has them."""
    tensors = [torch.empty(2, *(each.shape or ()), device="meta") for each in graph.inputs]
    found = {}
    for layer in graph.layers:
        assert layer.op is not None
        inputs = [tensors[i] for i in layer.inputs]
        made = module(layer.op, *(tuple(each.shape[1:]) for each in inputs)).eval()
        tensors.append(made(*inputs))
        found[layer.name] = (tuple(tensors[-1].shape[1:]), *parameter_counts(made))
    return found
