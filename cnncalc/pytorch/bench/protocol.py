"""The protocol: who measures what, in which order, and when there is enough."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

from ... import __version__
from ...graph import Graph
from ...record import Record
from .environment import Disturbance, Moment, disturbances, machine, moment
from .plan import PLANS, Configuration
from .predict import Prediction, predict
from .process import Process, WorkerFailed
from .statistics import is_steady, median, summary

#: Seconds of single calls that a worker is asked for at a time: how finely those that are compared take turns.
TURN_S = 0.25

Progress = Callable[[str, float], None]


class Task(Record):
    """A network and how to run it."""

    graph: Graph
    config: Configuration


class Runner:
    """One task under way: its process, and what has been measured so far."""

    def __init__(self, task: Task, start: Callable[[Graph, Configuration], Process] = Process) -> None:
        self.task, self.plan = task, PLANS[task.config.plan]
        self.start = start
        self.process = start(*task)
        self.usage: list[dict[str, float]] = []
        self.states: list[dict[str, Any]] = [{}, {}]
        self.before = moment()
        self.spent, self.first = 0.0, 0  # in this process: seconds, and where its samples begin
        self.passed = Moment(0.0, 0.0, 0.0)
        self.precise = True
        self.fixed: dict[str, list[float]] = {}  # times of the fixed work in this process
        self.halves = (0.0, 0.0)
        graph, config = task
        self.prediction: Prediction | None = None
        self.result: dict[str, Any] = {
            "network": graph.name,
            "variant": graph.variant,
            "source": graph.source.name,
            "spec": graph.source.text,
            "args": dict(graph.args),
            "inputs": {node.name: list(node.shape or ()) for node in graph.inputs},
            "config": config._asdict(),
            "environment": {"cnncalc": __version__, **machine()},
            "status": "interrupted",
            "latency": {"seconds": [], "device_seconds": [], "calls_by_process": []},
            "reference": {},
        }

    @property
    def samples(self) -> list[float]:
        found: list[float] = self.result["latency"]["seconds"]
        return found

    def renew(self, progress: Progress) -> None:
        """Another process, which begins anew."""
        progress("another process", 0.2)
        self.process.end()
        self.process = self.start(*self.task)
        self.process.start()
        for order in ("build", "cold"):
            self.process.ask(order)
        self.spent, self.first, self.fixed = 0.0, len(self.samples), {}

    def close(self, _: Progress) -> None:
        """The times of a process are complete."""
        now = moment()
        self.passed = Moment(
            *(sum + after - before for sum, after, before in zip(self.passed, now, self.before, strict=True))
        )
        self.result["latency"]["calls_by_process"].append(len(self.samples) - self.first)
        self.precise = self.precise and self.is_precise
        self.halves = max(self.halves, _halves(self.fixed), key=_change)
        self.states[1] = self.process.ask("state")

    def prepare(self, progress: Progress) -> None:
        """Device, preflight, network, first call."""
        config = self.task.config
        progress("starting", 0.0)
        started = self.process.start()
        kind = started.pop("kind")
        config = config._replace(device=started["device"]["device"])
        self.task = self.task._replace(config=config)
        self.result["config"] = config._asdict()
        self.prediction = predict(self.task.graph, config, kind)
        self.result["predicted"] = self.prediction._asdict()
        free = started.pop("free_bytes")
        self.result["environment"] |= started
        self.result["preflight"] = {"needed_bytes": self.prediction.peak_bytes, "free_bytes": free}
        allowed = min(free, config.memory_limit or free)
        if self.prediction.peak_bytes > allowed and not config.memory_limit:
            raise WorkerFailed("memory", f"needs about {_gib(self.prediction.peak_bytes)}, and {_gib(free)} are free")
        progress("building", 0.05)
        self.result["cold"] = self.process.ask("build")
        progress("first call", 0.1)
        self.result["cold"] |= self.process.ask("cold")

    def warm_up(self, progress: Progress) -> None:
        """Calls until two windows of ten agree."""
        times: list[float] = []
        begin = time.monotonic()
        while True:
            passed = time.monotonic() - begin
            if len(times) >= 10 and passed >= self.plan.warm_least_s and is_steady(times):
                break
            if passed >= self.plan.warm_most_s:
                break
            progress(f"warming up, {len(times)} calls", 0.15)
            times += self.process.ask("latency", calls=1, seconds=0.05)["seconds"]
        known = self.result.get("warm_up", {"calls": 0, "steady": True})
        steady = is_steady(times) and known["steady"]
        self.result["warm_up"] = {"calls": len(times) + known["calls"], "steady": steady}
        self.states[0] = self.states[0] or self.process.ask("state")
        self.before = moment()

    def turn(self) -> None:
        """Some more single calls."""
        begin = time.monotonic()
        answer = self.process.ask("latency", calls=1, seconds=min(TURN_S, self.plan.least_s / 4 / self.plan.processes))
        self.spent += time.monotonic() - begin
        self.samples.extend(answer["seconds"])
        self.result["latency"]["device_seconds"] += answer["device_seconds"]
        self.usage.append(answer["usage"])
        for work, seconds in self.process.ask("reference").items():
            self.result["reference"].setdefault(work, []).extend(seconds)
            self.fixed.setdefault(work, []).extend(seconds)

    @property
    def is_precise(self) -> bool:
        """Whether this process has had its share, and its times lie close enough together."""
        plan, own = self.plan, self.samples[self.first :]
        if len(own) * plan.processes < plan.least_calls or self.spent * plan.processes < plan.least_s:
            return False
        return summary(own).precision <= plan.precision * math.sqrt(plan.processes)

    @property
    def has_enough(self) -> bool:
        most = self.plan.most_s / self.plan.processes
        return self.is_precise or (self.spent >= most and len(self.samples) > self.first)

    def finish(self, progress: Progress) -> None:
        """Throughput, memory, layers, and what the machine can do."""
        config, plan = self.task.config, self.plan
        own_cpu = sum(use["cpu_s"] for use in self.usage)
        blocks = []
        each = max(1, round(plan.block_s / summary(self.samples).median))
        for number in range(plan.blocks):
            progress(f"throughput, block {number + 1} of {plan.blocks}", 0.75)
            blocks.append(self.process.ask("throughput", calls=each))
        self.result["throughput"] = {
            "images_per_s": [block["calls"] * config.batch / block["seconds"] for block in blocks],
            "calls_a_block": each,
        }
        if config.per_layer:
            progress("layer by layer", 0.85)
            self.result["layers"] = self.process.ask("layers", seconds=plan.least_s)
        progress("memory", 0.9)
        self.result["memory"] = self.process.ask("memory")
        progress("what the machine can do", 0.95)
        self.result["probe"] = self.process.ask("probe", held=self.result["predicted"]["peak_bytes"])
        on_cpu = config.kind == "cpu"
        quiet = Disturbance(Moment(0.0, 0.0, 0.0), self.passed, own_cpu, self.usage, self.halves,
                            (self.states[0], self.states[1]), on_cpu)  # fmt: skip
        reasons = disturbances(quiet) if self.alone else _without_others(disturbances(quiet))
        if not self.result["warm_up"]["steady"]:
            reasons.append("it never became steady while warming up")
        self.result["unclean"], self.result["clean"] = reasons, not reasons
        self.result["states"] = self.states
        self.result["status"] = "complete" if self.precise else "unstable"

    alone = True  # whether no other task takes turns with this one


def _halves(reference: dict[str, list[float]]) -> tuple[float, float]:
    """The medians of the first and of the second half of the fixed work that changed most meanwhile."""
    pairs = [
        (median(seconds[: len(seconds) // 2]), median(seconds[len(seconds) // 2 :]))
        for seconds in reference.values()
        if len(seconds) > 1
    ]
    return max(pairs, key=_change, default=(0.0, 0.0))


def _change(pair: tuple[float, float]) -> float:
    """By what share the second of two times differs from the first."""
    return abs(pair[1] / pair[0] - 1) if pair[0] else 0.0


def _without_others(reasons: list[str]) -> list[str]:
    """Tasks that take turns use the cores in each other's pauses, which disturbs nothing."""
    return [reason for reason in reasons if not reason.startswith("other processes used")]


