"""YAML files of teachers and students: bounded as specs are, and every scalar as it was typed where that matters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import Source, SpecError, usage_error
from ..language.reader import Mapping, Node, Scalar, Sequence, read, read_file_text


def load(path: str | Path) -> Mapping:
    """The mapping in a YAML file; raises `SpecError` with the place, the cause and the way out."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror}", where=str(path)) from None
    return mapping(read_file_text(data, str(path)))


def mapping(source: Source) -> Mapping:
    """The mapping in a YAML text; raises `SpecError`."""
    root = read(source)
    if not isinstance(root, Mapping):
        raise usage_error("holds no names with values", "name: value", where=source.name)
    return root


def plain(node: Node) -> Any:
    """A node as plain data."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, _, value in node.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return node.value


def typed(node: Node | None) -> Any:
    """A node as it was typed: 0x10 and 1:30 are those characters, and what is empty is an empty text."""
    if isinstance(node, Mapping):
        return {key: typed(value) for key, _, value in node.items()}
    if isinstance(node, Sequence):
        return [typed(item) for item in node.items]
    return node.text.strip() if isinstance(node, Scalar) and node.value is not None else ""


def cause(error: SpecError) -> str:
    """What is wrong with a file, in one line."""
    problem = error.problems[0]
    return f"line {problem.place.line}: {problem.message}" if problem.place else problem.message
