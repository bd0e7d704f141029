"""The page to work at: what it asks and how it is answered, in text, whether by a server or in the reader's browser.

A question is a JSON object whose `ask` names it; the answer is a JSON object, with `problems` where something is wrong.
A file here that declares a question is all that a new one needs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, get_type_hints

from ...errors import Problem, SpecError, usage_error

#: The longest question that is read, and the longest spec in it.
MOST_TEXT, MOST_SPEC = 1_200_000, 256_000
#: The files that answer.
FILES = ("network", "words", "lecture")
Answer = dict[str, Any]
QUESTIONS: dict[str, Callable[..., Answer]] = {}


def question(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Declare what the page may ask, by the function's name, with its arguments by name."""
    QUESTIONS[function.__name__] = function
    return function


def answer(text: str) -> str:
    """The answer to a question, both as JSON; whatever is asked, there is one.

    >>> answer('{"ask": "nothing"}')
    '{"problems": [{"message": "the page asks for nothing, which there is not", "hint": "", "code": "usage"}]}'
    """
    try:
        return json.dumps(_answered(text), ensure_ascii=False, allow_nan=False)
    except SpecError as error:
        return json.dumps({"problems": [told(problem) for problem in error.problems]}, ensure_ascii=False)
    except RecursionError:
        return json.dumps({"problems": [{"message": "it is nested too deeply", "hint": "", "code": "too-big"}]})


def _answered(text: str) -> Answer:
    for file in FILES:
        import_module(f".{file}", __name__)
    asked = _read(text)
    name = asked.pop("ask", None)
    function = QUESTIONS.get(name) if isinstance(name, str) else None
    if function is None:
        raise usage_error(f"the page asks for {str(name)[:40]}, which there is not")
    kinds = get_type_hints(function)
    for key, value in asked.items():
        kind = kinds.get(key)
        if kind is None or key == "return" or type(value) is not getattr(kind, "__origin__", kind):
            raise usage_error(f"{name}: {key[:40]} cannot be {str(value)[:40]}")
    missing = kinds.keys() - asked.keys() - {"return"} - (function.__kwdefaults__ or {}).keys()
    if missing:
        raise usage_error(f"{name}: {', '.join(sorted(missing))} is missing")
    return function(**asked)


def _read(text: str) -> Answer:
    try:
        asked = json.loads(text) if len(text) <= MOST_TEXT else None
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise usage_error("the page asks in JSON, and not too much of it")
    if isinstance(asked.get("text"), str) and len(asked["text"].encode()) > MOST_SPEC:
        raise usage_error(f"a spec on the page may have {MOST_SPEC:,} bytes", "use blocks and repeat")
    return asked


def told(problem: Problem) -> Mapping[str, Any]:
    """A problem as the page shows it, at its line and column."""
    place = {} if problem.place is None else {"line": problem.place.line, "column": problem.place.column}
    said: Answer = {"message": problem.message, "hint": problem.hint, "code": problem.code, **place}
    return said | ({"context": list(problem.context)} if problem.context else {})
