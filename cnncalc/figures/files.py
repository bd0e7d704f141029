"""The forms that a figure is written in, by the ending of its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ..errors import did_you_mean, usage_error
from .page import page
from .pdf import pdf
from .png import png, resvg
from .scene import Scene
from .svg import svg
from .tikz import tikz

Writer = Callable[[Scene, str], bytes]
#: Each takes a picture and its width on the page, or nothing for its own.
FORMS: dict[str, Writer] = {".svg": svg, ".pdf": pdf, ".png": png, ".html": page, ".tex": tikz}


def form_of(file: str) -> str:
    """The ending of a file's name that tells its form; raises `SpecError`."""
    ending = Path(file).suffix.lower()
    if ending not in FORMS:
        hint = did_you_mean(ending, FORMS) or f"-o figure.svg; {', '.join(FORMS)} are written"
        raise usage_error(f"{file}: the ending tells no form of a figure", hint)
    return ending


def refuse_what_cannot_be_written(file: str) -> None:
    """Raise `SpecError` before long work whose figure could not be written: an unknown form, or a package missing."""
    if form_of(file) == ".png":
        resvg()


def written(scene: Scene, form: str, width: str = "") -> bytes:
    """A picture in a form, as bytes; raises `SpecError` where a package for it is missing."""
    return FORMS[form](scene, width)
