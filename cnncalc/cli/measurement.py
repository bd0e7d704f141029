"""The options of what is measured in PyTorch, how their values are read, and what shows that it goes on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import usage_error
from ..graph import Graph
from ..language.model import load
from ..printable import printable
from ..record import Record
from .options import Format, Input, Modules, Output, Set, memory_size, settings, shapes
from .output import needs_torch

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
Batches = Annotated[str, typer.Option("--batch", "-b", help="Batch sizes, separated by commas: 1,8,32.")]
BenchDtype = Annotated[str, typer.Option("--dtype", help="float32, float16, bfloat16, or amp for autocast.")]
Tf32 = Annotated[bool, typer.Option("--tf32", help="Let matrix products and convolutions use TF32.")]
ChannelsLast = Annotated[bool, typer.Option("--channels-last", help="Lay images out as N×H×W×C.")]
Compile = Annotated[
    str, option("--compile", "torch.compile; --compile=MODE for reduce-overhead or max-autotune.", "[=MODE]")
]
CudaGraph = Annotated[bool, typer.Option("--cuda-graph", help="Replay a CUDA graph.")]
Threads = Annotated[int, typer.Option("--threads", help="Threads on the processor; with 0 PyTorch chooses.")]
Train = Annotated[bool, typer.Option("--train", help="A whole training step.")]
Optimizer = Annotated[str, typer.Option("--optimizer", help="With --train: sgd, momentum, adam …")]
PerLayer = Annotated[bool, typer.Option("--per-layer", help="Time each layer.")]
FindBatch = Annotated[bool, typer.Option("--find-batch", help="Search for the largest batch that fits.")]
Budget = Annotated[str | None, option("--budget", "With --find-batch: within this much memory, as in 8GiB.", "SIZE")]
FoldBn = Annotated[bool, typer.Option("--fold-bn", help="Fold batch normalisation into the layers before it.")]
Quick = Annotated[bool, typer.Option("--quick", help="Take a few seconds; less precise.")]
Rigorous = Annotated[bool, typer.Option("--rigorous", help="Take up to minutes; includes the 99th percentile.")]
Retry = Annotated[
    int, typer.Option("--retry", min=0, max=100, help="Measure again what something disturbed, up to so often.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 where something disturbed the measurement.")]
Json = Annotated[str | None, option("--json", "Write all raw times, and the command that repeats the run.", "FILE")]
Roofline = Annotated[
    str | None, option("--roofline", "A chart of the speeds under the machine's limits: .svg, .pdf, .png.", "FILE")
]
Compare = Annotated[str | None, option("--compare", "Compare two files: --compare A.json B.json.", "A.json")]
Baseline = Annotated[str | None, option("--baseline", "Compare with a file that --json wrote earlier.", "FILE")]
FailAbove = Annotated[
    str | None,
    option(
        "--fail-above",
        "With --baseline: exit with 1 if something is slower by more than this, with 3 if that cannot be told.",
        "5%",
    ),
]


class Measurement(Record):
    """What is to be measured, how, and what it is compared with: the options of `bench`."""

    specs: Specs = None
    device: Where = "cpu"
    batch: Batches = "1"
    input_: Input = None
    set_: Set = None
    dtype: BenchDtype = "float32"
    tf32: Tf32 = False
    channels_last: ChannelsLast = False
    compile: Compile = ""
    cuda_graph: CudaGraph = False
    threads: Threads = 0
    train: Train = False
    optimizer: Optimizer = "sgd"
    per_layer: PerLayer = False
    find_batch: FindBatch = False
    budget: Budget = None
    fold_bn: FoldBn = False
    modules: Modules = ""
    quick: Quick = False
    rigorous: Rigorous = False
    retry: Retry = 0
    strict: Strict = False
    json_: Json = None
    roofline: Roofline = None
    compare: Compare = None
    baseline: Baseline = None
    fail_above: FailAbove = None
    format: Format = None
    output: Output = None

    def configuration(self) -> Configuration:
        """How it is measured; raises `SpecError` for options that do not go together."""
        from ..pytorch.bench.plan import Configuration, checked

        config = Configuration(
            plan="quick" if self.quick else "rigorous" if self.rigorous else "standard",
            memory_limit=memory_size(self.budget) if self.budget else 0,
            **{name: getattr(self, name) for name in Configuration._fields if name in self._fields and name != "batch"},
        )
        checked(config)
        if self.quick and self.rigorous:
            raise usage_error("--quick and --rigorous exclude each other")
        if self.budget and not self.find_batch:
            raise usage_error("--budget goes with --find-batch", "without it, all that is free may be used")
        if self.find_batch and (
            self.json_
            or self.roofline
            or self.baseline
            or self.strict
            or self.retry
            or self.per_layer
            or self.batch != "1"
        ):
            raise usage_error(
                "--find-batch stands alone",
                "leave out --batch, --json, --roofline, --baseline, --retry, --strict and --per-layer",
            )
        if self.optimizer != "sgd" and not self.train:
            raise usage_error("--optimizer goes with --train", "inference has no optimizer")
        return config

    def batches(self) -> list[int]:
        """The batch sizes, each once."""
        return list(dict.fromkeys(_batch(word) for word in self.batch.split(",")))

    def graphs(self) -> list[Graph]:
        """The networks; raises `SpecError` for what cannot be built."""
        from ..exporters.common import refuse_what_has_no_source

        graphs = [load(name, args=settings(self.set_), inputs=shapes(self.input_)) for name in self.specs or ()]
        for graph in graphs:
            # Whether the file has a body for each type is seen when it is run, which is not here.
            own = {layer.type for layer in graph.layers if layer.is_declared} if self.modules else ()
            refuse_what_has_no_source(graph, "PyTorch", own)
        needs_torch("bench")
        if self.fold_bn:
            from ..pytorch.fold import pairs

            bare = [graph.name for graph in graphs if not pairs(graph)]
            if bare:
                raise usage_error(f"{bare[0]} has no batch normalisation that could be folded", "leave out --fold-bn")
        return graphs

    def allowed(self) -> float | None:
        """By what share something may get slower, None where nothing is said; raises `SpecError`."""
        if not self.fail_above:
            return None
        try:
            number = float(self.fail_above.strip().removesuffix("%"))
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1000:
            raise usage_error(f"--fail-above {self.fail_above} makes no sense", "a percentage, as in 5%")
        if not (self.baseline or self.compare):
            raise usage_error("--fail-above goes with --baseline or --compare", "write --baseline FILE --fail-above 5%")
        return number / 100


def _batch(text: str) -> int:
    if not text.strip().isdigit() or not 0 < int(text) <= MOST_IMAGES:
        raise usage_error(f"batch is {text}; it must be a whole number from 1 to 10^6", "several with commas: 1,8,32")
    return int(text)


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
