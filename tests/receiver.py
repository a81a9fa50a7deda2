"""A receiver of alerts that is as bad as real ones: an HTTP server in a thread that answers what it is told to."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver does with a post."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hangs: bool = False
    """Says nothing until it is closed."""
    closes: bool = False
    """Hangs up without an answer, having read the post."""


@dataclass(frozen=True, slots=True)
class Post:
    """What came."""

    path: str
    headers: dict[str, str]
    body: Any
    answered: int
    at: float


@dataclass
class AlertReceiver:
    """Answers posts as planned, and then with 200; `posts` is all that came."""

    port: int = 0
    planned: deque[Answer] = field(default_factory=deque)
    always: Answer | None = None
    """Instead of what is planned."""
    posts: list[Post] = field(default_factory=list)
    _closed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def taken(self) -> list[Any]:
        """The bodies of what was answered with success."""
        return [post.body for post in self.posts if 200 <= post.answered < 300]

    def wait_until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait for a condition on what came."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"not yet: {what}; {len(self.posts)} posts"
            time.sleep(0.02)

    def _next(self) -> Answer:
        if self.always is not None:
            return self.always
        return self.planned.popleft() if self.planned else Answer()

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        answer = self._next()
        code = 0 if answer.hangs or answer.closes else answer.status
        self.posts.append(Post(handler.path, dict(handler.headers), orjson.loads(body), code, time.monotonic()))
        if answer.hangs:
            self._closed.wait(PATIENCE_SECONDS)
        if answer.hangs or answer.closes:
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)


@contextmanager
def alert_receiver(*planned: Answer, port: int = 0, always: Answer | None = None) -> Iterator[AlertReceiver]:
    """A receiver on loopback, at this port or any."""
    receiver = AlertReceiver(planned=deque(planned), always=always)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            receiver._serve(self)

        def log_message(self, *_: Any) -> None:
            """The test tells what matters."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, *_: Any) -> None:
            """A sender that gave up waiting is part of the play."""

    with Server(("127.0.0.1", port), Handler) as server:
        receiver.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield receiver
        finally:
            receiver._closed.set()
            server.shutdown()
            thread.join()
