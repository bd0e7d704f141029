"""The spec of a flat network: folded, proved to be the same, and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ..errors import Source, SpecError
from ..graph import Graph
from ..language.model import load
from ..ops import Shape
from ..quantities import number
from ..record import Record
from ..report import analyse
from .flat import Flat
from .fold import Block, Folded, folded
from .proof import differences
from .refusals import refused
from .structure import structured
from .unify import TooMuch
from .writing import written

#: Layers beyond which a network is written layer by layer: ResNet-1202 has 4,300.
MOST_FOLDED = 10_000
#: Folds that are tried, each with less in it.
MOST_ATTEMPTS = 12


class Imported(Record):
    """A network as a spec: its text, the graph that it gives, what is to be said of it, and the blocks that were found.

    `flat` is what it was folded from, None where its blocks were known before.
    """

    text: str
    graph: Graph
    notes: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    flat: Flat | None = None

    @property
    def keys(self) -> Mapping[str, Shape] | None:
        """The shapes of the tensors that the original keeps by name, None where it has no names for them."""
        return None if self.flat is None else self.flat.keys

    @property
    def declared(self) -> list[tuple[str, str]]:
        """The layers that were not understood, each with the reason."""
        layers = () if self.flat is None else self.flat.layers
        return [(node.name, str(node.figures.get("note", ""))) for node in layers if node.figures is not None]


def imported(flat: Flat, fold: bool = True, head: Sequence[str] = ()) -> Imported:
    """The spec of a flat network, which gives the same network when it is read; raises `SpecError`.

    Where a fold does not give the same, it is left out: what is written is always right, and as short as that allows.
    """
    for without in islice(_attempts(flat), MOST_ATTEMPTS if fold and len(flat.nodes) <= MOST_FOLDED else 0):
        try:
            found = folded(flat, structured(flat), without)
            text = written(flat, found.statements, found.blocks, head)
            graph = load(Source(flat.title, text))
        except TooMuch:
            break
        except SpecError:
            continue
        if not list(differences(flat, graph)):
            return Imported(text, graph, (*flat.notes, *_uncounted(flat, graph)), found.blocks, flat)
    text = written(flat, structured(flat), (), head)
    try:
        graph = load(Source(flat.title, text))
    except SpecError as error:  # at places in a spec that nobody has seen
        raise refused(f"the language cannot say what it does: {error.problems[0].message}", flat.title) from None
    wrong = next(differences(flat, graph), None)
    if wrong is not None:
        raise refused(
            f"{wrong[0]} {wrong[1]}: the spec would not be the network", flat.title, "please report it, with the model"
        )
    return Imported(text, graph, (*flat.notes, *_uncounted(flat, graph)), (), flat)


def _uncounted(flat: Flat, graph: Graph) -> Iterator[str]:
    """What is to be said where the layers do not have as many parameters as the original."""
    counted = analyse(graph).totals.params
    if flat.stored is None or counted == flat.stored:
        return
    apart = f"{number(abs(counted - flat.stored))} parameters"
    if counted > flat.stored:
        yield f"{apart} are counted more than once: layers share a part of their weights"
    else:
        yield f"{apart} of the original are in none of the layers"


def _attempts(flat: Flat) -> Iterator[frozenset[str]]:
    """What is left unfolded, in turn: nothing; each class that something differs in; all runs; both."""
    yield frozenset()
    first = folded(flat, structured(flat))
    kinds = list(dict.fromkeys(kind for kind, _ in first.folds if kind != "runs"))
    wrong = _suspects(flat, first)
    for kind in [*(kind for kind in kinds if kind in wrong), *(kind for kind in kinds if kind not in wrong)]:
        yield frozenset({kind})
    yield frozenset({"runs"})
    for kind in kinds:
        yield frozenset({"runs", kind})
    yield frozenset(kinds)


def _suspects(flat: Flat, found: Folded) -> set[str]:
    """The classes in whose blocks something differs."""
    try:
        graph = load(Source(flat.title, written(flat, found.statements, found.blocks)))
    except SpecError:
        return set()
    paths = [path for path, _ in differences(flat, graph)][:50]
    return {
        kind
        for kind, members in found.folds
        if any(path == member or path.startswith(f"{member}.") for path in paths for member in members)
    }
