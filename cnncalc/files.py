"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .errors import usage_error


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all; raises `SpecError`.

    A link stays a link, a device a device, and a file keeps who may read it.
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    with whole_file(path) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written part by part, which is there once all of it is; raises `SpecError`."""
    import tempfile  # half as long to load as all of this package: only for what writes

    temporary, shown = None, str(path)
    try:
        path = path.resolve()
        if path.is_dir():
            raise IsADirectoryError(21, "it is a directory")
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
            return
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".cnncalc.")
        with os.fdopen(handle, "wb") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o666 & ~mask)
        os.replace(temporary, path)
    except OSError as error:
        hint = "is the folder there?" if error.errno == errno.ENOENT else ""
        raise usage_error(f"cannot be written: {error.strerror}", hint, where=shown) from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
