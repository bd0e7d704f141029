"""What may be asked of a layer of a network, as questions whose slips are known, and a student's view of its shapes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..analysis.cost import cost_of
from ..analysis.memory import BYTES, tensor_bytes
from ..errors import Misfit
from ..formula import prod
from ..graph import Graph
from ..ops import Shape, value_of
from ..record import Record
from ..report import Row
from .kinds import QuestionKind
from .quiz import Diagnosis, Question, diagnose, feedback

Shapes = Sequence[Shape | None]
Asked = tuple[str, dict[str, Any]] | None

#: What may be asked of a layer. Its output is a shape, which is asked for as height and channels.
QUANTITIES: dict[str, Callable[[Row], Any]] = {
    "output": lambda row: row.output_shape,
    "params": lambda row: row.params,
    "macs": lambda row: row.macs,
    "bytes": lambda row: row.output_bytes,
}


def question(
    known: Mapping[str, QuestionKind], graph: Graph, node: int, quantity: str, shapes: Shapes
) -> Question | None:
    """What is asked of a layer, with the sizes that the shapes of all nodes give it; None where no kind asks that.

    `quantity` is "height", "channels", "params", "macs" or "bytes".

    >>> from cnncalc import load
    >>> from cnncalc.teach.kinds import kinds
    >>> graph = load("lenet")
    >>> question(kinds(), graph, 1, "params", [each.shape for each in graph.nodes]).line
    'F·F·(Ci/G)·Co + Co = 5·5·(1/1)·6 + 6 = 156 parameters'
    """
    layer = graph.nodes[node]
    if layer.op is None or len(layer.inputs) != 1 or (quantity == "params" and layer.shares >= 0):
        return None  # what is used again has its parameters where it stands first
    source = layer.inputs[0]
    entering, output = shapes[source], shapes[node]
    if quantity == "params" and graph.nodes[source].type == "Flatten":
        flattened = shapes[graph.nodes[source].inputs[0]]
        if flattened is not None and entering == (prod(flattened),):
            entering = flattened
    if entering is None or output is None or len(output) != len(layer.shape or ()):
        return None
    asks = _BYTES if quantity == "bytes" else _OF_TYPE.get((layer.type, quantity))
    asked: Asked = asks(layer.op, entering, output) if asks else None
    if asked is None:
        return None
    kind = known[asked[0]]
    return Question(kind, kind.completed(asked[1]))


def figure(graph: Graph, node: int, quantity: str, shapes: Shapes) -> int | None:
    """Parameters, multiply-adds or bytes of a layer with these shapes of the nodes; None where they do not fit."""
    layer = graph.nodes[node]
    entering, output = [shapes[i] for i in layer.inputs], shapes[node]
    known = [shape for shape in entering if shape is not None]
    if layer.op is None or output is None or len(known) < len(entering):
        return None
    if quantity == "bytes":
        return int(tensor_bytes(1, output, BYTES["float32"]))
    try:
        found = cost_of(layer.op, output, *known)
    except (Misfit, IndexError, ValueError, ArithmeticError):
        return None
    if quantity == "params":
        return found.params if layer.shares < 0 else 0
    return found.macs


def true_shapes(graph: Graph) -> Shapes:
    """The shapes of all nodes as they are."""
    return [node.shape for node in graph.nodes]


def believed_shapes(graph: Graph, given: Mapping[int, Shape]) -> tuple[Shapes, Shapes]:
    """The shapes of all nodes as somebody sees them who gave these; and what follows for each from those before it."""
    shapes: list[Shape | None] = []
    follows: list[Shape | None] = []
    for index, node in enumerate(graph.nodes):  # a shape of other axes is no shape that anything follows from
        follows.append(node.shape if node.op is None else _output(node.op, [shapes[i] for i in node.inputs]))
        own = given.get(index)
        shapes.append(own if own is not None and len(own) == len(node.shape or ()) else follows[-1])
    return shapes, follows


def _output(op: Any, entering: Shapes) -> Shape | None:
    if any(shape is None for shape in entering):
        return None
    try:
        op.check(*entering)
        return tuple(value_of(size) for size in op.output(*entering))
    except (Misfit, IndexError, ValueError):
        return None


class Part(Record):
    """What is wrong in a shape: which of its axes, the question behind them if there is one, and the guess."""

    axes: str
    question: Question | None
    guess: int

    @property
    def diagnosis(self) -> Diagnosis:
        """What the guess tells."""
        return Diagnosis("unknown") if self.question is None else diagnose(self.question, float(self.guess))

    @property
    def told(self) -> list[str]:
        """The slips behind it, in words."""
        found = self.diagnosis
        if self.question is None or found.verdict not in ("slip", "slips"):
            return []
        return [f"{self.axes}: {line}" for line in feedback(self.question, found)]


def parts(known: Mapping[str, QuestionKind], graph: Graph, node: int, shapes: Shapes, guess: Shape) -> list[Part]:
    """What is wrong in a shape that was guessed, channels first."""
    right = graph.nodes[node].shape or ()
    if len(guess) != len(right):
        return []
    separate = []
    if guess[1:] != right[1:]:
        square = len(set(guess[1:])) == 1
        asked = question(known, graph, node, "height", shapes) if square else None
        separate.append(Part("height and width", asked, guess[1]))
    if guess[0] != right[0]:
        separate.append(Part("channels", question(known, graph, node, "channels", shapes), guess[0]))
    return separate


# -- which kind asks what --------------------------------------------------------------------------------------------


Letters = dict[str, int] | None


def _asks(
    kind: str | Callable[[Any], str], letters: Callable[[Any, Shape, Shape], Letters], biased: bool = False
) -> Callable[[Any, Shape, Shape], Asked]:
    """Which kind asks for something of a layer, and with which letters; `biased` where it asks for biases too."""

    def asked(op: Any, entering: Shape, output: Shape) -> Asked:
        found = letters(op, entering, output) if not biased or op.bias else None
        return None if found is None else (kind if isinstance(kind, str) else kind(op), found)

    return asked


def _window(op: Any, entering: Shape, *names: str) -> Letters:
    """The letters of a layer with a window, where all is square."""
    values = [getattr(op, name) or op.kernel_size for name in names]  # a pool steps by its window unless told otherwise
    square = len(entering) == 3 and entering[1] == entering[2]
    if not square or not all(isinstance(value, tuple) and len(set(value)) == 1 for value in values):
        return None
    return dict(zip("FSPDR", (value[0] for value in values), strict=False)) | {"N": entering[1], "Ci": entering[0]}


def _conv(op: Any, entering: Shape, output: Shape) -> Letters:
    found = _window(op, entering, "kernel_size", "stride", "padding", "dilation")
    square = len(output) == 3 and output[1] == output[2] and getattr(op, "standardise", False) != "scaled"
    return found | {"Co": op.out_channels, "G": op.groups, "O": output[1]} if found and square else None


def _transposed(op: Any, entering: Shape, output: Shape) -> Letters:
    window = _window(op, entering, "kernel_size", "stride", "padding", "dilation", "output_padding")
    return window | {"Co": op.out_channels, "G": op.groups} if window and window["D"] == 1 else None


def _pool(op: Any, entering: Shape, output: Shape) -> Letters:
    found = _window(op, entering, "kernel_size", "stride", "padding")
    return found | {"C": entering[0]} if found and getattr(op, "dilation", 1) in (1, (1, 1)) else None


def _flat(op: Any, entering: Shape, output: Shape) -> Letters:
    square = len(entering) == 3 and entering[1] == entering[2]
    return {"B": 1, "H": entering[1], "C": entering[0]} if square else None


def _linear(op: Any, entering: Shape, output: Shape) -> Letters:
    square = len(entering) == 3 and entering[1] == entering[2]
    if len(entering) != 1 and not square:
        return None
    side = entering[1] if square else 1
    return {"C": entering[0], "H": side, "K": op.out_features, "I": entering[0] * side**2, "B": 1}


def _norm(op: Any, entering: Shape, output: Shape) -> Letters:
    return {"C": entering[0], "N": entering[1]} if op.affine else None


def _bytes(op: Any, entering: Shape, output: Shape) -> Letters:
    square = len(output) == 3 and output[1] == output[2]
    return {"B": 1, "C": output[0], "N": output[1] if square else 1} if square or len(output) == 1 else None


_OF_TYPE: dict[tuple[str, str], Callable[[Any, Shape, Shape], Asked]] = {
    ("Conv2d", "height"): _asks("size", _conv),
    ("Conv2d", "channels"): _asks("channels", _conv),
    ("Conv2d", "params"): _asks(lambda op: "conv_params" if op.bias else "conv_weights", _conv),
    ("Conv2d", "macs"): _asks("macs", _conv),
    ("MaxPool2d", "height"): _asks(lambda op: "pool" if op.ceil_mode else "pool_floor", _pool),
    ("MaxPool2d", "channels"): _asks("pool_channels", _pool),
    ("AvgPool2d", "height"): _asks(lambda op: "pool" if op.ceil_mode else "pool_floor", _pool),
    ("AvgPool2d", "channels"): _asks("pool_channels", _pool),
    ("ConvTranspose2d", "height"): _asks("tconv", _transposed),
    ("ConvTranspose2d", "params"): _asks("tconv_params", _transposed, biased=True),
    ("Flatten", "channels"): _asks("flatten", _flat),
    ("Linear", "params"): _asks("fc_params", _linear, biased=True),
    ("Linear", "macs"): _asks("fc_macs", _linear),
    ("BatchNorm2d", "params"): _asks("bn_params", _norm),
}
_BYTES = _asks("activation_bytes", _bytes)
