"""The page as a folder: the calculator in a real browser says what the command line says, offline, too."""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import browser
from commands import cnncalc

from cnncalc.language.locate import zoo_files, zoo_names
from cnncalc.page.desk import answer
from cnncalc.page.site import BUILT, write_site

WEB = Path(__file__).parent.parent / "web"
needs_packages = pytest.mark.skipif(
    not (WEB / "node_modules" / "pyodide").is_dir(), reason="the page's packages are not there: npm ci --prefix web"
)
#: Bytes of a first visit, from a server that compresses text, as all usual ones do.
MOST_LOADED = 8_000_000
#: One network of each file of the zoo, or all of them, which takes a minute.
NAMES = dict.fromkeys(zoo_names() if os.environ.get("CNNCALC_WHOLE_ZOO") else (path.stem for path in zoo_files()))


class Files(http.server.SimpleHTTPRequestHandler):
    """A static server that compresses text."""

    sent = 0

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_response(204 if path.name == "favicon.ico" else 404)
            self.end_headers()
            return
        data, packed = path.read_bytes(), path.suffix in (".js", ".mjs", ".css", ".html", ".json")
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript" if path.suffix == ".mjs" else self.guess_type(path))
        if packed:
            data = gzip.compress(data)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        Files.sent += len(data)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    (made / "course").mkdir()
    (made / "course" / "exercise.yaml").write_text("name: Exercise <1>\ninput: [3, 8, 8]\nlayers: [ReLU]\n", "utf-8")
    write_site(made / "public", WEB, made / "course")
    return made / "public"


@pytest.fixture
def server(folder: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=str(folder)))
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@needs_packages
def test_it_works_and_then_works_offline(server: http.server.ThreadingHTTPServer) -> None:
    address, Files.sent = f"http://127.0.0.1:{server.server_address[1]}/", 0
    with browser() as context:
        page, asked = context.new_page(), []
        page.set_default_timeout(60_000)
        context.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector(".figure svg")
        page.wait_for_selector("html[data-kept=true]")
        assert 0 < Files.sent < MOST_LOADED
        server.shutdown()
        server.server_close()
        page.goto(address)
        page.wait_for_selector(".figure svg")
        page.fill("input[name=name]", "exercise")
        page.keyboard.press("Enter")
        page.wait_for_selector(".seen h1:has-text('Exercise <1>')")
        page.click("[role=tab]:has-text('lessons')")
        page.click("nav button:has-text('pooling')")
        page.wait_for_selector(".sheet:has-text('[[6, 8], [3, 4]]')")
        page.click("[role=tab]:has-text('quiz')")
        page.wait_for_selector("text=Question 1")
        page.click("[role=tab]:has-text('window')")
        page.wait_for_selector("main.window animate", state="attached")
        assert all(each.startswith((address, "data:", "blob:")) for each in asked), "no foreign address is asked"


@needs_packages
def test_every_figure_equals_the_command_lines(server: http.server.ThreadingHTTPServer) -> None:
    with browser() as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/LICENSES.txt")
        page.evaluate("""() => {
            window.worker = new Worker("calculator.js", {type: "module"});
            window.ask = (id, question) => new Promise((resolve) => {
                worker.addEventListener("message", function take({data}) {
                    if (data.id === id) { worker.removeEventListener("message", take); resolve(data.answer); }
                });
                worker.postMessage({id, question});
            });
        }""")
        for number, name in enumerate(NAMES):
            spec = json.loads(answer(json.dumps({"ask": "show", "name": name})))
            question = json.dumps({"ask": "network", "text": spec["text"], "variant": spec["variant"]})
            theirs = page.evaluate("([id, question]) => window.ask(id, question)", [number, question])
            assert json.loads(theirs) == json.loads(answer(question)), name


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    done = cnncalc("site", "-o", "public", cwd=tmp_path)
    assert (
        done.returncode == 2 and "there is no Pyodide in package" in done.stderr and "npm pack pyodide" in done.stderr
    )
    assert cnncalc("site", cwd=tmp_path).returncode == 2
    fake = tmp_path / "package"
    fake.mkdir()
    for name in ("pyodide.mjs", "pyodide.asm.mjs", "python_stdlib.zip", "pyodide.asm.wasm"):
        (fake / name).write_bytes(b"x")
    (fake / "pyodide-lock.json").write_text("[]", "utf-8")
    assert "cannot be read" in cnncalc("site", "-o", "public", cwd=tmp_path).stderr
    (fake / "pyodide-lock.json").write_text('{"info": {}, "packages": {"numpy": {}}}', "utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x", "utf-8")
    done = cnncalc("site", "-o", "mine", cwd=tmp_path)
    assert done.returncode == 2 and "is no site of cnncalc" in done.stderr
    done = cnncalc("site", "-o", "public", "--specs", "mine", cwd=tmp_path)
    assert done.returncode == 2 and "there is no spec in mine" in done.stderr
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine", "package"]


@pytest.mark.skipif(
    not (WEB / "node_modules" / "esbuild").is_dir() or not shutil.which("node"),
    reason="the page is built with Node: npm ci --prefix web",
)
def test_the_page_is_built_from_its_sources(tmp_path: Path) -> None:
    done = subprocess.run(["node", "build.mjs", str(tmp_path)], cwd=WEB, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    kept = {path.name: path.read_bytes() for path in BUILT.iterdir()}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept, "npm run build --prefix web"
