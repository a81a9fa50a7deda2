"""A small server that answers as Grafana's API does, for what we ask of it; and as servers do that are none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

TOKEN = "glsa_secret"


class Grafana:
    """What a Grafana has, and what it was asked."""

    def __init__(self) -> None:
        self.folders: dict[str, Any] = {}
        self.sources: dict[str, Any] = {}
        self.dashboards: dict[str, Any] = {}
        self.asked: list[str] = []
        self.instead: tuple[int, str, str] | None = None
        """Status, content type and body that it answers whatever is asked."""

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if not path.startswith("/api/"):
            return 404, {"message": "not found"}
        kind, _, rest = path.removeprefix("/api/").partition("/")
        if method == "GET":
            kept = {"folders": self.folders, "datasources": self.sources}.get(kind, {}).get(rest.removeprefix("uid/"))
            return (404, {"message": "not found"}) if kept is None else (200, kept)
        if kind == "dashboards":
            uid = body["dashboard"]["uid"]
            if uid in self.dashboards and not body["overwrite"]:
                return 412, {"message": "the dashboard has been changed by someone else"}
            self.dashboards[uid] = body
            return 200, {"uid": uid, "url": f"/d/{uid}/{uid}", "status": "success"}
        {"folders": self.folders, "datasources": self.sources}[kind][body["uid"]] = body
        return 200, body


@contextmanager
def fake_grafana(token: str = TOKEN) -> Iterator[tuple[Grafana, str]]:
    """A Grafana on a free port of loopback that knows this token, and its address."""
    state = Grafana()

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, kind = 401, "application/json"
            content: bytes = b'{"message": "Invalid API key"}'
            if state.instead is not None:
                state.asked.append(f"{self.command} {self.path}")
                status, kind, text = state.instead
                content = text.encode()
            elif self.headers.get("Authorization") == f"Bearer {token}":
                status, answer = state.answer(self.command, unquote(self.path), body)
                content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _handle  # noqa: N815  # names of the standard library

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
