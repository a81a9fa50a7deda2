"""The console's events: what a listener is told, what is kept for one who comes back, and who is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import httpx
import pytest

from models.shortage import Change
from streams.console import feed as feeding
from streams.console.feed import MOST_LISTENERS, MOST_WAITING, Feed, Place
from streams.console.live import LiveFleet
from tests.builders import T0
from tests.console_builders import built, event, shortage_record, tick_records, transport

STANDING = [("shortage", "s"), ("fleet", "f")]


def told() -> Feed:
    feed = Feed(lambda: STANDING)
    feed.begin(Place(5, 5))
    return feed


async def some(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await anext(stream) for _ in range(count)]


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


async def waits(awaited: Awaitable[bytes]) -> bool:
    """Whether nothing comes."""
    waiting = asyncio.ensure_future(awaited)
    for _ in range(3):
        await asyncio.sleep(0)
    done = waiting.done()
    waiting.cancel()
    return not done


def test_a_new_listener_is_told_how_things_stand_and_then_what_comes() -> None:
    async def story() -> None:
        feed = told()
        stream = feed.listen(None)
        assert await some(stream, 2) == [b"event: shortage\ndata: s\n\n", b"id: 5.5\nevent: fleet\ndata: f\n\n"]

        feed.tell_shortage("t", 6)
        feed.tell_tick("[]", "g", 9)
        assert await some(stream, 3) == [
            b"id: 5.6\nevent: shortage\ndata: t\n\n",
            b"event: sites\ndata: []\n\n",
            b"id: 9.6\nevent: fleet\ndata: g\n\n",
        ]

    run(story)


@pytest.mark.parametrize(
    ("after", "missed"),
    [
        pytest.param(Place(5, 5), ["t", "[]", "g", "u", "[]", "h"], id="missed-all"),
        pytest.param(Place(5, 6), ["[]", "g", "u", "[]", "h"], id="heard-the-first"),
        pytest.param(Place(9, 6), ["u", "[]", "h"], id="heard-a-tick"),
        pytest.param(Place(9, 7), ["[]", "h"], id="heard-the-second"),
        pytest.param(Place(7, 7), ["[]", "g", "[]", "h"], id="of-a-teller-with-other-ticks"),
        pytest.param(Place(12, 7), [], id="missed-nothing"),
        pytest.param(Place(4, 5), ["s", "f"], id="longer-ago-than-is-kept"),
        pytest.param(Place(13, 7), ["s", "f"], id="ahead-of-us"),
        pytest.param(None, ["s", "f"], id="new"),
    ],
)
def test_who_comes_back_is_told_what_came_meanwhile(after: Place | None, missed: list[str]) -> None:
    async def story() -> None:
        feed = told()
        feed.tell_shortage("t", 6)
        feed.tell_tick("[]", "g", 9)
        feed.tell_shortage("u", 7)
        feed.tell_tick("[]", "h", 12)
        stream = feed.listen(after)
        chunks = await some(stream, len(missed))

        assert [chunk.decode().partition("data: ")[2].strip() for chunk in chunks] == missed
        assert await waits(anext(stream))

    run(story)


@pytest.mark.parametrize("text", ["", "5", "5.", "-1.2", "5.5.5", "5.5 ", "9" * 30 + ".1", "x", None])
def test_an_id_that_is_none_of_ours_is_nobody_s_place(text: str | None) -> None:
    assert Place.parse(text) is None


def test_an_id_names_its_place() -> None:
    assert Place.parse(str(Place(12, 7))) == Place(12, 7)


def test_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeding, "MOST_KEPT_BYTES", 100)

    async def story() -> None:
        feed = told()
        for number in range(20):
            feed.tell_shortage("x", 6 + number)

        assert [chunk.partition(b"data: ")[2] for chunk in await some(feed.listen(Place(5, 5)), 2)] == [
            b"s\n\n",
            b"f\n\n",
        ]
        assert await some(feed.listen(Place(5, 24)), 1) == [b"id: 5.25\nevent: shortage\ndata: x\n\n"]

    run(story)


def test_who_takes_nothing_is_cut_off_and_the_others_are_not() -> None:
    async def story() -> None:
        feed = told()
        slow, quick = feed.listen(None), feed.listen(None)
        await some(slow, 2)
        await some(quick, 2)
        for number in range(MOST_WAITING + 1):
            feed.tell_shortage("x", 6 + number)
            await anext(quick)

        assert feed.listeners == 1
        with pytest.raises(StopAsyncIteration):
            await anext(slow)
        feed.tell_shortage("y", 100)
        assert b"data: y" in await anext(quick)

    run(story)


def test_who_leaves_is_forgotten() -> None:
    async def story() -> None:
        feed = told()
        stream = feed.listen(None)
        await anext(stream)
        assert feed.listeners == 1
        await stream.aclose()  # type: ignore[attr-defined]
        assert feed.listeners == 0

    run(story)


def test_when_the_worker_ends_every_stream_does() -> None:
    async def story() -> None:
        feed = told()
        stream = feed.listen(None)
        await some(stream, 2)
        feed.close()

        assert [chunk async for chunk in stream] == []
        assert [chunk async for chunk in feed.listen(None)] == []

    run(story)


def test_there_may_be_only_so_many_listeners() -> None:
    async def story() -> None:
        made = built()
        streams = [made.live.feed.listen(None) for _ in range(MOST_LISTENERS)]
        waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
        await asyncio.sleep(0)
        async with httpx.AsyncClient(trust_env=False, transport=transport(made), base_url="http://127.0.0.1") as client:
            answer = await client.get("/api/events")
        made.live.feed.close()
        await asyncio.gather(*waiting, return_exceptions=True)

        assert (answer.status_code, answer.json()["code"]) == (503, "too_many")
        assert answer.headers["retry-after"] == "30"

    run(story)


def test_the_stream_is_one_of_server_sent_events() -> None:
    async def story() -> None:
        made = built(None, *tick_records())
        asyncio.get_running_loop().call_later(0.01, made.live.feed.close)
        async with httpx.AsyncClient(trust_env=False, transport=transport(made), base_url="http://127.0.0.1") as client:
            answer = await client.get("/api/events", headers={"accept-encoding": "gzip"})

        assert answer.headers["content-type"].startswith("text/event-stream")
        assert (answer.headers["cache-control"], "content-encoding" in answer.headers) == ("no-store", False)
        assert [line for line in answer.text.splitlines() if line.startswith(("event", "id"))] == [
            "event: sites",
            "id: 2.0",
            "event: fleet",
        ]

    run(story)


def told_by(live: LiveFleet) -> list[str]:
    async def listen() -> list[str]:
        live.feed.close()
        return [told.chunk.decode().partition("event: ")[2].partition("\n")[0] for told in live.feed._kept]

    return asyncio.run(listen())


def test_a_tick_is_told_once_however_many_came_since_the_last() -> None:
    live = built().live
    for second in range(3):
        for one in tick_records(T0 + 1000 * second, 2 * second):
            live.take(one)
    live.tell()
    live.tell()

    assert told_by(live) == ["sites", "fleet"]
    assert live.feed.place == Place(6, 0)


def test_a_tick_is_not_told_before_its_fleet_state() -> None:
    live = built().live
    site, fleet = tick_records(T0)
    live.take(site)
    live.tell()
    assert live.feed.place == Place(0, 0)

    live.take(fleet)
    live.tell()
    assert live.feed.place == Place(2, 0)


def test_a_shortage_event_is_told_once() -> None:
    live = built().live
    for one in (
        shortage_record(event()),
        shortage_record(event(), 1),
        shortage_record(event(sequence=1, change=Change.UPDATED), 2),
    ):
        live.take(one)

    assert told_by(live) == ["shortage", "shortage"]
    assert live.feed.place == Place(0, 3)
