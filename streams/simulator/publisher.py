"""Sends steps to Kafka in order, with a bound on what waits there, and counts what has arrived."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from models.instants import moment_of
from models.record import Outgoing
from models.topics import TELEMETRY
from streams.simulator.telemetry import Step

if TYPE_CHECKING:
    from kafka import KafkaProducer
    from kafka.producer.future import FutureRecordMetadata, RecordMetadata

_MOST_WAITING_BYTES = 32 * 1024 * 1024
"""The producer itself would take in whatever it is given until memory is full."""

_SILENCE_SECONDS = 5.0
"""After so long without an answer from Kafka somebody should know."""


class Sender(Protocol):
    """Takes records on their way."""

    def send(self, record: Outgoing) -> None:
        """Take a record; it may not have arrived yet."""

    def settle(self) -> None:
        """Wait until all have arrived."""

    @property
    def next_offsets(self) -> Mapping[int, int]:
        """By partition of telemetry: the offset after the last record of ours that has arrived."""


@dataclass(frozen=True, slots=True)
class Published:
    """What has arrived."""

    readings: int
    records: int
    facts: int
    tenants: int
    demands: int
    seconds: float
    """Of event time."""
    last_event_time: int | None
    """In milliseconds; none where nothing was sent."""
    next_offsets: Mapping[int, int]

    def report(self) -> dict[str, object]:
        """As `--report` writes it."""
        last = self.last_event_time
        return {
            "published": self.readings,
            "records": self.records,
            "facts": self.facts,
            "tenants": self.tenants,
            "demands": self.demands,
            "seconds": self.seconds,
            "last_event_time": None if last is None else moment_of(last).isoformat(),
            "partitions": {str(partition): offset for partition, offset in sorted(self.next_offsets.items())},
        }


def publish(steps: Iterable[Step], sender: Sender) -> Published:
    """Send all steps, and return once all of their records have arrived."""
    readings = records = facts = tenants = demands = 0
    first = last = None
    for step in steps:
        for record in step.records:
            sender.send(record)
        records += len(step.records)
        readings += step.readings
        facts += step.facts
        tenants += step.tenants
        demands += step.demands
        if not step.closing:
            first, last = step.at if first is None else first, step.at
    sender.settle()
    seconds = 0.0 if first is None or last is None else (last - first) / 1000
    return Published(readings, records, facts, tenants, demands, seconds, last, dict(sender.next_offsets))


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

    While Kafka is away a bounded number of bytes waits, and whoever sends waits, too: nothing is dropped.

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
        self._drop_arrived(_MOST_WAITING_BYTES)
        future = handed(self._producer, self._prefix + record.topic, record, self._patience, self._tell)
        size = len(record.value or b"")
        self._waiting.append((future, size, time.monotonic()))
        self._waiting_bytes += size

    def settle(self) -> None:
        """Wait until all have arrived.

        Raises:
            KafkaError: one was not taken, or not in time.
        """
        self._drop_arrived(-1)

    def _drop_arrived(self, most: int) -> None:
        """Forget what has arrived, and wait for the oldest until no more than so many bytes are on their way."""
        while self._waiting:
            future, size, since = self._waiting[0]
            left = since + self._patience - time.monotonic()
            if not future.is_done and self._waiting_bytes <= most and left > 0:
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
