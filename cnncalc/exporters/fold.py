"""A flat graph, folded back into the parts that a person would give names to.

Groups and uses of blocks become scopes. Scopes of the same form are one class, and what differs between its instances
becomes the class's parameters.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from ..graph import Graph
from .outline import Leaf, Scope, inputs_of
from .sharing import call_again, relative, without_own_class


def outline(graph: Graph) -> Scope:
    """The scopes of a graph."""
    root = Scope("", "", graph.args)
    pools = {graph.owner(each.inputs[1]) for each in graph.layers if each.op is not None and each.op.places_of}
    loose = without_own_class(graph)
    for node in range(graph.input_count, len(graph.nodes)):
        layer = graph.nodes[node]
        shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
        scope = _place(graph, root, layer.name, loose)
        owner = graph.owner(node)
        of = relative(graph.nodes[owner].name, scope) if owner != node else ""
        leaf = Leaf(node, layer, shapes, relative(layer.name, scope), owner in pools)
        leaf.of = of if leaf.has_module or leaf.is_own else ""
        scope.parts.append(leaf)
    users: dict[int, list[int]] = {}
    for node, layer in enumerate(graph.nodes):
        for i in inputs_of(layer):
            users.setdefault(i, []).append(node)
    for i in graph.outputs:
        users.setdefault(i, []).append(len(graph.nodes))
    _connect(root, users)
    call_again(graph, root)
    for scope in root.scopes():
        first = graph.nodes[scope.inputs[0]].shape if scope.inputs and scope.inputs[0] >= 0 else None
        scope.channels = first[0] if first else 0
    root.inputs, root.results = tuple(range(graph.input_count)), graph.outputs
    return root


def _place(graph: Graph, root: Scope, name: str, loose: Container[str]) -> Scope:
    """The scope that a layer belongs to: one whose parts stand together, so the last of its parent or a new one."""
    scope, path = root, ""
    for part in name.split(".")[:-1]:
        path = f"{path}.{part}" if path else part
        if path in loose:
            continue
        last = scope.parts[-1] if scope.parts else None
        if not isinstance(last, Scope) or last.path != path:
            group = graph.groups.get(path)
            last = Scope(path, "", {}, None, scope)
            if group:
                last = Scope(path, group.block, group.arguments, group.place, scope)
            scope.parts.append(last)
        scope = last
    return scope


def _connect(scope: Scope, users: Mapping[int, Sequence[int]]) -> None:
    inside: set[int] = set()
    inputs: list[int] = []
    for part in scope.parts:
        if isinstance(part, Scope):
            _connect(part, users)
        inputs += [i for i in part.inputs if i not in inside]
        leaves = part.leaves() if isinstance(part, Scope) else [part]
        inside |= {node for leaf in leaves for node in leaf.results}
    scope.inputs = tuple(dict.fromkeys(inputs))
    made = [node for part in scope.parts for node in part.results]
    scope.results = tuple(node for node in made if any(user not in inside for user in users.get(node, ())))
    if not scope.results:
        scope.results = tuple(made[-1:])
