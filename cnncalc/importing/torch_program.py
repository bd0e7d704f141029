"""A PyTorch program, captured or read from a file, as a flat network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from .aten import READERS
from .attention import attention
from .flat import Flat, Module
from .operations import named, references
from .own import is_own, own_layer
from .places import placed
from .program import Call, Reading
from .refusals import Moved, refused
from .sharing import counted_once
from .simplify import simplified
from .values import Parts, Pending, Tensor

#: Modules that are declared as a whole, beyond which a network is not one that can be read.
MOST_CLOSED = 200


def flat_of(program: Mapping[str, Any]) -> Flat:
    """The flat network of a program; raises `SpecError` for what cannot be followed."""
    # Attention is one layer of PyTorch's, whose operations turn the batch about.
    closed = {str(key) for node in program["nodes"] for key, path, kind in node["modules"]
              if kind == "MultiheadAttention" and program["modules"].get(path, {}).get("library")}  # fmt: skip
    own = {path for path, module in program["modules"].items() if is_own(module)}
    known = frozenset(str(key) for node in program["nodes"] for key, path, _ in node["modules"] if path in own)
    while True:
        reading = Reading(program, known | closed, known, together)
        try:
            reading.read(READERS)
            break
        except Moved as moved:  # what it stands in is declared as a whole
            if not moved.module or moved.module in closed or len(closed) > MOST_CLOSED:
                raise moved.cause from None
            closed.add(moved.module)
    outputs: list[int] = []
    for name in program["outputs"]:
        value = reading.values.get(name)
        if isinstance(value, (Tensor, Parts)):
            outputs.append(value.node)
    outputs = list(dict.fromkeys(outputs))
    if not outputs:
        raise refused("nothing that comes out is worked out by layers from what goes in", program["title"])
    state = program.get("state")
    layers = counted_once(reading, ties=state is not None)
    pending, outputs = simplified(layers, outputs, len(program["inputs"]))
    modules = {path: Module(str(each["class"]), each["attributes"], each["library"])
               for path, each in program["modules"].items()}  # fmt: skip
    keys = None if state is None else {name: tuple(shape) for name, shape in state.items()}
    flat = placed(program["title"], pending, outputs, modules, len(program["inputs"]), _notes(program, pending), keys)
    flat.stored = _stored(reading)
    return flat


def _stored(reading: Reading) -> int:
    """How many numbers are learnt in the tensors that are used, each tensor once."""
    nodes = [reading.program["nodes"][number] for number in reading.needed]
    names = {str(each["tensor"]) for node in nodes for each in references(node["given"]) if each.get("state")}
    used = [reading.tensors[name] for name in names]
    return sum(prod(each["shape"]) for each in used if each["kind"] == "parameter")


def together(reading: Reading, last: Call, nodes: list[Mapping[str, Any]], inputs: tuple[int, ...], states: list[str],
             module: Sequence[Any]) -> Tensor | None:  # fmt: skip
    """The layer that all operations of a module are together; None where there is none."""
    made = own_layer(last, nodes, inputs, module)
    return attention(reading, last, nodes, inputs, states, module) if made is None else made


def _notes(program: Mapping[str, Any], pending: list[Pending]) -> list[str]:
    """What the reader of the spec must know: tensors that are not trained, parts that do not run."""
    notes = list(program.get("notes", ()))
    registered = set(program["registered"])
    loose = [
        name for name in program["tensors"] if name not in registered and len(program["tensors"][name]["shape"]) > 1
    ]
    if loose:
        notes.append(
            f"used, and registered nowhere: {', '.join(loose[:4])}{' …' * (len(loose) > 4)}; neither trained nor saved "
            "(layers in a plain list belong into an nn.ModuleList)"
        )
    if any(named(str(node["op"])) == "max" and isinstance(node["given"].get("dim"), int) for node in program["nodes"]):
        notes.append("torch.max along an axis is written as Max, torch.amax: a training step keeps the map, not places")
    fused = any(named(str(node["op"])) == "scaled_dot_product_attention" for node in program["nodes"])
    if fused and any(each.type == "Softmax" for each in pending):
        notes.append(
            "scaled_dot_product_attention is written as products and a softmax: memory is what these hold, all scores "
            "at once, where a fused kernel holds less"
        )
    if any(each.type == "BlurPool2d" for each in pending):
        notes.append("the fixed filters of BlurPool2d are taken to be binomial")
    return notes
