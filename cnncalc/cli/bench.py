"""bench: how fast, and how much memory."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from ..errors import usage_error
from ..language.model import load
from ..printable import printable
from .commands import PYTORCH, command
from .options import Format, Input, Output, Set, chosen_format, memory_size, settings, shapes
from .output import emit, emit_text, needs_torch, refuse_inputs, refuse_to_overwrite, say, tell

if TYPE_CHECKING:
    from ..pytorch.bench.plan import Configuration

#: Images in a batch that is measured.
MOST_IMAGES = 10**6

Progress = Callable[[str, float], None]


def option(flag: str, help: str, metavar: str | None = None) -> Any:
    """An option whose default is not shown."""
    return typer.Option(flag, help=help, metavar=metavar, show_default=False)


Specs = Annotated[
    list[str] | None,
    typer.Argument(metavar="SPEC...", help="One spec, or several side by side.", show_default=False),
]
Where = Annotated[str, typer.Option("--device", help="cpu, cuda, cuda:1, mps, xpu, or auto for the best.")]
Batches = Annotated[str, typer.Option("--batch", "-b", help="Batch sizes, with commas: 1,8,32.")]
BenchDtype = Annotated[str, typer.Option("--dtype", help="float32, float16, bfloat16, or amp for autocast.")]
Tf32 = Annotated[bool, typer.Option("--tf32", help="Let matrix products and convolutions use TF32.")]
ChannelsLast = Annotated[bool, typer.Option("--channels-last", help="Lay images out as N×H×W×C.")]
Compile = Annotated[
    str, option("--compile", "torch.compile; --compile=MODE for reduce-overhead or max-autotune.", "[=MODE]")
]
CudaGraph = Annotated[bool, typer.Option("--cuda-graph", help="Replay a CUDA graph.")]
Threads = Annotated[int, typer.Option("--threads", help="Threads on the processor; 0 as PyTorch chooses.")]
Train = Annotated[bool, typer.Option("--train", help="A whole training step.")]
Optimizer = Annotated[str, typer.Option("--optimizer", help="With --train: sgd, momentum, adam …")]
PerLayer = Annotated[bool, typer.Option("--per-layer", help="Time each layer.")]
FindBatch = Annotated[bool, typer.Option("--find-batch", help="Search the largest batch that fits.")]
Budget = Annotated[str | None, option("--budget", "With --find-batch: within so much memory, as in 8GiB.", "SIZE")]
FoldBn = Annotated[bool, typer.Option("--fold-bn", help="Fold batch normalisation into the layers before it.")]
Quick = Annotated[bool, typer.Option("--quick", help="A few seconds, less precise.")]
Rigorous = Annotated[bool, typer.Option("--rigorous", help="Up to minutes, with the 99th percentile.")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where something disturbed the measurement.")]
Json = Annotated[str | None, option("--json", "Write all raw times, and what repeats the run.", "FILE")]
Compare = Annotated[str | None, option("--compare", "Compare two files: --compare A.json B.json.", "A.json")]
Baseline = Annotated[str | None, option("--baseline", "Compare with an earlier --json.", "FILE")]
FailAbove = Annotated[str | None, option("--fail-above", "With --baseline: exit with 1 if slower by more.", "5%")]


class _BareCompile(TyperCommand):
    """`--compile` alone means its default mode; a mode stands behind an equals sign, as in --compile=max-autotune."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, ["--compile=default" if each == "--compile" else each for each in args])


