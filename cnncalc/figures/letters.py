"""The arguments of layers in a block as they are written there: "4·planes", not the number of one of its uses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from ..errors import SpecError
from ..graph import Graph, Group, Layer
from ..language.reader import Mapping as Table
from ..language.reader import Node, Scalar, read
from ..language.reader import Sequence as Items
from .wording import Asked, short

#: Characters of an expression that still reads well in a box.
LONGEST = 18
_NAME = re.compile(r"[^\W\d]\w*")


class Letters:
    """What a spec says at the places of a graph's layers and groups."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @cached_property
    def stated(self) -> dict[tuple[int, int], Table]:
        """The arguments that are given to a type or block, by the place of its name."""
        found: dict[tuple[int, int], Table] = {}
        try:
            todo: list[Node] = [read(self.graph.source)]
        except SpecError:
            return found
        while todo:
            node = todo.pop()
            if isinstance(node, Items):
                todo += node.items
            elif isinstance(node, Table):
                for _, key, value in node.items():
                    if isinstance(value, Table):
                        found[key.place.line, key.place.column] = value
                    todo.append(value)
        return found

    @cached_property
    def defaults(self) -> dict[str, dict[str, str]]:
        """The arguments of each block with their defaults as written; of those that must be given, their name."""
        found: dict[str, dict[str, str]] = {}
        try:
            root = read(self.graph.source)
        except SpecError:
            return found
        blocks = root.get("blocks") if isinstance(root, Table) else None
        for name, _, body in blocks.items() if isinstance(blocks, Table) else ():
            arguments = body.get("args") if isinstance(body, Table) else None
            own = found.setdefault(name, {})
            for item in arguments.items if isinstance(arguments, Items) else ():
                if isinstance(item, Scalar):
                    own[item.text] = item.text
                elif isinstance(item, Table):
                    own |= {key: value.text for key, _, value in item.items() if isinstance(value, Scalar)}
        return found

    def given(self, block: str) -> list[str]:
        """The arguments of a block that its uses give: not those that are worked out from others."""
        own = self.defaults.get(block, {})
        return [
            name for name, text in own.items() if text == name or not _NAME.search(text) or text in ("true", "false")
        ]

    def asked(self, layer: Layer, unit: str, alike: Sequence[tuple[Group, Layer]] = ()) -> Asked:
        """What writes the arguments of a layer in a use of a block, by the block's own letters.

        `alike` are all uses with the layer that stands there in each: a number is written only where it is that of all.
        """

        def ask(name: str) -> str:
            value = getattr(layer.op, name, "")
            place = (layer.place.line, layer.place.column) if layer.place else (0, 0)
            given = self.stated.get(place)
            node = given.get(name) if given is not None else None
            if isinstance(node, Scalar) and isinstance(node.value, str):
                text = self._outwards(node.text, self._innermost(layer.name, unit), unit)
                if text and len(text) <= LONGEST:
                    return text
            values = [getattr(other.op, name, "") for _, other in alike]
            if all(each == value for each in values):
                return short(value)
            names = dict.fromkeys(each for group, _ in alike for each in group.arguments)
            uses = [(_plain(each), group.arguments) for each, (group, _) in zip(values, alike, strict=True)]
            same = (each for each in names if all(found == given.get(each) for found, given in uses))
            return next(same, "…")

        return ask

    def _innermost(self, name: str, unit: str) -> str:
        """The innermost use of a block around a layer, at or below the unit."""
        path = name.rpartition(".")[0]
        while path and path != unit and not self._block(path):
            path = path.rpartition(".")[0]
        return path or unit

    def _block(self, path: str) -> Group | None:
        group = self.graph.groups.get(path)
        return group if group is not None and group.block else None

    def _outwards(self, text: str, inner: str, unit: str) -> str:
        """An expression of the block at `inner` in the letters of the block at `unit`; empty where it has none."""
        while inner != unit:
            group = self._block(inner)
            if group is None:
                return ""
            place = (group.place.line, group.place.column) if group.place else (0, 0)
            given = self.stated.get(place)
            text = substituted(text, self._environment(group.block, given))
            if not text:
                return ""
            inner = self._innermost(inner, unit)
        own = self._block(unit)
        names = set(_NAME.findall(text))
        if own is None or not names <= set(self.defaults.get(own.block, {})):
            return ""
        return readable(text)

    def _environment(self, block: str, given: Table | None) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, default in self.defaults.get(block, {}).items():
            node = given.get(name) if given is not None else None
            if isinstance(node, Scalar):
                found[name] = node.text
            elif given is None or node is None:
                found[name] = substituted(default, found) if default != name else ""
        return found


def _plain(value: Any) -> Any:
    """One number for sides that are the same."""
    sides = set(value) if isinstance(value, tuple) and value else {None}
    return value[0] if isinstance(value, tuple) and len(sides) == 1 else value


def substituted(text: str, environment: Mapping[str, str]) -> str:
    """An expression with names replaced by what they stand for; empty where one of them is not known.

    >>> substituted("2 * out", {"out": "width + 1"})
    '2 * (width + 1)'
    """
    alone = text.strip()
    if alone in environment:
        return environment[alone]
    known = True

    def replaced(found: re.Match[str]) -> str:
        nonlocal known
        stands = environment.get(found[0], "")
        known = known and bool(stands)
        return stands if re.fullmatch(r"[\w.]+", stands) else f"({stands})"

    made = _NAME.sub(replaced, text)
    return made if known else ""


def readable(text: str) -> str:
    """An expression as it stands in a figure.

    >>> readable("4 * width"), readable("c2 // 2")
    ('4·width', 'c2/2')
    """
    return re.sub(r"\s*\*\s*", "·", re.sub(r"\s*//?\s*", "/", text)).strip()
