"""Operations with their arguments worked out, and nodes with their shapes."""

from __future__ import annotations

from collections.abc import Mapping as Mapping_
from collections.abc import Sequence as Items
from typing import Any

from ..errors import Misfit, did_you_mean
from ..formula import prod
from ..graph import Claim, Group, Layer
from ..names import is_name
from ..ops import REGISTRY, Argument, Op, Shape, value_of
from ..ops.kinds import LARGEST
from ..quantities import readable
from .items import BESIDE, Item
from .reader import Mapping, Node, Scalar
from .workspace import UNKNOWN, Names, Part, Scope, Workspace

MAX_LAYERS = 150_000
MAX_PATH = 400
MAX_AXES = 16
MAX_ORIGINS = 8
MAX_NOTE = 2_000


class Builder:
    """Puts nodes into the graph of a workspace."""

    def __init__(self, space: Workspace) -> None:
        self.space = space
        self._made: dict[Any, Op] = {}
        self._declared: dict[type[Op], tuple[dict[str, Argument], list[Argument]]] = {}
        self._shapes: dict[Any, Shape] = {}
        self._kept: list[Any] = []  # what the ids in _made and _shapes belong to, so that they stay taken

    def make(self, item: Item, options: dict[str, Node], x: int | None, names: Names) -> Op | None:
        """The operation of a type or merge with its arguments worked out; None after an error."""
        cls = REGISTRY[item.name]
        if item.literal and id(item) in self._made:
            return self._made[id(item)]
        declared, required = self._arguments(cls)
        for name, node in options.items():
            if any(bracket in name for bracket in ")]"):
                hint = "inside { }, an expression with , or [ ] wants quotes: {out_channels: 'max(8, c)'}"
                self.space.problem("argument", f"{item.name} has no argument {name}", node.place, hint)
                return None
        values: dict[str, Any] = {}
        good = True
        for name, node in options.items():
            argument = declared.get(name)
            if argument is None:
                place = (
                    item.body.pairs[name][0].place
                    if isinstance(item.body, Mapping) and name in item.body.pairs
                    else node.place
                )
                known = list(declared)
                hint = (
                    did_you_mean(name, known)
                    or self.other_hint(name, item)
                    or (f"it takes {', '.join(known)}" if known else "")
                )
                self.space.problem("argument", f"{item.name} has no argument {name}", place, hint)
                good = False
                continue
            value = self.space.value(node, x, names, words=argument.kind.words)
            good = good and value is not UNKNOWN
            values[name] = value
        for argument in required:
            if argument.name not in options and good:
                self.space.problem(
                    "argument", f"{item.name} wants {argument.name}", item.place, f"{argument.doc}; {cls.example}"
                )
                good = False
        if not good:
            return None
        key = (item.name, repr(values))
        self.space.budget.spend(len(values) + len(key[1]) // 8)
        op = self._made.get(key)
        if op is None:
            self.space.budget.hold(len(key[1]) // 4)
            try:
                op = cls(**values)
            except Misfit as misfit:
                self.misfit(misfit, item, "", ())
                return None
            self._made[key] = op
        if item.literal:
            self._made[id(item)] = op
            self._kept.append(item)
        return op

    def _arguments(self, cls: type[Op]) -> tuple[dict[str, Argument], list[Argument]]:
        """The arguments of a type by their names, and those that must be given."""
        found = self._declared.get(cls)
        if found is None:
            arguments = {each.name: each for each in cls.arguments()}
            found = self._declared[cls] = arguments, [each for each in arguments.values() if each.required]
        return found

    def other_hint(self, name: str, item: Item) -> str:
        if name in BESIDE:
            return f"{name} stands beside {item.name}, not inside: {{{item.name}: {{…}}, {name}: …}}"
        return ""

    def put(
        self, item: Item, name: str, scope: Scope, op: Op | None, inputs: tuple[int, ...], names: Names
    ) -> int | None:
        """A new node of the graph; its shape is unknown where an input's is, or where it does not fit."""
        path = scope.child(name)
        block = self.space.uses[-1].block if self.space.uses else ""
        kind = item.name if item.name in REGISTRY or is_name(item.name) else "unknown"
        index = self.add(item, path, kind, op, inputs, self.note(item), block)
        self.claims(item, path, index, names)
        return index

    def add(
        self,
        item: Item,
        path: str,
        kind: str,
        op: Op | None,
        inputs: tuple[int, ...],
        note: str,
        block: str,
        shares: int = -1,
    ) -> int:
        """A new node, its shape worked out."""
        graph = self.space.graph
        index = len(graph.nodes)
        if index > MAX_LAYERS + graph.input_count:
            raise self.space.too_big(f"more than {MAX_LAYERS:,} layers", item.place)
        self.space.budget.earn()
        self.space.budget.spend(4 * len(inputs))
        shape = None if op is None else self.shape(item, path, op, inputs)
        self.check_path(item, path)
        graph.nodes.append(Layer(path, kind, op, inputs, shape, item.place, note, block, shares))
        self.space.outputs[path] = index
        return index

    def shape(self, item: Item, path: str, op: Op, inputs: tuple[int, ...]) -> Shape | None:
        """What comes out of an operation; None where what goes in is not known, or does not fit."""
        graph = self.space.graph
        if not inputs:
            if not graph.errors:
                known = ", ".join(node.name for node in graph.inputs)
                hint = f"from: or branches name it: {known}"
                self.space.problem("input", f"{self.space.called(path)} has no input", item.place, hint)
            return None
        shapes = tuple(shape for shape in (graph.nodes[i].shape for i in inputs) if shape is not None)
        if len(shapes) < len(inputs):
            return None
        key = (id(op), shapes)
        if key not in self._shapes:
            try:
                if len(shapes) > 1 and not op.many_inputs:
                    raise Misfit(f"{op.type()} takes one input, not {len(shapes)}")
                if op.places_of and [graph.nodes[i].type for i in inputs[1:]] != [op.places_of]:
                    message = f"{op.type()} takes what it enlarges, and the {op.places_of} whose places it goes back to"
                    raise Misfit(message, "from: [conv5, pool5]", code="from")
                op.check(*shapes)
                shape = tuple(value_of(size) for size in op.output(*shapes))
                if len(shape) > MAX_AXES:
                    raise Misfit(f"a tensor of {len(shape)} axes; at most {MAX_AXES}", code="too-big")
                if prod(shape) > LARGEST:
                    raise Misfit(f"{readable(shape)} is more than 10^15 values", "use fewer channels", code="too-big")
            except Misfit as misfit:
                self.misfit(misfit, item, path, inputs)
                return None
            self._shapes[key] = shape
            self._kept.append(op)
        return self._shapes[key]

    def check_path(self, item: Item, path: str) -> None:
        """Note a path that is taken already, or too long."""
        if path in self.space.holders:
            message = f"{path} is a layer, and cannot hold {self.space.holders[path]} as well"
            self.space.problem("duplicate", message, item.place, "give one another name")
        if len(path) > MAX_PATH:
            message = f"a path of {len(path)} characters; at most {MAX_PATH}"
            self.space.problem("too-big", message, item.place, "use shorter names")
        if path in self.space.outputs:
            first = self.space.graph.nodes[self.space.outputs[path]].place
            message = f"there are two layers named {path}" + (f" (line {first.line})" if first else "")
            last = path.rpartition(".")[2]
            copies = first == item.place and not last.isdigit()
            hint = f"an expression tells copies apart: '{last}{{i}}'" if copies else "give one another name"
            self.space.problem("duplicate", message, item.place, hint)

    def hold(self, item: Item, scope: Scope, name: str) -> None:
        """Note what a name with dots puts a layer into; a layer holds none."""
        path, self.space.graph.has_lists = scope.child(name), True
        end = path.find(".", len(scope.path) + 1 if scope.path else 0)
        while end >= 0:
            holder = path[:end]
            self.space.budget.hold(4)
            self.space.holders.setdefault(holder, path)
            if holder in self.space.outputs and holder not in self.space.graph.groups:
                message = f"{holder} is a layer, and cannot hold {path} as well"
                self.space.problem("duplicate", message, item.place, "give one another name")
            end = path.find(".", end + 1)

    def note(self, item: Item) -> str:
        """The note beside a layer, or an empty string."""
        node = item.beside.get("note")
        text = node.text if isinstance(node, Scalar) else ""
        if len(text) > MAX_NOTE:
            self.space.problem("too-big", f"a note of {len(text)} characters; at most {MAX_NOTE}", item.place)
        return text

    def misfit(self, misfit: Misfit, item: Item, path: str, inputs: Items[int]) -> None:
        """Note what an operation said of its input, at the argument that it named, with where the shapes came from."""
        place = item.place
        if misfit.argument and isinstance(item.body, Mapping):
            value = item.body.get(misfit.argument)
            place = value.place if value else place
        several = list(dict.fromkeys(inputs))
        few = several if len(several) <= MAX_ORIGINS else [*several[:2], several[-1]]
        context = [line for line in (self.origin(i, misfit.code) for i in few) if line]
        message = misfit.cause.replace("{layer}", self.space.called(path))
        self.space.problem(misfit.code, message, place, misfit.hint, tuple(dict.fromkeys(context)))

    def origin(self, index: int, code: str) -> str:
        """Where a shape came from: the last layer that changed it."""
        nodes = self.space.graph.nodes
        node = nodes[index]
        if node.shape is None:
            return ""
        while (
            node.inputs
            and node.op is not None
            and not node.op.many_inputs
            and nodes[node.inputs[0]].shape == node.shape
        ):
            node = nodes[node.inputs[0]]
        if node.op is None:
            return f"{readable(node.shape or ())} is the input"
        line = f", line {node.place.line}" if node.place else ""
        if code == "too-small":
            size = "×".join(map(str, (node.shape or ())[1:]))
            return f"the map shrank to {size} at {node.name} ({node.type}{line})"
        return f"{readable(node.shape or ())} comes from {node.name} ({node.type}{line})"

    def finish(
        self,
        path: str,
        block: str,
        x: int | None,
        item: Item,
        names: Names,
        arguments: Mapping_[str, Any] = {},
        since: Part | None = None,
    ) -> None:
        """Note the end of a group or block that began at `since`, so that others can name it and use it again."""
        self.space.budget.hold(30 + len(path) // 16)
        if x is None:
            return
        if path in self.space.outputs and path not in self.space.graph.groups:
            self.space.problem("duplicate", f"there are two parts named {path}", item.place, "give one another name")
        self.space.outputs[path] = x
        self.space.graph.groups[path] = Group(path, block, x, item.place, self.note(item), arguments)
        if since is not None:
            self.end(path, since)
        self.claims(item, path, x, names)

    def begin(self, x: int | None) -> Part:
        """A part that begins here, with what goes into it."""
        nodes, groups = len(self.space.graph.nodes), len(self.space.graph.groups)
        return Part(nodes, nodes, x, (groups, groups))

    def end(self, path: str, since: Part) -> None:
        """Note what a part is made of that ends here."""
        first, last = since.groups[0], len(self.space.graph.groups)
        self.space.parts[path] = since._replace(stop=len(self.space.graph.nodes), groups=(first, last))

    def claims(self, item: Item, path: str, index: int, names: Names) -> None:
        node = item.beside.get("expect")
        if node is None:
            return
        if not isinstance(node, Mapping):
            self.space.problem(
                "expect", "expect wants quantities by name", node.place, "expect: {shape: [6, 28, 28], params: 156}"
            )
            return
        extra = {
            key: value.text for key, _, value in node.items() if isinstance(value, Scalar) and key in ("source", "note")
        }
        for quantity, _, value in node.items():
            if quantity not in extra:
                self.space.budget.hold(10)
                found = self.space.claimed(value, names)
                claim = Claim(path, quantity, found, value.place, extra.get("source", ""), extra.get("note", ""))
                self.space.graph.claims.append(claim)
