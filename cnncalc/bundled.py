"""The zoo: which networks there are, filtered and sorted, and the story of each."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .claims import shown
from .errors import did_you_mean, wrong_call
from .generated import literal
from .graph import Claim
from .render.table import EMPTY, Column, Item, Line, Prose, Table, as_number, as_shape, as_text
from .report import Report, analyse
from .spec.locate import ZOO, zoo_files
from .spec.model import Spec, open_spec


class Filter(NamedTuple):
    """Which networks are wanted: bounds are (least, most), None or 0 for none."""

    task: str = ""
    params: tuple[int | None, int | None] = (None, None)
    macs: tuple[int | None, int | None] = (None, None)
    top1: float | None = None
    years: tuple[int | None, int | None] = (None, None)

    def wants(self, entry: Entry) -> bool:
        """Whether a network is among those wanted; one whose year or accuracy is not known is not, if that is asked."""
        if self.task and entry.task != self.task:
            return False
        bounds = (
            (entry.params, *self.params),
            (entry.macs, *self.macs),
            (entry.year, *self.years),
            (entry.top1, self.top1, None),
        )
        return all(_within(value, least, most) for value, least, most in bounds)


def _within(value: float | None, least: float | None, most: float | None) -> bool:
    if least is None and most is None:
        return True
    return value is not None and (least is None or value >= least) and (most is None or value <= most)


class Entry:
    """One network of the zoo: a variant of a family, or a file without variants."""

    def __init__(self, spec: Spec, report: Report) -> None:
        self.spec, self.report = spec, report
        self.carried = {claim.quantity: claim.value for claim in report.graph.claims if not claim.name}

    @property
    def name(self) -> str:
        return self.spec.variant or self.spec.file

    @property
    def task(self) -> str:
        return self.report.graph.task

    @property
    def year(self) -> int | None:
        return self.report.graph.year

    @property
    def top1(self) -> float | None:
        """Published top-1 accuracy, in %."""
        found = self.carried.get("top1")
        return float(found) if isinstance(found, (int, float)) else None

    @property
    def params(self) -> int:
        return self.report.totals.params

    @property
    def macs(self) -> int:
        return self.report.totals.macs

    @property
    def depth(self) -> int:
        return self.report.totals.depth

    @property
    def input(self) -> Any:
        return self.report.graph.inputs[0].shape


def entries(specs: Sequence[Spec] | None = None) -> Iterator[Entry]:
    """All networks of the zoo, or those of some files, analysed one by one."""
    for spec in [open_spec(str(path)) for path in zoo_files()] if specs is None else specs:
        for variant in spec.variants or [""]:
            one = spec._replace(variant=variant)
            yield Entry(one, analyse(one.graph()))


def _percent(value: float) -> str:
    return f"{value:.1f}"


COLUMNS = (
    Column("name", "name"),
    Column("network", "network"),
    Column("year", "year", str, True),
    Column("task", "task"),
    Column("input", "input", as_shape, True),
    Column("params", "parameters", as_number, True),
    Column("macs", "MACs", as_number, True),
    Column("top1", "top-1", _percent, True),
    Column("depth", "depth", as_text, True),
)
_OWN = tuple(column.key for column in COLUMNS if column.key not in ("name", "network"))


def _cells(entry: Entry, keys: Sequence[str] = _OWN) -> tuple[Any, ...]:
    return tuple(EMPTY if (value := getattr(entry, key)) is None else value for key in keys)


def zoo_table(filter: Filter = Filter(), sort: str = "", families: bool = True) -> Table:  # noqa: B008
    """The bundled networks: family by family, or those that a filter wants, or sorted by a column.

    `families` False leaves the lines out that are no networks.

    Raises `SpecError` for a task or column that there is not.
    """
    found = list(entries())
    tasks = sorted({entry.task for entry in found if entry.task})
    filter = filter._replace(task=filter.task.lower())
    if filter.task and filter.task not in tasks:
        hint = did_you_mean(filter.task, tasks) or f"tasks are {', '.join(tasks)}"
        raise wrong_call(f"no network of the zoo is for {filter.task}", hint)
    wanted = [entry for entry in found if filter.wants(entry)]
    lines: list[Line] = []
    wanted = _sorted(wanted, sort) if sort else wanted
    if sort or filter != Filter() or not families:
        lines = [Line((entry.name, entry.spec.title, *_cells(entry))) for entry in wanted]
    else:
        family = ""
        for entry in wanted:
            alone = not entry.spec.variant
            if not alone and entry.spec.file != family:
                family = entry.spec.file
                lines.append(Line((family, entry.spec.title, *(EMPTY,) * len(_OWN)), "group"))
            title = entry.spec.title if alone else EMPTY
            lines.append(Line((entry.name, title, *_cells(entry)), "layer", int(not alone)))
    notes = (
        f"{len(wanted)} networks of {len(found)}" if len(wanted) < len(found) else f"{len(found)} networks",
        "each name is a SPEC, as in: cnncalc summary vgg16",
        "cnncalc zoo NAME tells the story of one, cnncalc show NAME prints its spec",
    ) if wanted else (f"none of {len(found)} networks is like that",)  # fmt: skip
    columns, spare = COLUMNS if wanted else (), ("depth", "task", "input", "network")
    return Table("", columns, lines, (), notes, spare, [_facts(entry) for entry in wanted])


def zoo(sort: str = "", **wanted: Any) -> Table:
    """The zoo as a table, sorted by a column; `wanted` are the fields of a `Filter`.

    >>> [line.cells[0] for line in zoo("-params", task="super-resolution").lines]
    ['fsrcnn_s', 'srcnn_915', 'fsrcnn', 'espcn', 'srcnn_935', 'srcnn_955', 'vdsr']
    """
    return zoo_table(Filter(**wanted), sort)


def _sorted(found: Sequence[Entry], sort: str) -> list[Entry]:
    """Largest first; with a minus smallest first; names and tasks the other way round; what is not known last."""
    key = sort.lstrip("-+")
    headings = {column.title: column.key for column in COLUMNS}
    key = headings.get(key, key)
    known = [column.key for column in COLUMNS if column.key not in ("network", "input")]
    if key not in known:
        raise wrong_call(f"the zoo has no column {key}", did_you_mean(key, known) or f"columns are {', '.join(known)}")
    there = [entry for entry in found if getattr(entry, key) is not None]
    there.sort(key=lambda entry: getattr(entry, key), reverse=(key in ("name", "task")) == sort.startswith("-"))
    return there + [entry for entry in found if getattr(entry, key) is None]


def _facts(entry: Entry) -> dict[str, Any]:
    """A network as plain data; None for what is not known."""
    own = {key: getattr(entry, key) or None for key in _OWN}
    return {"name": entry.name, "family": entry.spec.file, "network": entry.spec.title} | own


def story(name: str) -> Table:
    """What there is to know of a network or family of the zoo: its source, its story, variants, claims, and its use.

    A file of one's own has a story too. Raises `SpecError`.
    """
    spec = open_spec(name)
    variant = spec.variant
    found = list(entries([spec]))
    keys = ("input", "params", "macs", "depth", "top1")
    columns = (COLUMNS[0], *(column for column in COLUMNS if column.key in keys))
    order = [column.key for column in columns[1:]]
    lines = [
        Line((entry.name, *_cells(entry, order)), "copies" if entry.spec.variant == variant and variant else "layer")
        for entry in found
    ]
    chosen = next((entry for entry in found if entry.spec.variant == variant), found[0])
    facts = [str(chosen.year or ""), chosen.task]
    head = [" · ".join(fact for fact in facts if fact)] if any(facts) else []
    abouts = list(dict.fromkeys(each.report.graph.about for each in ([chosen] if variant else found)))
    head += [Item(f"source: {about}") for about in abouts if about]
    notes: list[str] = [Prose(" ".join(spec.note.split()))] if spec.note else []
    shown_entries = [chosen] if variant else found
    notes += ["", *_claims("published", [(e, c) for e in shown_entries for c in _published(e)])]
    notes += _claims("disputed", [(e, c) for e in shown_entries for c in e.report.graph.disputes])
    notes += ["", *_usage(chosen)]
    document = {
        "name": spec.file, "title": spec.title, "source": chosen.report.graph.about,
        "year": chosen.year, "task": chosen.task,
        "note": " ".join(spec.note.split()),
        "variants": [dict(zip(("name", *order), line.cells, strict=True)) for line in lines],
        "published": [_document(e, c) for e in found for c in _published(e)],
        "disputed": [_document(e, c) for e in found for c in e.report.graph.disputes],
    }  # fmt: skip
    return Table(spec.title, columns, lines, tuple(head), tuple(notes), ("depth", "input"), document)


def _published(entry: Entry) -> list[Claim]:
    return [claim for claim in entry.report.graph.claims if not claim.name]


def _claims(word: str, claims: list[tuple[Entry, Claim]]) -> list[str]:
    """Claims of the networks, one line for each source."""
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for entry, claim in claims:
        key = entry.name, claim.source, claim.note
        part = f"{claim.name} " if claim.name else ""
        grouped.setdefault(key, []).append(f"{part}{claim.quantity} {shown(claim.value)}")
    lines: list[str] = []
    for (name, source, note), values in grouped.items():
        text = (
            f"{word}, {name}: {', '.join(values)}" + (f" ({source})" if source else "") + (f": {note}" if note else "")
        )
        lines.append(Item(text))
    return lines


def _usage(entry: Entry) -> list[str]:
    spec, path = entry.spec, entry.spec.source.name
    name = entry.name if path.startswith(ZOO) else f"{path}:{spec.variant}" if spec.variant else path
    word = shlex.quote(name)
    classes = " --set classes=10" if "classes" in entry.report.graph.args else ""
    return [
        f"cnncalc summary {word}{classes}",
        f"cnncalc show {word} --expanded",
        f"cnncalc bench {word} --device cuda",
        f"python: cnncalc.analyse({literal(name)}).totals.params; cnncalc.build({literal(name)})",
    ]


def _document(entry: Entry, claim: Claim) -> dict[str, Any]:
    return {
        "network": entry.name,
        "part": claim.name,
        "quantity": claim.quantity,
        "value": claim.value,
        "source": claim.source,
        "note": claim.note,
    }
