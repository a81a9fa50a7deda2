"""Handing records to a producer that first wants to know their topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError

from models.record import Outgoing
from models.topics import TELEMETRY
from streams.simulator.publisher import handed

RECORD = Outgoing(TELEMETRY, b"memphis", b"{}", (("h", b"v"),), "r", 3)


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
