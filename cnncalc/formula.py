"""Formula and Step: compute it, or write it down.

A formula is a Python function of the letters in the textbook whose body is one arithmetic expression. Calling it
gives the number, for ints, NumPy int64 arrays and SymPy symbols alike. The line that is shown is derived from the
same body, so that what is displayed is what was computed.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cached_property
from math import gcd, trunc
from types import FunctionType, MappingProxyType
from typing import Any

from .quantities import is_plain, number
from .record import Record

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


def integer(value: Any) -> int:
    """A number without its fraction; in arithmetic that remembers where a number came from, with what it remembers.

    >>> integer(7), integer(2.5)
    (7, 2)
    """
    found: int = trunc(value)
    return found


def settled(value: Any) -> Any:
    """A number that decides how much there is of something, as a plain one.

    A number that remembers where it came from notes that it was asked for: Python itself would not tell it.
    """
    ask = getattr(value, "settled", None)
    return value if ask is None else ask()


def distinct(values: Iterable[Any]) -> list[Any]:
    """The different ones of some values, found by comparing them: sets know numbers by more than what they are."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return found


def combined(function: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    """A function of two numbers; a fraction on the left does not ask a whole number on the right what it remembers."""
    ask = getattr(b, "combined", None) if type(a) is float else None
    return function(a, b) if ask is None else ask(function, a)


def largest(*values: Any) -> Any:
    """The largest of several values, or of a list, as `max` has it: as a value, where a number remembers."""
    return _extreme(max, values)


def smallest(*values: Any) -> Any:
    """The smallest of several values, or of a list."""
    return _extreme(min, values)


def _extreme(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
    ask = next((each.extreme for each in items if hasattr(each, "extreme")), None)
    return function(*values) if ask is None else ask(function is max, items)


def greatest_common(a: Any, b: Any) -> int:
    """The greatest common divisor."""
    ask = getattr(a, "greatest_common", None) or getattr(b, "greatest_common", None)
    found: int = gcd(a, b) if ask is None else ask(a, b)
    return found


def less(a: Any, b: Any) -> int:
    """1 where a is less than b, and otherwise 0: a value, so that nothing is decided by it."""
    ask = getattr(a, "less", None) or getattr(b, "less", None)
    found: int = int(a < b) if ask is None else ask(a, b)
    return found


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
        return self.written()

    @property
    def latex(self) -> str:
        return self.written(latex=True)

    def written(self, letters: Mapping[str, Any] = MappingProxyType({}), latex: bool = False) -> str:
        """Its expression as plain text or LaTeX, with letters replaced where values are given."""
        from .notation import Latex, Text

        return (Latex if latex else Text)(letters).write(self.body)


class Step(Record):
    """A formula and the integers it was given: the value now, the text only when asked for."""

    formula: Formula
    letters: Mapping[str, Any]

    @property
    def value(self) -> Any:
        return self.formula.function(**self.letters)

    @property
    def substitution(self) -> str:
        return self.formula.written(self.letters)

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
        return self.formula.written(self.letters, latex=True)

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
