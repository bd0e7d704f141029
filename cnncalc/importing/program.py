"""What a PyTorch program computes, as plain data, and how its operations become layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

from ..ops import Shape
from .operations import (
    ALIASES,
    CONVOLUTIONS,
    MULTIPLIES,
    SHAPES_ONLY,
    TRANSPOSED,
    UNKNOWN_BEGINNINGS,
    UNKNOWN_WORK,
    VIEWS,
    WRITES,
    camel,
    first_reference,
    named,
    references,
)
from .refusals import Moved, Unread, refused
from .values import FROM_INPUT, Pending, State, Tensor, Value, Worked


class Call:
    """One operation of a program: its arguments, and what can be made of it."""

    def __init__(self, reading: Reading, node: Mapping[str, Any]) -> None:
        self.reading, self.node = reading, node
        op = named(str(node["op"]))
        self.inplace = op.endswith("_") and not op.startswith("_")
        self.op = op.rstrip("_") if self.inplace else op
        self.given: Mapping[str, Any] = node["given"]
        self.line = str(node.get("line", ""))
        self.whole_shape = node["shape"]

    def get(self, name: str, default: Any = None) -> Any:
        """A plain argument."""
        value = self.given.get(name, default)
        return default if value is None else value

    def value(self, name: str) -> Value | None:
        """What an argument that is a tensor stands for."""
        given = self.given.get(name)
        return self.reading.value_of(given) if isinstance(given, dict) else None

    def tensor(self, name: str = "self") -> int:
        """The node behind an argument; raises `Unread` where it is none."""
        value = self.value(name)
        if isinstance(value, Tensor):
            return value.node
        raise Unread(f"{name} is not the output of a layer")

    def state(self, name: str) -> State | None:
        """The parameter behind an argument; raises `Unread` where it is none, None where nothing is given."""
        value = self.value(name)
        if value is None or (isinstance(value, State) and value.whole):
            return value
        raise Unread(f"{name} is worked out")

    @property
    def shape(self) -> Shape:
        """The shape of the output, without the batch; raises `Unread` where the batch does not stand in front."""
        return self.reading.without_batch(self.whole_shape)

    def shape_of(self, node: int) -> Shape:
        return self.reading.pending[node].shape

    def axis(self, dim: int, rank: int) -> int:
        """An axis, counted from the front, the batch being 0; raises `Unread` for the batch itself."""
        dim = dim + rank if dim < 0 else dim
        if dim == 0:
            raise Unread("it works along the batch")
        return dim

    def layer(
        self,
        type_: str,
        arguments: Mapping[str, Any],
        *inputs: int,
        owner: str = "",
        shape: Shape | None = None,
        figures: Mapping[str, Any] | None = None,
    ) -> Tensor:
        """A layer that stands for the operation."""
        shape = self.shape if shape is None else shape
        return self.reading.add(self, type_, arguments, inputs, owner, shape, figures)


Reader = Callable[[Call], "Value | list[Value]"]


class Reading:
    """A program while it is read: what each of its names stands for, and the layers so far."""

    def __init__(
        self, program: Mapping[str, Any], closed: frozenset[str], known: frozenset[str], together: Callable[..., Any]
    ) -> None:
        self.program, self.closed = program, closed  # calls of modules that are one layer, or declared as a whole
        self.known = known  # those whose source is known, so that nothing in it needs to be looked at
        self.together = together  # what makes one layer of all that a module does, if there is one
        self.batch = int(program["batch"])
        self.tensors: Mapping[str, Any] = program["tensors"]
        self.values: dict[str, Value | list[Value]] = {}
        self.pending: list[Pending] = []
        self.holds: list[tuple[Mapping[str, Any], tuple[str, ...]]] = []  # of each layer, its operation and tensors
        self.needed: set[int] = set()  # the operations that an output needs
        self.latest: dict[str, list[tuple[int, str]]] = {}  # of each tensor, the two views that are used last
        self.views: dict[str, str] = {}  # a name → what it is a view of
        for given in program["inputs"]:
            self.values[given["arg"]] = Tensor(len(self.pending))
            alone = len(program["inputs"]) == 1 and "input" not in program["modules"]
            name = "input" if alone else given["name"]
            self.pending.append(Pending("input", {}, (), tuple(given["shape"]), name, ()))
            self.holds.append(({}, ()))

    def value_of(self, given: Mapping[str, Any]) -> Value | None:
        """What a reference in the arguments of an operation stands for."""
        name = str(given.get("tensor"))
        if given.get("state"):
            return State(name, tuple(self.tensors[name]["shape"]))
        value = self.values.get(name)
        return value if not isinstance(value, list) else None

    def without_batch(self, shape: Any) -> Shape:
        """A shape without the batch; raises `Unread` where it does not stand in front."""
        if not isinstance(shape, list) or not shape or not isinstance(shape[0], int) or shape[0] != self.batch:
            raise Unread("the batch does not stand in front")
        return tuple(shape[1:])

    def add(
        self,
        call: Call,
        type_: str,
        arguments: Mapping[str, Any],
        inputs: tuple[int, ...],
        owner: str,
        shape: Shape,
        figures: Mapping[str, Any] | None = None,
    ) -> Tensor:
        if not shape:
            hint = "keep an axis, as keepdim=True does, or import the part before"
            raise refused("it gives a single number for each image, which has no shape here", call.line, hint)
        modules = tuple((str(key), str(path), str(kind)) for key, path, kind in call.node["modules"])
        self.pending.append(Pending(type_, arguments, inputs, shape, owner, modules, call.line, figures))
        self.holds.append((call.node, self.learnt([self.value_of(each) for each in references(call.given)])))
        return Tensor(len(self.pending) - 1)

    def learnt(self, values: Iterable[Value | None]) -> tuple[str, ...]:
        """The tensors among values, or that they are worked out of, but for constants."""
        names = dict[str, None]()
        for value in values:
            states = (value.name,) if isinstance(value, State) else value.states if isinstance(value, Worked) else ()
            names.update(dict.fromkeys(states))
        return tuple(name for name in names if self.tensors[name]["kind"] != "constant")

    def made_by(self, states: tuple[str, ...], name: str) -> dict[str, Mapping[str, Any]]:
        """The operations, by name, that work a tensor out of parameters."""
        found: dict[str, Mapping[str, Any]] = {}
        nodes = {node["name"]: node for node in self.program["nodes"]}
        waiting = [name]
        while waiting:
            node = nodes.get(waiting.pop())
            if node is not None:
                found.setdefault(named(str(node["op"])), node)
                waiting += [str(each["tensor"]) for each in references(node["given"]) if not each.get("state")]
        return found

    def read(self, readers: Mapping[str, Reader]) -> None:
        """Read all operations that something needs; raises `SpecError` for what cannot be followed."""
        nodes = self.program["nodes"]
        needed = self.needed = self._needed(nodes)
        last = self._last_use(nodes)
        inside: dict[str, list[int]] = {}
        for number in sorted(needed):
            key = self._closed(nodes[number])
            if key:
                inside.setdefault(key, []).append(number)
        for number, node in enumerate(nodes):
            call, key = Call(self, node), self._closed(node)
            if key not in self.known:
                self._check_in_place(call, node, number, last)
            if number not in needed:
                continue
            if key:
                if number == inside[key][-1]:
                    self.values[node["name"]] = self._whole(call, [nodes[i] for i in inside[key]])
                continue
            value = self.values[node["name"]] = self._read(call, readers)
            if call.inplace:  # whoever names the tensor from here on means what it has become
                self.values[first_reference(node)] = value

    def _read(self, call: Call, readers: Mapping[str, Reader]) -> Value | list[Value]:
        values = [self.value_of(each) for each in references(call.given)]
        if values and not any(isinstance(value, FROM_INPUT) or value is None for value in values):
            states = [value for value in values if isinstance(value, State)]
            if call.op in ALIASES and len(states) == 1 and states[0].whole:
                return states[0]
            if call.op in SHAPES_ONLY and len(states) == 1 and states[0].whole:
                return State(states[0].name, tuple(call.whole_shape))
            names = [value.name for value in states]
            names += [name for value in values if isinstance(value, Worked) for name in value.states]
            return Worked(tuple(dict.fromkeys(names)), tuple(call.whole_shape or ()))
        if not values:
            return Worked((), tuple(call.whole_shape or ()) if isinstance(call.whole_shape, list) else ())
        try:
            reader = readers.get(call.op)
            if reader is None:
                raise Unread("no layer type does this")
            return reader(call)
        except Unread as unread:
            return self._declared(call, str(unread))

    def _closed(self, node: Mapping[str, Any]) -> str:
        """The call of a module that is declared as a whole, in which an operation stands."""
        return next((str(key) for key, *_ in node["modules"] if key in self.closed), "")

    def _whole(self, last: Call, nodes: list[Mapping[str, Any]]) -> Value:
        """A module as one layer of a type that is declared, with the figures of all that it does."""
        names = {node["name"] for node in nodes}
        others = [
            node for i, node in enumerate(self.program["nodes"]) if i in self.needed and node["name"] not in names
        ]
        left = names & {str(each["tensor"]) for node in others for each in references(node["given"])}
        if left - {last.node["name"]}:
            module = next(str(part[2]) for part in last.node["modules"] if part[0] in self.closed)
            raise refused(f"{module} gives several tensors, and cannot be read", last.line)
        inputs: dict[int, None] = {}
        states: dict[str, None] = {}
        work: int | None = 0
        shapes = {each["name"]: each["shape"] for each in nodes}
        for node in nodes:
            call = Call(self, node)
            for each in references(node["given"]):
                value = None if each["tensor"] in names else self.value_of(each)
                if isinstance(value, FROM_INPUT):
                    inputs[value.node] = None
                elif isinstance(value, State):
                    states[value.name] = None
                elif isinstance(value, Worked):
                    states.update(dict.fromkeys(value.states))
            own = work_in(call, self.batch, shapes)
            work = None if work is None or own is None else work + own
        module = next(part for part in last.node["modules"] if part[0] in self.closed)
        try:
            made: Tensor | None = self.together(self, last, nodes, tuple(inputs), list(states), module)
            figures: dict[str, Any] = {"shape": list(last.shape)}
        except Unread as unread:
            raise refused(f"{module[2]} cannot be read: {unread}", last.line) from None
        held = self.learnt(State(name, ()) for name in states)
        if made is not None:
            self.holds[made.node] = last.node, held
            return made
        counted = [self.tensors[name] for name in states]
        figures["params"] = sum(prod(each["shape"]) for each in counted if each["kind"] == "parameter")
        if len(inputs) != 1:
            figures["inputs"] = len(inputs)
        figures["buffers"] = sum(prod(each["shape"]) for each in counted if each["kind"] == "buffer")
        if work is not None:
            figures["macs"] = work
        kind = str(module[2]) or str(module[1]).rpartition(".")[2]  # a file has no classes, but paths
        figures["note"] = f"{kind} is not understood, and declared as a whole" + f" ({last.line})" * bool(last.line)
        whole = self.add(last, camel(kind), {}, tuple(inputs), "", last.shape, figures)
        self.holds[whole.node] = last.node, held
        return whole

    def _declared(self, call: Call, why: str) -> Value:
        """A layer of a type that is declared with its figures."""
        references_ = list(references(call.given))
        inputs: list[int] = []
        states: list[str] = []
        for each in references_:
            value = self.value_of(each)
            if isinstance(value, FROM_INPUT):
                inputs.append(value.node)
            elif isinstance(value, State):
                states.append(value.name)
            elif isinstance(value, Worked):
                states += value.states
        where = f" ({call.line})" if call.line else ""
        try:
            shape = call.shape
            if not inputs:
                raise Unread("no layer that is known gives what it takes")
        except Unread as unread:
            cause = refused(f"{call.op} cannot be read: {why if inputs else unread}", call.line)
            module = str(call.node["modules"][-1][0]) if len(call.node["modules"]) > 1 else ""
            raise Moved(module, cause) from None
        counted = [name for name in dict.fromkeys(states) if self.tensors[name]["kind"] == "parameter"]
        fixed = [name for name in dict.fromkeys(states) if self.tensors[name]["kind"] != "parameter"]
        figures: dict[str, Any] = {
            "shape": list(shape),
            "params": sum(prod(self.tensors[name]["shape"]) for name in counted),
        }
        if len(inputs) != 1:
            figures["inputs"] = len(inputs)
        figures["buffers"] = sum(prod(self.tensors[name]["shape"]) for name in fixed)
        macs = work_of(call)
        if macs is not None:
            figures["macs"] = macs
        figures["note"] = f"{call.op}: {why}{where}"
        return self.add(call, camel(call.op), {}, tuple(inputs), "", shape, figures)

    def _needed(self, nodes: list[Mapping[str, Any]]) -> set[int]:
        """The operations that an output needs, and those that change a tensor in its place that is needed later."""
        wanted = set(self.program["outputs"])
        needed = set[int]()
        for number in range(len(nodes) - 1, -1, -1):
            node = nodes[number]
            changes = Call(self, node).inplace and first_reference(node) in wanted
            if node["name"] in wanted or changes:
                needed.add(number)
                wanted.update(str(each["tensor"]) for each in references(node["given"]) if not each.get("state"))
        return needed

    def _last_use(self, nodes: list[Mapping[str, Any]]) -> dict[str, int]:
        last: dict[str, int] = dict.fromkeys(map(str, self.program["outputs"]), len(nodes))
        for number, node in enumerate(nodes):
            for each in references(node["given"]):
                last[str(each["tensor"])] = max(number, last.get(str(each["tensor"]), 0))
        return last

    def _check_in_place(self, call: Call, node: Mapping[str, Any], number: int, last: Mapping[str, int]) -> None:
        """Refuse what changes a tensor through a view of it, since the graph that PyTorch exports does not show it."""
        source = first_reference(node)
        if call.op in VIEWS and source:
            seen = self.views[node["name"]] = self.views.get(source, source)
            latest = [*self.latest.get(seen, ()), (last.get(node["name"], -1), node["name"])]
            self.latest[seen] = sorted(latest)[-2:]
        if not call.inplace or not source or call.op in VIEWS:  # a view in its place changes no number
            return
        base = self.views.get(source, source)
        used = [name for when, name in self.latest.get(base, ()) if when > number and name != source]
        used += [base] * (base != source and last.get(base, -1) > number)
        if used or call.op in WRITES:
            cause = (
                f"{call.op}_ changes a part of a tensor that is used again"
                if used
                else f"{call.op}_ writes into a tensor"
            )
            raise refused(cause, call.line, "build the tensor with cat, or without changing a view of it in its place")


def work_of(call: Call) -> int | None:
    """The multiply-adds of an operation for one image, as PyTorch's counter has them; None where it is not known."""
    if call.op in CONVOLUTIONS:
        weight = call.given.get("weight")
        value = call.reading.value_of(weight) if isinstance(weight, dict) else None
        shape = value.shape if isinstance(value, (State, Worked)) else None
        return None if shape is None else prod(shape[1:]) * prod(call.whole_shape[1:])
    if call.op in TRANSPOSED:
        source, taken = (call.reading.value_of(call.given[name]) for name in ("input", "weight"))
        if not isinstance(source, Tensor) or not isinstance(taken, (State, Worked)) or taken.shape is None:
            return None
        return prod(taken.shape[1:]) * prod(call.shape_of(source.node))
    if call.op in ("linear", "Gemm"):
        taken = call.reading.value_of(call.given["weight" if call.op == "linear" else "other"])
        inside = (
            prod(taken.shape) // call.whole_shape[-1] if isinstance(taken, (State, Worked)) and taken.shape else None
        )
        return None if inside is None else prod(call.whole_shape[1:]) * inside
    if "::" in call.op or "attention" in call.op or call.op.startswith(UNKNOWN_BEGINNINGS):
        return None
    if call.op in UNKNOWN_WORK or call.op in MULTIPLIES:
        return None
    return 0


def work_in(call: Call, batch: int, shapes: Mapping[str, Any]) -> int | None:
    """The multiply-adds of an operation for one image, where the batch may stand anywhere; None where not known."""
    out = call.whole_shape

    def whole(name: str) -> Any:
        given = call.given.get(name, {})
        value = call.reading.value_of(given)
        shape = (batch, *call.shape_of(value.node)) if isinstance(value, Tensor) else getattr(value, "shape", None)
        return shapes.get(str(given.get("tensor"))) or shape or None

    if not isinstance(out, list):
        return work_of(call)
    if call.op in CONVOLUTIONS:
        weight = whole("weight")
        return None if weight is None else prod(out) * prod(weight[1:]) // batch
    if call.op in ("matmul", "mm", "bmm", "linear"):
        left = whole("input" if call.op == "linear" else "self")
        return None if left is None else prod(out) * left[-1] // batch
    if call.op == "scaled_dot_product_attention":
        query, key = whole("query"), whole("key")
        scores = None if query is None or key is None else prod(query[:-1]) * key[-2]
        return None if scores is None else scores * (query[-1] + out[-1]) // batch
    return work_of(call)
