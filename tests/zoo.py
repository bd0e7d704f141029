"""The networks of the zoo that tests go through: each once, though a family and its first variant are one network."""

from __future__ import annotations

from pathlib import Path

import yaml

from cnncalc.language.locate import zoo_files, zoo_names


def is_repeated(path: Path) -> bool:
    """Whether a variant of a family changes nothing, and is the family's own network."""
    variants = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader).get("variants") or {}
    return any(not settings for settings in variants.values())


REPEATED = {path.stem for path in zoo_files() if is_repeated(path)}
ZOO = [name for name in zoo_names() if "1202" not in name and name not in REPEATED]
