"""Modules that are attention: their operations turn the batch about, and together they are one layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
    ops = {str(node["op"]).partition(".")[0]: node for node in nodes}
    inner = ops.get("scaled_dot_product_attention") or ops.get("softmax")
    if inner is None or inner["given"].get("attn_mask") is not None or inner["given"].get("is_causal"):
        return None
    shape, path = inner["shape"], str(module[1])
    if module[2] == "MultiheadAttention" and len(inputs) == 1:
        own = {name.removeprefix(f"{path}.") for name in states}
        if own - {"in_proj_bias", "out_proj.bias"} != {"in_proj_weight", "out_proj.weight"}:
            return None
        heads = shape[1] if len(shape) == 4 else shape[0] // reading.batch
        arguments = {"num_heads": heads} | ({} if "in_proj_bias" in own else {"bias": False})
        return last.layer("MultiheadAttention", arguments, *inputs, owner=path)
    if (
        not states
        and len(shape) == 4
        and len(inputs) in (1, 3)
        and set(ops) <= _MOVES | {"scaled_dot_product_attention"}
    ):
        return last.layer("Attention", {"num_heads": shape[1]}, *inputs)
    return None
