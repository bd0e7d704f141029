"""The spec of one candidate: the text of the space's spec, with the candidate's numbers in it."""

from __future__ import annotations

import json
from typing import Any

from ..errors import Source, usage_error
from ..language.model import load
from ..language.reader import Mapping, Node, Scalar, Sequence
from .space import Space


def written_spec(space: Space, index: int) -> str:
    """The text of a spec that is this candidate, and no family any more; raises `SpecError`."""
    space.setting(index)
    graph = space.graph(space.values(index))
    lines = space.spec.source.text.split("\n")
    root = space.spec.root
    edits: list[tuple[int, int, int, str]] = []
    args = root.get("args")
    for name, _, node in args.items() if isinstance(args, Mapping) else ():
        edits += _edits(node, graph.args[name])
    given = root.get("input")
    if isinstance(given, Sequence):
        edits += _edits(given, list(graph.inputs[0].shape or ()))
    for line, column, length, value in sorted(edits, reverse=True):
        text = lines[line - 1]
        lines[line - 1] = text[: column - 1] + value + text[column - 1 + length :]
    text = "\n".join(lines)
    made = Source(space.spec.source.name, text)
    if load(made).nodes != graph.nodes:
        hint = "--set gives them to any command"
        raise usage_error("the values of this spec cannot be written where they stand", hint)
    return text


def _edits(node: Node, value: Any) -> list[tuple[int, int, int, str]]:
    """Where a value stands in the text, how long it is, and what is to stand there."""
    if isinstance(node, Scalar):
        if node.value == value and type(node.value) is type(value):
            return []
        return [(node.place.line, node.place.column, len(node.text), json.dumps(value))]
    if isinstance(node, Sequence) and isinstance(value, list) and len(value) == len(node.items):
        return [edit for item, each in zip(node.items, value, strict=True) for edit in _edits(item, each)]
    return []
