"""Bodies for the layer types that a spec declares: classes of a Python file that the command line names.

The file is run as a program. A spec never names it: only who starts cnncalc does.
"""

from __future__ import annotations

import copy
import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

from torch import nn

from ..errors import usage_error
from ..graph import Graph
from ..language.declared import Declared
from ..names import is_word


def with_modules(graph: Graph, path: str) -> tuple[Graph, dict[str, type[nn.Module]]]:
    """A graph whose declared layers know what their classes in a file want, and these classes by their names.

    Raises `SpecError` for a file that cannot be run, or that has none of the classes.
    """
    if not path:
        return graph, {}
    found = read_modules(path)
    wanted = {layer.type for layer in graph.layers if layer.is_declared}
    used = {name: cls for name, cls in found.items() if name in wanted}
    if not used:
        declared = ", ".join(sorted(wanted)) or "no layer type"
        has = ", ".join(sorted(found)) or "no nn.Module"
        raise usage_error(
            f"none of its classes is a type of the spec: it has {has}", f"the spec declares {declared}", where=path
        )
    new = copy.copy(graph)
    accepts = {name: tuple(inspect.signature(cls).parameters) for name, cls in used.items()}
    new.nodes = [
        layer._replace(op=layer.op.accepting(accepts[layer.type]))
        if isinstance(layer.op, Declared) and layer.type in accepts
        else layer
        for layer in graph.nodes
    ]
    return new, used


def read_modules(path: str) -> dict[str, type[nn.Module]]:
    """The classes of a Python file that are modules, by their names; the file is run."""
    name = Path(path).stem
    if Path(path).suffix != ".py" or not is_word(name):
        raise usage_error("is no Python file that can be imported", "--modules mylayers.py", where=path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not Path(path).is_file():
        raise usage_error("cannot be read: there is no such file", "--modules mylayers.py", where=path)
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever somebody's file raises
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise usage_error(f"cannot be run: {said}", "run it by itself to see where", where=path) from None
    finally:
        if before is not None:
            sys.modules[name] = before
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, nn.Module)
        and is_word(name)
        and value.__module__ == module.__name__
    }


def made(cls: type[nn.Module], type_: str, arguments: dict[str, Any], path: str) -> nn.Module:
    """A module of such a class; raises `SpecError` where it cannot be made."""
    try:
        return cls(**arguments)
    except Exception as error:  # whatever somebody's class raises
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise usage_error(f"{type_} cannot be made of {arguments}: {said}", where=path) from None
