"""The roofline as a chart: what was reached, under the best that was seen on the machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import usage_error
from ...figures.chart import Axis, Dot, Limit, chart
from ...figures.colours import KINDS
from ...figures.options import Options
from ...figures.scene import Scene
from ...figures.wording import kind_of
from ...graph import Graph
from ...quantities import share, si
from ...record import Record
from .ceiling import Ceiling, ceiling
from .plan import Configuration
from .predict import report_of
from .statistics import summary
from .tables import head

#: How much further than the dots and the turn the lines go.
ROOM = 3.0


class Reached(Record):
    """Something that was timed: its work and the bytes it must at least move, both of a whole call, and its time."""

    name: str
    family: str
    flops: float
    traffic: float
    seconds: float


def roofline_chart(results: Sequence[dict[str, Any]], graphs: Sequence[Graph]) -> Scene:
    """A dot for each layer where layers were timed, else for each network, at FLOP/byte and FLOP/s; areas are times.

    After Williams, Waterman & Patterson (2009). Raises `SpecError` where nothing that does work was measured.
    """
    measured = [
        (result, graph)
        for result, graph in zip(results, graphs, strict=False)
        if "probe" in result and result["latency"]["seconds"]
    ]
    layers = [(result, graph) for result, graph in measured if "layers" in result]
    several = len({result["config"]["batch"] for result, _ in measured}) > 1
    names = [_name(result, several) for result, _ in layers or measured]
    timed = (
        [part for name, each in zip(names, layers, strict=True) for part in _layers(*each, name if layers[1:] else "")]
        if layers
        else [_whole(name, result) for name, (result, _) in zip(names, measured, strict=True)]
    )
    there = [each for each in timed if each.flops and each.traffic and each.seconds]
    if not there:
        raise usage_error("no work was measured that a roofline could show", "leave out --roofline")
    best = _best([ceiling(result) for result, _ in measured], there)
    dots = [
        Dot(each.name, each.family, each.flops / each.traffic, each.flops / each.seconds, each.seconds)
        for each in there
    ]
    title = "Roofline: " + ", ".join(dict.fromkeys(_name(result, False) for result, _ in layers or measured))
    x = Axis("work for each byte that must be moved, FLOP/byte", lambda value: f"{value:.3g}", log=True)
    y = Axis("speed, FLOP/s", lambda value: _brief(value).strip(), log=True)
    note = _note(timed, there, best, measured[0][0])
    return chart(dots, x, y, title, Options(), _limits(dots, best), note)


def _name(result: dict[str, Any], with_batch: bool) -> str:
    name = result["variant"] or result["network"]
    return f"{name}, batch {result['config']['batch']}" if with_batch else str(name)


def _whole(name: str, result: dict[str, Any]) -> Reached:
    predicted, seconds = result["predicted"], summary(result["latency"]["seconds"]).median
    return Reached(name, result["network"], predicted["flops"], predicted["traffic_bytes"], seconds)


def _layers(result: dict[str, Any], graph: Graph, network: str) -> list[Reached]:
    """The layers that were timed, each of the family of its network, or of its kind where there is no other network."""
    times, config = result["layers"]["layers"], Configuration(**result["config"])
    kinds = {layer.name: KINDS[kind_of(layer)] for layer in graph.layers}
    return [
        Reached(row.name, network or kinds[row.name], 2 * (row.macs or 0), row.moved_bytes or 0, times[row.name])
        for row in report_of(graph, config, config.kind).rows
        if row.name in times
    ]


def _best(ceilings: Sequence[Ceiling], reached: Sequence[Reached]) -> Ceiling:
    """The best of all that was seen in one run, by what was measured itself where nothing was faster."""
    work = [(each.flops, each.flops_by) for each in ceilings]
    moved = [(each.bytes_per_s, each.bytes_by) for each in ceilings]
    work += [(each.flops / each.seconds, each.name) for each in reached]
    moved += [(each.traffic / each.seconds, each.name) for each in reached]
    return Ceiling(*max(work), *max(moved))


def _limits(dots: Sequence[Dot], best: Ceiling) -> list[Limit]:
    """The slope of what can be moved, and the roof of what can be computed, which meet at the turn."""
    turn = best.flops / best.bytes_per_s
    low, high = min(turn, *(dot.x for dot in dots)) / ROOM, max(turn, *(dot.x for dot in dots)) * ROOM
    return [
        Limit(f"{_brief(best.bytes_per_s)}B/s", ((low, low * best.bytes_per_s), (turn, best.flops))),
        Limit(f"{_brief(best.flops)}FLOP/s", ((turn, best.flops), (high, best.flops))),
    ]


def _brief(value: float) -> str:
    digits, prefix = si(value).split(" ")
    return f"{float(digits):.3g} {prefix}"


def _note(timed: Sequence[Reached], there: Sequence[Reached], best: Ceiling, result: dict[str, Any]) -> str:
    how = "training" if result["config"]["train"] else "inference"
    text = (
        f"{head(result)[-1]} · {result['config']['dtype']} · {how}. Best seen here: {_brief(best.flops)}FLOP/s by "
        f"{best.flops_by}; {_brief(best.bytes_per_s)}B/s by {best.bytes_by}. The area of a dot is its time."
    )
    if len(there) < len(timed):
        whole, shown = sum(each.seconds for each in timed), sum(each.seconds for each in there)
        text += f" Not drawn, as they multiply nothing: {len(timed) - len(there)} of {len(timed)} layers, "
        text += f"{share((whole - shown) / whole)} of the time."
    return text
