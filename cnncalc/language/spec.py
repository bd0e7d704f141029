"""A spec that is found and read: what its head says, and which of its networks is wanted."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path

from ..errors import Problem, Source, SpecError, did_you_mean, usage_error
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


def of_zoo(source: Source) -> bool:
    """Whether a spec is one of the zoo's, which stay as they are while a program runs."""
    return source.name.startswith(ZOO) and len(source.text) <= LONGEST_KEPT


#: Specs of the zoo that are kept once they were read, and characters of one that is.
MOST_KEPT, LONGEST_KEPT = 100, 20_000


@lru_cache(maxsize=MOST_KEPT)
def _kept(source: Source) -> Node:
    return read(source)


def open_spec(spec: str | Path | Source) -> Spec:
    """Find and read a spec: a path, a name in the zoo, `file:variant`, `-`, or a `Source`; raises `SpecError`."""
    if not isinstance(spec, Source) and is_elsewhere(str(spec)):
        spec = import_module(READER).source(str(spec))
    source, variant = (spec, "") if isinstance(spec, Source) else locate(str(spec))
    root = _kept(source) if of_zoo(source) else read(source)
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
