"""What all kinds of source have in common: their head, and what they refuse."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache

from ..errors import Problem, SpecError
from ..graph import Graph
from ..ops import REGISTRY
from ..printable import printable

#: The layer types whose modules are copied into the source, since torch.nn has none for them.
OWN = tuple(name for name, cls in REGISTRY.items() if cls.torch_module is not None)

#: Names that the source has a use for itself, and that no class, parameter or variable of a network may take.
RESERVED = frozenset(
    ["torch", "nn", "F", "Tensor", "OrderedDict", "self", "super", "range", "slice", "print", "sum", "i", "_", "each"]
)

#: Names that nn.Module uses itself. (`cnncalc.build` asks PyTorch; here there may be none.)
TAKEN = frozenset(
    [
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "get_buffer",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    ]
)


def docstring(graph: Graph, *more: str) -> str:
    """The text at the head of a file: name, variant and source of a network."""
    title = graph.name + (f" ({graph.variant})" if graph.variant else "") + "."
    parts = [" ".join(printable(each).split()) for each in (title, graph.about, *more) if each]
    return "\n\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """A docstring as source: `repr` of each line, between triple quotes."""
    return '"""' + "\n".join(repr(line)[1:-1] for line in text.split("\n")).replace('"""', r"\"\"\"") + '"""'


def refuse_what_has_no_source(graph: Graph, framework: str) -> None:
    """Raise `SpecError` for what is unknown or only declared, and for names that no spec can hold."""
    problems = [*graph.errors, *graph.strange_names()]
    seen = set()
    for layer in graph.layers:
        for part in layer.name.split("."):
            if framework == "PyTorch" and part not in seen and (part in TAKEN or part.startswith("_")):
                seen.add(part)
                message = (
                    f"no layer of a PyTorch module may be called {part}, which is something else: nn.Module.{part}"
                )
                problems.append(Problem("unbuildable", message, graph.source, layer.place, (), "give it another name"))
        if layer.op is not None and layer.type not in REGISTRY and layer.type not in seen:
            seen.add(layer.type)
            message = f"{layer.type} is declared in the spec, and {framework} has no such layer"
            problems.append(Problem("unbuildable", message, graph.source, layer.place))
    if problems:
        raise SpecError(problems)


@cache
def own_class(name: str) -> str:
    """The source of a layer that torch.nn has no module for, as its layer type declares it."""
    declared = textwrap.dedent(inspect.getsource(REGISTRY[name].torch_module or REGISTRY[name]))
    for node in ast.walk(ast.parse(declared)):
        if isinstance(node, ast.ClassDef) and node.name == name:
            source = textwrap.dedent(" " * node.col_offset + (ast.get_source_segment(declared, node) or ""))
            return re.sub(r"  # type: ignore\[[^\]]*\]", "", source)
    raise LookupError(name)
