"""What one layer does to memory, with its tensors numbered: layers with the same operation and shapes share it."""

from __future__ import annotations

from ..ops import Op, Shape
from ..ops.actions import Action, Setting, Store, inputs
from ..record import Record
from . import quantized
from .quantized import Fate


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


class Footprint(Record):
    """The operations of a layer. Storages and values stand by their places among those of the layer.

    Place 0 is autocast's copy of the weights, where there is one; then come the inputs, and behind them what is made,
    in order. `makes` are the names, shapes and bytes of the storages that are made, `values` the bytes of the values.
    `ends` tells behind which operation each storage is needed no more by the layer. `out` and `indices` are storage and
    value of the output, and of the places that a max pool notes; `wanted` is whether the output wants a gradient. With
    `holds` what goes in is needed until the last operation is done.
    """

    makes: tuple[tuple[str, Store, int], ...]
    values: tuple[int, ...]
    moments: tuple[Moment, ...]
    ends: tuple[tuple[int, int], ...]
    out: tuple[int, int]
    indices: tuple[int, int] | None
    wanted: bool
    holds: bool


def footprint(
    op: Op, out: Shape, shapes: tuple[Shape, ...], setting: Setting, wants: tuple[bool, ...], copied: bool, fate: Fate
) -> Footprint:
    """The footprint of a layer of which it is known whether its weights and its inputs want gradients, in this order.

    `copied` is whether autocast has copied its weights.
    """
    actions = quantized.actions(fate, op.actions(setting, out, *shapes), out, len(shapes))
    names = ("weight", *inputs(len(wants) - 1))
    made = _Made(setting, copied, out, dict(zip(names, wants, strict=True)), {name: i for i, name in enumerate(names)})
    for action in actions:
        made.act(action, op.passes_gradient)
    indices = (made.storages["indices"], made.values["indices"]) if "indices" in made.storages else None
    ends = sorted(made.ends.items(), key=lambda item: item[1])  # where two are the same storage, the later one holds
    y = made.storages["y"], made.values["y"]
    holds = not op.statements and op.border(*shapes) is None  # a border is a statement of its own
    return Footprint(
        tuple(made.makes), tuple(made.sizes), tuple(made.moments), tuple(ends), y, indices, made.wants["y"], holds
    )


class _Made:
    """A footprint in the making."""

    def __init__(
        self, setting: Setting, copied: bool, out: Shape, wants: dict[str, bool], places: dict[str, int]
    ) -> None:
        self.setting, self.copied, self.out, self.wants = setting, copied, Store(out), wants
        self.storages, self.values, self.given = places, dict(places), len(places)
        self.makes: list[tuple[str, Store, int]] = []
        self.sizes: list[int] = []
        self.moments: list[Moment] = []
        self.ends: dict[int, int] = {}

    def act(self, action: Action, passes: bool) -> None:
        """Add one operation."""
        wants, storages, values = self.wants, self.storages, self.values
        wanted = any(wants[name] for name in action.reads)
        keeps: tuple[str, ...] = action.keeps if wanted and self.setting.training else ()
        if action.product or action.apart:
            keeps = tuple(name for name in keeps if any(wants[other] for other in action.reads if other != name))
        reads = tuple([storages[name] for name in (*action.reads, *action.holds) if name != "weight"])
        sources = tuple([values[name] for name in dict.fromkeys(action.reads) if name != "weight" and wants[name]])
        for name, store in action.makes:
            size = store.bytes(self.setting)
            storages[name], values[name] = self.given + len(self.makes), self.value(size)
            self.makes.append((name, store, size))
            wants[name] = wanted
        made = tuple([storages[name] for name, _ in action.makes])
        result = action.makes[0][0] if action.makes else ""
        if action.same:
            result, source = action.same
            storages[result], values[result] = storages[source], self.value(self.out.bytes(self.setting))
            wants[result] = wanted
        kept = tuple([storages[name] for name in keeps if name != "weight"])
        if self.copied and self.setting.training and _keeps_weights(action, wants):
            kept = (*kept, 0)
        trained = "weight" in action.reads and wants["weight"]
        self.ends |= dict.fromkeys((*reads, *made), len(self.moments))
        self.moments.append(
            Moment(
                -1, made, reads, kept, values[result], sources,
                trained, action.product, action.passes or passes, trained and self.copied,
            )
        )  # fmt: skip

    def value(self, size: int) -> int:
        """A new value of so many bytes."""
        self.sizes.append(size)
        return self.given + len(self.sizes) - 1


def _keeps_weights(action: Action, wants: dict[str, bool]) -> bool:
    """Whether autograd keeps the weights: where their gradient is worked out apart, only for that of what comes in."""
    others = any(wants[name] for name in action.reads if name != "weight")
    return "weight" in action.reads and (others or (wants["weight"] and not action.apart))
