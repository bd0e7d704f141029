"""Every figure of the calculator beside what happened when the network ran."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils.flop_counter import FlopCounterMode

from ..analysis.autocast import not_followed
from ..analysis.training import watched_activations
from ..answers.verification import Comparison, Measured, Verification
from ..graph import Graph
from ..ops import Shape
from ..quantities import number
from ..report import Report
from .storages import Kept, TensorMemory, own_tensors
from .subject import loss_of, optimizer_for, random_targets

GROUPED = "PyTorch's FLOP counter counts the weight gradient of a grouped convolution `groups` times too often"
AUTOCAST = "what autocast copies into another type is not followed here: memory is not compared"
DECLARED = "what a declared type does not say, and all that depends on its body, is not compared: memory, training"
COPIES = "a layer behind a Permute or Slice may copy its input; strides are not followed, and such copies not counted"
INSIDE = "of layers that take several operations backwards ({}), not each tensor between these is followed"
#: Layer types after which a tensor lies otherwise in memory; the share of a step's peak that a known cause may explain.
MOVED, TOLERATED = ("Permute", "Slice"), 0.05
ONE_VALUE = "batch normalisation cannot train on one value for each channel: --batch 2 or more measures what is kept"


def verify(
    report: Report,
    net: fx.GraphModule,
    inputs: Sequence[Tensor],
    train: bool = False,
    autocast: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Verification:
    """Run a network that was built from the report's graph, and compare.

    Raises what PyTorch raises where it cannot run the network. The network is left in evaluation mode; with `train` its
    weights have made a step. `autocast` makes what each forward pass is run in. Memory is left out where it is not
    followed what autocast does.
    """
    exact_memory = not (report.setting.amp and (not_followed(report.graph) or report.setting.device != "cpu"))
    declared = any(layer.is_declared for layer in report.graph.layers)
    exact_memory, train = exact_memory and not declared, train and not declared
    remarks: list[str] = [DECLARED] if declared else []
    net.eval()
    given = [*inputs, *own_tensors(net)]
    with torch.no_grad():
        seen = _Watched(net, counting=True)
        with plain_attention(), autocast(), _untrained(net):
            seen.run(*inputs)
        with TensorMemory(given) as watched, autocast():
            net(*inputs)
        peak = watched.peak
    kept, notes = _kept(net, inputs, autocast) if exact_memory else (None, [] if declared else [AUTOCAST])
    remarks += notes
    layers = _measured(report.graph, net, seen, kept)
    comparisons = tuple(_comparisons(report, layers))
    totals = list(_totals(report, layers, seen.flops))
    if exact_memory:
        totals.append(_equal("network", "peak of activations, bytes", report.totals.peak_inference_bytes, peak))
    if kept is not None:
        saved = report.totals.saved_for_backward_bytes
        totals.append(Comparison("network", "kept for backward, bytes", saved, kept.total, saved == kept.total))
    if train:
        totals += _training(report, net, inputs, remarks, exact_memory, autocast)
    net.eval()
    found = [each.remark for each in (*comparisons, *totals) if each.remark]
    return Verification(report, layers, comparisons, tuple(totals), tuple(dict.fromkeys((*found, *remarks))))


@contextmanager
def _untrained(net: nn.Module) -> Iterator[None]:
    """No parameter wants a gradient: PyTorch's counter cannot see a view of one that does, as a token is."""
    wanting = [parameter for parameter in net.parameters() if parameter.requires_grad]
    for parameter in wanting:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in wanting:
            parameter.requires_grad_(True)


