"""Sweeps that are stopped, shared out and put together: whatever happens, the file is that of one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

pytest.importorskip("numpy")
import numpy as np

import cnncalc as product
from cnncalc import SpecError
from cnncalc.spaces import journal, workers
from cnncalc.spaces import run as running
from cnncalc.spaces.plan import Plan, load_plan
from cnncalc.spaces.run import Run, cluster, processes
from cnncalc.spaces.tally import Histogram, Tally

SPEC = """
name: Family
input: [3, 32, 32]
args: {width: 16, groups: 1, depths: [1, 2], k: 3, act: true}
space:
  width: {from: 8, to: 48, by: 4}
  groups: [1, 2, 4]
  depths[0], k: [[1, 1], [2, 3], [3, 5]]
  input: {from: 16, to: 31}
  act: [true, false]
  where: [width % groups == 0, width // groups >= k]
layers:
- Conv2d: {out_channels: width, kernel_size: k, padding: k // 2}
- {Conv2d: {out_channels: width, kernel_size: 3, groups: groups}, repeat: 'depths[0]'}
- {ReLU: {}, when: act}
- AdaptiveAvgPool2d: {output_size: 1}
- Flatten
- Linear: {out_features: 10}
"""
CHOICES = {
    "all": {},
    "conditions": {"where": ("macs <= 1M and params > 2k",), "columns": ("params", "macs", "intensity")},
    "unique": {"unique": ("params",)},
    "pareto": {"pareto": "params, -macs"},
    "top": {"sort": "-intensity, macs", "top": 7},
    "sample": {"sample": 500, "seed": 3},
    "unique front": {"unique": ("width",), "pareto": "params, -input, k"},
    "unique top": {"unique": ("k", "act"), "sort": "-macs", "top": 5},
}


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(running, "CHUNK", 100)
    (tmp_path / "family.yaml").write_text(SPEC, "utf-8")
    return str(tmp_path / "family.yaml")


def written(plan: Plan, output: Path) -> bytes:
    """The whole file of a plan."""
    for _ in Run(plan, str(output)).go():
        pass
    return output.read_bytes()


def test_a_plan_is_text() -> None:
    plan = Plan.of("resnet50", {"width_per_group": range(32, 65, 8), "input": [160, 224]}, where=("macs < 2G",))
    assert load_plan(plan.dumps()) == plan and plan.space.size == 10


@pytest.mark.parametrize(
    ("choice", "ending"), [*((choice, "csv") for choice in CHOICES), ("all", "jsonl"), ("top", "jsonl")]
)
def test_shards_together_are_one_run(choice: str, ending: str, spec: str, tmp_path: Path) -> None:
    plan = Plan.of(spec, {}, **CHOICES[choice])
    whole = written(plan, tmp_path / f"whole.{ending}")
    parts = tmp_path / "parts"
    parts.mkdir()
    for number in (3, 1, 2):
        written(plan._replace(shard=(number, 3)), parts / f"{number}.{ending}")
    done = cnncalc("sweep", "merge", "parts", "-o", f"all.{ending}", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / f"all.{ending}").read_bytes() == whole, done.stderr
    (parts / f"2.{ending}").unlink()
    done = cnncalc("sweep", "merge", "parts", "-o", f"some.{ending}", cwd=tmp_path)
    assert done.returncode == 1 and "2 of 3 parts; missing: 2" in done.stderr
    assert b"missing" in (tmp_path / f"some.{ending}").read_bytes()


@pytest.mark.parametrize("choice", CHOICES)
def test_a_run_that_was_stopped_goes_on_and_comes_to_the_same(choice: str, spec: str, tmp_path: Path) -> None:
    plan = Plan.of(spec, {}, **CHOICES[choice])
    whole = written(plan, tmp_path / "whole.csv")
    for stops in ((1,), (3, 4), (0, 2)):
        for stop in stops:
            run = Run(plan, str(tmp_path / "rows.csv"))
            way = run.go()
            for _ in range(stop):
                next(way, None)
            way.close()
            part = tmp_path / "rows.csv.part"
            if part.exists():  # and what a part that was not finished leaves
                with part.open("ab") as file:
                    file.write(b"17,3,")
        assert written(plan, tmp_path / "rows.csv") == whole
        assert sorted(each.name for each in tmp_path.iterdir() if "rows" in each.name) == ["rows.csv"]


def test_a_part_of_another_sweep_is_not_gone_on_with(spec: str, tmp_path: Path) -> None:
    plan = Plan.of(spec, {})
    way = Run(plan, str(tmp_path / "rows.csv")).go()
    next(way)
    way.close()
    for state in (None, "{}", "[]", "\0"):
        if state is not None:
            (tmp_path / "rows.csv.part.json").write_text(state)
        done = cnncalc("sweep", spec, "--where", "macs < 1M", "-o", "rows.csv", cwd=tmp_path)
        assert done.returncode == 2 and "rows.csv.part" in done.stderr and "remove it" in done.stderr, done.stderr


def test_several_processes_write_what_one_does(spec: str, tmp_path: Path) -> None:
    plan = Plan.of(spec, {})
    whole = written(plan, tmp_path / "whole.csv")
    with processes(2) as (submit, ahead):
        for _ in Run(plan, str(tmp_path / "rows.csv")).go(submit, ahead):
            pass
    assert (tmp_path / "rows.csv").read_bytes() == whole


def test_a_process_that_is_killed_is_told_of(spec: str, tmp_path: Path) -> None:
    plan = Plan.of(spec, {})
    whole = written(plan, tmp_path / "whole.csv")
    made = workers.Workers(2)
    way = Run(plan, str(tmp_path / "rows.csv")).go(made.submit, 3)
    next(way)
    for process in made.processes:
        process.kill()
    with pytest.raises(SpecError, match="was killed"):
        for _ in way:
            pass
    made.close()
    assert written(plan, tmp_path / "rows.csv") == whole
    with processes(2) as (submit, _), pytest.raises(SpecError, match="no candidate"):
        submit(space_of, "lenet").result()


def space_of(name: str) -> None:
    """What a process does that raises an error."""
    Plan.of(name, {"input": [32, 36]}).space.setting(7)


def test_kill_9_loses_no_more_than_a_part(tmp_path: Path) -> None:
    words = [
        "sweep",
        "mobilenet_v2",
        "--over",
        "width=0.3:1.7:0.01",
        "--over",
        "input=96:400:1",
        "--over",
        "classes=10:18:2",
    ]
    whole = cnncalc(*words, "-o", "whole.csv", cwd=tmp_path)
    assert whole.returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "cnncalc", *words, "-o", "rows.csv"], cwd=tmp_path, stdout=-3, stderr=-3
    )
    state = tmp_path / "rows.csv.part.json"
    for _ in range(600):
        if state.exists() or process.poll() is not None:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert state.exists(), "it was stopped before its end"
    done = cnncalc(*words, "-o", "rows.csv", cwd=tmp_path)
    assert done.returncode == 0 and "going on from" in done.stderr and done.stdout == whole.stdout
    assert (tmp_path / "rows.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["rows.csv", "whole.csv"]


@pytest.mark.skipif(os.name == "nt", reason="no such signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interruption_says_how_to_go_on(jobs: str, tmp_path: Path) -> None:
    words = [
        "sweep",
        "mobilenet_v2",
        "--over",
        "width=0.2:2.7:0.005",
        "--over",
        "input=96:600:1",
        "--over",
        "classes=2:100:1",
    ]
    process = subprocess.Popen([sys.executable, "-m", "cnncalc", *words, "-o", "rows.csv", "--jobs", jobs], cwd=tmp_path,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip
    while not (tmp_path / "rows.csv.part.json").exists() and process.poll() is None:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and b"the same command goes on" in said and b"Traceback" not in said, said
    assert (tmp_path / "rows.csv.part").read_text("utf-8").startswith("# cnncalc")


def test_what_does_not_belong_together_is_not_put_together(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "CONNECT_S", 0.5)
    plan = Plan.of(spec, {}, sample=50)
    written(plan._replace(shard=(1, 2)), tmp_path / "1.csv")
    written(plan._replace(shard=(2, 2), seed=1), tmp_path / "2.csv")
    written(plan._replace(shard=(1, 2)), tmp_path / "3.csv")
    written(plan._replace(shard=(2, 3)), tmp_path / "4.csv")
    written(plan._replace(shard=(2, 2)), tmp_path / "5.jsonl")
    (tmp_path / "6.csv").write_text("a,b\n1,2\n")
    (tmp_path / "7.jsonl").write_text("[" * 100_000)
    (tmp_path / "8.csv").write_bytes((tmp_path / "1.csv").read_bytes() + b"x,y\n")
    (tmp_path / "9.csv").write_bytes(
        (tmp_path / "1.csv").read_bytes().replace(b"# tally: {", b"# tally: [{").replace(b"}}\ncand", b"}}]\ncand")
    )
    for words, said in (
        (("1.csv", "2.csv"), "its seed differs"),
        (("1.csv", "3.csv"), "is shard 1, and so is 1.csv"),
        (("1.csv", "4.csv"), "is one of 3 shards"),
        (("1.csv", "5.jsonl"), "do not become"),
        (("1.csv", "6.csv"), "no file of rows"),
        (("7.jsonl",), "no file of rows"),
        (("9.csv",), "how many candidates"),
        (("none",), "no such file"),
        (("family.yaml",), "tells no form"),
    ):
        done = cnncalc("sweep", "merge", *words, "-o", "all.csv", cwd=tmp_path)
        assert done.returncode == 2 and said in done.stderr and not (tmp_path / "all.csv").exists(), done.stderr
    for words, said in ((("merge",), "parts become one file"), (("merge", "1.csv"), "parts become one file"), (("lenet", "vgg"), "is of one spec"),
                        (("lenet", "--over", "classes=1:9", "--shard", "3/2"), "no shard 3/2"), (("lenet", "--over", "classes=1:9", "--shard", "x"), "--shard 3/64"),
                        (("lenet", "--over", "input=32:40", "--shard", "1/2", "--draw", "macs,params"), "--draw is of one run"),
                        (("lenet", "--over", "input=32:40", "--pareto", "macs", "--sort", "macs"), "an order of its own"),
                        (("lenet", "--over", "input=32:40", "--dask", "tcp://127.0.0.1:9"), "Dask")):  # fmt: skip
        done = cnncalc("sweep", *words, cwd=tmp_path)
        assert done.returncode == 2 and said in done.stderr, done.stderr


def test_parts_from_strangers_are_data(spec: str, tmp_path: Path) -> None:
    written(Plan.of(spec, {}, sample=5), tmp_path / "good.jsonl")
    head, *rows = (tmp_path / "good.jsonl").read_text("utf-8").splitlines()
    said = json.loads(head)
    heads = [
        {**said, **changed}
        for changed in (
            {"shard": 3}, {"shard": [0, 1]}, {"shard": [1, 10**9]}, {"shard": ["1", 2]}, {"choice": []}, {"choice": {"unique": [3], "top": 0}},
            {"choice": {"unique": ["nothing"], "top": 0}}, {"choice": {"unique": [], "top": 5, "sort": "nothing"}}, {"space": 3}, {"fractions": None},
            {"names": ["a"]}, {"names": 3}, {"tally": 3}, {"tally": {**said["tally"], "histograms": {"a": {"least": 1, "most": 2, "bins": [[1]]}}}},
        )
    ]  # fmt: skip
    for each in heads:
        (tmp_path / "bad.jsonl").write_text("\n".join([json.dumps(each), *rows]) + "\n", "utf-8")
        done = cnncalc("sweep", "merge", "bad.jsonl", "-o", "new.jsonl", cwd=tmp_path)
        assert done.returncode == 2 and not (tmp_path / "new.jsonl").exists(), (each, done.stderr)
    for row in (
        "",
        "{",
        "[" * 10_000,
        "{}",
        '{"candidate": "x"}',
        rows[0].replace('"width": ', '"width": "=1+1", "x": '),
        "\x1b[31m",
    ):
        (tmp_path / "bad.jsonl").write_text("\n".join([head, row]) + "\n", "utf-8")
        done = cnncalc("sweep", "merge", "bad.jsonl", "-o", "new.jsonl", cwd=tmp_path)
        assert done.returncode == 2 and not (tmp_path / "new.jsonl").exists() and "\x1b" not in done.stderr, (
            row,
            done.stderr,
        )


def test_rows_that_no_sweep_wrote_cost_bounded_memory(spec: str, tmp_path: Path) -> None:
    good = written(Plan.of(spec, {}, sample=5), tmp_path / "good.csv")
    for row in (b"1," * 300_000, b"1," + b"9" * 200_000, b'"' * 200_000, b"\x00", b"\xff\xfe"):
        (tmp_path / "bad.csv").write_bytes(good + row + b"\n")
        done = cnncalc("sweep", "merge", "bad.csv", "-o", "new.csv", cwd=tmp_path)
        assert done.returncode == 2 and not (tmp_path / "new.csv").exists(), (row[:9], done.stderr)
    (tmp_path / "bad.csv").write_bytes(b"# cnncalc: 1\n" + b"x" * 200_000)
    assert cnncalc("sweep", "merge", "bad.csv", "-o", "new.csv", cwd=tmp_path).returncode == 2


def test_a_disk_that_is_full_costs_nothing_that_was_done(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan.of(spec, {})
    whole = written(plan, tmp_path / "whole.csv")
    with monkeypatch.context() as patch, pytest.raises(SpecError, match="No space left"):
        patch.setattr(journal, "os", Full(journal.os, 4))
        written(plan, tmp_path / "rows.csv")
    run = Run(plan, str(tmp_path / "rows.csv"))
    for _ in run.go():
        pass
    assert 400 <= run.resumed < run.size and (tmp_path / "rows.csv").read_bytes() == whole


class Full:
    """The system's calls, of which so many can still write."""

    def __init__(self, system: Any, left: int) -> None:
        self.system, self.left = system, left

    def replace(self, *names: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")
        self.system.replace(*names)


def test_histograms_of_parts_add_up() -> None:
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.integers(0, 10**12, 5000), [0, 1, 2, 2**40, 2**53 - 1]])
    whole = Histogram.of(values)
    parts = [Histogram.of(part) for part in np.array_split(values, 7)]
    assert whole is not None and parts[0] is not None
    found = parts[0]
    for part in parts[1:]:
        found = found.with_(part)
    assert found == whole and sum(whole.counts.values()) == len(values)
    for low, high, count in whole.edges():
        assert count == int(((low <= values) & (values < high)).sum() if high else (values == 0).sum())
    tally = Tally(5, 4, 3)
    tally.look({"a": values, "b": np.array([0.25, 7.5])})
    again = Tally.read(json.loads(json.dumps(tally.document())))
    assert again.document() == tally.document()
    assert len(whole.bars) == 24 and Histogram.of(np.array([7, 7])).bars == "█"


def test_in_python_the_space_of_the_spec_is_swept(spec: str) -> None:
    rows = list(product.sweep(spec))
    pairs = [(w, g, k) for w in range(8, 49, 4) for g in (1, 2, 4) for k in (1, 3, 5) if w % g == 0 and w // g >= k]
    assert sum(map(len, rows)) == 16 * 2 * len(pairs) == 3008 and set(rows[0].knobs) == {
        "width",
        "groups",
        "depths[0]",
        "k",
        "input",
        "act",
    }
    with pytest.raises(SpecError, match="moves together with k"):
        list(product.sweep(spec, {"depths[0]": [1, 2]}))


def test_parquet_holds_what_csv_holds(spec: str, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    pandas = pytest.importorskip("pandas")
    plan = Plan.of(spec, {}, columns=("params", "intensity"), where=("macs < 3M",))
    whole = written(plan, tmp_path / "rows.parquet")
    table = parquet.read_table(tmp_path / "rows.parquet")
    written(plan, tmp_path / "rows.csv")
    rows = pandas.read_csv(tmp_path / "rows.csv", comment="#")
    assert table.column_names == list(rows) and table.num_rows == len(rows) > 1000
    for name in rows:
        assert [str(each) for each in table[name].to_pylist()] == [str(each) for each in rows[name].tolist()], name
    head = json.loads(table.schema.metadata[b"cnncalc"])
    assert head["tally"]["rows"] == len(rows) and head["fractions"] == ["intensity"]
    for number in (1, 2, 3):
        written(plan._replace(shard=(number, 3)), tmp_path / f"{number}.parquet")
    done = cnncalc("sweep", "merge", "1.parquet", "3.parquet", "2.parquet", "-o", "all.parquet", cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "all.parquet").read_bytes() == whole, done.stderr
    (tmp_path / "bad.parquet").write_bytes(b"PAR1" + bytes(100))
    done = cnncalc("sweep", "merge", "bad.parquet", "-o", "new.parquet", cwd=tmp_path)
    assert done.returncode == 2 and "no file of rows" in done.stderr
    found = next(iter(product.sweep(spec, columns=("params",))))
    assert (
        found.to_pandas()["params"].tolist()
        == found.to_arrow()["params"].to_pylist()
        == found.figures["params"].tolist()
    )


def test_workers_of_a_cluster_come_to_the_same_though_one_is_lost(spec: str, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    plan = Plan.of(spec, {})
    whole = written(plan, tmp_path / "whole.csv")
    made = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with made, cluster(made.scheduler_address) as (submit, ahead):
        way = Run(plan, str(tmp_path / "rows.csv")).go(submit, ahead)
        for _ in range(5):
            next(way)
        os.kill(made.workers[0].pid, signal.SIGKILL)
        for _ in way:
            pass
    assert (tmp_path / "rows.csv").read_bytes() == whole
