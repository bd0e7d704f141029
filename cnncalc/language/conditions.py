"""Conditions over names, read and checked: `params <= 5M and width % 16 == 0`, `stages.3.shape == [512, 7, 7]`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from ..errors import Misfit, did_you_mean
from ..quantities import rounded, size_in_bytes

#: Characters of a condition, how deep it may be nested, and what a number in it may be at most.
MOST, DEEPEST, LARGEST = 1_000, 60, 2**63 - 1
EXAMPLE = "as in 'params <= 5M and macs <= 600M'"
#: What a condition is made of: texts in quotes, numbers with a unit, and names with their items and parts.
_WORD = re.compile(
    r"(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?<![\w.])(?P<size>\d+(?:\.\d+)?\s*(?P<unit>KiB|MiB|GiB|TiB|kB|KB|MB|GB|TB|k|K|M|G|B|T)\b)"
    r"|(?<![\w.])(?P<name>[^\W\d]\w*(?:\.\w+|\[\d{1,3}\])*)"
)
_KEPT = {"and", "or", "not", "True", "False", "in", "is", "if", "else", "lambda", "for"}
_BOOLEANS = {"true": "True", "false": "False"}
COMPARED = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
COMPUTED = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod)


class Condition:
    """A condition that is read and checked; raises `Misfit` for what is none.

    `names` are those that it may use; with `parts`, also what is said of a part of the network, as `stem.params`.

    >>> Condition("width <= 2k and depths[1] > 2", ["width", "depths[1]"]).used
    ['width', 'depths[1]']
    >>> Condition("stem.shape == [64, 56]", [], parts=True).used
    ['stem.rank', 'stem.shape[0]', 'stem.shape[1]']
    """

    def __init__(self, text: str, names: Iterable[str], parts: bool = False) -> None:
        self.text, self.names, self.parts = text, list(names), parts
        self.plain: dict[str, str] = {}  # what Python's grammar has in place of a name, and the name
        if len(text) > MOST:
            raise Misfit(f"it has {len(text):,} characters; at most {MOST:,}", "a shorter condition")
        try:
            tree = ast.parse(_WORD.sub(self._worked_out, text).strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise Misfit("it is no condition", EXAMPLE) from None
        self._check(tree)
        if not isinstance(tree, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
            raise Misfit("it compares nothing", EXAMPLE)
        self.tree: ast.expr = _Shapes(self).visit(tree)

    def _worked_out(self, found: re.Match[str]) -> str:
        """A word as Python's grammar has it: 5M as its number, a name with items or parts as one name."""
        word = found[0]
        if found["text"]:
            return word
        if found["size"]:
            if found["unit"].endswith("B") and found["unit"] != "B":
                return str(size_in_bytes(word))
            count = rounded(word)
            return word if count is None else str(int(count.value))
        if word in _KEPT or word in _BOOLEANS:
            return _BOOLEANS.get(word, word)
        return self.placed(word)

    def placed(self, name: str) -> str:
        """What stands for a name in the tree."""
        for plain, known in self.plain.items():
            if known == name:
                return plain
        self.plain[f"v{len(self.plain)}_"] = name
        return f"v{len(self.plain) - 1}_"

    def _shown(self, node: ast.AST) -> str:
        return re.sub(r"v\d+_", lambda found: self.plain.get(found[0], found[0]), ast.unparse(node))[:40]

    def _check(self, node: ast.AST, compared: bool = False, depth: int = 0) -> None:
        if depth > DEEPEST:
            raise Misfit(f"it is more than {DEEPEST} levels deep", "a shorter condition")
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value > LARGEST:
            raise Misfit("a number in it is larger than any figure", EXAMPLE)
        if isinstance(node, ast.Name):
            name = self.plain.get(node.id, node.id)
            if name not in self.names and not (self.parts and "." in name):
                hint = did_you_mean(name, self.names) or f"names are {', '.join(self.names)}"
                raise Misfit(f"there is no {name}", hint)
            return
        if isinstance(node, ast.Constant) and type(node.value) in (
            (int, float, str, bool) if compared else (int, float)
        ):
            return
        if isinstance(node, ast.List) and compared and all(isinstance(each, ast.Constant) for each in node.elts):
            for each in node.elts:
                self._check(each, compared, depth + 1)
            return
        if not isinstance(node, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp)):
            raise Misfit(f"{self._shown(node)} may not stand here", EXAMPLE)
        if isinstance(node, ast.BinOp) and not isinstance(node.op, COMPUTED):
            raise Misfit("arithmetic is + - * / // %", EXAMPLE)
        if isinstance(node, ast.UnaryOp) and not isinstance(node.op, (ast.Not, ast.USub)):
            raise Misfit("~ may not stand here", EXAMPLE)
        if isinstance(node, ast.Compare) and not all(isinstance(op, COMPARED) for op in node.ops):
            raise Misfit("compare with == != < <= > >=", EXAMPLE)
        equal = isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.Eq, ast.NotEq))
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._check(child, equal, depth + 1)

    @property
    def used(self) -> list[str]:
        """The names that it asks for, in the order of the text."""
        found = (node.id for node in ast.walk(self.tree) if isinstance(node, ast.Name))
        return list(dict.fromkeys(self.plain[name] for name in found))


class _Shapes(ast.NodeTransformer):
    """Writes `part.shape == [64, 56]` as what it says of the numbers of axes and of each of them."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """A comparison of a shape with a list becomes one of each size."""
        left, right = (node.left, node.comparators[0])
        left, right = (right, left) if isinstance(left, ast.List) else (left, right)
        if not isinstance(right, ast.List):
            return node
        name = self.condition.plain.get(left.id, "") if isinstance(left, ast.Name) else ""
        if name in self.condition.names:
            return ast.Compare(left, node.ops, [right])
        part, dot, last = name.rpartition(".")
        if not dot or last != "shape":
            raise Misfit("a list is compared with a shape, or with a knob that is a list", EXAMPLE)
        wanted: list[tuple[str, ast.expr]] = [(f"{part}.rank", ast.Constant(len(right.elts)))]
        wanted += [(f"{name}[{axis}]", size) for axis, size in enumerate(right.elts)]
        each: list[ast.expr] = [
            ast.Compare(ast.Name(self.condition.placed(told)), [ast.Eq()], [size]) for told, size in wanted
        ]
        whole = ast.BoolOp(ast.And(), each)
        return whole if isinstance(node.ops[0], ast.Eq) else ast.UnaryOp(ast.Not(), whole)
