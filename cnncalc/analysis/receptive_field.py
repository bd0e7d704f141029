"""The receptive field: which part of the input a unit sees, per axis, on any graph.

A unit at position o sees the input pixels from o·stride − padding on, `size` of them (Araujo, Norris & Sim (2019),
Computing receptive fields of convolutional neural networks). Where branches meet, it sees the union.
"""

from __future__ import annotations

from typing import Any

from ..formula import formula
from ..graph import Graph, Layer
from ..ops import Op, Reach, Shape
from ..ops.base import POINT, Number, Window
from ..ops.kinds import LARGEST
from ..record import Record
from .walk import Memo, known_shapes

ARAUJO = "Araujo, Norris & Sim (2019), Computing receptive fields of convolutional neural networks, {}"


@formula("receptive field", chapter="receptive field", symbol="r_out", unit="px", source=ARAUJO.format("equation 2"))
def field_size(r: Any, F: Any, j: Any) -> Any:
    """F is the extent of the window: D·(F − 1) + 1 for a kernel with dilation. The own stride counts only later."""
    return r + (F - 1) * j


@formula("effective stride", chapter="receptive field", symbol="j_out", unit="px", source=ARAUJO.format("section 3.2"))
def field_stride(j: Any, S: Any) -> Any:
    return j * S


@formula("effective padding", chapter="receptive field", symbol="p_out", unit="px", source=ARAUJO.format("section 3.2"))
def field_padding(p: Any, P: Any, j: Any) -> Any:
    return p + P * j


class Field(Record):
    """The receptive field along one axis of the input.

    `axis` is the axis of the tensor that moves it, None where all positions see the same; `exact` is False where
    the interval is the union of several, or a bound for all positions; `unit` is what one of them sees at most.
    """

    size: Number
    stride: Number
    padding: Number
    axis: int | None
    exact: bool
    unit: Number = 1


class ReceptiveField(Record):
    """The receptive field of a layer: size, stride and padding for each axis of the input, and what they mean.

    `kind` is "exact", "union" (the smallest interval that holds what several branches or positions see) or
    "whole input", where the size may exceed that of the input: the rest falls on padding. `unit` is what a single unit
    sees at most: less than a union, where positions in turn see different parts of it.
    """

    size: tuple[Number, ...]
    stride: tuple[Number, ...]
    padding: tuple[Number, ...]
    kind: str
    unit: tuple[Number, ...] = ()


Fields = tuple[Field, ...]
State = dict[int, Fields]  # by input of the network


def fields(graph: Graph) -> list[State | None]:
    """The receptive field of each node, by input of the network; None where it is not known."""
    states: list[State | None] = []
    reached = Memo(_reach)
    for index, layer in enumerate(graph.nodes):
        if index < graph.input_count:
            axes = len(layer.shape or ()) - 1
            states.append({index: tuple(Field(1, 1, 0, axis, True) for axis in range(1, axes + 1))})
            continue
        shapes = known_shapes(graph, layer)
        before = [states[i] for i in layer.inputs]
        if shapes is None or layer.op is None or layer.shape is None or None in before or not layer.op.reaches:
            states.append(None)
            continue
        if layer.op.ignores_input:
            states.append({})
            continue
        reach = reached(layer.op, layer.shape, shapes)
        after = [_through(state, reach) for state in before if state is not None]
        state = after[0] if len(after) == 1 else _merged(after, layer, graph)
        states.append(None if state is not before[0] and _has_endless(state) else state)
    return states


def _reach(op: Op, out: Shape, *shapes: Shape) -> tuple[Reach, ...] | None:
    """Where the axes of the input go; None where each position sees what came in there."""
    reach = op.reach(out, *shapes)
    if all(each.window is POINT and each.axis == axis for axis, each in enumerate(reach)):
        return None
    return reach


def _has_endless(state: State) -> bool:
    """Whether one of the fields is endless; loops, as this is asked of every layer."""
    for found in state.values():
        for field in found:
            if _is_endless(field):
                return True
    return False


def _is_endless(field: Field) -> bool:
    """Whether a field is too large, or its fractions too fine, for any picture: it is not followed any further."""
    size, stride, padding = field.size, field.stride, field.padding
    large = size > LARGEST or stride > LARGEST or not -LARGEST <= padding <= LARGEST
    if large or type(size) is type(stride) is type(padding) is int:  # nearly always
        return large
    return max(size.denominator, stride.denominator, padding.denominator) > LARGEST