class _Watched(fx.Interpreter):
    """Runs the nodes of the forward one by one, and notes shapes and FLOPs under the names of the layers."""

    def __init__(self, net: fx.GraphModule, counting: bool = False, kept: Kept | None = None) -> None:
        super().__init__(net)
        self.counter = FlopCounterMode(display=False) if counting else None
        self.kept = kept
        self.shapes: dict[str, Shape] = {}
        self.flops: dict[str, int] = {}

    def run(self, *args: Any, **options: Any) -> Any:
        if self.counter is None:
            return super().run(*args, **options)
        with self.counter:
            return super().run(*args, **options)

    def run_node(self, node: fx.Node) -> Any:
        name = node.meta.get("layer", "")
        before = self.counter.get_total_flops() if self.counter else 0
        if self.kept is not None:
            self.kept.owner = name
        out = super().run_node(node)
        if name and isinstance(out, Tensor):
            self.shapes[name] = tuple(out.shape[1:])
        if name and self.counter:
            self.flops[name] = self.flops.get(name, 0) + self.counter.get_total_flops() - before
        return out


def _kept(
    net: fx.GraphModule, inputs: Sequence[Tensor], autocast: Callable[[], AbstractContextManager[Any]]
) -> tuple[Kept | None, list[str]]:
    """What autograd keeps of a forward pass in training mode, without touching the running statistics."""
    state = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net.train()
    kept = Kept(own_tensors(net))
    try:
        with torch.enable_grad(), kept, autocast():
            _Watched(net, kept=kept).run(*inputs)
    except ValueError as error:
        if "more than 1" not in str(error):
            raise
        return None, [ONE_VALUE]
    finally:
        net.eval()
        with torch.no_grad():
            for name, buffer in net.named_buffers():
                buffer.copy_(state[name])
    return kept, []


def _measured(graph: Graph, net: nn.Module, seen: _Watched, kept: Kept | None) -> dict[str, Measured]:
    names = {layer.name for layer in graph.layers}
    counts: dict[str, list[int]] = {name: [0, 0] for name in names}
    for kind, tensors in enumerate((net.named_parameters(), net.named_buffers())):
        for path, tensor in tensors:
            name = path
            while name not in names:
                name = name.rpartition(".")[0]
            if not path.endswith("num_batches_tracked") and _is_state(net, path, kind):
                counts[name][kind] += tensor.numel()
    return {
        name: Measured(
            seen.shapes.get(name),
            counts[name][0],
            counts[name][1],
            seen.flops.get(name),
            None if kept is None else kept.by_owner.get(name, 0),
        )
        for name in (layer.name for layer in graph.layers)
    }


def _is_state(net: nn.Module, path: str, kind: int) -> bool:
    """Buffers that are mere helpers of the code are no state."""
    if kind == 0:
        return True
    parent, _, name = path.rpartition(".")
    return name not in net.get_submodule(parent)._non_persistent_buffers_set


def _comparisons(report: Report, layers: dict[str, Measured]) -> Iterator[Comparison]:
    for row in report:
        measured = layers[row.name]
        yield _equal(row.name, "output", row.output_shape, measured.shape)
        for quantity, calculated, found in (
            ("parameters", row.params, measured.params),
            ("buffers", row.buffers, measured.buffers),
            ("FLOPs", None if row.macs is None else 2 * row.macs, measured.flops),
        ):
            if calculated is not None:  # what a declared type does not say is not compared
                yield _equal(row.name, quantity, calculated, found)
        if measured.kept is not None:
            yield _equal(row.name, "kept, bytes", row.saved_bytes, measured.kept)


def _equal(part: str, quantity: str, calculated: Any, measured: Any) -> Comparison:
    return Comparison(part, quantity, calculated, measured, calculated == measured)


def _totals(report: Report, layers: dict[str, Measured], flops: dict[str, int]) -> Iterator[Comparison]:
    totals = report.totals
    same = sum(row.output_shape == layers[row.name].shape for row in report)
    yield _equal("network", "output shapes", len(report), same)
    partial = totals.figures.partial
    if not {"weights", "biases"} & partial:
        yield _equal("network", "parameters", totals.params, sum(layer.params for layer in layers.values()))
    if "buffers" not in partial:
        yield _equal("network", "buffers", totals.buffers, sum(layer.buffers for layer in layers.values()))
    if "macs" not in partial:
        yield _equal("network", "FLOPs (2·MACs)", 2 * totals.macs, sum(flops.values()))


