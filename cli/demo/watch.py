"""Reads the states and shortages of the demo as they come, as any consumer would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import full_name
from models.record import Record
from models.topics import SHORTAGES, STATE
from streams.consumers.watching import FleetWatch

if TYPE_CHECKING:
    from kafka import KafkaConsumer

POLL_MILLISECONDS = 250


class Watching:
    """A watch and the consumer that feeds it."""

    def __init__(self, consumer: KafkaConsumer) -> None:
        self.fleet = FleetWatch()
        self._consumer = consumer

    def look(self) -> None:
        """Take in what has come; waits a quarter of a second for it."""
        for found in self._consumer.poll(timeout_ms=POLL_MILLISECONDS).values():
            for one in found:
                headers = tuple((name, value or b"") for name, value in one.headers)
                self.fleet.take(
                    Record(one.topic, one.partition, one.offset, one.timestamp, one.key, one.value, headers)
                )

    def catch_up(self) -> None:
        """Take in the rest, once nobody writes any more."""
        ends = self._consumer.end_offsets(self._consumer.assignment())
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            self.look()


@contextmanager
def watching(settings: Settings) -> Iterator[Watching]:
    """Watch from the beginning of the topics."""
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import

    with opened_consumer(settings) as consumer:
        places = [TopicPartition(full_name(settings.kafka, topic), 0) for topic in (STATE, SHORTAGES)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        yield Watching(consumer)
