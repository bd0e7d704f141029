"""The zoo: which networks there are, filtered and sorted, and the story of each."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from ..errors import did_you_mean, usage_error
from ..generated import literal
from ..graph import Claim
from ..language.locate import ZOO, zoo_sources
from ..language.model import graph_of
from ..language.spec import Spec, open_spec
from ..quantities import mib, readable
from ..report import Report, analyse
from ..report.figures import BY_NAME, OF_NETWORK
from ..table import EMPTY, Bullet, Column, Line, Prose, Table, known
from .check import shown


class Filter:
    """Which networks are wanted: for a task, and within bounds (least, most) of `year`, `top1`, or any total.

    >>> Filter(task="detection", params=(None, 30_000_000), top1=75)
    Filter(task='detection', params=(None, 30000000), top1=(75, None))
    """

    def __init__(self, task: str = "", **bounds: Any) -> None:
        self.task = task.lower()
        bounds = {"year" if key == "years" else key: value for key, value in bounds.items()}
        pairs = {key: value if isinstance(value, tuple) else (value, None) for key, value in bounds.items()}
        self.bounds: dict[str, tuple[Any, Any]] = {key: pair for key, pair in pairs.items() if pair != (None, None)}
        for key in self.bounds:
            column_of(key)

    def __repr__(self) -> str:
        parts = [f"task={self.task!r}"] * bool(self.task) + [f"{key}={pair}" for key, pair in self.bounds.items()]
        return f"Filter({', '.join(parts)})"

    def __bool__(self) -> bool:
        return bool(self.task or self.bounds)

    def wants(self, entry: Entry) -> bool:
        """Whether a network is among those wanted; one whose figure is not known is not, if that is asked."""
        if self.task and entry.task != self.task:
            return False
        return all(_within(entry.value(key), least, most) for key, (least, most) in self.bounds.items())


def _within(value: Any, least: Any, most: Any) -> bool:
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
        claimed = self.carried.get("top1")
        return float(claimed) if isinstance(claimed, (int, float)) else None

    @property
    def top1_year(self) -> int | None:
        """The year of that result, where it is the paper's own; None for weights that were trained later, by others."""
        source = next((c.source for c in self.report.graph.claims if c.quantity == "top1" and not c.name), "")
        return None if self.top1 is None or any(word in source for word in _TRAINED_LATER) else self.year

    @property
    def input(self) -> Any:
        return self.report.graph.inputs[0].shape

    @property
    def params(self) -> int:
        return int(self.report.totals.params)

    @property
    def macs(self) -> int:
        return int(self.report.totals.macs)

    def value(self, key: str) -> Any:
        """What stands in a column; None where it is not known."""
        if key in _FACTS:
            return getattr(self, key) or None
        return self.report.totals.value(key)


def entries(specs: Sequence[Spec]) -> Iterator[Entry]:
    """The networks of some files, analysed one by one."""
    for spec in specs:
        for variant in spec.variants or [""]:
            one = spec._replace(variant=variant)
            yield Entry(one, analyse(graph_of(one)))


@cache
def all_entries() -> tuple[Entry, ...]:
    """All networks of the zoo, which is the same as long as a program runs."""
    return tuple(entries(list(map(open_spec, zoo_sources()))))


#: What the source of an accuracy says where it is not the paper's own result.
_TRAINED_LATER = ("torchvision", "converted weights")
_YOUNGER = "top-1 is that of published weights; the year is the network's, not theirs"


def _younger(networks: Sequence[Entry], keys: Sequence[str]) -> tuple[str, ...]:
    """What is to be said where results stand beside a year that is not theirs."""
    later = "top1" in keys and any(entry.top1 is not None and entry.top1_year is None for entry in networks)
    return (_YOUNGER,) if later else ()


def _percent(value: float) -> str:
    return f"{value:.1f}"


