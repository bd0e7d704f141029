"""What a trace has noted, worked out for many candidates at once, in exact whole numbers.

What depends on one knob alone is worked out once for each of its values, by Python's own arithmetic, and looked up; so
is every guard of one knob. The rest is NumPy's, in 64 bits, and refused where it might not fit.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np

from ..errors import usage_error
from .polynomial import Frozen, Monomial, atoms_in
from .remembering import COMPARISONS, Key, Trace

Array = Any
#: Values of keys, one for each of some candidates.
Known = dict[Any, Sequence[Any]]
LARGEST = 2**63 - 1
_WHOLE: Mapping[str, Callable[[Any], Any]] = {"trunc": int, "floor": math.floor, "ceil": math.ceil, "round": round}
_REAL: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv,
    "floordiv": operator.floordiv, "mod": operator.mod,
}  # fmt: skip
_ROUNDED = {"trunc": np.trunc, "floor": np.floor, "ceil": np.ceil, "round": np.rint}
_VECTORS = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide,
            "floordiv": np.floor_divide, "mod": np.remainder}  # fmt: skip


def atoms_of(key: Key) -> Iterator[int]:
    """The atoms that a key names: what it is made of, not what these are made of."""
    if key[0] == "atom":
        yield key[1]
    elif key[0] in ("whole", "//"):
        for part in key[1:]:
            yield from {*atoms_in(part)}
    elif key[0] not in ("knob", "constant"):
        for part in key[1:]:
            yield from atoms_of(part)


class Chunk:
    """Some candidates: of each axis, which of its values they have; and what was worked out of them already."""

    def __init__(self, digits: Sequence[Array]) -> None:
        self.digits = list(digits)
        self.known: dict[Any, Array] = {}

    def __len__(self) -> int:
        return len(self.digits[0]) if self.digits else 1

    def some(self, mask: Array) -> Chunk:
        """Those for which a mask holds."""
        return Chunk([digit[mask] for digit in self.digits])


class Evaluator:
    """The values of a trace's atoms over the axes of a space, whose values are given by knob."""

    def __init__(self, trace: Trace, axes: Sequence[Sequence[Any]]) -> None:
        self.trace, self.axes = trace, axes
        self._axes: list[frozenset[int]] = []  # of each atom
        self._tables: dict[Any, Array] = {}
        self._bounds: dict[Key, tuple[float, float]] = {}
        self._columns: dict[int, Known] = {}

    # -- what depends on what --------------------------------------------------------------------------------------

    def axes_of(self, key: Key) -> frozenset[int]:
        """The knobs that a key depends on."""
        if key[0] == "knob":
            return frozenset((key[1],))
        return frozenset().union(*map(self._axes_of_atom, atoms_of(key)))

    def axes_of_polynomial(self, p: Frozen) -> frozenset[int]:
        """The knobs that a polynomial depends on."""
        return frozenset().union(*map(self._axes_of_atom, {*atoms_in(p)}))

    def _axes_of_atom(self, atom: int) -> frozenset[int]:
        # An atom is made of earlier ones, so that none waits for another.
        while len(self._axes) <= atom:
            self._axes.append(self.axes_of(self.trace.keys[len(self._axes)]))
        return self._axes[atom]

    def _below(self, atoms: Iterable[int], within: Callable[[int], bool]) -> list[int]:
        """The atoms that some are made of, in the order in which they can be worked out; `within` tells whose parts."""
        found, left = set[int](), list(atoms)
        while left:
            atom = left.pop()
            if atom not in found:
                found.add(atom)
                if within(atom):
                    left += atoms_of(self.trace.keys[atom])
        return sorted(found)

    # -- by Python's arithmetic ------------------------------------------------------------------------------------

    def value(self, p: Frozen, knobs: Mapping[int, Any]) -> int:
        """A polynomial's value for one candidate, by its knobs."""
        return self._combined(p, {axis: [value] for axis, value in knobs.items()}, {})[0]

    def table(self, what: Any, axis: int, column: Callable[[Known], Sequence[Any]]) -> Array:
        """What depends on one knob alone, for each of its values; 0 for those that cannot be worked out."""
        if (what, axis) not in self._tables:
            known = self._columns.setdefault(axis, {})
            self._tables[what, axis] = _array(list(column(known)))
        return self._tables[what, axis]

    def _of_key(self, key: Key, axis: int) -> Array:
        return self.table(key, axis, lambda known: self._column(key, {axis: self.axes[axis]}, known))

    def _of_polynomial(self, p: Frozen, axis: int) -> Array:
        return self.table(p, axis, lambda known: self._combined(p, {axis: self.axes[axis]}, known))

    def _column(self, key: Key, knobs: Mapping[int, Sequence[Any]], known: Known) -> Sequence[Any]:
        """A key's values for candidates that are given by lists of their knobs."""
        if key not in known:
            self._known_below(atoms_of(key), knobs, known)
            known[key] = self._made(key, knobs, known)
        return known[key]

    def _known_below(self, atoms: Iterable[int], knobs: Mapping[int, Sequence[Any]], known: Known) -> None:
        """Work out what some atoms are made of, earlier ones first."""
        for atom in self._below(atoms, lambda atom: self.trace.keys[atom] not in known):
            own = self.trace.keys[atom]
            if own not in known:
                known[own] = self._made(own, knobs, known)

    def _made(self, key: Key, knobs: Mapping[int, Sequence[Any]], known: Known) -> Sequence[Any]:
        """A key's values, where those of earlier atoms are known."""
        kind = key[0]
        if kind == "knob":
            return knobs[key[1]]
        if kind == "atom":
            return known[self.trace.keys[key[1]]]
        if kind == "constant":
            return [key[1]] * len(next(iter(knobs.values())))
        if kind == "whole":
            return self._combined(key[1], knobs, known)
        columns = [
            self._combined(part, knobs, known) if kind == "//" else self._made(part, knobs, known) for part in key[1:]
        ]
        return [_one(kind, row) for row in zip(*columns, strict=True)]

    def _combined(self, p: Frozen, knobs: Mapping[int, Sequence[Any]], known: Known) -> list[int]:
        """A polynomial's values for the same."""
        self._known_below({*atoms_in(p)}, knobs, known)
        totals = [0] * len(next(iter(knobs.values())))
        for monomial, coefficient in p:
            columns = [known[self.trace.keys[atom]] for atom in monomial]
            if not columns:
                totals = [total + coefficient for total in totals]
            else:
                rows = zip(*columns, strict=True)
                totals = [total + coefficient * math.prod(row) for total, row in zip(totals, rows, strict=True)]
        return totals

    # -- bounds ------------------------------------------------------------------------------------------------------

    def bounds(self, atom: int) -> tuple[float, float]:
        """The least and the most that an atom can be in the space."""
        return self.bounds_of_key(self.trace.keys[atom])

    def bounds_of_key(self, key: Key) -> tuple[float, float]:
        """The least and the most that a key can be."""
        if key not in self._bounds:
            known = self._bounds
            for atom in self._below(atoms_of(key), lambda atom: self.trace.keys[atom] not in known):
                own = self.trace.keys[atom]
                if own not in known:
                    known[own] = self._bounded(own)
            known[key] = self._bounded(key)
        return self._bounds[key]

    def _bounded(self, key: Key) -> tuple[float, float]:
        axes, kind = self.axes_of(key), key[0]
        if len(axes) == 1:
            (axis,) = axes
            table = self._of_key(key, axis)
            return table.min().item(), table.max().item()
        if kind == "constant":
            return key[1], key[1]
        if kind == "atom":
            return self.bounds(key[1])
        if kind == "whole":
            return self.bounds_of(key[1])
        if kind == "less":
            return 0, 1
        parts = [self.bounds_of(part) if kind == "//" else self.bounds_of_key(part) for part in key[1:]]
        lows, highs = zip(*parts, strict=True)
        if kind in ("max", "min"):
            choose = max if kind == "max" else min
            return choose(lows), choose(highs)
        if kind == "gcd":
            return 0, max(map(abs, (*lows, *highs)))
        if kind in _WHOLE:
            return lows[0] - 1, highs[0] + 1
        if kind == "neg":
            return -highs[0], -lows[0]
        if kind == "add":
            return sum(lows), sum(highs)
        if kind == "sub":
            return lows[0] - highs[1], highs[0] - lows[1]
        if kind == "mul":
            ends = [a * b for a in parts[0] for b in parts[1]]
            return min(ends), max(ends)
        if kind == "mod":
            most = max(map(abs, parts[1]))
            return -most, most
        if lows[1] <= 0 <= highs[1]:  # what is divided by a whole number of at least one becomes no larger
            most = max(map(abs, parts[0])) + 1
            return (-most, most) if kind == "//" else (-math.inf, math.inf)
        rounded = operator.floordiv if kind == "//" else operator.truediv
        ends = [rounded(a, b) for a in parts[0] for b in parts[1]]
        return min(ends) - (kind != "//"), max(ends) + (kind != "//")

    def bounds_of(self, p: Frozen) -> tuple[float, float]:
        """The least and the most that a polynomial can be, term by term."""
        low = high = 0.0 if any(not math.isfinite(b) for atom in {*atoms_in(p)} for b in self.bounds(atom)) else 0
        for monomial, coefficient in p:
            ends: tuple[Any, Any] = (coefficient, coefficient)
            for atom in monomial:
                products = [a * b for a in ends for b in self.bounds(atom) if a and b] or [0]
                if len(products) < 4:
                    products.append(0)
                ends = min(products), max(products)
            low, high = low + ends[0], high + ends[1]
        return low, high

    # -- many candidates ---------------------------------------------------------------------------------------------

    def atom(self, atom: int, chunk: Chunk) -> Array:
        """The values of an atom."""
        return self.array(self.trace.keys[atom], chunk)

    def array(self, key: Key, chunk: Chunk) -> Array:
        """The values of a key."""
        if key not in chunk.known:
            # What depends on one knob is looked up, and what that is made of is not asked for.
            several = self._below(atoms_of(key), lambda atom: len(self._axes_of_atom(atom)) > 1)
            for own in (*(self.trace.keys[atom] for atom in several), key):
                if own not in chunk.known:
                    chunk.known[own] = self._looked_up(own, chunk)
        return chunk.known[key]

    def _looked_up(self, key: Key, chunk: Chunk) -> Array:
        axes = self.axes_of(key)
        if len(axes) != 1:
            return self._worked_out(key, chunk)
        (axis,) = axes
        return self._of_key(key, axis)[chunk.digits[axis]]

    def _worked_out(self, key: Key, chunk: Chunk) -> Array:
        kind = key[0]
        if kind == "constant":
            return key[1]
        if kind == "atom":
            return self.atom(key[1], chunk)
        if kind == "whole":
            return self.polynomial(key[1], chunk)
        if kind == "//":
            divisor = np.asarray(self.polynomial(key[2], chunk))
            return self.polynomial(key[1], chunk) // np.where(divisor == 0, 1, divisor)
        parts = [self.array(part, chunk) for part in key[1:]]
        if kind in _ROUNDED:
            return _ROUNDED[kind](parts[0]).astype(np.int64)
        if kind in ("max", "min"):
            return reduce(np.maximum if kind == "max" else np.minimum, parts)
        if kind == "less":
            return (parts[0] < parts[1]).astype(np.int64)
        if kind == "gcd":
            return np.gcd(*parts)
        if kind == "neg":
            return -parts[0]
        with np.errstate(all="ignore"):
            return np.asarray(_VECTORS[kind](*parts), dtype=np.float64)

    def fits(self, p: Frozen) -> bool:
        """Whether a polynomial, and all that is added up to it, fits 64 bits throughout the space."""
        most: Any = 0
        for monomial, coefficient in p:
            most += abs(coefficient) * math.prod(max(abs(each) for each in self.bounds(atom)) for atom in monomial)
        return bool(most <= LARGEST)

    def polynomial(self, p: Frozen, chunk: Chunk) -> Array:
        """The values of a polynomial: for each product of other knobs, what one knob makes of it is looked up."""
        if p in chunk.known:
            return chunk.known[p]
        if not self.fits(p):
            raise usage_error("a figure of this space may not fit 64 bits", "a smaller space")
        axis, groups = self._planned(p)
        total: Any = 0
        for rest, own in groups.items():
            if axis is None or not any(own_monomial for own_monomial, _ in own):
                part: Any = own[0][1] if len(own) == 1 else sum(coefficient for _, coefficient in own)
            else:
                part = self._of_polynomial(own, axis)[chunk.digits[axis]]
            total = total + (part * self._product(rest, chunk) if rest else part)
        chunk.known[p] = total
        return total

    def _planned(self, p: Frozen) -> tuple[int | None, dict[Monomial, Frozen]]:
        """The knob by which a polynomial is looked up, and by each product of other atoms what depends on it alone."""
        plan = self._tables.get(("plan", p))
        if plan is None:
            alone: dict[int, int] = {}
            for atom in {*atoms_in(p)}:
                axes = self._axes_of_atom(atom)
                if len(axes) == 1:
                    alone[atom] = next(iter(axes))
            best: tuple[int | None, dict[Monomial, list[Any]]] | None = None
            tried: list[int | None] = [*dict.fromkeys(alone.values())]
            for axis in tried or [None]:
                groups: dict[Monomial, list[Any]] = {}
                for monomial, coefficient in p:
                    rest = tuple(atom for atom in monomial if alone.get(atom, -1) != axis)
                    own = tuple(atom for atom in monomial if alone.get(atom, -1) == axis)
                    groups.setdefault(rest, []).append((own, coefficient))
                if best is None or len(groups) < len(best[1]):
                    best = axis, groups
            assert best is not None
            plan = best[0], {rest: tuple(own) for rest, own in best[1].items()}
            self._tables["plan", p] = plan
        return plan

    def _product(self, monomial: Monomial, chunk: Chunk) -> Array:
        if monomial not in chunk.known:
            chunk.known[monomial] = reduce(operator.mul, (self.atom(atom, chunk) for atom in monomial))
        return chunk.known[monomial]

    # -- guards ------------------------------------------------------------------------------------------------------

    def decided(self, kind: str, p: Frozen) -> bool | None:
        """How a comparison with zero comes out for all of the space; None where it depends."""
        low, high = self.bounds_of(p)
        if kind in ("lt", "ge") and (high < 0 or low >= 0):
            return (high < 0) is (kind == "lt")
        if kind in ("gt", "le") and (low > 0 or high <= 0):
            return (low > 0) is (kind == "gt")
        if kind in ("eq", "ne") and (low > 0 or high < 0):
            return kind == "ne"
        return None

    def holds(self, kind: str, key: Any, answer: bool, chunk: Chunk) -> Array:
        """For which candidates a guard answers as it did."""
        if kind.startswith("real "):
            compare, parts = COMPARISONS[kind.removeprefix("real ")], [self.array(part, chunk) for part in key]
            return compare(*parts) == answer
        return COMPARISONS[kind](self.polynomial(key, chunk), 0) == answer

    def answers(self, kind: str, key: Any, answer: bool, axis: int) -> Array:
        """The same for each value of the one knob that it depends on."""
        if kind.startswith("real "):
            compare, (left, right) = COMPARISONS[kind.removeprefix("real ")], key
            knobs = {axis: self.axes[axis]}
            known = self._columns.setdefault(axis, {})
            pairs = zip(self._column(left, knobs, known), self._column(right, knobs, known), strict=True)
            return np.array([compare(*pair) for pair in pairs]) == answer
        return COMPARISONS[kind](self._of_polynomial(key, axis), 0) == answer


def _one(kind: str, parts: Sequence[Any]) -> Any:
    """One value of an operation; 0 where there is none, as it is asked for candidates that are no networks, too."""
    try:
        if kind == "//":
            return parts[0] // parts[1]
        if kind in _WHOLE:
            return _WHOLE[kind](parts[0])
        if kind in ("max", "min"):
            return (max if kind == "max" else min)(parts)
        if kind == "less":
            return int(parts[0] < parts[1])
        if kind == "gcd":
            return math.gcd(*parts)
        return -parts[0] if kind == "neg" else float(_REAL[kind](*parts))
    except (ZeroDivisionError, OverflowError, ValueError):
        return 0


def _array(values: list[Any]) -> Array:
    """Whole numbers in 64 bits, others as they are."""
    if all(isinstance(value, int) for value in values):
        if any(abs(value) > LARGEST for value in values):
            raise usage_error("a figure of this space may not fit 64 bits", "a smaller space")
        return np.array(values, dtype=np.bool_ if all(isinstance(value, bool) for value in values) else np.int64)
    return np.array(values, dtype=np.float64)
