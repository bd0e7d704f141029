"""What stands in a box: layers that papers write as one, copies of the same, and blocks that are drawn elsewhere."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ..graph import Graph, Group
from ..ops import Shape
from .wording import Asked, Words, short, words

#: Kinds of layers that papers write behind what they follow, and kinds that they follow.
FOLLOWS = frozenset({"norm", "activation"})
LEADS = frozenset({"conv", "depthwise", "linear", "norm", "merge", "attention", "activation"})
#: Types that change values and nothing else, which follow too.
FOLLOWING = frozenset({"Scale", "Shift", "LayerScale", "Affine", "Identity", "StochasticDepth"})
DROPS = ("Dropout", "AlphaDropout", "FeatureAlphaDropout")
#: Boxes of a network at most, and those below which nothing is folded; the part that folding must leave at most where
#: there are few enough without it.
MOST_BOXES, FEW, WORTH_IT = 40, 14, 0.6
#: Where pieces come from that take what comes from outside, and the piece that all results lead to.
SOURCE, SINK = 0, 1


class Piece:
    """A box: its nodes, what it is called, and the pieces that it takes, by number. `unit` is a block's use.

    `inside` are the boxes of what was folded since it stands several times in a row, and is no block of the spec.
    """

    __slots__ = ("copies", "inputs", "inside", "kind", "nodes", "path", "shape", "texts", "unit")

    def __init__(self, nodes: list[int], path: str, kind: str, texts: list[str], shape: Shape | None) -> None:
        self.nodes, self.path, self.kind, self.texts, self.shape = nodes, path, kind, texts, shape
        self.inputs: list[int] = []
        self.copies = 1
        self.unit: Group | None = None
        self.inside: list[Piece] = []


class Structure:
    """The groups of a graph that can be drawn as one box, and which of them are uses of the same block."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.spans: dict[str, range] = {}  # the nodes of each group whose nodes run in a row
        bounds: dict[str, list[int]] = {}
        for node in range(graph.input_count, len(graph.nodes)):
            name = graph.nodes[node].name
            end = name.find(".")
            while end >= 0:
                bound = bounds.setdefault(name[:end], [node, node, 0])
                bound[1], bound[2] = node, bound[2] + 1
                end = name.find(".", end + 1)
        self.spans = {path: range(a, b + 1) for path, (a, b, count) in bounds.items() if b - a + 1 == count}

    @cached_property
    def users(self) -> list[list[int]]:
        """The nodes that take each node."""
        found: list[list[int]] = [[] for _ in self.graph.nodes]
        for node, layer in enumerate(self.graph.nodes):
            for each in layer.inputs:
                found[each].append(node)
        return found

    @cached_property
    def units(self) -> dict[str, Group]:
        """The uses of blocks that are drawn once beside the network: those used again, with more than a box in them."""
        found: dict[str, Group] = {}
        counts: dict[tuple[str, Any], int] = {}
        for path, group in self.graph.groups.items():
            if group.block and path in self.spans and self._is_closed(path):
                found[path] = group
                key = group.block, self.form(path)
                counts[key] = counts.get(key, 0) + 1
        often: dict[str, int] = {}
        for (block, _), count in counts.items():
            often[block] = often.get(block, 0) + count
        return {path: group for path, group in found.items() if often[group.block] > 1 and self._has_boxes(path)}

    def _has_boxes(self, path: str) -> bool:
        """Whether there is more than a box or two within a path."""
        if path not in self._boxes:  # no layer makes more than a box
            span = self.spans[path]
            self._boxes[path] = len(span) > 2 and len(self.pieces(frozenset(), span)) > 5
        return self._boxes[path]

    @cached_property
    def _boxes(self) -> dict[str, bool]:
        return {}

    def _is_closed(self, path: str) -> bool:
        """Whether only what comes out last is taken from outside."""
        span = self.spans[path]
        return all(user in span for node in span[:-1] for user in self.users[node]) and not any(
            node in self.graph.outputs for node in span[:-1]
        )

    def form(self, path: str) -> Any:
        """What a block is made of, whatever its sizes: names and types, and how they are connected."""
        if path not in self._forms:
            self._forms[path] = self._form(path)
        return self._forms[path]

    @cached_property
    def _forms(self) -> dict[str, Any]:
        return {}

    def _form(self, path: str) -> Any:
        span, nodes = self.spans[path], self.graph.nodes
        return tuple(
            (nodes[n].name[len(path) :], nodes[n].type, tuple(max(i - span.start, -1) for i in nodes[n].inputs))
            for n in span
        )

    @cached_property
    def heights(self) -> dict[str, int]:
        """How many units are within each other, at most, at and below each."""
        found: dict[str, int] = {}
        for path in sorted(self.units, key=lambda each: -each.count(".")):
            inner = [found[each] for each in found if each.startswith(f"{path}.")]
            found[path] = 1 + max(inner, default=0)
        return found

    def cuts(self) -> Iterator[frozenset[str]]:
        """What may be drawn as one box, from as little as possible on."""
        yield frozenset()
        for height in range(1, max(self.heights.values(), default=0) + 1):
            yield outermost({path for path, each in self.heights.items() if each <= height})
        units = set(self.units)
        large = {path for path, span in self.spans.items() if len(span) > 8 or self._has_boxes(path)}
        for depth in range(max((path.count(".") for path in large), default=-1), -1, -1):
            yield outermost(units | {path for path in large if path.count(".") == depth})

    def spine(self, depth: int | None = None) -> list[Piece]:
        """The boxes of the network, few enough to be drawn, with as much in each as that takes; or to a depth."""
        if depth is not None:
            return self.pieces(frozenset(path for path in self.spans if path.count(".") == depth - 1))
        cuts = list(self.cuts())
        tried = self.pieces(cuts[0])
        if len(tried) - 2 > MOST_BOXES and not self.units:
            repeats = repeated(self, self.pieces(cuts[0]))
            if len(repeats) - 2 <= MOST_BOXES:
                return repeats
        for folded in cuts[1:]:
            if len(tried) - 2 <= (FEW if self.units and folded == cuts[1] else MOST_BOXES):
                return tried
            found = self.pieces(folded)
            worth_it = len(found) - 2 <= WORTH_IT * (len(tried) - 2) or len(tried) - 2 > MOST_BOXES
            tried = found if worth_it and len(found) < len(tried) else tried
        return tried

    def pieces(
        self, folded: frozenset[str], nodes: Sequence[int] | None = None, asked: Mapping[int, Asked] | None = None
    ) -> list[Piece]:
        """The boxes of some nodes, or of all, in order of work; the first two are where all comes from and leads to."""
        graph = self.graph
        inside = range(graph.input_count, len(graph.nodes)) if nodes is None else nodes
        made = [Piece([], "", "input", ["input"], None), Piece([], "", "input", ["output"], None)]
        whose: dict[int, int] = {}
        if nodes is None:
            for node in range(graph.input_count):
                whose[node] = len(made)
                made.append(
                    Piece([node], graph.nodes[node].name, "input", [graph.nodes[node].name], graph.nodes[node].shape)
                )
                made[-1].inputs.append(SOURCE)
        else:
            made.append(Piece([], "", "input", ["in"], None))
            made[-1].inputs.append(SOURCE)
        entry = SOURCE if nodes is None else SINK + 1
        for node in inside:
            layer = graph.nodes[node]
            path = next((each for each in _prefixes(layer.name) if each in folded), "") if folded else ""
            if path and node > inside[0] and node - 1 in whose and made[whose[node - 1]].path == path:
                number = whose[node - 1]
                made[number].nodes.append(node)
                made[number].shape = layer.shape
            else:
                number = len(made)
                said = self.said(node, (asked or {}).get(node))
                made.append(Piece([node], path or layer.name, said.kind, [said.text], layer.shape))
                if path:
                    self._name(made[-1], path)
            for each in layer.inputs or (SOURCE - 1,):
                source = whose.get(each, entry)
                if source != number and source not in made[number].inputs:
                    made[number].inputs.append(source)
            whose[node] = number
        results = graph.outputs if nodes is None else (inside[-1],)
        made[SINK].inputs = list(dict.fromkeys(whose[node] for node in results if node in whose))
        return counted(self, _joined(self, made))

    def said(self, node: int, asked: Asked | None = None) -> Words:
        """The words for a layer, with its numbers where nobody is asked for others."""
        if asked is None and node in self._said:
            return self._said[node]
        layer = self.graph.nodes[node]
        entering = self.graph.nodes[layer.inputs[0]].shape if layer.inputs else None
        found = words(layer, entering[0] if entering else 0, asked)
        if asked is None:
            self._said[node] = found
        return found

    @cached_property
    def _said(self) -> dict[int, Words]:
        return {}

    def _name(self, piece: Piece, path: str) -> None:
        group = self.graph.groups.get(path)
        piece.unit = self.units.get(path)
        piece.kind = "block"
        last = path.rpartition(".")[2]
        piece.texts = [group.block if group is not None and group.block else path if last.isdigit() else last]

    def varied(self, piece: Piece, given: Container[str]) -> str:
        """The arguments of a block that are `given`, and differ between its uses, but not between these copies."""
        unit = piece.unit
        if unit is None:
            return ""
        inside = set(piece.nodes)
        uses = [each for each in self.units.values() if each.block == unit.block]
        copies = [each.arguments for each in uses if self.spans[each.name].start in inside]
        apart = [name for name, value in unit.arguments.items()
                 if name in given and any(each.arguments.get(name) != value for each in uses)
                 and all(each.get(name) == value for each in copies)]  # fmt: skip
        return ", ".join(f"{name} {short(unit.arguments[name])}" for name in apart[:3])


