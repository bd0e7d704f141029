"""What layers have and do, and what it adds up to."""

from __future__ import annotations

from collections.abc import Iterable

from ..analysis.cost import macs_to_flops
from ..formula import integer
from ..record import Record


class Sums(Record):
    """What is added up, for one layer, some layers or the network; None where it is not known.

    `macs`, `other`, `flops` and `output_bytes` are for the whole batch; `weight_bytes` is what its parameters and
    buffers take. `partial` names the sums of which
    a part is not known: of them it is known that they are at least so much.
    """

    weights: int | None
    biases: int | None
    buffers: int | None
    macs: int | None
    other: int | None
    connections: int | None
    output_bytes: int | None
    weight_bytes: int | None
    partial: frozenset[str] = frozenset()

    @property
    def params(self) -> int | None:
        """Weights and biases: what is trained."""
        return None if self.weights is None or self.biases is None else self.weights + self.biases

    @property
    def flops(self) -> int | None:
        """Twice the MACs, and all other work."""
        return None if self.macs is None or self.other is None else integer(macs_to_flops(self.macs)) + self.other

    def is_partial(self, *names: str) -> bool:
        """Whether a part of one of these sums is not known."""
        return bool(self.partial) and not self.partial.isdisjoint(names)


NAMES = Sums._fields[:-1]
UNKNOWN = Sums._make((*(None for _ in NAMES), frozenset()))
ALL = frozenset(NAMES)


def added(sums: Iterable[Sums]) -> Sums:
    """The sum of what is known, and of which sums it is not all."""
    totals = [0] * len(NAMES)
    partial: set[str] = set()
    places = range(len(NAMES))
    for each in sums:
        for place in places:
            value = each[place]
            if value is None:
                partial.add(NAMES[place])
            else:
                totals[place] += value  # type: ignore[operator]
    return Sums._make((*totals, frozenset(partial)))
