"""serve: the page to work at, on this computer."""

from __future__ import annotations

import signal
from typing import Annotated

import typer

from ..language.locate import is_elsewhere, is_file_spec, locate
from ..printable import printable
from .commands import LOOK, command
from .output import say, tell

Spec = Annotated[
    str,
    typer.Argument(metavar="[SPEC]", help="What to begin with; a file is saved to.", show_default=False),
]
NoOpen = Annotated[bool, typer.Option("--no-open", help="Print the address and do not open a browser.")]
Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="The port, else one that is free.", show_default=False),
]


@command(LOOK, "cnncalc serve net.yaml", "cnncalc serve resnet50 --no-open")
def serve(spec: Spec = "lenet", no_open: NoOpen = False, port: Port = None) -> None:
    """A page to work at: the spec in an editor, figure and numbers beside it, lessons, a quiz; for you alone."""
    from ..language.spec import open_spec
    from ..page.server import Opened, Server

    if is_elsewhere(spec):
        source, variant, path = open_spec(spec).source, "", None
    else:
        (source, variant), path = locate(spec), is_file_spec(spec)
    name = path.name if path else spec.rpartition("/")[2]
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a reader who goes away does not end the server
    server = Server(Opened(name, source.text, variant, path), port)
    try:
        tell(server.address)
        say(f"{printable(name)} is served to this computer alone; Ctrl-C ends")
        if not no_open:
            import webbrowser

            webbrowser.open(server.address)
        server.serve_forever(poll_interval=0.2)
    except KeyboardInterrupt:
        say()
    finally:
        server.server_close()