def outermost(paths: set[str]) -> frozenset[str]:
    """The paths that are within no other."""
    return frozenset(path for path in paths if not any(each in paths for each in _prefixes(path)[:-1]))


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def users_of(pieces: Sequence[Piece]) -> list[list[int]]:
    """The boxes that take each box."""
    found: list[list[int]] = [[] for _ in pieces]
    for number, piece in enumerate(pieces):
        for each in piece.inputs:
            found[each].append(number)
    return found


def _joined(structure: Structure, pieces: list[Piece]) -> list[Piece]:
    """Convolution, norm and activation in one box, as papers write them."""
    users, graph = users_of(pieces), structure.graph
    home = list(range(len(pieces)))
    for number, piece in enumerate(pieces):
        if number <= SINK or len(piece.nodes) != 1 or len(piece.inputs) != 1:
            continue
        type_ = graph.nodes[piece.nodes[0]].type
        if piece.kind not in FOLLOWS and not type_.startswith(DROPS) and type_ not in FOLLOWING:
            continue
        before = home[piece.inputs[0]]
        leader = pieces[before]
        if before <= SINK or leader.kind not in LEADS or len(users[piece.inputs[0]]) != 1 or len(leader.texts) > 4:
            continue
        if graph.nodes[piece.nodes[0]].shape != graph.nodes[leader.nodes[-1]].shape:
            continue
        leader.nodes += piece.nodes
        leader.texts += piece.texts if type_ != "Identity" and piece.texts[0] not in leader.texts else []
        home[number] = before
    return _moved(pieces, home)


