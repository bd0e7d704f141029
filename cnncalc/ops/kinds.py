"""The kinds of argument that a layer type may take: what they accept, how they say so, and their JSON Schema.

`read` takes a plain value (expressions are worked out before) and the number of spatial axes of the layer type; it
returns the value in one canonical form, or raises `ValueError` with what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import trunc
from typing import Any

from ..record import Record

#: The largest number that a spec may contain or compute.
LARGEST = 10**15

Reader = Callable[[Any, int], Any]


class Kind(Record):
    """A kind of argument; `words` are the strings that are meant literally and not as an expression."""

    expects: str
    read: Reader
    schema: dict[str, Any]
    words: tuple[str, ...] = ()


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def whole(minimum: int = 1) -> Kind:
    """A whole number."""
    expects = f"a whole number ≥ {minimum}" if minimum > -LARGEST else "a whole number"

    def read(value: Any, dims: int) -> int:
        if not is_int(value) or value < minimum:
            raise ValueError(expects)
        found: int = trunc(value)
        return found

    limit = {"minimum": minimum} if minimum > -LARGEST else {}
    return Kind(expects, read, {"type": "integer", **limit})


def optional(kind: Kind) -> Kind:
    """Another kind, or null."""
    return Kind(
        f"{kind.expects}, or null",
        lambda value, dims: None if value is None else kind.read(value, dims),
        {"anyOf": [kind.schema, {"type": "null"}]},
        kind.words,
    )


def _read_number(value: Any, dims: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > LARGEST:
        raise ValueError("a number")
    return value


def _read_flag(value: Any, dims: int) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _read_no(value: Any, dims: int) -> bool:
    if value is not False:
        raise ValueError("false")
    return False


def _read_share(value: Any, dims: int) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError("a number from 0 to 1")
    return value


NUMBER = Kind("a number", _read_number, {"type": "number"})
FLAG = Kind("true or false", _read_flag, {"type": "boolean"})
NO = Kind("false", _read_no, {"const": False})
SHARE = Kind("a number from 0 to 1", _read_share, {"type": "number", "minimum": 0, "maximum": 1})


def _read_flag_or_scaled(value: Any, dims: int) -> bool | str:
    if not isinstance(value, bool) and value != "scaled":
        raise ValueError("true, false or 'scaled'")
    return value  # type: ignore[no-any-return]


FLAG_OR_SCALED = Kind("true, false or 'scaled'", _read_flag_or_scaled, {"enum": [True, False, "scaled"]}, ("scaled",))


def word(*choices: str) -> Kind:
    """One of a few words."""
    expects = "one of " + ", ".join(choices)

    def read(value: Any, dims: int) -> str:
        if value not in choices or not isinstance(value, str):
            raise ValueError(expects)
        return value

    return Kind(expects, read, {"enum": list(choices)}, choices)


def sizes(minimum: int = 1, words: Sequence[str] = (), holes: bool = False) -> Kind:
    """One whole number for all spatial axes, or one for each; `words` beside them, and null for a single axis."""
    one = f"a whole number ≥ {minimum}"
    expects = f"{one}, or one for each axis" + "".join(f", or '{word}'" for word in words)

    def item(value: Any) -> int | None:
        if holes and value is None:
            return None
        if not is_int(value) or value < minimum:
            raise ValueError(expects)
        found: int = trunc(value)
        return found

    def read(value: Any, dims: int) -> tuple[int | None, ...] | str:
        if isinstance(value, str) and value in words:
            return value
        if isinstance(value, list):
            if len(value) != dims:
                raise ValueError(f"{one}, or a list of {dims}")
            return tuple(item(each) for each in value)
        return (item(value),) * dims

    each: dict[str, Any] = {"type": "integer", "minimum": minimum}
    if holes:
        each = {"anyOf": [each, {"type": "null"}]}
    options: list[dict[str, Any]] = [each, {"type": "array", "items": each, "minItems": 1, "maxItems": 3}]
    if words:
        options.append({"enum": list(words)})
    return Kind(expects, read, {"anyOf": options}, tuple(words))


def pool_pads(*words: str) -> Kind:
    """Padding of a pool: one number, one for each axis, or one for each side of each axis."""
    plain = sizes(0, words)
    expects = "a whole number ≥ 0, or one for each axis, or one for each side, the last axis first"
    expects += "".join(f", or '{word}'" for word in words)

    def read(value: Any, dims: int) -> Any:
        if isinstance(value, list) and len(value) == 2 * dims > dims:
            if not all(is_int(each) and each >= 0 for each in value):
                raise ValueError(expects)
            even = all(value[i] == value[i + 1] for i in range(0, 2 * dims, 2))
            return tuple(value[i] for i in reversed(range(0, 2 * dims, 2))) if even else tuple(value)
        if isinstance(value, list) and len(value) != dims:
            raise ValueError(expects)
        return plain.read(value, dims)

    number: dict[str, Any] = {"type": "integer", "minimum": 0}
    listed = {"type": "array", "items": number, "minItems": 1, "maxItems": 6}
    return Kind(expects, read, {"anyOf": [number, listed, {"enum": list(words)}]}, words)


def whole_list(minimum: int = -LARGEST, single: bool = True, length: int | None = None) -> Kind:
    """A list of whole numbers; where `single`, one number stands for a list of one."""
    count = "" if length is None else f"{length} "
    expects = ("a whole number or " if single else "") + f"a list of {count}whole numbers"
    if minimum > -LARGEST:
        expects += f" ≥ {minimum}"

    def read(value: Any, dims: int) -> tuple[int, ...]:
        values = value if isinstance(value, list) else [value] if single else None
        if (
            not values
            or any(not is_int(each) or each < minimum for each in values)
            or length not in (None, len(values))
        ):
            raise ValueError(expects)
        return tuple(values)

    each: dict[str, Any] = {"type": "integer"}
    if minimum > -LARGEST:
        each["minimum"] = minimum
    array = {"type": "array", "items": each, "minItems": 1}
    return Kind(expects, read, {"anyOf": [each, array]} if single else array)


def _read_shape(value: Any, dims: int) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) > 16 or any(not is_int(each) or each < 1 for each in value):
        raise ValueError("a list of whole numbers ≥ 1, [] for a single value")
    return tuple(value)


#: The shape of a tensor, which may have no axes.
SHAPE = Kind("a list of whole numbers ≥ 1", _read_shape, {"type": "array", "items": {"type": "integer", "minimum": 1}})


def _read_pads(value: Any, dims: int) -> tuple[int, ...]:
    if is_int(value):
        return (trunc(value),) * (2 * dims)
    if isinstance(value, list) and len(value) == 2 * dims and all(is_int(each) for each in value):
        return tuple(value)
    raise ValueError(f"a whole number, or a list of {2 * dims}: before and after, the last axis first")


PADS = Kind(
    "a whole number, or one for each side of each axis",
    _read_pads,
    {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 6}]},
)


def _read_scales(value: Any, dims: int) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value]
    good = all(isinstance(each, (int, float)) and not isinstance(each, bool) and 0 < each <= 2**16 for each in values)
    if not values or not good or len(values) > 3:
        raise ValueError("a number above 0, or one for each axis")
    return tuple(values)


SCALES = Kind(
    "a number above 0, or one for each axis",
    _read_scales,
    {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 1, "maxItems": 3},
        ]
    },
)


def _read_table(value: Any, dims: int) -> tuple[tuple[int, ...], ...]:
    rows = value if isinstance(value, list) else []
    if not rows or not all(
        isinstance(row, list) and row and all(is_int(each) and each >= 0 for each in row) for row in rows
    ):
        raise ValueError("a list of lists of input planes, counted from 0, one list for each output plane")
    return tuple(tuple(row) for row in rows)


TABLE = Kind(
    "a list of input planes for each output plane",
    _read_table,
    {
        "type": "array",
        "minItems": 1,
        "items": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 0}},
    },
)
