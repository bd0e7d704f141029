"""What can be named and worked out at a place in a spec, and where its errors are noted."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable
from typing import Any

from ..errors import Misfit, Place, Problem, did_you_mean
from ..graph import Graph
from ..names import RULE, is_path
from ..ops import REGISTRY, Shape
from ..quantities import is_rounded
from ..record import Record
from . import expressions
from .budget import Budget
from .reader import Mapping, Node, Scalar, Sequence

Names = ChainMap[str, Any]

MAX_PROBLEMS = 50
MAX_MESSAGE = 2_000


class Scope:
    """A part of the module tree: where unnamed layers take their numbers."""

    def __init__(self, path: str) -> None:
        self.path, self.next = path, 0

    def child(self, name: str) -> str:
        """The path of a layer here."""
        return f"{self.path}.{name}" if self.path else name

    def number(self) -> str:
        """The next number, as a name."""
        self.next += 1
        return str(self.next - 1)


class Use(Record):
    """A block in use, for the context of errors inside it."""

    block: str
    path: str
    place: Place


class Part(Record):
    """A group, a block in use or the copies of a repeat: its nodes from `first` up to `stop`, and what went into it.

    `groups` are the places of the groups inside it, in the order in which they were noted.
    """

    first: int
    stop: int
    entry: int | None
    groups: tuple[int, int]


class TooBig(Exception):
    """The spec breaks a bound; nothing more is expanded."""


class Unknown:
    """The value of an expression that could not be worked out; the error is noted already."""


UNKNOWN = Unknown()


class Workspace:
    """A graph that grows, the names of its parts, and the errors so far."""

    def __init__(self, graph: Graph, known: Callable[[str], bool]) -> None:
        self.graph = graph
        self.is_known = known  # whether a word is a type or block
        self.outputs: dict[str, int] = {}  # full path → node
        self.parts: dict[str, Part] = {}  # full path of a group → what it is made of
        self.holders: dict[str, str] = {}  # what a name with dots puts layers into → the first of them
        self.uses: tuple[Use, ...] = ()
        self.noted = 0  # errors, repeated ones too
        self._places: dict[
            tuple[str, Place], tuple[int, int]
        ] = {}  # each mistake: its error, and how often it came again
        self.budget = Budget()

    def problem(self, code: str, message: str, place: Place, hint: str = "", context: tuple[str, ...] = ()) -> None:
        lines = [f"in block {use.block}, used in line {use.place.line}" for use in reversed(self.uses[-5:])]
        used = list(dict.fromkeys(lines))  # a block that uses itself is named once
        if used:
            path = self.uses[-1].path
            used[0] += f" as {path if len(path) <= 60 else '…' + path[-59:]}"
        message, hint = message[:MAX_MESSAGE], hint[:MAX_MESSAGE]
        problem = Problem(code, message, self.graph.source, place, (*context, *used), hint)
        self.noted += 1
        earlier = self._places.get((code, place))
        if earlier is None:
            self._places[code, place] = len(self.graph.errors), 0
            self.graph.errors.append(problem)
        elif self.graph.errors[earlier[0]].message != message:  # the same mistake, in another copy of its block
            index, more = earlier[0], earlier[1] + 1
            self._places[code, place] = index, more
            first = self.graph.errors[index]
            origin = first.context[:-1] if more > 1 else first.context
            others = f"and in {more} more place{'s' * (more > 1)}"
            self.graph.errors[index] = first._replace(context=(*origin, others))
        if len(self.graph.errors) >= MAX_PROBLEMS or self.noted > 4 * MAX_PROBLEMS:
            raise TooBig  # enough to mend first

    def called(self, path: str) -> str:
        """What to call a layer in a message: by its name, or `layer 3` where that is a mere number."""
        return f"layer {path}" if path.isdigit() else path

    def value(self, node: Node, x: int | None, names: Names, words: Any = ()) -> Any:
        """The value of a node, expressions worked out; `UNKNOWN` after an error, which is noted here.

        `words` are strings that are meant literally; True takes any word that an argument of some layer takes.
        """
        if isinstance(node, Sequence):
            self.budget.hold(len(node.items))
            values = [self.value(item, x, names, words) for item in node.items]
            return UNKNOWN if any(value is UNKNOWN for value in values) else values
        if isinstance(node, Mapping):
            if words is True:
                self.budget.hold(len(node.pairs))
                return {key: self.value(each, x, names, words) for key, _, each in node.items()}
            self.problem(
                "value", "a mapping stands where a value should", node.place, "an expression with { } wants quotes"
            )
            return UNKNOWN
        if not isinstance(node.value, str):
            return node.value
        if words is not True and node.value in words:
            return node.value
        if words is True and node.value in _WORDS and node.value not in names:
            return node.value
        follows = x is not None or self.graph.errors  # from something that is not known, and complained of already
        if follows and self.shape(x) is None:
            self.budget.spend(len(node.value))
            if any(name.startswith("in_") and name not in names for name in expressions.names_in(node.value)):
                return UNKNOWN
        try:
            return expressions.evaluate(node.value, self.seen(node.value, x, names), self.budget)
        except Misfit as misfit:
            hint = misfit.hint
            if node.value.lower() in ("yes", "no", "on", "off"):
                hint = "write true or false"
            elif words and words is not True and not did_you_mean(node.value, names):
                hint = did_you_mean(node.value, words) or f"it may be {', '.join(words)}, or an expression"
            self.problem(misfit.code, misfit.cause, node.place, hint)
            return UNKNOWN

    def claimed(self, node: Node, names: Names) -> Any:
        """The value of a claim: a number, a list, a rounded figure such as 61.1M, or an expression."""
        self.budget.hold(4)
        if isinstance(node, Scalar) and isinstance(node.value, str) and not is_rounded(node.value):
            self.budget.spend(len(node.value))
            used = expressions.names_in(node.value) - expressions.OWN
            function = node.value in expressions.FUNCTIONS and node.value not in names
            if function or not all(name in names for name in used):
                return node.value
            found = self.value(node, None, names)
            return None if found is UNKNOWN else found
        if isinstance(node, Sequence):
            return [self.claimed(item, names) for item in node.items]
        if not isinstance(node, Scalar):
            return None
        if isinstance(node.value, (int, float)) and not abs(node.value) <= 10**18:
            self.problem("expect", f"{node.text[:40]} is too large to be claimed", node.place)
        return node.value

    def filled(self, template: str, key: Scalar | None, names: Names, x: int | None, check: bool = True) -> str:
        """A name with its expressions worked out."""
        if "{" not in template:
            return template
        try:
            name = expressions.fill(template, self.seen(template, x, names), self.budget)
            if check and not is_path(name):
                self.problem("name", f"{name!r} cannot be the name of a layer", key.place if key else Place(1, 1), RULE)
            return name
        except Misfit as misfit:
            self.problem(misfit.code, misfit.cause, key.place if key else Place(1, 1), misfit.hint)
            return expressions.TEMPLATE.sub("_", template)

    def seen(self, text: str, x: int | None, names: Names) -> Names:
        """The names that an expression may use, with the sizes of the incoming tensor where it asks for them."""
        if "in_" not in text:
            return names
        shape = self.shape(x)
        return names if shape is None else names.new_child(sizes(shape))

    def shape(self, x: int | None) -> Shape | None:
        return None if x is None else self.graph.nodes[x].shape

    def find(self, node: Scalar, scope: Scope, x: int | None, names: Names) -> int | None:
        """The earlier layer of that name: in the nearest scope first, then outward; behind a dot the full path."""
        path = self.path_of(node, scope, x, names)
        return None if path is None else self.outputs[path]

    def path_of(self, node: Scalar, scope: Scope, x: int | None, names: Names) -> str | None:
        """The full path of the earlier layer of that name; None after an error, which is noted."""
        self.budget.spend(8 + len(scope.path) // 10)
        name = self.filled(node.text, node, names, x, check=False)
        path = "" if name.startswith(".") else scope.path
        name = name.removeprefix(".")
        while path:
            if f"{path}.{name}" in self.outputs:
                return f"{path}.{name}"
            path = path.rpartition(".")[0]
        if name in self.outputs:
            return name
        if self.is_known(name):
            hint = f"a layer in a branch stands in a list: [{name}]"
        else:
            hint = did_you_mean(name, list(self.outputs)[-2000:])
            hint = hint or "only layers that stand above, and are done, can be named"
        self.problem("from", f"there is no earlier layer {name}", node.place, hint)
        return None

    def sources(self, node: Node, scope: Scope, x: int | None, names: Names) -> list[int]:
        parts = node.items if isinstance(node, Sequence) else [node]
        if not parts:
            self.problem("from", "from names nothing", node.place, "from: the name of an earlier layer")
        found = []
        for part in parts:
            if not isinstance(part, Scalar):
                self.problem("from", "from wants the name of an earlier layer", part.place)
                return []
            source = self.find(part, scope, x, names)
            if source is None:
                return []
            found.append(source)
        return found

    def too_big(self, message: str, place: Place, hint: str = "is there a digit too many?") -> TooBig:
        self.problem("too-big", message, place, hint)
        return TooBig()


def sizes(shape: Shape) -> dict[str, Any]:
    """The sizes of the incoming tensor, as expressions name them."""
    axes = {2: ("in_length",), 3: ("in_height", "in_width"), 4: ("in_depth", "in_height", "in_width")}
    named = dict(zip(axes.get(len(shape), ()), shape[1:], strict=False))
    return {"in_channels": shape[0], "in_features": shape[-1], **named}


#: The words that arguments of layer types take literally.
_WORDS = frozenset(word for cls in REGISTRY.values() for argument in cls.arguments() for word in argument.kind.words)
