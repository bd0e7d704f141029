"""Build, run, compare: what `cnncalc run` does, as data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from ..answers.verification import Verification, as_data, layers_table
from ..errors import Source, SpecError, usage_error
from ..graph import Graph
from ..language.model import load
from ..pictures import Pictures, chosen, named, usual
from ..quantities import mib
from ..record import Record
from ..table import Column, Line, Table
from .allocations import Allocated, allocated_by
from .bench.devices import Unavailable, choose
from .bench.plan import Configuration
from .bench.predict import predict, report_of
from .bench.worker import failure
from .build import build
from .image import Guess, guesses, picture
from .subject import TORCH_DTYPES, autocast_dtype, random_inputs
from .verify import verify
from .weights import Loaded, load_weights, read_weights


class Picture(Record):
    """A picture to be shown to the network. What is said of its preparation stands above what the weights want."""

    path: str
    resize: int = 0
    mean: Sequence[float] = ()
    std: Sequence[float] = ()
    interpolation: str = ""

    def prepared(self, graph: Graph, weights: str) -> Pictures:
        """How it is prepared: as published weights want it, by the file's name or the usual, or as for ImageNet."""
        shape = graph.inputs[0].shape or ()
        if len(shape) != 3:
            return Pictures()
        published = chosen(graph.pretrained, weights)
        wanted = published.fit(*shape[1:]) if published else usual(*shape)
        return wanted._replace(
            resize=(self.resize,) if self.resize else wanted.resize,
            mean=tuple(self.mean) or wanted.mean,
            std=tuple(self.std) or wanted.std,
            interpolation=self.interpolation or wanted.interpolation,
        )


class Run(Record):
    """What came of a run; `loaded` where it was given weights, `guesses` where it was shown a picture.

    `prepared` is how the picture was prepared, and `others` are published weights that want it otherwise.
    """

    verification: Verification
    dtype: str
    device: dict[str, Any]
    loaded: Loaded | None
    guesses: tuple[Guess, ...]
    weights: str = ""
    prepared: Pictures | None = None
    others: tuple[Pictures, ...] = ()
    allocated: Allocated | None = None

    @property
    def agrees(self) -> bool:
        """Whether all figures agree, and the weights fit."""
        return self.verification.agrees and (self.loaded is None or self.loaded.fits)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of the weights, and the verdict on all that was asked, where that is not the figures'."""
        if self.loaded is None:
            return tuple(self.told_of_memory())
        told = [*self.told_of_memory(), *self.loaded.told(self.weights)]
        verdict = "the weights do not fit" + (", though all figures agree" if self.verification.agrees else "")
        return tuple(told) if self.loaded.fits else (*told, verdict)

    @property
    def predicted(self) -> tuple[int, int]:
        """What activations were predicted to make the allocator give out: at least and at most."""
        return self.verification.report.totals.peak.allocated

    def told_of_memory(self) -> Iterator[str]:
        """What the allocator gave out, beside what tensors hold, and which layers took the most inside."""
        if self.allocated is None:
            return
        tensors, peak, (low, high) = (
            self.verification.report.totals.peak_inference_bytes,
            self.allocated.peak,
            self.predicted,
        )
        yield (
            f"allocated for activations: {mib(peak)}, {mib(peak - tensors)} more than tensors hold "
            f"(predicted {mib(low)} to {mib(high)})" + (f", at {self.allocated.layer}" if self.allocated.layer else "")
        )
        largest = sorted(self.beside.items(), key=lambda pair: -pair[1])[:3]
        if largest:
            yield "most inside an operation: " + ", ".join(f"{name} {mib(size)}" for name, size in largest if size)

    @property
    def beside(self) -> dict[str, int]:
        """What each layer took while it ran, beside its output."""
        if self.allocated is None:
            return {}
        outputs = {row.name: row.output_bytes or 0 for row in self.verification.report}
        found = {name: size - outputs.get(name, 0) for name, size in self.allocated.inside.items()}
        return {name: size for name, size in found.items() if size > 0}

    def told_of_picture(self) -> Iterator[str]:
        """How the picture was prepared and for whose weights, and which weights want it otherwise."""
        if not self.prepared:
            return
        whose = f"as {self.prepared.whose} want it" if self.prepared.source else "as for ImageNet: no weights are known"
        yield f"picture: {self.prepared}"
        yield f"         {whose}"
        for other in self.others:
            yield f"         {other.whose} want {other}"

    def document(self, benchmark: dict[str, Any] | None = None) -> dict[str, Any]:
        """All of it as plain data, with a benchmark of the forward pass beside it."""
        return as_data(self.verification) | {
            "agrees": self.agrees,
            "figures_agree": self.verification.agrees,
            "dtype": self.dtype,
            "device": self.device,
            "benchmark": benchmark,
            "weights": self.loaded._asdict() if self.loaded else None,
            "guesses": [guess._asdict() for guess in self.guesses],
            "allocated": self._allocated(),
            "picture": self.prepared._asdict() if self.prepared else None,
        }

    def _allocated(self) -> dict[str, Any] | None:
        if self.allocated is None:
            return None
        low, high = self.predicted
        return {
            "activation_bytes": self.allocated.peak,
            "tensor_bytes": self.verification.report.totals.peak_inference_bytes,
            "predicted_bytes": [low, high],
            "at": self.allocated.layer,
            "beside_output_bytes": self.beside,
        }

    def table(self) -> Table:
        """What a program asked for: the likeliest classes where there is a picture, the layers' figures otherwise."""
        if not self.guesses:
            return layers_table(self.verification)
        columns = (Column("class", "class"), Column("share", "share"), Column("name", "name"))
        return Table("", columns, [Line((guess.number, guess.share, guess.name)) for guess in self.guesses])


