"""A `.keras` file, or the JSON of `model.to_json()`, opened within bounds."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import Misfit, SpecError
from . import keras_layers  # noqa: F401 - the table of layers
from .archive import members_in
from .flat import Flat
from .keras_config import Keras
from .refusals import refused

#: Bytes of a description.
MAX_BYTES = 64 << 20
#: What goes wrong with an archive that is damaged, packed otherwise, or none.
DAMAGED = (zipfile.BadZipFile, KeyError, NotImplementedError, EOFError, OSError, RuntimeError, zlib.error)


def read(path: Path, inputs: Mapping[str, Sequence[int]]) -> Flat:
    """The flat network of a description; raises `SpecError` for what cannot be read."""
    try:
        document = json.loads(_description(path))
        return Keras(path, inputs).flat(document)
    except SpecError:
        raise
    except Misfit as misfit:
        raise refused(misfit.cause, str(path), misfit.hint) from None
    except RecursionError:
        raise refused("it is nested too deeply", str(path)) from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        hint = "model.save('net.keras') or model.to_json() writes one"
        raise refused(f"no model that can be read: {type(error).__name__} {str(error)[:80]}", str(path), hint) from None


def _description(path: Path) -> bytes:
    try:
        if path.suffix.lower() == ".keras":
            if members_in(path) > 10_000:
                raise refused("more than 10,000 files in it", str(path))
            with zipfile.ZipFile(path) as archive, archive.open("config.json") as file:
                data = file.read(MAX_BYTES + 1)
        else:
            with path.open("rb") as plain:
                data = plain.read(MAX_BYTES + 1)
    except DAMAGED as error:
        raise refused(f"cannot be read: {error}", str(path), "model.save('net.keras') writes one") from None
    if len(data) > MAX_BYTES:
        raise refused(f"a description of more than {MAX_BYTES:,} bytes", str(path))
    return data
