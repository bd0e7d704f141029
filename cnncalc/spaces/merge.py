"""Put the parts of a sweep together: the files of its shards become the file of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..errors import usage_error
from ..quantities import number
from ..record import Record
from .choose import Unique, goals
from .journal import write_whole
from .plan import choice
from .results import FORMS, Reader, form_of, lines_of
from .tally import Tally

#: Files that are put together at most.
MOST_PARTS = 10_000


class Merged(Record):
    """What came of it: the counts of all parts, their number, and which are missing."""

    tally: Tally
    shards: int
    missing: list[int]


def merge(places: Sequence[str], output: str) -> Merged:
    """The parts in these files and folders as one file; raises `SpecError` for parts of different sweeps.

    Where some are missing, the file is of those that are there, and says which are not.
    """
    form = form_of(output)
    paths = [path for path in _files(places) if path.resolve() != Path(output).resolve()]
    if not paths:
        raise usage_error(f"there are no parts in {', '.join(places)}", "the files that sweep --shard 1/8 -o wrote")
    if len(paths) > MOST_PARTS:
        raise usage_error(f"more than {MOST_PARTS:,} parts", "fewer shards")
    with ExitStack() as stack:
        parts = _in_order([_reader(path, stack) for path in paths])
        first = next(iter(parts.values()))
        if {(each.form == ".jsonl") for each in parts.values()} != {form == ".jsonl"}:
            raise usage_error(f"parts in {first.form} do not become {form}", "the same ending")
        count = first.head.get("shard", [1, 1])[1]
        missing = [shard for shard in range(1, count + 1) if shard not in parts]
        tally = Tally()
        for part in parts.values():
            tally.add(_tally(part))
        head = {key: value for key, value in first.head.items() if key not in ("shard", "tally")}
        if missing:
            head["missing"] = missing
        lines = _together(head["choice"], parts.values())
        write_whole(Path(output), {**head, "tally": tally.document()}, first.names, lines)
    return Merged(tally, count, missing)


def _files(places: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for place in places:
        path = Path(place)
        if path.is_dir():
            unfinished = sorted(path.glob("*.part"))
            if unfinished:
                raise usage_error(
                    "is not finished", "the same sweep, with the same -o, goes on", where=str(unfinished[0])
                )
            found += sorted(each for each in path.iterdir() if each.suffix.lower() in FORMS)
        elif path.is_file():
            found.append(path)
        else:
            raise usage_error("there is no such file or folder", where=place)
    return list(dict.fromkeys(found))


def _reader(path: Path, stack: ExitStack) -> Any:
    if form_of(str(path)) == ".parquet":
        from .parquet import ParquetReader

        return ParquetReader(path)
    try:
        return Reader(path, stack.enter_context(path.open("rb")))
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror}", where=str(path)) from None


def _in_order(readers: Sequence[Any]) -> dict[int, Any]:
    """The parts by their numbers; raises `SpecError` where two are the same, or of different sweeps."""
    parts: dict[int, Any] = {}
    first = readers[0]
    for each in readers:
        number, count = each.head.get("shard", [1, 1])
        for key in first.head.keys() | each.head.keys() - {"shard", "tally"}:
            if key not in ("shard", "tally") and first.head.get(key) != each.head.get(key):
                what = {"hash": "space", "space": "space", "cnncalc": "version"}.get(key, key)
                raise usage_error(f"is of another sweep than {first.path}: its {what} differs", where=str(each.path))
        if count != first.head.get("shard", [1, 1])[1]:
            raise usage_error(f"is one of {count} shards, and {first.path} is not", where=str(each.path))
        if number in parts:
            raise usage_error(f"is shard {number}, and so is {parts[number].path}", where=str(each.path))
        parts[number] = each
    return dict(sorted(parts.items()))


def _tally(reader: Any) -> Tally:
    try:
        return Tally.read(reader.head["tally"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise usage_error("does not say how many candidates it has seen", where=str(reader.path)) from None


def _together(chosen: dict[str, Any], parts: Iterable[Any]) -> Iterator[bytes]:
    """The lines of the whole, from those of its parts: all of them, or the best, as the sweep chose."""
    wanted = chosen.get("pareto") or chosen.get("sort") or ""
    if not chosen.get("pareto") and not chosen["top"]:
        alike = Unique(chosen["unique"])
        for part in parts:
            for rows in part:
                yield from lines_of(alike.take(rows) if chosen["unique"] else rows)
        return
    best = choice(chosen.get("pareto", ""), goals(wanted, str) if wanted else [], chosen["top"], chosen["unique"])
    for part in parts:
        for rows in part:
            best.take(rows)
    if best.rows is not None:
        yield from lines_of(best.rows)


def told(merged: Merged, output: str) -> str:
    """What was done, in a line."""
    parts = f"{number(merged.shards - len(merged.missing))} of {number(merged.shards)} parts"
    line = f"wrote {output} of {parts}"
    if not merged.missing:
        return line
    shown = ", ".join(str(each) for each in merged.missing[:20]) + " …" * (len(merged.missing) > 20)
    return f"{line}; missing: {shown}"
