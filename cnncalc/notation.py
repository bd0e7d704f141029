"""How the expression of a formula is written: as plain text, and as LaTeX."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from .quantities import number

# How the operators are written. One table: a tighter operator has a higher number; a child that binds less tightly
# than its place demands goes into parentheses.
_SUM, _QUOTIENT, _PRODUCT, _UNARY, _POWER, _ATOM = range(1, 7)


class Text:
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


class Latex(Text):
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
