"""Whatever a text says, it is that text in every format: a document parses, and nothing in it becomes markup or code."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import os
import random
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import pytest
import strangers
import yaml
from markdown_it import MarkdownIt

from cnncalc import analyse, load
from cnncalc.answers.check import check, verdicts
from cnncalc.answers.explain import explain
from cnncalc.answers.layers import view
from cnncalc.answers.summary import summary
from cnncalc.answers.zoo import all_entries, story
from cnncalc.errors import Source, SpecError
from cnncalc.explanation import Derivation, Explained, Explanation
from cnncalc.exporters.common import quoted
from cnncalc.exporters.keras_source import keras_source
from cnncalc.exporters.torch_source import torch_source
from cnncalc.formats import render
from cnncalc.formats.csv import written
from cnncalc.formats.json import as_json
from cnncalc.language.flat import flat
from cnncalc.markup import latex as latex_text
from cnncalc.markup import markdown
from cnncalc.printable import printable, printable_lines
from cnncalc.report.layer_table import Choice
from cnncalc.table import Column, Prose, Table
from cnncalc.table import Line as Row
from cnncalc.teach.bank import gift, moodle
from cnncalc.teach.kinds import kinds
from cnncalc.teach.quiz import Question, draw

TRIES = int(os.environ.get("CNNCALC_FUZZ", "1500"))
SEED = os.environ.get("CNNCALC_FUZZ_SEED", "0")


def folded(text: str) -> str:
    """A text as it stands in a document: on one line, spaces told from nothing else."""
    return " ".join(printable(text).split())


class Page(html.parser.HTMLParser):
    """The tags of a page, and the text of its cells, headings and paragraphs."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.comments = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}
        self.texts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if not self.texts:
            self.texts.append("")
        self.texts[-1] += data

    def handle_comment(self, data: str) -> None:
        self.comments += 1

    def handle_decl(self, decl: str) -> None:
        self.comments += decl.lower() != "doctype html"

    handle_pi = unknown_decl = handle_comment

    @property
    def held(self) -> set[str]:
        return {" ".join(each.split()) for each in self.texts}


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
PLAIN_TAGS = {"p", "strong", "table", "thead", "tbody", "tr", "th", "td", "pre", "code", "h1", "h2", "h3", "ul", "li"}
PAGE_TAGS = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "div",
    "p",
    "b",
    "small",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "pre",
}
ALIGNED = {
    "style=text-align:right",
    "style=text-align:left",
    "class=language-text",
    "style=font-weight:bold",
    "charset=utf-8",
}


def read_latex(text: str) -> str:
    """What LaTeX makes of a text that was escaped; fails where anything is a command that is not one for a character."""
    commands = {
        r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^", r"\textless{}": "<", r"\textgreater{}": ">",
        r"\textbar{}": "|", r"\_": "_", r"\%": "%", r"\&": "&", r"\#": "#", r"\$": "$", r"\{": "{", r"\}": "}", "{[}": "[", "{]}": "]", "{*}": "*",
        "{}": "",
    }  # fmt: skip
    pattern = "|".join(map(re.escape, sorted(commands, key=len, reverse=True))) + r"|\$[^$]*\$|\\dots\{\}|."
    found = ""
    for token in re.findall(pattern, text):
        if token in commands:
            found += commands[token]
        elif len(token) == 1:
            assert token not in "\\{}$%&#^_~", f"{token!r} in {text!r}"
            found += token
        else:
            found += "?"
    assert "--" not in text
    return found


def assert_latex(text: str, meant: str) -> None:
    assert "\n" not in text and not text.startswith(("[", "*"))
    found = read_latex(text)
    expected = folded(meant)
    assert len(found) == len(expected), (text, meant)
    for a, b in zip(found, expected, strict=True):
        assert a == b or (a == "?" and not b.isascii()), (text, meant)


def read_cell(text: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), delimiter=delimiter))


def assert_no_formula(text: str) -> None:
    """Whatever a spreadsheet takes for the mark between cells, none of its cells is a formula."""
    for delimiter in ",;\t|":
        for row in read_cell(text, delimiter):
            for cell in row:
                first = cell.strip()[:1]
                assert first not in ("=", "+", "-", "@", "＝", "＋", "－", "＠") or re.fullmatch(
                    r"[-+]?\d[\d.,]*(e[-+]?\d+)?\s?%?", cell, re.IGNORECASE
                ), (cell, text)


