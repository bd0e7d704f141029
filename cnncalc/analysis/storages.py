"""Which storages a network makes, reads and keeps, operation by operation: all questions of memory are asked of it."""

from __future__ import annotations

from ..graph import Graph, Layer
from ..ops.actions import Action, Setting, Shape, Store, inputs
from ..record import Record
from . import quantized
from .autocast import kind_of
from .dtypes import dtypes
from .walk import Memo, known_shapes


class Moment(Record):
    """One operation of the forward pass. `makes`, `reads` and `keeps` are storages.

    `result` and `sources` are values, of which several may share a storage: what comes out, and what of that which
    goes in wants a gradient. `trained` tells whether the parameters of the layer take part, `product` whether it
    multiplies: the gradient of a smaller factor is multiplied out before it is summed up. Where it `passes`, the
    gradient of the result is that of what goes in. Where it is `narrow`, it works with copies of the parameters in
    autocast's type, and gradients of these come first.
    """

    node: int
    makes: tuple[int, ...]
    reads: tuple[int, ...]
    keeps: tuple[int, ...]
    result: int = -1
    sources: tuple[int, ...] = ()
    trained: bool = False
    product: bool = False
    passes: bool = False
    narrow: bool = False


class Storage(Record):
    """A piece of memory, and the node that made it. `own` is its name inside the layer: "y" for the layer's output."""

    node: int
    own: str
    bytes: int
    store: Store


class _Local(Record):
    """What the names inside a layer stand for."""

    storages: dict[str, int]
    values: dict[str, int]
    wants: dict[str, bool]


