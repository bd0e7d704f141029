"""What the page knows before anything is written: the language for its editor, and what there is to choose from."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from ...errors import did_you_mean, usage_error
from ...figures.options import HEATS
from ...figures.pictures import PICTURES, about
from ...language.expressions import CONSTANTS, FUNCTIONS
from ...language.locate import in_zoo, variant_names, zoo_files
from ...language.schema import schema
from ...ops import MERGES
from ...teach.kinds import kinds, topics
from ...teach.lessons import listed
from . import Answer, question
from .network import network

#: The network of the zoo that the page begins with, where none is named.
FIRST = "lenet"


@question
def words() -> Answer:
    """The words of the language with their documentation, the zoo, the pictures, lessons and topics."""
    made = schema()
    mapping = made["definitions"]["mapping"]["properties"]
    types = {name: made["definitions"].get(name) for name in mapping if name[0].isupper() or name in MERGES}
    return {
        "top": _documented(made["properties"]),
        "beside": _documented({name: each for name, each in mapping.items() if name not in types}),
        "layers": [_layer(name, each or {}, mapping[name]) for name, each in types.items()],
        "functions": sorted({*FUNCTIONS, *CONSTANTS}),
        "zoo": zoo(),
        "pictures": [{"name": name, "about": about(name)} for name in PICTURES],
        "heats": list(HEATS),
        "lessons": [{"name": name, "claim": claim} for name, claim in listed()],
        "topics": ["all", *topics(kinds())],
        "first": show(name=FIRST)["text"],
    }


@question
def show(*, name: str) -> Answer:
    """The spec of a network of the zoo, and which of its variants that is."""
    found = in_zoo(name)
    if found is None:
        known = [word for each in zoo() for word in (each["name"], *each["variants"])]
        raise usage_error(f"the zoo has no {name[:40]}", did_you_mean(name, known))
    return {"text": found[0].text, "variant": found[1]}


@question
def begin() -> Answer:
    """All that questions need is loaded: what is asked next is answered at once."""
    network(text=show(name=FIRST)["text"])
    return {}


@cache
def zoo() -> list[dict[str, Any]]:
    """The files of the zoo with their titles and variants."""
    found = []
    for path in zoo_files():
        text = path.read_text(encoding="utf-8")
        title = re.search(r"^name: *(.*?) *(#.*)?$", text, re.MULTILINE)
        named = title[1].strip("\"'") if title else path.stem
        found.append({"name": path.stem, "title": named, "variants": variant_names(text)})
    return found


def _documented(properties: dict[str, Any]) -> list[dict[str, str]]:
    return [{"name": name, "doc": each.get("description", "")} for name, each in properties.items()]


def _layer(name: str, definition: dict[str, Any], mapped: dict[str, Any]) -> dict[str, Any]:
    """A layer type with its arguments, and whether it may stand alone."""
    required = definition.get("required", [])
    arguments = [
        {
            "name": key,
            "doc": each["description"],
            "required": key in required,
            "default": "" if each.get("default") is None else _written(each["default"]),
            "choices": [word for option in each["anyOf"] for word in option.get("enum", [])],
        }
        for key, each in definition.get("properties", {}).items()
    ]
    return {"name": name, "doc": mapped.get("description", ""), "arguments": arguments, "alone": not required}


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
