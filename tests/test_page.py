"""The page to work at, in a real browser: what is typed is drawn, what is wrong stands at its place, nothing leaves it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import browser, launched

from cnncalc import analyse
from cnncalc.page.server import Opened, Server

TEXT = """\
name: Tiny
input: [3, 32, 32]
args: {width: 16, bias: true}
layers:
  stem: {Conv2d: {out_channels: width, kernel_size: 3, padding: 1, bias: bias}}
  relu: ReLU
  pool: {AdaptiveAvgPool2d: {output_size: 1}}
  flatten: Flatten
  fc: {Linear: {out_features: 10}}
"""


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    made = Server(Opened("net.yaml", TEXT, "", None), None)
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def server(served: Server, tmp_path: Path) -> Server:
    path = tmp_path / "net.yaml"
    path.write_text(TEXT, "utf-8")
    served.opened = Opened("net.yaml", TEXT, "", path)
    return served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with launched() as opened:
        yield opened


@pytest.fixture
def page(server: Server, chromium: Any) -> Iterator[Any]:
    with browser(chromium) as context:
        made = context.new_page()
        asked: list[str] = []
        made.on("request", lambda request: asked.append(request.url))
        made.goto(server.address)
        made.wait_for_selector(".figure svg")
        yield made
        here = (f"http://127.0.0.1:{server.port}/", "data:", "blob:")
        assert all(each.startswith(here) for each in asked), "nothing leaves this computer"


def type_over(page: Any, text: str) -> None:
    """Replace the spec by one that is pasted."""
    page.click(".cm-content")
    page.keyboard.press("Control+a")
    page.locator(".cm-content").evaluate(
        """(editor, text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            editor.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def text_of(page: Any) -> str:
    return "\n".join(page.locator(".cm-line").all_inner_texts()).replace("\n\n", "\n")


def fact(page: Any, name: str) -> str:
    return str(page.locator(".totals div", has_text=name).locator("dd").inner_text())


def test_what_is_typed_is_drawn(page: Any) -> None:
    assert page.url.endswith("/"), "the token is not in the address, where it could be copied"
    assert fact(page, "parameters") == "618" and page.locator(".figure rect[data-part=stem]").count() == 1
    type_over(page, TEXT.replace("width: 16", "width: 32"))
    page.wait_for_selector(".totals dd:has-text('1,226')")
    page.wait_for_selector(".figure text:has-text('3×3 conv, 32 · ReLU')")


def test_an_error_stands_at_its_place_and_the_last_good_figure_stays(page: Any) -> None:
    type_over(page, TEXT.replace("kernel_size: 3", "kernel: 3"))
    page.wait_for_selector(".problems .error")
    said = page.locator(".problems .error").inner_text()
    assert "5:" in said and "kernel" in said
    assert page.locator(".cm-lintRange-error").inner_text() == "kernel"
    assert page.locator(".figure.stale svg").count() == 1 and fact(page, "parameters") == "618"
    page.keyboard.press("Control+z")
    page.wait_for_selector(".figure:not(.stale) svg")
    assert page.locator(".problems .error").count() == 0


def test_a_box_shows_its_work(page: Any) -> None:
    page.locator(".figure rect[data-part=stem]").click()
    page.wait_for_selector(".works h2:has-text('stem')")
    assert "3·3·(3/1)·16" in page.locator(".works").inner_text()
    page.locator(".figure rect[data-part=stem]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".works h2:has-text('fc')")
    page.locator(".layers button", has_text="pool").click()
    page.wait_for_selector(".works h2:has-text('pool')")


def test_knobs_turn_what_is_written_and_can_be_undone(page: Any) -> None:
    page.locator(".knobs label", has_text="width").locator("input").fill("24")
    page.wait_for_selector(".figure text:has-text('3×3 conv, 24 · ReLU')")
    page.locator(".knobs label", has_text="bias").locator("input").click()
    page.locator(".knobs label", has_text="input: size").locator("input").fill("64")
    page.wait_for_selector(".figure text:has-text('64×64×3')")
    assert "input: [3, 64, 64]" in text_of(page) and "{width: 24, bias: false}" in text_of(page)
    for _ in range(3):
        page.click("button[aria-label=undo]")
    page.wait_for_selector(".figure text:has-text('3×3 conv, 16 · ReLU')")


def test_saving_and_what_was_changed_elsewhere(page: Any, server: Server) -> None:
    path = server.opened.path
    assert path is not None
    type_over(page, TEXT + "# mine\n")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".said:has-text('saved net.yaml')")
    assert path.read_text("utf-8") == TEXT + "# mine\n"
    path.write_text(TEXT + "# theirs\n", "utf-8")
    type_over(page, TEXT + "# mine again\n")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".said:has-text('was changed elsewhere')")
    assert path.read_text("utf-8") == TEXT + "# theirs\n"


