"""Asks a source from an event loop of its own thread: one that hangs or fails holds up nobody but itself."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from threading import Event, Thread
from typing import Any, TypeVar

from models.errors import ConfigurationError, FleettwinError, Unavailable
from streams.publish.blocking import unawaited
from streams.publish.measures import Component, Failure, Sampled
from streams.publish.registry import not_installed
from streams.publish.source import Source

GRACE_SECONDS = 1.0
"""Beyond its own timeout, in which a source can name what did not answer."""

_T = TypeVar("_T")


class Asking:
    """One source, asked for one thing at a time.

    Args:
        source: Who is asked.
        loop: Its own, which runs in another thread.
        timeout: Seconds that it may take, the grace included.
    """

    def __init__(self, source: Source, loop: asyncio.AbstractEventLoop, timeout: float) -> None:
        self._source, self._loop, self._timeout = source, loop, timeout
        self._back = Event()
        self._back.set()

    @property
    def hangs(self) -> bool:
        """Whether it has not come back from the last question."""
        return not self._back.is_set()

    def discover(self) -> Sequence[Component]:
        """The nodes that can be asked.

        Raises:
            ConfigurationError: what the user said of them cannot be.
            Unavailable: one cannot be asked, or the source does not answer, or fails.
        """
        try:
            return self._answer(self._source.discover())
        except FleettwinError:
            raise
        except ModuleNotFoundError as missing:
            raise not_installed(self._source.name, missing) from None
        except Exception as error:  # noqa: BLE001  # as in `sample`
            why = f"{type(error).__name__}: {error}"
            raise Unavailable(f"source {self._source.name}", why, "The next beat tries again") from None

    def sample(self) -> Sampled:
        """What they measure now; whatever is wrong with the source itself is a failure, too."""
        try:
            return self._answer(self._source.sample())
        except Unavailable as error:
            why = error.why
        except ModuleNotFoundError as missing:
            told = not_installed(self._source.name, missing)
            why = f"{told.why}; {told.way_out}"
        except Exception as error:  # noqa: BLE001  # of libraries that nobody here knows; the next beat tries again
            why = f"{type(error).__name__}: {error}"
        return Sampled(failures=(Failure(self._source.name, why),))

    def close(self) -> None:
        """Let the source let go of what it holds, if it comes back at all."""
        with suppress(Unavailable):
            self._answer(self._source.close())

    def _answer(self, question: Coroutine[Any, Any, _T]) -> _T:
        if self.hangs:
            question.close()
            raise self._silent("it has not come back from the question before")
        self._back.clear()
        asked = asyncio.run_coroutine_threadsafe(self._noted(question), self._loop)
        try:
            return asked.result(self._timeout)
        except concurrent.futures.TimeoutError:
            if asked.done():  # it is the source's own
                raise
            asked.cancel()
            raise self._silent(f"it did not answer within {self._timeout:g} s") from None

    async def _noted(self, question: Coroutine[Any, Any, _T]) -> _T:
        try:
            return await question
        finally:
            self._back.set()

    def _silent(self, why: str) -> Unavailable:
        return Unavailable(f"source {self._source.name}", why, "The next beat tries again")


class _Unawaited(concurrent.futures.ThreadPoolExecutor):
    """Runs each call at once, in a thread that the end of the process does not wait for: it may hang in a driver."""

    def submit(self, call: Callable[..., _T], /, *args: Any, **named: Any) -> concurrent.futures.Future[_T]:
        """Run it now."""
        return unawaited(partial(call, *args, **named), "source-call")


@contextmanager
def asked(source: Source, timeout_seconds: float) -> Iterator[Asking]:
    """A source at work; in the end it is closed, if it lets itself be."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(_Unawaited())
    thread = Thread(target=loop.run_forever, name=f"source-{source.name}", daemon=True)
    thread.start()
    asking = Asking(source, loop, timeout_seconds + GRACE_SECONDS)
    try:
        yield asking
    finally:
        with suppress(ConfigurationError):
            asking.close()
        if not asking.hangs:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
