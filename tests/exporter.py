"""An exporter that is as bad as real ones: it hangs, lies, restarts and vanishes when it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from tests.loopback import served, write

ANSWERS = Path(__file__).parent / "streams" / "publish" / "exporters"


@dataclass(frozen=True, slots=True)
class Page:
    """What a path answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/plain; version=0.0.4"})
    hangs: bool = False
    """Says nothing until the exporter is closed."""
    drips: bool = False
    """Sends a byte now and then, for ever."""
    cut: bool = False
    """Promises more than it sends."""


def answer_of(name: str) -> Page:
    """One of the answers in `exporters/`."""
    return Page((ANSWERS / f"{name}.prom").read_bytes())


@dataclass
class Exporter:
    """Answers by path; what it was asked stands in `asked`."""

    pages: dict[str, Page]
    port: int = 0
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)
    """The clients' ends of them."""
    _closed: threading.Event = field(default_factory=threading.Event)
    _running: ExitStack = field(default_factory=ExitStack)

    def url(self, path: str = "/metrics") -> str:
        """The address of one of its paths."""
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self) -> None:
        """At the port that it had before, if it had one."""
        self._closed.clear()
        self.port = self._running.enter_context(served(self._answer, self.port))

    def stop(self) -> None:
        """Connections are refused from now on, and those that are open are closed."""
        self._closed.set()
        self._running.close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.path, dict(handler.headers)))
        self.connections.add(handler.client_address)
        page = self.pages.get(handler.path, Page(status=404))
        if page.hangs:
            self._closed.wait()
        if page.hangs or self._closed.is_set():
            handler.close_connection = True
            return
        if page.drips:
            handler.send_response(200)
            handler.end_headers()
            while not self._closed.wait(0.02):
                handler.wfile.write(b"#")
        elif page.cut:
            write(handler, page.status, {**page.headers, "Content-Length": str(len(page.body) + 1)}, page.body)
            handler.close_connection = True
        else:
            write(handler, page.status, page.headers, page.body)


@contextmanager
def exporter(**pages: Page) -> Iterator[Exporter]:
    """One that runs; each page's path is its name."""
    running = Exporter({f"/{name}": page for name, page in pages.items()})
    running.start()
    try:
        yield running
    finally:
        running.stop()
