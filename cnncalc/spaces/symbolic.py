"""A figure as a formula over one knob: the polynomial of each layer and of the network, and where it holds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import did_you_mean, usage_error
from ..language.spec import Spec
from ..quantities import number
from ..record import Record
from ..report import analyse
from ..report.figures import BY_NAME
from ..table import Column, Line, Table
from .evaluate import Chunk, Evaluator, atoms_of
from .polynomial import Frozen, Polynomial, atoms_in, frozen
from .region import Region
from .remembering import Key, Trace, polynomial_of
from .space import Space, own_value

#: How far a knob is turned to see where its formula holds, as a multiple of its own value; and values at most.
FAR, MOST_VALUES = 4, 4096
#: What parts are called that are no polynomials of the knob, in the order in which they come.
NAMES = "abcdefghjkmpqrstuvxyz"
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_LOWERED = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_DEGREES = {0: "constant", 1: "linear", 2: "quadratic", 3: "cubic"}


class Formula(Record):
    """What a layer, or the network, has of a figure; the knob's atom is 0."""

    name: str
    polynomial: Frozen
    value: int


class Symbolic:
    """A figure of a spec over one of its knobs; raises `SpecError` for a knob that is no whole number."""

    def __init__(self, spec: str | Spec, knob: str, figure: str = "params", batch: int = 1) -> None:
        found = BY_NAME.get(figure)
        if found is None or not (found.of_layers or found.of_network):
            raise usage_error(f"there is no figure {figure}", did_you_mean(figure, BY_NAME) or "as params or macs")
        self.figure = found
        self.value = own_value(spec, knob)
        most = min(FAR * self.value, max(MOST_VALUES, 2 * self.value))
        self.space = Space(spec, {knob: range(1, most + 1)}, alone=True)
        self.knob, self.trace = knob, Trace()
        report = analyse(self.space.graph([self.trace.knob(0, self.value)]), batch=batch)
        self.title = report.title
        self.evaluator = Evaluator(self.trace, [self.space.knobs[0].values])
        parts = [(row.name, row.part) for row in report.rows] if found.of_layers else []
        self.layers = [each for name, part in parts if (each := self._formula(name, part.value(found.key))) is not None]
        total = self._formula("network", report.whole.value(found.key)) if found.of_network else None
        if total is None:
            raise usage_error(f"{found.key} of {self.title} is no whole number that is known", "as params or macs")
        self.total = total
        region = Region(self.space, [self.value - 1], (), batch)
        mask = region.holds(Chunk([np.arange(most)])) if not region.reason else np.zeros(most, dtype=np.bool_)
        self.holds = [int(each) + 1 for each in np.nonzero(mask)[0]]

    def _formula(self, name: str, value: Any) -> Formula | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        return Formula(name, frozen(polynomial_of(value)), int(value))

    def at(self, formula: Formula, value: int) -> int:
        """What a formula gives for another value of the knob."""
        return self.evaluator.value(formula.polynomial, {0: value})

    # -- as people read it -------------------------------------------------------------------------------------------

    def letters(self) -> dict[int, str]:
        """What atoms are called: the knob by its own name, others by letters in the order in which they come."""
        found: dict[int, str] = {}
        for formula in (*self.layers, self.total):
            for atom in atoms_in(formula.polynomial):
                self._named(atom, found)
        return found

    def _named(self, atom: int, found: dict[int, str]) -> None:
        if atom in found:
            return
        key = self.trace.keys[atom]
        if key[0] == "knob":
            found[atom] = self.knob
            return
        for inner in atoms_of(key):
            self._named(inner, found)
        used = sum(1 for name in found.values() if name != self.knob)
        found[atom] = NAMES[used % len(NAMES)] + str(used // len(NAMES) or "").translate(_LOWERED)

    def text(self, p: Frozen, letters: dict[int, str]) -> str:
        """A polynomial, the highest power first.

        >>> made = Symbolic("lenet", "input")
        >>> made.text((((), 5), ((0,), -1), ((0, 0), 3)), {0: "n"})
        '3·n² − n + 5'
        """
        parts: list[str] = []
        for monomial, coefficient in sorted(p, key=lambda term: (-len(term[0]), term[0])):
            powers = {atom: monomial.count(atom) for atom in dict.fromkeys(monomial)}
            factors = [letters[a] + (str(n).translate(_POWERS) if n > 1 else "") for a, n in powers.items()]
            size = abs(coefficient)
            shown = "·".join([*([number(size)] if size != 1 or not factors else []), *factors])
            sign = ("− " if coefficient < 0 else "+ ") if parts else ("−" if coefficient < 0 else "")
            parts.append(sign + shown)
        return " ".join(parts) or "0"

    def definitions(self, letters: dict[int, str]) -> Iterator[str]:
        """What the letters stand for."""
        for atom, letter in letters.items():
            key = self.trace.keys[atom]
            if key[0] != "knob":
                yield f"{letter} = {self._said(key, letters)}"

    def _said(self, key: Key, letters: dict[int, str]) -> str:
        kind = key[0]
        if kind == "//":
            above, below = self.text(key[1], letters), self.text(key[2], letters)
            above = f"({above})" if " " in above else above
            return f"⌊{above}/{f'({below})' if ' ' in below else below}⌋"
        if kind == "whole":
            return self.text(key[1], letters)
        if kind == "atom":
            return letters[key[1]]
        if kind == "knob":
            return self.knob
        if kind == "constant":
            return f"{key[1]:g}"
        signs = {"add": "+", "sub": "−", "mul": "·", "truediv": "/", "floordiv": "//", "mod": "mod", "less": "<"}
        parts = [self._said(part, letters) for part in key[1:]]
        if kind in signs:
            return f"({parts[0]} {signs[kind]} {parts[1]})"
        return f"{kind}({', '.join(parts)})"

    def doubled(self) -> str:
        """What twice the knob makes of the total, and which part of it does."""
        value, twice = self.total.value, self.at(self.total, 2 * self.value)
        if not value or 2 * self.value not in self.holds:
            return f"twice {self.knob} is not where this formula holds"
        grown = f"twice {self.knob}: ×{twice / value:.3g}"
        if any(coefficient < 0 for _, coefficient in self.total.polynomial):
            return grown  # its parts cancel out, and none of them is a share
        degree = max((len(monomial) for monomial, _ in self.total.polynomial), default=0)
        top: Polynomial = {m: c for m, c in self.total.polynomial if len(m) == degree}
        share = 100 * self.evaluator.value(frozen(top), {0: self.value}) / value
        part = _DEGREES.get(degree, f"part of degree {degree}")
        part = part if degree > 3 else f"{part} part"
        return f"{grown}; the {part} is {share:.3g} % at {number(self.value)}"

    def table(self, layer: str = "") -> Table:
        """Each layer that has any of it, and the network; raises `SpecError` for a layer that there is not."""
        wanted = [each for each in self.layers if not layer or each.name == layer or each.name.startswith(f"{layer}.")]
        if layer and not wanted:
            hint = did_you_mean(layer, [each.name for each in self.layers])
            raise usage_error(f"there is no layer {layer} that has {self.figure.title}", hint)
        letters = self.letters()
        columns = (Column("layer", "layer"), Column("formula", f"{self.figure.title} by {self.knob}"),
                   Column("value", f"at {number(self.value)}", number, True))  # fmt: skip
        having = (each for each in wanted if each.polynomial)
        lines = [Line((each.name, self.text(each.polynomial, letters), each.value)) for each in having]
        if not layer:
            total = self.total
            lines.append(Line((total.name, self.text(total.polynomial, letters), total.value), "total"))
        notes = [*self.definitions(letters), self.doubled(), f"it holds for {self.knob} = {ranges(self.holds)}"]
        return Table(self.title, columns, lines, notes=tuple(notes))


def ranges(values: list[int]) -> str:
    """Numbers in a few words, by their steps.

    >>> ranges([1, 2, 3, 4]), ranges([8, 16, 24]), ranges([1, 2, 5, 6, 7]), ranges([])
    ('1 to 4', '8 to 24 in steps of 8', '1, 2, 5 to 7', 'nothing else')
    """
    if not values:
        return "nothing else"
    steps = {b - a for a, b in pairwise(values)}
    if len(values) > 2 and len(steps) == 1:
        (step,) = steps
        return f"{number(values[0])} to {number(values[-1])}" + (f" in steps of {step}" if step > 1 else "")
    parts: list[list[int]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    told = [f"{number(p[0])} to {number(p[-1])}" if len(p) > 2 else ", ".join(map(number, p)) for p in parts]
    return ", ".join(told[:8]) + (f" … {number(values[-1])}" if len(told) > 8 else "")