def _training(
    report: Report,
    net: fx.GraphModule,
    inputs: Sequence[Tensor],
    remarks: list[str],
    exact_memory: bool,
    autocast: Callable[[], AbstractContextManager[Any]],
) -> Iterator[Comparison]:
    """One training step: its FLOPs and its peak."""

    def loss_now() -> Tensor:
        with autocast():
            return loss_of(net(*inputs), targets)

    graph, batch = report.graph, inputs[0].shape[0]
    net.train()
    optimizer = optimizer_for(report.optimizer, net)
    targets = random_targets(graph, batch, inputs[0].dtype, str(inputs[0].device))
    try:
        loss_now().backward()
    except ValueError as error:
        if "more than 1" not in str(error):
            raise
        return
    optimizer.zero_grad(set_to_none=True)
    given = [*inputs, *targets, *own_tensors(net)]
    counter = FlopCounterMode(display=False)
    with plain_attention(), counter:
        loss = loss_now()
        forward = counter.get_total_flops()
        loss.backward()
    backward = counter.get_total_flops() - forward
    gradients = sum(
        parameter.grad.numel() * parameter.grad.element_size()
        for parameter in net.parameters()
        if parameter.grad is not None
    )
    yield _equal("network", "gradients, bytes", report.totals.gradient_bytes, gradients)
    optimizer.step()
    state = [value for values in optimizer.state.values() for value in values.values() if isinstance(value, Tensor)]
    held = sum(tensor.numel() * tensor.element_size() for tensor in state if tensor.dim())
    yield _equal("network", "optimizer state, bytes", report.totals.optimizer_bytes, held)
    true, wrong = 2 * report.totals.backward_macs, _counted_backward(report)
    remark = GROUPED if backward == wrong != true else ""
    yield Comparison("network", "backward FLOPs (2·MACs)", true, backward, backward in (true, wrong), remark)
    optimizer.zero_grad(set_to_none=True)
    del loss
    if not exact_memory:
        return
    with TensorMemory(given) as watched:
        loss_now().backward()
    # The walk, without the update that an optimizer would make after it, and as a watcher sees it.
    calculated = watched_activations(report.graph, report.setting)
    remark = _tolerated(report, calculated, watched.peak)
    agrees = calculated == watched.peak or bool(remark)
    yield Comparison("network", "step's activations, bytes", calculated, watched.peak, agrees, remark)
    alone = report.training.activations if report.training.phase != "update" else None
    if alone is not None and alone != calculated:
        remarks.append(f"not watched, gradients are added in place: {number(alone)} bytes of activations of a step")


def _tolerated(report: Report, calculated: int, measured: int) -> str:
    """The known cause of a small difference between the walk through a step and what was watched; empty without one."""
    if calculated == measured or abs(calculated - measured) > TOLERATED * measured:
        return ""
    if any(row.type in MOVED for row in report):
        return COPIES
    inside = [row.type for row in report if not row.layer.op or len(row.actions) > 1]
    return INSIDE.format(", ".join(dict.fromkeys(inside))) if inside else ""


@contextmanager
def plain_attention() -> Iterator[None]:
    """Attention by its products one by one, as the FLOP counter sees it: no fused kernel, no short cut of eval mode."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _counted_backward(report: Report) -> int:
    """What PyTorch's counter says of the backward pass, with its mistake about groups."""
    total = 0
    for row in report:
        groups = getattr(row.layer.op, "groups", 1) if "Conv" in row.type else 1
        if row.type == "PartialConv2d":
            groups = row.layer.op.pairs  # type: ignore[union-attr]
        total += (row.input_gradient_macs or 0) + groups * (row.weight_gradient_macs or 0)
    return 2 * total
