"""What is done to rows once they are written, on a connection of its own so that new rows never wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from infra.timescale.retention import Retention
from infra.timescale.sink import TimescaleSink
from models.errors import ConfigurationError, Unavailable
from models.instants import Instant

log = structlog.get_logger()

ROLL_UP_SECONDS = 5.0
RETAIN_SECONDS = 600.0

SETTLING_MILLISECONDS = 5000
"""A bucket is rolled up once the newest tick is so far past its end."""

NODES_PATIENCE_MILLISECONDS = 25_000
"""And those of nodes so much later: their writer has computed them by then, with the site's next frame."""


@dataclass
class Housekeeping:
    """Rolls up and drops what is old. What is not done because the database is away is done next time.

    Args:
        sink: For this alone.
        retention: What is old.
        sleep: Waits for so many seconds, or until the worker stops.
    """

    sink: TimescaleSink
    retention: Retention
    sleep: Callable[[float], Awaitable[None]]
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _retained: float = 0.0
    _stopping: bool = False

    async def keep(self, newest: int) -> None:
        """Roll up what has settled by the tick `newest`; drop what is old, now and then."""
        async with self._busy:
            try:
                await self._roll_up(Instant(newest - SETTLING_MILLISECONDS))
                if time.monotonic() - self._retained > RETAIN_SECONDS:
                    self._retained = time.monotonic()
                    await asyncio.to_thread(self.sink.retain, Instant(newest), self.retention)
            except Unavailable as away:
                log.warning("the database is away", why=str(away))
            except ConfigurationError as forbidden:
                log.warning("what is old stays: only the schema's owner may drop it", why=str(forbidden))

    async def finish(self) -> None:
        """Roll up everything, and disconnect."""
        self._stopping = True
        async with self._busy:
            try:
                await asyncio.to_thread(self.sink.roll_up)
            except Unavailable as away:
                log.warning("rollups are left for the next start", why=str(away))
            await asyncio.to_thread(self.sink.close)

    async def _roll_up(self, through: Instant) -> None:
        """A few buckets at a time, and at most half of the time: a minute of all sites is due at once."""
        while not self._stopping:
            began = time.monotonic()
            if not await asyncio.to_thread(self.sink.roll_up_some, through, NODES_PATIENCE_MILLISECONDS):
                return
            await self.sleep(time.monotonic() - began)
