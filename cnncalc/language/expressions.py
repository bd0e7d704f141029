"""The arithmetic that a spec may use, and nothing else.

An expression is data from a stranger. It is parsed by Python's own parser, checked against a short list of what may
stand in it, and evaluated here, with every intermediate number and list bounded, and every step paid for.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ..errors import Misfit, did_you_mean
from ..formula import combined, integer, largest, less, settled, smallest
from ..ops.kinds import LARGEST
from .budget import Budget

MAX_TEXT = 500
SHORT = 40
MAX_LIST = 10_000


def divisible(value: float, by: int) -> int:
    """The nearest multiple of `by`, at least `by`, and never more than 10 % below `value`.

    The channel rounding of the MobileNet and EfficientNet papers.

    >>> divisible(33, 8), divisible(11, 8), divisible(3, 8)
    (32, 16, 8)
    """
    if by <= 0:
        raise Misfit(f"divisible needs a multiple above 0, not {by}")
    rounded: int = largest(by, integer(value + by / 2) // by * by)
    return rounded + by * less(rounded, value * 0.9)


def _round(value: float, digits: int = 0) -> float:
    return round(value, min(max(digits, -20), 20)) if digits else round(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": smallest,
    "max": largest,
    "round": _round,
    "int": integer,
    "floor": math.floor,
    "ceil": math.ceil,
    "abs": abs,
    "len": len,
    "sum": sum,
    "divisible": divisible,
    "sqrt": lambda value: math.sqrt(settled(value)),
    "log2": lambda value: math.log2(settled(value)),
}
#: Functions that names of a file may hide, since they came later.
HIDDEN = frozenset({"sqrt", "log2"})
CONSTANTS = {"true": True, "false": False, "null": None}
#: Names that mean something everywhere.
OWN = frozenset({*FUNCTIONS, *CONSTANTS})

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


def _tree(text: str, budget: Budget) -> ast.expr:
    """The tree of an expression: short ones are known from file to file, others are kept while there is room."""
    if len(text) <= SHORT:
        return _short(text)
    tree = budget.trees.get(text)
    if tree is None:
        budget.spend(4 * len(text))
        tree = _parsed(text)
        if budget.room >= len(text):
            budget.room -= len(text)
            budget.trees[text] = tree
    return tree


@lru_cache(maxsize=1024)
def _short(text: str) -> ast.expr:
    return _parsed(text)


def _parsed(text: str) -> ast.expr:
    if len(text) > MAX_TEXT:
        raise Misfit(f"an expression of {len(text)} characters; at most {MAX_TEXT} are read", code="too-big")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of what will be an error later, as in `1if x else 2`
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        hint = ""
        if text.count("(") != text.count(")") or text.count("[") != text.count("]"):
            hint = "inside { }, an expression with , or [ ] wants quotes: {out_channels: 'max(8, c)'}"
        raise Misfit(f"{text!r} is not an expression", hint, code="expression") from None


@lru_cache(maxsize=1024)
def names_in(text: str) -> frozenset[str]:
    """The names that an expression uses; none where it cannot be read.

    >>> sorted(names_in("depths[0] if i == 0 else width"))
    ['depths', 'i', 'width']
    """
    try:
        return frozenset(node.id for node in ast.walk(_parsed(text)) if isinstance(node, ast.Name))
    except Misfit:
        return frozenset()


def evaluate(text: str, names: Mapping[str, Any], budget: Budget | None = None) -> Any:
    """The value of an expression; raises `Misfit`, and `Exhausted` where a budget is given that is too small.

    >>> evaluate("divisible(hidden * 0.25, 8) if se else 0", {"hidden": 96, "se": True})
    24
    """
    try:
        budget = budget or Budget()
        # No part of a text is worked out twice, but each name is looked for in all the scopes around.
        budget.spend(2 * len(text) * (1 + len(getattr(names, "maps", ())) // 8))
        return _value(_tree(text, budget), names, budget)
    except ZeroDivisionError:
        raise Misfit(f"{text!r} divides by zero", code="expression") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise Misfit(f"{text!r} cannot be worked out: {error}", code="expression") from None
    except IndexError:
        raise Misfit(f"{text!r} asks for an item that the list does not have", code="expression") from None
    except RecursionError:
        raise Misfit(f"{text!r} is nested too deeply", code="too-big") from None


def worked_out(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    """The value of arithmetic that is parsed already; raises `ArithmeticError` where there is none that one meets."""
    try:
        return _value(tree, values, Budget())
    except Misfit as misfit:
        raise ArithmeticError(misfit.cause) from None


def fill(template: str, names: Mapping[str, Any], budget: Budget | None = None) -> str:
    """A name with its `{expressions}` worked out, as in `denselayer{i + 1}`."""

    def word(match: re.Match[str]) -> str:
        value = evaluate(match.group(1), names, budget)
        if value is None or isinstance(value, list):
            raise Misfit(
                f"{match.group(1)!r} is no part of a name: it is {'null' if value is None else 'a list'}", code="name"
            )
        return str(value)

    return TEMPLATE.sub(word, template)


TEMPLATE = re.compile(r"\{([^{}]*)\}")


def _value(node: ast.expr, names: Mapping[str, Any], budget: Budget) -> Any:
    rule = _RULES.get(type(node))
    if rule is None:
        what = type(node).__name__.lower()
        raise Misfit(
            f"{ast.unparse(node)[:60]!r} may not stand in an expression: {what} is not among what a spec may use",
            "allowed are names, arithmetic, comparisons, and or not, a if c else b, lists, " + ", ".join(FUNCTIONS),
            code="expression",
        )
    return _bounded(rule(node, names, budget))


def _bounded(value: Any) -> Any:
    if type(value) is not bool and isinstance(value, (int, float)) and not -LARGEST <= value <= LARGEST:
        raise Misfit(f"a number beyond ±10^{len(str(LARGEST)) - 1}", code="too-big")
    return value


def items_in(value: Any) -> int:
    """The items of a list, those of lists inside it counted too; stops where there are too many.

    >>> items_in([1, [2, 3]]), items_in(7)
    (4, 0)
    """
    count = 0
    for each in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
        count += 1 + (items_in(each) if isinstance(each, (list, dict)) else 0)
        if count > MAX_LIST:
            break
    return count


def _new(items: list[Any], budget: Budget) -> list[Any]:
    """A list that an expression made, bounded and paid for."""
    count = items_in(items)
    budget.hold(count)
    if count > MAX_LIST:
        raise Misfit(f"a list of more than {MAX_LIST:,} items", code="too-big")
    return items


def _constant(node: ast.Constant, names: Mapping[str, Any], budget: Budget) -> Any:
    if node.value is None or isinstance(node.value, (bool, int, float, str)):
        return node.value
    raise Misfit(f"{node.value!r} may not stand in an expression", code="expression")


def _name(node: ast.Name, names: Mapping[str, Any], budget: Budget) -> Any:
    try:
        return names[node.id]
    except KeyError:
        pass
    if node.id in CONSTANTS:
        return CONSTANTS[node.id]
    budget.spend(6 * len(names))  # names like it are looked for
    known = sorted({*names, *FUNCTIONS})
    there = f"names here: {', '.join(sorted(names))}" if names else "args: declares names for the whole file"
    hint = did_you_mean(node.id, known) or there
    raise Misfit(f"there is no {node.id!r} here", hint, code="name")


def _binary(node: ast.BinOp, names: Mapping[str, Any], budget: Budget) -> Any:
    left, right = _value(node.left, names, budget), _value(node.right, names, budget)
    rule = _ARITHMETIC.get(type(node.op))
    if rule is not None and type(left) is int and type(right) is int:
        return rule(left, right)
    if isinstance(node.op, ast.Pow):
        return _power(left, right)
    if rule is None:
        raise Misfit(f"{ast.unparse(node)[:60]!r}: this operator is not among + - * / // % **", code="expression")
    if isinstance(left, list) or isinstance(right, list):
        _check_list_arithmetic(node.op, left, right)
        return _new(rule(left, right), budget)
    if isinstance(left, str) or isinstance(right, str):
        raise Misfit(f"{ast.unparse(node)[:60]!r} calculates with text", code="expression")
    return combined(rule, left, right)


def _check_list_arithmetic(op: ast.operator, left: Any, right: Any) -> None:
    if isinstance(op, ast.Add) and isinstance(left, list) and isinstance(right, list):
        return
    times = settled(right if isinstance(left, list) else left)
    items = left if isinstance(left, list) else right
    if not isinstance(op, ast.Mult) or not isinstance(times, int):
        raise Misfit("lists can be joined with + and repeated with *, nothing else", code="expression")
    if items_in(items) * times > MAX_LIST:
        raise Misfit(f"a list of more than {MAX_LIST:,} items", code="too-big")


def _power(base: Any, exponent: Any) -> Any:
    if isinstance(base, (str, list)) or isinstance(exponent, (str, list)):
        raise Misfit("only numbers have powers", code="expression")
    if abs(base) > 1 and exponent * math.log2(abs(base)) > math.log2(LARGEST) + 1:
        raise Misfit(f"{base}**{exponent} is a number beyond ±10^{len(str(LARGEST)) - 1}", code="too-big")
    result = base**exponent if abs(exponent) <= 10_000 else float(base) ** exponent
    if isinstance(result, complex):
        raise Misfit(f"{base}**{exponent} is not a real number", code="expression")
    return result


def _unary(node: ast.UnaryOp, names: Mapping[str, Any], budget: Budget) -> Any:
    value = _value(node.operand, names, budget)
    if isinstance(node.op, ast.Not):
        return not value
    if isinstance(node.op, ast.USub):
        return -value
    if isinstance(node.op, ast.UAdd):
        return +value
    raise Misfit(f"{ast.unparse(node)[:60]!r}: ~ is not among what a spec may use", code="expression")


def _logical(node: ast.BoolOp, names: Mapping[str, Any], budget: Budget) -> Any:
    stop = isinstance(node.op, ast.Or)
    value: Any = None
    for each in node.values:
        value = _value(each, names, budget)
        if bool(value) is stop:
            break
    return value


def _compare(node: ast.Compare, names: Mapping[str, Any], budget: Budget) -> bool:
    left = _value(node.left, names, budget)
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = _value(right_node, names, budget)
        rule = _COMPARISONS.get(type(op))
        if rule is None:
            raise Misfit(f"{ast.unparse(node)[:60]!r}: compare with == != < <= > >= in", code="expression")
        if isinstance(left, (list, dict)) or isinstance(right, (list, dict)):
            budget.spend(items_in(left) + items_in(right))
        if not combined(rule, left, right):
            return False
        left = right
    return True


def _choice(node: ast.IfExp, names: Mapping[str, Any], budget: Budget) -> Any:
    return _value(node.body if _value(node.test, names, budget) else node.orelse, names, budget)


def _list(node: ast.List, names: Mapping[str, Any], budget: Budget) -> list[Any]:
    return _new([_value(item, names, budget) for item in node.elts], budget)


def _subscript(node: ast.Subscript, names: Mapping[str, Any], budget: Budget) -> Any:
    items = _value(node.value, names, budget)
    if not isinstance(items, list):
        raise Misfit(f"{ast.unparse(node.value)[:60]!r} is not a list", code="expression")
    if isinstance(node.slice, ast.Slice):
        parts = (node.slice.lower, node.slice.upper, node.slice.step)
        chosen = slice(*(None if part is None else settled(_value(part, names, budget)) for part in parts))
        return _new(items[chosen], budget)
    index = settled(_value(node.slice, names, budget))
    if not isinstance(index, int):
        raise Misfit(f"{index!r} is not a place in a list", code="expression")
    return items[index]


def _call(node: ast.Call, names: Mapping[str, Any], budget: Budget) -> Any:
    function = FUNCTIONS.get(node.func.id) if isinstance(node.func, ast.Name) else None
    if function is None:
        called = ast.unparse(node.func)[:60]
        raise Misfit(
            f"{called!r} cannot be called",
            did_you_mean(called, FUNCTIONS) or f"there are {', '.join(FUNCTIONS)}",
            code="expression",
        )
    if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
        raise Misfit(f"{ast.unparse(node)[:60]!r}: functions take plain values", code="expression")
    arguments = [_value(each, names, budget) for each in node.args]
    lists = [argument for argument in arguments if isinstance(argument, list)]
    if lists:
        budget.spend(sum(map(len, lists)))
    if any(isinstance(item, (list, str)) for each in lists for item in each) and function is not len:
        raise Misfit(f"{ast.unparse(node)[:60]!r}: functions take numbers and lists of numbers", code="expression")
    if any(isinstance(argument, str) for argument in arguments):
        raise Misfit(f"{ast.unparse(node)[:60]!r} calculates with text", code="expression")
    return function(*arguments)


_RULES: dict[type[ast.expr], Callable[[Any, Mapping[str, Any], Budget], Any]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _logical,
    ast.Compare: _compare,
    ast.IfExp: _choice,
    ast.List: _list,
    ast.Subscript: _subscript,
    ast.Call: _call,
}
