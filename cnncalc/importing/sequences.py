"""Groups without a class of their own, as `Conv2d, BatchNorm2d, ReLU` in a row, that are written again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .runs import prefix_of
from .statements import Statement
from .unify import ABSENT, fingerprint
from .writing import numbered

#: Lines that a block of such a group must save.
FEWEST_LINES = 4
#: The argument of a block for the number that all names in it end with.
NUMBER = "n"
#: What types are called in the name of a block.
SHORT = {"batchnorm": "bn", "layernorm": "ln", "groupnorm": "gn", "maxpool": "pool", "avgpool": "pool"}


def recurring(lists: Sequence[list[Statement]]) -> Iterator[tuple[str, list[Statement]]]:
    """The groups that hold layers of the same types, and are worth a block: what it may be called, and its uses."""
    found: dict[Any, list[Statement]] = {}
    for statements in lists:
        for group in groups(statements):
            if is_plain(group):
                named = None if numbered(group.body) else tuple(each.name for each in counted(group))
                found.setdefault((tuple(each.type for each in group.body), named), []).append(group)
    for (types, _), members in found.items():
        different = len({fingerprint(each, False) for each in members}) > 1
        saved = len(types) * (len(members) - 1) - 2 - different
        if len(members) > 2 and saved >= FEWEST_LINES:
            yield "_".join(map(called, types)), members


def groups(statements: Sequence[Statement]) -> Iterator[Statement]:
    """All groups in a list, however deep."""
    for each in statements:
        if each.kind == "group":
            yield each
        for inner in each.inner():
            if inner is not ABSENT:
                yield from groups(inner)


def is_plain(group: Statement) -> bool:
    """Whether a group is nothing but a few layers in a row."""
    plain = all(each.kind == "layer" and each.source is each.when is None and not each.columns for each in group.body)
    plain = plain and any(each.full is None for each in group.body)
    return plain and len(group.body) > 1 and (numbered(group.body) or number_of(group) is not None)


def number_of(group: Statement) -> int | None:
    """The number that all names in a group end with, as `conv_5` and `norm_5`; None where there is none."""
    found = {prefix_of(each.name)[1] for each in group.body if prefix_of(each.name)[0]}
    return found.pop() if len(found) == 1 and -1 not in found and len(group.body) > 1 else None


def counted(group: Statement) -> list[Statement]:
    """The layers of such a group, the number in their names an expression."""
    return [each.copy(name=f"{prefix_of(each.name)[0]}{{{NUMBER}}}") for each in group.body]


def called(type_: str) -> str:
    """A layer type in the name of a block.

    >>> called("BatchNorm2d"), called("Conv2d"), called("ReLU")
    ('bn', 'conv', 'relu')
    """
    name = type_.lower().removesuffix("d").rstrip("123")
    return SHORT.get(name, name)
