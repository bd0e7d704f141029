"""A network made ready to run: on its device, in its dtype and layout, with something to do once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from ..graph import Graph
from .bench.devices import Device
from .bench.plan import Configuration
from .build import build
from .fold import folded

TORCH_DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
    "amp": torch.float32,
}


def autocast_dtype(kind: str) -> torch.dtype:
    """What autocast computes in: bfloat16 where the device is good at it, float16 on older GPUs."""
    if kind == "cuda" and not torch.cuda.is_bf16_supported():
        return torch.float16
    return torch.float16 if kind == "mps" else torch.bfloat16


def optimizer_for(name: str, net: nn.Module) -> torch.optim.Optimizer:
    """The optimizer of a name, with a learning rate that hardly moves anything."""
    parameters = list(net.parameters())
    makers: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "sgd": lambda: torch.optim.SGD(parameters, lr=1e-6),
        "momentum": lambda: torch.optim.SGD(parameters, lr=1e-6, momentum=0.9),
        "adagrad": lambda: torch.optim.Adagrad(parameters, lr=1e-6),
        "rmsprop": lambda: torch.optim.RMSprop(parameters, lr=1e-6),
        "adam": lambda: torch.optim.Adam(parameters, lr=1e-6),
        "adamw": lambda: torch.optim.AdamW(parameters, lr=1e-6),
    }
    return makers[name]()


def random_inputs(graph: Graph, batch: int, dtype: torch.dtype, device: str) -> list[Tensor]:
    """One random tensor for each input; zeros would run faster on a GPU that is short of power."""
    return [torch.randn(batch, *(node.shape or ()), device=device).to(dtype) for node in graph.inputs]


def random_targets(graph: Graph, batch: int, dtype: torch.dtype, device: str) -> list[Tensor]:
    """Classes where the only output is a vector, and otherwise a random tensor for each output."""
    shapes = [graph.nodes[i].shape or () for i in graph.outputs]
    if len(shapes) == 1 and len(shapes[0]) == 1:
        return [torch.randint(shapes[0][0], (batch,), device=device)]
    return [torch.randn(batch, *shape, device=device).to(dtype) for shape in shapes]


def loss_of(out: Any, targets: list[Tensor]) -> Tensor:
    """Cross entropy for classes, the sum of the mean squared errors otherwise."""
    if not targets[0].is_floating_point():
        return F.cross_entropy(out, targets[0])
    outputs = out if isinstance(out, tuple) else (out,)
    losses = [F.mse_loss(each, target) for each, target in zip(outputs, targets, strict=True)]
    total = losses[0]
    for loss in losses[1:]:
        total = total + loss
    return total


class Subject:
    """A network as a configuration wants it. `call` does one forward pass, or one training step."""

    def __init__(self, graph: Graph, config: Configuration, device: Device) -> None:
        torch.manual_seed(config.seed)
        if config.threads:
            torch.set_num_threads(config.threads)
        torch.backends.cuda.matmul.allow_tf32 = config.tf32
        torch.backends.cudnn.allow_tf32 = config.tf32
        self.graph, self.config, self.device = graph, config, device
        dtype = TORCH_DTYPES[config.dtype]
        self.net: fx.GraphModule = build(graph, device=device.torch_device, modules=config.modules)
        if config.fold_bn:
            self.graph, self.net = folded(graph, self.net.eval())
        self.net.train(config.train).to(dtype)
        self.inputs = random_inputs(graph, config.batch, dtype, device.torch_device)
        if config.channels_last:
            four = [each.dim() == 4 for each in self.inputs]
            self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            self.inputs = [
                each.contiguous(memory_format=torch.channels_last) if image else each
                for each, image in zip(self.inputs, four, strict=True)
            ]
        self.run: Any = self.net
        if config.compile:
            self.run = torch.compile(self.net, mode=config.compile)
        self.targets = random_targets(graph, config.batch, dtype, device.torch_device) if config.train else []
        self.optimizer = optimizer_for(config.optimizer, self.net) if config.train else None
        scaled = config.train and config.dtype == "amp" and autocast_dtype(device.kind) == torch.float16
        self.scaler = torch.amp.GradScaler(device.kind, enabled=scaled)
        self.call: Callable[[], Any] = self.step if config.train else self.forward

    def autocast(self) -> AbstractContextManager[Any]:
        """Autocast where the configuration says amp. It is entered anew in each call, as in real use."""
        if self.config.dtype != "amp":
            return nullcontext()
        return torch.autocast(self.device.kind, dtype=autocast_dtype(self.device.kind))

    def context(self) -> AbstractContextManager[Any]:
        """What calls are made in: no gradients for a forward pass."""
        return nullcontext() if self.config.train else torch.inference_mode()

    def forward(self) -> Any:
        """One forward pass."""
        if self.config.dtype != "amp":
            return self.run(*self.inputs)
        with self.autocast():
            return self.run(*self.inputs)

    def step(self) -> None:
        """One training step, all of it."""
        assert self.optimizer is not None
        self.optimizer.zero_grad(set_to_none=True)
        with self.autocast():
            loss = loss_of(self.run(*self.inputs), self.targets)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()

    def capture(self) -> None:
        """Record the forward pass as a CUDA graph, which `call` then replays."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                self.forward()
        torch.cuda.current_stream().wait_stream(stream)
        recorded = torch.cuda.CUDAGraph()
        with torch.cuda.graph(recorded):
            self.result = self.forward()
        self.call = recorded.replay
