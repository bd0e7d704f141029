"""What is used again, in a network that is folded into classes: calls of modules that are there already.

Where a class would have to call a module outside of itself, it is no class: its parts belong to what stands around it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..graph import Graph, Layer
from .outline import Leaf, Scope, places


def without_own_class(graph: Graph) -> set[str]:
    """The paths that are no classes: lists of modules that do not run in a row, and what calls a module outside."""
    return graph.loose() | {path for layer in graph.layers for path in _reaching_out(graph, layer)}


def _reaching_out(graph: Graph, layer: Layer) -> Iterator[str]:
    """The parts around a layer that is used again in which what it is does not stand."""
    if layer.shares < 0:
        return
    path, target = layer.name, graph.nodes[layer.shares].name
    for around in _around(layer.name):
        if around in graph.uses:
            path, target = around, graph.uses[around]
            break
    holders = set(_around(target))
    yield from (each for each in _around(path) if each not in holders)


def _around(name: str) -> Iterator[str]:
    """The paths of the parts in which a layer stands, the outer ones first."""
    end = name.find(".")
    while end >= 0:
        yield name[:end]
        end = name.find(".", end + 1)


def call_again(graph: Graph, root: Scope) -> None:
    """Put calls in place of the parts that are another once more."""
    scopes = {scope.path: scope for scope in root.scopes()}
    for scope in list(root.scopes()):
        parts: list[Leaf | Scope] = []
        for part in scope.parts:
            parts += _calls(graph, scope, part, scopes)
        scope.parts = parts


def _calls(graph: Graph, around: Scope, part: Leaf | Scope, scopes: dict[str, Scope]) -> list[Leaf | Scope]:
    """A part as it stands in a scope: itself, a call, or what it is made of where one call cannot do it."""
    if isinstance(part, Leaf) or part.path not in graph.uses:
        return [part]
    target = scopes.get(graph.uses[part.path])
    again = None if target is None else _as_call(around, part, target)
    if again is not None:
        return [again]
    found: list[Leaf | Scope] = []
    for inner in part.parts:
        inner.name = f"{part.name}.{inner.name}"
        if isinstance(inner, Scope):
            inner.parent = around
        else:
            inner.of = inner.of and relative(graph.nodes[inner.layer.shares].name, around)
        found += _calls(graph, around, inner, scopes)
    return found


def _as_call(around: Scope, part: Scope, target: Scope) -> Leaf | None:
    """One call of a module that does what a part does; None where its results are not those that are needed."""
    first, new = list(target.leaves()), list(part.leaves())
    if not first or [leaf.border for leaf in first] != [leaf.border for leaf in new]:
        return None  # what is put around the input follows its size
    moved = {before.node: after.node for before, after in zip(first, new, strict=True)}
    moved |= {places(before): places(after) for before, after in moved.items()}
    results = tuple(moved[node] for node in target.results)
    if len(target.inputs) != len(part.inputs) or not set(part.results) <= set(results):
        return None
    return Leaf.again(new[-1], part, relative(target.path, around), results)


def relative(path: str, scope: Scope) -> str:
    """A path as it is said in a scope that it stands in."""
    return path.removeprefix(f"{scope.path}.") if scope.path else path
