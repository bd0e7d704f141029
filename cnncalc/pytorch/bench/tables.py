"""Benchmarks as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph import Graph
from ...quantities import mib, number, readable, si
from ...quantities import share as percent
from ...table import Column, Line, Table
from .ceiling import achieved, ceiling, limit_of
from .compare import INCONCLUSIVE, Pair, by_process, differences
from .find_batch import Found
from .plan import Configuration
from .predict import report_of, roofline
from .statistics import NEEDED, PROCESSES, between, summary

_FACTS = (Column("quantity", "quantity"), Column("value", "value"), Column("remark", "remark"))


def milliseconds(seconds: float) -> str:
    """A time with enough digits.

    >>> milliseconds(0.05312), milliseconds(0.0000123), milliseconds(12.3)
    ('53.12 ms', '0.0123 ms', '12.3 s')
    """
    value = seconds * 1e3
    if value >= 10_000:
        return f"{seconds:,.1f} s"
    return f"{value:.3g} ms" if value < 1 else f"{value:.2f} ms" if value < 1000 else f"{value:,.0f} ms"


def per_second(rate: float) -> str:
    """Images per second.

    >>> per_second(18250.4), per_second(12.3456)
    ('18,250', '12.35')
    """
    return f"{rate:,.0f}" if rate >= 1000 else f"{rate:.4g}"


def head(result: dict[str, Any]) -> tuple[str, ...]:
    """What was run, on what, and how."""
    config, environment = result["config"], result["environment"]
    named = len(result["inputs"]) > 1
    shapes = ", ".join(f"{name} {readable(shape)}" if named else readable(shape)
                       for name, shape in result["inputs"].items())  # fmt: skip
    how = f"training, {config['optimizer']}" if config["train"] else "inference"
    first = f"input {shapes} (H×W×C) · batch {config['batch']} · {config['dtype']} · {how}"
    for word in ("channels_last", "cuda_graph", "fold_bn"):
        first += f" · {word.replace('_', ' ')}" if config[word] else ""
    first += f" · compile {config['compile']}" if config["compile"] else ""
    if "device" not in environment:
        return (first,)
    device, flags = environment["device"], environment["flags"]
    threads = environment["threads"]
    on = (
        f"{device['device']}, {threads} thread{'s' * (threads != 1)}" if config["device"] == "cpu" else device["device"]
    )
    second = f"{device['name']} ({on}) · torch {environment['versions']['torch']}"
    if config["device"] != "cpu":
        second += f" · TF32 {'on' if flags['tf32'] else 'off'}"
        second += f" · cuDNN autotuning {'on' if flags['cudnn_benchmark'] else 'off'}"
    return first, second


def title(result: dict[str, Any]) -> str:
    """The network's name."""
    name, variant = result["network"], result["variant"]
    return f"{name} ({variant})" if variant and variant != name else name


def result_table(result: dict[str, Any]) -> Table:
    """One measurement: what was found, and what it means."""
    rows: list[tuple[str, str, str]] = []
    samples = result["latency"]["seconds"]
    if samples:
        latency = summary(samples)
        disturbed = "not to be used, it was disturbed: " * (result.get("clean") is False)
        interval = f"95 % interval {milliseconds(latency.low)} to {milliseconds(latency.high)}"
        remark = f"{disturbed}median of {latency.calls} calls, {interval}"
        rows.append(("latency", milliseconds(latency.median), remark))
        tails = [f"p{p} {milliseconds(value)}" for p, value in latency.percentiles.items()]
        rows.append(("", f"min {milliseconds(latency.minimum)}", f"quartiles {100 * latency.spread:.1f} % apart; "
                     + (", ".join(tails) or f"too few calls for p90 ({NEEDED[90]})")))  # fmt: skip
        apart = by_process(result)
        few = (
            "; one process does not tell: the standard plan takes 4"
            if len(apart) < PROCESSES
            else f", {len(apart)} processes each"
        )
        rows.append(("resolution", f"{between(apart, apart).smallest:.1%}",
                     f"the smallest change that would show against another run like this one{few}"))  # fmt: skip
        device = result["latency"]["device_seconds"]
        if device:
            own = summary(device)
            rows.append(("on the device", milliseconds(own.median), "the rest of the latency is launching and waiting"))
    rows += _throughput(result)
    rows += _work(result)
    rows += _memory(result)
    if "cold" in result and "first_s" in result["cold"]:
        build, first = result["cold"]["build_s"], result["cold"]["first_s"]
        rows.append(("first call", milliseconds(first), f"after {milliseconds(build)} of building; not in the latency"))
    notes = status(result)
    lines = [Line(row) for row in rows]
    return Table(title(result), _FACTS, lines, head(result), (*notes, *_layer_notes(result)), document=result)


