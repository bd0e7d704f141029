"""Keras 3 source: a functional model with the same shapes and parameter counts, channels first as in the spec."""

from __future__ import annotations

import re

from ..errors import Problem, SpecError
from ..graph import Graph
from .common import docstring, refuse_what_has_no_source
from .keras_layers import Inexpressible, listed, tuple_text
from .keras_layers import steps as steps_of


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
    names = _Names(graph)
    lines, problems, group = [], list[Problem](), ""
    for node in range(graph.input_count, len(graph.nodes)):
        layer = graph.nodes[node]
        shapes = tuple(graph.nodes[i].shape or () for i in layer.inputs)
        path = layer.name.rpartition(".")[0]
        if path != group and graph.groups.get(path) and graph.groups[path].block:
            lines.append(f"    # {path}: {graph.groups[path].block}")
        group = path
        try:
            assert layer.op is not None and layer.shape is not None
            steps = steps_of(layer.op, re.sub(r"\W", "_", layer.name), layer.shape, shapes)
        except Inexpressible as why:
            message = f"{layer.name} ({layer.type}) cannot be expressed in Keras: {why}"
            if all(message.partition(" ")[2] != each.message.partition(" ")[2] for each in problems):
                problems.append(Problem("inexpressible", message, graph.source, layer.place))
            steps = []
        inputs = [names[i] for i in layer.inputs]
        target = names.assign(node)
        for step in steps:
            lines.append(f"    {target} = {step(inputs)}")
            inputs = [target]
        if not steps and target != inputs[0]:
            lines.append(f"    {target} = {inputs[0]}")
    if problems:
        raise SpecError(problems)
    function = re.sub(r"\W+", "_", (graph.variant or graph.name).strip().lower()).strip("_")
    function = function if function.isidentifier() else f"net_{function}"
    heads = [
        f'    {names[i]} = keras.Input({tuple_text(each.shape or ())}, name="{_plain(each.name)}")'
        for i, each in enumerate(graph.inputs)
    ]
    given = listed([names.inputs[i] for i in range(graph.input_count)])
    results = listed([names[i] for i in graph.outputs])
    title = _plain(graph.variant or graph.name)
    about = docstring(graph, "Channels come first, as in PyTorch. Shapes and numbers of parameters are the same.")
    return "\n".join(
        [
            about,
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
            f'    return keras.Model({given}, {results}, name="{title}")',
            "",
            "",
            'if __name__ == "__main__":',
            f"    {function}().summary()",
            "",
        ]
    )


def _plain(text: str) -> str:
    """A name of letters, digits and underscores."""
    return re.sub(r"[^0-9A-Za-z_]", "_", text)


class _Names:
    """The variables: a value that is needed no more gives its name to the next."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        alone = graph.input_count == 1
        self.inputs = {
            i: "inputs" if alone else re.sub(r"\W", "_", f"in_{each.name}") for i, each in enumerate(graph.inputs)
        }
        self.names = dict(self.inputs)
        self.last: dict[int, int] = {}
        for node, layer in enumerate(graph.nodes):
            for i in layer.inputs:
                self.last[i] = node
        for i in graph.outputs:
            self.last[i] = len(graph.nodes)

    def __getitem__(self, node: int) -> str:
        return self.names[node]

    def assign(self, node: int) -> str:
        """The variable for the value of a node."""
        held = {self.names[i] for i, last in self.last.items() if last > node and i in self.names}
        number, name = 1, "x"
        while name in held or name in self.inputs.values():
            number, name = number + 1, f"x{number + 1}"
        self.names[node] = name
        return name
