"""A class of 200 with 20 items: one sheet for each built, filled in, and graded."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDENTS, ITEMS, MOST_S = 200, 20, 60.0
PROGRAM = str(Path(sys.executable).parent / "cnncalc")
KINDS = (
    "size",
    "conv_params",
    "macs",
    "pool",
    "fc_params",
    "receptive_field",
    "activation_bytes",
    "batch_norm",
    "tconv",
)


def main() -> None:
    """Print the seconds of both steps; exit with 1 where they take longer together than the figure to reach."""
    rng = random.Random(0)
    items = [f"  - {{id: q{i}, kind: {KINDS[i % len(KINDS)]}}}" for i in range(ITEMS - 2)]
    items += [
        "  - {id: t, table: params, spec: lenet}",
        "  - {id: f, find_error: output, spec: lenet, layers: [C1, S2, C3, S4]}",
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sheet.yaml").write_text("items:\n" + "\n".join(items) + "\n")
        (folder / "roster.txt").write_text("\n".join(f"student {i}" for i in range(STUDENTS)))
        start = time.perf_counter()
        run(folder, "worksheet", "build", "sheet.yaml", "--roster", "roster.txt")
        built = time.perf_counter() - start
        for path in folder.glob("sheets/students/*/answers.yaml"):
            lines = [f"  q{i}: {rng.randint(1, 5000)}" for i in range(ITEMS - 2)]
            path.write_text("\n".join([path.read_text().split("\n")[0], "answers:", *lines, "  f: C1"]) + "\n")
        start = time.perf_counter()
        run(folder, "grade", "sheet.yaml", "sheets/students")
        graded = time.perf_counter() - start
    print(
        f"{STUDENTS} students, {ITEMS} items: built in {built:.1f} s, graded in {graded:.1f} s, to reach: {MOST_S:g} together"
    )
    sys.exit(built + graded > MOST_S)


def run(folder: Path, *arguments: str) -> None:
    subprocess.run([PROGRAM, *arguments], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    main()
