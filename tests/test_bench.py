"""The benchmark's protocol: honest statistics, turns, failures in one line; accelerators are played by fakes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import forked
import pytest
from commands import PROGRAM, cnncalc

from cnncalc import SpecError, load
from cnncalc.figures.scene import Path as Line
from cnncalc.formats import render
from cnncalc.graph import Graph
from cnncalc.pytorch.bench import compare, process
from cnncalc.pytorch.bench.ceiling import achieved, ceiling, limit_of
from cnncalc.pytorch.bench.environment import Disturbance, Moment, disturbances
from cnncalc.pytorch.bench.find_batch import find_batch, search
from cnncalc.pytorch.bench.plan import PLANS, Configuration
from cnncalc.pytorch.bench.predict import predict
from cnncalc.pytorch.bench.process import WorkerFailed
from cnncalc.pytorch.bench.protocol import Task, bench
from cnncalc.pytorch.bench.roof import roofline_chart
from cnncalc.pytorch.bench.statistics import NEEDED, between, is_steady, median_ranks, summary
from cnncalc.pytorch.bench.tables import batch_table, result_table, results_table

# -- statistics ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [6, 10, 25, 64, 130, 500])
def test_the_interval_of_the_median_holds_95_percent_of_the_time(n: int) -> None:
    """Whatever the distribution: here a lognormal one, whose median is 1."""
    rng = random.Random(n)
    low, high = median_ranks(n)
    held = 0
    for _ in range(1000):
        ordered = sorted(rng.lognormvariate(0, 1) for _ in range(n))
        held += ordered[low - 1] <= 1 <= ordered[high - 1]
    assert held >= 935


def test_intervals_of_many_samples_agree_with_the_exact_ones() -> None:
    (exact, _), (normal, _) = median_ranks(1000), median_ranks(1002)
    assert abs(exact - normal) <= 2


@pytest.mark.parametrize(("percentile", "needed"), NEEDED.items())
def test_percentiles_only_with_enough_samples(percentile: int, needed: int) -> None:
    assert percentile not in summary([1.0] * (needed - 1)).percentiles
    assert percentile in summary([1.0] * needed).percentiles


def test_steady_means_that_two_windows_agree() -> None:
    assert not is_steady([2.0] * 10 + [1.9] * 10) and is_steady([1.0] * 10 + [1.01] * 10)


def test_no_difference_is_shown_where_the_interval_covers_one() -> None:
    rng = random.Random(0)
    noise = [[rng.gauss(1, 0.2) for _ in range(100)] for _ in range(2)]
    assert not between(*([each] * 4 for each in noise)).is_shown
    assert between([noise[0]] * 4, [[1.5 * each for each in noise[1]]] * 4).is_shown


# -- devices -------------------------------------------------------------------------------------------------------


class FakeEvent:
    clock = 0.0

    def __init__(self, enable_timing: bool = False) -> None:
        self.at = 0.0

    def record(self) -> None:
        FakeEvent.clock += 2.0
        self.at = FakeEvent.clock

    def synchronize(self) -> None:
        pass

    def elapsed_time(self, other: FakeEvent) -> float:
        return other.at - self.at


def fake_torch(**there: bool) -> Any:
    """A torch with two GPUs of each kind that is there."""

    def backend(kind: str) -> Any:
        return SimpleNamespace(
            is_available=lambda: there.get(kind, False), device_count=lambda: 2, set_device=lambda index: None, Event=FakeEvent,
            synchronize=lambda: None, mem_get_info=lambda: (6 << 30, 8 << 30), reset_peak_memory_stats=lambda: None,
            max_memory_allocated=lambda: 123, max_memory_reserved=lambda: 456, get_device_name=lambda: f"Fake {kind}",
            recommended_max_memory=lambda: 8 << 30, driver_allocated_memory=lambda: 2 << 30, current_allocated_memory=lambda: 77,
            empty_cache=lambda: None, event=SimpleNamespace(Event=FakeEvent),
        )  # fmt: skip

    return SimpleNamespace(
        __version__="9.9", cuda=backend("cuda"), xpu=backend("xpu"), mps=backend("mps"), backends=SimpleNamespace(mps=backend("mps"))
    )  # fmt: skip


class TestDevices:
    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="devices are PyTorch's: pip install 'cnncalc[torch]'")

    @pytest.mark.parametrize(("name", "there", "chosen"), [
        ("auto", {}, "cpu"), ("auto", {"mps": True}, "mps"), ("auto", {"cuda": True, "mps": True}, "cuda:0"), ("cuda:1", {"cuda": True}, "cuda:1"),
        ("cuda", {"cuda": True}, "cuda:0"), ("xpu", {"xpu": True}, "xpu:0"), ("cpu", {"cuda": True}, "cpu"),
    ])  # fmt: skip
    def test_choice(self, name: str, there: dict[str, bool], chosen: str) -> None:
        from cnncalc.pytorch.bench.devices import choose

        assert choose(name, fake_torch(**there)).name == chosen

    @pytest.mark.parametrize(("name", "there", "message"), [
        ("cuda", {}, "there is no cuda here: this PyTorch (9.9) finds cpu"),
        ("xpu", {"cuda": True}, "there is no xpu here: this PyTorch (9.9) finds cuda and cpu"),
        ("cuda:7", {"cuda": True}, "there is no device cuda:7: here cuda:0, cuda:1"),
        ("cpu:3", {}, "there is no device cpu:3: the processor is one device, cpu"),
    ])  # fmt: skip
    def test_what_is_missing_is_said_with_what_there_is(self, name: str, there: dict[str, bool], message: str) -> None:
        from cnncalc.pytorch.bench.devices import Unavailable, choose

        with pytest.raises(Unavailable) as refused:
            choose(name, fake_torch(**there))
        assert str(refused.value) == message

    @pytest.mark.parametrize("kind", ["cuda", "xpu", "mps"])
    def test_an_accelerator_is_waited_for_and_has_a_clock_of_its_own(self, kind: str) -> None:
        from cnncalc.pytorch.bench.devices import choose

        device = choose(kind, fake_torch(**{kind: True}))
        stop = device.timer()()
        assert device.asynchronous and stop() == 0.002, "milliseconds become seconds"
        marks = device.marks(4)
        for mark in marks.functions():
            mark()
        assert marks.seconds() == [0.002] * 3
        assert device.free_bytes() == 6 << 30
        device.reset_peak()
        assert device.peak_bytes()["allocated"] == (77 if kind == "mps" else 123)
        assert "Fake" in device.describe()["name"] or kind == "mps"

    @pytest.mark.gpu
    @pytest.mark.skipif("not __import__('torch').cuda.is_available()", reason="there is no CUDA here")
    def test_on_a_gpu(self, tmp_path: Path) -> None:
        done = cnncalc(
            "bench", "resnet18", "--device", "cuda", "--batch", "1,32", "--quick", "--json", "a.json", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        for result in compare.read(str(tmp_path / "a.json")):
            latency, own = (summary(result["latency"][key]).median for key in ("seconds", "device_seconds"))
            assert own <= latency and abs(result["memory"]["allocated"] / result["memory"]["tensor_bytes"] - 1) < 0.5
        assert cnncalc("run", "resnet18", "--device", "cuda", "--train", "--no-bench").returncode == 0


# -- the protocol, with workers that are played ----------------------------------------------------------------------


class FakeWorker:
    """Answers like a worker whose calls take `seconds`; it fails where it is told to."""

    journal: ClassVar[list[str]] = []

    def __init__(
        self, graph: Graph, config: Configuration, fail: dict[str, WorkerFailed | type[BaseException]] | None = None
    ) -> None:
        self.name, self.config, self.fail = graph.variant or graph.name, config, fail or {}
        self.rng, self.ended = random.Random(graph.name), False
        self.graph = graph

    def start(self) -> dict[str, Any]:
        return self.ask("start")

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        if do in self.fail:
            error = self.fail[do]
            raise error if isinstance(error, WorkerFailed) else error()
        FakeWorker.journal.append(f"{do} {self.name}")
        usage = {"wall_s": 0.5, "cpu_s": 0.99, "switches": 1}
        answers: dict[str, dict[str, Any]] = {
            "start": {
                "device": {"device": "cpu", "name": "Fake"}, "kind": "cpu", "free_bytes": 1 << 34, "threads": 2,
                "versions": {"torch": "9.9"}, "flags": {"tf32": False, "cudnn_benchmark": False},
            },
            "build": {"build_s": 0.1},
            "cold": {"first_s": 0.2, "peak": {}},
            "latency": {"seconds": [0.01 + 1e-5 * self.rng.random() for _ in range(24)], "device_seconds": [], "usage": usage},
            "throughput": {"calls": arguments.get("calls"), "seconds": 0.01 * (arguments.get("calls") or 0)},
            "memory": {"process_bytes": 1 << 28, "tensor_bytes": 1 << 20, "activation_bytes": 1 << 18},
            "layers": {"layers": {layer.name: 0.001 for layer in self.graph.layers}, "calls": 8, "whole_s": 0.0121, "without_s": 0.012},
            "probe": {"flops": 1e11, "flops_by": "a product", "bytes_per_s": 1e10, "copied_bytes": 1 << 20},
            "reference": {"convolution_s": [0.002] * 5, "interpreter_s": [0.001] * 5},
            "state": {},
        }  # fmt: skip
        return answers[do]

    def end(self) -> None:
        self.ended = True


@pytest.fixture
def lenet() -> Graph:
    FakeWorker.journal = []
    return load("lenet")


@pytest.fixture(autouse=True)
def _short_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    from cnncalc.pytorch.bench import protocol
    from cnncalc.pytorch.bench.plan import PLANS

    short = {name: plan._replace(least_s=0.0, most_s=0.2, warm_least_s=0.0) for name, plan in PLANS.items()}
    monkeypatch.setattr(protocol, "PLANS", short)


def test_networks_take_turns(lenet: Graph) -> None:
    tasks = [Task(graph, Configuration(plan="rigorous")) for graph in (lenet, load("mlp"))]
    bench(tasks, start=FakeWorker)  # type: ignore[arg-type]
    turns = [each.split()[1][0] for each in FakeWorker.journal if each.startswith("latency")][2:]
    assert "".join(turns).startswith("LMML"), "A B B A, after one warm-up each"


def test_the_roofline_of_networks_and_of_layers(lenet: Graph) -> None:
    pair = [lenet, load("mlp")]
    whole = roofline_chart(bench([Task(graph, Configuration()) for graph in pair], start=FakeWorker), pair)  # type: ignore[arg-type]
    names = {item.data["name"] for item in whole.items if "x" in item.data}
    assert names == {graph.name for graph in pair} and "multiply nothing" not in whole.description
    (found,) = bench([Task(lenet, Configuration(batch=4, per_layer=True))], start=FakeWorker)  # type: ignore[arg-type]
    scene = roofline_chart([found], [lenet])
    dots = {item.data["name"]: item.data for item in scene.items if "x" in item.data}
    times = found["layers"]["layers"]
    assert set(dots) == {"C1", "C3", "C5", "F6", "output"}
    # C1 of LeNet-5 on 32×32: 6 maps of 28×28, 25 products each; 1024 values in, 4704 out for each image, 156 weights.
    flops, moved = 2 * 4 * 117_600, 4 * (4 * (1024 + 4704) + 156)
    assert dots["C1"]["x"] == pytest.approx(flops / moved)
    assert dots["C1"]["y"] == pytest.approx(flops / times["C1"])
    slope, roof = (item for item in scene.items if isinstance(item, Line) and "limit" in item.data)
    assert slope.points[1] == roof.points[0] and roof.points[0][1] == roof.points[1][1]
    for item in scene.items:  # nothing passes the best that was seen
        if "x" in item.data:
            x, y = (item.bounds[0] + item.bounds[2]) / 2, (item.bounds[1] + item.bounds[3]) / 2
            (a, low), (b, high) = slope.points
            limit = high if x >= b else low + (high - low) * (x - a) / (b - a)
            assert y >= limit - 3
    with pytest.raises(SpecError, match="no work was measured"):
        roofline_chart([], [])


def test_a_complete_result(lenet: Graph) -> None:
    (found,) = bench([Task(lenet, Configuration(batch=4, per_layer=True))], start=FakeWorker)  # type: ignore[arg-type]
    assert found["status"] == "complete" and len(found["latency"]["seconds"]) >= 64
    assert found["predicted"]["macs"] == 4 * 416_520 and found["spec"].startswith("name: LeNet-5")
    text = render(result_table(found), "table")
    assert "latency" in text and "p90" in text and "p99" not in text and "-bound" in text
    json.dumps(found)


@pytest.mark.parametrize("stage", ["start", "build", "cold", "latency", "throughput", "memory"])
def test_a_failure_at_any_stage_is_one_line_and_a_partial_result(lenet: Graph, stage: str) -> None:
    def start(graph: Graph, config: Configuration) -> Any:
        return FakeWorker(graph, config, {stage: WorkerFailed("memory", "no memory left")})

    (found,) = bench([Task(lenet, Configuration())], start=start)
    assert (found["status"], found["error"]["message"]) == ("failed", "no memory left")
    assert bool(found["latency"]["seconds"]) == (stage in ("throughput", "memory"))
    render(results_table([found]), "table")


@pytest.mark.parametrize("stage", ["cold", "throughput"])
def test_an_interruption_leaves_what_was_measured(lenet: Graph, stage: str) -> None:
    def start(graph: Graph, config: Configuration) -> Any:
        return FakeWorker(graph, config, {stage: KeyboardInterrupt})

    (found,) = bench([Task(lenet, Configuration())], start=start)
    assert found["status"] == "interrupted" and found["interrupted"]
    assert "interrupted" in render(result_table(found), "table")


def test_what_does_not_fit_is_refused_before_it_is_built(lenet: Graph) -> None:
    (found,) = bench([Task(load("vgg16"), Configuration(batch=4096))], start=FakeWorker)  # type: ignore[arg-type]
    assert found["error"]["kind"] == "memory" and "GiB are free" in found["error"]["message"]
    assert not any(each.startswith("build") for each in FakeWorker.journal)


def test_predictions_are_the_calculator_s() -> None:
    inference = predict(load("resnet50"), Configuration(batch=8), "cpu")
    assert inference.macs == 8 * 4_089_184_256 and inference.exact
    training = predict(load("resnet50"), Configuration(batch=8, train=True, optimizer="adam"), "cpu")
    assert 2.9 < training.macs / inference.macs < 3 and training.peak_bytes > 4 * inference.peak_bytes
    assert not predict(load("lenet"), Configuration(dtype="amp"), "cuda").exact


def disturbed(**changes: Any) -> list[str]:
    quiet = Disturbance(
        Moment(0, 0, 0), Moment(10, 20, 0), 20.0, [{"wall_s": 10, "cpu_s": 20, "switches": 100}], (0.001, 0.001), ({}, {}), True
    )  # fmt: skip
    return disturbances(quiet._replace(**changes))


@pytest.mark.parametrize(("changes", "reason"), [
    ({"after": Moment(10, 35, 0)}, "other processes used 1.5 cores"),
    ({"after": Moment(10, 20, 4)}, "for 40% of the time something waited for a core"),
    ({"usage": [{"wall_s": 1, "cpu_s": 2, "switches": 500}]}, "the process was interrupted 500 times a second"),
    ({"usage": [{"wall_s": 10, "cpu_s": 5, "switches": 0}]}, "the process got only 50% of one core"),
    ({"beats": (0.001, 0.0013)}, "a fixed piece of work took 30% longer at the end than at the start"),
    ({"states": ({}, {"other_processes": 2})}, "2 other processes used the GPU"),
    ({"states": ({}, {"clocks_throttle_reasons.active": "0x0000000000000008"})}, "the GPU's clock was held down (reasons 0x8)"),
])  # fmt: skip
def test_contamination_is_named(changes: dict[str, Any], reason: str) -> None:
    assert disturbed(**changes) == [reason]


def test_a_quiet_machine_is_clean() -> None:
    assert disturbed() == [] and disturbed(states=({}, {"clocks_throttle_reasons.active": "0x1"})) == []


# -- the largest batch -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", [0, 1, 2, 7, 100, 777, 5000])
@pytest.mark.parametrize("guess", [1, 8, 90, 4096])
def test_the_search_ends_at_the_largest_batch(largest: int, guess: int) -> None:
    tried: list[int] = []

    def fits(batch: int) -> bool:
        tried.append(batch)
        return batch <= largest

    assert search(guess, fits) == largest
    if largest:
        assert tried.count(largest) >= 2 and largest + 1 in tried, "it fits twice, and one more does not"


def test_find_batch_starts_at_the_prediction(lenet: Graph) -> None:
    limit = 64 << 20

    def start(graph: Graph, config: Configuration) -> Any:
        needed = (predict(graph, config, "cpu").allocated_bytes or (0, 0))[1]
        over = {"cold": WorkerFailed("memory", "out of memory")} if needed > limit else {}
        return FakeWorker(graph, config, over)

    found = find_batch(lenet, Configuration(memory_limit=limit), start=start)
    assert found.batch == found.predicted == found.tries[0][0]
    assert [fits for _, fits in found.tries] == [True, False, True] or found.tries[-1] == (found.batch, True)


def test_an_interrupted_search_tells_what_fitted_so_far(lenet: Graph) -> None:
    limit, tries = 64 << 20, 0

    def start(graph: Graph, config: Configuration) -> Any:
        nonlocal tries
        tries += 1
        if tries == 3:  # the first asks what is free, the second tries the predicted batch
            raise KeyboardInterrupt
        return FakeWorker(graph, config, {})

    config = Configuration(memory_limit=limit)
    found = find_batch(lenet, config, start=start)
    assert found.interrupted and found.batch == found.predicted and len(found.tries) == 1
    shown = batch_table(lenet, config, found)
    assert "before the interruption" in render(shown, "table")
    document = json.loads(render(shown, "json"))
    assert document["kind"] == "cnncalc bench --find-batch" and document["network"] == "LeNet-5"


# -- files -----------------------------------------------------------------------------------------------------------


def saved(path: Path, seconds: list[float], **environment: Any) -> str:
    result = {
        "network": "N", "variant": "", "spec": "x", "args": {}, "inputs": {}, "config": Configuration()._asdict(),
        "environment": {"threads": 2, **environment}, "latency": {"seconds": seconds, "device_seconds": [], "calls_by_process": [len(seconds) // 4] * 4},
    }  # fmt: skip
    path.write_text(json.dumps({"schema_version": 1, "kind": "cnncalc bench", "results": [result]}))
    return str(path)


def test_comparison_lists_every_difference_of_environment(tmp_path: Path) -> None:
    a = saved(tmp_path / "a.json", [0.010] * 64, versions={"torch": "1"})
    b = saved(tmp_path / "b.json", [0.012] * 64, versions={"torch": "2"}, threads=4)
    done = cnncalc("bench", "--compare", a, b)
    assert done.returncode == 0
    assert "1.200" in done.stdout and "slower" in done.stdout
    assert "threads: 2 → 4" in done.stdout and "versions.torch: 1 → 2" in done.stdout
    assert "not clean" not in done.stdout
    done = cnncalc("bench", "--compare", a, b, "--fail-above", "5%")
    assert done.returncode == 1 and "slower than before by more than 5%" in done.stderr
    assert cnncalc("bench", "--compare", a, b, "--fail-above", "30%").returncode == 0
    busy = json.loads(Path(b).read_text())
    busy["results"][0]["clean"] = False
    Path(b).write_text(json.dumps(busy))
    done = cnncalc("bench", "--compare", a, b, "--strict")
    assert done.returncode == 1 and "not clean, after" in done.stdout


def test_an_unclean_run_is_inconclusive_and_no_baseline(tmp_path: Path) -> None:
    """Contamination reaches the verdict: whatever the ratio, nothing is shown, and the exit code is 3."""
    a = saved(tmp_path / "a.json", [0.010] * 64)
    busy = tmp_path / "busy.json"
    content = json.loads(Path(a).read_text())
    content["results"][0] |= {"clean": False, "unclean": ["other processes used 1.5 cores"]}
    content["results"][0]["latency"]["seconds"] = [0.023] * 32 + [0.189] * 32
    busy.write_text(json.dumps(content))
    for pair in ((a, str(busy)), (str(busy), a)):
        done = cnncalc("bench", "--compare", *pair, "--fail-above", "5%")
        assert done.returncode == 3 and "inconclusive" in done.stdout, done.stderr
        assert "other processes used 1.5 cores" in done.stderr and "--retry 3" in done.stderr
        assert "faster" not in done.stdout and "slower" not in done.stdout.replace("slowdown", "")
        done = cnncalc("bench", "--compare", *pair)
        assert done.returncode == 0 and "inconclusive" in done.stdout
    content["results"][0] |= {"network": "LeNet-5"}
    busy.write_text(json.dumps(content))
    done = cnncalc("bench", "lenet", "--baseline", str(busy))
    assert done.returncode == 2 and "is no baseline" in done.stderr and "--retry 3" in done.stderr
    content["results"][0] |= {"clean": True, "status": "interrupted"}
    busy.write_text(json.dumps(content))
    assert "it was interrupted" in cnncalc("bench", "lenet", "--baseline", str(busy)).stderr


def test_a_run_that_could_not_have_shown_what_is_asked_for_is_inconclusive(tmp_path: Path) -> None:
    """Times that are 11 % apart cannot tell 5 %, and say so; 30 % they can."""
    noisy = [0.0095, 0.0105] * 32
    a, b = saved(tmp_path / "a.json", noisy), saved(tmp_path / "b.json", [time * 1.02 for time in noisy])
    done = cnncalc("bench", "--compare", a, b, "--fail-above", "5%")
    assert done.returncode == 3 and "could not have shown, and 5% is asked for" in done.stderr
    assert "22.2%" not in done.stderr and "10.5%" in done.stderr
    assert cnncalc("bench", "--compare", a, b, "--fail-above", "30%").returncode == 0
    c = saved(tmp_path / "c.json", [time * 1.5 for time in noisy])
    assert cnncalc("bench", "--compare", a, c, "--fail-above", "5%").returncode == 1
    d = saved(tmp_path / "d.json", [0.0103] * 64)
    e = saved(tmp_path / "e.json", [0.0100] * 64)
    done = cnncalc("bench", "--compare", e, d, "--fail-above", "5%")
    assert done.returncode == 0 and "slower, as allowed" in done.stdout


def test_several_processes_are_measured(lenet: Graph) -> None:
    """The standard plan shares its calls out among four fresh processes, and remembers which times belong together."""
    (found,) = bench([Task(lenet, Configuration())], start=FakeWorker)  # type: ignore[arg-type]
    counts = found["latency"]["calls_by_process"]
    assert len(counts) == 4 and sum(counts) == len(found["latency"]["seconds"])
    assert len([each for each in FakeWorker.journal if each.startswith("build")]) == 4
    assert [len(each) for each in compare.by_process(found)] == counts
    (quick,) = bench([Task(lenet, Configuration(plan="quick"))], start=FakeWorker)  # type: ignore[arg-type]
    assert len(quick["latency"]["calls_by_process"]) == 1


def test_a_process_that_dies_when_its_times_are_complete_is_one_line(lenet: Graph) -> None:
    class Dying(FakeWorker):
        def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
            if do == "state" and FakeWorker.journal[-1].startswith("reference"):
                raise WorkerFailed("failed", "the process died")
            return super().ask(do, **arguments)

    FakeWorker.journal = []
    start: Any = lambda graph, config: Dying(graph, config)  # noqa: E731
    (found,) = bench([Task(lenet, Configuration())], start=start)
    assert (found["status"], found["error"]["message"]) == ("failed", "the process died")


def test_processes_of_one_program_that_differ_are_no_difference() -> None:
    """The same network runs at 2.7 ms in one process and at 4 in the next: only what all of them show is shown."""
    rng = random.Random(0)

    def run(slower: float = 1.0) -> list[list[float]]:
        return [[slower * rng.choice([2.7e-3, 4.0e-3]) * rng.gauss(1, 0.01) for _ in range(1)] * 100 for _ in range(4)]

    slower = [found for found in (between(run(), run()) for _ in range(400)) if found.is_shown and found.ratio > 1]
    assert len(slower) <= 8, "2 %"
    assert sum(between(run(), run(2.0)).is_shown for _ in range(400)) >= 390
    steady = [[1.0] * 64, [1.01] * 64, [0.99] * 64, [1.0] * 64]
    assert between(steady, [[1.1 * each for each in times] for times in steady]).is_shown


def test_what_a_fixed_piece_of_work_changed_by_is_not_the_network_s(tmp_path: Path) -> None:
    a, b = saved(tmp_path / "a.json", [0.010] * 64), saved(tmp_path / "b.json", [0.011] * 64)
    for path, seconds in ((a, 0.002), (b, 0.0023)):
        content = json.loads(Path(path).read_text())
        content["results"][0]["reference"] = {"convolution_s": [seconds] * 40, "interpreter_s": [0.001] * 40}
        Path(path).write_text(json.dumps(content))
    done = cnncalc("bench", "--compare", a, b, "--fail-above", "5%")
    assert done.returncode == 3 and "slower" not in done.stdout.replace("slowdown", "")
    content["results"][0]["reference"] = {"convolution_s": [0.002] * 40, "interpreter_s": [0.001] * 40}
    Path(b).write_text(json.dumps(content))
    assert cnncalc("bench", "--compare", a, b, "--fail-above", "5%").returncode == 1


@pytest.mark.parametrize("tries", [0, 1, 3])
def test_retry_measures_until_nothing_disturbs_it(tries: int, lenet: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    from cnncalc.pytorch.bench import api

    made: list[dict[str, Any]] = []

    def played(tasks: Any, progress: Any) -> list[dict[str, Any]]:
        made.append({"clean": len(made) == 2, "latency": {"seconds": [0.01]}})
        return [made[-1]]

    monkeypatch.setattr(api, "bench", played)
    (found,) = api.measure(lenet, retry=tries)
    assert len(made) == min(tries, 2) + 1 and found.get("attempt", 1) == len(made) and found["clean"] == (tries > 1)


def test_nothing_is_faster_than_the_best_that_was_seen(lenet: Graph) -> None:
    """The ceiling is the best of convolutions, products and copies, and the network itself where it was faster."""
    (found,) = bench([Task(lenet, Configuration(batch=4))], start=FakeWorker)  # type: ignore[arg-type]
    best = ceiling(found)
    assert best.flops_by == "a product" and best.bytes_by == "a copy of 1.00 MiB"
    found["probe"] |= {"flops": 1.0, "bytes_per_s": 1.0}
    best = ceiling(found)
    assert best.flops_by == best.bytes_by == "this network itself"
    assert limit_of(found, best).least_s <= summary(found["latency"]["seconds"]).median * (1 + 1e-9)
    assert achieved(found) == (best.flops, 1.0)


def test_half_a_percent_between_two_runs_is_no_difference() -> None:
    assert not between([[1.0] * 64] * 4, [[1.005] * 64] * 4).is_shown
    assert between([[1.0] * 64] * 4, [[1.02] * 64] * 4).is_shown


def test_a_baseline_of_another_network_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    done = cnncalc("bench", "lenet", "--baseline", saved(tmp_path / "a.json", [0.010] * 64))
    assert done.returncode == 2 and "has no LeNet-5 · batch 1 · float32" in done.stderr and done.stdout == ""


def test_regressions_need_both_a_ratio_and_an_interval() -> None:
    def verdict(after: list[float]) -> str:
        before = [0.9, 1.0, 1.1] * 30
        return compare.Pair("n", {}, {}, between([before] * 4, [after] * 4)).verdict(0.05)

    assert verdict([1.2] * 90) == "slower" and verdict([1.04] * 90) != "slower"
    assert verdict([random.Random(i).gauss(1.06, 0.5) for i in range(90)]) == "inconclusive"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"kind": "cnncalc bench", "schema_version": 9, "results": []}', '{"kind": 1']
)
def test_files_that_are_no_benchmark(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(SpecError, match="is no benchmark"):
        compare.read(str(tmp_path / "a.json"))


# -- the real thing, on the processor --------------------------------------------------------------------------------


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that is over at once, and workers that have PyTorch already: for what a run does, not how long it measures."""
    plan = PLANS["quick"]._replace(least_s=0.1, most_s=0.5, warm_least_s=0.05, warm_most_s=0.2, blocks=2, block_s=0.05)
    monkeypatch.setitem(PLANS, "quick", plan)
    monkeypatch.setattr(process, "COMMAND", forked.command("brief_worker", "main"))


