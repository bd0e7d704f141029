"""An ONNX file, opened within bounds: protobuf alone, by the package onnx, no external data, of weights only shapes."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

from ..errors import SpecError, usage_error
from . import onnx_layers, onnx_operators, onnx_shapes  # noqa: F401 - the table of operators
from .flat import Flat
from .onnx_program import MAX_NUMBERS, Onnx
from .refusals import refused
from .torch_program import flat_of

#: Bytes of a file, and operators in it.
MAX_BYTES, MAX_NODES = 2 << 30, 150_000
#: Sizes in a list of them, and axes of a tensor whose shape is not known yet.
MAX_LENGTH, MOST_AXES = 10_000, 16
#: Types of whole numbers, int32 and int64, and the operators that onnx follows them through.
WHOLE = (6, 7)
KEEPS_LENGTH = frozenset(("Add", "Cast", "Div", "Gather", "Identity", "Mul", "Slice", "Squeeze", "Sub", "Unsqueeze"))


def read(path: Path, inputs: Mapping[str, Any]) -> Flat:
    """The flat network in a file; raises `SpecError`, also where its operators are not as ONNX has them."""
    try:
        return flat_of(program_of(path, inputs))
    except SpecError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        cause = f"its operators do not fit together: {type(error).__name__}: {str(error)[:120]}"
        raise refused(cause, str(path), "onnx.checker.check_model(model, full_check=True) may say which") from None


def program_of(path: Path, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The program in a file; raises `SpecError` where it is none that can be read."""
    try:
        import onnx
        from onnx import shape_inference
    except ImportError:
        raise usage_error(
            "an .onnx file needs the package onnx", "pip install 'cnncalc[onnx]'", where=str(path)
        ) from None
    if path.stat().st_size > MAX_BYTES:
        raise refused(f"more than {MAX_BYTES:,} bytes", str(path))
    try:
        model = onnx.load(str(path), load_external_data=False)
        if len(model.graph.node) > MAX_NODES:
            raise refused(f"{len(model.graph.node):,} operators; at most {MAX_NODES:,} are read", str(path))
        for node in model.graph.node:
            if any(attribute.type in (5, 10) for attribute in node.attribute):
                raise refused(f"{node.op_type} holds a graph of its own, which is not read", str(path))
        _check_sizes(model, path)
        _fix_batch(model, inputs, path)
        _drop_weights(model)
        model = shape_inference.infer_shapes(model, data_prop=True)
    except SpecError:
        raise
    except Exception as error:  # protobuf's and onnx's own, of many kinds
        raise refused(f"no ONNX that can be read: {str(error).strip().splitlines()[0][:120]}", str(path)) from None
    return Onnx(onnx, model, path).read()


def _check_sizes(model: Any, path: Path) -> None:
    """Refuse lists of sizes that grow without bound where onnx works them out; raises `SpecError`."""
    lengths = {each.name: prod(each.dims) for each in model.graph.initializer if each.data_type in WHOLE}
    for node in model.graph.node:
        taken = [lengths.get(name, 0) for name in node.input]
        length = 0
        if node.op_type in ("Constant", "Shape"):
            given = [each.t for each in node.attribute if each.name == "value"]
            length = max((prod(each.dims) * (each.data_type in WHOLE) for each in given), default=MOST_AXES)
        elif node.op_type in KEEPS_LENGTH and all(taken):
            length = max(taken, default=0)
        elif node.op_type == "Concat" and all(taken):
            length = sum(taken)
            if length > MAX_LENGTH:
                raise refused(f"{node.name or 'a Concat'} puts {length:,} sizes together", str(path))
        lengths.update(dict.fromkeys(node.output, length))


def _fix_batch(model: Any, inputs: Mapping[str, Any], path: Path) -> None:
    """Give the batch a size where it is open, and other axes the one that was asked for."""
    weights = {each.name for each in model.graph.initializer}
    batches, changed = set[str](), False
    for value in model.graph.input:
        if value.name in weights:
            continue
        dims = value.type.tensor_type.shape.dim
        asked = inputs.get(value.name) or inputs.get("")
        for i, dim in enumerate(dims):
            if asked is not None and i and i - 1 < len(asked):
                changed |= dim.dim_value != int(asked[i - 1])
                dim.dim_value = int(asked[i - 1])
            elif not dim.HasField("dim_value") or dim.dim_value < 1:
                if i:
                    raise refused(
                        f"the size of {value.name} along axis {i} is open", str(path), "--input CxHxW says it"
                    )
                batches.add(dim.dim_param)
                dim.dim_value = 2
    known = [] if changed else [each for each in model.graph.value_info if _is_known(each, batches - {""})]
    del model.graph.value_info[:]
    model.graph.value_info.extend(known)


def _is_known(value: Any, batches: set[str]) -> bool:
    """Whether the shape that a file notes of a value is known, once the batch has its size."""
    dims = value.type.tensor_type.shape.dim
    for dim in dims:
        if dim.dim_param in batches:
            dim.dim_value = 2
    return bool(dims) and all(dim.HasField("dim_value") and dim.dim_value > 0 for dim in dims)


def _drop_weights(model: Any) -> None:
    """Keep of the weights their shapes alone; numbers that shapes are made of stay."""
    for each in model.graph.initializer:
        count = 1
        for size in each.dims:
            count *= max(size, 0)
        if count > MAX_NUMBERS:
            each.ClearField("raw_data")
            for field in ("float_data", "int32_data", "int64_data", "double_data"):
                each.ClearField(field)
