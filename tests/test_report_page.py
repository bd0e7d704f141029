"""The page of a report: it says what the report says, asks for nothing, and leads nowhere that is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from commands import cnncalc

from cnncalc import analyse
from cnncalc.answers.check import check
from cnncalc.errors import Source
from cnncalc.page.report import report_page
from cnncalc.quantities import number

#: Elements that have no end, or whose end may be left out.
LOOSE = {"meta", "tr", "td", "rect", "path", "animate"}


class Reader(HTMLParser):
    """What a page holds: its elements, identifiers, links, rows of tables, and whether all that opens also closes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.elements: set[str] = set()
        self.addresses: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.elements.add(tag)
        if tag not in LOOSE:
            self.open.append(tag)
        self.ids += [given["id"]] if given.get("id") else []  # type: ignore[list-item]
        self.links += [given["href"]] if given.get("href") else []  # type: ignore[list-item]
        self.addresses += [str(given[key]) for key in ("src", "action", "srcset", "data", "poster") if key in given]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag in LOOSE:
            return
        assert self.open and self.open[-1] == tag, f"{tag} ends in {self.open[-3:]}"
        if tag == "tbody":
            self.rows.append([])
        self.open.pop()


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    return reader


@pytest.mark.parametrize("name", ["lenet", "resnet50", "unet", "ssd300", "vit_b_16", "perceptron", "googlenet_aux"])
def test_a_page_is_whole_and_asks_for_nothing(name: str) -> None:
    reader = read(report_page([analyse(name)]))
    assert not {"script", "iframe", "link", "img", "object", "form", "base"} & reader.elements
    assert reader.addresses == [] and all(link.startswith("#") for link in reader.links)
    assert {link[1:] for link in reader.links} <= set(reader.ids) and len(reader.ids) == len(set(reader.ids))
    assert reader.headings[0] == 1 and all(
        b - a <= 1 for a, b in zip(reader.headings, reader.headings[1:], strict=False)
    )


@pytest.mark.parametrize("name", ["lenet", "resnet50", "mobilenet_v2", "unet"])
def test_every_layer_has_its_figures(name: str) -> None:
    report = analyse(name)
    rows = [row for row in read(report_page([report])).rows if len(row) == 7][1:]
    assert len(rows) == len(report.rows)
    for cells, row in zip(rows, report.rows, strict=True):
        assert cells[:2] == [row.name, row.type] and cells[3:5] == [number(row.params), number(row.macs)]


def test_sizes() -> None:
    assert len(report_page([analyse("resnet50")], check("resnet50")).encode()) <= 150_000
    assert len(report_page([analyse("densenet201")]).encode()) <= 1_500_000


def test_claims_and_several_networks() -> None:
    page = report_page([analyse("resnet18"), analyse("resnet50")], check("resnet50"))
    reader = read(page)
    assert "Side by side" in page and "Claims, checked" in page and 'href="#n1"' in page
    assert {link[1:] for link in reader.links} <= set(reader.ids) and len(reader.ids) == len(set(reader.ids))
    assert any(row[:3] == ["ResNet (resnet50)", "network", "params"] for row in reader.rows if len(row) == 6)


def test_names_of_strangers_are_text() -> None:
    spec = "name: '<script>alert(1)</script>'\nsource: '</style><img src=x onerror=alert(1)>'\ninput: [3, 8, 8]\nlayers: [größe: {Conv2d: {out_channels: 4, kernel_size: 3}, note: '<b>x</b>'}, Mystery]\n"
    page = report_page([analyse(Source("net.yaml", spec))])
    assert not {"script", "img", "b2"} & read(page).elements and "≥" in page and "&lt;script&gt;" in page


def measurement(**more: Any) -> dict[str, Any]:
    return {
        "network": "LeNet-5", "variant": "", "status": "complete", "config": {"batch": 4, "dtype": "float32", "device": "cpu"},
        "latency": {"seconds": [0.002, 0.004, 0.003]}, **more,
    }  # fmt: skip


def test_what_was_measured_is_shown() -> None:
    rows = read(report_page([analyse("lenet")], (), [measurement()])).rows
    assert ["LeNet-5", "4", "float32", "cpu", "3.000 ms", "2.000 ms", "1,333.3", "complete"] in rows


def test_the_command(tmp_path: Path) -> None:
    done = cnncalc("report", "lenet", "vgg11", "-o", "two.html", cwd=tmp_path)
    assert done.returncode == 0 and "wrote two.html" in done.stderr
    assert "claims hold" in (tmp_path / "two.html").read_text("utf-8")
    done = cnncalc("report", "lenet", "-o", "ten.html", "--set", "classes=10", cwd=tmp_path)
    assert done.returncode == 2 or "Claims" not in (tmp_path / "ten.html").read_text("utf-8")


@pytest.mark.parametrize(("words", "message"), [
    (["lenet"], "a report is a page"),
    (["lenet", "-o", "x.pdf"], "x.pdf is no page"),
    (["lenett", "-o", "x.html"], "lenet"),
    (["lenet", "-o", "none/x.html"], "is the folder there?"),
    (["lenet", "-o", "x.html", "--bench", "none.json"], "none.json: cannot be read"),
])  # fmt: skip
def test_what_cannot_be_written(words: list[str], message: str, tmp_path: Path) -> None:
    done = cnncalc("report", *words, cwd=tmp_path)
    assert done.returncode == 2 and message in done.stderr and not list(tmp_path.iterdir())


def test_a_browser_finds_nothing_to_load(tmp_path: Path) -> None:
    program = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not program:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    (tmp_path / "page.html").write_text(report_page([analyse("resnet50")]), "utf-8")
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", f"--user-data-dir={tmp_path}/profile", f"--log-net-log={tmp_path}/net.json",
         "--dump-dom", f"file://{tmp_path}/page.html"],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert "<h1>ResNet (resnet50)</h1>" in unescape(done.stdout) and "Refused to" not in done.stderr
    asked = set(
        re.findall(r'"url":"(https?://[^"]+|file://[^"]+)"', (tmp_path / "net.json").read_text("utf-8", "replace"))
    )
    assert [each for each in asked if each.startswith("file://")] == [] or asked == {f"file://{tmp_path}/page.html"}
