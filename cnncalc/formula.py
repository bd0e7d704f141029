"""Formula and Step: compute it, or write it down.

A formula is a Python function of the letters in the textbook whose body is one arithmetic expression. Calling it
gives the number, for ints, NumPy int64 arrays and SymPy symbols alike. The line that is shown is derived from the
same body, so that what is displayed is what was computed.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from types import FunctionType, MappingProxyType
from typing import Any, NamedTuple

from .quantities import is_plain, number

CHAPTERS = (
    "output size",
    "parameters",
    "multiply-adds",
    "other work",
    "connections",
    "memory",
    "receptive field",
    "training",
)

LETTERS = {
    "N": "input size along an axis",
    "F": "kernel size (∏F: product over the axes)",
    "S": "stride",
    "P": "padding on each side",
    "P_total": "padding of both sides together",
    "P_end": "padding at the end of the axis",
    "D": "dilation",
    "A": "output padding",
    "O": "output size along an axis (∏O: positions of the output, channels left out)",
    "C": "input channels (or features)",
    "K": "output channels: the number of filters (or features)",
    "G": "groups",
    "β": "1 where the layer has a bias, 0 where it has none",
    "R": "scale factor",
    "X": "sizes of the axes that are joined",
    "start": "first index that is taken",
    "stop": "index after the last one that is taken",
    "step": "distance between the indices that are taken",
    "T": "pairs of an input and an output plane that are connected",
    "W": "inputs in all windows along an axis together",
    "E": "elements of the tensor",
    "Y": "sizes of the output, channels included (∏Y: its elements)",
    "Q": "operations for each element",
    "L": "length of the sequence that asks (queries)",
    "M": "positions that share the weights; length of the sequence that is asked (keys)",
    "U": "features of the keys",
    "V": "features of the values",
    "H": "attention heads",
    "B": "images in the batch",
    "b": "bytes for each value",
    "m": "branches that meet",
    "J": "vectors that are learnt as biases",
    "a": "keys and values that are appended",
    "MACs": "multiply-adds of the layer",
    "FLOPs": "FLOPs of one image",
    "s": "tensors that the optimizer keeps for each parameter",
    "n": "size of each branch along the joined axis",
    "r": "receptive field so far",
    "j": "stride so far: input pixels between neighbouring outputs",
    "p": "padding so far, in input pixels",
}


def prod(values: Any) -> Any:
    """The product of one or several values, in whatever arithmetic they bring (1 for none)."""
    result: Any = 1
    for value in values if isinstance(values, tuple) else (values,):
        result = result * value
    return result


def total(values: Any) -> Any:
    """The sum of several values, in whatever arithmetic they bring."""
    result: Any = 0
    for value in values if isinstance(values, tuple) else (values,):
        result = result + value
    return result


def over(a: Any, b: Any) -> Any:
    """A quotient that is known to have no remainder, as C/G where groups divide the channels."""
    return a // b


def ratio(a: Any, b: Any) -> Any:
    """A true quotient: a fraction of whole numbers, so that nothing is rounded."""
    return Fraction(a, b) if isinstance(a, int) and isinstance(b, int) else a / b


def ceil_div(a: Any, b: Any) -> Any:
    """⌈a/b⌉ in integers."""
    return -(-a // b)


def floor(a: Any) -> Any:
    """⌊a⌋, an int for ints and floats."""
    result = a // 1
    return int(result) if isinstance(result, float) else result


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two, without a comparison, so that arrays and symbols pass through."""
    return (a + b - abs(a - b)) // 2


