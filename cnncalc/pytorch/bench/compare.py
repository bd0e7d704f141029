"""Two benchmarks side by side: what changed, and what was different around them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ...errors import usage_error
from ...graph import Graph
from ...printable import printable
from .plan import Configuration
from .statistics import Ratio, ratio

SCHEMA_VERSION = 1
#: A forward pass that takes less or longer is no measurement.
SHORTEST_S, LONGEST_S = 1e-9, 1e6
#: Characters of a file of measurements.
LARGEST = 1 << 25
#: What differs from minute to minute and means nothing.
IGNORED = ("load", "memory_limit")


class Pair(NamedTuple):
    """The same measurement in two files."""

    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    ratio: Ratio


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
            if not all(
                isinstance(time, float) and SHORTEST_S < time < LONGEST_S for time in result["latency"]["seconds"]
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


def refuse_strangers(
    path: str, earlier: Sequence[dict[str, Any]], plans: Sequence[tuple[Graph, Configuration]]
) -> None:
    """Raise `SpecError` where an earlier file has nothing of what is to be measured."""
    wanted = [
        called({"network": graph.name, "variant": graph.variant, "config": config._asdict()}) for graph, config in plans
    ]
    has = [called(result) for result in earlier]
    if not {*wanted} & {*has}:
        raise usage_error(f"{path} has no {wanted[0]}", f"it has {', '.join(has)}: there would be nothing to compare")


def pairs(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> list[Pair]:
    """The measurements that both have, by name; raises `SpecError` if there is none."""
    known = {called(each): each for each in before if each["latency"]["seconds"]}
    compared = []
    for each in after:
        name = called(each)
        if name in known and each["latency"]["seconds"]:
            times = known[name]["latency"]["seconds"], each["latency"]["seconds"]
            compared.append(Pair(name, known[name], each, ratio(*times)))
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


def regressions(compared: Sequence[Pair], allowed: float) -> list[Pair]:
    """The pairs that got slower by more than a share, where the intervals show a difference at all."""
    return [pair for pair in compared if pair.ratio.ratio > 1 + allowed and pair.ratio.low > 1]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(each, f"{path}.{key}" if path else key)
    else:
        yield path, json.dumps(value) if isinstance(value, list) else value