def test_the_zoo_and_its_variants(page: Any) -> None:
    page.fill("input[name=name]", "resnet50")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:has-text('resnet50')")
    assert fact(page, "parameters") == f"{analyse('resnet50').totals.params:,}"
    page.locator(".spec select").select_option("resnet18")
    page.wait_for_selector("h1:has-text('resnet18')")
    assert fact(page, "parameters") == f"{analyse('resnet18').totals.params:,}"
    for kind in ("blocks", "cost", "memory", "field", "conv"):
        page.locator(".choice button", has_text=kind).click()
        page.wait_for_selector(f".figure svg[data-figure={kind}]")


def test_completion_and_documentation(page: Any) -> None:
    type_over(page, "input: [3, 32, 32]\nlayers:\n  - ")
    page.keyboard.type("Conv2", delay=20)
    page.wait_for_selector(".cm-tooltip-autocomplete li[aria-selected]:has-text('Conv2d')")
    page.wait_for_selector(".cm-completionInfo:has-text('Example: Conv2d')")
    page.wait_for_timeout(150)  # what opens under the hands is not taken at once
    page.keyboard.press("Enter")
    page.keyboard.type("8", delay=20)
    page.keyboard.press("Tab")
    page.keyboard.type("3, pad", delay=20)
    page.wait_for_selector(".cm-tooltip-autocomplete li:has-text('padding')")
    assert not page.locator(".cm-tooltip-autocomplete li", has_text="kernel_size").count(), "it is given already"
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    page.keyboard.type("1", delay=20)
    assert "- Conv2d: {out_channels: 8, kernel_size: 3, padding: 1}" in text_of(page)
    page.wait_for_selector(".figure text:has-text('3×3 conv, 8')")
    page.locator(".cm-line span", has_text="kernel_size").hover()
    page.wait_for_selector(".cm-tooltip-hover:has-text('F in the formulas')")


def test_names_are_text(page: Any) -> None:
    page.on("dialog", lambda dialog: pytest.fail("a name ran"))
    for name in (
        "<img src=x onerror=alert(1)>",
        "</title><script>alert(1)</script>",
        'a" onload="alert(1)',
        "&lt;b&gt;",
    ):
        quoted, before = name.replace("'", "''"), page.locator(".seen h1").inner_text()
        page.click("text=graph")
        type_over(page, TEXT.replace("name: Tiny", f"name: '{quoted}'\nsource: '{quoted}'"))
        page.wait_for_function("before => document.querySelector('.seen h1').innerText != before", arg=before)
        assert page.locator(".seen h1").inner_text() == name
        page.click("text=blocks")
        page.wait_for_selector(".figure svg[data-figure=blocks]")
        assert page.locator("#page img, #page script, [onload], [onerror]").count() == 0
        assert page.locator(".figure svg > text").first.text_content().startswith(name[:10])


