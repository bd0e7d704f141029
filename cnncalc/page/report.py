"""A report as one page: figures, totals, every layer with its work, claims and measurements; it asks for nothing.

No script runs in it and nothing is loaded: it opens from a mail as from a disk, by keyboard, on a phone, in print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from statistics import median
from typing import Any

from ..answers.check import Checked, verdicts
from ..answers.compare import compare
from ..errors import SpecError
from ..explanation import Derivation, Explanation
from ..figures.options import Options
from ..figures.pictures import picture
from ..figures.svg import lines as svg_lines
from ..printable import printable
from ..quantities import mib, number, readable, si
from ..report import Report
from ..report.convention import CONVENTION
from ..report.layer_table import setting
from ..report.parts import Row
from ..table import AtLeast, Table, known
from .works import Work, key, works

#: Figures of a network in the order of the page; layers beyond which fewer of them are drawn and explained.
FIGURES = ("graph", "blocks", "cost", "memory", "field")
MANY, MOST_WORKS = 1_500, 400
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'"
STYLE = """
:root{color-scheme:light;--ink:#111;--faint:#555;--rule:#ccc;--panel:#f6f6f4;--link:#0b5394}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;font:16px/1.45 system-ui,sans-serif;color:var(--ink);background:#fff}
h1{margin:.2em 0}h2{margin:2em 0 .5em;border-bottom:1px solid var(--rule)}a{color:var(--link)}
p.facts{color:var(--faint);margin:.2em 0}nav{display:flex;flex-wrap:wrap;gap:.2rem 1rem}
dl.totals{display:grid;grid-template-columns:repeat(auto-fill,minmax(11rem,1fr));gap:.6rem;margin:1rem 0}
dl.totals div{background:var(--panel);border-radius:6px;padding:.5rem .7rem}
dt{color:var(--faint);font-size:.85rem}dd{margin:0}dl.totals dd{font-size:1.15rem;font-weight:600}
figure{margin:1.5rem 0}figure svg{max-width:100%;height:auto}
div.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
th,td{padding:.15rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #eee}th{background:var(--panel)}
th:first-child,td:first-child,.l{text-align:left}caption{text-align:left;color:var(--faint);padding:.3rem 0}
details{margin:.25rem 0;padding:.2rem .6rem;border-left:3px solid var(--rule)}summary{cursor:pointer}
summary:focus-visible,a:focus-visible,div.wide:focus-visible{outline:3px solid var(--link)}
details p{margin:.3rem 0}code{background:var(--panel);padding:0 .2rem;overflow-wrap:anywhere}
small{color:var(--faint)}pre{overflow-x:auto;white-space:pre-wrap}:target{background:#fff3c4}
@media print{body{max-width:none;font-size:11px}nav{display:none}h2{break-after:avoid}
figure,tr,details{break-inside:avoid}div.wide{overflow:visible}}
"""


def report_page(
    reports: Sequence[Report], checked: Sequence[Checked] = (), measured: Sequence[Mapping[str, Any]] = ()
) -> str:
    """The page of a network, or of several beside each other, with claims that were checked and what was measured."""
    title = " · ".join(report.title for report in reports[:4]) + " …" * (len(reports) > 4)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>",
            *_body(reports, title, checked, measured),
            "</main>\n</body>\n</html>\n",
        ]
    )


def _body(
    reports: Sequence[Report], title: str, checked: Sequence[Checked], measured: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    yield f"<h1>{_text(title)}</h1>"
    if len(reports) > 1:
        yield "<h2>Side by side</h2>"
        yield from _table(compare(reports), "Totals, with ratios to the first")
        links = (f'<a href="#n{i}">{_text(report.title)}</a>' for i, report in enumerate(reports))
        yield f'<nav aria-label="Networks">{" ".join(links)}</nav>'
    formulas: dict[str, str] = {}
    for place, report in enumerate(reports):
        yield from _network(report, place, len(reports) > 1, formulas)
    if any(result.verdicts or result.disputed for result in checked):
        yield "<h2>Claims, checked</h2>"
        yield from _table(verdicts(checked), "What is claimed or published, and what is computed")
    if measured:
        yield "<h2>Measured</h2>"
        yield from _measurements(measured)
    yield "<h2>Formulas</h2>"
    yield "<ol>" + "".join(f'<li id="f{i}">{text}</li>' for i, text in enumerate(formulas.values(), 1)) + "</ol>"
    yield f"<p>What is counted: {_text(CONVENTION)}.</p>"


def _network(report: Report, place: int, several: bool, formulas: dict[str, str]) -> Iterator[str]:
    """One network: facts, totals, figures, layers, and the work behind each number."""
    graph = report.graph
    if several:
        yield f'<section id="n{place}" aria-labelledby="t{place}"><h2 id="t{place}">{_text(report.title)}</h2>'
    yield f'<p class="facts">{_text(setting(report))}</p>'
    if graph.about:
        yield f'<p class="facts">{_text(graph.about)}</p>'
    yield from _totals(report)
    for name in FIGURES if len(report.rows) <= MANY else ("graph", "cost"):
        try:
            scene = picture(report, name, Options())
        except SpecError:  # a picture that this network cannot have
            continue
        yield f"<figure>{''.join(svg_lines(scene, data=False))}</figure>"
    behind = works(report, report.rows, MOST_WORKS)
    yield from _layers(report, place, behind)
    yield f"<h{3 if several else 2}>How every number comes about</h{3 if several else 2}>"
    for number_, (row, alike, explanation) in enumerate(behind.values()):
        yield from _work(f"w{place}-{number_}", row, alike, explanation, formulas)
    if len(behind) >= MOST_WORKS:
        yield "<p>Of layers that are not shown here, <code>cnncalc explain</code> tells the same.</p>"
    if several:
        yield "</section>"


def totals(report: Report) -> list[tuple[str, str]]:
    """What stands first of a network: each total by its name."""
    value = report.totals.value
    return [
        ("parameters", _number(value("params"))),
        ("multiply-adds", _big(value("macs"), "MAC")),
        ("FLOPs", _big(value("flops"), "FLOP")),
        ("depth", _number(value("depth"))),
        ("weights in memory", _bytes(value("weight_bytes"))),
        ("inference needs", _bytes(value("inference_bytes"))),
        ("output", ", ".join(readable(report.graph.nodes[i].shape) for i in report.graph.outputs)),
    ]


def _totals(report: Report) -> Iterator[str]:
    facts = (f"<div><dt>{name}</dt><dd>{_text(value)}</dd></div>" for name, value in totals(report))
    yield '<dl class="totals">' + "".join(facts) + "</dl>"


def _layers(report: Report, place: int, behind: Mapping[Any, Work]) -> Iterator[str]:
    """Every layer in a row, its name a link to how its numbers come about."""
    anchors = {own: f"w{place}-{number_}" for number_, own in enumerate(behind)}
    heads = ("layer", "type", "output", "parameters", "MACs", "output memory", "sees")
    label = f"Layers of {_text(report.title)}"
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table>'
    yield f"<caption>{len(report.rows)} layers, in order of work</caption><thead><tr>"
    yield "".join(f'<th scope="col"{" class=l" * (head == "type")}>{head}</th>' for head in heads)
    yield "</tr></thead><tbody>"
    for row in report.rows:
        field = row.receptive_field
        sees = "" if field is None or not field.size else "×".join(map(str, dict.fromkeys(field.size)))
        name, anchor = _text(row.name), anchors.get(key(row))
        link = f'<a href="#{anchor}">{name}</a>' if anchor else name
        values = readable(row.output_shape), _number(row.params), _number(row.macs), _bytes(row.output_bytes), sees
        yield f"<tr><td>{link}<td class=l>{_text(row.type)}" + "".join(f"<td>{value}" for value in values)
    yield "</tbody></table></div>"


def _work(anchor: str, row: Row, alike: list[str], explanation: Explanation, formulas: dict[str, str]) -> Iterator[str]:
    """How the numbers of a layer, and of those that are the same, come about."""
    more = f", and {len(alike)} like it" if alike else ""
    yield f'<details id="{anchor}"><summary>{_text(row.name)} <small>({_text(row.type)}){more}</small></summary>'
    if alike:
        yield f"<p><small>{_text(', '.join(alike[:20]))}{' …' * (len(alike) > 20)}</small></p>"
    for line in explanation.lines:
        yield _derivation(line, formulas)
    yield "</details>"


def _derivation(line: Derivation, formulas: dict[str, str]) -> str:
    """A number: the numbers in its formula, the result, and a link to the formula with its source."""
    step = line.step
    if step is None:
        return f"<p><b>{_text(line.label)}</b>: {_text(line.text)}</p>"
    formula, value = step.formula, number(step.value, "")
    said = f"{_text(formula.name)}: <code>{_text(formula.text)}</code> <small>{_text(formula.source)}</small>"
    formulas.setdefault(formula.name, said)
    place = list(formulas).index(formula.name) + 1
    worked = f" = <code>{_text(step.substitution)}</code>" if step.substitution != value else ""
    remark = f" <small>{_text(line.remark)}</small>" if line.remark else ""
    result = f"{step.equals or '='} {_text(number(step.value))} {_text(formula.unit)}"
    return f'<p><b>{_text(line.label)}</b>{worked} {result}{remark} <a href="#f{place}">[{place}]</a></p>'


def _table(table: Table, caption: str) -> Iterator[str]:
    clean, label = table.printable(), _text(caption)
    yield f'<div class="wide" tabindex="0" role="region" aria-label="{label}"><table><caption>{label}</caption>'
    yield (
        "<thead><tr>"
        + "".join(f'<th scope="col">{_text(c.title)}</th>' for c in clean.columns)
        + "</tr></thead><tbody>"
    )
    for line in clean.lines:
        yield "<tr>" + "".join(f"<td>{_text(text)}</td>" for text in clean.texts(line)) + "</tr>"
    yield "</tbody></table></div>"
    if clean.notes:
        yield "<pre>" + _text_of_lines(clean.notes) + "</pre>"


def _measurements(measured: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What `cnncalc bench --json` measured: the median and the spread of the times, and the machine."""
    yield '<div class="wide" tabindex="0" role="region" aria-label="Measurements"><table>'
    yield "<caption>By cnncalc bench</caption><thead><tr>"
    heads = ("network", "batch", "type", "device", "median", "fastest", "images a second", "state")
    yield "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr></thead><tbody>"
    for result in measured:
        config, times = result["config"], sorted(result["latency"]["seconds"])
        middle, batch = median(times), config["batch"]
        cells = (
            result["variant"] or result["network"], batch, config["dtype"], config.get("device", ""),
            f"{1000 * middle:.3f} ms", f"{1000 * times[0]:.3f} ms", f"{batch / middle:,.1f}", result.get("status", ""),
        )  # fmt: skip
        yield "<tr>" + "".join(f"<td>{_text(str(cell))}</td>" for cell in cells) + "</tr>"
    yield "</tbody></table></div>"


def _number(value: Any) -> str:
    return _least(value) + (number(known(value)) if known(value) is not None else "?")


def _big(value: Any, unit: str) -> str:
    return _least(value) + (f"{si(known(value))}{unit}" if known(value) is not None else "?")


def _bytes(value: Any) -> str:
    return _least(value) + (mib(known(value)) if known(value) is not None else "?")


def _least(value: Any) -> str:
    return "≥ " if isinstance(value, AtLeast) else ""


def _text(text: str) -> str:
    return escape(printable(str(text)))


def _text_of_lines(lines: Sequence[str]) -> str:
    return "\n".join(_text(line) for line in lines)
