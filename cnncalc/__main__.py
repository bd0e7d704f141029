"""The command `cnncalc`, also as `python -m cnncalc`."""

from __future__ import annotations

import gc
import sys

#: Objects between two looks for garbage. A command makes many at once and drops few; looking often takes a tenth of it.
ROOM = 100_000


def main() -> None:
    """Run the command line; an interruption while it is still being loaded ends as any other does."""
    gc.set_threshold(ROOM)
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    try:
        run()
    finally:
        gc.freeze()  # the process ends: what it holds goes with it, and need not be looked through once more


if __name__ == "__main__":
    main()
