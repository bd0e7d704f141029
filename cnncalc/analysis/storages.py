"""Which storages a network makes, reads and keeps, operation by operation: what every question of memory is asked of."""

from __future__ import annotations

from typing import NamedTuple

from ..graph import Graph, Layer
from ..ops.actions import Action, Setting, Store, inputs
from .cost import known_shapes


class Moment(NamedTuple):
    """One operation of the forward pass. The numbers are those of storages."""

    node: int
    makes: tuple[int, ...]
    reads: tuple[int, ...]
    keeps: tuple[int, ...]


class Storage(NamedTuple):
    """A piece of memory, and the node that made it. `own` is its name inside the layer: "y" for the layer's output."""

    node: int
    own: str
    bytes: int


class Storages:
    """The forward pass of a network as a list of moments.

    The first storages are the inputs. `of_node` gives the storage of a node's output, `last` the moment
    after which a storage is needed no more, `wants_gradient` whether a node lies behind something that is trained.
    """

    def __init__(self, graph: Graph, setting: Setting) -> None:
        self.graph, self.setting = graph, setting
        self.all: list[Storage] = []
        self.moments: list[Moment] = []
        self.of_node: list[int] = []
        self.wants_gradient: list[bool] = []
        self.last: list[int] = []
        for layer in graph.inputs:
            self.of_node.append(self._new("y", Store(layer.shape or ())))
            self.wants_gradient.append(False)
        for layer in graph.layers:
            self._add(layer)
        for index in graph.outputs:
            self.last[self.of_node[index]] = len(self.moments)

    @property
    def given(self) -> int:
        """How many of the storages are the caller's inputs."""
        return self.graph.input_count

    def name(self, storage: int) -> str:
        """The layer that made a storage."""
        return self.graph.nodes[self.all[storage].node].name

    def _new(self, own: str, store: Store) -> int:
        self.all.append(Storage(len(self.of_node), own, store.bytes(self.setting)))
        self.last.append(len(self.moments))
        return len(self.all) - 1

    def _add(self, layer: Layer) -> None:
        shapes = known_shapes(self.graph, layer)
        if layer.op is None or layer.shape is None or shapes is None:
            # Nothing is known of it: it makes nothing, and what goes in is still there.
            reads = tuple(self.of_node[i] for i in layer.inputs)
            self._moment(Moment(len(self.of_node), (), reads, ()))
            self.of_node.append(self._new("y", Store((0,))))
            self.wants_gradient.append(any(self.wants_gradient[i] for i in layer.inputs))
            return
        names = dict(zip(inputs(len(layer.inputs)), (self.of_node[i] for i in layer.inputs), strict=True))
        wants = dict(zip(names, (self.wants_gradient[i] for i in layer.inputs), strict=True)) | {"weight": True}
        for action in layer.op.actions(self.setting, layer.shape, *shapes):
            self._act(action, names, wants)
        if not layer.op.statements:
            for i in layer.inputs:
                self.last[self.of_node[i]] = len(self.moments) - 1
        self.of_node.append(names["y"])
        self.wants_gradient.append(wants["y"])

    def _act(self, action: Action, names: dict[str, int], wants: dict[str, bool]) -> None:
        makes = []
        for name, store in action.makes:
            names[name] = self._new(name, store)
            makes.append(names[name])
        wanted = any(wants[name] for name in action.reads)
        if action.same:
            names[action.same[0]] = names[action.same[1]]
            wants[action.same[0]] = wanted
        for name, _ in action.makes:
            wants[name] = wanted
        keeps: tuple[str, ...] = action.keeps if wanted and self.setting.training else ()
        if action.product:
            keeps = tuple(name for name in keeps if any(wants[other] for other in action.reads if other != name))
        reads = tuple(names[name] for name in action.reads if name != "weight")
        kept = tuple(dict.fromkeys(names[name] for name in keeps if name != "weight"))
        self._moment(Moment(len(self.of_node), tuple(makes), reads, kept))

    def _moment(self, moment: Moment) -> None:
        for storage in (*moment.reads, *moment.makes):
            self.last[storage] = len(self.moments)
        self.moments.append(moment)
