"""Keras' description of a model, a `.keras` file or what `model.to_json()` gives, as a flat network, without Keras.

Keras puts the channels last; here they are first, so shapes are turned round, and a Flatten joins the same values in
another order. What holds code, as a Lambda layer does, is refused and never decoded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..ops import REGISTRY, Shape, value_of
from .flat import Flat, Node
from .readers import registers
from .refusals import refused

#: Layers of a description, and how deep models may lie in models.
MAX_LAYERS, MAX_DEPTH = 50_000, 20
Config = Mapping[str, Any]
#: Activations by Keras' names.
ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("ReLU", {}),
    "relu6": ("ReLU6", {}),
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "selu": ("SELU", {}),
    "elu": ("ELU", {}),
    "swish": ("SiLU", {}),
    "silu": ("SiLU", {}),
    "gelu": ("GELU", {}),
    "mish": ("Mish", {}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "hard_sigmoid": ("Hardsigmoid", {}),
    "hard_silu": ("Hardswish", {}),
    "hard_swish": ("Hardswish", {}),
    "leaky_relu": ("LeakyReLU", {"negative_slope": 0.2}),
    "softmax": ("Softmax", {"dim": 1}),
    "log_softmax": ("LogSoftmax", {"dim": 1}),
}


class Keras:
    def __init__(self, path: Path, inputs: Mapping[str, Sequence[int]]) -> None:
        self.path, self.inputs = path, inputs
        self.nodes: list[Node] = []
        self.values: dict[str, int] = {}  # a layer's name → what comes out of it
        self.used: set[str] = set()
        self.layer = ""
        self.shared: dict[str, int] = {}

    def flat(self, document: Config) -> Flat:
        config = document["config"]
        outputs = self.model(document, None, "", 0)
        if not outputs or all(node.type == "input" for node in self.nodes):
            raise refused("no model that can be read: it has no layers", str(self.path))
        count = sum(node.type == "input" for node in self.nodes)
        order = sorted(range(len(self.nodes)), key=lambda i: self.nodes[i].type != "input")
        place = {old: new for new, old in enumerate(order)}
        nodes = [self.nodes[i]._replace(inputs=tuple(place[j] for j in self.nodes[i].inputs)) for i in order]
        if count == 1:
            nodes[0] = nodes[0]._replace(name="input")
        name = str(config.get("name") or self.path.stem) if isinstance(config, Mapping) else self.path.stem
        return Flat(name, nodes, count, [place[i] for i in dict.fromkeys(outputs)])

    def model(self, document: Config, given: Sequence[int] | None, prefix: str, depth: int) -> list[int]:
        """The layers of a model, which may stand in another; what comes out of it."""
        if depth > MAX_DEPTH:
            raise refused("models in models in models", str(self.path))
        config, kind = document["config"], document["class_name"]
        layers = config["layers"] if isinstance(config, Mapping) else config
        if len(layers) > MAX_LAYERS:
            raise refused(f"{len(layers):,} layers; at most {MAX_LAYERS:,} are read", str(self.path))
        values: dict[str, int] = {}
        waiting = list(given or ())
        at: list[int] = list(given or ())
        for layer in layers:
            own, options = layer["class_name"], layer["config"]
            name = str(layer.get("name") or options.get("name"))
            self.layer = name
            if own == "InputLayer":
                if given is not None:
                    at = [waiting.pop(0)]
                else:
                    shape = options.get("batch_shape") or options.get("batch_input_shape")
                    at = [self.input(name, shape[1:])]
            else:
                if kind == "Sequential" and not at:
                    shape = options.get("batch_input_shape") or (layer.get("build_config") or {}).get("input_shape")
                    if shape is None:
                        raise refused(
                            "the shape of the input is not said", str(self.path), "an InputLayer, or a built model"
                        )
                    at = [self.input("input", shape[1:])]
                taken = at if kind == "Sequential" else [values[each] for each in inbound(layer)]
                at = self.read(layer, taken, prefix, depth)
            values[name] = at[-1]
        if kind == "Sequential":
            return at[-1:]
        names = config["output_layers"]
        names = [names] if names and isinstance(names[0], str) else names
        return [values[str(each[0])] for each in names]

    def input(self, name: str, shape: Sequence[Any]) -> int:
        asked = self.inputs.get(name) or self.inputs.get("")
        if asked is None and any(not isinstance(size, int) for size in shape):
            raise refused(f"the size of the input {name} is open", str(self.path), "--input CxHxW says it")
        self.nodes.append(Node(self.fresh(name), "input", {}, (), tuple(asked) if asked else turned(shape)))
        return len(self.nodes) - 1

    def fresh(self, name: str) -> str:
        """A path that nothing else has."""
        made, number = re.sub(r"[^\w\-]", "_", name) or "layer", 2
        base = made
        while made in self.used:
            made, number = f"{base}_{number}", number + 1
        self.used.add(made)
        return made

    def read(self, layer: Config, taken: list[int], prefix: str, depth: int) -> list[int]:
        kind, options = str(layer["class_name"]), layer["config"]
        if kind in ("Functional", "Sequential", "Model"):
            return self.model(layer, taken, prefix, depth + 1)
        if kind in ("Lambda", "TFOpLambda"):
            raise refused(f"{self.layer} is a {kind} layer, which holds code, and is not read", str(self.path))
        reader = READERS.get(kind)
        if reader is None:
            raise refused(f"{self.layer}: there is no layer type for Keras' {kind}", str(self.path))
        if options.get("data_format") == "channels_first":
            raise refused(f"{self.layer} has its channels first; Keras' usual order is read", str(self.path))
        return [reader(Layer(self, options, taken, list(numbers(layer))))]

    def add(self, name: str, type_: str, arguments: Mapping[str, Any], inputs: tuple[int, ...],
            figures: Mapping[str, Any] | None = None, shape: Shape | None = None) -> int:  # fmt: skip
        """A layer; its shape is what its type makes of what goes in."""
        shapes = tuple(self.nodes[i].shape for i in inputs)
        if shape is None:
            op = REGISTRY[type_](**arguments)
            shape = tuple(value_of(size) for size in op.output(*shapes))
        self.nodes.append(Node(self.fresh(name), type_, dict(arguments), inputs, shape, figures=figures))
        return len(self.nodes) - 1


class Layer:
    """A layer of Keras while it is turned into one or several."""

    def __init__(self, keras: Keras, options: Config, taken: Sequence[int], numbers: Sequence[float]) -> None:
        self.keras, self.options, self.taken = keras, options, tuple(taken)
        self.numbers = numbers  # what an operation is given besides tensors
        self.name = keras.layer

    def get(self, name: str, default: Any = None) -> Any:
        value = self.options.get(name, default)
        return default if value is None else value

    def pair(self, name: str, default: Any = 1) -> Any:
        """A number for each axis as one number, where both are the same."""
        value = self.get(name, default)
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        return values[0] if all(each == values[0] for each in values) else values

    @property
    def shape(self) -> Shape:
        return self.keras.nodes[self.taken[0]].shape

    def add(self, type_: str, arguments: Mapping[str, Any], *inputs: int, name: str = "", **more: Any) -> int:
        return self.keras.add(name or self.name, type_, arguments, inputs or self.taken, **more)

    def activated(self, x: int) -> int:
        """The activation that stands among the options of a layer."""
        wanted = self.get("activation", "linear")
        if isinstance(wanted, Mapping):
            wanted = wanted.get("config") if isinstance(wanted.get("config"), str) else wanted.get("class_name", "")
        if wanted == "linear":
            return x
        if wanted not in ACTIVATIONS:
            raise refused(f"{self.name}: there is no layer type for the activation {wanted}", str(self.keras.path))
        type_, arguments = ACTIVATIONS[wanted]
        if "dim" in arguments:
            arguments = {"dim": len(self.keras.nodes[x].shape)} if len(self.keras.nodes[x].shape) == 1 else {"dim": 1}
        name = self.name if x in self.taken else f"{self.name}_{wanted}"
        return self.add(type_, arguments, x, name=name)


def inbound(layer: Config) -> Iterator[str]:
    """The names of the layers that a layer takes, in Keras' two forms."""
    calls = layer["inbound_nodes"]
    if len(calls) > 1:
        raise ValueError(f"{layer.get('name')} is used several times")

    def tensors(value: Any) -> Iterator[str]:
        if isinstance(value, Mapping):
            if value.get("class_name") == "__keras_tensor__":
                yield str(value["config"]["keras_history"][0])
            else:
                for each in value.values():
                    yield from tensors(each)
        elif isinstance(value, (list, tuple)):
            if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
                yield value[0]
            else:
                for each in value:
                    yield from tensors(each)

    yield from tensors(calls[0] if calls else ())


def numbers(layer: Config) -> Iterator[float]:
    """The numbers that an operation is called with."""
    for call in (layer.get("inbound_nodes") or [])[:1]:
        for value in call["args"] if isinstance(call, Mapping) else ():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                yield value


def turned(shape: Sequence[int]) -> Shape:
    """A shape with its channels first."""
    return (shape[-1], *shape[:-1])


Reader = Callable[[Layer], int]
READERS: dict[str, Reader] = {}
#: Registers what reads a kind of layer.
reads = registers(READERS)
