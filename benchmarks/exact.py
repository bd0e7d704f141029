"""Design spaces against the calculator: candidates of every family of the zoo, drawn by chance, figure by figure.

`python benchmarks/exact.py 10000` takes hours; `--structure` turns depths and kernels, too, one structure at a time, and
`--share 1/2` does half of the families, for two processes.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from spaces import knobs

from cnncalc import SpecError
from cnncalc.language.locate import zoo_files
from cnncalc.language.spec import open_spec
from cnncalc.spaces.columns import Figured
from cnncalc.spaces.region import measured
from cnncalc.spaces.space import Space
from cnncalc.spaces.sweep import Sweep

COLUMNS = ("params", "macs", "flops", "connections", "activation_bytes", "weight_bytes", "peak_inference_bytes", "depth",
           "moved_bytes", "intensity", "receptive_field")  # fmt: skip


def turned(name: str, structure: bool) -> dict[str, list[Any]]:
    """The knobs of a network; without `structure`, those that leave its layers what they are."""
    found = knobs(name)
    if structure:
        return found
    kept = {}
    own = [layer.name for layer in open_spec(name).graph().nodes]
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


def by_calculator(space: Space, index: int, columns: list[Figured]) -> tuple[Any, ...] | None:
    """What the calculator says of a candidate; None where it is no network."""
    try:
        found = measured(space, space.values(index), columns, 1)
    except SpecError:
        return None
    return tuple(each[0] if len(each) == 1 else each[0] / each[1] for each in found.values())


def compared(name: str, count: int, structure: bool, seed: int) -> tuple[int, int, int]:
    """How many candidates of a family were compared, how many are no networks, and of how many anything differs."""
    space = Space(name, turned(name, structure), alone=True)
    columns: tuple[str, ...] = COLUMNS
    try:
        next(iter(Sweep(space, columns)))
    except SpecError:  # what is not known of a network is told of none
        columns = tuple(column for column in COLUMNS if column != "receptive_field")
    rng = Random(seed)
    index = list(range(space.size))
    if count < space.size:
        index = sorted({rng.randrange(space.size) for _ in range(count)})
    way = Sweep(space, columns, seed=seed)
    said: dict[int, tuple[Any, ...]] = {}
    for rows in way.over(np.array(index)):
        each = zip(*(rows.figures[column].tolist() for column in columns), strict=True)
        said |= dict(zip(rows.index.tolist(), each, strict=True))
    wanted = set(range(len(index)))
    if way.where:  # conditions of the space between its knobs
        wanted = set(way.wanted(way.chunk(np.array(index)), np.array(index)).tolist())
    none = wrong = 0
    for place, each_index in enumerate(index):
        true = by_calculator(space, each_index, way.figured) if place in wanted else None
        none += true is None
        wrong += said.get(each_index) != true
    return len(index), none, wrong


def main() -> None:
    """A line for each family; exit with 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--structure", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", default="1/1")
    asked = parser.parse_args()
    share, shares = map(int, asked.share.split("/"))
    total = different = 0
    for path in [path for path in zoo_files() if turned(path.stem, asked.structure)][share - 1 :: shares]:
        begun = time.perf_counter()
        count, none, wrong = compared(path.stem, asked.count, asked.structure, asked.seed)
        total, different = total + count, different + wrong
        seconds = time.perf_counter() - begun
        print(
            f"{path.stem}: {count:,} candidates, {none:,} no networks, {wrong:,} differ ({seconds:.0f} s)", flush=True
        )
    print(f"{total:,} candidates in all, {different:,} differ")
    sys.exit(different > 0)


if __name__ == "__main__":
    main()
