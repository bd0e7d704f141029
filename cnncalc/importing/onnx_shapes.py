"""ONNX's operators that leave the values as they are, or take some of them, by PyTorch's names."""

from __future__ import annotations

from typing import Any

from .onnx_program import Operator, operator


@operator("Reshape", "Flatten", "Squeeze", "Unsqueeze")
def reshape(call: Operator) -> None:
    call.emit("reshape", {"self": call.reference(0)})


@operator("Transpose")
def transpose(call: Operator) -> None:
    rank = len(call.shape())
    call.emit("permute", {"self": call.reference(0), "dims": call.get("perm", list(range(rank))[::-1])})


@operator("Expand")
def expand(call: Operator) -> None:
    call.emit("expand", {"self": call.reference(0)})


@operator("Slice")
def slice_(call: Operator) -> None:
    starts = call.numbers(1) or call.get("starts")
    ends = call.numbers(2) or call.get("ends")
    if starts is None or ends is None:
        call.emit("Slice", {"self": call.reference(0)})
        return
    axes = call.numbers(3) or call.get("axes", list(range(len(starts))))
    steps = call.numbers(4) or [1] * len(starts)
    x, shape, rank = call.reference(0), call.shape(), len(call.shape())
    for i, (start, end, axis, step) in enumerate(zip(starts, ends, axes, steps, strict=False)):
        last = i == len(starts) - 1
        axis = axis % rank
        low, high, _ = slice(start, end, step).indices(shape[axis])
        shape[axis] = len(range(low, high, step))
        x = call.emit(
            "slice",
            {"self": x, "dim": axis, "start": low, "end": high, "step": step},
            None if last else f"{call.node.output[0]}|{i}",
            None if last else list(shape),
        )


@operator("Split")
def split(call: Operator) -> None:
    axis = call.get("axis", 0)
    shapes = [call.onnx.shapes.get(name) for name in call.node.output]
    whole = call.emit(
        "split_with_sizes", {"self": call.reference(0), "dim": axis}, f"{call.node.output[0]}|split", shapes
    )
    for i, name in enumerate(call.node.output):
        call.emit("getitem", {"0": whole, "1": i}, name, shapes[i])


@operator("Gather")
def gather(call: Operator) -> None:
    index = call.numbers(1)
    if index is None or len(index) != 1 or call.reference(0) is None:
        call.emit("Gather", {"self": call.reference(0), "index": call.reference(1)})
        return
    call.emit("select", {"self": call.reference(0), "dim": call.get("axis", 0), "index": int(index[0])})


@operator("Pad")
def pad(call: Operator) -> None:
    shape = call.shape()
    pads = call.numbers(1) or call.get("pads")
    rank, axes = len(shape), call.numbers(3)
    if pads is not None and axes is not None and len(pads) == 2 * len(axes):  # of some axes, in any order
        given = {axis % rank: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
        pads = [given.get(axis, (0, 0))[side] for side in (0, 1) for axis in range(rank)]
    if pads is None or len(pads) != 2 * rank or any(pads[i] or pads[i + rank] for i in range(1)):
        call.emit("Pad", {"self": call.reference(0)})
        return
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}[
        call.get("mode", "constant")
    ]
    value = (call.numbers(2) or [call.get("value", 0.0)])[0]
    flat = [side for i in range(rank - 1, 0, -1) for side in (int(pads[i]), int(pads[i + rank]))]
    while len(flat) > 2 * (rank - 2) and not any(flat[-2:]):
        flat = flat[:-2]
    call.emit("pad", {"self": call.reference(0), "pad": flat, "mode": mode, "value": value})


@operator("Resize", "Upsample")
def resize(call: Operator) -> None:
    before, after = call.shape(), call.onnx.shapes.get(call.node.output[0])
    modes = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}
    mode, axes = modes.get(call.get("mode", "nearest")), len(before) - 2
    if after is None or mode is None or before[:2] != after[:2] or axes != 2:
        call.emit("Resize", {"self": call.reference(0)})
        return
    factors = [b / a for a, b in zip(before[2:], after[2:], strict=True)]
    whole = all(factor == int(factor) for factor in factors)
    given: dict[str, Any] = {"scale_factors": factors} if whole else {"output_size": after[2:]}
    old = call.node.op_type == "Upsample" or call.onnx.opset < 11
    corners = call.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    aligned = corners == "align_corners"
    if mode != "nearest" and corners in ("asymmetric", "half_pixel_symmetric", "tf_half_pixel_for_nn"):
        call.onnx.notes["Resize looks at other places than PyTorch does: figures are the same, values are not"] = None
    call.emit(f"upsample_{mode}2d", {"input": call.reference(0), "align_corners": aligned, **given})


@operator("DepthToSpace", "SpaceToDepth")
def depth(call: Operator) -> None:
    size, mode = call.get("blocksize"), call.get("mode", "DCR")
    if call.node.op_type == "DepthToSpace" and mode == "CRD":
        call.emit("pixel_shuffle", {"self": call.reference(0), "upscale_factor": size})
    else:
        call.emit(call.node.op_type, {"self": call.reference(0)})
