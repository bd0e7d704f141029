"""A spec that is being written: its figures, its table, what is wrong with it, and the work behind each number."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import lru_cache
from typing import Any

from ...errors import Source, SpecError, did_you_mean, usage_error
from ...explanation import Derivation
from ...figures.files import FORMS, written
from ...figures.options import HEATS, Options
from ...figures.pictures import PICTURES, picture
from ...figures.svg import lines as svg_lines
from ...language.model import graph_of
from ...language.spec import Spec, open_spec
from ...printable import printable
from ...quantities import number
from ...report import Report, analyse
from ...report.layer_table import layers_table, setting
from ...report.parts import Row
from ...table import Table
from ..report import report_page, totals
from ..works import works
from . import Answer, question, told
from .knobs import knobs

#: What a spec on the page is called in messages; layers of a table, and layers whose work is shown at once.
NAME, MOST_ROWS, MOST_WORKS = "net.yaml", 1_000, 30


@question
def network(
    *,
    text: str,
    variant: str = "",
    figure: str = "graph",
    depth: int = -1,
    heat: str = "",
    dark: bool = False,
    layer: str = "",
    batch: int = 1,
) -> Answer:
    """All that the page shows of a spec: facts, a figure as SVG, the table, knobs, warnings."""
    spec, report = analysed(text, variant, batch)
    drawn: Answer = {}
    try:
        drawn["svg"] = "".join(svg_lines(picture(report, known(figure), options(depth, heat, dark, layer))))
    except SpecError as error:
        drawn["refused"] = [told(problem) for problem in error.problems]
    return {
        "title": printable(report.title),
        "about": printable(report.graph.about),
        "setting": printable(setting(report)),
        "variants": spec.variants,
        "facts": totals(report),
        "table": layers(report),
        "knobs": [knob._asdict() for knob in knobs(spec, report.graph.space)],
        "warnings": [told(problem) for problem in (*report.warnings, *report.graph.errors)],
        **drawn,
    }


@question
def work(*, text: str, variant: str = "", layer: str = "", nodes: str = "", batch: int = 1) -> Answer:
    """How the numbers of a layer or part come about, or of the layers from one node to another, as "5-16".

    Where nothing is named, those of the network.
    """
    _, report = analysed(text, variant, batch)
    if not layer and not nodes:
        total = report.explain()
        return {"works": [_work(report.title, "", [], total.lines)] if total else [], "more": 0}
    rows = _between(report, nodes) if nodes else report.rows_of(layer)
    if not rows:
        names = [*(row.name for row in report.rows), *report.graph.groups]
        raise usage_error(f"there is no layer {(layer or nodes)[:80]}", did_you_mean(layer, names))
    found = works(report, rows, MOST_WORKS)
    shown = sum(1 + len(each.alike) for each in found.values())
    return {
        "works": [_work(each.row.name, each.row.type, each.alike, each.explanation.lines) for each in found.values()],
        "more": len(rows) - shown,
    }


def _between(report: Report, nodes: str) -> list[Row]:
    """The layers whose nodes have these numbers, as the boxes of a figure name them."""
    found = re.fullmatch(r"(\d{1,9})(?:-(\d{1,9}))?", nodes)
    first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    return [row for row in report.rows if first <= row.node <= last]


@question
def file(
    *,
    text: str,
    form: str,
    variant: str = "",
    figure: str = "graph",
    depth: int = -1,
    heat: str = "",
    dark: bool = False,
    layer: str = "",
    batch: int = 1,
    width: str = "",
) -> Answer:
    """A figure as a file, or the report as a page, in base64."""
    _, report = analysed(text, variant, batch)
    if form == "report":
        data = report_page([report]).encode("utf-8")
    elif form in FORMS and form != ".png":
        data = written(picture(report, known(figure), options(depth, heat, dark, layer)), form, width)
    else:
        raise usage_error(f"the page writes no {form[:20]}", "it writes .svg, .pdf, .tex, .html and report")
    return {"data": b64encode(data).decode("ascii")}


@lru_cache(maxsize=4)
def analysed(text: str, variant: str, batch: int) -> tuple[Spec, Report]:
    """A spec that is read, and what is known of its network; raises `SpecError`."""
    spec = open_spec(Source(NAME, text))
    if variant in spec.variants:  # one that was deleted while it was chosen is none
        spec = spec._replace(variant=variant)
    return spec, analyse(graph_of(spec), batch=batch)


def known(figure: str) -> str:
    """The name of a picture; raises `SpecError` for one that there is not."""
    if figure not in PICTURES:
        raise usage_error(f"there is no picture {figure[:40]}", f"there are {', '.join(PICTURES)}")
    return figure


def options(depth: int, heat: str, dark: bool, layer: str) -> Options:
    """How a figure is to look."""
    return Options(None if depth < 0 else depth, HEATS.get(heat, ""), dark, "", 0, layer)


def layers(report: Report) -> Answer:
    """The table of layers, each with its full name, and what stands below it."""
    return cells(layers_table(report, COLUMNS), MOST_ROWS)


#: The columns of the page's table.
COLUMNS = ("layer", "type", "output", "params", "macs", "mib", "rf")


def cells(table: Table, most: int) -> Answer:
    """A table as the page shows it."""
    clean = table.printable()
    return {
        "heads": [{"key": column.key, "title": column.title, "right": column.right} for column in clean.columns],
        "rows": [{"kind": line.kind, "cells": clean.texts(line)} for line in clean.lines[:most]],
        "more": max(0, len(clean.lines) - most),
        "notes": list(clean.notes),
    }


def _work(name: str, kind: str, alike: list[str], lines: Any) -> Answer:
    return {"name": name, "type": kind, "alike": alike[:20], "copies": len(alike), "lines": list(map(_line, lines))}


def _line(line: Derivation) -> Answer:
    """A number: formula, the numbers in it, result and source, or a sentence."""
    step = line.step
    if step is None:
        return {"label": line.label, "text": printable(line.text)}
    value = number(step.value, "")
    return {
        "label": line.label,
        "formula": step.formula.text,
        "numbers": step.substitution if step.substitution != value else "",
        "equals": step.equals or "=",
        "result": f"{number(step.value)} {step.formula.unit}",
        "source": step.formula.source,
        "remark": printable(line.remark),
    }
