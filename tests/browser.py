"""A real browser for the tests of pages: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

#: Nothing of its own goes to a network.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def launched() -> Iterator[Any]:
    """The browser itself, for as many contexts as a module wants; a test without a browser is skipped."""
    api = pytest.importorskip("playwright.sync_api", reason="pages are tried with Playwright, which is not installed")
    if CHROMIUM is None:
        pytest.skip("pages are tried in Chromium, which is not installed")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def browser(opened: Any = None, **options: Any) -> Iterator[Any]:
    """A context of the browser, of a fresh one where none is opened, in which nothing may be logged as an error."""
    with ExitStack() as stack:
        opened = opened or stack.enter_context(launched())
        context = opened.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
        context.set_default_timeout(8_000)
        complaints: list[str] = []
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on(
            "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
        )
        try:
            yield context
            assert not complaints, complaints
        finally:
            context.close()
