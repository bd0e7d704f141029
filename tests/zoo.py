"""The networks of the zoo that tests go through: each once, though a family and its first variant are one network."""

from __future__ import annotations

from pathlib import Path

import yaml

from cnncalc.language.locate import zoo_files, zoo_names


def repeated() -> set[str]:
    """The families of which a variant changes nothing."""
    found = set[str]()
    for path in map(Path, zoo_files()):
        variants = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader).get("variants") or {}
        if any(not settings for settings in variants.values()):
            found.add(path.stem)
    return found


ZOO = [name for name in zoo_names() if "1202" not in name and name not in repeated()]
