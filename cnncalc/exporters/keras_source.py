"""Keras 3 source: a functional model with the same shapes and parameter counts, channels first as in the spec."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush

from ..errors import Problem, SpecError
from ..generated import inspected, literal
from ..graph import Graph
from ..names import LONGEST, is_word
from .common import RESERVED, docstring, quoted, refuse_what_has_no_source
from .keras_layers import steps as steps_of
from .keras_statements import Inexpressible, Statement, listed, tuple_text
from .vocabulary import KERAS, of_keras


def keras_source(graph: Graph) -> str:
    """The source of a function that builds the network as a functional Keras model.

    Raises `SpecError` that names every layer that Keras cannot express.

    >>> from cnncalc import load
    >>> print(keras_source(load("lenet")).split("def lenet_5():")[1].split("return")[0].strip())
    inputs = keras.Input((1, 32, 32), name="input")
        x = layers.Conv2D(6, 5, name="C1")(inputs)
        x = layers.Activation("tanh", name="tanh1")(x)
        x = layers.AveragePooling2D(2, strides=2, name="S2")(x)
        x = layers.Conv2D(16, 5, name="C3")(x)
        x = layers.Activation("tanh", name="tanh3")(x)
        x = layers.AveragePooling2D(2, strides=2, name="S4")(x)
        x = layers.Reshape((400,), name="flatten")(x)
        x = layers.Dense(120, name="C5")(x)
        x = layers.Activation("tanh", name="tanh5")(x)
        x = layers.Dense(84, name="F6")(x)
        x = layers.Activation("tanh", name="tanh6")(x)
        x = layers.Dense(10, name="output")(x)
    """
    refuse_what_has_no_source(graph, "Keras")
    found: dict[int, list[Statement]] = {}
    problems: list[Problem] = []
    for node in range(graph.input_count, len(graph.nodes)):
        layer = graph.nodes[node]
        shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
        try:
            assert layer.op is not None and layer.shape is not None
            found[node] = steps_of(layer.op, _plain(layer.name), layer.shape, shapes)
        except Inexpressible as why:
            message = f"{layer.name} ({layer.type}) cannot be expressed in Keras: {why}"
            if all(message.partition(" ")[2] != problem.message.partition(" ")[2] for problem in problems):
                problems.append(Problem("inexpressible", message, graph.source, layer.place))
    if problems:
        raise SpecError(problems)
    called = _LayerNames(graph, _automatic(step for steps in found.values() for step in steps))
    names = _Variables(graph, called.inputs)
    shared = _Shared(graph, found)
    shared.refuse_second_weights()
    lines, group = [], ""
    for node, steps in found.items():
        layer = graph.nodes[node]
        path = layer.name.rpartition(".")[0]
        if path != group and graph.groups.get(path) and graph.groups[path].block:
            lines.append(f"    # {path}: {graph.groups[path].block}")
        group = path
        inputs = [names[i] for i in layer.inputs]
        target = names.assign(node)
        for number, step in enumerate(steps):
            variable = shared.variable(node, number)
            if variable and node == graph.owner(node):
                lines.append(f"    {variable} = {step.made(called.unique(step.name, _plain(layer.name)))}")
            text = f"{variable}({listed(inputs)})" if variable else ""
            text = text or step.write(inputs, called.unique(step.name, _plain(layer.name)))
            lines.append(f"    {target} = {text}")
            inputs = [target]
        if not steps and target != inputs[0]:
            lines.append(f"    {target} = {inputs[0]}")
    function = re.sub(r"[^0-9a-z]+", "_", (graph.variant or graph.name).strip().lower()).strip("_")[:LONGEST]
    free = is_word(function) and function not in {*KERAS, *RESERVED} and not hasattr(builtins, function)
    function = function if free else f"net_{function}"
    heads = [
        f"    {names.inputs[i]} = keras.Input({tuple_text(each.shape or ())}, name={literal(called.inputs[i])})"
        for i, each in enumerate(graph.inputs)
    ]
    given = listed([names.inputs[i] for i in range(graph.input_count)])
    results = listed([names[i] for i in graph.outputs])
    title = _plain(graph.variant or graph.name)[:LONGEST]
    about = docstring(graph, "Channels come first, as in PyTorch. Shapes and numbers of parameters are the same.")
    text = "\n".join(
        [
            quoted(about),
            "",
            "import keras",
            "from keras import layers, ops",
            "",
            'keras.config.set_image_data_format("channels_first")',
            "",
            "",
            f"def {function}():",
            *heads,
            *lines,
            f"    return keras.Model({given}, {results}, name={literal(title)})",
            "",
            "",
            'if __name__ == "__main__":',
            f"    {function}().summary()",
            "",
        ]
    )
    words = frozenset({function, *names.words, *shared.words})
    return inspected(text, of_keras(words, frozenset({title, *called.used})), about)


def _plain(text: str) -> str:
    """A name of letters, digits and underscores."""
    return re.sub(r"[^0-9A-Za-z_]", "_", text)


def _automatic(steps: Iterable[Statement]) -> re.Pattern[str]:
    """The names that Keras gives by itself to operations which have none here."""
    texts = [step.write(["x", "x"], "") for step in steps if not step.name]
    called = {name for text in texts for name in re.findall(r"ops\.(\w+)", text)}
    signs = {" * ": "multiply", " + ": "add", "-x": "negative", " / ": "true_divide", "x[": "get_item"}
    called |= {name for sign, name in signs.items() if any(sign in text for text in texts)}
    return re.compile(rf"({'|'.join(sorted(called)) or '(?!)'})(_\d+)?")


class _LayerNames:
    """The names of the layers of a Keras model, each of them once: `a.b` and `a-b` would both be `a_b`."""

    def __init__(self, graph: Graph, automatic: re.Pattern[str]) -> None:
        self.automatic = automatic
        self.of_spec = {_plain(layer.name) for layer in graph.nodes}
        self.used: set[str] = set()
        self._numbers: dict[str, int] = {}
        self.inputs = [self.unique(_plain(node.name), _plain(node.name)) for node in graph.inputs]

    def unique(self, wish: str, of_layer: str) -> str:
        """A name that no other has; what helps a layer, such as its padding, does not take the name of one."""
        if not wish:
            return ""
        if self.automatic.fullmatch(wish):
            wish = f"{wish}_layer"
        name = wish
        while name in self.used or (wish != of_layer and name in self.of_spec):
            self._numbers[wish] = self._numbers.get(wish, 1) + 1
            name = f"{wish}_{self._numbers[wish]}"
        self.used.add(name)
        return name


#: The layers of Keras that have weights.
_WEIGHTS = re.compile(r"layers\.(\w*Conv\w*|Dense|\w*Norm\w*|PReLU|MultiHead\w*)")


class _Shared:
    """The layers that are applied more than once, each with a variable of its own."""

    def __init__(self, graph: Graph, steps: Mapping[int, Sequence[Statement]]) -> None:
        self.graph, self.steps = graph, steps
        owners = dict.fromkeys(layer.shares for layer in graph.layers if layer.shares >= 0)
        made = [(node, at) for node in owners for at, step in enumerate(steps[node]) if step.constructor]
        self._variables = {each: f"layer{number}" for number, each in enumerate(made, 1)}
        self.words = frozenset(self._variables.values())

    def refuse_second_weights(self) -> None:
        """Raise `SpecError` where a layer would be made anew, with weights of its own."""
        for node, steps in self.steps.items():
            for number, step in enumerate(steps):
                anew = self.graph.nodes[node].shares >= 0 and step.name and not self.variable(node, number)
                if anew and (not step.constructor or _WEIGHTS.match(step.constructor)):
                    layer = self.graph.nodes[node]
                    message = f"{layer.name} ({layer.type}) cannot be expressed in Keras: it takes another form there"
                    raise SpecError([Problem("inexpressible", message, self.graph.source, layer.place)])

    def variable(self, node: int, number: int) -> str:
        """The variable of a layer's step: none where it is applied once, or made anew for what comes in."""
        owner = self.graph.owner(node)
        first = self.steps[owner]
        same = number < len(first) and first[number].constructor == self.steps[node][number].constructor
        return self._variables.get((owner, number), "") if same else ""


