"""Modules that are attention: their operations turn the batch about, and together they are one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from .operations import named
from .program import Call, Reading
from .values import Tensor

#: Operations that leave all values as they are, in another shape or order.
_MOVES = frozenset(("view", "reshape", "transpose", "permute", "contiguous", "flatten", "unflatten", "clone"))


def attention(
    reading: Reading,
    last: Call,
    nodes: list[Mapping[str, Any]],
    inputs: tuple[int, ...],
    states: list[str],
    module: Sequence[Any],
) -> Tensor | None:
    """The layer that a module's operations are together; None where they are no attention that is known."""
    ops = {named(str(node["op"])): node for node in nodes}
    inner = ops.get("scaled_dot_product_attention") or ops.get("softmax")
    if inner is None or inner["given"].get("attn_mask") is not None or inner["given"].get("is_causal"):
        return None
    shape, path = inner["shape"], str(module[1])
    if module[2] == "MultiheadAttention" and len(inputs) == 1:
        kept = [reading.tensors[name]["shape"] for name in states]
        sizes = sorted(sorted(each) for each in kept if prod(each) > 1)  # ONNX turns matrices round
        width = last.shape[-1]
        matrices, vectors = [[width, width], [width, 3 * width]], [[width], [3 * width]]
        if sizes not in (matrices, sorted(matrices + vectors)):
            return None
        heads = shape[1] if len(shape) == 4 else shape[0] // reading.batch
        arguments = {"num_heads": heads} | ({} if len(sizes) > 2 else {"bias": False})
        dropped = reading.program["modules"][path]["attributes"].get("dropout")
        arguments |= {"dropout": dropped} if isinstance(dropped, float) and 0 < dropped < 1 else {}
        if reading.pending[inputs[0]].shape != last.shape:  # what stands before it may have become a part of it
            first = nodes[0]["given"].get("dims")
            if first != [2, 0, 1]:
                return None
            inputs = (last.layer("Permute", {"dims": [0, 2, 1]}, *inputs).node,)
        return last.layer("MultiheadAttention", arguments, *inputs, owner=path)
    if (
        not states
        and len(shape) == 4
        and len(inputs) in (1, 3)
        and set(ops) <= _MOVES | {"scaled_dot_product_attention"}
    ):
        return last.layer("Attention", {"num_heads": shape[1]}, *inputs)
    return None