def counted(structure: Structure, pieces: list[Piece]) -> list[Piece]:
    """Equal boxes in a row as one, with their number."""
    users = users_of(pieces)
    home = list(range(len(pieces)))
    for number, piece in enumerate(pieces):
        if number <= SINK or piece.kind == "input" or len(piece.inputs) != 1:
            continue
        before = home[piece.inputs[0]]
        first = pieces[before]
        if before <= SINK or len(users[piece.inputs[0]]) != 1 or first.kind != piece.kind:
            continue
        if _mark(structure, pieces[piece.inputs[0]], first.nodes[: len(first.nodes) // first.copies]) == _mark(
            structure, piece, piece.nodes
        ):
            first.nodes = first.nodes + piece.nodes
            first.copies += 1
            first.shape = piece.shape
            home[number] = before
    return _moved(pieces, home)


def _mark(structure: Structure, piece: Piece, nodes: Sequence[int]) -> Any:
    """What makes two boxes equal: the same block with the same layers, or the same layers with the same shapes.

    How often something is dropped does not make them differ, nor do the channels that enter a block.
    """
    graph = structure.graph
    layers = [graph.nodes[node] for node in nodes]
    shapes = [layer.shape for layer in layers]
    if piece.kind == "block" and piece.path in structure.spans:
        ops = [layer.type if layer.type in FOLLOWING or layer.type.startswith(DROPS) else layer.op for layer in layers]
        return piece.texts, structure.form(piece.path), ops, (layers[-1].shape or ())[1:]
    into = [graph.nodes[i].shape for i in layers[0].inputs]
    return [(layer.type, layer.op) for layer in layers], shapes, into


def _moved(pieces: list[Piece], home: Sequence[int]) -> list[Piece]:
    """The pieces that stay, with their inputs where these went."""
    kept = [number for number in range(len(pieces)) if home[number] == number]
    new = {number: place for place, number in enumerate(kept)}
    for number in kept:
        piece = pieces[number]
        inputs = (new[home[each]] for each in piece.inputs)
        piece.inputs = [each for each in dict.fromkeys(inputs) if each != new[number]]
    return [pieces[number] for number in kept]


#: Boxes of what may be repeated, at most.
LONGEST = 12


def repeated(structure: Structure, pieces: list[Piece]) -> list[Piece]:
    """Boxes that stand several times in a row, each time connected in the same way, as one box with their number."""
    marks = [repr(_mark(structure, piece, piece.nodes)) if piece.nodes else "" for piece in pieces]
    users = users_of(pieces)
    start = SINK + 1
    made, home = list(pieces), list(range(len(pieces)))
    while start < len(pieces):
        period, times = _run(pieces, marks, users, start)
        if times < 2:
            start += 1
            continue
        unit = pieces[start : start + period]
        whole = [each for piece in pieces[start : start + period * times] for each in piece.nodes]
        skips = any(piece.texts[0] == "add" for piece in unit)
        folded = Piece(whole, unit[-1].path, "block", ["residual unit" if skips else "unit"], unit[-1].shape)
        folded.copies, folded.inputs, folded.inside = times, list(unit[0].inputs), _inside(unit, start)
        made[start] = folded
        for number in range(start, start + period * times):
            home[number] = start
        start += period * times
    return _moved(made, home)


def _run(pieces: list[Piece], marks: list[str], users: list[list[int]], start: int) -> tuple[int, int]:
    """How many boxes from one on are repeated, and how often; the choice that folds most."""
    best = (0, 0)
    for period in range(2, LONGEST + 1):
        times = 1
        while start + period * (times + 1) <= len(pieces) and all(
            _alike(pieces, marks, users, start, period, number)
            for number in range(start + period * times, start + period * (times + 1))
        ):
            times += 1
        if times > 1 and _is_closed(pieces, users, start, period, times) and period * times > best[0] * best[1]:
            best = (period, times)
    return best


def _alike(pieces: list[Piece], marks: list[str], users: list[list[int]], start: int, period: int, number: int) -> bool:
    """Whether a box is that of the repeat before once more, with what it takes moved along."""
    before = pieces[number - period]
    moved = [each + period if each >= start - 1 else -1 for each in before.inputs]
    return marks[number] == marks[number - period] and pieces[number].inputs == moved and pieces[number].kind != "input"


def _is_closed(pieces: list[Piece], users: list[list[int]], start: int, period: int, times: int) -> bool:
    """Whether each repeat takes only what came out of the one before, and gives only what it makes last."""
    for first in range(start, start + period * times, period):
        for number in range(first, first + period):
            if any(each < first - 1 for each in pieces[number].inputs):
                return False
            last = number == first + period - 1
            if not last and any(user >= first + period or user == SINK for user in users[number]):
                return False
            more = first + period < start + period * times
            if last and more and any(user >= first + 2 * period or user == SINK for user in users[number]):
                return False
    return True


def _inside(unit: list[Piece], start: int) -> list[Piece]:
    """The boxes of one repeat, between where it comes from and where it leads to."""
    ends = [Piece([], "", "input", [text], None) for text in ("input", "output", "in")]
    ends[2].inputs = [SOURCE]
    ends[SINK].inputs = [len(unit) + 2]
    made = []
    for piece in unit:
        copy = Piece(piece.nodes, piece.path, piece.kind, piece.texts, piece.shape)
        copy.inputs = [each - start + 3 if each >= start else SINK + 1 for each in piece.inputs]
        copy.copies = piece.copies
        made.append(copy)
    return [*ends, *made]
