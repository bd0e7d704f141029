"""What every layer type answers, and how its arguments are declared.

A layer type is a small class. Its arguments are declared once, with kind, default and description: they are what the
reader accepts, what the JSON Schema says and what `cnncalc ops` prints.
Shapes never include the batch; axis numbers do, as PyTorch counts them (0 is the batch, 1 the channels).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, ClassVar

from ..errors import Misfit
from ..formula import Step, prod
from ..quantities import readable
from ..record import Record
from .actions import Action, Setting, Shape, Store, inputs, view
from .border import Border
from .counting import elementwise_work, input_gradient_macs, weight_gradient_macs
from .kinds import Kind
from .workspace import Workspace

#: One axis of an output: a number that is plain to see, or the step that computes it.
Size = int | Step
Number = int | Fraction

TORCH = "PyTorch documentation, torch.nn.{}"


class Argument:
    """One argument of a layer type, as declared in its class body.

    `letter` is its name in the formulas. An `inferred` argument is one that PyTorch must be told and the graph
    already knows; where a spec states it, it is checked.
    """

    def __init__(self, kind: Kind, doc: str, default: Any, letter: str, inferred: bool) -> None:
        self.kind, self.doc, self.default, self.letter, self.inferred = kind, doc, default, letter, inferred
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def required(self) -> bool:
        return self.default is ...


def arg(kind: Kind, doc: str, default: Any = ..., letter: str = "") -> Any:
    """Declare an argument of a layer type."""
    return Argument(kind, doc, default, letter, inferred=False)


def inferred(kind: Kind, doc: str, letter: str = "") -> Any:
    """Declare an argument that the graph already knows."""
    return Argument(kind, doc, None, letter, inferred=True)


class Parameter(Record):
    """A tensor that a layer owns: its name in the `state_dict`, its shape, what it is, and the step that counts it.

    Tensors of one role may share a step, which counts them together. A counter is no number of the network's.
    """

    name: str
    shape: Shape
    role: str  # "weight", "bias", "buffer" or "counter"
    step: Step | None


class Count(Record):
    """A number of parameters of one role, with the formula that gives it."""

    role: str  # "weights", "biases" or "buffers"
    step: Step


#: What the parameters of a role are called together.
ROLES = {"weight": "weights", "bias": "biases", "buffer": "buffers"}


class Work(Record):
    """What a layer does for one image: multiply-adds, all other operations, and connections as LeCun counts them."""

    macs: Step | None = None
    other: Step | None = None
    connections: Step | None = None


class Gradients(Record):
    """What the backward pass of a layer costs for one image: the gradient of its inputs, and that of its weights."""

    inputs: Step | None = None
    weights: Step | None = None


class Call(Record):
    """How PyTorch does a layer that is a function and no module, as data: `torch.cat`, a sum, a slice.

    `tensors` says how the incoming tensors are passed: "one", all in a "list", two at a time ("fold"), one together
    with the layer's "own" parameter, seen in the shape that `arguments` give, or that alone, for as many images as
    come in ("token").
    """

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: tuple[tuple[str, Any], ...] = ()
    tensors: str = "one"

    @property
    def owns(self) -> bool:
        """Whether the layer is a parameter of what stands around it."""
        return self.tensors in ("own", "token")


class Window(Record):
    """Which inputs along one axis an output sees: `extent` of them, starting at output·stride − padding.

    Fractions describe layers that enlarge the map; `exact` is False where the window is a bound for all positions.
    `unit` is what a single output sees, where that is less than such a bound.
    """

    extent: Number = 1
    stride: Number = 1
    padding: Number = 0
    exact: bool = True
    unit: Number | None = None


POINT = Window()


class Reach(Record):
    """Where an input axis goes: to an output axis (None where positions are mixed), through a window."""

    axis: int | None
    window: Window = POINT


REGISTRY: dict[str, type[Op]] = {}


def every(size: int) -> Window:
    """The window through which every output sees all inputs along an axis."""
    return Window(2 * size - 1, 1, size - 1, exact=size == 1)


class Op:
    """A layer type. What it does not override holds for layers that change neither shape nor anything else.

    A class is a layer type of the language as soon as it is defined, under its own name or the one that is given;
    a name that begins with _ is a base only. (No dataclasses: generating the code of a hundred of
    them takes longer than importing all of the package.)
    """

    yields: ClassVar[bool] = False  # to what a spec calls by its name: a layer, a block or a type of its own
    spatial: ClassVar[int] = 0  # spatial axes that the type demands; 0 for any shape
    many_inputs: ClassVar[bool] = False
    weight_layers: ClassVar[int] = 0  # how much it adds to the depth, as papers count it
    places_of: ClassVar[str] = ""  # the second input stands for the places that a layer of this type noted
    view: ClassVar[bool] = False  # the output is the input's storage, seen differently
    # What autograd keeps: "x" the input, "y" the output; () is nothing, and None has not been said.
    keeps: ClassVar[tuple[str, ...] | None] = None
    keeps_in_place: ClassVar[tuple[str, ...]] = ()  # the same where it works in place; "copy" for a copy of the input
    statements: ClassVar[bool] = False  # each action is a statement of the forward, and lets go of what it read last
    passes_gradient: ClassVar[bool] = False  # the gradient of the output is that of the input, no new tensor
    # What autocast has it compute in: "lower" or "float32"; "" follows its input, and None is not known.
    autocast: ClassVar[str | None] = ""
    autocast_cuda: ClassVar[str | None] = None  # the same on CUDA, where that is another
    # What is made of it where a network is quantized to int8: "own" gives its result a scale of its own, "same" keeps
    # that of what comes in, "between" does so where its neighbours compute in int8, "gone" does nothing in inference,
    # and "" stays in float. What stands in `int8_takes_in` behind it becomes a part of it.
    int8: ClassVar[str] = ""
    int8_takes_in: ClassVar[tuple[str, ...]] = ()
    lays_in_order: ClassVar[bool] = False  # its int8 operation lays its result out as N×C×H×W, however its input lay
    bias_first: ClassVar[bool] = False  # whether the gradient of the bias is ready before that of the weights
    # What is done for each element, of `OPERATIONS`, where no argument changes it; () is nothing, and None not said.
    operations: ClassVar[tuple[str, ...] | None] = None
    ignores_input: ClassVar[bool] = False  # whether the output is the same whatever comes in
    reaches: ClassVar[bool] = True  # whether it is known what an output sees of the input
    torch_module: ClassVar[Callable[[], Any] | None] = None  # makes the nn.Module, where torch.nn has none
    own_arguments: ClassVar[tuple[str, ...]] = ()  # those that PyTorch's module of the name does not have
    variants: ClassVar[Mapping[str, Callable[[], Any]]] = {}  # the same for what arguments make of it, by name
    example: ClassVar[str] = ""
    example_input: ClassVar[Shape] = ()
    _type: ClassVar[str] = ""
    _arguments: ClassVar[tuple[Argument, ...]] = ()

    def __init_subclass__(cls, name: str = "") -> None:
        own = [value for value in vars(cls).values() if isinstance(value, Argument)]
        names = {each.name for each in own}
        cls._arguments = (*(argument for argument in cls._arguments if argument.name not in names), *own)
        cls._type = name or cls.__name__
        if not cls._type.startswith("_"):
            REGISTRY[cls._type] = cls
        if cls.torch_module is not None and not cls.view and "autocast" not in vars(cls):
            cls.autocast = None  # what a module of our own computes in is not followed

    def __init__(self, **values: Any) -> None:
        """Arguments by name, each brought into its canonical form; raises `Misfit`."""
        for argument in self._arguments:
            value = values.pop(argument.name, argument.default)
            if value is ...:
                raise Misfit(f"{self.type()} wants {argument.name}", argument=argument.name, code="argument")
            if value is not None or not argument.inferred:
                try:
                    value = argument.kind.read(value, self.spatial)
                except ValueError as expected:
                    raise Misfit(
                        f"{argument.name} must be {expected}, not {_shown(value)}",
                        argument=argument.name,
                        code="argument",
                    ) from None
            self.__dict__[argument.name] = value
        for name in values:
            raise Misfit(f"{self.type()} has no argument {name}", argument=name, code="argument")

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a layer does not change: {name} cannot be set")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((self._type, *self.__dict__.values()))

    def __repr__(self) -> str:
        stated = (f"{argument.name}={self.__dict__[argument.name]!r}" for argument in self._arguments)
        return f"{self._type}({', '.join(stated)})"

    @classmethod
    def type(cls) -> str:
        """The name of the type in the language."""
        return cls._type

    @classmethod
    def arguments(cls) -> tuple[Argument, ...]:
        """The arguments of the type, as declared."""
        return cls._arguments

    def infer(self, *shapes: Shape) -> Mapping[str, Any]:
        """The arguments that the incoming shape decides, such as `in_channels`."""
        return {}

    def output(self, *shapes: Shape) -> tuple[Size, ...]:
        """The shape of the output, without the batch; raises `Misfit` where the input does not fit."""
        return shapes[0]

    def parameters(self, *shapes: Shape) -> tuple[Parameter, ...]:
        """The tensors of the layer, as in PyTorch's `state_dict`, each with the step that counts it."""
        return ()

    def counts(self, *shapes: Shape) -> tuple[Count, ...]:
        """The number of parameters by role, each with its formula; a step that several tensors share counts once."""
        steps = {
            id(parameter.step): Count(ROLES[parameter.role], parameter.step)
            for parameter in self.parameters(*shapes)
            if parameter.step
        }
        return tuple(steps.values())

    def each(self, *shapes: Shape) -> tuple[str, ...]:
        """What is done for each output element; their number is the work."""
        return self.operations or ()

    def work(self, out: Shape, *shapes: Shape) -> Work:
        """The work for one image."""
        operations = self.each(*shapes)
        return Work(other=elementwise_work.step(E=prod(out), Q=len(operations))) if operations else Work()

    def unknown(self) -> tuple[str, ...]:
        """What is not known of it: names of weights, biases, buffers, macs, other, connections."""
        return ()

    def gradients(self, wanted: tuple[bool, ...], out: Shape, *shapes: Shape) -> Gradients:
        """The multiply-adds of the backward pass, for one image; `wanted` tells which inputs want a gradient."""
        macs = self.work(out, *shapes).macs
        if macs is None:
            return Gradients()
        to_input = input_gradient_macs.step(MACs=macs.value) if any(wanted) else None
        return Gradients(to_input, weight_gradient_macs.step(MACs=macs.value))

    def reach(self, out: Shape, *shapes: Shape) -> tuple[Reach, ...]:
        """For each axis of an input, where it goes and through which window."""
        return tuple(Reach(axis) for axis in range(len(shapes[0])))

    def in_place(self) -> bool:
        """Whether the output takes the place of the input."""
        return bool(getattr(self, "inplace", False))

    def works_in_place(self, setting: Setting) -> bool:
        """Whether the output takes the place of the input, by the spec or by the setting."""
        return self.in_place() or (setting.inplace and hasattr(self, "inplace"))

    def beside(self, out: Shape, *shapes: Shape) -> tuple[tuple[str, Store], ...]:
        """The tensors that the layer makes together with its output, by name."""
        return ()

    def actions(self, setting: Setting, out: Shape, *shapes: Shape) -> tuple[Action, ...]:
        """What the layer does to memory."""
        if self.view:
            return view()
        beside = self.beside(out, *shapes)
        if self.works_in_place(setting):
            made = (("copy", Store(out)), *beside) if "copy" in self.keeps_in_place and setting.training else beside
            return (Action(made, keeps=self.keeps_in_place, same=("y", "x")),)
        trained = (
            ("weight",) if any(parameter.role in ("weight", "bias") for parameter in self.parameters(*shapes)) else ()
        )
        return (Action((("y", Store(out)), *beside), (*inputs(len(shapes)), *trained), self.keeps or ()),)

    def int8_scales(self) -> int:
        """The scales of its weights, where a network is quantized to int8; none where they stay in float."""
        return 0

    def workspace(self, setting: Setting, out: Shape, *shapes: Shape) -> Workspace:
        """What libraries allocate inside the layer in inference, beside what `actions` tell of."""
        return Workspace()

    def module_type(self) -> str:
        """The name of its PyTorch module: that of the type, or a variant's."""
        return self._type

    def module_arguments(self, *shapes: Shape) -> dict[str, Any]:
        """All keyword arguments that build the PyTorch module."""
        stated = {argument.name: getattr(self, argument.name) for argument in self.arguments()}
        return {**stated, **self.infer(*shapes)}

    def border(self, *shapes: Shape) -> Border | None:
        """What is put around the input before the module, which cannot do it; None for nothing."""
        return None

    def call(self, *shapes: Shape) -> Call | None:
        """The function that does the layer; None where a module does."""
        return None

    def check(self, *shapes: Shape) -> None:
        """What is stated although the graph knows it must be true, and the axes must be as many as demanded."""
        if self.spatial and not self.many_inputs and len(shapes[0]) != self.spatial + 1:
            wanted = {
                1: "channels and a length",
                2: "channels, height and width",
                3: "channels, depth, height and width",
            }
            hint = "a vector has no axes to slide over: is it behind a Flatten?" if len(shapes[0]) == 1 else ""
            if len(shapes[0]) == self.spatial + 2 and shapes[0][0] == 1:
                hint = f"the batch is never written: is {list(shapes[0][1:])} meant?"
            raise Misfit(f"{self.type()} wants {wanted[self.spatial]}; {{layer}} receives {readable(shapes[0])}", hint)
        for name, value in self.infer(*shapes).items():
            stated = getattr(self, name)
            if stated is not None and stated != value:
                if isinstance(value, tuple):
                    stated, value, hint = list(stated), list(value), f"write {list(value)}"
                else:
                    hint = f"leave {name} out: the graph knows it"
                raise Misfit(f"{name} is {stated}, but {value} reach {{layer}}", hint, name)


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def value_of(size: Size) -> int:
    """The number behind one axis of an output."""
    if isinstance(size, Step):
        result: int = size.value
        return result
    return size
