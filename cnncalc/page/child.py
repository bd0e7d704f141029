"""Run as a program: answers the page's questions, a line each, within limits on memory, until its input ends."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

TOO_MUCH = '{"problems": [{"message": "it needs too much memory", "hint": "a smaller network", "code": "page"}]}'


def limit(memory: int) -> None:
    """Bound what this process may allocate, where the system can."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def main() -> None:
    """Answer line by line."""
    # A program's own folder stands first where modules are looked for; the package's parent is what is meant.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    limit(int(sys.argv[1]))
    from cnncalc.page.desk import answer
    from cnncalc.page.desk.network import analysed

    for line in sys.stdin.buffer:
        try:
            said = answer(line.decode("utf-8", "replace"))
        except MemoryError:
            analysed.cache_clear()  # what is kept of networks before would leave no room for smaller ones
            said = TOO_MUCH
        sys.stdout.buffer.write(said.encode("utf-8", "replace") + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
