"""What is no error but hardly meant: names that nothing uses, outputs that go nowhere, a map into a linear layer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from ..errors import Place, Problem
from ..graph import Graph
from ..names import refused_by_torch
from .items import Block
from .reader import Mapping, Node, Scalar, Sequence

MOST = 20  # of each kind

_NAME = re.compile(r"[^\W\d]\w*")


def words(text: str) -> list[str]:
    """The names in an expression or template.

    >>> words("in_channels * 2 + k"), words("दो + größe")
    (['in_channels', 'k'], ['दो', 'größe'])
    """
    if not text.isascii():  # marks belong to names, but not to what \\w means
        return "".join(character if f"a{character}".isidentifier() else " " for character in text).split()
    return _NAME.findall(text)


def warning(graph: Graph, code: str, message: str, place: Place | None, hint: str = "") -> None:
    """Note a warning, unless there are many already."""
    if sum(each.code == code for each in graph.warnings) < MOST:
        graph.warnings.append(Problem(code, "warning: " + message, graph.source, place, hint=hint))


def warn(graph: Graph, root: Mapping, blocks: dict[str, Block]) -> None:
    """Note all warnings of a finished graph."""
    _dead_ends(graph)
    _names_that_torch_refuses(graph)
    _maps_into_linear_layers(graph)
    _unused_blocks(graph, root, blocks)
    _unused_arguments(graph, root)


def _names_that_torch_refuses(graph: Graph) -> None:
    seen: set[str] = set()
    for layer in graph.layers:
        for part in layer.name.split("."):
            other = refused_by_torch(part) if part not in seen else ""
            seen.add(part)
            if other:
                message = f"a part called {part} cannot be built in PyTorch, where that is {other}"
                warning(graph, "unbuildable-name", message, layer.place, "give it another name")


def _dead_ends(graph: Graph) -> None:
    used = {i for node in graph.nodes for i in node.inputs} | set(graph.outputs)
    for index, layer in enumerate(graph.nodes):
        if index in used:
            continue
        if index < graph.input_count:
            warning(graph, "unused-input", f"nothing uses the input {layer.name}", layer.place)
        elif layer.shape is not None:
            hint = f"a result of the network is named in outputs: [{layer.name}]"
            warning(graph, "dead-end", f"the output of {layer.name} goes nowhere", layer.place, hint)


def _maps_into_linear_layers(graph: Graph) -> None:
    channels_last: set[int] = set()  # where a Permute has put them there, a linear layer is a 1×1 convolution
    for index, layer in enumerate(graph.nodes):
        shape = graph.nodes[layer.inputs[0]].shape if layer.inputs else None
        if layer.type == "Permute":
            turned = getattr(layer.op, "dims", (0,))[-1] == 1
        else:
            turned = any(i in channels_last for i in layer.inputs)
        if turned:
            channels_last.add(index)
        elif layer.type == "Linear" and shape is not None and len(shape) == 3:
            message = f"{layer.name} (Linear) receives a map, and works along its last axis at each other position"
            warning(graph, "linear-on-map", message, layer.place, "Flatten before it makes one vector of the map")


def _unused_blocks(graph: Graph, root: Mapping, blocks: dict[str, Block]) -> None:
    counted, inside_of, _ = _words_in(root)
    for name, block in blocks.items():
        if counted[name] < 2:
            warning(graph, "unused-block", f"nothing uses the block {name}", block.place)
        inside = inside_of.get(name, set())
        for key, _ in block.args:
            if key.text not in inside:
                message = f"block {name} does not use its argument {key.text}"
                warning(graph, "unused-argument", message, key.place)


def _unused_arguments(graph: Graph, root: Mapping) -> None:
    declared = root.get("args")
    if isinstance(declared, Mapping):
        _, _, used = _words_in(root)
        for name, key, _ in declared.items():
            if name not in used:
                warning(graph, "unused-argument", f"nothing uses the argument {name}", key.place)


@lru_cache(maxsize=1)  # the networks of a space are many, and of one spec
def _words_in(root: Mapping) -> tuple[Counter[str], dict[str, set[str]], set[str]]:
    """In how many texts of a spec each word stands; the words that each of its blocks uses, and that all of it does."""
    counted = Counter(word for text in _texts(root, keys=True) for word in set(words(text)))
    blocks = root.get("blocks")
    inside = {name: _used(node) for name, _, node in blocks.items()} if isinstance(blocks, Mapping) else {}
    return counted, inside, _used(root)


def _used(node: Node) -> set[str]:
    return {word for text in _texts(node, keys=False) for word in words(text)}


def _texts(root: Node, keys: bool) -> Iterator[str]:
    """The texts below a node, each aliased part once: values, and keys, of which otherwise only those with braces.

    A bare name in `args` declares and does not use, so it counts only among the keys.
    """
    seen: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Scalar):
            if isinstance(node.value, str):
                yield node.value
        elif isinstance(node, Sequence):
            stack += node.items
        else:
            for key, _, value in node.items():
                if keys or "{" in key:
                    yield key
                if key == "args" and isinstance(value, Sequence) and not keys:
                    stack += [item for item in value.items if not isinstance(item, Scalar)]
                else:
                    stack.append(value)
