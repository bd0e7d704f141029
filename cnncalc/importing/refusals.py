"""What is said of a model, or of a part of one, that cannot become a spec."""

from __future__ import annotations

from ..errors import SpecError, usage_error


class Unread(Exception):
    """An operation that no layer type stands for: it is declared with its figures."""


class Moved(Exception):
    """An operation that takes the batch from its place: the module around it can only be declared as a whole."""

    def __init__(self, module: str, cause: SpecError) -> None:
        super().__init__(module)
        self.module, self.cause = module, cause


def refused(cause: str, line: str = "", hint: str = "") -> SpecError:
    """The error for what cannot be imported, at the user's line."""
    return usage_error(cause, hint, where=line, code="import")
