"""PyTorch's error messages that beginners meet, read, and answered: which layer, why, and what to change."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module

from ...errors import usage_error
from ...language.model import load
from .base import MESSAGES, Answer

__all__ = ["MESSAGES", "Answer", "explain_error"]

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

#: Characters of a message that are read: those at its end, where what went wrong stands.
LONGEST = 100_000
#: A line of a traceback: the file, the number, and the function.
_FRAME = re.compile(r'File "([^"\n]{1,300})", line (\d{1,9})(?:, in ([^\n]{1,100}))?')
#: What is not the user's own code.
_FOREIGN = re.compile(r"site-packages|dist-packages|[/\\]torch[/\\]|[/\\]lib[/\\]python\d|<frozen|<string>|<eval_with")
_WORKER = "in DataLoader worker process"


def explain_error(message: str, spec: str = "") -> Answer:
    """Read one of PyTorch's messages, with the spec of the network if there is one; raises `SpecError`.

    >>> found = explain_error("mat1 and mat2 shapes cannot be multiplied (1x256 and 400x120)")
    >>> found.reasons[0]
    '256 = 16·4² and 400 = 16·5²: a map of 4×4 arrives where one of 5×5 was counted on'
    """
    message = message[-LONGEST:]
    where = _own_line(message)
    # A traceback quotes lines of code, which are no messages: what went wrong stands at the end.
    text = " ".join(message.rpartition("Traceback (most recent call last)")[2].split())
    graph = load(spec) if spec else None
    for known in MESSAGES:
        match = known.pattern.search(text)
        if match:
            try:
                answer = known.explain(match, graph)._replace(where=where)
            except (ArithmeticError, IndexError, ValueError):
                raise usage_error("this message is garbled", "quote it whole, as PyTorch printed it") from None
            return _in_a_worker(answer) if _WORKER in message else answer
    if _WORKER in message:
        kind = re.search(r"Caught (\w{1,80}) " + _WORKER, message)
        says = f"a worker process of the DataLoader met {kind[1] if kind else 'an error'} while it read the data"
        return _in_a_worker(Answer(says, ("the error is in the dataset, and not in the network",), (), where=where))
    seen = f"begin at {where}" if where else "begin at the last line of your own code in the traceback"
    raise usage_error(
        "this message is not among those that are known",
        f"{seen}: print the shape, dtype and device of what goes in there; quote the message whole, in one pair of quotes",
    )


def _own_line(message: str) -> str:
    """The last line of a traceback that is the user's own code."""
    frames = [match for match in _FRAME.finditer(message) if not _FOREIGN.search(match[1])]
    if not frames:
        return ""
    file, line, function = frames[-1].groups()
    return f"{file}, line {line}" + (f", in {function.strip()}" if function else "")


def _in_a_worker(answer: Answer) -> Answer:
    reason = "it happened in a worker process of the DataLoader, while it read or joined the data"
    change = "num_workers=0 while you look for it: the line in your own code is then in the traceback"
    return answer._replace(reasons=(*answer.reasons, reason), change=(*answer.change, change))
