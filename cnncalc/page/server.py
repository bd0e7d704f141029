"""The page on this computer: a server for one reader, bound to the loopback address, with a token that only they have.

Every request must name this server as its host, so that no foreign name leads here; a question must come from the page
itself; no path of a file is ever taken from a request. What is asked is answered in another process.
"""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import socket
import threading
import time
from functools import cached_property
from http import HTTPStatus
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..errors import SpecError, usage_error
from ..files import write_file
from ..record import Record
from .desk import MOST_SPEC, MOST_TEXT
from .worker import Worker, refused

BUILT = Path(__file__).parent / "built"
#: The page's own files, and what they are.
FILES = {"app.js": "text/javascript", "app.css": "text/css", "LICENSES.txt": "text/plain"}
#: Where it is tried first, so that a link to a view leads there tomorrow.
PORT = 8377
#: Seconds for a request to arrive, and connections at once.
ARRIVAL_S, MOST_CONNECTIONS = 5.0, 64
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Opened(Record):
    """What the page begins with: a text, what it is called, a variant, and the file it is saved to, if it is one."""

    name: str
    text: str
    variant: str = ""
    path: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """As the page asks for it; what the file holds now, if there is one."""
        text = _text_of(self.path) if self.path else self.text
        found = {"name": self.name, "text": text, "variant": self.variant, "stamp": stamp(text)}
        return found | ({"path": str(self.path)} if self.path else {})


def stamp(text: str) -> str:
    """What tells whether a file is still what it was."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves the page with what it begins with; raises `SpecError` where a port is taken."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, opened: Opened, port: int | None = None) -> None:
        self.opened, self.token = opened, secrets.token_urlsafe(24)
        self.saving = threading.Lock()
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        try:
            super().__init__(("127.0.0.1", PORT if port is None else port), Handler)
        except (OSError, OverflowError) as error:
            if port is not None:
                raise usage_error(f"port {port} cannot be used: {error}", "leave --port out") from None
            super().__init__(("127.0.0.1", 0), Handler)
        self.port = int(self.server_address[1])
        self.hosts = {f"{name}:{self.port}" for name in ("127.0.0.1", "localhost")}

    @cached_property
    def worker(self) -> Worker:
        """The process that answers."""
        return Worker()

    @property
    def address(self) -> str:
        """What the reader opens, with the token."""
        return f"http://127.0.0.1:{self.port}/?token={self.token}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread of its own, as long as there are not too many."""
        if not self._free.acquire(timeout=ARRIVAL_S):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for another."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who goes away in the middle is no error of ours."""

    def server_close(self) -> None:
        """End the server and the process that answers."""
        super().server_close()
        if "worker" in self.__dict__:
            self.worker.close()


