"""How a forward calls its layers: modules by their names, and what is no module as an expression."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import reduce
from typing import Any

from ..generated import literal
from ..names import is_word
from .outline import Leaf, ends_of
from .parameters import written


def path_of(name: str, lists: Container[str] = ()) -> str:
    """A module as a class calls it; `lists` are those of its attributes that are lists."""
    words, (head, _, inside) = all(map(is_word, name.split("."))), name.partition(".")
    if head in lists and is_word(head):
        at, _, more = inside.partition(".")
        if not more or is_word(more):
            return f"self.{head}[{at}]" + (f".{more}" if more else "")
    return f"self.{name}" if words else f"self.get_submodule({literal(name)})"


#: The operators of Python that do a layer.
SIGNS = {
    "operator.add": " + ",
    "operator.sub": " - ",
    "operator.mul": " * ",
    "operator.truediv": " / ",
    "operator.matmul": " @ ",
}


def called(leaf: Leaf, inputs: Sequence[str], values: Sequence[Any], lists: Container[str]) -> str:
    """The expression of a layer in a forward."""
    call, path = leaf.call, path_of(leaf.of or leaf.name, lists)
    if call is None:
        if leaf.border is not None:
            filling = ", value=-torch.inf" if leaf.border.value else ""
            inputs = [f"F.pad({inputs[0]}, {written(values[-1])}{filling})", *inputs[1:]]
        if leaf.layer.type == "MultiheadAttention" and leaf.is_layer:
            three = inputs if len(inputs) == 3 else [inputs[0]] * 3
            return f"{path}({', '.join(three)}, need_weights=False)[0]"
        return f"{path}({', '.join(inputs)})"
    if call.tensors == "token":
        sizes = [f"{inputs[0]}.shape[0]", *("-1" for _ in leaf.layer.shape or ())]
        return f"{path.replace('get_submodule', 'get_parameter')}.expand({', '.join(sizes)})"
    sign = SIGNS.get(call.function)
    if sign:
        own = [path.replace("get_submodule", "get_parameter")] if call.tensors == "own" else []
        own = [f"{each}.view({', '.join(map(str, shape))})" for each in own for shape in call.arguments] or own
        return sign.join([*inputs, *own, *(written(each) for each in values if call.tensors == "one")])
    if call.function == "operator.getitem":
        stated = dict(zip(ends_of(leaf), map(written, values), strict=True))
        parts = [_slice(axis, stated) for axis in range(len(call.arguments[0]))]
        return f"{inputs[0]}[{', '.join(parts)}]"
    if call.tensors == "fold":
        return reduce(lambda so_far, each: f"{call.function}({so_far}, {each})", inputs)
    first = f"[{', '.join(inputs)}]" if call.tensors == "list" else inputs[0]
    count = len(call.arguments)
    more = [written(each) for each in values[:count]]
    more += [f"{name}={written(value)}" for (name, _), value in zip(call.keywords, values[count:], strict=True)]
    return f"{call.function.replace('torch.nn.functional.', 'F.')}({', '.join([first, *more])})"


def _slice(axis: int, stated: Mapping[tuple[int, str], str]) -> str:
    """One axis of a slice, with the ends that it states."""
    start, stop, step = (stated.get((axis, end), "") for end in ("start", "stop", "step"))
    return f"{start}:{stop}" + (f":{step}" if step else "")
