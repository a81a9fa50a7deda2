"""Faust with less work for each record, for agents that are never acked: the same records in the same order.

Faust makes four tasks for every record that it hands to a stream, so that it could stop waiting for a full one, and
goes once around the event loop for every record that an agent takes. Here a record that need not wait is handed over
at once, and an agent takes what is waiting for it until its time is over. Faust's own ways remain for all else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from types import coroutine
from typing import Any

from faust import Stream
from faust.transport.drivers import aiokafka
from mode import Service
from mode.services import WaitResults

BURST_SECONDS = 0.004
"""How long an agent may take records without letting anything else run, beyond the last one."""


class BurstStream(Stream):  # type: ignore[misc]  # Faust ships no types
    """A stream whose events come one after the other while there are any."""

    async def events(self) -> AsyncIterator[Any]:
        """The stream's events; no sensor hears of them, and none is acked."""
        self._finalized = True
        began_here = await self.maybe_start()
        app, channel = self.app, self.channel
        queue, flow = channel.queue, app.flow_control
        try:
            while not self.should_stop:
                event = await queue.get()
                until = time.monotonic() + BURST_SECONDS
                while True:
                    # What was fetched before a rebalance is passed over: it is read again by whoever owns it.
                    if flow.is_active() and event.message.generation_id == app.consumer_generation_id:
                        yield event
                    if queue.empty() or time.monotonic() > until:
                        break
                    event = queue.get_nowait()
                await asyncio.sleep(0)
        except StopAsyncIteration:
            return  # thrown into the queue: so does Faust end a stream
        finally:
            self._channel_stop_iteration(channel)
            if began_here:
                await self.stop()
                self.service_reset()


class PromptWaiting(Service):  # type: ignore[misc]  # mode ships no types
    """A service that makes no tasks for something that need not wait."""

    async def wait_first(self, *awaited: Any, timeout: Any = None) -> WaitResults:
        """Wait for the first of these, or for the end of the service.

        Of two coroutines, as Faust gives for every record (hand it over; be told to stop), the first one is tried.
        """
        if timeout is not None or len(awaited) != 2 or not all(map(asyncio.iscoroutine, awaited)):
            return await super().wait_first(*awaited, timeout=timeout)
        handing_over, suspended = awaited
        try:
            waits_for = handing_over.send(None)
        except StopIteration as done:
            suspended.close()
            return WaitResults([handing_over], [done.value], self.should_stop)
        except BaseException:
            suspended.close()
            raise
        return await super().wait_first(_rest(handing_over, waits_for), suspended)


class BurstConsumer(PromptWaiting, aiokafka.Consumer):  # type: ignore[misc]
    """A consumer that makes tasks only for a record that has to wait for its stream."""


class BurstTransport(aiokafka.Transport):  # type: ignore[misc]
    """Faust's transport with that consumer."""

    Consumer = BurstConsumer


async def _rest(begun: Coroutine[Any, Any, Any], waits_for: Any) -> Any:
    """What remains of a coroutine that has begun, and waits for this."""
    return await _resumed(begun, waits_for)


@coroutine
def _resumed(begun: Coroutine[Any, Any, Any], waits_for: Any) -> Generator[Any, Any, Any]:
    step: Callable[[Any], Any]
    while True:
        try:
            answer = yield waits_for
        except GeneratorExit:
            begun.close()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's to catch
            step, given = begun.throw, error
        else:
            step, given = begun.send, answer
        try:
            waits_for = step(given)
        except StopIteration as done:
            return done.value