#: What is known of a network besides its figures.
_FACTS = {
    column.key: column
    for column in (
        Column("year", "year", str, True),
        Column("task", "task"),
        Column("input", "input", readable, True),
        Column("top1", "top-1", _percent, True),
    )
}
#: The columns that are shown where none are named.
COLUMNS = ("year", "task", "input", "params", "macs", "top1", "depth")
_NAMES = Column("name", "name"), Column("network", "network")


def column_of(key: str) -> Column:
    """A column: a fact, or any total of a network; raises `SpecError` for one that there is not."""
    names = {column.title: key for key, column in _FACTS.items()} | {
        figure.title: key for key, figure in OF_NETWORK.items()
    }
    key = key if key in _FACTS or key in BY_NAME else names.get(key, key)
    figure = BY_NAME.get(key)
    if key in _FACTS:
        return _FACTS[key]
    if figure is not None and figure.of_network and figure.key != "shape":
        show = mib if figure.in_bytes else figure.show
        return Column(figure.total, figure.title, show, True)
    columns = ["name", *COLUMNS, *(name for name in OF_NETWORK if name not in (*COLUMNS, "shape"))]
    raise usage_error(f"the zoo has no column {key}", did_you_mean(key, columns) or f"columns are {', '.join(columns)}")


def _cells(entry: Entry, keys: Sequence[str]) -> tuple[Any, ...]:
    return tuple(EMPTY if (value := entry.value(key)) is None else value for key in keys)


def zoo_table(
    filter: Filter | None = None, sort: str = "", families: bool = True, columns: Sequence[str] = ()
) -> Table:
    """The bundled networks: family by family, or those that a filter wants, or sorted by a column.

    `families` False leaves the lines out that are no networks. `columns` are facts and totals by their names; what is
    sorted by is shown, too. Raises `SpecError` for a task or column that there is not.
    """
    filter = filter or Filter()
    keys = [column_of(key).key for key in columns or COLUMNS]
    key = sort.lstrip("-+")
    if key and key != "name" and column_of(key).key not in keys:
        keys.append(column_of(key).key)
    networks = all_entries()
    tasks = sorted({entry.task for entry in networks if entry.task})
    if filter.task and filter.task not in tasks:
        hint = did_you_mean(filter.task, tasks) or f"tasks are {', '.join(tasks)}"
        raise usage_error(f"no network of the zoo is for {filter.task}", hint)
    wanted = [entry for entry in networks if filter.wants(entry)]
    lines: list[Line] = []
    wanted = _sorted(wanted, sort) if sort else wanted
    if sort or filter or not families:
        lines = [Line((entry.name, entry.spec.title, *_cells(entry, keys))) for entry in wanted]
    else:
        family = ""
        for entry in wanted:
            alone = not entry.spec.variant
            if not alone and entry.spec.file != family:
                family = entry.spec.file
                lines.append(Line((family, entry.spec.title, *(EMPTY,) * len(keys)), "group"))
            title = entry.spec.title if alone else EMPTY
            lines.append(Line((entry.name, title, *_cells(entry, keys)), "layer", int(not alone)))
    notes = (
        f"{len(wanted)} networks of {len(networks)}" if len(wanted) < len(networks) else f"{len(networks)} networks",
        "each name is a SPEC, as in: cnncalc summary vgg16",
        "cnncalc zoo NAME tells the story of one, cnncalc show NAME prints its spec",
        *_younger(wanted, keys),
    ) if wanted else (f"none of {len(networks)} networks is like that",)  # fmt: skip
    shown_columns = (*_NAMES, *map(column_of, keys)) if wanted else ()
    spare = ("depth", "task", "input", "network")
    return Table("", shown_columns, lines, (), notes, spare, [_facts(entry, keys) for entry in wanted])


