"""A spec that is found and read: what its head says, and which of its networks is wanted."""

from __future__ import annotations

from collections.abc import Mapping as Map
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import Problem, Source, SpecError, did_you_mean, usage_error
from ..graph import Graph
from ..record import Record
from .locate import READER, ZOO, is_elsewhere, locate
from .reader import Mapping, Node, Scalar, Sequence, read


class Spec(Record):
    """A spec that is read, and which of its networks is wanted."""

    source: Source
    root: Mapping
    variant: str = ""

    @property
    def variants(self) -> list[str]:
        """The names of its variants."""
        node = self.root.get("variants")
        return list(node.pairs) if isinstance(node, Mapping) else []

    @property
    def title(self) -> str:
        return self._text("name") or self.file

    @property
    def file(self) -> str:
        """The name of its file, without an ending."""
        return Path(self.source.name).stem

    @property
    def about(self) -> str:
        return self._text("source")

    @property
    def note(self) -> str:
        return self._text("note")

    @property
    def task(self) -> str:
        """What the network is for: classification, detection …"""
        return self._text("task")

    @property
    def year(self) -> int | None:
        """When the network was published."""
        node = self.root.get("year")
        return node.value if isinstance(node, Scalar) and isinstance(node.value, int) else None

    def _text(self, key: str) -> str:
        node = self.root.get(key)
        return node.text if isinstance(node, Scalar) and node.value is not None else ""

    def graph(self, args: Map[str, Any] | None = None, inputs: Map[str, Any] | None = None) -> Graph:
        """The network; raises `SpecError` with all that is wrong, unless unknown layer types are all that is."""
        from .model import Model

        if not args and not inputs and _of_zoo(self.source):
            return _network(self.source, self.variant).copy()
        return Model(self, dict(args or {}), dict(inputs or {})).graph()


def _of_zoo(source: Source) -> bool:
    return source.name.startswith(ZOO) and len(source.text) <= LONGEST_KEPT


#: Specs and networks of the zoo that are kept once they were worked out, and characters of a spec that is.
MOST_KEPT, MOST_NETWORKS, LONGEST_KEPT = 100, 400, 20_000


@lru_cache(maxsize=MOST_KEPT)
def _kept(source: Source) -> Node:
    return read(source)


@lru_cache(maxsize=MOST_NETWORKS)
def _network(source: Source, variant: str) -> Graph:
    from .model import Model

    root = _kept(source)
    assert isinstance(root, Mapping)
    return Model(Spec(source, root, variant), {}, {}).graph()


def open_spec(spec: str | Path | Source) -> Spec:
    """Find and read a spec: a path, a name in the zoo, `file:variant`, `-`, or a `Source`; raises `SpecError`."""
    if not isinstance(spec, Source) and is_elsewhere(str(spec)):
        spec = import_module(READER).source(str(spec))
    source, variant = (spec, "") if isinstance(spec, Source) else locate(str(spec))
    root = _kept(source) if _of_zoo(source) else read(source)
    if not isinstance(root, Mapping):
        shape = "a list" if isinstance(root, Sequence) else f"the single value {root.text[:40]!r}"
        raise SpecError(
            [
                Problem(
                    "shape",
                    f"a spec is a mapping with input and layers; this is {shape}",
                    source,
                    root.place,
                    hint="`cnncalc new my_net` writes a spec to begin with",
                )
            ]
        )
    found = Spec(source, root, variant)
    if variant and variant not in found.variants:
        hint = did_you_mean(variant, found.variants)
        hint = hint or (f"it has {', '.join(found.variants)}" if found.variants else "the file has no variants")
        raise usage_error(f"there is no variant {variant}", hint, where=source.name, code="variant")
    return found
