"""Kinds of question and the slips by which answers go wrong, read from data: ours, and a teacher's own file."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

from ..errors import Misfit, did_you_mean, usage_error
from ..language import expressions
from ..ops.kinds import LARGEST
from ..quantities import number
from ..record import Record
from .files import load, plain

Values = Mapping[str, Any]
_ALLOWED = (
    *(ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call),
    *(ast.Name, ast.Constant, ast.Load, ast.boolop, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not),
)
#: Characters of an expression, with all its terms written out.
MAX_TEXT = 2000


@lru_cache(maxsize=4096)
def compiled(text: str) -> Callable[[Values], Any]:
    """An expression as a function of its letters; raises `Misfit` for what an expression may not hold.

    >>> compiled("-(-N // S)")({"N": 7, "S": 2})
    4
    """
    if len(text) > MAX_TEXT:
        raise Misfit(f"an expression of {len(text)} characters; at most {MAX_TEXT} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
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
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - expressions.OWN

    def worked_out(values: Values) -> Any:
        for name in names:
            if name not in values:
                raise NameError(f"name {name!r} is not defined")
        return expressions.worked_out(tree.body, values)

    return worked_out


@lru_cache(maxsize=4096)
def _written_out(formula: str, terms: tuple[tuple[str, str], ...], changes: tuple[tuple[str, str], ...]) -> str:
    """A formula with its terms in it. What a change says is in the question's own letters, which no change reaches."""
    named, changed = dict(terms), dict(changes)
    written = 0

    class Inline(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            nonlocal written
            written += 1
            if written > MAX_TEXT:
                raise Misfit(f"a formula of more than {MAX_TEXT} letters, with its terms written out")
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


class Slip(Record):
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
        return not self.when or bool(_worked_out(self.when, letters))


def _worked_out(text: str, letters: Values) -> Any:
    """The value of an expression; None where it has none, as what is divided by zero."""
    try:
        return compiled(text)(letters)
    except ArithmeticError:
        return None


class QuestionKind(Record):
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

    def completed(self, letters: Values) -> dict[str, Any]:
        """The letters, and those that follow from them; one that is given stays as it is."""
        follow = {key: compiled(text)(letters) for key, text in self.letters.items() if key not in letters}
        return {**letters, **follow}

    def right(self, letters: Values) -> Any:
        """The answer."""
        return compiled(_written_out(self.formula, self.terms, ()))(letters)

    def wrong(self, letters: Values, slips: Sequence[Slip]) -> Any:
        """What comes out with a slip, or with several at once that set different letters; None where nothing does."""
        text = self.way(slips)
        return None if text is None else _worked_out(text, letters)

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


def kinds(extra: str = "") -> dict[str, QuestionKind]:
    """All kinds of question by name, those of a teacher's file after ours; raises `SpecError`.

    >>> kinds()["channels"].right({"N": 28, "F": 5, "P": 2, "Ci": 3, "Co": 6})
    6
    """
    own = _ours()
    return own | _read(Path(extra), own) if extra else dict(own)


@lru_cache(maxsize=1)
def _ours() -> dict[str, QuestionKind]:
    return _read(Path(__file__).parent / "questions.yaml", {})


def _read(path: Path, own: Mapping[str, QuestionKind]) -> dict[str, QuestionKind]:
    content = plain(load(path))
    made = {name: _kind(name, body, own.get(name), str(path)) for name, body in content.items() if name != "credit"}
    credit_of(content.get("credit"), str(path))
    return made


#: The share of the points for an answer that is not plainly right. A teacher's file of kinds and slips may set others,
#: for worksheets and banks alike, and a worksheet its own.
CREDIT = {"convention": 1.0, "carried": 1.0, "slip": 0.5, "slips": 0.25}


def credit(extra: str = "") -> dict[str, float]:
    """The shares of the points, as a teacher's file of kinds and slips sets them; raises `SpecError`."""
    return CREDIT | (credit_of(plain(load(Path(extra))).get("credit"), extra) if extra else {})


def credit_of(given: Any, where: str) -> dict[str, float]:
    """Shares of the points that were written in a file; raises `SpecError` for what are none."""
    if not isinstance(given or {}, dict):
        raise usage_error("credit is no mapping", "credit: {slip: 0.5}", where=where)
    for key, share in (given or {}).items():
        if key not in CREDIT:
            raise usage_error(f"there is no credit for {key}", f"credit: {{{', '.join(CREDIT)}}}", where=where)
        if not is_number(share) or not 0 <= share <= 1:
            raise usage_error(f"credit for {key} is {share!r}", "a share of the points from 0 to 1", where=where)
    return dict(given or {})


def _kind(name: str, body: Any, known: QuestionKind | None, where: str) -> QuestionKind:
    if not isinstance(body, dict):
        raise usage_error(
            f"{name} is no kind of question", "a mapping with slips, or with ask, draw and formula too", where=where
        )
    fields = ("topic", "ask", "unit", "draw", "where", "letters", "shown", "terms", "formula", "within", "slips")
    for key in body:
        if key not in fields:
            raise usage_error(
                f"{name} has no part {key}",
                did_you_mean(str(key), fields) or f"parts are {', '.join(fields)}",
                where=where,
            )
    for key in ("letters", "terms", "slips", "draw"):
        if not isinstance(body.get(key) or {}, dict):
            raise usage_error(f"{name}: {key} is no mapping", f"{key}: {{…}}", where=where)
    for letter, values in (body.get("draw") or {}).items():
        numbers = [each for each in values if is_number(each)] if isinstance(values, list) else []
        if not numbers or len(numbers) < len(values):
            raise usage_error(f"{name}: {letter} is drawn from {values!r}", f"draw: {{{letter}: [3, 5]}}", where=where)
        if not str(letter).isidentifier() or letter in expressions.FUNCTIONS:
            raise usage_error(f"{name}: {letter!r} cannot be a letter", "letters are names such as N", where=where)
    if not is_number(body.get("within", 0)) or not 0 <= body.get("within", 0) < 1:
        raise usage_error(f"{name}: within is {body['within']!r}", "a share, as in within: 0.01", where=where)
    slips = [_slip(f"{key}", value, where) for key, value in (body.get("slips") or {}).items()]
    if known is not None and set(body) == {"slips"}:
        made = known._replace(slips=(*known.slips, *slips))
    else:
        lacking = [key for key in ("topic", "ask", "draw", "formula") if key not in body]
        if lacking:
            raise usage_error(f"{name} has no {lacking[0]}", f"a kind of question has {', '.join(fields)}", where=where)
        made = QuestionKind(
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


def is_number(value: Any) -> bool:
    """Whether a value is a number of a size that one meets."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST


_OF_SLIPS = ("set", "value", "when", "says", "hint", "convention")


def _slip(name: str, body: Any, where: str) -> Slip:
    if not isinstance(body, dict) or ("set" in body) == ("value" in body) or "says" not in body:
        raise usage_error(
            f"slip {name} wants set or value, and says", f'{name}: {{set: {{b: 0}}, says: "…"}}', where=where
        )
    for key in body:
        if key not in _OF_SLIPS:
            hint = did_you_mean(str(key), _OF_SLIPS) or f"parts are {', '.join(_OF_SLIPS)}"
            raise usage_error(f"slip {name} has no part {key}", hint, where=where)
    if not isinstance(body.get("set", {}), dict):
        raise usage_error(f"slip {name}: set is no mapping", f"{name}: {{set: {{b: 0}}, says: …}}", where=where)
    changes = tuple((str(key), str(text)) for key, text in (body.get("set") or {}).items())
    value, when, says, hint = (str(body.get(key, "")) for key in ("value", "when", "says", "hint"))
    return Slip(name, changes, value, when, says, hint, bool(body.get("convention", False)))


def _try(kind: QuestionKind, where: str) -> None:
    """One question with every slip, so that what is wrong is found when the file is read."""
    letters = {key: values[0] for key, values in kind.draw.items()}
    part = "formula"
    try:
        part = "letters"
        letters = kind.completed(letters)
        part = "ask"
        _refuse_strange_fields(kind.ask, letters)
        part = "where"
        if kind.where:
            compiled(kind.where)(letters)
        part = "formula"
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
            _refuse_strange_fields(slip.says, letters)
            slip.applies(letters)
            kind.wrong(letters, [slip])
    except Misfit as misfit:
        raise usage_error(f"{kind.name}, {part}: {misfit.cause}", misfit.hint, where=where) from None
    except NameError as error:
        raise usage_error(f"{kind.name}, {part}: {error}", f"letters are {', '.join(letters)}", where=where) from None
    except ArithmeticError:
        pass  # of these letters, which `where` may leave out
    except RecursionError:
        raise usage_error(f"{kind.name}, {part}: its terms go round in a circle", where=where) from None
    except (TypeError, ValueError, SyntaxError) as error:
        raise usage_error(f"{kind.name}, {part}: {error}", where=where) from None


def _refuse_strange_fields(text: str, letters: Values) -> None:
    """Raise `Misfit` for a text that has anything but letters in its brackets."""
    try:
        parts = [part for part in Formatter().parse(text) if part[1] is not None]
    except ValueError as error:
        raise Misfit(f"{text!r}: {error}", "a bracket that is meant is written twice: {{") from None
    for _, field, form, conversion in parts:
        if form or conversion:
            raise Misfit(f"{{{field}…}} says how a letter is to be written", f"write {{{field}}}")
        if field not in letters:
            raise Misfit(f"there is no letter {{{field}}} to write", f"letters are {', '.join(letters)}")


def topics(registry: Mapping[str, QuestionKind]) -> list[str]:
    """The topics in the order of the file."""
    return list(dict.fromkeys(kind.topic for kind in registry.values()))
