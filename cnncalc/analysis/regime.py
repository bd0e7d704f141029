"""How a training step is made: by which optimizer, of how many batches, by how many processes."""

from __future__ import annotations

from ..record import Record

#: Tensors of the size of the parameters that an optimizer keeps.
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adagrad": 1, "rmsprop": 1, "adam": 2, "adamw": 2}


class Regime(Record):
    """How steps are made: `accumulate` batches before an update, in `processes` with DistributedDataParallel.

    Of each of the `checkpointed` parts, given by its nodes, only what goes in is kept; the rest is recomputed.
    """

    accumulate: int = 1
    processes: int = 1
    checkpointed: tuple[tuple[int, ...], ...] = ()


ALONE = Regime()
