"""The layers of a flat network as nested statements: groups, merges with their branches, and chains between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ops import MERGES
from .flat import Flat, loose_paths
from .statements import Rows, Statement, tangled


class _Scope:
    """A group while it is put together: what stands in it, in order of work."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.parts: list[int | _Scope] = []
        self.nodes: list[int] = []  # all that stand in it, however deep


def structured(flat: Flat) -> list[Statement]:
    """The statements of a flat network."""
    return _Structure(flat).top()


class _Structure:
    def __init__(self, flat: Flat) -> None:
        self.flat = flat
        self.paths = {node.name: number for number, node in enumerate(flat.nodes)}
        self.users: dict[int, list[int]] = {}
        for number, node in enumerate(flat.nodes):
            for i in node.inputs:
                self.users.setdefault(i, []).append(number)
        self.root = _Scope("")
        self.groups: dict[str, _Scope] = {"": self.root}
        self.bodies: dict[str, list[Statement]] = {}  # of scopes that were worked out
        self.exits: dict[int, str] = {}  # the last node of groups → the outermost of them
        loose = loose_paths(flat.nodes, flat.input_count)
        loose |= self._several_exits(loose)
        for number in range(flat.input_count, len(flat.nodes)):
            self._place(number, loose)

    def _several_exits(self, loose: set[str]) -> set[str]:
        """The groups of which more than one output is used outside."""
        exits: dict[str, set[int]] = {}
        nodes, results = self.flat.nodes, set(self.flat.outputs)
        for number in range(self.flat.input_count, len(nodes)):
            name = nodes[number].name
            users = [nodes[user].name for user in self.users.get(number, ())]
            end = name.find(".")
            while end >= 0:
                path = name[:end]
                inside = f"{path}."
                if path not in loose and (number in results or any(not user.startswith(inside) for user in users)):
                    exits.setdefault(path, set()).add(number)
                end = name.find(".", end + 1)
        return {path for path, outs in exits.items() if len(outs) > 1}

    def _place(self, number: int, loose: set[str]) -> None:
        parts, scope = self.flat.nodes[number].name.split("."), self.root
        scope.nodes.append(number)
        for length in range(1, len(parts)):
            path = ".".join(parts[:length])
            if path in loose:
                continue
            if path not in self.groups:
                made = self.groups[path] = _Scope(path)
                scope.parts.append(made)
            scope = self.groups[path]
            scope.nodes.append(number)
        scope.parts.append(number)

    def top(self) -> list[Statement]:
        for scope in sorted(self.groups.values(), key=lambda scope: scope.path.count(".")):
            if scope.path:
                self.exits.setdefault(scope.nodes[-1], scope.path)
        alone = self.flat.input_count == 1
        return self._body(self.root, 0 if alone else None)

    # -- one scope -------------------------------------------------------------------------------------------------

    def _body(self, scope: _Scope, entry: int | None) -> list[Statement]:
        known = self.bodies.get(scope.path)
        if known is None:  # what is tangled is tried in two ways, and what stands in it need not be
            known = _Chains(self, scope, entry).body()
            if tangled(known):
                known = _Chains(self, scope, entry).rows(scope.parts, entry)
            self.bodies[scope.path] = known
        return known

    def reference(self, node: int, scope: str) -> str:
        """A name for a node that is understood in a scope: looked for in the nearest scope first, then outward."""
        path = self.exits.get(node, self.flat.nodes[node].name)
        if scope == path or scope.startswith(f"{path}."):
            path = self.flat.nodes[node].name
        return self.shortest(path, scope)

    def shortest(self, path: str, scope: str) -> str:
        """The shortest name that a path has in a scope."""
        parts = path.split(".")
        for start in range(len(parts) - 1, -1, -1):
            name = ".".join(parts[start:])
            if self._found(name, scope) == path:
                return name
        return f".{path}"

    def _found(self, name: str, scope: str) -> str | None:
        parts = scope.split(".") if scope else []
        for length in range(len(parts), -1, -1):
            path = ".".join([*parts[:length], name])
            if path in self.paths or path in self.groups:
                return path
        return None


def _last(part: int | _Scope) -> int:
    """The node that a part of a scope ends with."""
    return part.nodes[-1] if isinstance(part, _Scope) else part


