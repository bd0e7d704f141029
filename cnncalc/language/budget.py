"""What reading one spec may cost, in steps and in memory, so that no file from a stranger takes long or much.

A step is half a microsecond or so: a character of an expression, an item of a list that is gone through. A cell is
what one item of a list takes. Each layer that comes of it adds to both, so that a large network may cost what it needs.
"""

from __future__ import annotations

import ast

STEPS, STEPS_OF_A_LAYER = 1_500_000, 150
CELLS, CELLS_OF_A_LAYER = 1_000_000, 40
#: Characters of expressions whose trees are kept, each of which takes some 350 times as much; others are parsed anew.
PARSED = 100_000


class Exhausted(Exception):
    """A spec asks for more than it may cost; says which bound it breaks."""


class Budget:
    """What is left of steps and cells.

    >>> Budget(steps=2).spend(3)
    Traceback (most recent call last):
    ...
    cnncalc.language.budget.Exhausted: more than 1,500,000 steps of work, and 150 for each layer
    """

    __slots__ = ("cells", "room", "steps", "trees")

    def __init__(self, steps: int = STEPS, cells: int = CELLS) -> None:
        self.steps, self.cells, self.room = steps, cells, PARSED
        self.trees: dict[str, ast.expr] = {}  # of expressions, by their text

    def spend(self, steps: int) -> None:
        """Take steps; raises `Exhausted` where there are too few."""
        self.steps -= steps
        if self.steps < 0:
            raise Exhausted(f"more than {STEPS:,} steps of work, and {STEPS_OF_A_LAYER} for each layer")

    def hold(self, cells: int) -> None:
        """Take memory, and a step for each cell; raises `Exhausted`."""
        self.cells -= cells
        if self.cells < 0:
            raise Exhausted(f"lists of more than {CELLS:,} items, and {CELLS_OF_A_LAYER} for each layer")
        self.spend(cells)

    def earn(self) -> None:
        """A layer was added."""
        self.steps += STEPS_OF_A_LAYER
        self.cells += CELLS_OF_A_LAYER
