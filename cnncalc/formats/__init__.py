"""What answers are written as, one format a file: the file's name is the name of the format.

A format is a module with `ENDINGS`, those of its files, and `table`, which writes a `Table`. Where explanations have a
form of their own in it, `explained` writes them; elsewhere they are written as a table. A module that is put here is a
format of every command, and of the tests.
"""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from types import ModuleType

from ..explanation import Explained
from ..table import Table

#: The names of the formats; the first one is for people.
FORMATS = tuple(
    sorted((module.name for module in pkgutil.iter_modules(__path__)), key=lambda name: (name != "table", name))
)

Answer = Table | Explained


def render(answer: Answer, format: str) -> str:
    """An answer in one of `FORMATS`; "table" is plain text, as for a pipe.

    >>> from cnncalc import analyse, summary
    >>> print(render(summary(analyse("lenet")), "csv").splitlines()[0])
    layer,type,output,params,params_share,macs,macs_share
    """
    module = _module(format)
    if isinstance(answer, Explained):
        write = getattr(module, "explained", None)
        if write is not None:
            return str(write(answer))
        answer = answer.table()
    return str(module.table(answer))


@lru_cache(maxsize=1)
def endings() -> dict[str, str]:
    """The formats by the endings of their files."""
    return {ending: name for name in FORMATS for ending in _module(name).ENDINGS}


def _module(name: str) -> ModuleType:
    return import_module(f"{__name__}.{name}")
