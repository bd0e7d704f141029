"""Layer types that a spec declares for itself: counted as declared."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from copy import copy
from typing import Any

from ..errors import Misfit, Place, did_you_mean
from ..formula import formula, integer
from ..ops.actions import Shape
from ..ops.base import Count, Op, Size, Work, arg
from ..ops.kinds import is_int, optional, whole, whole_list
from ..record import Record
from . import expressions
from .budget import Budget
from .reader import Mapping, Node, Scalar, Sequence

KEYS = ("args", "inputs", "shape", "params", "buffers", "macs", "flops", "note")
#: Inputs that a layer of such a type may take.
MOST_INPUTS = 64


@formula(
    "declared parameters", chapter="parameters", symbol="weights", unit="parameters", source="declared in the spec"
)
def declared_weights(V: Any) -> Any:
    return V


@formula("declared buffers", chapter="parameters", symbol="buffers", unit="buffers", source="declared in the spec")
def declared_buffers(V: Any) -> Any:
    return V


@formula("declared multiply-adds", chapter="multiply-adds", symbol="MACs", unit="MAC", source="declared in the spec")
def declared_macs(V: Any) -> Any:
    return V


@formula("declared work", chapter="other work", symbol="FLOPs", unit="operations", source="declared in the spec")
def declared_work(V: Any) -> Any:
    return V


class Declared(Op, name="_Declared"):
    """A layer of a type that the spec declares, its figures worked out."""

    out: tuple[int, ...] = arg(whole_list(), "shape of the output")
    params: int | None = arg(optional(whole(0)), "parameters")
    buffers: int | None = arg(optional(whole(0)), "buffers")
    macs: int | None = arg(optional(whole(0)), "multiply-adds")
    flops: int | None = arg(optional(whole(0)), "other work")
    inputs: int = arg(whole(), "how many inputs it takes", default=1)

    reaches = False
    many_inputs = True  # as many as are declared

    #: The arguments that the spec gave, and the names that the class of a module for it takes.
    given: tuple[tuple[str, Any], ...] = ()
    accepts: tuple[str, ...] = ()

    def with_given(self, values: dict[str, Any]) -> Declared:
        """The same, with the arguments that the spec gave."""
        self.__dict__["given"] = tuple((name, _fixed(value)) for name, value in values.items())
        return self

    def accepting(self, names: tuple[str, ...]) -> Declared:
        """The same for a module whose class takes these names."""
        new = copy(self)
        new.__dict__["accepts"] = names
        return new

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        """What the spec gave, and of the sizes of the first input those that the class asks for."""
        from .workspace import sizes

        given = {name: list(value) if isinstance(value, tuple) else value for name, value in self.given}
        known = {name: value for name, value in sizes(shapes[0]).items() if name in self.accepts}
        return {**known, **given}

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        return self.out

    def counts(self, *shapes: Shape) -> tuple[Count, ...]:
        # Its tensors are not known, only how many numbers they hold.
        weights = (Count("weights", declared_weights.step(V=self.params)),) if self.params else ()
        return (*weights, Count("buffers", declared_buffers.step(V=self.buffers))) if self.buffers else weights

    def unknown(self) -> tuple[str, ...]:
        # Connections are counted of convolutions and linear layers only.
        declared = {"weights": self.params, "buffers": self.buffers, "macs": self.macs, "other": self.flops}
        return tuple(name for name, value in declared.items() if value is None)

    def work(self, out: Shape, *shapes: Shape) -> Work:
        return Work(
            declared_macs.step(V=self.macs) if self.macs else None,
            other=declared_work.step(V=self.flops) if self.flops else None,
        )


def number_of(inputs: int) -> str:
    """A number of inputs, in words.

    >>> number_of(1), number_of(2)
    ('one input', '2 inputs')
    """
    return "one input" if inputs == 1 else f"{inputs} inputs"


class WeightedDeclared(Declared, name="_WeightedDeclared"):
    weight_layers = 1


class Declaration(Record):
    """A type as the spec declares it: its arguments, and expressions for its figures."""

    name: str
    args: tuple[tuple[Scalar, Node | None], ...]
    figures: dict[str, Node]
    place: Place

    def make(
        self, body: Node | None, value: Callable[[Node], Any], shapes: Items[Shape | None], budget: Budget
    ) -> Declared | None:
        """The layer for given arguments and incoming shapes; None where one is not known; raises `Misfit`."""
        from .workspace import sizes

        given = {key: node for key, _, node in body.items()} if isinstance(body, Mapping) else {}
        known = [key.text for key, _ in self.args]
        for name in given:
            if name not in known:
                hint = did_you_mean(name, known)
                raise Misfit(f"{self.name} has no argument {name}", hint, name, "argument")
        if not shapes or None in shapes:
            return None
        shape: Shape = shapes[0]  # type: ignore[assignment]
        names: dict[str, Any] = {**sizes(shape), "shapes": [list(each or ()) for each in shapes]}
        stated = self.figures.get("inputs")
        inputs = 1 if stated is None else _worked(stated, names, budget)
        if not is_int(inputs) or not 1 <= inputs <= MOST_INPUTS:
            raise Misfit(
                f"inputs of {self.name} must be a whole number from 1 to {MOST_INPUTS}, not {inputs}", code="types"
            )
        if len(shapes) != inputs:
            hint = "from: [first, second]" if inputs > 1 else ""
            raise Misfit(f"{{layer}} takes {number_of(inputs)}, not {len(shapes)}", hint, code="from")
        for key, default in self.args:
            node = given.get(key.text, default)
            if node is None:
                raise Misfit(f"{self.name} wants {key.text}", code="argument")
            names[key.text] = value(node) if key.text in given else _worked(node, names, budget)
        arguments = {key.text: names[key.text] for key, _ in self.args}
        figures = {key: self.figure(key, names, budget) for key in ("params", "buffers", "macs", "flops")}
        cls = WeightedDeclared if figures["params"] else Declared
        return cls(out=list(self.out(shape, names, budget)), inputs=inputs, **figures).with_given(arguments)

    def figure(self, key: str, names: dict[str, Any], budget: Budget) -> int | None:
        """What is declared of it; None, which is not known, where nothing is."""
        node = self.figures.get(key)
        if node is None:
            return None
        value = _worked(node, names, budget)
        if not is_int(value) or value < 0:
            raise Misfit(f"{key} of {self.name} must be a whole number ≥ 0, not {value}", code="types")
        return integer(value)

    def out(self, shape: Shape, names: dict[str, Any], budget: Budget) -> Shape:
        node = self.figures.get("shape")
        if node is None or (isinstance(node, Scalar) and node.value == "same"):
            return shape
        several = node.items if isinstance(node, Sequence) else ()
        budget.hold(len(several))
        sizes = [_worked(item, names, budget) for item in several] if several else _worked(node, names, budget)
        if not isinstance(sizes, list) or not sizes or not all(is_int(size) and size > 0 for size in sizes):
            raise Misfit(
                f"shape of {self.name} must be 'same' or a list of sizes ≥ 1, not {sizes}",
                "shape: [in_channels, in_height, in_width]",
                code="types",
            )
        return tuple(sizes)


def _fixed(value: Any) -> Any:
    """A value that does not change, so that layers can be compared."""
    return tuple(map(_fixed, value)) if isinstance(value, list) else value


def _worked(node: Node, names: dict[str, Any], budget: Budget) -> Any:
    if isinstance(node, Scalar):
        return expressions.evaluate(node.value, names, budget) if isinstance(node.value, str) else node.value
    raise Misfit("a number or an expression is wanted here", code="types")
