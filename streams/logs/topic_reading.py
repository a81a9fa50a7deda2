"""Reads whole topics without a consumer group: up to their present ends, and on from there if wanted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from infra.topics import full_name
from models.errors import Unavailable
from models.record import Record
from streams.logs.merging import Merge, Place

if TYPE_CHECKING:
    from kafka import KafkaConsumer, TopicPartition

    from infra.settings import KafkaSettings

MOST_WAITING_BYTES = 4 * 1024 * 1024
"""Of one partition; it is not read on while so much of it waits for others."""

_POLL_MILLISECONDS = 250
_POLL_RECORDS = 5_000
_PATIENCE_SECONDS = 30.0


def read_batches(
    consumer: KafkaConsumer,
    kafka: KafkaSettings,
    partitions: Mapping[str, int],
    *,
    from_beginning: bool = True,
    since: int | None = None,
    follow: bool = False,
    most_waiting_bytes: int = MOST_WAITING_BYTES,
) -> Iterator[list[Record]]:
    """The records of these topics (names without the prefix, with their partitions), a batch every quarter second.

    They begin with the first that there is, or the first that Kafka has taken in since an instant, or with what comes.
    Up to the ends that the topics have now the order depends on the records alone; after that it is as they come.
    Batches may be empty, so that the caller can look at the time.

    Raises:
        Unavailable: there is more to read, and Kafka does not give it.
    """
    from kafka import TopicPartition  # noqa: PLC0415  # slow to import

    places = {
        TopicPartition(full_name(kafka, topic), partition): (topic, partition)
        for topic, count in partitions.items()
        for partition in range(count)
    }
    consumer.assign(list(places))
    begins, ends = consumer.beginning_offsets(list(places)), consumer.end_offsets(list(places))
    if since is not None:
        found = consumer.offsets_for_times(dict.fromkeys(places, since))
        begins = {there: ends[there] if found[there] is None else found[there].offset for there in places}
    reading = _Reading(consumer, dict(begins if from_beginning else ends))
    merge = Merge(places.values())
    for there, place in places.items():
        if reading.position(there) >= ends[there]:
            merge.close(place)
    progress = time.monotonic()
    while follow or merge.open:
        fetched = consumer.poll(timeout_ms=_POLL_MILLISECONDS, max_records=_POLL_RECORDS)
        for there, found in fetched.items():
            for one in found:
                if follow or one.offset < ends[there]:
                    merge.add(places[there], _record(places[there], one))
        for there, place in places.items():
            if place in merge.open and reading.position(there) >= ends[there]:
                merge.close(place)
        yield merge.ready()
        reading.hold({there for there, place in places.items() if merge.waiting_bytes(place) > most_waiting_bytes})
        now = time.monotonic()
        if fetched or not merge.open:
            progress = now
        elif now - progress > _PATIENCE_SECONDS:
            behind = ", ".join(f"{topic}[{partition}]" for topic, partition in sorted(merge.open))
            raise Unavailable("Kafka", f"nothing more comes of {behind}", "Look into the broker's log")


class _Reading:
    """Where a consumer stands, with some of its partitions held for a while.

    They are taken from it and given back later: `KafkaConsumer.pause` of kafka-python 3.0.12 may keep what it had
    fetched of a partition aside for ever, and then never fetches that partition again.
    """

    def __init__(self, consumer: KafkaConsumer, begins: dict[TopicPartition, int]) -> None:
        self._consumer, self._positions = consumer, begins
        self._held: set[TopicPartition] = set()
        for there, begin in begins.items():
            consumer.seek(there, begin)

    def position(self, there: TopicPartition) -> int:
        """The next offset, which is past what holds no record, such as what a compaction has left."""
        if there not in self._held:
            found = self._consumer.position(there, timeout_ms=_POLL_MILLISECONDS)
            self._positions[there] = self._positions[there] if found is None else found
        return self._positions[there]

    def hold(self, held: set[TopicPartition]) -> None:
        """Do not read these on, and all others again."""
        if held == self._held:
            return
        for there in held - self._held:
            self.position(there)
        released, self._held = self._held - held, held
        self._consumer.assign([there for there in self._positions if there not in held])
        for there in released:
            self._consumer.seek(there, self._positions[there])


def _record(place: Place, found: Any) -> Record:
    """The record of a `ConsumerRecord`; a header without a value, which Kafka allows, becomes an empty one."""
    topic, partition = place
    headers = tuple((name, value or b"") for name, value in found.headers)
    return Record(topic, partition, found.offset, found.timestamp, found.key, found.value, headers)