def check_table(texts: list[str]) -> None:
    """A table with these texts everywhere, in every format."""
    a, b, c, d, e, f = texts
    table = Table(
        a, (Column("k", "k"), Column("v", "v", str, True)), [Row((b, 1)), Row((c, 2.5), "group"), Row((d, None), "total", 1)],
        (e, Prose(f)), (f, Prose(e)),
    )  # fmt: skip
    plain = render(table, "table")
    assert plain == printable_lines(plain)

    page = Page(render(table, "html"))
    assert page.tags <= PAGE_TAGS
    assert page.attributes <= ALIGNED and not page.comments
    assert {folded(b), folded(c), folded(d)} <= page.held | {""}

    text = render(table, "markdown")
    made = Page(MARKDOWN.render(text))
    assert made.tags <= PLAIN_TAGS and made.attributes <= ALIGNED and not made.comments, (text, made.tags)
    cells = made.held | {""}
    assert {folded(b), folded(c), folded(a), folded(e)} <= cells, (text, cells)
    assert text == printable_lines(text)

    for meant in texts:
        assert_latex(latex_text(meant), meant)
    latex = render(table, "latex")
    assert next(line for line in latex.split("\n") if line and not line.startswith("%")) == r"\begin{tabular}{lr}"
    assert latex.count(r"\end{tabular}") == 1 + sum(
        each.count(r"\end{tabular}") for each in re.findall("^%.*", latex, re.MULTILINE)
    )

    rows = read_cell(render(table, "csv"), ",")
    assert [len(row) for row in rows] == [2, 2, 2] and [row[0].replace("'", "") for row in rows[1:]] == [
        printable(each).replace("'", "") for each in (b, c)
    ]
    assert_no_formula(render(table, "csv"))

    document = render(table, "json")
    assert [each["k"] for each in json.loads(document)] == [b, c, d]
    assert document == printable_lines(document)
    assert json.loads(as_json(texts, indent=1)) == texts


def check_texts(texts: list[str]) -> None:
    """The other documents that hold texts from outside."""
    note, label = texts[0], texts[1]
    work = analyse("lenet")["C1"].explain("params")
    made = Explanation(note, (*work.lines, Derivation("kept", text=label, remark=note)), label)
    for text in (str(made), made.text()):
        assert text == printable_lines(text)
    page = Page(MARKDOWN.render(made.markdown()))
    assert page.tags <= PLAIN_TAGS | {"blockquote", "em"} and not page.comments
    latex = render(Explained("", "", (made,)), "latex")
    assert latex.count(r"\begin{") == latex.count(r"\end{") == 1
    lines = quoted("\n".join(folded(each) for each in texts) + "\n")
    scope: dict[str, Any] = {}
    exec(compile(f"text = {lines}", "text.py", "exec"), {}, scope)
    assert scope["text"] == "\n".join(folded(each) for each in texts) + "\n"
    assert_no_formula(written(texts, [texts, texts]))


def check_bank(texts: list[str]) -> None:
    """Banks for learning platforms."""
    kind = kinds()["channels"]
    asked = draw(kind, random.Random(1))
    safe = [each.replace("{", "(").replace("}", ")") for each in texts]
    slips = tuple(slip._replace(says=safe[0]) for slip in kind.slips)
    question = Question(
        kind._replace(ask=safe[1], topic=safe[2], name=safe[3], unit=safe[4], slips=slips), asked.letters
    )
    root = ElementTree.fromstring(moodle([question, question]).split("\n", 1)[1])
    assert {each.tag for each in root.iter()} == {
        "quiz", "question", "name", "text", "questiontext", "generalfeedback", "defaultgrade", "answer", "feedback", "tolerance",
        *(("unitgradingtype", "showunits", "unitsleft", "units", "unit", "multiplier", "unit_name") if safe[4] else ()),
    }  # fmt: skip
    assert folded(safe[1]) in folded(root.findtext("question/questiontext/text", ""))
    blocks = re.split(r"\n[ \t]*\n", gift([question, question]).strip())
    assert len(blocks) == 2
    for block in blocks:
        lines = block.split("\n")
        assert (
            lines[0].startswith("::")
            and lines[-1] == "}"
            and all(line.startswith(("  =", "  ~#")) for line in lines[1:-1])
        )
        assert re.sub(r"\\.", "", lines[0]).count("::") == 2 and re.search(r":: \[plain\]", lines[0])
        for line in lines[1:-1]:
            answer, _, feedback = re.sub(r"\\.", "_", line).partition("#")
            assert not re.search(r"[{}~=#]", feedback) and not feedback.startswith("[html")
            assert re.fullmatch(r"  [=~](%50%|%0%)?[-\d.]*(:[-\de.]+)?", answer), line