class _Variables:
    """The variables: a value that is needed no more gives its name to the next."""

    def __init__(self, graph: Graph, inputs: Sequence[str]) -> None:
        self.graph = graph
        self.inputs = [f"in_{name}" for name in inputs] if len(inputs) > 1 else ["inputs"]
        self.names: dict[int, str] = dict(enumerate(self.inputs))
        self.words: set[str] = set(self.inputs)
        self.last = {i: node for node, layer in enumerate(graph.nodes) for i in layer.inputs}
        self.last |= dict.fromkeys(graph.outputs, len(graph.nodes))
        self._held: dict[int, int] = {}  # the numbers of variables that are still needed, by node
        self._free: list[int] = []
        self._count = 0

    def __getitem__(self, node: int) -> str:
        return self.names[node]

    def assign(self, node: int) -> str:
        """The variable for the value of a node: the first that is free."""
        for i in dict.fromkeys(self.graph.nodes[node].inputs):
            if i in self._held and self.last[i] == node:
                heappush(self._free, self._held.pop(i))
        if not self._free:
            self._count += 1
            heappush(self._free, self._count)
        number = heappop(self._free)
        if node in self.last:
            self._held[node] = number
        else:  # nothing needs it
            heappush(self._free, number)
        name = "x" if number == 1 else f"x{number}"
        self.names[node] = name
        self.words.add(name)
        return name
