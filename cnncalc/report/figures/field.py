"""What a unit sees of the input."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ... import analysis
from ...explanation import Derivation
from ...quantities import axes, number
from ...table import EMPTY
from .base import Figure

if TYPE_CHECKING:
    from ...analysis.receptive_field import ReceptiveField
    from ..parts import Part, Row


def _field(get: Callable[[ReceptiveField], Any]) -> Callable[[Part], Any]:
    def value(part: Part) -> Any:
        row = part.last
        if row is None:
            return EMPTY
        if row.receptive_field is None:
            return None if row.report.states[row.node] is None else EMPTY
        return get(row.receptive_field)

    return value


def _document(part: Part) -> dict[str, Any] | None:
    field = part.last.receptive_field if part.last else None
    if field is None:
        return None
    return {"size": _plain(field.size), "stride": _plain(field.stride), "padding": _plain(field.padding)}


def _plain(values: Iterable[Any]) -> list[Any]:
    return [value if type(value) is int else float(value) for value in values]


def _steps(row: Row) -> Iterator[Derivation]:
    """The steps from the field before to the field after, for the first axis that a window of this layer widens."""
    report, layer = row.report, row.layer
    field = row.receptive_field
    if report.states[row.node] is None:
        why = "it has grown beyond all pictures" if report.states[layer.inputs[0]] else "a layer before is not known"
        why = why if layer.op is None or layer.op.reaches else "the spec does not say what it sees"
        yield Derivation("receptive field", text=f"not known: {why}")
    if field is None:
        return
    op, shapes = row.known()
    size = "×".join(number(each) for each in field.size)
    if field.kind == "whole input":
        yield Derivation("receptive field", text=f"{size}: the whole input")
        return
    if len(layer.inputs) > 1:
        yield Derivation("receptive field", text=f"{size}: the union of what the branches see")
        return
    formulas, state = analysis.receptive_field, report.states[layer.inputs[0]]
    reach = op.reach(layer.shape or (), *shapes)
    for before in (state or {}).get(min(state or {0: ()}), ()):
        window = reach[before.axis].window if before.axis is not None else None
        if window is None or (window.extent, window.stride, window.padding) == (1, 1, 0):
            continue
        remark = "" if window.exact else "a bound for all positions"
        if field.unit != field.size:
            remark += f"; a single unit sees {axes(field.unit)} at most"
        yield Derivation(
            "receptive field", formulas.field_size.step(r=before.size, F=window.extent, j=before.stride), remark=remark
        )
        yield Derivation("its stride", formulas.field_stride.step(j=before.stride, S=window.stride))
        yield Derivation(
            "its padding", formulas.field_padding.step(p=before.padding, P=window.padding, j=before.stride)
        )
        return
    yield Derivation("receptive field", text=f"{size}, as it came in")


receptive_field = Figure(
    "receptive_field",
    "field",
    "px",
    "the size of the part of the input that a unit sees, along each axis",
    _field(lambda found: found.size),
    chapter="receptive field",
    column="rf",
    show=axes,
    question="receptive-field",
    derive=_steps,
    additive=False,
    document=_document,
    watched="receptive field",
)
rf_stride = Figure(
    "rf_stride",
    "stride",
    "px",
    "how far apart in the input neighbouring units look",
    _field(lambda found: found.stride),
    chapter="receptive field",
    scope="layers",
    show=axes,
    additive=False,
    document=False,
)
rf_padding = Figure(
    "rf_padding",
    "padding",
    "px",
    "how far before the input the first unit begins to see",
    _field(lambda found: found.padding),
    chapter="receptive field",
    scope="layers",
    show=axes,
    additive=False,
    document=False,
)
rf_unit = Figure(
    "rf_unit",
    "one unit",
    "px",
    "what a single unit sees at most: less than a union, where neighbours see different parts of it",
    _field(lambda found: found.unit),
    chapter="receptive field",
    scope="layers",
    show=axes,
    additive=False,
    document=False,
)
rf_kind = Figure(
    "rf_kind",
    "kind",
    "",
    "exact, the union of what branches or positions see, or the whole input",
    _field(lambda found: found.kind),
    chapter="receptive field",
    scope="layers",
    show=str,
    additive=False,
    document=False,
)