class _Chains:
    """The statements of one scope, worked out from what leaves it backwards."""

    def __init__(self, whole: _Structure, scope: _Scope, entry: int | None) -> None:
        self.whole, self.scope, self.entry = whole, scope, entry
        self.nodes = whole.flat.nodes
        self.own = set(scope.nodes)
        self.producer: dict[int, int | _Scope] = {}
        self.takes: dict[int, list[int]] = {}  # an output → the outputs that it is made of, within the scope
        self.depth: dict[int | None, int] = {entry: 0}
        self.above: dict[int, int | None] = {}  # the immediate dominator
        self.emitted: set[int] = set()
        for part in scope.parts:
            self._add(part)

    def _add(self, part: int | _Scope) -> None:
        if isinstance(part, _Scope):
            inside = set(part.nodes)
            taken = [i for n in part.nodes for i in self.nodes[n].inputs if i not in inside]
            outs = [n for n in part.nodes if n == _last(part) or self._used_outside(n, inside)]
        else:
            taken, outs = list(self.nodes[part].inputs), [part]
        taken = list(dict.fromkeys(taken)) if isinstance(part, _Scope) else taken
        near = [i for i in taken if i in self.own or i == self.entry]
        above = self._common(near) if near else self.entry
        for out in outs:
            self.producer[out] = part
            self.takes[out] = taken
            self.above[out] = above
            self.depth[out] = self.depth[above] + 1

    def _used_outside(self, node: int, inside: set[int]) -> bool:
        return node in self.whole.flat.outputs or any(u not in inside for u in self.whole.users.get(node, ()))

    def _common(self, nodes: Sequence[int]) -> int | None:
        """The nearest dominator that nodes have in common."""
        common: int | None = nodes[0]
        for node in nodes[1:]:
            other: int | None = node
            while common != other:
                if self.depth[common] >= self.depth[other]:
                    common = self.above[common] if common is not None and common in self.above else self.entry
                else:
                    other = self.above[other] if other is not None and other in self.above else self.entry
        return common

    def body(self) -> list[Statement]:
        if not self.scope.nodes:  # a network that gives back what goes in
            return []
        inside = self.own
        exits = [n for n in self.scope.nodes if n in self.producer and self._used_outside(n, inside)]
        last = self.scope.nodes[-1]
        if last not in exits:
            exits.append(last)
        made: list[Statement] = []
        at = self.entry
        for target in exits:
            if target not in self.emitted:
                made += self.chain(target, at)
                at = target
        return made

    def rows(self, parts: Sequence[int | _Scope], at: int | None) -> Rows:
        """Statements in order of work, one below the other, each with the names of what it takes."""
        made = Rows()
        for part in parts:
            if isinstance(part, _Scope):
                made += self._group(part, at)
                at = _last(part)
                continue
            node = self.nodes[part]
            if node.type in MERGES and node.shares < 0:
                self.emitted.add(part)
                branches: list[Any] = [self._name(i) for i in self.takes[part]]
                made.append(Statement(self._local(node.name), "merge", node.type, dict(node.arguments), None, branches,
                                      path=node.name))  # fmt: skip
            else:
                made += self._statement(part, at)
            at = part
        return made

    def chain(self, target: int, at: int | None) -> list[Statement]:
        """The statements that lead to a node, from where the list stands; what was written already is named."""
        back: list[int] = []
        node: int | None = target
        while node is not None and node != at and node in self.producer and node not in self.emitted:
            back.append(node)
            near = [i for i in self.takes[node] if i in self.own or i == self.entry]
            node = self._common(near) if near else None
        made: list[Statement] = []
        for output in reversed(back):
            if output in self.emitted:
                at = output
                continue
            made += self._statement(output, at)
            at = output
        return made

    def _statement(self, output: int, at: int | None) -> list[Statement]:
        """The statement that makes an output, with what must stand before it."""
        part = self.producer[output]
        if isinstance(part, _Scope):
            return self._group(part, at)
        node = self.nodes[output]
        if node.type in MERGES and node.shares < 0:
            return [self._merge(output, at)]
        made: list[Statement] = []
        taken = self.takes[output]
        for i in taken[1:] if len(taken) > 1 else ():
            if i in self.producer and i not in self.emitted:
                made += self.chain(i, at)
                at = i
        if len(taken) > 1 and taken[0] in self.producer and taken[0] not in self.emitted:
            made += self.chain(taken[0], at)
            at = taken[0]
        self.emitted.add(output)
        source: Any = None
        if len(taken) > 1:
            source = [self._name(i) for i in taken]
        elif taken and taken[0] != at:
            source = self._name(taken[0])
        made.append(self._leaf(output, source))
        return made

    def _leaf(self, output: int, source: Any) -> Statement:
        node = self.nodes[output]
        enters = self.nodes[node.inputs[0]].shape[:1] if node.inputs else ()
        if node.shares >= 0:
            first = self.nodes[node.shares].name
            again = self.whole.shortest(first, self.scope.path)
            made = Statement(self._local(node.name), "use", again, source=source, path=node.name)
        else:
            type_ = self.whole.flat.declared.get(output, node.type)
            arguments = dict(node.arguments) if node.figures is None else {}  # what is declared has figures alone
            made = Statement(self._local(node.name), "layer", type_, arguments, source=source,
                             path=node.name, enters=enters[0] if enters else 0)  # fmt: skip
        return made

    def _merge(self, output: int, at: int | None) -> Statement:
        node = self.nodes[output]
        taken = list(self.takes[output])
        near = [i for i in taken if i in self.own or i == self.entry]
        fork = self._common(near) if near else at
        before: Any = None
        if fork != at and fork is not None and any(i not in self.emitted or i == fork for i in taken):
            before = self._name(fork)
        elif fork is None:
            fork = at
        if node.type in ("add", "multiply", "maximum"):
            # The identity last, the other in order of work; behind the first two, a sum rounds otherwise elsewhere.
            taken[:2] = sorted(taken[:2], key=lambda i: (i == fork, i))
        branches: list[list[Statement] | str] = []
        for i in taken:
            if i == fork:
                branches.append([])
            elif i in self.emitted or i not in self.producer:
                branches.append(self._name(i))
            else:
                branches.append(self._branch(i, fork))
        self.emitted.add(output)
        return Statement(self._local(node.name), "merge", node.type, dict(node.arguments), branches=branches,
                         source=before, path=node.name)  # fmt: skip

    def _branch(self, target: int, fork: int | None) -> list[Statement]:
        """The statements of a branch, from its fork to a node."""
        before = set(self.emitted)
        nested = self.chain(target, fork)
        new = self.emitted - before
        if not tangled(nested) or any(i not in new and i != fork for n in new for i in self.nodes[n].inputs):
            return nested
        if any(n != target and self._used_outside(n, new) for n in new):
            return nested
        self.emitted = before
        return self.rows([part for part in self.scope.parts if _last(part) in new], fork)

    def _group(self, part: _Scope, at: int | None) -> list[Statement]:
        inside = set(part.nodes)
        taken = list(dict.fromkeys(i for n in part.nodes for i in self.nodes[n].inputs if i not in inside))
        made: list[Statement] = []
        for i in taken[1:]:
            if i in self.producer and i not in self.emitted:
                made += self.chain(i, at)
                at = i
        main = taken[0] if taken else at
        if main is not None and main in self.producer and main not in self.emitted:
            made += self.chain(main, at)
            at = main
        source = None if main == at or main is None else self._name(main)
        self.emitted.update(inside)
        used = self.whole.flat.uses.get(part.path)
        if used in self.whole.groups:
            made.append(Statement(self._local(part.path), "use", self.whole.shortest(used, self.scope.path),
                                  source=source, path=part.path))  # fmt: skip
            return made
        module = self.whole.flat.modules.get(part.path)
        block = module.kind if module is not None and not module.library else ""
        enters = self.nodes[main].shape[:1] if main is not None else ()
        made.append(Statement(self._local(part.path), "group", body=self.whole._body(part, main), source=source,
                              path=part.path, enters=enters[0] if enters else 0, block=block))  # fmt: skip
        return made

    def _name(self, node: int) -> str:
        return self.whole.reference(node, self.scope.path)

    def _local(self, path: str) -> str:
        return path[len(self.scope.path) + 1 :] if self.scope.path else path
