"""An ONNX file as a program: its operators by PyTorch's names, so that one table of readers serves both.

Protobuf alone is read, by the package onnx: no runtime, no external data, and of the weights only their shapes.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import Any

from ..names import ONNX_CLASSES, ONNX_LAYERS, ONNX_PATHS
from ..ops import MERGES
from .own import is_own
from .readers import registers
from .refusals import refused

#: Numbers in a constant that are looked at.
MAX_NUMBERS = 1_000
#: The largest size of anything.
LARGEST = 2**63
#: How models write ONNX's own set of operators.
DOMAINS = ("", "ai.onnx")
#: Operators for which a single number is a number, and no parameter.
CALCULATES = frozenset(("Add", "CastLike", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max",
                        "Min", "Mul", "Pow", "Sub", "Where"))  # fmt: skip
#: What a parameter of a module is called; constants that an exporter makes have no dots, or are called otherwise.
PATH = re.compile(r"[A-Za-z_]\w*(\.\w+)+")
WORD = re.compile(r"[A-Za-z_]\w*")
#: What PyTorch calls what is counted along and not learnt.
COUNTED = (".running_mean", ".running_var")
#: What PyTorch's exporter calls what it works out on the way.
MADE = re.compile(r"val_\d+")
#: What is to be said of parameters that nobody can tell from constants.
NEUTRAL_NOTE = (
    "ones and zeros that an exporter worked out are taken for constants; a GroupNorm that was never trained has them"
)
#: What changes nothing, by what takes it.
NEUTRAL = {frozenset(("Mul",)): [1.0], frozenset(("Add",)): [0.0], frozenset(("CastLike",)): [0.0, 1.0]}
RECURRENT = frozenset(("GRU", "LSTM", "RNN"))
NORMS = frozenset(("BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization"))
#: Types of numbers: whole, and of single, double and half precision; and what says that they stand in another file.
WHOLE, REAL, BESIDE = (6, 7), (1, 11, 10, 16), 1
#: Types of numbers that count or choose, and are no weights: int64 and bool.
CHOICES = (7, 9)
#: What the names of cnncalc's own modules begin with, where its export notes them.
OWN = "cnncalc.pytorch.own_modules."
#: Modules of PyTorch's that become several operators, some with constants that look like parameters.
SEVERAL = re.compile(
    r"torch\.nn\.modules\.(normalization\.GroupNorm|pooling\.(Adaptive(Avg|Max)Pool|MaxUnpool)[123]d|activation\.Softplus)"
)
Attributes = Mapping[str, Any]


def paired(work: Callable[[int, int], int]) -> Callable[..., list[int]]:
    """Of two lists that are as long, or of a list and a number, item by item."""
    return lambda a, b: [
        work(x, y) for x, y in zip(a * (len(b) if len(a) == 1 else 1), b * (len(a) if len(b) == 1 else 1), strict=True)
    ]


#: Operators that work out the sizes of tensors from those of others: on lists of whole numbers.
SIZES: dict[str, Callable[..., list[int]]] = {
    **dict.fromkeys(("Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze"), lambda sizes, *_: sizes),
    "Concat": lambda *sizes: [size for each in sizes for size in each],
    "Gather": lambda sizes, places: [sizes[place] for place in places],
    "Add": paired(int.__add__),
    "Sub": paired(int.__sub__),
    "Mul": paired(int.__mul__),
}


class Onnx:
    def __init__(self, onnx: Any, model: Any, path: Path) -> None:
        self.onnx, self.graph, self.path = onnx, model.graph, path
        self.of_pytorch = model.producer_name == "pytorch"
        self.opset = max((each.version for each in model.opset_import if each.domain in DOMAINS), default=13)
        self.shapes: dict[str, list[int] | None] = {}
        for value in (*self.graph.value_info, *self.graph.output, *self.graph.input):
            dims = value.type.tensor_type.shape.dim
            known = all(dim.HasField("dim_value") for dim in dims)
            self.shapes[value.name] = [dim.dim_value for dim in dims] if known else None
        self.states: dict[str, dict[str, Any]] = {}  # by their names as paths
        self.names: dict[str, str] = {}
        self.paths: set[str] = set()
        self.constants: dict[str, list[Any]] = {}
        self.users: dict[str, set[str]] = {}  # the kinds of operators that take a value
        self.stacks: dict[tuple[str, ...], list[list[str]]] = {}
        for node in self.graph.node:  # what another domain calls so is no operator of ONNX
            if node.domain not in DOMAINS:
                node.op_type = f"{node.domain}::{node.op_type}"
        self.taken = Counter(
            [*(name for node in self.graph.node for name in node.input), *(each.name for each in self.graph.output)]
        )
        self.differences = {node.input[0]: node for node in self.graph.node if node.op_type == "Sub" and node.input}
        self.makers = {name: node for node in self.graph.node for name in node.output}
        self.nodes: list[dict[str, Any]] = []
        self.notes: dict[str, None] = {}
        self.made: set[str] = set()  # what needs no operation any more
        self.modules: dict[str, dict[str, Any]] = {"": {"class": "", "attributes": {}, "library": False}}

    def read(self) -> dict[str, Any]:
        for node in self.graph.node:
            for name in node.input:
                self.users.setdefault(name, set()).add(node.op_type)
        for each in self.graph.initializer:
            self._state(each.name, list(each.dims), each)
        for node in self.graph.node:
            if node.op_type == "Constant":
                self._constant(node)
            elif node.op_type == "Shape" and self.shapes.get(node.input[0]):
                given = {each.name: each.i for each in node.attribute}
                whole = self.shapes[node.input[0]] or []
                numbers = whole[given.get("start", 0) : given.get("end")]
                self._fixed(node.output[0], [len(numbers)], numbers)
            elif node.op_type == "ConstantOfShape":
                sizes = self.constants.get(self.names.get(node.input[0], ""))
                if sizes is not None:
                    self._state(node.output[0], [int(size) for size in sizes], None)
        for node in self.graph.node:
            if node.op_type not in ("Constant", "ConstantOfShape") and node.output[0] not in self.made:
                self._node(node)
        inputs = []
        for value in self.graph.input:
            if value.name not in self.names:
                shape = self.shapes[value.name]
                if not shape or len(shape) < 2:
                    raise refused(f"the input {value.name} has no axes behind the batch", str(self.path))
                inputs.append({"name": value.name, "arg": value.name, "shape": shape[1:], "dtype": "float32"})
                if shape[0] != (self.shapes[inputs[0]["arg"]] or shape)[0]:
                    self.notes[f"the first axis of {value.name} is taken for the batch"] = None
        if not inputs:
            raise refused("nothing goes in", str(self.path))
        shape = self.shapes[inputs[0]["arg"]]
        return {
            "title": self.path.stem,
            "batch": shape[0] if shape else 1,
            "inputs": inputs,
            "tensors": self.states,
            "nodes": self.nodes,
            "outputs": [each.name for each in self.graph.output],
            "modules": self.modules,
            "registered": list(self.states),
            "state": None,
            "notes": list(self.notes),
        }

    def clean(self, name: str) -> str:
        """The name of a weight as a path: what no layer can be called is an underline."""
        if name not in self.names:
            made, number = re.sub(r"[^\w.\-]|^\.+|\.+$", "_", name), 2
            while made in self.paths:
                made, number = f"{made}_{number}", number + 1
            self.names[name] = made
            self.paths.add(made)
        return self.names[name]

    def _state(self, name: str, shape: list[int], tensor: Any) -> None:
        users, name = frozenset(self.users.get(name, ())), self.clean(name)
        number = prod(shape) == 1 and users <= CALCULATES and not PATH.fullmatch(name)
        chosen = tensor is not None and tensor.data_type in CHOICES
        if number and not chosen and self.of_pytorch and WORD.fullmatch(name) and not MADE.fullmatch(name):
            self.notes[f"{name} is taken for a constant: if it is learnt, that parameter is missing"] = None
        # The ones and zeros of a normalisation without parameters, and the state that a recurrent layer begins with.
        made = MADE.fullmatch(name) and tensor is not None
        plain = made and users <= NORMS and self._is_even(tensor)
        start = made and users <= RECURRENT and set(self._numbers(tensor) or ()) == {0.0}
        neutral = made and prod(shape) > 1 and users in NEUTRAL and self._is_even(tensor)
        neutral = neutral and (self._numbers(tensor) or [None])[0] in NEUTRAL[users]
        if neutral:
            self.notes[NEUTRAL_NOTE] = None
        fixed = number or chosen or plain or start or neutral
        kind = "constant" if fixed else "buffer" if name.endswith(COUNTED) else "parameter"
        self.states[name] = {"kind": kind, "shape": shape, "value": None}
        kept = WHOLE if len(shape) > 1 else (*WHOLE, *REAL)  # whole numbers, and single numbers and vectors of others
        numbers = self._numbers(tensor) if tensor is not None and tensor.data_type in kept else None
        if numbers is not None:
            self.constants[name] = numbers

    def _numbers(self, tensor: Any) -> list[Any] | None:
        """The numbers of a tensor; None where they are many, or stand in another file, which is not opened."""
        if tensor.data_location == BESIDE or prod(tensor.dims) > MAX_NUMBERS:
            return None
        return list(self.onnx.numpy_helper.to_array(tensor).reshape(-1).tolist())

    def _is_even(self, tensor: Any) -> bool:
        """Whether all numbers of a tensor are the same, as far as they are looked at."""
        return len(set(self._numbers(tensor) or ())) <= 1

    def _constant(self, node: Any) -> None:
        for attribute in node.attribute:
            value = self.onnx.helper.get_attribute_value(attribute)
            if attribute.name == "value":
                self._fixed(node.output[0], list(value.dims), self._numbers(value))
            elif attribute.name in ("value_int", "value_float", "value_ints", "value_floats"):
                self._fixed(node.output[0], [], list(value) if isinstance(value, (list, tuple)) else [value])

    def _fixed(self, name: str, shape: list[int], numbers: list[Any] | None) -> None:
        self.made.add(name)
        name = self.clean(name)
        self.states[name] = {"kind": "constant", "shape": shape, "value": None}
        if numbers is not None:
            self.constants[name] = numbers

    # -- one operator ------------------------------------------------------------------------------------------------

    def _sizes(self, node: Any) -> bool:
        """Work out what is made of sizes alone; tells whether it is."""
        work = SIZES.get(node.op_type)
        taken = [self.constants.get(self.names.get(name, "")) or [] for name in node.input if name]
        if work is None or not taken or not all(taken) or any(type(each) is not int for one in taken for each in one):
            return False
        try:
            numbers = work(*taken)
        except (IndexError, TypeError, ValueError):  # of a file that makes no sense
            return False
        if len(numbers) > MAX_NUMBERS or any(abs(number) > LARGEST for number in numbers):
            return False
        self._fixed(node.output[0], [len(numbers)], numbers)
        return True

    def _node(self, node: Any) -> None:
        if self._sizes(node):
            return
        attributes = {each.name: self.onnx.helper.get_attribute_value(each) for each in node.attribute}
        convert = OPERATORS.get(node.op_type)
        call = Operator(
            self,
            node,
            {key: value.decode() if isinstance(value, bytes) else value for key, value in attributes.items()},
        )
        given: dict[str, Any] = {str(i): call.reference(i) for i in range(len(node.input))}
        around = [self.modules[path] for _, path, _ in call.modules]
        if any(each.get("own") and is_own(each) for each in around):  # one layer, with all that it does
            given |= {f"numbers {i}": self.constants.get(call.name(i)) for i in range(len(node.input))}
            call.emit(node.op_type, given | {name: call.get(name) for name in call.attributes})
        elif convert is None:
            call.emit(node.op_type, given)
        else:
            convert(call)

    def stack(self, node: Any) -> list[list[str]]:
        """The modules that an operator stood in: from what PyTorch's exporter wrote beside it, or from its name."""
        noted = {each.key: each.value for each in node.metadata_props} if hasattr(node, "metadata_props") else {}
        key = (noted.get(ONNX_PATHS, "[]"), noted.get(ONNX_CLASSES, "[]"), node.name)
        if key not in self.stacks:
            self.stacks[key] = self._stack(*key)
        return self.stacks[key]

    def _stack(self, scopes: str, classes: str, name: str) -> list[list[str]]:
        try:
            paths = ast.literal_eval(scopes)
            kinds = ast.literal_eval(classes)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            paths, kinds = [], []
        if paths and len(paths) == len(kinds):
            pairs = list(zip(map(str, paths), map(str, kinds), strict=True))[:-1]
        else:
            pairs = [("", "")]
            for part in name.split("/")[1:-1] if name.startswith("/") else ():
                before = pairs[-1][0]
                path = part if not before or part.startswith(f"{before}.") else f"{before}.{part}"
                pairs.append((path, ""))
        for path, kind in pairs:
            library = kind.startswith(("torch.nn.modules.", ONNX_LAYERS)) or not kind
            made = {"class": kind.rpartition(".")[2], "attributes": {}, "library": library}
            self.modules.setdefault(path, made | {"own": kind.startswith(OWN) or bool(SEVERAL.fullmatch(kind))})
        return [[path or "root", path, kind.rpartition(".")[2]] for path, kind in pairs]