def receptive_field(graph: Graph, layer: Layer, state: State | None) -> ReceptiveField | None:
    """What to report for a layer: the field in the first input that reaches it; None without spatial axes."""
    if not state or layer.shape is None:
        return None
    source = min(state)
    per_axis = state[source]
    if not per_axis:
        return None
    sizes, strides, paddings, units = [], [], [], []
    whole = exact = True
    for field, N in zip(per_axis, (graph.nodes[source].shape or ())[1:], strict=True):
        size, stride, padding, axis, tight, unit = field
        covers = _covers(field, layer.shape[axis] if axis is not None else 1, N)
        whole, exact = whole and covers, exact and tight
        if not type(size) is type(stride) is type(padding) is type(unit) is int:  # rarely
            size, stride, padding, unit = _floor(size), _tidy(stride), _tidy(padding), _floor(unit)
        sizes.append(N if covers and not tight else size)
        strides.append(stride)
        paddings.append(padding)
        units.append(min(N, unit) if covers else unit)
    kind = "whole input" if whole else "exact" if exact else "union"
    return ReceptiveField(tuple(sizes), tuple(strides), tuple(paddings), kind, tuple(units))


def _through(state: State, reach: tuple[Reach, ...] | None) -> State:
    if reach is None:
        return state
    return {source: tuple([_moved(field, reach) for field in found]) for source, found in state.items()}


def _moved(field: Field, reach: tuple[Reach, ...]) -> Field:
    if field.axis is None:
        return field
    through = reach[field.axis]
    return grown(field, through.window, through.axis)


def grown(field: Field, window: Window, axis: int | None) -> Field:
    """The field after a window."""
    if window is POINT:
        return field._replace(axis=axis)
    size = _tidy(field_size(field.size, window.extent, field.stride))
    unit = size
    # A single unit sees less than the bound right behind the window that is one, and through single points after it:
    # where a wider window begins between two pixels, it may reach one more.
    if window.extent == 1:
        unit = field.unit
    elif window.unit is not None and field.unit == field.size:
        unit = _tidy(field_size(field.size, window.unit, field.stride))
    return Field(
        size,
        _tidy(field_stride(field.stride, window.stride)),
        _tidy(field_padding(field.padding, window.padding, field.stride)),
        axis,
        field.exact and window.exact,
        unit,
    )


def _merged(states: list[State], layer: Layer, graph: Graph) -> State:
    merged: State = {}
    for state in states:
        for source, per_axis in state.items():
            known = merged.get(source)
            if known is None:
                merged[source] = per_axis
            elif known is not per_axis:
                size = (graph.nodes[source].shape or ())[1:]
                merged[source] = tuple(
                    _union(a, b, layer.shape or (), N) for a, b, N in zip(known, per_axis, size, strict=True)
                )
    return merged


def _union(a: Field, b: Field, shape: Shape, size: int) -> Field:
    if (a.axis, a.stride) != (b.axis, b.stride):
        # The two do not move together: one interval for all positions.
        a, b = _for_all(a, shape), _for_all(b, shape)
    start = min(-a.padding, -b.padding)
    end = max(a.size - a.padding, b.size - b.padding)
    one_holds_all = (end - start) in (a.size, b.size)
    unit = max(a.unit, b.unit) if one_holds_all else end - start
    return Field(end - start, a.stride, -start, a.axis, a.exact and b.exact and one_holds_all, unit)


def _for_all(field: Field, shape: Shape) -> Field:
    positions = shape[field.axis] if field.axis is not None else 1
    return Field(field.size + (positions - 1) * field.stride, 0, field.padding, None, False, field.unit)


def _covers(field: Field, positions: int, size: int) -> bool:
    """Whether every unit sees all of the input along this axis, of as many units as there are positions."""
    return (positions - 1) * field.stride - field.padding <= 0 and field.size - field.padding >= size


def _floor(value: Number) -> int:
    if isinstance(value, int):
        return value
    return value.numerator // value.denominator


def _tidy(value: Number) -> Number:
    if isinstance(value, int):
        return value
    return value.numerator if value.denominator == 1 else value
