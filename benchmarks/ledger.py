"""The ledger as it grows, watched from outside: how many nodes its samples tell of, and what came after a mark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from infra.kafka_clients import opened_consumer
from infra.settings import Settings
from infra.topics import full_name
from models.cloudevents import EventType
from models.ledger import Samples
from models.topics import LEDGER

if TYPE_CHECKING:
    from kafka import KafkaConsumer

_POLL_MILLISECONDS = 20
_KIND = ("ce_type", EventType.SAMPLES.encode())


@dataclass
class LedgerTail:
    """What was read so far; instants in milliseconds."""

    consumer: KafkaConsumer
    partitions: int
    mark: int | None = None
    """From when on `first_after` is kept."""
    first_after: dict[int, int] = field(default_factory=dict)
    """By telemetry partition, when Kafka took in its first samples that are later than the mark in both times."""
    _reporting: dict[str, int] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Self]:
        """From the ledger's beginning."""
        from kafka import TopicPartition  # noqa: PLC0415  # slow to import

        with opened_consumer(settings) as consumer:
            place = TopicPartition(full_name(settings.kafka, LEDGER), 0)
            consumer.assign([place])
            consumer.seek(place, 0)
            yield cls(consumer, settings.kafka.telemetry_partitions)

    @property
    def reporting(self) -> int:
        """How many nodes report, by the newest sample of each site."""
        return sum(self._reporting.values())

    @property
    def went_on(self) -> bool:
        """Whether every partition has samples after the mark."""
        return len(self.first_after) == self.partitions

    def advanced(self) -> Self:
        """Read what is there, waiting for a moment."""
        for records in self.consumer.poll(timeout_ms=_POLL_MILLISECONDS).values():
            for record in records:
                if _KIND in record.headers:
                    self.note(Samples.model_validate_json(record.value), record.timestamp)
        return self

    def note(self, step: Samples, taken_in: int) -> None:
        """Take in one partition's step, and when Kafka took it in."""
        self._reporting |= {sample.site: sample.nodes.reporting for sample in step.samples}
        if self.mark is not None and taken_in > self.mark and step.through > self.mark:
            self.first_after.setdefault(step.partition, taken_in)
