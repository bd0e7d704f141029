"""Branches that run side by side and are exchanged, as in HRNet: each such part of a network as one box."""

from __future__ import annotations

from collections.abc import Sequence

from .pieces import SINK, SOURCE, Piece, Structure, counted, users_of

#: Boxes of an exchange that is opened beside the network, at most: of more, the lines are a tangle.
MOST_INSIDE = 8


def bundled(structure: Structure, pieces: list[Piece]) -> list[Piece]:
    """Boxes in which several branches meet in several merges, each of all of them, with these branches, as one box."""
    users = users_of(pieces)
    home = list(range(len(pieces)))
    folded: dict[int, Piece] = {}
    for sources, merges in _exchanges(pieces, users):
        members = set(merges)
        for merge in merges:
            members |= _above(pieces, users, merge)[1]
        members |= {source for source in sources if set(users[source]) <= members}
        if any(home[each] != each for each in members):
            continue
        first = min(members)
        nodes = sorted(node for each in members for node in pieces[each].nodes)
        made = Piece(nodes, pieces[max(merges)].path, "block", [f"{len(sources)} branches, exchanged"], None)
        made.inputs = list(dict.fromkeys(each for m in sorted(members) for each in pieces[m].inputs))
        if len(members) <= MOST_INSIDE:
            made.inside = _inside(pieces, sorted(members), merges)
        folded[first] = made
        for each in members:
            home[each] = first
    return counted(structure, _in_order(pieces, home, folded)) if folded else pieces


def _exchanges(pieces: Sequence[Piece], users: Sequence[Sequence[int]]) -> list[tuple[frozenset[int], list[int]]]:
    """Which branches meet in which merges: two or more of each."""
    found: dict[frozenset[int], list[int]] = {}
    for number, piece in enumerate(pieces):
        if number > SINK and len(piece.inputs) > 1:
            sources = frozenset(_above(pieces, users, number)[0])
            if len(sources) > 1 and min(sources) > SINK:
                found.setdefault(sources, []).append(number)
    return [(sources, merges) for sources, merges in found.items() if len(merges) > 1]


def _above(pieces: Sequence[Piece], users: Sequence[Sequence[int]], merge: int) -> tuple[set[int], set[int]]:
    """What a merge is of: the boxes that lead somewhere else as well, and those in between, which do not."""
    sources, passed, todo = set[int](), set[int](), list(pieces[merge].inputs)
    while todo:
        number = todo.pop()
        single = number > SINK and len(users[number]) == 1 and pieces[number].kind != "merge"
        (passed if single else sources).add(number)
        todo += pieces[number].inputs if single else []
    return sources, passed


def _in_order(pieces: Sequence[Piece], home: Sequence[int], folded: dict[int, Piece]) -> list[Piece]:
    """The boxes that are left, each behind all that it takes."""
    left = [number for number in range(len(pieces)) if home[number] == number]
    takes = {
        n: list(dict.fromkeys(home[each] for each in folded.get(n, pieces[n]).inputs if home[each] != n)) for n in left
    }
    done = [SOURCE, SINK]
    waiting = [number for number in left if number not in done]
    while waiting:
        number = next(each for each in waiting if all(taken in done for taken in takes[each]))
        waiting.remove(number)
        done.append(number)
    place = {number: i for i, number in enumerate(done)}
    made = []
    for number in done:
        piece = folded.get(number, pieces[number])
        piece.inputs = [place[each] for each in takes[number]]
        made.append(piece)
    return made


def _inside(pieces: Sequence[Piece], members: Sequence[int], merges: Sequence[int]) -> list[Piece]:
    """The boxes of one exchange, between where it comes from and where it leads to."""
    ends = [Piece([], "", "input", [text], None) for text in ("input", "output", "in")]
    ends[2].inputs = [SOURCE]
    place = {number: i + 3 for i, number in enumerate(members)}
    ends[SINK].inputs = [place[each] for each in merges]
    made = []
    for number in members:
        piece = pieces[number]
        copy = Piece(piece.nodes, piece.path, piece.kind, piece.texts, piece.shape)
        copy.inputs = list(dict.fromkeys(place.get(each, 2) for each in piece.inputs))
        copy.copies, copy.unit = piece.copies, piece.unit
        made.append(copy)
    return [*ends, *made]
