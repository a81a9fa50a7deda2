"""Runs the console within the worker's own loop: the server, what it follows, and what it says of itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import structlog
import uvicorn
from fastapi import FastAPI

from infra.settings import Settings
from streams.console.access import Hosts
from streams.console.answers import Answers
from streams.console.app import console_app
from streams.console.console import Console
from streams.console.following import Follower
from streams.console.here import OwnLanes
from streams.console.limiting import MOST_HEADER_BYTES, Pace
from streams.console.listening import Listening
from streams.console.live import LiveFleet
from streams.console.metrics import Metrics
from streams.console.owners import Announcer, Owners
from streams.console.passing import Others
from streams.console.token import TOKEN_SETTING
from streams.workers.identity import worker_name
from streams.workers.lanes import Lanes
from streams.workers.metering import Place
from streams.workers.pipeline import lags

log = structlog.get_logger()

ANNOUNCE_SECONDS = 30.0
STOP_SECONDS = 2
"""How long answers under way may take when the worker ends; streams of events are ended at once."""
MOST_CONNECTIONS = 256


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them to the worker, which ends the server with itself."""
        yield


def new_server(app: FastAPI) -> uvicorn.Server:
    """What speaks HTTP for the application; whoever made it ends it."""
    return _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",  # the one that limits what it takes in before it has understood it
            h11_max_incomplete_event_size=2 * MOST_HEADER_BYTES,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )


@asynccontextmanager
async def serving(
    settings: Settings, lanes: Lanes, address: str, listening: Listening, token: str | None, pages: Path | None
) -> AsyncIterator[None]:
    """Serve as long as the context is open; whatever goes wrong within is logged and never ends the worker."""
    worker, here = worker_name("twin"), OwnLanes(lanes)
    live, owners = LiveFleet(), Owners()
    metrics = Metrics(live, lambda: _lag(lanes))
    lanes.on_fold.append(metrics.folded)
    lanes.on_send.append(metrics.sent)
    follower = Follower(address, settings.kafka, live, owners)
    announcer = Announcer(worker, listening.url, _now, lanes.send)
    limits = httpx.Limits(max_connections=MOST_CONNECTIONS)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as client:
        others = Others(worker, settings.kafka.telemetry_partitions, here, owners, client, token)
        answers = Answers(live, here, worker, _now)
        console = Console(worker, live, here, answers, others, lambda: follower.caught_up, metrics.text)
        app = console_app(
            console, token, _hosts(settings, listening), pages, Pace(settings.console.requests_per_second)
        )
        server = new_server(app)
        tasks = [
            asyncio.create_task(follower.run(), name="console: follow"),
            asyncio.create_task(_announce(announcer, lanes, here), name="console: announce"),
        ]
        serve = asyncio.create_task(server.serve(sockets=[listening.socket]), name="console: serve")
        tell_listening(listening, token)
        try:
            yield
        finally:
            live.feed.close()
            server.should_exit = True
            for task in tasks:
                task.cancel()
            for ended in await asyncio.gather(serve, *tasks, return_exceptions=True):
                if isinstance(ended, Exception):
                    log.warning("the console did not end well", error=repr(ended))


def tell_listening(listening: Listening, token: str | None) -> None:
    """Log where the console is, and a warning where others than this machine may look without a token."""
    log.info("the console listens", url=listening.url, **({"because": listening.why} if listening.why else {}))
    if token is None and not listening.on_loopback:
        log.warning(f"anybody who reaches the console sees the fleet; set {TOKEN_SETTING}", url=listening.url)


def _hosts(settings: Settings, listening: Listening) -> Hosts | None:
    if not listening.on_loopback:
        return None
    advertised = urlsplit(settings.console.advertised_url or "").hostname
    return Hosts([advertised] if advertised else [])


async def _announce(announcer: Announcer, lanes: Lanes, here: OwnLanes) -> None:
    """Say what this worker folds whenever that has changed, and again now and then."""
    opened = asyncio.Event()
    lanes.on_open.append(opened.set)
    while True:
        if here.ready:
            try:
                await announcer.announce(here.partitions())
            except Exception as error:  # noqa: BLE001 - the outermost edge: the other workers can wait, the twin cannot
                log.warning("the other workers were not told what is folded here", error=repr(error))
        opened.clear()
        try:
            await asyncio.wait_for(opened.wait(), ANNOUNCE_SECONDS)
        except TimeoutError:
            continue


def _lag(lanes: Lanes) -> Mapping[Place, int | None]:
    if not lanes.open:
        return {}
    return lags(lanes.app.consumer, lanes.kafka, lanes.position)


def _now() -> datetime:
    return datetime.now(UTC)
