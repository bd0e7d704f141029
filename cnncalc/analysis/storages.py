"""Which storages a network makes, reads and keeps, operation by operation: all questions of memory are asked of it."""

from __future__ import annotations

from collections.abc import Sequence

from ..graph import Graph, Layer
from ..ops import Op
from ..ops.actions import Setting, Shape, Store
from ..record import Record
from . import quantized
from .autocast import kind_of
from .dtypes import dtypes
from .footprint import Footprint, Moment, footprint
from .quantized import Fate
from .walk import Memo, known_shapes

#: What becomes of a layer where nothing is quantized.
_USUAL = Fate()


class Storage(Record):
    """A piece of memory, and the node that made it. `own` is its name inside the layer: "y" for the layer's output."""

    node: int
    own: str
    bytes: int
    store: Store


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
        self._footprints = Memo(lambda op, out, *more: footprint(op, out, more[:-4], *more[-4:]))
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
        node, op = len(self.of_node), layer.op
        dtype = self.dtypes[node]
        given = [self._taken(i, dtype) for i in layer.inputs]  # storage and value of each input
        wants = [node not in self.setting.frozen, *[self.wants_gradient[i] for i in layer.inputs]]
        if op.places_of:
            given[1], wants[2] = self._places[layer.inputs[1]], False
        taken = given
        if self.setting.amp:
            given = self._cast(layer, op, shapes, given, wants)
        if self.fates:
            self.at_hand = self._typed(dtype, any(self._channels_last[i] for i in layer.inputs))
        fate = self.fates[node] if self.fates else _USUAL
        does = self._footprints(op, layer.shape, shapes, self.at_hand, tuple(wants), self.copy >= 0, fate)
        self._do(node, does, given)
        if does.holds:
            for storage, _ in taken[:1] if op.places_of else taken:
                self.last[storage] = len(self.moments) - 1

    def _do(self, node: int, does: Footprint, given: Sequence[tuple[int, int]]) -> None:
        """The operations of a layer, with the storages and values that go in."""
        now, first, lowest = len(self.moments), len(self.all), len(self.values)
        storages, values = [self.copy, *[each[0] for each in given]], [-1, *[each[1] for each in given]]
        for name, store, size in does.makes:
            self.all.append(Storage(node, name, size, store))
        self.values += does.values
        storages += range(first, len(self.all))
        values += range(lowest, len(self.values))
        self.last += [now] * len(does.makes)
        for _, makes, reads, keeps, result, sources, trained, product, passes, narrow in does.moments:
            made = tuple([storages[i] for i in makes])
            read = tuple([storages[i] for i in reads])
            kept = tuple(dict.fromkeys([storages[i] for i in keeps]))
            wanting = tuple([values[i] for i in sources])
            self.moments.append(
                Moment(node, made, read, kept, values[result], wanting, trained, product, passes, narrow)
            )
        for place, moment in does.ends:
            self.last[storages[place]] = now + moment
        if does.indices:
            self._places[node] = storages[does.indices[0]], values[does.indices[1]]
        self._node(storages[does.out[0]], values[does.out[1]], does.wanted)

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

    def _cast(
        self, layer: Layer, op: Op, shapes: tuple[Shape, ...], given: list[tuple[int, int]], wants: list[bool]
    ) -> list[tuple[int, int]]:
        """What autocast copies into another type before a layer: its parameters, and what comes in, which is told."""
        node = len(self.of_node)
        dtype, self.copy = self.dtypes[node], -1
        self.at_hand = self._typed(dtype)
        if not kind_of(op, self.setting):
            return given
        owner = self.graph.owner(node)
        if dtype == self.setting.amp and owner in self._copies:
            self.copy = self._copies[owner]
        elif dtype == self.setting.amp:
            for parameter in sorted(op.parameters(*shapes), key=lambda each: each.role):  # biases first
                if parameter.role not in ("weight", "bias"):
                    continue
                storage, _ = self._new(parameter.name, Store(parameter.shape, each=False))
                self._moment(Moment(node, (storage,), (), ()))
                if wants[0]:
                    self.cached.append(storage)
                else:  # copied anew each time, and given back behind the layer
                    self.last[storage] = len(self.moments)
                self.copy = storage if parameter.role == "weight" else self.copy
            if self.copy >= 0 and wants[0]:
                self._copies[owner] = self.copy
        cast = list(given)
        for place, (i, shape) in enumerate(zip(layer.inputs, shapes, strict=True)):
            if self.dtypes[i] != dtype:
                before, value = given[place]
                cast[place] = self._new("input in another type", Store(shape))
                sources = (value,) if wants[place + 1] else ()
                self._moment(Moment(node, cast[place][:1], (before,), (), cast[place][1], sources))
        return cast

    def _node(self, storage: int, value: int, wants: bool) -> None:
        self.of_node.append(storage)
        self.value_of_node.append(value)
        self.wants_gradient.append(wants)

    def _moment(self, moment: Moment) -> None:
        for storage in (*moment.reads, *moment.makes):
            self.last[storage] = len(self.moments)
        self.moments.append(moment)
