"""A figure as a page of its own, which asks for nothing and runs nothing."""

from __future__ import annotations

from .scene import Scene
from .svg import escaped, lines

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(scene: Scene, width: str = "") -> bytes:
    """A picture as HTML."""
    title = escaped(scene.title)
    figure = "\n".join(lines(scene, width))
    return (
        "<!DOCTYPE html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>body{{margin:0;background:{scene.background}}}"
        "svg{max-width:100%;height:auto;display:block;margin:auto}</style>\n"
        f"</head>\n<body>\n<main>\n{figure}\n</main>\n</body>\n</html>\n"
    ).encode()
