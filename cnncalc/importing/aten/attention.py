"""Attention."""

from __future__ import annotations

from ..program import Call
from ..refusals import Unread
from ..values import Value
from .table import reads


@reads("scaled_dot_product_attention")
def attention(call: Call) -> Value:
    query, key, value = (call.tensor(name) for name in ("query", "key", "value"))
    if call.given.get("attn_mask") is not None or call.get("is_causal", False) or call.get("dropout_p", 0.0):
        raise Unread("it has a mask or drops values")
    shapes = [call.shape_of(each) for each in (query, key, value)]
    if any(len(shape) != 3 for shape in shapes):
        raise Unread("it has no axis of heads")
    heads, length, width = shapes[0]
    keys = shapes[1][1]
    factor = call.get("scale", width**-0.5)
    turned = call.layer("Permute", {"dims": [0, 1, 3, 2]}, key, shape=(heads, width, keys))
    scaled = call.layer("Scale", {"factor": factor}, query, shape=shapes[0])
    scores = call.layer("matmul", {}, scaled.node, turned.node, shape=(heads, length, keys))
    shares = call.layer("Softmax", {"dim": 3}, scores.node, shape=(heads, length, keys))
    return call.layer("matmul", {}, shares.node, value)
