"""Numbers that remember where they came from, so that one run of the calculator tells what it would do for others.

A `Whole` is an int, and a `Real` a float, with the value of one candidate; arithmetic on them gives numbers that also
know their formula over the knobs. Whatever is decided by comparing them is noted as a guard with its answer: for all
candidates whose guards answer the same, the calculator does the same, and the formulas hold.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

from .polynomial import Polynomial, TooMany, added, constant, divided, frozen, multiplied, number_of

#: A key of an atom: its operation, and what it works on, each a frozen polynomial, a constant, or an earlier atom.
Key = tuple[Any, ...]
#: Guards of a run at most; a run that notes more is one for a single candidate.
MOST_GUARDS = 20_000
#: Atoms of a run at most.
MOST_ATOMS = 20_000


class Trace:
    """What one run of the calculator notes: atoms by number, and guards."""

    def __init__(self) -> None:
        self.keys: list[Key] = []
        self.numbers: dict[Key, int] = {}
        self.guards: dict[tuple[str, Any], Any] = {}

    def atom(self, key: Key) -> int:
        """The number of an atom."""
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.keys)
            self.keys.append(key)
            if number >= MOST_ATOMS:
                raise TooMany
        return number

    def knob(self, name: int, value: float) -> Whole | Real:
        """A knob, with the value that it has for this candidate."""
        if isinstance(value, int):
            return Whole(value, {(self.atom(("knob", name)),): 1}, self)
        return self.real(value, "knob", name)

    def guard(self, kind: str, key: Any, answer: Any) -> None:
        """Note a decision."""
        self.guards[kind, key] = answer
        if len(self.guards) > MOST_GUARDS:
            raise TooMany

    def real(self, value: float, *key: Any) -> Real:
        """A number with a fraction, which is an atom too: so keys stay flat, however long what they come from."""
        return Real(value, ("atom", self.atom(key)), self)

    def of(self, value: int, *key: Any) -> int:
        """A whole number that is an atom."""
        return Whole(value, {(self.atom(key),): 1}, self)


class Whole(int):
    """A whole number with its polynomial."""

    polynomial: Polynomial
    trace: Trace

    def __new__(cls, value: int, polynomial: Polynomial, trace: Trace) -> Whole:
        made = super().__new__(cls, value)
        made.polynomial, made.trace = polynomial, trace
        return made

    def __hash__(self) -> int:
        # What is kept in a table is kept by where it came from: that two are equal for one candidate says nothing.
        return hash(frozen(self.polynomial))

    def __repr__(self) -> str:
        # What is kept by its text is kept by where it came from, too.
        return f"{int(self)}={frozen(self.polynomial)}"

    def __str__(self) -> str:
        return str(int(self))

    def settled(self) -> int:
        """The number as a plain one, which is noted: it decides how much there is of something."""
        plain = int(self)
        self.trace.guard("eq", frozen(added(self.polynomial, constant(plain), -1)), True)
        return plain

    @property
    def numerator(self) -> int:
        """What a fraction is made of, which is reduced by what the number happens to be: it is noted."""
        return self.settled()

    def __trunc__(self) -> Whole:
        return self

    __floor__ = __ceil__ = __pos__ = __trunc__

    def __round__(self, digits: Any = None) -> Any:
        return self if digits is None or digits >= 0 else round(self.settled(), digits)

    def __neg__(self) -> int:
        return Whole(-int(self), added({}, self.polynomial, -1), self.trace)

    def __abs__(self) -> int:
        return self if self >= 0 else -self

    def __bool__(self) -> bool:
        return self != 0

    def __float__(self) -> float:
        return float(self.settled())

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        power = other.settled() if isinstance(other, Whole) else other
        if not isinstance(power, int) or power < 0 or modulus is not None:
            return int(self.settled()) ** power
        result: Any = 1
        for _ in range(power):
            result = result * self
        return result

    def __rpow__(self, other: Any, modulus: Any = None) -> Any:
        return other ** self.settled()


class Real(float):
    """A number with a fraction, and the operations that made it, in their order: what is rounded is rounded alike."""

    key: Key
    trace: Trace

    def __new__(cls, value: float, key: Key, trace: Trace) -> Real:
        made = super().__new__(cls, value)
        made.key, made.trace = key, trace
        return made

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"{float(self)}={self.key}"

    def __str__(self) -> str:
        return str(float(self))

    def __trunc__(self) -> int:
        return self.trace.of(int(float(self)), "trunc", self.key)

    def __floor__(self) -> int:
        return self.trace.of(math.floor(float(self)), "floor", self.key)

    def __ceil__(self) -> int:
        return self.trace.of(math.ceil(float(self)), "ceil", self.key)

    def __round__(self, digits: Any = None) -> Any:
        if digits is None:
            return self.trace.of(round(float(self)), "round", self.key)
        return round(self.settled(), digits)

    def settled(self) -> float:
        """The number as a plain one, which is noted."""
        self.trace.guard("real eq", (self.key, ("constant", float(self))), True)
        return float(self)

    def __neg__(self) -> Any:
        return self.trace.real(-float(self), "neg", self.key)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self if self >= 0 else -self

    def __bool__(self) -> bool:
        return self != 0.0

    def __pow__(self, other: Any, modulus: Any = None) -> Any:
        return self.settled() ** (other.settled() if isinstance(other, (Whole, Real)) else other)

    def __rpow__(self, other: Any, modulus: Any = None) -> Any:
        return other ** self.settled()


def plain(value: Any) -> Any:
    """A number without its memory."""
    return float(value) if isinstance(value, Real) else int(value) if isinstance(value, Whole) else value


def key_of(value: Any) -> Key:
    """What a number is, as a part of a key."""
    if isinstance(value, Real):
        return value.key
    return ("constant", value) if isinstance(value, float) else ("whole", frozen(polynomial_of(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _real(function: Callable[[Any, Any], Any], name: str, a: Any, b: Any, trace: Trace) -> Any:
    if not (_is_number(a) and _is_number(b)):
        return NotImplemented
    return trace.real(float(function(plain(a), plain(b))), name, key_of(a), key_of(b))


def _whole(value: int, polynomial: Polynomial, trace: Trace) -> int:
    known = number_of(polynomial)
    return Whole(value, polynomial, trace) if known is None else known


def polynomial_of(value: int) -> Polynomial:
    """The polynomial of a number, with or without memory."""
    return value.polynomial if isinstance(value, Whole) else constant(int(value))


def _sum(a: Polynomial, b: Polynomial, trace: Trace) -> Polynomial:
    return added(a, b)


def _difference(a: Polynomial, b: Polynomial, trace: Trace) -> Polynomial:
    return added(a, b, -1)


def _product(a: Polynomial, b: Polynomial, trace: Trace) -> Polynomial:
    return multiplied(a, b)


def _quotient(a: Polynomial, b: Polynomial, trace: Trace) -> Polynomial:
    """a rounded down by b; what is divided without a remainder stays a polynomial."""
    if a == b:
        return constant(1)
    divisor = number_of(b)
    if divisor is None or divisor <= 0:
        return {(trace.atom(("//", frozen(a), frozen(b))),): 1}
    whole, rest = divided(a, divisor)
    left = number_of(rest)
    if left is not None:
        return added(whole, constant(left // divisor))
    return added(whole, {(trace.atom(("//", frozen(rest), frozen(b))),): 1})


def _remainder(a: Polynomial, b: Polynomial, trace: Trace) -> Polynomial:
    return added(a, multiplied(b, _quotient(a, b, trace)), -1)


def _arithmetic(name: str, function: Callable[[Any, Any], Any], rule: Callable[..., Polynomial] | None) -> None:
    """Give both classes an operation, from both sides; one without a rule has no whole results."""

    def combined(a: Any, b: Any, trace: Trace) -> Any:
        if rule is None or isinstance(a, float) or isinstance(b, float):
            return _real(function, name, a, b, trace)
        if not (isinstance(a, int) and isinstance(b, int)):
            return NotImplemented
        return _whole(function(int(a), int(b)), rule(polynomial_of(a), polynomial_of(b), trace), trace)

    for each in (Whole, Real):
        setattr(each, f"__{name}__", lambda self, other: combined(self, other, self.trace))
        setattr(each, f"__r{name}__", lambda self, other: combined(other, self, self.trace))


_arithmetic("add", operator.add, _sum)
_arithmetic("sub", operator.sub, _difference)
_arithmetic("mul", operator.mul, _product)
_arithmetic("floordiv", operator.floordiv, _quotient)
_arithmetic("mod", operator.mod, _remainder)
_arithmetic("truediv", operator.truediv, None)


def _comparison(name: str, function: Callable[[Any, Any], bool]) -> None:
    """Give both classes a comparison, whose answer is noted."""

    def compared(self: Any, other: Any) -> Any:
        if not _is_number(other):
            return NotImplemented
        answer = function(plain(self), plain(other))
        if isinstance(self, float) or isinstance(other, float):
            self.trace.guard(f"real {name}", (key_of(self), key_of(other)), answer)
            return answer
        difference = added(polynomial_of(self), polynomial_of(other), -1)
        if number_of(difference) is None:
            self.trace.guard(name, frozen(difference), answer)
        return answer

    for each in (Whole, Real):
        setattr(each, f"__{name}__", compared)


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "lt", "le", "gt", "ge")
}
for _name, _function in COMPARISONS.items():
    _comparison(_name, _function)


#: What a fraction on the left of a whole number is asked for, by the function that is called.
_REFLECTED = {
    **{getattr(operator, name): f"__r{name}__" for name in ("add", "sub", "mul", "floordiv", "mod", "truediv")},
    operator.eq: "__eq__", operator.ne: "__ne__",
    operator.lt: "__gt__", operator.le: "__ge__", operator.gt: "__lt__", operator.ge: "__le__",
}  # fmt: skip


def _combined(self: Any, function: Callable[[Any, Any], Any], left: float) -> Any:
    """A function of a fraction and this number."""
    name = _REFLECTED.get(function)
    return function(left, self.settled()) if name is None else getattr(self, name)(left)


def _extreme(largest: bool, values: Sequence[Any]) -> Any:
    """The largest or smallest of some numbers as a value, without deciding which it is."""
    trace = next(value.trace for value in values if isinstance(value, (Whole, Real)))
    name, best = ("max", max(map(plain, values))) if largest else ("min", min(map(plain, values)))
    if any(isinstance(value, float) for value in values):
        return trace.real(float(best), name, *map(key_of, values))
    different = dict.fromkeys(frozen(polynomial_of(value)) for value in values)
    if len(different) == 1:
        return next(value for value in values if isinstance(value, Whole))
    return trace.of(best, name, *(("whole", each) for each in different))


def _less(a: Any, b: Any) -> int:
    """1 where a is less than b, and otherwise 0, as a value."""
    trace = next(value.trace for value in (a, b) if isinstance(value, (Whole, Real)))
    return trace.of(int(plain(a) < plain(b)), "less", key_of(a), key_of(b))


def _greatest_common(a: int, b: int) -> int:
    """The greatest common divisor, as a value."""
    trace = next(value.trace for value in (a, b) if isinstance(value, Whole))
    return trace.of(math.gcd(int(a), int(b)), "gcd", key_of(a), key_of(b))


for _each in (Whole, Real):
    for _called, _answer in (
        ("extreme", staticmethod(_extreme)),
        ("less", staticmethod(_less)),
        ("greatest_common", staticmethod(_greatest_common)),
        ("combined", _combined),
    ):
        setattr(_each, _called, _answer)
