"""A spec to begin with."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import usage_error
from .schema import FILE
from .spec import open_spec


def first_spec(name: str, like: str = "") -> tuple[Path, str]:
    """The path and text of a new spec, which nothing there may bear already; raises `SpecError`."""
    path = Path(name if re.search(r"\.ya?ml$", name) else f"{name}.yaml")
    if not name.strip():
        raise usage_error("the new spec has no name", "cnncalc new my_net", where="cnncalc new")
    if re.search(r"\.(json|txt|toml|py|yaml\.yaml)$", name):
        raise usage_error(
            f"{name} is no name for a spec, which is a YAML file", "leave the ending out", where="cnncalc new"
        )
    if not re.fullmatch(r"[\w.\-]+", path.name):
        raise usage_error(f"{path.name!r} is not a name for a file", "letters, digits, _ and -", where="cnncalc new")
    if path.exists():
        raise usage_error("is there already", "choose another name, or delete it first", where=str(path))
    if not path.parent.is_dir():
        raise usage_error(
            "there is no such folder", "make it first, or name a folder that is there", where=str(path.parent)
        )
    modeline = f"# yaml-language-server: $schema=./{FILE}\n"
    if like:
        return path, modeline + re.sub(r"(?m)^# yaml-language-server:.*\n", "", open_spec(like).source.text, count=1)
    return path, modeline + _FIRST.format(name=path.stem)


_FIRST = """\
name: {name}
input: [1, 28, 28]            # channels, height, width; the batch is never written

layers:
  - Conv2d: {{out_channels: 16, kernel_size: 3, padding: 1}}
  - ReLU
  - MaxPool2d: {{kernel_size: 2}}
  - Conv2d: {{out_channels: 32, kernel_size: 3, padding: 1}}
  - ReLU
  - MaxPool2d: {{kernel_size: 2}}
  - Flatten
  - Linear: {{out_features: 10}}
    expect: {{shape: [10]}}     # a claim: cnncalc check {name}.yaml
"""
