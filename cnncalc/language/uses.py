"""Parts that are used again, with their weights: a layer, a group or a block that stands earlier in the spec."""

from __future__ import annotations

from itertools import islice
from typing import Any

from ..errors import Misfit
from ..graph import Group
from ..ops import Op, Shape
from ..ops.merge import Merge
from ..quantities import readable
from .builder import MAX_LAYERS, Builder
from .items import Item
from .reader import Scalar
from .workspace import Names, Part, Scope, Workspace


class Uses:
    """Puts parts into a graph once more, made of what they were the first time; shapes are worked out anew."""

    def __init__(self, space: Workspace, builder: Builder) -> None:
        self.space, self.builder = space, builder
        self._fitting: dict[Any, bool] = {}
        self._names: list[str] = []  # of the groups, in the order in which they were noted

    def use(self, item: Item, name: str, scope: Scope, x: int | None, names: Names) -> int | None:
        """The part that `use` names, applied to what comes in; returns the node that comes out."""
        assert isinstance(item.body, Scalar)
        inputs: tuple[int, ...] = () if x is None else (x,)
        if "from" in item.beside:
            inputs = tuple(self.space.sources(item.beside["from"], scope, x, names))
            if not inputs:
                return None
        target = self._target(item, item.body, scope, x, names)
        if target is None:
            return self.builder.put(item._replace(name="unknown"), name, scope, None, inputs, names)
        path, part = scope.child(name), self.space.parts.get(target)
        if part is None:
            index = self._again(item, path, self.space.outputs[target], inputs, self.builder.note(item))
            self.builder.claims(item, path, index, names)
            return index
        if len(inputs) > 1:
            hint = "only a single layer takes several"
            self.space.problem("from", f"{target} takes one input, not {len(inputs)}", item.place, hint)
        return self._part(item, path, target, part, inputs[0] if inputs else None, names)

    def _target(self, item: Item, node: Scalar, scope: Scope, x: int | None, names: Names) -> str | None:
        """The path of what is used again; None after an error."""
        around, called = scope.path, node.text.removeprefix(".")
        if called and f".{around}.".find(f".{called}.") >= 0 and called not in self.space.outputs:
            message = f"{called} is around this use: only what stands earlier, and is done, can be used again"
            self.space.problem("use", message, node.place, "a group or layer above, in which this does not stand")
            return None
        target = self.space.path_of(node, scope, x, names)
        if target is None:
            return None
        if self.space.outputs[target] < self.space.graph.input_count and target not in self.space.parts:
            message = f"{target} is an input of the network, and has no weights to use again"
            self.space.problem("use", message, node.place, f"from: {target} takes it as input")
            return None
        return target

    def _part(self, item: Item, path: str, target: str, part: Part, x: int | None, names: Names) -> int | None:
        """All layers of a part, one after the other."""
        graph, since = self.space.graph, self.builder.begin(x)
        more = part.stop - part.first
        if len(graph.nodes) + more > MAX_LAYERS + graph.input_count:
            message = f"{target} once more makes {len(graph.nodes) + more:,} layers; a network may have {MAX_LAYERS:,}"
            raise self.space.too_big(message, item.place, "uses of uses grow fast")
        graph.uses[path] = graph.uses.get(target, target)
        moved: dict[int, int] = {} if part.entry is None or x is None else {part.entry: x}
        for node in range(part.first, part.stop):
            layer = graph.nodes[node]
            inputs = tuple([moved.get(i, i) for i in layer.inputs])
            moved[node] = self._again(item, path + layer.name[len(target) :], node, inputs)
        self._groups(path, target, part, moved, since)
        end = self.space.outputs[target]
        x = moved.get(end, end)
        block = graph.groups[target].block
        self.builder.finish(path, block, x, item, names, graph.groups[target].arguments, since)
        return x

    def _groups(self, path: str, target: str, part: Part, moved: dict[int, int], since: Part) -> None:
        """Note the groups inside a part, so that they can be named in the new one too."""
        graph, shift = self.space.graph, since.first - part.first
        self._names += islice(graph.groups, len(self._names), None)
        begun: dict[int, int] = {}  # where each of them stands among all groups, and where its copy does
        start, stop = part.groups
        for at, name in enumerate(self._names[start:stop], start):
            if name == target:
                continue
            group, inside = graph.groups[name], self.space.parts.get(name)
            self.space.budget.hold(40)
            new, output = path + name[len(target) :], moved.get(group.output, group.output)
            begun[at] = len(graph.groups)
            graph.groups[new] = Group(new, group.block, output, group.place, "", group.arguments)
            self.space.outputs[new] = output
            graph.uses[new] = graph.uses.get(name, name)
            if inside is not None and inside.groups[0] in begun:  # not so after an error: two parts of one name
                entry = inside.entry if inside.entry is None else moved.get(inside.entry, inside.entry)
                here = begun[inside.groups[0]]
                groups = here, here + inside.groups[1] - inside.groups[0]
                self.space.parts[new] = Part(inside.first + shift, inside.stop + shift, entry, groups)

    def _again(self, item: Item, path: str, node: int, inputs: tuple[int, ...], note: str = "") -> int:
        """A layer once more."""
        graph = self.space.graph
        layer, first = graph.nodes[node], graph.owner(node)
        op = layer.op if layer.op is not None and self._fits(item, path, layer.op, first, inputs) else None
        shares = -1 if isinstance(op, Merge) else first  # a merge has nothing that could be shared
        return self.builder.add(item, path, layer.type, op, inputs, note, layer.block, shares)

    def _fits(self, item: Item, path: str, op: Op, first: int, inputs: tuple[int, ...]) -> bool:
        """Whether what comes in is what the weights were made for; notes an error where it is not."""
        graph = self.space.graph
        made_for = tuple([graph.nodes[i].shape for i in graph.nodes[first].inputs])
        given = tuple([graph.nodes[i].shape for i in inputs])
        if isinstance(op, Merge) and len(given) != len(made_for):
            name, branches = self.space.called(graph.nodes[first].name), len(made_for)
            message = f"{name} is where {branches} branches meet, and takes {branches} inputs, not {len(given)}"
            hint = "from: names them; branches are used again together with what joins them where both are in a group"
            self.space.problem("use", message, item.place, hint)
            return False
        known = None not in given and None not in made_for
        if given == made_for or not known or (len(given) != 1 and not op.many_inputs):
            return True
        key = (id(op), made_for, given)
        if key not in self._fitting:
            try:
                self._fitting[key] = weights_of(op, made_for) == weights_of(op, given)  # type: ignore[arg-type]
            except (Misfit, IndexError, ValueError, ArithmeticError):
                # It does not fit at all, as where an axis is missing: that is said where its shape is worked out.
                self._fitting[key] = True
        if self._fitting[key]:
            return True
        layer = graph.nodes[first]
        at = f" in line {layer.place.line}" if layer.place else ""
        own = self.space.called(layer.name)
        message = f"{self.space.called(path)} receives {_all(given)}, but the weights of {own} are for {_all(made_for)}"
        context = (f"{layer.name} ({layer.type}) stands{at}",)
        hint = "sizes that the weights depend on are those of the first time; or write a layer of its own"
        self.space.problem("use", message, item.place, hint, context)
        return False


def weights_of(op: Op, shapes: tuple[Shape, ...]) -> object:
    """What of a layer its inputs decide: the tensors that it has, and what PyTorch's module is told.

    >>> from cnncalc.ops import REGISTRY
    >>> conv = REGISTRY["Conv2d"](out_channels=8, kernel_size=3)
    >>> [weights_of(conv, (shape,)) == weights_of(conv, ((3, 9, 9),)) for shape in ((3, 5, 5), (4, 9, 9))]
    [True, False]
    """
    return [(each.name, each.shape) for each in op.parameters(*shapes)], dict(op.infer(*shapes))


def _all(shapes: tuple[Shape | None, ...]) -> str:
    return " and ".join(readable(shape or ()) for shape in shapes)
