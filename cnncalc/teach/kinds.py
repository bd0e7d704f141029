"""Kinds of question and the slips by which answers go wrong, read from data: ours, and a teacher's own file."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from ..errors import Misfit, SpecError, did_you_mean, wrong_call
from ..formula import number
from ..spec import expressions

Values = Mapping[str, Any]
_ALLOWED = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call),
    *(ast.Name, ast.Constant, ast.Load, ast.operator, ast.unaryop, ast.boolop, ast.cmpop),
)


@lru_cache(maxsize=4096)
def compiled(text: str) -> Callable[[Values], Any]:
    """An expression as a function of its letters; raises `Misfit` for what an expression may not hold.

    >>> compiled("-(-N // S)")({"N": 7, "S": 2})
    4
    """
    try:
        tree = ast.parse(str(text).strip(), mode="eval")
    except (SyntaxError, ValueError):
        raise Misfit(f"{text!r} is not an expression") from None
    for node in ast.walk(tree):
        named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in expressions.FUNCTIONS
        constant = isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
        if (
            not isinstance(node, _ALLOWED)
            or (isinstance(node, ast.Call) and not named)
            or (isinstance(node, ast.Constant) and not constant)
        ):
            raise Misfit(f"{text!r} holds more than arithmetic")
    code = compile(tree, "<expression>", "eval")
    functions = {"__builtins__": {}, **expressions.FUNCTIONS}
    return lambda values: eval(code, functions, dict(values))  # arithmetic only, as checked above


@lru_cache(maxsize=4096)
def _written_out(formula: str, terms: tuple[tuple[str, str], ...], changes: tuple[tuple[str, str], ...]) -> str:
    """A formula with its terms in it. What a change says is in the question's own letters, which no change reaches."""
    named, changed = dict(terms), dict(changes)

    class Inline(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id in changed:
                return _parsed(changed[node.id])
            return self.visit(_parsed(named[node.id])) if node.id in named else node

    return ast.unparse(Inline().visit(_parsed(formula)))


def _parsed(text: str) -> ast.expr:
    compiled(text)
    return ast.parse(text.strip(), mode="eval").body


def steps(text: str, values: Values) -> frozenset[float]:
    """All numbers that are met in working an expression out.

    >>> sorted(steps("(N - F) // S + 1", {"N": 20, "F": 5, "S": 3}))
    [1.0, 3.0, 5.0, 6.0, 15.0, 20.0]
    """

    def worth(node: ast.expr) -> float:
        return float(compiled(ast.unparse(node))(values))

    def met(node: ast.expr) -> frozenset[float]:
        if isinstance(node, ast.IfExp):
            return met(node.body if worth(node.test) else node.orelse)
        parts = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
        return frozenset({worth(node)}).union(*(met(part) for part in parts if isinstance(part, ast.expr)))

    return met(_parsed(text))


class Slip(NamedTuple):
    """One way to go wrong: letters set to something else, or a whole wrong value."""

    name: str
    set: tuple[tuple[str, str], ...]
    value: str
    when: str
    says: str
    hint: str
    convention: bool

    def applies(self, letters: Values) -> bool:
        """Whether it makes a difference to a question."""
        return not self.when or bool(compiled(self.when)(letters))


class Kind(NamedTuple):
    """A kind of question: how its letters are drawn, what is asked, how it is worked out, and how it goes wrong."""

    name: str
    topic: str
    ask: str
    unit: str
    draw: Mapping[str, Sequence[Any]]
    where: str
    letters: Mapping[str, str]
    shown: str
    terms: tuple[tuple[str, str], ...]
    formula: str
    within: float
    slips: tuple[Slip, ...]

    def right(self, letters: Values) -> Any:
        """The answer."""
        return compiled(_written_out(self.formula, self.terms, ()))(letters)

    def wrong(self, letters: Values, slips: Sequence[Slip]) -> Any:
        """What comes out with a slip, or with several at once that set different letters; None where nothing does."""
        text = self.way(slips)
        return None if text is None else compiled(text)(letters)

    def way(self, slips: Sequence[Slip]) -> str | None:
        """The formula as it is worked out with slips in it; None for slips that cannot meet."""
        if len(slips) == 1 and slips[0].value:
            return slips[0].value
        changes = tuple(change for slip in slips for change in slip.set)
        if any(slip.value for slip in slips) or len({name for name, _ in changes}) < len(changes):
            return None
        return _written_out(self.formula, self.terms, changes)

    def line(self, letters: Values) -> str:
        """The formula, the numbers in it, and the result."""
        filled = re.sub(
            r"[^\W\d_][^\W²³]*",
            lambda found: _bracketed(letters[found[0]]) if found[0] in letters else found[0],
            self.shown,
        )
        answer = _written(self.right(letters))
        result = f"{answer} {self.unit}".strip()
        return f"{self.shown} = {result}" if filled in (self.shown, answer) else f"{self.shown} = {filled} = {result}"


def _written(value: Any) -> str:
    return number(round(value, 6) if isinstance(value, float) and not value.is_integer() else int(value))


def _bracketed(value: Any) -> str:
    return f"({_written(value)})" if value < 0 else _written(value)


def kinds(extra: str = "") -> dict[str, Kind]:
    """All kinds of question by name, those of a teacher's file after ours; raises `SpecError`.

    >>> kinds()["channels"].right({"N": 28, "F": 5, "P": 2, "Ci": 3, "Co": 6})
    6
    """
    own = _ours()
    return own | _of_file(extra, own) if extra else dict(own)


@lru_cache(maxsize=1)
def _ours() -> dict[str, Kind]:
    return _read(Path(__file__).parent / "questions.yaml", {})


def _of_file(path: str, own: Mapping[str, Kind]) -> dict[str, Kind]:
    return _read(Path(path), own)


def _read(path: Path, own: Mapping[str, Kind]) -> dict[str, Kind]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise wrong_call(f"cannot be read: {error.strerror}", where=str(path)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise wrong_call(f"is not YAML: {getattr(error, 'problem', error)}", where=place) from None
    if not isinstance(content, dict):
        raise wrong_call("holds no kinds of question", "kind: {ask: …, draw: …, formula: …, slips: …}", where=str(path))
    return {str(name): _kind(str(name), body, own.get(str(name)), str(path)) for name, body in content.items()}


def _kind(name: str, body: Any, known: Kind | None, where: str) -> Kind:
    if not isinstance(body, dict):
        raise wrong_call(
            f"{name} is no kind of question", "a mapping with slips, or with ask, draw and formula too", where=where
        )
    fields = ("topic", "ask", "unit", "draw", "where", "letters", "shown", "terms", "formula", "within", "slips")
    for key in body:
        if key not in fields:
            raise wrong_call(
                f"{name} has no part {key}",
                did_you_mean(str(key), fields) or f"parts are {', '.join(fields)}",
                where=where,
            )
    slips = [_slip(str(key), value, where) for key, value in (body.get("slips") or {}).items()]
    if known is not None and set(body) == {"slips"}:
        made = known._replace(slips=(*known.slips, *slips))
    else:
        lacking = [key for key in ("topic", "ask", "draw", "formula") if key not in body]
        if lacking:
            raise wrong_call(f"{name} has no {lacking[0]}", f"a kind of question has {', '.join(fields)}", where=where)
        made = Kind(
            name=name,
            topic=str(body["topic"]),
            ask=str(body["ask"]),
            unit=str(body.get("unit", "")),
            draw=body["draw"],
            where=str(body.get("where", "")),
            letters={key: str(text) for key, text in (body.get("letters") or {}).items()},
            shown=str(body.get("shown", body["formula"])),
            terms=tuple((key, str(text)) for key, text in (body.get("terms") or {}).items()),
            formula=str(body["formula"]),
            within=float(body.get("within", 0.0)),
            slips=tuple(slips),
        )
    _try(made, where)
    return made


def _slip(name: str, body: Any, where: str) -> Slip:
    if not isinstance(body, dict) or ("set" in body) == ("value" in body) or "says" not in body:
        raise wrong_call(
            f"slip {name} wants set or value, and says", f'{name}: {{set: {{b: 0}}, says: "…"}}', where=where
        )
    changes = tuple((str(key), str(text)) for key, text in (body.get("set") or {}).items())
    value, when, says, hint = (str(body.get(key, "")) for key in ("value", "when", "says", "hint"))
    return Slip(name, changes, value, when, says, hint, bool(body.get("convention", False)))


def _try(kind: Kind, where: str) -> None:
    """One question with every slip, so that a wrong formula is found when the file is read."""
    letters = {key: values[0] for key, values in kind.draw.items()}
    part = "formula"
    try:
        letters |= {key: compiled(text)(letters) for key, text in kind.letters.items()}
        kind.right(letters)
        for slip in kind.slips:
            part = f"slip {slip.name}"
            known = {*letters, *dict(kind.terms)}
            strange = [name for name, _ in slip.set if name not in known]
            if strange:
                raise Misfit(
                    f"there is no letter {strange[0]}",
                    did_you_mean(strange[0], known) or f"letters are {', '.join(sorted(known))}",
                )
            slip.applies(letters)
            kind.wrong(letters, [slip])
    except Misfit as misfit:
        raise wrong_call(f"{kind.name}, {part}: {misfit.cause}", misfit.hint, where=where) from None
    except NameError as error:
        raise wrong_call(f"{kind.name}, {part}: {error}", f"letters are {', '.join(letters)}", where=where) from None
    except ZeroDivisionError:
        pass  # of these letters, which `where` may leave out
    except (TypeError, ValueError) as error:
        raise wrong_call(f"{kind.name}, {part}: {error}", where=where) from None


def topics(found: Mapping[str, Kind]) -> list[str]:
    """The topics in the order of the file."""
    return list(dict.fromkeys(kind.topic for kind in found.values()))


__all__ = ["Kind", "Slip", "SpecError", "compiled", "kinds", "steps", "topics"]
