"""How steps are made: frozen parts, accumulated batches, checkpoints, images laid out otherwise, processes. To the byte."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import SpecError, analyse, load
from cnncalc.analysis.regime import Regime
from cnncalc.analysis.training import buckets, exchanged_bytes, watched_activations
from cnncalc.errors import Source
from cnncalc.report import Report

torch = pytest.importorskip("torch", reason="steps are PyTorch's: pip install 'cnncalc[torch]'")

from torch.utils.checkpoint import checkpoint as checkpointed  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from cnncalc.pytorch.build import build  # noqa: E402
from cnncalc.pytorch.storages import Kept, TensorMemory, own_tensors  # noqa: E402
from cnncalc.pytorch.subject import loss_of, random_inputs, random_targets  # noqa: E402

SMALL = ("resnet20", "lenet", "squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5")
#: Inputs that make a step quick.
INPUTS = {"unet": [1, 188, 188], "resnet20": [3, 32, 32], "lenet": [1, 32, 32], "srcnn_915": [1, 33, 33]}


def inputs_of(name: str) -> list[int]:
    return INPUTS.get(name, [3, 64, 64])


class Checkpointed(torch.nn.Module):
    """Runs a generated network with some parts through `torch.utils.checkpoint`."""

    def __init__(self, net: Any, parts: Sequence[str]) -> None:
        super().__init__()
        self.net, self.part, self.last = net, dict[Any, str](), dict[Any, Any]()
        for node in net.graph.nodes:
            name = node.meta.get("layer", "")
            for part in parts:
                if name == part or name.startswith(part + "."):
                    self.part[node] = part
            self.last |= dict.fromkeys(node.all_input_nodes, node)

    def walk(self, nodes: Sequence[Any], env: dict[Any, Any], keep: Sequence[Any]) -> None:
        runner = torch.fx.Interpreter(self.net, garbage_collect_values=False)
        runner.env = env
        for node in nodes:
            env[node] = runner.run_node(node)
            for source in node.all_input_nodes:
                if self.last[source] is node and source not in keep:
                    env.pop(source, None)

    def forward(self, *inputs: Any) -> Any:
        nodes, env = list(self.net.graph.nodes), dict[Any, Any]()
        env.update(zip((node for node in nodes if node.op == "placeholder"), inputs, strict=True))
        index = len(inputs)
        while nodes[index].op != "output":
            stop = index + 1
            part = self.part.get(nodes[index])
            while part and self.part.get(nodes[stop]) == part:
                stop += 1
            segment, index = nodes[index:stop], stop
            if not part:
                self.walk(segment, env, ())
                continue
            entering = [n for n in dict.fromkeys(s for n in segment for s in n.all_input_nodes) if n not in segment]
            leaving = [n for n in segment if any(user not in segment for user in n.users)]

            def run(*values: Any, nodes: Any = segment, into: Any = entering, out: Any = leaving) -> Any:
                own = dict(zip(into, values, strict=True))
                self.walk(nodes, own, (*into, *out))
                return tuple(own[node] for node in out)

            values = [env[node] for node in entering]
            for node in entering:
                if self.last[node] in segment:
                    env.pop(node)
            results = checkpointed(run, *values, use_reentrant=False)
            env.update(zip(leaving, results, strict=True))
            del values, results, run
        return torch.fx.node.map_arg(nodes[index].args[0], lambda node: env[node])


def autocast(report: Report) -> Any:
    """What the report says of mixed precision, as PyTorch has it."""
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(report.setting.amp))


def held(report: Report, freeze: Sequence[str] = (), checkpoint: Sequence[str] = ()) -> tuple[int, int, int, int]:
    """What a step really holds: the peak of activations and gradients, what is kept, gradients, and FLOPs."""
    torch.manual_seed(0)
    net, batch, regime = build(report.graph).train(), report.batch, report.regime
    for part in freeze:
        net.get_submodule(part).requires_grad_(False)
    inputs = random_inputs(report.graph, batch, torch.float32, "cpu")
    targets = random_targets(report.graph, batch, torch.float32, "cpu")
    if report.setting.channels_last:
        net.to(memory_format=torch.channels_last)
        inputs = [each.contiguous(memory_format=torch.channels_last) for each in inputs]
    run = Checkpointed(net, checkpoint) if checkpoint else net
    with Kept(own_tensors(net)) as kept, autocast(report):
        run(*inputs)

    def step() -> None:
        with autocast(report):
            loss = loss_of(run(*inputs), targets)
        loss = loss / regime.accumulate if regime.accumulate > 1 else loss
        loss.backward()

    for _ in range(regime.accumulate - 1):
        step()
    there = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
    with TensorMemory([*inputs, *targets, *own_tensors(net), *there]) as watched:
        step()
    gradients = sum(4 * each.grad.numel() for each in net.parameters() if each.grad is not None)
    net.zero_grad(set_to_none=True)
    with FlopCounterMode(display=False) as counter:
        step()
    return watched.peak + 4 * sum(each.numel() for each in there), kept.total, gradients, counter.get_total_flops()


@pytest.mark.parametrize("name", SMALL)
def test_frozen_parts_have_no_gradient_and_pass_it_on(name: str) -> None:
    parts = [part for part, module in build(load(name)).named_children() if any(True for _ in module.parameters())]
    for freeze in ((parts[0],), (parts[-1],), tuple(parts[:-1]), (parts[len(parts) // 2],)):
        report = analyse(name, batch=2, freeze=freeze, inputs=inputs_of(name))
        peak, kept, gradients, flops = held(report, freeze)
        totals = report.totals
        assert watched_activations(report.graph, report.setting) == peak, freeze
        assert (totals.saved_for_backward_bytes, totals.gradient_bytes) == (kept, gradients), freeze
        if name in ("resnet20", "lenet", "squeezenet1_1"):  # without groups, which PyTorch's counter counts too often
            assert 2 * totals.step_macs == flops, freeze


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("accumulate", [2, 5])
def test_gradients_of_batches_before_are_there(name: str, accumulate: int) -> None:
    report = analyse(name, batch=3, accumulate=accumulate, inputs=inputs_of(name))
    peak, _, gradients, _ = held(report)
    assert watched_activations(report.graph, report.setting, report.regime) == peak
    assert report.totals.peak_training_bytes > analyse(name, batch=3, inputs=inputs_of(name)).totals.peak_training_bytes
    assert report.totals.gradient_bytes == gradients


@pytest.mark.parametrize("name", [*SMALL, "unet", "googlenet", "densenet121"])
def test_images_that_lie_with_the_channels_last(name: str) -> None:
    report = analyse(name, batch=2, channels_last=True, inputs=inputs_of(name))
    peak, kept, _, _ = held(report)
    assert watched_activations(report.graph, report.setting) == peak
    assert report.totals.saved_for_backward_bytes == kept


@pytest.mark.parametrize(("name", "freeze"), [
    *((name, freeze) for name in SMALL for freeze in (False, True)), ("googlenet", False), ("densenet121", False),
    ("srcnn_915", False),
])  # fmt: skip
def test_mixed_precision(name: str, freeze: bool) -> None:
    """What autocast copies: weights, kept until it is left; what comes in; gradients, widened; the loss in float32."""
    frozen = (load(name).layers[0].name,) if freeze else ()
    report = analyse(name, batch=2, amp="bfloat16", inputs=inputs_of(name), freeze=frozen)
    peak, kept, gradients, _ = held(report, frozen)
    assert watched_activations(report.graph, report.setting) == peak
    assert (report.totals.saved_for_backward_bytes, report.totals.gradient_bytes) == (kept, gradients)
    net = build(report.graph).eval()
    for part in frozen:  # a frozen parameter's copy is not kept until autocast is left
        net.get_submodule(part).requires_grad_(False)
    x = random_inputs(report.graph, 2, torch.float32, "cpu")
    with torch.no_grad(), TensorMemory([*x, *own_tensors(net)]) as watched, autocast(report):
        net(*x)
    assert report.totals.peak_inference_bytes == watched.peak


@pytest.mark.parametrize(("name", "batch"), [("lenet", 3), ("resnet20", 2)])
def test_mixed_precision_with_other_ways_of_making_a_step(name: str, batch: int) -> None:
    asked: dict[str, Any] = {"accumulate": 2, "channels_last": True}
    report = analyse(name, batch=batch, amp="bfloat16", **asked)
    peak, kept, _, _ = held(report)
    assert watched_activations(report.graph, report.setting, report.regime) == peak
    assert report.totals.saved_for_backward_bytes == kept


@pytest.mark.parametrize("layer", [
    "Conv1d: {out_channels: 4, kernel_size: 3}", "ConvTranspose1d: {out_channels: 4, kernel_size: 3}", "Linear: {out_features: 5}", "PReLU",
    "BatchNorm1d", "GroupNorm: {num_groups: 2}", "LayerNorm: {normalized_shape: 12}", "Softmax: {dim: 1}", "GELU", "SiLU", "Tanh", "Hardswish",
    "MaxPool1d: {kernel_size: 2}", "AvgPool1d: {kernel_size: 2}", "InstanceNorm1d: {affine: true}", "ReflectionPad1d: {padding: 1}", "Dropout",
    "Softplus", "Mish", "ELU", "LeakyReLU", "ChannelShuffle: {groups: 2}", "Upsample: {scale_factor: 2}", "Sigmoid", "LogSoftmax: {dim: 1}",
])  # fmt: skip
@pytest.mark.parametrize("narrow", [False, True], ids=["float32", "bfloat16"])
def test_each_layer_under_autocast(layer: str, narrow: bool) -> None:
    """A layer by itself, and behind a convolution that makes its input narrow: the type of the output, and what is kept."""
    before = "  - Conv1d: {out_channels: 8, kernel_size: 1}\n" if narrow else "  - BatchNorm1d\n"
    report = analyse(Source("net.yaml", f"input: [8, 12]\nlayers:\n{before}  - {layer}"), batch=2, amp="bfloat16")
    net = build(report.graph).train()
    with Kept(own_tensors(net)) as kept, autocast(report):
        out = net(torch.randn(2, 8, 12))
    assert str(out.dtype) == f"torch.{report.dtypes[-1]}"
    assert report.totals.saved_for_backward_bytes == kept.total


@pytest.mark.parametrize(("name", "parts"), [
    ("resnet20", ("layer1",)), ("resnet20", ("layer1", "layer2", "layer3")), ("resnet20", ("layer1.0", "layer1.2", "layer2.1")),
    ("squeezenet1_1", ("features",)), ("mobilenet_v3_small", ("features.2", "features.3", "features.4")), ("lenet", ("C3",)),
    ("shufflenet_v2_x0_5", ("stage2", "stage3")), ("googlenet", ("inception3a", "inception4b")), ("vgg11", ("features.3", "features.8")),
], ids=str)  # fmt: skip
def test_what_is_checkpointed_is_run_again(name: str, parts: tuple[str, ...]) -> None:
    report = analyse(name, batch=2, checkpoint=parts, inputs=inputs_of(name))
    peak, _, _, flops = held(report, (), parts)
    assert watched_activations(report.graph, report.setting, report.regime) == peak
    if name in ("resnet20", "squeezenet1_1", "lenet", "googlenet"):
        assert 2 * (report.totals.step_macs + (report.recomputed_macs or 0)) == flops


@pytest.mark.parametrize(("name", "parts", "more"), [
    ("resnet20", ("layer1", "layer2"), {}), ("resnet20", ("layer1.0",), {"accumulate": 2}), ("squeezenet1_1", ("features",), {}),
    ("mobilenet_v3_small", ("features.2", "features.3"), {}), ("resnet20", ("layer2",), {"freeze": ("conv1", "layer1")}),
], ids=str)  # fmt: skip
def test_what_is_checkpointed_is_run_again_under_autocast(
    name: str, parts: tuple[str, ...], more: dict[str, Any]
) -> None:
    report = analyse(name, batch=2, amp="bfloat16", checkpoint=parts, inputs=inputs_of(name), **more)
    peak, _, _, _ = held(report, more.get("freeze", ()), parts)
    assert watched_activations(report.graph, report.setting, report.regime) == peak


def test_what_libraries_copy_under_autocast_was_not_learnt() -> None:
    peak = analyse("resnet20", amp="bfloat16").totals.peak
    assert peak.allocated[0] == peak.bytes < peak.allocated[1]


def test_all_of_it_together() -> None:
    """Random parts frozen and checkpointed, batches accumulated, channels last."""
    rng, blocks = random.Random(1), [f"layer{i}.{j}" for i in (1, 2, 3) for j in (0, 1, 2)]
    for _ in range(6):
        checkpoint = tuple(sorted(rng.sample(blocks, rng.randrange(1, 5))))
        freeze = tuple(sorted(rng.sample(["conv1", "bn1", *blocks, "linear"], rng.randrange(4))))
        asked: dict[str, Any] = {"accumulate": rng.choice([1, 3]), "channels_last": rng.random() < 0.5}
        report = analyse("resnet20", batch=2, checkpoint=checkpoint, freeze=freeze, **asked)
        peak, _, gradients, _ = held(report, freeze, checkpoint)
        assert watched_activations(report.graph, report.setting, report.regime) == peak, (checkpoint, freeze, asked)
        assert report.totals.gradient_bytes == gradients


@pytest.mark.parametrize("name", ["lenet", "resnet20", "squeezenet1_1", "mobilenet_v3_small", "googlenet_2014"])
def test_buckets_are_those_of_distributed_data_parallel(name: str, tmp_path: Path) -> None:
    distributed = torch.distributed
    if not distributed.is_available() or not distributed.is_gloo_available():
        pytest.skip("this PyTorch has no gloo")
    report = analyse(name, batch=2, ddp=8)
    inputs = random_inputs(report.graph, 2, torch.float32, "cpu")
    targets = random_targets(report.graph, 2, torch.float32, "cpu")
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1)
    try:
        net = torch.nn.parallel.DistributedDataParallel(build(report.graph).train())
        for _ in range(3):
            loss_of(net(*inputs), targets).backward()
        theirs = [int(size) for size in net._get_ddp_logging_data()["rebuilt_bucket_sizes"].split(",")]
    finally:
        distributed.destroy_process_group()
    assert buckets(report.graph, report.setting) == theirs
    assert report.training.buckets == sum(theirs) == report.totals.gradient_bytes


def test_what_processes_exchange() -> None:
    assert exchanged_bytes(n=4, G=1000) == 1500 and exchanged_bytes(n=1, G=1000) == 0
    assert analyse("lenet").training.buckets == 0 and Regime().processes == 1


def test_the_command_tells_of_all_of_it() -> None:
    arguments = ("--freeze", "conv1,bn1,layer1", "--accumulate", "4", "--ddp", "8", "--checkpoint", "layer2", "-b", "2")
    told = cnncalc("memory", "resnet50", "--train", *arguments).stdout
    for line in ("in 5 buckets; each process sends 169.11 MiB", "accumulated over 4 batches, 8 images", "frozen: 225,344",
                 "checkpoints: 42 layers are run again"):  # fmt: skip
        assert line in told, told


@pytest.mark.parametrize(("arguments", "message"), [
    ({"freeze": ["layer9"]}, "there is no part layer9"), ({"checkpoint": ["layer1", "layer1.0"]}, "parts overlap"),
    ({"checkpoint": ["relu"]}, "works in place on what enters relu"), ({"accumulate": 0}, "accumulate is 0"), ({"ddp": 10**9}, "ddp is"),
    ({"amp": "int8"}, "no autocast to int8"), ({"amp": "float16", "dtype": "float64"}, "autocast starts from float32"),
])  # fmt: skip
def test_parts_that_cannot_be_meant(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        analyse("resnet18", **arguments)
