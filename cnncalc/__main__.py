"""The command `cnncalc`, also as `python -m cnncalc`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; an interruption while it is still being loaded ends as any other does."""
    try:
        from .cli import main as run
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    run()


if __name__ == "__main__":
    main()