@command(
    PYTORCH,
    "cnncalc bench resnet50 --batch 1,8 --device cuda",
    "cnncalc bench net.yaml --baseline main.json --fail-above 5%",
    cls=_BareCompile,
)
def bench(
    specs: Specs = None,
    device: Where = "cpu",
    batch: Batches = "1",
    input_: Input = None,
    set_: Set = None,
    dtype: BenchDtype = "float32",
    tf32: Tf32 = False,
    channels_last: ChannelsLast = False,
    compile: Compile = "",
    cuda_graph: CudaGraph = False,
    threads: Threads = 0,
    train: Train = False,
    optimizer: Optimizer = "sgd",
    per_layer: PerLayer = False,
    find_batch: FindBatch = False,
    budget: Budget = None,
    fold_bn: FoldBn = False,
    quick: Quick = False,
    rigorous: Rigorous = False,
    strict: Strict = False,
    json_: Json = None,
    compare: Compare = None,
    baseline: Baseline = None,
    fail_above: FailAbove = None,
    format: Format = None,
    output: Output = None,
) -> None:
    """Latency, throughput, memory and the limits of the machine, measured and compared with what was predicted."""
    kind, names = chosen_format(format, output), list(specs or [])
    allowed = _share(fail_above) if fail_above else None
    if compare:
        _compare(compare, names, kind, output, allowed, strict)
        return
    if not names:
        raise usage_error("there is nothing to measure", "name a spec: cnncalc bench resnet50")
    if allowed is not None and not baseline:
        raise usage_error("--fail-above goes with --baseline or --compare", "write --baseline FILE --fail-above 5%")
    from ..exporters.common import refuse_what_has_no_source
    from ..pytorch.bench.compare import called, planned, read
    from ..pytorch.bench.plan import Configuration, checked

    for name in names:
        refuse_to_overwrite(name, json_)
        refuse_to_overwrite(name, output)
    refuse_inputs((baseline,), (json_, output))
    earlier = read(baseline) if baseline else []
    config = Configuration(
        device=device,
        dtype=dtype,
        tf32=tf32,
        channels_last=channels_last,
        compile=compile,
        cuda_graph=cuda_graph,
        threads=threads,
        train=train,
        optimizer=optimizer,
        per_layer=per_layer,
        fold_bn=fold_bn,
        plan="quick" if quick else "rigorous" if rigorous else "standard",
        memory_limit=memory_size(budget) if budget else 0,
    )
    checked(config)
    if quick and rigorous:
        raise usage_error("--quick and --rigorous exclude each other")
    if budget and not find_batch:
        raise usage_error("--budget goes with --find-batch", "without it, all that is free may be used")
    batches = list(dict.fromkeys(_batch(each) for each in batch.split(",")))
    graphs = [load(name, args=settings(set_), inputs=shapes(input_)) for name in names]
    for graph in graphs:
        refuse_what_has_no_source(graph, "PyTorch")
    if find_batch and (json_ or baseline or strict or per_layer or batch != "1"):
        raise usage_error(
            "--find-batch stands alone", "leave out --batch, --json, --baseline, --strict and --per-layer"
        )
    if optimizer != "sgd" and not train:
        raise usage_error("--optimizer goes with --train", "inference has no optimizer")
    needs_torch("bench")
    if fold_bn:
        _refuse_nothing_to_fold(graphs)
    if find_batch:
        _find_batch(graphs, config, kind, output)
        return
    if earlier:
        expected = [called(planned(graph, config._replace(batch=each))) for graph in graphs for each in batches]
        if not {*expected} & {called(each) for each in earlier}:
            has = ", ".join(called(each) for each in earlier)
            raise usage_error(f"{baseline} has no {expected[0]}", f"it has {has}: there would be nothing to compare")
    results = _measure(graphs, config, batches)
    stopped = any(each.get("interrupted") for each in results)
    if json_ and (not stopped or any(each["latency"]["seconds"] for each in results)):
        emit_text(json.dumps(_document(results), indent=1) + "\n", json_)
    _show(results, graphs * len(batches), kind, output)
    _judge(results, earlier, allowed, strict)


def _refuse_nothing_to_fold(graphs: list[Any]) -> None:
    from ..pytorch.fold import pairs

    for graph in graphs:
        if not pairs(graph):
            raise usage_error(f"{graph.name} has no batch normalisation that could be folded", "leave out --fold-bn")


def _batch(text: str) -> int:
    if not text.strip().isdigit() or not 0 < int(text) <= MOST_IMAGES:
        raise usage_error(f"batch is {text}; it must be a whole number from 1 to 10^6", "several with commas: 1,8,32")
    return int(text)


def _share(text: str) -> float:
    try:
        number = float(text.strip().removesuffix("%"))
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1000:
        raise usage_error(f"--fail-above {text} makes no sense", "a percentage, as in 5%")
    return number / 100


