"""Bursts: the records that Faust would hand over, in its order, and nothing is starved meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from mode import Service

from infra.settings import KafkaSettings
from streams.workers.bursts import BURST_SECONDS, BurstConsumer, BurstStream, PromptWaiting
from streams.workers.faust_app import new_app


class Waiting(PromptWaiting, Service):  # type: ignore[misc]
    """Any service."""


async def never() -> None:
    await asyncio.Event().wait()


def within(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 30))


def test_our_apps_use_them() -> None:
    app = new_app("test", KafkaSettings(), "127.0.0.1:1")

    assert app.conf.Stream is BurstStream
    assert app.transport.Consumer is BurstConsumer


def test_what_need_not_wait_is_done_at_once() -> None:
    async def story() -> None:
        async def five() -> int:
            return 5

        before = asyncio.all_tasks()
        waiting = Waiting().wait_first(five(), never())
        with pytest.raises(StopIteration) as done:
            waiting.send(None)

        assert done.value.value.results == [5]
        assert not done.value.value.stopped
        assert asyncio.all_tasks() == before

    within(story)


def test_what_has_to_wait_goes_on_where_it_was() -> None:
    async def story() -> None:
        first, second = asyncio.Event(), asyncio.get_running_loop().create_future()
        steps = []

        async def two_waits() -> str:
            steps.append("begun")
            await first.wait()
            steps.append("half")
            with pytest.raises(KeyError):
                await second
            return "done"

        waiting = asyncio.ensure_future(Waiting().wait_first(two_waits(), never()))
        await asyncio.sleep(0)
        assert steps == ["begun"]
        first.set()
        while steps != ["begun", "half"]:
            await asyncio.sleep(0)
        second.set_exception(KeyError())

        assert (await waiting).results == ["done"]

    within(story)


def test_what_goes_wrong_is_told() -> None:
    async def story() -> None:
        async def wrong(wait: bool) -> None:
            if wait:
                await asyncio.sleep(0.001)
            raise LookupError

        for wait in (False, True):
            with pytest.raises(LookupError):
                await Waiting().wait_first(wrong(wait), never())
            await asyncio.sleep(0)

    within(story)


def test_to_be_told_to_stop_ends_the_wait_and_what_waited() -> None:
    async def story() -> None:
        suspend, ended = asyncio.Event(), asyncio.Event()

        async def full() -> None:
            try:
                await never()
            finally:
                ended.set()

        waiting = asyncio.ensure_future(Waiting().wait_first(full(), suspend.wait()))
        await asyncio.sleep(0)
        suspend.set()
        await waiting
        await ended.wait()

    within(story)


def test_other_waits_are_the_services_own() -> None:
    async def story() -> None:
        found = await Waiting().wait_first(never(), asyncio.Event(), timeout=0.001)

        assert found.results == []

    within(story)


def stream_of(*generations: int) -> tuple[Any, Any]:
    """A stream with an event of each of these generations waiting; 1 is the present one."""
    app = new_app("test", KafkaSettings(), "127.0.0.1:1")
    app.flow_control.resume()
    app.consumer_generation_id = 1
    stream = app.stream(app.channel())
    for number, generation in enumerate(generations):
        stream.channel.queue.put_nowait(event(number, generation))
    return app, stream


def event(offset: int, generation: int = 1) -> Any:
    return SimpleNamespace(message=SimpleNamespace(generation_id=generation, offset=offset))


async def read(stream: Any, count: int) -> list[int]:
    found: list[int] = []
    async for event in stream.events():
        found.append(event.message.offset)
        if len(found) == count:
            break
    return found


def test_events_come_in_order_and_those_from_before_a_rebalance_are_passed_over() -> None:
    async def story() -> None:
        _, stream = stream_of(0, 1, 1, 0, 0, 1, 2, 1)

        assert await read(stream, 4) == [1, 2, 5, 7]

    within(story)


def test_a_stream_ends_as_faust_ends_it() -> None:
    async def story() -> None:
        _, stream = stream_of(1, 1)
        reading = asyncio.ensure_future(read(stream, 3))
        for _ in range(5):
            await asyncio.sleep(0)
        await stream.throw(StopAsyncIteration())

        assert await reading == [0, 1]

    within(story)


def test_nothing_comes_while_the_flow_is_stopped() -> None:
    async def story() -> None:
        app, stream = stream_of(1, 1, 1)
        app.flow_control.suspend()
        reading = asyncio.ensure_future(read(stream, 2))
        while not stream.channel.queue.empty():
            await asyncio.sleep(0)
        app.flow_control.resume()
        for offset in (8, 9):
            stream.channel.queue.put_nowait(event(offset))

        assert await reading == [8, 9]

    within(story)


def test_a_burst_ends_in_time_for_others() -> None:
    async def story() -> None:
        _, stream = stream_of(*[1] * 100)
        turns = 0

        async def another() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        beside = asyncio.ensure_future(another())
        count = 0
        async for _ in stream.events():
            time.sleep(BURST_SECONDS / 4)
            count += 1
            if count == 100:
                break
        beside.cancel()

        assert turns >= 20

    within(story)
