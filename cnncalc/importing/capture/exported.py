"""What a model computes, by torch.export, as plain data."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import linecache
import operator
import os
import re
from typing import Any

from .common import BATCH, GIVEN, Depends, Refused, first_line, frame_of, has_lazy, is_users, short

DECIDE = "decide it before the network runs, or import the part that does not ask"
#: What runs in a region of its own, and what is to be said of it.
REGIONS = {
    "wrap_with_set_grad_enabled": "parts run without gradients (torch.no_grad): they are counted as all others, "
    "also in training, where --freeze names what is not trained",
    "wrap_with_autocast": "parts run under autocast: they are counted in the type of the network",
}
#: Attributes of modules that may lend their names to the arguments of blocks.
MOST_ATTRIBUTES = 60
#: Numbers of a table that is kept of how a module was made.
MOST_NUMBERS = 1_000


def export(torch: Any, model: Any, tensors: dict[str, Any]) -> Any:
    """The model's operations; raises `Refused` with the line that stands in the way."""
    import warnings

    if has_lazy(model):
        with torch.no_grad():
            positional, named = arguments(model, tensors)
            model(*positional, **named)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.export.export(model, *arguments(model, tensors), strict=False)
    except Exception as error:
        name, where = type(error).__name__, frame_of(error)
        line = linecache.getline(where.rpartition(":")[0], int(where.rpartition(":")[2])).strip() if where else ""
        said = f": {line}" if line else ""
        if "GuardOnDataDependent" in name or "data-dependent" in str(error) or "Could not guard on" in str(error):
            hint = "PYTHONOPTIMIZE=1 in the environment leaves assertions out" if line.startswith("assert") else DECIDE
            raise Depends(f"which way it takes depends on the data{said}", hint, where) from None
        if ".numpy()" in str(error):
            hint = "if not torch.compiler.is_exporting(): before it leaves it out"
            raise Refused(f"it asks for the values of a tensor{said}", hint, where) from None
        if "found a fake tensor in the exported program" in str(error):
            hint = "work on the tensor itself, under torch.no_grad() where no gradients are wanted"
            where, said = line_with(r"\.data\b", model)
            raise Refused(f"it works on a tensor that PyTorch cannot follow, as .data is{said}", hint, where) from None
        if isinstance(error, RuntimeError) and any(word in str(error) for word in ("shape", "size", "dim")):
            raise Refused(
                f"the input does not fit: {first_line(error)}", "--input CxHxW says another size", where
            ) from None
        raise


def line_with(pattern: str, model: Any) -> tuple[str, str]:
    """The first line of the user's own modules that a pattern is found in: its place, and what stands there."""
    forwards: dict[Any, None] = dict.fromkeys(type(module).forward for module in model.modules())
    for forward in forwards:
        try:
            file, (lines, first) = inspect.getsourcefile(forward) or "", inspect.getsourcelines(forward)
        except (OSError, TypeError):  # no source, or none of Python's
            continue
        for number, line in enumerate(lines if is_users(file) else ()):
            if re.search(pattern, line.partition("#")[0]):
                return f"{short(file)}:{first + number}", f": {line.strip()}"
    return "", ""