@contextmanager
def progress_display() -> Iterator[Progress]:
    """A line in the terminal that says what is being done; nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda text, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    bar = Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(20),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=1.0)
        yield lambda text, share: bar.update(task, description=printable(text[:44]), completed=share)


def _measure(graphs: list[Any], config: Configuration, batches: list[int]) -> list[dict[str, Any]]:
    """All networks at one batch take turns; then comes the next batch."""
    from ..pytorch.bench.protocol import Task
    from ..pytorch.bench.protocol import bench as run

    results: list[dict[str, Any]] = []
    with progress_display() as progress:
        for batch in batches:

            def noted(text: str, share: float, batch: int = batch) -> None:
                progress(f"batch {batch}: {text}", share)

            results += run([Task(graph, config._replace(batch=batch)) for graph in graphs], noted)
            if any(each.get("interrupted") for each in results):
                break
    return results


def _document(results: list[dict[str, Any]]) -> dict[str, Any]:
    from datetime import datetime, timezone

    from ..pytorch.bench.compare import SCHEMA_VERSION
    from ..pytorch.bench.tables import summarised

    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "cnncalc bench",
        "command": shlex.join(["cnncalc", *sys.argv[1:]]),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "results": [each | {"summary": summarised(each)} for each in results],
    }


def _show(results: list[dict[str, Any]], graphs: list[Any], format: str, output: str | None) -> None:
    from ..pytorch.bench.tables import layers_table, result_table, results_table

    if format == "json":
        emit_text(json.dumps(_document(results), indent=1) + "\n", output)
        return
    timed = [
        (each, graph) for each, graph in zip(results, graphs, strict=False) if "layers" in each and "probe" in each
    ]
    if any(each.get("interrupted") for each in results):
        results = [each for each in results if each["latency"]["seconds"]]
        if not results:
            say("interrupted before anything was measured")
            return
    if len(results) > 1 or (format == "csv" and not timed):
        emit(results_table(results), format, output)
    elif timed and format != "table":
        emit(layers_table(*timed[0]), format, output)
        return
    elif results[0]["status"] != "failed" or results[0]["latency"]["seconds"]:
        emit(result_table(results[0]), format, output)
    for each, graph in timed:
        if output is None:
            tell()
        emit(layers_table(each, graph), format, output if output is None else f"{output}.layers")


def _judge(results: list[dict[str, Any]], earlier: list[dict[str, Any]], allowed: float | None, strict: bool) -> None:
    from ..pytorch.bench.compare import pairs
    from ..pytorch.bench.tables import comparison_table

    failed = [each for each in results if each["status"] == "failed"]
    for each in failed:
        name = each["variant"] or each["network"]
        say(f"\n{name}, batch {each['config']['batch']}: {each['error']['message']}{_way_out(each)}")
    if any(each.get("interrupted") for each in results):
        raise typer.Exit(130)
    if failed:
        raise typer.Exit(2)
    found = pairs(earlier, results) if earlier else []
    if earlier:
        tell()
        emit(comparison_table(found), "table", None)
    _verdict(found, allowed, strict and not all(each.get("clean") for each in results))


def _verdict(found: list[Any], allowed: float | None, unclean: bool) -> None:
    """Exit with 1 where something got slower by more than is allowed, or a run was to be clean and was not."""
    from ..pytorch.bench.compare import regressions

    slower = regressions(found, allowed) if allowed is not None else []
    for pair in slower:
        say(f"slower than before by more than {allowed:.0%}: {pair.name}")
    if unclean:
        say("\nnot clean: see above")
    if slower or unclean:
        raise typer.Exit(1)


def _way_out(result: dict[str, Any]) -> str:
    if result["error"]["kind"] == "memory":
        return "\n  hint: a smaller --batch; --find-batch searches the largest one that fits"
    if result["error"]["kind"] == "unsupported":
        return "\n  hint: another --dtype, --device or layout"
    return ""


def _find_batch(graphs: list[Any], config: Configuration, format: str, output: str | None) -> None:
    from ..pytorch.bench.find_batch import find_batch as search
    from ..pytorch.bench.process import WorkerFailed
    from ..pytorch.bench.tables import batch_table

    nothing = False
    for graph in graphs:
        with progress_display() as progress:
            try:
                found = search(graph, config, progress)
            except WorkerFailed as error:
                raise usage_error(error.message) from None
        emit(batch_table(graph, config, found), format, output)
        if found.interrupted:
            raise typer.Exit(130)
        nothing = nothing or not found.batch
    if nothing:
        raise typer.Exit(1)


def _compare(
    first: str, others: list[str], format: str, output: str | None, allowed: float | None, strict: bool
) -> None:
    from ..pytorch.bench.compare import pairs, read
    from ..pytorch.bench.tables import comparison_table

    if len(others) != 1:
        raise usage_error("--compare wants two files", "cnncalc bench --compare A.json B.json")
    found = pairs(read(first), read(others[0]))
    emit(comparison_table(found), format, output)
    unclean = any(each.get("clean") is False for pair in found for each in (pair.before, pair.after))
    _verdict(found, allowed, strict and unclean)
