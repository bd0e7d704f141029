"""YAML to values that remember line and column.

Built on the event stream of PyYAML, so that nothing recurses and everything is bounded while it is read. Plain
scalars follow YAML 1.2's core schema: `on` and `12:30` are text, not true and 750.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from ..errors import Place, Problem, Source, SpecError

MAX_BYTES = 1 << 20
MAX_NODES = 100_000
MAX_DEPTH = 60
#: Characters of a text that count as one value more.
LONG = 100

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DIRECTIVE = re.compile("^%", re.MULTILINE)
MAX_DIRECTIVES = 100  # each of which is compared with all before it
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= dict.fromkeys(("true", "True", "TRUE"), True) | dict.fromkeys(("false", "False", "FALSE"), False)

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scalar:
    """A word, a number, true, false or null; `text` is how it was written."""

    __slots__ = ("place", "text", "value")

    def __init__(self, value: Any, text: str, place: Place) -> None:
        self.value, self.text, self.place = value, text, place


class Sequence:
    """A list."""

    __slots__ = ("items", "place")

    def __init__(self, items: list[Node], place: Place) -> None:
        self.items, self.place = items, place


class Mapping:
    """Names with values, each name with its own place."""

    __slots__ = ("pairs", "place")

    def __init__(self, pairs: dict[str, tuple[Scalar, Node]], place: Place) -> None:
        self.pairs, self.place = pairs, place

    def get(self, key: str) -> Node | None:
        """The value of a name, or None."""
        pair = self.pairs.get(key)
        return pair[1] if pair else None

    def items(self) -> Iterator[tuple[str, Scalar, Node]]:
        """Name, the name's own node, and value."""
        for key, (scalar, node) in self.pairs.items():
            yield key, scalar, node


Node = Scalar | Sequence | Mapping


class _Open:
    """A sequence or mapping that is being read; `size` counts its nodes with aliases followed."""

    def __init__(self, node: Sequence | Mapping, anchor: str | None) -> None:
        self.node, self.anchor, self.size = node, anchor, 1
        self.key: Scalar | None = None
        self.merged: list[Mapping] = []


def read(source: Source) -> Node:
    """The one document in a YAML text; raises `SpecError` with place and cause."""
    if len(_DIRECTIVE.findall(source.text)) > MAX_DIRECTIVES:
        raise SpecError([Problem("yaml", "a spec has no directives (%)", source, Place(1, 1), hint="remove them")])
    try:
        return _Reading(source).document()
    except yaml.MarkedYAMLError as error:
        raise SpecError([_explained(error, source)]) from None
    except yaml.reader.ReaderError as error:
        line = source.text.count("\n", 0, error.position) + 1
        column = error.position - (source.text.rfind("\n", 0, error.position) + 1) + 1
        what = f"the character U+{ord(error.character) if isinstance(error.character, str) else error.character:04X}"
        raise SpecError([Problem("yaml", f"{what} may not stand in YAML", source, Place(line, column))]) from None


