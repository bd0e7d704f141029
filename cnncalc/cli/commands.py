"""How a function becomes a command: its group in the help, its examples, and the options that all questions share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from ..record import Record

#: The groups of commands in the help.
LOOK, WRITE, EXPLAIN, CHECK = "Look", "Find and write", "Explain", "Compare and check"
PRACTISE, TEACH, PYTORCH = "Practise", "Teach", "With PyTorch"

Function = Callable[..., None]


class Command(Record):
    """A command, as it is declared; `parent` is the command that it belongs to, if it is one of several."""

    name: str
    group: str
    function: Function
    examples: tuple[str, ...]
    parent: str
    options: dict[str, Any]

    def register(self, app: typer.Typer) -> None:
        """Make typer know it, which takes its time: it reads the signature."""
        lines = "\n\n".join(f"[dim]$[/dim] {example.replace('[', chr(92) + '[')}" for example in self.examples)
        options = dict(self.options)
        function = self.function
        kind = options.pop("asks", None)
        if kind:
            from .options import gathered

            function = gathered(function, kind)
        made = app.command(self.name, help=self.function.__doc__, epilog=lines, rich_help_panel=self.group, **options)
        made(function)


#: All commands that are loaded, in the order of the help.
COMMANDS: list[Command] = []


def command(
    group: str, *examples: str, name: str = "", parent: str = "", **options: Any
) -> Callable[[Function], Function]:
    """Declare a command of a group, with examples for its help.

    `asks` is a named tuple whose fields are options; the function takes it as `request`. Other options are typer's.
    """

    def declare(function: Function) -> Function:
        own = name or function.__name__.replace("_", "-")
        COMMANDS.append(Command(own, group, function, examples, parent, options))
        return function

    return declare