def test_a_link_brings_the_view_back(page: Any, server: Server) -> None:
    type_over(page, TEXT.replace("Tiny", "Linked"))
    page.click(".choice >> text=cost")
    page.wait_for_selector(".figure svg[data-figure=cost]")
    page.click("text=copy link")
    page.wait_for_url("**#view=*")
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_selector(".figure svg[data-figure=cost]")
    assert other.locator("h1").first.inner_text() == "Linked"
    assert other.locator("button", has_text="save as file").count() == 1, "a text from a link is no file of mine"
    assert server.opened.path is not None and server.opened.path.read_text("utf-8") == TEXT
    for hash in ("#view=AAAA", "#view=" + "A" * 50_000, "#view=<script>"):
        third = page.context.new_page()
        third.goto(page.url.partition("#")[0] + hash)
        third.wait_for_selector("h1:has-text('Tiny')")


def test_what_is_taken_away(page: Any, tmp_path: Path) -> None:
    page.click("summary:has-text('take away')")
    for label, begins in (
        (".svg", b"<svg"),
        (".pdf", b"%PDF"),
        (".png", b"\x89PNG"),
        (".tex", b"%"),
        ("report", b"<!DOCTYPE"),
        ("spec", b"name: Tiny"),
    ):
        with page.expect_download() as found:
            page.locator(".menu button", has_text=label).first.click()
        found.value.save_as(tmp_path / "file")
        assert (tmp_path / "file").read_bytes().startswith(begins), label


def test_lessons_turn(page: Any) -> None:
    pytest.importorskip("numpy")
    page.click("[role=tab]:has-text('lessons')")
    page.click("nav button:has-text('convolution')")
    page.wait_for_selector(".sheet:has-text('32×32×3 becomes 28×28×6')")
    page.wait_for_selector(".learn .figure animate", state="attached")
    page.locator(".learn label", has_text="size").locator("input").fill("64")
    page.keyboard.press("Enter")
    page.wait_for_selector(".sheet:has-text('64×64×3 becomes 60×60×6')")
    page.locator(".learn label", has_text="kernel").locator("input").fill("100")
    page.keyboard.press("Enter")
    page.wait_for_selector(".learn .error:has-text('from 1 to 31')")


def test_the_quiz_tells_a_slip(page: Any) -> None:
    page.click("[role=tab]:has-text('quiz')")
    page.locator(".quiz select").select_option("conv")
    page.wait_for_selector("text=Question 1")
    page.fill(".question input", "not a number at all")
    page.keyboard.press("Enter")
    page.wait_for_selector(".quiz .error")
    page.click("text=hint")
    page.wait_for_selector(".question code")
    page.click("text=skip")
    page.wait_for_selector("text=Question 2")
    right = page.locator(".answer code").first.inner_text().rpartition("= ")[2].split()[0]
    assert right.replace(",", "").replace(".", "").isdigit()
    page.fill(".question input", "12345")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer:not(.skipped) .verdict")


def test_a_window_moves(page: Any) -> None:
    page.click("[role=tab]:has-text('window')")
    page.wait_for_selector("main.window h1:has-text('7×7 → 4×4')")
    page.locator("main.window label", has_text="stride").locator("input").fill("1")
    page.wait_for_selector("main.window h1:has-text('7×7 → 7×7')")
    assert page.locator("main.window animate").count() > 0
    page.locator("main.window label", has_text="size of the window").locator("input").fill("9")
    page.locator("main.window label", has_text="size of the map").locator("input").fill("1")
    page.wait_for_selector("main.window .error:has-text('does not fit')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(server: Server, chromium: Any, scheme: str) -> None:
    axe = Path(__file__).parent.parent / "web" / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.is_file():
        pytest.skip("axe-core is not there: npm ci --prefix web")
    rules = "['wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice']"
    with browser(chromium, bypass_csp=True, color_scheme=scheme, viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.goto(server.address)
        page.locator(".figure rect[data-part=stem]").click()
        page.wait_for_selector(".works.docked")
        page.add_script_tag(content=axe.read_text("utf-8"))
        for tab in ("network", "lessons", "quiz", "window"):
            page.click(f"[role=tab]:has-text('{tab}')")
            page.wait_for_timeout(500)
            found = page.evaluate(
                "axe.run(document, {resultTypes: ['violations'], runOnly: "
                + rules
                + "}).then(found => found.violations)"
            )
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], tab
