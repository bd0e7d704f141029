"""Polynomials with whole coefficients, over the knobs of a space and over what is no polynomial of them.

A polynomial maps monomials to coefficients; a monomial is a sorted tuple of the numbers of its atoms, each as often as
its power. An atom is a knob, or an operation on polynomials that is none itself, as a quotient that is rounded down.
"""

from __future__ import annotations

from collections.abc import Iterator

Monomial = tuple[int, ...]
Polynomial = dict[Monomial, int]
#: A polynomial as a part of a key.
Frozen = tuple[tuple[Monomial, int], ...]


#: Terms of a polynomial, and factors of a term, at most; what grows beyond is worked out candidate by candidate.
MOST_TERMS, MOST_FACTORS = 20_000, 60


class TooMany(Exception):
    """A run of the calculator makes or decides too much by its numbers to hold for any others."""


def constant(value: int) -> Polynomial:
    """A number."""
    return {(): value} if value else {}


def frozen(p: Polynomial) -> Frozen:
    """The same as a key: equal polynomials have equal keys."""
    return tuple(sorted(p.items()))


def number_of(p: Polynomial) -> int | None:
    """The number that a polynomial is; None where it depends on anything."""
    return 0 if not p else p[()] if len(p) == 1 and () in p else None


def added(p: Polynomial, q: Polynomial, times: int = 1) -> Polynomial:
    """p + times·q.

    >>> added({(0,): 2, (): 1}, {(0,): 2}, -1)
    {(): 1}
    """
    result = dict(p)
    for monomial, coefficient in q.items():
        value = result.get(monomial, 0) + times * coefficient
        if value:
            result[monomial] = value
        else:
            result.pop(monomial, None)
    return result


def multiplied(p: Polynomial, q: Polynomial) -> Polynomial:
    """p·q.

    >>> multiplied({(0,): 1, (): 1}, {(0,): 1, (): -1})
    {(0, 0): 1, (): -1}
    """
    result: Polynomial = {}
    if len(p) * len(q) > MOST_TERMS:
        raise TooMany
    for one, a in p.items():
        for other, b in q.items():
            if len(one) + len(other) > MOST_FACTORS:
                raise TooMany
            monomial = tuple(sorted(one + other)) if one and other else one or other
            value = result.get(monomial, 0) + a * b
            if value:
                result[monomial] = value
            else:
                result.pop(monomial, None)
    return result


def divided(p: Polynomial, divisor: int) -> tuple[Polynomial, Polynomial]:
    """What a whole divisor divides term by term, and what it leaves: p = divisor·first + second.

    >>> divided({(0,): 4, (1,): 3, (): 6}, 4)
    ({(0,): 1}, {(1,): 3, (): 6})
    """
    whole = {m: c // divisor for m, c in p.items() if m and c % divisor == 0}
    return whole, {m: c for m, c in p.items() if not (m and c % divisor == 0)}


def atoms_in(p: Polynomial | Frozen) -> Iterator[int]:
    """The atoms that a polynomial depends on."""
    for monomial in p if isinstance(p, dict) else (m for m, _ in p):
        yield from monomial
