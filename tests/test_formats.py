"""The registry of formats: every answer in every format, and what only one of them says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from commands import cnncalc

from cnncalc import analyse, render
from cnncalc.answers.explain import explained
from cnncalc.formats import FORMATS, endings
from cnncalc.table import Column, Line, Table

ANSWERS = [
    ["shapes", "lenet"], ["params", "lenet"], ["flops", "lenet", "--train"], ["memory", "lenet", "--train"], ["receptive-field", "lenet"], ["summary", "lenet"],
    ["explain", "lenet"], ["explain", "lenet", "C1", "-q", "training"], ["check", "lenet"], ["check", "xception"], ["compare", "lenet", "alexnet"],
    ["zoo", "resnet50"], ["formulas"], ["figures"], ["ops"], ["ops", "Conv2d"], ["worksheet", "kinds"],
]  # fmt: skip


def test_the_help_names_them_all() -> None:
    shown = " ".join(cnncalc("shapes", "--help").stdout.replace("│", " ").split())
    assert FORMATS[0] == "table" and {"json", "csv", "markdown", "latex", "html", "rst"} <= set(FORMATS)
    assert f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}." in shown
    assert sorted(set(endings().values())) == sorted(FORMATS)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("arguments", ANSWERS, ids=" ".join)
def test_every_answer_comes_in_every_format(arguments: list[str], format: str, tmp_path: Path) -> None:
    done = cnncalc(*arguments, "--format", format)
    assert done.returncode == 0 and done.stdout.strip() and not done.stderr, done.stderr
    if format == "json":
        json.loads(done.stdout)
    if format == "csv":
        assert len({len(row) for row in csv.reader(io.StringIO(done.stdout))}) == 1
    ending = next(ending for ending, name in endings().items() if name == format and (ending or format == "table"))
    written = cnncalc(*arguments, "-o", f"answer{ending}", cwd=tmp_path)
    assert written.returncode == 0 and (tmp_path / f"answer{ending}").read_text("utf-8") == done.stdout


@pytest.mark.parametrize("format", FORMATS)
def test_explanations_say_the_same_in_every_format(format: str) -> None:
    text = render(explained(analyse("lenet"), "C1", "params,macs"), format)
    for number in ("150", "156"):
        assert number in text
    assert "117,600" in text or "117{,}600" in text or "117600" in text


def test_restructured_text_is_read_as_it_is_meant() -> None:
    core = pytest.importorskip("docutils.core", reason="docutils reads reStructuredText: pip install 'cnncalc[dev]'")
    from docutils import nodes

    texts = [
        "*a*",
        "`b`",
        "c_",
        "|d|",
        "<e>",
        ".. raw:: html",
        "1. f",
        "- g",
        "http://x.y",
        "h::",
        "\\i",
        "a@b.c",
        "=====",
        "[1]_",
        ":role:`x`",
        "",
        "(a) k",
        "x\ny",
    ]
    table = Table(
        "*t*",
        (Column("k", "k_"), Column("v", "v", str, True)),
        [Line((text, number)) for number, text in enumerate(texts)],
        ("*h*", ".. h"),
        ("n_ote",),
    )
    quiet = {"report_level": 5, "halt_level": 5, "file_insertion_enabled": False, "raw_enabled": False}
    document = core.publish_doctree(render(table, "rst"), settings_overrides=quiet)
    assert not list(document.findall(nodes.problematic)) and not list(document.findall(nodes.system_message))
    cells = [entry.astext() for entry in document.findall(nodes.entry)]
    assert cells[0::2] == ["k_", *(" ".join(text.split()) for text in texts)]
    assert document.astext().startswith("*t*\n\n*h*")
    kinds = {type(node).__name__ for node in document.findall(nodes.Element)}
    assert not kinds & {"reference", "target", "raw", "emphasis", "literal", "enumerated_list", "problematic", "image"}
    explanation = core.publish_doctree(render(explained(analyse("lenet"), "C1"), "rst"), settings_overrides=quiet)
    assert len(list(explanation.findall(nodes.math_block))) >= 8
    assert not list(explanation.findall(nodes.system_message))