class Arriving(socket.SocketIO):
    """What is read of a connection, all of it within one time limit, however slowly it comes."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        super().__init__(connection, "r")
        self.connection, self.until = connection, time.monotonic() + seconds

    def readinto(self, buffer: Any) -> int | None:
        """Read some; raises TimeoutError."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.connection.settimeout(left)
        return super().readinto(buffer)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    server_version, sys_version = "cnncalc", ""

    def setup(self) -> None:
        """Read with a time limit."""
        super().setup()
        self.rfile = io.BufferedReader(Arriving(self.connection, ARRIVAL_S))

    def do_GET(self) -> None:
        """The page, its files, and the text that it begins with."""
        if not self._is_asked_here():
            return self._refuse(HTTPStatus.FORBIDDEN)
        address = urlsplit(self.path)
        name = address.path.removeprefix("/")
        if name in FILES:
            return self._send((BUILT / name).read_bytes(), FILES[name])
        if name in ("", "file") and not self._has_token(address.query if not name else ""):
            return self._refuse(HTTPStatus.FORBIDDEN)
        if not name:
            return self._page()
        if name == "file":
            return self._answer(self._opened())
        return self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """A question, or a text to be saved."""
        origin = self.headers.get("Origin", "")
        if (
            not self._is_asked_here()
            or origin.removeprefix("http://") not in self.server.hosts
            or not self._has_token()
        ):
            return self._refuse(HTTPStatus.FORBIDDEN)
        if self.headers.get_content_type() != "application/json":
            return self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return self._refuse(HTTPStatus.LENGTH_REQUIRED)
        if len(length) > 9 or int(length) > MOST_TEXT:
            return self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            body = self.rfile.read(int(length))
        except TimeoutError:
            return self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        if len(body) < int(length):
            return self._refuse(HTTPStatus.BAD_REQUEST)
        if self.path == "/ask":
            return self._answer(self.server.worker.ask(body.decode("utf-8", "replace")))
        if self.path == "/save":
            return self._answer(self._saved(body))
        return self._refuse(HTTPStatus.NOT_FOUND)

    def _is_asked_here(self) -> bool:
        """Whether the request names this server, and does not come from a page of another."""
        site = self.headers.get("Sec-Fetch-Site", "none")
        at_first = urlsplit(self.path).path == "/" and self.command == "GET"
        return self.headers.get("Host", "") in self.server.hosts and (site in ("same-origin", "none") or at_first)

    def _has_token(self, query: str = "") -> bool:
        given = parse_qs(query).get("token", [""])[0]
        cookie = SimpleCookie()
        try:
            cookie.load(self.headers.get("Cookie", "")[:4096])
        except Exception:  # whatever is wrong with somebody's cookies, this one is not among them
            return False
        kept = cookie.get(self._cookie)
        found = [given, kept.value if kept else ""]
        return any(secrets.compare_digest(each.encode(), self.server.token.encode()) for each in found)

    @property
    def _cookie(self) -> str:
        return f"cnncalc-{self.server.port}"

    def _opened(self) -> str:
        try:
            return json.dumps(self.server.opened.to_dict())
        except SpecError as error:
            return refused(error.problems[0].message, error.problems[0].hint, "file")

    def _saved(self, body: bytes) -> str:
        """Write the text to the file that was named, unless that has changed since it was read."""
        path = self.server.opened.path
        try:
            asked = json.loads(body)
            text, seen = asked["text"], asked["stamp"]
            data = text.encode("utf-8")
        except (ValueError, KeyError, TypeError, AttributeError):
            return refused("a text is saved, and a stamp goes with it")
        if path is None:
            return refused("no file was named", "cnncalc serve net.yaml")
        if len(data) > MOST_SPEC:
            return refused(f"a spec on the page may have {MOST_SPEC:,} bytes", "use blocks and repeat")
        try:
            with self.server.saving:
                if stamp(_text_of(path)) != seen:
                    hint = "take yours away as a file, and open the page again"
                    return refused(f"{path.name} was changed elsewhere, and is left as it is", hint, "changed")
                write_file(path, data)
        except SpecError as error:
            return refused(error.problems[0].message, error.problems[0].hint, "file")
        return json.dumps({"stamp": stamp(text)})

    def _page(self) -> None:
        nonce = secrets.token_urlsafe(12)
        head = f'<meta name="engine" content="serve">\n<meta name="nonce" content="{nonce}">'
        page = (BUILT / "index.html").read_text("utf-8").replace("{head}", head)
        cookie = f"{self._cookie}={self.server.token}; HttpOnly; SameSite=Strict; Path=/"
        self._send(
            page.encode(), "text/html", {"Content-Security-Policy": POLICY.format(nonce=nonce), "Set-Cookie": cookie}
        )

    def _answer(self, text: str) -> None:
        self._send(text.encode("utf-8", "replace"), "application/json")

    def _send(self, data: bytes, kind: str, more: dict[str, str] | None = None, status: int = HTTPStatus.OK) -> None:
        policy = {"Content-Security-Policy": "default-src 'none'"}
        self.send_response(status)
        for name, value in {
            "Content-Type": f"{kind}; charset=utf-8",
            "Content-Length": str(len(data)),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
            **policy,
            **(more or {}),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _refuse(self, status: HTTPStatus) -> None:
        self._send(f"{status.phrase}\n".encode(), "text/plain", status=status)

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal stays quiet."""


def _text_of(path: Path) -> str:
    """What a file holds now; raises `SpecError`."""
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError as error:
        raise usage_error(f"cannot be read: {error.strerror}", where=str(path), code="file") from None
