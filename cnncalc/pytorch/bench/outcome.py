"""What came of a benchmark: its document, its tables, and the verdict on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from ...graph import Graph
from ...record import Record
from ...table import Table
from .compare import INCONCLUSIVE, SCHEMA_VERSION, Pair, pairs
from .tables import layers_table, result_table, results_table, summarised

#: What to try where a measurement failed, by the kind of failure.
_WAYS_OUT = {
    "memory": "a smaller --batch; --find-batch searches the largest one that fits",
    "unsupported": "another --dtype, --device or layout",
}


class Verdict(Record):
    """What is left to say, and the exit code.

    It is 1 where a check failed, 2 where a measurement did, 3 where it is inconclusive, 130 where it was interrupted.
    """

    lines: tuple[str, ...] = ()
    code: int = 0


class Outcome:
    """The results of a run, of each network at each batch, and the earlier ones that they are compared with."""

    def __init__(
        self, results: list[dict[str, Any]], graphs: Sequence[Graph], earlier: Sequence[dict[str, Any]] = ()
    ) -> None:
        self.results, self.graphs, self.earlier = results, graphs, earlier

    @property
    def interrupted(self) -> bool:
        return any(result.get("interrupted") for result in self.results)

    @property
    def measured(self) -> list[dict[str, Any]]:
        """The results that hold a time."""
        return [result for result in self.results if result["latency"]["seconds"]]

    @property
    def failed(self) -> list[dict[str, Any]]:
        return [result for result in self.results if result["status"] == "failed"]

    @cached_property
    def pairs(self) -> list[Pair]:
        """The measurements beside the earlier ones; raises `SpecError` where they have nothing in common."""
        comparable = self.earlier and not self.failed and not self.interrupted
        return pairs(self.earlier, self.results) if comparable else []

    def document(self, command: str) -> dict[str, Any]:
        """All raw times with what the tables say of them; `command` is the line that repeats the run."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "cnncalc bench",
            "command": command,
            "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "results": [result | {"summary": summarised(result)} for result in self.results],
        }

    def tables(self, format: str) -> list[Table]:
        """The table of the results, and one of the layers for each network that was timed layer by layer.

        Only a table for people has room for both where there is one network; programs get the layers then. CSV has one
        line a network.
        """
        shown = self.measured if self.interrupted else self.results
        both = zip(self.results, self.graphs, strict=False)
        layers = [layers_table(result, graph) for result, graph in both if "layers" in result and "probe" in result]
        if len(shown) > 1 or (shown and format == "csv" and not layers):
            return [results_table(shown), *layers]
        if layers and format != "table":
            return layers
        own = [result_table(each) for each in shown if each["latency"]["seconds"] or each["status"] != "failed"]
        return [*own, *layers]

    def verdict(self, allowed: float | None = None, strict: bool = False) -> Verdict:
        """Whether all was measured and nothing is slower by more than is `allowed` or, where `strict`, disturbed."""
        said = tuple(_failure(result) for result in self.failed)
        if self.interrupted:
            return Verdict(said if self.measured else (*said, "interrupted before anything was measured"), 130)
        if self.failed:
            return Verdict(said, 2)
        return judged(self.pairs, allowed, strict and not all(result.get("clean") for result in self.results))


def judged(compared: Sequence[Pair], allowed: float | None, unclean: bool) -> Verdict:
    """A failure where something got slower by more than is allowed, or a run was to be clean and was not.

    Where nothing failed but something is inconclusive, the exit code is 3: the same run may be asked again.
    """
    if allowed is None:
        return Verdict(("\nnot clean: see above",) * unclean, int(unclean))
    lines = [f"slower than before by more than {100 * allowed:g}%: {pair.name}" for pair in compared
             if pair.verdict(allowed) == "slower"]  # fmt: skip
    lines += ["\nnot clean: see above"] * unclean
    if lines:
        return Verdict(tuple(lines), 1)
    unknown = [pair for pair in compared if pair.verdict(allowed) == INCONCLUSIVE]
    said = [f"inconclusive: {pair.name}: {pair.why(allowed)}" for pair in unknown]
    said += ["  hint: --retry 3 measures again until nothing disturbs it; --rigorous measures for longer"] * bool(said)
    return Verdict(tuple(said), 3 if said else 0)


def _failure(result: dict[str, Any]) -> str:
    error, name = result["error"], result["variant"] or result["network"]
    way_out = f"\n  hint: {_WAYS_OUT[error['kind']]}" if error["kind"] in _WAYS_OUT else ""
    return f"\n{name}, batch {result['config']['batch']}: {error['message']}{way_out}"
