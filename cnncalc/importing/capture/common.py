"""What goes wrong in a stranger's program, said with the line that it came from; and what no program may do."""

from __future__ import annotations

import contextlib
import os
import socket
import traceback
from pathlib import Path
from typing import Any

#: Images in the batch of the example: two, so that the batch is told from an axis of one.
BATCH = 2
#: What the constructors of modules were given, by the identity of the module; the modules are kept, so that it stays.
GIVEN: dict[int, tuple[Any, dict[str, Any]]] = {}

#: Where no file is the user's: this package, and Python's own.
OTHERS = (str(Path(__file__).resolve().parents[2]) + os.sep, os.path.dirname(os.__file__))


class Refused(Exception):
    """The model cannot be captured: why, where in the user's files, and what to do."""

    def __init__(self, cause: str, hint: str = "", where: str = "") -> None:
        super().__init__(cause)
        self.cause, self.hint, self.where = cause, hint, where


class Depends(Refused):
    """Which way the model takes depends on the data."""


def first_line(error: BaseException) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [""])[0][:500]


def go_offline() -> None:
    """Nothing is fetched while a model is built: its shapes do not depend on it."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise Refused(
            "the model wants something from the network", "build it without weights: pretrained=False, weights=None"
        )

    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", HF_DATASETS_OFFLINE="1")
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.create_connection = refuse
    socket.getaddrinfo = refuse


def frame_of(error: BaseException) -> str:
    """The file and line of the user's program that an error came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_users(frame.filename)]
    return f"{short(own[-1].filename)}:{own[-1].lineno}" if own else ""


def is_users(filename: str) -> bool:
    """Whether a file is the user's, and no library's."""
    path = os.path.abspath(filename)
    return (
        not path.startswith(OTHERS) and "site-packages" not in path and "/torch/" not in path and os.path.exists(path)
    )


def short(filename: str) -> str:
    """A file as the user would name it."""
    with contextlib.suppress(ValueError):
        return os.path.relpath(filename)
    return filename


def has_lazy(model: Any) -> bool:
    """Whether layers wait for their first input."""
    return any(hasattr(module, "initialize_parameters") and module.has_uninitialized_params()
               for module in model.modules() if hasattr(module, "has_uninitialized_params"))  # fmt: skip