class Storages:
    """The forward pass of a network as a list of moments.

    The first storages are the inputs. `of_node` gives the storage of a node's output and `value_of_node` the value,
    `values` the bytes of each value, `last` the moment after which a storage is needed no more, `wants_gradient`
    whether a node lies behind something that is trained.
    """

    def __init__(self, graph: Graph, setting: Setting) -> None:
        self.graph, self.setting = graph, setting
        self.at_hand = setting  # the same in the type of the layer at hand
        self.all: list[Storage] = []
        self.moments: list[Moment] = []
        self.of_node: list[int] = []
        self._actions = Memo(lambda op, out, *more: op.actions(more[-1], out, *more[:-1]))
        self.dtypes = dtypes(graph, setting)
        self.fates = quantized.fates(graph) if setting.int8 else []
        self._channels_last = quantized.lies_channels_last(graph, self.fates) if self.fates else []
        self._converted: dict[tuple[int, str], tuple[int, int]] = {}  # storage and value, by node and type
        self.copy = -1  # of the weights of the layer at hand, in autocast's type
        self._copies: dict[int, int] = {}  # the same of those that are used again, by the node that owns them
        self.values: list[int] = []
        self.value_of_node: list[int] = []
        self._places: dict[int, tuple[int, int]] = {}  # storage and value of the places that a max pool noted, by node
        self.wants_gradient: list[bool] = []
        self.last: list[int] = []
        self._passes = False
        self.cached: list[int] = []  # copies of parameters that autocast keeps until it is left
        for layer in graph.inputs:
            self._node(*self._new("y", Store(layer.shape or ())), wants=False)
        for node in range(graph.input_count):
            self._convert(node)
        for layer in graph.layers:
            self._add(layer)
            self._convert(len(self.of_node) - 1)
        for storage in self.cached:
            self.last[storage] = len(self.moments)
        for index in graph.outputs:
            self.last[self._taken(index, setting.dtype)[0]] = len(self.moments)

    @property
    def given(self) -> int:
        """How many of the storages are the caller's inputs."""
        return self.graph.input_count

    def name(self, storage: int) -> str:
        """The layer that made a storage."""
        return self.graph.nodes[self.all[storage].node].name

    def _new(self, own: str, store: Store) -> tuple[int, int]:
        """A new storage, and the value that lies in it."""
        size = store.bytes(self.at_hand)
        self.all.append(Storage(len(self.of_node), own, size, store))
        self.last.append(len(self.moments))
        return len(self.all) - 1, self._value(size)

    def _value(self, size: int) -> int:
        self.values.append(size)
        return len(self.values) - 1

    def _add(self, layer: Layer) -> None:
        shapes = known_shapes(self.graph, layer)
        if shapes is None or layer.op is None or layer.shape is None:
            # Nothing is known of it: it makes nothing, and what goes in is still there.
            reads = tuple(self.of_node[i] for i in layer.inputs)
            self._moment(Moment(len(self.of_node), (), reads, ()))
            self._node(*self._new("y", Store((0,))), wants=any(self.wants_gradient[i] for i in layer.inputs))
            return
        local = _Local({}, {}, {"weight": len(self.of_node) not in self.setting.frozen})
        for name, i in zip(inputs(len(layer.inputs)), layer.inputs, strict=True):
            local.storages[name], local.values[name] = self._taken(i, self.dtypes[len(self.of_node)])
            local.wants[name] = self.wants_gradient[i]
        if layer.op.places_of:
            local.storages["x1"], local.values["x1"] = self._places[layer.inputs[1]]
            local.wants["x1"] = False
        self._passes = layer.op.passes_gradient
        if self.setting.amp:
            self._cast(layer, shapes, local)
        if self.fates:
            self.at_hand = self._typed(
                self.dtypes[len(self.of_node)], any(self._channels_last[i] for i in layer.inputs)
            )
        actions = self._actions(layer.op, layer.shape, shapes, self.at_hand)
        if self.fates:
            actions = quantized.actions(self.fates[len(self.of_node)], actions, layer.shape, len(shapes))
        for action in actions:
            self._act(action, local, Store(layer.shape))
        if not layer.op.statements and layer.op.border(*shapes) is None:  # a border is a statement of its own
            for i in layer.inputs[:1] if layer.op.places_of else layer.inputs:
                self.last[self._taken(i, self.dtypes[len(self.of_node)])[0]] = len(self.moments) - 1
        if "indices" in local.storages:
            self._places[len(self.of_node)] = local.storages["indices"], local.values["indices"]
        self._node(local.storages["y"], local.values["y"], local.wants["y"])

    def _taken(self, source: int, dtype: str) -> tuple[int, int]:
        """The storage and the value of a node in a type: the converted ones, where there are such."""
        own = self.of_node[source], self.value_of_node[source]
        if not self.fates:
            return own
        made_by = self.fates[source].of if self.fates[source].kind == "gone" else source
        return self._converted.get((made_by, dtype), own)

    def _convert(self, node: int) -> None:
        """What a quantized network converts for those that compute in the other type, as soon as it is there."""
        if not self.fates or not self.fates[node].also:
            return
        also, shape = self.fates[node].also, self.graph.nodes[node].shape or (0,)
        self.at_hand = self._typed(also)
        self.all.append(Storage(node, f"output in {also}", Store(shape).bytes(self.at_hand), Store(shape)))
        self.last.append(len(self.moments))
        made = len(self.all) - 1, self._value(self.all[-1].bytes)
        self._converted[node, also] = made
        self._moment(Moment(node, made[:1], (self.of_node[node],), ()))

    def _typed(self, dtype: str, channels_last: bool = False) -> Setting:
        if dtype == self.setting.dtype and not channels_last:
            return self.setting
        return self.setting._replace(dtype=dtype, channels_last=channels_last or self.setting.channels_last)

    def _cast(self, layer: Layer, shapes: tuple[Shape, ...], local: _Local) -> None:
        """What autocast copies into another type before a layer: its parameters, and what comes in."""
        node, op = len(self.of_node), layer.op
        assert op is not None
        dtype, self.copy = self.dtypes[node], -1
        self.at_hand = self._typed(dtype)
        if not kind_of(op, self.setting):
            return
        owner = self.graph.owner(node)
        if dtype == self.setting.amp and owner in self._copies:
            self.copy = self._copies[owner]
        elif dtype == self.setting.amp:
            for parameter in sorted(op.parameters(*shapes), key=lambda each: each.role):  # biases first
                if parameter.role not in ("weight", "bias"):
                    continue
                storage, _ = self._new(parameter.name, Store(parameter.shape, each=False))
                self._moment(Moment(node, (storage,), (), ()))
                if local.wants["weight"]:
                    self.cached.append(storage)
                else:  # copied anew each time, and given back behind the layer
                    self.last[storage] = len(self.moments)
                self.copy = storage if parameter.role == "weight" else self.copy
            if self.copy >= 0 and local.wants["weight"]:
                self._copies[owner] = self.copy
        for name, i, shape in zip(inputs(len(layer.inputs)), layer.inputs, shapes, strict=True):
            if self.dtypes[i] != dtype:
                before, value, wants = local.storages[name], local.values[name], local.wants[name]
                local.storages[name], local.values[name] = self._new("input in another type", Store(shape))
                sources = (value,) if wants else ()
                made = (local.storages[name],)
                self._moment(Moment(node, made, (before,), (), local.values[name], sources))

    def _node(self, storage: int, value: int, wants: bool) -> None:
        self.of_node.append(storage)
        self.value_of_node.append(value)
        self.wants_gradient.append(wants)

    def _act(self, action: Action, local: _Local, out: Store) -> None:
        wants, storages, values = local.wants, local.storages, local.values
        wanted = True in [wants[name] for name in action.reads]
        keeps: tuple[str, ...] = action.keeps if wanted and self.setting.training else ()
        if action.product or action.apart:
            keeps = tuple(name for name in keeps if any(wants[other] for other in action.reads if other != name))
        reads = tuple([storages[name] for name in (*action.reads, *action.holds) if name != "weight"])
        sources = tuple([values[name] for name in dict.fromkeys(action.reads) if name != "weight" and wants[name]])
        for name, store in action.makes:
            storages[name], values[name] = self._new(name, store)
            wants[name] = wanted
        made = tuple([storages[name] for name, _ in action.makes])
        result = action.makes[0][0] if action.makes else ""
        if action.same:
            result, source = action.same
            storages[result] = storages[source]
            values[result] = self._value(out.bytes(self.at_hand))
            wants[result] = wanted
        kept = tuple(dict.fromkeys([storages[name] for name in keeps if name != "weight"])) if keeps else ()
        if self.copy >= 0 and self.setting.training and _keeps_weights(action, wants):
            kept = (*kept, self.copy)
        trained = "weight" in action.reads and wants["weight"]
        narrow = trained and self.copy >= 0
        passes = action.passes or self._passes
        moment = Moment(
            len(self.of_node), made, reads, kept, values[result], sources, trained, action.product, passes, narrow
        )
        self._moment(moment)

    def _moment(self, moment: Moment) -> None:
        for storage in (*moment.reads, *moment.makes):
            self.last[storage] = len(self.moments)
        self.moments.append(moment)


def _keeps_weights(action: Action, wants: dict[str, bool]) -> bool:
    """Whether autograd keeps the weights: where their gradient is worked out apart, only for that of what comes in."""
    others = any(wants[name] for name in action.reads if name != "weight")
    return "weight" in action.reads and (others or (wants["weight"] and not action.apart))
