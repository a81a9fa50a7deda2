"""Runs a Faust app in this process until it is told to stop, on uvloop."""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from typing import Any

import faust
import structlog
import uvloop
from mode import Service

from infra.plain_log import log_plainly
from streams.workers.repeats import Repeats

log = structlog.get_logger()


class _Beside(Service):  # type: ignore[misc]  # mode ships no types
    """Enters a context before the app starts, and leaves it when the app has stopped."""

    def __init__(self, context: AbstractAsyncContextManager[None]) -> None:
        super().__init__()
        self._context = context

    async def on_start(self) -> None:
        await self._context.__aenter__()

    async def on_stop(self) -> None:
        await self._context.__aexit__(None, None, None)


class _Calm(Service):  # type: ignore[misc]  # as above
    """Once Faust has set logging up, lets nobody say the same all the time."""

    async def on_start(self) -> None:
        for handler in logging.root.handlers:
            handler.addFilter(Repeats())


def run_app(app: Any, *beside: AbstractAsyncContextManager[None]) -> None:
    """Run until SIGTERM or Ctrl-C; then let it store its checkpoints and leave the group.

    Args:
        app: The Faust app.
        beside: Entered in the app's own loop before it starts, and left when it has stopped.

    Raises:
        SystemExit: with the worker's exit code.
    """
    log_plainly()
    log.info("joining", group=app.conf.id)
    uvloop.install()
    services = [_Calm(), *(_Beside(context) for context in beside)]
    worker = faust.Worker(app, *services, loglevel="WARNING", redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it turns for every line that any library logs for debugging, so all of them would be made
    worker.execute_from_commandline()
