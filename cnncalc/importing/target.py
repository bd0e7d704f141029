"""What a network in another form is called on the command line, and how it is brought in."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import Source, SpecError, usage_error
from ..graph import Graph
from ..language.flat import flat
from ..language.locate import FORMS, is_rows
from ..language.model import load
from ..permission import is_limited, may_run
from ..record import Record
from . import cache
from .flat import Flat
from .process import TIMEOUT, Capture
from .spec import Imported, imported
from .torch_program import flat_of
from .weights import said_of_weights

Shapes = Mapping[str, Sequence[int]]


#: Readers of forms whose sizes may be open, so that the input is asked for before they are read.
TAKES_INPUTS = ("onnx_file", "keras_file")


class Target(Record):
    """A network in another form: what kind of form, the file, package or library, and the name in it."""

    kind: str  # "file", "package", "timm"; or "form" and "rows", of which nothing is run
    path: str  # the file, the package, or what reads the form
    name: str
    text: str

    @property
    def is_run(self) -> bool:
        """Whether a program is run to find what it computes."""
        return self.kind in ("file", "package", "timm")


class Options(Record):
    """How a network is brought in: the interpreter that has its packages, seconds, what to leave out."""

    python: str = ""
    timeout: float = TIMEOUT
    fold: bool = True
    train: bool = False
    weights: str = ""
    cache: bool = True


def parsed(text: str) -> Target:
    """What a name stands for; raises `SpecError` for a file that is not there.

    >>> parsed("timm:resnet50d").kind, parsed("torchvision.models:resnet50").path
    ('timm', 'torchvision.models')
    """
    head, colon, name = text.rpartition(":")
    if is_rows(text):
        return Target("rows", "ultralytics", Path(head if colon and not Path(text).is_file() else text).stem, text)
    if colon and head == "timm":
        return Target("timm", "timm", name, text)
    if colon and head.endswith(".py"):
        if not Path(head).is_file():
            raise usage_error(
                "there is no such file", "a file, a colon, and what makes the model: net.py:Net", where=head
            )
        return Target("file", head, name, text)
    if colon:
        return Target("package", head, name, text)
    if not Path(text).is_file():
        hint = "a class in a file is net.py:Net; what the zoo has is a spec already: cnncalc show NAME"
        raise usage_error("there is no such file", hint, where=text, code="file")
    if text.endswith((".py", ".yaml", ".yml")):
        what = "a program: name the class or function in it" if text.endswith(".py") else "a spec already"
        raise usage_error(f"is {what}", f"{text}:Net" if text.endswith(".py") else f"cnncalc shapes {text}", where=text)
    ending = Path(text).suffix.lower()
    reader = FORMS.get(ending, "keras_file" if ending == ".json" else "")
    if reader:
        return Target("form", reader, Path(text).stem, text)
    raise said_of_weights(Path(text))


def source(text: str) -> Source:
    """The spec of a network in another form, as if it had been written; raises `SpecError`."""
    return Source(text, spec_text(text, {}, {}, Options()))


def graph(text: str, args: Mapping[str, Any] | None, inputs: Shapes | None) -> Graph:
    """The graph of a network in another form; raises `SpecError`."""
    target = parsed(text)
    made = spec_text(text, args or {}, inputs or {}, Options())
    taken = target.is_run or target.kind == "rows" or target.path in TAKES_INPUTS
    return load(Source(text, made), inputs=None if taken else inputs)


def spec_text(text: str, args: Mapping[str, Any], inputs: Shapes, options: Options) -> str:
    """The spec of a network in another form; what was imported before and has not changed since is kept."""
    target = parsed(text)
    if target.kind == "rows":
        return rows(target, args, inputs).text
    if not target.is_run:
        if args:
            raise usage_error(f"{text} takes no arguments", "leave out --set")
        return imported(read(target, inputs), options.fold).text
    kept = cache.found(_key(target, args, inputs, options)) if options.cache else None
    if kept is not None and may_run(text):
        return kept
    with capture(target, args, inputs, options) as process:
        program = process.program()
    made = imported(flat_of(program), options.fold).text
    if options.cache:
        cache.keep(_key(target, args, inputs, options), made, program.get("files") or {}, target)
    return made


def _key(target: Target, args: Mapping[str, Any], inputs: Shapes, options: Options) -> str:
    """What a spec is kept under: all that decides how it comes out."""
    return cache.key(
        target.text, str(Path.cwd()), args, inputs, options.python, options.fold, options.train, options.weights
    )


def read(target: Target, inputs: Shapes) -> Flat:
    """The flat network in a file of which nothing is run."""
    found: Flat = import_module(f".{target.path}", __package__).read(Path(target.text), inputs)
    return found


def rows(target: Target, args: Mapping[str, Any], inputs: Shapes, fold: bool = True) -> Imported:
    """The spec of a file whose rows name modules that are known as blocks."""
    text = import_module(f".{target.path}", __package__).spec_of(target.text, args, inputs)
    graph = load(Source(f"{target.text}, as a spec", text))
    note = "what comes out of the head is not decoded: boxes and their suppression follow"
    return Imported(text if fold else flat(graph), graph, (note,) if "Detect:" in text else ())


def capture(target: Target, args: Mapping[str, Any], inputs: Shapes, options: Options) -> Capture:
    """The process in which a program is run; raises `SpecError` where it may not be."""
    if not may_run(target.text):
        hint = "cnncalc import writes its spec, and the spec can be given here"
        raise usage_error(f"{target.text} is a program, and is not run here", hint, where=target.text)
    if is_limited():
        what = target.path if target.kind == "file" else target.text
        print(f"{what} is run as a program to build the network; import only what you would run", file=sys.stderr)
    request = {
        "target": target.text,
        "kind": target.kind,
        "path": target.path,
        "folder": str(Path(target.path).resolve().parent) if target.kind == "file" else str(Path.cwd()),
        "name": target.name,
        "settings": dict(args),
        "inputs": {name: described(shape) for name, shape in inputs.items()},
        "train": options.train,
        "weights": str(Path(options.weights).resolve()) if options.weights else "",
    }
    return Capture(request, options.python, options.timeout)


def described(shape: Sequence[int]) -> dict[str, Any]:
    """A shape and the type that it was given with."""
    return {"shape": list(shape), "dtype": getattr(shape, "dtype", "") or "float32"}


class Outcome(Record):
    """A network that was brought in, and what was found by running it beside its spec."""

    imported: Imported
    checks: Mapping[str, Any] | None
    target: Target


def bring_in(text: str, args: Mapping[str, Any], inputs: Shapes, options: Options, verify: bool = True) -> Outcome:
    """Bring a network in and, where a program was run, compare it with its spec; raises `SpecError`.

    >>> bring_in("nothing.pt2", {}, {}, Options())  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    ...
    cnncalc.errors.SpecError: nothing.pt2: there is no such file
    """
    target = parsed(text)
    if target.kind == "rows" and not options.weights:
        return Outcome(rows(target, args, inputs, options.fold), None, target)
    if not target.is_run:
        if args or options.weights:
            raise usage_error(f"{text} takes no {'weights' if options.weights else 'arguments'}", where=text)
        made = imported(read(target, inputs), options.fold)
        if inputs and target.path not in TAKES_INPUTS:
            load(Source(text, made.text), inputs=inputs)
        return Outcome(made, None, target)
    with capture(target, args, inputs, options) as process:
        program = process.program()
        made = imported(flat_of(program), options.fold)
        if options.cache:
            cache.keep(_key(target, args, inputs, options), made.text, program.get("files") or {}, target)
        checks = process.verified(made.text, {}) if verify and not options.train else None
    if checks is not None and "refused" in checks:
        said = checks["refused"]
        checks = {"failed": said["cause"]}
    return Outcome(made, checks, target)


__all__ = ["Options", "Outcome", "SpecError", "Target", "bring_in", "graph", "parsed", "source"]