class Operator:
    """An operator while it is turned into one or several operations."""

    def __init__(self, onnx: Onnx, node: Any, attributes: Attributes) -> None:
        self.onnx, self.node, self.attributes = onnx, node, attributes
        self.modules = onnx.stack(node)
        kind = self.modules[-1][2]
        if node.op_type == "Slice" and (kind in MERGES or kind.startswith("Conv")):
            self.modules = self.modules[:-1]  # PyTorch's exporter moves what is a mere view to where it is used

    def get(self, name: str, default: Any = None) -> Any:
        value = self.attributes.get(name, default)
        return value if value is None or isinstance(value, (str, int, float)) else list(value)

    def name(self, place: int) -> str:
        name = self.node.input[place] if place < len(self.node.input) else ""
        return self.onnx.names.get(name, name)

    def reference(self, place: int) -> dict[str, Any] | None:
        name = self.name(place)
        return {"tensor": name, "state": name in self.onnx.states} if name else None

    def parameter(self, place: int) -> dict[str, Any] | None:
        """An input that is learnt; None where it is what an exporter writes for a layer without."""
        given = self.reference(place)
        return None if given is None or self.onnx.states.get(given["tensor"], {}).get("kind") == "constant" else given

    def shape(self, place: int = 0) -> list[int]:
        """The shape of an input; raises `SpecError` where it is not known."""
        name = self.name(place)
        state = self.onnx.states.get(name)
        shape = state["shape"] if state else self.onnx.shapes.get(name)
        if shape is None:
            raise refused(
                f"the shape of {name} is not known", str(self.onnx.path), "onnx.shape_inference could not work it out"
            )
        return list(shape)

    def inner(self, place: int) -> Any:
        """The operator behind an input, if all that it does is for this one, in the same module; None otherwise."""
        maker = self.onnx.makers.get(self.node.input[place])
        alone = maker is not None and self.onnx.taken[self.node.input[place]] == 1
        return maker if alone and self.onnx.stack(maker) == self.modules else None

    def numbers(self, place: int) -> list[Any] | None:
        """The numbers of an input that is a constant."""
        return self.onnx.constants.get(self.name(place))

    def emit(self, op: str, given: Mapping[str, Any], output: str | None = None, shape: Any = None) -> dict[str, Any]:
        """An operation; the operator's output, unless another name is given to what comes between."""
        name = output or self.node.output[0]
        made: dict[str, Any] = {
            "name": name,
            "op": op,
            "given": {key: value for key, value in given.items() if value is not None},
            "shape": shape if shape is not None else self.onnx.shapes.get(name),
            "modules": self.modules,
            "line": f"{self.onnx.path.name}: {self.node.name or self.node.op_type}",
        }
        self.onnx.nodes.append(made)
        self.onnx.made.add(name)
        self.onnx.shapes.setdefault(name, made["shape"])
        return {"tensor": name, "state": False}


Converter = Callable[[Operator], Any]
OPERATORS: dict[str, Converter] = {}
#: Registers a converter for operators by name.
operator = registers(OPERATORS)