def bench(
    tasks: Sequence[Task],
    progress: Progress = lambda text, share: None,
    start: Callable[[Graph, Configuration], Process] = Process,
) -> list[dict[str, Any]]:
    """Measure tasks, taking turns (A B B A A B …), and return one result for each, as JSON has it.

    A failure is in the result, as `error`, with the status "failed"; an interruption leaves what was measured so far,
    with the status "interrupted".
    """
    runners = [Runner(task, start) for task in tasks]
    for runner in runners:
        runner.alone = len(runners) == 1
    try:
        left = [runner for runner in runners if _attempt(runner, runner.prepare, progress)]
        for number in range(max((runner.plan.processes for runner in left), default=0)):
            if number:
                left = [runner for runner in left if _attempt(runner, runner.renew, progress)]
            left = [runner for runner in left if _attempt(runner, runner.warm_up, progress)]
            _take_turns(left, progress)
            left = [runner for runner in left if "error" not in runner.result]
            left = [runner for runner in left if _attempt(runner, runner.close, progress)]
        for runner in left:
            if "error" not in runner.result:
                _attempt(runner, runner.finish, progress)
    except KeyboardInterrupt:
        for runner in runners:
            runner.result["interrupted"] = True
    finally:
        for runner in runners:
            runner.process.end()
    return [runner.result for runner in runners]


def _attempt(runner: Runner, work: Callable[[Progress], None], progress: Progress) -> bool:
    try:
        work(progress)
    except WorkerFailed as error:
        runner.result |= {"status": "failed", "error": {"kind": error.kind, "message": error.message}}
        return False
    return True


def _take_turns(runners: list[Runner], progress: Progress) -> None:
    order = list(runners)
    while True:
        waiting = [runner for runner in order if not runner.has_enough and "error" not in runner.result]
        if not waiting:
            return
        for runner in order:
            if "error" not in runner.result:
                _attempt(runner, lambda _, runner=runner: runner.turn(), progress)  # type: ignore[misc]
        first = waiting[0]
        if first.samples:
            times = summary(first.samples)
            share = min(1.0, first.spent / max(first.plan.least_s, 1e-9))
            text = f"{times.median * 1e3:.4g} ms ± {100 * times.precision:.1f} %, {times.calls} calls"
            progress(text, 0.2 + 0.5 * share)
        order.reverse()


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"
