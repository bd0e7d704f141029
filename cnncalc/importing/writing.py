"""A folded network as the text of a spec."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..language.flow import flow
from ..language.items import is_soft
from .flat import Flat
from .places import TAKEN
from .statements import Statement

#: Characters of a line, beyond which what could stand in one is broken up.
WIDTH = 110
#: The same for names alone, which are no easier to read below each other.
LONG = 150


def written(flat: Flat, statements: Sequence[Statement], blocks: Sequence[Any] = (), head: Sequence[str] = ()) -> str:
    """The spec of a network: head, types, blocks, layers and outputs."""
    return _Writer(flat, statements, blocks, head).text()


class _Writer:
    def __init__(self, flat: Flat, statements: Sequence[Statement], blocks: Sequence[Any], head: Sequence[str]) -> None:
        self.flat, self.statements, self.blocks, self.head = flat, statements, blocks, head
        figures = {name: flat.nodes[number].figures or {} for number, name in reversed(flat.declared.items())}
        self.types = {name: figures[name] for name in dict.fromkeys(flat.declared.values())}

    def text(self) -> str:
        flat = self.flat
        lines = [*self.head, f"name: {flow(flat.title)}"]
        inputs = {node.name: list(node.shape) for node in flat.nodes[: flat.input_count]}
        named = list(inputs) != ["input"]
        lines.append(f"input: {flow(inputs if named else next(iter(inputs.values())))}")
        if self.types:
            lines += ["", "types:"]
            lines += [f"  {name}: {flow(dict(figures))}" for name, figures in self.types.items()]
        if self.blocks:
            lines += ["", "blocks:"]
            for block in self.blocks:
                lines += self._block(block)
        body = list(self._list(self.statements, "  "))
        lines += ["", "layers:", *body] if body else ["", "layers: []"]
        last = len(flat.nodes) - 1
        if flat.outputs != (last,):
            lines += ["", f"outputs: {flow([flat.nodes[i].name for i in flat.outputs])}"]
        return "\n".join(lines) + "\n"

    def _block(self, block: Any) -> Iterator[str]:
        yield f"  {block.name}:"
        if block.arguments:
            arguments = [name if default is None else {name: default} for name, default in block.arguments]
            yield f"    args: {flow(arguments)}"
        yield "    layers:"
        yield from self._list(block.body, "      ")

    def _list(self, statements: Sequence[Statement], indent: str) -> Iterator[str]:
        """Statements as a list, where names are the numbers that it would give, or as a mapping.

        Where a name stands twice, under opposite conditions, or something without a name stands among names, it is a
        list of named items.
        """
        if numbered(statements):
            for each in statements:
                yield from self._item(each, indent)
            return
        if len({each.name for each in statements}) < len(statements) or any(each.name == "" for each in statements):
            for each in statements:
                if each.name == "":
                    yield from self._item(each, indent)
                    continue
                lines = list(self._named(key_of(each), each, indent + "  "))
                yield f"{indent}- {lines[0].lstrip()}"
                yield from lines[1:]
            return
        for each in statements:
            key = key_of(each)
            yield from self._named(key, each, indent)

    def _item(self, statement: Statement, indent: str) -> Iterator[str]:
        short = self._short(statement)
        if short is not None and len(indent) + 2 + len(short) <= WIDTH:
            yield f"{indent}- {short}"
            return
        lines = list(self._long(statement, indent + "  ", in_list=True))
        yield f"{indent}- {lines[0].lstrip()}"
        yield from lines[1:]

    def _named(self, key: str, statement: Statement, indent: str) -> Iterator[str]:
        short = self._short(statement)
        width = LONG if statement.kind == "merge" else WIDTH
        if short is not None and (
            len(indent) + len(key) + 2 + len(short) <= width or statement.kind in ("layer", "use")
        ):
            yield f"{indent}{key}: {short}"
            return
        yield f"{indent}{key}:"
        yield from self._long(statement, indent + "  ")

    def _beside(self, statement: Statement) -> dict[str, Any]:
        beside: dict[str, Any] = {}
        if statement.source is not None:
            beside["from"] = statement.source
        if statement.when is not None:
            beside["when"] = statement.when
        if statement.repeat is not None:
            beside["repeat"] = statement.repeat
        if statement.columns:
            beside["foreach"] = statement.columns
        return beside

    def _short(self, statement: Statement) -> str | None:
        """The statement in one line; None where it holds others, but for a list of one with keys beside it."""
        beside = self._beside(statement)
        if statement.kind == "group" and beside and len(statement.body) == 1 and numbered(statement.body):
            inner = self._short(statement.body[0])
            return None if inner is None else f"{{layers: [{inner}], {flow(beside)[1:]}"
        if statement.kind in ("group", "inline"):
            return None
        if statement.kind == "merge":
            if any(named(branch) is None and branch for branch in statement.branches):
                return None
            branches: list[Any] = [named(branch) or [] for branch in statement.branches]
            return flow({statement.type: branches, **statement.arguments, **beside})
        if statement.kind == "use":
            return flow({"use": statement.type, **beside})
        if not statement.arguments and not beside:
            return statement.type
        return flow({statement.type: statement.arguments, **beside})

    def _long(self, statement: Statement, indent: str, in_list: bool = False) -> Iterator[str]:
        """The statement in several lines, as a mapping at this indent."""
        beside = self._beside(statement)
        alone = in_list and len(statement.body) == 1 and not numbered(statement.body)  # would be a layer of that name
        if statement.kind == "layer":
            yield f"{indent}{statement.type}: {flow(statement.arguments or {})}"
        elif statement.kind == "use":
            yield f"{indent}use: {flow(statement.type)}"
        elif statement.kind == "merge":
            yield f"{indent}{statement.type}:"
            inside = indent
            if is_soft(statement.type):  # a list alone would be layers, and the word their name
                inside += "  "
                yield f"{inside}branches:"
            for branch in statement.branches:
                yield from self._branch(branch, inside + "  ")
            for name, value in statement.arguments.items():
                yield f"{inside}{name}: {flow(value)}"
        elif not beside and not alone and statement.kind == "group":
            yield from self._list(statement.body, indent)
            return
        else:
            yield f"{indent}{'layers' if statement.kind == 'group' else 'inline'}:"
            yield from self._list(statement.body, indent + "  ")
        for key, value in beside.items():
            line = f"{indent}{key}: {flow(value)}"
            if key == "foreach" and len(line) > WIDTH and any(isinstance(each[0], str) for each in value.values()):
                yield f"{indent}{key}:"
                yield from (f"{indent}  {name}: {flow(column)}" for name, column in value.items())
            else:
                yield line

    def _branch(self, branch: list[Statement] | str | Statement, indent: str) -> Iterator[str]:
        name = named(branch)
        if name is not None:
            yield f"{indent}- {flow(name)}"
            return
        assert not isinstance(branch, str)
        if isinstance(branch, Statement):  # a branch under a condition
            if not branch.body:
                yield f"{indent}- {flow({'when': branch.when, 'layers': []})}"
                return
            lines = list(self._list(branch.body, indent + "    "))
            yield f"{indent}- when: {flow(branch.when)}"
            yield f"{indent}  layers:"
            yield from lines
            return
        if not branch:
            yield f"{indent}- []"
            return
        lines = list(self._list(branch, indent + "  "))
        if numbered(branch):
            yield f"{indent}-"
            yield from lines
        else:
            yield f"{indent}- {lines[0].lstrip()}"
            yield from lines[1:]


def numbered(statements: Sequence[Statement]) -> bool:
    """Whether all statements bear the numbers that a list gives them, or none a name."""
    return bool(statements) and (
        all(each.name == "" for each in statements)
        or all(
            each.name == str(i) and each.when is None for i, each in enumerate(statements)
        )  # else numbers would move
    )


def named(branch: list[Statement] | str | Statement) -> str | None:
    """The name that a branch is, of an earlier layer, or of one that each use of a block names; None for layers."""
    if isinstance(branch, Statement):
        return branch.source if branch.kind == "name" else None
    return branch if isinstance(branch, str) else None


def key_of(statement: Statement) -> str:
    """The name of a statement as a key."""
    name = statement.name
    if name.isdigit():
        return name
    return flow(f".{name}" if name in TAKEN else name)