def zoo(sort: str = "", columns: Sequence[str] = (), **wanted: Any) -> Table:
    """The zoo as a table, sorted by a column; `wanted` is what a `Filter` takes: `task`, and bounds of figures.

    >>> [line.cells[0] for line in zoo("-params", task="super-resolution").lines]
    ['fsrcnn_s', 'srcnn_915', 'fsrcnn', 'espcn', 'srcnn_935', 'srcnn_955', 'vdsr']
    >>> [line.cells[0] for line in zoo("-intensity", params=(None, 70_000), intensity=20).lines]
    ['srcnn_955']
    """
    return zoo_table(Filter(**wanted), sort, columns=columns)


def _sorted(networks: Sequence[Entry], sort: str) -> list[Entry]:
    """Largest first; with a minus smallest first; names and tasks the other way round; what is not known last."""
    key = sort.lstrip("-+")
    key = key if key == "name" else column_of(key).key
    if key == "input":
        raise usage_error("the zoo is not sorted by input", f"columns are name, {', '.join(COLUMNS)}")

    def value(entry: Entry) -> Any:
        return entry.name if key == "name" else known(entry.value(key))

    there = [entry for entry in networks if value(entry) is not None]
    there.sort(key=value, reverse=(key in ("name", "task")) == sort.startswith("-"))
    return there + [entry for entry in networks if value(entry) is None]


def _facts(entry: Entry, keys: Sequence[str]) -> dict[str, Any]:
    """A network as plain data; None for what is not known."""
    own = {key: known(entry.value(key)) for key in keys}
    return {"name": entry.name, "family": entry.spec.file, "network": entry.spec.title} | own


def story(name: str) -> Table:
    """What there is to know of a network or family of the zoo: its source, its story, variants, claims, and its use.

    A file of one's own has a story too. Raises `SpecError`.
    """
    spec = open_spec(name)
    variant = spec.variant
    networks = list(entries([spec]))
    order = ("input", "params", "macs", "top1", "depth")
    columns = (_NAMES[0], *map(column_of, order))
    lines = [
        Line((entry.name, *_cells(entry, order)), "copies" if entry.spec.variant == variant and variant else "layer")
        for entry in networks
    ]
    chosen = next((entry for entry in networks if entry.spec.variant == variant), networks[0])
    facts = [str(chosen.year or ""), chosen.task]
    head = [" · ".join(fact for fact in facts if fact)] if any(facts) else []
    abouts = list(dict.fromkeys(each.report.graph.about for each in ([chosen] if variant else networks)))
    head += [Bullet(f"source: {about}") for about in abouts if about]
    notes: list[str] = [Prose(" ".join(spec.note.split()))] if spec.note else []
    shown_entries = [chosen] if variant else networks
    notes += ["", *_claims("published", [(e, c) for e in shown_entries for c in _published(e)])]
    notes += _claims("disputed", [(e, c) for e in shown_entries for c in e.report.graph.disputes])
    notes += _pretrained(shown_entries)
    notes += _younger(shown_entries, order)
    notes += ["", *_usage(chosen)]
    document = {
        "name": spec.file, "title": spec.title, "source": chosen.report.graph.about,
        "year": chosen.year, "task": chosen.task,
        "note": " ".join(spec.note.split()),
        "variants": [dict(zip(("name", *order), line.cells, strict=True)) for line in lines],
        "published": [_document(e, c) for e in networks for c in _published(e)],
        "disputed": [_document(e, c) for e in networks for c in e.report.graph.disputes],
        "pretrained": [{"network": e.name, **p._asdict()} for e in networks for p in e.report.graph.pretrained],
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
        lines.append(Bullet(text))
    return lines


def _pretrained(networks: list[Entry]) -> list[str]:
    """How published weights want their pictures, one line for each way of preparing them."""
    ways: dict[tuple[str, str, str], list[str]] = {}
    for entry in networks:
        for each in entry.report.graph.pretrained:
            ways.setdefault((each.source, str(each), each.note), []).append(each.file or entry.name)
    return [
        Bullet(f"pictures for {source} ({', '.join(dict.fromkeys(files))}): {how}" + (f"; {note}" if note else ""))
        for (source, how, note), files in ways.items()
    ]


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
