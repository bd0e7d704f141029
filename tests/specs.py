"""Random layers and random specs of all layer types, for tests that hold cnncalc against something else."""

from __future__ import annotations

import random
from inspect import signature
from typing import Any

from cnncalc import SpecError, load
from cnncalc.errors import Source
from cnncalc.formula import prod
from cnncalc.graph import Graph
from cnncalc.ops import MERGES, REGISTRY, Op


def _knows_bias() -> bool:
    """Whether the installed PyTorch's normalisations take a bias."""
    try:
        from torch.nn import GroupNorm
    except ImportError:
        return True
    return "bias" in signature(GroupNorm.__init__).parameters


NEW_ENOUGH = _knows_bias()

#: The layer types that stand by themselves: no merges, and nothing that goes back to what another layer noted.
ALONE = sorted(name for name, cls in REGISTRY.items() if name not in MERGES and not cls.places_of)


def sizes(rng: random.Random, dims: int, low: int, high: int) -> Any:
    """One number, or one for each axis."""
    if rng.random() < 0.6:
        return rng.randint(low, high)
    return [rng.randint(low, high) for _ in range(dims)]


def arguments(rng: random.Random, name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """Arguments for a layer type that fit a shape more often than not, and sometimes do not."""
    cls = REGISTRY[name]
    dims, channels = cls.spatial, shape[0]
    divisors = [d for d in range(1, channels + 1) if channels % d == 0]
    groups = rng.choice(divisors) if rng.random() < 0.95 else rng.randint(1, 5)
    made: dict[str, Any] = {}
    if name.startswith("Conv"):
        made = {"out_channels": groups * rng.randint(1, 4), "kernel_size": sizes(rng, dims, 1, 5)}
        if rng.random() < 0.5:
            made |= {"stride": sizes(rng, dims, 1, 3), "groups": groups}
        if rng.random() < 0.5:
            made |= {"dilation": sizes(rng, dims, 1, 3), "bias": rng.random() < 0.5}
        if rng.random() < 0.6:
            made["padding"] = sizes(rng, dims, 0, 3)
        if name == "Conv2d" and rng.random() < 0.25:
            made["standardise"] = rng.choice([True, "scaled"])
        if name.startswith("ConvTranspose"):
            if rng.random() < 0.4:
                made["output_padding"] = sizes(rng, dims, 0, 2)
        elif rng.random() < 0.2:
            made["padding"] = rng.choice(["same", "valid", "same_upper"])
        elif rng.random() < 0.3:
            made["padding_mode"] = rng.choice(["reflect", "replicate", "circular"])
    elif name == "BlurPool2d":
        made = {"filt_size": rng.randint(2, 5), "stride": rng.randint(1, 3)}
    elif "Adaptive" in name:
        made = {"output_size": sizes(rng, dims, 1, 6)}
        if dims > 1 and isinstance(made["output_size"], list) and rng.random() < 0.5:
            made["output_size"][0] = None
    elif "Pool" in name:
        made = {"kernel_size": sizes(rng, dims, 1, 4)}
        if rng.random() < 0.7:
            made["stride"] = sizes(rng, dims, 1, 4)
        if rng.random() < 0.5:
            made["ceil_mode"] = True
        if name.startswith("LP"):
            made["norm_type"] = rng.choice([1, 2, 3])
        elif rng.random() < 0.6:
            made["padding"] = sizes(rng, dims, 0, 2)
            if rng.random() < 0.3:
                made["padding"] = rng.choice(["same_upper", [rng.randint(0, 2) for _ in range(2 * dims)]])
        if name.startswith("Max") and rng.random() < 0.4:
            made["dilation"] = sizes(rng, dims, 1, 3)
        if name.startswith("Avg") and rng.random() < 0.4:
            made["count_include_pad"] = False
    elif name.startswith(("Linear", "RBF")):
        made = {"out_features": rng.randint(1, 9)}
    elif name == "GroupNorm":
        made = {"num_groups": groups, "affine": rng.random() < 0.7}
        if NEW_ENOUGH and rng.random() < 0.3:
            made["bias"] = False
    elif name.startswith(("BatchNorm", "InstanceNorm")):
        made = {"affine": rng.random() < 0.5, "track_running_stats": rng.random() < 0.5}
        if NEW_ENOUGH and rng.random() < 0.3:
            made["bias"] = False
    elif name == "LayerNorm":
        count = rng.randint(1, len(shape))
        made = {
            "normalized_shape": list(shape[-count:]),
            "elementwise_affine": rng.random() < 0.7,
            "bias": rng.random() < 0.7,
        }
    elif name == "RMSNorm":
        count = rng.randint(1, len(shape))
        made = {"normalized_shape": list(shape[-count:]), "elementwise_affine": rng.random() < 0.7}
    elif name == "LocalResponseNorm":
        made = {"size": rng.randint(1, 5)}
    elif name == "PReLU":
        made = {"num_parameters": rng.choice([1, channels, channels, 2])}
    elif name == "Threshold":
        made = {"threshold": 0.1, "value": 0}
    elif name in ("GLU", "Softmax", "Softmin", "LogSoftmax"):
        made = {"dim": rng.choice([1, -1, len(shape)])}
    elif name == "Flatten":
        made = {"start_dim": rng.randint(1, len(shape)), "end_dim": rng.choice([-1, len(shape), 1])}
    elif name == "Unflatten":
        made = (
            {"dim": 1, "unflattened_size": [groups, -1]}
            if channels % groups == 0
            else {"dim": 1, "unflattened_size": [channels, 1]}
        )
    elif name == "Permute":
        axes = list(range(1, len(shape) + 1))
        rng.shuffle(axes)
        made = {"dims": [0, *axes]}
    elif name == "Slice":
        made = {"dim": rng.randint(1, len(shape)), "start": rng.randint(-3, 3), "step": rng.randint(1, 3)}
        if rng.random() < 0.5:
            made["stop"] = rng.randint(-3, 9)
    elif name == "Mean":
        made = {"dim": rng.sample(range(1, len(shape) + 1), rng.randint(1, len(shape))), "keepdim": rng.random() < 0.5}
    elif name.startswith("Upsampl"):
        axes = len(shape) - 1
        if rng.random() < 0.3:
            made["size"] = sizes(rng, max(axes, 1), 1, 12)
        else:
            made["scale_factor"] = (
                rng.choice([2, 3, 1.5, 0.5, 0.7, 1.1]) if rng.random() < 0.7 else [rng.choice([2, 1.3])] * max(axes, 1)
            )
        if name == "Upsample":
            made["mode"] = rng.choice(
                [
                    "nearest",
                    "nearest-exact",
                    {1: "linear", 2: "bilinear", 3: "trilinear"}.get(axes, "nearest"),
                    "bicubic",
                ]
            )
            if not made["mode"].startswith("nearest") and rng.random() < 0.4:
                made["align_corners"] = rng.random() < 0.5
            if rng.random() < 0.2:
                made["recompute_scale_factor"] = True
    elif name in ("PixelShuffle", "PixelUnshuffle"):
        made = {"upscale_factor" if name == "PixelShuffle" else "downscale_factor": rng.randint(1, 3)}
    elif name == "ChannelShuffle":
        made = {"groups": groups}
    elif name == "PadChannels":
        made = {"before": rng.randint(0, 3), "after": rng.randint(0, 3)}
    elif "Pad" in name:
        if rng.random() < 0.4:
            made = {"padding": rng.randint(0, 4)}
        else:
            low = -2
            made = {"padding": [rng.randint(low, 4) for _ in range(2 * dims)]}
        if name.startswith("Constant"):
            made["value"] = 0.5
    elif name == "StochasticDepth":
        made = {"p": 0.2}
    elif name == "PartialConv2d":
        made = {
            "connections": [
                sorted(rng.sample(range(channels), rng.randint(1, channels))) for _ in range(rng.randint(1, 4))
            ],
            "kernel_size": sizes(rng, 2, 1, 4),
            "stride": sizes(rng, 2, 1, 2),
            "padding": sizes(rng, 2, 0, 2),
            "bias": rng.random() < 0.5,
        }
    elif name == "MultiheadAttention":
        features = [d for d in range(1, shape[-1] + 1) if shape[-1] % d == 0]
        made = {
            "num_heads": rng.choice(features),
            "bias": rng.random() < 0.6,
            "add_bias_kv": rng.random() < 0.3,
            "add_zero_attn": rng.random() < 0.3,
        }
    elif name in ("Sum", "Max", "Norm"):
        made = {"dim": rng.sample(range(1, len(shape) + 1), rng.randint(1, len(shape))), "keepdim": rng.random() < 0.5}
        if name == "Norm":
            made["p"] = rng.choice([1, 2, 2, 3, 1.5])
    elif name in ("LayerScale", "Affine"):
        fitting = [rng.choice([size, 1]) for size in (1, *shape)]
        made = {"shape": rng.choice([None, [], fitting, fitting[rng.randint(0, len(shape)) :], [7]])}
        if name == "LayerScale" and rng.random() < 0.4:
            dim = rng.randint(-len(shape), len(shape))
            made = {"shape": rng.choice([[shape[dim - 1 if dim > 0 else dim]], [1], fitting]), "dim": dim}
    elif name == "Token":
        made = {"shape": [rng.randint(1, 5) for _ in range(rng.randint(1, 3))]}
    elif name == "Attention":
        made = {"num_heads": rng.choice([d for d in range(1, shape[-1] + 1) if shape[-1] % d == 0])}
    elif name == "SpaceToDepth":
        made = {"block_size": rng.choice([1, 2, 2, 3])}
    elif name == "Reshape":
        values = prod(shape)
        first = rng.choice([d for d in range(1, min(values, 60) + 1) if values % d == 0])
        last = rng.choice([d for d in (1, 2, 3, shape[-1]) if values // first % d == 0])
        made = {"shape": rng.choice([[-1], [first, -1], [first, -1, last], [*shape[:-1], -1], [7, 5]])}
    elif name in ("Scale", "Shift"):
        made = {"factor" if name == "Scale" else "value": rng.choice([0.5, 2, -1])}
    elif name == "concat":
        made = {"dim": 1}
    return made


def shape_for(rng: random.Random, cls: type[Op]) -> tuple[int, ...]:
    """An input of the number of axes that a layer type wants."""
    if cls.__name__.startswith(("BatchNorm", "InstanceNorm")):
        axes = rng.choice(cls.axes)  # type: ignore[attr-defined]
    elif cls.__name__ == "MultiheadAttention":
        axes = 2
    elif cls.__name__ == "Attention":
        axes = rng.randint(2, 3)
    elif cls.__name__ == "RBF":
        axes = 1
    elif cls.__name__ == "ChannelShuffle":
        axes = rng.randint(2, 4)
    elif cls.__name__.startswith("Upsampling"):
        axes = 3
    else:
        axes = cls.spatial + 1 if cls.spatial else rng.randint(1, 4)
    return tuple(rng.choice([1, 2, 3, 4, 6, 8, 9, 12]) if axis == 0 else rng.randint(1, 12) for axis in range(axes))


def spec(rng: random.Random, length: int = 8) -> str:
    """The text of a spec of random layers with branches and repeats: only what fits is kept."""
    shape: tuple[int, ...] = tuple(rng.randint(1, 12) for _ in range(rng.randint(2, 4)))
    text = f"input: {list(shape)}\nlayers:\n"
    for _ in range(4 * length):
        name = rng.choice(ALONE)
        if REGISTRY[name].spatial not in (0, len(shape) - 1):
            continue
        longer = text + "\n".join(_entry(rng, name, shape, "  ")) + "\n"
        try:
            graph = load(Source("random.yaml", longer))
        except SpecError:
            continue
        if len(graph.layers) <= length and prod(graph.nodes[-1].shape or ()) < 10**6:
            text, shape = longer, graph.nodes[-1].shape or ()
    return text


def unwritten(graph: Graph) -> bool:
    """Whether PyTorch leaves some of the result as it finds it: a circular pad that crops does."""
    return any("Circular" in layer.type and min(getattr(layer.op, "padding")) < 0 for layer in graph.layers)  # noqa: B009


def shared(rng: random.Random, length: int = 8) -> str:
    """The text of a spec whose random layers, groups and copies are used again, with generated branches beside them."""
    shape: tuple[int, ...] = tuple(rng.randint(1, 9) for _ in range(rng.randint(2, 4)))
    text, used = f"input: {list(shape)}\nlayers:\n", 0
    for number in range(6 * length):
        names = [name for name in ALONE if REGISTRY[name].spatial in (0, len(shape) - 1)]
        first, second = ("{" + f"{name}: {flow(arguments(rng, name, shape))}" + "}" for name in rng.choices(names, k=2))
        known = [line.split(":")[0].strip(" -") for line in text.splitlines() if line.startswith("  - p")]
        forms = [
            f"p{number}: {first}",
            f"p{number}: [{first}, inner: {second}]",
            f"p{number}: {first[:-1]}, repeat: 2}}",
            f"p{number}: {{add: [{{branch: [{first}], repeat: 2}}, []]}}",
            f"p{number}: {{add: [{{branch: [{first}], foreach: {{k: [1, 2]}}}}, {{branch: [], when: true}}]}}",
        ]
        if known:
            target = rng.choice(known)
            again = rng.choice(["", ", repeat: 2", f", from: {rng.choice(known)}"])
            forms += [f"u{number}: {{use: {target}{again}}}"] * 4
            forms += [f"multiply: [[{{use: {target}}}], []]"]
        entry = rng.choice(forms)
        try:
            graph = load(Source("shared.yaml", f"{text}  - {entry}\n"))
        except SpecError:
            continue
        end = graph.nodes[-1].shape or ()
        if len(graph.layers) <= 2 * length and prod(end) < 10**5:
            text, shape, used = f"{text}  - {entry}\n", end, used + ("use:" in entry)
    return text if used else shared(rng, length)


def _entry(rng: random.Random, name: str, shape: tuple[int, ...], indent: str) -> list[str]:
    layer = f"{{{name}: {flow(arguments(rng, name, shape))}}}"
    chance = rng.random()
    if chance < 0.15:
        merge = rng.choice(["concat", "multiply", "add"])
        return [f"{indent}- {merge}:", f"{indent}    - [{layer}]", f"{indent}    - []"]
    if chance < 0.25:
        return [f"{indent}- {layer[:-1]}, repeat: {rng.randint(0, 3)}}}"]
    return [f"{indent}- {layer}"]


def flow(value: Any) -> str:
    """A value as YAML writes it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
