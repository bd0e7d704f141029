"""The source of the modules that torch.nn has not, as their layer types declare it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from functools import cache

from . import OWN_MODULES


@cache
def own_class(name: str) -> str:
    """The source of a layer that torch.nn has no module for, as its layer type declares it."""
    declared = textwrap.dedent(inspect.getsource(OWN_MODULES[name]))
    for node in ast.walk(ast.parse(declared)):
        if isinstance(node, ast.ClassDef) and node.name == name:
            source = textwrap.dedent(" " * node.col_offset + (ast.get_source_segment(declared, node) or ""))
            return re.sub(r"  # type: ignore\[[^\]]*\]", "", source)
    raise LookupError(name)
