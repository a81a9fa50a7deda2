"""Runs a Faust app in this process until it is told to stop, on uvloop."""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import faust
import structlog
import uvloop
from mode import Service

from infra.plain_log import log_plainly
from streams.workers.leaving import STOP_SECONDS, end_within
from streams.workers.refreshing import pause_after_failed_refreshes
from streams.workers.repeats import Repeats

log = structlog.get_logger()


class _Beside(Service):  # type: ignore[misc]  # mode ships no types
    """Makes a context in a thread while the app starts, enters it, and leaves it when the app has stopped."""

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        super().__init__()
        self._make = make
        self._entering: asyncio.Task[AbstractAsyncContextManager[None]] | None = None

    async def on_start(self) -> None:
        self._entering = asyncio.create_task(self._enter())

    async def _enter(self) -> AbstractAsyncContextManager[None]:
        context = await asyncio.to_thread(self._make)
        await context.__aenter__()
        gc.freeze()  # all is imported by now: going through it again takes the collector 0.1 s, and the loop with it
        return context

    @Service.task  # type: ignore[untyped-decorator]  # as above
    async def _crash_if_it_cannot_be_entered(self) -> None:
        if self._entering is not None:
            await asyncio.shield(self._entering)

    async def on_stop(self) -> None:
        """Wait for the thread first: the loop must not be closed, nor the program end, while it still imports."""
        if self._entering is None:
            return
        await asyncio.wait([self._entering])
        if not self._entering.cancelled() and self._entering.exception() is None:
            await self._entering.result().__aexit__(None, None, None)


class _Calm(Service):  # type: ignore[misc]  # as above
    """Once Faust has set logging up, lets nobody say the same all the time."""

    async def on_start(self) -> None:
        for handler in logging.root.handlers:
            handler.addFilter(Repeats())


class _Worker(faust.Worker):  # type: ignore[misc]  # as above
    """Comes to its end."""

    async def stop(self) -> None:
        end_within(STOP_SECONDS, 1)
        await super().stop()


def run_app(app: Any, *beside: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    """Run until SIGTERM or Ctrl-C; then let it store its checkpoints and leave the group.

    Args:
        app: The Faust app.
        beside: Each is called in a thread once the loop runs, so that what takes long to import keeps nobody from
            joining; what it gives is entered in the app's own loop, and left when the app has stopped.

    Raises:
        SystemExit: with the worker's exit code.
    """
    faulthandler.enable()  # what crashes below Python leaves its stacks in the log
    log_plainly()
    log.info("joining", group=app.conf.id)
    uvloop.install()
    pause_after_failed_refreshes()
    services = [_Calm(), *(_Beside(make) for make in beside)]
    worker = _Worker(app, *services, loglevel="WARNING", redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it turns for every line that any library logs for debugging, so all of them would be made
    worker.execute_from_commandline()
