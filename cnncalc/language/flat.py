"""A graph written down as a spec again: every layer by itself, all blocks, repeats and expressions worked out."""

from __future__ import annotations

from typing import Any

from ..errors import usage_error
from ..graph import Graph, Layer
from ..names import LONGEST
from ..ops import MERGES, REGISTRY, Op
from .flow import flow
from .items import BESIDE, GROUPS


class _Tree(dict[str, Any]):
    """The layers of a group by name; a value is a tree again, or the number of a node."""


def flat(graph: Graph) -> str:
    r"""The flat network as a spec, which gives the same figures; raises `SpecError` for layers that are not known.

    >>> from cnncalc.language.model import load
    >>> flat(load("perceptron")).split("layers:")[1].split("\n")[1].strip()
    'unit: {Linear: {out_features: 1}}'
    """
    return _Writer(graph).text()


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes = {layer.name: number for number, layer in enumerate(graph.nodes)}
        self.declared: dict[str, tuple[str, dict[str, Any]]] = {}
        self.types = {layer.type for layer in graph.layers}
        self._taken = {*REGISTRY, *GROUPS, *BESIDE}
        for layer in graph.layers:
            if layer.op is None or layer.shape is None:
                message = f"{layer.name} is not known, so the network cannot be written down whole"
                raise usage_error(message, "`cnncalc shapes` says what is missing", where=graph.source.name)

    def text(self) -> str:
        graph = self.graph
        lines = [f"name: {flow(graph.name + (f' ({graph.variant})' if graph.variant else ''))}"]
        facts = {"source": graph.about, "year": graph.year, "task": graph.task}
        lines += [f"{key}: {flow(value)}" for key, value in facts.items() if value]
        shapes = {node.name: list(node.shape or ()) for node in graph.inputs}
        named = len(shapes) > 1 or next(iter(shapes)) != "input"
        lines.append(f"input: {flow(shapes if named else shapes['input'])}")
        tree = _Tree()
        for number, parts in enumerate(graph.levels(), graph.input_count):
            self._place(tree, parts, number)
        body = list(self._layers(tree, "", "  "))
        if self.declared:
            lines += ["", "types:"]
            lines += [f"  {name}: {flow(figures)}" for name, figures in self.declared.values()]
        lines += ["", "layers:", *body] if body else ["", "layers: []"]
        results = [graph.nodes[i].name for i in graph.outputs]
        if graph.outputs != (len(graph.nodes) - 1,):
            lines += ["", f"outputs: {flow(results)}"]
        claims = {claim.quantity: claim.value for claim in graph.claims if not claim.name}
        if claims:
            sources = list(dict.fromkeys(claim.source for claim in graph.claims if not claim.name and claim.source))
            lines += ["", f"expect: {flow(claims | ({'source': '; '.join(sources)} if sources else {}))}"]
        return "\n".join(lines) + "\n"

    @staticmethod
    def _place(tree: _Tree, parts: tuple[str, ...], number: int) -> None:
        *path, last = parts
        for part in path:
            tree = tree.setdefault(part, _Tree())
        tree[last] = number

    def _layers(self, tree: _Tree, scope: str, indent: str) -> Any:
        for name, inside in tree.items():
            word = name in REGISTRY or name in (*GROUPS, *BESIDE, "use", "branch") or name in self.types
            key = name if name.isdigit() else flow(f".{name}" if word else name)
            if isinstance(inside, _Tree):
                yield f"{indent}{key}:"
                yield from self._layers(inside, f"{scope}.{name}" if scope else name, indent + "  ")
            else:
                yield f"{indent}{key}: {self._layer(self.graph.nodes[inside], inside, scope)}"

    def _layer(self, layer: Layer, number: int, scope: str) -> str:
        op = layer.op
        assert op is not None
        if layer.shares >= 0 and layer.type not in MERGES:
            return self._used(layer, number, scope)
        kind, arguments = self._described(layer, op)
        if kind in MERGES:
            beside = "".join(f", {name}: {flow(value)}" for name, value in arguments.items())
            branches = [self._reference(i, scope) for i in layer.inputs]
            return f"{{{kind}: {flow(branches)}{beside}}}"
        body = f"{{{kind}: {flow(arguments)}" if arguments else f"{{{kind}: {{}}"
        beside = self._beside(layer, number, scope)
        return f"{body}{beside}}}" if arguments or beside else kind

    def _used(self, layer: Layer, number: int, scope: str) -> str:
        """A layer that is used again, by the full path of the first."""
        first = flow(f".{self.graph.nodes[layer.shares].name}")
        return f"{{use: {first}{self._beside(layer, number, scope)}}}"

    def _beside(self, layer: Layer, number: int, scope: str) -> str:
        """What stands beside a layer: where its inputs come from, if not from the one before, and its note."""
        alone = number == self.graph.input_count > 1  # the first layer of several inputs follows none of them
        beside = ""
        if layer.inputs != (number - 1,) or alone:
            sources = [self._reference(i, scope) for i in layer.inputs]
            beside = f", from: {flow(sources[0] if len(sources) == 1 else sources)}"
        return beside + (f", note: {flow(layer.note)}" if layer.note else "")

    def _described(self, layer: Layer, op: Op) -> tuple[str, dict[str, Any]]:
        """The type, and the arguments that are not its defaults; what a spec declares keeps its figures as a type."""
        if not layer.is_declared:
            stated = {argument.name: getattr(op, argument.name) for argument in op.arguments()}
            defaults = {argument.name: argument.default for argument in op.arguments() if not argument.required}
            known = {argument.name for argument in op.arguments() if argument.inferred}
            found = {}
            for argument in op.arguments():
                value, default = _plain(stated[argument.name]), _plain(defaults.get(argument.name, ...))
                spread = isinstance(value, list) and all(part == value[0] for part in value)
                if spread and "one for each axis" in argument.kind.expects:
                    value = value[0]
                if value != default and (argument.name not in known or self._matters(layer, op, argument.name)):
                    found[argument.name] = value
            return layer.type, found
        figures = {argument.name: _plain(getattr(op, argument.name)) for argument in op.arguments()}
        if figures["inputs"] == 1:
            del figures["inputs"]
        figures = {"shape": figures.pop("out"), **{key: value for key, value in figures.items() if value is not None}}
        key = repr((layer.type, figures))
        if key not in self.declared:
            name, number = layer.type, 2
            while name in self._taken or (name in self.types and name != layer.type):
                name, number = f"{layer.type[: LONGEST - 10]}_{number}", number + 1
            self._taken.add(name)
            self.declared[key] = name, figures
        return self.declared[key][0], {}

    def _matters(self, layer: Layer, op: Op, name: str) -> bool:
        """Whether a layer would be another without an argument that the graph can work out."""
        shapes = [shape for shape in self.graph.shapes_into(layer) if shape is not None]
        stated = {each.name: getattr(op, each.name) for each in op.arguments()}
        return bool(type(op)(**{**stated, name: None}).infer(*shapes).get(name) != stated[name])

    def _reference(self, number: int, scope: str) -> str:
        """A name for a node that is understood in a scope: names are looked for in the nearest scope, then outward."""
        path = self.graph.nodes[number].name
        parts = path.split(".")
        for start in range(len(parts) - 1, -1, -1):
            name = ".".join(parts[start:])
            if self._found(name, scope) == path:
                return name
        return f".{path}"

    def _found(self, name: str, scope: str) -> str | None:
        parts = scope.split(".") if scope else []
        for length in range(len(parts), -1, -1):
            path = ".".join([*parts[:length], name])
            if path in self.nodes or path in self.graph.groups:
                return path
        return None


def _plain(value: Any) -> Any:
    """A value as a spec has it."""
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    return value