def run(
    spec: str | Path | Source | Graph,
    config: Configuration = Configuration(),  # noqa: B008
    weights: str = "",
    shown: Picture | None = None,
    labels: Sequence[str] = (),
    weights_key: str = "",
) -> Run:
    """Build a network, run it as configured, and hold every figure against what happened.

    Raises `SpecError` for what is wrong with the spec, the files or the device, and for what PyTorch cannot run.

    >>> run("lenet", Configuration(batch=2)).verification.agrees
    True
    """
    graph = spec if isinstance(spec, Graph) else load(spec)
    try:
        device = choose(config.device)
    except Unavailable as error:
        raise usage_error(str(error)) from None
    needed = predict(graph, config, device.kind).peak_bytes
    if needed > device.free_bytes():
        free = device.free_bytes() / 2**30
        raise usage_error(
            f"{graph.name} at batch {config.batch} needs about {needed / 2**30:.2f} GiB, and {free:.2f} GiB are free",
            "a smaller --batch",
        )
    if config.threads:
        torch.set_num_threads(config.threads)
    report = report_of(graph, config, device.kind)
    if config.train and not report.totals.params:
        raise usage_error(f"{graph.name} has no parameters: there is nothing to train", "leave out --train")
    try:
        torch.manual_seed(config.seed)
        net = build(graph, device=device.torch_device, modules=config.modules).to(TORCH_DTYPES[config.dtype])
        loaded = load_weights(net, read_weights(weights, weights_key)) if weights else None
        found: list[Guess] = []
        prepared: Pictures | None = None

        def autocast() -> AbstractContextManager[Any]:
            """What each forward pass is run in, entered anew, as in real use."""
            if config.dtype != "amp":
                return nullcontext()
            return torch.autocast(device.kind, dtype=autocast_dtype(device.kind))

        if shown is not None:
            if graph.input_count != 1:
                raise usage_error("a picture fits a network with one input only", where=shown.path)
            classes = graph.nodes[graph.outputs[0]].shape or ()
            if len(classes) != 1 or graph.task not in ("", "classification"):
                what = f"is for {graph.task}" if graph.task else f"gives {'×'.join(map(str, classes))}"
                raise usage_error(f"{graph.name} {what}: its output names no classes", "leave --image out")
            prepared = shown.prepared(graph, weights)
            image = picture(shown.path, graph.inputs[0].shape or (), prepared).to(device.torch_device)
            with torch.inference_mode(), autocast():
                out = net.eval()(image.to(TORCH_DTYPES[config.dtype]))
            found = guesses(out[0] if isinstance(out, tuple) else out, labels)
        inputs = random_inputs(graph, config.batch, TORCH_DTYPES[config.dtype], device.torch_device)
        verification = verify(report, net, inputs, config.train, autocast)
        given_out = allocated_by(device, net, inputs) if config.dtype != "amp" else None
    except SpecError:
        raise
    except Exception as error:  # whatever PyTorch has to say of a dtype, a device or a lack of memory
        said = failure(error)["message"] or type(error).__name__
        raise usage_error(f"PyTorch cannot run {graph.name} so: {said}") from None
    others = _others(graph, weights, prepared) if prepared else ()
    return Run(
        verification, config.dtype, device.describe(), loaded, tuple(found), weights, prepared, others, given_out
    )


def _others(graph: Graph, weights: str, prepared: Pictures) -> tuple[Pictures, ...]:
    """The published weights that want a picture otherwise, where the file's name does not tell which it holds."""
    told = named(graph.pretrained, weights) or not weights
    return () if told else tuple(each for each in graph.pretrained if each.source != prepared.source)
