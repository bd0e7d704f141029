"""What a model computes, by torch.export, as plain data."""

from __future__ import annotations

import linecache
import os
from typing import Any

from .common import BATCH, GIVEN, Refused, first_line, frame_of, has_lazy, short

#: Attributes of modules that may lend their names to the arguments of blocks.
MOST_ATTRIBUTES = 60


def export(torch: Any, model: Any, tensors: dict[str, Any], request: dict[str, Any]) -> Any:
    """The model's operations; raises `Refused` with the line that stands in the way."""
    import warnings

    if has_lazy(model):
        with torch.no_grad():
            model(**tensors)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(model, (), dict(tensors), strict=False)
    except Exception as error:
        name, where = type(error).__name__, frame_of(error, request)
        if "GuardOnDataDependent" in name or "data-dependent" in str(error) or "Could not guard on" in str(error):
            line = linecache.getline(where.rpartition(":")[0], int(where.rpartition(":")[2])).strip() if where else ""
            hint = "decide it before the network runs, or import the part that does not ask"
            raise Refused(f"which way it takes depends on the data{': ' + line if line else ''}", hint, where) from None
        if isinstance(error, RuntimeError) and any(word in str(error) for word in ("shape", "size", "dim")):
            raise Refused(
                f"the input does not fit: {first_line(error)}", "--input CxHxW says another size", where
            ) from None
        raise


def written(
    torch: Any, model: Any, exported: Any, inputs: dict[str, Any], title: str, request: dict[str, Any]
) -> dict[str, Any]:
    """The exported graph as plain data."""
    signature = exported.graph_signature
    kinds = {"PARAMETER": "parameter", "BUFFER": "buffer", "CONSTANT_TENSOR": "constant"}
    state = {**dict(exported.named_parameters()), **dict(exported.named_buffers()), **exported.constants}
    tensors, users, nodes, outputs = {}, [], [], []
    names = {}
    for spec in signature.input_specs:
        kind = spec.kind.name
        if kind in kinds:
            value = state.get(spec.target)
            names[spec.arg.name] = spec.target
            tensors[spec.target] = {
                "kind": kinds[kind],
                "shape": list(getattr(value, "shape", ())),
                "dtype": str(getattr(value, "dtype", "")).removeprefix("torch."),
                "value": small(torch, value),
            }
        elif kind == "USER_INPUT" and hasattr(spec.arg, "name"):
            users.append(spec.arg.name)
    folder = request.get("folder", "")
    for node in exported.graph.nodes:
        if node.op == "call_function":
            nodes.append(node_of(torch, node, names, folder))
        elif node.op == "output":
            outputs = list(flattened(node.args[0], names))
    modules = {}
    for path, module in model.named_modules():
        modules[path] = {"class": type(module).__name__, "attributes": attributes(module),
                         "library": type(module).__module__.startswith("torch.nn.")}  # fmt: skip
    registered = [name for name, _ in model.named_parameters(remove_duplicate=False)]
    buffers = [name for name, _ in model.named_buffers(remove_duplicate=False)]
    sizes = {name: list(value.shape) for name, value in model.state_dict().items() if hasattr(value, "shape")}
    return {
        "title": title,
        "batch": BATCH,
        "inputs": [{"name": name, "arg": arg, **inputs[name]} for name, arg in zip(inputs, users, strict=False)],
        "tensors": tensors,
        "nodes": nodes,
        "outputs": outputs,
        "modules": modules,
        "registered": registered + buffers,
        "state": sizes,
        "torch": torch.__version__,
    }


def small(torch: Any, value: Any) -> Any:
    """The value of a tensor with a single number, where it has one."""
    if isinstance(value, torch.Tensor) and value.device.type != "meta" and value.numel() == 1:
        return value.item()
    return None


def attributes(module: Any) -> dict[str, Any]:
    """The whole numbers, switches and pairs that a module keeps of how it was made."""
    kept: dict[str, Any] = {}
    given = GIVEN.get(id(module), (module, {}))[1]
    for name, value in [*given.items(), *list(vars(module).items())[:400]]:
        if name.startswith("_") or name in kept or name in ("training", "call_super_init", "dump_patches"):
            continue
        if isinstance(value, (bool, int, float)) or value is None:
            kept[name] = value
        elif isinstance(value, (tuple, list)) and 0 < len(value) <= 3 and all(isinstance(v, int) for v in value):
            kept[name] = list(value)
        if len(kept) >= MOST_ATTRIBUTES:
            break
    return kept


def flattened(value: Any, names: dict[str, str]) -> Any:
    """The nodes in what a model gives back."""
    if isinstance(value, (tuple, list)):
        for each in value:
            yield from flattened(each, names)
    elif isinstance(value, dict):
        for each in value.values():
            yield from flattened(each, names)
    elif hasattr(value, "op"):
        yield names.get(value.name, value.name)


def node_of(torch: Any, node: Any, names: dict[str, str], folder: str) -> dict[str, Any]:
    """One operation: its name, arguments by name, shapes, the modules that it ran in, and the user's line."""
    schema = getattr(node.target, "_schema", None)
    given: dict[str, Any] = {}
    if schema is None:
        given = {str(i): plain(torch, value, names) for i, value in enumerate(node.args)}
    else:
        for argument, value in zip(schema.arguments, node.args, strict=False):
            given[argument.name] = plain(torch, value, names)
    given |= {key: plain(torch, value, names) for key, value in node.kwargs.items()}
    stack = node.meta.get("nn_module_stack") or {}
    value = node.meta.get("val")
    several = isinstance(value, (tuple, list))
    return {
        "name": node.name,
        "op": str(node.target).removeprefix("aten.") if schema is not None else getattr(node.target, "__name__", "?"),
        "given": given,
        "shape": [shape_of(each) for each in value] if several else shape_of(value),
        "modules": [[key, path, str(kind).rpartition(".")[2].rstrip("'>")] for key, (path, kind) in stack.items()],
        "line": line_of(node.meta.get("stack_trace") or "", folder),
    }


def shape_of(value: Any) -> Any:
    """The shape of a tensor, batch included; None for what is none."""
    return [int(size) for size in value.shape] if hasattr(value, "shape") else None


def plain(torch: Any, value: Any, names: dict[str, str]) -> Any:
    """An argument as plain data: tensors by name."""
    if hasattr(value, "op") and hasattr(value, "name"):
        return {"tensor": names.get(value.name, value.name), "state": value.name in names}
    if isinstance(value, (tuple, list)):
        return [plain(torch, each, names) for each in value]
    if isinstance(value, (bool, int, float, str)) or value is None:
        return value
    if isinstance(value, (torch.dtype, torch.device, torch.layout, torch.memory_format)):
        return str(value)
    return str(value)[:100]


def line_of(stack: str, folder: str) -> str:
    """The innermost line of the user's own files in a stack trace, or of any file but PyTorch's."""
    lines = [line.strip() for line in stack.splitlines() if line.strip().startswith("File ")]
    places = []
    for line in lines:
        _, file, rest = [*line.split('"'), "", ""][:3]
        number = rest.partition("line ")[2].partition(",")[0]
        if "/torch/" not in file:
            places.append((file, number))
    own = [each for each in places if folder and os.path.abspath(each[0]).startswith(os.path.abspath(folder))
           and "site-packages" not in each[0]]  # fmt: skip
    file, number = (own or places or [("", "")])[-1]
    return f"{short(file)}:{number}" if file and own else ""
