"""The networks of the zoo that tests go through: each once, though a family and its first variant are one network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import yaml

from cnncalc.language.locate import zoo_files, zoo_names


def variants_of(path: Path) -> dict[str, dict[str, Any] | None]:
    """The variants of a file with what they set."""
    return yaml.load(path.read_text("utf-8"), yaml.CSafeLoader).get("variants") or {}


def is_repeated(path: Path) -> bool:
    """Whether a variant of a family changes nothing, and is the family's own network."""
    return any(not settings for settings in variants_of(path).values())


def alike(path: Path) -> set[str]:
    """Variants that differ from an earlier one in numbers alone, as widths and depths."""
    seen: set[str] = set()
    found = set()
    for name, settings in variants_of(path).items():
        words = {key: value for key, value in (settings or {}).items() if isinstance(value, (bool, str))}
        form = repr(sorted(words.items()))
        found |= {name} if form in seen else set()
        seen.add(form)
    return found


REPEATED = {path.stem for path in zoo_files() if is_repeated(path)}
ZOO = [name for name in zoo_names() if "1202" not in name and name not in REPEATED]
#: One of those that differ in numbers alone, or all of them: for what takes a second for each.
DIFFERENT = ZOO
if not os.environ.get("CNNCALC_WHOLE_ZOO"):
    _alike = set().union(*map(alike, zoo_files()))
    DIFFERENT = [name for name in ZOO if name not in _alike]
