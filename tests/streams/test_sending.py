"""Sending through a producer: it first wants to know a topic, and has no bound of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from kafka.errors import KafkaTimeoutError

from infra.kafka_sender import KafkaSender, handed
from models.record import Outgoing
from models.topics import TELEMETRY

if TYPE_CHECKING:
    from kafka import KafkaProducer

RECORD = Outgoing(TELEMETRY, b"memphis", b"{}", (("h", b"v"),), "r", 3)


@dataclass
class Future:
    """Of a record that arrives when somebody waits for it."""

    topic: str
    partition: int
    offset: int
    is_done: bool = False

    def get(self, timeout: float) -> Future:
        assert timeout > 0
        self.is_done = True
        return self


class Producer:
    """Knows the topic after so many tries."""

    def __init__(self, tries: int) -> None:
        self.taken: list[dict[str, Any]] = []
        self._tries: Iterator[int] = iter(range(tries))

    def send(self, topic: str, **record: Any) -> str:
        if next(self._tries, None) is not None:
            raise KafkaTimeoutError("Failed to update metadata")
        self.taken.append({"topic": topic, **record})
        return "its future"


def test_who_sends_waits_until_kafka_tells_of_the_topic_and_says_so() -> None:
    producer, told = Producer(2), list[str]()

    assert handed(producer, "x.telemetry", RECORD, 100.0, told.append) == "its future"

    assert producer.taken == [
        {"topic": "x.telemetry", "key": b"memphis", "value": b"{}", "headers": [("h", b"v")], "partition": 3}
    ]
    assert told == ["Kafka does not answer; what is for x.telemetry waits for it, at most 100 s"] * 2


def test_who_has_waited_for_long_enough_gives_up() -> None:
    producer, told = Producer(1), list[str]()

    with pytest.raises(KafkaTimeoutError):
        handed(producer, "x.telemetry", RECORD, 0.0, told.append)

    assert (producer.taken, told) == ([], [])


@pytest.mark.parametrize(("size", "most"), [pytest.param(1, 20_000, id="records"), pytest.param(2**20, 32, id="bytes")])
def test_a_bounded_number_of_records_is_on_its_way(size: int, most: int) -> None:
    sent: list[Future] = []
    record = replace(RECORD, value=bytes(size))

    class Slow:
        def send(self, topic: str, **_: Any) -> Future:
            sent.append(Future(topic, 3, len(sent)))
            return sent[-1]

    sender = KafkaSender(cast("KafkaProducer", Slow()), "x.", patience=100.0)
    for _ in range(most + 1):
        sender.send(record)
    assert not any(future.is_done for future in sent)
    for _ in range(10):
        sender.send(record)

    assert [future.offset for future in sent if future.is_done] == list(range(10))
    sender.settle()
    assert sender.next_offsets == {3: most + 11}
    assert all(future.is_done for future in sent)