class TestOnTheProcessor:
    @pytest.fixture(autouse=True)
    def _torch(self) -> None:
        pytest.importorskip("torch", reason="bench needs PyTorch: pip install 'cnncalc[torch]'")

    def test_quick_json_and_baseline(self, tmp_path: Path) -> None:
        done = cnncalc("bench", "lenet", "--quick", "--batch", "2", "--per-layer", "--json", "a.json",
                       "--roofline", "a.svg", cwd=tmp_path)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "wrote a.svg" in done.stderr and "Roofline: LeNet-5" in (tmp_path / "a.svg").read_text("utf-8")
        assert "LeNet-5" in done.stdout and "layer by layer" in done.stdout
        (result,) = compare.read(str(tmp_path / "a.json"))
        assert result["memory"]["activation_bytes"] == result["predicted"]["activation_bytes"]
        assert list(result["layers"]["layers"]) == [layer.name for layer in load("lenet").layers]
        assert abs(sum(result["layers"]["layers"].values()) / result["layers"]["whole_s"] - 1) < 0.5
        slow = json.loads((tmp_path / "a.json").read_text())
        slow["results"][0]["latency"]["seconds"] = [each / 100 for each in slow["results"][0]["latency"]["seconds"]]
        slow["results"][0] |= {"clean": True, "unclean": []}
        (tmp_path / "fast.json").write_text(json.dumps(slow))
        done = cnncalc("bench", "lenet", "--quick", "--batch", "2", "--baseline", "fast.json", "--fail-above", "5%",
                       "--json", "b.json", cwd=tmp_path)  # fmt: skip
        (again,) = compare.read(str(tmp_path / "b.json"))
        code, said = (1, "slower than before by more than 5%") if again["clean"] else (3, "inconclusive")
        assert done.returncode == code and said in done.stderr

    @pytest.mark.parametrize("options", [
        ["--train", "--optimizer", "adam"], ["--dtype", "amp", "--train"], ["--dtype", "bfloat16", "--channels-last", "--threads", "1"], ["--fold-bn"],
    ], ids=" ".join)  # fmt: skip
    @pytest.mark.usefixtures("brief")
    def test_options(self, options: list[str]) -> None:
        network = "lenet" if options[0] == "--dtype" else "resnet20"  # narrow types are slow on a processor
        done = cnncalc("bench", network, "--quick", "--batch", "2", "--format", "json", *options)
        assert done.returncode == 0, done.stderr
        (result,) = json.loads(done.stdout)["results"]
        assert result["status"] in ("complete", "unstable")
        if "--channels-last" in options:
            assert result["memory"]["activation_bytes"] <= result["predicted"]["activation_bytes"]

    @pytest.mark.usefixtures("brief")
    def test_two_networks_side_by_side(self) -> None:
        done = cnncalc("bench", "lenet", "mlp", "--quick", "--batch", "1,4")
        assert (
            done.returncode == 0
            and done.stdout.count("\nLeNet-5 ") == 2
            and "× ratio to the first network" in done.stdout
        )

    @pytest.mark.usefixtures("brief")
    def test_the_search_within_a_budget(self) -> None:
        # A budget of few images, so that the search is short.
        done = cnncalc("bench", "srcnn_915", "--input", "1x400x400", "--find-batch", "--budget", "200MB")
        assert done.returncode == 0, done.stderr
        assert "fits twice, and one more does not" in done.stdout

    def test_an_interruption(self, tmp_path: Path) -> None:
        process = subprocess.Popen(
            [PROGRAM, "bench", "resnet20", "--rigorous", "--json", "a.json", "--roofline", "a.svg"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # the tests may run where it is ignored
        )  # fmt: skip
        time.sleep(6)
        os.kill(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 130 and "Traceback" not in errors
        if (tmp_path / "a.json").exists():
            (result,) = compare.read(str(tmp_path / "a.json"))
            assert result["status"] == "interrupted" and result["latency"]["seconds"]
            assert "interrupted: what was measured so far" in out
        else:  # a machine that is slow to start, and what may have been there stays
            assert "interrupted before anything was measured" in errors

    def test_a_worker_that_is_killed(self, lenet: Graph) -> None:
        from cnncalc.pytorch.bench.process import Process

        process = Process(lenet, Configuration(), [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
        with pytest.raises(WorkerFailed) as failed:
            process.start()
        process.end()
        assert failed.value.kind == "memory"
        process = Process(lenet, Configuration(), [sys.executable, "-c", "raise SystemExit('no luck')"])
        with pytest.raises(WorkerFailed, match=r"the process died \(exit 1\): no luck"):
            process.start()
        process.end()


REFUSED = [
    (["bench"], "there is nothing to measure"),
    (["bench", "lenet", "--device", "tpu"], "there is no device tpu"),
    (["bench", "lenet", "--dtype", "float8"], "there is no dtype float8"),
    (["bench", "lenet", "--batch", "0"], "batch is 0; it must be a whole number from 1 to 10^6"),
    (["bench", "lenet", "--batch", "1,two"], "batch is two"),
    (["bench", "lenet", "--batch", "1,,2"], "batch is ; it must be a whole number"),
    (["bench", "lenet", "--tf32"], "--tf32 is a format of CUDA devices"),
    (["bench", "lenet", "--fold-bn"], "has no batch normalisation that could be folded"),
    (["run", "lenet", "--batch", "10000000"], "batch is 10000000; it must be a whole number from 1 to 10^6"),
    (["bench", "lenet", "--quick", "--rigorous"], "--quick and --rigorous exclude each other"),
    (["bench", "lenet", "--train", "--per-layer"], "--cuda-graph, --per-layer and --fold-bn are for inference"),
    (["bench", "lenet", "--compile", "--per-layer"], "--per-layer times the layers one by one"),
    (["bench", "lenet", "--compile=fast"], "there is no mode of compilation fast"),
    (["bench", "lenet", "--budget", "1GiB"], "--budget goes with --find-batch"),
    (["bench", "lenet", "--find-batch", "--budget", "much"], "much is no memory size"),
    (["bench", "lenet", "--fail-above", "5%"], "--fail-above goes with --baseline"),
    (["bench", "lenet", "--baseline", "none.json"], "none.json: cannot be read"),
    (["bench", "lenet", "--roofline", "x.doc"], "tells no form of a figure"),
    (["bench", "lenet", "--find-batch", "--roofline", "x.svg"], "--find-batch stands alone"),
    (["bench", "--compare", "none.json", "--roofline", "x.svg"], "--roofline is of a measurement"),
    (["bench", "--compare", "none.json"], "--compare wants two files"),
    (["bench", "lenet", "--optimizer", "adamx", "--train"], "there is no optimizer adamx"),
    (["memory", "lenet", "--optimizer", "adam"], "--optimizer, --freeze, --checkpoint, --accumulate and --ddp go with --train"),
    (["memory", "lenet", "--train", "--optimizer", "adan"], "did you mean adam?"),
    (["memory", "lenet", "--train", "--dtype", "int8"], "int8 cannot be trained"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_options_that_make_no_sense(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = cnncalc(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and done.stdout == "" and not list(tmp_path.iterdir())


def test_without_pytorch_one_line_says_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; import importlib.util as u; find = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a); "
        "sys.argv = ['cnncalc', *sys.argv[1:]]; from cnncalc.cli import main; main()"
    )
    for arguments in (["run", "lenet"], ["bench", "lenet"], ["export", "lenet", "--to", "onnx", "-o", "/dev/null"]):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
        assert (
            done.returncode == 2
            and "needs PyTorch, which is not installed\n  hint: pip install 'cnncalc[torch]'" in done.stderr
        )
