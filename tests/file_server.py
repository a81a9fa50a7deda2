"""An HTTP server of files that breaks off, lies or knows no ranges when it is told to."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

PATIENCE_SECONDS = 30.0


@dataclass
class FileServer:
    """What it has, how it behaves, and what it was asked for."""

    files: dict[str, bytes]
    """By path, without the slash at the beginning."""
    ranges: bool = True
    """Whether it sends a part where a part is wanted."""
    breaks_after: int | None = None
    """It sends so many bytes of an answer and no more."""
    hangs: bool = False
    """Where it breaks off, it keeps the connection and says nothing."""
    says_length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Paths and ranges."""
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    """Lets go of those whom it keeps waiting."""


class _Listening(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(server: FileServer) -> Iterator[FileServer]:
    """Serve on a free port of loopback until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, wanted = unquote(self.path.lstrip("/")), self.headers.get("Range")
            server.asked.append((path, wanted))
            content = server.files.get(path)
            if content is None:
                self.send_error(404)
                return
            begin, body = _part(content, wanted) if wanted and server.ranges else (0, content)
            if begin and begin >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if wanted and server.ranges else 200)
            if wanted and server.ranges:
                self.send_header("Content-Range", f"bytes {begin}-{begin + len(body) - 1}/{len(content)}")
            if server.says_length:
                self.send_header("Content-Length", str(len(body)))
            else:
                self.send_header("Connection", "close")
                self.close_connection = True
            self.end_headers()
            self.wfile.write(body[: server.breaks_after])
            if server.breaks_after is not None and server.breaks_after < len(body):
                self.wfile.flush()
                if server.hangs:
                    server.released.wait(PATIENCE_SECONDS)
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with _Listening(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}/"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            listening.shutdown()
            thread.join()


def _part(content: bytes, wanted: str) -> tuple[int, bytes]:
    found = re.fullmatch(r"bytes=(\d+)-(\d+)", wanted)
    assert found is not None
    begin, end = int(found[1]), int(found[2])
    return begin, content[begin : end + 1]
