"""Asking a library that blocks, and whose driver may never answer, without the event loop waiting for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from models.errors import Unavailable

_Answer = TypeVar("_Answer")


class OneAtATime:
    """Makes blocking calls in a thread, the next one only when the last has come back.

    Args:
        what: Who is asked, for messages.
        way_out: What the reader can do about one that does not answer.
        timeout_seconds: How long a call may take.
    """

    def __init__(self, what: str, way_out: str, timeout_seconds: float) -> None:
        self._what, self._way_out, self._timeout = what, way_out, timeout_seconds
        self._last: Future[Any] | None = None

    async def __call__(self, call: Callable[[], _Answer]) -> _Answer:
        """What the call returns or raises.

        Raises:
            Unavailable: it takes too long, or the last one still does; that one goes on, its answer is dropped.
        """
        if self._last is not None and not self._last.done():
            raise Unavailable(self._what, "the driver has not come back from an earlier call", self._way_out)
        self._last = answer = unawaited(call, f"asking {self._what}")
        try:
            return await asyncio.wait_for(asyncio.wrap_future(answer), self._timeout)
        except TimeoutError:
            if answer.done():  # at the last moment, or the call has raised it
                return answer.result()
            raise Unavailable(self._what, f"no answer within {self._timeout:g} s", self._way_out) from None


def unawaited(call: Callable[[], _Answer], name: str) -> Future[_Answer]:
    """What a call will return or raise, which runs in a thread of that name that the end of the process does not await.

    asyncio's own threads are awaited then, and one that hangs in a driver would keep the publisher from ending.
    """
    answer: Future[_Answer] = Future()
    answer.set_running_or_notify_cancel()  # so that giving up does not cancel what the thread will still set

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  # whoever asked judges it
            answer.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    return answer
