"""Serves the console's page with a made-up fleet behind it, over HTTP as the worker does: no Kafka, no worker."""

from __future__ import annotations

import mimetypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Event, Thread
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson
from pydantic import BaseModel

from models.shortage import Shortage
from streams.console.access import SECURITY
from tests.dashboards.console_fleet import MadeUp, this_second

PAGE = Path(__file__).parents[2] / "dashboards" / "console"
TICK_SECONDS = 1.0
HELD_SECONDS = 60.0


@dataclass
class Served:
    """A fleet that is served, and what a test may do to those who look at it."""

    fleet: MadeUp
    token: str = ""
    url: str = ""
    asked: list[str] = field(default_factory=list)
    """The paths that were asked for."""
    events: list[bytes] = field(default_factory=list)
    """Shortage events, as they go over the wire."""
    changed: Condition = field(default_factory=Condition)
    cuts: int = 0
    away: bool = False
    silent: bool = False
    """No ticks come any more, though the connection stands."""
    ticks: int = 0
    """How many were sent."""
    answering: list[str] = field(default_factory=list)
    """The paths whose answers are made; they are sent once they are released."""
    released: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.released.set()

    def say(self, event: Shortage) -> None:
        """Put an event into the fleet and send it to all who follow."""
        with self.changed:
            self.fleet.say(event)
            self.events.append(_event("shortage", orjson.loads(event.model_dump_json())))
            self.changed.notify_all()

    def leave(self) -> None:
        """End all streams, and answer nothing until `come_back`."""
        with self.changed:
            self.cuts, self.away = self.cuts + 1, True
            self.changed.notify_all()

    def come_back(self) -> None:
        """Answer again."""
        self.away = False


@contextmanager
def served(fleet: MadeUp, token: str = "") -> Iterator[Served]:
    """Serve on a free port of this machine."""
    world = Served(fleet, token)

    class Answers(_Answers):
        served = world

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    world.url = f"http://127.0.0.1:{server.server_port}/"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield world
    finally:
        world.leave()
        server.shutdown()
        server.server_close()
        thread.join()


def _event(name: str, body: object) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps(body) + b"\n\n"


class _Answers(BaseHTTPRequestHandler):
    served: Served

    def log_message(self, *_: object) -> None:
        """What the tests want to know stands in `Served.asked`."""

    def do_GET(self) -> None:
        try:
            self._respond()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # whoever asked has gone

    def _respond(self) -> None:
        world = self.served
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        if world.away:
            self.close_connection = True
            return
        world.asked.append(self.path)
        if not path.startswith("/api/"):
            self._file(path)
        elif world.token and self.headers.get("Authorization") != f"Bearer {world.token}":
            self._answer(HTTPStatus.UNAUTHORIZED, "application/json", b'{"detail":"a token is needed"}')
        elif path == "/api/events":
            self._events()
        else:
            view = self._view(path.split("/")[2:], query)
            world.answering.append(path)
            world.released.wait(HELD_SECONDS)
            self._json(view)

    def _view(self, parts: list[str], query: dict[str, str]) -> BaseModel | None:
        fleet = self.served.fleet
        match parts:
            case ["fleet"]:
                return fleet.fleet_view()
            case ["sites"]:
                return fleet.sites_view()
            case ["shortages"]:
                return fleet.shortages_view()
            case ["sites", name]:
                offset, limit = int(query["offset"]), int(query["limit"])
                asked = {"offset": offset, "limit": limit}
                return fleet.site_view(unquote(name), order=query["order"], only=query["only"], **asked)
            case ["nodes", name]:
                return fleet.node_answer(unquote(name), query["site"])
        return None

    def _json(self, view: BaseModel | None) -> None:
        if view is None:
            self._answer(HTTPStatus.NOT_FOUND, "application/json", b'{"detail":"no such thing"}')
        else:
            self._answer(HTTPStatus.OK, "application/json", view.model_dump_json().encode())

    def _file(self, path: str) -> None:
        file = PAGE / (path.lstrip("/") or "index.html")
        if not file.is_file():
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"")
            return
        self._answer(HTTPStatus.OK, mimetypes.guess_type(file.name)[0] or "", file.read_bytes())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **_SAFE}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _events(self) -> None:
        self.send_response(HTTPStatus.OK)
        for name, value in {"Content-Type": "text/event-stream", "Connection": "close", **_SAFE}.items():
            self.send_header(name, value)
        self.end_headers()
        world = self.served
        cuts, seen = world.cuts, len(world.events)
        next_tick = time.monotonic()
        self.close_connection = True
        while world.cuts == cuts:
            with world.changed:
                world.changed.wait(max(next_tick - time.monotonic(), 0))
                fresh, seen = world.events[seen:], len(world.events)
            for one in fresh:
                self.wfile.write(one)
            if time.monotonic() >= next_tick:
                next_tick += TICK_SECONDS
                self.wfile.write(b": still here\n\n" if world.silent else self._tick())
                world.ticks += 1
            self.wfile.flush()

    def _tick(self) -> bytes:
        tick, fleet = this_second(), self.served.fleet
        sites = [orjson.loads(one.model_dump_json()) for one in fleet.site_states(tick)]
        return _event("sites", sites) + _event("fleet", orjson.loads(fleet.fleet_state(tick).model_dump_json()))


_SAFE = {**SECURITY, "Cache-Control": "no-store"}
