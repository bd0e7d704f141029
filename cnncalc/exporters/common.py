"""What all kinds of source have in common: their head, and what they refuse."""

from __future__ import annotations

from collections.abc import Collection
from keyword import iskeyword

from ..errors import Problem, SpecError
from ..graph import Graph
from ..names import refused_by_torch
from ..printable import printable

#: Names that the source has a use for itself, and that no class, parameter or variable of a network may take.
RESERVED = frozenset(
    ["torch", "nn", "F", "Tensor", "OrderedDict", "self", "super", "range", "slice", "print", "sum", "i", "_", "each"]
)


def docstring(graph: Graph, *more: str) -> str:
    """The text at the head of a file: name, variant and source of a network."""
    title = graph.name + (f" ({graph.variant})" if graph.variant else "") + "."
    parts = [" ".join(printable(each).split()) for each in (title, graph.about, *more) if each]
    return "\n\n".join(parts) + "\n"


def quoted(text: str) -> str:
    """A docstring as source: `repr` of each line, between triple quotes."""
    return '"""' + "\n".join(repr(line)[1:-1] for line in text.split("\n")).replace('"""', r"\"\"\"") + '"""'


def refuse_what_has_no_source(graph: Graph, framework: str, own: Collection[str] = ()) -> None:
    """Raise `SpecError` for what is unknown or only declared, and for names that no spec can hold."""
    problems = [*graph.errors, *graph.strange_names()]
    seen = set()
    for layer in graph.layers:
        for part in layer.name.split("."):
            other = refused_by_torch(part) if framework == "PyTorch" and part not in seen else ""
            if other and not iskeyword(part):  # a word of Python can be the name of a layer, if not of an attribute
                seen.add(part)
                message = f"no layer of a PyTorch module may be called {part}, which is {other}"
                problems.append(Problem("unbuildable", message, graph.source, layer.place, (), "give it another name"))
        if layer.is_declared and layer.type not in seen and layer.type not in own:
            seen.add(layer.type)
            message = f"{layer.type} is declared in the spec, and {framework} has no such layer"
            problems.append(Problem("unbuildable", message, graph.source, layer.place))
    if problems:
        raise SpecError(problems)
