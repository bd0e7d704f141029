"""Two benchmarks side by side: what changed, and what was different around them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import usage_error
from ...graph import Graph
from ...printable import printable
from ...record import Record
from .plan import Configuration
from .statistics import RESOLUTION, Ratio, between, median

SCHEMA_VERSION = 1
#: A forward pass that takes less or longer is no measurement.
SHORTEST_S, LONGEST_S = 1e-9, 1e6
#: Characters of a file of measurements.
LARGEST = 1 << 25
#: What differs from minute to minute and means nothing.
IGNORED = ("load", "memory_limit")


#: What a pair is called that shows nothing, because something disturbed it or the times are too far apart.
INCONCLUSIVE = "inconclusive"


class Pair(Record):
    """The same measurement in two files. What the machine's own change may explain lies within the ratio's interval."""

    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    ratio: Ratio

    @property
    def disturbances(self) -> list[str]:
        """What disturbed one of the two, one sentence each."""
        both = (("before", self.before), ("after", self.after))
        return [f"{when}: {reason}" for when, result in both for reason in disturbed(result)]

    def verdict(self, allowed: float | None = None) -> str:
        """What the two show, in words: `allowed` is the share by which it may get slower."""
        ratio, bound = self.ratio, allowed or 0.0
        if self.disturbances:
            return INCONCLUSIVE
        if ratio.is_shown and ratio.ratio > 1 + bound:
            return "slower"
        if allowed is not None and ratio.smallest > max(bound, RESOLUTION):
            return INCONCLUSIVE
        if not ratio.is_shown:
            return "no difference shown"
        return "faster" if ratio.ratio < 1 else "slower, as allowed"

    def why(self, allowed: float | None = None) -> str:
        """Why it is inconclusive."""
        if self.disturbances:
            return "; ".join(self.disturbances)
        asked = f"{100 * (allowed or 0):g}%"
        return f"a change of less than {self.ratio.smallest:.1%} could not have shown, and {asked} is asked for"


def disturbed(result: Mapping[str, Any]) -> list[str]:
    """What disturbed a measurement; nothing if it was clean."""
    if result.get("status") == "interrupted":
        return ["it was interrupted"]
    reasons = result.get("unclean") or ["something disturbed it"]
    return [] if result.get("clean", True) else [printable(str(reason)) for reason in reasons]


def read(path: str) -> list[dict[str, Any]]:
    """The results in a file that `cnncalc bench --json` wrote; raises `SpecError`."""
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(LARGEST + 1)
        if len(text) > LARGEST:
            raise usage_error(f"is longer than {LARGEST:,} characters", "one measurement a file", where=path)
        content = json.loads(text)
        results = content["results"]
        if content["kind"] != "cnncalc bench" or content["schema_version"] != SCHEMA_VERSION:
            raise KeyError
        for result in results:
            dict(_flat(result))
            called(result)
            if {"environment", "config", "spec", "args", "inputs"} - set(result):
                raise KeyError
            times = [result["latency"]["seconds"], *result.get("reference", {}).values()]
            if not all(isinstance(time, float) and SHORTEST_S < time < LONGEST_S for each in times for time in each):
                raise ValueError
            counts = result["latency"].get("calls_by_process", [])
            if not isinstance(result.get("unclean", []), list) or not all(
                type(each) is int and each > 0 for each in counts
            ):
                raise ValueError
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror}", where=path) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise usage_error("is no benchmark", "`cnncalc bench SPEC --json FILE` writes one", where=path) from None
    return list(results)


def called(result: Mapping[str, Any]) -> str:
    """What a result measures, in words."""
    config, name = result["config"], result["variant"] or result["network"]
    words = [f"{name} · batch {config['batch']} · {config['dtype']}"]
    words += [word for word in ("train", "channels_last", "cuda_graph", "fold_bn", "tf32") if config[word]]
    words += [f"compile {config['compile']}"] if config["compile"] else []
    return printable(" · ".join(words).replace("_", " "))


def _called(plan: tuple[Graph, Configuration]) -> str:
    graph, config = plan
    return called({"network": graph.name, "variant": graph.variant, "config": config._asdict()})


def refuse_strangers(
    path: str, earlier: Sequence[dict[str, Any]], plans: Sequence[tuple[Graph, Configuration]]
) -> None:
    """Raise `SpecError` where an earlier file has nothing of what is to be measured."""
    if not _wanted(earlier, plans):
        has = ", ".join(called(result) for result in earlier)
        raise usage_error(f"{path} has no {_called(plans[0])}", f"it has {has}: there would be nothing to compare")


def refuse_unclean(path: str, earlier: Sequence[dict[str, Any]], plans: Sequence[tuple[Graph, Configuration]]) -> None:
    """Raise `SpecError` where something disturbed the earlier measurement of what is to be measured."""
    for result in _wanted(earlier, plans):
        reasons = disturbed(result)
        if reasons:
            raise usage_error(
                f"is no baseline: {called(result)} was disturbed: {'; '.join(reasons)}",
                "measure it again: `cnncalc bench SPEC --retry 3 --json FILE` tries until it is clean",
                where=path,
            )


def _wanted(earlier: Sequence[dict[str, Any]], plans: Sequence[tuple[Graph, Configuration]]) -> list[dict[str, Any]]:
    wanted = {_called(plan) for plan in plans}
    return [result for result in earlier if called(result) in wanted]


def pairs(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[Pair]:
    """The measurements that both have, by name; raises `SpecError` if there is none."""
    known = {called(each): each for each in before if each["latency"]["seconds"]}
    compared = []
    for each in after:
        name = called(each)
        if name in known and each["latency"]["seconds"]:
            found = between(by_process(known[name]), by_process(each))
            compared.append(Pair(name, known[name], each, found.beside(_machine(known[name], each))))
    if not compared:
        has = ", ".join(known) or "nothing that was measured"
        raise usage_error("the two have no measurement in common", f"the first has {has}")
    return compared


def differences(pair: Pair) -> list[str]:
    """Every difference of machine, versions and flags between the two measurements of a pair."""
    old = dict(_flat({key: pair.before[key] for key in ("environment", "config", "spec", "args", "inputs")}))
    new = dict(_flat({key: pair.after[key] for key in ("environment", "config", "spec", "args", "inputs")}))
    changes = []
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key) and key.split(".")[-1] not in IGNORED:
            if key == "spec":
                changes.append("the text of the spec")
            else:
                changes.append(printable(f"{key.partition('.')[2]}: {old.get(key)} → {new.get(key)}"))
    return changes


def by_process(result: Mapping[str, Any]) -> list[list[float]]:
    """The times of a result, those of one process together; all of them where it was one."""
    seconds, found = result["latency"]["seconds"], []
    for count in result["latency"].get("calls_by_process") or [len(seconds)]:
        found.append(seconds[:count])
        seconds = seconds[count:]
    return [each for each in found if each]


def _machine(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[float]:
    """How the machine itself changed: the ratios of the fixed pieces of work that were timed between the calls."""
    old, new = before.get("reference", {}), after.get("reference", {})
    return [median(new[key]) / median(old[key]) for key in old if old[key] and new.get(key)]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{path}.{key}" if path else key)
    else:
        yield path, json.dumps(value) if isinstance(value, list) else value