class Formula:
    """A function of the textbook's letters, with its unit and its source.

    >>> from cnncalc.ops.conv import conv_output
    >>> conv_output(N=32, F=5, S=1, P=0, D=1)
    28
    >>> print(conv_output.step(N=32, F=5, S=1, P=0, D=1).line)
    ⌊(32 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 28
    """

    def __init__(
        self,
        function: FunctionType,
        name: str,
        chapter: str,
        symbol: str,
        unit: str,
        source: str,
        means: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.function, self.name, self.chapter = function, name, chapter
        self.symbol, self.unit, self.source, self.means = symbol, unit, source, means

    def __repr__(self) -> str:
        return f"<formula {self.name}: {self.text}>"

    def __call__(self, *values: Any, **letters: Any) -> Any:
        return self.function(*values, **letters)

    def step(self, **letters: Any) -> Step:
        return Step(self, letters)

    @property
    def letters(self) -> tuple[str, ...]:
        """The letters that it takes, in their order."""
        code = self.function.__code__
        return code.co_varnames[: code.co_argcount]

    @property
    def legend(self) -> dict[str, str]:
        """What its letters mean: here, or as everywhere."""
        return {letter: self.means.get(letter) or LETTERS[letter] for letter in self.letters}

    @property
    def remark(self) -> str:
        """What the docstring adds: when the formula holds, where it surprises."""
        return textwrap.dedent(self.function.__doc__ or "").strip()

    @cached_property
    def body(self) -> ast.expr:
        import inspect

        tree = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        function = next(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        returned = function.body[-1]
        if not isinstance(returned, ast.Return) or returned.value is None:
            raise TypeError(f"the body of formula {self.name!r} is not one returned expression")
        return returned.value

    @property
    def text(self) -> str:
        return _Text({}).write(self.body)

    @property
    def latex(self) -> str:
        return _Latex({}).write(self.body)


class Step(NamedTuple):
    """A formula and the integers it was given: the value now, the text only when asked for."""

    formula: Formula
    letters: Mapping[str, Any]

    @property
    def value(self) -> Any:
        return self.formula.function(**self.letters)

    @property
    def substitution(self) -> str:
        return _Text(self.letters).write(self.formula.body)

    @property
    def line(self) -> str:
        """Substitution and result, as in `⌊(32 + 2·0 − 1·(5 − 1) − 1)/1⌋ + 1 = 28`."""
        result = number(self.value)
        return result if self.substitution == result else f"{self.substitution} {self.equals} {result}"

    @property
    def equals(self) -> str:
        """What stands before the result: ≈ where it is a fraction that is shown rounded."""
        return "=" if is_plain(self.value) else "≈"

    @property
    def latex(self) -> str:
        """Substitution and result in LaTeX."""
        written, result = self.latex_substitution, self.latex_result
        equals = self.equals.replace("≈", r"\approx")
        return result if written == number(self.value, "") else f"{written} {equals} {result}"

    @property
    def latex_substitution(self) -> str:
        return _Latex(self.letters).write(self.formula.body)

    @property
    def latex_result(self) -> str:
        return number(self.value).replace(",", "{,}").replace("−", "-")


#: All formulas that are loaded, in the order of their definition.
FORMULAS: dict[str, Formula] = {}


def formula(
    name: str,
    *,
    chapter: str,
    unit: str,
    source: str,
    symbol: str = "",
    means: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[Callable[..., Any]], Formula]:
    """Make a formula of a function whose body is one arithmetic expression.

    `unit` and `source` are required, so that no number can exist without them. `means` says what a letter stands for in
    this formula, where that is not what it stands for everywhere.
    """
    assert chapter in CHAPTERS, chapter

    def register(function: Callable[..., Any]) -> Formula:
        assert isinstance(function, FunctionType)
        made = Formula(function, name, chapter, symbol, unit, source, means)
        unknown = [letter for letter in made.letters if letter not in LETTERS and letter not in means]
        strange = [letter for letter in means if letter not in made.letters]
        assert name not in FORMULAS and not unknown and not strange, (name, unknown, strange)
        FORMULAS[name] = made
        return made

    return register


# How the operators are written. One table: a tighter operator has a higher number; a child that binds less tightly
# than its place demands goes into parentheses.
_SUM, _QUOTIENT, _PRODUCT, _UNARY, _POWER, _ATOM = range(1, 7)


class _Text:
    """Writes an expression as plain text, with letters replaced where values are given."""

    times, minus = "·", " − "

    def __init__(self, letters: Mapping[str, Any]) -> None:
        self.letters = letters

    def write(self, node: ast.expr) -> str:
        return self._at(node, _SUM)

    def _at(self, node: ast.expr, place: int) -> str:
        text, binding = self._expression(node)
        return text if binding >= place else self.grouped(text)

    def _expression(self, node: ast.expr) -> tuple[str, int]:
        if isinstance(node, ast.BinOp):
            return self._operation(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return "−" + self._at(node.operand, _POWER), _UNARY
        if isinstance(node, ast.Constant):
            return str(node.value), _ATOM
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return self._call(node.func.id, node.args)
        raise TypeError(f"a formula cannot contain {ast.dump(node)}")

    def _operation(self, node: ast.BinOp) -> tuple[str, int]:
        left, right = node.left, node.right
        if isinstance(node.op, ast.Add):
            return f"{self._at(left, _SUM)} + {self._at(right, _QUOTIENT)}", _SUM
        if isinstance(node.op, ast.Sub):
            return f"{self._at(left, _SUM)}{self.minus}{self._at(right, _PRODUCT)}", _SUM
        if isinstance(node.op, ast.Mult):
            return f"{self._at(left, _PRODUCT)}{self.times}{self._at(right, _PRODUCT)}", _PRODUCT
        if isinstance(node.op, ast.FloorDiv):
            return self.floored(left, right), _ATOM
        if isinstance(node.op, ast.Pow):
            return self.raised(self._at(left, _ATOM), self._at(right, _ATOM)), _POWER
        raise TypeError(f"a formula cannot contain {ast.dump(node.op)}")

    def _name(self, letter: str) -> tuple[str, int]:
        if letter not in self.letters:
            return self.letter(letter), _ATOM
        value = self.letters[letter]
        if isinstance(value, tuple):
            return ", ".join(number(item, "") for item in value), _ATOM
        text = number(value, "")
        if value < 0:
            return text, _SUM  # so that it goes into parentheses wherever it does not stand first
        return (text, _PRODUCT) if isinstance(value, Fraction) and value.denominator > 1 else (text, _ATOM)

    def _call(self, name: str, arguments: list[ast.expr]) -> tuple[str, int]:
        if name in ("prod", "total"):
            return self._series(name, arguments[0])
        if name in ("over", "ratio"):
            return self.quotient(*arguments)
        if name == "ceil_div":
            return self.ceiled(*arguments), _ATOM
        if name == "floor":
            return self.rounded_down(self.write(arguments[0])), _ATOM
        if name == "minimum":
            return self.smaller(*(self.write(argument) for argument in arguments)), _ATOM
        raise TypeError(f"a formula cannot call {name}")

    def _series(self, name: str, argument: ast.expr) -> tuple[str, int]:
        assert isinstance(argument, ast.Name)
        sign, binding = (self.times, _PRODUCT) if name == "prod" else (" + ", _SUM)
        if argument.id not in self.letters:
            return ("∏" if name == "prod" else "∑") + self.letter(argument.id), _ATOM
        value = self.letters[argument.id]
        values = value if isinstance(value, tuple) else (value,)
        if not values:
            return str(1 if name == "prod" else 0), _ATOM
        return sign.join(number(item, "") for item in values), _ATOM if len(values) == 1 else binding

    def letter(self, name: str) -> str:
        return name

    def grouped(self, text: str) -> str:
        return f"({text})"

    def raised(self, base: str, power: str) -> str:
        return base + power.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))

    def quotient(self, above: ast.expr, below: ast.expr) -> tuple[str, int]:
        return f"{self._at(above, _PRODUCT)}/{self._at(below, _UNARY)}", _QUOTIENT

    def floored(self, above: ast.expr, below: ast.expr) -> str:
        return f"⌊{self._at(above, _PRODUCT)}/{self._at(below, _UNARY)}⌋"

    def rounded_down(self, text: str) -> str:
        return f"⌊{text}⌋"

    def ceiled(self, above: ast.expr, below: ast.expr) -> str:
        return f"⌈{self._at(above, _PRODUCT)}/{self._at(below, _UNARY)}⌉"

    def smaller(self, left: str, right: str) -> str:
        return f"min({left}, {right})"


class _Latex(_Text):
    r"""Writes an expression as LaTeX mathematics, as in `\left\lfloor\frac{32 - 5}{1}\right\rfloor + 1`."""

    times = r" \cdot "

    def write(self, node: ast.expr) -> str:
        return super().write(node).replace("−", "-").replace("∏", r"\prod ").replace("∑", r"\sum ")

    def letter(self, name: str) -> str:
        name = name.replace("β", r"\beta")
        head, _, tail = name.partition("_")
        head = head if len(head) == 1 or head.startswith("\\") else rf"\mathrm{{{head}}}"
        return rf"{head}_{{\mathrm{{{tail}}}}}" if tail else head

    def grouped(self, text: str) -> str:
        return rf"\left({text}\right)"

    def raised(self, base: str, power: str) -> str:
        return f"{base}^{{{power}}}"

    def quotient(self, above: ast.expr, below: ast.expr) -> tuple[str, int]:
        return rf"\frac{{{self.write(above)}}}{{{self.write(below)}}}", _ATOM

    def floored(self, above: ast.expr, below: ast.expr) -> str:
        return rf"\left\lfloor{self.quotient(above, below)[0]}\right\rfloor"

    def rounded_down(self, text: str) -> str:
        return rf"\left\lfloor{text}\right\rfloor"

    def ceiled(self, above: ast.expr, below: ast.expr) -> str:
        return rf"\left\lceil{self.quotient(above, below)[0]}\right\rceil"

    def smaller(self, left: str, right: str) -> str:
        return rf"\min({left}, {right})"
