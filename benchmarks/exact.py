"""Design spaces against the calculator: candidates of every family of the zoo, drawn by chance, figure by figure.

`python benchmarks/exact.py 10000` takes two hours. `--structures 200` turns depths and kernels, too: it draws so many
structures of each family and divides the candidates among them. `--train` compares the figures of a training step
instead. `--share 1/2` does every second family, for two processes.
"""

from __future__ import annotations

import argparse
import sys
import time
from math import prod
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from spaces import knobs

from cnncalc import SpecError
from cnncalc.language.locate import zoo_files
from cnncalc.language.model import load
from cnncalc.spaces.columns import Figured
from cnncalc.spaces.region import measured
from cnncalc.spaces.space import Space
from cnncalc.spaces.sweep import Sweep

COLUMNS = ("params", "macs", "flops", "connections", "activation_bytes", "weight_bytes", "peak_inference_bytes", "depth",
           "moved_bytes", "intensity", "receptive_field")  # fmt: skip
#: The figures of a training step.
TRAINING = ("saved_for_backward_bytes", "peak_training_bytes", "step_macs", "trainable_params")


def turned(name: str, structure: bool) -> dict[str, list[Any]]:
    """The knobs of a network; without `structure`, those that leave its layers what they are."""
    found = knobs(name)
    if structure:
        return found
    kept = {}
    own = [layer.name for layer in load(name).nodes]
    for knob, values in found.items():
        space = Space(name, {knob: values}, alone=True)
        for index in (0, space.size - 1):
            try:
                if [layer.name for layer in space.graph(space.values(index)).nodes] != own:
                    break
            except SpecError:
                continue
        else:
            kept[knob] = values
    return kept


def families(structure: bool) -> list[str]:
    """The families that have knobs, or those with knobs that change the structure."""
    names = [path.stem for path in zoo_files()]
    if structure:
        return [name for name in names if turned(name, True) != turned(name, False)]
    return [name for name in names if turned(name, False)]


def by_calculator(space: Space, knobs: list[Any], columns: list[Figured]) -> tuple[Any, ...] | None:
    """What the calculator says of a candidate; None where it is no network."""
    try:
        found = measured(space, knobs, columns, 1)
    except SpecError:
        return None
    return tuple(each[0] if len(each) == 1 else each[0] / each[1] for each in found.values())


def drawn(space: Space, fixed: set[str], count: int, structures: int, rng: Random) -> list[int]:
    """Candidates of a space by chance, so many of them with the same values of what is `fixed` as there must be."""
    if count >= space.size:
        return list(range(space.size))
    if not structures:
        return sorted({rng.randrange(space.size) for _ in range(count)})
    found: set[int] = set()
    weights = [prod(space.sizes[place + 1 :]) for place in range(len(space.sizes))]
    for _ in range(structures):
        own = [rng.randrange(size) for size in space.sizes]
        for _ in range(count // structures):
            digits = [
                digit if axis.knobs[0].name in fixed else rng.randrange(len(axis.values))
                for digit, axis in zip(own, space.axes, strict=True)
            ]
            found.add(sum(digit * weight for digit, weight in zip(digits, weights, strict=True)))
    return sorted(found)


def compared(name: str, count: int, structures: int, seed: int, columns: tuple[str, ...]) -> tuple[int, int, int]:
    """How many candidates of a family were compared, how many are no networks, and of how many anything differs."""
    knobs = turned(name, bool(structures))
    space = Space(name, knobs, alone=True)
    if by_calculator(space, [space.own(knob) for knob in space.names], Sweep(space, columns).figured) is None:
        columns = tuple(column for column in columns if column != "receptive_field")  # what is not known, of none
    fixed = set(knobs) - set(turned(name, structure=False)) if structures else set[str]()
    index = drawn(space, fixed, count, structures, Random(seed))
    way = Sweep(space, columns, seed=seed)
    said: dict[int, tuple[Any, ...]] = {}
    for rows in way.over(np.array(index)):
        each = zip(*(rows.figures[column].tolist() for column in columns), strict=True)
        said |= dict(zip(rows.index.tolist(), each, strict=True))
    wanted = set(range(len(index)))
    if way.where:  # conditions of the space between its knobs
        wanted = set(way.wanted(way.chunk(np.array(index)), np.array(index)).tolist())
    none = wrong = 0
    for place, each in enumerate(index):
        true = by_calculator(space, space.values(each), way.figured) if place in wanted else None
        none += true is None
        wrong += said.get(each) != true
    return len(index), none, wrong


def main() -> None:
    """A line for each family; exit with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("family", nargs="*", help="all, where none is named")
    parser.add_argument("--structures", type=int, default=0)
    parser.add_argument("--train", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", default="1/1")
    asked = parser.parse_args()
    share, shares = map(int, asked.share.split("/"))
    total = different = 0
    for name in (asked.family or families(bool(asked.structures)))[share - 1 :: shares]:
        begun = time.perf_counter()
        count, none, wrong = compared(
            name, asked.count, asked.structures, asked.seed, TRAINING if asked.train else COLUMNS
        )
        total, different = total + count, different + wrong
        seconds = time.perf_counter() - begun
        print(f"{name}: {count:,} candidates, {none:,} no networks, {wrong:,} differ ({seconds:.0f} s)", flush=True)
    print(f"{total:,} candidates in all, {different:,} differ")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
