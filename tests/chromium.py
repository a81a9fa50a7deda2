"""A real browser for tests: the system's Chromium, reaching nothing but this machine, and what a page did in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

PATIENCE_MILLISECONDS = 60_000
"""Far more than anything takes that a page does by itself: a machine under load must not fail a test."""

expect.set_options(timeout=PATIENCE_MILLISECONDS)

_FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, without a window.

    While it runs, this thread has an event loop that Playwright keeps: nothing else may run one in it.
    """
    program = shutil.which("chromium")
    if program is None:
        pytest.fail("no chromium on the PATH; on Debian: apt-get install chromium", pytrace=False)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*_FLAGS, *as_root])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Seen:
    """A page, and all that went wrong in it."""

    page: Page
    home: str
    errors: list[str] = field(default_factory=list)
    """What the console said, and what was thrown."""
    failures: list[str] = field(default_factory=list)
    """Requests that came to nothing, and answers of 400 and above."""
    outside: list[str] = field(default_factory=list)
    """Requests to anywhere but home."""

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("requestfailed", self._failed)
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"} and not request.url.startswith(self.home):
            self.outside.append(request.url)

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself let go of it
            self.failures.append(f"{request.url}: {request.failure}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.failures.append(f"{response.url}: {response.status}")

    def forgive(self) -> None:
        """Forget what went wrong: it was meant to."""
        self.errors.clear()
        self.failures.clear()

    @property
    def faults(self) -> list[str]:
        """All that went wrong."""
        return [*self.errors, *self.failures, *self.outside]


@contextmanager
def opened(browser: Browser, home: str, place: str = "", **context: Any) -> Iterator[Seen]:
    """A new window that is at `place`, below the address of the page."""
    window = browser.new_context(**context)
    window.set_default_timeout(PATIENCE_MILLISECONDS)
    try:
        seen = Seen(window.new_page(), home)
        seen.page.goto(home + place)
        yield seen
    finally:
        window.close()
