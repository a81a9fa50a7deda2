"""The console's reading of real topics: all that it shows, from whatever is there, and on through mishaps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pytest

from infra.embedded.stack import RunningStack
from infra.kafka_clients import opened_producer
from infra.settings import KafkaSettings, Settings
from infra.topics import create_topics, full_name
from models.cloudevents import EventType, headers
from models.instants import moment_of
from models.owner import Owner
from models.record import Outgoing, Record
from models.shortage import Change
from models.topics import OPEN_SHORTAGES, SHORTAGES, WORKERS
from streams.console.following import OWNERS_MILLISECONDS, Follower
from streams.console.live import LiveFleet
from streams.console.owners import Announcer, Owners
from tests.builders import T0
from tests.console_builders import event, shortage_record, tick_records

PATIENCE_SECONDS = 60.0


@pytest.fixture
def settings(stack: RunningStack, kafka_prefix: str) -> Settings:
    settings = Settings(kafka=KafkaSettings(bootstrap_servers=stack.kafka, topic_prefix=kafka_prefix))
    create_topics(settings)
    return settings


def put(settings: Settings, records: Iterable[Record]) -> None:
    with opened_producer(settings) as producer:
        for one in records:
            topic = full_name(settings.kafka, one.topic)
            at = one.timestamp if one.topic == WORKERS else None
            producer.send(topic, one.value, one.key, list(one.headers), partition=0, timestamp_ms=at)


def said_to_be(worker: str, partition: int, at: int) -> Record:
    owner = Owner(partition=partition, worker=worker, url="http://x", at=moment_of(at))
    named = headers(EventType.OWNER, "//x", "i", at)
    return Record(WORKERS, 0, 0, at, str(partition).encode(), owner.model_dump_json().encode(), named)


def follower_of(settings: Settings, live: LiveFleet | None = None) -> Follower:
    address = settings.kafka.bootstrap_servers
    assert address is not None
    return Follower(address, settings.kafka, live or LiveFleet(), Owners())


async def following(follower: Follower, until: Callable[[], bool]) -> None:
    """Follow until that is so."""
    running = asyncio.create_task(follower.run())
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not until():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.servers
def test_what_is_there_is_read_before_the_console_is_ready(settings: Settings) -> None:
    now = time.time_ns() // 1_000_000
    put(
        settings,
        [
            *tick_records(T0),
            *tick_records(T0 + 1000),
            shortage_record(event("old"), topic=OPEN_SHORTAGES),
            Record(OPEN_SHORTAGES, 0, 0, T0, b"gone", None),
            shortage_record(event("new")),
            Record(SHORTAGES, 0, 0, T0, b"x", b"{", shortage_record(event()).headers),
            said_to_be("before", 3, now - 2 * OWNERS_MILLISECONDS),
            said_to_be("then", 4, now - 1000),
            said_to_be("now", 4, now),
        ],
    )
    follower = follower_of(settings)
    asyncio.run(following(follower, lambda: follower.caught_up))
    live, owners = follower.live, follower.owners

    assert live.settled
    assert live.watch.fleet is not None
    assert live.watch.fleet.tick == moment_of(T0 + 1000)
    assert [one.id for one in live.watch.open_shortages] == ["new", "old"]
    assert {partition: owner.worker for partition, owner in owners.by_partition.items()} == {4: "now"}


@pytest.mark.servers
def test_empty_topics_are_read_to_their_ends_at_once(settings: Settings) -> None:
    follower = follower_of(settings)
    asyncio.run(following(follower, lambda: follower.caught_up))

    assert follower.live.watch.fleet is None


@dataclass
class Stumbling(LiveFleet):
    """Loses its connection, as it were, at the third record."""

    taken: int = 0

    def take(self, record: Record) -> None:
        self.taken += 1
        if self.taken == 3:
            raise ConnectionResetError("by the test")
        super().take(record)


@pytest.mark.servers
def test_after_a_mishap_reading_goes_on_with_the_record_that_was_not_taken(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [shortage_record(event(id_, sequence)) for id_ in "abc" for sequence in range(2)]
    put(settings, events)
    live = Stumbling()
    follower = follower_of(settings, live)
    asyncio.run(following(follower, lambda: follower.caught_up))

    assert live.taken == len(events) + 1
    assert {(one.id, one.sequence) for one in live.watch.open_shortages} == {("a", 1), ("b", 1), ("c", 1)}
    assert "the console cannot read from Kafka" in capsys.readouterr().out


@pytest.mark.servers
def test_what_comes_later_is_told_to_who_listens(settings: Settings) -> None:
    follower = follower_of(settings)

    async def story() -> list[bytes]:
        running = asyncio.create_task(follower.run())
        stream = follower.live.feed.listen(None)
        first = asyncio.ensure_future(anext(stream))
        while not follower.caught_up:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(put, settings, [shortage_record(event("a", 1, Change.UPDATED)), *tick_records(T0)])
        chunks = [await asyncio.wait_for(first, PATIENCE_SECONDS)]
        chunks += [await asyncio.wait_for(anext(stream), PATIENCE_SECONDS) for _ in range(2)]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return chunks

    told = b"".join(asyncio.run(story())).decode()

    assert sorted(line for line in told.splitlines() if line.startswith("event")) == [
        "event: fleet",
        "event: shortage",
        "event: sites",
    ]


def test_a_broker_that_is_not_there_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    follower = Follower("127.0.0.1:1", KafkaSettings(), LiveFleet(), Owners())

    async def story() -> None:
        running = asyncio.create_task(follower.run())
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "cannot read from Kafka" not in capsys.readouterr().out:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())

    assert not follower.caught_up


@pytest.mark.servers
def test_what_a_worker_announces_the_others_read(settings: Settings) -> None:
    async def put_out(output: Outgoing) -> asyncio.Future[None]:
        sent.append(output)
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        stored.set_result(None)
        return stored

    sent: list[Outgoing] = []
    now = time.time_ns() // 1_000_000
    asyncio.run(Announcer("twin@a/1", "http://a", lambda: moment_of(now), put_out).announce({2, 0}))
    put(settings, [Record(one.topic, 0, 0, now, one.key, one.value, one.headers) for one in sent])
    follower = follower_of(settings)
    asyncio.run(following(follower, lambda: follower.caught_up))

    assert {one.partition: (one.worker, one.url) for one in follower.owners.by_partition.values()} == {
        0: ("twin@a/1", "http://a"),
        2: ("twin@a/1", "http://a"),
    }