def _throughput(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    if "throughput" not in result:
        return []
    rates = sorted(result["throughput"]["images_per_s"])
    middle = rates[len(rates) // 2]
    calls = result["throughput"]["calls_a_block"]
    spread = f"{per_second(rates[0])} to {per_second(rates[-1])}"
    remark = f"{len(rates)} blocks of {calls} call{'s' * (calls != 1)}, {spread}"
    return [("throughput", f"{per_second(middle)} images/s", remark)]


def summarised(result: dict[str, Any]) -> dict[str, Any] | None:
    """What the table says of a measurement, as plain data in seconds and bytes; None where nothing was measured."""
    samples = result["latency"]["seconds"]
    if not samples:
        return None
    latency = summary(samples)
    rates = sorted(result.get("throughput", {}).get("images_per_s", []))
    rate = achieved(result)
    made: dict[str, Any] = {
        "median_s": latency.median,
        "interval_s": [latency.low, latency.high],
        "minimum_s": latency.minimum,
        "percentiles_s": {f"p{p}": value for p, value in latency.percentiles.items()},
        "calls": latency.calls,
        "smallest_change": between(by_process(result), by_process(result)).smallest,
        "images_per_s": rates[len(rates) // 2] if rates else None,
        "flops_per_s": rate[0] if rate else None,
        "share_of_peak": rate[1] if rate else None,
        "bound": None,
        "usable": result["status"] == "complete" and bool(result.get("clean")),
        "verdicts": list(status(result)),
    }
    if "probe" in result:
        best = ceiling(result)
        limit = limit_of(result, best)
        made |= {"bound": limit.bound, "least_s": limit.least_s, "ceiling": best._asdict()}
    return made


def _work(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = achieved(result)
    if found is None:
        return []
    rate, share = found
    predicted, best = result["predicted"], ceiling(result)
    limit = limit_of(result, best)
    percent = limit.least_s / summary(result["latency"]["seconds"]).median
    return [
        ("work", f"{si(rate)}FLOP/s", f"{si(predicted['flops'])}FLOP (2·MACs) a call; {share:.0%} of the "
         "best seen here"),
        ("best seen here", f"{si(best.flops)}FLOP/s", f"by {best.flops_by}"),
        ("", f"{si(best.bytes_per_s)}B/s", f"by {best.bytes_by}"),
        ("roofline", f"{limit.bound}-bound", f"{limit.intensity:.3g} FLOP/byte, the turn is at {limit.ridge:.3g}; "
         f"{percent:.0%} of the best seen here, which would take {milliseconds(limit.least_s)}"),
    ]  # fmt: skip


def _memory(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    if "memory" not in result or "predicted" not in result:
        return []
    measured, predicted = result["memory"], result["predicted"]
    what = "weights, optimizer, input, activations" if result["config"]["train"] else "weights + input + activations"
    exact = "" if predicted["exact"] else "; autocast's copies are not in the prediction"
    rows = [("peak memory", mib(predicted["peak_bytes"]), f"predicted: {what}{exact}")]
    if "tensor_bytes" in measured:
        share = measured["tensor_bytes"] / predicted["peak_bytes"] - 1 if predicted["peak_bytes"] else 0.0
        rows.append(("", mib(measured["tensor_bytes"]), f"measured, tensors ({share:+.1%})"))
    if "allocated" in measured:
        band = predicted.get("allocated_bytes")
        between = f"; predicted with the libraries' copies: {mib(band[0])} to {mib(band[1])}" if band else ""
        rows.append(("", mib(measured["allocated"]), f"measured, the device's allocator{between}"))
    if "process_bytes" in measured:
        rows.append(("", mib(measured["process_bytes"]), "the whole process, PyTorch's code included"))
    return rows


def status(result: dict[str, Any]) -> tuple[str, ...]:
    """Whether the figures may be trusted, in words."""
    if result["status"] == "failed":
        return (f"failed: {result['error']['message']}",)
    if result["status"] == "interrupted":
        return ("interrupted: what was measured so far",)
    lines = [f"unclean: {reason}" for reason in result["unclean"]] or ["clean: nothing disturbed it"]
    if result["status"] == "unstable":
        lines.insert(0, "unstable: the interval of the median stayed wider than was asked for")
    return tuple(lines)


def _layer_notes(result: dict[str, Any]) -> tuple[str, ...]:
    timed = result.get("layers")
    if not timed:
        return ()
    total = sum(timed["layers"].values())
    cost = timed["whole_s"] / timed["without_s"] - 1
    lines = [
        f"layer by layer: {milliseconds(timed['whole_s'])} the whole pass with clocks, {milliseconds(total)} the sum "
        f"of the layers, {milliseconds(max(0.0, timed['whole_s'] - total))} in none of them"
    ]
    if cost > 0.05:
        lines.append(f"the clocks themselves cost {cost:.0%}: the layers look slower than they are")
    return tuple(lines)


def layers_table(result: dict[str, Any], graph: Graph) -> Table:
    """The time of each layer, its work, and which limit holds it."""
    config = Configuration(**result["config"])
    report = report_of(graph, config, config.kind)
    times, best = result["layers"]["layers"], ceiling(result)
    total = sum(times.values())
    columns = (
        Column("layer", "layer"),
        Column("type", "type"),
        Column("seconds", "time", lambda seconds: milliseconds(seconds), True),
        Column("share", "share", percent, True),
        Column("macs", "MACs", number, True),
        Column("flops_per_s", "GFLOP/s", lambda rate: f"{rate / 1e9:,.1f}", True),
        Column("bound", "bound"),
    )
    lines = []
    for row in report.rows:
        if row.name not in times:
            continue
        seconds, traffic = times[row.name], row.moved_bytes or 0
        limit = roofline(2 * (row.macs or 0), traffic, best.flops, best.bytes_per_s)
        rate = 2 * (row.macs or 0) / seconds if seconds else 0.0
        bound = limit.bound if traffic else ""
        lines.append(Line((row.name, row.type, seconds, seconds / total, row.macs, rate, bound)))
    lines.append(Line(("total", "", total, 1.0, report.totals.macs, 2 * report.totals.macs / total, ""), "total"))
    return Table("", columns, lines, spare=("type", "share", "bound"))


def results_table(results: Sequence[dict[str, Any]]) -> Table:
    """Several measurements side by side, with ratios to the first one of the same batch where they took turns."""
    columns = (
        Column("network", "network"),
        Column("batch", "batch", number, True),
        Column("latency", "latency", milliseconds, True),
        Column("precision", "±", lambda value: f"{100 * value:.1f} %", True),
        Column("ratio", "×", lambda latency: f"{latency.ratio:.3f}" + ("" if latency.is_shown else " ="), True),
        Column("images_per_s", "images/s", per_second, True),
        Column("work", "GFLOP/s", lambda value: f"{value / 1e9:,.1f}", True),
        Column("share", "of peak", percent, True),
        Column("memory", "peak MiB", lambda value: f"{value / 2**20:,.1f}", True),
        Column("clean", "clean"),
    )
    lines, notes = [], []
    firsts: dict[Any, dict[str, Any]] = {}
    for result in results:
        samples, config = result["latency"]["seconds"], result["config"]
        first = firsts.setdefault(config["batch"], result)
        name = result["variant"] or result["network"]
        if not samples:
            lines.append(Line((name, config["batch"], *("",) * 7, result["status"])))
        else:
            latency, rate = summary(samples), achieved(result)
            compared = (
                between(by_process(first), by_process(result))
                if first is not result and first["latency"]["seconds"]
                else ""
            )
            rates = sorted(result.get("throughput", {}).get("images_per_s", []))
            peak = result.get("memory", {})
            size = peak.get("allocated", peak.get("tensor_bytes", peak.get("process_bytes", "")))
            clean = "yes" if result.get("clean") else result["status"] if result["status"] != "complete" else "no"
            lines.append(Line((name, config["batch"], latency.median, latency.precision, compared,
                               rates[len(rates) // 2] if rates else "", *(rate or ("", "")), size, clean)))  # fmt: skip
        if result["status"] == "failed" or result.get("unclean"):
            notes += [f"{name}, batch {config['batch']}: {line}" for line in status(result)]
    if len(results) > len(firsts):
        notes.append("× ratio to the first network at the same batch; = no difference shown")
    return Table(
        "", columns, lines, head(results[0])[1:], tuple(notes), ("work", "share", "memory", "precision"), results
    )


def comparison_table(compared: Sequence[Pair], allowed: float | None = None) -> Table:
    """Pairs of measurements: before, after, their ratio, its interval, and what they show.

    `allowed` is the share by which something may get slower, None where nothing is said.
    """
    columns = (
        Column("measurement", "measurement"),
        Column("before", "before", milliseconds, True),
        Column("after", "after", milliseconds, True),
        Column("ratio", "×", lambda value: f"{value:.3f}", True),
        Column("low", "95 % from", lambda value: f"{value:.3f}", True),
        Column("high", "to", lambda value: f"{value:.3f}", True),
        Column("smallest", "could show", lambda value: f"{value:.1%}", True),
        Column("verdict", "verdict"),
    )
    lines, notes, cautions = [], [], []
    for pair in compared:
        times = [summary(each["latency"]["seconds"]).median for each in (pair.before, pair.after)]
        verdict = pair.verdict(allowed)
        lines.append(Line((pair.name, *times, *pair.ratio, pair.ratio.smallest, verdict)))
        cautions += [f"{pair.name}: not clean, {reason}" for reason in pair.disturbances]
        if verdict == INCONCLUSIVE and not pair.disturbances:
            cautions.append(f"{pair.name}: {pair.why(allowed)}")
        changed = differences(pair)
        notes += [f"{pair.name}: {change}" for change in changed] if len(compared) > 1 else changed
    heading = ("what was different:",) if notes else ("nothing else was different",)
    caution = (
        "could show: the smallest slowdown that would have shown",
        "the interval holds what a fixed piece of work, timed between the calls, changed by",
    )
    return Table(
        "",
        columns,
        lines,
        (),
        (*heading, *(f"  {note}" for note in dict.fromkeys(notes)), *cautions, *caution),
        ("low", "high", "smallest"),
    )


def batch_table(graph: Graph, config: Configuration, search: Found) -> Table:
    """The search of the largest batch."""
    columns = (Column("batch", "batch", number, True), Column("fits", "fits"))
    lines = [Line((batch, "yes" if fits else "no")) for batch, fits in search.tries]
    name = graph.variant or graph.name
    meaning = (
        "the largest that fitted before the interruption" if search.interrupted else "fits twice, and one more does not"
    )
    notes: tuple[str, ...] = (
        f"largest batch        {search.batch:>10,}  {meaning}",
        f"predicted            {search.predicted:>10,}  within {mib(search.limit_bytes)}",
    )
    if not search.interrupted and search.batch < 0.9 * search.predicted:
        notes += ("the prediction counts tensors; the libraries' own workspaces take the rest",)
    if not search.batch:
        notes = (f"{'interrupted before one fitted' if search.interrupted else 'not one image fits'} "
                 f"within {mib(search.limit_bytes)}, though {search.predicted:,} are predicted to",
                 "what is measured is the process, libraries included; the prediction counts tensors")  # fmt: skip
    document = {"schema_version": 1, "kind": "cnncalc bench --find-batch", "network": graph.name,
                "variant": graph.variant, "config": config._asdict(), **search._asdict()}  # fmt: skip
    return Table(name, columns, lines, (), notes, document=document)
