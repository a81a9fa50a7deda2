"""Sends the inputs of a log again: to the same partitions, in the same order, at a chosen speed."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.kafka_clients import opened_producer
from infra.recordlog import LogReader
from infra.settings import Settings
from infra.topics import full_name, partition_counts
from models.errors import ConfigurationError
from models.partitioning import placed
from models.record import SENT_AT, Headers, Record
from models.topics import INPUTS, LEDGER

if TYPE_CHECKING:
    from kafka import KafkaProducer

"""What is sent again; all else is made anew from these."""

Wait = Callable[[float], bool]
"""Waits for so many seconds, or less where one should stop, and then says yes."""

_MOST_WAITING_BYTES = 32 * 1024 * 1024
_MOST_WAITING = 20_000
_PATIENCE_SECONDS = 60.0


def send_log(settings: Settings, path: Path, speed: float | None = None, wait: Wait = lambda _: False) -> Counter[str]:
    """Send the log's inputs to the topics that the settings name, and count the records sent by topic.

    Each record is as it was, with when it was first sent in a header. Within each partition the order is the log's.

    Args:
        settings: Where Kafka is.
        path: The log.
        speed: Seconds of the log in a second; none means as fast as Kafka takes it.
        wait: Called with 0 now and then, and with the time to wait for the next record.

    Raises:
        ConfigurationError: a topic is not there, or not with the partitions that the log was recorded from.
        LogDamaged: after what stands before the damage was sent.
        Unavailable: no Kafka answers, or it stops taking records.
    """
    with LogReader(path) as log:
        counts = partition_counts(settings, INPUTS)
        check_partitions(log.header.partitions, counts)
        records = placed((record for record in log if record.topic in INPUTS), counts)
        with opened_producer(settings) as producer:
            sending = _Sending(producer, {topic: full_name(settings.kafka, topic) for topic in INPUTS})
            for record in paced(records, speed, wait, time.monotonic):
                sending.send(record)
            sending.finish()
    return sending.sent


def check_partitions(recorded: Mapping[str, int], found: Mapping[str, int]) -> None:
    """Make sure that the topics are partitioned as they were when the log was recorded.

    Raises:
        ConfigurationError: one is not.
    """
    for topic, count in found.items():
        if recorded.get(topic, count) != count:
            expected = f"{recorded[topic]}, as in the log"
            raise ConfigurationError(f"the number of partitions of {topic}", count, expected)


def paced(
    records: Iterable[Record], speed: float | None, wait: Wait, monotonic: Callable[[], float]
) -> Iterator[Record]:
    """The same records, each at its time: as far from the first as when both were first sent, divided by `speed`."""
    begun, first = monotonic(), None
    for record in records:
        delay = 0.0
        if speed is not None:
            first = record.sent_at if first is None else first
            delay = max(0.0, begun + (record.sent_at - first) / 1000 / speed - monotonic())
        if wait(delay):
            return
        yield record


def stamped(record: Record) -> Headers:
    """The record's headers with when it was first sent among them."""
    if record.header(SENT_AT) is not None:
        return record.headers
    return (*record.headers, (SENT_AT, b"%d" % record.timestamp))


class _Sending:
    """Sends records and waits for the oldest where too many are on their way: the producer itself has no limit."""

    def __init__(self, producer: KafkaProducer, names: Mapping[str, str]) -> None:
        self.sent: Counter[str] = Counter(dict.fromkeys(names, 0))
        self._producer, self._names = producer, names
        self._waiting: deque[tuple[Any, int]] = deque()
        self._waiting_bytes = 0

    def send(self, record: Record) -> None:
        """Hand one record to the producer. One with neither key nor value, which it would not take, goes as empty."""
        value = b"" if record.key is None and record.value is None else record.value
        future = self._producer.send(
            self._names[record.topic],
            value=value,
            key=record.key,
            headers=list(stamped(record)),
            partition=record.partition,
        )
        self._waiting.append((future, len(value or b"")))
        self._waiting_bytes += len(value or b"")
        self.sent[record.topic] += 1
        while self._waiting_bytes > _MOST_WAITING_BYTES or len(self._waiting) > _MOST_WAITING:
            self._settle_oldest()

    def finish(self) -> None:
        """Wait until Kafka has all of them."""
        self._producer.flush(_PATIENCE_SECONDS)
        while self._waiting:
            self._settle_oldest()

    def _settle_oldest(self) -> None:
        future, size = self._waiting.popleft()
        future.get(timeout=_PATIENCE_SECONDS)
        self._waiting_bytes -= size


def fold_offline(settings: Settings, path: Path) -> dict[str, Any]:
    """What the twin makes of a log, computed in this process: no Kafka, no wall clock.

    Raises:
        LogDamaged: the log is not whole; half a result would pass for one.
    """
    from streams.oracle.offline import fold_log  # noqa: PLC0415  # the machines take long to import

    holds_ledger = _holds(path, LEDGER)
    with LogReader(path) as log:
        layout = {topic: count for topic, count in log.header.partitions.items() if topic != LEDGER or holds_ledger}
        summary: dict[str, Any] = fold_log(log, layout, settings).summary()
    return summary


def _holds(path: Path, topic: str) -> bool:
    """Whether there is any record of the topic: a topic can be recorded while nobody writes to it."""
    with LogReader(path) as log:
        return topic in log.header.partitions and any(record.topic == topic for record in log)
