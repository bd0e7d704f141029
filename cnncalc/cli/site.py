"""site: the page to work at, as a folder for any web server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import usage_error
from ..printable import printable
from ..quantities import si
from .commands import TEACH, command
from .output import say

Folder = Annotated[
    str, typer.Option("--output", "-o", metavar="FOLDER", help="The folder to write.", show_default=False)
]
Pyodide = Annotated[
    str, typer.Option("--pyodide", metavar="FOLDER", help="Pyodide's npm package, unpacked.", show_default=False)
]
Specs = Annotated[
    str, typer.Option("--specs", metavar="FOLDER", help="Specs of your own to begin from.", show_default=False)
]


@command(
    TEACH, "cnncalc site -o public --pyodide package", "cnncalc site -o public --pyodide package --specs exercises"
)
def site(output: Folder = "", pyodide: Pyodide = "package", specs: Specs = "") -> None:
    """The page of `serve` as a folder for any web server: the calculator runs in the reader's browser, offline, too."""
    from ..page.site import write_site

    if not output:
        raise usage_error("a site is a folder", "-o public")
    done = write_site(Path(output), Path(pyodide), Path(specs) if specs else None)
    say(printable(f"wrote {output}: {done.files} files; a first visit loads {si(done.loaded)}B"))
    if not done.lessons:
        say("lessons are not in it: they are worked out while it is written, by NumPy (pip install 'cnncalc[teach]')")
