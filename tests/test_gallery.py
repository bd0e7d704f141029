"""The figures of the documentation are those that cnncalc draws today; CNNCALC_UPDATE_DOCS=1 draws them again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from test_readme import FILE, ROOT

from cnncalc import analyse
from cnncalc.errors import Source
from cnncalc.figures.options import Options
from cnncalc.figures.pictures import picture
from cnncalc.figures.pictures.conv import given, scene
from cnncalc.figures.svg import svg
from cnncalc.language.locate import zoo_files
from cnncalc.language.spec import open_spec
from cnncalc.quantities import si
from cnncalc.report import Report

FIGURES, GALLERY = ROOT / "docs" / "figures", ROOT / "architectures" / "README.md"
#: Pages with a figure of a spec of theirs: the file, the page, the spec.
OF_PAGES = {"tutorial-lenet": ("tutorial.md", "net.yaml"), "tutorial-residual": ("tutorial.md", "residual.yaml")}
#: Figures that pages have beside those of the zoo: what is drawn, of which network.
OTHERS = {"unet-blocks": ("unet", "blocks"), "vgg16-blocks": ("vgg16", "blocks"), "resnet50-cost": ("resnet50", "cost"),
          "resnet50-memory": ("resnet50", "memory"), "vgg16-field": ("vgg16", "field")}  # fmt: skip


@cache
def report(name: str) -> Report:
    return analyse(name)


def of_page(page: str, name: str) -> bytes:
    texts = dict(FILE.findall((ROOT / "docs" / page).read_text("utf-8")))
    return svg(picture(analyse(Source(name, texts[name])), "graph", Options()))


def drawn() -> dict[str, Callable[[], bytes]]:
    """What each file holds."""
    found: dict[str, Callable[[], bytes]] = {}
    for path in zoo_files():
        found[path.stem] = lambda name=path.stem: svg(picture(report(name), "graph", Options()))
    for name, (network, kind) in OTHERS.items():
        found[name] = lambda network=network, kind=kind: svg(picture(report(network), kind, Options()))
    for name, (page, spec) in OF_PAGES.items():
        found[name] = lambda page=page, spec=spec: of_page(page, spec)
    found["window"] = lambda: svg(scene(given({"N": 7, "F": 3, "S": 2, "P": 1}), Options()))
    return found


def gallery() -> Iterator[str]:
    """The page of the zoo, from the oldest network to the newest."""
    yield "# The networks of the zoo"
    yield ""
    yield "Each file is a network or a family, written as its paper has it, with every figure that was published. `cnncalc show NAME` prints one,"
    yield "`cnncalc zoo` lists them all with what they cost, `cnncalc draw NAME` draws them; the numbers and figures below are those of the file as it stands."
    for spec in sorted(
        (open_spec(str(path)) for path in zoo_files()), key=lambda spec: (spec.year or 0, spec.title.lower())
    ):
        totals = report(spec.file).totals
        yield ""
        yield f"## {spec.title}, {spec.year}"
        yield ""
        yield f"[{spec.file}.yaml]({spec.file}.yaml): {si(totals.params).strip()} parameters, {si(totals.macs)}MAC. {spec.about}"
        if spec.variants:
            yield ""
            yield f"Variants: {', '.join(f'`{each}`' for each in spec.variants)}"
        yield ""
        yield f"![{spec.title}](../docs/figures/{spec.file}.svg)"


@pytest.mark.parametrize("name", drawn())
def test_figures_are_what_is_drawn(name: str) -> None:
    file, data = FIGURES / f"{name}.svg", drawn()[name]()
    if os.environ.get("CNNCALC_UPDATE_DOCS"):
        FIGURES.mkdir(exist_ok=True)
        file.write_bytes(data)
    assert file.read_bytes() == data, "CNNCALC_UPDATE_DOCS=1 draws it again"


def test_the_page_of_the_zoo_is_true() -> None:
    text = "\n".join(gallery()) + "\n"
    if os.environ.get("CNNCALC_UPDATE_DOCS"):
        GALLERY.write_text(text, "utf-8")
    assert GALLERY.read_text("utf-8") == text, "CNNCALC_UPDATE_DOCS=1 writes it again"


def test_no_figure_is_left_over_and_none_is_unused() -> None:
    assert {path.stem for path in FIGURES.iterdir()} == set(drawn())
    pages = [GALLERY, ROOT / "README.md", *Path(ROOT / "docs").rglob("*.md")]
    text = "".join(page.read_text("utf-8") for page in pages)
    assert [name for name in drawn() if f"figures/{name}.svg" not in text] == []
