"""Sends records to Kafka in order, with a bound on what waits, and waits itself for a Kafka that is away."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from infra.kafka_clients import opened_producer
from models.record import Outgoing
from models.topics import TELEMETRY

if TYPE_CHECKING:
    from kafka import KafkaProducer
    from kafka.producer.future import FutureRecordMetadata, RecordMetadata

    from infra.settings import Settings

_MOST_WAITING_BYTES = 32 * 1024 * 1024
_MOST_WAITING = 20_000
"""The producer itself would take in whatever it is given until memory is full."""

_SILENCE_SECONDS = 5.0
"""After so long without an answer from Kafka somebody should know."""


def handed(
    producer: KafkaProducer, topic: str, record: Outgoing, patience: float, tell: Callable[[str], None]
) -> FutureRecordMetadata:
    """Hand a record to the producer, which takes the first one to a topic only when Kafka has told of that topic.

    Args:
        producer: Where records go.
        topic: By its full name.
        record: What is sent.
        patience: Seconds to wait for a Kafka that tells nothing.
        tell: Hears of such a Kafka.

    Raises:
        KafkaTimeoutError: it told nothing for as long as that.
    """
    from kafka.errors import KafkaTimeoutError  # noqa: PLC0415  # slow to import

    headers, until = list(record.headers), time.monotonic() + patience
    while True:
        try:
            return producer.send(topic, value=record.value, key=record.key, headers=headers, partition=record.partition)
        except KafkaTimeoutError:
            left = until - time.monotonic()
            if left <= 0:
                raise
            tell(f"Kafka does not answer; what is for {topic} waits for it, at most {left:.0f} s")


class KafkaSender:
    """Sends through a producer that keeps the order within each partition; a record that is not taken is an error.

    While Kafka is away a bounded number of records waits, and whoever sends waits, too: nothing is dropped.

    Args:
        producer: Where records go.
        topic_prefix: Of every topic.
        patience: Seconds that a record may be on its way.
        tell: Hears when Kafka is silent for long.
    """

    def __init__(
        self,
        producer: KafkaProducer,
        topic_prefix: str,
        patience: float = 30.0,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._producer, self._prefix, self._patience, self._tell = producer, topic_prefix, patience, tell
        self._telemetry = topic_prefix + TELEMETRY
        self._waiting: deque[tuple[FutureRecordMetadata, int, float]] = deque()
        self._waiting_bytes = 0
        self._next: dict[int, int] = {}

    @property
    def next_offsets(self) -> Mapping[int, int]:
        """By partition of telemetry: the offset after the last record of ours that has arrived."""
        return self._next

    def send(self, record: Outgoing) -> None:
        """Hand a record to the producer, waiting for older ones where too much waits.

        Raises:
            KafkaError: an earlier record was not taken, or not in time.
        """
        self._drop_arrived(_MOST_WAITING_BYTES, _MOST_WAITING)
        future = handed(self._producer, self._prefix + record.topic, record, self._patience, self._tell)
        size = len(record.value or b"")
        self._waiting.append((future, size, time.monotonic()))
        self._waiting_bytes += size

    def settle(self) -> None:
        """Wait until all have arrived.

        Raises:
            KafkaError: one was not taken, or not in time.
        """
        self._drop_arrived(0, 0)

    def _drop_arrived(self, most_bytes: int, most: int) -> None:
        """Forget what has arrived, and wait for the oldest until no more than so much is on its way."""
        while self._waiting:
            future, size, since = self._waiting[0]
            left = since + self._patience - time.monotonic()
            few = self._waiting_bytes <= most_bytes and len(self._waiting) <= most
            if not future.is_done and few and left > 0:
                return
            arrived = self._arrived(future, left)
            self._waiting.popleft()
            self._waiting_bytes -= size
            if arrived.topic == self._telemetry:
                self._next[arrived.partition] = max(self._next.get(arrived.partition, 0), arrived.offset + 1)

    def _arrived(self, future: FutureRecordMetadata, left: float) -> RecordMetadata:
        """Where the record is, once it has arrived."""
        from kafka.errors import KafkaTimeoutError  # noqa: PLC0415  # slow to import

        if left > _SILENCE_SECONDS:
            try:
                return future.get(timeout=_SILENCE_SECONDS)
            except KafkaTimeoutError:
                if future.is_done:
                    raise
                left -= _SILENCE_SECONDS
                self._tell(f"Kafka does not answer; {len(self._waiting):,} records wait for it, at most {left:.0f} s")
        return future.get(timeout=max(0.0, left))


@contextmanager
def opened_sender(settings: Settings, tell: Callable[[str], None]) -> Iterator[KafkaSender]:
    """A sender with the patience of the settings; `tell` hears of a Kafka that is silent for long.

    Raises:
        Unavailable: no Kafka answers, or it stops taking records.
    """
    with opened_producer(settings) as producer:
        yield KafkaSender(producer, settings.kafka.topic_prefix, settings.kafka.patience_seconds, tell)