class _Reading:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.stack: list[_Open] = []
        self.root: Node | None = None

    def document(self) -> Node:
        documents = 0
        for event in yaml.parse(self.source.text, Loader=_Loader):
            mark: Any = event.start_mark
            place = Place(mark.line + 1, mark.column + 1)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self.error("a spec is one document; a second one begins here", place, "remove the ---")
            elif isinstance(event, yaml.ScalarEvent):
                self.check_tag(event.tag, place)
                if not event.value.isprintable() and _CONTROL.search(event.value):
                    raise self.error("a control character may not stand in a spec", place, "remove the escape sequence")
                node = Scalar(self.resolve(event), event.value, place)
                self.add(node, 1 + len(event.value) // LONG, event.anchor)
            elif isinstance(event, yaml.AliasEvent):
                self.alias(str(event.anchor), place)
            elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
                self.check_tag(event.tag, place)
                opened = Sequence([], place) if isinstance(event, yaml.SequenceStartEvent) else Mapping({}, place)
                self.stack.append(_Open(opened, event.anchor))
                if len(self.stack) > MAX_DEPTH:
                    raise self.error(
                        f"more than {MAX_DEPTH} levels deep", place, "use blocks for what is nested", "too-big"
                    )
            elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
                self.close()
        if self.root is None:
            raise self.error(
                "the file is empty", Place(1, 1), "`cnncalc new my_net` writes a spec to begin with", "empty"
            )
        return self.root

    def resolve(self, event: Any) -> Any:
        text: str = event.value
        if event.style or not event.implicit[0]:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INT.fullmatch(text):
            return int(text) if len(text) < 40 else float("inf")
        return float(text) if _FLOAT.fullmatch(text) else text

    def add(self, node: Node, size: int, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = (node, size)
        if not self.stack:
            self.root = node
            return
        top = self.stack[-1]
        top.size += size
        if top.size > MAX_NODES:
            raise self.error(
                f"the file has more than {MAX_NODES:,} values, aliases followed", node.place, "use repeat", "too-big"
            )
        if isinstance(top.node, Sequence):
            top.node.items.append(node)
        elif top.key is None:
            if not isinstance(node, Scalar):
                raise self.error(
                    "a list or mapping cannot be a name", node.place, "a text with { } or [ ] wants quotes"
                )
            top.key = node
        else:
            self.pair(top, top.key, node)
            top.key = None

    def pair(self, top: _Open, key: Scalar, node: Node) -> None:
        assert isinstance(top.node, Mapping)
        if key.text == "<<":
            parts = node.items if isinstance(node, Sequence) else [node]
            if not all(isinstance(part, Mapping) for part in parts):
                raise self.error("<< wants a mapping, or a list of them", node.place)
            top.merged += [part for part in parts if isinstance(part, Mapping)]
        elif key.text in top.node.pairs:
            first = top.node.pairs[key.text][0].place
            raise self.error(
                f"{key.text} stands twice in one mapping, first in line {first.line}",
                key.place,
                "names in a mapping are unique; layers of the same type want a list: - ReLU",
                "duplicate",
            )
        else:
            top.node.pairs[key.text] = (key, node)

    def alias(self, anchor: str, place: Place) -> None:
        if any(opened.anchor == anchor for opened in self.stack):
            raise self.error(f"*{anchor} contains itself", place)
        if anchor not in self.anchors:
            raise self.error(f"there is no &{anchor} before this *{anchor}", place)
        node, size = self.anchors[anchor]
        self.add(node, size, None)

    def close(self) -> None:
        done = self.stack.pop()
        if isinstance(done.node, Mapping):
            pairs: dict[str, tuple[Scalar, Node]] = {}
            for part in reversed(done.merged):  # an earlier one wins over a later one, and the mapping's own over all
                pairs |= part.pairs
            done.node.pairs = pairs | done.node.pairs if done.merged else done.node.pairs
        self.add(done.node, done.size, done.anchor)

    def check_tag(self, tag: str | None, place: Place) -> None:
        if tag is not None and tag not in ("!", "tag:yaml.org,2002:str"):
            raise self.error(f"the tag {tag} means nothing here", place, "remove it")

    def error(self, message: str, place: Place, hint: str = "", code: str = "yaml") -> SpecError:
        return SpecError([Problem(code, message, self.source, place, hint=hint)])


def _explained(error: yaml.MarkedYAMLError, source: Source) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    problem = (error.problem or "it cannot be read").replace("\n", " ")
    message, hint = f"this is not YAML: {problem}", ""
    if "'\\t'" in problem or "\t" in source.line(place.line)[: place.column]:
        message, hint = "a tab where YAML wants spaces", "indent with spaces"
    elif "nesting depth" in problem:  # PyYAML's own bound, from 6.0.4 on
        message, hint = f"more than {MAX_DEPTH} levels deep", "use blocks for what is nested"
    elif "flow" in (error.context or "") and error.context_mark and error.context_mark.line + 1 < place.line:
        hint = f"the bracket that line {error.context_mark.line + 1} opens is not closed"
    elif "flow mapping" in (error.context or "") + problem:
        hint = "inside { }, an expression with , or [ ] wants quotes: {repeat: 'depths[0]'}"
    elif "mapping values are not allowed" in problem:
        hint = "is the line above indented like this one? A text with a colon wants quotes"
    elif error.context:
        hint = f"it happened {error.context}".replace("\n", " ")
    return Problem("yaml", message, source, place, hint=hint)


def read_file_text(data: bytes, name: str) -> Source:
    """The text of a file's bytes, with the bounds on size and content checked; raises `SpecError`."""
    if len(data) > MAX_BYTES:
        raise _refused(name, f"is {len(data):,} bytes long; a spec may have {MAX_BYTES:,}", "use blocks and repeat")
    if b"\0" in data:
        raise _refused(name, "is not text, but holds binary data", "a spec is a YAML text file")
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise _refused(
            name, f"is not UTF-8 text: byte {error.start} is 0x{data[error.start]:02x}", "save it as UTF-8"
        ) from None


def is_number(text: str) -> bool:
    """Whether a plain text is read as a number.

    >>> is_number("1e5"), is_number("08"), is_number("conv1")
    (True, True, False)
    """
    return bool(_INT.fullmatch(text) or _FLOAT.fullmatch(text))


def _refused(name: str, why: str, hint: str) -> SpecError:
    return SpecError([Problem("file", f"the file {why}", Source(name, ""), hint=hint)])
