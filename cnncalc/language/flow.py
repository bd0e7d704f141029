"""Values as a spec has them, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from .reader import is_number


def flow(value: Any) -> str:
    """A value in one line of YAML, as it may stand within brackets too.

    >>> print(flow({"out_channels": 8, "kernel_size": [3, 5], "p": 0.5, "bias": False, "from": "a, b"}))
    {out_channels: 8, kernel_size: [3, 5], p: 0.5, bias: false, from: 'a, b'}
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, float) and value != value:
        return ".nan"
    if isinstance(value, float) and abs(value) == float("inf"):
        return ".inf" if value > 0 else "-.inf"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    if isinstance(value, float):
        text = repr(value)
        return text if "e" not in text or "." in text.partition("e")[0] else text.replace("e", ".0e")
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int):
        return str(int(value))
    return _text(str(value)) if isinstance(value, str) else _written(value)


@lru_cache(maxsize=10_000)
def _text(text: str) -> str:
    """A text; one that a spec's reader would take for a number in quotes: it knows more numbers than PyYAML does."""
    return f"'{text}'" if is_number(text) else _written(text)


def _written(value: Any) -> str:
    written = yaml.safe_dump([value], default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False)
    return written.removesuffix("]\n").removeprefix("[")