def arguments(model: Any, tensors: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The inputs as a model takes them: by name, or one after the other, as `forward(self, *images)` does."""
    kinds = [each.kind for each in inspect.signature(model.forward).parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL in kinds and inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds:
        return tuple(tensors.values()), {}
    return (), dict(tensors)


def without_regions(torch: Any, module: Any) -> tuple[Any, list[str]]:
    """The operations of a graph with those that run under `no_grad` or `autocast` among them, and what to say of it."""
    if not any(getattr(node.target, "__name__", "") in REGIONS for node in module.graph.nodes):
        return module.graph, []
    made, notes = torch.fx.Graph(), dict[str, None]()

    def copied(owner: Any, known: dict[Any, Any]) -> Any:
        for node in owner.graph.nodes:
            note = REGIONS.get(getattr(node.target, "__name__", ""))
            if (node.op == "placeholder" and node in known) or (node.op == "get_attr" and is_region(owner, node)):
                continue
            if node.op == "output":
                return torch.fx.map_arg(node.args[0], known.__getitem__)
            if note and node.op == "call_function":
                place = next(i for i, each in enumerate(node.args) if is_region(owner, each))
                inner = getattr(owner, node.args[place].target)
                outer = [known[each] for each in node.args[place + 1 :]]
                places = [each for each in inner.graph.nodes if each.op == "placeholder"]
                known[node] = copied(inner, dict(zip(places, outer, strict=True)))
                notes[note] = None
            elif node.target is operator.getitem and isinstance(known[node.args[0]], (tuple, list)):
                known[node] = known[node.args[0]][node.args[1]]
            else:
                known[node] = made.node_copy(node, known.__getitem__)
                if node.op == "placeholder":
                    known[node].name = node.name  # the signature calls it so
        raise AssertionError("a graph without outputs")

    made.output(copied(module, {}))
    return made, list(notes)


def is_region(owner: Any, node: Any) -> bool:
    """Whether a node stands for the operations of a region."""
    return getattr(node, "op", "") == "get_attr" and hasattr(getattr(owner, str(node.target), None), "graph")


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
    graph, notes = without_regions(torch, exported.graph_module)
    for node in graph.nodes:
        if node.op == "call_function":
            try:
                nodes.append(node_of(torch, node, names, folder))
            except Exception as error:  # a size that is no number
                if "data-dependent" not in str(error):
                    raise
                line = line_of(node.meta.get("stack_trace") or "", folder)
                raise Refused(f"how much {node.name} gives depends on the data", DECIDE, line) from None
        elif node.op == "output":
            outputs = list(flattened(node.args[0], names))
    modules = {}
    for path, module in model.named_modules():
        made: Any = type(module)
        modules[path] = {"class": made.__name__, "attributes": attributes(module),
                         "library": made.__module__.startswith("torch.nn."), "source": digest(made)}  # fmt: skip
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
        "notes": [*notes, *frozen(model)],
        "torch": torch.__version__,
    }


def frozen(model: Any) -> list[str]:
    """What is to be said of parameters that are not trained: the largest modules of which none is, and single ones."""
    loose = {name for name, each in model.named_parameters() if not each.requires_grad}
    names: list[str] = []
    for path, module in model.named_modules() if loose else ():
        own = {f"{path}.{name}" if path else name for name, _ in module.named_parameters()}
        if own and own <= loose:
            names.append(path)
            loose -= own
    if not names and not loose:
        return []
    if names == [""]:
        return ["no parameter is trained in the model: requires_grad is off"]
    said = f"not trained in the model: {', '.join([*names, *sorted(loose)][:4])}{' …' * (len(names) + len(loose) > 4)}"
    return [said + f"; --freeze {','.join(names[:4])} counts a training step so" * bool(names)]


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
        elif isinstance(value, (tuple, list)) and len(value) <= 3 and all(isinstance(v, int) for v in value):
            kept[name] = list(value)
        elif is_table(value):
            kept[name] = [list(row) for row in value]
        if len(kept) >= MOST_ATTRIBUTES:
            break
    return kept


def is_table(value: Any) -> bool:
    """Whether a value is a table of whole numbers, and no large one."""
    rows = value if isinstance(value, (tuple, list)) and 0 < len(value) <= MOST_NUMBERS else ()
    table = bool(rows) and all(isinstance(row, (tuple, list)) for row in rows)
    return table and sum(map(len, rows)) <= MOST_NUMBERS and all(type(each) is int for row in rows for each in row)


@functools.cache
def digest(kind: type) -> str:
    """What tells the source of a class from any other; nothing for PyTorch's own, and where there is none."""
    if kind.__module__.startswith("torch."):
        return ""
    try:
        source = classes_in(inspect.getfile(kind))[kind.__qualname__]
    except (OSError, TypeError, KeyError):
        return ""
    return hashlib.sha256(source.strip().encode()).hexdigest()


@functools.cache
def classes_in(file: str) -> dict[str, str]:
    """The source of each class of a file by its qualified name, which `inspect` would read the whole file for again."""
    lines = linecache.getlines(file)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found: dict[str, str] = {}
    parts: list[tuple[ast.AST, str]] = [(tree, "")]
    for part, path in parts:
        for node in ast.iter_child_nodes(part):
            if isinstance(node, ast.ClassDef):
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                found[path + node.name] = "".join(lines[first - 1 : node.end_lineno])
                parts.append((node, f"{path}{node.name}."))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                parts.append((node, f"{path}{node.name}.<locals>."))
            else:
                parts.append((node, path))
    return found


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
        "op": called(node.target, schema),
        "given": given,
        "shape": [shape_of(each) for each in value] if several else shape_of(value),
        "modules": [[key, path, str(kind).rpartition(".")[2].rstrip("'>")] for key, (path, kind) in stack.items()],
        "line": line_of(node.meta.get("stack_trace") or "", folder),
    }


def called(target: Any, schema: Any) -> str:
    """The name of an operation: `conv2d.default` of PyTorch's own, `mine::fused` of others, that of a function."""
    if schema is None:
        return str(getattr(target, "__name__", "?"))
    return str(target).removeprefix("aten.") if str(schema.name).startswith("aten::") else str(schema.name)


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
