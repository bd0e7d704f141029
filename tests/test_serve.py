"""The page's server: it answers its own page and nobody else, whatever is sent, in bounded time and memory."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from cnncalc.errors import SpecError
from cnncalc.page.desk import MOST_SPEC, answer
from cnncalc.page.server import Opened, Server, stamp
from cnncalc.page.worker import Worker

TEXT = "name: Tiny\ninput: [3, 8, 8]\nlayers: [{Conv2d: {out_channels: 4, kernel_size: 3}}]\n"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    path = tmp_path / "net.yaml"
    path.write_text(TEXT, "utf-8")
    made = Server(Opened("net.yaml", TEXT, "", path), None)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


def request(
    server: Server, method: str, path: str, body: Any = None, **changes: Any
) -> tuple[int, dict[str, str], bytes]:
    """What the page itself would send, but for the headers that are changed; None leaves one out."""
    headers: dict[str, Any] = {"Host": f"127.0.0.1:{server.port}", "Cookie": f"cnncalc-{server.port}={server.token}"}
    if body is not None:
        headers |= {"Origin": f"http://127.0.0.1:{server.port}", "Content-Type": "application/json"}
    headers |= {key.replace("_", "-"): value for key, value in changes.items()}
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    headers.setdefault("Content-Length", str(len(data)))
    for key, value in headers.items():
        if value is not None:
            connection.putheader(key, value)
    connection.endheaders(data)
    found = connection.getresponse()
    result = found.status, dict(found.headers), found.read()
    connection.close()
    return result


def ask(server: Server, **question: Any) -> Any:
    status, _, data = request(server, "POST", "/ask", question)
    assert status == 200
    return json.loads(data)


def test_the_page_is_for_whom_has_the_token(server: Server) -> None:
    status, headers, data = request(server, "GET", f"/?token={server.token}", Cookie=None)
    assert status == 200 and b'<meta name="engine" content="serve">' in data
    assert "HttpOnly; SameSite=Strict" in headers["Set-Cookie"]
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';") and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff" and "Access-Control-Allow-Origin" not in headers
    for path in ("/", "/file"):
        assert request(server, "GET", path)[0] == 200, "with the cookie"
        assert request(server, "GET", path, Cookie=None)[0] == 403
        assert request(server, "GET", path, Cookie=f"cnncalc-{server.port}=x")[0] == 403
    assert request(server, "GET", "/?token=x", Cookie=None)[0] == 403
    assert request(server, "POST", "/ask", {"ask": "words"}, Cookie=None)[0] == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:8377"},
        {"Host": None},
        {"Origin": "http://evil.example"},
        {"Origin": None},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Cookie": "\x7f=;;;="},
    ],
    ids=str,
)
def test_nobody_else_is_answered(server: Server, changes: dict[str, Any]) -> None:
    question = {"ask": "show", "name": "lenet"}
    assert request(server, "POST", "/ask", question)[0] == 200
    assert request(server, "POST", "/ask", question, **changes)[0] == 403
    assert request(server, "POST", "/save", {"text": "x", "stamp": stamp(TEXT)}, **changes)[0] == 403
    assert server.opened.path is not None and server.opened.path.read_text("utf-8") == TEXT


def test_it_is_bound_to_this_computer_alone(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize(
    "path",
    [
        "/../net.yaml",
        "/app.js/../../pyproject.toml",
        "/%2e%2e/pyproject.toml",
        "//etc/passwd",
        "/index.html",
        "/net.yaml",
    ],
)
def test_no_path_leads_to_a_file(server: Server, path: str) -> None:
    assert request(server, "GET", path)[0] == 404


def test_what_is_no_question_is_refused(server: Server) -> None:
    assert request(server, "POST", "/ask", {"ask": "words"}, Content_Type="text/plain")[0] == 415
    assert request(server, "POST", "/ask", {"ask": "words"}, Content_Length=None)[0] == 411
    assert request(server, "POST", "/ask", {"ask": "words"}, Content_Length="-1")[0] == 411
    assert request(server, "POST", "/ask", {"ask": "words"}, Content_Length="9" * 30)[0] == 413
    assert request(server, "POST", "/else", {"ask": "words"})[0] == 404
    assert request(server, "PUT", "/ask", {"ask": "words"})[0] == 501
    for body in (b"{", b"[]", b"\xff\xfe", b"null", b'{"ask": ["words"]}', b'{"ask": "__init__"}', b"[" * 100_000):
        status, _, data = request(server, "POST", "/ask", body)
        assert status == 200 and json.loads(data)["problems"]


def test_what_comes_slowly_is_not_waited_for(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncalc.page.server.ARRIVAL_S", 1.0)
    begun = time.monotonic()
    head = f"POST /ask HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    own = f"Origin: http://127.0.0.1:{server.port}\r\nCookie: cnncalc-{server.port}={server.token}\r\n"
    with ExitStack() as stack:

        def sent(text: str) -> socket.socket:
            made = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=10))
            made.sendall(text.encode())
            return made

        slow = [sent(head) for _ in range(8)]
        body = sent(f"{head}{own}Content-Type: application/json\r\nContent-Length: 1000\r\n\r\nx")
        assert "text" in ask(server, ask="show", name="lenet"), "others are answered meanwhile"
        assert b"408" in body.recv(100)
        assert all(b"200" not in each.recv(100) for each in slow)
    assert time.monotonic() - begun < 5


HOSTILE = {
    "deep": "layers: " + "[" * 10_000,
    "bomb": "input: [1, 8, 8]\na: &a [x, x, x, x, x, x, x, x, x]\n"
    + "".join(
        f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "layers: [ReLU]\n",
    "many": "input: [1, 8, 8]\nlayers:\n  - {ReLU: {}, repeat: 150000}\n",
    "more": "input: [1, 8, 8]\nlayers:\n  - {ReLU: {}, repeat: 100000000}\n",
    "power": "input: [1, 8, 8]\nargs: {a: '9 ** 9 ** 9'}\nlayers: [{Conv2d: {out_channels: a, kernel_size: 1}}]\n",
    "long": "input: [1, 8, 8]\nlayers: [ReLU]\n#" + "x" * 300_000,
    "control": 'input: [1, 8, 8]\nlayers: [ReLU]\nname: "\x1b[2J"\n',
    "binary": "\x00\x01\x02",
    "surrogate": "name: \ud800\ninput: [1, 8, 8]\nlayers: [ReLU]\n",
    "wide": "input: [1, 8, 8]\nlayers:\n" + "  - {concat: [" + ", ".join(["[]"] * 3000) + "]}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_specs_cost_bounded_time(server: Server, name: str) -> None:
    begun = time.monotonic()
    found = ask(server, ask="network", text=HOSTILE[name])
    assert time.monotonic() - begun < 8, "five seconds, and a new process"
    assert found.get("problems") or found["facts"]
    assert "text" in ask(server, ask="show", name="lenet"), "it lives on"


def test_fifty_at_once_are_answered(server: Server) -> None:
    spec = ask(server, ask="show", name="resnet50")["text"]
    begun = time.monotonic()
    with ThreadPoolExecutor(50) as pool:
        found = list(
            pool.map(lambda i: ask(server, ask="network", text=f"{spec}# {i}\n", variant="resnet50"), range(50))
        )
    assert all(dict(each["facts"])["parameters"] == "25,557,032" for each in found if "facts" in each)
    assert sum("facts" in each for each in found) >= 25 and time.monotonic() - begun < 25


def test_a_process_that_does_not_come_back_is_replaced() -> None:
    worker = Worker(deadline=0.01)
    try:
        assert "not done after 0.01 s" in worker.ask('{"ask": "words"}')
        worker.deadline = 30.0
        assert "layers" in worker.ask('{"ask": "words"}')
        worker._process.kill()
        worker._process.wait()
        assert "layers" in worker.ask('{"ask": "words"}')
    finally:
        worker.close()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_a_process_that_wants_too_much_memory_is_refused() -> None:
    worker = Worker(deadline=30.0, memory=120 << 20)
    try:
        found = json.loads(worker.ask(json.dumps({"ask": "network", "text": HOSTILE["many"]})))
        assert "memory" in found["problems"][0]["message"]
    finally:
        worker.close()


def test_saving_never_goes_over_a_change_made_elsewhere(server: Server) -> None:
    path = server.opened.path
    assert path is not None
    begun = json.loads(request(server, "GET", "/file")[2])
    assert begun["text"] == TEXT and begun["stamp"] == stamp(TEXT)

    def save(text: Any, seen: Any) -> Any:
        return json.loads(request(server, "POST", "/save", {"text": text, "stamp": seen})[2])

    saved = save("name: Mine\n", begun["stamp"])
    assert saved == {"stamp": stamp("name: Mine\n")} and path.read_text("utf-8") == "name: Mine\n"
    path.write_text("name: Theirs\n", "utf-8")
    found = save("name: Mine again\n", saved["stamp"])
    assert found["problems"][0]["code"] == "changed" and path.read_text("utf-8") == "name: Theirs\n"
    for text, seen in (
        (5, begun["stamp"]),
        ("x", None),
        ("\ud800", stamp("name: Theirs\n")),
        ("x" * (MOST_SPEC + 1), stamp("name: Theirs\n")),
    ):
        assert save(text, seen)["problems"] and path.read_text("utf-8") == "name: Theirs\n"
    path.unlink()
    assert "cannot be read" in save("x", stamp("name: Theirs\n"))["problems"][0]["message"] and not path.exists()


def test_what_the_zoo_begins_with_is_saved_nowhere(tmp_path: Path) -> None:
    server = Server(Opened("lenet", TEXT), None)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        assert "path" not in json.loads(request(server, "GET", "/file")[2])
        found = json.loads(request(server, "POST", "/save", {"text": "x", "stamp": stamp(TEXT)})[2])
        assert found["problems"][0]["message"] == "no file was named"
        with pytest.raises(SpecError, match=f"port {server.port} cannot be used"):
            Server(Opened("lenet", TEXT), server.port)
    finally:
        server.shutdown()
        server.server_close()


def test_the_zoo_is_the_zoo_whatever_lies_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lenet").write_text("name: Not this one\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    found = json.loads(answer('{"ask": "show", "name": "lenet"}'))
    assert "name: LeNet-5" in found["text"]
    assert json.loads(answer('{"ask": "show", "name": "../lenet"}'))["problems"]


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(TEXT, "utf-8")
    command = [sys.executable, "-m", "cnncalc", "serve", "net.yaml", "--no-open"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        address = process.stdout.readline()
        assert address.startswith("http://127.0.0.1:") and "?token=" in address
        assert process.stderr.readline() == "net.yaml is served to this computer alone; Ctrl-C ends\n"
        process.send_signal(2)
        assert process.wait(10) == 0
    done = subprocess.run([*command[:4], "nothing.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "there is no such file" in done.stderr