CHECKS: list[Callable[[list[str]], None]] = [check_table, check_texts, check_bank]


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("text", strangers.TEXTS, ids=ascii)
def test_every_text_stays_itself(check: Callable[[list[str]], None], text: str) -> None:
    check([text] * 6)


@pytest.mark.parametrize("part", range(3))
def test_random_texts_stay_themselves(part: int) -> None:
    for number in range(TRIES // 3):
        rng = random.Random(f"{SEED}-text-{part}-{number}")
        texts = [strangers.text(rng) for _ in range(6)]
        check = CHECKS[0] if number % 4 else rng.choice(CHECKS[1:])
        try:
            check(texts)
        except Exception:
            print(f"seed {SEED}-text-{part}-{number}: {texts!r}")
            raise


@pytest.mark.parametrize("text", [each for each in strangers.TEXTS if each.isprintable() and each.strip()], ids=ascii)
def test_a_spec_with_free_text_in_every_format(text: str) -> None:
    """From a spec through the tables that show its free texts."""
    quote = json.dumps(text, ensure_ascii=False)
    spec = (
        f"name: {quote}\nsource: {quote}\nnote: {quote}\ntask: {quote}\ninput: [3, 8, 8]\nlayers:\n"
        f"  a: {{Conv2d: {{out_channels: 2, kernel_size: 3}}, note: {quote}, expect: {{params: 1, source: {quote}}}}}\n  b: ReLU\n"
        f"expect: {{params: 56, macs: 9, top1: 1, source: {quote}}}\ndisputed: [{{params: 3, source: {quote}, note: {quote}}}]\n"
    )
    try:
        report = analyse(Source("net.yaml", spec))
    except SpecError as error:
        assert any(each in str(error) for each in ("control character", "may not stand in YAML", "; at most "))
        return
    assert report.graph.name == text
    for table in (view(report, "shapes"), view(report, "memory")):
        page = Page(MARKDOWN.render(render(table, "markdown")))
        assert page.tags <= PLAIN_TAGS and folded(text) in page.held
        assert Page(render(table, "html")).tags <= PAGE_TAGS
        assert render(table, "table") == printable_lines(render(table, "table"))


def test_stories_and_claims_hold_their_texts(tmp_path: Any) -> None:
    for number, text in enumerate(strangers.TEXTS):
        if not text.isprintable() or not text.strip():
            continue
        quote = json.dumps(text, ensure_ascii=False)
        path = tmp_path / f"n{number}.yaml"
        path.write_text(
            f"name: {quote}\nsource: {quote}\nnote: {quote}\ninput: [3, 8, 8]\nlayers: [ReLU]\nexpect: {{params: 1, source: {quote}}}\n"
            f"disputed: [{{macs: 3, source: {quote}, note: {quote}}}]\n"
        )
        for table in (story(str(path)), verdicts(check(str(path)))):
            page = Page(MARKDOWN.render(render(table, "markdown")))
            assert page.tags <= PLAIN_TAGS, text
            assert_no_formula(render(table, "csv"))
            assert render(table, "table") == printable_lines(render(table, "table"))
    assert all_entries()[0].name


@pytest.mark.parametrize(
    "text", ["a_b", "conv1_1.weight", "28×28 (H×W×C)", "x, y; z", "50 %", "it's", '"quoted"', "2.5"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert markdown(text) == text


# -- every text of a spec --------------------------------------------------------------------------------------------

WHOLE: Any = {
    "name": "Net", "source": "a paper", "year": 2015, "task": "classification", "note": "of all",
    "input": {"image": [3, 8, 8]},
    "args": {"width": 4, "mode": "zeros", "words": "[1, 2]"},
    "variants": {"small": {"width": 2}, "large": {"width": "2 * 4"}},
    "types": {"Own": {"args": [{"k": 1}], "shape": "same", "params": "k + 1"}},
    "blocks": {"pair": {"args": ["c", {"s": 1}], "note": "two", "layers": {"conv": {"Conv2d": {"out_channels": "c", "kernel_size": 1, "padding_mode": "mode"}}, "norm": "BatchNorm2d"}}},
    "layers": {
        "stem": {"Conv2d": {"out_channels": "width", "kernel_size": 3, "padding": "same"}, "note": "first", "expect": {"params": "112", "source": "table 1"}},
        "l{i}": {"pair": {"c": "width + i"}, "repeat": "2", "when": "width > 0"},
        "sum": {"add": [{"up": {"Conv2d": {"out_channels": 5, "kernel_size": 1}}}, "l1"]},
        "own": {"ReLU": {}, "from": "sum"},
        "each": "Tanh",
    },
    "outputs": ["each", {"from": "sum", "when": "width == 4"}],
    "expect": {"params": "9K", "macs": 1, "top1": 70.5, "source": "a table", "small": {"params": 3, "paper": "another", "parts": {"stem": {"params": 1}}}},
    "disputed": [{"params": 3, "source": "a blog", "note": "counted twice"}, {"variant": "small", "part": "stem", "macs": 1, "source": "x", "note": "y"}],
}  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where a text stands in a spec: values, and keys (behind None)."""
    found: list[tuple[Any, ...]] = [path] if isinstance(value, str) else []
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        found += [(*path, None, key)] * isinstance(key, str) + places(each, (*path, key))
    return found


def with_text(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """The spec with a text in one place."""
    if not path:
        return text
    if path[0] is None:
        return {text if key == path[1] else key: each for key, each in value.items()}
    if isinstance(value, dict):
        return {key: with_text(each, path[1:], text) if key == path[0] else each for key, each in value.items()}
    return [with_text(each, path[1:], text) if at == path[0] else each for at, each in enumerate(value)]


ALLOWED = PLAIN_TAGS | {"blockquote", "em", "html", "head", "meta", "title", "body", "div", "b", "small"}


def check_spec(source: Source) -> None:
    """Everything that is generated of a spec."""
    report = analyse(source)
    chosen = Choice(columns=("layer", "type", "from", "note", "params"))
    tables = [view(report, "shapes"), view(report, "params", chosen), summary(report)]
    with suppress(SpecError):
        tables.append(verdicts(check(source)))
    for table in tables:
        for format in ("table", "markdown", "html", "latex", "csv", "json"):
            text = render(table, format)
            assert text == printable_lines(text)
            if format in ("markdown", "html"):
                page = Page(MARKDOWN.render(text) if format == "markdown" else text)
                assert page.tags <= ALLOWED and page.attributes <= ALIGNED and not page.comments, (text, page.tags)
            if format == "csv":
                assert_no_formula(text)
    for each in explain(report):
        assert Page(MARKDOWN.render(each.markdown())).tags <= ALLOWED
        assert str(each) == printable_lines(str(each)) and render(Explained("", "", (each,)), "latex")
    for write in (torch_source, keras_source):
        with suppress(SpecError):
            compile(write(report.graph), "net.py", "exec")
    again = load(Source("flat.yaml", flat(report.graph)))
    assert [each.shape for each in again.layers] == [each.shape for each in report.graph.layers]


def test_any_string_of_a_spec_may_be_anything() -> None:
    """Each text of a spec, names and keys among them, replaced by what strangers write: refused, or a text everywhere."""
    check_spec(Source("net.yaml", yaml.safe_dump(WHOLE, allow_unicode=True, sort_keys=False)))
    found, refused = places(WHOLE), 0
    for number in range(TRIES // 5):
        rng = random.Random(f"{SEED}-spec-{number}")
        changed = WHOLE
        for _ in range(rng.choice([1, 1, 2])):
            text = rng.choice(strangers.NAMES) if rng.random() < 0.3 else strangers.text(rng)
            with suppress(AttributeError, KeyError, TypeError):
                changed = with_text(changed, rng.choice(found), text)
        try:
            check_spec(Source("net.yaml", yaml.safe_dump(changed, allow_unicode=True, sort_keys=False)))
        except SpecError as error:
            refused += 1
            assert str(error) == printable_lines(str(error))
        except Exception:
            print(f"seed {SEED}-spec-{number}")
            raise
    assert 0 < refused < TRIES // 5
