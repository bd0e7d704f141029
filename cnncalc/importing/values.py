"""What the names of a program stand for while it is read, and the layers that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ops import Shape
from ..record import Record


class Tensor(Record):
    """What a name in a program stands for: the output of a node."""

    node: int


class State(Record):
    """What a name in a program stands for: a parameter or buffer, perhaps in another shape."""

    name: str
    shape: Shape
    whole: bool = True  # as it is kept, but for its shape


class Parts(Record):
    """What a name in a program stands for: a tensor cut along an axis, at these places."""

    node: int
    dim: int
    ends: tuple[int, ...]
    squeezed: bool = False


class Worked(Record):
    """What a name in a program stands for: something worked out of parameters and numbers alone."""

    states: tuple[str, ...]
    shape: Shape


class Places(Record):
    """What a name in a program stands for: where a max pool found the values that it gives."""

    node: int


#: Types that are declared, unless they turn out to be a part of a layer: a learnt factor and summand for each channel,
#: a convolution with filters that are fixed, a learnt summand for each channel, a power.
SCALED, FIXED, SHIFTED, BIASED, POWER = "ScaledShifted", "FixedConv2d", "ChannelBias", "Bias", "Power"
#: The halves of a normalisation whose numbers are fixed, by the operation.
FROZEN = {"mul": "FrozenScale", "add": "FrozenShift"}

Value = Tensor | State | Parts | Worked | Places
#: What comes from the input, and not from parameters and numbers alone.
FROM_INPUT = (Tensor, Parts, Places)


class Pending(Record):
    """A layer that has no name yet: where its name comes from, and the modules that it ran in."""

    type: str
    arguments: Mapping[str, Any]
    inputs: tuple[int, ...]
    shape: Shape
    owner: str  # the path that its parameters give it
    modules: tuple[tuple[str, str, str], ...]  # of each module around: the call, the path, the class
    line: str = ""
    figures: Mapping[str, Any] | None = None
