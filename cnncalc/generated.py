"""Generated Python source, looked through before it is written or run.

The names in a spec come from strangers. They are checked when the spec is read, and every text that is written into
source goes through `literal`. This is the lock behind those two: source is parsed, and refused if it holds anything
that its generator does not write.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import cache

from .errors import SpecError, usage_error
from .names import is_path
from .record import Record

#: What the generators write: classes, functions, assignments, calls, and loops inside of calls.
_NODES: frozenset[type[ast.AST]] = frozenset(
    (
        *(ast.Module, ast.ClassDef, ast.FunctionDef, ast.arguments, ast.arg, ast.With, ast.withitem),
        *(ast.Assign, ast.Return, ast.Expr, ast.If, ast.IfExp, ast.Compare, ast.Eq, ast.Is, ast.Call, ast.keyword),
        *(ast.Starred, ast.GeneratorExp, ast.ListComp, ast.comprehension, ast.JoinedStr, ast.FormattedValue),
        *(ast.Attribute, ast.Subscript, ast.Slice, ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Load, ast.Store),
        *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.MatMult, ast.Div, ast.FloorDiv, ast.UnaryOp, ast.USub),
        *(ast.BoolOp, ast.And, ast.Or, ast.Not, ast.NotEq, ast.AugAssign),
    )
)
#: Those of them that hold words.
_NAMED = frozenset((ast.Attribute, ast.FunctionDef, ast.ClassDef, ast.Name, ast.arg, ast.keyword, ast.Constant))


class Vocabulary(Record):
    """What a generator writes.

    `names` are variables, parameters, classes and modules; `attributes` what stands behind a dot. Behind the name of
    one of the `libraries` stands one of `functions`. `imports` are whole lines, `texts` the strings that are no names,
    and `trusted` the sources of classes that are copied from this package as they are.
    """

    names: frozenset[str]
    attributes: frozenset[str] = frozenset()
    libraries: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    imports: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()
    trusted: Sequence[str] = ()


def literal(text: str) -> str:
    r"""A text as Python source: `repr`, in double quotes where the text holds no quotes itself.

    >>> print(literal("conv1"), literal('x"'), literal("a\nb"))
    "conv1" 'x"' "a\nb"
    """
    written = repr(text)
    return written if "'" in text or '"' in text else f'"{written[1:-1]}"'


def inspected(source: str, known: Vocabulary, docstring: str = "") -> str:
    """Source that holds nothing but what its generator writes; raises `SpecError`.

    `docstring` is the text at its head, which is free text.

    >>> known = Vocabulary(frozenset({"x"}))
    >>> inspected("x = x + 1", known)
    'x = x + 1'
    >>> inspected("x = __import__('os')", known)
    Traceback (most recent call last):
    ...
    cnncalc.errors.SpecError: cnncalc: the generated source holds __import__, which cnncalc does not write
    ...
    """
    try:
        tree = ast.parse(source)
    except (RecursionError, MemoryError):
        raise _too_deep() from None
    except (SyntaxError, ValueError) as error:
        raise _too_deep() if "nested" in str(error) else _refusal("what is no Python") from None
    if docstring and ast.get_docstring(tree, clean=False) == docstring:
        del tree.body[0]
    copied = dict(map(_class, known.trusted))
    tree.body = [
        statement
        for statement in tree.body
        if not (
            isinstance(statement, ast.ClassDef)
            and statement.name in copied
            and ast.dump(statement) == copied[statement.name]
        )
        and not (isinstance(statement, (ast.Import, ast.ImportFrom)) and ast.unparse(statement) in known.imports)
    ]
    for node in ast.walk(tree):
        kind = type(node)
        strange = kind.__name__ if kind not in _NODES else _strange(node, known) if kind in _NAMED else ""
        if strange:
            raise _refusal(strange)
    return source


@cache
def _class(source: str) -> tuple[str, str]:
    """The name of the class in the source of one, and all that is in it."""
    (found,) = ast.parse(source).body
    assert isinstance(found, ast.ClassDef)
    return found.name, ast.dump(found)


def _too_deep() -> SpecError:
    return usage_error(
        "the network is too deep, or joins too much at once, for Python source",
        "fewer groups in groups, or a sum of fewer branches",
        code="generated",
    )


def _strange(node: ast.AST, known: Vocabulary) -> str:
    """What a node holds that no generator writes; an empty string if there is nothing."""
    if isinstance(node, ast.Attribute):
        root: ast.AST = node
        while isinstance(root, ast.Attribute):
            root = root.value
        library = isinstance(root, ast.Name) and root.id in known.libraries
        return "" if node.attr in (known.functions if library else known.attributes) else node.attr
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return "" if node.name in known.names and not node.decorator_list else node.name
    if isinstance(node, ast.Name):
        return "" if node.id in known.names else node.id
    if isinstance(node, ast.arg):
        return "" if node.arg in known.names else node.arg
    if isinstance(node, ast.keyword):
        return "" if (node.arg or "").isidentifier() else "**"
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        good = isinstance(node.value, str) and (node.value in known.texts or is_path(node.value))
        return "" if good else repr(node.value)
    return ""


def _refusal(what: str) -> SpecError:
    return usage_error(
        f"the generated source holds {what}, which cnncalc does not write",
        "nothing was written or run; please report this, with the spec",
        code="generated",
    )
